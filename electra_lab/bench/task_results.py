"""The results of ``electra-lab bench tasks``, as a notebook shows them: a table and a learning curve."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from electra_lab.checkpoints.resources import data_path
from electra_lab.text.tasks.bundled import BUNDLED, TWIN_PREFIX

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from electra_lab.inside.views.described import DescribedFigure

COMMAND = "electra-lab bench tasks"
SIDES = {"from_scratch": "from scratch", "pretrained": "pre-trained"}
LEAST_GAP = 0.055
"""Between the names of two baselines, in heights of the axes."""


def data_names() -> list[str]:
    """What is measured: every bundled set and every twin of one."""
    return [*BUNDLED, *(TWIN_PREFIX + name for name in BUNDLED)]


def load_results(file: str | Path | None = None) -> dict[str, Any]:
    """What ``electra-lab bench tasks`` has measured so far.

    Args:
        file: default: ``results/tasks.json`` in the package's data.

    Returns:
        ``tasks``: by data name ("sentiment", "microworld/sentiment") the ``model``, its ``metric``, rows
        of ``train`` and ``test``, ``settings``, the figures of the ``baselines`` and of both sides,
        ``from_scratch`` and ``pretrained`` (``metrics`` of each of the ``seeds``, ``mean``, ``spread``,
        mean ``seconds`` of a run), the ``learning_curve``, and its own ``command`` and ``date``. Beside
        it what the last run said of itself. With no file, ``tasks`` is empty.

    Raises:
        ValueError: the file is not such a report.
    """
    path = data_path("results", "tasks.json") if file is None else Path(file)
    if not path.is_file():
        return {"tasks": {}}
    try:
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(report["tasks"], dict):
            return report
    except (KeyError, TypeError, ValueError):
        pass
    raise ValueError(
        f"{path} is not a report of `{COMMAND}`: expected a JSON object with tasks. Move it away, or "
        "give another file."
    )


def results_table(name: str, file: str | Path | None = None) -> str:
    """The figures of one set as text: baselines, from scratch, pre-trained, with mean and standard
    deviation over the seeds. Where there are none yet, a sentence that says which command makes them.

    Args:
        name: of the data, as ``data_for`` gives it.
        file: as ``load_results`` takes it.

    Raises:
        ValueError: there is no such data, or the file is not a report.
    """
    found = _found(name, file)
    if found is None:
        return missing(name)
    metric = found["metric"]
    kinds = [metric]
    kinds += [k for k in found["pretrained"]["mean"] if "threshold" not in k and k != metric]
    kinds = _without_copies(kinds, found)
    rows = {
        title.replace("_", " "): [_number(figures.get(kind)) for kind in kinds]
        for title, figures in found["baselines"].items()
    }
    for side, title in SIDES.items():
        mean, spread = found[side]["mean"], found[side]["spread"]
        rows[title] = [_with_spread(mean.get(k), spread.get(k)) for k in kinds]
    left = max(map(len, rows)) + 2
    widths = [max(len(kind), 13) + 2 for kind in kinds]
    lines = [
        f"{name}: {found['model']} on {found['test']:,} rows of test, "
        f"learned from {found['train']:,} of train",
        " " * left + "".join(f"{k:>{w}}" for k, w in zip(kinds, widths, strict=True)),
    ]
    for title, cells in rows.items():
        line = "".join(f"{cell:>{w}}" for cell, w in zip(cells, widths, strict=True))
        lines.append(f"{title:{left}}{line}".rstrip())
    lines.append(
        f"± standard deviation over {len(found['pretrained']['seeds'])} seeds; "
        f"{found['command']}, {found['date']}"
    )
    return "\n".join(lines)


def summary_table(report: dict[str, Any]) -> str:
    """A line for each set: its metric, the best baseline, from scratch and pre-trained."""
    lines = [
        f"{'':34}{'metric':>10}{'best baseline':>16}"
        + "".join(f"{title:>16}" for title in SIDES.values())
    ]
    for name, found in report["tasks"].items():
        metric = found["metric"]
        sides = (
            _with_spread(found[side]["mean"][metric], found[side]["spread"][metric])
            for side in SIDES
        )
        lines.append(
            f"{name:34}{metric:>10}{best_baseline(found)[1]:16.3f}"
            + "".join(f"{cell:>16}" for cell in sides)
        )
    return "\n".join(lines)


def best_baseline(found: dict[str, Any]) -> tuple[str, float]:
    """Name and main figure of the baseline to beat, of one entry of ``tasks``."""
    metric = found["metric"]
    values = {name: figures[metric] for name, figures in found["baselines"].items()}
    best = max(values, key=lambda name: values[name])
    return best, values[best]


def learning_curve_figure(name: str, file: str | Path | None = None) -> DescribedFigure | None:
    """What more rows of train are worth, with pre-training and without; the last line of a cell shows
    it.

    Means are joined by lines, each seed is a point, each baseline (learned from all rows) a dashed line.
    Where no curve was measured yet, None, and a sentence is printed that says which command does it.

    Args:
        name: of the data, as ``data_for`` gives it.
        file: as ``load_results`` takes it.

    Raises:
        ValueError: there is no such data, or the file is not a report.
    """
    from electra_lab.inside.views.described import DescribedFigure
    from electra_lab.inside.views.palette import DISCRIMINATOR, INK
    from electra_lab.inside.views.picture import new_figure

    found = _found(name, file)
    if found is None or not found["learning_curve"]:
        print(missing(name, curve=True))
        return None
    figure = new_figure(330)
    axes = figure.add_axes((0.09, 0.16, 0.66, 0.74))
    sizes = [point["train"] for point in found["learning_curve"]]
    styles = {"pretrained": (DISCRIMINATOR, "o"), "from_scratch": (INK, "s")}
    for side, (colour, marker) in styles.items():
        seeds = [point[side] for point in found["learning_curve"]]
        means = [sum(values) / len(values) for values in seeds]
        axes.plot(sizes, means, color=colour, marker=marker, label=SIDES[side])
        for size, values in zip(sizes, seeds, strict=True):
            axes.plot([size] * len(values), values, color=colour, marker=marker, ls="", ms=4,
                      alpha=0.45, gid=f"seeds of {side}")  # fmt: skip
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.minorticks_off()
    axes.set_xlabel("rows of train")
    axes.set_ylabel(f"{found['metric']} on test")
    axes.set_title(f"{name}, {found['model']}", loc="left", fontsize=10)
    axes.legend(loc="best", fontsize=8, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    _draw_baselines(axes, found)
    return DescribedFigure(figure, _description(name, found))


def missing(name: str, *, curve: bool = False) -> str:
    """What to say where nothing was measured yet."""
    what = "is no learning curve" if curve else "are no results"
    return f"There {what} for {name} yet. Make it with: {COMMAND} --data {name}" + (
        " --curve" if curve else ""
    )


def _found(name: str, file: str | Path | None) -> dict[str, Any] | None:
    tasks: dict[str, dict[str, Any]] = load_results(file)["tasks"]
    if name not in tasks and name not in data_names():
        raise ValueError(
            f"There is no data {name!r} to measure; there are {', '.join(data_names())}."
        )
    return tasks.get(name)


def _without_copies(kinds: list[str], found: dict[str, Any]) -> list[str]:
    """With one class a row, micro-averaged F1 is accuracy: the same column twice says nothing."""
    is_copy = found["metric"] == "accuracy" and "f1_micro" in kinds
    return [kind for kind in kinds if not (is_copy and kind == "f1_micro")]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _with_spread(mean: float | None, spread: float | None) -> str:
    return "" if mean is None else f"{mean:.3f} ± {spread or 0.0:.3f}"


def _draw_baselines(axes: Axes, found: dict[str, Any]) -> None:
    """Dashed lines, named at the right; names that would touch are moved apart."""
    from electra_lab.inside.views.palette import FAINT

    metric = found["metric"]
    values = {name: figures[metric] for name, figures in found["baselines"].items()}
    for value in values.values():
        axes.axhline(value, color=FAINT, linestyle="--", linewidth=1, gid="baseline")
    low, high = axes.get_ylim()
    named = sorted(values.items(), key=lambda entry: entry[1])
    heights = _apart([(value - low) / (high - low) for _, value in named])
    for (name, value), height in zip(named, heights, strict=True):
        label = f"{name.replace('_', ' ')} {value:.3f}"
        axes.annotate(label, (1.02, height), xycoords="axes fraction", fontsize=8, va="center",
                      color=FAINT)  # fmt: skip


def _apart(heights: list[float]) -> list[float]:
    """Rising heights of 0 to 1, moved until neighbours are ``LEAST_GAP`` apart: up, and from the top
    down again."""
    moved: list[float] = []
    for height in heights:
        moved.append(max(height, moved[-1] + LEAST_GAP) if moved else height)
    highest = 1.0
    for number in range(len(moved) - 1, -1, -1):
        moved[number] = min(moved[number], highest)
        highest = moved[number] - LEAST_GAP
    return moved


def _description(name: str, found: dict[str, Any]) -> str:
    """True of whatever was measured, since it is worked out from it."""
    curve = found["learning_curve"]

    def mean(point: dict[str, Any], side: str) -> float:
        return float(sum(point[side]) / len(point[side]))

    above = sum(mean(point, "pretrained") > mean(point, "from_scratch") for point in curve)
    where = {0: "at no size", len(curve): "at every size"}.get(
        above, f"at {above} of {len(curve)} sizes"
    )
    over = [
        title for side, title in SIDES.items() if mean(curve[-1], side) > best_baseline(found)[1]
    ]
    best = f"above the best baseline: {' and '.join(over)}" if over else "none above every baseline"
    return (
        f"Learning curves for {name}: {found['metric']} on test against rows of train, on a "
        "logarithmic axis, pre-trained and from scratch, each a line through the means with every seed "
        f"as a point. The pre-trained line is higher {where}. Dashed lines are baselines learned from "
        f"all rows; with all rows, {best}."
    )
