"""Strings and numbers as every form of a view writes them."""

from __future__ import annotations

import unicodedata

LONGEST = 60  # characters of one token that are shown; more would push everything else away

# Format characters can hide or reorder their neighbours; control characters and lone surrogates
# have no picture, and the latter no UTF-8 either.
_WITHOUT_PICTURE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def visible(text: str, longest: int = LONGEST) -> str:
    """``text`` so that what is shown is what it holds.

    Characters without a picture (controls, bidirectional marks, zero-width ones) become their code
    point in angle brackets, ``⟨U+202E⟩``; the end of a long text becomes its length.
    """
    head = "".join(
        f"⟨U+{ord(c):04X}⟩" if unicodedata.category(c) in _WITHOUT_PICTURE else c
        for c in text[:longest]
    )
    return head if len(text) <= longest else f"{head}… ({len(text):,} characters)"


def title_and_note(title: str, note: str) -> dict[str, str]:
    """Title and note as a view's page shows them."""
    return {"title": visible(title, 300), "note": visible(note, 300)}


def two_digits(probability: float) -> str:
    """``.93``, ``.00`` and ``1.0``: as wide as each other, short enough to stand under a token."""
    text = f"{probability:.2f}"
    return text[1:] if text.startswith("0") else "1.0"


def three_digits(probability: float) -> str:
    """``.934``, and ``<.001`` where rounding would say nothing."""
    if 0 < probability < 0.0005:
        return "<.001"
    text = f"{probability:.3f}"
    return text[1:] if text.startswith("0") else "1.00"


def two_decimals(number: float) -> str:
    """``.25``, ``−1.50``: two digits after the point, and no 0 before it."""
    text = f"{number:.2f}".replace("-", "−")
    if text.strip("−0.") == "":
        return ".00"
    return text.replace("0.", ".", 1) if text.lstrip("−").startswith("0.") else text


def with_sign(number: float) -> str:
    """``+.25`` and ``−.25``; ``.00`` where rounding leaves nothing."""
    text = two_decimals(number)
    return text if text == ".00" or text.startswith("−") else f"+{text}"
