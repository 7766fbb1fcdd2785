"""Text files -> documents, in a fixed order, never more than a bounded amount of them in memory."""

from __future__ import annotations

import gzip
import io
import lzma
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol, runtime_checkable

ENDINGS = (".txt", ".text", ".jsonl")
"""What is read of a folder; any of these may be compressed. A file given by itself may have any name."""

COMPRESSED = (".xz", ".gz", ".zst")

MOST_BYTES_OF_A_LINE = 2**20
MOST_CHARACTERS_OF_A_DOCUMENT = 2**22
"""Longer ones are cut, so that memory stays bounded whatever a file holds."""

# what is not taken as it is; each is counted under these words, which the report shows
NOT_TEXT_FILES = "files that are binary, not text"
OTHER_FILES = f"files in the folder that do not end in {', '.join(ENDINGS)}"
NOT_TEXT_LINES = "lines that are not UTF-8 text"
CUT_LINES = f"lines of more than {MOST_BYTES_OF_A_LINE:,} bytes, cut"
CUT_DOCUMENTS = f"cuts in documents of more than {MOST_CHARACTERS_OF_A_DOCUMENT:,} characters"
EMPTY_DOCUMENTS = "empty documents"


class Place(NamedTuple):
    """Where reading goes on: in which file, after how many of its documents."""

    file: int = 0
    document: int = 0


START = Place()


@dataclass
class Document:
    """The paragraphs of one document, and what happened while it was read.

    Attributes:
        paragraphs: its lines; none where it is empty.
        place: behind it.
        skipped: what was skipped or cut since the document before, by kind.
        bytes_read: of the files, compressed as they lie there, since the document before.
    """

    paragraphs: list[str]
    place: Place
    skipped: Counter[str] = field(default_factory=Counter)
    bytes_read: int = 0


@runtime_checkable
class Corpus(Protocol):
    """Where documents come from; the same ones in the same order whenever it is asked."""

    name: str
    total_bytes: int | None

    def documents(self, start: Place = START) -> Iterator[Document]: ...

    def beginnings(self, characters: int) -> Iterator[str]: ...

    def description(self) -> Any: ...


