"""The explorer of vectors: which vectors there are, where they come from, what moves with a control."""

import pytest
import torch
import transformers

from electra_lab.checkpoints.pair import Pair, load_pair
from electra_lab.inside.explorers import EmbeddingExplorer
from electra_lab.inside.explorers.colourings import (
    by_frequency,
    by_kind,
    by_place,
    by_tag,
    microworld,
    of_microworld,
)
from electra_lab.inside.vectors import project_rows, word_states, word_table
from electra_lab.model.electra import tie_embeddings
from electra_lab.model.heads import ElectraForPreTraining
from electra_lab.text.microworld import MicroWorld

TEXTS = ["The chef cooked the meal.", "The old dogs slept in the house."]


@pytest.fixture
def tied(pair):
    tie_embeddings(pair.generator, pair.discriminator)
    return pair


@pytest.fixture(scope="module")
def micro():
    return load_pair("micro")


def test_a_tied_pair_has_one_table_and_a_projection_for_each_half(tied):
    explorer = EmbeddingExplorer(tied)
    assert explorer.spaces == [
        "word table",
        "generator: after the projection",
        "discriminator: after the projection",
    ]
    assert [explorer.left, explorer.right] == explorer.spaces[:2]


def test_a_pair_that_is_not_tied_has_two_tables(pair):
    assert EmbeddingExplorer(pair).spaces[:2] == [
        "generator: word table",
        "discriminator: word table",
    ]


def test_the_neighbours_of_a_piece_are_those_of_its_row_before_and_after_the_projection(tied):
    explorer = EmbeddingExplorer(tied)
    ids = tied.tokenizer.get_vocab()
    rows = tied.generator.electra.embeddings.word.weight.detach()
    for panel, vectors in enumerate((rows, tied.generator.electra.projection(rows).detach())):
        cosines = torch.cosine_similarity(vectors, vectors[ids["dog"]][None])
        cosines[[ids["dog"], tied.tokenizer.pad_token_id]] = -2
        best = cosines.topk(10)
        said = explorer.neighbours("dog", panel)
        assert [cosine for _, cosine in said] == pytest.approx(best.values.tolist(), abs=1e-5)
        assert [ids[label] for label, _ in said] == best.indices.tolist()


def test_padding_and_unused_places_are_no_points(pair):
    vocabulary = EmbeddingExplorer(pair).projector.labels
    assert "[PAD]" not in vocabulary
    assert len(vocabulary) == len(pair.tokenizer) - 1


def test_the_states_are_those_that_the_model_computes(pair):
    found = word_states(pair.discriminator, pair.tokenizer, TEXTS, batch_size=1)
    assert [at.word for at in found.words][:6] == ["The", "chef", "cooked", "the", "meal", "."]
    inputs = pair.tokenizer(TEXTS[1:], return_tensors="pt")
    states = pair.discriminator.electra(**inputs, output_hidden_states=True).hidden_states
    words = inputs.word_ids(0)
    dogs = [place for place, word in enumerate(words) if word == 2]
    assert len(dogs) == 2  # dog ##s
    (number,) = [n for n, at in enumerate(found.words) if at.word == "dogs"]
    for stage, layer in (("after the projection", 0), ("layer 1", 1), ("layer 2", 2)):
        expected = states[layer][0, dogs].mean(dim=0)
        torch.testing.assert_close(found.stages[stage][number], expected, atol=1e-5, rtol=1e-4)


def test_batches_do_not_matter(pair):
    one = word_states(pair.discriminator, pair.tokenizer, TEXTS, batch_size=1)
    both = word_states(pair.discriminator, pair.tokenizer, TEXTS)
    assert one.words == both.words
    for stage, vectors in one.stages.items():
        torch.testing.assert_close(vectors, both.stages[stage], atol=1e-5, rtol=1e-4)


