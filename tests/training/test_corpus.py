"""Pre-training on text that is no micro-world: shards, batches from them, and pairs gone on with."""

import json
import math
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from electra_lab.checkpoints.pair import Pair, load_pair
from electra_lab.cli import app
from electra_lab.model.config import ElectraConfig
from electra_lab.model.electra import tie_embeddings
from electra_lab.model.heads import ElectraForMaskedLM, ElectraForPreTraining
from electra_lab.text.corpus.build import build_shards
from electra_lab.text.corpus.documents import TextFiles
from electra_lab.text.corpus.shards import Shards
from electra_lab.text.microworld import MicroWorld
from electra_lab.text.tokenization import ElectraTokenizerFast
from electra_lab.text.vocabulary import train_vocabulary
from electra_lab.training.batches import ShardBatches
from electra_lab.training.checkpoint import CHECKPOINT_FILE
from electra_lab.training.distributed import Ranks
from electra_lab.training.objectives import make_objective
from electra_lab.training.pretraining import pretrain

from . import tiny
from .tiny import curve, killed_after_a_checkpoint, write_recipe

TINY = replace(tiny.TINY, max_length=32)


@pytest.fixture(scope="module")
def text(tmp_path_factory) -> Path:
    """A folder with 60 documents in two files."""
    folder = tmp_path_factory.mktemp("text")
    sentences = MicroWorld().texts(600, seed=0)
    documents = ["\n".join(sentences[start : start + 10]) for start in range(0, 600, 10)]
    (folder / "a.txt").write_text("\n\n".join(documents[:40]))
    (folder / "b.txt").write_text("\n\n".join(documents[40:]))
    return folder


@pytest.fixture(scope="module")
def tokenizer(text) -> ElectraTokenizerFast:
    return ElectraTokenizerFast(vocab=train_vocabulary(TextFiles(text).beginnings(10**6), 300))


@pytest.fixture(scope="module")
def shards(text, tokenizer, tmp_path_factory) -> Shards:
    folder = tmp_path_factory.mktemp("shards") / "shards"
    build_shards(
        TextFiles(text), tokenizer, folder, max_length=32, shard_tokens=1500, progress=False
    )
    return Shards(folder, tokenizer)


def batches(shards, tokenizer, **settings) -> ShardBatches:
    settings = {"batch_size": 16, "seed": 0, "row_length": None, **settings}
    return ShardBatches(
        shards,
        special_ids=tokenizer.all_special_ids,
        pad_id=tokenizer.pad_token_id,
        mask_id=tokenizer.mask_token_id,
        **settings,
    )


def run(text, output=None, recipe=TINY, **settings):
    return pretrain(
        replace(recipe, text=str(text)), output, device="cpu", progress=False, **settings
    )


def rows_of(batch) -> list[tuple[int, ...]]:
    """The tokens of each row, without padding."""
    lengths = [batch.original_ids.shape[1]] * len(batch.original_ids)
    if batch.attention_mask is not None:
        lengths = batch.attention_mask.sum(1).tolist()
    return [tuple(row[:n].tolist()) for row, n in zip(batch.original_ids, lengths, strict=True)]


# batches


def test_an_epoch_has_every_segment_once_in_another_order(shards, tokenizer):
    source = batches(shards, tokenizer)
    count = source.batches_per_epoch
    assert count == len(shards) // 16
    everything = [tuple(shards.rows([n]).input_ids[0].tolist()) for n in range(len(shards))]
    epochs = [
        [
            row
            for step in range(epoch * count, (epoch + 1) * count)
            for row in rows_of(source.batch(step))
        ]
        for epoch in range(2)
    ]
    for epoch in epochs:
        left = sorted(everything)
        for row in epoch:
            left.remove(row)
        assert len(left) == len(shards) % 16
    assert epochs[0] != epochs[1]


def test_a_step_has_the_same_batch_whatever_was_asked_for_before(shards, tokenizer):
    straight, jumping = (batches(shards, tokenizer) for _ in "12")
    jumping.batch(70)
    for step in (3, 41, 3):
        ours, theirs = jumping.batch(step), straight.batch(step)
        assert torch.equal(ours.masked_ids, theirs.masked_ids)
        assert torch.equal(ours.positions, theirs.positions)
    other = batches(shards, tokenizer, seed=1).batch(3)
    assert rows_of(other) != rows_of(straight.batch(3))


def test_b_has_token_type_1_and_nothing_special_is_selected(shards, tokenizer):
    seen = 0
    for step in range(10):
        batch = batches(shards, tokenizer).batch(step)
        seps = batch.original_ids == tokenizer.sep_token_id
        # type 1 from behind the first [SEP] to the second
        expected = (seps.cumsum(1) - seps.long() == 1).long()
        attended = batch.attention_mask
        if attended is not None:
            expected = expected * attended * (seps.sum(1, keepdim=True) == 2)
        assert torch.equal(batch.token_type_ids, expected)
        seen += int(expected.sum())
        selected = batch.original_ids.view(-1)[batch.positions]
        assert not torch.isin(selected, torch.tensor(tokenizer.all_special_ids)).any()
    assert seen > 1000


