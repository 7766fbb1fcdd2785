"""Checks for notebook 13: from rows to a loss, a score for each token, accuracy with ties."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from .diagnosis import expect_or_explain
from .framework import Hint, exercise
from .recording import describe

BATCH, CHOICES, LONGEST = 3, 4, 5


class _RowScorer:
    """A stand-in for encoder and head: a score for each row, from the tokens that the mask shows."""

    def __init__(self) -> None:
        self.weights = torch.randn(LONGEST, requires_grad=True)
        self.rows = 0
        self.saw_mask = False

    def scores(self, ids: Tensor, mask: Tensor) -> Tensor:
        return (self.weights * ids * mask).sum(-1) / 10

    def __call__(self, input_ids: Any, attention_mask: Any = None) -> Tensor:
        if not isinstance(input_ids, Tensor) or input_ids.dim() != 2:
            raise Hint(
                "score_rows reads rows, a tensor [rows, seq]. It was given "
                f"{describe(input_ids)}. Make one axis of batch and choices first."
            )
        if input_ids.shape[1] != LONGEST:
            raise Hint(
                f"score_rows was given rows of {input_ids.shape[1]} tokens; they have {LONGEST}. Join "
                "the first two axes, batch and choices, and leave the tokens of a row together."
            )
        self.rows += len(input_ids)
        if attention_mask is None:
            attention_mask = torch.ones_like(input_ids)
        elif not isinstance(attention_mask, Tensor) or attention_mask.shape != input_ids.shape:
            raise Hint(
                f"score_rows was given ids of shape {list(input_ids.shape)} and as their mask "
                f"{describe(attention_mask)}. Both are joined in the same way."
            )
        return self.scores(input_ids, attention_mask)


@exercise(
    "13.1",
    title="from rows to a loss",
    hints=(
        "The encoder knows rows, not choices. So two axes become one, the scores are made, and "
        "the one axis becomes two again.",
        "flatten(0, 1) makes rows of ids and mask alike; unflatten or view brings batch and "
        "choices back. The choices of one question stay side by side.",
        "With scores of shape (batch, choices) the loss is the cross-entropy of notebook 05: "
        "choices stand where the words stood.",
    ),
)
def check_choice_loss(choice_loss: Callable[..., Any]) -> None:
    """Flatten, score, fold, and cross-entropy over the choices."""
    scorer = _RowScorer()
    ids = torch.randint(1, 30, (BATCH, CHOICES, LONGEST))
    lengths = torch.tensor([[5, 3, 4, 2], [4, 5, 2, 3], [3, 4, 5, 3]])
    mask = (torch.arange(LONGEST) < lengths[..., None]).long()
    labels = torch.tensor([2, 0, 1])
    logits = scorer.scores(ids, mask).detach()
    everywhere = scorer.scores(ids, torch.ones_like(mask)).detach()
    other_way = logits.flatten().view(CHOICES, BATCH).T
    right = logits.gather(1, labels[:, None])
    chosen = F.one_hot(labels, CHOICES).float()
    expected = F.cross_entropy(logits, labels)
    mistakes = {
        "The scores are folded in the wrong order. The rows come context by context: the first "
        f"{CHOICES} scores belong to the first context.": F.cross_entropy(other_way, labels),
        "The softmax runs over the contexts. The choices of one context compete, so it runs over "
        "the choices.": -logits.log_softmax(0).gather(1, labels[:, None]).mean(),
        "The softmax runs over all rows of the batch. Only the choices of one context compete.": (
            -logits.flatten().log_softmax(0).view_as(logits).gather(1, labels[:, None]).mean()
        ),
        "This is the sum over the contexts. The loss is their mean, so that it does not grow with the "
        "batch.": expected * BATCH,
        "The padding was read: the scores are those without attention_mask. Hand it to score_rows.": (
            F.cross_entropy(everywhere, labels)
        ),
        "The sign is missing: a log-probability is at most 0, a loss at least 0.": -expected,
        "This is the probability of the right choice, not the logarithm of it.": (
            -right.sub(logits.logsumexp(1, keepdim=True)).exp().mean()
        ),
        "This is the score of the right choice. The others have to go down while it goes up: softmax "
        "first.": -right.mean(),
        "Here each choice is asked about alone: right, or not? But we know more, that just one of them "
        "is right. Cross-entropy over the choices makes use of it.": (
            F.binary_cross_entropy_with_logits(logits, chosen)
        ),
        "The mean was taken over the choices, too. Each context has one right choice, and so one "
        "loss.": expected / CHOICES,
        "The softmax was applied twice. F.cross_entropy takes scores, not probabilities.": (
            F.cross_entropy(logits.softmax(1), labels)
        ),
    }
    loss = choice_loss(scorer, ids, mask, labels)
    expect_or_explain(
        loss,
        expected,
        "The loss",
        mistakes,
        "Join batch and choices to one axis, ask score_rows for a score for each row, fold the scores "
        "to [batch, choices], and take the cross-entropy with the labels.",
    )
    if not isinstance(loss, Tensor) or not loss.requires_grad:
        raise Hint(
            "The number is right, but no gradient can flow back from it, so nothing would learn. Stay "
            "with tensors all the way: no item(), no detach(), no no_grad()."
        )
    if scorer.rows > BATCH * CHOICES:
        raise Hint(
            f"score_rows read {scorer.rows} rows, and there are {BATCH * CHOICES}. Reading is the "
            "expensive part; once is enough."
        )


@exercise(
    "13.2",
    title="a score that does not punish long choices",
    hints=(
        "A mean is a sum over a count. Sum and count may both see only the tokens of the choice.",
        "masked_fill puts 0 where a token does not count. Then add up along the last axis.",
        "Divide by how many tokens of each choice count, which is a sum along the last axis of "
        "counted, and not by the length of the tensor.",
    ),
)
def check_choice_scores(choice_scores: Callable[..., Any]) -> None:
    """The mean of the log-probabilities of the tokens that count."""
    log_p = -torch.rand(BATCH, CHOICES, LONGEST) * 3 - 0.1
    firsts = torch.tensor([[1, 2, 2, 1], [2, 2, 1, 1], [1, 1, 1, 2]])
    ends = torch.tensor([[5, 3, 4, 2], [4, 5, 2, 3], [3, 4, 5, 3]])
    places = torch.arange(LONGEST)
    counted = (places >= firsts[..., None]) & (places < ends[..., None])
    inside = log_p.masked_fill(~counted, 0)
    number = counted.sum(-1)
    expected = inside.sum(-1) / number
    mistakes = {
        "This is the sum. Every further token makes it lower, so the shortest choice tends to win. "
        "Divide by how many tokens counted.": inside.sum(-1),
        "This is the mean over all places, padding and context included. Only the tokens that "
        "`counted` shows take part.": log_p.mean(-1),
        "The sum is the right one, but it was divided by the length of the row. That is the same number "
        "for every choice, and changes nothing. Divide by how many tokens counted.": (
            inside.sum(-1) / LONGEST
        ),
        "The number of tokens is the right one, but the sum has all places in it. What does not count "
        "has to be 0 before the sum.": log_p.sum(-1) / number,
        "The sums were divided by one number for the whole batch. Each choice has a length of its "
        "own.": inside.sum(-1) / counted.sum(),
        "The sums were divided by the mean length of the choices. Each choice has a length of its "
        "own.": inside.sum(-1) / number.float().mean(),
        "The sums were divided by the length of the longest choice. Each choice has a length of its "
        "own.": inside.sum(-1) / number.max(),
        "These are probabilities: the exp of what is asked for. The order is the same, but stay with "
        "logarithms.": expected.exp(),
        "The sign was turned round. That is a loss for each token; a score is high where the text is "
        "likely.": -expected,
        "The mean runs over the choices. It runs over the tokens of each choice, the last axis.": (
            inside.sum(1) / counted.sum(1)
        ),
        "The sums were multiplied by the number of tokens. Divide.": inside.sum(-1) * number,
        "This is the best token of each choice. All of its tokens take part.": log_p.masked_fill(
            ~counted, -torch.inf
        ).amax(-1),
        "This is the worst token of each choice. All of its tokens take part.": log_p.masked_fill(
            ~counted, torch.inf
        ).amin(-1),
    }
    expect_or_explain(
        choice_scores(log_p.clone(), counted.clone()),
        expected,
        "The scores",
        mistakes,
        "For each choice: add up the log-probabilities of the tokens that `counted` shows, and divide "
        "by how many they are.",
    )


@exercise(
    "13.3",
    title="accuracy with ties",
    hints=(
        "What does argmax return when all scores are equal? And which choice is right in 40% of "
        "the rows?",
        "If the right choice shares the first place with others, it wins the lot in one of so "
        "many cases. A row is then right by a part, not as a whole.",
        "Compare every score with the largest of its row to see who is among the best. A row "
        "counts 1 over their number if the right choice is one of them, else 0. Take the mean "
        "over the rows.",
    ),
)
def check_expected_accuracy(expected_accuracy: Callable[..., Any]) -> None:
    """A tie is broken by drawing lots: the right choice among k best ones earns 1 / k."""
    scores = torch.tensor(
        [
            [2.0, 5.0, 1.0, 0.0],  # right, alone
            [3.0, 3.0, 1.0, 0.0],  # right, one of two: the second of them
            [4.0, 0.0, 4.0, 4.0],  # right, one of three: the first of them
            [7.0, 7.0, 7.0, 7.0],  # the rule says nothing
            [6.0, 6.0, 2.0, 1.0],  # wrong: the right one is not among the best
            [-1.0, -2.0, -9.0, -3.0],  # wrong
            [-5.0, -0.5, -5.0, -0.5],  # right, one of two: the first of them
            [8.0, 8.0, 1.0, 2.0],  # the same
            [2.0, 0.0, 9.0, 1.0],  # right, alone
        ]
    )
    labels = torch.tensor([1, 1, 0, 3, 3, 2, 1, 0, 2])
    best = scores == scores.amax(1, keepdim=True)
    hit = best.gather(1, labels[:, None]).squeeze(1).float()
    expected = (hit / best.sum(1)).mean()
    last = CHOICES - 1 - scores.flip(1).argmax(1)
    tied = (best.sum(1) > 1).float()
    wrong_axis = scores == scores.amax(0, keepdim=True)
    mistakes = {
        "Here the first of equally good choices wins, which is what argmax does. Then a rule that says "
        "nothing gets whatever share has its right choice in front.": (
            (scores.argmax(1) == labels).float().mean()
        ),
        "Here the last of equally good choices wins. The accuracy should not depend on the order of the "
        "choices.": (last == labels).float().mean(),
        "Here it is enough to be among the best. Then a rule that gives all choices the same score is "
        "always right.": hit.mean(),
        "Here a tie is always wrong. Then a rule that says nothing is worse than guessing.": (
            (hit * (1 - tied)).mean()
        ),
        "Here every tie earns a half. Among three equally good ones the lot finds the right one in a "
        "third of all cases.": torch.where(tied.bool(), hit / 2, hit).mean(),
        "Here every tie earns 1 / choices, as if all of them were tied. Count only the best ones.": (
            torch.where(tied.bool(), torch.full_like(hit, 1 / CHOICES), hit).mean()
        ),
        "Ties earn 1 / choices here. Count how many of the choices are tied for the best.": (
            torch.where(tied.bool(), hit / CHOICES, hit).mean()
        ),
        "A tie earns its share here even where the right choice is not among the best. Such a row "
        "earns 0.": torch.where(tied.bool(), 1 / best.sum(1), hit).mean(),
        "Rows with a tie were left out. They count: each is drawn by lot.": (hit[tied == 0].mean()),
        "This is the sum over the rows; the accuracy is their mean.": hit.div(best.sum(1)).sum(),
        "The mean was taken over the choices, too.": expected / CHOICES,
        "The best score was looked for among the rows. It is looked for among the choices of each "
        "row.": (wrong_axis.float() / wrong_axis.sum(1, keepdim=True).clamp(min=1))
        .gather(1, labels[:, None])
        .mean(),
    }
    expect_or_explain(
        expected_accuracy(scores.clone(), labels.clone()),
        expected,
        "The accuracy",
        mistakes,
        "For each row: which choices have the highest score, and how many are they? The row earns "
        "1 / how many if the right one is among them, otherwise 0. Then the mean over the rows.",
    )
