"""How a model's weights can start other than the usual way: all of them drawn with one deviation.

On a GPU with days to go the start hardly matters. On a processor with hours it decides: a narrow
model that starts as the wide ones do reads millions of tokens before anything moves.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from electra_lab.model.attention import SelfAttention
from electra_lab.model.electra import ElectraModel
from electra_lab.model.heads import ReplacedTokenHead

WINDOW = 5
"""Neighbours on each side that count as seen together."""
SMOOTHING = 0.75
"""Exponent of neighbours' frequencies (Levy, Goldberg and Dagan, 2015, section 3.2): rare neighbours
would otherwise have the largest information."""
MATCHING_GAIN = math.sqrt(2)
"""Of queries and keys: with 1 attention hardly prefers neighbours."""


@torch.no_grad()
def fan_in_initialisation(module: nn.Module) -> None:
    """Draw the weights of all linear layers anew, with a standard deviation of 1 / sqrt(inputs).

    What comes out of a layer is then as large as what goes in, whatever its width. The usual .02
    does that for a width of 2,500; a narrow model starts almost linear with it and learns slowly.
    """
    for part in module.modules():
        if isinstance(part, nn.Linear):
            std = part.in_features**-0.5
            nn.init.trunc_normal_(part.weight, std=std, a=-2 * std, b=2 * std)


@torch.no_grad()
def glorot_initialisation(module: nn.Module) -> None:
    """Draw the projections and the discriminator's last layer anew, Glorot uniform: TensorFlow's
    default, which google-research/electra leaves in place there (model/modeling.py)."""
    for part in module.modules():
        if isinstance(part, ElectraModel) and part.projection is not None:
            nn.init.xavier_uniform_(part.projection.weight)
        if isinstance(part, ReplacedTokenHead):
            nn.init.xavier_uniform_(part.score.weight)


@torch.no_grad()
def matching_attention(module: nn.Module) -> None:
    """Let every attention layer start with the same matrix for queries and keys, orthogonal times the
    square root of two, so that tokens attend to what is like themselves (after Trockman and Kolter,
    2023, who found such products in trained models).

    With positions that are waves, what is like a token is first of all what stands near it. A masked
    token has nothing but its position to ask with: from random matrices it takes millions of tokens to
    find its neighbours.
    """
    for part in module.modules():
        if isinstance(part, SelfAttention):
            nn.init.orthogonal_(part.query.weight, gain=MATCHING_GAIN)
            part.key.weight.copy_(part.query.weight)


def sinusoidal_positions(count: int, size: int) -> Float[Tensor, "{count} {size}"]:
    """Sines and cosines of the position (Vaswani et al., 2017, section 3.5): neighbours start alike.

    Wave lengths go from 2 pi to ``count`` times that; the paper's 10,000 is for any length, and
    leaves most waves too long to tell positions of short texts apart. The root mean square is
    1 / sqrt(2).

    Raises:
        ValueError: ``size`` is odd.
    """
    if size % 2:
        raise ValueError(
            f"size is {size}; every wave takes a sine and a cosine, so it must be even."
        )
    position = torch.arange(count, dtype=torch.float32)[:, None]
    frequency = torch.exp(-math.log(count) * torch.arange(0, size, 2) / size)
    return torch.stack(((position * frequency).sin(), (position * frequency).cos()), -1).flatten(1)


def co_occurrence_vectors(
    rows: Iterable[NDArray[np.integer]],
    vocabulary_size: int,
    size: int,
    *,
    window: int = WINDOW,
    seed: int = 0,
) -> Float[Tensor, "{vocabulary_size} {size}"]:
    """A vector for each piece, from which pieces stand near it in a text.

    Counts within the window become positive pointwise mutual information, max(0, log p(a, b) /
    (p(a) p(b))), and its ``size`` largest singular vectors, each times the root of its value, become
    the vectors (Levy and Goldberg, 2014). Pieces that keep the same company get similar ones. Every
    vector has the length 1, a piece that does not occur 0.

    Args:
        rows: runs of ids; nothing is counted across their ends.
        vocabulary_size: how many pieces there are.
        size: numbers in each vector, less than ``vocabulary_size``.
        window: neighbours on each side that are counted.
        seed: of the decomposition, which is a randomised one (Halko, Martinsson and Tropp, 2011).

    Raises:
        ValueError: ``size`` is not below ``vocabulary_size``; no piece has a neighbour.
    """
    from scipy import sparse
    from sklearn.utils.extmath import randomized_svd

    if not 0 < size < vocabulary_size:
        raise ValueError(
            f"size is {size}; {vocabulary_size} pieces have at most {vocabulary_size - 1} numbers each."
        )
    shape = (vocabulary_size, vocabulary_size)
    together = sparse.csr_matrix(shape, dtype=np.float64)
    for ids in rows:
        for distance in range(1, window + 1):
            left, right = ids[:-distance].astype(np.int64), ids[distance:].astype(np.int64)
            if len(left):
                ones = np.ones(len(left))
                together = together + sparse.coo_matrix((ones, (left, right)), shape).tocsr()
    if not together.nnz:
        raise ValueError("No two pieces stand together in this text, so nothing can be counted.")
    pairs = (together + together.T).tocoo()
    counts = np.asarray(pairs.tocsr().sum(axis=1)).ravel()
    neighbour = counts**SMOOTHING / (counts**SMOOTHING).sum()
    information = np.log(pairs.data / counts[pairs.row] / neighbour[pairs.col])
    positive = information > 0
    matrix = sparse.csr_matrix(
        (information[positive], (pairs.row[positive], pairs.col[positive])), shape
    )
    vectors, values, _ = randomized_svd(matrix, size, n_iter=3, random_state=seed)
    vectors = vectors * np.sqrt(values)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return torch.from_numpy((vectors / np.maximum(lengths, 1e-6)).astype(np.float32))


def log_frequencies(
    rows: Iterable[NDArray[np.integer]], vocabulary_size: int
) -> Float[Tensor, " {vocabulary_size}"]:
    """The logarithm of each piece's share of a text, for a language model's bias.

    Without it a model first has to find out how frequent words are, by steps of a learning rate, with
    eight units to go for the rarest. A piece that does not occur counts as half an occurrence.
    """
    counts = np.full(vocabulary_size, 0.5)
    for ids in rows:
        counts += np.bincount(ids, minlength=vocabulary_size)
    return torch.from_numpy(np.log(counts / counts.sum()).astype(np.float32))
