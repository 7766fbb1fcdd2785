"""A part of a corpus that is kept for measuring, and the rest of it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from .documents import START, Corpus, Document, Place


class HeldOut:
    """The documents of a corpus that are held out, or all others.

    What a document's text is decides where it belongs (its CRC-32, divisible by ``every`` or not), so
    it stays there when files are added, renamed or read in another order, and a document that occurs
    twice is never on both sides.

    Args:
        corpus: where the documents come from.
        every: about one document in so many is held out; 2 or more.
        training: give the others, those to train on.

    Raises:
        ValueError: ``every`` is below 2.
    """

    def __init__(self, corpus: Corpus, every: int, *, training: bool = False) -> None:
        if every < 2:
            raise ValueError(
                f"One document in {every} cannot be held out; say 2 or more, 100 for a hundredth."
            )
        self.corpus = corpus
        self.every = every
        self.training = training
        self.name = corpus.name
        self.total_bytes = corpus.total_bytes

    def description(self) -> Any:
        """That of the corpus, and which part of it this is."""
        return {
            "text": self.corpus.description(),
            "held_out": self.every,
            "training": self.training,
        }

    def documents(self, start: Place = START) -> Iterator[Document]:
        """Every document of the corpus; those that belong to the other part are empty, so that places
        stay what they are."""
        for document in self.corpus.documents(start):
            here = self.is_held_out(document.paragraphs) is not self.training
            yield document if here else replace(document, paragraphs=[])

    def beginnings(self, characters: int) -> Iterator[str]:
        """Those of the whole corpus: a vocabulary may know words of either part."""
        return self.corpus.beginnings(characters)

    def is_held_out(self, paragraphs: list[str]) -> bool:
        """Whether a document of these paragraphs is one to measure with."""
        return zlib.crc32("\n".join(paragraphs).encode("utf-8", "replace")) % self.every == 0
