"""WordPiece, readable: from a text to words, and from a word to pieces of a vocabulary.

Two steps, as in BERT, whose tokenizer ELECTRA uses unchanged (google-research/electra,
model/tokenization.py). ``BasicTokenizer`` cleans the text and cuts it into words; ``WordPiece`` cuts
each word into the longest pieces that the vocabulary has. Every character remembers where in the
text it came from, so every piece can point back at what it was read from.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from .characters import (
    combining_class,
    decomposed,
    is_chinese,
    is_nonspacing_mark,
    is_punctuation,
    is_removed,
    is_whitespace,
    lower,
)


class Character(NamedTuple):
    """A character on its way through normalisation, and the index of its origin in the text.

    ``kept`` characters belong to a word that is never split.
    """

    value: str
    origin: int
    kept: bool = False


class Word(NamedTuple):
    """A word as WordPiece sees it; ``origins[i]`` is where ``text[i]`` came from.

    ``whole`` words are looked up as they are and never cut.
    """

    text: str
    origins: tuple[int, ...]
    whole: bool = False

    @classmethod
    def of(cls, characters: Iterable[Character], whole: bool = False) -> Word:
        """Join characters to a word."""
        values, origins, _ = zip(*characters, strict=True)
        return cls("".join(values), origins, whole)

    def span(self, start: int, stop: int) -> tuple[int, int]:
        """The characters of the original text that ``text[start:stop]`` came from."""
        return self.origins[start], self.origins[stop - 1] + 1


class Piece(NamedTuple):
    """A piece of a word and the part of the word, ``word[start:stop]``, that it stands for."""

    text: str
    start: int
    stop: int


def clean(characters: Iterable[Character]) -> Iterator[Character]:
    """Drop control characters; every kind of whitespace becomes a space."""
    for value, origin, _ in characters:
        if not is_removed(value):
            yield Character(" " if is_whitespace(value) else value, origin)


def surround_chinese(characters: Iterable[Character]) -> Iterator[Character]:
    """Put spaces around Chinese characters, which are written without: each becomes a word."""
    for character in characters:
        if is_chinese(character.value):
            space = Character(" ", character.origin)
            yield from (space, character, space)
        else:
            yield character


def decompose(characters: Iterable[Character]) -> list[Character]:
    """Write é as e and an accent, with several accents in Unicode's canonical order (NFD).

    A letter's first character keeps its place and the others share the origin of what stands before
    them, also where sorting moved an accent past another.
    """
    before = list(characters)
    after: list[tuple[str, bool]] = []  # with: is it the first of its decomposition?
    for value, _, _ in before:
        after.extend((part, i == 0) for i, part in enumerate(decomposed(value)))
    start = 0
    while start < len(after):  # sort each run of marks; sorted() keeps the order of equals
        stop = start
        while stop < len(after) and combining_class(after[stop][0]) > 0:
            stop += 1
        after[start:stop] = sorted(after[start:stop], key=lambda part: combining_class(part[0]))
        start = stop + 1
    result = []
    used = 0
    for value, first in after:
        used += first
        result.append(Character(value, before[max(used - 1, 0)].origin))
    return result


def strip_accents(characters: Iterable[Character]) -> Iterator[Character]:
    """Take letters and accents apart and drop the accents: résumé becomes resume."""
    return (c for c in decompose(characters) if not is_nonspacing_mark(c.value))


def lower_case(characters: Iterable[Character]) -> Iterator[Character]:
    """Lower-case each character; a few become two characters of one origin."""
    for value, origin, _ in characters:
        for small in lower(value):
            yield Character(small, origin)


def split_on_whitespace(characters: Iterable[Character]) -> Iterator[list[Character]]:
    """Cut at whitespace, which is dropped."""
    chunk: list[Character] = []
    for character in characters:
        if not is_whitespace(character.value):
            chunk.append(character)
        elif chunk:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def split_on_punctuation(characters: Iterable[Character]) -> Iterator[list[Character]]:
    """Make each punctuation character a word of its own."""
    chunk: list[Character] = []
    for character in characters:
        if not is_punctuation(character.value):
            chunk.append(character)
            continue
        if chunk:
            yield chunk
            chunk = []
        yield [character]
    if chunk:
        yield chunk


class BasicTokenizer:
    """Cut a text into words.

    Args:
        do_lower_case: lower-case everything.
        never_split: words (between spaces) that are neither lower-cased nor cut.
        tokenize_chinese_chars: make each Chinese character a word.
        strip_accents: drop accents; None does what ``do_lower_case`` says, as in BERT.
        clean_text: drop control characters and turn all whitespace into spaces.
        do_split: False cuts at whitespace only and changes nothing; the other arguments are idle.
    """

    def __init__(
        self,
        do_lower_case: bool = True,
        never_split: Collection[str] = (),
        tokenize_chinese_chars: bool = True,
        strip_accents: bool | None = None,
        clean_text: bool = True,
        do_split: bool = True,
    ) -> None:
        self.do_lower_case = do_lower_case
        self.never_split = frozenset(never_split)
        self.tokenize_chinese_chars = tokenize_chinese_chars
        self.strip_accents = do_lower_case if strip_accents is None else strip_accents
        self.clean_text = clean_text
        self.do_split = do_split

    def words(self, text: str, start: int = 0, stop: int | None = None) -> list[Word]:
        """The words of ``text[start:stop]``; their origins count from the beginning of ``text``."""
        return self.split(self.normalized(text, start, stop))

    def normalized(self, text: str, start: int = 0, stop: int | None = None) -> list[Character]:
        """The characters of ``text[start:stop]``, cleaned, lower-cased and so on, spaces included."""
        characters: Iterable[Character] = (
            Character(value, origin) for origin, value in enumerate(text[start:stop], start)
        )
        if not self.do_split:
            return list(characters)
        if self.clean_text:
            characters = clean(characters)
        if self.tokenize_chinese_chars:
            characters = surround_chinese(characters)
        if not self.never_split:
            return list(self._change_letters(characters))
        changed: list[Character] = []
        for is_space, group in groupby(characters, key=lambda c: is_whitespace(c.value)):
            chunk = list(group)
            if is_space:
                changed += chunk
            elif "".join(c.value for c in chunk) in self.never_split:
                changed += (c._replace(kept=True) for c in chunk)
            else:
                changed += self._change_letters(chunk)
        return changed

    def split(self, characters: Iterable[Character]) -> list[Word]:
        """The words of normalised characters."""
        words = []
        for chunk in split_on_whitespace(characters):
            if chunk[0].kept:
                words.append(Word.of(chunk, whole=True))
            elif not self.do_split:
                words.append(Word.of(chunk))
            else:
                words.extend(Word.of(part) for part in split_on_punctuation(chunk))
        return words

    def _change_letters(self, characters: Iterable[Character]) -> Iterable[Character]:
        if self.strip_accents:
            characters = strip_accents(characters)
        if self.do_lower_case:
            characters = lower_case(characters)
        return characters


class WordPiece:
    """Cut a word into pieces of a vocabulary: greedily, the longest piece first.

    Args:
        vocab: the pieces that exist. A piece that does not begin a word is written with ``prefix``.
        unk_token: what a word becomes that cannot be cut into pieces.
        prefix: marks a piece that continues a word.
        max_input_chars_per_word: longer words are unknown (BERT's limit, 100: a bound on the time,
            which grows with the square of the length).
    """

    def __init__(
        self,
        vocab: Collection[str],
        unk_token: str = "[UNK]",
        prefix: str = "##",
        max_input_chars_per_word: int = 100,
    ) -> None:
        self.vocab = vocab
        self.unk_token = unk_token
        self.prefix = prefix
        self.max_input_chars_per_word = max_input_chars_per_word

    def pieces(self, word: str) -> list[Piece]:
        """The pieces of a word, or the unknown token alone: one missing piece loses the word."""
        unknown = [Piece(self.unk_token, 0, len(word))]
        if len(word) > self.max_input_chars_per_word:
            return unknown
        pieces: list[Piece] = []
        start = 0
        while start < len(word):
            piece = self._longest_piece(word, start)
            if piece is None:
                return unknown
            pieces.append(piece)
            start = piece.stop
        return pieces

    def _longest_piece(self, word: str, start: int) -> Piece | None:
        prefix = self.prefix if start > 0 else ""
        for stop in range(len(word), start, -1):
            candidate = prefix + word[start:stop]
            if candidate in self.vocab:
                return Piece(candidate, start, stop)
        return None
