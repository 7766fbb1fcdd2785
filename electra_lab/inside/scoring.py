"""How well-formed a discriminator finds a sentence: the score for minimal pairs.

A discriminator was never asked about sentences, but it says of every token whether it belongs. The
log-probability that all tokens are original, were they independent, is the sum over tokens of
log(1 - p(replaced)). Of two sentences that differ in one word, the better one should score higher.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.functional import logsigmoid

if TYPE_CHECKING:
    from electra_lab.model.heads import ElectraForPreTraining


@torch.no_grad()
def score_sentences(
    discriminator: ElectraForPreTraining,
    tokenizer: Any,
    texts: Sequence[str],
    batch_size: int = 64,
) -> list[float]:
    """The sum over tokens of log(1 - p(replaced)), for each text.

    All attended tokens count, [CLS] and [SEP] included: they are scored in training, too. Texts of
    different lengths are not comparable; the two halves of a minimal pair are.

    Args:
        discriminator: its ``training`` mode is left as it was; dropout is off while scoring.
        tokenizer: called with a list of texts, padding and return_tensors.
        texts: any number of texts, each no longer than the model has positions.
        batch_size: texts in one forward pass; texts of similar length go together.

    Returns:
        One score per text, in order, at most 0; 0 would be certainty that nothing was replaced.

    Raises:
        ValueError: ``texts`` is one string, or ``batch_size`` is below 1.
    """
    if isinstance(texts, str):
        raise ValueError(f"texts is one string, {texts[:40]!r}; give a list of texts: [text].")
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; it must be 1 or more.")
    device = next(discriminator.parameters()).device
    scores = [0.0] * len(texts)
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    was_training = discriminator.training
    discriminator.eval()
    try:
        for start in range(0, len(order), batch_size):
            chosen = order[start : start + batch_size]
            encoding = tokenizer([texts[i] for i in chosen], padding=True, return_tensors="pt")
            inputs = {name: values.to(device) for name, values in encoding.items()}
            logits = discriminator(**inputs).logits
            # log(1 - sigmoid(x)) = logsigmoid(-x), without the cancellation
            per_token = logsigmoid(-logits) * inputs["attention_mask"]
            for i, score in zip(chosen, per_token.sum(-1).tolist(), strict=True):
                scores[i] = score
    finally:
        discriminator.train(was_training)
    return scores
