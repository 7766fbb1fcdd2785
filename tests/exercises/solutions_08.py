"""Solutions of notebook 08, and the mistakes that its checks must find."""

import torch
from torch.nn import functional as F


def components(vectors, k):
    centred = vectors - vectors.mean(dim=0)
    _, spreads, directions = torch.linalg.svd(centred, full_matrices=False)
    return centred @ directions[:k].T, spreads[:k] ** 2 / (spreads**2).sum()


def not_centred(vectors, k):
    _, spreads, directions = torch.linalg.svd(vectors, full_matrices=False)
    return vectors @ directions[:k].T, spreads[:k] ** 2 / (spreads**2).sum()


def not_squared(vectors, k):
    coordinates, _ = components(vectors, k)
    spreads = torch.linalg.svdvals(vectors - vectors.mean(dim=0))
    return coordinates, spreads[:k] / spreads.sum()


def shares_of_the_kept(vectors, k):
    coordinates, shares = components(vectors, k)
    return coordinates, shares / shares.sum()


def columns_of_u(vectors, k):
    made, _, _ = torch.linalg.svd(vectors - vectors.mean(dim=0), full_matrices=False)
    return made[:, :k], components(vectors, k)[1]


def columns_for_rows(vectors, k):
    """Takes the directions from the columns of the third matrix, which has them as rows."""
    centred = vectors - vectors.mean(dim=0)
    _, _, directions = torch.linalg.svd(centred, full_matrices=False)
    return centred @ directions[:, :k], components(vectors, k)[1]


def coordinates_not_centred(vectors, k):
    centred = vectors - vectors.mean(dim=0)
    _, spreads, directions = torch.linalg.svd(centred, full_matrices=False)
    return vectors @ directions[:k].T, spreads[:k] ** 2 / (spreads**2).sum()


def only_coordinates(vectors, k):
    return components(vectors, k)[0]


def nearest(vectors, k):
    directions = F.normalize(vectors, dim=-1)
    cosines = directions @ directions.T
    cosines.fill_diagonal_(-2)
    return cosines.topk(k, dim=1).indices.tolist()


def kept(before, after, k):
    pairs = zip(nearest(before, k), nearest(after, k), strict=True)
    return sum(len(set(a) & set(b)) / k for a, b in pairs) / len(before)


def itself_included(before, after, k):
    def near(vectors):
        directions = F.normalize(vectors, dim=-1)
        return (directions @ directions.T).topk(k, dim=1).indices.tolist()

    pairs = zip(near(before), near(after), strict=True)
    return sum(len(set(a) & set(b)) / k for a, b in pairs) / len(before)


def in_the_same_place(before, after, k):
    ours, theirs = torch.tensor(nearest(before, k)), torch.tensor(nearest(after, k))
    return (ours == theirs).double().mean()


def a_number_of_neighbours(before, after, k):
    return kept(before, after, k) * k


def lost(before, after, k):
    return 1 - kept(before, after, k)


def by_dot_product(before, after, k):
    def near(vectors):
        products = vectors @ vectors.T
        products.fill_diagonal_(-torch.inf)
        return products.topk(k, dim=1).indices.tolist()

    pairs = zip(near(before), near(after), strict=True)
    return sum(len(set(a) & set(b)) / k for a, b in pairs) / len(before)


def by_distance(before, after, k):
    def near(vectors):
        distances = torch.cdist(vectors, vectors)
        distances.fill_diagonal_(torch.inf)
        return (-distances).topk(k, dim=1).indices.tolist()

    pairs = zip(near(before), near(after), strict=True)
    return sum(len(set(a) & set(b)) / k for a, b in pairs) / len(before)


def always_five(before, after, k):
    return kept(before, after, 5)


def mean_cosine(vectors):
    total = F.normalize(vectors, dim=-1).sum(dim=0)
    count = len(vectors)
    return (total @ total - count) / (count * (count - 1))


def lengths_in_the_sum(vectors):
    total, count = vectors.sum(dim=0), len(vectors)
    return (total @ total - count) / (count * (count - 1))


def with_itself(vectors):
    directions = F.normalize(vectors, dim=-1)
    return (directions @ directions.T).mean()


def divided_by_all(vectors):
    total = F.normalize(vectors, dim=-1).sum(dim=0)
    return (total @ total - len(vectors)) / len(vectors) ** 2


def itself_in_the_sum(vectors):
    total = F.normalize(vectors, dim=-1).sum(dim=0)
    return (total @ total) / (len(vectors) * (len(vectors) - 1))


def lengths_kept(vectors):
    count, total = len(vectors), vectors.sum(dim=0)
    return (total @ total - vectors.square().sum()) / (count * (count - 1))


def with_the_mean(vectors):
    return F.cosine_similarity(vectors, vectors.mean(dim=0, keepdim=True)).mean()


def without_sign(vectors):
    directions = F.normalize(vectors, dim=-1)
    cosines = (directions @ directions.T).abs()
    count = len(vectors)
    return (cosines.sum() - count) / (count * (count - 1))


SOLUTIONS = {"08.1": components, "08.2": kept, "08.3": mean_cosine}

MUTANTS = {
    "08.1": {
        "the mean stays in": not_centred,
        "singular values are not squared": not_squared,
        "shares of what is kept": shares_of_the_kept,
        "columns of U": columns_of_u,
        "directions as columns": columns_for_rows,
        "coordinates of what was not centred": coordinates_not_centred,
        "no shares": only_coordinates,
    },
    "08.2": {
        "the point itself is included": itself_included,
        "the same neighbour at the same rank": in_the_same_place,
        "a number instead of a share": a_number_of_neighbours,
        "those that are lost": lost,
        "dot product instead of cosine": by_dot_product,
        "distance instead of cosine": by_distance,
        "k is not used": always_five,
    },
    "08.3": {
        "pairs of a vector with itself": with_itself,
        "divided by all pairs": divided_by_all,
        "itself in the sum": itself_in_the_sum,
        "lengths are kept": lengths_kept,
        "lengths are kept in the sum": lengths_in_the_sum,
        "the cosine with the mean": with_the_mean,
        "signs are dropped": without_sign,
    },
}

# mistake -> words of the hint that is meant for it
HINTS = {
    "08.1": {
        "the mean stays in": "The mean is still in your vectors, and the first direction",
        "singular values are not squared": "Square the singular values",
        "shares of what is kept": "Your shares sum to 1, as if the other directions had no",
        "columns of U": "These are columns of U, each of length 1",
        "directions as columns": "The coordinates are not right",
        "coordinates of what was not centred": "Take the coordinates of the centred vectors, too",
        "no shares": "Return two things, coordinates and shares",
    },
    "08.2": {
        "the point itself is included": "Each point is its own nearest neighbour, before and",
        "the same neighbour at the same rank": "You ask whether the first neighbour stays first,",
        "a number instead of a share": "That is a number of neighbours",
        "those that are lost": "That is the share of neighbours that are lost",
        "dot product instead of cosine": "This looks like the dot product, which prefers long",
        "distance instead of cosine": "Use the cosine, which asks for the angle alone",
        "k is not used": "Use k",
    },
    "08.3": {
        "pairs of a vector with itself": "Each vector has a cosine of 1 with itself, and those are",
        "divided by all pairs": "You took the cosines of vectors with themselves out of the",
        "itself in the sum": "Each vector has a cosine of 1 with itself: take these n out",
        "lengths are kept": "That is the mean dot product",
        "lengths are kept in the sum": "added up with the lengths that they have",
        "the cosine with the mean": "That is the cosine with the mean of all vectors",
        "signs are dropped": "Cosines below 0 count as they are",
    },
}
