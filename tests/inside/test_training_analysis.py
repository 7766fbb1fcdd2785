"""Calibration and mistakes of a discriminator on corrupted text."""

import numpy as np
import pytest
import torch
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, roc_auc_score

from electra_lab.inside.analysis.calibration import calibrate
from electra_lab.inside.analysis.corrupted import Judged, judge_corrupted
from electra_lab.inside.analysis.fooled import CONTEXT, fooled_tokens

TEXTS = ["The old chef cooked the meal.", "A dog slept in the old house.", "the dogs ate"] * 20


def drawn(count=3_000, seed=0):
    random = np.random.default_rng(seed)
    said = random.beta(0.4, 2.0, count)
    said[:10] = [0.0, 0.1, 0.2, 0.3, 0.5, 0.5, 0.7, 0.8, 0.9, 1.0]  # on the borders of bins
    return said, random.random(count) < said**1.5


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
@pytest.mark.parametrize("bins", [1, 5, 10])
def test_the_reliability_diagram_is_scikit_learns(strategy, bins):
    said, truth = drawn()
    found = calibrate(said, truth, bins=bins, strategy=strategy)
    share, mean = calibration_curve(truth, said, n_bins=bins, strategy=strategy)
    full = found.counts > 0
    np.testing.assert_allclose(found.happened[full], share)
    np.testing.assert_allclose(found.said[full], mean)
    assert found.counts.sum() == len(said)
    assert found.brier == pytest.approx(brier_score_loss(truth, said))
    assert found.area == pytest.approx(roc_auc_score(truth, said))
    assert found.base_rate == pytest.approx(truth.mean())


def test_the_expected_error_is_the_mean_distance_over_tokens():
    found = calibrate([0.1, 0.1, 0.1, 0.1, 0.9, 0.9], [0, 0, 0, 1, 1, 0], bins=2)
    # four tokens at .1 of which .25 happened, two at .9 of which .5 did
    assert found.expected_error == pytest.approx((4 * 0.15 + 2 * 0.4) / 6)
    assert found.largest_error == pytest.approx(0.4)


def test_who_says_the_base_rate_of_all_is_calibrated_and_tells_nothing():
    truth = [True] * 30 + [False] * 170
    found = calibrate([0.15] * 200, truth)
    assert found.expected_error == pytest.approx(0)
    assert found.area == 0.5
    assert np.isnan(calibrate([0.2, 0.3], [0, 0]).area)


def test_the_interval_holds_the_truth_of_a_calibrated_model_in_about_19_bins_of_20():
    random = np.random.default_rng(1)
    inside = []
    for _ in range(40):
        said = random.random(500)
        found = calibrate(said, random.random(500) < said)
        inside += list((found.low <= found.said) & (found.said <= found.high))
    assert 0.90 < np.mean(inside) < 0.985


def test_what_is_no_probability_or_has_no_outcome_is_refused():
    with pytest.raises(ValueError, match="There are 2 probabilities and 1 outcomes"):
        calibrate([0.1, 0.2], [True])
    with pytest.raises(ValueError, match=r"1.2 is no probability; it must lie in \[0, 1\]"):
        calibrate([0.1, 1.2], [True, False])
    with pytest.raises(ValueError, match="nan is no probability"):
        calibrate([0.1, float("nan")], [True, False])
    with pytest.raises(ValueError, match="strategy is 'equal'; use 'uniform' or 'quantile'"):
        calibrate([0.1], [True], strategy="equal")
    with pytest.raises(ValueError, match="bins is 0"):
        calibrate([0.1], [True], bins=0)


@pytest.mark.parametrize("by", ["generator", "unigrams"])
def test_what_is_judged_is_what_the_discriminator_says_of_the_text_it_reads(pair, by):
    judged = judge_corrupted(pair, TEXTS[:3], by, probability=0.5)
    for one, text in zip(judged, TEXTS, strict=False):
        assert list(one.originals) == pair.tokenizer.tokenize(text)
        read = pair.tokenizer.convert_tokens_to_ids(["[CLS]", *one.tokens, "[SEP]"])
        with torch.no_grad():
            logits = pair.discriminator(torch.tensor([read])).logits[0]
        assert one.probabilities == pytest.approx(logits.sigmoid()[1:-1].tolist(), abs=1e-5)
    assert any(any(one.replaced) for one in judged)


