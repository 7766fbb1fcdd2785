"""Tokens in lines, each coloured by a number: what heat maps and attributions have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .base import WIDTH, View
from .palette import FAINT, INK, tint
from .wording import title_and_note, visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .picture import Canvas, Pixels


class TokenMap(View):
    """Tokens, each as strongly coloured as its number is large.

    A bar below the token says the same by its length, so that colour is never the only sign; the
    number stands below the bar, always where it is large, otherwise on hover and keyboard focus.

    A kind of token map sets the attributes and says what the colours mean.

    Attributes:
        tokens: as the model sees them.
        strengths: how strongly each is coloured, in [0, 1].
        replaced: which tokens get a frame.
        originals: what stands above each token, or None.
    """

    module_name = "token_heat_map"

    tokens: list[str]
    strengths: list[float]
    replaced: list[bool]
    originals: list[str | None]
    title = ""
    note = ""

    # What a kind of token map says

    legend = ""
    mark = ""
    """What a frame means."""
    framed = ""
    """The same in a word or two."""
    says = ""
    """What the number is, before it is read aloud."""
    ends: tuple[str, str]
    """The scale's ends, in words or numbers."""
    colours: tuple[str, ...]
    """The colour of the largest number; before it that of the smallest, where there are two."""

    def number(self, index: int) -> str:
        """A token's number, as it is written."""
        raise NotImplementedError

    def negative(self, index: int) -> bool:
        """Whether the number has the other colour."""
        return False

    # What all have

    def state(self) -> dict[str, Any]:
        return {
            **title_and_note(self.title, self.note),
            "legend": self.legend,
            "mark": self.mark,
            "says": self.says,
            "framed": self.framed,
            "ends": list(self.ends),
            "signed": len(self.colours) == 2,
            "tokens": [
                {
                    "text": visible(token),
                    "probability": round(strength, 6),
                    "negative": self.negative(index),
                    "number": self.number(index),
                    "replaced": mark,
                    "original": None if original is None else visible(original),
                }
                for index, (token, strength, mark, original) in enumerate(self._rows())
            ],
        }

    def __repr__(self) -> str:
        """Tokens and numbers, with two digits: the same on every machine that computes alike."""
        parts = []
        for index, (token, _, mark, original) in enumerate(self._rows()):
            said = f"{visible(token)} {self.number(index)}"
            if original is not None:
                said += f" (was: {visible(original)})"
            elif mark:
                said += f" ({self.framed})"
            parts.append(said)
        lines = [f"{type(self).__name__}: {self.legend}"]
        lines += [visible(line, 300) for line in (self.title, self.note) if line]
        return "\n  ".join([*lines, *wrapped(parts)])

    def height(self) -> int:
        rows = flow(self.tokens, [0.62 * TEXT * len(visible(t)) for t in self.tokens])
        return int(_HEAD * self._head_lines() + 66 * max(1, len(rows))) + 62

    def figure(self) -> Figure:
        from .picture import Canvas, new_figure, text_width

        measure = new_figure(10)
        shown = [visible(token) for token in self.tokens]
        above = ["" if o is None else visible(o) for o in self.originals]
        lines = flow(
            self.tokens,
            [
                max(text_width(measure, text, TEXT), text_width(measure, was, _SMALL))
                for text, was in zip(shown, above, strict=True)
            ],
        )
        head = EDGE + _HEAD * self._head_lines()
        height = head + _ROW * len(lines) + _LEGEND
        page = Canvas(height)
        page.heading(self.title, self.note, EDGE, _HEAD)
        for row, line in enumerate(lines):
            for index, left, width in line:
                self._draw_token(page, index, left, head + row * _ROW, width)
        self._draw_legend(page, height - _LEGEND + 14)
        return page.figure

    def _draw_token(
        self, page: Canvas, index: int, left: Pixels, top: Pixels, width: Pixels
    ) -> None:
        strength, original = self.strengths[index], self.originals[index]
        colour = self.colours[0] if self.negative(index) else self.colours[-1]
        middle = left + width / 2
        if original is not None:
            page.text(middle, top + 8, visible(original), _SMALL, FAINT, align="center")
        page.box(left, top + 18, width, _BOX, fill=tint(strength, colour))
        page.box(left, top + 18 + _BOX + 3, width, 3, fill="#e5e7eb")
        page.box(left, top + 18 + _BOX + 3, width * strength, 3, fill=colour)
        if self.replaced[index]:
            page.box(left, top + 18, width, _BOX, edge=INK)
        page.text(middle, top + 18 + _BOX / 2, visible(self.tokens[index]), TEXT, INK, "center")
        strong = strength >= 0.5
        page.text(
            middle,
            top + 18 + _BOX + 16,
            self.number(index),
            _SMALL,
            INK if strong else FAINT,
            "center",
            weight="bold" if strong else "normal",
        )

    def _draw_legend(self, page: Canvas, top: Pixels) -> None:
        low, high = self.ends
        steps, width = 50, 120
        left = EDGE + 6 + 6 * len(low)
        page.text(EDGE, top + 6, low, _SMALL, FAINT)
        for step in range(steps):
            share = (step + 0.5) / steps
            if len(self.colours) == 2:  # from the one colour over paper to the other
                fill = tint(abs(2 * share - 1), self.colours[share > 0.5])
            else:
                fill = tint(share, self.colours[0])
            page.box(left + step * width / steps, top, width / steps + 0.5, 12, fill, corner=0)
        page.text(left + width + 6, top + 6, f"{high}   {self.legend}", _SMALL, FAINT)
        if any(self.replaced):
            page.box(EDGE + 408, top - 1, 22, 14, edge=INK)
            page.text(EDGE + 438, top + 6, self.mark, _SMALL, FAINT)

    def _rows(self) -> Iterable[tuple[str, float, bool, str | None]]:
        return zip(self.tokens, self.strengths, self.replaced, self.originals, strict=True)

    def _head_lines(self) -> int:
        return bool(self.title) + bool(self.note)


def check_lengths(tokens: Sequence[str], **values: Sequence[Any]) -> None:
    """Raises:
    ValueError: there is not one value for each token.
    """
    for name, given in values.items():
        if len(given) != len(tokens):
            raise ValueError(
                f"There are {len(tokens)} tokens but {len(given)} {name}; "
                "give one for each token, special tokens included."
            )


# CSS pixels of the picture
EDGE, TEXT = 12, 14.5
_HEAD, _BOX, _SMALL = 22, 26, 11
_ROW = 18 + _BOX + 34
_LEGEND = 40


def flow(tokens: Sequence[str], widths: Sequence[float]) -> list[list[tuple[int, float, float]]]:
    """Break tokens into lines: for each its number, left edge and width in pixels."""
    lines: list[list[tuple[int, float, float]]] = [[]]
    left = float(EDGE)
    for index, wanted in enumerate(widths):
        width = float(min(max(wanted + 12, 30), WIDTH - 2 * EDGE))
        gap = 1 if tokens[index].startswith("##") else 5
        if lines[-1] and left + gap + width > WIDTH - EDGE:
            lines.append([])
            left = float(EDGE)
        left += gap if lines[-1] else 0
        lines[-1].append((index, left, width))
        left += width
    return lines


def wrapped(parts: Sequence[str]) -> list[str]:
    """Join ``parts`` into lines of about 88 characters; a part is never broken."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) < 86:
            lines[-1] += f" | {part}"
        else:
            lines.append(part)
    return lines
