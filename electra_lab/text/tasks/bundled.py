"""The sets that ship with the package, and their unlimited twins in the micro-world."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from electra_lab.checkpoints.resources import data_path

from .schema import ProblemType, TaskType

TWIN_PREFIX = "microworld/"
TWIN_SIZES = {"train": 2000, "test": 500}


@dataclass(frozen=True)
class BundledSet:
    """Where a bundled set lies, and what its columns mean.

    Attributes:
        folder: below data/tasks, with train and test.
        ending: of both files.
        task, problem_type: see ``TaskData``.
        columns: roles and columns of the files.
        twin_columns: the same for the rows of the micro-world's twin.
    """

    folder: str
    ending: str
    task: TaskType
    columns: dict[str, Any]
    problem_type: ProblemType | None = None
    twin_columns: dict[str, Any] = field(default_factory=dict)

    def files(self) -> dict[str, Path]:
        """Each split's file, whether or not it is there."""
        folder = data_path("tasks", self.folder)
        return {split: folder / f"{split}{self.ending}" for split in ("train", "test")}


def _sequences(folder: str, problem_type: ProblemType, **columns: str) -> BundledSet:
    return BundledSet(
        folder, ".jsonl", "sequence_classification", columns, problem_type, twin_columns=columns
    )


def _tags(column: int, twin_column: str) -> BundledSet:
    return BundledSet(
        "tagged_sentences",
        ".conll",
        "token_classification",
        {"words": 0, "tags": column},
        twin_columns={"words": "words", "tags": twin_column},
    )


BUNDLED = {
    "sentiment": _sequences("sentiment", "single_label_classification", text="text", label="label"),
    "emotions": _sequences("emotions", "multi_label_classification", text="text", label="labels"),
    "similarity": _sequences(
        "similarity", "regression", text="sentence1", text_pair="sentence2", label="score"
    ),
    "entailment": _sequences(
        "entailment",
        "single_label_classification",
        text="premise",
        text_pair="hypothesis",
        label="label",
    ),
    "named_entities": _tags(2, "entities"),
    "parts_of_speech": _tags(1, "pos"),
    "reading_comprehension": BundledSet("reading_comprehension", ".json", "question_answering", {}),
    "continuations": BundledSet("continuations", ".jsonl", "multiple_choice", {}),
}


def bundled_tasks() -> list[str]:
    """Names that ``load_task_data`` knows with no network; with ``microworld/`` before them, of their
    unlimited twins."""
    return list(BUNDLED)


def data_for(name: str, model: str | Path) -> str:
    """The form of a bundled set that a model can read: the twin for micro, which knows the words of the
    micro-world alone, and for every other model the set itself.

    Args:
        name: one of ``bundled_tasks``.
        model: as ``finetune`` takes it: ``micro``, ``micro-discriminator``, or a folder of that name.

    Raises:
        ValueError: there is no such set.
    """
    if name not in BUNDLED:
        raise ValueError(f"There is no bundled set {name!r}; there are {', '.join(BUNDLED)}.")
    is_micro = Path(model).name in ("micro", "micro-discriminator")
    return f"{TWIN_PREFIX}{name}" if is_micro else name
