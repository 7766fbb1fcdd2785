"""A grid of numbers with names down and across: tags by words, layers by tokens."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .base import WIDTH, View
from .palette import DISCRIMINATOR, FAINT, GENERATOR, INK, tint
from .wording import three_digits, title_and_note, two_decimals, two_digits, visible, with_sign

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .picture import Canvas, Pixels

Cell = tuple[int, int]  # row, column

FAINTEST = 0.05  # of the scale; in texts what is fainter is left out
TALLEST = 1200  # CSS pixels of a picture; a long text's last words are in the page only


class Lattice(View):
    """Numbers in rows and columns, each cell as strongly coloured as its number is large.

    Columns that do not fit beside each other continue below, with the rows' names again, so that a
    sentence is read in lines.

    Args:
        rows: names down, for example tags.
        columns: names across, for example words.
        values: a number for each row and column, or None where there is nothing to say. Probabilities
            in [0, 1] unless ``scale`` says otherwise; negative numbers have the other colour.
        texts: what stands in the cells in place of the numbers.
        path: the cells, as (row, column), that are framed: for example the chosen tags.
        target: the cell that is underlined: the one that is explained elsewhere.
        scale: the number without its sign that has the full colour; None is the largest that there is.
        signed: write each number's sign, for differences.
        title: a line above the grid.
        note: a line below the title.
        legend: what the numbers are.

    Events of the live widget: ``{"event": "choose", "row": i, "column": j}`` when a cell is clicked.

    Raises:
        ValueError: the values or texts are no such grid, a number is not finite or larger than the
            scale, or a cell of path or target is not there.
    """

    module_name = "lattice"
    style_name = "lattice.css"

    def __init__(
        self,
        rows: Sequence[str],
        columns: Sequence[str],
        values: Iterable[Iterable[Any]],
        *,
        texts: Sequence[Sequence[str]] | None = None,
        path: Iterable[Cell] = (),
        target: Cell | None = None,
        scale: float | None = 1.0,
        signed: bool = False,
        title: str = "",
        note: str = "",
        legend: str = "probability",
    ) -> None:
        super().__init__()
        self.update(
            rows,
            columns,
            values,
            texts=texts,
            path=path,
            target=target,
            scale=scale,
            signed=signed,
            title=title,
            note=note,
            legend=legend,
        )

    def update(
        self,
        rows: Sequence[str],
        columns: Sequence[str],
        values: Iterable[Iterable[Any]],
        *,
        texts: Sequence[Sequence[str]] | None = None,
        path: Iterable[Cell] = (),
        target: Cell | None = None,
        scale: float | None = 1.0,
        signed: bool = False,
        title: str = "",
        note: str = "",
        legend: str = "probability",
    ) -> None:
        """Draw other data; the arguments are those of the constructor, and so are the errors."""
        grid = [[None if v is None else float(v) for v in line] for line in values]
        for name, given in (("values", grid), ("texts", texts)):
            if given is not None and [len(line) for line in given] != [len(columns)] * len(rows):
                raise ValueError(
                    f"There are {len(rows)} rows and {len(columns)} columns, but the {name} have "
                    f"{len(given)} lines of {sorted({len(line) for line in given})}."
                )
        marked = {(int(row), int(column)) for row, column in path}
        for row, column in [*marked, *([] if target is None else [target])]:
            if not (0 <= row < len(rows) and 0 <= column < len(columns)):
                raise ValueError(
                    f"There is no cell {(row, column)} among {len(rows)} rows and {len(columns)} "
                    "columns."
                )
        sizes = [abs(value) for line in grid for value in line if value is not None]
        largest = next((size for size in sizes if not math.isfinite(size)), max(sizes, default=0.0))
        whole = scale or largest or 1.0
        # a sum of rounded probabilities may be a little above 1
        if not math.isfinite(largest) or largest > whole * 1.001:
            raise ValueError(
                f"The largest number is {largest}, the scale {whole}. Give probabilities, or "
                "scale=None for other finite numbers."
            )
        self.rows, self.columns, self.values = list(rows), list(columns), grid
        self.texts = None if texts is None else [list(line) for line in texts]
        self.path, self.target = marked, target
        self.scale, self.signed = whole, signed
        self.title, self.note, self.legend = title, note, legend
        self._push()

    def state(self) -> dict[str, Any]:
        return {
            **title_and_note(self.title, self.note),
            "legend": visible(self.legend, 300),
            "rows": [visible(name) for name in self.rows],
            "columns": [visible(name) for name in self.columns],
            "widths": [round(width) for width in self._widths()],
            "head": round(self._head_width()),
            "bands": [[band.start, band.stop] for band in self._bands()],
            "cells": [
                [self._cell(row, column) for column in range(len(self.columns))]
                for row in range(len(self.rows))
            ],
            "path": sorted(map(list, self.path)),
            "target": None if self.target is None else list(self.target),
        }

    def _cell(self, row: int, column: int) -> list[Any] | None:
        """Colour (its strength, with the sign), what stands there, and the number when it is read."""
        value = self.values[row][column]
        if value is None:
            return None
        return [
            round(value / self.scale, 4),
            self._written(row, column),
            self._number(value, exact=True),
        ]

    def _written(self, row: int, column: int) -> str:
        if self.texts is not None:
            return visible(self.texts[row][column])
        value = self.values[row][column]
        text = "" if value is None else self._number(value)
        return "" if text == ".00" else text

    def _number(self, value: float, exact: bool = False) -> str:
        if self.signed:
            return with_sign(value)
        if self.scale != 1.0 or value < 0:
            return two_decimals(value)
        return three_digits(value) if exact else two_digits(value)

    def __repr__(self) -> str:
        """Row by row the cells that are not faint; ``*`` is a framed one."""
        lines = [f"Lattice: {visible(self.legend, 300)}"]
        lines += [visible(line, 300) for line in (self.title, self.note) if line]
        for row, name in enumerate(self.rows):
            said = []
            for column, value in enumerate(self.values[row]):
                framed = (row, column) in self.path
                if value is None or (abs(value) < FAINTEST * self.scale and not framed):
                    continue
                text = f"{visible(self.texts[row][column])} " if self.texts is not None else ""
                star = "*" if framed else ""
                said.append(f"{visible(self.columns[column])} {text}{self._number(value)}{star}")
            lines.append(f"{visible(name)}: {' | '.join(said) or '-'}")
        return "\n  ".join(lines)

    def height(self) -> int:
        bands = max(1, len(self._bands()))
        return 70 + 20 * self._head_lines() + bands * (24 + 24 * max(1, len(self.rows)))

    def figure(self) -> Figure:
        from .picture import Canvas

        head = EDGE + LINE * self._head_lines()
        band_height = LINE + ROW * len(self.rows) + GAP
        bands = self._bands()
        shown = bands[: max(1, int((TALLEST - head) // band_height))]
        page = Canvas(head + band_height * max(1, len(shown)) + LINE + EDGE)
        page.heading(self.title, self.note, EDGE, LINE)
        top = head
        for band in shown:
            self._draw_band(page, band, top)
            top += band_height
        left_out = len(self.columns) - (shown[-1].stop if shown else 0)
        more = f"; {left_out} more columns are in the page" if left_out else ""
        page.text(EDGE, top + LINE / 2, f"{visible(self.legend, 80)}{more}", 11, FAINT)
        return page.figure

    def _draw_band(self, page: Canvas, band: range, top: Pixels) -> None:
        names, widths = self._head_width(), self._widths()
        for row, name in enumerate(self.rows):
            middle = top + LINE + (row + 0.5) * ROW
            page.text(EDGE + names - 8, middle, cut(name, names - 8), 12, INK, "right")
        left = EDGE + names
        for column in band:
            width = widths[column]
            middle = left + width / 2
            name = cut(self.columns[column], width)
            page.text(middle, top + LINE / 2, name, 12, INK, "center", weight="bold")
            for row in range(len(self.rows)):
                value = self.values[row][column]
                if value is None:
                    continue
                y = top + LINE + row * ROW
                strength = min(1.0, abs(value) / self.scale)
                framed = INK if (row, column) in self.path else ""
                if framed or strength > 0.02:  # what is fainter nobody sees, and boxes take time
                    fill = tint(strength, (DISCRIMINATOR, GENERATOR)[value < 0])
                    page.box(left + 1, y + 1, width - 2, ROW - 2, fill, edge=framed, corner=2)
                text = cut(self._written(row, column), width)
                weight = "bold" if (row, column) == self.target else "normal"
                page.text(middle, y + ROW / 2, text, 11, INK, "center", weight=weight)
            left += width

    def _widths(self) -> list[float]:
        """CSS pixels of each column: what its name and its texts need, within reason."""
        letters = [len(visible(name)) for name in self.columns]
        if self.texts is not None:
            for line in self.texts:
                letters = [max(n, len(visible(t))) for n, t in zip(letters, line, strict=True)]
        return [min(max(NARROWEST, LETTER * n + 10), WIDEST) for n in letters]

    def _head_width(self) -> float:
        longest = max((len(visible(name)) for name in self.rows), default=0)
        return float(min(max(40, LETTER * longest + 14), WIDEST))

    def _bands(self) -> list[range]:
        """The columns that stand beside each other, line by line."""
        room = WIDTH - 2 * EDGE - self._head_width()
        bands, start, left = [], 0, 0.0
        for column, width in enumerate(self._widths()):
            if column > start and left + width > room:
                bands.append(range(start, column))
                start, left = column, 0.0
            left += width
        if self.columns:
            bands.append(range(start, len(self.columns)))
        return bands

    def _head_lines(self) -> int:
        return bool(self.title) + bool(self.note)


# CSS pixels
EDGE, LINE, ROW, GAP = 12, 22, 21, 10
NARROWEST, WIDEST, LETTER = 36.0, 190.0, 8.0


def cut(text: str, width: int | float) -> str:
    """What of ``text`` fits into so many CSS pixels."""
    shown, letters = visible(text), max(2, int((width - 4) / 6.8))
    return shown if len(shown) <= letters else f"{shown[: letters - 1]}…"
