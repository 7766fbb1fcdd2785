"""Parts of a data set, each with a figure and how far it can be trusted."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import Float, Int

Z = 1.959963984540054
"""Of a normal distribution, 95 % lie within so many standard deviations."""
RESAMPLES = 2000
FEWEST_GROUPS = 5
"""With fewer groups there is too little to draw from: a bootstrap's interval would be too narrow."""
MOST_NAMES = 5
"""Different numbers that are a part each; where there are more, they are put into four of like size."""


@dataclass(frozen=True)
class Slice:
    """A part of the examples.

    Attributes:
        kind: by what they were divided: ``"label"``, ``"length"`` or a name of one's own.
        name: which part.
        rows: the examples in it, by their number.
        size: what was counted: examples, or words where each word is judged.
        value: the metric, a mean over them.
        low, high: its interval, 95 %; None where there is too little to say.
    """

    kind: str
    name: str
    rows: tuple[int, ...]
    size: int
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, eq=False)
class Items:
    """What is counted, one after the other: examples, or the words of all of them.

    Attributes:
        rows: of which example.
        values: what the metric is the mean of.
        groups: what belongs together, so that it does not count as independent: a sentence's words,
            questions on one passage.
    """

    rows: Int[np.ndarray, " items"]
    values: Float[np.ndarray, " items"]
    groups: Int[np.ndarray, " items"]

    def part(self, kind: str, name: str, chosen: Any = slice(None)) -> Slice:
        """Some of them as a slice.

        Args:
            chosen: an index into the items.
        """
        rows, values, groups = self.rows[chosen], self.values[chosen], self.groups[chosen]
        low, high = interval(values, groups) or (None, None)
        return Slice(
            kind,
            name,
            tuple(np.unique(rows).tolist()),
            len(values),
            float(values.mean()),
            low,
            high,
        )

    def divided(
        self, kind: str, names: Sequence[Collection[str]], order: Iterable[str]
    ) -> list[Slice]:
        """A slice for each name that occurs.

        Args:
            names: of each item the parts that it is in: one, several or none.
            order: of the parts.
        """
        members: dict[str, list[int]] = {name: [] for name in order}
        for item, found in enumerate(names):
            for name in found:
                members[name].append(item)
        return [self.part(kind, name, np.array(items)) for name, items in members.items() if items]


def interval(
    values: Float[np.ndarray, " items"], groups: Int[np.ndarray, " items"]
) -> tuple[float, float] | None:
    """Where the mean of many more such items would lie, 95 %.

    Shares (all values 0 or 1) have Wilson's interval, other means that of a bootstrap over the groups.

    Returns:
        None where there is too little to say.
    """
    if np.isin(values, (0, 1)).all():
        return wilson(float(values.mean()), effective_size(values, groups))
    return bootstrapped(values, groups)


def wilson(share: float | int, size: float | int) -> tuple[float, float]:
    """Wilson's score interval of a share, 95 % (Wilson 1927). Unlike the share plus and minus two
    standard errors, it is wide where few were counted and stays between 0 and 1.

    Args:
        share: how many of those counted.
        size: how many were counted.

    Raises:
        ValueError: nothing was counted, or the share is not between 0 and 1.
    """
    if not (size > 0 and 0 <= share <= 1):
        raise ValueError(f"A share of {share} of {size} is none; give 0 to 1 of more than 0.")
    shrunk = 1 + Z**2 / size
    middle = (share + Z**2 / (2 * size)) / shrunk
    reach = Z / shrunk * math.sqrt(share * (1 - share) / size + Z**2 / (4 * size**2))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def effective_size(values: Float[np.ndarray, " items"], groups: Int[np.ndarray, " items"]) -> float:
    """How many independent items say as much as these do.

    Items of one group tend to be right or wrong together. Their number is divided by the design effect
    (Kish 1965, section 5.4): the variance of the mean, from the totals of the groups, over the one that
    as many independent items would have. At most the number of items; where all are right, or all wrong,
    there is no variance to compare, and the groups are counted.
    """
    sums, sizes = _totals(values, groups)
    count, total = len(sums), sizes.sum()
    if count == total:
        return float(total)
    share = sums.sum() / total
    if share in (0, 1) or count == 1:
        return float(count)
    within = ((sums - share * sizes) ** 2).sum() / total**2 * count / (count - 1)
    effect = within / (share * (1 - share) / total)
    return float(total / max(1.0, effect))


def bootstrapped(
    values: Float[np.ndarray, " items"], groups: Int[np.ndarray, " items"]
) -> tuple[float, float] | None:
    """The interval of a mean, 95 %, from drawing groups again and again (BCa, Efron 1987), always with
    the same seed.

    Returns:
        None with fewer than ``FEWEST_GROUPS`` groups.
    """
    sums, sizes = _totals(values, groups)
    if len(sums) < FEWEST_GROUPS:
        return None
    if (sums / sizes).min() == (sums / sizes).max():
        return None
    from scipy.stats import bootstrap

    found = bootstrap(
        (sums, sizes),
        lambda one, other, axis: one.sum(axis) / other.sum(axis),
        n_resamples=RESAMPLES,
        batch=200,
        paired=True,
        vectorized=True,
        method="BCa",
        random_state=np.random.default_rng(0),
    ).confidence_interval
    low, high = float(found.low), float(found.high)
    return (low, high) if math.isfinite(low) and math.isfinite(high) else None


def binned(numbers: Sequence[float | int]) -> tuple[list[str], list[str]]:
    """Numbers as names of parts: each its own where there are few, otherwise four of about like size.

    Returns:
        Of each number the name of its part; and the names in order.
    """
    values = np.asarray(numbers, dtype=float)
    different = np.unique(values)
    if len(different) <= MOST_NAMES:
        names = [_short(number) for number in values]
        return names, [_short(number) for number in different]
    edges = np.unique(np.quantile(values, (0.25, 0.5, 0.75), method="lower"))
    edges = edges[edges < different[-1]]
    whole = bool((different == different.round()).all())
    parts = [f"up to {_short(edges[0])}"]
    for low, high in pairwise(edges):
        first = low + 1 if whole else low
        parts.append(_short(high) if first == high else f"{_short(first)} to {_short(high)}")
    last = _short(edges[-1] + 1) if whole else _short(edges[-1])
    parts.append(f"{last} and more" if whole else f"above {last}")
    return [parts[place] for place in np.searchsorted(edges, values)], parts


def _totals(
    values: Float[np.ndarray, " items"], groups: Int[np.ndarray, " items"]
) -> tuple[Float[np.ndarray, " groups"], Float[np.ndarray, " groups"]]:
    """Of each group the sum of its values, and how many they are."""
    _, place = np.unique(groups, return_inverse=True)
    return np.bincount(place, weights=values), np.bincount(place).astype(float)


def _short(number: float) -> str:
    return f"{number:.4g}" if abs(number) < 10_000 else f"{number:,.0f}"
