"""Every bundled set and its twin in the micro-world, learned with pre-training and without.

Mini learns the sets themselves, micro their twins, with the settings that ``electra-lab finetune``
chooses when none are given, so that it gives the same figures; beside them what the simplest rules reach
on the same rows of test. Each set is written as soon as it is measured: a run may be stopped, and made
in pieces.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from electra_lab.checkpoints.resources import data_path
from electra_lab.devices import default_device
from electra_lab.text.tasks import TaskData, load_task_data
from electra_lab.text.tasks.bundled import TWIN_PREFIX
from electra_lab.training.finetuning import SeedsResult, finetune_seeds
from electra_lab.training.metrics import Metrics, baseline_metrics, main_metric

from .report import heading, write
from .task_results import (
    COMMAND,
    SIDES,
    data_names,
    learning_curve_figure,
    load_results,
    results_table,
    summary_table,
)

__all__ = ["learning_curve_figure", "load_results", "results_table", "run", "summary_table"]

Point = dict[str, Any]
CURVE_SHARES = (1 / 8, 1 / 4, 1 / 2)
"""Parts of train that a learning curve has, beside the whole."""
PACKAGES = ("datasets", "scikit-learn", "seqeval", "tokenizers")
TWIN_TRAIN_SIZES = {
    "sentiment": 600,
    "emotions": 2000,
    "similarity": 2000,
    "entailment": 2000,
    "named_entities": 300,
    "parts_of_speech": 300,
    "reading_comprehension": 2000,
    "continuations": 300,
}
"""Rows of train with which micro leaves every simple rule behind, at the smallest cost. 300 do for tags
and continuations. They do not for similarity and emotions, and only just for sentiment, which 600
settle. The others get 2,000: from there on the settings ask for half the epochs in batches twice as
large, so that 1,000 would cost more."""


def run(
    data: Iterable[str] = (),
    seeds: Sequence[int] = (0, 1, 2),
    *,
    curve: bool = False,
    train_size: int | None = None,
    test_size: int | None = None,
    output: str | Path | None = None,
    progress: bool = True,
) -> dict[str, Any]:
    """Measure sets one after the other, merge each into the results, and print a table of all.

    Args:
        data: names of bundled sets or of twins ("microworld/sentiment"); none: all sixteen.
        seeds: one run of each side for each.
        curve: learn from parts of train too, see ``CURVE_SHARES``.
        train_size, test_size: rows of the twins; default: ``TWIN_TRAIN_SIZES``, and 500.
        output: the JSON file; default: ``results/tasks.json`` in the package's data. What it holds of
            other sets stays.
        progress: show what is being measured, and bars.

    Returns:
        What is written, see ``load_results``.

    Raises:
        ValueError: there is no such data; there are no seeds; a size is given for a set that is no twin;
            the file is there and is not a report.
    """
    names = list(dict.fromkeys(data)) or data_names()
    sizes = {"train_size": train_size, "test_size": test_size}
    given = {option: rows for option, rows in sizes.items() if rows is not None}
    _check(names, seeds, given)
    file = data_path("results", "tasks.json") if output is None else Path(output)
    report = load_results(file)  # before anything long, in case it is refused
    for name in names:
        read, model = _read(name, given), model_for(name)
        sides = {}
        for side, title in SIDES.items():
            if progress:
                print(f"{name}: {model} {title}, {len(read.train):,} rows, {len(seeds)} seeds ...")
            sides[side] = _learn(read, model, seeds, side, progress)
        entry = _entry(name, model, read, seeds, sides)
        whole = _point(len(read.train), entry)
        entry["learning_curve"] = _still_true(load_results(file)["tasks"].get(name), whole)
        report = _merge(name, entry, given, file)
        if curve:
            if progress:
                print(f"{name}: parts of train ...")
            parts = [_part(read, model, seeds, share, progress) for share in CURVE_SHARES]
            entry["learning_curve"] = [*parts, whole]
            report = _merge(name, entry, given, file)
    print(summary_table(report))
    return report


def model_for(name: str) -> str:
    """Whose encoder learns this data."""
    return "micro" if name.startswith(TWIN_PREFIX) else "mini"


def _check(names: Sequence[str], seeds: Sequence[int], sizes: Mapping[str, int]) -> None:
    unknown = [name for name in names if name not in data_names()]
    if unknown:
        raise ValueError(
            f"There is no data {unknown[0]!r} to measure; there are {', '.join(data_names())}."
        )
    if not seeds:
        raise ValueError("There are no seeds; give at least one, for example seeds=(0, 1, 2).")
    fixed = [name for name in names if not name.startswith(TWIN_PREFIX)]
    if sizes and fixed:
        raise ValueError(
            f"{' and '.join(sizes)}: {fixed[0]} has the rows that it has. Sizes are for the twins; name "
            f"those that you want, such as {TWIN_PREFIX}{fixed[0]}."
        )


def _read(name: str, sizes: Mapping[str, int]) -> TaskData:
    if not name.startswith(TWIN_PREFIX):
        return load_task_data(name)
    usual = TWIN_TRAIN_SIZES[name.removeprefix(TWIN_PREFIX)]
    options: dict[str, Any] = {"train_size": usual, **sizes}
    return load_task_data(name, **options)


def _learn(
    data: TaskData, model: str, seeds: Sequence[int], side: str, progress: bool
) -> SeedsResult:
    return finetune_seeds(
        data,
        model,
        seeds=seeds,
        from_scratch=side == "from_scratch",
        device=default_device(),
        progress=progress,
    )


def _entry(
    name: str, model: str, data: TaskData, seeds: Sequence[int], sides: Mapping[str, SeedsResult]
) -> dict[str, Any]:
    settings = {side: asdict(result.results[0].settings) for side, result in sides.items()}
    usual = {key: value for key, value in settings["pretrained"].items() if key != "seed"}
    return {
        "model": model,
        "metric": main_metric(data),
        "train": len(data.train),
        "test": len(data.test),
        "settings": usual,
        "baselines": {title: _rounded(f) for title, f in baseline_metrics(data).items()},
        **{
            side: {
                "seeds": list(seeds),
                "metrics": [_rounded(one.metrics) for one in result.results],
                "mean": _rounded(result.mean),
                "spread": _rounded(result.spread),
                "seconds": round(sum(r.seconds for r in result.results) / len(seeds), 1),
                "other_settings": {
                    k: settings[side][k] for k in usual if settings[side][k] != usual[k]
                },
            }
            for side, result in sides.items()
        },
        "learning_curve": [],
    }


def _rounded(figures: Metrics) -> Metrics:
    return {name: round(value, 4) for name, value in figures.items()}


def _point(rows: int, entry: Mapping[str, Any]) -> Point:
    """The place of a whole set in its learning curve."""
    values = {
        side: [figures[entry["metric"]] for figures in entry[side]["metrics"]] for side in SIDES
    }
    return {"train": rows, **values}


def _part(data: TaskData, model: str, seeds: Sequence[int], share: float, progress: bool) -> Point:
    """What is learned from a part of train, another one with each seed, the same for both sides."""
    rows = max(round(share * len(data.train)), 1)
    point: Point = {"train": rows}
    for side in SIDES:
        learned = (
            _learn(data.with_train_size(rows, seed), model, [seed], side, progress)
            for seed in seeds
        )
        point[side] = [round(one.mean[main_metric(data)], 4) for one in learned]
    return point


def _still_true(before: Mapping[str, Any] | None, whole: Point) -> list[Point]:
    """The curve of an earlier run, if that found the same with all rows: then model, data and settings
    are the same still."""
    curve: list[Point] = before["learning_curve"] if before else []
    return curve if curve and curve[-1] == whole else []


def _merge(
    name: str, entry: dict[str, Any], sizes: Mapping[str, int], file: Path
) -> dict[str, Any]:
    """Write one set into the results, as they lie there now: another process may have been at work."""
    options = ["--data", name]
    count = len(entry["pretrained"]["seeds"])
    options += ["--seeds", str(count)] * (count != 3)
    options += ["--curve"] * bool(entry["learning_curve"])
    for option, rows in sizes.items():
        options += [f"--{option.replace('_', '-')}", str(rows)]
    about = {**heading(COMMAND, PACKAGES), "device": str(default_device())}
    known = {
        **load_results(file)["tasks"],
        name: {**about, "command": " ".join([COMMAND, *options]), **entry},
    }
    report = {**about, "tasks": {one: known[one] for one in sorted(known, key=_place)}}
    write(report, "tasks", file)
    return report


def _place(name: str) -> tuple[int, str]:
    """In the order of the bundled sets; what is not known comes last."""
    names = data_names()
    return (names.index(name) if name in names else len(names), name)
