"""What a pair does with text that it has not read: words masked, and tokens replaced."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from electra_lab.checkpoints.pair import Pair
from electra_lab.training.masking import mask_tokens, replace_tokens, select_positions
from electra_lab.training.objectives import MaskedBatch, selected_logits

CORRUPTIONS = ("fixed", "own")
"""Tokens drawn from a fixed distribution, the same for every pair; or by the pair's own generator."""


@dataclass(frozen=True)
class Answers:
    """A pair's answers to one batch.

    Attributes:
        wanted: the tokens that were masked.
        before: their left neighbours.
        log_probabilities: the generator's, of the wanted tokens.
        guesses: its likeliest tokens there.
        replaced: for each of ``CORRUPTIONS``, which tokens of the batch were replaced by others.
        scores: for each, the discriminator's logits of "replaced" for the same tokens.
    """

    wanted: Int[Tensor, " selected"]
    before: Int[Tensor, " selected"]
    log_probabilities: Float[Tensor, " selected"]
    guesses: Int[Tensor, " selected"]
    replaced: dict[str, Bool[Tensor, " tokens"]]
    scores: dict[str, Float[Tensor, " tokens"]]


@torch.no_grad()
def answers(
    pair: Pair,
    batches: Iterable[tuple[Int[Tensor, "batch seq"], Int[Tensor, "batch seq"]]],
    weights: Float[Tensor, " vocab"],
    *,
    seed: int = 0,
) -> list[Answers]:
    """Mask 15% of the tokens, then replace the same ones twice, and ask the pair each time.

    All is drawn on the CPU, so that every pair and every device sees the same.

    Args:
        pair: both models are put into evaluation mode.
        batches: ids and attention masks; every row begins with [CLS].
        weights: of the tokens in the fixed corruption.
        seed: of positions and replacements.
    """
    pair.generator.eval()
    pair.discriminator.eval()
    tokenizer, device = pair.tokenizer, pair.device
    specials = tokenizer.all_special_ids
    chance = torch.Generator().manual_seed(seed)
    given = []
    for ids, attended in batches:
        positions = select_positions(ids, specials, attended, generator=chance)
        masked = mask_tokens(ids, positions, tokenizer.mask_token_id, mask_share=1.0)
        batch = MaskedBatch(ids, masked, positions, attended).to(device)
        logs = selected_logits(pair.generator, batch.masked_ids, batch).log_softmax(-1).cpu()
        seen = attended.bool()
        replaced, scores = {}, {}
        drawn = {
            "fixed": torch.multinomial(weights, len(positions), replacement=True, generator=chance),
            "own": torch.multinomial(logs.exp(), 1, generator=chance).squeeze(-1),
        }
        for corruption in CORRUPTIONS:
            corrupted = replace_tokens(ids, positions, drawn[corruption])
            answer = pair.discriminator(corrupted.to(device), attended.to(device)).logits.cpu()
            replaced[corruption] = (corrupted != ids)[seen]
            scores[corruption] = answer[seen]
        # no position is in the first column, so every one has a left neighbour in its row
        flat = ids.flatten()
        wanted = flat[positions]
        given.append(
            Answers(
                wanted=wanted,
                before=flat[positions - 1],
                log_probabilities=logs.gather(1, wanted[:, None]).squeeze(1),
                guesses=logs.argmax(-1),
                replaced=replaced,
                scores=scores,
            )
        )
    return given


def area_under_curve(given: list[Answers], corruption: str) -> float:
    """The area under the ROC curve over the tokens of all batches: the chance that a replaced token
    has a higher score than an original one."""
    from sklearn.metrics import roc_auc_score

    labels = torch.cat([answer.replaced[corruption] for answer in given])
    scores = torch.cat([answer.scores[corruption] for answer in given])
    return float(roc_auc_score(labels, scores))
