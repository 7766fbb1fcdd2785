"""A corpus, tokenised and packed into shards, in bounded memory; what was broken off goes on."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers

from electra_lab.checkpoints.atomic import atomic_file
from electra_lab.text.tokenization import ElectraTokenizerFast

from .documents import EMPTY_DOCUMENTS, Corpus, Document, Place
from .segments import Ids, Segment, check_max_length, pack
from .shards import (
    INDEX_FILE,
    VERSION,
    check_vocabulary_fits,
    id_type,
    read_index,
    read_state,
    vocabulary_hash,
    write_shard,
)

SHARD_TOKENS = 2**24
BATCH_CHARACTERS, BATCH_DOCUMENTS = 2**21, 2**14
"""Tokenised at once: enough for all cores, little enough to be nothing in memory."""


@dataclass
class CorpusReport:
    """What became of a corpus: how much was kept, what was skipped or cut.

    Attributes:
        documents, paragraphs: that had tokens.
        tokens: in segments, [CLS] and [SEP] not counted.
        segments: how many.
        discarded: tokens in no segment (``faithful``).
        skipped: how many of each kind.
    """

    documents: int = 0
    paragraphs: int = 0
    tokens: int = 0
    segments: int = 0
    discarded: int = 0
    skipped: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [
            f"{self.tokens:,} tokens of {self.documents:,} documents in {self.segments:,} segments"
        ]
        if self.discarded:
            lines.append(f"discarded: {self.discarded:,} tokens that overran a segment")
        lines += [f"skipped or cut: {count:,} {kind}" for kind, count in self.skipped.items()]
        return "\n".join(lines)


def build_shards(
    corpus: Corpus,
    tokenizer: ElectraTokenizerFast,
    folder: str | Path,
    *,
    max_length: int = 128,
    seed: int = 0,
    faithful: bool = False,
    shard_tokens: int = SHARD_TOKENS,
    progress: bool = True,
) -> CorpusReport:
    """Tokenise and pack a corpus into a folder that ``Shards`` reads.

    Every shard appears whole or not at all, and carries where reading stood. So after an error or a
    kill one calls again, and gets the same shards as if nothing had happened. What a document becomes
    is decided by the seed and its number alone.

    Args:
        corpus: ``TextFiles`` or ``HubText``.
        tokenizer: uses as many threads as there are cores (``TOKENIZERS_PARALLELISM=false``: one). Words
            like [MASK] in the text are text there, no special tokens.
        folder: for the shards.
        max_length: of a row in tokens, [CLS] and [SEP] counted.
        seed: of the lengths and divisions of segments.
        faithful: see ``segments.pack``.
        shard_tokens: a shard ends with the document that brings it to so many.
        progress: show a bar, and the report at the end.

    Raises:
        ValueError: there is no text in the corpus; ``folder`` holds shards of other text, settings or
            vocabulary; a compressed file is damaged; ``max_length`` is below 5.
        OSError: the disk is full; the shards before stay, and another call goes on with them.
    """
    check_max_length(max_length)
    folder = Path(folder)
    settings = {
        "max_length": max_length,
        "seed": seed,
        "faithful": faithful,
        "shard_tokens": shard_tokens,
        "vocabulary": vocabulary_hash(tokenizer),
        "vocabulary_size": len(tokenizer),
        "corpus": corpus.description(),
    }
    if (folder / INDEX_FILE).is_file():
        index = read_index(folder)
        _check_settings(folder, index["settings"], settings, tokenizer)
        return CorpusReport(**index["report"])
    builder = _Builder(folder, settings, tokenizer)
    builder.find_what_is_done()
    with _bar(corpus, progress) as bar:
        for document, paragraphs in _tokenised(corpus.documents(builder.place), tokenizer):
            builder.add(document, paragraphs)
            bar.update(document.bytes_read if corpus.total_bytes is not None else 1)
            bar.set_postfix_str(f"{builder.report.tokens:,} tokens", refresh=False)
    report = builder.finish(corpus)
    if progress:
        print(report, file=sys.stderr)
    return report


def no_text(corpus: Corpus, skipped: Mapping[str, int]) -> ValueError:
    """The error for a corpus without any text, with what was found in it instead."""
    found = "; ".join(f"{count:,} {kind}" for kind, count in skipped.items())
    return ValueError(
        f"There is no text in {corpus.name}"
        + (f": {found}" if found else "")
        + ". What is read is "
        "text in UTF-8, a paragraph on each line, an empty line between documents."
    )


class _Builder:
    """Collects segments and writes a shard whenever there are enough."""

    def __init__(
        self, folder: Path, settings: dict[str, Any], tokenizer: ElectraTokenizerFast
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.tokenizer = tokenizer
        self.place = Place()
        self.number = 0
        self.report = CorpusReport()
        self.shards: list[dict[str, Any]] = []
        self.waiting: list[Segment] = []
        self.tokens_waiting = 0

    def find_what_is_done(self) -> None:
        """Take up the shards of a call that was broken off."""
        while (folder := self.folder / self._name()).is_dir():
            state = read_state(folder)
            _check_settings(self.folder, state["settings"], self.settings, self.tokenizer)
            self.place = Place(*state["place"])
            self.number = state["number"]
            self.report = CorpusReport(**state["report"])
            self.shards.append(state["shard"])

    def add(self, document: Document, paragraphs: list[Ids]) -> None:
        """Pack one document."""
        report = self.report
        self.place = document.place
        report.skipped = dict(Counter(report.skipped) + document.skipped)
        given = sum(map(len, paragraphs))
        if given:
            rng = np.random.default_rng((self.settings["seed"], self.number))
            segments = list(
                pack(
                    paragraphs,
                    self.settings["max_length"],
                    rng,
                    faithful=self.settings["faithful"],
                )
            )
            kept = sum(len(segment.ids) for segment in segments)
            self.number += 1
            self.waiting += segments
            self.tokens_waiting += kept
            report.documents += 1
            report.paragraphs += len(paragraphs)
            report.tokens += kept
            report.discarded += given - kept
            report.segments += len(segments)
        elif document.paragraphs:
            report.skipped[EMPTY_DOCUMENTS] = report.skipped.get(EMPTY_DOCUMENTS, 0) + 1
        if self.tokens_waiting >= self.settings["shard_tokens"]:
            self._write()

    def finish(self, corpus: Corpus) -> CorpusReport:
        """Write what is left, and the index that makes the folder whole.

        Raises:
            ValueError: there was no text.
        """
        if self.waiting:
            self._write()
        if not self.shards:
            raise no_text(corpus, self.report.skipped)
        index = {
            "version": VERSION,
            "settings": self.settings,
            "report": asdict(self.report),
            "shards": self.shards,
        }
        with atomic_file(self.folder / INDEX_FILE) as partial:
            partial.write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")
        return self.report

    def _name(self) -> str:
        return f"shard-{len(self.shards):05d}"

    def _write(self) -> None:
        name = self._name()
        shard = {"name": name, "segments": len(self.waiting), "tokens": self.tokens_waiting}
        state = {
            "settings": self.settings,
            "place": self.place,
            "number": self.number,
            "report": asdict(self.report),
            "shard": shard,
        }
        write_shard(self.folder / name, self.waiting, self.settings["vocabulary_size"], state)
        self.shards.append(shard)
        self.waiting, self.tokens_waiting = [], 0


def _tokenised(
    documents: Iterable[Document], tokenizer: ElectraTokenizerFast
) -> Iterator[tuple[Document, list[Ids]]]:
    """Each document with the ids of its paragraphs, tokenised many at a time."""
    backend = tokenizers.Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    # what looks like a special token was written by somebody, and is text
    backend.encode_special_tokens = True
    dtype = id_type(len(tokenizer))
    for batch in _batches(documents):
        texts = [paragraph for document in batch for paragraph in document.paragraphs]
        encodings = backend.encode_batch_fast(texts, add_special_tokens=False)
        lists = [encoding.ids for encoding in encodings]
        ids = np.fromiter(chain.from_iterable(lists), dtype)
        parts = np.split(ids, np.cumsum([len(part) for part in lists])[:-1]) if lists else []
        done = 0
        for document in batch:
            count = len(document.paragraphs)
            yield document, parts[done : done + count]
            done += count


def _batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    batch: list[Document] = []
    size = 0
    for document in documents:
        batch.append(document)
        size += sum(map(len, document.paragraphs))
        if size >= BATCH_CHARACTERS or len(batch) >= BATCH_DOCUMENTS:
            yield batch
            batch, size = [], 0
    yield batch


def _check_settings(
    folder: Path, theirs: dict[str, Any], ours: dict[str, Any], tokenizer: ElectraTokenizerFast
) -> None:
    """Raises:
    ValueError: the folder holds shards of something else.
    """
    check_vocabulary_fits(folder, theirs, tokenizer)
    here = json.loads(json.dumps(ours))
    names = [name for name in here if theirs.get(name) != here[name]]
    if names:
        shown = "; ".join(
            "corpus: other files, or files of other sizes"
            if name == "corpus"
            else f"{name}: {theirs.get(name)} there, {here[name]} here"
            for name in names
        )
        raise ValueError(
            f"{folder} holds shards of something else ({shown}). Take another folder, or "
            "remove this one."
        )


def _bar(corpus: Corpus, shown: bool) -> Any:
    from tqdm.auto import tqdm

    by_bytes = corpus.total_bytes is not None
    return tqdm(
        total=corpus.total_bytes,
        disable=not shown,
        desc="tokenising",
        unit="B" if by_bytes else "document",
        unit_scale=by_bytes,
        mininterval=1.0,
    )
