"""One meaning, one colour, in every view and every form of it.

Blue and vermilion stay apart for the common kinds of colour blindness, and each keeps a contrast of
at least 3:1 on white and on near-black. No view tells by colour alone.
"""

from __future__ import annotations

GENERATOR = "#1f83c9"
DISCRIMINATOR = "#d55e00"
THIRD = "#0a9d76"
PALETTE = {"generator": GENERATOR, "discriminator": DISCRIMINATOR, "third": THIRD}

SEGMENT_PAIRS = (THIRD, GENERATOR, DISCRIMINATOR, "#b45f98")
"""Of attention from segment to segment: A to A, A to B, B to A, B to B."""

PAPER, INK, FAINT = "#ffffff", "#1f2328", "#6b7280"  # of pictures, which have no theme

STRONGEST_TINT = 0.8  # of a token's background at probability 1, so that its text stays legible


def css_variables() -> str:
    """The colours as custom properties, for the style sheet of the views."""
    colours = "".join(f"--{name}:{colour};" for name, colour in PALETTE.items())
    return f".electra-view{{{colours}--strongest-tint:{STRONGEST_TINT}}}\n"


def tint(probability: float, colour: str = DISCRIMINATOR) -> tuple[float, float, float]:
    """The background of a token: from paper at 0 towards ``colour`` at 1, as red, green, blue."""
    amount = probability * STRONGEST_TINT
    red, green, blue = (
        (1 - amount) * int(PAPER[i : i + 2], 16) / 255 + amount * int(colour[i : i + 2], 16) / 255
        for i in (1, 3, 5)
    )
    return red, green, blue
