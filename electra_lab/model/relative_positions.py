"""Relative positions: attention that knows how far apart two tokens are (transformers 4.x).

The scores of attention get one more term, from a learned vector for each distance.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .config import ElectraConfig


class RelativePositions(nn.Module):
    """One vector for every distance from ``-(max_position_embeddings - 1)`` to its opposite.

    ``relative_key`` adds query . vector (Shaw et al. 2018, equation 5); ``relative_key_query`` adds
    key . vector too (Huang et al. 2020, method 4). Each layer has its own table, shared by its heads.
    """

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__()
        self.longest = config.max_position_embeddings
        self.with_key = config.position_embedding_type == "relative_key_query"
        self.table = nn.Embedding(2 * self.longest - 1, config.head_size)

    def forward(
        self,
        query: Float[Tensor, "batch heads query head_size"],
        key: Float[Tensor, "batch heads key head_size"],
    ) -> Float[Tensor, "batch heads query key"]:
        """What is added to the scaled scores; the last query stands at the last key."""
        queries, keys = query.shape[2], key.shape[2]
        positions = torch.arange(keys, device=query.device)
        distance = positions[keys - queries :, None] - positions[None, :]
        vectors = self.table(distance + self.longest - 1)
        scores = torch.einsum("bhqd,qkd->bhqk", query, vectors)
        if self.with_key:
            scores = scores + torch.einsum("bhkd,qkd->bhqk", key, vectors)
        return scores / math.sqrt(query.shape[-1])
