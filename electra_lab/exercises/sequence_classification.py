"""Checks for notebook 10: the state that the head reads, the multi-label loss, rank correlation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from .diagnosis import expect_or_explain
from .framework import Hint, exercise


@exercise(
    "10.1",
    title="the state that stands for the sentence",
    hints=(
        "Which position is it in each row? The mask knows: it is the first 1 of the row, wherever "
        "that stands.",
        "argmax gives the first place of the largest number. Of a row of zeros and ones that is "
        "the first 1.",
        "Indexing with two tensors picks one entry for each pair: a number for every row from "
        "torch.arange, together with the places that you found.",
    ),
)
def check_first_states(first_states: Callable[..., Any]) -> None:
    """The state of each row's first token that is no padding, on whichever side the padding is."""
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [0, 0, 1, 1, 1], [0, 1, 1, 1, 0]])
    states = torch.randn(4, 5, 3)
    rows = torch.arange(4)
    begin = mask.argmax(1)
    last = 4 - mask.flip(1).argmax(1)
    real = mask[..., None].float()
    expect_or_explain(
        first_states(states.clone(), mask.clone()),
        states[rows, begin],
        "The states",
        {
            "This is position 0 of every row. With padding on the left, position 0 is [PAD]: find the "
            "first position at which attention_mask is 1.": states[:, 0],
            "The last token of a row is [SEP]. The one that stands for the sentence is the first.": (
                states[rows, last]
            ),
            "This is the last position of every row, padding or not.": states[:, -1],
            "The number of tokens minus 1 is the place of the last one, and that only where the "
            "padding is on the right. Find the first.": states[rows, mask.sum(1) - 1],
            "Every row was asked for the places of all rows. Give two tensors as the index, one that "
            "counts the rows and one with their places: then they go in pairs.": states[:, begin],
            "The position is as large as the number of padded tokens, and that is the first token's "
            "only where all padding is on the left.": states[rows, (5 - mask.sum(1)) % 5],
            "The mask is read the wrong way round: 1 stands for a token, 0 for padding.": (
                states[rows, mask.argmin(1)]
            ),
            "This is a mean over the tokens. It is a way to sum up a sentence, but not this head's, "
            "which reads one token.": (states * real).sum(1) / real.sum(1),
            "This is a mean over all positions, padding included. The head reads one token.": (
                states.mean(1)
            ),
        },
        "For each row, find the first position with attention_mask 1 (argmax finds the first of the "
        "largest), and take the state at that position: one for each row, [batch, hidden].",
    )


@exercise(
    "10.2",
    title="the multi-label loss, rare labels weighted",
    hints=(
        "Each label of each row is a question of its own, answered by a sigmoid. Write one term "
        "for a present label and one for an absent one; the weight belongs to only one of them.",
        "A present label costs minus log p, an absent one minus log(1 - p). F.logsigmoid gives "
        "log p from the logit and stays finite; for 1 - p turn the sign of the logit around.",
        "Multiply the first term by labels and weights, the second by 1 minus labels; add both, "
        "and take the mean of everything.",
    ),
)
def check_multi_label_loss(multi_label_loss: Callable[..., Any]) -> None:
    """Binary cross-entropy, a label's weight on its term where it is present; the mean of all terms."""
    logits = torch.randn(4, 3)
    labels = torch.tensor([[1.0, 0, 0], [0, 1, 1], [0, 0, 0], [1, 0, 1]])
    weights = torch.tensor([1.0, 3.0, 7.0])
    present, absent = -F.logsigmoid(logits) * labels, -F.logsigmoid(-logits) * (1 - labels)
    right = (weights * present + absent).mean()
    expect_or_explain(
        multi_label_loss(logits.clone(), labels.clone(), weights.clone()),
        right,
        "The loss",
        {
            "The weights are not used: rare labels count as much as the others.": (
                (present + absent).mean()
            ),
            "The weight is on the term of an absent label. It belongs to the one that is present.": (
                (present + weights * absent).mean()
            ),
            "The weight is on both terms. Then a label counts more as a whole, but a present one still "
            "no more than an absent one.": (weights * (present + absent)).mean(),
            "Absent labels have no term. A model that says yes to everything would have no loss.": (
                (weights * present).mean()
            ),
            "These are the terms of a softmax, in which the labels take probability from each other. "
            "Here each label is a question of its own: use the sigmoid.": (
                -(weights * labels * logits.log_softmax(-1)).mean()
            ),
            "This is the cross-entropy of a softmax, in which the labels take probability from each "
            "other. Each label is a question of its own: use the sigmoid.": (
                -(weights * labels * logits.log_softmax(-1)).sum(-1).mean()
            ),
            "This is a sum over the labels. Take the mean over rows and labels.": right * 3,
            "This is a sum. Take the mean over rows and labels.": right * 12,
            "The sign is the wrong way round: a loss is small where the answer was probable.": -right,
            "The mean is one over weights. Divide by the number of terms, not by the sum of their "
            "weights.": (
                (weights * present + absent).sum() / (weights * labels + 1 - labels).sum()
            ),
            "The logits go through the sigmoid twice.": _weighted(
                logits.sigmoid(), labels, weights
            ),
        },
        "With p = sigmoid(logit), a present label costs -weight * log(p), an absent one -log(1 - p). "
        "The loss is the mean over all rows and labels.",
    )
    huge, both = torch.tensor([[200.0, -200.0, 0.0]]), torch.tensor([[0.0, 1.0, 1.0]])
    value = torch.as_tensor(multi_label_loss(huge.clone(), both.clone(), weights.clone()))
    if not torch.allclose(value.float(), _weighted(huge, both, weights), rtol=1e-4):
        raise Hint(
            "Right for small logits, but not for logits of 200 and -200: 1 - sigmoid(200) is 0 in 32 "
            "bits. log(1 - sigmoid(x)) is logsigmoid(-x), which stays finite."
        )


