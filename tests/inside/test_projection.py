"""PCA against scikit-learn's, neighbours against all pairs, projections that say what they are."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.metrics.pairwise import cosine_similarity

from electra_lab.inside import projection
from electra_lab.inside.projection import (
    available_methods,
    nearest_neighbours,
    neighbours_kept,
    principal_components,
    project,
    turned_like,
)
from electra_lab.inside.vectors import mean_cosine


def vectors(points, size, seed=0):
    made = torch.Generator().manual_seed(seed)
    return torch.randn(points, size, generator=made) * torch.arange(1, size + 1) + 5


@settings(max_examples=25, deadline=None)
@given(st.integers(3, 30), st.integers(2, 12), st.integers(0, 1000))
def test_principal_components_are_those_of_scikit_learn(points, size, seed):
    given_ = vectors(points, size, seed)
    count = min(points - 1, size)
    found = principal_components(given_, count)
    theirs = PCA(count).fit(given_.double().numpy())
    np.testing.assert_allclose(found.shares, theirs.explained_variance_ratio_, atol=1e-5)
    np.testing.assert_allclose(found.mean, theirs.mean_, atol=1e-5)
    # a direction and its opposite are the same component
    agreement = np.abs((found.components.numpy() * theirs.components_).sum(axis=1))
    np.testing.assert_allclose(agreement, 1, atol=1e-3)
    back = found.coordinates @ found.components + found.mean
    expected = torch.from_numpy(theirs.inverse_transform(theirs.transform(given_.double().numpy())))
    torch.testing.assert_close(back, expected.float(), atol=1e-3, rtol=1e-3)


def test_components_do_not_depend_on_the_sign_that_the_decomposition_chose(monkeypatch):
    before = principal_components(vectors(20, 5))
    usual = torch.linalg.svd
    monkeypatch.setattr(
        projection.torch.linalg,
        "svd",
        lambda m, **o: (lambda u, s, v: (-u, s, -v))(*usual(m, **o)),
    )
    torch.testing.assert_close(principal_components(vectors(20, 5)).components, before.components)


@pytest.mark.parametrize("count", [0, 5])
def test_more_components_than_there_are_are_refused(count):
    with pytest.raises(ValueError, match="4 vectors of 9 numbers have 1 to 4 principal components"):
        principal_components(vectors(4, 9), count)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 40), st.integers(1, 6), st.integers(1, 8), st.integers(0, 1000))
def test_neighbours_are_the_largest_cosines_and_never_the_point_itself(points, size, count, seed):
    given_ = vectors(points, size, seed) - 5  # around 0, so that cosines are negative, too
    numbers, cosines = nearest_neighbours(given_, count)
    full = cosine_similarity(given_.double().numpy())
    np.fill_diagonal(full, -np.inf)
    expected = -np.sort(-full, axis=1)[:, : min(count, points - 1)]
    np.testing.assert_allclose(cosines, expected, atol=1e-5)
    assert not (numbers == torch.arange(points)[:, None]).any()
    np.testing.assert_allclose(np.take_along_axis(full, numbers.numpy(), 1), cosines, atol=1e-5)


def test_neighbours_are_the_same_in_one_piece_and_in_many(monkeypatch):
    whole = nearest_neighbours(vectors(50, 8), 5)
    monkeypatch.setattr(projection, "_ROWS_AT_ONCE", 7)
    parts = nearest_neighbours(vectors(50, 8), 5)
    assert torch.equal(whole[0], parts[0])


def test_a_vector_of_zeros_is_near_to_nothing():
    given_ = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 0.1]])
    numbers, cosines = nearest_neighbours(given_, 2)
    assert cosines[0].tolist() == [0.0, 0.0]
    assert numbers[1].tolist() == [2, 0]


def test_tsne_keeps_groups_together_and_is_the_same_for_the_same_seed():
    groups = torch.cat([vectors(20, 6, 1) * 0.05, vectors(20, 6, 2) * 0.05 + 30])
    first, again = project(groups, "t-SNE", seed=3), project(groups, "t-SNE", seed=3)
    assert torch.equal(first.coordinates, again.coordinates)
    assert first.how == "t-SNE, perplexity 10"
    one, other = first.coordinates[:20], first.coordinates[20:]
    within = max(torch.cdist(one, one).max(), torch.cdist(other, other).max())
    assert torch.cdist(one, other).min() > 0.2 * within


def test_pca_says_how_much_of_the_variance_is_seen():
    flat = torch.randn(50, 2, generator=torch.Generator().manual_seed(0)) * torch.tensor([3.0, 1.0])
    found = project(torch.cat([flat, torch.zeros(50, 3)], dim=1))
    share = found.coordinates.var(dim=0) / flat.var(dim=0).sum()
    assert found.how == f"PCA: {100 * share[0]:.0f}% and {100 * share[1]:.0f}% of the variance"
    assert float(share.sum()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("points", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("method", ["PCA", "t-SNE"])
def test_few_vectors_are_projected_too(points, method):
    found = project(vectors(points, 3), method)
    assert found.coordinates.shape == (points, 2)
    assert torch.isfinite(found.coordinates).all()


def test_unknown_and_missing_methods_are_refused(monkeypatch):
    with pytest.raises(ValueError, match="method is 'LDA'. Use one of 'PCA', 't-SNE', 'UMAP'"):
        project(vectors(9, 3), "LDA")
    monkeypatch.setattr(projection, "find_spec", lambda name: None)
    assert available_methods() == ["PCA", "t-SNE"]
    with pytest.raises(ImportError, match="pip install umap-learn"):
        project(vectors(9, 3), "UMAP")


@settings(max_examples=25, deadline=None)
@given(st.floats(0, 6.28), st.booleans())
def test_a_turned_and_mirrored_picture_is_turned_back(angle, mirrored):
    model = vectors(30, 2)
    turn = torch.tensor([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]).float()
    moved = (model + 7) @ turn * (torch.tensor([1.0, -1.0]) if mirrored else 1)
    torch.testing.assert_close(
        turned_like(moved, model), model - model.mean(dim=0), atol=1e-3, rtol=1e-3
    )


def test_the_mean_cosine_is_that_of_all_pairs():
    given_ = vectors(25, 4)
    full = torch.from_numpy(cosine_similarity(given_.double().numpy()))
    pairs = full[~torch.eye(25, dtype=torch.bool)]
    assert mean_cosine(given_) == pytest.approx(float(pairs.mean()), abs=1e-9)
    with pytest.raises(ValueError, match="needs two or more"):
        mean_cosine(given_[:1])


def test_neighbours_kept_is_the_mean_share_of_common_neighbours():
    before, after = vectors(12, 4), vectors(12, 3, seed=1)
    ours, theirs = nearest_neighbours(before, 3)[0], nearest_neighbours(after, 3)[0]
    shares = [len({*a} & {*b}) / 3 for a, b in zip(ours.tolist(), theirs.tolist(), strict=True)]
    assert neighbours_kept(before, after, 3) == pytest.approx(np.mean(shares))
    assert neighbours_kept(before, before * 3, 3) == 1  # a cosine does not know lengths
    with pytest.raises(ValueError, match="There are 12 vectors before and 2 after"):
        neighbours_kept(before, after[:2])
