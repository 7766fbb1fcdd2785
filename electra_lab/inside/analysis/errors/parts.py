"""The parts of a split: by label, by length, by unseen words, and by functions of one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from electra_lab.inside.slices import Items, Slice, binned
from electra_lab.text.tasks.baselines import words_in

from .judged import JudgedSplit

MOST_PARTS = 24
"""Different values of a slice of one's own; more would be no parts but the examples themselves."""

SliceFunction = Callable[[Any], Any]


def slices_of(
    judged: JudgedSplit, items: Items, functions: Mapping[str, SliceFunction]
) -> Iterator[Slice]:
    yield from items.divided("label", *judged.labels())
    lengths = [sum(len(words_in(text)) for text in judged.texts(row)) for row in judged.rows]
    names, order = binned(lengths)
    yield from items.divided(
        "length",
        [(f"{names[row]} words",) for row in items.rows],
        [f"{name} words" for name in order],
    )
    yield from items.divided("unseen words", *judged.unseen())
    for kind, function in functions.items():
        names, order = _parts(kind, [function(row) for row in judged.rows])
        yield from items.divided(
            kind, [(names[row],) if names[row] else () for row in items.rows], order
        )


def _parts(kind: str, values: Sequence[Any]) -> tuple[list[str], list[str]]:
    """Of each example the name of its part, empty for none; and the names in order.

    Raises:
        ValueError: there are too many, or a value is none that says a part.
    """
    for value in values:
        if not (value is None or isinstance(value, str | int | float | np.number | np.bool_)):
            raise ValueError(
                f"The slice {kind!r} gives {value!r:.60}; expected True or False, a text, a number or "
                "None."
            )
    there = [value for value in values if value is not None]
    if there and all(isinstance(value, bool | np.bool_) for value in there):
        said = ["" if value is None else "yes" if value else "no" for value in values]
        return said, ["yes", "no"]
    if there and not any(isinstance(value, str) for value in there):
        names, order = binned([float(value) for value in there])
        left = iter(names)
        return ["" if value is None else next(left) for value in values], order
    said = ["" if value is None else str(value) for value in values]
    order = sorted(set(said) - {""})
    if len(order) > MOST_PARTS:
        raise ValueError(
            f"The slice {kind!r} has {len(order)} different values, such as {order[0]!r:.40} and "
            f"{order[1]!r:.40}; expected at most {MOST_PARTS}. Put like ones together."
        )
    return said, order
