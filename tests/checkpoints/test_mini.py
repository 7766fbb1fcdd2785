"""The pair that ships with the package and has read real English."""

import json
import socket
from dataclasses import replace

import pytest
import torch
import transformers
from safetensors.torch import load_file

from electra_lab import ElectraForPreTraining, load_pair, replaced_probabilities
from electra_lab.bench.mini import table
from electra_lab.checkpoints.resources import data_path
from electra_lab.training.recipe import Recipe

HALVES = ("mini-generator", "mini-discriminator")
PLANTED = [
    ("The doctor came into the room and sat down because her bed.", "because"),
    ("My brother drinks a cup of mountain every morning.", "mountain"),
    ("The ship sailed across the kitchen for many days.", "kitchen"),
    ("She has never walk to the city before.", "walk"),
    ("They were so tired that they went straight to purple.", "purple"),
    ("The old king had three daughters and one sons.", "sons"),
    ("He opened the door and saw a tall woman standing of the window.", "of"),
    ("The teacher wrote the answer on the cloud with a piece of chalk.", "cloud"),
    ("It was a cold night, and the wind was blowing hardly the trees.", "hardly"),
    ("Her mother told she not to be late for dinner.", "she"),
    ("The farmer sold two cows and a horse at the religion.", "religion"),
    ("I do not know where he is, but he will soon come dog.", "dog"),
    ("The soldiers marched through the village in the early spoon.", "spoon"),
    ("If you are hungry, there is some bread and government on the table.", "government"),
    ("The president of the company signed the sandwich yesterday.", "sandwich"),
    ("A small boat was lying on the shore of the lake with nobody in what.", "what"),
    ("We walked for an hour before we could saw the sea.", "saw"),
    ("The poor boy had neither money and friends.", "and"),
    ("She put on her coat, took her hat, and went out into the percent.", "percent"),
    ("The two sisters was sitting by the fire when the letter came.", "was"),
]


@pytest.fixture(scope="module")
def pair():
    return load_pair("mini")


def test_it_loads_with_no_network(monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError(f"the network was asked for {arguments}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    model = ElectraForPreTraining.from_pretrained("mini-discriminator")
    assert not model.training


def test_it_is_small_and_stored_in_half_precision(pair):
    files = [data_path("checkpoints", half, "model.safetensors") for half in HALVES]
    assert sum(file.stat().st_size for file in files) <= 40e6
    for file in files:
        assert {tensor.dtype for tensor in load_file(file).values()} == {torch.float16}
    assert pair.discriminator.num_parameters() <= 8e6
    assert {p.dtype for p in pair.discriminator.parameters()} == {torch.float32}
    # one set of tables, as it was trained
    assert pair.generator.electra.embeddings is pair.discriminator.electra.embeddings


def test_its_shape_is_that_of_the_recipes(pair):
    recipe = Recipe.load("mini")
    assert len(pair.tokenizer) == recipe.vocabulary_size
    config = recipe.config(recipe.vocabulary_size)
    added = Recipe.load("mini_deepened").added_layers
    deeper = replace(config, num_hidden_layers=config.num_hidden_layers + added)
    for wanted, model in (
        (deeper, pair.discriminator),
        (recipe.generator_config(config), pair.generator),
    ):
        stored = model.config.to_dict()
        for name, value in wanted.to_dict().items():
            assert stored[name] == value, name


def test_transformers_gives_the_same_logits(pair):
    theirs = transformers.ElectraForPreTraining.from_pretrained(
        data_path("checkpoints", "mini-discriminator"), dtype=torch.float32
    )
    inputs = pair.tokenizer("The ship sailed across the kitchen.", return_tensors="pt")
    with torch.no_grad():
        expected = theirs(**inputs).logits
        torch.testing.assert_close(
            pair.discriminator(**inputs).logits, expected, atol=1e-4, rtol=1e-4
        )


def test_its_figures_on_the_page_are_those_of_the_command():
    report = json.loads(data_path("results", "mini.json").read_text(encoding="utf-8"))
    card = data_path("README.md").read_text(encoding="utf-8")
    assert report["command"] == "electra-lab bench mini --corpus CORPUS --text TEXT"
    assert report["command"] in card
    assert table(report) in card


def test_it_knows_more_than_how_frequent_words_are():
    report = json.loads(data_path("results", "mini.json").read_text(encoding="utf-8"))
    for figures in report["texts"].values():
        assert figures["mlm_accuracy"] > 3 * figures["unigram_accuracy"]
        assert figures["rtd_auc_fixed"] > 0.7


def test_a_planted_wrong_word_is_mostly_among_the_three_most_suspicious(pair):
    found = 0
    for text, wrong in PLANTED:
        answer = replaced_probabilities(pair.discriminator, pair.tokenizer, text)
        order = sorted(zip(answer.probabilities, answer.tokens, strict=True), reverse=True)
        found += any(token in pair.tokenizer.tokenize(wrong) for _, token in order[:3])
    # by chance: three of about fourteen tokens
    assert found > len(PLANTED) / 2, f"{found} of {len(PLANTED)}"
