"""Batches for pre-training from tokenised sequences: any step's batch, always the same one."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from .masking import mask_tokens, most_to_select, select_positions
from .objectives import MaskedBatch

# Batches sorted together by length: more leave out more padding, fewer mix lengths better.
POOL = 16


class MaskedBatches:
    """Sequences of similar length in one batch, in an order drawn anew for each epoch; the positions
    to learn from drawn anew for each step.

    Everything is drawn from the seed and the number of the step, so the step is all that a resumed
    run has to know. What does not fill the last batch of an epoch is left out of that epoch.

    Args:
        sequences: token ids with their special tokens.
        special_ids: ids that are never selected, [MASK] and [PAD] among them.
        pad_id, mask_id: ids of [PAD] and [MASK].
        batch_size: sequences in a batch.
        seed: of order and masking.
        probability: share of positions to select; see ``masking.select_positions``.
        mask_share: share of them that become [MASK]; see ``masking.mask_tokens``.
        with_replacement: draw positions as google-research/electra does.

    Raises:
        ValueError: there are fewer sequences than a batch takes.
    """

    def __init__(
        self,
        sequences: Sequence[Sequence[int]],
        *,
        special_ids: Collection[int],
        pad_id: int,
        mask_id: int,
        batch_size: int,
        seed: int = 0,
        probability: float = 0.15,
        mask_share: float = 0.85,
        with_replacement: bool = False,
    ) -> None:
        if len(sequences) < batch_size:
            raise ValueError(
                f"There are {len(sequences)} sequences, fewer than a batch of {batch_size} takes. "
                "Give more text or a smaller batch_size."
            )
        self.lengths = torch.tensor([len(sequence) for sequence in sequences])
        self.longest = int(self.lengths.max())
        self.ids = torch.full((len(sequences), self.longest), pad_id)
        for row, sequence in zip(self.ids, sequences, strict=True):
            row[: len(sequence)] = torch.tensor(sequence)
        self.special_ids = frozenset(special_ids)
        self.mask_id = mask_id
        self.batch_size = batch_size
        self.seed = seed
        self.probability = probability
        self.mask_share = mask_share
        self.with_replacement = with_replacement
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.long)

    @property
    def batches_per_epoch(self) -> int:
        """Batches until the text begins anew."""
        return len(self.lengths) // self.batch_size

    def batch(self, step: int) -> MaskedBatch:
        """The batch of that step (0, 1, 2 ...), on the CPU."""
        epoch, number = divmod(step, self.batches_per_epoch)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, self._draw_order(epoch)
        rows = self._order[number]
        lengths = self.lengths[rows]
        longest = int(lengths.max())
        ids = self.ids[rows, :longest]
        padded = int(lengths.min()) < longest
        mask = (torch.arange(longest) < lengths[:, None]).long() if padded else None
        generator = torch.Generator().manual_seed(_seed_of(self.seed, step))
        positions = select_positions(
            ids,
            self.special_ids,
            mask,
            probability=self.probability,
            most=most_to_select(self.longest, self.probability) or 1,
            with_replacement=self.with_replacement,
            generator=generator,
        )
        masked = mask_tokens(
            ids, positions, self.mask_id, mask_share=self.mask_share, generator=generator
        )
        return MaskedBatch(ids, masked, positions, mask)

    def _draw_order(self, epoch: int) -> Int[Tensor, "batches rows"]:
        """Rows of each batch of an epoch: shuffle, sort within pools, cut, shuffle the batches."""
        count = self.batches_per_epoch
        random = np.random.default_rng((self.seed, epoch))
        shuffled = random.permutation(len(self.lengths))[: count * self.batch_size]
        lengths = self.lengths.numpy()
        pool = POOL * self.batch_size
        pools = [shuffled[start : start + pool] for start in range(0, len(shuffled), pool)]
        ordered = np.concatenate([rows[np.argsort(lengths[rows], kind="stable")] for rows in pools])
        batches = ordered.reshape(count, self.batch_size)[random.permutation(count)]
        return torch.from_numpy(batches)


def _seed_of(seed: int, step: int) -> int:
    """One number for the two, so mixed that neighbouring seeds and steps have nothing in common."""
    return int(np.random.SeedSequence((seed, step)).generate_state(1, np.uint64)[0] >> np.uint64(1))
