"""Checks for notebook 08: principal components, which neighbours stay, the mean cosine of all pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from electra_lab.inside.projection import neighbours_kept, principal_components

from .expectations import expect_returned, expect_tensor
from .framework import Hint, exercise
from .recording import describe


@exercise(
    "08.1",
    title="find principal components",
    hints=(
        "Components are directions of the cloud as seen from its middle. So the middle has to go "
        "before anything else.",
        "torch.linalg.svd of the centred vectors gives three things. The rows of the third are "
        "the directions, in order of how far the cloud reaches along them. Ask for "
        "full_matrices=False.",
        "A coordinate is the dot product of a centred vector with a direction. A share is a "
        "squared singular value over the sum of all of them squared, not only of the first k.",
    ),
)
def check_components(components: Callable[..., Any]) -> None:
    """The mean taken away; shares of squared singular values; coordinates along the directions."""
    vectors = torch.randn(30, 6) * torch.tensor([1.0, 5.0, 0.5, 3.0, 2.0, 1.5])
    vectors = vectors + torch.tensor([9.0, 0.0, -8.0, 0.0, 7.0, 0.0])
    made = components(vectors, 3)
    expect_returned(made)
    if not isinstance(made, tuple) or len(made) != 2:
        raise Hint(f"Return two things, coordinates and shares; you returned {describe(made)}.")
    coordinates = expect_tensor(made[0], (30, 3), "The coordinates")
    shares = expect_tensor(made[1], (3,), "The shares")
    right = principal_components(vectors, 3)
    all_of_them = principal_components(vectors, 6).shares
    _, raw, _ = torch.linalg.svd(vectors, full_matrices=False)
    for wrong, hint in (
        (
            raw[:3] ** 2 / (raw**2).sum(),
            "The mean is still in your vectors, and the first direction points at it. Take the mean of "
            "all vectors from each of them first.",
        ),
        (
            raw[:3] / raw.sum(),
            "The mean is still in your vectors; take it from each of them first. And a variance is a "
            "square: square the singular values.",
        ),
        (
            all_of_them.sqrt()[:3] / all_of_them.sqrt().sum(),
            "A variance is a square. Square the singular values before you compare them.",
        ),
        (
            right.shares / right.shares.sum(),
            "Your shares sum to 1, as if the other directions had no variance. Divide by the sum over "
            "all directions, not over those that you keep.",
        ),
    ):
        if torch.allclose(shares, wrong, atol=1e-4):
            raise Hint(hint)
    if not torch.allclose(shares, right.shares, atol=1e-4):
        raise Hint(
            "The shares are not right. With S from torch.linalg.svd(centred), a direction's variance "
            "is S squared up to a factor that all have; its share is that over the sum of all."
        )
    # a direction and its opposite are equally good
    if torch.allclose(coordinates.abs(), right.coordinates.abs(), atol=1e-3):
        return
    unit = right.coordinates / right.coordinates.norm(dim=0)
    if torch.allclose(coordinates.abs(), unit.abs(), atol=1e-3):
        raise Hint(
            "These are columns of U, each of length 1. Multiply by the singular values, or take the "
            "dot products of the centred vectors with the directions."
        )
    along = vectors @ right.components.T
    if torch.allclose(coordinates.abs(), along.abs(), atol=1e-3):
        raise Hint("The directions are right. Take the coordinates of the centred vectors, too.")
    raise Hint(
        "The coordinates are not right. They are the dot products of the centred vectors with the "
        "first rows of the third matrix that torch.linalg.svd returns."
    )


@exercise(
    "08.2",
    title="count the neighbours that stay",
    hints=(
        "For every point there are two lists of k neighbours, before and after. Count how many "
        "are in both, in whatever order.",
        "Scale every vector to length 1; the dot products of all pairs are then cosines. A point "
        "is its own nearest neighbour: give the diagonal a very low number before you look for "
        "the largest.",
        "topk gives the neighbours as indices. As Python sets, the common ones are an "
        "intersection; divide their number by k, and take the mean over the points.",
    ),
)
def check_kept(kept: Callable[..., Any]) -> None:
    """The mean share of common neighbours by cosine, the point itself left out."""
    before = torch.randn(25, 4) * torch.rand(25, 1) * 9
    after = (before + torch.randn(25, 4) * 2) * torch.rand(25, 1) * 9
    made = _number(kept(before, after, 5))
    expected = neighbours_kept(before, after, 5)
    ours, theirs = _order(_cosines(before)), _order(_cosines(after))
    with_self = _common(
        _order(_cosines(before, False))[:, :5], _order(_cosines(after, False))[:, :5]
    )
    products = _common(
        _order(_alone(before @ before.T))[:, :5], _order(_alone(after @ after.T))[:, :5]
    )
    distances = _common(
        _order(_alone(-torch.cdist(before, before)))[:, :5],
        _order(_alone(-torch.cdist(after, after)))[:, :5],
    )
    in_place = float((ours[:, :5] == theirs[:, :5]).double().mean())
    for wrong, hint in (
        (
            with_self,
            "Each point is its own nearest neighbour, before and after; that one always stays. Leave "
            "the point itself out.",
        ),
        (
            in_place,
            "You ask whether the first neighbour stays first, the second second. Ask only whether it "
            "is still among the k nearest.",
        ),
        (expected * 5, "That is a number of neighbours. Divide by k for a share."),
        (expected * 25, "That is a sum over the points. Return the mean."),
        (1 - expected, "That is the share of neighbours that are lost. Return those that stay."),
        (
            products,
            "This looks like the dot product, which prefers long vectors. Divide by both lengths.",
        ),
        (distances, "That is by distance. Use the cosine, which asks for the angle alone."),
    ):
        if abs(made - wrong) < 1e-6 and abs(wrong - expected) > 1e-6:
            raise Hint(hint)
    if abs(made - expected) > 1e-6:
        raise Hint(
            f"For 25 points and k = 5 the share should be {expected:.3f}; yours is {made:.3f}. For each "
            "point compare the set of its k nearest before with the set after."
        )
    for k in (1, 24):
        if abs(_number(kept(before, after, k)) - neighbours_kept(before, after, k)) > 1e-6:
            raise Hint(f"Right for k = 5, wrong for k = {k}. Use k.")


@exercise(
    "08.3",
    title="average the cosine over all pairs",
    hints=(
        "The sum of all cosines, those of vectors with themselves among them, can be had without "
        "a table of pairs. The text above the exercise says how.",
        "Scale each vector to length 1, add them all up, and square the length of that sum. Then "
        "take away the cosines of vectors with themselves: how many are there, and how large is "
        "each?",
        "Take n away from the squared length, and divide by the number of ordered pairs of "
        "different vectors, n times (n - 1).",
    ),
)
def check_mean_cosine(mean_cosine: Callable[..., Any]) -> None:
    """Pairs of different vectors only; also for more vectors than a table of all pairs can hold."""
    vectors = (torch.randn(12, 5) + 1) * torch.rand(12, 1) * 9
    made = _number(mean_cosine(vectors))
    full = F.normalize(vectors, dim=-1) @ F.normalize(vectors, dim=-1).T
    different = ~torch.eye(12, dtype=torch.bool)
    expected = float(full[different].mean())
    directions = F.normalize(vectors, dim=-1)
    products = vectors @ vectors.T
    for wrong, hint in (
        (
            float(full.mean()),
            "Each vector has a cosine of 1 with itself, and those are in your mean. Count pairs of "
            "different vectors only.",
        ),
        (
            float((full.sum() - 12) / 144),
            "You took the cosines of vectors with themselves out of the sum, but not out of the number "
            "of pairs: n vectors have n (n - 1).",
        ),
        (
            float(directions.sum(dim=0).square().sum()) / 132,
            "Each vector has a cosine of 1 with itself: take these n out of the sum.",
        ),
        (
            float(products[different].mean()),
            "That is the mean dot product. Give every vector the length 1 first.",
        ),
        (
            float(products.sum() - 12) / 132,
            "The vectors were added up with the lengths that they have. Give every vector the length 1 "
            "first.",
        ),
        (
            float(F.cosine_similarity(vectors, vectors.mean(dim=0)[None]).mean()),
            "That is the cosine with the mean of all vectors. The question is about pairs.",
        ),
        (
            float(full[different].abs().mean()),
            "Cosines below 0 count as they are. Without their sign, directions that are spread evenly "
            "would seem to agree.",
        ),
    ):
        if abs(made - wrong) < 1e-5 * max(1.0, abs(wrong)):
            raise Hint(hint)
    if abs(made - expected) > 1e-4:
        raise Hint(f"For 12 vectors the mean should be {expected:.4f}; yours is {made:.4f}.")
    two = torch.tensor([[1.0, 0.0], [-3.0, 0.0]])
    if abs(_number(mean_cosine(two)) + 1) > 1e-4:
        raise Hint("Two opposite vectors have the cosine -1, and that is the only pair.")


def _alone(table: Tensor) -> Tensor:
    """A table of all pairs in which nobody is near to itself."""
    return table.masked_fill(torch.eye(len(table), dtype=torch.bool), -torch.inf)


def _cosines(vectors: Tensor, alone: bool = True) -> Tensor:
    directions = F.normalize(vectors, dim=-1)
    table = directions @ directions.T
    return _alone(table) if alone else table


def _order(table: Tensor) -> Tensor:
    return table.argsort(dim=1, descending=True)


def _common(ours: Tensor, theirs: Tensor) -> float:
    return float((ours[:, :, None] == theirs[:, None, :]).any(dim=-1).double().mean())


def _number(value: Any) -> float:
    expect_returned(value)
    if isinstance(value, Tensor) and value.numel() == 1:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Hint(f"Return one number; the function returned {describe(value)}.")
    return float(value)
