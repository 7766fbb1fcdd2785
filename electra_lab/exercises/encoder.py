"""Checks for notebook 04: LayerNorm, the residual connection, the parameters of a layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F

from .expectations import expect_close, expect_tensor
from .framework import Hint, exercise
from .recording import describe


@exercise("04.1", title="normalise each token by itself")
def check_layer_norm(layer_norm: Callable[..., Any]) -> None:
    """Mean and biased variance along the last axis, eps inside the root, then gain and bias."""
    states = torch.randn(3, 4, 6) * 2 + 1
    gain, bias, eps = torch.rand(6) + 0.5, torch.randn(6), 1e-2
    made = expect_tensor(layer_norm(states, gain, bias, eps), (3, 4, 6), "The states")
    centred = states - states.mean(dim=-1, keepdim=True)
    variance = states.var(dim=-1, keepdim=True, unbiased=False)
    normal = centred / (variance + eps).sqrt()
    over_sequence = (states - states.mean(1, keepdim=True)) / (
        states.var(1, keepdim=True, unbiased=False) + eps
    ).sqrt()
    over_text = F.layer_norm(states, states.shape[1:], eps=eps)
    corrected = states.var(dim=-1, keepdim=True)
    for wrong, hint in (
        (normal, "gain and bias are missing: multiply by the one and add the other at the end."),
        (normal * gain, "The bias is missing at the end."),
        (normal + bias, "The gain is missing: it multiplies what you have normalised."),
        (
            over_sequence * gain + bias,
            "You normalise over the tokens. Each token is normalised by itself: use the last axis.",
        ),
        (
            over_text * gain + bias,
            "One mean for all tokens is too few. Each token has its own: use the last axis.",
        ),
        (
            centred / (corrected + eps).sqrt() * gain + bias,
            "The variance divides by n, not n - 1: torch's var needs unbiased=False.",
        ),
        (
            centred / (variance.sqrt() + eps) * gain + bias,
            "eps goes under the root, together with the variance.",
        ),
        (
            centred / (variance + eps) * gain + bias,
            "You divide by the variance. The spread is its square root.",
        ),
        (
            states / (variance + eps).sqrt() * gain + bias,
            "The mean is still there: subtract it before you divide.",
        ),
        (
            centred / variance.sqrt() * gain + bias,
            "eps is not used. It keeps a token whose numbers are all equal from dividing by zero.",
        ),
    ):
        if torch.allclose(made, wrong, rtol=1e-5, atol=1e-5):
            raise Hint(hint)
    expect_close(
        made,
        normal * gain + bias,
        "Subtract each token's mean, divide by sqrt(variance + eps), multiply by gain, add bias.",
    )


@exercise("04.2", title="wrap a block as ELECTRA does")
def check_wrap(wrap: Callable[..., Any]) -> None:
    """norm(states + block(states)): the residual added first, the norm last."""
    states, weight = torch.randn(2, 3, 5), torch.randn(5, 5)

    def block(given: Any) -> Any:
        return torch.tanh(given @ weight)

    def norm(given: Any) -> Any:
        return F.layer_norm(given, (5,)) * 1.5

    made = expect_tensor(wrap(states, block, norm), (2, 3, 5), "The states")
    for wrong, hint in (
        (
            norm(block(states)),
            "The residual is missing: what came in is added to what the block says.",
        ),
        (states + block(states), "The norm is missing. It comes last."),
        (
            states + block(norm(states)),
            "That is pre-norm, as GPT-2 has it. ELECTRA is post-norm: the norm stands after the sum.",
        ),
        (
            states + norm(block(states)),
            "You normalise before you add. Add first, then normalise the sum.",
        ),
        (
            norm(states) + block(states),
            "You normalise what came in and leave the sum as it is. Normalise the sum.",
        ),
        (
            norm(block(states) + block(states)),
            "You add the block's result to itself. The residual is what came in: states.",
        ),
    ):
        if torch.allclose(made, wrong, rtol=1e-5, atol=1e-5):
            raise Hint(hint)
    expect_close(
        made,
        norm(states + block(states)),
        "Call block on states, add states to the result, call norm on the sum.",
    )


@exercise("04.3", title="count the parameters of a layer")
def check_count_layer(count_layer: Callable[..., Any]) -> None:
    """Four square layers, two of the feed-forward block, two norms, all with biases."""
    for hidden, inner in ((256, 1024), (768, 3072), (10, 25)):
        made = count_layer(hidden, inner)
        if made is None:
            raise Hint("The function returned None. Is a return missing?")
        if isinstance(made, bool) or not isinstance(made, int):
            raise Hint(f"Return a whole number (int); the function returned {describe(made)}.")
        attention = 4 * (hidden * hidden + hidden)
        feed_forward = 2 * hidden * inner + inner + hidden
        norms = 4 * hidden
        expected = attention + feed_forward + norms
        for wrong, hint in (
            (
                4 * hidden * hidden + 2 * hidden * inner + norms,
                "The biases are missing: a linear layer has one for each output.",
            ),
            (
                4 * hidden * hidden + 2 * hidden * inner,
                "Those are the matrices. Biases and the two norms are missing.",
            ),
            (attention + feed_forward, "The two LayerNorms are missing; each has gain and bias."),
            (
                attention + feed_forward + 2 * hidden,
                "That is one LayerNorm. There is one after each of the two blocks.",
            ),
            (
                expected - hidden * hidden - hidden,
                "Attention has four layers: query, key, value and output.",
            ),
            (
                expected + hidden - inner,
                "The first feed-forward layer has one bias for each of its inner outputs.",
            ),
            (
                expected - hidden * inner - hidden,
                "The feed-forward block has two layers: out to the inner width, and back.",
            ),
        ):
            if made == wrong:
                raise Hint(f"hidden {hidden}, inner {inner}: yours is {made:,}. {hint}")
        if made != expected:
            raise Hint(
                f"hidden {hidden}, inner {inner} should give {expected:,}; yours is {made:,}. Count "
                "attention (4 layers), feed-forward (2 layers) and 2 norms, with all biases."
            )
