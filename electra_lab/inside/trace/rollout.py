"""Attention through all layers at once."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from .result import Trace


def attention_rollout(trace: Trace) -> Float[Tensor, "layers batch query key"]:
    """How much of each token's state comes from each input token, if attention were all that mixes them
    (Abnar and Zuidema 2020, section 3).

    Heads are averaged, the residual connection counts as a half of looking at oneself, and the matrices
    of the layers are multiplied: A_l = (W_l + I) / 2 with rows that sum to 1, R_l = A_l R_(l-1).

    Returns:
        R after each layer; the last is the rollout of the whole encoder. Rows sum to 1.
    """
    rolled: list[Tensor] = []
    for layer in trace.layers:
        weights = layer.attention.mean(dim=1)
        mixed = (weights + torch.eye(weights.shape[-1], dtype=weights.dtype)) / 2
        mixed = mixed / mixed.sum(dim=-1, keepdim=True)
        rolled.append(mixed if not rolled else mixed @ rolled[-1])
    return torch.stack(rolled)
