"""One sentence as a pair judged it at each snapshot of its training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from .base import View
from .palette import DISCRIMINATOR, FAINT, GENERATOR, INK, THIRD, tint
from .token_map import EDGE, TEXT, check_lengths, flow, wrapped
from .wording import three_digits, title_and_note, two_digits, visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .picture import Canvas, Pixels

LEGEND = "probability that the token was replaced; below it, its course over all snapshots"
Proposed = tuple[Sequence[str], Sequence[float]]

_HEAD, _BOX, _SMALL, _COURSE = 22, 26, 11, 20  # CSS pixels
_ROW = 16 + _BOX + _COURSE + 24


class ReplayView(View):
    """A sentence's verdicts and proposals at each snapshot, with a slider over the snapshots.

    Under each token, the course of its probability over all snapshots; beside the proposals, figures of
    the run with theirs. All snapshots are in the view, so the slider needs no kernel.

    Args:
        steps: of the snapshots, ascending.
        tokens: of the sentence, the same at all snapshots.
        probabilities: at each snapshot, for each token, that it was replaced.
        originals: for each token that was put in the place of another, which; else None.
        masked: the sentence with the word hidden that proposals are for.
        proposals: at each snapshot, the generator's proposals and their probabilities.
        original: the word that is hidden.
        figures: at each snapshot, numbers by name: losses, errors. A snapshot may lack some.
        chosen: which snapshot is shown, by its number; the last one by default.
        title: a line above the slider.
        note: a line below the title.

    Events of the live widget: ``{"event": "choose", "index": i}`` when a snapshot is chosen.

    Raises:
        ValueError: steps do not ascend, lengths differ, or a number is no probability.
        IndexError: there is no such snapshot.
    """

    module_name = "replay_view"
    style_name = "replay_view.css"

    def __init__(
        self,
        steps: Sequence[int],
        tokens: Sequence[str],
        probabilities: Sequence[Sequence[float]],
        *,
        originals: Sequence[str | None] | None = None,
        masked: str = "",
        proposals: Sequence[Proposed] = (),
        original: str | None = None,
        figures: Sequence[Mapping[str, float]] = (),
        chosen: int = -1,
        title: str = "",
        note: str = "",
    ) -> None:
        super().__init__()
        self.update(
            steps,
            tokens,
            probabilities,
            originals=originals,
            masked=masked,
            proposals=proposals,
            original=original,
            figures=figures,
            chosen=chosen,
            title=title,
            note=note,
        )

    def update(
        self,
        steps: Sequence[int],
        tokens: Sequence[str],
        probabilities: Sequence[Sequence[float]],
        *,
        originals: Sequence[str | None] | None = None,
        masked: str = "",
        proposals: Sequence[Proposed] = (),
        original: str | None = None,
        figures: Sequence[Mapping[str, float]] = (),
        chosen: int = -1,
        title: str = "",
        note: str = "",
    ) -> None:
        """Draw other data; the arguments are those of the constructor, and so are the errors."""
        if any(a >= b for a, b in pairwise(steps)):
            raise ValueError(f"steps are {list(steps)}; they must ascend.")
        for name, values in (
            ("rows of probabilities", probabilities),
            ("lists of proposals", proposals),
            ("rows of figures", figures),
        ):
            may_be_none = name != "rows of probabilities" and not values
            if len(values) != len(steps) and not may_be_none:
                raise ValueError(f"There are {len(steps)} snapshots but {len(values)} {name}.")
        were = [None] * len(tokens) if originals is None else list(originals)
        check_lengths(tokens, originals=were)
        for row in probabilities:
            check_lengths(tokens, probabilities=row)
            if wrong := [p for p in row if not 0 <= p <= 1]:
                raise ValueError(f"{wrong[0]} is no probability; it must lie in [0, 1].")
        at = _checked(chosen, len(steps))
        self.steps, self.tokens, self.originals = list(steps), list(tokens), were
        self.probabilities = [[float(p) for p in row] for row in probabilities]
        self.masked, self.original = masked, original
        self.proposals = [(list(words), list(numbers)) for words, numbers in proposals]
        self.figures = [dict(row) for row in figures]
        self.title, self.note, self.chosen = title, note, at
        self._push()

    def choose(self, snapshot: int) -> None:
        """Show another snapshot, by its number; -1 is the last.

        Raises:
            IndexError: there is no such snapshot.
        """
        self.chosen = _checked(snapshot, len(self.steps))
        self._push()

    def state(self) -> dict[str, Any]:
        return {
            **title_and_note(self.title, self.note),
            "legend": LEGEND,
            "steps": self.steps,
            "chosen": self.chosen,
            "tokens": [
                {
                    "text": visible(token),
                    "original": None if original is None else visible(original),
                    "probabilities": [round(row[i], 5) for row in self.probabilities],
                    "numbers": [two_digits(row[i]) for row in self.probabilities],
                }
                for i, (token, original) in enumerate(zip(self.tokens, self.originals, strict=True))
            ],
            "masked": visible(self.masked, 300),
            "proposals": [
                [
                    {
                        "text": visible(word),
                        "probability": round(float(number), 5),
                        "number": three_digits(number),
                        "original": word == self.original,
                    }
                    for word, number in zip(*proposed, strict=True)
                ]
                for proposed in self.proposals
            ],
            "figures": [
                {
                    "name": visible(name),
                    "values": [row.get(name) for row in self.figures],
                    "numbers": [_number(row.get(name)) for row in self.figures],
                }
                for name in self._names()
            ],
        }

    def __repr__(self) -> str:
        """Verdicts, best proposals and figures at the first, the chosen and the last snapshot."""
        lines = ["ReplayView: probability that each token was replaced, over the run"]
        lines += [visible(line, 300) for line in (self.title, self.note) if line]
        for at in sorted({0, self.chosen, len(self.steps) - 1} if self.steps else ()):
            lines.append(f"step {self.steps[at]:,}")
            parts = [
                f"{visible(token)} {two_digits(p)}"
                + (f" (was: {visible(original)})" if original is not None else "")
                for token, p, original in zip(
                    self.tokens, self.probabilities[at], self.originals, strict=True
                )
            ]
            lines += [f"  {line}" for line in wrapped(parts)]
            if self.proposals:
                best = zip(*self.proposals[at], strict=True)
                said = ", ".join(f"{visible(w)} {three_digits(n)}" for w, n in list(best)[:3])
                lines.append(f"  {visible(self.masked, 300)}: {said}")
            if self.figures:
                row = self.figures[at]
                lines.append("  " + ", ".join(f"{visible(n)} {_number(row[n])}" for n in row))
        return "\n  ".join(lines)

    def height(self) -> int:
        rows = flow(self.tokens, [0.62 * TEXT * len(visible(t)) for t in self.tokens])
        return 120 + _HEAD * self._head_lines() + 86 * len(rows) + 23 * self._lower_rows()

    def figure(self) -> Figure:
        from .picture import Canvas, new_figure, text_width

        measure = new_figure(10)
        widths = [
            max(text_width(measure, visible(token), TEXT), 34.0)
            if original is None
            else max(
                text_width(measure, visible(token), TEXT),
                text_width(measure, visible(original), _SMALL),
                34.0,
            )
            for token, original in zip(self.tokens, self.originals, strict=True)
        ]
        lines = flow(self.tokens, widths)
        head = EDGE + _HEAD * self._head_lines()
        top = head + 34
        lower = self._lower_rows()
        page = Canvas(top + _ROW * len(lines) + 26 + 22 * (lower + 1) + EDGE)
        page.heading(self.title, self.note, EDGE, _HEAD)
        if not self.steps:
            return page.figure
        self._draw_slider(page, head + 12)
        for number, line in enumerate(lines):
            for index, left, width in line:
                self._draw_token(page, index, left, top + number * _ROW, width)
        below = top + _ROW * len(lines)
        page.text(EDGE, below + 6, LEGEND, _SMALL, FAINT)
        if lower:
            page.text(EDGE, below + 34, visible(self.masked, 90), 12.5, INK, weight="bold")
            self._draw_proposals(page, below + 46)
            self._draw_figures(page, below + 46)
        return page.figure

    def _draw_slider(self, page: Canvas, middle: Pixels) -> None:
        left, wide = 150.0, 480.0
        page.text(EDGE, middle, f"step {self.steps[self.chosen]:,}", 13, INK, weight="bold")
        page.box(left, middle - 1, wide, 2, fill="#d1d5db", corner=0)
        for number in range(len(self.steps)):
            x = left + wide * number / max(1, len(self.steps) - 1)
            big = number == self.chosen
            size = 12 if big else 6
            page.box(x - size / 2, middle - size / 2, size, size, fill=INK if big else FAINT)
        page.text(left + wide + 18, middle, f"of {self.steps[-1]:,}", 12, FAINT)

    def _draw_token(
        self, page: Canvas, index: int, left: Pixels, top: Pixels, width: Pixels
    ) -> None:
        course = [row[index] for row in self.probabilities]
        now, original = course[self.chosen], self.originals[index]
        middle = left + width / 2
        if original is not None:
            page.text(middle, top + 6, visible(original), _SMALL, FAINT, align="center")
        page.box(left, top + 15, width, _BOX, fill=tint(now), edge=INK if original else "")
        page.text(middle, top + 15 + _BOX / 2, visible(self.tokens[index]), TEXT, INK, "center")
        self._draw_course(page, course, left + 3, top + 18 + _BOX, width - 6, DISCRIMINATOR)
        page.text(
            middle,
            top + 18 + _BOX + _COURSE + 9,
            two_digits(now),
            _SMALL,
            INK if now >= 0.5 else FAINT,
            "center",
            weight="bold" if now >= 0.5 else "normal",
        )

    def _draw_course(
        self,
        page: Canvas,
        course: Sequence[float | None],
        left: Pixels,
        top: Pixels,
        width: Pixels,
        colour: str,
    ) -> None:
        """A curve from the lowest to the highest of its numbers, for probabilities from 0 to 1."""
        from .picture import points

        apart = width / max(1, len(self.steps) - 1)
        at = [(left + i * apart, value) for i, value in enumerate(course) if value is not None]
        low, high = 0.0, max([1.0, *(value for _, value in at)])
        if colour != DISCRIMINATOR:
            low, high = min(v for _, v in at), max(v for _, v in at)
        y = [top + _COURSE - (_COURSE - 3) * (v - low) / ((high - low) or 1) for _, v in at]
        page.axes.plot([x for x, _ in at], y, color=colour, linewidth=points(1.4))
        for (x, _), height in zip(at, y, strict=True):
            if abs(x - (left + self.chosen * apart)) < 1e-6:
                page.axes.plot([x], [height], "o", color=INK, markersize=points(5))

    def _draw_proposals(self, page: Canvas, top: Pixels) -> None:
        if not self.proposals:
            return
        for row, (word, number) in enumerate(zip(*self.proposals[self.chosen], strict=True)):
            middle = top + 10 + 22 * row
            weight = "bold" if word == self.original else "normal"
            page.text(EDGE + 92, middle, visible(word, 11), 13, INK, "right", weight=weight)
            page.box(EDGE + 100, middle - 6, max(1.0, 180 * number), 12, fill=GENERATOR, corner=2)
            page.text(EDGE + 106 + 180 * number, middle, three_digits(number), 12, INK)

    def _draw_figures(self, page: Canvas, top: Pixels) -> None:
        for row, name in enumerate(self._names()):
            middle = top + 10 + 22 * row
            course = [figures.get(name) for figures in self.figures]
            page.text(390, middle, visible(name, 28), 12.5, INK)
            self._draw_course(page, course, 580, middle - 12, 70, THIRD)
            page.text(708, middle, _number(course[self.chosen]), 12.5, INK, "right")

    def _lower_rows(self) -> int:
        proposed = max((len(words) for words, _ in self.proposals), default=0)
        return max(len(self._names()), proposed)

    def _names(self) -> list[str]:
        """Of the figures, in the order of the snapshot that has most of them."""
        fullest_first = sorted(self.figures, key=len, reverse=True)
        return list(dict.fromkeys(name for row in fullest_first for name in row))

    def _head_lines(self) -> int:
        return bool(self.title) + bool(self.note)


def _checked(snapshot: int, count: int) -> int:
    """Raises:
    IndexError: there is no such snapshot.
    """
    if count and not -count <= snapshot < count:
        raise IndexError(f"There is no snapshot {snapshot}; the snapshots are 0 to {count - 1}.")
    return snapshot % count if count else 0


def _number(value: float | None) -> str:
    """Three digits, as losses and shares are both read easily."""
    return "–" if value is None else f"{value:#.3g}".rstrip(".")
