"""Joint pre-training from text to a saved pair, with models small enough for a test."""

import json
import re
import sys
from dataclasses import replace

import pytest
import torch

import electra_lab.training.loop
import electra_lab.training.pretraining
from electra_lab.checkpoints.pair import Pair, load_pair
from electra_lab.training.objectives import OBJECTIVES
from electra_lab.training.optimization import AdamWithoutBiasCorrection
from electra_lab.training.pretraining import (
    build_objective,
    make_batches,
    make_tokenizer,
    pretrain,
    training_texts,
)
from electra_lab.training.recipe import Recipe

from .tiny import TINY, curve, killed_after_a_checkpoint, write_recipe


@pytest.fixture(scope="module", autouse=True)
def _text_is_made_once():
    """Making text is most of the time of so small a run, and no matter of these tests."""
    real = electra_lab.training.pretraining.training_texts
    made = {}

    def once(recipe):
        key = (recipe.sentences, recipe.text_seed)
        if key not in made:
            made[key] = real(recipe)
        return made[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("electra_lab.training.pretraining.training_texts", once)
        yield


@pytest.fixture(scope="module")
def text() -> list[str]:
    return training_texts(TINY)


def run(recipe=TINY, output=None, **settings):
    return pretrain(recipe, output, device="cpu", progress=False, **settings)


def test_a_pair_is_trained_saved_and_loaded_again(tmp_path):
    result = run(output=tmp_path)
    assert [row["step"] for row in result.history] == [2, 4, 6, 8, 10, 12]
    row = result.history[-1]
    assert row["loss"] == pytest.approx(row["mlm_loss"] + 50 * row["rtd_loss"], rel=1e-4)
    assert {"learning_rate", "tokens_per_second", "seconds"} <= row.keys()
    loaded = load_pair(tmp_path)
    inputs = loaded.tokenizer(["The dog sleeps."], return_tensors="pt")
    torch.testing.assert_close(
        loaded.discriminator(**inputs).logits, result.pair.discriminator(**inputs).logits
    )
    assert loaded.generator.electra.embeddings is loaded.discriminator.electra.embeddings
    written = json.loads((tmp_path / "history.json").read_text())
    assert written["recipe"] == TINY.to_dict()
    assert written["history"] == result.history


def test_training_lowers_the_loss():
    history = run(replace(TINY, steps=60, learning_rate=5e-3, initializer_range=0.1)).history
    assert history[-1]["mlm_loss"] < history[0]["mlm_loss"] - 0.5
    assert history[-1]["rtd_loss"] < history[0]["rtd_loss"] - 0.1


def test_the_seed_decides_everything_and_the_outside_nothing():
    torch.manual_seed(1)
    first = run(seed=3)
    torch.manual_seed(2)
    again, other = run(seed=3), run(seed=4)
    assert curve(first.history) == curve(again.history)
    assert curve(first.history) != curve(other.history)
    assert first.recipe.seed == 3


def test_a_resumed_run_is_the_whole_run_bit_for_bit(tmp_path):
    whole = run()
    run(output=tmp_path, stop_after=6)
    resumed = run(output=tmp_path, resume=True)
    assert curve(resumed.history) == curve(whole.history)
    for ours, theirs in zip(
        resumed.objective.parameters(), whole.objective.parameters(), strict=True
    ):
        assert torch.equal(ours, theirs)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_run_killed_in_the_middle_goes_on_with_the_same_curve(tmp_path):
    recipe = replace(TINY, steps=4000, warmup_steps=10, log_every=1)
    recipe = write_recipe(recipe, tmp_path / "tiny.toml")
    output = tmp_path / "run"
    step = killed_after_a_checkpoint(recipe, output)
    assert 0 < step < 4000
    resumed = run(recipe, output, resume=True, stop_after=step + 8)
    whole = run(recipe, stop_after=step + 8)
    assert len(resumed.history) == step + 8
    assert curve(resumed.history) == curve(whole.history)


def test_a_resume_with_another_recipe_is_refused_and_says_where_they_differ(tmp_path):
    run(output=tmp_path, stop_after=4)
    with pytest.raises(ValueError, match=r"learning_rate: 0\.001 there, 0\.002 here"):
        run(replace(TINY, learning_rate=2e-3), tmp_path, resume=True)
    with pytest.raises(ValueError, match="hidden_size: 16 there, 32 here"):
        run(replace(TINY, hidden_size=32), tmp_path, resume=True)
    with pytest.raises(FileExistsError, match=re.escape(str(tmp_path))):
        run(output=tmp_path)
    assert len(run(output=tmp_path, resume=True).history) == 6


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_trains_through_the_same_loop(name, tmp_path):
    recipe = replace(TINY, objective=name, steps=4)
    result = run(recipe, tmp_path)
    assert result.history[-1]["loss"] > 0
    if name.startswith("electra"):
        assert result.pair.generator.electra.embeddings is result.objective.encoder.embeddings
    else:
        with pytest.raises(ValueError, match=f"'{name}' trains no discriminator"):
            _ = result.pair
        assert (tmp_path / "encoder" / "config.json").is_file()


def test_no_sentence_is_cut_and_every_word_has_its_own_piece_in_micro():
    recipe = replace(Recipe.load("micro"), sentences=1000)
    texts = training_texts(recipe)
    tokenizer = make_tokenizer(recipe, texts)
    lengths = [len(tokenizer.tokenize(text)) + 2 for text in texts[:500]]
    words = [len(re.findall(r"\w+|[^\w\s]", text)) + 2 for text in texts[:500]]
    assert max(lengths) <= recipe.max_length
    assert sum(lengths) < 1.1 * sum(words)


def test_fan_in_keeps_the_size_of_what_goes_through_a_layer(text):
    recipe = replace(
        TINY, hidden_size=64, intermediate_size=256, embedding_size=32, initialization="fan_in"
    )
    objective = build_objective(recipe, make_tokenizer(recipe, text))
    layer = objective.model.electra.encoder.layers[0]
    for linear, inputs in ((layer.attention.query, 64), (layer.feed_forward.contract, 256)):
        # a normal distribution cut at two standard deviations keeps .88 of its deviation
        assert linear.weight.std().item() == pytest.approx(0.88 * inputs**-0.5, rel=0.05)
    assert objective.model.electra.embeddings.word.weight.std().item() < 0.02


# faithful=True: one test for each of the authors' quirks


def test_faithful_draws_positions_with_replacement(text):
    tokenizer = make_tokenizer(TINY, text)
    repeated = {}
    for faithful in (False, True):
        recipe = replace(TINY, faithful=faithful, mask_probability=0.5)
        batches = make_batches(recipe, tokenizer, text)
        drawn = [batches.batch(step).positions for step in range(12)]
        repeated[faithful] = sum(len(p) - len(p.unique()) for p in drawn)
    assert repeated[False] == 0
    assert repeated[True] > 0
    assert build_objective(replace(TINY, faithful=True), tokenizer).with_replacement


def test_what_the_recipe_says_of_replacements_reaches_fresh_models_and_a_pair(text):
    tokenizer = make_tokenizer(TINY, text)
    recipe = replace(TINY, unigram_share=0.25, temperature=1.5, sampling="gumbel")
    fresh = build_objective(recipe, tokenizer)
    pair = Pair(fresh.generator, fresh.model, tokenizer)
    for objective in (fresh, build_objective(recipe, tokenizer, pair)):
        found = (objective.unigram_share, objective.temperature, objective.sampling)
        assert found == (0.25, 1.5, "gumbel")


def test_faithful_initialises_projection_and_last_layer_with_glorot(text):
    tokenizer = make_tokenizer(TINY, text)
    recipe = replace(TINY, hidden_size=64, intermediate_size=64, embedding_size=32)
    spread = {}
    for faithful in (False, True):
        objective = build_objective(replace(recipe, faithful=faithful), tokenizer)
        spread[faithful] = [
            objective.model.electra.projection.weight,
            objective.generator.electra.projection,
            objective.model.head.score.weight,
            objective.model.head.dense.weight,
        ]
    assert recipe.generator_config(recipe.config(300)).hidden_size == 32  # needs no projection
    assert spread[True][1] is None
    bound = (6 / (32 + 64)) ** 0.5
    assert spread[True][0].abs().max().item() == pytest.approx(bound, rel=0.02)
    assert spread[True][0].std().item() == pytest.approx(bound / 3**0.5, rel=0.1)
    score_bound = (6 / (64 + 1)) ** 0.5
    assert spread[True][2].abs().max().item() == pytest.approx(score_bound, rel=0.1)
    for plain in (*spread[False][::2], spread[True][3]):
        assert plain.abs().max().item() <= 0.04
        assert plain.std().item() < 0.021


@pytest.mark.parametrize("faithful", [False, True])
def test_faithful_takes_the_authors_adam_and_schedule(monkeypatch, faithful):
    taken = {}
    real = electra_lab.training.loop.train

    def noting(module, source, optimizer, schedule, **settings):
        taken.update(optimizer=optimizer, rates=[schedule(step) for step in range(12)])
        return real(module, source, optimizer, schedule, **settings)

    monkeypatch.setattr("electra_lab.training.pretraining.train", noting)
    run(replace(TINY, faithful=faithful))
    assert isinstance(taken["optimizer"], AdamWithoutBiasCorrection) is faithful
    assert (taken["rates"][0] == 0.0) is faithful
    assert (max(taken["rates"]) < 1.0) is faithful
