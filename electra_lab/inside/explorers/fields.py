"""A text of any form as two fields to type in: what is typed becomes a text of the same form again."""

from __future__ import annotations

from typing import Any

from electra_lab.inside.trace import Trace

BETWEEN = " | "  # choices in their field


def check_form(text: Any) -> None:
    """Raises:
    ValueError: the text has no form that can be typed.
    """
    if not isinstance(text, str | tuple | dict):
        raise ValueError(
            f"text is {text!r:.80}. Give one text, a (text, text) pair, "
            "{'question': ..., 'context': ...} or {'context': ..., 'choices': [...]}."
        )


def field_names(text: Any) -> tuple[str, str]:
    """What the two fields of such a text are called."""
    if isinstance(text, dict):
        return ("Context", "Choices") if "choices" in text else ("Question", "Passage")
    return "Text", "Second"


def fields_of(text: Any) -> tuple[str, str]:
    """The text as the two fields hold it."""
    match text:
        case {"choices": choices}:
            return text["context"], BETWEEN.join(choices)
        case {"question": question}:
            return question, text["context"]
        case (first, second):
            return first, second or ""
        case _:
            return text, ""


def with_fields(text: Any, first: str, second: str) -> Any:
    """A text of the form of ``text`` with other fields; an empty second one makes a pair a single
    text."""
    match text:
        case {"choices": _}:
            choices = [choice.strip() for choice in second.split(BETWEEN.strip())]
            return {"context": first, "choices": [choice for choice in choices if choice]}
        case {"question": _}:
            return {"question": first, "context": second}
        case _:
            return (first, second) if second.strip() else first


def row_name(found: Trace, row: int) -> str:
    """One of a trace's sequences in a few words: its number and its end."""
    words = [token for token, on in zip(found.tokens[row], found.mask[row], strict=True) if on]
    return f"{row}: {' '.join(words[-8:])}"
