"""Rows -> texts or pairs of texts with one label, several, or a number."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from .columns import (
    LABELS,
    PAIRS,
    SCORES,
    TEXTS,
    Columns,
    check_named,
    first_of,
    list_in,
    not_found,
    pair_of,
    text_in,
)
from .errors import Problem, listed
from .schema import ProblemType, TaskType

SEPARATORS = re.compile(r"[|;,]")
NO_NUMBERS = ("nan", "n/a", "na", "null")  # what stands in tables where a number is missing
DECIMAL_COMMA = re.compile(r"\s*[-+]?\d+,\d+\s*")


class SequenceLayout:
    """What the columns of such a source mean.

    Args:
        columns: those of the source.
        named: roles ("text", "text_pair", "label") and the columns that the caller named for them. A
            list of columns for the label: each holds 0 or 1 for the label of its name.
        classes: names of classes that the source declares, by column.
        labels: their names and order, where the caller gave them.
        problem_type: what the caller asked for.

    Raises:
        ValueError: a column was not found.
    """

    task: TaskType = "sequence_classification"

    def __init__(
        self,
        columns: Sequence[str],
        named: Mapping[str, Any],
        classes: Mapping[str, list[str]],
        labels: Sequence[str] | None,
        problem_type: ProblemType | None,
    ) -> None:
        self.columns = self._find(
            columns, check_named(named, ("text", "text_pair", "label"), columns)
        )
        column = self.columns["label"]
        self.labels = checked_labels(labels)
        self.has_given_labels = bool(labels)
        self.problem_type = problem_type
        self.is_declared = False
        if isinstance(column, list):
            self.labels = self.labels or checked_labels(column)
            several = f"columns names {listed(column)} for the label"
            if len(self.labels) != len(column):
                raise ValueError(
                    f"labels are {listed(self.labels)}, and {several}; expected as many."
                )
            if problem_type not in (None, "multi_label_classification"):
                raise ValueError(
                    f"problem_type is {problem_type!r}, and {several}; several columns are for "
                    "multi_label_classification."
                )
            self.problem_type = "multi_label_classification"
        elif not labels and column in classes:
            self.labels, self.has_given_labels = tuple(classes[column]), True
            self.is_declared = True
        if self.problem_type == "regression":
            self.labels = ()
        self.is_vector = False  # of several labels: a 0 or 1 for each, and no list of those present

    def _find(self, columns: Sequence[str], named: Columns) -> Columns:
        found = dict(named)
        taken = [name for value in named.values() for name in _as_list(value)]
        if "label" not in found:
            label = first_of(LABELS, [name for name in columns if name not in taken])
            if label is None:
                raise not_found("the label", LABELS, columns, "label")
            found["label"] = label
            taken.append(label)
        if "text" not in found:
            left = [name for name in columns if name not in taken]
            pair = pair_of(left)
            single = first_of(TEXTS, left)
            if pair and "text_pair" not in found:
                found["text"], found["text_pair"] = pair
            elif single or len(left) == 1:
                found["text"] = single or left[0]
            else:
                usual = [*TEXTS, *(f"{one} and {other}" for one, other in PAIRS[1:])]
                raise not_found("the text", usual, columns, "text")
        return found

    def parse(self, values: dict[str, Any]) -> dict[str, Any]:
        """A row -> its texts, and its label as it lies there."""
        pair = self.columns.get("text_pair")
        label = self.columns["label"]
        return {
            "text": text_in(values, self.columns["text"]),
            "text_pair": text_in(values, pair) if pair else None,
            "label": [values.get(name) for name in label]
            if isinstance(label, list)
            else values.get(label),
        }

    def is_unlabelled(self, parsed: Mapping[str, Any]) -> bool:
        return is_unlabelled(parsed["label"])

    # -- labels

    def settle(self, parsed: Sequence[Mapping[str, Any]]) -> None:
        """Decide from the rows of train what kind of labels these are, and which."""
        values = [row["label"] for row in parsed if not is_missing(row["label"])]
        if self.problem_type is None:
            self.problem_type = self._kind_of(values)
        several = self.problem_type == "multi_label_classification"
        length = self._length_of_vectors(values) if several else 0
        self.is_vector = length > 0
        if self.problem_type == "regression" or self.labels:
            return
        if self.is_vector:
            self.labels = tuple(map(str, range(length)))
            return
        names: set[str] = set()
        for value in values:
            with suppress(Problem):  # what is wrong with a row is said of it in ``encode``
                names.update(self._names_in(value))
        self.labels = tuple(in_order(names))

    def _length_of_vectors(self, values: Sequence[Any]) -> int:
        """Of lists with a 0 or 1 for each label, their length; 0 if they are no such lists.

        Most have nothing else and one length, that of the labels if these are known, and one of them
        has a number twice, as no list of indices has.
        """
        if isinstance(self.columns["label"], list):
            return 0
        lists = []
        for value in values:
            with suppress(Problem):
                lists.append(self._several(value))
        flags = [one for one in lists if all(_number(flag) in (0, 1) for flag in one)]
        length = Counter(map(len, flags)).most_common(1)[0][0] if flags else 0
        usual = [one for one in flags if len(one) == length]
        are_vectors = (
            2 * len(usual) > len(lists)
            and any(len(set(one)) < len(one) for one in usual)
            and len(self.labels) in (0, length)
        )
        return length if are_vectors else 0

    def _kind_of(self, values: Sequence[Any]) -> ProblemType:
        if any(isinstance(value, list) for value in values):
            return "multi_label_classification"
        column = self.columns["label"]
        texts = [value for value in values if isinstance(value, str)]
        if column.lower() == "labels" and any(SEPARATORS.search(value) for value in texts):
            return "multi_label_classification"
        if 2 * sum(map(_is_list, texts)) > len(values):
            return "multi_label_classification"
        if self.labels or not values:
            return "single_label_classification"
        numbers = [number for number in map(_number, values) if number is not None]
        commas = sum(bool(DECIMAL_COMMA.fullmatch(text)) for text in texts)
        if column.lower() in SCORES and 2 * (len(numbers) + commas) > len(values):
            return "regression"  # what is no number among scores is a bad row, and no class
        missing = sum(text.strip().lower() in NO_NUMBERS for text in texts)
        has_fractions = not all(number.is_integer() for number in numbers)
        if has_fractions and len(numbers) + missing == len(values):
            return "regression"
        return "single_label_classification"

    def _names_in(self, value: Any) -> list[str]:
        if self.problem_type == "single_label_classification":
            return [] if isinstance(value, list | dict) else [class_name(value)]
        return [class_name(one) for one in self._several(value) if not is_missing(one)]

    def _several(self, value: Any) -> list[Any]:
        if isinstance(value, str):
            if value.lstrip().startswith("["):
                try:
                    value = list_in(value)
                except ValueError:
                    raise Problem(
                        "labels that are no JSON list",
                        f"The labels {value!r:.60} are no JSON list.",
                    ) from None
            else:
                value = [part.strip() for part in SEPARATORS.split(value) if part.strip()]
        if not isinstance(value, list):
            raise Problem(
                "labels that are no list",
                f"The labels are {value!r:.60}; expected a list of names, which may be empty, or in a "
                "table names with | between them.",
            )
        if any(isinstance(one, list | dict) for one in value):
            raise Problem(
                "labels that are no names",
                f"The labels are {value!r:.60}; expected names. Spans of characters are for "
                "task='token-classification' (--task token-classification).",
            )
        return value

    def encode(self, parsed: dict[str, Any]) -> dict[str, Any]:
        """Texts and label -> the standard columns."""
        value = parsed["label"]
        if isinstance(self.columns["label"], list):
            label: Any = [_flag(one, name) for one, name in zip(value, self.labels, strict=True)]
        elif self.problem_type == "multi_label_classification":
            several = self._several(value)
            if self.is_vector:
                label = self._flags(several)
            else:
                present = {self._index(one) for one in several}
                label = [float(index in present) for index in range(len(self.labels))]
        elif self.problem_type == "regression":
            label = _number(value)
            if label is None:
                raise Problem(
                    "a label that is no number",
                    f"The label is {value!r:.60}; expected a number such as 3.5. If the labels are "
                    "names: problem_type='single_label_classification' (--problem-type).",
                )
        elif isinstance(value, list | dict):
            raise Problem(
                "a label that is no name",
                f"The label is {value!r:.60}; expected a name or a number.",
            )
        else:
            label = self._index(value)
        return {**parsed, "label": label}

    def _flags(self, values: Sequence[Any]) -> list[float]:
        if len(values) != len(self.labels):
            raise Problem(
                "another number of labels",
                f"The labels are {values!r:.60}; expected a 0 or 1 for each of {listed(self.labels)}.",
            )
        return [_flag(one, name) for one, name in zip(values, self.labels, strict=True)]

    def _index(self, value: Any) -> int:
        return index_of(value, self.labels, self.has_given_labels, self.is_declared)

    def complaint(self, encoded: Sequence[Mapping[str, Any]]) -> str | None:
        """Why nothing can be learned from these rows of train, if so."""
        labels = [row["label"] for row in encoded]
        if self.problem_type == "multi_label_classification":
            if not any(any(label) for label in labels):
                return f"none of the {len(labels)} rows of train has a label."
            if len(labels) > 1 and all(label == labels[0] for label in labels):
                names = (n for n, there in zip(self.labels, labels[0], strict=True) if there)
                return (
                    f"all {len(labels)} rows of train have the labels {listed(names)}; there is nothing "
                    "to tell apart."
                )
        elif len(set(labels)) == 1:
            shown = labels[0] if self.problem_type == "regression" else self.labels[labels[0]]
            how_many = (
                f"all {len(labels)} rows of train have" if len(labels) > 1 else "its only row has"
            )
            return f"{how_many} the label {shown!r}; expected at least two classes."
        return None


def class_name(value: Any) -> str:
    """A class as it is written in a source -> its name."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def index_of(value: Any, labels: Sequence[str], by_number: bool, declared: bool = False) -> int:
    """The index of a label.

    Args:
        value: a name, or, where ``by_number``, an index.
        labels: the names.
        by_number: the names were given in their order, so that an index means something, unless they
            are numbers themselves.
        declared: the source itself says which names its numbers stand for.

    Raises:
        Problem: it is not one of them.
    """
    if is_unlabelled(value) and class_name(value) not in labels:
        raise Problem("no label", f"It has no label; expected one of {listed(labels)}.")
    name = class_name(value)
    number = None if isinstance(value, bool) else _number(value)
    place = int(number) if number is not None and number.is_integer() else -1
    is_place = 0 <= place < len(labels)
    if declared and isinstance(value, int) and is_place:
        return place
    for written in (name, str(place)):  # "1.0" is 1, in a table whose column once had fractions
        if written in labels:
            return labels.index(written)
    if by_number and is_place and any(_number(label) is None for label in labels):
        return place
    raise Problem(
        "a label that is not in the set",
        f"The label {value!r:.60} is not in the set: {listed(labels)}. If it should be, give them all: "
        "labels=[...] (--labels a,b,c).",
    )


