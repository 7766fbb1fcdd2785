"""What a forward pass returns: named tensors that can also be read as a tuple or a dictionary."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from jaxtyping import Float
from torch import Tensor

from .decoder import KeyValueCache

HiddenStates = tuple[Float[Tensor, "batch seq hidden"], ...]
# "_": unchecked, since layers that were pruned have fewer heads than others
Attentions = tuple[Float[Tensor, "batch _heads query key"], ...]
CrossAttentions = tuple[Float[Tensor, "batch _heads query source"], ...]


@dataclass
class ModelOutput:
    """Base of all outputs. ``output.logits``, ``output["logits"]`` and ``output[1]`` are the same
    tensor; fields that are None do not take part in the tuple, as in transformers."""

    def to_tuple(self) -> tuple[Any, ...]:
        return tuple(self[name] for name in self.keys())

    def keys(self) -> list[str]:
        return [f.name for f in fields(self) if getattr(self, f.name) is not None]

    def values(self) -> list[Any]:
        return list(self.to_tuple())

    def items(self) -> list[tuple[str, Any]]:
        return [(name, getattr(self, name)) for name in self.keys()]

    def __getitem__(self, key: str | int | slice) -> Any:
        if isinstance(key, str):
            if key not in self.keys():
                raise KeyError(f"This output has no {key!r}; it has {', '.join(self.keys())}.")
            return getattr(self, key)
        return self.to_tuple()[key]

    def __iter__(self) -> Any:
        return iter(self.keys())

    def __contains__(self, name: str) -> bool:
        return name in self.keys()

    def __len__(self) -> int:
        return len(self.keys())


@dataclass
class BaseModelOutput(ModelOutput):
    """Output of the bare model.

    ``hidden_states`` has one entry more than there are layers: the first is what enters the encoder.
    ``attentions`` are the weights after the softmax, before dropout is applied to them;
    ``cross_attentions`` those of a decoder's looks at an encoder. ``past_key_values`` is the cache
    that a decoder goes on from.
    """

    last_hidden_state: Float[Tensor, "batch seq hidden"]
    past_key_values: KeyValueCache | None = None
    hidden_states: HiddenStates | None = None
    attentions: Attentions | None = None
    cross_attentions: CrossAttentions | None = None


@dataclass
class ElectraForPreTrainingOutput(ModelOutput):
    """Output of the discriminator: one logit for each token, positive where it looks replaced."""

    loss: Float[Tensor, ""] | None = None
    logits: Float[Tensor, "batch seq"] | None = None
    hidden_states: HiddenStates | None = None
    attentions: Attentions | None = None


@dataclass
class MaskedLMOutput(ModelOutput):
    """Output of the generator: a logit for every piece of the vocabulary at every position."""

    loss: Float[Tensor, ""] | None = None
    logits: Float[Tensor, "batch seq vocab"] | None = None
    hidden_states: HiddenStates | None = None
    attentions: Attentions | None = None


@dataclass
class CausalLMOutput(ModelOutput):
    """Output of the decoder: at every position (or at the last ones, see ``logits_to_keep``) a logit
    for every piece that may come next."""

    loss: Float[Tensor, ""] | None = None
    logits: Float[Tensor, "batch kept vocab"] | None = None
    past_key_values: KeyValueCache | None = None
    hidden_states: HiddenStates | None = None
    attentions: Attentions | None = None
    cross_attentions: CrossAttentions | None = None


@dataclass
class SequenceClassifierOutput(ModelOutput):
    """One row of scores for each sequence."""

    loss: Float[Tensor, ""] | None = None
    logits: Float[Tensor, "batch labels"] | None = None
    hidden_states: HiddenStates | None = None
    attentions: Attentions | None = None


@dataclass
class TokenClassifierOutput(ModelOutput):
    """One row of scores for each token."""

    loss: Float[Tensor, ""] | None = None
    logits: Float[Tensor, "batch seq labels"] | None = None
    hidden_states: HiddenStates | None = None
    attentions: Attentions | None = None


@dataclass
class QuestionAnsweringModelOutput(ModelOutput):
    """For each token a score of being the answer's first one, and one of being its last."""

    loss: Float[Tensor, ""] | None = None
    start_logits: Float[Tensor, "batch seq"] | None = None
    end_logits: Float[Tensor, "batch seq"] | None = None
    hidden_states: HiddenStates | None = None
    attentions: Attentions | None = None


@dataclass
class MultipleChoiceModelOutput(ModelOutput):
    """One score for each choice; hidden states and attentions have batch * choices rows."""

    loss: Float[Tensor, ""] | None = None
    logits: Float[Tensor, "batch choices"] | None = None
    hidden_states: tuple[Float[Tensor, "rows seq hidden"], ...] | None = None
    attentions: tuple[Float[Tensor, "rows _heads query key"], ...] | None = None
