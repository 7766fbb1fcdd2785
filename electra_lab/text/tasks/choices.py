"""Rows -> a context and choices, of which one is right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from .columns import (
    CHOICES,
    RIGHT_CHOICES,
    SITUATIONS,
    check_named,
    end_of,
    first_of,
    list_in,
    not_found,
    numbered_choices,
    text_in,
)
from .errors import Problem, shortened
from .schema import ProblemType, TaskType
from .sequences import class_name, is_unlabelled


class ChoiceLayout:
    """What the columns of such a source mean; the arguments are those of ``SequenceLayout``.

    Roles are "context", "choices" (one column with a list, or a list of columns) and "label": an index
    from 0, the choice itself, or its letter or number where the choices have some. Columns choice1,
    choice2 ... and lists may come with labels from 0 or from 1: the labels of train say which. In
    columns that count from 1 a 0 among them does, in a list the number of the choices without a 0.
    ``sent2`` (SWAG) is the beginning that all choices go on from, and is put before each.
    """

    task: TaskType = "multiple_choice"
    problem_type: ProblemType | None = None
    labels: tuple[str, ...] = ()

    def __init__(
        self,
        columns: Sequence[str],
        named: Mapping[str, Any],
        classes: Mapping[str, list[str]],
    ) -> None:
        found = check_named(named, ("context", "choices", "label"), columns)
        if "choices" not in found:
            found["choices"] = first_of(CHOICES, columns) or numbered_choices(columns)
            if not found["choices"]:
                usual = [*CHOICES, "choice0, choice1, ..."]
                raise not_found("the choices", usual, columns, "choices")
        listed_columns = found["choices"] if isinstance(found["choices"], list) else []
        left = [name for name in columns if name not in (*listed_columns, found["choices"])]
        for role, names in (("label", RIGHT_CHOICES), ("context", SITUATIONS)):
            if role not in found:
                others = [name for name in left if name not in found.values()]
                found[role] = first_of(names, others)
                if found[role] is None:
                    raise not_found(f"the {role}", names, columns, role)
        self.columns = found
        self.beginning = first_of(["sent2"], columns) if listed_columns else None
        self.names = [end_of(column) for column in listed_columns]  # 0, 1 ... or A, B ...
        self.classes = classes.get(found["label"], [])
        self.count = 0

    def parse(self, values: dict[str, Any]) -> dict[str, Any]:
        """A row -> context, choices, and the right one's index."""
        context = text_in(values, self.columns["context"])
        choices, names = self._choices_in(values)
        if self.beginning:
            choices = [f"{values.get(self.beginning) or ''} {choice}".strip() for choice in choices]
        label = values.get(self.columns["label"])
        return {"context": context, "choices": choices, "label": label, "names": names}

    def _choices_in(self, values: Mapping[str, Any]) -> tuple[list[str], list[str] | None]:
        """The choices of a row, and the names that it gives them itself."""
        column = self.columns["choices"]
        names = None
        if isinstance(column, list):
            value: Any = [values.get(name) for name in column]
        else:
            value = values.get(column)
            if isinstance(value, str):
                with suppress(ValueError):
                    value = list_in(value)
            if isinstance(value, Mapping):  # {"text": [...], "label": ["A", "B", ...]}
                names = [str(name) for name in value.get("label") or []]
                value = value.get("text")
        if not isinstance(value, list) or len(value) < 2:
            raise Problem(
                "no list of choices",
                f"The choices are {shortened(value)}; expected a list of at least two texts.",
            )
        for choice in value:
            if not isinstance(choice, str) or not choice.strip():
                raise Problem(
                    "an empty choice",
                    f"A choice is {choice!r:.60}; expected {len(value)} texts.",
                )
        return value, names

    def is_unlabelled(self, parsed: Mapping[str, Any]) -> bool:
        return is_unlabelled(parsed["label"])

    def settle(self, parsed: Sequence[Mapping[str, Any]]) -> None:
        """How many choices there are, as many as most rows of train have; and how labels count."""
        counts = Counter(len(row["choices"]) for row in parsed)
        self.count = counts.most_common(1)[0][0] if counts else 0
        given = (row["label"] for row in parsed)
        labels = {class_name(label) for label in given if not is_unlabelled(label)}
        if self.names[:1] == ["1"] and "0" in labels:
            self.names = []
        if not self.names and not self.classes:
            from_1 = [str(number + 1) for number in range(self.count)]
            if str(self.count) in labels and labels <= set(from_1):
                self.names = from_1

    def encode(self, parsed: dict[str, Any]) -> dict[str, Any]:
        """Context, choices and label -> the standard columns."""
        choices = parsed["choices"]
        if len(choices) != self.count:
            raise Problem(
                "another number of choices",
                f"It has {len(choices)} choices, and most rows of train have {self.count}; all rows "
                "need the same number.",
            )
        names = self.names if parsed["names"] is None else parsed["names"]
        label = self._index(parsed["label"], choices, names)
        return {"context": parsed["context"], "choices": choices, "label": label}

    def _index(self, value: Any, choices: list[str], names: Sequence[str]) -> int:
        if is_unlabelled(value):
            raise Problem("no label", f"The label is {value!r}; expected the right choice's index.")
        name = class_name(value)
        if self.classes:  # the source says what its numbers mean, and they are from 0
            names = self.classes if isinstance(value, str) else []
        plain = [known.lower() for known in names]
        index = plain.index(name.lower()) if name.lower() in plain else None
        if index is None and name.isdecimal() and list(names[:1]) != ["1"]:
            index = int(name)
        if index is None and value in choices:
            index = choices.index(value)
        if index is not None and index < len(choices):
            return index
        raise Problem(
            "a label that is none of the choices",
            f"The label is {value!r:.60}; expected the right choice's index, 0 to {len(choices) - 1}"
            + (f", or one of {', '.join(names)}" if names else "")
            + ".",
        )

    def complaint(self, encoded: Sequence[Mapping[str, Any]]) -> str | None:
        """Every place may be the right one: choices are scored each by itself."""
        return None
