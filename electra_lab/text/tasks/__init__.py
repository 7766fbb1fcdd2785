"""Labelled data: one schema for each type of task, read from wherever it lies.

The modules in reading order: ``schema`` (what comes out), ``errors`` (what is said about a bad row),
``files`` and ``columns`` (rows as they lie), ``sequences``, ``tokens`` with ``spans``, ``questions`` and
``choices`` (from there to the schema), ``bundled``, ``sources`` (the one function that reads any of
them) and ``baselines`` (what the simplest rules reach).
"""

from electra_lab.text.tasks.baselines import baseline_predictions
from electra_lab.text.tasks.bundled import bundled_tasks, data_for
from electra_lab.text.tasks.errors import BadRowError
from electra_lab.text.tasks.schema import PROBLEM_TYPES, TASK_TYPES, TaskData, make_dataset
from electra_lab.text.tasks.sources import load_task_data

__all__ = [
    "PROBLEM_TYPES",
    "TASK_TYPES",
    "BadRowError",
    "TaskData",
    "baseline_predictions",
    "bundled_tasks",
    "data_for",
    "load_task_data",
    "make_dataset",
]
