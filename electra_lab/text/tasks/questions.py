"""Rows -> questions whose answers are spans of a context, or that have none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from .columns import ANSWERS, CONTEXTS, check_named, first_of, list_in, not_found, text_in
from .errors import Problem, shortened
from .schema import ProblemType, TaskType
from .sequences import is_missing
from .spans import place_of

USUAL = {"context": CONTEXTS, "question": ("question",), "answers": ANSWERS}
STARTS = ("answer_start", "answers_start", "start")


class QuestionLayout:
    """What the columns of such a source mean; the arguments are those of ``SequenceLayout``.

    Roles are "context", "question", "answers", and if there are such columns "id", "answer_start" and
    "is_impossible". Answers are SQuAD's, ``{"text": [...], "answer_start": [...]}``, or a list of
    ``{"text", "answer_start"}``, or one text; without a start it is where the context has it first.
    ``may_lack_answers``: a row without that column has none, as in the test splits of the hub.
    """

    task: TaskType = "question_answering"
    problem_type: ProblemType | None = None
    labels: tuple[str, ...] = ()

    def __init__(
        self, columns: Sequence[str], named: Mapping[str, Any], may_lack_answers: bool = False
    ) -> None:
        roles = (*USUAL, "id", "answer_start", "is_impossible")
        self.columns = check_named(named, roles, columns)
        for role, usual in USUAL.items():
            if role not in self.columns:
                found = first_of(usual, columns)
                if found is None:
                    raise not_found(f"the {role}", usual, columns, role)
                self.columns[role] = found
        for role, usual in (("id", ("id",)), ("answer_start", STARTS), ("is_impossible", ())):
            found = first_of((role, *usual), columns)
            if found:
                self.columns.setdefault(role, found)
        self.may_lack_answers = may_lack_answers
        self.ids: set[str] = set()  # of the questions that were encoded

    def parse(self, values: dict[str, Any]) -> dict[str, Any]:
        """A row -> the standard columns."""
        context = text_in(values, self.columns["context"])
        texts, starts = [], []
        for text, start in self._answers_in(values):
            texts.append(text)
            starts.append(_checked_start(context, text, start))
        impossible = values.get(self.columns.get("is_impossible", ""))
        if texts and str(impossible).lower() in ("true", "1"):
            raise Problem(
                "an unanswerable question with answers",
                f"is_impossible is {impossible!r}, and there are answers: {shortened(texts)}.",
            )
        if not texts and str(impossible).lower() in ("false", "0"):
            raise Problem(
                "an answerable question without answers",
                f"is_impossible is {impossible!r}, and there are no answers.",
            )
        return {
            "id": values.get(self.columns.get("id", "")),
            "context": context,
            "question": text_in(values, self.columns["question"]),
            "answers": {"text": texts, "answer_start": starts},
        }

    def _answers_in(self, values: Mapping[str, Any]) -> list[tuple[str, int | None]]:
        column = self.columns["answers"]
        impossible = values.get(self.columns.get("is_impossible", ""))
        is_impossible = str(impossible).lower() in ("true", "1")
        if column not in values and not is_impossible and not self.may_lack_answers:
            raise Problem(
                f"no {column!r}",
                f"It has no {column!r}, as train has it. A question without an answer has an empty list "
                "there, or is_impossible.",
            )
        value = values.get(column)
        if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
            with suppress(ValueError):  # an answer may begin with a bracket
                read = list_in(value)
                value = read if isinstance(read, list | dict) else value
        if is_missing(value):
            return []
        if isinstance(value, str):
            return [(value, _start(values.get(self.columns.get("answer_start", ""))))]
        if isinstance(value, Mapping) and isinstance(value.get("text"), list):
            texts, starts = value["text"], value.get("answer_start")
            if not isinstance(starts, list) or len(starts) != len(texts):
                raise Problem(
                    "answers and starts of different number",
                    f"{column!r} has {len(texts)} texts; expected as many in answer_start, which is "
                    f"{shortened(starts)}.",
                )
            pairs = list(zip(texts, starts, strict=True))
        elif isinstance(value, list) and all(isinstance(one, Mapping) for one in value):
            pairs = [(one.get("text"), one.get("answer_start")) for one in value]
        elif isinstance(value, Mapping):
            pairs = [(value.get("text"), value.get("answer_start"))]
        else:
            raise Problem(
                "answers in no known form",
                f'{column!r} is {shortened(value)}; expected {{"text": ["red"], "answer_start": [17]}}, '
                "empty lists where there is no answer.",
            )
        for text, _ in pairs:
            if not isinstance(text, str) or not text.strip():
                raise Problem(
                    "an empty answer",
                    f"An answer is {text!r}; an unanswerable question has an empty list of answers.",
                )
        return [(text, _start(start)) for text, start in pairs]

    def is_unlabelled(self, parsed: Mapping[str, Any]) -> bool:
        return not parsed["answers"]["text"]

    def settle(self, parsed: Sequence[Mapping[str, Any]]) -> None:
        """Nothing hangs on what the rows of train hold."""

    def encode(self, parsed: dict[str, Any]) -> dict[str, Any]:
        """The same with an id of its own: answers are told apart by it."""
        given = parsed["id"]
        name = f"question-{len(self.ids) + 1}" if is_missing(given) else str(given)
        if name in self.ids:
            raise Problem("an id that was there before", f"The id {name!r} was there before.")
        self.ids.add(name)
        return {**parsed, "id": name}

    def complaint(self, encoded: Sequence[Mapping[str, Any]]) -> str | None:
        """Why nothing can be learned from these rows of train, if so."""
        if not any(row["answers"]["text"] for row in encoded):
            return f"none of its {len(encoded)} questions has an answer."
        return None


def _start(value: Any) -> int | None:
    """A number of characters, as a table or JSON has it."""
    if is_missing(value):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = 0.5
    if isinstance(value, bool) or not number.is_integer():
        raise Problem(
            "an answer's start that is no number",
            f"answer_start is {value!r:.60}; expected how many characters stand before the answer.",
        )
    return int(number)


def _checked_start(context: str, text: str, start: int | None) -> int:
    if start is None:
        start = context.find(text)
        if start < 0:
            raise Problem(
                "an answer that the context does not have",
                f"The context does not have the answer {text!r:.60}; expected a part of it, letter by "
                "letter.",
            )
    if start < 0:
        raise Problem(
            "an answer before the text",
            f"answer_start is {start}; expected 0 or more{_hint(text, context)}.",
        )
    if start + len(text) > len(context):
        raise Problem(
            "an answer beyond the text",
            f"The answer {text!r:.60} with answer_start {start} would end at {start + len(text)}, "
            f"beyond the context of {len(context)} characters{_hint(text, context)}.",
        )
    if context[start : start + len(text)] != text:
        there = context[start : start + len(text)]
        raise Problem(
            "an answer that does not match the text",
            f"At answer_start {start} the context has {there!r:.60}, and the answer is "
            f"{text!r:.60}{place_of(text, context)}. answer_start counts characters from 0.",
        )
    return start


def _hint(text: str, context: str) -> str:
    place = context.find(text)
    return f"; the context has it at {place}" if place >= 0 else ""
