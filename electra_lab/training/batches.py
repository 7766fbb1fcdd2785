"""Batches for pre-training, from memory or from shards: any step's batch, always the same one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from electra_lab.text.corpus.shards import Shards

from .distributed import Ranks
from .masking import mask_tokens, most_to_select, select_positions
from .objectives import MaskedBatch
from .order import shuffled


class RowBatches:
    """The base of what hands out batches: rows of text come in, positions to learn from are drawn.

    Everything is drawn from the seed and the number of the step, so the step is all that a resumed
    run has to know. What does not fill the last batch of an epoch is left out of that epoch.

    Args:
        count: how many sequences there are.
        longest: tokens of the longest row there can be.
        special_ids: ids that are never selected, [MASK] and [PAD] among them.
        pad_id, mask_id: ids of [PAD] and [MASK].
        batch_size: sequences in a batch.
        seed: of order and masking.
        probability: share of positions to select; see ``masking.select_positions``.
        mask_share: share of them that become [MASK]; see ``masking.mask_tokens``.
        with_replacement: draw positions as google-research/electra does.
        row_length: put several sequences in one row of so many tokens, so that hardly any padding is
            computed; see ``pack``. None: a row for each sequence.
        ranks: which of how many processes takes its part of each batch; see ``MaskedBatch.part``.

    Raises:
        ValueError: there are fewer sequences than a batch takes, one is longer than a row, or a batch
            cannot be shared equally by the processes.
    """

    def __init__(
        self,
        count: int,
        longest: int,
        *,
        special_ids: Collection[int],
        pad_id: int,
        mask_id: int,
        batch_size: int,
        seed: int = 0,
        probability: float = 0.15,
        mask_share: float = 0.85,
        with_replacement: bool = False,
        row_length: int | None = None,
        ranks: Ranks | None = None,
    ) -> None:
        if count < batch_size:
            raise ValueError(
                f"There are {count} sequences, fewer than a batch of {batch_size} takes. "
                "Give more text or a smaller batch_size."
            )
        if row_length is not None and row_length < longest:
            raise ValueError(
                f"row_length is {row_length}, but the longest sequence has {longest} tokens. "
                "Give longer rows or cut the sequences."
            )
        self.count = count
        self.longest = longest
        self.special_ids = frozenset(special_ids)
        self.mask_id = mask_id
        self.batch_size = batch_size
        self.seed = seed
        self.probability = probability
        self.mask_share = mask_share
        self.with_replacement = with_replacement
        self.pad_id = pad_id
        self.row_length = row_length
        self.ranks = ranks or Ranks()
        if batch_size % self.ranks.size:
            raise ValueError(
                f"A batch of {batch_size} sequences cannot be shared equally by {self.ranks.size} "
                "processes. Take a batch_size that is a multiple of their number."
            )

    @property
    def batches_per_epoch(self) -> int:
        """Batches until the text begins anew."""
        return self.count // self.batch_size

    def rows(
        self, epoch: int, number: int
    ) -> tuple[Int[Tensor, "batch seq"], Int[Tensor, " batch"], Int[Tensor, "batch seq"] | None]:
        """The ids of a batch of an epoch, padded to the longest; the tokens of each row; token types."""
        raise NotImplementedError

    def batch(self, step: int) -> MaskedBatch:
        """The batch of that step (0, 1, 2 ...), on the CPU; of it, this rank's part."""
        ids, lengths, token_type_ids = self.rows(*divmod(step, self.batches_per_epoch))
        longest = ids.shape[1]
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
        rank, size = self.ranks.rank, self.ranks.size
        batch = MaskedBatch(ids, masked, positions, mask, token_type_ids).part(rank, size)
        if self.row_length is None:
            return batch
        return pack(batch, lengths[rank::size].tolist(), self.row_length, self.pad_id)


