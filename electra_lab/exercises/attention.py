"""Checks for notebook 03: scaled scores, a softmax that leaves out padding, heads."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .expectations import expect_close, expect_tensor
from .framework import Hint, exercise


@exercise("03.1", title="score every query against every key")
def check_scores(scores: Callable[..., Any]) -> None:
    """Dot products of all pairs over the square root of the vectors' width; queries are the rows."""
    query, key = torch.randn(2, 3, 16), torch.randn(2, 5, 16)
    made = scores(query, key)
    if isinstance(made, Tensor) and made.shape == (2, 5, 3):
        raise Hint(
            "Rows and columns are swapped: a row belongs to a query and has one score for each key, "
            "so the shape should be [2, 3, 5] here."
        )
    made = expect_tensor(made, (2, 3, 5), "The scores")
    raw = query @ key.transpose(-1, -2)
    for divisor, hint in (
        (1.0, "The scale is missing: dot products of 16 numbers have 16 times the variance."),
        (16.0, "Too small: the variance grows with the width, so the scores with its square root."),
        (
            math.sqrt(5),
            "You divide by the number of keys. What counts is the width of the vectors.",
        ),
        (math.sqrt(3), "You divide by the number of queries. What counts is the vectors' width."),
        (1 / 4, "You multiply by the square root. That makes large scores larger; divide by it."),
    ):
        if torch.allclose(made, raw / divisor, atol=1e-5):
            raise Hint(hint)
    if torch.allclose(made, (raw / 4).softmax(dim=-1), atol=1e-5):
        raise Hint("These are weights already. Stop before the softmax.")
    expect_close(
        made, raw / 4, "Entry (i, j) is the dot product of query i and key j, over sqrt(width)."
    )
    # a second width: a fixed scale, or another function that is 4 at 16, was right by chance
    query, key = torch.randn(1, 3, 36), torch.randn(1, 2, 36)
    expect_close(
        scores(query, key),
        query @ key.transpose(-1, -2) / 6,
        "Right for vectors of 16 numbers, wrong for vectors of 36. The scale should follow from the "
        "width of the vectors that are given.",
    )


@exercise("03.2", title="turn scores into weights, none for padding")
def check_masked_softmax(masked_softmax: Callable[..., Any]) -> None:
    """Softmax over the keys of each query, over those keys only whose mask is 1."""
    scores = torch.randn(2, 4, 4) * 2
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
    given = scores.clone()
    weights = expect_tensor(masked_softmax(scores, mask), (2, 4, 4), "The weights")
    if not torch.equal(scores, given):
        raise Hint("The scores that were handed over have changed. Make a new tensor.")
    hidden = mask[:, None, :] == 0
    low = torch.finfo(scores.dtype).min
    plain = scores.softmax(dim=-1)
    for wrong, hint in (
        (plain, "The mask is not used: the last two tokens of the second text are padding."),
        (
            scores.softmax(dim=-2),
            "You normalise over the queries. The weights of each query, along the last axis, sum to 1.",
        ),
        (
            scores.masked_fill(hidden, low).softmax(dim=-2),
            "You normalise over the queries. The weights of each query, along the last axis, sum to 1.",
        ),
        (
            plain.masked_fill(hidden, 0.0),
            "The padding has weight 0, but the other weights of its row no longer sum to 1. Mask the "
            "scores, before the softmax.",
        ),
        (
            (scores * mask[:, None, :]).softmax(dim=-1),
            "A score of 0 is an ordinary score: exp(0) is 1. A hidden key needs a very low one.",
        ),
        (
            scores.masked_fill(~hidden, low).softmax(dim=-1),
            "The mask is upside down: 1 says look at this token, 0 says it is padding.",
        ),
        (
            scores.masked_fill((mask == 0)[:, :, None], low).softmax(dim=-1),
            "You masked the queries, the rows. Padding must not be looked at: mask keys, the columns.",
        ),
    ):
        if torch.allclose(weights, wrong, atol=1e-5):
            raise Hint(hint)
    expect_close(
        weights,
        scores.masked_fill(hidden, low).softmax(dim=-1),
        "Put a very low number where the mask is 0 (it needs an axis for the queries: "
        "mask[:, None, :]), then take the softmax along the last axis.",
    )


@exercise("03.3", title="cut states into heads")
def check_split_heads(split_heads: Callable[..., Any]) -> None:
    """Neighbouring numbers of a token stay in one head; heads come before the sequence."""
    states = torch.arange(2 * 3 * 8, dtype=torch.float32).view(2, 3, 8)
    parts = states.view(2, 3, 4, 2)
    made = split_heads(states, 4)
    if isinstance(made, Tensor) and made.shape == (2, 3, 4, 2):
        raise Hint(
            "The heads are cut, but stand behind the sequence. Swap these two axes, so that a matrix "
            "product runs over the tokens of one head."
        )
    made = expect_tensor(made, (2, 4, 3, 2), "The heads")
    if torch.equal(made, states.reshape(2, 4, 3, 2)):
        raise Hint(
            "The shape is right, but reshaping at once mixes tokens: head 0 of token 1 holds numbers "
            "of other tokens. Cut the last axis first, then swap axes."
        )
    if torch.equal(made, states.view(2, 3, 2, 4).permute(0, 3, 1, 2)):
        raise Hint(
            "A head takes every 4th number here. It should take neighbours: numbers 0 and 1 are "
            "head 0, numbers 2 and 3 are head 1."
        )
    expect_close(
        made,
        parts.transpose(1, 2),
        "Head h of token t holds numbers h * head_size to (h + 1) * head_size of that token's state.",
    )
    # other sizes: a number of heads, or a head size, that is written down was right by chance
    states = torch.arange(2 * 5 * 12, dtype=torch.float32).view(2, 5, 12)
    made = split_heads(states, 3)
    if isinstance(made, Tensor) and made.shape != (2, 3, 5, 4):
        raise Hint(
            f"12 numbers in 3 heads should have shape [2, 3, 5, 4]; yours is {list(made.shape)}. Use "
            "the number of heads that is given, and find the head size from it."
        )
    expect_close(
        made,
        states.view(2, 5, 3, 4).transpose(1, 2),
        "Right for 4 heads of 2 numbers, wrong for 3 heads of 4.",
    )