def is_missing(value: Any) -> bool:
    """Whether a label is not there: none, nothing, or what pandas puts where nothing is (NaN)."""
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def is_unlabelled(value: Any) -> bool:
    """Whether it is missing, or -1, with which the hub keeps the labels of a test split secret."""
    return is_missing(value) or value in (-1, "-1")


def checked_labels(labels: Sequence[Any] | None) -> tuple[str, ...]:
    """The names that a caller gave.

    Raises:
        ValueError: one is empty, or there twice.
    """
    names = tuple(class_name(label) for label in labels or ())
    twice = [name for number, name in enumerate(names) if name in names[:number]]
    if twice or "" in names:
        wrong = f"{twice[0]!r} is there twice" if twice else "one is empty"
        raise ValueError(f"labels are {listed(names)}: {wrong}; expected different names.")
    return names


def in_order(names: set[str]) -> list[str]:
    """Sorted, numbers by their value."""
    if all(re.fullmatch(r"-?\d+", name) for name in names):
        return sorted(names, key=int)
    return sorted(names)


def _is_list(text: str) -> bool:
    if not text.lstrip().startswith("["):
        return False
    with suppress(ValueError):
        return isinstance(list_in(text), list)
    return False


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _flag(value: Any, name: str) -> float:
    number = float(value) if isinstance(value, bool) else _number(value)
    if number not in (0, 1):
        raise Problem(
            f"neither 0 nor 1 in {name!r}", f"{name!r} is {value!r:.60}; expected 0 or 1."
        )
    return float(number)
