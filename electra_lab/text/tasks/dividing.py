"""A part of the rows that is set aside, to test on or to choose by; what belongs together stays so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any


def text_of(row: Mapping[str, Any]) -> Any:
    """What rows must not share across splits: the context, the text or the words."""
    return row.get("context") or row.get("text") or tuple(row.get("words", ()))


def set_aside(
    texts: Sequence[Any], classes: Sequence[Any] | None, share: float, seed: int
) -> set[int]:
    """The numbers of rows that make up such a share, of each class the same; equal texts stay together.

    Args:
        texts: of each row what it must not share with the others, see ``text_of``.
        classes: of each row its class; None: there are none.
    """
    groups: dict[Any, list[int]] = {}
    for number, text in enumerate(texts):
        groups.setdefault(text, []).append(number)
    of_class: dict[str, list[list[int]]] = {}
    for members in groups.values():
        of_class.setdefault(str(classes and classes[members[0]]), []).append(members)
    random = Random(seed)
    chosen: set[int] = set()
    for parts in of_class.values():
        for part in drawn([len(members) for members in parts], share, random):
            chosen.update(parts[part])
    return chosen


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
