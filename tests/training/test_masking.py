"""Masking, held as statistics and properties: which positions, how many, and what stands there."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from electra_lab.training.masking import (
    mask_tokens,
    most_to_select,
    number_to_select,
    replace_tokens,
    select_positions,
)

PAD, UNK, CLS, SEP, MASK = range(5)
SPECIALS = range(5)


def padded_batch(lengths: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of [CLS] words [SEP] [PAD]..., every word another id."""
    seq = max(lengths)
    ids = torch.arange(10, 10 + len(lengths) * seq).view(len(lengths), seq)
    mask = (torch.arange(seq) < torch.tensor(lengths)[:, None]).long()
    ids[mask == 0] = PAD
    ids[:, 0] = CLS
    ids[range(len(lengths)), [length - 1 for length in lengths]] = SEP
    return ids, mask


def test_the_number_is_15_percent_rounded_at_least_one_and_at_most_the_cap():
    lengths = torch.tensor([3, 10, 17, 30, 128, 128])
    assert number_to_select(lengths, 0.15, None).tolist() == [1, 2, 3, 4, 19, 19]
    assert number_to_select(lengths, 0.15, 3).tolist() == [1, 2, 3, 3, 3, 3]
    assert most_to_select(128, 0.15) == 19
    assert most_to_select(512, 0.25) == 130


@settings(deadline=None, max_examples=60)
@given(
    lengths=st.lists(st.integers(2, 40), min_size=1, max_size=6),
    seed=st.integers(0, 2**31),
    probability=st.sampled_from([0.15, 0.25, 0.5, 1.0]),
    with_replacement=st.booleans(),
)
def test_every_row_gives_its_number_and_never_a_special_token(
    lengths, seed, probability, with_replacement
):
    ids, mask = padded_batch(lengths)
    positions = select_positions(
        ids,
        SPECIALS,
        mask,
        probability=probability,
        with_replacement=with_replacement,
        generator=torch.Generator().manual_seed(seed),
    )
    assert (ids.view(-1)[positions] >= 10).all()
    rows = (positions // ids.shape[1]).bincount(minlength=len(lengths)).tolist()
    for length, found in zip(lengths, rows, strict=True):
        words = length - 2
        wanted = max(1, round(probability * length)) if words else 0
        assert found == (wanted if with_replacement else min(wanted, words))
    if not with_replacement:
        assert len(positions.unique()) == len(positions)


def test_all_words_are_selected_equally_often():
    ids, mask = padded_batch([22, 12])
    generator = torch.Generator().manual_seed(0)
    counts = torch.zeros(ids.numel())
    for _ in range(4000):
        counts[select_positions(ids, SPECIALS, mask, generator=generator)] += 1
    counts = counts.view_as(ids)
    assert stats.chisquare(counts[0, 1:21]).pvalue > 1e-3
    assert stats.chisquare(counts[1, 1:11]).pvalue > 1e-3
    assert counts.sum() == 4000 * (3 + 2)


def test_with_replacement_repeats_positions_as_often_as_independent_draws_do():
    ids, mask = padded_batch([128] * 400)
    generator = torch.Generator().manual_seed(0)
    positions = select_positions(
        ids, SPECIALS, mask, most=19, with_replacement=True, generator=generator
    )
    assert len(positions) == 400 * 19
    # of 19 draws among 126 words, a share 1 - (1 - 1/126)**18 also hits the word of another draw
    repeated = (positions.bincount()[positions] > 1).float().mean()
    assert repeated == pytest.approx(1 - (125 / 126) ** 18, abs=0.02)


def test_another_step_draws_other_positions_and_the_same_generator_the_same():
    ids, mask = padded_batch([40] * 8)
    first, again, other = (
        select_positions(ids, SPECIALS, mask, generator=torch.Generator().manual_seed(seed))
        for seed in (1, 1, 2)
    )
    assert first.equal(again)
    assert not first.equal(other)


def test_a_mask_token_in_the_text_is_not_selected():
    ids = torch.full((50, 6), 9)
    ids[:, 3] = MASK
    positions = select_positions(ids, SPECIALS, probability=0.9)
    assert MASK not in ids.view(-1)[positions]


def test_85_percent_become_mask_and_the_rest_stay_as_they_are():
    ids = torch.arange(10, 200_010).view(1000, 200)
    positions = torch.randperm(ids.numel(), generator=torch.Generator().manual_seed(0))[:30_000]
    masked = mask_tokens(ids, positions, MASK, generator=torch.Generator().manual_seed(1))
    changed = masked != ids
    assert (masked[changed] == MASK).all()
    share = changed.view(-1)[positions].float().mean().item()
    assert share == pytest.approx(0.85, abs=0.01)
    assert changed.sum() == changed.view(-1)[positions].sum()
    all_masked = mask_tokens(ids, positions, MASK, mask_share=1.0)
    assert (all_masked.view(-1)[positions] == MASK).all()


def test_replacements_stand_where_they_were_drawn_and_nowhere_else():
    ids = torch.arange(10, 50).view(4, 10)
    positions = torch.tensor([3, 17, 39])
    replaced = replace_tokens(ids, positions, torch.tensor([7, 8, 9]))
    assert replaced.view(-1)[positions].tolist() == [7, 8, 9]
    assert (replaced != ids).sum() == 3
    assert ids[0, 3] == 13


def test_a_position_drawn_twice_gets_the_floored_mean_of_its_ids():
    ids = torch.arange(100, 110).view(1, 10)
    positions = torch.tensor([2, 2, 5, 7, 7, 7])
    samples = torch.tensor([10, 13, 20, 1, 2, 5])
    replaced = replace_tokens(ids, positions, samples, with_replacement=True)
    expected = ids.clone()
    expected[0, [2, 5, 7]] = torch.tensor([11, 20, 2])
    assert replaced.equal(expected)


@pytest.mark.parametrize("probability", [0.0, -0.1, 1.5])
def test_a_probability_out_of_range_is_refused(probability):
    with pytest.raises(ValueError, match="probability is"):
        select_positions(torch.full((1, 5), 9), SPECIALS, probability=probability)


def test_a_mask_share_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"mask_share is 1\.5"):
        mask_tokens(torch.full((1, 5), 9), torch.tensor([1]), MASK, mask_share=1.5)
