"""Which column holds what: by the usual names, or as the caller says."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from string import ascii_lowercase
from typing import Any

from .errors import Problem, listed
from .files import DELIMITERS
from .schema import TASK_TYPES, TaskType

Columns = dict[str, Any]  # what a column is for -> its name, or the names of several

TEXTS = (
    "text",
    "sentence",
    "review",
    "review_text",
    "content",
    "comment",
    "comment_text",
    "tweet",
    "message",
    "utterance",
    "query",
    "title",
    "headline",
    "document",
    "body",
)
PAIRS = (
    ("text", "text_pair"),
    ("sentence1", "sentence2"),
    ("premise", "hypothesis"),
    ("question1", "question2"),
    ("text1", "text2"),
    ("text_a", "text_b"),
    ("sentence_a", "sentence_b"),
    ("question", "sentence"),
)
FEWEST_WORDS_OF_A_TEXT = 3  # the name of a column is shorter
SCORES = ("score", "similarity_score", "similarity", "relatedness_score")
LABELS = (
    "label",
    "labels",
    "class",
    "category",
    "target",
    "sentiment",
    "emotion",
    "emotions",
    "intent",
    "stars",
    "rating",
    "gold_label",
    *SCORES,
)
WORDS = ("words", "tokens")
TAGS = ("tags", "ner_tags", "pos_tags", "chunk_tags", "upos", "pos", "entities", "labels", "ner")
SPANS = ("entities", "spans")
ANSWERS = ("answers", "answer", "answer_text")
CONTEXTS = ("context", "passage", "paragraph")
CHOICES = ("choices", "endings", "options", "answers")
CHOICE_BEGINNINGS = (
    "choice",
    "ending",
    "option",
    "answer",
    "sol",
)  # then _ or nothing, 0 or 1 or A ...
SITUATIONS = ("context", "ctx", "premise", "question", "goal", "sent1", "startphrase", *TEXTS)
SEVERAL = ("label", "choices")  # roles that may be in several columns
QUOTED_WITHOUT_COMMA = re.compile(r"""['"]\s+['"]""")  # as numpy prints a list of texts
RIGHT_CHOICES = ("label", "answer", "answerkey", "answer_key", "gold_label", "correct", "target")

ALSO_CALLED: dict[str, TaskType] = {
    "text-classification": "sequence_classification",
    "sentiment-analysis": "sequence_classification",
    "regression": "sequence_classification",
    "ner": "token_classification",
    "pos": "token_classification",
}


def task_type(name: str) -> TaskType:
    """A task by its name here or the one that it has in pipelines, such as "token-classification".

    Raises:
        ValueError: there is no such task.
    """
    plain = name.replace("-", "_")
    for task in TASK_TYPES:
        if plain == task:
            return task
    if name in ALSO_CALLED:
        return ALSO_CALLED[name]
    raise ValueError(f"There is no task {name!r}; expected one of {', '.join(TASK_TYPES)}.")


def first_of(names: Sequence[str], columns: Sequence[str]) -> str | None:
    """The first of the usual names that is among the columns, whatever its case."""
    found = (column for name in names for column in columns if column.lower() == name)
    return next(found, None)


def pair_of(columns: Sequence[str]) -> tuple[str, str] | None:
    """The first usual pair of columns."""
    for one, other in PAIRS:
        found, beside = first_of([one], columns), first_of([other], columns)
        if found and beside:
            return found, beside
    return None


def numbered_choices(columns: Sequence[str]) -> list[str]:
    """Columns such as ending0 ... ending3, choice_1 and choice_2, A ... D, in their order.

    Two columns that are only called a and b, or 0 and 1, may be anything.
    """
    best: list[str] = []
    for beginning in (*CHOICE_BEGINNINGS, ""):
        ends = {
            column.lower().removeprefix(beginning).lstrip("_"): column
            for column in columns
            if column.lower().startswith(beginning)
        }
        for names in (range(len(columns)), range(1, len(columns) + 1), ascii_lowercase):
            run: list[str] = []
            for end in map(str, names):
                if end not in ends:
                    break
                run.append(ends[end])
            if len(run) > max(len(best), 1 if beginning else 2):
                best = run
    return best


def end_of(column: str) -> str:
    """What tells a numbered column from its neighbours: "10" of choice10, "A" of option_A."""
    return re.sub(r".*?(\d+|.)$", r"\1", column)


