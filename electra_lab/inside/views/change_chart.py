"""What a model says, as bars; and how it moved."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .base import View
from .palette import FAINT, INK, THIRD
from .wording import title_and_note, two_decimals, visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ROW, _HEAD, _EDGE = 24, 22, 12  # CSS pixels


class ChangeChart(View):
    """Numbers with names, each as a bar; where there was another number before, its outline too.

    Args:
        names: what is said, a line for each.
        numbers: how much, now.
        before: how much before, or None where there is nothing to compare with.
        scale: the number that fills a line. 1 by default, for probabilities; None is the largest
            number without its sign, for a regression.
        chosen: the line that is marked, by its number.
        was: what the outlines are, in words.
        now: what the bars are, beside them.
        title: a line above the bars.
        note: a line below the title.

    Events of the live widget: ``{"event": "choose", "index": i}`` when a line is clicked.

    Raises:
        ValueError: lengths differ, a number is not finite, or is larger than the scale.
    """

    module_name = "change_chart"
    style_name = "change_chart.css"

    def __init__(
        self,
        names: Sequence[str],
        numbers: Iterable[Any],
        *,
        before: Iterable[Any] | None = None,
        scale: float | None = 1.0,
        chosen: int | None = None,
        was: str = "before",
        now: str = "now",
        title: str = "",
        note: str = "",
    ) -> None:
        super().__init__()
        self.was, self.now = was, now
        self.update(
            names, numbers, before=before, scale=scale, chosen=chosen, title=title, note=note
        )

    def update(
        self,
        names: Sequence[str],
        numbers: Iterable[Any],
        *,
        before: Iterable[Any] | None = None,
        scale: float | None = 1.0,
        chosen: int | None = None,
        title: str = "",
        note: str = "",
    ) -> None:
        """Draw other data; the arguments are those of the constructor, and so are the errors."""
        now = [float(number) for number in numbers]
        were = None if before is None else [float(number) for number in before]
        for what, values in (("numbers", now), ("numbers before", were)):
            if values is not None and len(values) != len(names):
                raise ValueError(
                    f"There are {len(names)} names but {len(values)} {what}; give one for each name."
                )
        sizes = [abs(number) for number in now + (were or [])]
        largest = next((size for size in sizes if not math.isfinite(size)), max(sizes, default=0.0))
        whole = scale or largest or 1.0
        # a sum of rounded probabilities may be a little above 1
        if not math.isfinite(largest) or largest > whole * 1.001:
            raise ValueError(
                f"The largest number is {largest}, the scale {whole}. Give probabilities, or "
                "scale=None for other finite numbers."
            )
        self.names, self.numbers, self.before, self.scale = list(names), now, were, whole
        self.chosen = chosen
        self.title, self.note = title, note
        self._push()

    def state(self) -> dict[str, Any]:
        return {
            **title_and_note(self.title, self.note),
            "was": visible(self.was, 100),
            "now": visible(self.now, 100),
            "chosen": self.chosen,
            "rows": [
                {
                    "name": visible(name),
                    "share": round(abs(now) / self.scale, 6),
                    "before": None if was is None else round(abs(was) / self.scale, 6),
                    "number": self._said(now, was),
                }
                for name, now, was in self._rows()
            ],
        }

    def __repr__(self) -> str:
        """Names and numbers, with two digits."""
        lines = ["ChangeChart"]
        lines += [visible(line, 300) for line in (self.title, self.note) if line]
        lines += [f"{visible(name)} {self._said(now, was)}" for name, now, was in self._rows()]
        return "\n  ".join(lines)

    def height(self) -> int:
        return 40 + _HEAD * self._head_lines() + 23 * max(1, len(self.names))

    def figure(self) -> Figure:
        from .picture import Canvas

        head = _EDGE + _HEAD * self._head_lines()
        page = Canvas(head + _ROW * max(1, len(self.names)) + _EDGE + (_ROW if self.before else 0))
        page.heading(self.title, self.note, _EDGE, _HEAD)
        letters = max((len(visible(name)) for name in self.names), default=0)
        left = float(min(max(200, 7 * letters + 20), 340))
        longest = 550.0 - left
        for row, (name, now, was) in enumerate(self._rows()):
            middle = head + (row + 0.5) * _ROW
            weight = "bold" if row == self.chosen else "normal"
            shown = _cut(visible(name), int(left / 7.4))
            page.text(left - 10, middle, shown, 13, INK, "right", weight=weight)
            page.box(left, middle - 7, longest, 14, fill="#f3f4f6", corner=2)
            page.box(left, middle - 7, longest * abs(now) / self.scale, 14, fill=THIRD, corner=2)
            if was is not None:
                page.box(left, middle - 9, longest * abs(was) / self.scale, 18, edge=INK, corner=2)
            page.text(left + longest + 12, middle, self._said(now, was), 12, INK)
        if self.before:
            middle = head + (len(self.names) + 0.5) * _ROW
            page.box(left, middle - 6, 22, 12, edge=INK, corner=2)
            page.text(left + 30, middle, visible(self.was, 60), 11, FAINT)
            page.box(left + 220, middle - 6, 22, 12, fill=THIRD, corner=2)
            page.text(left + 250, middle, visible(self.now, 60), 11, FAINT)
        return page.figure

    def _said(self, now: float, was: float | None) -> str:
        if was is None:
            return two_decimals(now)
        moved = now - was
        said = f"{two_decimals(was)} → {two_decimals(now)}"
        return (
            said
            if abs(moved) < 0.005
            else f"{said} ({'+' if moved > 0 else '−'}{two_decimals(abs(moved))})"
        )

    def _rows(self) -> Iterable[tuple[str, float, float | None]]:
        before: Sequence[float | None] = self.before or [None] * len(self.names)
        return zip(self.names, self.numbers, before, strict=True)

    def _head_lines(self) -> int:
        return bool(self.title) + bool(self.note)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
