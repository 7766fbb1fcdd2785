"""Minimal pairs: one word apart, right on one side, and not to be solved by counting neighbours."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from typing import Any

import pytest

from electra_lab.bench.ngrams import words_of
from electra_lab.text.microworld import (
    PHENOMENA,
    MinimalPair,
    minimal_pairs,
    vocabulary_words,
)
from electra_lab.text.microworld.lexicon import AGREEMENT

# much text is made by a fresh interpreter, where annotations are not checked on every call
MUCH_TEXT = """
import json
from electra_lab.bench.ngrams import pair_accuracy
from electra_lab.text.microworld import MicroWorld, minimal_pairs
pairs = minimal_pairs(600, "test", 0)
train = set(MicroWorld(0, "train").texts(30_000))
test = set(MicroWorld(0, "test").texts(15_000))
print(json.dumps({
    "pairs": [[pair.good, pair.bad, pair.phenomenon] for pair in pairs],
    "trigram": pair_accuracy(sentences=40_000, pairs=1_000, order=3),
    "unigram": pair_accuracy(sentences=10_000, pairs=400, order=1),
    "in training": [text for pair in pairs for text in (pair.good, pair.bad) if text in train],
    "bad but said": [pair.bad for pair in pairs if pair.bad in test],
}))
"""


SOME_PAIRS = """
import json
from electra_lab.text.microworld import minimal_pairs
print(json.dumps([[p.good, p.bad, p.phenomenon] for p in minimal_pairs(3, "test", 1)]))
"""


@cache
def much_text() -> dict[str, Any]:
    run = subprocess.run(
        [sys.executable, "-c", MUCH_TEXT], check=True, capture_output=True, text=True
    )
    return json.loads(run.stdout)


@cache
def pairs() -> tuple[MinimalPair, ...]:
    return tuple(MinimalPair(*pair) for pair in much_text()["pairs"])


def test_a_trigram_model_gets_at_most_60_percent_of_the_pairs_right() -> None:
    assert much_text()["trigram"]["overall"] <= 0.60


def test_no_phenomenon_is_solved_by_a_trigram_model() -> None:
    for phenomenon in PHENOMENA:
        assert much_text()["trigram"][phenomenon] <= 0.75, phenomenon


def test_frequency_of_words_decides_no_more_than_chance() -> None:
    assert 0.35 <= much_text()["unigram"]["overall"] <= 0.60


def test_pairs_differ_in_exactly_one_word() -> None:
    for pair in pairs():
        good, bad = words_of(pair.good), words_of(pair.bad)
        assert len(good) == len(bad)
        assert sum(g != b for g, b in zip(good, bad, strict=True)) == 1, pair


def test_every_phenomenon_has_the_same_number_of_pairs() -> None:
    counts = Counter(pair.phenomenon for pair in pairs())
    assert set(counts) == set(PHENOMENA)
    assert max(counts.values()) - min(counts.values()) <= 1


def test_neither_half_of_a_pair_occurs_in_training_text() -> None:
    assert much_text()["in training"] == []


def test_no_bad_sentence_is_one_that_the_world_says() -> None:
    assert much_text()["bad but said"] == []


def test_bad_sentences_are_made_of_words_of_the_world() -> None:
    words = set(vocabulary_words())
    for pair in pairs():
        assert set(words_of(pair.bad)) <= words, pair


def test_agreement_pairs_come_in_both_directions_equally_often() -> None:
    direction = Counter()
    for pair in pairs():
        if pair.phenomenon.startswith("agreement"):
            good, bad = words_of(pair.good), words_of(pair.bad)
            good_verb, bad_verb = next((g, b) for g, b in zip(good, bad, strict=True) if g != b)
            singular = AGREEMENT.get(good_verb) == bad_verb
            assert singular or AGREEMENT[bad_verb] == good_verb, pair
            direction[singular] += 1
    assert direction[True] == direction[False] > 50


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_same_seed_gives_the_same_pairs_in_every_process(hash_seed: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", SOME_PAIRS],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
    )
    assert json.loads(run.stdout) == [
        [pair.good, pair.bad, pair.phenomenon] for pair in minimal_pairs(3, "test", 1)
    ]


@pytest.mark.parametrize("n", [0, 2])
def test_any_number_of_pairs_can_be_made(n: int) -> None:
    assert len(minimal_pairs(n, "test", 0)) == n


def test_a_negative_number_of_pairs_is_refused() -> None:
    with pytest.raises(ValueError, match="-3"):
        minimal_pairs(-3)


EXAMPLES = {
    "tense": r"\b(yesterday|tomorrow|last|next)\b",
    "verb form": r"^(Did|Has|Have) .*\?$",
    "correlative": r"\b(both|either|neither)\b",
    "reflexive": r"\b(herself|himself|themselves|itself)\b",
    "possessive": r"\b(her|his|their) own\b",
    "negative polarity": r"\b(ever|never)\b",
    "filler and gap": r"\b(what|that)\b",
}


@pytest.mark.parametrize("phenomenon", EXAMPLES)
def test_pairs_show_their_phenomenon(phenomenon: str) -> None:
    for pair in pairs():
        if pair.phenomenon == phenomenon:
            assert re.search(EXAMPLES[phenomenon], pair.good, re.IGNORECASE), pair
