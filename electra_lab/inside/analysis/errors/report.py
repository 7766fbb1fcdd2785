"""What became of each example of a split, and all of it together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from electra_lab.inside.confusion import Confusion
from electra_lab.inside.slices import Slice

if TYPE_CHECKING:
    from electra_lab.inside.views import ErrorView


@dataclass(frozen=True)
class ErrorRecord:
    """What became of one example.

    Attributes:
        row: its number in the split.
        text: what the model read, in the form that ``trace`` and the explorers take: a text, a pair, a
            question with its context, or a context with choices.
        gold: what is right, in words.
        predicted: what the model said, in words.
        loss: that of training, of this example alone: cross-entropy, of several labels the mean over
            them, of tagged words the mean over those that were read, of a question the mean over the
            windows on its context; of a number the squared distance.
        confidence: the probability that the model gave to what it said: of several labels the product
            over all of them, of tagged words that of the least sure word, of a question that of the
            answer's start times that of its end. None for a number.
        right: whether it is right, of several labels and tagged words all of it; None for a number.
        value: what the metric averages, of tagged words over this example's.
        notes: lines that explain it: the second text, a question's context, each choice, the words that
            got a wrong tag.
    """

    row: int
    text: Any
    gold: str
    predicted: str
    loss: float
    confidence: float | None
    right: bool | None
    value: float
    notes: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """The part of the text by which the example is known."""
        match self.text:
            case {"question": str(text)} | {"context": str(text)} | (str(text), _) | str(text):
                return text
        raise AssertionError(self.text)


@dataclass(frozen=True, repr=False)
class ErrorReport:
    """What ``find_errors`` returns. ``print`` shows a summary, ``view()`` a picture.

    Attributes:
        data: name of the set.
        split: which part of it.
        task: type of the task.
        metric: what the figure of each slice is: ``"accuracy"`` (of examples, of words, or of examples
            with all labels right), ``"f1"`` (of tokens, mean over the questions) or
            ``"mean squared error"``.
        records: of each row of the split, in its order.
        confusion: right against said. Of several labels a line for each of them; of a number, ranges; of
            questions how near the answer was.
        overall: all examples as one slice.
        slices: parts of them.
    """

    data: str
    split: str
    task: str
    metric: str
    records: tuple[ErrorRecord, ...]
    confusion: Confusion
    overall: Slice
    slices: tuple[Slice, ...]

    def by_loss(self) -> list[ErrorRecord]:
        """The records, the highest loss first."""
        return sorted(self.records, key=lambda record: -record.loss)

    def wrong(self) -> list[ErrorRecord]:
        """Those that are wrong, the surest first; of a number all, the farthest first."""
        if self.records and self.records[0].right is None:
            return self.by_loss()
        found = [record for record in self.records if not record.right]
        return sorted(found, key=lambda record: -(record.confidence or 0.0))

    def sliced_by(self, kind: str) -> list[Slice]:
        """The slices of one kind.

        Raises:
            KeyError: there are none.
        """
        found = [part for part in self.slices if part.kind == kind]
        if not found:
            known = ", ".join(repr(name) for name in dict.fromkeys(p.kind for p in self.slices))
            raise KeyError(f"There are no slices by {kind!r}; there are those by {known}.")
        return found

    def view(self, title: str = "", note: str = "") -> ErrorView:
        """The picture: confusion matrix, slices and all examples."""
        from electra_lab.inside.views import ErrorView

        return ErrorView(**self.drawn(title, note))

    def drawn(self, title: str = "", note: str = "") -> dict[str, Any]:
        """What an ``ErrorView`` draws of it: the arguments of its constructor."""
        records = self.records
        graded = all(record.right is not None for record in records)
        sure = all(record.confidence is not None for record in records)
        return {
            "texts": [record.heading for record in records],
            "gold": [record.gold for record in records],
            "predicted": [record.predicted for record in records],
            "losses": [record.loss for record in records],
            "confidences": [record.confidence for record in records] if sure else None,
            "right": [record.right for record in records] if graded else None,
            "notes": [record.notes for record in records],
            "confusion": self.confusion,
            "overall": self.overall,
            "slices": self.slices,
            "metric": self.metric,
            "title": title or f"{self.data}, {self.split}",
            "note": note,
        }

    def slice_table(self) -> str:
        """The slices as text: how many, the metric and its interval."""
        rows = [self.overall, *self.slices]
        width = max(len(f"{part.kind}: {part.name}") for part in rows)
        unit = self.confusion.unit if self.confusion.unit == "words" else "examples"
        lines = [f"{'':{width}}  {unit:>8}  {self.metric:>9}   95 % interval"]
        for part in rows:
            name = f"{part.kind}: {part.name}" if part.kind else part.name
            said = "" if part.low is None else f"   {part.low:.3f} to {part.high:.3f}"
            figure = f"{part.value:{max(9, len(self.metric))}.3f}"
            lines.append(f"{name:{width}}  {part.size:8,}  {figure}{said}")
        return "\n".join(lines)

    def __str__(self) -> str:
        return f"{self!r}\n\n{self.confusion}\n\n{self.slice_table()}"

    def __repr__(self) -> str:
        wrong = sum(record.right is False for record in self.records)
        said = "" if self.records and self.records[0].right is None else f", {wrong:,} wrong"
        return (
            f"ErrorReport({self.data}, {self.split}: {len(self.records):,} examples{said}; "
            f"{self.metric} {self.overall.value:.3f})"
        )
