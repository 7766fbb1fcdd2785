"""Curves of a training run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .base import View
from .palette import DISCRIMINATOR, FAINT, GENERATOR, INK, THIRD
from .wording import visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_POINTS = 400  # per curve; a picture is not wider
_NOT_CURVES = {"step", "learning_rate", "seconds"}
_LOSSES = {
    "mlm_loss": ("Generator loss (MLM)", GENERATOR),
    "rtd_loss": ("Discriminator loss (RTD)", DISCRIMINATOR),
}
_PANEL, _HEAD, _EDGE = 190, 22, 12  # CSS pixels


@dataclass(frozen=True)
class Curve:
    """One line: a key of the rows, what it is called, how it looks."""

    key: str
    label: str
    colour: str
    dashed: bool = False


@dataclass(frozen=True)
class Panel:
    """Curves that share an axis. ``low`` and ``high`` are in sight whatever the values are."""

    title: str
    curves: tuple[Curve, ...]
    form: str  # "loss", "share" or "count": how numbers are written
    low: float | None = None
    high: float | None = None


class TrainingChart(View):
    """The rows of a training history as curves, a panel for each kind of number.

    The generator's and the discriminator's loss have panels of their own, since their scales differ
    by ten. ROC AUC and accuracy appear where rows hold them. Pointing at a step, or the arrow keys,
    shows its numbers in all panels.

    Args:
        history: rows as ``pretrain`` makes them: each a mapping with ``step`` and numbers. A row
            may lack what was not measured at its step.
        title: a line above the curves.
        total_steps: where the run will end, if known; the axis then reaches to there.

    Raises:
        ValueError: a row has no ``step``.
    """

    module_name = "training_chart"

    def __init__(
        self,
        history: Iterable[Mapping[str, Any]] = (),
        *,
        title: str = "",
        total_steps: int | None = None,
    ) -> None:
        super().__init__()
        self.title, self.total_steps = title, total_steps
        self.update(history)

    def update(self, history: Iterable[Mapping[str, Any]]) -> None:
        """Draw other rows; the errors are those of the constructor."""
        rows = [dict(row) for row in history]
        for number, row in enumerate(rows):
            if "step" not in row:
                raise ValueError(
                    f"Row {number} of the history has no 'step'; it has {', '.join(map(repr, row))}."
                )
        self.history = rows
        self._push()

    def append(self, row: Mapping[str, Any]) -> None:
        """Draw one row more."""
        self.update([*self.history, row])

    def panels(self) -> list[Panel]:
        """Which panels the rows ask for."""
        keys: dict[str, None] = {}
        for row in self.history:
            keys |= dict.fromkeys(key for key, value in row.items() if _number(value) is not None)
        found = [key for key in keys if key not in _NOT_CURVES]
        panels = []
        losses = [key for key in found if key.endswith("_loss")]
        if "loss" in found and not set(losses) - {"validation_loss"}:
            both = [Curve("loss", "loss", THIRD)]
            both += [Curve(key, _words(key), DISCRIMINATOR, dashed=True) for key in losses]
            panels.append(Panel("Loss", tuple(both), "loss"))
            losses = []
        for key in losses:
            title, colour = _LOSSES.get(key, (_words(key), DISCRIMINATOR))
            panels.append(Panel(title, (Curve(key, _words(key), colour),), "loss"))
        if areas := [key for key in found if "auc" in key.lower()]:
            panels.append(Panel("ROC AUC", _several(areas), "share", 0.5, 1.0))
        if shares := [key for key in found if "accuracy" in key.lower()]:
            panels.append(Panel("Accuracy", _several(shares), "share", 0.0, 1.0))
        if "tokens_per_second" in found:
            curve = Curve("tokens_per_second", "tokens/s", THIRD)
            panels.append(Panel("Speed (tokens per second)", (curve,), "count", 0.0))
        return panels

    def state(self) -> dict[str, Any]:
        rows = _thinned(self.history)
        steps = [int(row["step"]) for row in rows]
        panels = []
        for panel in self.panels():
            low, high = _range(panel, rows)
            panels.append(
                {
                    "title": panel.title,
                    "form": panel.form,
                    "low": low,
                    "high": high,
                    "curves": [
                        {
                            "label": visible(curve.label),
                            "colour": curve.colour,
                            "dashed": curve.dashed,
                            "values": [_number(row.get(curve.key)) for row in rows],
                        }
                        for curve in panel.curves
                    ],
                }
            )
        return {
            "title": visible(self.title, 300),
            "note": "" if rows else "Waiting for the first numbers.",
            "steps": steps,
            "last": max([*steps, self.total_steps or 0]),
            "panels": panels,
        }

    def __repr__(self) -> str:
        """How many rows of what; no values, since they differ from machine to machine."""
        if not self.history:
            return "TrainingChart: no rows yet"
        steps = [int(row["step"]) for row in self.history]
        curves = [visible(curve.key) for panel in self.panels() for curve in panel.curves]
        return (
            f"TrainingChart: {len(steps)} rows, steps {steps[0]} to {steps[-1]}; "
            f"{', '.join(curves) or 'no curves'}"
        )

    def height(self) -> int:
        return 60 + 190 * math.ceil(max(1, len(self.panels())) / 2)

    def figure(self) -> Figure:
        from .picture import new_figure, points

        panels = self.panels()
        if not self.history:
            from .picture import Canvas

            page = Canvas(_HEAD * 2 + _EDGE)
            page.heading(self.title, "No rows yet.", _EDGE, _HEAD)
            return page.figure
        head = _EDGE + (_HEAD if self.title else 0)
        lines = math.ceil(max(1, len(panels)) / 2)
        height = head + _PANEL * lines
        figure = new_figure(height)
        if self.title:
            figure.text(
                _EDGE / 720,
                1 - (_EDGE + 8) / height,
                visible(self.title, 100),
                fontsize=points(14),
                fontweight="bold",
                color=INK,
                va="center",
            )
        rows = _thinned(self.history)
        for number, panel in enumerate(panels):
            line, column = divmod(number, 2)
            left, top = 52 + 360 * column, head + _PANEL * line + 26
            axes = figure.add_axes(
                (left / 720, 1 - (top + _PANEL - 62) / height, 290 / 720, (_PANEL - 62) / height)
            )
            self._draw_panel(axes, panel, rows)
        return figure

    def _draw_panel(self, axes: Any, panel: Panel, rows: Sequence[Mapping[str, Any]]) -> None:
        from matplotlib.ticker import MaxNLocator

        from .picture import points

        axes.set_facecolor("none")
        axes.set_title(
            panel.title, loc="left", fontsize=points(12.5), fontweight="bold", color=INK, pad=6
        )
        for curve in panel.curves:
            seen = [(row["step"], _number(row.get(curve.key))) for row in rows]
            drawn = [(step, value) for step, value in seen if value is not None]
            axes.plot(
                [step for step, _ in drawn],
                [value for _, value in drawn],
                color=curve.colour,
                linewidth=points(2),
                linestyle="--" if curve.dashed else "-",
                marker="o" if len(drawn) < 3 else "",
                markersize=3,
                label=visible(curve.label),
            )
        last = max([*(int(row["step"]) for row in rows), self.total_steps or 0])
        axes.set_xlim(0, max(1, last))
        axes.set_ylim(*_range(panel, rows))
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 2.5, 5, 10]))
        axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
        axes.tick_params(colors=FAINT, labelsize=points(11), length=0, labelcolor=FAINT)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        if panel.form == "count":
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.grid(axis="y", color="#e5e7eb", linewidth=0.6)
        for side in axes.spines.values():
            side.set_visible(False)
        if len(panel.curves) > 1:
            axes.legend(
                fontsize=points(11), frameon=False, labelcolor=INK, handlelength=1.6, loc="best"
            )


def _several(keys: Sequence[str]) -> tuple[Curve, ...]:
    """Curves of one panel: the discriminator's colour, then others, every second one dashed."""
    colours = (DISCRIMINATOR, THIRD, GENERATOR)
    return tuple(
        Curve(key, _words(key), colours[i % 3], dashed=i % 2 == 1) for i, key in enumerate(keys)
    )


def _words(key: str) -> str:
    return key.replace("_", " ")


def _number(value: object) -> float | None:
    """A finite number, or None: JSON has no NaN, and a curve no place for it."""
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def _thinned(rows: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """At most ``MOST_POINTS`` rows, evenly apart, the last one always among them."""
    apart = math.ceil(len(rows) / MOST_POINTS)
    return rows if apart <= 1 else rows[(len(rows) - 1) % apart :: apart]


def _range(panel: Panel, rows: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    values = [
        number
        for row in rows
        for curve in panel.curves
        if (number := _number(row.get(curve.key))) is not None
    ]
    low = min([*values, *([] if panel.low is None else [panel.low])])
    high = max([*values, *([] if panel.high is None else [panel.high])])
    room = 0.06 * (high - low) or 0.5 * abs(high) or 1.0
    return (
        low if low == panel.low else low - room,
        high if high == panel.high else high + room,
    )
