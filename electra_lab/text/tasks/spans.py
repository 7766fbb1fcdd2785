"""Names marked by their characters in a text -> words, each with a tag in BIO."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from electra_lab.text.characters import is_chinese, is_punctuation, is_removed, is_whitespace

from .errors import Problem, shortened
from .schema import OUTSIDE

START_NAMES = ("start", "begin", "start_offset", "start_char")
END_NAMES = ("end", "stop", "end_offset", "end_char")
LABEL_NAMES = ("label", "type", "entity", "tag", "entity_type", "entity_group")


def words_of(text: str) -> list[tuple[int, int]]:
    """Where the words of a text begin and end.

    They are cut where ELECTRA's tokenizer never joins pieces anyway: at white space, around each
    punctuation mark and each Chinese character.
    """
    words: list[tuple[int, int]] = []
    begin: int | None = None
    for index, character in enumerate([*text, " "]):
        ends = is_whitespace(character) or is_removed(character)
        alone = not ends and (is_punctuation(character) or is_chinese(character))
        if begin is not None and (ends or alone):
            words.append((begin, index))
            begin = None
        if alone:
            words.append((index, index + 1))
        elif not ends and begin is None:
            begin = index
    return words


def tagged_words(text: str, spans: Sequence[Any]) -> tuple[list[str], list[str]]:
    """The words of a text, and their BIO tags from spans of characters.

    Args:
        text: what the spans count characters of.
        spans: each ``{"start", "end", "label"}``, the end behind its last character, or the three in a
            list. A span may have its ``text``.

    Raises:
        Problem: a span is not in the text, does not match its own text, covers parts of words, or
            overlaps another.
    """
    words = words_of(text)
    begins = {begin: number for number, (begin, _) in enumerate(words)}
    ends = {end: number for number, (_, end) in enumerate(words)}
    tags = [OUTSIDE] * len(words)
    for span in spans:
        start, end, label, own_text = _parts_of(span)
        covered = _covered(text, start, end, own_text)
        if start not in begins or end not in ends:
            raise Problem(
                "a span that covers parts of words",
                f"The span {start} to {end} ({covered!r:.60}) does not begin and end with words: "
                f"{_around(text, start, end)!r}. It must cover whole words and no space around them.",
            )
        first, last = begins[start], ends[end]
        if any(tag != OUTSIDE for tag in tags[first : last + 1]):
            raise Problem(
                "spans that overlap",
                f"The span {start} to {end} ({covered!r:.60}) overlaps another. Each word can belong to "
                "one entity.",
            )
        tags[first : last + 1] = [f"B-{label}"] + [f"I-{label}"] * (last - first)
    return [text[begin:end] for begin, end in words], tags


def _parts_of(span: Any) -> tuple[int, int, str, str | None]:
    if isinstance(span, list | tuple) and len(span) == 3:
        start, end, label = span
        own_text = None
    elif isinstance(span, Mapping):
        start, end, label = (
            next((span[name] for name in names if name in span), None)
            for names in (START_NAMES, END_NAMES, LABEL_NAMES)
        )
        own_text = span.get("text")
    else:
        start = end = label = own_text = None
    good = type(start) is int and type(end) is int and isinstance(label, str) and label.strip()
    if not good or not isinstance(own_text, str | None):
        raise Problem(
            "a span without start, end and label",
            f'A span is {shortened(span)}; expected {{"start": 0, "end": 5, "label": "person"}} or '
            '[0, 5, "person"].',
        )
    return start, end, label.strip(), own_text


def _covered(text: str, start: int, end: int, own_text: str | None) -> str:
    if not 0 <= start < end <= len(text):
        raise Problem(
            "a span that is not in its text",
            f"The span {start} to {end} is not in the text, which has {len(text)} characters.",
        )
    covered = text[start:end]
    if own_text is not None and own_text != covered:
        raise Problem(
            "a span that does not match its text",
            f"The span {start} to {end} covers {covered!r:.60}, and its own text is {own_text!r:.60}"
            f"{place_of(own_text, text)}. Offsets count characters from 0; the end is behind the last.",
        )
    return covered


def place_of(part: str, text: str) -> str:
    """Where a text has a part, for a message."""
    found = text.find(part) if part else -1
    return f", which begins at {found}" if found >= 0 else ", which the text does not have"


def _around(text: str, start: int, end: int) -> str:
    return text[max(0, start - 10) : start] + "[" + text[start:end] + "]" + text[end : end + 10]
