"""Linear layers for few tokens give what linear layers give."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from electra_lab.model.few_tokens import FEW, linear_for_few


class Doubling(nn.Linear):
    """What a library that adapts models would put in a layer's place."""

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return 2 * super().forward(states)


@pytest.mark.parametrize("shape", [(1, 1), (1, 16), (4, 7), (1, FEW), (1, FEW + 1), (3, FEW)])
def test_either_way_round_gives_the_same(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    layer = nn.Linear(12, 20)
    states = torch.randn(*shape, 12)
    with torch.no_grad():
        torch.testing.assert_close(linear_for_few(layer, states), layer(states))


def test_gradients_take_the_plain_way() -> None:
    layer = nn.Linear(4, 3)
    linear_for_few(layer, torch.randn(1, 5, 4)).sum().backward()
    assert layer.weight.grad is not None


@torch.no_grad()
def test_hooks_and_other_layers_are_called() -> None:
    states = torch.randn(1, 5, 4)
    seen: list[torch.Size] = []
    hooked = nn.Linear(4, 3)
    hooked.register_forward_hook(lambda module, inputs, output: seen.append(output.shape))
    linear_for_few(hooked, states)
    assert seen == [torch.Size([1, 5, 3])]
    doubling = Doubling(4, 3)
    torch.testing.assert_close(linear_for_few(doubling, states), doubling(states))
