"""Many vectors as points of a plane, and which of them are neighbours.

A projection to two dimensions must leave something out. PCA keeps the directions of largest spread
and says how much of it they hold; t-SNE and UMAP keep neighbourhoods and give up distances and the
sizes of groups. Neighbours are therefore found among the vectors themselves, never in the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

METHODS = ("PCA", "t-SNE", "UMAP")
_BEFORE_TSNE = 50  # dimensions that PCA leaves to t-SNE, as van der Maaten and Hinton (2008) did
_PERPLEXITY = 30.0
_ROWS_AT_ONCE = 1024


@dataclass(frozen=True)
class PrincipalComponents:
    """What PCA found.

    Attributes:
        coordinates: of each point along the components, the mean of the points at the origin.
        components: directions of length 1, the one of largest spread first.
        shares: of each component, its share of the whole variance.
        mean: of the points.
    """

    coordinates: Float[Tensor, "points components"]
    components: Float[Tensor, "components size"]
    shares: Float[Tensor, " components"]
    mean: Float[Tensor, " size"]


@dataclass(frozen=True)
class Projection:
    """Points of a plane, and in words how they were found."""

    coordinates: Float[Tensor, "points 2"]
    how: str


def principal_components(
    vectors: Float[Tensor, "points size"], count: int = 2
) -> PrincipalComponents:
    """PCA by the singular value decomposition of the centred vectors.

    A direction and its opposite are equally good; of the two the one is taken whose largest entry is
    positive, so that pictures are the same everywhere.

    Raises:
        ValueError: ``count`` is below 1, or above the number of points or of dimensions.
    """
    points, size = vectors.shape
    if not 1 <= count <= min(points, size):
        raise ValueError(
            f"count is {count}; {points} vectors of {size} numbers have 1 to {min(points, size)} "
            "principal components."
        )
    exact = vectors.detach().double().cpu()
    mean = exact.mean(dim=0)
    _, spreads, directions = torch.linalg.svd(exact - mean, full_matrices=False)
    directions = directions[:count]
    largest = directions.abs().argmax(dim=1, keepdim=True)
    directions = directions * directions.gather(1, largest).sign()
    variances = spreads**2
    shares = variances[:count] / variances.sum().clamp(min=torch.finfo(exact.dtype).tiny)
    return PrincipalComponents(
        ((exact - mean) @ directions.T).float(), directions.float(), shares.float(), mean.float()
    )


def available_methods() -> list[str]:
    """The methods that ``project`` can use here: UMAP only where umap-learn is installed."""
    return [method for method in METHODS if method != "UMAP" or find_spec("umap") is not None]


def project(
    vectors: Float[Tensor, "points size"], method: str = "PCA", seed: int = 0
) -> Projection:
    """Put vectors into a plane.

    Args:
        vectors: one for each point.
        method: ``"PCA"``; ``"t-SNE"`` (scikit-learn's, perplexity 30 as is its default, less where
            points are few, after PCA to 50 dimensions); ``"UMAP"`` (umap-learn's, by cosine).
        seed: of t-SNE and UMAP.

    Raises:
        ValueError: there is no such method.
        ImportError: UMAP is asked for and umap-learn is not installed.
    """
    if method not in METHODS:
        raise ValueError(f"method is {method!r}. Use one of {', '.join(map(repr, METHODS))}.")
    if method not in available_methods():
        raise ImportError("UMAP needs the package umap-learn: pip install umap-learn")
    points, size = vectors.shape
    if min(points, size) < 2:
        return Projection(torch.zeros(points, 2), "too few vectors for a projection")
    if method == "PCA" or points < 5:
        found = principal_components(vectors)
        first, second = (f"{100 * float(share):.0f}%" for share in found.shares)
        return Projection(found.coordinates, f"PCA: {first} and {second} of the variance")
    fewer = principal_components(vectors, min(_BEFORE_TSNE, points, size)).coordinates.numpy()
    if method == "t-SNE":
        from sklearn.manifold import TSNE

        perplexity = min(_PERPLEXITY, (points - 1) / 4)
        made: Any = TSNE(init="pca", perplexity=perplexity, random_state=seed)
        how = f"t-SNE, perplexity {perplexity:.0f}"
    else:
        umap = import_module("umap")  # no part of the kit: heavy, and PCA and t-SNE do without
        neighbours = min(15, points - 1)
        made = umap.UMAP(n_neighbors=neighbours, metric="cosine", random_state=seed)
        how = f"UMAP, {neighbours} neighbours"
        fewer = vectors.detach().float().cpu().numpy()
    return Projection(torch.from_numpy(made.fit_transform(fewer)).float(), how)


def turned_like(
    coordinates: Float[Tensor, "points 2"], model: Float[Tensor, "points 2"]
) -> Float[Tensor, "points 2"]:
    """``coordinates`` turned, and mirrored if need be, so that they lie as ``model`` does.

    No distance changes (orthogonal Procrustes problem, Schönemann 1966). Which way a projection is
    turned says nothing; two that are compared are better seen the same way round.
    """
    ours, theirs = (c - c.mean(dim=0) for c in (coordinates.double(), model.double()))
    left, _, right = torch.linalg.svd(ours.T @ theirs)
    return (ours @ (left @ right)).float()


def nearest_neighbours(
    vectors: Float[Tensor, "points size"], count: int = 10
) -> tuple[Int[Tensor, "points neighbours"], Float[Tensor, "points neighbours"]]:
    """The nearest other vectors of each vector by cosine, nearest first.

    A vector of zeros has no direction; its cosine with any other is taken as 0.

    Args:
        vectors: one for each point.
        count: how many; fewer are found where there are fewer others.

    Returns:
        Numbers of the neighbours and their cosines.

    Raises:
        ValueError: ``count`` is below 1.
    """
    if count < 1:
        raise ValueError(f"count is {count}; it must be 1 or more.")
    directions = torch.nn.functional.normalize(vectors.detach().float().cpu(), dim=-1)
    points = len(directions)
    count = min(count, max(0, points - 1))
    numbers = torch.empty(points, count, dtype=torch.long)
    cosines = torch.empty(points, count)
    for start in range(0, points, _ROWS_AT_ONCE):
        stop = min(points, start + _ROWS_AT_ONCE)
        found = directions[start:stop] @ directions.T
        found[torch.arange(stop - start), torch.arange(start, stop)] = -torch.inf
        best = found.topk(count, dim=1)
        numbers[start:stop], cosines[start:stop] = best.indices, best.values
    return numbers, cosines


def neighbours_kept(
    before: Float[Tensor, "before size"], after: Float[Tensor, "after other"], count: int = 10
) -> float:
    """Which share of the ``count`` nearest neighbours of a point, by cosine, stay among them when the
    vectors ``before`` become those ``after``: the mean over all points, 1 where nothing changes.

    Raises:
        ValueError: the numbers of points differ, there are fewer than two, or ``count`` is below 1.
    """
    if len(before) != len(after) or len(before) < 2:
        raise ValueError(
            f"There are {len(before)} vectors before and {len(after)} after; expected as many, two at "
            "least."
        )
    ours, theirs = nearest_neighbours(before, count)[0], nearest_neighbours(after, count)[0]
    return float((ours[:, :, None] == theirs[:, None, :]).any(dim=-1).double().mean())
