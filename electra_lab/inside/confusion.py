"""What was right against what was said, counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Int

OTHERS = "(others)"
Cell = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Confusion:
    """A table of counts: lines are what is right, columns what was said.

    Attributes:
        gold: names of the lines.
        said: names of the columns.
        counts: how often.
        right: which cells hold no errors.
        rows: of a cell that is not empty the examples in it, by their number.
        unit: what is counted: ``"examples"``, ``"words"`` or ``"labels"``.
    """

    gold: tuple[str, ...]
    said: tuple[str, ...]
    counts: Int[np.ndarray, "gold said"]
    right: Bool[np.ndarray, "gold said"]
    rows: Mapping[Cell, tuple[int, ...]]
    unit: str = "examples"

    def pooled(self, most: int) -> Confusion:
        """A square table with at most so many names: those with the most errors stay, the others become
        one, last. Of that one's own cell nobody can say whether it holds errors; it counts as right.

        Raises:
            ValueError: the table is not square, or ``most`` is below 2.
        """
        if self.gold != self.said or most < 2:
            raise ValueError(
                f"A table of {len(self.gold)} by {len(self.said)} names cannot be pooled to {most}; "
                "expected the same names on both sides, and 2 or more."
            )
        if len(self.gold) <= most:
            return self
        wrong = np.where(self.right, 0, self.counts)
        errors = wrong.sum(0) + wrong.sum(1)
        kept = sorted(np.argsort(-errors, kind="stable")[: most - 1].tolist())
        place = np.full(len(self.gold), most - 1)
        place[kept] = range(most - 1)
        names = (*(self.gold[name] for name in kept), OTHERS)
        cells = (
            (row, int(place[gold]), int(place[said]))
            for (gold, said), rows in self.rows.items()
            for row in rows
        )
        found = confusion_of(names, names, cells, self.unit)
        counts = np.zeros((most, most), dtype=np.int64)
        np.add.at(counts, (place[:, None], place[None]), self.counts)
        return replace(found, counts=counts)

    def __str__(self) -> str:
        """Lines and columns with their names; errors and right answers alike."""
        first = max(len("right"), *(len(name) for name in self.gold))
        widths = [max(len(name), len(f"{self.counts.max(initial=0):,}")) for name in self.said]
        head = "  ".join(f"{name:>{width}}" for name, width in zip(self.said, widths, strict=True))
        lines = [f"{'right':{first}}  {head}   <- said"]
        for name, counts in zip(self.gold, self.counts, strict=True):
            cells = (f"{count:>{width},}" for count, width in zip(counts, widths, strict=True))
            lines.append(f"{name:{first}}  {'  '.join(cells)}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return (
            f"Confusion({len(self.gold)} by {len(self.said)}; {self.counts.sum():,} {self.unit}, "
            f"{self.counts[~self.right].sum():,} wrong)"
        )


def confusion_of(
    gold: Sequence[str],
    said: Sequence[str],
    items: Iterable[tuple[int, int, int]],
    unit: str = "examples",
    right: Iterable[Cell] | None = None,
) -> Confusion:
    """Count.

    Args:
        gold, said: names of lines and columns.
        items: of each the number of its example, its line and its column.
        unit: what they are.
        right: cells that hold no errors; None: those with the same name on both sides, by their place.
    """
    counts = np.zeros((len(gold), len(said)), dtype=np.int64)
    rows: dict[Cell, dict[int, None]] = defaultdict(dict)
    for row, line, column in items:
        counts[line, column] += 1
        rows[line, column][row] = None
    marks = np.eye(len(gold), len(said), dtype=bool)
    if right is not None:
        marks[:] = False
        for cell in right:
            marks[cell] = True
    listed = {cell: tuple(sorted(found)) for cell, found in sorted(rows.items())}
    return Confusion(tuple(gold), tuple(said), counts, marks, listed, unit)
