"""Which tokens fool a discriminator, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .base import View
from .palette import DISCRIMINATOR, FAINT, GENERATOR, INK
from .wording import title_and_note, two_digits, visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from electra_lab.inside.analysis.fooled import Fooled, FooledToken, Mistake

    from .picture import Canvas, Pixels

_IN_PICTURE = 7  # tokens of each list
_ROW, _HEAD, _EDGE = 40, 22, 12  # CSS pixels
LEGEND = "bar: what these mistakes add to the loss; number: p(replaced)"


class FooledView(View):
    """Replacements that a discriminator takes for original, and originals that it accuses, by token.

    The tokens whose mistakes cost most come first; a bar says how much. A token opens and closes at a
    click or with the Enter key, and shows its surest mistakes in their sentences.

    Args:
        fooled: as ``inside.analysis.fooled.fooled_tokens`` returns it.
        title: a line above the lists.
        note: a line below the title.

    Events of the live widget: ``{"event": "choose", "index": i}`` with the number of the text when a
    mistake is clicked.
    """

    module_name = "fooled_view"
    style_name = "fooled_view.css"

    def __init__(self, fooled: Fooled, *, title: str = "", note: str = "") -> None:
        super().__init__()
        self.update(fooled, title=title, note=note)

    def update(self, fooled: Fooled, *, title: str = "", note: str = "") -> None:
        """Draw other data; the arguments are those of the constructor."""
        self.fooled, self.title, self.note = fooled, title, note
        self._push()

    def state(self) -> dict[str, Any]:
        largest = max((one.cost for _, rows in self._lists() for one in rows), default=1.0)
        return {
            **title_and_note(self.title, self.note),
            "legend": LEGEND,
            "lists": [
                {
                    "heading": heading,
                    "kind": kind,
                    "rows": [
                        {
                            "token": visible(one.token),
                            "number": f"{one.wrong:,} of {one.times:,}",
                            "share": round(one.cost / largest, 5),
                            "mistakes": [_example(mistake) for mistake in one.mistakes],
                        }
                        for one in rows
                    ],
                }
                for kind, (heading, rows) in zip(("missed", "accused"), self._lists(), strict=True)
            ],
        }

    def __repr__(self) -> str:
        """Each token with how often it was judged wrongly, and its surest mistake."""
        lines = ["FooledView"]
        lines += [visible(line, 300) for line in (self.title, self.note) if line]
        for heading, rows in self._lists():
            lines.append(heading)
            lines += [
                f"  {visible(one.token)}: {one.wrong:,} of {one.times:,}, as in "
                f"{_line(one.mistakes[0], 5)} {two_digits(one.mistakes[0].probability)}"
                for one in rows[:_IN_PICTURE]
            ]
        return "\n  ".join(lines)

    def height(self) -> int:
        rows = sum(len(rows) for _, rows in self._lists())
        return 190 + _HEAD * self._head_lines() + 25 * rows + 60

    def figure(self) -> Figure:
        from .picture import Canvas

        rows = max(min(_IN_PICTURE, len(rows)) for _, rows in self._lists())
        head = _EDGE + _HEAD * self._head_lines()
        page = Canvas(head + _HEAD + _ROW * max(1, rows) + 34)
        page.heading(self.title, self.note, _EDGE, _HEAD)
        largest = max((one.cost for _, rows in self._lists() for one in rows), default=1.0)
        for column, (heading, found) in enumerate(self._lists()):
            left = _EDGE + 354 * column
            page.text(left, head + _HEAD / 2, heading, 12.5, INK, weight="bold")
            for row, one in enumerate(found[:_IN_PICTURE]):
                top = head + _HEAD + row * _ROW
                self._draw_row(page, one, left, top, one.cost / largest, column)
        page.text(_EDGE, head + _HEAD + _ROW * max(1, rows) + 12, LEGEND, 11, FAINT)
        return page.figure

    def _draw_row(
        self, page: Canvas, one: FooledToken, left: Pixels, top: Pixels, share: float, column: int
    ) -> None:
        colour = (GENERATOR, DISCRIMINATOR)[column]
        page.text(left + 104, top + 12, visible(one.token, 12), 13, INK, "right")
        page.box(left + 112, top + 6, max(1.0, 120 * share), 12, fill=colour, corner=2)
        page.text(left + 240, top + 12, f"{one.wrong:,} of {one.times:,}", 12, INK)
        mistake = one.mistakes[0]
        page.text(left + 8, top + 29, _line(mistake, 2, 46), 11, FAINT)
        page.text(left + 336, top + 29, two_digits(mistake.probability), 11, FAINT, "right")

    def _lists(self) -> tuple[tuple[str, tuple[FooledToken, ...]], ...]:
        found = self.fooled
        return (
            (
                f"Missed replacements: {found.all_missed:,} of {found.replaced:,}",
                found.missed,
            ),
            (
                f"Accused originals: {found.all_accused:,} of {found.originals:,}",
                found.accused,
            ),
        )

    def _head_lines(self) -> int:
        return bool(self.title) + bool(self.note)


def _example(mistake: Mistake) -> dict[str, Any]:
    return {
        "before": " ".join(map(visible, mistake.before)),
        "token": visible(mistake.token),
        "after": " ".join(map(visible, mistake.after)),
        "original": None if mistake.original is None else visible(mistake.original),
        "number": two_digits(mistake.probability),
        "text": mistake.text,
    }


def _line(mistake: Mistake, around: int, longest: int = 200) -> str:
    """The mistake among its neighbours, as one line."""
    was = "" if mistake.original is None else f", was {visible(mistake.original)}"
    before = mistake.before[max(0, len(mistake.before) - around) :]
    parts = [*map(visible, before), f"[{visible(mistake.token)}{was}]"]
    return visible(" ".join([*parts, *map(visible, mistake.after[:around])]), longest)