class TextFiles:
    """A text file, or all text files of a folder and the folders in it.

    A line is a paragraph, and an empty line ends a document. In a ``.jsonl`` file a line is a document:
    see ``rows``.

    Args:
        path: the file or folder. ``.xz``, ``.gz`` and ``.zst`` are read as they are.
        line_is_document: each line is a document of one paragraph.
        column: where the text of a ``.jsonl`` row is; by default it is found.

    Raises:
        FileNotFoundError: there is no such path, or no text file in the folder.
    """

    def __init__(
        self, path: str | Path, *, line_is_document: bool = False, column: str | None = None
    ) -> None:
        self.path = Path(path).expanduser()
        self.name = str(path)
        self.line_is_document = line_is_document
        self.column = column
        self.others: list[Path] = []
        self.files = self._find()
        self.total_bytes: int | None = sum(file.stat().st_size for file in self.files)

    def _find(self) -> list[Path]:
        if self.path.is_file():
            return [self.path]
        if not self.path.is_dir():
            raise FileNotFoundError(
                f"There is no file or folder {self.path}. Give the path of a text file, or of a folder "
                "of them."
            )
        found = sorted(
            path
            for path in self.path.rglob("*")
            if path.is_file()
            and not any(part.startswith(".") for part in path.relative_to(self.path).parts)
        )
        files = [path for path in found if _is_text_by_name(path)]
        self.others = [path for path in found if not _is_text_by_name(path)]
        if not files:
            shown = ", ".join(path.name for path in self.others[:5])
            raise FileNotFoundError(
                f"The folder {self.path} has no text files"
                + (f" (it has {shown})" if shown else " (it is empty)")
                + f". They end in {', '.join(ENDINGS)}, or in one of these and then "
                f"{', '.join(COMPRESSED)}."
            )
        return files

    def description(self) -> list[list[Any]]:
        """Name and size of each file, to see whether it is the same text as before."""
        root = self.path if self.path.is_dir() else self.path.parent
        return [[file.relative_to(root).as_posix(), file.stat().st_size] for file in self.files]

    def documents(self, start: Place = START) -> Iterator[Document]:
        """All documents from ``start`` on.

        What cannot be read as text is skipped, what is too long is cut, and both are counted.

        Raises:
            ValueError: a compressed file is damaged.
            ModuleNotFoundError: nothing here reads ``.zst``.
        """
        if start == START and self.others:
            yield Document([], start, Counter({OTHER_FILES: len(self.others)}))
        for number in range(start.file, len(self.files)):
            behind = start.document if number == start.file else 0
            for document in self._read(number):
                if document.place.document > behind:
                    yield document

    def beginnings(self, characters: int) -> Iterator[str]:
        """Paragraphs from the beginning of every file, about so many characters in all, each file's
        share as its size."""
        assert self.total_bytes is not None
        for number, file in enumerate(self.files):
            left = characters * file.stat().st_size / max(self.total_bytes, 1)
            for document in self._read(number):
                yield from document.paragraphs
                left -= sum(map(len, document.paragraphs))
                if left <= 0:
                    break

    def _read(self, number: int) -> Iterator[Document]:
        from .rows import rows_of_json, text_of_row

        file = self.files[number]
        skipped: Counter[str] = Counter()
        count = read = 0
        with file.open("rb") as raw, _decompressed(file, raw) as stream:
            if b"\0" in stream.peek(2**13)[: 2**13]:
                skipped[NOT_TEXT_FILES] += 1
                paragraphs: Iterator[list[str]] = iter(())
            elif ".jsonl" in file.suffixes[-2:]:
                rows = rows_of_json(stream, file, skipped)
                texts = (text_of_row(row, self.column, file) for row in rows)
                paragraphs = (part for text in texts for part in parts_of_text(text, skipped))
            else:
                lines = decoded_lines(stream, skipped)
                paragraphs = gather(lines, skipped, self.line_is_document)
            for some in paragraphs:
                count += 1
                here = raw.tell()
                yield Document(some, Place(number, count), skipped.copy(), here - read)
                skipped.clear()
                read = here
            if not count and not skipped:
                skipped[EMPTY_DOCUMENTS] += 1
            # what came after the last document; it counts as one more, so that a restart finds it
            yield Document([], Place(number, count + 1), skipped.copy(), raw.tell() - read)


def decoded_lines(stream: IO[bytes], skipped: Counter[str]) -> Iterator[str]:
    """The lines as text, without the white space around them; those that are no text are left out."""
    for line in _bounded_lines(stream, skipped):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            text = "\0"
        if "\0" in text:
            skipped[NOT_TEXT_LINES] += 1
        else:
            yield text.strip()


def gather(
    lines: Iterator[str], skipped: Counter[str], line_is_document: bool = False
) -> Iterator[list[str]]:
    """Lines -> documents; an empty line ends one."""
    paragraphs: list[str] = []
    size = 0
    for line in lines:
        if line_is_document:
            if line:
                yield [line]
            else:
                skipped[EMPTY_DOCUMENTS] += 1
            continue
        too_long = size + len(line) > MOST_CHARACTERS_OF_A_DOCUMENT
        if too_long:
            skipped[CUT_DOCUMENTS] += 1
        if paragraphs and (too_long or not line):
            yield paragraphs
            paragraphs, size = [], 0
        if line:
            paragraphs.append(line)
            size += len(line)
    if paragraphs:
        yield paragraphs


