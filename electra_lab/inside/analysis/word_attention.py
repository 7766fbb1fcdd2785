"""Attention between words, from attention between pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from electra_lab.inside.trace.live import own_model
from electra_lab.inside.trace.recorder import undisturbed

BATCH = 32


def word_attention(
    model: Any, tokenizer: Any, sentences: Sequence[Sequence[str]], *, batch_size: int = BATCH
) -> Iterator[Float[Tensor, "layers heads words words"]]:
    """For each sentence how much each word looks at each other one, in every head.

    Attention *to* a word of several pieces is the sum over them, attention *from* it their mean (Clark
    et al. 2019, "What Does BERT Look At?", section 4.1), so that a row still sums to what is not given
    to special tokens.

    Args:
        model: any ELECTRA of this package or of transformers.
        tokenizer: called with lists of words.
        sentences: words, each sentence no longer than the model has positions.

    Raises:
        ValueError: a sentence has no words, or a word of which the tokenizer makes nothing.
    """
    own = own_model(model)
    with undisturbed(own):
        for inputs, members in word_batches(own, tokenizer, sentences, batch_size):
            with torch.no_grad():  # not around the yield: what the caller does is the caller's
                output = own(**inputs, output_attentions=True, return_dict=True)
            attentions = torch.stack(output.attentions).cpu().float()
            for row, member in enumerate(members):
                of_sentence = attentions[:, row]
                yield member / member.sum(1, keepdim=True) @ of_sentence @ member.T


def word_batches(
    model: Any, tokenizer: Any, sentences: Sequence[Sequence[str]], batch_size: int
) -> Iterator[tuple[dict[str, Tensor], list[Float[Tensor, "words seq"]]]]:
    """Sentences of words as inputs on the model's device, and for each which token is of which word.

    Raises:
        ValueError: see ``membership``.
    """
    for start in range(0, len(sentences), batch_size):
        chosen = [list(words) for words in sentences[start : start + batch_size]]
        encoding = tokenizer(chosen, is_split_into_words=True, padding=True, return_tensors="pt")
        members = [membership(encoding.word_ids(i), words) for i, words in enumerate(chosen)]
        yield {name: values.to(model.device) for name, values in encoding.items()}, members


def membership(word_ids: Sequence[int | None], words: Sequence[str]) -> Float[Tensor, "words seq"]:
    """1 where a token is a piece of a word.

    Raises:
        ValueError: there are no words, or one has no piece.
    """
    if not words:
        raise ValueError("There is a sentence without words; give at least one word.")
    member = torch.zeros(len(words), len(word_ids))
    for column, word in enumerate(word_ids):
        if word is not None:
            member[word, column] = 1
    empty = [word for word, pieces in zip(words, member.sum(1).tolist(), strict=True) if not pieces]
    if empty:
        raise ValueError(
            f"The tokenizer makes nothing of {empty[0]!r}; leave out words that are only blanks or "
            "control characters."
        )
    return member
