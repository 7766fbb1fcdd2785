"""Tokens and how sure the discriminator is that each was replaced."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .palette import DISCRIMINATOR
from .token_map import TokenMap, check_lengths
from .wording import two_digits, visible


class TokenHeatMap(TokenMap):
    """A sentence, token by token, each as strongly coloured as it seems replaced.

    The number stands below its token: always from .5 on, on hover and keyboard focus below that. A
    bar says the same by its length, so that colour is never the only sign.

    Args:
        tokens: the tokens as the model sees them.
        probabilities: for each token, the probability that it was replaced: ``sigmoid(logits)`` of
            the discriminator. Numbers in [0, 1], or a one-dimensional tensor of them.
        replaced: for each token, whether it really was replaced; such tokens get a frame. By
            default those that have an original.
        originals: for each token, what stood there before, or None; shown above the token.
        title: a line above the tokens.
        note: a line below the title, for example what the reader can do here.

    Events of the live widget: ``{"event": "choose", "index": i}`` when a token is clicked.

    Raises:
        ValueError: lengths differ, or a number is not a probability.
    """

    legend = "probability that the token was replaced"
    mark = "really replaced; above it, the original"
    framed = "replaced"
    says = "probability of being replaced"
    ends = "0", "1"
    colours = (DISCRIMINATOR,)

    def __init__(
        self,
        tokens: Sequence[str],
        probabilities: Iterable[Any],
        *,
        replaced: Iterable[Any] | None = None,
        originals: Sequence[str | None] | None = None,
        title: str = "",
        note: str = "",
    ) -> None:
        super().__init__()
        self.update(
            tokens,
            probabilities,
            replaced=replaced,
            originals=originals,
            title=title,
            note=note,
        )

    def update(
        self,
        tokens: Sequence[str],
        probabilities: Iterable[Any],
        *,
        replaced: Iterable[Any] | None = None,
        originals: Sequence[str | None] | None = None,
        title: str = "",
        note: str = "",
    ) -> None:
        """Draw other data; the arguments are those of the constructor, and so are the errors."""
        numbers = [float(p) for p in probabilities]
        were: list[str | None] = [None] * len(tokens) if originals is None else list(originals)
        marks = [o is not None for o in were] if replaced is None else [bool(r) for r in replaced]
        check_lengths(tokens, probabilities=numbers, originals=were, replaced=marks)
        for token, number in zip(tokens, numbers, strict=True):
            if not 0 <= number <= 1:
                raise ValueError(
                    f"The probability of {visible(token)!r} is {number}; it must lie in [0, 1]. "
                    "Logits become probabilities by torch.sigmoid."
                )
        self.tokens, self.strengths = list(tokens), numbers
        self.replaced, self.originals = marks, were
        self.title, self.note = title, note
        self._push()

    @property
    def probabilities(self) -> list[float]:
        """For each token, the probability that it was replaced."""
        return self.strengths

    def number(self, index: int) -> str:
        return two_digits(self.strengths[index])
