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
from .decoder import LayerCache
from .dropout import dropout
from .few_tokens import linear_for_few
from .padding import Padding
from .relative_positions import RelativePositions

# Hidden states: a row for each sequence, or one row with all tokens where padding was removed.
States = Float[Tensor, "rows tokens hidden"]
# What leaves attention: a state for each that asked, which may be fewer.
Attended = Float[Tensor, "_ _ hidden"]
Query = Float[Tensor, "batch heads query head_size"]
Key = Float[Tensor, "batch heads key head_size"]
# What is added to the scores before the softmax: 0 where a query may look, a very large negative
# number where it may not. "#" marks axes that may have length 1 and then stand for all.
AttentionBias = Float[Tensor, "#batch #heads #query key"]
# What the weights of each head are multiplied with; 0 switches a head off.
HeadMask = Float[Tensor, "#batch heads #query #key"]
Weights = Float[Tensor, "batch heads query key"]
CrossWeights = Float[Tensor, "batch heads query source"]


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
    query: Query,
    key: Key,
    value: Key,
    bias: AttentionBias | None = None,
    dropout_prob: float = 0.0,
    head_mask: HeadMask | None = None,
) -> tuple[Query, Weights]:
    """softmax(Q K^T / sqrt(head_size) + bias) V (Vaswani et al. 2017, equation 1), with its weights.

    Args:
        dropout_prob: probability with which a weight is dropped after the softmax.
        head_mask: what each head's weights are multiplied with.
    """
    scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    if bias is not None:
        scores = scores + bias
    weights = scores.softmax(dim=-1)
    if head_mask is not None:
        weights = weights * head_mask
    return dropout(weights, dropout_prob) @ value, weights


def fused_attention(
    query: Query,
    key: Key,
    value: Key,
    bias: AttentionBias | None = None,
    dropout_prob: float = 0.0,
) -> Query:
    """The same by ``torch.nn.functional.scaled_dot_product_attention``, without the weights."""
    return F.scaled_dot_product_attention(query, key, value, attn_mask=bias, dropout_p=dropout_prob)


class SelfAttention(nn.Module):
    """Multi-head self-attention with its output layer.

    Every head sees ``head_size = hidden_size / num_attention_heads`` numbers of each query, key and
    value. Residual connection and LayerNorm stand in ``EncoderLayer``.
    """

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__()
        self.heads = config.num_attention_heads
        self.head_size = config.head_size
        self.query = nn.Linear(config.hidden_size, config.hidden_size)
        self.key = nn.Linear(config.hidden_size, config.hidden_size)
        self.value = nn.Linear(config.hidden_size, config.hidden_size)
        self.output = nn.Linear(config.hidden_size, config.hidden_size)
        self.dropout_prob = config.attention_probs_dropout_prob
        self.relative_positions = (
            RelativePositions(config) if config.position_embedding_type != "absolute" else None
        )

    def split_heads(self, states: Float[Tensor, "batch seq _"]) -> Key:
        """Cut the hidden axis into heads and bring the heads in front of the sequence."""
        return states.view(*states.shape[:2], self.heads, self.head_size).transpose(1, 2)

    def merge_heads(self, states: Query) -> Float[Tensor, "batch query _"]:
        """Undo ``split_heads``."""
        return states.transpose(1, 2).flatten(-2)

    def forward(
        self,
        states: States,
        bias: AttentionBias | None = None,
        written_out: bool = False,
        head_mask: HeadMask | None = None,
        cache: LayerCache | None = None,
        padding: Padding | None = None,
        asking: Float[Tensor, "batch asking hidden"] | None = None,
    ) -> tuple[Attended, Weights | None]:
        """Args:
        states: what the layer below hands up.
        bias: see ``attention_bias``; None lets every token look at every token.
        written_out: take the written-out path and return its weights; otherwise None.
        head_mask: what each head's weights are multiplied with; takes the written-out path.
        cache: keys and values of earlier tokens; those of ``states`` are put behind them.
        padding: what was removed from ``states``; attention brings it back for its own part.
        asking: the states that look at all others, padded as the batch was; None: every state does.
        """
        query = self.query(states if asking is None else asking)
        key, value = self.key(states), self.value(states)
        if padding is not None:
            key, value = padding.spread(key), padding.spread(value)
            if asking is None:
                query = padding.spread(query)
        query, key, value = (self.split_heads(part) for part in (query, key, value))
        if cache is not None:
            key, value = cache.append(key, value)
        if self.relative_positions is not None:
            distances = self.relative_positions(query, key)
            bias = distances if bias is None else bias + distances
        removed = padding if asking is None else None
        return self.attend(query, key, value, bias, written_out, head_mask, removed)

    def attend(
        self,
        query: Query,
        key: Key,
        value: Key,
        bias: AttentionBias | None,
        written_out: bool,
        head_mask: HeadMask | None,
        padding: Padding | None = None,
    ) -> tuple[Attended, Weights | None]:
        """Attention of all heads by one of the two paths, then the output layer."""
        dropout_prob = self.dropout_prob if self.training else 0.0
        on_cpu = query.device.type == "cpu"
        # the fused kernel for the CPU has no dropout; what PyTorch takes instead is slower than this
        without_kernel = on_cpu and dropout_prob > 0.0
        # and in 16 bits its way back takes four times as long as this (32 x 128 tokens, 4 heads of 64)
        slow_kernel = on_cpu and query.dtype == torch.bfloat16 and torch.is_grad_enabled()
        if written_out or head_mask is not None or without_kernel or slow_kernel:
            context, weights = written_out_attention(
                query, key, value, bias, dropout_prob, head_mask
            )
        else:
            context, weights = fused_attention(query, key, value, bias, dropout_prob), None
        merged = self.merge_heads(context)
        if padding is not None:
            merged = padding.remove(merged)
        return linear_for_few(self.output, merged), weights

    @torch.no_grad()
    def prune(self, heads: set[int]) -> None:
        """Remove heads for good: their rows of query, key and value, their columns of the output."""
        kept = [head for head in range(self.heads) if head not in heads]
        index = torch.arange(self.heads * self.head_size).view(self.heads, -1)[kept].flatten()
        for linear in (self.query, self.key, self.value):
            linear.weight = nn.Parameter(linear.weight[index].clone())
            linear.bias = nn.Parameter(linear.bias[index].clone())
            linear.out_features = len(index)
        self.output.weight = nn.Parameter(self.output.weight[:, index].clone())
        self.output.in_features = len(index)
        self.heads = len(kept)


class CrossAttention(SelfAttention):
    """The same, with keys and values from another model's states: a decoder looks at an encoder.

    It has no relative positions: the two sequences share no positions.
    """

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__(config)
        self.relative_positions = None

    def forward(  # type: ignore[override]
        self,
        states: Float[Tensor, "batch seq hidden"],
        encoder_states: Float[Tensor, "batch key hidden"] | None,
        bias: AttentionBias | None = None,
        written_out: bool = False,
        head_mask: HeadMask | None = None,
        cache: LayerCache | None = None,
    ) -> tuple[States, Weights | None]:
        """Args:
        encoder_states: what is looked at; not needed once the cache holds its keys and values.
        (The others as in ``SelfAttention.forward``.)
        """
        query = self.split_heads(self.query(states))
        if cache is not None and cache.key is not None and cache.value is not None:
            key, value = cache.key, cache.value
        else:
            assert encoder_states is not None
            key = self.split_heads(self.key(encoder_states))
            value = self.split_heads(self.value(encoder_states))
            if cache is not None:
                cache.append(key, value)
        return self.attend(query, key, value, bias, written_out, head_mask)
