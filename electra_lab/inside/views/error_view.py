"""Errors: every example with its loss, what was confused with what, and parts of the data."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .base import WIDTH, View
from .palette import DISCRIMINATOR, FAINT, INK, tint
from .wording import title_and_note, visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from electra_lab.inside.confusion import Confusion
    from electra_lab.inside.slices import Slice

    from .picture import Canvas, Pixels

MOST_ROWS = 1000
"""Examples that are listed: those with the highest loss."""
MOST_NAMES = 12
"""Names on a side of the confusion matrix; those with fewer errors become one."""
ROOM = 450_000
"""Bytes of a page for the examples' texts; where they need more, their ends are left out."""
MOST_NOTES = 30
LONGEST_NAME = 120
PAGE_ROWS = 50  # that are drawn at once

_LENGTHS = (1500, 800, 500, 300, 200, 120, 60, 30)


class ErrorView(View):
    """A data set with what a model said of it.

    Above the confusion matrix (lines are what is right, columns what was said) and the slices, each with
    its size, its metric and the interval that this has; below the examples, the highest loss first. A
    cell or a slice, clicked, leaves only its examples; words typed into the search leave those that hold
    them. Clicking an example shows all of its text.

    Of more than a thousand examples those with the highest loss are listed; matrix and slices count all
    of them.

    Args:
        texts: of each example the text by which it is known.
        gold, predicted: of each what is right and what was said, in words.
        losses: of each, finite.
        confidences: of each the probability that the model gave to what it said; None: there is none.
        right: of each whether it is right; None: where no answer is right or wrong, as with numbers.
        notes: of each further lines.
        confusion: what was right against what was said; its rows are numbers of examples.
        overall: all examples as one slice.
        slices: parts of them.
        metric: name of the slices' figure.
        selected: number of the example that is shown in full; None: none.
        title: a line above everything.
        note: a line below the title.

    Events of the live widget: ``{"event": "choose", "index": i}`` when example i is clicked.

    Attributes:
        selected: the chosen example; it follows the reader.

    Raises:
        ValueError: lengths differ, a number is not finite or no probability, or an example is not there.
    """

    module_name = "error_view"
    style_name = "error_view.css"

    def __init__(
        self,
        texts: Sequence[str],
        gold: Sequence[str],
        predicted: Sequence[str],
        losses: Iterable[Any],
        *,
        confidences: Iterable[Any] | None = None,
        right: Iterable[Any] | None = None,
        notes: Sequence[Sequence[str]] | None = None,
        confusion: Confusion | None = None,
        overall: Slice | None = None,
        slices: Iterable[Slice] = (),
        metric: str = "accuracy",
        selected: int | None = None,
        title: str = "",
        note: str = "",
    ) -> None:
        super().__init__()
        self._version = 0
        self.update(
            texts,
            gold,
            predicted,
            losses,
            confidences=confidences,
            right=right,
            notes=notes,
            confusion=confusion,
            overall=overall,
            slices=slices,
            metric=metric,
            selected=selected,
            title=title,
            note=note,
        )

    def update(
        self,
        texts: Sequence[str],
        gold: Sequence[str],
        predicted: Sequence[str],
        losses: Iterable[Any],
        *,
        confidences: Iterable[Any] | None = None,
        right: Iterable[Any] | None = None,
        notes: Sequence[Sequence[str]] | None = None,
        confusion: Confusion | None = None,
        overall: Slice | None = None,
        slices: Iterable[Slice] = (),
        metric: str = "accuracy",
        selected: int | None = None,
        title: str = "",
        note: str = "",
    ) -> None:
        """Draw other data; the arguments are those of the constructor, and so are the errors."""
        count = len(texts)
        numbers = [float(loss) for loss in losses]
        sure = None if confidences is None else [float(p) for p in confidences]
        marks = None if right is None else [bool(mark) for mark in right]
        lines = [()] * count if notes is None else [tuple(each) for each in notes]
        for name, values in (
            ("right answers", gold),
            ("predictions", predicted),
            ("losses", numbers),
            ("confidences", sure),
            ("marks of what is right", marks),
            ("lists of notes", lines),
        ):
            if values is not None and len(values) != count:
                raise ValueError(
                    f"There are {count} texts but {len(values)} {name}; give one for each example."
                )
        for number, loss in enumerate(numbers):
            if not math.isfinite(loss):
                raise ValueError(f"The loss of example {number} is {loss}; it must be finite.")
        for number, probability in enumerate(sure or []):
            if not 0 <= probability <= 1.0001:
                raise ValueError(
                    f"The confidence of example {number} is {probability}; it must lie in [0, 1]."
                )
        parts = list(slices)
        for where, members in [
            *((f"{part.kind}: {part.name}", part.rows) for part in parts),
            *(
                (f"cell {cell}", rows)
                for cell, rows in (confusion.rows.items() if confusion else ())
            ),
        ]:
            if members and not (min(members) >= 0 and max(members) < count):
                raise ValueError(
                    f"{where} names example {max(members)}; there are {count}, numbered from 0."
                )
        if selected is not None and selected not in range(count):
            raise ValueError(f"There is no example {selected}; there are {count}, numbered from 0.")
        if confusion is not None and confusion.gold == confusion.said:
            confusion = confusion.pooled(MOST_NAMES)
        self.texts, self.gold, self.predicted = list(texts), list(gold), list(predicted)
        self.losses, self.confidences, self.right, self.notes = numbers, sure, marks, lines
        self.confusion, self.overall, self.slices, self.metric = confusion, overall, parts, metric
        self.selected = selected
        self.title, self.note = title, note
        self._version += 1
        self.listed = sorted(range(count), key=lambda i: -numbers[i])[:MOST_ROWS]
        self._rows = self._packed_rows()
        self._push()

    def choose(self, number: int | None) -> None:
        """Show another example in full.

        Raises:
            ValueError: there is none.
        """
        if number is not None and number not in range(len(self.texts)):
            raise ValueError(
                f"There is no example {number}; there are {len(self.texts)}, numbered from 0."
            )
        self.selected = number
        self._push()

    @property
    def summary(self) -> str:
        """How many examples, how many wrong, and the metric with its interval, in a line."""
        said = f"{len(self.texts):,} examples"
        if self.right is not None:
            said += f", {self.right.count(False):,} wrong"
        if self.overall is not None:
            said += f"; {visible(self.metric)} {_figure(self.overall)}"
        return said

    def state(self) -> dict[str, Any]:
        place = {number: position for position, number in enumerate(self.listed)}

        def positions(rows: Iterable[int]) -> list[int]:
            return sorted(place[row] for row in rows if row in place)

        table = None
        if self.confusion is not None:
            table = {
                "gold": [visible(name, LONGEST_NAME) for name in self.confusion.gold],
                "said": [visible(name, LONGEST_NAME) for name in self.confusion.said],
                "counts": self.confusion.counts.tolist(),
                "right": self.confusion.right.tolist(),
                "unit": self.confusion.unit,
                "rows": {f"{i},{j}": positions(r) for (i, j), r in self.confusion.rows.items()},
            }
        scale = self._scale()
        left_out = len(self.texts) - len(self.listed)
        return {
            **title_and_note(self.title, self.note),
            "summary": visible(self.summary, 300),
            "left_out": f"Those with the highest loss; {left_out:,} more are counted above."
            if left_out
            else "",
            "rows": self._rows,
            "confusion": table,
            "metric": visible(self.metric, 60),
            "slices": [
                {
                    "kind": visible(part.kind),
                    "name": visible(part.name),
                    "size": part.size,
                    "said": _figure(part),
                    "value": round(part.value / scale, 4),
                    "low": None if part.low is None else round(part.low / scale, 4),
                    "high": None if part.high is None else round(part.high / scale, 4),
                    "rows": positions(part.rows),
                }
                for part in self.slices
            ],
            "overall": None if self.overall is None else round(self.overall.value / scale, 4),
            "page": PAGE_ROWS,
            "selected": self.selected,
            "version": self._version,
        }

    def _packed_rows(self) -> dict[str, Any]:
        """The listed examples column by column, with as much of their texts as there is room for."""
        listed = self.listed
        for longest in _LENGTHS:
            texts = [visible(self.texts[i], longest) for i in listed]
            notes = [_shortened(self.notes[i], longest) for i in listed]
            name = min(longest, LONGEST_NAME)
            gold = [visible(self.gold[i], name) for i in listed]
            said = [visible(self.predicted[i], name) for i in listed]
            if _size([texts, notes, gold, said]) <= ROOM:
                break
        return {
            "number": listed,
            "text": texts,
            "notes": notes,
            "gold": gold,
            "said": said,
            "loss": [float(f"{self.losses[i]:.4g}") for i in listed],
            "sure": None
            if self.confidences is None
            else [round(self.confidences[i], 4) for i in listed],
            "right": None if self.right is None else [int(self.right[i]) for i in listed],
        }

    def __repr__(self) -> str:
        """The summary, the largest errors and the slices, with two digits."""
        lines = [f"ErrorView: {self.summary}"]
        lines += [visible(line, 300) for line in (self.title, self.note) if line]
        for count, gold, said in self._confused()[:5]:
            lines.append(f"{count:,} × {visible(gold)}, said {visible(said)}")
        lines += [
            f"{visible(part.kind)}: {visible(part.name)}: {_figure(part)}, {part.size:,}"
            for part in self.slices[:MOST_NOTES]
        ]
        lines.append("highest loss:")
        lines += [
            f"{self.losses[i]:.2f} {visible(self.gold[i])}, said {visible(self.predicted[i])}"
            f"{self._sure(i)}: {visible(self.texts[i])}"
            for i in self.listed[:8]
        ]
        return "\n  ".join(lines)

    def height(self) -> int:
        head = 60 + _LINE * (bool(self.title) + bool(self.note))
        top = 0 if self.confusion is None else 70 + 27 * len(self.confusion.gold)
        if self.slices:
            top = max(top, min(320, 40 + 22 * len(self.slices)))
        return head + top + 40 + min(400, 48 * len(self.listed)) + 160

    def figure(self) -> Figure:
        from .picture import Canvas

        head = _EDGE + _LINE * (bool(self.title) + bool(self.note) + 1)
        parts = self.slices[:_MOST_DRAWN]
        names = () if self.confusion is None else self.confusion.gold
        matrix = 0.0 if not names else _LINE * 4 + len(names) * self._cell()
        middle = max(matrix, _LINE * (len(parts) + 1.5) if parts else 0.0)
        rows = self.listed[:8]
        page = Canvas(head + middle + _LINE * (len(rows) + 1.5) + _EDGE)
        page.heading(self.title, self.note, _EDGE, _LINE)
        page.text(_EDGE, head - _LINE / 2, visible(self.summary, 100), 12, INK)
        if names:
            self._draw_matrix(page, head)
        if parts:
            self._draw_slices(page, head, parts)
        top = head + middle
        page.text(_EDGE, top + _LINE / 2, "loss", 11, FAINT)
        page.text(_EDGE + 42, top + _LINE / 2, "right", 11, FAINT)
        page.text(_EDGE + 142, top + _LINE / 2, "said", 11, FAINT)
        page.text(_EDGE + 242, top + _LINE / 2, "the examples with the highest loss", 11, FAINT)
        for line, number in enumerate(rows):
            y = top + (line + 1.5) * _LINE
            page.text(_EDGE, y, f"{self.losses[number]:.2f}", 12, INK)
            page.text(_EDGE + 42, y, _cut(page, self.gold[number], 92), 12, INK)
            wrong = self.right is not None and not self.right[number]
            colour = DISCRIMINATOR if wrong else INK
            page.text(_EDGE + 142, y, _cut(page, self.predicted[number], 92), 12, colour)
            page.text(
                _EDGE + 242, y, _cut(page, self.texts[number], WIDTH - 2 * _EDGE - 244), 12, INK
            )
        return page.figure

    def to_png(self) -> bytes:
        from .picture import png

        shades = {
            _shade(step / SHADES, right) for step in range(SHADES + 1) for right in (True, False)
        }
        return png(self.figure, [INK, FAINT, DISCRIMINATOR], [_OF_ALL, *sorted(shades)])

    def _draw_matrix(self, page: Canvas, top: Pixels) -> None:
        assert self.confusion is not None
        table, cell = self.confusion, self._cell()
        left, wide = _EDGE + 88.0, self._cell_width()
        page.text(_EDGE, top + _LINE / 2, f"{table.unit}: said →", 11, FAINT)
        page.text(_EDGE, top + _LINE * 2.5, "right ↓", 11, FAINT)
        for column, name in enumerate(table.said):
            x = left + (column + 0.5) * wide
            if wide >= 44:
                page.text(x, top + _LINE * 2.5, _cut(page, name, wide - 4, 11), 11, INK, "center")
            else:
                page.axes.text(
                    x,
                    top + _LINE * 3 - 2,
                    _cut(page, name, 56, 10),
                    fontsize=7.2,
                    color=INK,
                    ha="center",
                    va="bottom",
                    rotation=90,
                )
        totals = table.counts.sum(1)
        for line, name in enumerate(table.gold):
            y = top + _LINE * 3 + (line + 0.5) * cell
            page.text(left - 6, y, _cut(page, name, 84, 11), 11, INK, "right")
            for column in range(len(table.said)):
                count = int(table.counts[line, column])
                share = count / max(1, int(totals[line]))
                x = left + column * wide
                fill = _shade(share, bool(table.right[line, column]))
                page.box(x + 1, y - cell / 2 + 1, wide - 2, cell - 2, fill=fill)
                if count:
                    page.text(x + wide / 2, y, f"{count:,}", 11, INK, "center")

    def _draw_slices(self, page: Canvas, top: Pixels, parts: Sequence[Slice]) -> None:
        left = 390.0 if self.confusion is not None else float(_EDGE)
        track, scale = left + 170.0, self._scale()
        width = WIDTH - _EDGE - 50 - track
        page.text(track, top + _LINE / 2, f"{visible(self.metric, 30)}, 95 % interval", 11, FAINT)
        if self.overall is not None:
            x = track + width * self.overall.value / scale
            page.box(x - 0.5, top + _LINE, 1, _LINE * len(parts), fill=_OF_ALL)
        for line, part in enumerate(parts):
            y = top + (line + 1.5) * _LINE
            page.text(left, y, _cut(page, f"{part.kind}: {part.name}", 128, 11), 11, INK)
            page.text(track - 8, y, f"{part.size:,}", 11, FAINT, "right")
            if part.low is not None and part.high is not None:
                x = track + width * part.low / scale
                page.box(x, y - 1, width * (part.high - part.low) / scale, 2, fill=FAINT, corner=1)
            page.box(track + width * part.value / scale - 4, y - 4, 8, 8, fill=INK, corner=4)
            page.text(WIDTH - _EDGE, y, _short(part.value), 11, INK, "right")
        if len(self.slices) > len(parts):
            y = top + (len(parts) + 1.5) * _LINE
            page.text(left, y - 4, f"… and {len(self.slices) - len(parts)} more", 11, FAINT)

    def _cell(self) -> float:
        assert self.confusion is not None
        return max(18.0, min(30.0, 240 / max(1, len(self.confusion.gold))))

    def _cell_width(self) -> float:
        assert self.confusion is not None
        return max(20.0, min(70.0, 270 / max(1, len(self.confusion.said))))

    def _scale(self) -> float:
        """What fills the slices' line: 1, or the largest figure where it is larger."""
        parts = [*self.slices, *([self.overall] if self.overall is not None else [])]
        return max([1.0, *(part.high or part.value for part in parts)])

    def _confused(self) -> list[tuple[int, str, str]]:
        """The cells that hold errors, the fullest first."""
        table = self.confusion
        if table is None:
            return []
        cells = [
            (int(table.counts[cell]), table.gold[cell[0]], table.said[cell[1]])
            for cell in table.rows
            if not table.right[cell]
        ]
        return sorted(cells, key=lambda cell: -cell[0])

    def _sure(self, number: int) -> str:
        return "" if self.confidences is None else f" {_short(self.confidences[number])}"

    def _receive(self, content: object) -> None:
        if isinstance(content, dict) and content.get("event") == "choose":
            index = content.get("index")
            if not isinstance(index, int) or index not in range(len(self.texts)):
                return  # of data that were replaced in the meantime
            # nothing is pushed: the widget shows it already
            self.selected = index
        super()._receive(content)


