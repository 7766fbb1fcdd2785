"""Both ways of sampling are exact samples of softmax(logits / T); noise is as frequent as the text."""

import pytest
import torch
from scipy import stats

from electra_lab.training.sampling import mix_in_unigrams, sample_gumbel, sample_inverse_cdf

DRAWS = 40_000


def draw(how: str, logits: torch.Tensor, temperature: float, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    if how == "gumbel":
        return sample_gumbel(logits, temperature, generator)
    return sample_inverse_cdf((logits / temperature).softmax(-1), generator)


@pytest.mark.parametrize("how", ["gumbel", "inverse_cdf"])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_samples_follow_the_softmax(how, temperature):
    logits = torch.randn(12, generator=torch.Generator().manual_seed(3)) * 1.5
    samples = draw(how, logits.expand(DRAWS, -1), temperature)
    observed = samples.bincount(minlength=12).double()
    expected = (logits.double() / temperature).softmax(-1) * DRAWS
    assert expected.min() > 5
    assert stats.chisquare(observed, expected).pvalue > 1e-3


@pytest.mark.parametrize("how", ["gumbel", "inverse_cdf"])
def test_rows_are_drawn_independently_of_each_other(how):
    logits = torch.zeros(2, DRAWS, 3)
    first, second = draw(how, logits, 1.0)
    table = torch.zeros(3, 3).index_put_((first, second), torch.ones(DRAWS), accumulate=True)
    assert stats.chi2_contingency(table.numpy()).pvalue > 1e-3


@pytest.mark.parametrize("how", ["gumbel", "inverse_cdf"])
def test_a_piece_without_probability_is_never_drawn(how):
    logits = torch.full((DRAWS, 6), float("-inf"))
    logits[:, [1, 4]] = 0.0
    assert draw(how, logits, 1.0).unique().tolist() == [1, 4]


def test_rounding_at_the_end_of_a_long_row_stays_inside_the_vocabulary():
    probabilities = torch.full((2000, 5000), 1 / 5000)
    probabilities[:, -1] = 0.0
    samples = sample_inverse_cdf(probabilities, torch.Generator().manual_seed(0))
    assert samples.max() < 4999
    assert samples.min() >= 0


def test_the_largest_uniform_number_draws_a_piece_with_probability(monkeypatch):
    below_one = 1 - 2**-24
    monkeypatch.setattr(
        torch, "rand", lambda *shape, dtype=None, **_: torch.full(shape[0], below_one, dtype=dtype)
    )
    probabilities = torch.tensor([[0.5, 0.5000001, 0.0], [1.0, 0.0, 0.0]])
    assert sample_inverse_cdf(probabilities).tolist() == [1, 0]


def test_any_leading_axes_are_kept():
    assert sample_gumbel(torch.zeros(2, 3, 5)).shape == (2, 3)
    assert sample_inverse_cdf(torch.full((2, 3, 5), 0.2)).shape == (2, 3)
    assert sample_inverse_cdf(torch.full((0, 5), 0.2)).shape == (0,)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_a_temperature_that_is_not_above_zero_is_refused(temperature):
    with pytest.raises(ValueError, match="temperature is"):
        sample_gumbel(torch.zeros(1, 3), temperature)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_so_many_samples_become_tokens_of_the_text_at_its_frequencies(share):
    chances = torch.tensor([0.6, 0.3, 0.1])
    originals = chances.multinomial(
        DRAWS, replacement=True, generator=torch.Generator().manual_seed(1)
    )
    samples = torch.full((DRAWS,), 7)
    mixed = mix_in_unigrams(samples, originals, share, torch.Generator().manual_seed(0))
    expected = torch.cat([share * chances, torch.zeros(4), torch.tensor([1 - share])])
    torch.testing.assert_close(mixed.bincount(minlength=8) / DRAWS, expected, atol=0.012, rtol=0)
    assert (samples == 7).all()
    # which token stands where has no say in which comes
    noise = mixed != 7
    for token in range(3):
        there = noise & (originals == token)
        if share:
            shares = mixed[there].bincount(minlength=3) / there.sum()
            torch.testing.assert_close(shares, chances, atol=0.04, rtol=0)


def test_noise_for_nothing_is_nothing():
    none = torch.zeros(0, dtype=torch.long)
    assert mix_in_unigrams(none, none, 0.5).shape == (0,)


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan")])
def test_a_share_out_of_its_range_is_refused(share):
    with pytest.raises(ValueError, match="unigram_share is"):
        mix_in_unigrams(torch.tensor([5]), torch.tensor([6]), share)
