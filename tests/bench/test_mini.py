"""The measurement of pairs that learned from real text, on a pair whose text we can make."""

import json
import math
from collections import Counter

import pytest
import torch
from typer.testing import CliRunner

from electra_lab.bench.mini import english_minimal_pairs, minimal_pairs_decided, run
from electra_lab.checkpoints.pair import load_pair
from electra_lab.cli import app
from electra_lab.inside.scoring import score_sentences
from electra_lab.text.corpus.documents import TextFiles
from electra_lab.text.corpus.held_out import HeldOut
from electra_lab.text.microworld import MicroWorld, minimal_pairs


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """320 documents of a sentence each: the micro pair read no longer texts."""
    file = tmp_path_factory.mktemp("corpus") / "text.txt"
    documents = MicroWorld(split="test").texts(320, seed=4)
    file.write_text("\n\n".join(documents) + "\n", encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def report(corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    recipe = folder / "mine.toml"
    recipe.write_text("held_out = 4\n")
    return run(
        "micro",
        corpus=corpus,
        text=corpus,
        recipe=str(recipe),
        output=folder / "mini.json",
        progress=False,
    )


def test_only_documents_that_were_held_out_are_measured(report, corpus):
    tokenizer = load_pair("micro").tokenizer
    for name, source in (
        ("held-out documents", HeldOut(TextFiles(corpus), 4)),
        ("other text", TextFiles(corpus)),
    ):
        paragraphs = [p for document in source.documents() for p in document.paragraphs]
        tokens = sum(len(tokenizer.tokenize(paragraph)) for paragraph in paragraphs)
        assert report["texts"][name]["tokens"] == tokens
        # 15% of every sentence, and one token at least
        assert 0.15 * tokens < report["texts"][name]["masked"] < 0.25 * tokens


def test_a_trained_pair_knows_more_than_frequencies(report):
    figures = report["texts"]["other text"]
    assert figures["mlm_accuracy"] > figures["unigram_accuracy"] + 0.2
    assert figures["mlm_perplexity"] < figures["unigram_perplexity"] / 3
    assert figures["rtd_auc_fixed"] > 0.9
    assert 0.6 < figures["rtd_auc_own"] < figures["rtd_auc_fixed"]


def test_pairs_are_decided_by_the_scores_and_a_tie_counts_half():
    pair = load_pair("micro")
    entries = [
        {"good": p.good, "bad": p.bad, "phenomenon": p.phenomenon}
        for p in minimal_pairs(60, seed=2)
    ]
    entries.append({"good": "Anna sees a cat.", "bad": "Anna sees a cat.", "phenomenon": "tie"})
    uniform = torch.ones(len(pair.tokenizer))
    decided = minimal_pairs_decided(pair, entries, uniform)
    right: Counter[str] = Counter()
    for entry in entries[:-1]:
        good, bad = score_sentences(
            pair.discriminator, pair.tokenizer, [entry["good"], entry["bad"]]
        )
        right[entry["phenomenon"]] += good > bad
    by_phenomenon = decided["discriminator"]["by_phenomenon"]
    for phenomenon, count in Counter(e["phenomenon"] for e in entries[:-1]).items():
        assert by_phenomenon[phenomenon] == pytest.approx(right[phenomenon] / count, abs=1e-4)
    for judge in ("discriminator", "generator", "unigram"):
        assert decided[judge]["by_phenomenon"]["tie"] == 0.5
    expected = (sum(right.values()) + 0.5) / len(entries)
    assert decided["discriminator"]["accuracy"] == pytest.approx(expected, abs=1e-4)


def test_the_english_pairs_are_what_their_card_says():
    pairs = english_minimal_pairs()
    kinds = Counter(entry["phenomenon"] for entry in pairs)
    assert len(pairs) > 500
    assert len(kinds) == 16
    assert min(kinds.values()) >= 30
    for entry in pairs:
        assert set(entry) == {"good", "bad", "phenomenon"}
        good, bad = entry["good"].split(), entry["bad"].split()
        assert len(good) == len(bad)
        different = sum(g != b for g, b in zip(good, bad, strict=True))
        assert different > 0
        assert different == 1 or sorted(w.lower().strip(".,?") for w in good) == sorted(
            w.lower().strip(".,?") for w in bad
        )


def test_the_command_without_texts_decides_the_pairs_alone(tmp_path):
    file = tmp_path / "mini.json"
    result = CliRunner().invoke(app, ["bench", "mini", "--pair", "micro", "--output", str(file)])
    assert result.exit_code == 0, result.output
    written = json.loads(file.read_text())
    assert written["texts"] == {}
    assert written["command"] == "electra-lab bench mini --pair micro"
    assert "unigram" not in written["minimal_pairs"]
    assert math.isfinite(written["minimal_pairs"]["discriminator"]["accuracy"])


def test_a_recipe_that_holds_nothing_out_is_refused(corpus, tmp_path):
    recipe = tmp_path / "all.toml"
    recipe.write_text("held_out = 0\n")
    with pytest.raises(ValueError, match="2 or more"):
        run("micro", corpus=corpus, recipe=str(recipe), output=tmp_path / "x.json")
