"""The bare model: embeddings, projection, encoder."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from .attention import AttentionBias, attention_bias
from .config import ElectraConfig
from .embeddings import ElectraEmbeddings
from .encoder import ElectraEncoder
from .outputs import BaseModelOutput
from .pretrained import PreTrainedModel


class ElectraModel(PreTrainedModel):
    """ELECTRA's transformer without a head; generator and discriminator are both one of these.

    ids -> ``embeddings`` (embedding_size) -> ``projection`` (hidden_size; only where the two sizes
    differ) -> ``encoder``.
    """

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__(config)
        self.embeddings = ElectraEmbeddings(config)
        self.projection = (
            nn.Linear(config.embedding_size, config.hidden_size)
            if config.embedding_size != config.hidden_size
            else None
        )
        self.encoder = ElectraEncoder(config)
        self.init_weights()

    def forward(
        self,
        input_ids: Int[Tensor, "..."] | None = None,
        attention_mask: Shaped[Tensor, "..."] | None = None,
        token_type_ids: Int[Tensor, "..."] | None = None,
        position_ids: Int[Tensor, "..."] | None = None,
        inputs_embeds: Float[Tensor, "..."] | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> BaseModelOutput:
        """Hidden states of a batch of sequences.

        Args:
            input_ids: (batch, seq) ids of the tokens.
            attention_mask: (batch, seq), 1 for tokens to attend to and 0 for padding; or
                (batch, seq, seq), one row for each attending token. Default: attend to all.
            token_type_ids: (batch, seq), 0 for sentence A and 1 for sentence B. Default: 0.
            position_ids: (batch, seq) or (1, seq). Default: 0, 1, 2 ...
            inputs_embeds: (batch, seq, embedding_size) vectors to use instead of ``input_ids``.
            output_attentions: return each layer's attention weights, by the written-out path.
            output_hidden_states: return what enters the encoder and what leaves each layer.
            (The last two default to what the configuration says, as does ``return_dict``, which every
            model takes: see ``PreTrainedModel.__call__``.)

        Raises:
            ValueError: both or neither of ``input_ids`` and ``inputs_embeds``; an id outside the
                vocabulary; more positions than the model has; a tensor of another shape.
        """
        config = self.config
        self._check_inputs(input_ids, attention_mask, token_type_ids, position_ids, inputs_embeds)
        states = self.embeddings(input_ids, token_type_ids, position_ids, inputs_embeds)
        if self.projection is not None:
            states = self.projection(states)
        return self.encoder(
            states,
            self.bias_from_mask(attention_mask),
            written_out=self.attn_implementation == "eager",
            output_attentions=_given(output_attentions, config.output_attentions),
            output_hidden_states=_given(output_hidden_states, config.output_hidden_states),
        )

    def bias_from_mask(self, attention_mask: Shaped[Tensor, "..."] | None) -> AttentionBias | None:
        """What the mask adds to the attention scores; nothing where there is no mask."""
        if attention_mask is None:
            return None
        return attention_bias(attention_mask, self.dtype)

    def _check_inputs(
        self,
        input_ids: Tensor | None,
        attention_mask: Tensor | None,
        token_type_ids: Tensor | None,
        position_ids: Tensor | None,
        inputs_embeds: Tensor | None,
    ) -> None:
        """Refuse what would otherwise fail deep inside, or not at all, with a clear message."""
        if (input_ids is None) == (inputs_embeds is None):
            both = "both" if input_ids is not None else "neither"
            raise ValueError(f"Give input_ids or inputs_embeds, one of the two; got {both}.")
        if input_ids is not None:
            if input_ids.dim() != 2:
                raise ValueError(
                    f"input_ids has the shape {tuple(input_ids.shape)}; expected (batch, seq). "
                    "For a single sequence add an axis: input_ids[None]."
                )
            batch, seq = input_ids.shape
            self._check_ids("input_ids", input_ids, self.config.vocab_size, "vocabulary")
        else:
            assert inputs_embeds is not None
            if inputs_embeds.dim() != 3 or inputs_embeds.shape[2] != self.config.embedding_size:
                raise ValueError(
                    f"inputs_embeds has the shape {tuple(inputs_embeds.shape)}; expected "
                    f"(batch, seq, {self.config.embedding_size}), the last axis being "
                    "config.embedding_size."
                )
            batch, seq = inputs_embeds.shape[:2]
        limit = self.config.max_position_embeddings
        if seq > limit:
            raise ValueError(
                f"The input has {seq} tokens, but this model has only {limit} positions. Shorten it: "
                f"tokenizer(..., truncation=True, max_length={limit})."
            )
        if attention_mask is not None and tuple(attention_mask.shape) not in (
            (batch, seq),
            (batch, seq, seq),
        ):
            raise ValueError(
                f"attention_mask has the shape {tuple(attention_mask.shape)}; expected "
                f"{(batch, seq)}, as the input, or {(batch, seq, seq)}."
            )
        for name, ids, rows in (
            ("token_type_ids", token_type_ids, self.config.type_vocab_size),
            ("position_ids", position_ids, limit),
        ):
            if ids is None:
                continue
            if tuple(ids.shape) not in ((batch, seq), (1, seq)):
                raise ValueError(
                    f"{name} has the shape {tuple(ids.shape)}; expected {(batch, seq)}, as the input."
                )
            self._check_ids(name, ids, rows, f"{name[:-4].replace('_', ' ')} table")

    def _check_ids(self, name: str, ids: Tensor, rows: int, table: str) -> None:
        """Ids must lie in their table. On an accelerator the look would wait for the device at every
        step, so there it is left out while training."""
        if not ids.numel() or torch.compiler.is_compiling():
            return
        if self.training and ids.device.type != "cpu":
            return
        lowest, highest = (int(value) for value in ids.aminmax())
        if lowest < 0 or highest >= rows:
            wrong = lowest if lowest < 0 else highest
            raise ValueError(
                f"{name} holds {wrong}, which lies outside the {table} of {rows} rows "
                f"(0 to {rows - 1}). Was the text tokenised with another model's tokenizer?"
            )


def _given(value: bool | None, default: bool) -> bool:
    return default if value is None else value


def bare_model(model: PreTrainedModel) -> ElectraModel:
    """The ``ElectraModel`` inside a model with a head; the model itself where it has none."""
    bare = getattr(model, "electra", model)
    assert isinstance(bare, ElectraModel)
    return bare


def tie_embeddings(generator: PreTrainedModel, discriminator: PreTrainedModel) -> None:
    """Let the generator use the discriminator's embeddings: word, position and token type tables and
    their LayerNorm are then the same parameters (paper, section 3.2; google-research/electra,
    run_pretraining.py). Each keeps its own projection.

    Args:
        generator, discriminator: ``ElectraModel`` or a model with a head.

    Raises:
        ValueError: the tables of the two have different shapes.
    """
    ours, theirs = bare_model(generator), bare_model(discriminator)
    for name, parameter in theirs.embeddings.named_parameters():
        shape = tuple(ours.embeddings.get_parameter(name).shape)
        if shape != tuple(parameter.shape):
            raise ValueError(
                f"The generator's embeddings.{name} has the shape {shape}, the discriminator's "
                f"{tuple(parameter.shape)}. Tied embeddings need equal vocab_size, embedding_size, "
                "max_position_embeddings and type_vocab_size; ElectraConfig.for_generator keeps them."
            )
    ours.embeddings = theirs.embeddings
