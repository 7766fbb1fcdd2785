"""CorruptionExplorer: masked, drawn and judged as in pre-training, with a slider for each of both."""

from __future__ import annotations

import pytest
import torch

from electra_lab import CorruptionExplorer, load_pair, replaced_probabilities
from electra_lab.inside.predictions import replaced_probabilities_of_ids

TEXT = "The girls with the dog have seen the ball."


@pytest.fixture(scope="module")
def pair():
    return load_pair("micro")


@pytest.fixture
def explorer(pair):
    return CorruptionExplorer(pair, TEXT, share=0.4, seed=1)


def ids_of(pair, explorer):
    return torch.tensor(pair.tokenizer.convert_tokens_to_ids(explorer.verdict.tokens))


def test_the_verdicts_are_the_discriminators_on_the_corrupted_sentence(explorer, pair):
    expected = replaced_probabilities_of_ids(pair.discriminator, ids_of(pair, explorer))
    assert explorer.verdict.probabilities == pytest.approx(expected.tolist())
    before = pair.tokenizer(TEXT)["input_ids"]
    changed = [
        n for n, (a, b) in enumerate(zip(before, ids_of(pair, explorer), strict=True)) if a != b
    ]
    assert changed
    assert set(changed) <= set(explorer.positions)
    assert [n for n, mark in enumerate(explorer.verdict.replaced) if mark] == changed


def test_a_line_sets_the_generators_probability_beside_the_discriminators(explorer, pair):
    ids = torch.tensor(pair.tokenizer(TEXT)["input_ids"])
    ids[explorer.positions] = pair.tokenizer.mask_token_id
    with torch.no_grad():
        logits = pair.generator(input_ids=ids[None]).logits[0, explorer.positions]
    drawn = ids_of(pair, explorer)[explorer.positions]
    fits = logits.softmax(-1).gather(1, drawn[:, None])[:, 0]
    assert explorer.draws.before == pytest.approx(fits.tolist(), abs=1e-6)
    there = [1 - explorer.verdict.probabilities[n] for n in explorer.positions]
    assert explorer.draws.numbers == pytest.approx(there)
    apart = [abs(a - b) for a, b in zip(explorer.draws.before, there, strict=True)]
    assert explorer.draws.chosen == apart.index(max(apart))


def test_missed_and_accused_are_the_discriminators_mistakes(pair):
    seen = set()
    broken = "The girls has throws the ball the the."  # what stands there is accused
    for text, seed in [(text, seed) for text in (TEXT, broken) for seed in range(6)]:
        explorer = CorruptionExplorer(pair, text, share=0.4, seed=seed)
        said = [p > 0.5 for p in explorer.verdict.probabilities]
        truth = explorer.verdict.replaced
        mistakes = [n for n, (a, b) in enumerate(zip(said, truth, strict=True)) if a != b]
        assert sorted(explorer.missed + explorer.accused) == mistakes
        assert all(truth[n] for n in explorer.missed)
        assert not any(truth[n] for n in explorer.accused)
        seen |= {"missed"} if explorer.missed else set()
        seen |= {"accused"} if explorer.accused else set()
    assert seen == {"missed", "accused"}


def test_the_masking_slider_sets_how_many_are_masked(explorer):
    explorer.controls["share"].value = 1.0
    assert explorer.positions == list(range(1, len(explorer.verdict.tokens) - 1))
    explorer.controls["share"].value = 0.1
    assert len(explorer.positions) == 1


def test_a_cold_generator_draws_its_likeliest_token(explorer, pair):
    explorer.controls["temperature"].value = 0.1
    ids = torch.tensor(pair.tokenizer(TEXT)["input_ids"])
    ids[explorer.positions] = pair.tokenizer.mask_token_id
    with torch.no_grad():
        logits = pair.generator(input_ids=ids[None]).logits[0, explorer.positions]
    likely = logits.softmax(-1).amax(-1) > 0.6
    drawn = ids_of(pair, explorer)[explorer.positions]
    assert likely.any()
    assert (drawn == logits.argmax(-1))[likely].all()


def test_a_clicked_token_is_masked_and_the_next_click_takes_it_back(explorer):
    before = list(explorer.positions)
    other = next(n for n in range(1, 9) if n not in before)
    for expected in (sorted([*before, other]), before):
        explorer.verdict.widget._handle_custom_msg({"event": "choose", "index": other}, [])
        assert explorer.positions == expected
        assert len(explorer.draws.names) == len(expected)
    explorer.verdict.widget._handle_custom_msg({"event": "choose", "index": 0}, [])
    assert explorer.positions == before  # [CLS] is never masked


def test_with_nothing_masked_the_sentence_is_judged_as_it_is(explorer, pair):
    for position in list(explorer.positions):
        explorer.mask(position)
    expected = replaced_probabilities(pair.discriminator, pair.tokenizer, TEXT)
    assert tuple(explorer.verdict.probabilities) == expected.probabilities
    assert explorer.draws.note == "Nothing is masked."


def test_sample_draws_again_at_the_same_positions_and_a_seed_repeats_it(pair):
    draws = []
    for _ in range(2):
        explorer = CorruptionExplorer(pair, TEXT, share=0.6, temperature=3.0, seed=5)
        where = list(explorer.positions)
        draws.append([explorer.sample() for _ in range(4)])
        assert explorer.positions == where
    assert draws[0] == draws[1]
    assert len({tuple(draw) for draw in draws[0]}) > 1


def test_what_cannot_be_used_is_said_and_the_next_sentence_works(explorer, pair):
    with pytest.raises(ValueError, match="The text is empty"):
        CorruptionExplorer(pair, " ")
    with pytest.raises(ValueError, match="probability is 0.0"):
        CorruptionExplorer(pair, TEXT, share=0.0)
    with pytest.raises(ValueError, match="temperature"):
        CorruptionExplorer(pair, TEXT, temperature=0.0)
    with pytest.raises(ValueError, match="Position 0 cannot be masked"):
        explorer.mask(0)
    with pytest.raises(ValueError, match="probability is 2.0"):
        explorer.share = 2.0
    assert explorer.share == 0.4
    explorer.controls["text"].value = "  "
    assert explorer.message == "The text is empty. Give at least one word."
    assert explorer.verdict.tokens == []
    explorer.controls["text"].value = "The dogs have slept."
    assert explorer.verdict.tokens[0] == "[CLS]"


def test_hostile_text_is_text(pair):
    explorer = CorruptionExplorer(pair, "<img src=x onerror=alert(1)></script>", share=0.3)
    assert "<img" not in explorer.to_html()
    assert explorer.to_png().startswith(b"\x89PNG")