_EDGE, _LINE = 12, 22  # CSS pixels
_MOST_DRAWN = 16
_OF_ALL = "#d1d5db"
SHADES = 8
"""Steps from an empty cell to a full one: a picture of few colours is small, and it is stored in
notebooks."""


def _shade(share: float, right: bool) -> str:
    """The colour of a cell that holds so much of its line."""
    step = math.ceil(share * SHADES) / SHADES
    rgb = tint(step / 2, FAINT) if right else tint(step)
    return "#" + "".join(f"{round(255 * part):02x}" for part in rgb)


def _figure(part: Slice) -> str:
    """A slice's metric and its interval."""
    said = _short(part.value)
    if part.low is not None and part.high is not None:
        said += f" ({_short(part.low)} to {_short(part.high)})"
    return said


def _short(number: float) -> str:
    """Two digits, and no 0 before the point."""
    text = f"{number:.2f}"
    return text[1:] if text.startswith("0.") else text


def _shortened(notes: Sequence[str], longest: int) -> list[str]:
    shown = [visible(note, longest) for note in notes[:MOST_NOTES]]
    return shown if len(notes) <= MOST_NOTES else [*shown, f"… and {len(notes) - MOST_NOTES} more"]


def _size(values: Any) -> int:
    """Bytes of the values in a page, where some characters take six."""
    text = json.dumps(values)
    return len(text) + 5 * sum(text.count(mark) for mark in "<>&")


def _cut(page: Canvas, text: str, width: Pixels, size: Pixels = 12) -> str:
    """As much of the text as has room, in CSS pixels."""
    from .picture import text_width

    shown = visible(text, 80)
    if text_width(page.figure, shown, size) <= width:
        return shown
    low, high = 0, len(shown)
    while low < high:
        middle = (low + high + 1) // 2
        if text_width(page.figure, shown[:middle] + "…", size) <= width:
            low = middle
        else:
            high = middle - 1
    return shown[:low] + "…"
