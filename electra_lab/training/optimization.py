"""The optimiser, its groups and its schedule."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

# step (0, 1, 2 ...) -> what the peak learning rate is multiplied by
Schedule = Callable[[int], float]


def decay_groups(module: nn.Module, weight_decay: float = 0.01) -> list[dict[str, Any]]:
    """Split the parameters into those with weight decay and those without.

    No decay on LayerNorm and on biases; embeddings are decayed (google-research/electra,
    model/optimization.py). A table that is used twice occurs once.

    Args:
        weight_decay: of the first group (google-research/electra: .01).

    Raises:
        AssertionError: a trainable parameter would be in no group, or in both.
    """
    undecayed = {
        id(parameter)
        for part in module.modules()
        for name, parameter in part.named_parameters(recurse=False)
        if isinstance(part, nn.LayerNorm) or name == "bias" or name.endswith("_bias")
    }
    trainable = [p for p in module.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trainable if id(p) not in undecayed], "weight_decay": weight_decay},
        {"params": [p for p in trainable if id(p) in undecayed], "weight_decay": 0.0},
    ]
    check_groups(module, groups)
    return [group for group in groups if group["params"]]


def check_groups(module: nn.Module, groups: list[dict[str, Any]]) -> None:
    """Assert that every trainable parameter is in exactly one group.

    Raises:
        AssertionError: it is not so; names the parameters.
    """
    times: dict[int, int] = {}
    for group in groups:
        for parameter in group["params"]:
            times[id(parameter)] = times.get(id(parameter), 0) + 1
    wrong = {
        name: times.get(id(parameter), 0)
        for name, parameter in module.named_parameters()
        if parameter.requires_grad and times.get(id(parameter), 0) != 1
    }
    assert not wrong, f"Every parameter must be in exactly one group; times each is in one: {wrong}"


class AdamWithoutBiasCorrection(torch.optim.AdamW):
    """AdamW as google-research/electra has it (model/optimization.py): moments start at zero and are
    not corrected for it.

    Early steps are larger than Adam's (three times at step 100 with the usual betas), so a learning
    rate that is right for one is wrong for the other. It is exactly AdamW with

        lr' = lr * c1 / sqrt(c2),  eps' = eps / sqrt(c2),  decay' = decay * lr / lr',  c = 1 - beta**t

    which keeps PyTorch's fused kernel.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Take one step with the numbers of each group changed for its duration."""
        plain = [(g["lr"], g["eps"], g["weight_decay"]) for g in self.param_groups]
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            group["updates"] = group.get("updates", 0) + 1
            correction1 = 1 - beta1 ** group["updates"]
            correction2 = math.sqrt(1 - beta2 ** group["updates"])
            group["lr"] *= correction1 / correction2
            group["eps"] /= correction2
            group["weight_decay"] *= correction2 / correction1
        try:
            return super().step(closure)
        finally:
            for group, (lr, eps, weight_decay) in zip(self.param_groups, plain, strict=True):
                group.update(lr=lr, eps=eps, weight_decay=weight_decay)


def make_optimizer(
    module: nn.Module,
    learning_rate: float,
    *,
    weight_decay: float = 0.01,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-6,
    faithful: bool = False,
) -> torch.optim.AdamW:
    """AdamW in PyTorch's fused form over ``decay_groups``.

    Args:
        learning_rate: at its peak; the schedule multiplies it.
        weight_decay, betas, eps: google-research/electra's values (model/optimization.py).
        faithful: without bias correction, see ``AdamWithoutBiasCorrection``.
    """
    kind = AdamWithoutBiasCorrection if faithful else torch.optim.AdamW
    # fused: one kernel for all parameters; 4 times as fast as the loop on 2 CPU cores
    return kind(
        decay_groups(module, weight_decay), lr=learning_rate, betas=betas, eps=eps, fused=True
    )


def linear_schedule(total_steps: int, warmup_steps: int = 0, *, faithful: bool = False) -> Schedule:
    """Linear warm-up, then linear decay towards zero.

    Args:
        total_steps: number of steps; the last one still has a rate above zero.
        warmup_steps: steps until the peak.
        faithful: google-research/electra multiplies both instead, decay (from the first step on)
            times min(1, step / warm-up), so the peak is never reached and the first step's rate is
            zero (model/optimization.py).

    Raises:
        ValueError: there are no steps, or more steps of warm-up than steps.
    """
    if total_steps < 1 or not 0 <= warmup_steps <= total_steps:
        raise ValueError(
            f"warmup_steps is {warmup_steps} of {total_steps} steps. There must be a step at least, "
            "and no more steps of warm-up than steps."
        )

    def separate(step: int) -> float:
        if step < warmup_steps:
            return (step + 1) / warmup_steps
        return (total_steps - step) / (total_steps - warmup_steps)

    def product(step: int) -> float:
        warmup = min(1.0, step / warmup_steps) if warmup_steps else 1.0
        return (1 - step / total_steps) * warmup

    return product if faithful else separate
