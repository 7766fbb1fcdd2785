"""What all twins share: rows by strata in equal number, and clauses written as text."""

from __future__ import annotations

import json
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
TRIES = 20_000
"""Drafts after which a stratum counts as exhausted; rare ones take some hundreds."""


def in_turn(
    strata: Sequence[Stratum],
    worlds: Worlds,
    random: Random,
    make: Callable[[Draft, Stratum], Row | None],
) -> Rows:
    """Rows without end, as many of each stratum, in an order that does not tell which comes next.

    Each row is told of one of the worlds, and no two are equal. ``make`` may return None where the draft
    led nowhere; it is asked again for the same stratum.

    Raises:
        ValueError: the worlds have nothing more to say of a stratum.
    """
    seen: set[str] = set()
    while True:
        for stratum in random.sample(strata, len(strata)):
            for _ in range(TRIES):
                row = make(Draft(random, random.choice(worlds)), stratum)
                said = json.dumps(row)
                if row is not None and said not in seen:
                    break
            else:
                raise ValueError(
                    f"After {len(seen)} examples the micro-world has no new one for {stratum}; ask for "
                    "fewer."
                )
            seen.add(said)
            yield row


def text_of(tokens: Sequence[Token], mark: str = ".") -> str:
    """A clause as a sentence of text."""
    return written([*(word.text for word in finish(tokens)), mark])
