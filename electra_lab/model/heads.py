"""Heads: what is put on top of the encoder, and the loss that goes with it."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int, Num, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from .config import ElectraConfig
from .electra import ElectraModel
from .encoder import activation
from .outputs import ElectraForPreTrainingOutput, MaskedLMOutput
from .pretrained import PreTrainedModel

IGNORED_LABEL = -100


class ReplacedTokenHead(nn.Module):
    """The discriminator's head: dense, activation, one number for each token."""

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.activation = activation(config.hidden_act)
        self.score = nn.Linear(config.hidden_size, 1)

    def forward(self, states: Float[Tensor, "*tokens hidden"]) -> Float[Tensor, "*tokens"]:
        return self.score(self.activation(self.dense(states))).squeeze(-1)


class MaskedLMHead(nn.Module):
    """The generator's head: back to the embeddings' width, then a score against every word vector.

    The output layer is the input word table itself (paper, section 3.2), so the head holds only its
    bias. The activation is always GELU (google-research/electra, run_pretraining.py).
    """

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.embedding_size)
        self.norm = nn.LayerNorm(config.embedding_size, eps=config.layer_norm_eps)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(
        self,
        states: Float[Tensor, "*tokens hidden"],
        word_table: Float[Tensor, "vocab embedding"],
    ) -> Float[Tensor, "*tokens vocab"]:
        """Any number of leading axes: pre-training hands in only the selected positions."""
        return F.linear(self.norm(F.gelu(self.dense(states))), word_table, self.bias)

    @torch.no_grad()
    def resize(self, vocab_size: int) -> None:
        """Give the bias an entry for each row of a word table of another size; new ones are zero."""
        kept = min(vocab_size, len(self.bias))
        bias = self.bias.new_zeros(vocab_size)
        bias[:kept] = self.bias[:kept]
        self.bias = nn.Parameter(bias)


def replaced_token_loss(
    logits: Float[Tensor, "batch seq"],
    labels: Num[Tensor, "batch seq"] | Bool[Tensor, "batch seq"],
    attended: Bool[Tensor, "batch seq"] | None = None,
) -> Float[Tensor, ""]:
    """Binary cross-entropy of "was it replaced?", averaged over the attended tokens (paper,
    equation for L_Disc in section 2)."""
    if attended is not None:
        logits, labels = logits[attended], labels[attended]
    return F.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype))


class ElectraForPreTraining(PreTrainedModel):
    """The discriminator: says of every token whether the generator put it there.

    ``sigmoid(logits)`` is the probability that a token was replaced.
    """

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__(config)
        self.electra = ElectraModel(config)
        self.head = ReplacedTokenHead(config)
        self.init_weights(self.head)

    def forward(
        self,
        input_ids: Int[Tensor, "..."] | None = None,
        attention_mask: Shaped[Tensor, "..."] | None = None,
        token_type_ids: Int[Tensor, "..."] | None = None,
        position_ids: Int[Tensor, "..."] | None = None,
        inputs_embeds: Float[Tensor, "..."] | None = None,
        labels: Shaped[Tensor, "..."] | None = None,
        head_mask: Float[Tensor, "..."] | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> ElectraForPreTrainingOutput:
        """Args:
            labels: (batch, seq), 1 where the token was replaced, 0 where it is the original. With
                them a loss is returned: the mean over all attended tokens.
            (The others as in ``ElectraModel.forward``.)

        Raises:
            ValueError: as ``ElectraModel.forward``, or labels of another shape than the input.
        """
        states = self.electra(
            input_ids,
            attention_mask,
            token_type_ids,
            position_ids,
            inputs_embeds,
            head_mask=head_mask,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            return_dict=True,
        )
        logits = self.head(states.last_hidden_state)
        loss = None
        if labels is not None:
            check_labels(labels, logits.shape)
            attended = None
            if attention_mask is not None and attention_mask.dim() == 2:
                attended = attention_mask == 1
            loss = replaced_token_loss(logits, labels, attended)
        return ElectraForPreTrainingOutput(loss, logits, states.hidden_states, states.attentions)


class ElectraForMaskedLM(PreTrainedModel):
    """The generator: fills in the words behind [MASK]."""

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__(config)
        self.electra = ElectraModel(config)
        self.head = MaskedLMHead(config)
        self.init_weights(self.head)

    def forward(
        self,
        input_ids: Int[Tensor, "..."] | None = None,
        attention_mask: Shaped[Tensor, "..."] | None = None,
        token_type_ids: Int[Tensor, "..."] | None = None,
        position_ids: Int[Tensor, "..."] | None = None,
        inputs_embeds: Float[Tensor, "..."] | None = None,
        labels: Int[Tensor, "..."] | None = None,
        head_mask: Float[Tensor, "..."] | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> MaskedLMOutput:
        """Args:
            labels: (batch, seq), the original id where the loss is wanted and -100 elsewhere. With
                them a loss is returned: the mean cross-entropy over those positions.
            (The others as in ``ElectraModel.forward``.)

        Raises:
            ValueError: as ``ElectraModel.forward``, or labels of another shape than the input.
        """
        states = self.electra(
            input_ids,
            attention_mask,
            token_type_ids,
            position_ids,
            inputs_embeds,
            head_mask=head_mask,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            keep_padding=labels_on_padding(labels, attention_mask),
            return_dict=True,
        )
        logits = self.head(states.last_hidden_state, self.electra.embeddings.word.weight)
        loss = None
        if labels is not None:
            check_labels(labels, logits.shape[:2])
            loss = F.cross_entropy(
                logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED_LABEL
            )
        return MaskedLMOutput(loss, logits, states.hidden_states, states.attentions)


def labels_on_padding(labels: Tensor | None, attention_mask: Tensor | None) -> bool:
    """Whether a loss is asked for at positions that are padding; then their states are needed."""
    if labels is None or attention_mask is None or attention_mask.shape != labels.shape:
        return False
    return bool((labels[attention_mask == 0] != IGNORED_LABEL).any())


def first_is_hidden(attention_mask: Tensor | None) -> bool:
    """Whether a head that reads the first position would read padding there (on the left, say)."""
    if attention_mask is None or attention_mask.dim() < 2:
        return False
    return not bool(attention_mask[..., 0].all())


def check_labels(labels: Tensor, expected: torch.Size) -> None:
    """Refuse labels of another shape than expected."""
    if labels.shape != expected:
        raise ValueError(
            f"labels has the shape {tuple(labels.shape)}; expected {tuple(expected)}, one label for "
            "each token of the input."
        )
