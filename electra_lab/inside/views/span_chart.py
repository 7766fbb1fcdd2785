"""Where an answer may start and where it may end, over a passage; and the best answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .base import View
from .lattice import cut
from .palette import DISCRIMINATOR, FAINT, GENERATOR, INK, THIRD, tint
from .token_map import EDGE, TEXT, check_lengths, flow, wrapped
from .wording import three_digits, title_and_note, two_digits, visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .picture import Canvas, Pixels

LEGEND = "bar above a token: the answer starts here; bar below: it ends here"
STRONG = 0.1  # from here on a number is always written


class Span(NamedTuple):
    """An answer.

    Attributes:
        text: its words, as they are shown.
        score: its probability.
        first, last: its tokens, both included; None where the answer is that there is none.
    """

    text: str
    score: float
    first: int | None = None
    last: int | None = None


class SpanChart(View):
    """A passage with two numbers for each token, and the best answers below it.

    The bar above a token is the probability that the answer starts there, the one below that it ends
    there. The chosen answer is framed in the passage; pointing at another frames that one.

    Args:
        tokens: of the passage.
        starts, ends: for each token the two probabilities.
        answers: the best, best first, each a ``Span`` or a tuple like one.
        chosen: which of them is framed.
        title: a line above the passage.
        note: a line below the title.

    Events of the live widget: ``{"event": "choose", "index": i}`` when answer ``i`` is clicked;
    ``{"event": "token", "index": i}`` when a token is.

    Raises:
        ValueError: lengths differ, a number is no probability, or an answer's tokens are not there.
    """

    module_name = "span_chart"
    style_name = "span_chart.css"

    def __init__(
        self,
        tokens: Sequence[str],
        starts: Iterable[Any],
        ends: Iterable[Any],
        answers: Iterable[Sequence[Any]] = (),
        *,
        chosen: int = 0,
        title: str = "",
        note: str = "",
    ) -> None:
        super().__init__()
        self.update(tokens, starts, ends, answers, chosen=chosen, title=title, note=note)

    def update(
        self,
        tokens: Sequence[str],
        starts: Iterable[Any],
        ends: Iterable[Any],
        answers: Iterable[Sequence[Any]] = (),
        *,
        chosen: int = 0,
        title: str = "",
        note: str = "",
    ) -> None:
        """Draw other data; the arguments are those of the constructor, and so are the errors."""
        first = [float(number) for number in starts]
        last = [float(number) for number in ends]
        check_lengths(tokens, starts=first, ends=last)
        spans = [Span(*answer) for answer in answers]
        spans = [span._replace(score=float(span.score)) for span in spans]
        for number in (*first, *last, *(span.score for span in spans)):
            if not 0 <= number <= 1.001:
                raise ValueError(
                    f"{number} is no probability; starts, ends and scores lie in [0, 1]. Logits become "
                    "probabilities by torch.softmax over the tokens."
                )
        for span in spans:
            if span.first is None and span.last is None:
                continue
            if (
                span.first is None
                or span.last is None
                or not (0 <= span.first <= span.last < len(tokens))
            ):
                raise ValueError(
                    f"The answer {visible(span.text)!r} is at the tokens {span.first} to {span.last}; "
                    f"there are tokens 0 to {len(tokens) - 1}."
                )
        self.tokens, self.starts, self.ends, self.answers = list(tokens), first, last, spans
        self.chosen = chosen if chosen in range(len(spans)) else 0
        self.title, self.note = title, note
        self._push()

    def state(self) -> dict[str, Any]:
        return {
            **title_and_note(self.title, self.note),
            "legend": LEGEND,
            "strong": STRONG,
            "chosen": self.chosen,
            "tokens": [
                {
                    "text": visible(token),
                    "start": round(start, 5),
                    "end": round(end, 5),
                    "numbers": [two_digits(start), two_digits(end)],
                }
                for token, start, end in zip(self.tokens, self.starts, self.ends, strict=True)
            ],
            "answers": [
                {
                    "text": visible(span.text, 200),
                    "score": round(span.score, 6),
                    "number": three_digits(span.score),
                    "first": span.first,
                    "last": span.last,
                }
                for span in self.answers
            ],
        }

    def __repr__(self) -> str:
        """The answers, then the tokens at which one likely starts or ends."""
        lines = ["SpanChart: where the answer starts and ends"]
        lines += [visible(line, 300) for line in (self.title, self.note) if line]
        for number, span in enumerate(self.answers):
            chosen = " (chosen)" if number == self.chosen else ""
            lines.append(f"{three_digits(span.score)} {visible(span.text, 200)}{chosen}")
        for side, numbers in (("starts", self.starts), ("ends", self.ends)):
            likely = [
                f"{visible(token)} ({index}) {two_digits(number)}"
                for index, (token, number) in enumerate(zip(self.tokens, numbers, strict=True))
                if number >= STRONG
            ]
            lines += wrapped([f"{side} at: {likely[0] if likely else '-'}", *likely[1:]])
        return "\n  ".join(lines)

    def height(self) -> int:
        rows = flow(self.tokens, [0.62 * TEXT * len(visible(t)) for t in self.tokens])
        return 76 + 20 * self._head_lines() + 68 * max(1, len(rows)) + 24 * len(self.answers)

    def figure(self) -> Figure:
        from .picture import Canvas, new_figure, text_width

        measure = new_figure(10)
        widths = [text_width(measure, visible(token), TEXT) for token in self.tokens]
        lines = flow(self.tokens, widths)
        head = EDGE + LINE * self._head_lines()
        page = Canvas(head + ROW * len(lines) + LINE + 24 * len(self.answers) + 2 * EDGE)
        page.heading(self.title, self.note, EDGE, LINE)
        for row, line in enumerate(lines):
            for index, left, width in line:
                self._draw_token(page, index, left, head + row * ROW, width)
        top = head + ROW * len(lines)
        page.text(EDGE, top + LINE / 2, LEGEND, 11, FAINT)
        for number, span in enumerate(self.answers):
            middle = top + LINE + 24 * (number + 0.5)
            weight = "bold" if number == self.chosen else "normal"
            page.text(300, middle, cut(span.text, 290), 13, INK, "right", weight=weight)
            page.box(
                310, middle - 7, max(1.0, 320 * min(1.0, span.score)), 14, fill=THIRD, corner=2
            )
            page.text(644, middle, three_digits(span.score), 12, INK)
        return page.figure

    def _draw_token(
        self, page: Canvas, index: int, left: Pixels, top: Pixels, width: Pixels
    ) -> None:
        start, end = self.starts[index], self.ends[index]
        middle = left + width / 2
        if start >= STRONG:
            page.text(middle, top + 8, two_digits(start), 11, INK, "center")
        page.box(left, top + 16, width, 4, fill="#e5e7eb", corner=1)
        page.box(left, top + 16, width * min(1.0, start), 4, fill=GENERATOR, corner=1)
        page.box(
            left, top + 22, width, 24, fill=tint(0.3, THIRD) if self._inside(index) else "none"
        )
        page.text(middle, top + 34, visible(self.tokens[index]), TEXT, INK, "center")
        page.box(left, top + 48, width, 4, fill="#e5e7eb", corner=1)
        page.box(left, top + 48, width * min(1.0, end), 4, fill=DISCRIMINATOR, corner=1)
        if end >= STRONG:
            page.text(middle, top + 61, two_digits(end), 11, INK, "center")

    def _inside(self, index: int) -> bool:
        if not self.answers:
            return False
        span = self.answers[self.chosen]
        return span.first is not None and span.last is not None and span.first <= index <= span.last

    def _head_lines(self) -> int:
        return bool(self.title) + bool(self.note)


# CSS pixels of the picture
LINE, ROW = 22, 74
