"""Checks for notebook 06: the labels, the loss over attended tokens, the area under the ROC curve."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F

from .diagnosis import expect_or_explain
from .expectations import expect_tensor
from .framework import Hint, exercise


@exercise(
    "06.1",
    title="label the tokens",
    hints=(
        "What is asked is whether another token stands there now, not whether the generator was "
        "there.",
        "A lucky sample is the original word: it was selected, and it is not replaced. Compare "
        "what the two tensors hold, entry by entry.",
    ),
)
def check_rtd_labels(rtd_labels: Callable[..., Any]) -> None:
    """1 where the corrupted text differs from the original, and nowhere else."""
    original = torch.tensor([[2, 11, 12, 13, 14, 3], [2, 15, 16, 17, 18, 3]])
    selected = torch.tensor([[0, 1, 0, 1, 0, 0], [0, 0, 1, 0, 1, 0]]).bool()
    corrupted = original.clone()
    corrupted[0, 1], corrupted[1, 4] = 19, 12  # the other two samples were lucky
    replaced = corrupted != original
    labels = rtd_labels(original, corrupted, selected)
    if labels is not None and getattr(labels, "shape", None) != original.shape:
        expect_tensor(labels, original.shape, "The labels")
    expect_or_explain(
        labels if labels is None else labels.float(),
        replaced.float(),
        "The labels",
        {
            "Every selected position is labelled 1. Two of the samples here are lucky: they equal "
            "the original. Nothing in the text tells such a token from any other, so it counts as "
            "original.": selected.float(),
            "The labels are the wrong way round: 1 stands for replaced, 0 for original.": (
                (~replaced).float()
            ),
            "Only the lucky samples are labelled 1. It is the unlucky ones that were replaced.": (
                (selected & ~replaced).float()
            ),
        },
        "Some labels are wrong. A token is labelled 1 where it is not the original one, else 0.",
    )


@exercise(
    "06.2",
    title="the RTD loss over the attended tokens",
    hints=(
        "Two questions: which tokens count, and what does one of them cost? Padding does not "
        "count; [CLS] and [SEP] do.",
        "A tensor of bools as an index keeps the entries where it is true. Do that to scores and "
        "labels alike, and all that is left counts in the mean.",
        "F.binary_cross_entropy_with_logits takes scores before the sigmoid, and labels as "
        "floats. Its mean over the kept tokens is the loss.",
    ),
)
def check_rtd_loss(rtd_loss: Callable[..., Any]) -> None:
    """Mean binary cross-entropy over tokens that are no padding, [CLS] and [SEP] included."""
    logits = 2 * torch.randn(3, 7)
    mask = (torch.arange(7) < torch.tensor([7, 5, 4])[:, None]).long()
    labels = (torch.rand(3, 7) < 0.3).long() * mask
    labels[0, 1] = 1
    each = F.binary_cross_entropy_with_logits(logits, labels.float(), reduction="none")
    attended = mask.bool()
    right = each[attended].mean()
    probabilities = logits.sigmoid()
    ends = attended.clone()
    ends[:, 0] = False
    ends[torch.arange(3), mask.sum(1) - 1] = False
    of_zeroed = F.binary_cross_entropy_with_logits(logits * mask, labels.float())
    expect_or_explain(
        rtd_loss(logits, labels, mask),
        right,
        "The loss",
        {
            "Padding is in the mean. A row that is padded would count more the longer its neighbours "
            "are, and 'original' is always right there. Keep the tokens where attention_mask is 1.": (
                each.mean()
            ),
            "The losses at the padding are zero, but they are still counted: divide by the number of "
            "attended tokens, attention_mask.sum().": (each * mask).sum() / each.numel(),
            "The logits at the padding were set to zero. A logit of zero still costs log 2, and is "
            "still counted: leave those tokens out.": of_zeroed,
            "This is the sum. Take the mean over the attended tokens.": each[attended].sum(),
            "[CLS] and [SEP] are missing. They are tokens like others here: the discriminator is "
            "asked about them, too.": each[ends].mean(),
            "You took the mean of each row first. Rows have different lengths; every token should "
            "count the same.": ((each * mask).sum(1) / mask.sum(1)).mean(),
            "Only the tokens with label 1 are in the mean. The loss is about every attended token: "
            "half of the task is to leave originals alone.": each[labels.bool()].mean(),
            "The sigmoid was taken twice: binary_cross_entropy_with_logits takes logits.": (
                F.binary_cross_entropy_with_logits(
                    probabilities[attended], labels[attended].float()
                )
            ),
            "The labels are the wrong way round: the loss should be small where the logit is large "
            "and the label 1.": F.binary_cross_entropy_with_logits(
                logits[attended], 1 - labels[attended].float()
            ),
            "Give one number: the mean over the attended tokens.": each[attended],
        },
        "The loss is not the one of these logits. For label 1 a token costs -log sigmoid(logit), for "
        "label 0 -log(1 - sigmoid(logit)); take the mean over the tokens that are no padding.",
    )


@exercise(
    "06.3",
    title="the area under the ROC curve",
    hints=(
        "The area is a share of pairs: each replaced token is paired with each original one. In "
        "how many pairs does the replaced one score higher?",
        "Split the scores by label. With one part as a column and the other as a row, a "
        "comparison gives the table of all pairs.",
        "Count 1 where the replaced token is higher, a half where both are equal, and take the "
        "mean of the table.",
    ),
)
def check_auc(auc: Callable[..., Any]) -> None:
    """The share of (replaced, original) pairs that the scores put in order, ties counted half."""
    scores = torch.tensor([0.9, 0.8, 0.8, 0.4, 0.4, 0.4, 0.3, 0.1])
    labels = torch.tensor([1, 1, 0, 1, 0, 0, 0, 0])
    of_replaced, of_original = scores[labels == 1][:, None], scores[labels == 0][None]
    above, equal = (of_replaced > of_original).float(), (of_replaced == of_original).float()
    right = (above + equal / 2).mean()
    flagged = scores >= 0.5
    as_places = (
        "As an index, whole numbers are places: scores[labels] takes entries 0 and 1 again and again. "
        "Ask first which labels are 1: a tensor of bools keeps the entries where it is true."
    )
    entries = scores[labels][:, None]
    expect_or_explain(
        auc(scores, labels),
        right,
        "The area",
        {
            "Ties are missing. Where a replaced and an original token have the same score, the pair "
            "is neither right nor wrong: count it half.": above.mean(),
            "Ties count in full. A pair with equal scores is no success: count it half.": (
                (above + equal).mean()
            ),
            "The order is the wrong way round: it is the replaced token that should score higher.": (
                1 - right
            ),
            as_places: (entries > scores[1 - labels][None]).float().mean(),
            f"{as_places} The sign ~ makes -1 and -2 of 0 and 1, places counted from the end.": (
                (entries > scores[~labels][None]).float().mean()
            ),
            "This is accuracy at the threshold .5. The area needs no threshold: it asks only which "
            "of two tokens scores higher.": (flagged == labels.bool()).float().mean(),
            "This is recall at the threshold .5. The area needs no threshold: compare every replaced "
            "token with every original one.": flagged[labels == 1].float().mean(),
            "This is the number of pairs in order. Divide by the number of all pairs.": (
                (above + equal / 2).sum()
            ),
            "The pairs in order were divided by the number of pairs of tokens of any kind. Divide by "
            "replaced times original.": (above + equal / 2).sum() / len(scores) ** 2,
        },
        f"The area should be {right:.3f} here. Take every pair of one replaced and one original "
        "token: 1 if the replaced one scores higher, 1/2 if they are equal, 0 otherwise; then the mean.",
    )
    few = torch.rand(4)
    alone = auc(few, torch.tensor([0, 0, 1, 0]))
    expected = (few[2] > few[[0, 1, 3]]).float().mean()
    if abs(float(alone) - float(expected)) > 1e-4:
        raise Hint(
            "Right for one set of tokens and wrong for another, with a single replaced token. Does a "
            "number in your function belong to the first set?"
        )