def test_both_kinds_replace_the_asked_share_and_the_seed_decides(pair):
    share = {}
    for by in ("generator", "unigrams"):
        judged = judge_corrupted(pair, TEXTS, by, probability=0.4, seed=3)
        assert judged == judge_corrupted(pair, TEXTS, by, probability=0.4, seed=3)
        assert judged != judge_corrupted(pair, TEXTS, by, probability=0.4, seed=4)
        changed = [mark for one in judged for mark in one.replaced]
        share[by] = np.mean(changed)
    # a sample may be the original, so a few less than were chosen
    assert 0.25 < share["unigrams"] <= 0.5
    assert 0.25 < share["generator"] <= 0.5


def test_unigrams_are_drawn_as_often_as_they_are_counted(pair):
    counts = {"dog": 3, "meal": 1, "[CLS]": 100, "no such token": 100}
    judged = judge_corrupted(pair, TEXTS * 4, "unigrams", probability=1.0, counts=counts)
    tokens = [token for one in judged for token in one.tokens]
    assert set(tokens) == {"dog", "meal"}
    spread = (0.75 * 0.25 / len(tokens)) ** 0.5
    assert abs(tokens.count("dog") / len(tokens) - 0.75) < 5 * spread


def test_texts_and_kinds_that_cannot_be_are_refused(pair):
    with pytest.raises(ValueError, match="texts is 'one'; give a list"):
        judge_corrupted(pair, "one")
    with pytest.raises(ValueError, match="by is 'noise'; use 'generator' or 'unigrams'"):
        judge_corrupted(pair, TEXTS, "noise")
    with pytest.raises(ValueError, match="probability is 0"):
        judge_corrupted(pair, TEXTS, probability=0)
    with pytest.raises(ValueError, match="Nothing was counted"):
        judge_corrupted(pair, TEXTS, "unigrams", counts={"moon": 2})


JUDGED = [
    Judged(("the", "dog", "ate", "it"), ("the", "chef", "ate", "it"), (0.1, 0.2, 0.7, 0.4)),
    Judged(("a", "dog", "ate", "meal"), ("a", "chef", "ate", "house"), (0.9, 0.01, 0.6, 0.95)),
    Judged(("dog",), ("meal",), (0.5,)),
]


def test_mistakes_are_grouped_by_token_the_costliest_first_and_the_surest_example_first():
    found = fooled_tokens(JUDGED)
    (dog,) = found.missed
    assert (dog.token, dog.wrong, dog.times) == ("dog", 2, 3)  # .5 counts as seen
    assert dog.cost == pytest.approx(-np.log(0.2) - np.log(0.01))
    assert [one.probability for one in dog.mistakes] == [0.01, 0.2]
    assert dog.mistakes[0].original == "chef"
    assert (dog.mistakes[1].before, dog.mistakes[1].after) == (("the",), ("ate", "it"))
    assert [one.token for one in found.accused] == ["a", "ate"]
    assert found.accused[1].wrong == found.accused[1].times == 2
    assert found.accused[0].mistakes[0].original is None
    assert (found.replaced, found.originals) == (4, 5)
    assert (found.all_missed, found.all_accused) == (2, 3)


def test_lists_are_cut_and_contexts_too():
    long = Judged(
        tuple("abcdefghijklmnopqrstuvwxyz"), tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), (0.1,) * 26
    )
    found = fooled_tokens([long], top=3)
    assert len(found.missed) == 3
    assert found.all_missed == 26
    (mistake,) = fooled_tokens([long], top=26).missed[13].mistakes
    assert len(mistake.before) == len(mistake.after) == CONTEXT
    with pytest.raises(ValueError, match="top is 0"):
        fooled_tokens([long], top=0)
