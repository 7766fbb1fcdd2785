"""A part of the rows that is set aside, to test on or to choose by; what belongs together stays so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any


def text_of(row: Mapping[str, Any]) -> Any:
    """What rows must not share across splits: the context, the text or the words."""
    return row.get("context") or row.get("text") or tuple(row.get("words", ()))


def drawn(sizes: Sequence[int], share: float, random: Random) -> list[int]:
    """The numbers of some groups of rows, about so large a share of them, and of two and more at least
    one.

    So many groups are drawn; where that would be more than twice as many rows as wanted, because one
    group is far larger than the others, it is those that fit, in the order drawn.

    Args:
        sizes: rows of each group.
    """
    order = list(range(len(sizes)))
    random.shuffle(order)
    chosen = order[: max(round(share * len(order)), int(len(order) > 1))]
    wanted = share * sum(sizes)
    if sum(sizes[group] for group in chosen) <= 2 * wanted:
        return chosen
    fitting: list[int] = []
    for group in order:
        if sizes[group] <= wanted:
            fitting.append(group)
            wanted -= sizes[group]
    return fitting or [min(order, key=lambda group: sizes[group])]
