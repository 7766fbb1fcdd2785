"""Text with replaced tokens, and the discriminator's judgement of every token."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from electra_lab.checkpoints.pair import Pair
from electra_lab.inside.predictions import predicting
from electra_lab.training.masking import mask_tokens, replace_tokens, select_positions
from electra_lab.training.objectives import MaskedBatch, selected_logits
from electra_lab.training.sampling import check_temperature, sample_inverse_cdf

GENERATOR, UNIGRAMS = "generator", "unigrams"
CORRUPTIONS = (GENERATOR, UNIGRAMS)


@dataclass(frozen=True)
class Judged:
    """One text with some of its tokens replaced. Special tokens at its ends are left out: they are never
    replaced, and to know that is no merit.

    Attributes:
        tokens: as the discriminator read them.
        originals: what stood there before.
        probabilities: that each was replaced, as the discriminator says.
    """

    tokens: tuple[str, ...]
    originals: tuple[str, ...]
    probabilities: tuple[float, ...]

    @property
    def replaced(self) -> tuple[bool, ...]:
        """Which tokens differ from the original. A sample that equals the original is none of them."""
        return tuple(a != b for a, b in zip(self.tokens, self.originals, strict=True))


def judge_corrupted(
    pair: Pair,
    texts: Sequence[str],
    by: str = GENERATOR,
    *,
    probability: float | int = 0.15,
    temperature: float | int = 1.0,
    counts: Mapping[str, int] | None = None,
    seed: int = 0,
    batch_size: int = 64,
) -> list[Judged]:
    """Replace tokens of texts, and ask the discriminator of every token whether it was replaced.

    Which tokens are replaced is drawn from the seed alone, so it is the same for all pairs of one
    vocabulary and for both kinds of replacement.

    Args:
        pair: its models may be on any device; their training mode is left as it was.
        texts: what is longer than the models is cut.
        by: ``"generator"``: by samples of the pair's generator, as in pre-training; ``"unigrams"``: by
            tokens drawn as often as they occur, the same for every pair.
        probability, temperature: share of positions, and of the generator when it samples. .15 and 1 are
            those of small and base (paper, appendix A); a pair may have been trained with others.
        counts: token -> how often it occurs, for unigrams. By default counted in the texts.
        seed: of positions and replacements.
        batch_size: texts in one forward pass.

    Raises:
        ValueError: there are no texts, or one string in place of a list; there is no such kind of
            replacement; nothing is counted; ``probability`` is not above 0 and at most 1, or
            ``temperature`` not above 0.
    """
    if isinstance(texts, str) or not texts:
        raise ValueError(f"texts is {texts!r:.60}; give a list of at least one text.")
    if by not in CORRUPTIONS:
        raise ValueError(f"by is {by!r}; use {' or '.join(map(repr, CORRUPTIONS))}.")
    if not 0 < probability <= 1:
        raise ValueError(f"probability is {probability}; it must be above 0 and at most 1.")
    check_temperature(float(temperature))
    tokenizer, device = pair.tokenizer, pair.device
    specials = tokenizer.all_special_ids
    longest = min(
        pair.generator.config.max_position_embeddings,
        pair.discriminator.config.max_position_embeddings,
    )
    encoded = tokenizer(list(texts), truncation=True, max_length=longest)["input_ids"]
    weights = _weights(pair, encoded, counts) if by == UNIGRAMS else None
    places = torch.Generator().manual_seed(seed)
    chance = torch.Generator().manual_seed(seed + 1)
    judged: list[Judged | None] = [None] * len(texts)
    # rows of like length go together; what is drawn depends on this order, not on the pair
    order = sorted(range(len(texts)), key=lambda i: (len(encoded[i]), i))
    with predicting(pair.generator), predicting(pair.discriminator):
        for start in range(0, len(order), batch_size):
            some = order[start : start + batch_size]
            lengths = torch.tensor([len(encoded[i]) for i in some])
            ids = torch.full((len(some), int(lengths.max())), tokenizer.pad_token_id)
            for row, i in zip(ids, some, strict=True):
                row[: len(encoded[i])] = torch.tensor(encoded[i])
            attended = (torch.arange(ids.shape[1]) < lengths[:, None]).long()
            positions = select_positions(
                ids, specials, attended, probability=probability, generator=places
            )
            if weights is not None:
                drawn = torch.multinomial(
                    weights, len(positions), replacement=True, generator=chance
                )
            else:
                masked = mask_tokens(ids, positions, tokenizer.mask_token_id, mask_share=1.0)
                batch = MaskedBatch(ids, masked, positions, attended).to(device)
                logs = selected_logits(pair.generator, batch.masked_ids, batch).log_softmax(-1)
                shares = (logs.float() / temperature).softmax(-1).cpu()
                drawn = sample_inverse_cdf(shares, chance)
            corrupted = replace_tokens(ids, positions, drawn)
            logits = pair.discriminator(corrupted.to(device), attended.to(device)).logits
            said = logits.float().sigmoid().cpu()
            keep = attended.bool() & ~torch.isin(ids, torch.tensor(sorted(specials)))
            for row, i in enumerate(some):
                judged[i] = Judged(
                    tuple(tokenizer.convert_ids_to_tokens(corrupted[row, keep[row]].tolist())),
                    tuple(tokenizer.convert_ids_to_tokens(ids[row, keep[row]].tolist())),
                    tuple(said[row, keep[row]].tolist()),
                )
    return [one for one in judged if one is not None]


def _weights(
    pair: Pair, encoded: Sequence[Sequence[int]], counts: Mapping[str, int] | None
) -> Float[Tensor, " vocab"]:
    """How often each token is drawn; special tokens never."""
    vocabulary, special = pair.tokenizer.get_vocab(), set(pair.tokenizer.all_special_ids)
    counted: Iterable[tuple[int, int]]
    if counts is None:
        counted = Counter(token for row in encoded for token in row).items()
    else:
        counted = [(vocabulary[token], n) for token, n in counts.items() if token in vocabulary]
    weights = torch.zeros(pair.generator.config.vocab_size)
    for token, number in counted:
        if token not in special:
            weights[token] = number
    if not weights.sum() > 0:
        raise ValueError("Nothing was counted, so no token can be drawn. Give texts with words.")
    return weights
