"""Where a discriminator is wrong: replacements that it takes for original, originals that it accuses."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from .corrupted import Judged

THRESHOLD = 0.5
CONTEXT = 8  # tokens shown on each side of a mistake
_LEAST = 1e-7  # a probability of 0 would cost infinitely much


@dataclass(frozen=True)
class Mistake:
    """One token that was judged wrongly, in its text.

    Attributes:
        before, after: the tokens around it, at most ``CONTEXT`` on each side.
        token: as the discriminator read it.
        original: what stood there, where the token is a replacement; else None.
        probability: that it was replaced, as the discriminator says.
        text: number of the text.
    """

    before: tuple[str, ...]
    token: str
    after: tuple[str, ...]
    original: str | None
    probability: float
    text: int


@dataclass(frozen=True)
class FooledToken:
    """The mistakes over one token.

    Attributes:
        token: a replacement that was missed, or an original that was accused.
        wrong: how often it was judged wrongly.
        times: how often it stood in this part (as a replacement, or as an original) at all.
        cost: what its mistakes add to the discriminator's loss: the sum of -log of the probability that
            was given to the right answer. The order in which tokens are listed.
        mistakes: the surest of them, the surest first.
    """

    token: str
    wrong: int
    times: int
    cost: float
    mistakes: tuple[Mistake, ...]


@dataclass(frozen=True)
class Fooled:
    """Mistakes of both kinds, by token.

    Attributes:
        missed: replacements that seemed original (p below .5), the costliest tokens first.
        accused: originals that seemed replaced (p of .5 or more), likewise.
        replaced, originals: how many tokens of either kind there were.
        all_missed, all_accused: how many of them were judged wrongly, those not listed too.
    """

    missed: tuple[FooledToken, ...]
    accused: tuple[FooledToken, ...]
    replaced: int
    originals: int
    all_missed: int
    all_accused: int


def fooled_tokens(judged: Sequence[Judged], *, top: int = 15, examples: int = 4) -> Fooled:
    """Sort the discriminator's mistakes by the token that they are about.

    Args:
        judged: as ``judge_corrupted`` returns them.
        top: tokens listed of either kind.
        examples: mistakes kept for each token.

    Raises:
        ValueError: ``top`` or ``examples`` is below 1.
    """
    if top < 1 or examples < 1:
        raise ValueError(f"top is {top} and examples {examples}; both must be 1 or more.")
    times: dict[bool, dict[str, int]] = {True: defaultdict(int), False: defaultdict(int)}
    found: dict[bool, dict[str, list[Mistake]]] = {
        True: defaultdict(list),
        False: defaultdict(list),
    }
    for number, text in enumerate(judged):
        for place, (token, replaced) in enumerate(zip(text.tokens, text.replaced, strict=True)):
            times[replaced][token] += 1
            probability = text.probabilities[place]
            if (probability >= THRESHOLD) == replaced:
                continue
            found[replaced][token].append(
                Mistake(
                    text.tokens[max(0, place - CONTEXT) : place],
                    token,
                    text.tokens[place + 1 : place + 1 + CONTEXT],
                    text.originals[place] if replaced else None,
                    probability,
                    number,
                )
            )
    return Fooled(
        missed=_listed(found[True], times[True], top, examples),
        accused=_listed(found[False], times[False], top, examples),
        replaced=sum(times[True].values()),
        originals=sum(times[False].values()),
        all_missed=sum(map(len, found[True].values())),
        all_accused=sum(map(len, found[False].values())),
    )


def _listed(
    found: dict[str, list[Mistake]], times: dict[str, int], top: int, examples: int
) -> tuple[FooledToken, ...]:
    tokens = []
    for token, mistakes in found.items():
        surest = sorted(mistakes, key=_cost, reverse=True)
        tokens.append(
            FooledToken(
                token,
                len(mistakes),
                times[token],
                sum(map(_cost, mistakes)),
                tuple(surest[:examples]),
            )
        )
    tokens.sort(key=lambda one: (-one.cost, one.token))
    return tuple(tokens[:top])


def _cost(mistake: Mistake) -> float:
    p = mistake.probability
    return -math.log(max(_LEAST, 1 - p if mistake.original is None else p))
