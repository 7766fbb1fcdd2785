"""The generator's proposals for a masked word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .base import View
from .palette import FAINT, GENERATOR, INK
from .wording import three_digits, title_and_note, visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ROW, _HEAD, _EDGE = 24, 22, 12  # CSS pixels


class ProposalChart(View):
    """Proposed tokens as bars, each with its probability.

    Args:
        tokens: the proposals, best first.
        probabilities: for each, the generator's probability. They need not sum to 1: the rest of
            the vocabulary is left out.
        original: the token that was masked, if known; its bar is tagged.
        chosen: the token that was put back, if any; its bar is tagged.
        title: a line above the bars, for example the sentence with its [MASK].
        note: a line below the title.

    Events of the live widget: ``{"event": "choose", "index": i}`` when a bar is clicked.

    Raises:
        ValueError: lengths differ, or a number is not a probability.
    """

    module_name = "proposal_chart"

    def __init__(
        self,
        tokens: Sequence[str],
        probabilities: Iterable[Any],
        *,
        original: str | None = None,
        chosen: str | None = None,
        title: str = "",
        note: str = "",
    ) -> None:
        super().__init__()
        self.update(tokens, probabilities, original=original, chosen=chosen, title=title, note=note)

    def update(
        self,
        tokens: Sequence[str],
        probabilities: Iterable[Any],
        *,
        original: str | None = None,
        chosen: str | None = None,
        title: str = "",
        note: str = "",
    ) -> None:
        """Draw other data; the arguments are those of the constructor, and so are the errors."""
        numbers = [float(p) for p in probabilities]
        if len(numbers) != len(tokens):
            raise ValueError(
                f"There are {len(tokens)} proposals but {len(numbers)} probabilities; "
                "give one for each proposal."
            )
        for token, number in zip(tokens, numbers, strict=True):
            if not 0 <= number <= 1:
                raise ValueError(
                    f"The probability of {visible(token)!r} is {number}; it must lie in [0, 1]. "
                    "Logits become probabilities by torch.softmax over the vocabulary."
                )
        self.tokens, self.probabilities = list(tokens), numbers
        self.original, self.chosen = original, chosen
        self.title, self.note = title, note
        self._push()

    def state(self) -> dict[str, Any]:
        return {
            **title_and_note(self.title, self.note),
            "longest": max(self.probabilities, default=1.0) or 1.0,
            "proposals": [
                {
                    "text": visible(token),
                    "probability": round(number, 6),
                    "number": three_digits(number),
                    "tag": self._tag(token),
                }
                for token, number in self._rows()
            ],
        }

    def __repr__(self) -> str:
        """Proposals and numbers, with three digits."""
        lines = ["ProposalChart: the generator's proposals"]
        lines += [visible(line, 300) for line in (self.title, self.note) if line]
        for token, number in self._rows():
            tag = self._tag(token)
            lines.append(f"{number:.3f} {visible(token)}" + (f" ({tag})" if tag else ""))
        return "\n  ".join(lines)

    def height(self) -> int:
        return 44 + _HEAD * self._head_lines() + 23 * max(1, len(self.tokens))

    def figure(self) -> Figure:
        from .picture import Canvas

        head = _EDGE + _HEAD * self._head_lines()
        page = Canvas(head + _ROW * max(1, len(self.tokens)) + _EDGE)
        page.heading(self.title, self.note, _EDGE, _HEAD)
        names, bars = 150.0, 430.0
        longest = max(self.probabilities, default=1.0) or 1.0
        for row, (token, number) in enumerate(self._rows()):
            middle = head + (row + 0.5) * _ROW
            tag = self._tag(token)
            page.text(
                names,
                middle,
                visible(token, 18),
                14,
                INK,
                "right",
                weight="bold" if tag else "normal",
            )
            page.box(names + 10, middle - 7, max(1.0, bars * number / longest), 14, fill=GENERATOR)
            end = names + 18 + bars * number / longest
            page.text(end, middle, three_digits(number), 12, INK)
            if tag:
                page.text(end + 38, middle, tag, 11, FAINT)
        return page.figure

    def _tag(self, token: str) -> str:
        tags = [
            name
            for name, value in (("original", self.original), ("put back", self.chosen))
            if token == value
        ]
        return ", ".join(tags)

    def _rows(self) -> Iterable[tuple[str, float]]:
        return zip(self.tokens, self.probabilities, strict=True)

    def _head_lines(self) -> int:
        return bool(self.title) + bool(self.note)
