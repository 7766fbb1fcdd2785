"""Batches: every sequence once an epoch, little padding, and the same batch for the same step."""

import pytest
import torch

from electra_lab.training.batches import MaskedBatches

PAD, MASK = 0, 4


def sequences(count: int) -> list[list[int]]:
    lengths = torch.randint(4, 24, (count,), generator=torch.Generator().manual_seed(0)).tolist()
    # the first word is the number of the sequence, so that each can be told from the others
    return [[2, 10 + n] + [5] * (length - 3) + [3] for n, length in enumerate(lengths)]


def batches(count=640, seed=0, **settings) -> MaskedBatches:
    return MaskedBatches(
        sequences(count),
        special_ids=range(5),
        pad_id=PAD,
        mask_id=MASK,
        batch_size=16,
        seed=seed,
        **settings,
    )


def numbers(source: MaskedBatches, steps: range) -> list[int]:
    return [n for step in steps for n in source.batch(step).original_ids[:, 1].tolist()]


def test_each_epoch_has_every_sequence_once_in_another_order():
    source = batches()
    first, second = numbers(source, range(40)), numbers(source, range(40, 80))
    assert sorted(first) == sorted(second) == list(range(10, 650))
    assert first != second


def test_little_padding_is_left():
    source = batches()
    real = sum(source.batch(step).tokens for step in range(40))
    computed = sum(source.batch(step).original_ids.numel() for step in range(40))
    unsorted = 640 * 23
    assert real / computed > 0.85
    assert computed < 0.7 * unsorted


def test_padding_is_masked_and_a_full_batch_has_no_mask():
    source = batches()
    for step in range(40):
        batch = source.batch(step)
        padded = batch.original_ids == PAD
        if batch.attention_mask is None:
            assert not padded.any()
        else:
            assert torch.equal(batch.attention_mask == 0, padded)
            assert padded.any()
        assert batch.tokens == int((~padded).sum())


def test_a_step_has_the_same_batch_whatever_was_asked_for_before():
    straight, jumping = batches(), batches()
    jumping.batch(70)
    for step in (3, 41, 3):
        ours, theirs = jumping.batch(step), straight.batch(step)
        assert torch.equal(ours.original_ids, theirs.original_ids)
        assert torch.equal(ours.positions, theirs.positions)
        assert torch.equal(ours.masked_ids, theirs.masked_ids)


def test_another_seed_is_another_order_and_other_positions():
    assert numbers(batches(seed=0), range(5)) != numbers(batches(seed=1), range(5))
    one_batch = [batches(count=16, seed=seed).batch(0) for seed in (0, 1)]
    selected = [set(b.original_ids.view(-1)[b.positions].tolist()) for b in one_batch]
    assert selected[0] != selected[1]


def test_the_positions_of_a_sequence_are_drawn_anew_in_every_epoch():
    source = batches(count=16)
    drawn = {tuple(sorted(source.batch(step).positions.tolist())) for step in range(5)}
    assert len(drawn) == 5


def test_too_little_text_for_a_batch_is_refused():
    with pytest.raises(ValueError, match="There are 10 sequences, fewer than a batch of 16"):
        batches(count=10)