def test_a_folder_and_a_live_model_of_transformers_give_the_same_vectors(pair, tmp_path):
    pair.discriminator.save_pretrained(tmp_path)
    theirs = transformers.ElectraForPreTraining.from_pretrained(tmp_path)
    theirs.save_pretrained(tmp_path / "theirs")
    loaded = ElectraForPreTraining.from_pretrained(tmp_path / "theirs")
    rows = word_table(pair.discriminator)
    expected = word_states(pair.discriminator, pair.tokenizer, TEXTS)
    for model in (theirs, loaded):
        assert torch.equal(word_table(model), rows)
        torch.testing.assert_close(
            project_rows(model, rows), project_rows(pair.discriminator, rows)
        )
        found = EmbeddingExplorer(model, pair.tokenizer, texts=TEXTS)
        assert found.spaces == list(expected.stages)
        for stage, vectors in expected.stages.items():
            torch.testing.assert_close(found._vectors(stage), vectors, atol=1e-4, rtol=1e-4)


def test_two_checkpoints_stand_side_by_side_with_the_pieces_that_both_have(pair):
    from electra_lab.text.tokenization import ElectraTokenizerFast

    other = ElectraTokenizerFast(vocab=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "dog", "the"])
    explorer = EmbeddingExplorer(
        {
            "before": pair,
            "after": Pair(pair.generator, pair.discriminator, other),
        }
    )
    assert set(explorer.projector.labels) == set(other.get_vocab()) - {"[PAD]"}
    assert explorer.spaces[0] == "before generator: word table"
    assert "after discriminator: after the projection" in explorer.spaces


def test_one_word_in_several_sentences(pair):
    explorer = EmbeddingExplorer(pair, texts=TEXTS, word="the")
    assert explorer.projector.labels == ["The", "the", "The", "the"]
    assert explorer.projector.details[1] == "The chef cooked »the« meal."
    assert (explorer.left, explorer.right) == (
        "discriminator: embeddings",
        "discriminator: layer 2",
    )


def test_labels_of_texts_colour_their_words(pair):
    explorer = EmbeddingExplorer(pair, texts=TEXTS, labels=["food", "sleep"])
    assert explorer.colour == "label"
    assert {entry.name: entry.count for entry in explorer.projector.legend} == {
        "food": 6,
        "sleep": 8,
    }


def test_the_controls_choose_points_spaces_method_and_colour(tied):
    explorer = EmbeddingExplorer(tied, texts=TEXTS)
    explorer.controls["points"].value = "vocabulary"
    assert explorer.points == "vocabulary"
    assert explorer.controls["left"].value == explorer.left == "word table"
    explorer.controls["right"].value = "discriminator: after the projection"
    assert explorer.projector.clouds[1].title == "discriminator: after the projection"
    explorer.controls["right"].value = "nothing"
    assert len(explorer.projector.clouds) == 1
    explorer.controls["colour"].value = "place in the vocabulary"
    assert explorer.projector.kind == "place in the vocabulary"
    explorer.controls["method"].value = "t-SNE"
    assert explorer.projector.clouds[0].how.startswith("t-SNE")


def test_typed_sentences_become_points(pair):
    explorer = EmbeddingExplorer(pair)
    assert explorer.controls["points"].options == ("vocabulary",)
    explorer.controls["texts"].value = "the dog slept\n\nthe chef ate"
    assert explorer.points == "sentences"
    assert explorer.projector.labels == ["the", "dog", "slept", "the", "chef", "ate"]
    explorer.controls["word"].value = "dog"
    assert explorer.projector.labels == ["dog"]
    assert explorer.to_png()


def test_what_cannot_be_read_gives_a_message_and_leaves_the_points(pair):
    explorer = EmbeddingExplorer(pair, texts=TEXTS)
    before = list(explorer.projector.labels)
    for typed, message in (
        ("", "There are no texts. Give at least one sentence."),
        ("dog " * 40, "The input has 42 tokens, the model 32 positions"),
    ):
        explorer.controls["texts"].value = typed
        assert message in explorer.projector.note
        assert explorer.projector.labels == before
        assert explorer.controls["texts"].value == typed
    explorer.controls["texts"].value = "the dog"
    assert explorer.projector.note == "2 words of the texts"
    explorer.controls["word"].value = "zebra"
    assert explorer.projector.note == "The word 'zebra' occurs in none of the texts."


