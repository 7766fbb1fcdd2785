"""Added tokens: what a tokenizer knows beside the pieces of its vocabulary, and finding it in a text.

An added token is never cut. It is looked for before WordPiece sees the text, in two rounds: tokens
with ``normalized=False`` in the text as it was written, then those with ``normalized=True`` in the
text after cleaning and lower-casing, where the token itself has been through the same. In each round
the leftmost match wins, and of several that begin there the longest.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from tokenizers import AddedToken

from .characters import is_whitespace

FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")
JOIN_CONTROLS = frozenset("\u200c\u200d")
CIRCLED_LETTERS = (  # symbols by their category, letters by their use
    (0x24B6, 0x24E9),
    (0x1F130, 0x1F149),
    (0x1F150, 0x1F169),
    (0x1F170, 0x1F189),
)


class Match(NamedTuple):
    """An added token found as ``text[start:stop]``, with the spaces that it takes along."""

    token: AddedToken
    start: int
    stop: int


class AddedVocabulary:
    """The added tokens of a tokenizer and their ids.

    A token that is a piece of the vocabulary keeps that piece's id; others get the ids that follow
    the vocabulary, in the order in which they come.

    Args:
        pieces: ids of the vocabulary's pieces, from 0 without a gap.
    """

    def __init__(self, pieces: Mapping[str, int]) -> None:
        self.pieces = pieces
        self.ids: dict[str, int] = {}
        self.tokens: dict[int, AddedToken] = {}
        self.size = len(pieces)  # of both vocabularies together

    def add(self, token: AddedToken) -> bool:
        """Take in a token, or its new flags; returns whether the vocabulary has grown.

        Raises:
            ValueError: the token is empty.
        """
        content = token.content
        if not content:
            raise ValueError("An empty text cannot be added as a token; leave it out.")
        grows = content not in self.pieces and content not in self.ids
        if content not in self.ids:
            self.ids[content] = self.pieces.get(content, self.size)
        self.tokens[self.ids[content]] = token
        self.size += grows
        return grows

    def token(self, content: str) -> AddedToken | None:
        """The added token of this text; None where there is none."""
        return self.tokens[self.ids[content]] if content in self.ids else None

    def add_saved(self, saved: Mapping[Any, AddedToken | Mapping[str, Any]]) -> None:
        """Take in tokens by their ids, as files list them.

        Raises:
            ValueError: a token would not get the id that it had.
        """
        by_id = {int(index): as_added_token(token) for index, token in saved.items()}
        for index in sorted(by_id):
            self.add(by_id[index])
            given = self.ids[by_id[index].content]
            if given != index:
                raise ValueError(
                    f"The added token {by_id[index].content!r} was saved with id {index} and would get "
                    f"{given}: added tokens follow the {len(self.pieces)} pieces of the vocabulary "
                    "without a gap. Was the vocabulary exchanged, or a token taken out? Put back the "
                    "file that was saved with these tokens."
                )

    def written(self) -> dict[str, dict[str, Any]]:
        """The tokens as ``tokenizer_config.json`` lists them: by id, with every flag."""
        return {str(index): as_dictionary(token) for index, token in sorted(self.tokens.items())}


class Finder:
    """Finds tokens in a text.

    Args:
        tokens: what to look for; no two may look alike.
        normalize: how the text has been changed, applied to the tokens too.
    """

    def __init__(
        self, tokens: Iterable[AddedToken], normalize: Callable[[str], str] | None = None
    ) -> None:
        self.tokens = {
            token.content if normalize is None else normalize(token.content): token
            for token in tokens
        }
        longest_first = sorted(self.tokens, key=len, reverse=True)
        self.pattern = re.compile("|".join(map(re.escape, longest_first)))

    def __bool__(self) -> bool:
        return bool(self.tokens)

    def matches(self, text: str) -> Iterator[Match]:
        """The tokens in a text, from left to right; no two share a character."""
        if not self.tokens:
            return
        done = 0
        for found in self.pattern.finditer(text):
            token = self.tokens[found.group()]
            start, stop = found.span()
            if token.single_word and not stands_alone(text, start, stop):
                continue
            if token.lstrip:
                start = max(start, done)  # the token before may have taken a space of this one's
                while start > done and is_whitespace(text[start - 1]):
                    start -= 1
            if token.rstrip:
                while stop < len(text) and is_whitespace(text[stop]):
                    stop += 1
            yield Match(token, start, stop)
            done = stop


def stands_alone(text: str, start: int, stop: int) -> bool:
    """Whether neither neighbour of ``text[start:stop]`` belongs to a word."""
    left = text[start - 1 : start] if start else ""
    right = text[stop : stop + 1]
    return not any(is_word_character(neighbour) for neighbour in left + right)


@cache
def is_word_character(character: str) -> bool:
    """Letters, marks, digits, and punctuation that joins words, such as ``_`` (Unicode's UTS 18)."""
    category = unicodedata.category(character)
    return (
        category[0] in "LM"
        or category in ("Nd", "Nl", "Pc")
        or character in JOIN_CONTROLS
        or any(first <= ord(character) <= last for first, last in CIRCLED_LETTERS)
    )


def as_added_token(
    token: str | AddedToken | Mapping[str, Any], special: bool = False
) -> AddedToken:
    """A token of its own with all its flags, from a text, an ``AddedToken`` or what a file holds.

    A flag that was not given is False; ``normalized`` is True for all but special tokens.

    Raises:
        TypeError: it is something else.
    """
    if isinstance(token, Mapping):
        flags = {flag: token[flag] for flag in FLAGS if flag in token}
        token = AddedToken(token["content"], **flags)
    elif isinstance(token, str):
        token = AddedToken(token)
    elif not isinstance(token, AddedToken):
        raise TypeError(
            f"A token to add is a text or an AddedToken; it was given {token!r:.60} "
            f"({type(token).__name__})."
        )
    was_special = token.special
    token.special = special or was_special  # before normalized is read: its default hangs on this
    flags = {flag: getattr(token, flag) for flag in FLAGS}
    token.special = was_special
    return AddedToken(token.content, **flags)


def as_dictionary(token: AddedToken) -> dict[str, Any]:
    """A token as files write it."""
    return {"content": token.content, **{flag: getattr(token, flag) for flag in FLAGS}}
