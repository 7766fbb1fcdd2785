"""What all twins share: rows by strata in equal number, and clauses written as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, TypeVar

from electra_lab.text.microworld.annotation import Token, finish, written
from electra_lab.text.microworld.facts import World
from electra_lab.text.microworld.phrases import Draft

Row = dict[str, Any]
Rows = Iterator[Row]
Worlds = Sequence[World]
Stratum = TypeVar("Stratum")


def in_turn(
    strata: Sequence[Stratum],
    worlds: Worlds,
    random: Random,
    make: Callable[[Draft, Stratum], Row | None],
) -> Rows:
    """Rows without end, as many of each stratum, in an order that does not tell which comes next.

    Each row is told of one of the worlds. ``make`` may return None where the draft led nowhere; it is
    asked again for the same stratum.
    """
    while True:
        for stratum in random.sample(strata, len(strata)):
            row = None
            while row is None:
                row = make(Draft(random, random.choice(worlds)), stratum)
            yield row


def text_of(tokens: Sequence[Token], mark: str = ".") -> str:
    """A clause as a sentence of text."""
    return written([*(word.text for word in finish(tokens)), mark])