def test_a_large_vocabulary_is_shown_in_part_and_says_so(micro):
    explorer = EmbeddingExplorer(micro, limit=50)
    assert explorer.projector.note == "50 of 577 pieces of the vocabulary"
    counts = microworld().counts
    shown = [counts.get(label, 0) for label in explorer.projector.labels]
    assert shown == sorted(counts.values(), reverse=True)[:50]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(points="layers"), "points is 'layers'. Use one of 'vocabulary', 'sentences'"),
        (dict(points="sentences"), "There are no sentences yet"),
        (dict(left="layer 9"), "left is 'layer 9'. Use one of 'generator: word table'"),
        (dict(right="layer 9"), "right is 'layer 9'. Use one of 'nothing'"),
        (dict(method="LDA"), "method is 'LDA'. Use one of 'PCA', 't-SNE'"),
        (dict(colour="taste"), "colour is 'taste'. Use one of 'kind of piece'"),
    ],
)
def test_choices_that_do_not_exist_are_refused(pair, options, message):
    with pytest.raises(ValueError, match=message):
        EmbeddingExplorer(pair, **options)
    explorer = EmbeddingExplorer(pair)
    before = repr(explorer)
    with pytest.raises(ValueError, match=message):
        explorer.show(**options)
    explorer.show()
    assert repr(explorer) == before


def test_what_an_explorer_needs_is_asked_for(pair):
    with pytest.raises(ValueError, match="A model needs its tokenizer"):
        EmbeddingExplorer(pair.discriminator)
    with pytest.raises(ValueError, match="There are 2 texts but 1 labels"):
        EmbeddingExplorer(pair, texts=TEXTS, labels=["one"])
    with pytest.raises(ValueError, match="texts is one string"):
        EmbeddingExplorer(pair, texts="the dog")
    with pytest.raises(TypeError, match="Expected an ELECTRA"):
        EmbeddingExplorer(torch.nn.Linear(2, 2), pair.tokenizer)


def test_pieces_are_told_apart_by_kind():
    pieces = ["dog", "##s", ",", "...", "1990", "[CLS]", "don't", "##1"]
    assert by_kind(pieces, ["[CLS]"]).categories == (
        *("whole word", "continuation ##", "punctuation", "punctuation"),
        *("digits", "special", "whole word", "continuation ##"),
    )


def test_the_microworlds_words_have_its_parts_of_speech(micro, pair):
    assert of_microworld(micro.tokenizer.get_vocab())
    assert not of_microworld(pair.tokenizer.get_vocab())
    assert not of_microworld(load_pair("mini").tokenizer.get_vocab())
    words = {w.text: w.pos for s in MicroWorld(seed=3).sentences(50) for w in s.words}
    said = by_tag(list(words), microworld().tags).categories
    same = sum(a == b for a, b in zip(said, words.values(), strict=True))
    assert same / len(words) > 0.97  # "that" and "own" are two words each
    assert by_tag(["The", "##s"], microworld().tags).categories == ("DET", "other")


def test_bands_of_frequency_hold_as_many_words_as_they_say():
    counts = {f"w{i}": 1000 - i for i in range(200)} | {"gone": 0}
    made = by_frequency([*counts, "new"], counts)
    assert made.order == ("1 to 10", "11 to 30", "31 to 100", "101 to 200", "never")
    assert [made.categories.count(band) for band in made.order] == [10, 20, 70, 100, 2]
    assert made.categories[0] == "1 to 10"
    places = by_place(["a", "z"], {"a": 0, "z": 2_000} | {f"w{i}": i for i in range(1, 2_000)})
    assert places.categories == ("1 to 10", "1,001 to 2,001")
