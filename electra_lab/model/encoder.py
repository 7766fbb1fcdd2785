"""The encoder: BERT's stack of layers, unchanged (paper, section 2: ELECTRA keeps the architecture)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from .attention import AttentionBias, SelfAttention, Weights
from .config import ElectraConfig
from .outputs import BaseModelOutput

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "gelu_new": partial(F.gelu, approximate="tanh"),
    "relu": F.relu,
    "silu": F.silu,
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
        return self.contract(self.activation(self.expand(states)))


class EncoderLayer(nn.Module):
    """Attention, then feed-forward; after each: dropout, add what came in, LayerNorm (post-norm)."""

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__()
        self.attention = SelfAttention(config)
        self.attention_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.feed_forward = FeedForward(config)
        self.feed_forward_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(
        self,
        states: Float[Tensor, "batch seq hidden"],
        bias: AttentionBias | None = None,
        written_out: bool = False,
    ) -> tuple[Float[Tensor, "batch seq hidden"], Weights | None]:
        attended, weights = self.attention(states, bias, written_out)
        states = self.attention_norm(states + self.dropout(attended))
        states = self.feed_forward_norm(states + self.dropout(self.feed_forward(states)))
        return states, weights


class ElectraEncoder(nn.Module):
    """``num_hidden_layers`` layers, one after the other."""

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.num_hidden_layers))

    def forward(
        self,
        states: Float[Tensor, "batch seq hidden"],
        bias: AttentionBias | None = None,
        written_out: bool = False,
        output_attentions: bool = False,
        output_hidden_states: bool = False,
    ) -> BaseModelOutput:
        """Args:
        written_out: take the written-out attention path; ``output_attentions`` implies it.
        output_attentions: return the attention weights of every layer.
        output_hidden_states: return what enters the encoder and what leaves each layer.
        """
        hidden_states = [states]
        attentions = []
        for layer in self.layers:
            states, weights = layer(states, bias, written_out or output_attentions)
            hidden_states.append(states)
            attentions.append(weights)
        return BaseModelOutput(
            last_hidden_state=states,
            hidden_states=tuple(hidden_states) if output_hidden_states else None,
            attentions=tuple(attentions) if output_attentions else None,
        )