def parts_of_text(text: str, skipped: Counter[str]) -> Iterator[list[str]]:
    """A document that came as one text: one list of paragraphs, more only where it is too long."""
    stream = io.BytesIO(text.encode("utf-8", "replace"))
    lines = (line for line in decoded_lines(stream, skipped) if line)
    parts = gather(lines, skipped)
    first = next(parts, None)
    if first is None:
        skipped[EMPTY_DOCUMENTS] += 1
        return
    yield first
    yield from parts


def _bounded_lines(stream: IO[bytes], skipped: Counter[str]) -> Iterator[bytes]:
    """Lines, those of more than ``MOST_BYTES_OF_A_LINE`` in parts, cut at a space where there is one."""
    rest = b""
    inside = False
    while line := stream.readline(MOST_BYTES_OF_A_LINE):
        whole = line.endswith(b"\n") or len(line) < MOST_BYTES_OF_A_LINE
        line, rest = rest + line, b""
        if not whole:
            if not inside:
                skipped[CUT_LINES] += 1
            cut = line.rfind(b" ") + 1 or _end_of_characters(line)
            line, rest = line[:cut], line[cut:]
        inside = not whole
        yield line
    if rest:
        yield rest


def _end_of_characters(line: bytes) -> int:
    """Where to cut so that no character of several bytes is cut in two."""
    for back in range(1, 4):
        if line[-back] >= 0xC0:
            return len(line) - back
        if line[-back] < 0x80:
            break
    return len(line)


def _is_text_by_name(path: Path) -> bool:
    suffixes = path.suffixes
    if suffixes and suffixes[-1] in COMPRESSED:
        return len(suffixes) == 1 or suffixes[-2] in ENDINGS
    return bool(suffixes) and suffixes[-1] in ENDINGS


@contextmanager
def _decompressed(file: Path, raw: IO[bytes]) -> Iterator[io.BufferedReader]:
    """The file's content, whatever it is compressed with."""
    kind = file.suffix
    damage: tuple[type[Exception], ...] = (EOFError, lzma.LZMAError, gzip.BadGzipFile, zlib.error)
    opened: Any = raw
    if kind == ".xz":
        opened = lzma.LZMAFile(raw)  # noqa: SIM115
    elif kind == ".gz":
        opened = gzip.GzipFile(fileobj=raw)
    elif kind == ".zst":
        opened, error = _zstandard(file, raw)
        damage = (EOFError, error)
    try:
        yield io.BufferedReader(opened, 2**18) if opened is not raw else raw
    except damage as error:
        raise ValueError(
            f"{file} is damaged and cannot be read to its end ({error}). Fetch it again, or take it "
            "out of the folder."
        ) from error


def _zstandard(file: Path, raw: IO[bytes]) -> tuple[Any, type[Exception]]:
    """A reader and the error that it raises; Python has one of its own from 3.14 on."""
    if sys.version_info >= (3, 14):
        from compression import zstd

        return zstd.ZstdFile(raw), zstd.ZstdError
    try:
        import zstandard
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{file} needs the library zstandard to be read: pip install zstandard. Or compress it "
            "with xz or gzip."
        ) from error
    return _ZstandardReader(raw, zstandard.ZstdDecompressor()), zstandard.ZstdError


class _ZstandardReader(io.RawIOBase):
    """A stream that is decompressed as it is read; the library's own reader does not say when a file
    breaks off inside a frame."""

    def __init__(self, raw: IO[bytes], decompressor: Any) -> None:
        self.raw = raw
        self.decompressor = decompressor
        self.frame: Any = None
        self.compressed = self.ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self.ready and (compressed := self.compressed or self.raw.read(2**12)):
            self.frame = self.frame or self.decompressor.decompressobj()
            self.ready = self.frame.decompress(compressed)
            self.compressed = b""
            if self.frame.eof:  # another frame may follow
                self.compressed, self.frame = self.frame.unused_data, None
        if not self.ready and self.frame is not None:
            raise EOFError("it ends in the middle of a frame")
        count = min(len(self.ready), len(buffer))
        buffer[:count], self.ready = self.ready[:count], self.ready[count:]
        return count
