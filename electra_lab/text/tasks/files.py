"""Rows as they lie in a file: CSV, JSON, JSON lines, CoNLL and SQuAD."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import BadRowError, Problem, Row, shortened

TABLES = (".csv", ".tsv")
JSONS = (".json", ".jsonl")
CONLLS = (".conll", ".conllu", ".bio", ".iob")
PLAIN_TEXT = ".txt"  # CoNLL, where token classification was asked for
ENDINGS = (*TABLES, *JSONS, *CONLLS)

MOST_CHARACTERS_OF_A_FIELD = 2**24

DELIMITERS = (",", ";", "\t", "|")  # of a .csv file: the first of these that its first line has

WORDS, UPOS = 1, 3  # columns of CoNLL-U, whose first is the number of the word
CONLLU_COLUMNS = 10


@dataclass
class Split:
    """The rows of one split, with what the source says about them.

    Attributes:
        source: how errors call it.
        rows: as they lie there.
        classes: the names of a column's classes, where the source declares them.
    """

    source: str
    rows: list[Row]
    classes: dict[str, list[str]] = field(default_factory=dict)

    def columns(self) -> list[str]:
        """Every column that some row has, in the order of appearance."""
        good = (row for row in self.rows if row.problem is None)
        return list(dict.fromkeys(name for row in good for name in row.values))


def read_file(path: Path) -> Split:
    """The rows of a labelled file; which form it has is said by its ending.

    A CSV file has the names of its columns in the first line; ``.tsv`` is separated by tabs, ``.csv`` by
    commas or, where the first line has none, semicolons, tabs or ``|``. A JSON file is a list of
    objects, ``{"data": [...]}`` or SQuAD's layout (a row for each question). In CoNLL files columns are
    called "0", "1" and so on, and a row is a sentence, its columns lists.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the ending is unknown, or the file as a whole cannot be read.
    """
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    ending = path.suffix.lower()
    if ending not in (*ENDINGS, PLAIN_TEXT):
        raise ValueError(
            f"{path} ends in {ending or 'nothing'}; labelled data ends in {', '.join(ENDINGS)}. Rename "
            "it, or save it as one of these."
        )
    try:
        text = path.read_text(encoding="utf-8-sig")  # a spreadsheet may put a byte order mark first
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not UTF-8 text: byte {error.start} is {error.object[error.start]:#x}. Save it "
            "as UTF-8 (in a spreadsheet: CSV UTF-8)."
        ) from error
    if ending in TABLES:
        rows = list(_table_rows(text, path, "\t" if ending == ".tsv" else None))
    elif ending in JSONS:
        rows = _json_rows(text, path)
    else:
        rows = list(_conll_rows(text))
    return Split(path.name, rows)


# -- tables


def _table_rows(text: str, path: Path, delimiter: str | None) -> Iterator[Row]:
    lines = io.StringIO(text, newline="")
    if delimiter is None:
        first = text.partition("\n")[0]
        delimiter = next((one for one in DELIMITERS if one in first), ",")
    limit = csv.field_size_limit(MOST_CHARACTERS_OF_A_FIELD)
    number, line = 0, 1
    try:
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        header = [name.strip() for name in next(reader, [])]
        _check_header(header, path)
        line = reader.line_num + 1
        for fields in reader:
            if fields:
                number += 1
                yield _table_row(header, fields, number, line)
            line = reader.line_num + 1
    except csv.Error as error:
        is_open = "unexpected end" in str(error)
        what = "a quotation mark is opened and never closed" if is_open else str(error)
        raise BadRowError(
            path.name,
            number + 1,
            f"{what}. Text with quotation marks is quoted as a whole and each mark inside is doubled: "
            '"He said ""no"".".',
            line=line,
            skippable=False,
        ) from None
    finally:
        csv.field_size_limit(limit)


def _check_header(header: list[str], path: Path) -> None:
    twice = [name for name, count in Counter(header).items() if count > 1]
    if not any(header) or twice:
        found = f"It is {shortened(header)}." if any(header) else "It is empty."
        raise ValueError(
            f"The first line of {path} must name the columns, each once, such as text,label. {found}"
        )


def _table_row(header: list[str], fields: list[str], number: int, line: int) -> Row:
    problem = None
    if len(fields) != len(header):
        problem = Problem(
            "another number of fields than the first line",
            f"It has {_of(len(fields), 'field')}, and the first line names {_of(len(header), 'column')} "
            f"({', '.join(header)}). A text with the separator in it stands in double quotes.",
        )
    values = dict(zip(header, fields, strict=False))
    return Row(number, values if problem is None else {"fields": fields}, line, problem)


# -- JSON


def _json_rows(text: str, path: Path) -> list[Row]:
    try:
        value = json.loads(text) if path.suffix.lower() == ".json" and text.strip() else None
    except ValueError as error:
        beginning = text.lstrip().partition("\n")[0]
        if not _is_json_object(beginning):  # otherwise JSON lines under another ending
            raise ValueError(f"{path} is no JSON: {error}.") from error
        value = None
    if value is None:
        return list(_json_lines(text))
    if isinstance(value, dict):
        value = value.get("data", value)
    if not isinstance(value, list):
        raise ValueError(
            f"{path} holds {shortened(value)}. Expected a list of objects with the columns as keys, or "
            'SQuAD\'s layout: {"data": [{"paragraphs": [{"context": ..., "qas": [...]}]}]}.'
        )
    if any(isinstance(one, dict) and "paragraphs" in one for one in value):
        return list(_squad_rows(value, path))
    return [_object_row(number, one) for number, one in enumerate(value, 1)]


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _json_lines(text: str) -> Iterator[Row]:
    number = 0
    for line, content in enumerate(text.split("\n"), 1):
        if not content.strip():
            continue
        number += 1
        try:
            row = _object_row(number, json.loads(content))
        except ValueError as error:
            problem = Problem("no JSON", f"It is no JSON: {error}.")
            row = Row(number, {"line": content}, problem=problem)
        row.line = line if line != number else None
        yield row


def _object_row(number: int, value: Any) -> Row:
    if isinstance(value, dict):
        return Row(number, value)
    problem = Problem(
        "no JSON object", 'Expected an object with the columns as keys, {"text": ...}.'
    )
    return Row(number, {"value": value}, problem=problem)


def _squad_rows(articles: list[Any], path: Path) -> Iterator[Row]:
    """A row for each question, numbered through the file."""
    number = 0
    for article in articles:
        for paragraph in _list_in(article, "paragraphs", path):
            for question in _list_in(paragraph, "qas", path):
                number += 1
                row = _object_row(number, question)
                row.values = {"context": paragraph.get("context"), **row.values}
                yield row


def _list_in(value: Any, key: str, path: Path) -> list[Any]:
    found = value.get(key) if isinstance(value, dict) else None
    if not isinstance(found, list):
        raise ValueError(
            f"{path} has SQuAD's layout, but there is no list {key!r} in {shortened(value)}. Expected "
            '{"data": [{"paragraphs": [{"context": ..., "qas": [...]}]}]}.'
        )
    return found


# -- CoNLL


def _conll_rows(text: str) -> Iterator[Row]:
    """Sentences: lines of columns, separated by tabs or else white space, with an empty line behind.

    Left out are comments before a sentence (lines with a # that do not end in a tag of the file),
    -DOCSTART- lines (CoNLL-2003), and in CoNLL-U the ranges and empty nodes that are no words of their
    own.
    """
    number = 0
    sentence: list[tuple[int, list[str]]] = []
    tags = {line.split()[-1] for line in text.split("\n") if line.strip() and line[0] != "#"}
    for line, content in enumerate([*text.split("\n"), ""], 1):
        content = content.strip("\r\n")
        if content.strip():
            fields = content.split("\t") if "\t" in content else content.split()
            is_comment = content[0] == "#" and "\t" not in content and fields[-1] not in tags
            if not (is_comment and not sentence) and fields[0] != "-DOCSTART-":
                sentence.append((line, [field.strip() for field in fields]))
        elif sentence:
            number += 1
            yield _conll_row(number, sentence)
            sentence = []


def _conll_row(number: int, sentence: list[tuple[int, list[str]]]) -> Row:
    first, fields = sentence[0]
    if len(fields) == CONLLU_COLUMNS and fields[0].split("-")[0].isdigit():
        sentence = [(line, fields) for line, fields in sentence if fields[0].isdigit()]
    widths = Counter(len(fields) for _, fields in sentence)
    # of two equally frequent ones the larger: it is more often a tag that was forgotten
    width = max(widths, key=lambda columns: (widths[columns], columns), default=0)
    for line, fields in sentence:
        if len(fields) != width:
            problem = Problem(
                "lines with different numbers of columns",
                f"Line {line} has {_of(len(fields), 'column')} ({' '.join(fields)!r}), its sentence "
                f"has {width} elsewhere. Each word needs its tag, and an empty line stands between "
                "sentences.",
            )
            words = [fields[0] for _, fields in sentence]
            return Row(number, {"words": words}, line, problem)
    lines = [fields for _, fields in sentence]
    columns = {str(index): list(column) for index, column in enumerate(zip(*lines, strict=True))}
    return Row(number, columns, first)


def _of(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def words_are_numbered(rows: Iterable[Row]) -> bool:
    """Whether the first of three columns and more counts the words of each sentence from 1."""
    return all(
        len(row.values) > 2
        and isinstance(first := row.values["0"], list)
        and first == [str(number + 1) for number in range(len(first))]
        for row in rows
    )


def is_conllu(values: dict[str, Any]) -> bool:
    """Whether a row has the columns of CoNLL-U."""
    return len(values) == CONLLU_COLUMNS and all(str(n).isdigit() for n in values.get("0", "?"))
