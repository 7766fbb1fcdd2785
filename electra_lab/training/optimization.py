"""The optimiser, its groups and its schedule."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from electra_lab.model.electra import ElectraModel
from electra_lab.model.encoder import ElectraEncoder

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


def layer_wise_groups(
    module: nn.Module,
    learning_rate: float,
    layer_decay: float,
    weight_decay: float = 0.01,
    *,
    faithful: bool = False,
) -> list[dict[str, Any]]:
    """``decay_groups``, each cut into one for every layer: the deeper, the lower its learning rate.

    What lies deeper is more general and should change less. The head learns at ``learning_rate``, the
    top layer at ``layer_decay`` times that, the next at its square, and the embeddings (with their
    projection) at the power after the lowest layer's.

    Args:
        learning_rate: of the head.
        layer_decay: google-research/electra has .8 for small and base, .9 for large
            (configure_finetuning.py).
        weight_decay: see ``decay_groups``.
        faithful: everything below the head one power more: google-research/electra's top layer has
            the square (model/optimization.py, its issues 51 and 64).

    Returns:
        The head's groups first.

    Raises:
        ValueError: ``layer_decay`` is not above 0 and at most 1.
    """
    if not 0 < layer_decay <= 1:
        raise ValueError(f"layer_decay is {layer_decay}; it must be above 0 and at most 1.")
    depth = depths(module)
    groups: list[dict[str, Any]] = []
    for group in decay_groups(module, weight_decay):
        for below in sorted({depth.get(id(p), 0) for p in group["params"]}):
            groups.append(
                {
                    **group,
                    "params": [p for p in group["params"] if depth.get(id(p), 0) == below],
                    "lr": learning_rate * layer_decay ** (below + int(faithful and below > 0)),
                }
            )
    groups.sort(key=lambda group: -group["lr"])
    check_groups(module, groups)
    return groups


def depths(module: nn.Module) -> dict[int, int]:
    """For each parameter of the ELECTRA inside, by its id, how many layers below the head it is: the top
    layer 1, the embeddings one more than there are layers."""
    found: dict[int, int] = {}
    for model in module.modules():
        if isinstance(model, ElectraModel):
            layers = list(model.encoder.layers)
            found |= {id(parameter): len(layers) + 1 for parameter in model.parameters()}
            for number, layer in enumerate(layers):
                found |= {id(p): len(layers) - number for p in layer.parameters()}
    return found


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


class Muon(torch.optim.AdamW):
    """Muon (Jordan et al., 2024) for the groups marked ``"muon": True``, AdamW for the others.

    A matrix's gradient has a few large singular values and many small ones, so that a step in its
    direction changes a few things much. Muon takes the momentum's nearest orthogonal matrix instead:
    all directions alike. ``.2 * sqrt(larger side)`` makes the step as large as AdamW's, so that one
    learning rate suits both (Liu et al., 2025, section 2.2). Where every step is expensive, on a
    processor, it gets further in fewer of them.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Take one step; the marked groups' gradients are used up by it."""
        for group in self.param_groups:
            if group.get("muon"):
                for parameter in group["params"]:
                    if parameter.grad is not None:
                        self._step_of_matrix(parameter, group)
                        parameter.grad = None
        return super().step(closure)

    def _step_of_matrix(self, matrix: nn.Parameter, group: dict[str, Any]) -> None:
        assert matrix.grad is not None
        state = self.state[matrix]
        if not state:
            # AdamW's loading of states wants a step from everybody
            state["step"] = torch.tensor(0.0)
            state["momentum"] = torch.zeros_like(matrix)
        state["step"] += 1
        momentum = state["momentum"].lerp_(matrix.grad, 1 - MOMENTUM)
        direction = orthogonalised(matrix.grad.lerp(momentum, MOMENTUM))  # Nesterov's look ahead
        matrix.mul_(1 - group["lr"] * group["weight_decay"])
        matrix.sub_(direction, alpha=group["lr"] * 0.2 * math.sqrt(max(matrix.shape)))


MOMENTUM = 0.95
# a quintic with a steep slope at zero: five rounds of it bring every singular value between .01 and 1
# to somewhere between .7 and 1.2, which is orthogonal enough (Jordan et al., 2024)
QUINTIC = (3.4445, -4.7750, 2.0315)


def orthogonalised(matrix: Float[Tensor, "rows columns"]) -> Float[Tensor, "rows columns"]:
    """About the nearest orthogonal matrix, U V^T of the singular value decomposition U S V^T, by five
    rounds of X <- a X + (b X X^T + c (X X^T)^2) X (Newton and Schulz's way): products only."""
    a, b, c = QUINTIC
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    x = wide / wide.norm().clamp(min=1e-7)
    for _ in range(5):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x if matrix.shape[0] <= matrix.shape[1] else x.T


def make_optimizer(
    module: nn.Module,
    learning_rate: float,
    *,
    weight_decay: float = 0.01,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-6,
    faithful: bool = False,
    muon_learning_rate: float = 0.0,
    layer_decay: float = 1.0,
) -> torch.optim.AdamW:
    """AdamW in PyTorch's fused form over ``decay_groups``; see ``Muon`` for the matrices.

    Args:
        learning_rate: at its peak; the schedule multiplies it.
        weight_decay, betas, eps: google-research/electra's values (model/optimization.py).
        faithful: without bias correction, see ``AdamWithoutBiasCorrection``.
        muon_learning_rate: train the encoders' matrices with ``Muon`` at this rate; embeddings, heads,
            biases and norms stay with AdamW. 0: AdamW for all.
        layer_decay: learn more slowly further from the head, see ``layer_wise_groups``. 1: all alike.

    Raises:
        ValueError: Muon is asked for where everything is to be the authors' way, or where layers have
            rates of their own.
    """
    if muon_learning_rate and layer_decay != 1:
        raise ValueError(
            f"muon_learning_rate is {muon_learning_rate} and layer_decay {layer_decay}: Muon's matrices "
            "have one rate. Leave one of them out."
        )
    if faithful and muon_learning_rate:
        raise ValueError(
            f"muon_learning_rate is {muon_learning_rate}, but faithful trains as the authors did, with "
            "Adam alone. Leave one of them out."
        )
    if layer_decay == 1:
        groups = decay_groups(module, weight_decay)
    else:
        groups = layer_wise_groups(
            module, learning_rate, layer_decay, weight_decay, faithful=faithful
        )
    kind = AdamWithoutBiasCorrection if faithful else torch.optim.AdamW
    if muon_learning_rate:
        groups, kind = _matrices_apart(module, groups, muon_learning_rate), Muon
    # fused: one kernel for all parameters; 4 times as fast as the loop on 2 CPU cores
    return kind(groups, lr=learning_rate, betas=betas, eps=eps, fused=True)


def _matrices_apart(
    module: nn.Module, groups: list[dict[str, Any]], learning_rate: float
) -> list[dict[str, Any]]:
    """The same groups with the encoders' matrices in a last one of their own, marked for Muon."""
    matrices = {
        id(parameter)
        for part in module.modules()
        if isinstance(part, ElectraEncoder)
        for parameter in part.parameters()
        if parameter.dim() == 2
    }
    decay = groups[0]["weight_decay"]
    apart = [p for group in groups for p in group["params"] if id(p) in matrices]
    others = [
        {**group, "params": [p for p in group["params"] if id(p) not in matrices]}
        for group in groups
    ]
    marked = {"params": apart, "weight_decay": decay, "lr": learning_rate, "muon": True}
    return [group for group in [*others, marked] if group["params"]]


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
