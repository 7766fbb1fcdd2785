"""Tokens and how sure the discriminator is that each was replaced."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .base import WIDTH, View
from .palette import DISCRIMINATOR, FAINT, INK, tint
from .wording import two_digits, visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .picture import Canvas, Pixels

LEGEND = "probability that the token was replaced"
MARK = "really replaced; above it, the original"


class TokenHeatMap(View):
    """A sentence, token by token, each as strongly coloured as it seems replaced.

    The number stands below its token: always from .5 on, on hover and keyboard focus below that. A
    bar says the same by its length, so that colour is never the only sign.

    Args:
        tokens: the tokens as the model sees them.
        probabilities: for each token, the probability that it was replaced: ``sigmoid(logits)`` of
            the discriminator. Numbers in [0, 1], or a one-dimensional tensor of them.
        replaced: for each token, whether it really was replaced; such tokens get a frame. By
            default those that have an original.
        originals: for each token, what stood there before, or None; shown above the token.
        title: a line above the tokens.
        note: a line below the title, for example what the reader can do here.

    Events of the live widget: ``{"event": "choose", "index": i}`` when a token is clicked.

    Raises:
        ValueError: lengths differ, or a number is not a probability.
    """

    module_name = "token_heat_map"

    def __init__(
        self,
        tokens: Sequence[str],
        probabilities: Iterable[Any],
        *,
        replaced: Iterable[Any] | None = None,
        originals: Sequence[str | None] | None = None,
        title: str = "",
        note: str = "",
    ) -> None:
        super().__init__()
        self.update(
            tokens,
            probabilities,
            replaced=replaced,
            originals=originals,
            title=title,
            note=note,
        )

    def update(
        self,
        tokens: Sequence[str],
        probabilities: Iterable[Any],
        *,
        replaced: Iterable[Any] | None = None,
        originals: Sequence[str | None] | None = None,
        title: str = "",
        note: str = "",
    ) -> None:
        """Draw other data; the arguments are those of the constructor, and so are the errors."""
        count = len(tokens)
        numbers = [float(p) for p in probabilities]
        were = [None] * count if originals is None else list(originals)
        marks = [o is not None for o in were] if replaced is None else [bool(r) for r in replaced]
        for name, values in (("probabilities", numbers), ("originals", were), ("replaced", marks)):
            if len(values) != count:
                raise ValueError(
                    f"There are {count} tokens but {len(values)} {name}; "
                    "give one for each token, special tokens included."
                )
        for token, number in zip(tokens, numbers, strict=True):
            if not 0 <= number <= 1:
                raise ValueError(
                    f"The probability of {visible(token)!r} is {number}; it must lie in [0, 1]. "
                    "Logits become probabilities by torch.sigmoid."
                )
        self.tokens, self.probabilities = list(tokens), numbers
        self.replaced, self.originals = marks, were
        self.title, self.note = title, note
        self._push()

    def state(self) -> dict[str, Any]:
        return {
            "title": visible(self.title, 300),
            "note": visible(self.note, 300),
            "legend": LEGEND,
            "mark": MARK,
            "tokens": [
                {
                    "text": visible(token),
                    "probability": round(number, 6),
                    "number": two_digits(number),
                    "replaced": mark,
                    "original": None if original is None else visible(original),
                }
                for token, number, mark, original in self._rows()
            ],
        }

    def __repr__(self) -> str:
        """Tokens and numbers, with two digits: the same on every machine that computes alike."""
        parts = []
        for token, number, mark, original in self._rows():
            said = f"{visible(token)} {two_digits(number)}"
            if original is not None:
                said += f" (was: {visible(original)})"
            elif mark:
                said += " (replaced)"
            parts.append(said)
        lines = [f"TokenHeatMap: {LEGEND}"]
        lines += [visible(line, 300) for line in (self.title, self.note) if line]
        return "\n  ".join([*lines, *_wrapped(parts)])

    def height(self) -> int:
        rows = self._lines([0.62 * _TEXT * len(visible(t)) for t in self.tokens])
        return int(_HEAD * self._head_lines() + 66 * max(1, len(rows))) + 62

    def figure(self) -> Figure:
        from .picture import Canvas, new_figure, text_width

        measure = new_figure(10)
        shown = [visible(token) for token in self.tokens]
        above = ["" if o is None else visible(o) for o in self.originals]
        lines = self._lines(
            [
                max(text_width(measure, text, _TEXT), text_width(measure, was, _SMALL))
                for text, was in zip(shown, above, strict=True)
            ]
        )
        head = _EDGE + _HEAD * self._head_lines()
        height = head + _ROW * len(lines) + _LEGEND
        page = Canvas(height)
        page.heading(self.title, self.note, _EDGE, _HEAD)
        for row, line in enumerate(lines):
            for index, left, width in line:
                self._draw_token(page, index, left, head + row * _ROW, width)
        self._draw_legend(page, height - _LEGEND + 14)
        return page.figure

    def _draw_token(
        self, page: Canvas, index: int, left: Pixels, top: Pixels, width: Pixels
    ) -> None:
        number, original = self.probabilities[index], self.originals[index]
        middle = left + width / 2
        if original is not None:
            page.text(middle, top + 8, visible(original), _SMALL, FAINT, align="center")
        page.box(left, top + 18, width, _BOX, fill=tint(number))
        page.box(left, top + 18 + _BOX + 3, width, 3, fill="#e5e7eb")
        page.box(left, top + 18 + _BOX + 3, width * number, 3, fill=DISCRIMINATOR)
        if self.replaced[index]:
            page.box(left, top + 18, width, _BOX, edge=INK)
        page.text(middle, top + 18 + _BOX / 2, visible(self.tokens[index]), _TEXT, INK, "center")
        strong = number >= 0.5
        page.text(
            middle,
            top + 18 + _BOX + 16,
            two_digits(number),
            _SMALL,
            INK if strong else FAINT,
            "center",
            weight="bold" if strong else "normal",
        )

    def _draw_legend(self, page: Canvas, top: Pixels) -> None:
        left, steps, width = _EDGE, 50, 120
        page.text(left, top + 6, "0", _SMALL, FAINT)
        for step in range(steps):
            page.box(
                left + 12 + step * width / steps,
                top,
                width / steps + 0.5,
                12,
                fill=tint((step + 0.5) / steps),
                corner=0,
            )
        page.text(left + width + 18, top + 6, f"1   {LEGEND}", _SMALL, FAINT)
        if any(self.replaced):
            page.box(left + 420, top - 1, 22, 14, edge=INK)
            page.text(left + 450, top + 6, MARK, _SMALL, FAINT)

    def _rows(self) -> Iterable[tuple[str, float, bool, str | None]]:
        return zip(self.tokens, self.probabilities, self.replaced, self.originals, strict=True)

    def _head_lines(self) -> int:
        return bool(self.title) + bool(self.note)

    def _lines(self, widths: Sequence[float]) -> list[list[tuple[int, float, float]]]:
        """Break the tokens into lines: for each its number, left edge and width in pixels."""
        lines: list[list[tuple[int, float, float]]] = [[]]
        left = float(_EDGE)
        for index, wanted in enumerate(widths):
            width = float(min(max(wanted + 12, 30), WIDTH - 2 * _EDGE))
            gap = 1 if self.tokens[index].startswith("##") else 5
            if lines[-1] and left + gap + width > WIDTH - _EDGE:
                lines.append([])
                left = float(_EDGE)
            left += gap if lines[-1] else 0
            lines[-1].append((index, left, width))
            left += width
        return lines


# CSS pixels of the picture
_EDGE, _HEAD, _BOX, _TEXT, _SMALL = 12, 22, 26, 14.5, 11
_ROW = 18 + _BOX + 34
_LEGEND = 40


def _wrapped(parts: Sequence[str]) -> list[str]:
    """Join ``parts`` into lines of about 88 characters; a part is never broken."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) < 86:
            lines[-1] += f" | {part}"
        else:
            lines.append(part)
    return lines
