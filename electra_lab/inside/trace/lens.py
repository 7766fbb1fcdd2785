"""The logit lens: what a head would say of the states of every layer, not only of the last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from .live import own_model
from .outcome import PER_TOKEN, Kind, kind_of, labels_of, probabilities_of
from .recorder import undisturbed
from .result import Trace, as_recorded
from .size import MAX_BYTES


@dataclass(frozen=True, repr=False, eq=False)
class Lens:
    """What a head says of each layer's states.

    Attributes:
        model: class of the model whose head it is.
        kind: what the head says, see ``Trace.kind``.
        labels: names of what is scored.
        tokens: for each row the tokens that were looked at.
        logits: one entry for what enters the encoder and one for each layer; then the axes of
            ``Trace.logits``.
        mask: [batch seq], False at padding.
    """

    model: str
    kind: Kind
    labels: tuple[str, ...]
    tokens: list[list[str]]
    logits: Float[Tensor, "layers *outcome"]
    mask: Bool[Tensor, "batch seq"]

    @property
    def probabilities(self) -> Float[Tensor, "layers *outcome"]:
        """The logits as probabilities, as ``Trace.probabilities``."""
        return torch.stack([probabilities_of(self.kind, part, self.mask) for part in self.logits])

    def best(self, row: int = 0) -> list[list[tuple[str, float]]]:
        """For each layer the likeliest label and its probability: one for each token where the head
        scores tokens, otherwise one. For start and end both are given, token by token: that of the two
        with the higher probability. For choices ``row`` counts the inputs.

        Raises:
            IndexError: there is no such row.
        """
        if not 0 <= row < self.logits.shape[1]:
            raise IndexError(
                f"There is no row {row}; the rows are 0 to {self.logits.shape[1] - 1}."
            )
        values = self.probabilities[:, row]
        if self.kind == "replaced" or self.kind not in PER_TOKEN:
            values = values.unsqueeze(-1 if self.kind == "replaced" else 1)
        best = values.max(dim=-1)
        return [
            [(self.labels[label], score) for label, score in zip(labels, scores, strict=True)]
            for labels, scores in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ]

    def __repr__(self) -> str:
        return f"Lens({self.model} on {len(self.logits)} layers: {' '.join(self.tokens[0][:8])})"


@torch.no_grad()
def logit_lens(
    trace: Trace,
    head_model: Any,
    *,
    tokenizer: Any = None,
    positions: Sequence[int] | None = None,
    max_bytes: int = MAX_BYTES,
) -> Lens:
    """Put a head on the states of every layer (nostalgebraist 2020, "interpreting GPT: the logit lens").

    The last layer's entry is what the head says anyway. The layers below were never trained for it; what
    it says of them is a reading, no prediction. ELECTRA normalises each layer's output, so the states go
    in as they are.

    Args:
        head_model: the model whose head is used: a discriminator's, a generator's, or a task's; of this
            package or of transformers. Its hidden_size must be that of the trace.
        tokenizer: names the pieces of a generator's vocabulary.
        positions: only these tokens, for heads that score each token by itself.
        max_bytes: the largest result that is computed.

    Raises:
        ValueError: the model has no head, or another width than the trace.
        IndexError: there is no such position.
        MemoryError: the result would be larger than ``max_bytes``.
        TypeError: see ``trace``.
    """
    own: Any = own_model(head_model)
    kind = kind_of(own)
    if kind == "states":
        raise ValueError(
            f"A {type(own).__name__} has no head. Give a model with one, for example the "
            "discriminator or the generator that the encoder was trained with."
        )
    width = trace.projected.shape[-1]
    if own.config.hidden_size != width:
        raise ValueError(
            f"The head reads states of hidden_size {own.config.hidden_size}, the trace has {width}. "
            "Give the head of a model of the same shape."
        )
    places = _places(positions, kind, trace)
    states = torch.stack(trace.hidden_states)[:, :, places]
    outputs = own.config.vocab_size if kind == "words" else len(own.config.id2label)
    needed = states.shape[:-1].numel() * outputs * 4
    if needed > max_bytes and kind in PER_TOKEN:
        raise MemoryError(
            f"The lens would take {needed / 1e6:,.0f} MB; the limit is {max_bytes / 1e6:,.0f} MB. Look "
            f"at fewer tokens: positions=[...], or allow more: max_bytes={needed}."
        )
    with undisturbed(own):
        said = torch.stack([_say(own, kind, layer.to(own.device, own.dtype)) for layer in states])
    choices = None
    if kind == "choices":
        choices = trace.of_input.count(0)
        said = said.unflatten(1, (-1, choices))
    return Lens(
        type(own).__name__,
        kind,
        labels_of(kind, own.config, tokenizer, choices),
        [[row[place] for place in places] for row in trace.tokens],
        as_recorded(said),
        trace.mask[:, places],
    )


def _places(positions: Sequence[int] | None, kind: Kind, trace: Trace) -> list[int]:
    seq = trace.mask.shape[1]
    if positions is None:
        return list(range(seq))
    if kind not in PER_TOKEN or kind == "span":
        raise ValueError("This head needs all tokens; leave positions out.")
    wrong = [place for place in positions if not 0 <= place < seq]
    if wrong:
        raise IndexError(f"There is no token {wrong[0]}; the tokens are 0 to {seq - 1}.")
    return list(positions)


def _say(model: Any, kind: Kind, states: Float[Tensor, "batch seq hidden"]) -> Tensor:
    if kind == "words":
        said: Tensor = model.head(states, model.electra.embeddings.word.weight)
        return said
    said = model.head(states)
    return said