@pytest.mark.parametrize("row_length", [None, 32])
def test_ranks_share_a_batch_and_its_positions(shards, tokenizer, row_length):
    whole = batches(shards, tokenizer).batch(5)
    ranks = [
        batches(shards, tokenizer, ranks=Ranks(rank, 2), row_length=row_length).batch(5)
        for rank in range(2)
    ]
    selected = sorted(whole.original_ids.view(-1)[whole.positions].tolist())
    parts = [batch.original_ids.view(-1)[batch.positions].tolist() for batch in ranks]
    assert sorted(parts[0] + parts[1]) == selected
    assert sum(batch.tokens for batch in ranks) == whole.tokens
    if row_length is None:
        assert rows_of(ranks[0]) == rows_of(whole)[0::2]
        assert rows_of(ranks[1]) == rows_of(whole)[1::2]


def test_packed_rows_give_the_same_losses_with_their_token_types(shards, tokenizer):
    torch.manual_seed(0)
    config = ElectraConfig.from_preset(
        "micro",
        vocab_size=len(tokenizer),
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        initializer_range=0.5,
    )
    objective = make_objective("mlm", config, config)
    plain = batches(shards, tokenizer).batch(2)
    packed = batches(shards, tokenizer, row_length=32).batch(2)
    assert packed.original_ids.shape[0] < plain.original_ids.shape[0]
    assert int(packed.token_type_ids.sum()) == int(plain.token_type_ids.sum())
    torch.testing.assert_close(objective(packed).loss, objective(plain).loss)


def test_too_little_text_for_a_batch_is_refused(shards, tokenizer):
    with pytest.raises(
        ValueError, match=f"There are {len(shards)} sequences, fewer than a batch of 10000"
    ):
        batches(shards, tokenizer, batch_size=10_000)


# pre-training


def test_a_folder_of_text_becomes_a_pair_with_a_vocabulary_of_its_own(text, tmp_path):
    result = run(text, tmp_path)
    assert len(result.history) == 6
    assert result.corpus.documents == 60
    loaded = load_pair(tmp_path)
    assert loaded.tokenizer.get_vocab() == result.tokenizer.get_vocab()
    assert len(loaded.tokenizer) <= 300
    assert loaded.tokenizer.unk_token_id not in loaded.tokenizer("The dog sleeps.")["input_ids"]
    written = json.loads((tmp_path / "history.json").read_text())
    assert written["corpus"]["tokens"] == result.corpus.tokens > 0


def test_training_on_shards_lowers_the_loss(text):
    recipe = replace(TINY, steps=60, learning_rate=5e-3, initializer_range=0.1)
    history = run(text, recipe=recipe).history
    assert history[-1]["mlm_loss"] < history[0]["mlm_loss"] - 0.5


