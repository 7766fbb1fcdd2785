"""Starts other than the usual one."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from electra_lab.model.attention import SelfAttention
from electra_lab.text.corpus.build import build_shards
from electra_lab.text.corpus.documents import TextFiles
from electra_lab.text.corpus.shards import Shards
from electra_lab.text.microworld import MicroWorld
from electra_lab.text.tokenization import ElectraTokenizerFast
from electra_lab.text.vocabulary import train_vocabulary
from electra_lab.training.initialization import co_occurrence_vectors, sinusoidal_positions
from electra_lab.training.pretraining import build_objective, pretrain
from electra_lab.training.recipe import Recipe


def test_positions_are_waves_and_equally_far_positions_are_equally_alike():
    table = sinusoidal_positions(50, 16)
    for position, wave in ((0, 0), (7, 1), (49, 7)):
        angle = position / 50 ** (2 * wave / 16)
        assert table[position, 2 * wave].item() == pytest.approx(math.sin(angle), abs=1e-5)
        assert table[position, 2 * wave + 1].item() == pytest.approx(math.cos(angle), abs=1e-5)
    alike = table @ table.T
    torch.testing.assert_close(alike[3, 10], alike[30, 37], atol=1e-4, rtol=0)
    assert table.square().mean().sqrt().item() == pytest.approx(0.5**0.5)
    with pytest.raises(ValueError, match="even"):
        sinusoidal_positions(4, 3)


def test_matching_attention_starts_by_looking_at_what_stands_near(text):
    """From waves and matching matrices every head prefers neighbours; from random ones none."""
    nearness = {}
    for start in ("normal", "matching"):
        recipe = tiny(
            text, position_table="sinusoidal", initialization="fan_in", attention_start=start
        )
        tokenizer = ElectraTokenizerFast(vocab=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"])
        model = build_objective(recipe, tokenizer).model.electra
        for part in model.modules():
            if isinstance(part, SelfAttention) and start == "matching":
                assert torch.equal(part.query.weight, part.key.weight)
        ids = torch.full((1, 32), tokenizer.mask_token_id)
        weights = model(ids, output_attentions=True).attentions[0][0].detach()
        distance = (torch.arange(32)[:, None] - torch.arange(32)).abs()
        near = weights.masked_fill(distance > 3, 0).sum(-1).mean(-1)
        nearness[start] = near.min().item()
    by_chance = (torch.arange(32)[:, None] - torch.arange(32)).abs().le(3).float().mean().item()
    assert nearness["matching"] > 1.5 * by_chance
    assert nearness["normal"] < 1.3 * by_chance


def test_co_occurrence_is_pointwise_mutual_information_written_out():
    """With all but one of the singular vectors, the products of the unscaled ones are the matrix
    again; directions are compared with a dense decomposition of counts made by two loops."""
    ids = np.random.default_rng(0).integers(0, 9, 400)
    counts = np.zeros((10, 10))  # piece 9 does not occur
    for i in range(len(ids)):
        for j in range(max(0, i - 2), min(len(ids), i + 3)):
            if i != j:
                counts[ids[i], ids[j]] += 1
    neighbour = counts.sum(1) ** 0.75
    neighbour /= neighbour.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.nan_to_num(
            np.maximum(np.log(counts / counts.sum(1, keepdims=True) / neighbour), 0), neginf=0
        )
    left, values, _ = np.linalg.svd(expected)
    scaled = left * np.sqrt(values)
    wanted = scaled / np.maximum(np.linalg.norm(scaled, axis=1, keepdims=True), 1e-6)
    vectors = co_occurrence_vectors([ids], 10, 9, window=2).numpy()
    np.testing.assert_allclose(vectors @ vectors.T, wanted @ wanted.T, atol=0.02)
    assert not vectors[9].any()


def test_words_of_the_same_kind_get_similar_vectors():
    sentences = MicroWorld().sentences(3_000, seed=0)
    texts = [sentence.text for sentence in sentences]
    tokenizer = ElectraTokenizerFast(vocab=train_vocabulary(texts, 1_000))
    rows = [np.array(ids) for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]]
    vectors = co_occurrence_vectors(rows, len(tokenizer), 32)
    kind = {word.text.lower(): word.pos for s in sentences for word in s.words}
    words = [word for word in kind if word in tokenizer.get_vocab()]
    table = vectors[tokenizer.convert_tokens_to_ids(words)]
    alike = table @ table.T - 2 * torch.eye(len(words))
    nearest = alike.argmax(1).tolist()
    agree = [kind[word] == kind[words[near]] for word, near in zip(words, nearest, strict=True)]
    share = [sum(kind[v] == kind[w] for v in words if v != w) / (len(words) - 1) for w in words]
    assert np.mean(agree) > np.mean(share) + 0.3


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(ValueError, match="at most 4"):
        co_occurrence_vectors([np.arange(5)], 5, 5)
    with pytest.raises(ValueError, match="No two pieces"):
        co_occurrence_vectors([np.array([3])], 5, 2)
    with pytest.raises(ValueError, match="micro-world is none"):
        pretrain(Recipe(word_table="co_occurrence"), progress=False)


@pytest.fixture
def text(tmp_path):
    file = tmp_path / "text.txt"
    file.write_text("\n\n".join(MicroWorld().texts(400, seed=0)) + "\n", encoding="utf-8")
    return file


def tiny(text, **settings):
    return Recipe(
        text=str(text),
        vocabulary_size=400,
        max_length=32,
        embedding_size=16,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        generator_fraction=0.5,
        initializer_range=0.05,
        batch_size=8,
        steps=4,
        warmup_steps=1,
        **settings,
    )


def test_a_recipe_fills_the_tables_with_numbers_as_large_as_drawn_ones(tmp_path, text):
    recipe = tiny(text, word_table="co_occurrence", position_table="sinusoidal")
    tokenizer = ElectraTokenizerFast(
        vocab=train_vocabulary(text.read_text(encoding="utf-8").splitlines(), 400)
    )
    build_shards(TextFiles(text), tokenizer, tmp_path / "shards", max_length=32, progress=False)
    shards = Shards(tmp_path / "shards", tokenizer)
    objective = build_objective(recipe, tokenizer, shards=shards)
    tables = objective.model.electra.embeddings
    assert tables.position.weight.square().mean().sqrt().item() == pytest.approx(0.05)
    occurs = tables.word.weight[tables.word.weight.abs().sum(1) > 0]
    torch.testing.assert_close(occurs.square().mean(1).sqrt().median(), torch.tensor(0.05))
    assert objective.generator.electra.embeddings.word is tables.word
    bias = objective.generator.head.bias
    piece, count = np.unique(np.concatenate(list(shards.runs())), return_counts=True)
    common, rare = piece[count.argmax()], piece[count.argmin()]
    assert bias.exp().sum().item() == pytest.approx(1)
    ratio = (bias[common] - bias[rare]).exp().item()
    assert ratio == pytest.approx((count.max() + 0.5) / (count.min() + 0.5), rel=1e-3)
    plain = build_objective(
        replace(recipe, word_table="normal", position_table="normal"), tokenizer
    )
    # all else starts as it would have
    assert torch.equal(plain.model.head.dense.weight, objective.model.head.dense.weight)


def test_a_text_is_trained_on_without_what_is_held_out_and_with_muon(tmp_path, text):
    recipe = tiny(text, word_table="co_occurrence", held_out=5, muon_learning_rate=2e-3)
    result = pretrain(recipe, tmp_path / "run", progress=False)
    whole = pretrain(replace(recipe, held_out=0), tmp_path / "whole", progress=False)
    assert 0.6 < result.corpus.documents / whole.corpus.documents < 0.95
    assert all(math.isfinite(row["loss"]) for row in result.history)


def test_a_vocabulary_smaller_than_its_vectors_will_do(tmp_path):
    file = tmp_path / "text.txt"
    file.write_text("\n".join(["a b a c", "b c a b"] * 40) + "\n")
    recipe = replace(tiny(file, word_table="co_occurrence"), embedding_size=64, hidden_size=64)
    result = pretrain(recipe, progress=False)
    assert len(result.tokenizer) < 64
    assert all(math.isfinite(row["loss"]) for row in result.history)
