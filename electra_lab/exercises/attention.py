"""Checks for notebook 03: scaled scores, a softmax without padding, heads, a faulty attention."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .expectations import expect_close, expect_one_of, expect_tensor
from .framework import Hint, exercise


@exercise(
    "03.1",
    title="score every query against every key",
    hints=(
        "A score for each pair makes a table, with a row for each query and a column for each "
        "key. Which operation computes all dot products at once?",
        "It is a matrix product, for which the last two axes of the key change places; the batch "
        "axis stays in front. transpose(-1, -2) does that.",
        "Dot products of vectors with d numbers have d times the variance of one. Divide by the "
        "square root of d, and read d from query.shape[-1].",
    ),
)
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


@exercise(
    "03.2",
    title="turn scores into weights, none for padding",
    hints=(
        "Weights of padding must be 0, and the others must still sum to 1. So hide before the "
        "softmax, not after it.",
        "e to the power of a very low number is 0. masked_fill puts a number wherever a tensor of "
        "bools is true; torch.finfo(scores.dtype).min is the lowest there is.",
        "The mask is (batch, keys), the scores are (batch, queries, keys): the mask needs an axis "
        "in the middle, mask[:, None, :]. Then take the softmax along the keys, the last axis.",
    ),
)
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


@exercise(
    "03.3",
    title="cut states into heads",
    hints=(
        "Two steps: cut the numbers of each token into heads, then let heads and tokens change "
        "places. Reshaping to the final shape at once would mix tokens.",
        "unflatten cuts one axis into two; with -1 for one of the sizes it finds that size "
        "itself. After that the axes are batch, seq, heads, head size.",
        "Cut the last axis, numbered -1, into heads and the rest. Then swap axes 1 and 2 with "
        "transpose.",
    ),
)
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
    if isinstance(made, Tensor) and made.shape == (2, 2, 3, 4):
        raise Hint(
            "These are 2 heads of 4 numbers; asked for were 4 heads, which makes 2 numbers in each. The "
            "number of heads comes first, the size of a head follows from it."
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


FAULTS = ("sums", "padding", "scale", "none")


@exercise(
    "03.4",
    title="find out what is wrong with an attention",
    hints=(
        "You cannot see inside, but you choose what goes in. For each fault think of inputs for "
        "which you know what must come out, and for which this fault must show.",
        "If all values are 1, a mixture whose weights sum to 1 is 1 as well. If keys and values "
        "of padding become wild, tokens that are no padding must not notice. So use a mask with "
        "zeros.",
        "Test the sums first, then the padding, each with torch.allclose. What passes both and "
        "still differs from a right attention that you write yourself has a wrong scale. Avoid "
        "sizes that are equal: let width and number of tokens differ.",
    ),
)
def check_what_is_wrong(what_is_wrong: Callable[..., Any]) -> None:
    """Each attention has one fault or none; what follows from a fault is no fault of its own."""
    for attend, right, what in (
        (_attention(), "none", "is right"),
        (_in_double_precision, "none", "is right, and rounds elsewhere"),
        (
            _attention(
                hide=lambda raw, mask: raw, after=lambda weights, mask: weights * mask[:, None, :]
            ),
            "sums",
            "sets weights of padding to 0 after the softmax",
        ),
        (_attention(axis=1), "sums", "takes the softmax over the queries"),
        (_attention(axis=0), "sums", "takes the softmax over the texts of the batch"),
        (_attention(hide=lambda raw, mask: raw), "padding", "does not use the mask"),
        (
            _attention(hide=lambda raw, mask: _hidden(raw, mask[:, :, None])),
            "padding",
            "masks the queries, not the keys",
        ),
        (
            _attention(hide=lambda raw, mask: raw * mask[:, None, :]),
            "padding",
            "gives padding the score 0, which is an ordinary score",
        ),
        (_attention(scale=lambda width, keys: 1.0), "scale", "does not scale the scores"),
        (_attention(scale=lambda width, keys: width), "scale", "divides by the width"),
        (
            _attention(scale=lambda width, keys: math.sqrt(keys)),
            "scale",
            "divides by the root of the number of tokens",
        ),
    ):
        given = what_is_wrong(attend)
        if given == right:
            continue
        expect_one_of(given, FAULTS)
        raise Hint(f"One attention {what}, and you say {given!r}. {_experiment(right, given)}")


def _experiment(right: str, given: str) -> str:
    """What the learner's experiment overlooks, where it says one thing and another is right."""
    if right == "none" and given == "scale":
        return (
            "What differs from yours by rounding is not wrong: compare with torch.allclose. And where "
            "the mask hides padding, yours has to hide it, too."
        )
    if right == "none":
        return (
            "Does your experiment change more than it should? If queries of padding change, so do its "
            "own rows, and nobody reads those. Compare with torch.allclose, which allows for rounding."
        )
    if right == "sums":
        return (
            "Its weights do not sum to 1, and other things follow from that, so ask for it first: where "
            "all values are 1, every mixture should be 1. Use several texts, one of them with padding."
        )
    if right == "padding" and given == "none":
        return (
            "Is there a 0 in your mask, and does the padding hold something that tokens would notice, "
            "such as very large keys and values?"
        )
    if right == "padding":
        return (
            "Change keys and values of padding: tokens that are no padding should not notice. Ask for "
            "that before you compare with a right attention, which differs from this one, too."
        )
    if given == "none":
        return (
            "Its weights sum to 1 and padding is hidden, but the mixture is not the right one. Compare "
            "with an attention of your own, the width being neither 1 nor the number of tokens."
        )
    return (
        "Its weights sum to 1, and tokens do not notice what padding holds. Change nothing but keys and "
        "values of padding, and compare only rows of tokens that are no padding."
    )


def _hidden(raw: Tensor, mask: Tensor) -> Tensor:
    return raw.masked_fill(mask == 0, torch.finfo(raw.dtype).min)


def _attention(
    scale: Callable[[int, int], float] = lambda width, keys: math.sqrt(width),
    hide: Callable[[Tensor, Tensor], Tensor] = lambda raw, mask: _hidden(raw, mask[:, None, :]),
    axis: int = 2,
    after: Callable[[Tensor, Tensor], Tensor] = lambda weights, mask: weights,
) -> Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]:
    """An attention of one head; the arguments are where it can be wrong."""

    def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        raw = query @ key.transpose(-1, -2) / scale(query.shape[-1], key.shape[-2])
        return after(hide(raw, mask).softmax(dim=axis), mask) @ value

    return attend


def _in_double_precision(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    return _attention()(query.double(), key.double(), value.double(), mask).to(value.dtype)
