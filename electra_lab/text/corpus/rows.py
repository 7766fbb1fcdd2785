"""Documents that come as rows with columns: ``.jsonl`` files and the hub's text data sets."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from .documents import START, Document, Place, parts_of_text

MOST_BYTES_OF_A_ROW = 2**24

NOT_JSON_LINES = "lines that are not JSON with a text"
LONG_ROWS = f"rows of more than {MOST_BYTES_OF_A_ROW:,} bytes"


class HubText:
    """A text data set of the Hugging Face hub, read as a stream: nothing of it is kept on the disk.

    A row is a document; its lines are paragraphs.

    Args:
        name: ``owner/name`` (or a folder that the library ``datasets`` can load).
        config: which of its subsets, where it has several.
        split: which split.
        column: where the text is; by default it is found.

    Raises:
        ModuleNotFoundError: the library ``datasets`` is not installed.
        OSError: the data set cannot be opened.
    """

    total_bytes: int | None = None

    def __init__(
        self,
        name: str,
        *,
        config: str | None = None,
        split: str = "train",
        column: str | None = None,
    ) -> None:
        try:
            import datasets
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                f"{name!r} is no path here, and to read it from the hub needs the library datasets: pip "
                "install datasets. Text files and folders need nothing."
            ) from error
        self.name = name
        self.config = config
        self.split = split
        self.column = column
        try:
            self.rows: Any = datasets.load_dataset(name, config, split=split, streaming=True)
        except Exception as error:  # its errors differ between versions, and few say what was asked
            raise OSError(
                f"{name!r} is no path here, and the hub gave no data set of that name (subset "
                f"{config!r}, split {split!r}): {error}"
            ) from error

    def description(self) -> list[Any]:
        """What was asked for. Nobody promises that the hub's rows stay the same."""
        return [self.name, self.config, self.split]

    def documents(self, start: Place = START) -> Iterator[Document]:
        """All documents from ``start`` on; here ``file`` is the number of rows done, since a row that is
        too long is several documents."""
        for number, row in enumerate(self.rows.skip(start.file), start.file):
            skipped: Counter[str] = Counter()
            parts = list(parts_of_text(text_of_row(row, self.column, self.name), skipped))
            for index, paragraphs in enumerate(parts or [[]], 1):
                if number == start.file and index <= start.document:
                    continue
                last = index >= len(parts)
                place = Place(number + 1, 0) if last else Place(number, index)
                yield Document(paragraphs, place, skipped.copy())
                skipped.clear()

    def beginnings(self, characters: int) -> Iterator[str]:
        """Paragraphs from the first rows, about so many characters."""
        for document in self.documents():
            yield from document.paragraphs
            characters -= sum(map(len, document.paragraphs))
            if characters <= 0:
                return


def rows_of_json(stream: IO[bytes], file: Path, skipped: Counter[str]) -> Iterator[Any]:
    """The JSON values of a ``.jsonl`` file, objects and strings; all else is skipped and counted."""
    while line := stream.readline(MOST_BYTES_OF_A_ROW):
        if len(line) == MOST_BYTES_OF_A_ROW and not line.endswith(b"\n"):
            skipped[LONG_ROWS] += 1
            while line and not line.endswith(b"\n"):
                line = stream.readline(MOST_BYTES_OF_A_ROW)
            continue
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError:
            value = None
        if isinstance(value, Mapping | str):
            yield value
        else:
            skipped[NOT_JSON_LINES] += 1


def text_of_row(row: Mapping[str, Any] | str, column: str | None, source: object) -> str:
    """The text of a row: its column of that name; or else ``text``; or else the only one with a string.

    A column without a value (null) is an empty text.

    Raises:
        ValueError: there is no such column, or several could be meant.
    """
    if isinstance(row, str):
        return row
    columns = [name for name, value in row.items() if isinstance(value, str)]
    if column is None:
        column = "text" if "text" in row else columns[0] if len(columns) == 1 else None
    if column is None or column not in row:
        raise ValueError(
            f"{source} has a row without "
            + (f"the column {column!r}" if column else "a column that is plainly its text")
            + f"; its columns are {', '.join(row)}. Name the one that holds the text (text_column in "
            "a recipe)."
        )
    value = row[column]
    if value is not None and not isinstance(value, str):
        raise ValueError(
            f"{source}: the column {column!r} holds {type(value).__name__}, not text. Its columns with "
            f"text are {', '.join(columns) or 'none'}; name one (text_column in a recipe)."
        )
    return value or ""
