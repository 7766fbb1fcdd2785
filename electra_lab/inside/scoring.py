"""How well-formed a pair finds a sentence: the scores for minimal pairs.

A discriminator was never asked about sentences, but it says of every token whether it belongs. The
log-probability that all tokens are original, were they independent, is the sum over tokens of
log(1 - p(replaced)). Of two sentences that differ in one word, the better one should score higher.

A generator gives each token a probability when it does not see it. The sum of their logarithms is the
pseudo-log-likelihood (Salazar et al., 2020, equation 2); it takes a forward pass for every token.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Int
from torch import Tensor
from torch.nn.functional import logsigmoid

from electra_lab.training.objectives import MaskedBatch, selected_logits

if TYPE_CHECKING:
    from electra_lab.model.heads import ElectraForMaskedLM, ElectraForPreTraining


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
    _check(texts, batch_size)
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


@torch.no_grad()
def pseudo_log_likelihoods(
    generator: ElectraForMaskedLM,
    tokenizer: Any,
    texts: Sequence[str],
    batch_size: int = 64,
) -> list[float]:
    """The sum over tokens of log p(token | all others), each token masked in turn, for each text.

    Special tokens are not counted: the generator was never asked for them.

    Args:
        generator: its ``training`` mode is left as it was; dropout is off while scoring.
        tokenizer: called with one text at a time.
        texts: any number of texts, each no longer than the model has positions.
        batch_size: masked versions of a text in one forward pass.

    Returns:
        One score per text, in order, at most 0.

    Raises:
        ValueError: ``texts`` is one string, or ``batch_size`` is below 1.
    """
    _check(texts, batch_size)
    device = next(generator.parameters()).device
    special = set(tokenizer.all_special_ids)
    was_training = generator.training
    generator.eval()
    try:
        scores = []
        for text in texts:
            ids = torch.tensor(tokenizer(text)["input_ids"], device=device)
            parts = _places(ids, special).split(batch_size)
            mask_id = tokenizer.mask_token_id
            scores.append(
                sum(_masked_in_turn(generator, ids[None], part, mask_id) for part in parts)
            )
        return scores
    finally:
        generator.train(was_training)


def _places(ids: Int[Tensor, " seq"], special: set[int]) -> Int[Tensor, " selected"]:
    """Where the tokens stand that are no special ones."""
    counted = [place for place, token in enumerate(ids.tolist()) if token not in special]
    return torch.tensor(counted, dtype=torch.long, device=ids.device)


def _masked_in_turn(
    generator: ElectraForMaskedLM,
    ids: Int[Tensor, "1 seq"],
    places: Int[Tensor, " selected"],
    mask_id: int,
) -> float:
    """The log-probabilities of the tokens at these places, each masked in a row of its own, summed."""
    if not len(places):
        return 0.0
    rows = torch.arange(len(places), device=ids.device)
    masked = ids.repeat(len(places), 1)
    masked[rows, places] = mask_id
    batch = MaskedBatch(ids.expand_as(masked), masked, rows * masked.shape[1] + places)
    logs = selected_logits(generator, masked, batch).log_softmax(-1)
    return float(logs[rows, ids[0, places]].sum())


def _check(texts: Sequence[str], batch_size: int) -> None:
    """Raises:
    ValueError: ``texts`` is one string, or ``batch_size`` is below 1.
    """
    if isinstance(texts, str):
        raise ValueError(f"texts is one string, {texts[:40]!r}; give a list of texts: [text].")
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; it must be 1 or more.")
