"""Is a probability to be believed? Of the tokens that were given .3, are three in ten replaced?

A model is calibrated where the probability it gives is the share that comes true. This is another
question than how well it tells tokens apart: to say the same share of every token is calibrated and
tells nothing. So the area under the ROC curve stands beside the error.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Calibration:
    """Probabilities in bins, each beside what happened.

    Attributes:
        edges: of the bins, one more than there are bins.
        counts: tokens in each bin.
        said: mean probability in each bin; NaN in an empty one.
        happened: share of each bin's tokens that were replaced; NaN in an empty one.
        low, high: 95% of luck around that share: the Wilson interval (Wilson, 1927), as if tokens were
            drawn independently. Those of one sentence are not quite.
        expected_error: the expected calibration error: the mean over tokens of how far their bin's share
            lies from its mean probability, ``sum(counts / total * |happened - said|)`` (Naeini, Cooper
            and Hauskrecht, 2015; Guo, Pleiss, Sun and Weinberger, 2017, equation 3, there for the
            confidence in the class that was chosen). It depends on the bins.
        largest_error: the largest of these distances.
        brier: mean of ``(probability - outcome) ** 2`` (Brier, 1950): it also counts how well tokens
            are told apart, and needs no bins.
        base_rate: share of all tokens that were replaced.
        area: under the ROC curve; NaN where all tokens are of one kind.
    """

    edges: Float[np.ndarray, " edges"]
    counts: Int[np.ndarray, " bins"]
    said: Float[np.ndarray, " bins"]
    happened: Float[np.ndarray, " bins"]
    low: Float[np.ndarray, " bins"]
    high: Float[np.ndarray, " bins"]
    expected_error: float
    largest_error: float
    brier: float
    base_rate: float
    area: float

    def __repr__(self) -> str:
        return (
            f"Calibration({int(self.counts.sum()):,} tokens, {self.base_rate:.3f} replaced: "
            f"expected calibration error {self.expected_error:.3f}, Brier {self.brier:.3f}, "
            f"area under the curve {self.area:.3f})"
        )


def calibrate(
    probabilities: Iterable[Any],
    replaced: Iterable[Any],
    *,
    bins: int = 10,
    strategy: str = "uniform",
) -> Calibration:
    """Put probabilities into bins and compare each with what happened.

    Args:
        probabilities: of being replaced, in [0, 1]; an array, a tensor or a list.
        replaced: for each, whether it was.
        bins: how many.
        strategy: ``"uniform"``: of equal width; ``"quantile"``: of about equal numbers of tokens. A
            probability on the border of two bins belongs to the lower one, as in scikit-learn's
            ``calibration_curve``.

    Raises:
        ValueError: there is nothing, lengths differ, a number is no probability, there is no such
            strategy, or fewer than one bin.
    """
    said = np.array([float(p) for p in probabilities], dtype=np.float64)
    truth = np.array([bool(r) for r in replaced], dtype=np.float64)
    if len(said) != len(truth) or not len(said):
        raise ValueError(
            f"There are {len(said)} probabilities and {len(truth)} outcomes; give as many of both, "
            "and at least one."
        )
    wrong = said[~((said >= 0) & (said <= 1))]
    if len(wrong):
        raise ValueError(f"{wrong[0]} is no probability; it must lie in [0, 1].")
    if bins < 1:
        raise ValueError(f"bins is {bins}; it must be 1 or more.")
    edges = _edges(said, bins, strategy)
    count = len(edges) - 1
    place = np.searchsorted(edges[1:-1], said)
    counts = np.bincount(place, minlength=count)
    hits = np.bincount(place[truth == 1], minlength=count)
    with np.errstate(invalid="ignore"):  # an empty bin has no mean
        mean = np.bincount(place, said, minlength=count) / counts
        share = hits / counts
    low, high = _luck(hits, counts)
    apart = np.abs(share - mean)
    return Calibration(
        edges=edges,
        counts=counts,
        said=mean,
        happened=share,
        low=low,
        high=high,
        expected_error=float(np.nansum(apart * counts) / len(said)),
        largest_error=float(np.nanmax(apart)),
        brier=float(((said - truth) ** 2).mean()),
        base_rate=float(truth.mean()),
        area=_area(said, truth),
    )


def _edges(said: Numbers, bins: int, strategy: str) -> Numbers:
    if strategy == "uniform":
        return np.linspace(0, 1, bins + 1)
    if strategy == "quantile":
        # many equal probabilities make equal quantiles; of those one is kept
        inner = np.unique(np.quantile(said, np.linspace(0, 1, bins + 1)[1:-1]))
        return np.concatenate([[0.0], inner[(inner > 0) & (inner < 1)], [1.0]])
    raise ValueError(f"strategy is {strategy!r}; use 'uniform' or 'quantile'.")


def _luck(hits: NDArray[np.int64], counts: NDArray[np.int64]) -> tuple[Numbers, Numbers]:
    """The ends of each bin's Wilson interval."""
    from scipy.stats import binomtest

    ends = [
        binomtest(int(hit), int(count)).proportion_ci(0.95, method="wilson")
        if count
        else (np.nan, np.nan)
        for hit, count in zip(hits, counts, strict=True)
    ]
    return np.array([end[0] for end in ends]), np.array([end[1] for end in ends])


def _area(said: Numbers, truth: Numbers) -> float:
    from sklearn.metrics import roc_auc_score

    if truth.min() == truth.max():
        return float("nan")
    return float(roc_auc_score(truth, said))
