"""Drawing the replacements: exact samples of softmax(logits / T), in two ways, and unigram noise.

None lets a gradient through: an id is an integer. The generator learns from its own loss alone
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


@torch.no_grad()
def mix_in_unigrams(
    samples: Int[Tensor, " selected"],
    originals: Int[Tensor, " selected"],
    share: float,
    generator: torch.Generator | None = None,
) -> Int[Tensor, " selected"]:
    """The generator's samples, a share of them exchanged for unigram noise.

    The noise is what stands at the selected positions, shuffled: every token comes as often as in the
    text, as from the paper's unigram generator (section 3.2), and no table of frequencies is needed.

    Args:
        samples: the generator's, at the selected positions.
        originals: the tokens of the text there.
        share: how probably a sample is exchanged, each for itself; from 0 to 1.

    Raises:
        ValueError: ``share`` is not from 0 to 1.
    """
    check_share(share)
    number, device = len(samples), samples.device
    noise = originals[torch.randperm(number, generator=generator, device=device)]
    exchanged = torch.rand(number, generator=generator, device=device) < share
    return torch.where(exchanged, noise, samples)


def check_share(share: float) -> None:
    """Raises:
    ValueError: ``share`` is not from 0 to 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(
            f"unigram_share is {share}; it must be from 0 to 1. 0 takes all replacements from the "
            "generator, 1 none."
        )
