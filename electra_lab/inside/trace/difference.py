"""How an outcome moved from one trace to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from .outcome import PER_TOKEN, Kind
from .result import Trace

SHOWN = 10


class Change(NamedTuple):
    """One number that moved.

    Attributes:
        row: which row (which input, for choices).
        position, token: where it is, and the first trace's token there; None for outcomes of whole
            sequences.
        label: what is scored.
        before, after: its probability, or a regression's number.
    """

    row: int
    position: int | None
    token: str | None
    label: str
    before: float
    after: float

    @property
    def by(self) -> float:
        """How far it moved."""
        return self.after - self.before


@dataclass(frozen=True, repr=False, eq=False)
class Difference:
    """Two outcomes, number by number.

    Attributes:
        kind: what the heads say, see ``Trace.kind``.
        labels: names of what is scored.
        tokens: of the first trace, for each row.
        before, after: probabilities of the first and of the second trace, as ``Trace.probabilities``;
            0 at padding where the head scores tokens.
    """

    kind: Kind
    labels: tuple[str, ...]
    tokens: list[list[str]]
    before: Float[Tensor, "*outcome"]
    after: Float[Tensor, "*outcome"]

    @property
    def change(self) -> Float[Tensor, "*outcome"]:
        """``after - before``."""
        return self.after - self.before

    @property
    def largest(self) -> float:
        """The largest move, without its sign."""
        return float(self.change.abs().max())

    def changes(self, top: int | None = SHOWN) -> list[Change]:
        """The moves, largest first.

        Args:
            top: so many; None for all.
        """
        flat = self.change.abs().flatten()
        count = len(flat) if top is None else min(top, len(flat))
        return [self._change(place) for place in flat.topk(count).indices.tolist()]

    def _change(self, place: int) -> Change:
        per_row = self.before[0].numel()
        row, rest = divmod(place, per_row)
        position, label = divmod(rest, len(self.labels))
        per_token = self.kind in PER_TOKEN
        return Change(
            row,
            position if per_token else None,
            self.tokens[row][position] if per_token else None,
            self.labels[label],
            float(self.before.flatten()[place]),
            float(self.after.flatten()[place]),
        )

    def __str__(self) -> str:
        """A table of the largest moves: what, before, after, by how much."""
        lines = []
        for change in self.changes():
            where = "" if change.position is None else f"{change.token} ({change.position})"
            what = change.label if self.kind != "replaced" else ""
            row = f"row {change.row}" if len(self.before) > 1 else ""
            name = " ".join(part for part in (row, where, what) if part)
            lines.append((name, change.before, change.after, change.by))
        width = max(len(name) for name, *_ in lines)
        head = f"{'':{width}}  before   after  change"
        return "\n".join(
            [head, *(f"{name:{width}}  {a:6.3f}  {b:6.3f}  {by:+6.3f}" for name, a, b, by in lines)]
        )

    def __repr__(self) -> str:
        (most,) = self.changes(1)
        where = "" if most.token is None else f" at {most.token} ({most.position})"
        return f"Difference(most: {most.label}{where} {most.before:.3f} -> {most.after:.3f})"


def difference(a: Trace, b: Trace) -> Difference:
    """How the outcome moved from trace ``a`` to trace ``b``: the same text with and without an
    intervention, two texts, or two models with the same labels.

    Raises:
        ValueError: the heads or labels differ, a head that scores tokens read other numbers of tokens,
            the numbers of rows differ, or the model has no head.
    """
    for name, one, other in (
        ("outcome", a.kind, b.kind),
        ("labels", a.labels, b.labels),
    ):
        if one != other:
            raise ValueError(
                f"The traces have different {name}: {one!r:.60} and {other!r:.60}. Compare traces of "
                "models with the same head and labels."
            )
    before, after = a.probabilities, b.probabilities
    if before is None or after is None:
        raise ValueError("The bare model has no outcome to compare. Compare its hidden states.")
    if before.shape != after.shape:
        raise ValueError(
            f"The outcomes have the shapes {tuple(before.shape)} and {tuple(after.shape)}; expected as "
            "many rows, and as many tokens where each has an outcome."
        )
    if a.kind in PER_TOKEN:
        seen = a.mask & b.mask
        seen = seen if before.dim() == 2 else seen[:, :, None]
        before, after = before * seen, after * seen
    return Difference(a.kind, a.labels, a.tokens, before, after)
