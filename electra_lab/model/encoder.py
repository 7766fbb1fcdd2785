"""The encoder: BERT's stack of layers, unchanged (paper, section 2: ELECTRA keeps the architecture).

As a decoder (``is_decoder``) it is the same stack with a causal mask, a cache, and with
``add_cross_attention`` one more block in each layer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from .attention import (
    Attended,
    AttentionBias,
    CrossAttention,
    CrossWeights,
    HeadMask,
    SelfAttention,
    States,
    Weights,
)
from .config import ElectraConfig
from .decoder import KeyValueCache, LayerCache
from .dropout import Dropout
from .few_tokens import linear_for_few
from .outputs import BaseModelOutput
from .padding import Padding

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "gelu_new": partial(F.gelu, approximate="tanh"),
    "relu": F.relu,
    "silu": F.silu,
    "tanh": torch.tanh,
}


def activation(name: str | Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """The activation function of that name; a callable is taken as it is.

    Raises:
        ValueError: there is no activation of that name.
    """
    if not isinstance(name, str):
        return name
    if name not in ACTIVATIONS:
        raise ValueError(
            f"There is no activation {name!r}. Use one of {', '.join(ACTIVATIONS)}, or a callable."
        )
    return ACTIVATIONS[name]


@dataclass
class CrossInputs:
    """What the cross-attention of a layer looks at: another model's states, or their cached keys and
    values."""

    states: Float[Tensor, "batch source hidden"] | None
    bias: AttentionBias | None = None
    cache: LayerCache | None = None

    def of_layer(self, layer: int, cache: KeyValueCache | None) -> CrossInputs:
        """The same for one layer, with its part of the cache."""
        return replace(self, cache=None if cache is None else cache.cross[layer])


# Tokens that feed-forward takes at a time when no gradient is wanted: what lies between its two layers,
# four times as wide as the states, then stays in the processor's cache. 32 x 128 tokens through
# ELECTRA-Small's shape took 619 ms instead of 726 (medians of runs in turn, 2 cores).
CHUNK = 1_024
# Numbers between the two layers from which on training computes the activation twice instead of keeping
# its result for the way back: 16 MB a layer for 32 x 128 tokens, and a hundredth of the step's time.
MUCH = 1 << 20


class FeedForward(nn.Module):
    """Two linear layers with a non-linearity between, applied to every token alone."""

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__()
        self.expand = nn.Linear(config.hidden_size, config.intermediate_size)
        self.activation = activation(config.hidden_act)
        self.contract = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(
        self, states: Float[Tensor, "batch seq hidden"]
    ) -> Float[Tensor, "batch seq hidden"]:
        rows, tokens, _ = states.shape
        if torch.is_grad_enabled() or states.device.type != "cpu" or rows * tokens <= CHUNK:
            return self.transform(states)
        chunks = states.reshape(1, rows * tokens, -1).split(CHUNK, dim=1)
        return torch.cat([self.transform(chunk) for chunk in chunks], dim=1).view_as(states)

    def transform(
        self, states: Float[Tensor, "rows tokens hidden"]
    ) -> Float[Tensor, "rows tokens hidden"]:
        """The two layers for all of these tokens at once."""
        expanded = linear_for_few(self.expand, states)
        if torch.is_grad_enabled() and expanded.numel() >= MUCH:
            return checkpoint(
                self.activate_and_contract,
                expanded,
                use_reentrant=False,
                preserve_rng_state=False,
            )
        return self.activate_and_contract(expanded)

    def activate_and_contract(
        self, expanded: Float[Tensor, "rows tokens intermediate"]
    ) -> Float[Tensor, "rows tokens hidden"]:
        """What follows the first layer."""
        return linear_for_few(self.contract, self.activation(expanded))


class EncoderLayer(nn.Module):
    """Attention, then feed-forward; after each: dropout, add what came in, LayerNorm (post-norm).

    Where the configuration says ``add_cross_attention``, cross-attention stands between the two.
    """

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__()
        self.attention = SelfAttention(config)
        self.attention_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.cross_attention: CrossAttention | None = None
        if config.add_cross_attention:
            self.cross_attention = CrossAttention(config)
            self.cross_attention_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.feed_forward = FeedForward(config)
        self.feed_forward_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = Dropout(config.hidden_dropout_prob)

    def forward(
        self,
        states: States,
        bias: AttentionBias | None = None,
        written_out: bool = False,
        head_mask: HeadMask | None = None,
        cache: LayerCache | None = None,
        cross: CrossInputs | None = None,
        padding: Padding | None = None,
        first_only: bool = False,
    ) -> tuple[Attended, Weights | None, CrossWeights | None]:
        """Args:
        first_only: only the first position of each sequence asks, and has a state afterwards.
        (The others as in ``SelfAttention.forward`` and ``ElectraEncoder.forward``.)

        Returns:
        The states, and the weights of attention and of cross-attention (None on the fused path,
        or where there is none).
        """
        asking = None
        if first_only:
            asking = states[:, :1] if padding is None else padding.first(states)
        attended, weights = self.attention(
            states, bias, written_out, head_mask, cache, padding, asking
        )
        went_in = states if asking is None else asking
        states = self.attention_norm(went_in + self.dropout(attended))
        cross_weights = None
        if cross is not None:
            assert self.cross_attention is not None
            attended, cross_weights = self.cross_attention(
                states, cross.states, cross.bias, written_out, head_mask, cross.cache
            )
            states = self.cross_attention_norm(states + self.dropout(attended))
        states = self.feed_forward_norm(states + self.dropout(self.feed_forward(states)))
        return states, weights, cross_weights


class ElectraEncoder(nn.Module):
    """``num_hidden_layers`` layers, one after the other.

    With ``gradient_checkpointing`` set, training keeps only what enters each layer and computes the
    rest again on the way back: less memory for about a third more time.
    """

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.num_hidden_layers))
        self.gradient_checkpointing = False

    def forward(
        self,
        states: Float[Tensor, "batch seq hidden"],
        bias: AttentionBias | None = None,
        written_out: bool = False,
        output_attentions: bool = False,
        output_hidden_states: bool = False,
        head_mask: Sequence[HeadMask] | None = None,
        cache: KeyValueCache | None = None,
        cross: CrossInputs | None = None,
        padding: Padding | None = None,
        first_only: bool = False,
    ) -> BaseModelOutput:
        """Args:
        written_out: take the written-out attention path; ``output_attentions`` implies it.
        output_attentions: return the attention weights of every layer.
        output_hidden_states: return what enters the encoder and what leaves each layer.
        head_mask: one for each layer.
        cache: keys and values of earlier tokens; extended by those of ``states``.
        cross: what cross-attention looks at.
        padding: leave it out of everything but attention; its states are then zero.
        first_only: what leaves the last layer is wanted of each sequence's first position alone.
        """
        if padding is not None:
            states = padding.remove(states)
        # what nobody asked for is let go, so that its memory is used again
        hidden_states = [states] if output_hidden_states else []
        attentions = []
        cross_attentions = []
        last = len(self.layers) - 1
        for i, layer in enumerate(self.layers):
            inputs = (
                states,
                bias,
                written_out or output_attentions,
                None if head_mask is None else head_mask[i],
                None if cache is None else cache.own[i],
                None if cross is None else cross.of_layer(i, cache),
                padding,
                first_only and i == last,
            )
            if self.gradient_checkpointing and self.training:
                states, weights, cross_weights = checkpoint(layer, *inputs, use_reentrant=False)
            else:
                states, weights, cross_weights = layer(*inputs)
            if output_hidden_states:
                hidden_states.append(states)
            if output_attentions:
                attentions.append(weights)
                cross_attentions.append(cross_weights)
        if padding is not None and not first_only:
            hidden_states = [padding.restore(kept) for kept in hidden_states]
            states = hidden_states[-1] if output_hidden_states else padding.restore(states)
        return BaseModelOutput(
            last_hidden_state=states,
            past_key_values=cache,
            hidden_states=tuple(hidden_states) if output_hidden_states else None,
            attentions=tuple(attentions) if output_attentions else None,
            cross_attentions=tuple(cross_attentions) if output_attentions and cross else None,
        )
