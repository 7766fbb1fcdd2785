"""Checks for notebook 14: the causal mask, the loss of the next token, top-p."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from electra_lab.model.causal_lm import next_token_distribution
from electra_lab.model.decoder import causal_mask

from .diagnosis import expect_or_explain
from .expectations import expect_tensor
from .framework import Hint, exercise


@exercise(
    "14.1",
    title="where a token may look",
    hints=(
        "Two conditions must hold at once: the token that is looked at is not later than the one "
        "that looks, and it is no padding.",
        "Number all tokens from 0. The new ones are the last, so their numbers do not begin at 0 "
        "but at keys minus queries.",
        "Compare a row of key numbers with a column of query numbers: a key may be looked at "
        "where its number is not larger. Then combine with the mask, which needs an axis for the "
        "queries.",
    ),
)
def check_may_look(may_look: Callable[..., Any]) -> None:
    """At itself and at what came before, never at padding; the queries are the last of the keys."""
    for queries, keys in ((4, 4), (2, 5), (1, 6)):
        attended = torch.ones(2, keys, dtype=torch.long)
        attended[1, :2] = 0  # padding on the left, as in a batch that is written on
        given = may_look(queries, keys, attended.clone())
        mask = expect_tensor(given, (2, queries, keys), "The mask").bool()
        right = causal_mask(queries, keys, attended)
        if torch.equal(mask, right):
            continue
        ones = torch.ones(2, queries, keys, dtype=torch.bool)
        past, padding = keys - queries, attended[:, None, :].bool()
        for hint, wrong in (
            (
                "True means that a token may look. Here it is True where it may not.",
                ~right,
            ),
            (
                "Tokens look at padding. A column is False wherever attention_mask is 0.",
                causal_mask(queries, keys).expand(2, -1, -1),
            ),
            (
                "Every token looks at every other, as in an encoder. Forbid what comes later.",
                padding.expand(2, queries, keys),
            ),
            (
                "Tokens look forward instead of back.",
                ones.triu(past) & padding,
            ),
            (
                "A token does not look at itself. It must: the next word depends on the one that "
                "was read last.",
                ones.tril(past - 1) & padding,
            ),
            (
                "With cached tokens the new ones stand at the end: the first query is number "
                "keys - queries, not number 0.",
                ones.tril() & padding,
            ),
        ):
            if torch.equal(mask, wrong):
                raise Hint(hint)
        raise Hint(
            f"With {queries} queries and {keys} keys, query i is token keys - queries + i. It may "
            "look at the tokens up to itself that are no padding."
        )


@exercise(
    "14.2",
    title="the loss of the next token",
    hints=(
        "The scores at one position are a guess about the next. So scores and ids have to be "
        "shifted against each other by one.",
        "The last position has nothing to guess, and the first id is guessed by nobody: drop the "
        "last of the scores and the first of the ids.",
        "gather takes the log-probability of each next id. A guess counts where the token that is "
        "guessed is no padding, so shift the mask as you shift the ids. Then take the mean, with "
        "a minus.",
    ),
)
def check_next_token_loss(next_token_loss: Callable[..., Any]) -> None:
    """The mean of -log p(next token) over all positions that have a next token."""
    ids = torch.randint(1, 11, (2, 6))
    attended = torch.ones(2, 6, dtype=torch.long)
    attended[1, 4:] = 0
    ids[1, 4:] = 0
    logits = torch.randn(2, 6, 11)

    def mean(scores: Tensor, wanted: Tensor, where: Tensor) -> Tensor:
        return F.cross_entropy(scores[where.bool()], wanted[where.bool()])

    def everywhere(part: Tensor) -> Tensor:
        return torch.ones_like(part)

    read, wanted, real = logits[:, :-1], ids[:, 1:], attended[:, 1:]
    right = mean(read, wanted, real)
    expect_or_explain(
        next_token_loss(logits, ids, attended),
        right,
        "The loss",
        {
            "Each position is asked for the token that it has just read. It is to guess the one "
            "after it: shift one against the other.": mean(logits, ids, attended),
            "Each position is asked for the token that it has just read, and padding is asked for, too. "
            "Begin with the shift: a position is to guess the token after it.": mean(
                logits, ids, everywhere(ids)
            ),
            "The shift goes the wrong way: each position is asked for the token before it.": mean(
                logits[:, 1:], ids[:, :-1], attended[:, 1:]
            ),
            "Padding is asked for, too. Keep the positions whose next token is real.": mean(
                read, wanted, everywhere(wanted)
            ),
            "One position too many: the last real token of a row has no next token. Look at the "
            "mask of the token that is asked for, not of the one that is read.": mean(
                read, wanted, attended[:, :-1]
            ),
            "This is a sum. Rows of different lengths can be compared when it is a mean.": (
                right * real.sum()
            ),
            "The sign is the wrong way round: a loss is small where the token was probable.": -right,
        },
        "Drop the scores of the last position and the first token; then take the mean of "
        "-log_softmax(scores) of each token that is asked for, where it is no padding.",
    )


@exercise(
    "14.3",
    title="top-p",
    hints=(
        "Sort from likeliest to least. A token belongs to the set as long as those before it have "
        "not reached top_p.",
        "cumsum adds up along the order. What comes before a token is its cumulative sum without "
        "its own probability; so the token that crosses the border is kept.",
        "Put the kept probabilities back in their places: the second thing that sort returns says "
        "where each came from. Divide by their sum.",
    ),
)
def check_keep_top_p(keep_top_p: Callable[..., Any]) -> None:
    """The smallest set of likeliest tokens that reaches top_p, made to sum to 1 again."""
    probabilities = torch.tensor([0.06, 0.4, 0.09, 0.25, 0.2])
    ordered, order = probabilities.sort(descending=True)
    for top_p in (0.5, 0.7, 0.3, 0.9, 1.0):
        right = next_token_distribution(probabilities.log()[None], top_p=top_p)[0]
        kept = (right > 0).float()
        short = probabilities.clone()
        short[order[ordered.cumsum(0) > top_p]] = 0
        longer = probabilities.clone()
        longer[order[int(kept.sum()) + 1 :]] = 0
        given = keep_top_p(probabilities.clone(), top_p)
        if isinstance(given, Tensor) and bool(given.isnan().any()):
            raise Hint(
                f"With top_p={top_p} no token is left, so the division is by a sum of 0. The "
                "likeliest token is always kept, also where it alone has less than top_p."
            )
        expect_or_explain(
            given,
            right,
            "The probabilities",
            {
                "They no longer sum to 1. Divide what is left by its sum.": probabilities * kept,
                "The set is too small: it does not reach top_p. The token that takes the sum to "
                "top_p or over it still belongs to it, so that one token is always left.": (
                    short / short.sum()
                ),
                "These are the probabilities of the set, but not without those outside it: give 0 to "
                "every other token.": probabilities,
                "They are in order of size. Put each back to the place of its token.": (
                    right[order]
                ),
                "One token too many: stop as soon as the sum has reached top_p.": (
                    longer / longer.sum()
                ),
                "This keeps the tokens that are likelier than top_p each. The sum of the likeliest "
                "ones has to reach top_p.": probabilities * (probabilities >= top_p),
                "This keeps the unlikeliest tokens. Sort from the likeliest down.": _from_below(
                    probabilities, top_p
                ),
            },
            "Sort the probabilities from the largest down and add them up. A token is kept while the "
            "sum of those before it is below top_p. Then divide by the sum of the kept ones.",
        )


def _from_below(probabilities: Tensor, top_p: float) -> Tensor:
    ordered, order = probabilities.sort()
    kept = probabilities.clone()
    kept[order[ordered.cumsum(0) - ordered >= top_p]] = 0
    return kept / kept.sum()
