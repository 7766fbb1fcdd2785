"""What is known of the pieces of a vocabulary, as categories to colour points by."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from electra_lab.inside.views.projector import OTHER
from electra_lab.text.microworld import MicroWorld, vocabulary_words

KINDS = ("whole word", "continuation ##", "punctuation", "digits", "special")
# the parts of speech that a sentence has most of come first (tags of Universal Dependencies)
TAGS = (
    *("NOUN", "VERB", "ADJ", "PRON", "DET", "AUX", "ADP", "PROPN", "ADV"),
    *("CCONJ", "SCONJ", "PUNCT", "NUM", "PART"),
)
_SENTENCES = 1_000  # of the micro-world that are counted


@dataclass(frozen=True)
class Colouring:
    """A category for each point. ``order`` and ``ordered`` are those of ``Projector``."""

    kind: str
    categories: tuple[str, ...]
    order: tuple[str, ...] = ()
    ordered: bool = False


def kind_of(piece: str, special: Iterable[str] = ()) -> str:
    """One of ``KINDS``."""
    if piece in special:
        return "special"
    if piece.startswith("##"):
        return "continuation ##"
    if piece.isdigit():
        return "digits"
    if all(unicodedata.category(letter)[0] in "PSZ" for letter in piece):
        return "punctuation"
    return "whole word"


def by_kind(pieces: Sequence[str], special: Iterable[str] = ()) -> Colouring:
    """Whole words, continuations, punctuation, digits, special tokens."""
    marks = frozenset(special)
    return Colouring("kind of piece", tuple(kind_of(p, marks) for p in pieces), KINDS)


def by_tag(
    words: Sequence[str], tags: Mapping[str, str], kind: str = "part of speech"
) -> Colouring:
    """What a table says of each word; "other" where it says nothing."""
    return Colouring(kind, tuple(tags.get(word.lower(), OTHER) for word in words), TAGS)


def by_frequency(words: Sequence[str], counts: Mapping[str, int]) -> Colouring:
    """Bands of the rank among all words counted: the ten most frequent, and so on."""
    ranked = sorted((w for w in counts if counts[w] > 0), key=lambda w: (-counts[w], w))
    rank = {word: number for number, word in enumerate(ranked, start=1)}
    bands = _bands(len(ranked))
    return Colouring(
        "rank by frequency",
        tuple(_band(rank.get(word.lower()), bands) for word in words),
        (*(_written(band) for band in bands), "never"),
        ordered=True,
    )


def by_place(pieces: Sequence[str], vocabulary: Mapping[str, int]) -> Colouring:
    """Bands of the id. Many vocabularies, BERT's among them, name frequent pieces first."""
    bands = _bands(len(vocabulary))
    return Colouring(
        "place in the vocabulary",
        tuple(_band(vocabulary[piece] + 1, bands) for piece in pieces),
        tuple(_written(band) for band in bands),
        ordered=True,
    )


@dataclass(frozen=True)
class Known:
    """What a text with annotated words says: the most frequent tag of each word, and counts."""

    tags: Mapping[str, str]
    counts: Mapping[str, int]


@cache
def microworld() -> Known:
    """What the micro-world says of its words, counted in ``_SENTENCES`` of its sentences."""
    tags: dict[str, Counter[str]] = defaultdict(Counter)
    for sentence in MicroWorld(seed=0).sentences(_SENTENCES):
        for word in sentence.words:
            tags[word.text][word.pos] += 1
    return Known(
        {word: found.most_common(1)[0][0] for word, found in tags.items()},
        {word: found.total() for word, found in tags.items()},
    )


def of_microworld(pieces: Iterable[str]) -> bool:
    """Whether a vocabulary was made for the micro-world: it holds nearly all of its words, and they
    are a large part of its own."""
    whole = {piece for piece in pieces if kind_of(piece) == "whole word"}
    words = set(vocabulary_words())
    return len(words & whole) >= 0.9 * len(words) and len(words & whole) >= len(whole) / 3


def _bands(count: int) -> list[tuple[int, int]]:
    """First and last rank of each band: up to 10, 30, 100, 300; powers of ten where there are many."""
    ends = [10, 100, 1_000, 10_000] if count > 1_000 else [10, 30, 100, 300]
    ends = [*(end for end in ends if end < count), count]
    return [(1 if i == 0 else ends[i - 1] + 1, end) for i, end in enumerate(ends)]


def _band(rank: int | None, bands: Sequence[tuple[int, int]]) -> str:
    if rank is None:
        return "never"
    return next(_written(band) for band in bands if rank <= band[1])


def _written(band: tuple[int, int]) -> str:
    return f"{band[0]:,} to {band[1]:,}"
