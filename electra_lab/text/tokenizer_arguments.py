"""What a tokenizer is called with: the ways to pad and to cut, one text or many, and what is no text."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from .encoding import PADDING_STRATEGIES, TRUNCATION_STRATEGIES


def one_of(name: str, given: str, known: Collection[str]) -> str:
    """What was given, if it is known.

    Raises:
        ValueError: it is not.
    """
    if given not in known:
        raise ValueError(f"{name}={given!r} is not known. It is one of {', '.join(known)}.")
    return given


def padding_strategy(padding: bool | str) -> str:
    """One of ``PADDING_STRATEGIES``."""
    if isinstance(padding, bool):
        return "longest" if padding else "do_not_pad"
    return one_of("padding", padding, PADDING_STRATEGIES)


def truncation_strategy(padding: str, truncation: bool | str | None, max_length: int | None) -> str:
    """One of ``TRUNCATION_STRATEGIES``. By default a length that does not pad cuts."""
    if truncation is None:
        truncation = max_length is not None and padding == "do_not_pad"
    if isinstance(truncation, bool):
        return "longest_first" if truncation else "do_not_truncate"
    return one_of("truncation", truncation, TRUNCATION_STRATEGIES)


def is_batch(text: Any, is_split_into_words: bool) -> bool:
    """Whether these are several texts.

    Raises:
        TypeError: it is neither a text nor several.
    """
    if not isinstance(text, (list, tuple)):
        if isinstance(text, str) and not is_split_into_words:
            return False
        expected = (
            "a list of words, or a list of such lists"
            if is_split_into_words
            else ("a text (str), or a list of texts")
        )
        raise TypeError(f"A tokenizer takes {expected}; it was given {_described(text)}.")
    return not is_split_into_words or (len(text) > 0 and isinstance(text[0], (list, tuple)))


def sides_of(
    text: Any, text_pair: Any, batched: bool, is_split_into_words: bool
) -> tuple[Sequence[Any], Sequence[Any] | None]:
    """First and second texts as two lists of one length."""
    if not batched:
        return [text], [text_pair] if text_pair else None
    pairs_in_one = not is_split_into_words and any(isinstance(t, (list, tuple)) for t in text)
    if pairs_in_one:
        if text_pair is not None or any(len(t) != 2 or isinstance(t, str) for t in text):
            raise TypeError(
                "A list of lists is read as pairs (first, second). Words that are cut already need "
                "is_split_into_words=True."
            )
        return [first for first, _ in text], [second for _, second in text]
    if text_pair is None:
        return text, None
    if not isinstance(text_pair, (list, tuple)) or len(text_pair) != len(text):
        given = len(text_pair) if isinstance(text_pair, (list, tuple)) else _described(text_pair)
        raise ValueError(
            f"text holds {len(text)} texts, so text_pair must be a list of as many; it was given "
            f"{given}."
        )
    return text, text_pair


def refuse_what_is_no_text(texts: Sequence[Any], is_split_into_words: bool) -> None:
    """Say which of the texts is none.

    Raises:
        TypeError: one is not a string, or a list of strings where words are expected.
        ValueError: one holds half of a surrogate pair.
    """
    for index, text in enumerate(texts):
        if is_split_into_words and not isinstance(text, (list, tuple)):
            raise TypeError(f"Text {index} must be a list of words; it is {_described(text)}.")
        for part in text if is_split_into_words else (text,):
            if not isinstance(part, str):
                raise TypeError(f"Text {index} must be str; it holds {_described(part)}.")
            broken = re.search("[\ud800-\udfff]", part)
            if broken:
                raise ValueError(
                    f"Text {index} holds half of a surrogate pair, {broken.group()!r}, at character "
                    f"{broken.start()}: it was decoded wrongly. Read it again as UTF-8, or with "
                    "errors='replace'."
                )


def _described(value: Any) -> str:
    return "None" if value is None else f"{value!r:.60} ({type(value).__name__})"


def as_list(ids: Any) -> Any:
    """A tensor or an array as (nested) lists; a list of tensors as a list of lists."""
    if hasattr(ids, "tolist"):
        return ids.tolist()
    if isinstance(ids, (list, tuple)):
        return [as_list(entry) for entry in ids]
    return int(ids) if isinstance(ids, np.integer) else ids
