"""Curves of a training run, or of several."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from electra_lab.training.history import history_of
from electra_lab.training.metrics import main_of

from .base import View
from .palette import DISCRIMINATOR, FAINT, GENERATOR, INK, THIRD
from .projector import COLOURS, SHAPES
from .wording import visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_POINTS = 400  # per curve; a picture is not wider
MOST_STEPS = 1_600  # of all runs together
MOST_RUNS = 35  # colours and shapes together tell so many apart
_NOT_CURVES = {"step", "learning_rate", "seconds"}
_LOSSES = {
    "mlm_loss": ("Generator loss (MLM)", GENERATOR),
    "rtd_loss": ("Discriminator loss (RTD)", DISCRIMINATOR),
}
_VALIDATION = "validation_"
_MAIN = {"f1": "F1", "f1_micro": "F1, micro", "pearson": "Pearson correlation"}
_DASHES = ("", "7 3", "2 2.5", "9 3 2 3")
_PANEL, _HEAD, _EDGE = 190, 22, 12  # CSS pixels


@dataclass(frozen=True)
class Curve:
    """One line: a key of the rows, what it is called, how it looks; of several runs, which one's, by its
    number. ``dash`` and ``shape`` are "" for a plain line."""

    key: str
    label: str
    colour: str
    dash: str = ""
    shape: str = ""
    run: int = 0


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
    by ten. ROC AUC and accuracy appear where rows hold them; of a fine-tuning the task's main figure
    on the validation split (``training.metrics.main_metric``), which for entities is F1 and not the
    share of right words. Pointing at a step, or the arrow keys, shows its numbers in all panels. A
    slider smooths the curves, a button makes the axes of losses logarithmic.

    Several runs share the panels. Each has a colour, a dash pattern and a shape, named in the legend,
    whose entries hide and show their run.

    Args:
        history: a run, or a mapping from names to runs. A run is its rows as ``pretrain`` makes them,
            each a mapping with ``step`` and numbers, of which a row may lack what was not measured at
            its step; or what ``pretrain`` or ``finetune`` returned; or the folder of a run.
        title: a line above the curves.
        total_steps: where the run will end, if known; the axis then reaches to there.
        smoothing: from 0 to below 1: each point is the mean of those up to it, the weight of each this
            much times that of the one after it. What was measured stays visible behind, faintly.
        log_scale: logarithmic axes for losses.
        marked: a step that is marked by a line.

    Raises:
        ValueError: a row has no ``step``; ``smoothing`` is out of range; there are more than
            ``MOST_RUNS`` runs, or something is no run.
        FileNotFoundError: a folder holds no run.
    """

    module_name = "training_chart"
    style_name = "training_chart.css"

    def __init__(
        self,
        history: Any = (),
        *,
        title: str = "",
        total_steps: int | None = None,
        smoothing: float | int = 0.0,
        log_scale: bool = False,
        marked: int | None = None,
    ) -> None:
        super().__init__()
        if not 0 <= smoothing < 1:
            raise ValueError(f"smoothing is {smoothing}; it must be 0 or more, and below 1.")
        self.title, self.total_steps = title, total_steps
        self.smoothing, self.log_scale, self._marked = float(smoothing), log_scale, marked
        self.update(history)

    def update(self, history: Any) -> None:
        """Draw other rows; the errors are those of the constructor."""
        named = history if isinstance(history, Mapping) else {"": history}
        if len(named) > MOST_RUNS:
            raise ValueError(f"There are {len(named)} runs; {MOST_RUNS} can be told apart.")
        runs = {str(name): history_of(run) for name, run in named.items()}
        for name, rows in runs.items():
            for number, row in enumerate(rows):
                if "step" not in row:
                    of = f" of {visible(name)!r}" if name else ""
                    raise ValueError(
                        f"Row {number} of the history{of} has no 'step'; "
                        f"it has {', '.join(map(repr, row))}."
                    )
        self.runs = runs
        self._several = isinstance(history, Mapping)
        self._push()

    @property
    def history(self) -> list[dict[str, Any]]:
        """The rows of the only run; of several, those of the first. All are in ``runs``."""
        return next(iter(self.runs.values()), [])

    @property
    def marked(self) -> int | None:
        """The step that is marked by a line."""
        return self._marked

    @marked.setter
    def marked(self, step: int | None) -> None:
        self._marked = step
        self._push()

    def append(self, row: Mapping[str, Any], run: str = "") -> None:
        """Draw one row more, of a run by its name where runs have names."""
        rows = [*self.runs.get(run, []), row]
        self.update({**self.runs, run: rows} if self._several else rows)

    def panels(self) -> list[Panel]:
        """Which panels the rows ask for."""
        keys: dict[str, None] = {}
        for rows in self.runs.values():
            for row in rows:
                keys |= dict.fromkeys(k for k, value in row.items() if _number(value) is not None)
        found = [key for key in keys if key not in _NOT_CURVES]
        panels = self._panels_of_several(found) if self._several else _panels_of_one(found)
        if main := _main_key(found):
            name = main.removeprefix(_VALIDATION)
            panel = Panel(
                f"{_MAIN[name]} on the validation split",
                self._curves(main) if self._several else (Curve(main, _MAIN[name], DISCRIMINATOR),),
                "share",
                0.0 if name != "pearson" else None,
                1.0,
            )
            last = len(panels) - any(panel.form == "count" for panel in panels)
            panels.insert(last, panel)
        return panels

    def _panels_of_several(self, found: Sequence[str]) -> list[Panel]:
        """A panel for each key, with a curve of each run."""
        panels = []
        areas, accuracies = _areas(found), _accuracies(found)
        for key in found:
            if key == "loss" and set(found) & _LOSSES.keys():
                continue
            if key == "loss" or key.endswith("_loss"):
                title = _LOSSES.get(key, (_words(key).capitalize(), ""))[0]
                panels.append(Panel(title, self._curves(key), "loss"))
        for key in areas:
            title = _title(key, "ROC AUC", areas)
            panels.append(Panel(title, self._curves(key), "share", 0.5, 1.0))
        for key in accuracies:
            title = _title(key, "Accuracy", accuracies)
            panels.append(Panel(title, self._curves(key), "share", 0.0, 1.0))
        if "tokens_per_second" in found:
            curves = self._curves("tokens_per_second")
            panels.append(Panel("Speed (tokens per second)", curves, "count", 0.0))
        return panels

    def _curves(self, key: str) -> tuple[Curve, ...]:
        """The curve of each run that has this number."""
        return tuple(
            Curve(key, name, *look(number), run=number)
            for number, (name, rows) in enumerate(self.runs.items())
            if any(_number(row.get(key)) is not None for row in rows)
        )

    def state(self) -> dict[str, Any]:
        runs = self._thinned_runs()
        steps = sorted({int(row["step"]) for rows in runs for row in rows})
        at = [{int(row["step"]): row for row in rows} for rows in runs]
        panels = []
        for panel in self.panels():
            low, high = _range(panel, runs)
            panels.append(
                {
                    "title": visible(panel.title, 100),
                    "form": panel.form,
                    "low": low,
                    "high": high,
                    "lowest": _lowest(panel, runs),
                    "curves": [
                        {
                            "label": visible(curve.label),
                            "colour": curve.colour,
                            "dash": curve.dash,
                            "shape": curve.shape,
                            "run": curve.run,
                            "values": [
                                _number(at[curve.run].get(step, {}).get(curve.key))
                                for step in steps
                            ],
                        }
                        for curve in panel.curves
                    ],
                }
            )
        return {
            "title": visible(self.title, 300),
            "note": "" if steps else "Waiting for the first numbers.",
            "steps": steps,
            "last": max([*steps, self.total_steps or 0]),
            "marked": self.marked,
            "smoothing": self.smoothing,
            "log": self.log_scale,
            "runs": [
                {
                    "name": visible(name),
                    **dict(zip(("colour", "dash", "shape"), look(n), strict=True)),
                }
                for n, name in enumerate(self.runs)
            ]
            if self._several
            else [],
            "panels": panels,
        }

    def __repr__(self) -> str:
        """How many rows of what; no values, since they differ from machine to machine."""
        if self._several:
            lines = [f"TrainingChart: {len(self.runs)} runs"]
            lines += [f"{visible(name)}: {self._said(rows)}" for name, rows in self.runs.items()]
            return "\n  ".join(lines)
        return f"TrainingChart: {self._said(self.history)}"

    def _said(self, rows: Sequence[Mapping[str, Any]]) -> str:
        if not rows:
            return "no rows yet"
        shown = dict.fromkeys(curve.key for panel in self.panels() for curve in panel.curves)
        keys = [key for key in shown if any(_number(row.get(key)) is not None for row in rows)]
        return (
            f"{len(rows)} rows, steps {int(rows[0]['step'])} to {int(rows[-1]['step'])}; "
            f"{', '.join(map(visible, keys)) or 'no curves'}"
        )

    def height(self) -> int:
        legend = 24 * math.ceil(len(self.runs) / 3) if self._several else 0
        return 90 + legend + 190 * math.ceil(max(1, len(self.panels())) / 2)

    def figure(self) -> Figure:
        from .picture import new_figure, points

        panels, runs = self.panels(), self._thinned_runs()
        if not any(runs):
            from .picture import Canvas

            page = Canvas(_HEAD * 2 + _EDGE)
            page.heading(self.title, "No rows yet.", _EDGE, _HEAD)
            return page.figure
        head = _EDGE + (_HEAD if self.title else 0)
        legend = _HEAD * math.ceil(len(self.runs) / 3) if self._several else 0
        lines = math.ceil(max(1, len(panels)) / 2)
        height = head + legend + _PANEL * lines
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
        if self._several:
            self._draw_legend(figure, head, height)
        for number, panel in enumerate(panels):
            line, column = divmod(number, 2)
            left, top = 52 + 360 * column, head + legend + _PANEL * line + 26
            axes = figure.add_axes(
                (left / 720, 1 - (top + _PANEL - 62) / height, 290 / 720, (_PANEL - 62) / height)
            )
            self._draw_panel(axes, panel, runs)
        return figure

    def _draw_legend(self, figure: Figure, top: float | int, height: float | int) -> None:
        from .picture import key_mark, points

        for number, name in enumerate(self.runs):
            line, column = divmod(number, 3)
            middle = 1 - (top + _HEAD * (line + 0.5)) / height
            left = (_EDGE + 236 * column) / 720
            key_mark(figure, left, middle, *look(number))
            figure.text(
                left + 38 / 720,
                middle,
                visible(name, 20),
                fontsize=points(12.5),
                color=INK,
                va="center_baseline",
            )

    def _draw_panel(
        self, axes: Any, panel: Panel, runs: Sequence[Sequence[Mapping[str, Any]]]
    ) -> None:
        from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

        from .picture import MARKERS, linestyle, points

        axes.set_facecolor("none")
        axes.set_title(
            visible(panel.title, 60),
            loc="left",
            fontsize=points(12.5),
            fontweight="bold",
            color=INK,
            pad=6,
        )
        for curve in panel.curves:
            seen = [(row["step"], _number(row.get(curve.key))) for row in runs[curve.run]]
            drawn = [(step, value) for step, value in seen if value is not None]
            steps, values = [step for step, _ in drawn], [value for _, value in drawn]
            if self.smoothing:
                axes.plot(steps, values, color=curve.colour, linewidth=points(1), alpha=0.3)
            apart = max(1, len(drawn) // 6)
            axes.plot(
                steps,
                smoothed(values, self.smoothing),
                color=curve.colour,
                linewidth=points(2),
                linestyle=linestyle(curve.dash),
                marker=MARKERS[curve.shape] if curve.shape else "o" if len(drawn) < 3 else "",
                markevery=(min(curve.run % 3, len(drawn) - 1), apart) if curve.shape else None,
                markersize=points(7) if curve.shape else 3,
                label=visible(curve.label),
            )
        last = max([*(int(row["step"]) for rows in runs for row in rows), self.total_steps or 0])
        if self.marked is not None:
            axes.axvline(self.marked, color=INK, linewidth=points(1.2))
        axes.set_xlim(0, max(1, last))
        low, high = _range(panel, runs)
        lowest = _lowest(panel, runs)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 2.5, 5, 10]))
        if self.log_scale and lowest is not None:
            axes.set_yscale("log")
            axes.set_ylim(lowest / 1.1, high)
            axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=6))
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
            axes.yaxis.set_minor_formatter(NullFormatter())
        else:
            axes.set_ylim(low, high)
            axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
            if panel.form == "count":
                axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.tick_params(
            colors=FAINT, labelsize=points(11), length=0, labelcolor=FAINT, which="both"
        )
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.grid(axis="y", color="#e5e7eb", linewidth=0.6)
        for side in axes.spines.values():
            side.set_visible(False)
        if len(panel.curves) > 1 and not self._several:
            axes.legend(
                fontsize=points(11), frameon=False, labelcolor=INK, handlelength=1.6, loc="best"
            )

    def _thinned_runs(self) -> list[Sequence[dict[str, Any]]]:
        most = min(MOST_POINTS, MOST_STEPS // max(1, len(self.runs)))
        return [_thinned(rows, most) for rows in self.runs.values()]


def smoothed(values: Sequence[float], amount: float) -> list[float]:
    """Means of the values up to each, the weight of one ``amount`` times that of the one after it."""
    total = weight = 0.0
    means = []
    for value in values:
        total, weight = amount * total + value, amount * weight + 1
        means.append(total / weight)
    return means


def _panels_of_one(found: Sequence[str]) -> list[Panel]:
    panels = []
    losses = [key for key in found if key.endswith("_loss")]
    if "loss" in found and not set(losses) - {"validation_loss"}:
        both = [Curve("loss", "loss", THIRD)]
        both += [Curve(key, _words(key), DISCRIMINATOR, _DASHES[1]) for key in losses]
        panels.append(Panel("Loss", tuple(both), "loss"))
        losses = []
    for key in losses:
        title, colour = _LOSSES.get(key, (_words(key), DISCRIMINATOR))
        panels.append(Panel(title, (Curve(key, _words(key), colour),), "loss"))
    if areas := _areas(found):
        panels.append(Panel("ROC AUC", _several(areas), "share", 0.5, 1.0))
    if shares := _accuracies(found):
        panels.append(Panel("Accuracy", _several(shares), "share", 0.0, 1.0))
    if "tokens_per_second" in found:
        curve = Curve("tokens_per_second", "tokens/s", THIRD)
        panels.append(Panel("Speed (tokens per second)", (curve,), "count", 0.0))
    return panels


def _main_key(found: Sequence[str]) -> str | None:
    """Of a fine-tuning's figures the main one, where it is another than accuracy."""
    figures = [key.removeprefix(_VALIDATION) for key in found if key.startswith(_VALIDATION)]
    main = main_of(figures)
    return None if main in (None, "accuracy") else f"{_VALIDATION}{main}"


def _areas(found: Sequence[str]) -> list[str]:
    """Areas under a ROC curve."""
    return [key for key in found if "auc" in key.lower()]


def _accuracies(found: Sequence[str]) -> list[str]:
    """Shares of right answers; not where another figure is the task's main one and this one misleads."""
    hidden = {f"{_VALIDATION}accuracy"} if _main_key(found) else set()
    return [key for key in found if "accuracy" in key.lower() and key not in hidden]


def _several(keys: Sequence[str]) -> tuple[Curve, ...]:
    """Curves of one panel: the discriminator's colour, then others, every second one dashed."""
    colours = (DISCRIMINATOR, THIRD, GENERATOR)
    return tuple(
        Curve(key, _words(key), colours[i % 3], _DASHES[i % 2]) for i, key in enumerate(keys)
    )


def look(run: int) -> tuple[str, str, str]:
    """Colour, dash pattern and shape of a run, by its number."""
    return COLOURS[run % len(COLOURS)], _DASHES[run % len(_DASHES)], SHAPES[run % len(SHAPES)]


def _words(key: str) -> str:
    return key.replace("_", " ")


def _title(key: str, kind: str, keys: Sequence[str]) -> str:
    """``Accuracy: validation accuracy``; the kind alone where there is one of it only."""
    return kind if len(keys) == 1 else f"{kind}: {_words(key)}"


def _number(value: object) -> float | None:
    """A finite number, or None: JSON has no NaN, and a curve no place for it."""
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def _thinned(rows: Sequence[dict[str, Any]], most: int) -> Sequence[dict[str, Any]]:
    """At most so many rows, evenly apart, the last one always among them."""
    apart = math.ceil(len(rows) / most)
    return rows if apart <= 1 else rows[(len(rows) - 1) % apart :: apart]


def _values(panel: Panel, runs: Sequence[Sequence[Mapping[str, Any]]]) -> list[float]:
    return [
        number
        for curve in panel.curves
        for row in runs[curve.run]
        if (number := _number(row.get(curve.key))) is not None
    ]


def _lowest(panel: Panel, runs: Sequence[Sequence[Mapping[str, Any]]]) -> float | None:
    """The smallest number of a panel that may have a logarithmic axis; else None."""
    values = _values(panel, runs)
    if panel.form != "loss" or not values or min(values) <= 0:
        return None
    return min(values)


def _range(panel: Panel, runs: Sequence[Sequence[Mapping[str, Any]]]) -> tuple[float, float]:
    values = _values(panel, runs)
    low = min([*values, *([] if panel.low is None else [panel.low])])
    high = max([*values, *([] if panel.high is None else [panel.high])])
    room = 0.06 * (high - low) or 0.5 * abs(high) or 1.0
    return (
        low if low == panel.low else low - room,
        high if high == panel.high else high + room,
    )
