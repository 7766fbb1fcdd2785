"""Which tokens of one text stand in the place of which of another."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher


def aligned(first: Sequence[str], second: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of positions that belong together: equal tokens, and as many others in their place.

    Where tokens were put in or left out, those have no partner.
    """
    pairs = []
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    for kind, start, stop, other, end in matcher.get_opcodes():
        if kind == "equal" or (kind == "replace" and stop - start == end - other):
            pairs += list(zip(range(start, stop), range(other, end), strict=True))
    return pairs


def originals(first: Sequence[str], second: Sequence[str]) -> list[str | None]:
    """For each token of ``second`` what stood there in ``first``; None where it is the same.

    Where as many tokens do not stand in the place of others, the first new one carries all that went.
    """
    found: list[str | None] = [None] * len(second)
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    for kind, start, stop, other, end in matcher.get_opcodes():
        if kind == "equal" or other == end:
            continue
        if stop - start == end - other:
            found[other:end] = first[start:stop]
        else:
            found[other] = " ".join(first[start:stop]) or "(nothing)"
    return found
