"""How often what was said came true: a reliability diagram and how many tokens are behind it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .base import View
from .palette import FAINT, INK
from .training_chart import look
from .wording import three_digits, title_and_note, two_digits, visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from electra_lab.inside.analysis.calibration import Calibration

MOST_SERIES = 8
_DIAGRAM, _BARS, _HEAD, _EDGE = 270, 80, 22, 12  # CSS pixels


class CalibrationChart(View):
    """The share of tokens that were really replaced, over the probability that was said of them.

    A model whose probabilities are to be believed has its points on the diagonal: above it more was
    replaced than it says, below it less. A point is a bin; the line through it is 95% of luck. Below
    the diagram, how many tokens each bin has, on a logarithmic scale: most are in the first, and a bin
    of few tokens says little. Pointing at a bin, or the arrow keys, gives its numbers.

    Args:
        calibrations: one, or a mapping from names to several.
        title: a line above the diagram.
        note: a line below the title.

    Raises:
        ValueError: there are more than ``MOST_SERIES``.
    """

    module_name = "calibration_chart"
    style_name = "calibration_chart.css"

    def __init__(
        self,
        calibrations: Calibration | Mapping[str, Calibration],
        *,
        title: str = "",
        note: str = "",
    ) -> None:
        super().__init__()
        self.update(calibrations, title=title, note=note)

    def update(
        self,
        calibrations: Calibration | Mapping[str, Calibration],
        *,
        title: str = "",
        note: str = "",
    ) -> None:
        """Draw other data; the arguments are those of the constructor, and so are the errors."""
        named = (
            dict(calibrations)
            if isinstance(calibrations, Mapping)
            else {"discriminator": calibrations}
        )
        if len(named) > MOST_SERIES:
            raise ValueError(
                f"There are {len(named)} calibrations; {MOST_SERIES} can be told apart."
            )
        self.calibrations, self.title, self.note = named, title, note
        self._push()

    def state(self) -> dict[str, Any]:
        return {
            **title_and_note(self.title, self.note),
            "most": max((int(one.counts.max()) for one in self.calibrations.values()), default=1),
            "series": [
                {
                    "name": visible(name),
                    **dict(zip(("colour", "dash", "shape"), look(number), strict=True)),
                    "summary": summary(one),
                    "bins": [
                        {
                            "from": float(one.edges[b]),
                            "to": float(one.edges[b + 1]),
                            "count": int(one.counts[b]),
                            **_point(one, b),
                            "text": f"{visible(name)}, {_said(one, b)}",
                        }
                        for b in range(len(one.counts))
                        if one.counts[b]
                    ],
                }
                for number, (name, one) in enumerate(self.calibrations.items())
            ],
        }

    def __repr__(self) -> str:
        """Each series with its errors and its bins."""
        lines = ["CalibrationChart: what was said of tokens, and the share that was replaced"]
        lines += [visible(line, 300) for line in (self.title, self.note) if line]
        for name, one in self.calibrations.items():
            lines.append(f"{visible(name)}: {summary(one)}")
            lines += [f"  {_said(one, b)}" for b in range(len(one.counts)) if one.counts[b]]
        return "\n  ".join(lines)

    def height(self) -> int:
        return 60 + _HEAD * self._head_lines() + _DIAGRAM + _BARS + 40 + 62 * len(self.calibrations)

    def figure(self) -> Figure:
        from .picture import new_figure, points

        head = _EDGE + _HEAD * self._head_lines()
        height = head + _DIAGRAM + _BARS + 70
        figure = new_figure(height)
        top = _EDGE + 8
        for text, size, colour, weight in (
            (self.title, 14, INK, "bold"),
            (self.note, 12, FAINT, "normal"),
        ):
            if text:
                figure.text(
                    _EDGE / 720,
                    1 - top / height,
                    visible(text, 100),
                    fontsize=points(size),
                    color=colour,
                    fontweight=weight,
                    va="center",
                )
                top += _HEAD
        left, wide = 62 / 720, 300 / 720
        above = figure.add_axes((left, (_BARS + 62) / height, wide, _DIAGRAM / height))
        below = figure.add_axes((left, 38 / height, wide, _BARS / height))
        above.plot([0, 1], [0, 1], color=FAINT, linewidth=points(1))
        for number, one in enumerate(self.calibrations.values()):
            self._draw_series(above, below, number, one)
        self._dress(above, below)
        self._draw_legend(figure, head, height)
        return figure

    def _draw_series(self, above: Any, below: Any, number: int, one: Calibration) -> None:
        from .picture import MARKERS, linestyle, points

        colour, dash, shape = look(number)
        full = one.counts > 0
        said, happened = one.said[full], one.happened[full]
        above.vlines(said, one.low[full], one.high[full], color=colour, linewidth=points(1.4))
        above.plot(
            said,
            happened,
            color=colour,
            linewidth=points(2),
            linestyle=linestyle(dash),
            marker=MARKERS[shape],
            markersize=points(8),
        )
        width = 0.9 / len(self.calibrations)
        wide = one.edges[1:] - one.edges[:-1]
        below.bar(
            one.edges[:-1] + wide * (0.05 + width * number),
            one.counts,
            width=wide * width,
            align="edge",
            color=colour,
        )

    def _dress(self, above: Any, below: Any) -> None:
        from .picture import points

        above.set(xlim=(0, 1), ylim=(0, 1), xticklabels=[])
        below.set(xlim=(0, 1), yscale="log")
        below.set_ylim(bottom=0.7)
        for axes, name in ((above, "really replaced"), (below, "tokens")):
            axes.set_facecolor("none")
            axes.set_ylabel(name, fontsize=points(12), color=INK)
            axes.tick_params(colors=FAINT, labelsize=points(11), length=0, labelcolor=FAINT)
            axes.grid(color="#e5e7eb", linewidth=0.6)
            axes.set_axisbelow(True)
            for side in axes.spines.values():
                side.set_visible(False)
        below.tick_params(which="minor", length=0)
        below.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        below.set_xlabel(
            "probability of being replaced, as it was said", fontsize=points(12), color=INK
        )

    def _draw_legend(self, figure: Figure, head: float | int, height: float | int) -> None:
        from .picture import key_mark, points

        left, top = 400.0, head + 14.0
        for number, (name, one) in enumerate(self.calibrations.items()):
            key_mark(figure, left / 720, 1 - top / height, *look(number))
            for row, text in enumerate((visible(name, 30), *summary(one).split("; "))):
                figure.text(
                    (left + (38 if row == 0 else 0)) / 720,
                    1 - (top + 19 * row) / height,
                    text,
                    fontsize=points(13 if row == 0 else 12),
                    color=INK if row == 0 else FAINT,
                    va="center_baseline",
                )
            top += 92

    def _head_lines(self) -> int:
        return bool(self.title) + bool(self.note)


def summary(one: Calibration) -> str:
    """The errors of a calibration, and what they were measured on."""
    area = "–" if math.isnan(one.area) else three_digits(one.area)
    return (
        f"expected calibration error {three_digits(one.expected_error)}; "
        f"Brier score {three_digits(one.brier)}, area under the curve {area}; "
        f"{int(one.counts.sum()):,} tokens, {three_digits(one.base_rate)} of them replaced"
    )


def _point(one: Calibration, b: int) -> dict[str, float]:
    names = ("said", "happened", "low", "high")
    return {name: round(float(getattr(one, name)[b]), 5) for name in names}


def _said(one: Calibration, b: int) -> str:
    return (
        f"{two_digits(one.edges[b])} to {two_digits(one.edges[b + 1])}: "
        f"{three_digits(one.said[b])} said, {three_digits(one.happened[b])} replaced "
        f"({two_digits(one.low[b])} to {two_digits(one.high[b])}), {int(one.counts[b]):,} tokens"
    )
