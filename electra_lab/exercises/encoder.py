"""Checks for notebook 04: LayerNorm, the residual connection, a layer's parameters, a faulty stack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from .expectations import expect_close, expect_tensor, expect_whole_number
from .framework import Hint, exercise
from .recording import describe


@exercise(
    "04.1",
    title="normalise each token by itself",
    hints=(
        "Four steps for each token: take the mean away, divide by the spread, multiply by the "
        "gain, add the bias.",
        "mean and var go along the last axis, dim=-1. keepdim=True leaves an axis of length 1, so "
        "that the result broadcasts against the states. The variance divides by n: "
        "unbiased=False.",
        "The spread is the square root of variance plus eps; eps stands under the root. Gain and "
        "bias have one number for each column and broadcast by themselves.",
    ),
)
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
            centred / (corrected.sqrt() + eps) * gain + bias,
            "Two things: torch's std divides by n - 1 unless you say unbiased=False, and eps goes under "
            "the root, so it is added to the variance.",
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


@exercise(
    "04.2",
    title="wrap a block as ELECTRA does",
    hints=(
        "Two things are added: what goes in, and what the block makes of it. Where does the norm "
        "come, before the sum or after it?",
        "Post-norm means that the norm is the last thing to happen, and sees the sum. The block "
        "sees the states as they came in.",
    ),
)
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


@exercise(
    "04.3",
    title="count the parameters of a layer",
    hints=(
        "Write down every part of the layer that has parameters: four linear layers of attention, "
        "two of feed-forward, and the norms. How many norms are there?",
        "A linear layer from n to m has n times m weights and m biases. Feed-forward goes out to "
        "intermediate_size and back, so its two biases have different lengths.",
        "Each of the two LayerNorms has a gain and a bias of hidden_size numbers: 4 times "
        "hidden_size together. Add attention, expand, contract and norms.",
    ),
)
def check_count_layer(count_layer: Callable[..., Any]) -> None:
    """Four square layers, two of the feed-forward block, two norms, all with biases."""
    for hidden, inner in ((256, 1024), (768, 3072), (10, 25)):
        made = expect_whole_number(count_layer(hidden, inner))
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


@exercise(
    "04.4",
    title="find out why a stack learns nothing, and mend it",
    hints=(
        "There are several causes, and each symptom has its own. Take them one at a time: which "
        "parameters does the module know, are its layers different ones, and what does eval() "
        "switch off?",
        "A module knows the layers in its attributes and in an nn.ModuleList, not those in a "
        "plain list. make_layer makes one new layer at each call. F.dropout does not know whether "
        "the module is in training, unless you tell it.",
        "Call make_layer once for every layer, inside an nn.ModuleList. Every module has an "
        "attribute called training; hand it to F.dropout, or use nn.Dropout, which looks by "
        "itself. Change nothing else.",
    ),
)
def check_mended_stack(mended_stack: Callable[..., Any]) -> None:
    """Layers of its own, known to PyTorch; dropout in training only; what was right stays as it was."""
    stack = mended_stack(lambda: nn.Linear(6, 6), 3)
    if not isinstance(stack, nn.Module):
        raise Hint(f"MendedStack should be an nn.Module; it makes {describe(stack)}.")
    _expect_layers_of_its_own(stack)
    states = torch.randn(2, 5, 6)
    stack.eval()
    if not torch.equal(stack(states), stack(states)):
        raise Hint(
            "Parameters are found now. But after eval() two runs still differ: F.dropout drops "
            "numbers at any time, unless its argument training says otherwise."
        )
    made = expect_tensor(stack(states), (2, 5, 6), "The states")
    layers = [part for part in stack.modules() if isinstance(part, nn.Linear)]
    expected, alone = states, states
    for layer in layers:
        expected, alone = expected + layer(expected), layer(alone)
    if torch.allclose(made, alone, atol=1e-5):
        raise Hint(
            "The residual connection is lost: what a layer returns was added to the states, and that "
            "was no fault."
        )
    expect_close(
        made,
        expected,
        "The parameters are right now, but in eval() the result should be as before without dropout: "
        "states plus what the layer returns, layer after layer.",
    )
    _expect_the_same_dropout(mended_stack)


def _expect_layers_of_its_own(stack: nn.Module) -> None:
    one, found = 6 * 6 + 6, sum(part.numel() for part in stack.parameters())
    said = f"3 layers of {one} parameters have {3 * one} together; PyTorch finds {found}. "
    if found == 0:
        raise Hint(
            f"{said}What lies in a plain list is hidden from it, and so from the optimiser. There is a "
            "list for modules."
        )
    if found == one:
        raise Hint(
            f"{said}All places hold the same layer. How often is make_layer called, and how often "
            "should it be?"
        )
    if found != 3 * one:
        raise Hint(f"{said}There should be one layer for each number from 0 to layers - 1.")
    weights = [part.weight for part in stack.modules() if isinstance(part, nn.Linear)]
    if any(torch.equal(weights[0], weight) for weight in weights[1:]):
        raise Hint(
            "There are 3 layers now, but they begin with the same numbers, as copies do. Let make_layer "
            "make each of them."
        )


def _expect_the_same_dropout(mended_stack: Callable[..., Any]) -> None:
    """In training a tenth of what the layer returns is dropped, nothing of the states themselves."""
    states = torch.randn(100, 50, 6)
    stack = mended_stack(lambda: _constant(0.0), 2).train()
    if not torch.equal(stack(states), states):
        raise Hint(
            "In training, states are lost even where the layers return only zeros. Dropout stood on "
            "what the layer returns, not on the sum; leave it there."
        )
    added = mended_stack(lambda: _constant(1.0), 1).train()(states) - states
    dropped = float((added.abs() < 0.5).double().mean())
    if dropped == 0:
        raise Hint(
            "Now nothing is dropped in training, either. Dropout was right there; it should be off in "
            "eval() only."
        )
    if abs(dropped - 0.1) > 0.02:
        raise Hint(f"Dropout dropped a tenth of the numbers; yours drops {dropped:.2f} of them.")


def _constant(value: float) -> nn.Linear:
    """A layer that returns the same number everywhere, whatever it reads."""
    layer = nn.Linear(6, 6)
    nn.init.zeros_(layer.weight)
    nn.init.constant_(layer.bias, value)
    return layer
