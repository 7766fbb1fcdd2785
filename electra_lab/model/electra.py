"""The bare model: embeddings, projection, encoder."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from .attention import AttentionBias, SelfAttention, attention_bias
from .config import ElectraConfig
from .decoder import KeyValueCache, causal_mask
from .embeddings import ElectraEmbeddings
from .encoder import CrossInputs, ElectraEncoder
from .outputs import BaseModelOutput
from .padding import Padding
from .pretrained import PreTrainedModel

PastTuple = Sequence[Sequence[Tensor]]


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
        for layer, heads in config.pruned_heads.items():
            self._attention_of(layer).prune(set(heads))

    def forward(
        self,
        input_ids: Int[Tensor, "..."] | None = None,
        attention_mask: Shaped[Tensor, "..."] | None = None,
        token_type_ids: Int[Tensor, "..."] | None = None,
        position_ids: Int[Tensor, "..."] | None = None,
        inputs_embeds: Float[Tensor, "..."] | None = None,
        encoder_hidden_states: Float[Tensor, "batch source hidden"] | None = None,
        encoder_attention_mask: Shaped[Tensor, "..."] | None = None,
        past_key_values: KeyValueCache | PastTuple | None = None,
        use_cache: bool | None = None,
        cache_position: Int[Tensor, " seq"] | None = None,
        head_mask: Float[Tensor, "..."] | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        keep_padding: bool = False,
        first_only: bool = False,
    ) -> BaseModelOutput:
        """Hidden states of a batch of sequences.

        Args:
            input_ids: (batch, seq) ids of the tokens.
            attention_mask: (batch, seq), 1 for tokens to attend to and 0 for padding; or
                (batch, seq, seq), one row for each attending token. Default: attend to all. With
                ``past_key_values`` it covers the cached tokens too. A decoder adds its causal mask
                to the first form and takes the second as it is.
            token_type_ids: (batch, seq), 0 for sentence A and 1 for sentence B. Default: 0.
            position_ids: (batch, seq) or (1, seq). Default: 0, 1, 2 ... after the cached tokens.
            inputs_embeds: (batch, seq, embedding_size) vectors to use instead of ``input_ids``.
            encoder_hidden_states: (batch, source, hidden_size) states that the cross-attention of a
                decoder looks at.
            encoder_attention_mask: (batch, source), 1 where it may look. Default: everywhere.
            past_key_values: a decoder's cache, as a call before returned it, or the older tuple of
                (key, value) for each layer; then only the new tokens are given.
            use_cache: return the cache. Default: ``config.use_cache`` for a decoder.
            cache_position: (seq,) positions of the new tokens, where ``position_ids`` is not given.
            head_mask: (heads,) or (layers, heads), what each head's attention weights are multiplied
                with: 0 switches a head off. Takes the written-out path.
            output_attentions: return each layer's attention weights, by the written-out path.
            output_hidden_states: return what enters the encoder and what leaves each layer.
            keep_padding: compute states for padding too. By default the fused path leaves them out
                where ``attention_mask`` is of the first form, and they are zero.
            first_only: the caller reads the first position's state and no other. Where nothing else
                was asked for, the last layer then computes only that: ``last_hidden_state`` is
                (batch, 1, hidden_size).
            (``output_attentions`` and ``output_hidden_states`` default to what the configuration
            says, as does ``return_dict``, which every model takes: see ``PreTrainedModel.__call__``.)

        Raises:
            ValueError: both or neither of ``input_ids`` and ``inputs_embeds``; an id outside the
                vocabulary; more positions than the model has; a tensor of another shape; something
                that only a decoder, or one with cross-attention, takes.
        """
        config = self.config
        self._check_decoder_inputs(encoder_hidden_states, past_key_values, use_cache)
        cache = self._cache(past_key_values, use_cache)
        past = 0 if cache is None else cache.get_seq_length()
        self._check_inputs(
            input_ids, attention_mask, token_type_ids, position_ids, inputs_embeds, past
        )
        given = input_ids if input_ids is not None else inputs_embeds
        assert given is not None
        seq = given.shape[1]
        if position_ids is None and cache_position is not None:
            position_ids = cache_position[None]
        if position_ids is None and past:
            position_ids = torch.arange(past, past + seq, device=given.device)[None]
        states = self.embeddings(input_ids, token_type_ids, position_ids, inputs_embeds)
        if self.projection is not None:
            states = self.projection(states)
        weights_wanted = _given(output_attentions, config.output_attentions)
        written_out = self.attn_implementation == "eager"
        padding = None
        if attention_mask is not None and self._may_look_at(attention_mask):
            if bool(attention_mask.all()):
                attention_mask = None
            elif not (keep_padding or written_out or weights_wanted or head_mask is not None):
                padding = Padding.of(attention_mask)
        hidden_wanted = _given(output_hidden_states, config.output_hidden_states)
        more_wanted = weights_wanted or hidden_wanted or written_out or head_mask is not None
        return self.encoder(
            states,
            self.bias_from_mask(attention_mask, seq, past + seq, states.device),
            written_out=written_out,
            output_attentions=weights_wanted,
            output_hidden_states=hidden_wanted,
            head_mask=self._head_masks(head_mask),
            cache=cache,
            cross=self._cross_inputs(encoder_hidden_states, encoder_attention_mask, cache),
            padding=padding,
            first_only=first_only and not more_wanted and self._same_for_one(attention_mask),
        )

    def _same_for_one(self, attention_mask: Tensor | None) -> bool:
        """Whether one position may ask alone: not where what it sees depends on its place."""
        config = self.config
        masked_alike = attention_mask is None or attention_mask.dim() == 2
        absolute = config.position_embedding_type == "absolute"
        return masked_alike and absolute and not config.is_decoder

    def _may_look_at(self, attention_mask: Tensor) -> bool:
        """Whether what is computed may depend on what a mask says. Not while compiling, where shapes
        must not depend on the text, nor while training on an accelerator, which a look waits for."""
        return (
            attention_mask.dim() == 2
            and not self.config.is_decoder
            and not torch.compiler.is_compiling()
            and not (self.training and attention_mask.device.type != "cpu")
        )

    def bias_from_mask(
        self,
        attention_mask: Shaped[Tensor, "..."] | None,
        queries: int,
        keys: int,
        device: torch.device,
    ) -> AttentionBias | None:
        """What the mask, and a decoder's causal mask, add to the attention scores."""
        if self.config.is_decoder and (attention_mask is None or attention_mask.dim() == 2):
            attention_mask = causal_mask(queries, keys, attention_mask, device)
        return None if attention_mask is None else attention_bias(attention_mask, self.dtype)

    def _cache(
        self, past: KeyValueCache | PastTuple | None, use_cache: bool | None
    ) -> KeyValueCache | None:
        if isinstance(past, KeyValueCache):
            return past
        if past is not None:
            return KeyValueCache.from_tuple(past)
        wanted = self.config.is_decoder and _given(use_cache, self.config.use_cache)
        return KeyValueCache(len(self.encoder.layers)) if wanted else None

    def _cross_inputs(
        self, states: Tensor | None, mask: Tensor | None, cache: KeyValueCache | None
    ) -> CrossInputs | None:
        cached = cache is not None and cache.cross[0].key is not None
        if not self.config.add_cross_attention or (states is None and not cached):
            return None
        return CrossInputs(states, None if mask is None else attention_bias(mask, self.dtype))

    def _head_masks(self, head_mask: Tensor | None) -> list[Tensor] | None:
        """One head mask for each layer, ready to be multiplied with weights."""
        if head_mask is None:
            return None
        layers, heads = len(self.encoder.layers), self.config.num_attention_heads
        if tuple(head_mask.shape) not in ((heads,), (layers, heads)):
            raise ValueError(
                f"head_mask has the shape {tuple(head_mask.shape)}; expected {(heads,)}, for all "
                f"layers alike, or {(layers, heads)}."
            )
        rows = head_mask.to(self.dtype).expand(layers, heads)
        return list(rows[:, None, :, None, None])

    def _attention_of(self, layer: int) -> SelfAttention:
        attention = self.encoder.get_submodule(f"layers.{layer}.attention")
        assert isinstance(attention, SelfAttention)
        return attention

    def prune_heads(self, heads: dict[int, list[int]]) -> None:
        """Remove attention heads for good; the configuration remembers which.

        Args:
            heads: for each layer's number, the numbers of heads to remove, as they are counted in
                the unpruned model.

        Raises:
            ValueError: there is no such layer or head, or no head of a layer would be left.
        """
        total = self.config.num_attention_heads
        for layer, numbers in heads.items():
            if not 0 <= layer < len(self.encoder.layers):
                raise ValueError(
                    f"There is no layer {layer}; the layers are 0 to {len(self.encoder.layers) - 1}."
                )
            gone = set(self.config.pruned_heads.get(layer, []))
            if not set(numbers) <= set(range(total)) or len(gone | set(numbers)) == total:
                raise ValueError(
                    f"Cannot prune the heads {sorted(numbers)} of layer {layer}, which has heads 0 "
                    f"to {total - 1}: name heads that exist, and leave at least one."
                )
        for layer, numbers in heads.items():
            gone = set(self.config.pruned_heads.get(layer, []))
            left = [head for head in range(total) if head not in gone]
            places = {left.index(head) for head in set(numbers) - gone}
            self._attention_of(layer).prune(places)
            self.config.pruned_heads[layer] = sorted(gone | set(numbers))

    def _check_decoder_inputs(
        self,
        encoder_hidden_states: Tensor | None,
        past_key_values: KeyValueCache | PastTuple | None,
        use_cache: bool | None,
    ) -> None:
        if encoder_hidden_states is not None and not self.config.add_cross_attention:
            raise ValueError(
                "encoder_hidden_states was given, but this model has no cross-attention. Load it with "
                "is_decoder=True, add_cross_attention=True."
            )
        if past_key_values is not None and not self.config.is_decoder:
            raise ValueError(
                "past_key_values was given, but this model is no decoder: its tokens look at later "
                "ones, so nothing can be cached. Load it with is_decoder=True."
            )
        if past_key_values is not None and len(past_key_values) != len(self.encoder.layers):
            raise ValueError(
                f"past_key_values has {len(past_key_values)} layers, the model has "
                f"{len(self.encoder.layers)}."
            )

    def _check_inputs(
        self,
        input_ids: Tensor | None,
        attention_mask: Tensor | None,
        token_type_ids: Tensor | None,
        position_ids: Tensor | None,
        inputs_embeds: Tensor | None,
        past: int,
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
        if past + seq > limit:
            cached = f" and {past} in the cache" if past else ""
            raise ValueError(
                f"The input has {seq} tokens{cached}, but this model has only {limit} positions. "
                f"Shorten it: tokenizer(..., truncation=True, max_length={limit})."
            )
        keys = past + seq
        if attention_mask is not None and tuple(attention_mask.shape) not in (
            (batch, keys),
            (batch, seq, keys),
        ):
            raise ValueError(
                f"attention_mask has the shape {tuple(attention_mask.shape)}; expected "
                f"{(batch, keys)}, as the input, or {(batch, seq, keys)}."
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