def test_a_resume_finds_the_shards_even_when_the_text_is_gone(text, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(text, copy)
    whole = run(copy, tmp_path / "whole")
    run(copy, tmp_path / "run", stop_after=6)
    shutil.rmtree(copy)
    resumed = run(copy, tmp_path / "run", resume=True)
    assert curve(resumed.history) == curve(whole.history)
    for ours, theirs in zip(
        resumed.objective.parameters(), whole.objective.parameters(), strict=True
    ):
        assert torch.equal(ours, theirs)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_run_killed_in_the_middle_goes_on_with_the_same_curve(text, tmp_path):
    recipe = replace(TINY, text=str(text), steps=4000, warmup_steps=10, log_every=1)
    recipe = write_recipe(recipe, tmp_path / "tiny.toml")
    output = tmp_path / "run"
    step = killed_after_a_checkpoint(recipe, output)
    assert 0 < step < 4000
    settings = dict(device="cpu", progress=False, stop_after=step + 8)
    resumed = pretrain(recipe, output, resume=True, **settings)
    whole = pretrain(recipe, **settings)
    assert len(resumed.history) == step + 8
    assert curve(resumed.history) == curve(whole.history)


def test_a_stop_while_the_shards_are_made_is_gone_on_with(text, tmp_path, monkeypatch):
    import electra_lab.text.corpus.build as build

    def stopped(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(build, "write_shard", stopped)
        with pytest.raises(KeyboardInterrupt):
            run(text, tmp_path)
    assert (tmp_path / "corpus" / "tokenizer").is_dir()
    assert curve(run(text, tmp_path, resume=True).history) == curve(run(text).history)


def test_a_corpus_made_for_another_recipe_is_refused(text, tmp_path):
    run(text, tmp_path)
    (tmp_path / CHECKPOINT_FILE).unlink()
    with pytest.raises(
        ValueError, match="vocabulary_size: 300 there, 200 here; max_length: 32 there"
    ):
        run(text, tmp_path, replace(TINY, vocabulary_size=200, max_length=16))


def test_an_earlier_run_is_refused_before_the_text_is_read(text, tmp_path, monkeypatch):
    run(text, tmp_path)
    monkeypatch.setattr("electra_lab.training.pretraining.prepare_text", None)
    with pytest.raises(FileExistsError, match="checkpoint of an earlier run"):
        run(text, tmp_path)


def test_text_without_text_is_refused_with_what_was_found(tmp_path):
    (tmp_path / "rubbish.txt").write_bytes(b"\0\1\2")
    with pytest.raises(ValueError, match="no text in .*: 1 files that are binary"):
        run(tmp_path, tmp_path / "run")
    assert not (tmp_path / "run" / "corpus" / "shards").exists()
    with pytest.raises(FileNotFoundError, match="no file or folder .*nowhere"):
        run(tmp_path / "nowhere", tmp_path / "other")


# going on with a pair


def fresh_pair(tokenizer, fraction=0.5, tied=True, **generator_changes) -> Pair:
    torch.manual_seed(0)
    config = ElectraConfig.from_preset(
        "micro", vocab_size=len(tokenizer), max_position_embeddings=24, initializer_range=0.2
    )
    small = replace(config.for_generator(fraction), **generator_changes)
    generator, discriminator = ElectraForMaskedLM(small), ElectraForPreTraining(config)
    if tied:
        tie_embeddings(generator, discriminator)
    return Pair(generator.eval(), discriminator.eval(), tokenizer)


@pytest.mark.parametrize(
    ("fraction", "tied", "changes"),
    [(0.5, True, {}), (1.0, True, {}), (1.0, False, {}), (0.5, False, {"embedding_size": 32})],
    ids=["small", "full width", "full width, tables of its own", "narrower tables of its own"],
)
def test_a_pair_is_gone_on_with_as_it_is(text, tokenizer, tmp_path, fraction, tied, changes):
    pair = fresh_pair(tokenizer, fraction, tied, **changes)
    pair.save(tmp_path / "pair")
    recipe = replace(TINY, continue_from=str(tmp_path / "pair"), learning_rate=0.0)
    same = run(text, tmp_path / "same", recipe)
    for ours, theirs in (
        (same.pair.generator, pair.generator),
        (same.pair.discriminator, pair.discriminator),
    ):
        assert ours.state_dict().keys() == theirs.state_dict().keys()
        for name, value in theirs.state_dict().items():
            assert torch.equal(ours.state_dict()[name], value)
    assert same.tokenizer.get_vocab() == tokenizer.get_vocab()
    assert same.recipe.hidden_size == 128
    assert same.recipe.max_length == 24
    assert same.recipe.generator_fraction == fraction
    changed = run(text, tmp_path / "changed", replace(recipe, learning_rate=1e-3))
    loaded = load_pair(tmp_path / "changed")
    shared = loaded.generator.electra.embeddings is loaded.discriminator.electra.embeddings
    assert shared is tied
    before = pair.discriminator.electra.embeddings.word.weight
    after = loaded.discriminator.electra.embeddings.word.weight
    assert not torch.equal(before, after)
    assert torch.equal(after, changed.pair.discriminator.electra.embeddings.word.weight)


def test_a_continued_run_is_resumed_exactly(text, tokenizer, tmp_path):
    fresh_pair(tokenizer, 1.0, tied=False).save(tmp_path / "pair")
    recipe = replace(TINY, continue_from=str(tmp_path / "pair"))
    whole = run(text, recipe=recipe)
    run(text, tmp_path / "run", recipe, stop_after=6)
    resumed = run(text, tmp_path / "run", recipe, resume=True)
    assert curve(resumed.history) == curve(whole.history)


def test_the_bundled_pair_goes_on_with_what_it_knows(text):
    recipe = replace(TINY, steps=1, warmup_steps=0, log_every=1, continue_from="micro")
    continued = run(text, recipe=recipe)
    assert continued.pair.discriminator.config.hidden_size == 128
    # fresh weights begin with the logarithm of the number of pieces
    assert continued.history[0]["mlm_loss"] < math.log(len(continued.tokenizer)) - 1


def test_an_objective_without_a_discriminator_cannot_go_on_with_a_pair(text):
    with pytest.raises(ValueError, match="'mlm' trains no discriminator, so it cannot go on"):
        run(text, recipe=replace(TINY, objective="mlm", continue_from="micro"))


def test_the_command_trains_on_text_and_goes_on_with_the_pair(text, tmp_path, monkeypatch):
    monkeypatch.setenv("ELECTRA_LAB_DEVICE", "cpu")
    recipe = write_recipe(TINY, tmp_path / "tiny.toml")

    def call(*arguments):
        return CliRunner().invoke(app, ["pretrain", "--recipe", str(recipe), *map(str, arguments)])

    first = call("--text", text, "--output", tmp_path / "first")
    assert first.exit_code == 0, first.output
    assert "60 documents" in first.output
    second = call("--text", text, "--from", tmp_path / "first", "--output", tmp_path / "second")
    assert second.exit_code == 0, second.output
    kept = json.loads((tmp_path / "second" / "history.json").read_text())["recipe"]
    assert (kept["text"], kept["continue_from"]) == (str(text), str(tmp_path / "first"))
    wrong = call("--text", tmp_path / "nowhere", "--output", tmp_path / "third")
    assert wrong.exit_code == 2
    assert "There is no file or folder" in wrong.output