def _weighted(
    logits: Float[Tensor, "batch labels"],
    labels: Float[Tensor, "batch labels"],
    weights: Float[Tensor, " labels"],
) -> Float[Tensor, ""]:
    return F.binary_cross_entropy_with_logits(logits, labels, pos_weight=weights)


@exercise(
    "10.3",
    title="Spearman's correlation",
    hints=(
        "Two steps: replace each value by its rank, then compute the ordinary correlation of the "
        "ranks. Equal values must have equal ranks.",
        "A table of all comparisons gives the ranks without sorting: for each value count how "
        "many are smaller, and how many are equal, itself included.",
        "A rank is the number of smaller ones plus half of the other equal ones. For the "
        "correlation take the means away, multiply and add up, and divide by the square root of "
        "the product of both sums of squares.",
    ),
)
def check_spearman(spearman: Callable[..., Any]) -> None:
    """The correlation of the ranks; equal values share the mean of their ranks."""
    scores = torch.tensor([2.0, 3.2, 1.1, 9.0, 4.9, 0.3])
    targets = torch.tensor([2.5, 1.0, 4.0, 1.0, 0.5, 3.0])
    for first, second in ((scores, targets), (scores, targets**3)):
        ranks = _ranks(first), _ranks(second)
        in_order = _positions(first), _positions(second)
        centred = ranks[0] - ranks[0].mean(), ranks[1] - ranks[1].mean()
        right = _correlation(*ranks)
        expect_or_explain(
            spearman(first.clone(), second.clone()),
            right,
            "The correlation",
            {
                "This is Pearson's correlation, of the values. Take that of their ranks.": (
                    _correlation(first, second)
                ),
                "argsort says which element comes at each place, not at which place each element "
                "comes. Do it twice: argsort of argsort is the rank.": _correlation(
                    first.argsort(stable=True).float(), second.argsort(stable=True).float()
                ),
                "Equal values have different ranks. They should share the mean of their ranks: half "
                "a point up or down must not depend on their order in the file.": (
                    _correlation(*in_order)
                ),
                "One side is ranked from the largest down, the other from the smallest up.": -right,
                "This is a covariance of the ranks. Divide by both standard deviations.": (
                    (centred[0] * centred[1]).mean()
                ),
                "The shortcut 1 - 6 * sum(d**2) / (n * (n**2 - 1)) is exact only without ties. Take "
                "the correlation of the ranks.": 1
                - 6 * ((ranks[0] - ranks[1]) ** 2).sum() / (len(first) * (len(first) ** 2 - 1)),
                "Equal values all have the lowest of their ranks. Give them the mean.": _correlation(
                    _lowest_ranks(first), _lowest_ranks(second)
                ),
            },
            "The rank of a value: how many are smaller, plus half of how many others are equal. Then "
            "take away the mean of the ranks, and divide the sum of the products by the square root of "
            "the product of both sums of squares.",
        )


def _ranks(values: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    smaller = (values[None] < values[:, None]).sum(1)
    equal = (values[None] == values[:, None]).sum(1)
    return smaller + (equal - 1) / 2


def _lowest_ranks(values: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    return (values[None] < values[:, None]).sum(1).float()


def _positions(values: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    return values.argsort(stable=True).argsort(stable=True).float()


def _correlation(first: Float[Tensor, " n"], second: Float[Tensor, " n"]) -> Float[Tensor, ""]:
    first, second = first - first.mean(), second - second.mean()
    return (first * second).sum() / (first.square().sum() * second.square().sum()).sqrt()
