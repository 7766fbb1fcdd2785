"""What all twins share: rows by strata in equal number, and clauses written as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

from electra_lab.text.microworld.annotation import Token, finish, written
from electra_lab.text.microworld.facts import World
from electra_lab.text.microworld.phrases import Draft
from electra_lab.text.microworld.sentences import LONGEST

Row = dict[str, Any]
Rows = Iterator[Row]


def in_turn(
    strata: Sequence[Any], world: World, random: Random, make: Callable[[Draft, Any], Row | None]
) -> Rows:
    """Rows without end, as many of each stratum, in an order that does not tell which comes next.

    ``make`` may return None where the draft led nowhere; it is asked again for the same stratum.
    """
    while True:
        for stratum in random.sample(strata, len(strata)):
            row = None
            while row is None:
                row = make(Draft(random, world), stratum)
            yield row


def text_of(tokens: Sequence[Token], mark: str = ".") -> str:
    """A clause as a sentence of text."""
    return written([*(word.text for word in finish(tokens)), mark])


def is_short(tokens: Sequence[Token], longest: int = LONGEST) -> bool:
    return sum(token.pos != "PUNCT" for token in tokens) <= longest
