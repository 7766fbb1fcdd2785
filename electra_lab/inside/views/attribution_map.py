"""Tokens and how far each moved an outcome, up or down."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from .palette import DISCRIMINATOR, GENERATOR
from .token_map import TokenMap, check_lengths
from .wording import visible, with_sign


class AttributionMap(TokenMap):
    """A sentence, token by token, each coloured by its share in an outcome: vermilion where it raised
    it, blue where it lowered it.

    The number stands below its token: always where it is at least half of the largest, on hover and
    keyboard focus below that. A bar says the same by its length.

    Args:
        tokens: the tokens as the model sees them.
        scores: for each token its share, for example ``trace.attributions.scores[0]``; finite
            numbers of either sign.
        scale: the score, without its sign, that has the full colour. Default: the largest that there
            is. Two maps with one scale can be compared.
        originals: for each token what stood there in a text that this one is compared with, or None;
            shown above the token, which gets a frame.
        title: a line above the tokens.
        note: a line below the title.

    Events of the live widget: ``{"event": "choose", "index": i}`` when a token is clicked.

    Raises:
        ValueError: lengths differ, or a score is not finite or larger than the scale.
    """

    legend = "what lowered the logit, and what raised it"
    mark = "differs; above it, the other"
    framed = "differs"
    says = "its share is"
    ends = "−", "+"
    colours = (GENERATOR, DISCRIMINATOR)

    def __init__(
        self,
        tokens: Sequence[str],
        scores: Iterable[Any],
        *,
        scale: float | None = None,
        originals: Sequence[str | None] | None = None,
        title: str = "",
        note: str = "",
    ) -> None:
        super().__init__()
        self.update(tokens, scores, scale=scale, originals=originals, title=title, note=note)

    def update(
        self,
        tokens: Sequence[str],
        scores: Iterable[Any],
        *,
        scale: float | None = None,
        originals: Sequence[str | None] | None = None,
        title: str = "",
        note: str = "",
    ) -> None:
        """Draw other data; the arguments are those of the constructor, and so are the errors."""
        numbers = [float(score) for score in scores]
        were: list[str | None] = [None] * len(tokens) if originals is None else list(originals)
        check_lengths(tokens, scores=numbers, originals=were)
        whole = scale or max(map(abs, numbers), default=0.0) or 1.0
        for token, number in zip(tokens, numbers, strict=True):
            # the scale may be a float32's maximum, read back as a float64
            if not math.isfinite(number) or abs(number) > whole * 1.001:
                raise ValueError(
                    f"The score of {visible(token)!r} is {number}, the scale {whole}. Give finite "
                    "numbers, none larger than the scale."
                )
        self.tokens, self.scores, self.scale = list(tokens), numbers, whole
        self.strengths = [min(1.0, abs(number) / whole) for number in numbers]
        self.originals, self.replaced = were, [o is not None for o in were]
        self.title, self.note = title, note
        self._push()

    def number(self, index: int) -> str:
        return with_sign(self.scores[index])

    def negative(self, index: int) -> bool:
        return self.scores[index] < 0
