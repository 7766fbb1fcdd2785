"""Checks for notebook 05: choosing positions, the MLM loss, sampling at a temperature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from .diagnosis import expect_or_explain
from .expectations import expect_tensor
from .framework import Hint, exercise

CLS, SEP, MASK = 2, 3, 4
SPECIAL_IDS = [0, 1, CLS, SEP, MASK]
DRAWS = 2_000


def _sentence(length: int, second_sep: int | None = None) -> Tensor:
    """[CLS], words, [SEP]; with another [SEP] in between where one is asked for."""
    ids = torch.arange(10, 10 + length)
    ids[0], ids[-1] = CLS, SEP
    if second_sep is not None:
        ids[second_sep] = SEP
    return ids


def _positions(value: Any) -> Tensor:
    if not isinstance(value, Tensor):
        expect_tensor(value, (1,), "The positions")
    if value.dim() != 1 or value.is_floating_point() or value.dtype == torch.bool:
        raise Hint(
            "Return the positions themselves, as whole numbers: a one-dimensional integer tensor "
            f"such as tensor([2, 7]). Yours is {value.dtype} of shape {list(value.shape)}."
        )
    return value


@exercise(
    "05.1",
    title="choose the positions of a sentence",
    hints=(
        "How many positions are drawn, and from which? The number counts every token of the "
        "sentence; the positions to draw from leave the special ones out.",
        "torch.isin says for each id whether it is one of some others; nonzero gives the places "
        "where a tensor is true. That makes the list of candidates.",
        "torch.randperm gives a random order without repetition. Put the candidates into such an "
        "order and keep the first ones, as many as are wanted.",
    ),
)
def check_choose_positions(choose_positions: Callable[..., Any]) -> None:
    """Count, range, no special token, no position twice, all equally often."""
    for length, because in (
        (13, "0.15 * 13 is 1.95: round to the nearest number, do not cut off."),
        (24, "The share is of all tokens of the sentence, [CLS] and [SEP] counted."),
        (3, "However short a sentence is, it gives one position: max(1, ...)."),
    ):
        number = len(_positions(choose_positions(_sentence(length), SPECIAL_IDS, 0.15)))
        wanted = max(1, round(0.15 * length))
        if number != wanted:
            raise Hint(
                f"A sentence of {length} tokens should give {wanted} at 15%; you chose {number}. "
                f"{because}"
            )
    ids = _sentence(12, second_sep=5)
    times = torch.zeros(len(ids))
    draws = []
    for _ in range(DRAWS):
        positions = _positions(choose_positions(ids, SPECIAL_IDS, 0.3))
        if not bool(((positions >= 0) & (positions < len(ids))).all()):
            raise Hint(
                f"Positions of a sentence of {len(ids)} tokens go from 0 to {len(ids) - 1}; you "
                f"chose {positions.tolist()}. Are these ids of tokens rather than positions?"
            )
        special = [int(p) for p in positions if int(ids[p]) in SPECIAL_IDS]
        if special:
            raise Hint(
                f"Position {special[0]} was chosen, which holds a special token (id "
                f"{int(ids[special[0]])}). Those are never hidden, wherever they stand: there is "
                "nothing to learn from guessing them."
            )
        if len(positions.unique()) < len(positions):
            raise Hint(
                f"A position was chosen twice: {positions.tolist()}. Draw without replacement, or "
                "the sentence teaches less than it could."
            )
        draws.append(tuple(sorted(positions.tolist())))
        times[positions] += 1
    if len(set(draws)) == 1:
        raise Hint(
            f"Every call chose the same positions, {list(draws[0])}. They are drawn anew each time "
            "a sentence is read, so that every word gets its turn."
        )
    shares = (times / DRAWS)[~torch.isin(ids, torch.tensor(SPECIAL_IDS))]
    expected = 4 / len(shares)
    worst = int((shares - expected).abs().argmax())
    if abs(float(shares[worst]) - expected) > 0.08:
        raise Hint(
            "Not all words are chosen equally often: of "
            f"{DRAWS} draws one word was in {shares[worst]:.0%} where {expected:.0%} is its share. "
            "Draw uniformly."
        )


@exercise(
    "05.2",
    title="the MLM loss at the chosen positions",
    hints=(
        "The loss asks only about the chosen positions. Take the scores and the original ids "
        "there, and forget the rest.",
        "Positions are flat: they count through the whole batch, row after row. Flatten the first "
        "two axes of the scores, and both of the ids, before you index.",
        "F.cross_entropy takes scores of shape (selected, vocab) and ids of shape (selected), and "
        "gives the mean of -log p.",
    ),
)
def check_mlm_loss(mlm_loss: Callable[..., Any]) -> None:
    """Mean cross-entropy over the chosen positions of a batch, rows with different numbers."""
    batch, seq, vocab = 3, 6, 11
    logits = 2 * torch.randn(batch, seq, vocab)
    original = torch.randint(vocab, (batch, seq))
    positions = torch.tensor([1, 2, 3, 4, 8, 13, 15])
    rows = positions // seq
    log_p = F.log_softmax(logits, -1)
    everywhere = -log_p.gather(-1, original[..., None])[..., 0]
    chosen = everywhere.view(-1)[positions]
    raw = logits.flatten(0, 1)[positions, original.view(-1)[positions]]
    per_row = torch.stack([chosen[rows == row].mean() for row in range(batch)])
    base_two = chosen / torch.log(torch.tensor(2.0))
    expect_or_explain(
        mlm_loss(logits, original, positions),
        chosen.mean(),
        "The loss",
        {
            "This is the mean over all tokens. The generator is only asked about the chosen "
            "positions: at the others it could simply copy.": everywhere.mean(),
            "This is the sum. Take the mean over the chosen positions, or a longer batch would "
            "count as a worse one.": chosen.sum(),
            "The sum over the chosen positions was divided by the number of all tokens. Divide by "
            "the number of chosen ones.": chosen.sum() / original.numel(),
            "You took the mean of each row first. Rows have different numbers of chosen positions; "
            "every position should count the same.": per_row.mean(),
            "The sign is wrong: a loss is smaller where the right token is more probable.": (
                -chosen.mean()
            ),
            "These are logits, not log-probabilities. What makes the exponentials of a row sum to "
            "1?": -raw.mean(),
            "These are probabilities. The loss is made of their logarithms.": (
                -log_p.exp().flatten(0, 1)[positions, original.view(-1)[positions]].mean()
            ),
            "This is the loss in bits. Take the natural logarithm, as PyTorch does.": (
                base_two.mean()
            ),
            "Give one number: the mean over the chosen positions.": chosen,
        },
        "The loss is not the one of these logits. At each chosen position take -log softmax(logits) "
        "of the original token, then the mean. Positions are flat: position p is row p // seq, "
        "column p % seq.",
    )


@exercise(
    "05.3",
    title="sample at a temperature",
    hints=(
        "Temperature comes first: divide the scores by it. Then draw; argmax alone would give the "
        "same word each time.",
        "Two ways are exact. torch.multinomial draws from probabilities; or add Gumbel noise to "
        "the scores and take the largest.",
        "Gumbel noise is -log(-log(u)), with u uniform between 0 and 1, one for each score; keep "
        "u away from 0. With multinomial draw 1 from each row, and drop the axis of length 1.",
    ),
)
def check_sample(sample: Callable[..., Any]) -> None:
    """The share of each piece in many samples, against softmax(logits / T)."""
    rows = 20_000
    logits = torch.tensor([2.0, 1.0, 0.5, 0.0, -1.0])
    for temperature in (1.0, 2.0, 0.5):
        ids = expect_tensor(
            sample(logits.expand(rows, -1), temperature), (rows,), "The sampled ids"
        )
        if ids.is_floating_point() or int(ids.min()) < 0 or int(ids.max()) >= len(logits):
            raise Hint(
                f"Sampled ids are whole numbers from 0 to {len(logits) - 1}, one for each row of "
                f"logits; yours are {ids.dtype}, from {ids.min():g} to {ids.max():g}."
            )
        shares = torch.bincount(ids.long(), minlength=len(logits)) / rows
        expected = (logits / temperature).softmax(-1)
        if _near(shares, expected):
            continue
        if float(shares.max()) == 1.0:
            raise Hint(
                f"All {rows:,} rows gave the same id. That is an argmax, with noise too weak to "
                "matter, or a single draw for all rows; each row should be drawn for itself."
            )
        if _near(shares, (logits * temperature).softmax(-1)):
            raise Hint(
                f"At temperature {temperature:g} you sampled softmax(logits * T). A high temperature "
                "should make the choice wilder: divide by it."
            )
        if _near(shares, logits.softmax(-1)):
            raise Hint(
                f"At temperature {temperature:g} you sampled as at temperature 1. Divide the logits "
                "before the noise is added: an argmax does not change when everything is divided."
            )
        if _near(shares, torch.full_like(shares, 1 / len(logits))):
            raise Hint("All pieces came out equally often. Where do the logits come in?")
        listed = ", ".join(f"{share:.2f}" for share in shares.tolist())
        wanted = ", ".join(f"{share:.2f}" for share in expected.tolist())
        raise Hint(
            f"At temperature {temperature:g} the shares of the five pieces were {listed}; "
            f"softmax(logits / T) is {wanted}. If you add noise: Gumbel noise is -log(-log(u)) with "
            "u uniform, a number of its own for each logit."
        )


def _near(shares: Tensor, expected: Tensor) -> bool:
    # four standard deviations of a share near one half, from 20,000 samples
    return bool((shares - expected).abs().max() < 0.015)