class MaskedBatches(RowBatches):
    """Batches from sequences in memory, in an order drawn anew for each epoch.

    Args:
        sequences: token ids with their special tokens.
        settings: see ``RowBatches``.

    Raises:
        ValueError: see ``RowBatches``.
    """

    def __init__(self, sequences: Sequence[Sequence[int]], **settings: Any) -> None:
        self.lengths = torch.tensor([len(sequence) for sequence in sequences])
        super().__init__(len(sequences), max(map(len, sequences), default=0), **settings)
        self.ids = torch.full((len(sequences), self.longest), self.pad_id)
        for row, sequence in zip(self.ids, sequences, strict=True):
            row[: len(sequence)] = torch.tensor(sequence)
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.long)

    def rows(
        self, epoch: int, number: int
    ) -> tuple[Int[Tensor, "batch seq"], Int[Tensor, " batch"], None]:
        if epoch != self._epoch:
            self._epoch, self._order = epoch, self._draw_order(epoch)
        rows = self._order[number]
        lengths = self.lengths[rows]
        return self.ids[rows, : int(lengths.max())], lengths, None

    def _draw_order(self, epoch: int) -> Int[Tensor, "batches rows"]:
        """Which sequences each batch of an epoch has.

        They are not sorted by length: that would leave out padding too, but sentences of one length
        are alike, and on the micro-world batches of them cost 6 points of RTD AUC.
        """
        count = self.batches_per_epoch
        order = np.random.default_rng((self.seed, epoch)).permutation(len(self.lengths))
        return torch.from_numpy(order[: count * self.batch_size].reshape(count, self.batch_size))


class ShardBatches(RowBatches):
    """Batches from shards on the disk, in an order drawn anew for each epoch; in memory is one batch.

    Args:
        shards: see ``text.corpus.shards``.
        settings: see ``RowBatches``.

    Raises:
        ValueError: see ``RowBatches``.
    """

    def __init__(self, shards: Shards, **settings: Any) -> None:
        super().__init__(len(shards), shards.max_length, **settings)
        self.shards = shards

    def rows(
        self, epoch: int, number: int
    ) -> tuple[Int[Tensor, "batch seq"], Int[Tensor, " batch"], Int[Tensor, "batch seq"]]:
        places = range(number * self.batch_size, (number + 1) * self.batch_size)
        order = shuffled(places, self.count, (self.seed, epoch))
        ids, token_type_ids, lengths = map(torch.from_numpy, self.shards.rows(order))
        return ids, lengths, token_type_ids


def pack(batch: MaskedBatch, lengths: Sequence[int], row_length: int, pad_id: int) -> MaskedBatch:
    """Put the sequences of a batch end to end into rows of ``row_length``.

    A sequence attends to itself only and keeps its own position numbers, so losses and gradients are
    those of the padded batch; but 64 sentences of the micro-world, 1,400 tokens when padded, are
    computed as 900.

    Args:
        batch: one sequence to a row.
        lengths: tokens of each row.
        row_length: at least the longest of them.
        pad_id: fills what is left over.
    """
    rows, starts = _places(lengths, row_length)
    seq = batch.original_ids.shape[1]
    columns = torch.arange(seq)
    place = (torch.tensor(rows) * row_length + torch.tensor(starts))[:, None] + columns
    attended = columns < torch.tensor(lengths)[:, None]
    source, target = attended.view(-1).nonzero().squeeze(1), place[attended]

    def move(values: Tensor, fill: int) -> Tensor:
        moved = torch.full(((max(rows) + 1) * row_length,), fill)
        moved[target] = values.reshape(-1)[source]
        return moved.view(-1, row_length)

    sequence = move(torch.arange(1, len(lengths) + 1)[:, None].expand(-1, seq), 0)
    same = (sequence[:, :, None] == sequence[:, None, :]) & (sequence > 0)[:, :, None]
    return MaskedBatch(
        original_ids=move(batch.original_ids, pad_id),
        masked_ids=move(batch.masked_ids, pad_id),
        positions=place.view(-1)[batch.positions],
        attention_mask=same.long(),
        token_type_ids=None if batch.token_type_ids is None else move(batch.token_type_ids, 0),
        position_ids=move(columns.expand(len(lengths), -1), 0),
    )


def _places(lengths: Sequence[int], row_length: int) -> tuple[list[int], list[int]]:
    """Row and start of each sequence: the longest first, each into the first row with room."""
    rows, starts = [0] * len(lengths), [0] * len(lengths)
    filled: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        fitting = (r for r, used in enumerate(filled) if used + lengths[index] <= row_length)
        row = next(fitting, len(filled))
        if row == len(filled):
            filled.append(0)
        rows[index], starts[index] = row, filled[row]
        filled[row] += lengths[index]
    return rows, starts


def _seed_of(seed: int, step: int) -> int:
    """One number for the two, so mixed that neighbouring seeds and steps have nothing in common."""
    return int(np.random.SeedSequence((seed, step)).generate_state(1, np.uint64)[0] >> np.uint64(1))
