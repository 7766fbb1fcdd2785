"""Labelled data: one schema for each type of task, read from wherever it lies.

The modules in reading order: ``schema`` (what comes out), ``errors`` (what a wrong row says),
``files`` and ``spans`` (rows as they lie), ``sequences``, ``tokens``, ``questions`` and ``choices``
(from rows as they lie to the schema), ``bundled``, ``sources`` (the one function that reads any of
them) and ``baselines``.
"""

from electra_lab.text.tasks.schema import PROBLEM_TYPES, TASK_TYPES, TaskData, make_dataset

__all__ = ["PROBLEM_TYPES", "TASK_TYPES", "TaskData", "make_dataset"]
