"""Words of a text, and which of them differ from an earlier text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any


@dataclass(frozen=True)
class Word:
    """A word of a text, or a punctuation mark.

    Attributes:
        text: as it is written.
        start, stop: its characters in the text.
        first, pieces: its first token ([CLS] is number 0), and all its tokens.
    """

    text: str
    start: int
    stop: int
    first: int
    pieces: tuple[str, ...]


def words_of(tokenizer: Any, text: str) -> list[Word]:
    """The words of ``text`` as the tokenizer cuts them."""
    encoding = tokenizer([text], return_offsets_mapping=True)
    tokens = tokenizer.convert_ids_to_tokens(encoding["input_ids"][0])
    found: dict[int, Word] = {}
    for index, (word, (start, stop)) in enumerate(
        zip(encoding.word_ids(0), encoding["offset_mapping"][0], strict=True)
    ):
        if word is None:
            continue
        before = found.get(word, Word("", start, stop, index, ()))
        found[word] = Word(
            text[before.start : stop],
            before.start,
            stop,
            before.first,
            (*before.pieces, tokens[index]),
        )
    return list(found.values())


@dataclass(frozen=True)
class Change:
    """Words of the original (``before``) and what stands in their place now (``after``).

    Attributes:
        words: numbers of the words that are new; empty where words were only left out.
    """

    before: str
    after: str
    words: range


def changes(before: Sequence[Word], after: Sequence[Word]) -> list[Change]:
    """What became of the original words; words are the same when the model sees the same tokens."""
    matcher = SequenceMatcher(
        None, [word.pieces for word in before], [word.pieces for word in after], autojunk=False
    )
    found = []
    for kind, start, stop, new_start, new_stop in matcher.get_opcodes():
        if kind == "equal":
            continue
        if stop - start == new_stop - new_start:
            found += [
                Change(before[start + i].text, after[new_start + i].text, _one(new_start + i))
                for i in range(stop - start)
            ]
        else:
            found.append(
                Change(
                    " ".join(word.text for word in before[start:stop]),
                    " ".join(word.text for word in after[new_start:new_stop]),
                    range(new_start, new_stop),
                )
            )
    return found


def _one(number: int) -> range:
    return range(number, number + 1)