def guessed_task(
    columns: Sequence[str], named: Mapping[str, Any], first: Mapping[str, Any]
) -> TaskType:
    """The task that such columns are for.

    Args:
        columns: of the source.
        named: what the caller calls columns of.
        first: a row.
    """
    for role, task in (
        ("answers", "question_answering"),
        ("words", "token_classification"),
        ("tags", "token_classification"),
        ("entities", "token_classification"),
        ("choices", "multiple_choice"),
    ):
        if role in named:
            return task_type(task)
    if isinstance(named.get("label"), list | tuple):  # a column for each label
        return "sequence_classification"
    if (
        first_of(["question"], columns)
        and first_of(CONTEXTS, columns)
        and first_of(ANSWERS, columns)
        and not first_of(CHOICES[:3], columns)
        and not numbered_choices(columns)
    ):
        return "question_answering"
    if (first_of(WORDS, columns) and first_of(TAGS, columns)) or (
        first_of(["text", "sentence"], columns) and first_of(SPANS, columns)
    ):
        return "token_classification"
    if columns and all(column.isdigit() for column in columns):  # CoNLL
        return "token_classification"
    if first_of(CHOICES[:3], columns) or numbered_choices(columns):
        return "multiple_choice"
    label = first.get(str(named.get("label") or first_of(LABELS, columns)))
    if isinstance(label, list) and any(isinstance(one, list | Mapping) for one in label):
        return "token_classification"  # spans of characters, as labelling tools call them
    return "sequence_classification"


def check_named(named: Mapping[str, Any], roles: Sequence[str], columns: Sequence[str]) -> Columns:
    """What the caller said, if it can be.

    Raises:
        ValueError: there is no such role in this task, or no such column in the source.
    """
    checked: Columns = {}
    for role, name in named.items():
        if role not in roles:
            raise ValueError(
                f"columns names {role!r}; this task has columns for {', '.join(roles)}."
            )
        several = isinstance(name, list | tuple)
        if several and role not in SEVERAL:
            raise ValueError(
                f"columns names {listed(map(str, name))} for {role}; expected one column."
            )
        found = [str(one) for one in (name if several else [name])]
        missing = [one for one in found if one not in columns]
        if missing:
            raise ValueError(
                f"columns says that {role} is in {listed(missing)}; the columns are "
                f"{listed(columns)}."
            )
        checked[role] = found if several else found[0]
    return checked


def not_found(what: str, usual: Sequence[str], columns: Sequence[str], role: str) -> ValueError:
    """No column is plainly the one."""
    is_no_name = any(len(name.split()) >= FEWEST_WORDS_OF_A_TEXT for name in columns)
    header = (
        " If these are a row and no names, put a first line with names, such as text,label, before it."
        if is_no_name
        else ""
    )
    if len(columns) == 1 and any(delimiter in columns[0] for delimiter in DELIMITERS):
        header = (
            " That is one column. If it should be several: a .tsv file has tabs between them, a .csv "
            "file commas (or, with no comma in its first line, semicolons, tabs or |)."
        )
    return ValueError(
        f"No column is plainly {what}; the columns are {listed(columns)}. The usual names are "
        f"{listed(usual)}; say which it is with columns={{{role!r}: NAME}} (--column {role}=NAME)."
        f"{header}"
    )


def text_in(values: Mapping[str, Any], column: str) -> str:
    """A column that must hold text.

    Raises:
        Problem: it does not.
    """
    value = values.get(column)
    if not isinstance(value, str):
        raise Problem(f"no text in {column!r}", f"{column!r} is {value!r:.60}; expected a text.")
    if not value.strip():
        raise Problem(f"an empty {column!r}", f"{column!r} is empty; expected a text.")
    return value


def list_in(text: str) -> Any:
    """A list, or an object, that stands in a table as text: JSON, or as pandas writes it.

    Raises:
        ValueError: it is neither.
    """
    try:
        with suppress(ValueError):
            return json.loads(text)
        if not QUOTED_WITHOUT_COMMA.search(text):
            return ast.literal_eval(text)
    except (SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError(f"{text!r:.60} cannot be read") from error
    raise ValueError(f"{text!r:.60} has no commas between its texts")
