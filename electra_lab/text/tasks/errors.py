"""What is said about a row that cannot be used: where it is, what it holds, what was expected."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

LONGEST_ROW_SHOWN = 160
LONGEST_VALUE_SHOWN = 60


class BadRowError(ValueError):
    """A row of labelled data that cannot be used, or a split without usable rows.

    Attributes:
        source: the file, or the data set and its split.
        row: its number, counted from 1; None where the split as a whole is meant.
        expected: what is wrong with it and what was expected.
    """

    def __init__(
        self,
        source: str,
        row: int | None,
        expected: str,
        values: Any = None,
        line: int | None = None,
        skippable: bool = True,
    ) -> None:
        self.source = source
        self.row = row
        self.expected = expected
        place = source if row is None else f"{source}, row {row}"
        if line is not None:
            place += f" (line {line})"
        shown = "" if values is None else f"\nThe row: {shortened(values)}"
        advice = (
            "\nCorrect it, or leave such rows out with skip_bad_rows=True (--skip-bad-rows)."
            if skippable
            else ""
        )
        super().__init__(f"{place}: {expected}{shown}{advice}")


class Problem(Exception):
    """What is wrong with the row at hand; whoever knows its number makes a ``BadRowError`` of it.

    Args:
        kind: in a few words without the row's own values; bad rows are counted under it.
        expected: the same with the values, and what was expected.
    """

    def __init__(self, kind: str, expected: str) -> None:
        super().__init__(expected)
        self.kind = kind
        self.expected = expected


@dataclass
class Row:
    """A row as it lies in its source.

    Attributes:
        number: counted from 1.
        values: its columns by name.
        line: in a text file, where that is not the number.
        problem: what was wrong with its form already.
    """

    number: int
    values: dict[str, Any]
    line: int | None = None
    problem: Problem | None = None


@dataclass
class Checked:
    """Goes through the rows of a split; what is wrong with one is raised, or skipped and counted."""

    source: str
    skip: bool
    skipped: Counter[str]

    def each(
        self, rows: Iterable[tuple[Row, Any]], step: Callable[[Any], Any]
    ) -> list[tuple[Row, Any]]:
        """``step`` for each value, beside the row that it came from.

        Raises:
            BadRowError: a step had a ``Problem`` with its row, and bad rows are not to be skipped.
        """
        done = []
        for row, value in rows:
            try:
                if row.problem is not None:
                    raise row.problem
                done.append((row, step(value)))
            except Problem as problem:
                if not self.skip:
                    raise self.error(row, problem.expected) from None
                self.skipped[problem.kind] += 1
        return done

    def error(self, row: Row, expected: str, skippable: bool = True) -> BadRowError:
        return BadRowError(
            self.source, row.number, expected, row.values or None, row.line, skippable
        )


def check_characters(values: Any) -> None:
    """See that all texts can be written.

    Raises:
        Problem: one has half of a character, which UTF-8 has no form for.
    """
    try:
        json.dumps(values, ensure_ascii=False, default=str, skipkeys=True).encode()
    except UnicodeEncodeError as error:
        half = error.object[error.start]
        raise Problem(
            "half a character",
            f"It has {half!r}, half of a character that was cut in two; expected whole ones.",
        ) from None


def shortened(values: Any) -> str:
    """A row on one line, long values cut."""

    def cut(value: Any) -> Any:
        if isinstance(value, str) and len(value) > LONGEST_VALUE_SHOWN:
            return value[: LONGEST_VALUE_SHOWN - 3] + "..."
        return value

    if isinstance(values, dict):
        values = {name: cut(value) for name, value in values.items()}
    text = json.dumps(values, ensure_ascii=False, default=str, skipkeys=True)
    text = text.encode("utf-8", "backslashreplace").decode()  # half a character cannot be printed
    return text if len(text) <= LONGEST_ROW_SHOWN else text[: LONGEST_ROW_SHOWN - 3] + "..."


def listed(names: Iterable[object], most: int = 12) -> str:
    """Names for a message, the first few of many."""
    shown = [str(name) for name in names]
    more = f" and {len(shown) - most} more" if len(shown) > most else ""
    return ", ".join(shown[:most]) + more or "none"
