"""Self-attention, twice: written out step by step, and through PyTorch's fused kernel.

Both compute the same result. The written-out form is the one to read, and the only one that can
hand out the attention weights; the fused form never stores them and is faster.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from .config import ElectraConfig

Heads = Float[Tensor, "batch heads seq head_size"]
# What is added to the scores before the softmax: 0 where a query may look, a very large negative
# number where it may not. The heads axis has length 1, the query axis may.
AttentionBias = Float[Tensor, "batch 1 query_or_1 key"]
Weights = Float[Tensor, "batch heads query key"]


def attention_bias(
    mask: Shaped[Tensor, "batch key"] | Shaped[Tensor, "batch query key"], dtype: torch.dtype
) -> AttentionBias:
    """Turn a mask of 1 (look) and 0 (do not look) into what is added to the attention scores.

    The lowest finite number, not minus infinity, stands for "do not look": a row that may look
    nowhere then averages over all positions instead of becoming NaN.
    """
    per_query = mask[:, None, None, :] if mask.dim() == 2 else mask[:, None, :, :]
    hidden = per_query == 0
    return torch.zeros(hidden.shape, dtype=dtype, device=mask.device).masked_fill(
        hidden, torch.finfo(dtype).min
    )


def written_out_attention(
    query: Heads,
    key: Heads,
    value: Heads,
    bias: AttentionBias | None = None,
    dropout: float = 0.0,
) -> tuple[Heads, Weights]:
    """softmax(Q K^T / sqrt(head_size) + bias) V (Vaswani et al. 2017, equation 1), with its weights.

    Args:
        dropout: probability with which a weight is dropped after the softmax.
    """
    scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    if bias is not None:
        scores = scores + bias
    weights = scores.softmax(dim=-1)
    return F.dropout(weights, dropout) @ value, weights


def fused_attention(
    query: Heads,
    key: Heads,
    value: Heads,
    bias: AttentionBias | None = None,
    dropout: float = 0.0,
) -> Heads:
    """The same by ``torch.nn.functional.scaled_dot_product_attention``, without the weights."""
    return F.scaled_dot_product_attention(query, key, value, attn_mask=bias, dropout_p=dropout)


class SelfAttention(nn.Module):
    """Multi-head self-attention with its output layer.

    Every head sees ``head_size = hidden_size / num_attention_heads`` numbers of each query, key and
    value. Residual connection and LayerNorm stand in ``EncoderLayer``.
    """

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__()
        self.heads = config.num_attention_heads
        self.query = nn.Linear(config.hidden_size, config.hidden_size)
        self.key = nn.Linear(config.hidden_size, config.hidden_size)
        self.value = nn.Linear(config.hidden_size, config.hidden_size)
        self.output = nn.Linear(config.hidden_size, config.hidden_size)
        self.dropout_prob = config.attention_probs_dropout_prob

    def split_heads(self, states: Float[Tensor, "batch seq hidden"]) -> Heads:
        """Cut the hidden axis into heads and bring the heads in front of the sequence."""
        return states.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def merge_heads(self, states: Heads) -> Float[Tensor, "batch seq hidden"]:
        """Undo ``split_heads``."""
        return states.transpose(1, 2).flatten(-2)

    def forward(
        self,
        states: Float[Tensor, "batch seq hidden"],
        bias: AttentionBias | None = None,
        written_out: bool = False,
    ) -> tuple[Float[Tensor, "batch seq hidden"], Weights | None]:
        """Args:
        states: what the layer below hands up.
        bias: see ``attention_bias``; None lets every token look at every token.
        written_out: take the written-out path and return its weights; otherwise None.
        """
        query = self.split_heads(self.query(states))
        key = self.split_heads(self.key(states))
        value = self.split_heads(self.value(states))
        dropout = self.dropout_prob if self.training else 0.0
        weights = None
        if written_out:
            context, weights = written_out_attention(query, key, value, bias, dropout)
        else:
            context = fused_attention(query, key, value, bias, dropout)
        return self.output(self.merge_heads(context)), weights
