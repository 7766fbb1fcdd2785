"""A random order of any number of things that is never written down."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ROUNDS = 6


def shuffled(places: Sequence[int], count: int, seed: Sequence[int]) -> list[int]:
    """What stands at these places when 0 ... ``count`` - 1 are shuffled.

    A shuffled list of a billion segments takes 8 GB; this takes nothing. A Feistel network (Luby and
    Rackoff, 1988) turns every number of 2b bits into another, no two into the same: it cuts the number
    in halves and adds to one of them, in turn, something that looks random and depends on the other. A
    number that comes out as ``count`` or more goes through again, until it does not.

    Args:
        places: from 0 to ``count`` - 1.
        count: how many things there are.
        seed: numbers that decide the order.
    """
    bits = max((count - 1).bit_length() + 1, 2) // 2
    keys = np.random.SeedSequence(list(seed)).generate_state(ROUNDS, np.uint64).astype(np.uint64)
    values = np.asarray(places, dtype=np.uint64)
    outside = np.ones(len(values), dtype=bool)
    while outside.any():
        values[outside] = _permuted(values[outside], bits, keys)
        outside = values >= count
    order: list[int] = values.tolist()
    return order


def _permuted(
    values: NDArray[np.uint64], bits: int, keys: NDArray[np.uint64]
) -> NDArray[np.uint64]:
    """Numbers of ``2 * bits`` bits, each to another."""
    mask = np.uint64((1 << bits) - 1)
    left, right = values >> np.uint64(bits), values & mask
    for key in keys:
        left, right = right, left ^ (_mixed(right ^ key) & mask)
    return (left << np.uint64(bits)) | right


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, 2014): every bit depends on all bits."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
