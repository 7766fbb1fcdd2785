"""Batches: every sequence once an epoch, little padding, and the same batch for the same step."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from electra_lab.model.config import ElectraConfig
from electra_lab.training.batches import MaskedBatches
from electra_lab.training.objectives import make_objective

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


def test_packed_rows_hold_the_same_sequences_with_hardly_any_gap():
    padded, packed = batches(), batches(row_length=64)
    for step in range(10):
        ours, theirs = packed.batch(step), padded.batch(step)
        assert ours.tokens == theirs.tokens
        assert sorted(ours.original_ids[ours.attended].tolist()) == sorted(
            theirs.original_ids[theirs.attended].tolist()
        )
        for name in ("original_ids", "masked_ids"):
            assert torch.equal(
                getattr(ours, name).view(-1)[ours.positions],
                getattr(theirs, name).view(-1)[theirs.positions],
            )
    computed = sum(packed.batch(step).original_ids.numel() for step in range(40))
    assert sum(packed.batch(step).tokens for step in range(40)) / computed > 0.85


@settings(deadline=None, max_examples=50)
@given(lengths=st.lists(st.integers(3, 12), min_size=1, max_size=12), room=st.integers(0, 20))
def test_a_packed_sequence_sees_itself_alone_and_keeps_its_position_numbers(lengths, room):
    ids = [[2] + [100 + n] * (length - 2) + [3] for n, length in enumerate(lengths)]
    source = MaskedBatches(
        ids,
        special_ids=range(5),
        pad_id=PAD,
        mask_id=MASK,
        batch_size=len(ids),
        row_length=max(lengths) + room,
    )
    batch = source.batch(0)
    found = []
    for row, mask, places in zip(
        batch.original_ids, batch.attention_mask, batch.position_ids, strict=True
    ):
        for column in (row == 2).nonzero().flatten().tolist():
            seen = mask[column].nonzero().flatten()
            assert (mask[seen] == mask[column]).all()
            assert places[seen].tolist() == list(range(len(seen)))
            found.append(row[seen].tolist())
    assert sorted(found) == sorted(ids)
    assert batch.tokens == sum(lengths)


def test_the_models_compute_the_same_from_packed_rows():
    torch.manual_seed(0)
    config = ElectraConfig.from_preset(
        "micro", vocab_size=700, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    )
    objective = make_objective("electra", config, config.for_generator(0.5))
    losses, gradients = [], []
    for row_length in (None, 64):
        batch = batches(row_length=row_length).batch(0)
        objective.zero_grad()
        torch.manual_seed(0)
        result = objective(batch)
        result.loss.backward()
        losses.append(torch.stack([result.loss, *result.parts.values()]))
        gradients.append([p.grad.clone() for p in objective.parameters()])
    torch.testing.assert_close(*losses)
    for padded, packed in zip(*gradients, strict=True):
        torch.testing.assert_close(padded, packed, rtol=1e-3, atol=1e-5)


def test_a_row_shorter_than_a_sequence_is_refused():
    with pytest.raises(ValueError, match="row_length is 10, but the longest sequence has 23"):
        batches(row_length=10)
