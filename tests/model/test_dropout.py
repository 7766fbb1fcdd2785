"""Dropout by sixteen bits drops as dropout does."""

from __future__ import annotations

import pytest
import torch

from electra_lab import ElectraConfig, ElectraForPreTraining
from electra_lab.model.dropout import Dropout, dropout


@pytest.mark.parametrize("probability", [0.01, 0.1, 0.5, 0.9])
def test_the_share_of_dropped_elements_and_the_mean_are_right(probability: float) -> None:
    torch.manual_seed(0)
    count = 400_000
    dropped = dropout(torch.ones(count), probability)
    share = float((dropped == 0).double().mean())
    # five standard deviations of a binomial share
    assert abs(share - probability) < 5 * (probability * (1 - probability) / count) ** 0.5
    assert dropped.mean() == pytest.approx(1.0, abs=0.03)
    assert len(dropped.unique()) == 2


def test_neighbours_are_dropped_independently() -> None:
    """Four of them share one draw."""
    torch.manual_seed(0)
    gone = (dropout(torch.ones(400_000), 0.5) == 0).double() - 0.5
    for distance in (1, 2, 3, 4):
        assert abs(float((gone[distance:] * gone[:-distance]).mean()) * 4) < 0.01


def test_the_gradient_passes_where_the_value_did() -> None:
    torch.manual_seed(0)
    states = torch.ones(7, 11, 3, requires_grad=True)
    output = dropout(states, 0.3)
    output.sum().backward()
    assert states.grad is not None
    torch.testing.assert_close(states.grad, output.detach())


def test_seeds_repeat_it_and_draws_differ() -> None:
    torch.manual_seed(3)
    first, second = dropout(torch.ones(99), 0.5), dropout(torch.ones(99), 0.5)
    torch.manual_seed(3)
    assert torch.equal(dropout(torch.ones(99), 0.5), first)
    assert not torch.equal(first, second)


def test_nothing_is_dropped_outside_training_and_all_with_probability_one() -> None:
    states = torch.randn(5, 5)
    assert dropout(states, 0.5, training=False) is states
    assert dropout(states, 0.0) is states
    assert not dropout(states, 1.0).any()
    layer = Dropout(0.5)
    assert not torch.equal(layer(states), states)
    assert layer.eval()(states) is states


def test_a_model_in_training_mode_drops_attention_weights_too() -> None:
    config = ElectraConfig.from_preset("micro", vocab_size=50, hidden_dropout_prob=0.0)
    torch.manual_seed(0)
    model = ElectraForPreTraining(config)
    for layer in model.electra.encoder.layers:
        layer.attention.dropout_prob = 0.5
    ids = torch.randint(1, 50, (2, 9))
    assert not torch.equal(model(ids).logits, model(ids).logits)
    assert torch.equal(model.eval()(ids).logits, model(ids).logits)
