"""``twin``: as many labelled examples of a task as wanted, told of a micro-world."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from random import Random

from electra_lab.text.microworld.facts import Split, World
from electra_lab.text.microworld.tasks import (
    comprehension,
    continuations,
    emotions,
    entailment,
    sentiment,
    similarity,
    tagging,
)
from electra_lab.text.microworld.tasks.rows import Row, Rows, Worlds

TWINS: dict[str, Callable[[Worlds, Random], Rows]] = {
    "sentiment": sentiment.rows,
    "emotions": emotions.rows,
    "similarity": similarity.rows,
    "entailment": entailment.rows,
    "named_entities": tagging.rows,
    "parts_of_speech": tagging.rows,
    "reading_comprehension": comprehension.rows,
    "continuations": continuations.rows,
}
"""Each task with what makes its rows, by the name of the bundled set."""

TWIN_LABELS: dict[str, tuple[str, ...]] = {
    "sentiment": sentiment.LABELS,
    "emotions": emotions.LABELS,
    "entailment": entailment.LABELS,
    "named_entities": tagging.ENTITY_LABELS,
    "parts_of_speech": tagging.POS_LABELS,
}
"""The labels of each task that has names for them."""

WORLDS = 4
"""Rows are told of so many worlds: in one alone, few facts of the test split fit a rare label."""
WORLDS_APART = 1_000_003


def twin(name: str, n: int, split: Split | str = "train", seed: int = 0) -> list[Row]:
    """``n`` labelled examples of a task, in the layout of the bundled set of that name.

    The labels follow from what the micro-world says of its sentences, so none is wrong. No two rows
    are equal, a longer list of the same seed starts with the shorter one, and what the two splits
    tell are different facts, whatever their seeds are.

    Args:
        name: of a bundled set: a key of ``TWINS``.
        n: how many examples; for reading comprehension, questions.
        split: "train" or "test".
        seed: the worlds' and their text's.

    Raises:
        ValueError: an unknown name or split, a negative ``n``, or more rows than the worlds can tell.
    """
    if name not in TWINS:
        raise ValueError(f"name is {name!r}; the micro-world has {', '.join(TWINS)}.")
    if n < 0:
        raise ValueError(f"n is {n}; a number of examples is 0 or more.")
    worlds = [World(seed + i * WORLDS_APART, split) for i in range(WORLDS)]
    stream = TWINS[name](worlds, Random(f"twin {name} {split} {seed}"))
    return list(islice(stream, n))
