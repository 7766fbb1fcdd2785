"""What labelled data looks like once it is read: the same columns for every set of a task type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from datasets import Dataset

TaskType = Literal[
    "sequence_classification", "token_classification", "question_answering", "multiple_choice"
]
TASK_TYPES: tuple[TaskType, ...] = get_args(TaskType)

ProblemType = Literal["single_label_classification", "multi_label_classification", "regression"]
PROBLEM_TYPES: tuple[ProblemType, ...] = get_args(ProblemType)

COLUMNS: dict[TaskType, tuple[str, ...]] = {
    "sequence_classification": ("text", "text_pair", "label"),
    "token_classification": ("words", "tags"),
    "question_answering": ("id", "context", "question", "answers"),
    "multiple_choice": ("context", "choices", "label"),
}

OUTSIDE = "O"  # of every entity, in BIO


def datasets_library() -> Any:
    """The library ``datasets``, imported when labelled data is first asked for.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    try:
        import datasets
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "Labelled data is kept in the library datasets, which is not installed: "
            "pip install datasets"
        ) from error
    return datasets


@dataclass(frozen=True, repr=False, eq=False)
class TaskData:
    """Labelled data for one task, ready to be encoded.

    Every split is a ``datasets.Dataset`` with exactly these columns:

    - sequence classification: ``text`` (str), ``text_pair`` (str or None), ``label``, which is an index
      into ``labels`` (int) for a single label, a 0. or 1. for each of ``labels`` (list of float) for
      multi-label, a float for regression;
    - token classification: ``words`` (list of str), ``tags`` (list of int, as long as ``words``, indices
      into ``labels``; entities in BIO);
    - question answering: ``id`` (str), ``context``, ``question``, ``answers``: ``{"text": list of str,
      "answer_start": list of int}``, both empty where the context has no answer;
    - multiple choice: ``context`` (str), ``choices`` (list of str, of one length), ``label`` (int, the
      right one).

    Attributes:
        name: of the set, for titles and reports.
        task: one of ``TASK_TYPES``.
        train, test, validation: the splits; validation only where the source has one of its own.
        labels: their names, in the order of their indices; none for regression, question answering and
            multiple choice.
        problem_type: of sequence classification, one of ``PROBLEM_TYPES``; otherwise None.
        skipped: how many bad rows were left out, by what was wrong with them.

    Raises:
        ValueError: a split lacks a column, or the attributes do not fit together.
    """

    name: str
    task: TaskType
    train: Dataset
    test: Dataset
    validation: Dataset | None = None
    labels: tuple[str, ...] = ()
    problem_type: ProblemType | None = None
    skipped: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        if self.task not in TASK_TYPES:
            raise ValueError(f"task is {self.task!r}; expected one of {', '.join(TASK_TYPES)}.")
        for name, split in self.splits().items():
            if set(split.column_names) != set(COLUMNS[self.task]):
                raise ValueError(
                    f"The {name} split of {self.name} has the columns {', '.join(split.column_names)}; "
                    f"{self.task} has {', '.join(COLUMNS[self.task])}. load_task_data makes them."
                )
        if (self.problem_type in PROBLEM_TYPES) != (self.task == "sequence_classification"):
            raise ValueError(
                f"problem_type is {self.problem_type!r} for {self.task}; sequence_classification has "
                f"one of {', '.join(PROBLEM_TYPES)}, the others None."
            )
        if bool(self.labels) != has_labels(self.task, self.problem_type):
            raise ValueError(
                f"{self.name} has {len(self.labels)} labels, and {self.problem_type or self.task} "
                f"{'needs' if not self.labels else 'has no'} names of labels."
            )

    def splits(self) -> dict[str, Dataset]:
        """The splits that are there, by name."""
        named = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: split for name, split in named.items() if split is not None}

    @property
    def is_pair(self) -> bool:
        """Whether sequences come in pairs."""
        return self.task == "sequence_classification" and self.train[0]["text_pair"] is not None

    @property
    def has_entities(self) -> bool:
        """Whether tags are entities in BIO, rather than one plain tag a word."""
        return self.task == "token_classification" and is_bio(self.labels)

    def with_train_size(self, rows: int, seed: int = 0) -> TaskData:
        """The same with so many rows of train, drawn at random: for learning curves.

        A smaller draw of the same seed is part of a larger one.

        Raises:
            ValueError: train has fewer rows, or rows is below 1.
        """
        if not 1 <= rows <= len(self.train):
            raise ValueError(
                f"rows is {rows}; expected 1 to {len(self.train)}, the rows of train in {self.name}."
            )
        order = list(range(len(self.train)))
        Random(seed).shuffle(order)
        return replace(self, train=self.train.select(sorted(order[:rows])))

    def __repr__(self) -> str:
        sizes = ", ".join(f"{len(split)} {name}" for name, split in self.splits().items())
        labels = f"; labels {', '.join(self.labels)}" if self.labels else ""
        skipped = f"; bad rows skipped: {self.skipped.total()}" if self.skipped else ""
        return f"TaskData({self.name}: {self.problem_type or self.task}; {sizes}{labels}{skipped})"


def has_labels(task: TaskType, problem_type: ProblemType | None) -> bool:
    """Whether the classes of this task have names."""
    return task == "token_classification" or problem_type in PROBLEM_TYPES[:2]


def is_bio(tags: Sequence[str]) -> bool:
    """Whether these are the tags of entities in BIO: B- and I- before a type, or O."""
    others = [tag for tag in tags if tag != OUTSIDE]
    return bool(others) and all(tag[:2] in ("B-", "I-") and tag[2:] for tag in others)


def make_dataset(
    rows: Sequence[dict[str, Any]], task: TaskType, problem_type: ProblemType | None = None
) -> Dataset:
    """Rows with the standard columns of a task -> a ``Dataset`` with their types, however few rows."""
    datasets = datasets_library()
    text, number = datasets.Value("string"), datasets.Value("int64")
    label = {
        "multi_label_classification": [datasets.Value("float32")],
        "regression": datasets.Value("float64"),
    }.get(problem_type or "", number)
    kinds: dict[str, Any] = {
        "words": [text],
        "tags": [number],
        "answers": {"text": [text], "answer_start": [number]},
        "choices": [text],
        "label": label,
    }
    features = datasets.Features({name: kinds.get(name, text) for name in COLUMNS[task]})
    columns = {name: [row[name] for row in rows] for name in COLUMNS[task]}
    return datasets.Dataset.from_dict(columns, features=features)
