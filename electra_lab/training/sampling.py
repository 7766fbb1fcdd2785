"""Drawing the generator's replacements: exact samples of softmax(logits / T), in two ways.

Neither lets a gradient through: an id is an integer. The generator learns from its own loss alone
(paper, section 2).
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor


def check_temperature(temperature: float) -> None:
    """Raises:
    ValueError: ``temperature`` is not above 0.
    """
    if not temperature > 0:
        raise ValueError(
            f"temperature is {temperature}; it must be above 0. 1 samples the generator as it is, "
            "less makes it bolder, more makes it wilder."
        )


@torch.no_grad()
def sample_gumbel(
    logits: Float[Tensor, "*rows vocab"],
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
) -> Int[Tensor, "*rows"]:
    """argmax(logits / T + Gumbel noise): the way of google-research/electra, and the plain one here.

    The noise is -log(-log(u)) with u uniform; that the argmax is an exact sample is the Gumbel-max
    trick. Computed in float32, whatever the logits are in.

    Raises:
        ValueError: ``temperature`` is not above 0.
    """
    check_temperature(temperature)
    uniform = torch.rand(logits.shape, generator=generator, device=logits.device)
    smallest = torch.finfo(torch.float32).tiny  # keeps log(0) out
    noise = -torch.log(-torch.log(uniform.clamp(min=smallest)))
    return (logits.float() / temperature + noise).argmax(-1)


@torch.no_grad()
def sample_inverse_cdf(
    probabilities: Float[Tensor, "*rows vocab"],
    generator: torch.Generator | None = None,
) -> Int[Tensor, "*rows"]:
    """Where the running sum of the probabilities passes a uniform number: one draw for each row.

    The fast way, because the loss has computed the softmax already, and one uniform number does for
    a row where Gumbel noise takes one for every piece of the vocabulary.

    Args:
        probabilities: softmax(logits / T); rows need not sum to exactly 1.
    """
    running = probabilities.cumsum(-1)
    total = running[..., -1:]
    uniform = torch.rand(total.shape, generator=generator, device=total.device, dtype=total.dtype)
    # rounding must not lift the threshold to the total, where no piece would be left to draw
    threshold = (uniform * total).minimum(torch.nextafter(total, torch.zeros_like(total)))
    # right=True: the first piece whose running sum lies above it, so never one of probability 0
    return torch.searchsorted(running, threshold, right=True).squeeze(-1)
