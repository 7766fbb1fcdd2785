"""The decoder: guesses the next word from those before it, and writes text that way."""

from __future__ import annotations

import warnings

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor
from torch.nn import functional as F

from .config import ElectraConfig
from .decoder import KeyValueCache
from .electra import ElectraModel, PastTuple
from .heads import IGNORED_LABEL, MaskedLMHead, check_labels
from .outputs import CausalLMOutput
from .pretrained import PreTrainedModel


class ElectraForCausalLM(PreTrainedModel):
    """ELECTRA as a left-to-right language model; its head is the generator's.

    Needs ``is_decoder=True``: without the causal mask every token sees the one it is to guess.
    """

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__(config)
        if not config.is_decoder:
            warnings.warn(
                "ElectraForCausalLM without is_decoder=True sees the words that it is to guess. "
                "Set it in the configuration, or load with from_pretrained(..., is_decoder=True).",
                stacklevel=2,
            )
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
        encoder_hidden_states: Float[Tensor, "batch source hidden"] | None = None,
        encoder_attention_mask: Shaped[Tensor, "..."] | None = None,
        labels: Int[Tensor, "..."] | None = None,
        past_key_values: KeyValueCache | PastTuple | None = None,
        use_cache: bool | None = None,
        cache_position: Int[Tensor, " seq"] | None = None,
        logits_to_keep: int | Int[Tensor, " kept"] = 0,
        head_mask: Float[Tensor, "..."] | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> CausalLMOutput:
        """Args:
            labels: (batch, seq), the ids themselves, -100 where no loss is wanted; each position is
                scored on the label that follows it. With labels nothing is cached.
            logits_to_keep: compute only the last so many positions' logits, or those of a tensor of
                positions; 0 computes all.
            (The others as in ``ElectraModel.forward``.)

        Raises:
            ValueError: as ``ElectraModel.forward``, or labels of another shape than the logits.
        """
        states = self.electra(
            input_ids,
            attention_mask,
            token_type_ids,
            position_ids,
            inputs_embeds,
            encoder_hidden_states,
            encoder_attention_mask,
            past_key_values,
            use_cache=False if labels is not None else use_cache,
            cache_position=cache_position,
            head_mask=head_mask,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            return_dict=True,
        )
        kept = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        last = states.last_hidden_state[:, kept]
        logits = self.head(last, self.electra.embeddings.word.weight)
        loss = None
        if labels is not None:
            check_labels(labels, logits.shape[:2])
            loss = F.cross_entropy(
                logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORED_LABEL
            )
        return CausalLMOutput(
            loss,
            logits,
            states.past_key_values,
            states.hidden_states,
            states.attentions,
            states.cross_attentions,
        )

    @torch.no_grad()
    def generate(
        self,
        input_ids: Int[Tensor, "batch seq"],
        max_new_tokens: int = 20,
        do_sample: bool = False,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float = 1.0,
        eos_token_id: int | None = None,
        seed: int | None = None,
        use_cache: bool = True,
        encoder_hidden_states: Float[Tensor, "batch source hidden"] | None = None,
        encoder_attention_mask: Shaped[Tensor, "batch source"] | None = None,
    ) -> Int[Tensor, "batch longer"]:
        """Continue each row, token after token.

        Args:
            input_ids: rows without padding.
            max_new_tokens: longest continuation.
            do_sample: draw the next token; otherwise take the likeliest (greedy).
            temperature, top_k, top_p: shape the distribution that is drawn from, see
                ``next_token_distribution``.
            eos_token_id: a row that has produced it is done and is filled up with [PAD].
            seed: of the draws; None takes PyTorch's global generator.
            use_cache: keep keys and values; without it everything is computed again at each token,
                with the same result.
            encoder_hidden_states, encoder_attention_mask: what cross-attention looks at.

        Returns:
            The rows with their continuations.

        Raises:
            ValueError: the text would become longer than the model has positions, or a setting of
                the distribution is out of its range.
        """
        longest = input_ids.shape[1] + max_new_tokens
        if longest > self.config.max_position_embeddings:
            raise ValueError(
                f"{input_ids.shape[1]} tokens and {max_new_tokens} new ones make {longest}, but this "
                f"model has only {self.config.max_position_embeddings} positions. "
                "Lower max_new_tokens or shorten the text."
            )
        random = None
        if seed is not None:
            random = torch.Generator(device=input_ids.device).manual_seed(seed)
        done = torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)
        cache = None
        for _ in range(max_new_tokens):
            output = self(
                input_ids if cache is None else input_ids[:, -1:],
                encoder_hidden_states=encoder_hidden_states,
                encoder_attention_mask=encoder_attention_mask,
                past_key_values=cache,
                use_cache=use_cache,
                logits_to_keep=1,
                return_dict=True,
            )
            cache = output.past_key_values
            logits = output.logits[:, -1]
            if do_sample:
                probabilities = next_token_distribution(logits, temperature, top_k, top_p)
                token = torch.multinomial(probabilities, 1, generator=random).squeeze(1)
            else:
                token = logits.argmax(-1)
            token = token.masked_fill(done, self.config.pad_token_id or 0)
            input_ids = torch.cat([input_ids, token[:, None]], dim=1)
            if eos_token_id is not None:
                done |= token == eos_token_id
            if done.all():
                break
        return input_ids


def next_token_distribution(
    logits: Float[Tensor, "batch vocab"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float = 1.0,
) -> Float[Tensor, "batch vocab"]:
    """The distribution that the next token is drawn from.

    Args:
        temperature: softmax(logits / temperature); below 1 bolder, above 1 wilder.
        top_k: only the k likeliest tokens (Fan et al. 2018). None: all.
        top_p: only the smallest set of likeliest tokens that together reach this probability
            (Holtzman et al. 2020); the likeliest token is always in it.

    Raises:
        ValueError: a number is out of its range.
    """
    if not temperature > 0:
        raise ValueError(f"temperature is {temperature}; it must be above 0.")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k is {top_k}; it must be 1 or more, or None for all tokens.")
    if not 0 < top_p <= 1:
        raise ValueError(f"top_p is {top_p}; it must be above 0 and at most 1.")
    logits = logits.float() / temperature
    if top_k is not None and top_k < logits.shape[-1]:
        least = logits.topk(top_k).values[:, -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    probabilities = logits.softmax(-1)
    if top_p < 1:
        ordered, order = probabilities.sort(descending=True, stable=True)
        before: Float[Tensor, "batch vocab"] = ordered.cumsum(-1) - ordered
        outside: Bool[Tensor, "batch vocab"] = before >= top_p
        probabilities = probabilities.masked_fill(outside.gather(-1, order.argsort(-1)), 0.0)
        probabilities = probabilities / probabilities.sum(-1, keepdim=True)
    return probabilities
