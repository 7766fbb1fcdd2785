"""Documents -> segments: what one row of a pre-training batch is made of.

As google-research/electra has it (build_pretraining_dataset.py): the paragraphs of a document are put
together up to a target length; the target is the greatest length, but with probability .05 it is drawn
from 5 to that; a segment never reaches across documents; with probability .1 it is one piece, else it is
divided into A and B, which follow each other in the text (there is no next-sentence task).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SHORT_PROBABILITY = 0.05
SINGLE_PROBABILITY = 0.1
SHORTEST_TARGET = 5

Ids = NDArray[np.integer]


class Segment(NamedTuple):
    """The tokens of a segment without [CLS] and [SEP]; the first ``split`` of them are A, the rest, if
    there is one, is B."""

    ids: Ids
    split: int

    @property
    def length(self) -> int:
        """Tokens in the row that is made of it: [CLS] A [SEP], and B [SEP] where there is a B."""
        return len(self.ids) + (2 if self.split == len(self.ids) else 3)


def check_max_length(max_length: int) -> None:
    """Raises:
    ValueError: a segment could be too short for one token with its specials.
    """
    if max_length < SHORTEST_TARGET:
        raise ValueError(
            f"max_length is {max_length}; segments need {SHORTEST_TARGET} tokens or more. ELECTRA has "
            "128 or 512."
        )


def pack(
    paragraphs: Sequence[Ids], max_length: int, rng: np.random.Generator, *, faithful: bool = False
) -> Iterator[Segment]:
    """Cut one document into segments.

    Every token is in exactly one segment, in order: what overruns a segment opens the next one. A
    ends where the paragraph ends that is nearest to the middle, if that lies in the middle half of the
    segment, and else in the middle.

    Args:
        paragraphs: token ids of each, without special tokens.
        max_length: of a row, special tokens counted.
        rng: draws targets and kinds.
        faithful: as the authors' code does it. What overruns is discarded, with a whole paragraph on
            each line often a quarter of the text; A and B are made of whole paragraphs, so a segment of
            one paragraph has no B; and a short paragraph may still go to A when one before it went to B.

    Raises:
        ValueError: ``max_length`` is below 5.
    """
    check_max_length(max_length)
    return (_pack_faithfully if faithful else _pack_all)(paragraphs, max_length, rng)


def _pack_all(
    paragraphs: Sequence[Ids], max_length: int, rng: np.random.Generator
) -> Iterator[Segment]:
    if not paragraphs:
        return
    ids = np.concatenate(paragraphs)
    ends = np.cumsum([len(paragraph) for paragraph in paragraphs])
    start = 0
    while start < len(ids):
        target = _draw_target(max_length, rng)
        single = rng.random() < SINGLE_PROBABILITY
        stop = min(start + target - (2 if single else 3), len(ids))
        split = stop if single or stop - start < 2 else _division(start, stop, ends)
        yield Segment(ids[start:stop], split - start)
        start = stop


def _division(start: int, stop: int, ends: NDArray[np.integer]) -> int:
    """Where B begins."""
    middle = (start + stop) // 2
    after = int(np.searchsorted(ends, middle))
    nearest = min(
        (int(end) for end in ends[max(after - 1, 0) : after + 1]), key=lambda end: abs(end - middle)
    )
    return nearest if 4 * abs(nearest - middle) < stop - start else middle


def _pack_faithfully(
    paragraphs: Sequence[Ids], max_length: int, rng: np.random.Generator
) -> Iterator[Segment]:
    waiting: list[Ids] = []
    target = _draw_target(max_length, rng)
    for paragraph in paragraphs:
        waiting.append(paragraph)
        if sum(map(len, waiting)) >= target:
            yield _divided_faithfully(waiting, target, max_length, rng)
            waiting, target = [], _draw_target(max_length, rng)
    if any(map(len, waiting)):
        yield _divided_faithfully(waiting, target, max_length, rng)


def _divided_faithfully(
    paragraphs: list[Ids], target: int, max_length: int, rng: np.random.Generator
) -> Segment:
    single = rng.random() < SINGLE_PROBABILITY
    wanted = sum(map(len, paragraphs)) + 1 if single else (target - 3) // 2
    a: list[Ids] = []
    b: list[Ids] = []
    in_a = in_b = 0
    for paragraph in paragraphs:
        fits = in_a + len(paragraph) < wanted
        # the paragraph that would cross the middle goes to A half of the time
        if in_a == 0 or fits or (in_b == 0 and in_a < wanted and rng.random() < 0.5):
            a.append(paragraph)
            in_a += len(paragraph)
        else:
            b.append(paragraph)
            in_b += len(paragraph)
    first = np.concatenate(a)[: max_length - 2]
    second = np.concatenate([first[:0], *b])[: max(0, max_length - len(first) - 3)]
    return Segment(np.concatenate([first, second]), len(first))


def _draw_target(max_length: int, rng: np.random.Generator) -> int:
    if rng.random() < SHORT_PROBABILITY:
        return int(rng.integers(SHORTEST_TARGET, max_length, endpoint=True))
    return max_length
