"""Analyses over many sentences: against loops over what transformers computes, and planted answers."""

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy

from electra_lab import MicroWorld, load_pair
from electra_lab.checkpoints.resources import data_path
from electra_lab.inside.analysis import (
    ParsedSentence,
    attention_focus,
    head_importance,
    head_relations,
    microworld_sentences,
    probe_layers,
    read_conllu,
    relations,
    word_attention,
)
from electra_lab.inside.analysis.probing import first_piece_states

TREEBANK = """\
# text = Don't feed the old dogs.
1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\t_
1\tDo\tdo\tAUX\t_\t_\t3\taux\t_\t_
2\tn't\tnot\tPART\t_\t_\t3\tadvmod\t_\t_
3\tfeed\tfeed\tVERB\t_\t_\t0\troot\t_\t_
3.1\tyou\tyou\tPRON\t_\t_\t_\t_\t_\t_
4\tthe\tthe\tDET\t_\t_\t6\tdet\t_\t_
5\told\told\tADJ\t_\t_\t6\tamod:rank\t_\t_
6\tdogs\tdog\tNOUN\t_\t_\t3\tobj\t_\t_
7\t.\t.\tPUNCT\t_\t_\t3\tpunct\t_\t_

"""


@pytest.fixture(scope="module")
def pair():
    return load_pair("micro")


@pytest.fixture(scope="module")
def theirs():
    return transformers.ElectraForPreTraining.from_pretrained(
        data_path("checkpoints", "micro-discriminator"),
        dtype=torch.float32,
        attn_implementation="eager",
    ).eval()


# "frogs" and "xylophone" are no words of the micro-world: they fall into several pieces
SENTENCES = [["the", "dogs", "see", "frogs", "."], ["a", "xylophone"], ["Anna", "is", "happy"]]


def test_attention_between_words_is_summed_to_a_word_and_averaged_from_it(pair, theirs):
    found = list(word_attention(pair.discriminator, pair.tokenizer, SENTENCES, batch_size=2))
    assert len(found) == len(SENTENCES)
    for words, attention in zip(SENTENCES, found, strict=True):
        encoding = pair.tokenizer(words, is_split_into_words=True, return_tensors="pt")
        ids = encoding.word_ids(0)
        assert len([i for i in ids if i is not None]) > len(words) or "xylophone" not in words
        with torch.no_grad():
            layers = theirs(**encoding, output_attentions=True).attentions
        for layer, weights in enumerate(layers):
            for head in range(weights.shape[1]):
                for source in range(len(words)):
                    rows = [i for i, word in enumerate(ids) if word == source]
                    for target in range(len(words)):
                        columns = [i for i, word in enumerate(ids) if word == target]
                        expected = sum(
                            weights[0, head, i, j].item() for i in rows for j in columns
                        ) / len(rows)
                        value = attention[layer, head, source, target].item()
                        assert value == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("sentence", [[], ["the", "\u200b", "dog"]])
def test_words_without_pieces_are_refused(pair, sentence):
    with pytest.raises(ValueError, match=r"without words|makes nothing of"):
        list(word_attention(pair.discriminator, pair.tokenizer, [sentence]))


def planted(sentences, layers=2, heads=3, right=(1, 2)):
    """Attention at random, but one head that looks from each dependent at its head."""
    chance = torch.Generator().manual_seed(0)
    for sentence in sentences:
        size = len(sentence.words)
        attention = torch.rand(layers, heads, size, size, generator=chance)
        attention.diagonal(dim1=-2, dim2=-1).fill_(5.0)  # itself, which is not to count
        for _, source, target in sentence.relations:
            attention[*right, source, target] = 2.0
        yield attention


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 6), st.integers(0, 100))
def test_a_planted_head_and_the_best_distance_are_found(distance, seed):
    chance = torch.Generator().manual_seed(seed)
    sentences = []
    for number in range(60):
        far = distance if number % 3 else 1  # two in three at this distance, the others next to it
        first = int(torch.randint(0, 8 - distance, (1,), generator=chance))
        sentences.append(ParsedSentence(("w",) * 8, ("X",) * 8, (("a -> b", first, first + far),)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(relations, "word_attention", lambda *_: planted(sentences))
        report = head_relations(None, None, sentences)
    one = report["a -> b"]
    assert (one.layer, one.head, one.best) == (1, 2, 1.0)
    assert not one.reverse
    assert one.offset == distance
    counted = sentences[1::2]
    assert one.count == len(counted)
    at_distance = sum(s.relations[0][2] - s.relations[0][1] == distance for s in counted)
    assert one.baseline == pytest.approx(at_distance / len(counted))
    others = one.accuracy.flatten().tolist()
    assert max(value for value in others if value != 1.0) < 0.6
    (backwards,) = [r for r in report.relations if r.reverse]
    assert backwards.offset == -distance
    assert backwards.best < 0.6


def test_too_few_relations_to_choose_and_count_are_refused(pair):
    sentences = microworld_sentences(MicroWorld(split="test").sentences(4, seed=0))
    with pytest.raises(ValueError, match="No relation occurs 10 times"):
        head_relations(pair.discriminator, pair.tokenizer, sentences)


def test_a_trained_model_has_a_head_that_finds_subjects_better_than_any_fixed_distance(pair):
    sentences = microworld_sentences(MicroWorld(split="test").sentences(1_200, seed=3))
    report = head_relations(pair.discriminator, pair.tokenizer, sentences)
    assert report["verb -> subject"].best > report["verb -> subject"].baseline
    assert "verb -> subject" in str(report)
    first = report.relations[0]  # heads are counted from 0, in the table as everywhere
    assert f" {first.layer}.{first.head} " in str(report).splitlines()[1]
    with pytest.raises(KeyError, match="no relation 'nsubj'"):
        report["nsubj"]


def test_relations_of_the_micro_world_are_what_it_says_of_its_words():
    sentences = MicroWorld(split="test").sentences(200, seed=1)
    names = set()
    for sentence, parsed in zip(sentences, microworld_sentences(sentences), strict=True):
        assert parsed.words == tuple(word.text for word in sentence.words)
        for name, source, target in parsed.relations:
            names.add(name)
            first, second = sentence.words[source], sentence.words[target]
            if name == "verb -> subject":
                assert first.pos in ("VERB", "AUX")
                assert first.number == second.number or second.text == "and"
            elif name == "pronoun -> antecedent":
                assert first.pos in ("PRON", "DET")
            else:
                assert first.role == name.split(" ")[0]
                assert [w.role for w in sentence.words].count("predicate") == 1
                assert second.role == "predicate"
    assert {"verb -> subject", "pronoun -> antecedent", "object -> predicate"} <= names


def test_a_treebank_is_read_without_ranges_empty_nodes_roots_and_punctuation(tmp_path):
    file = tmp_path / "few.conllu"
    file.write_text(TREEBANK * 2, encoding="utf-8")
    first, second = read_conllu(file)
    assert first == second
    assert first.words == ("Do", "n't", "feed", "the", "old", "dogs", ".")
    assert first.tags[2] == "VERB"
    assert first.relations == (
        ("aux -> head", 0, 2),
        ("advmod -> head", 1, 2),
        ("det -> head", 3, 5),
        ("amod -> head", 4, 5),
        ("obj -> head", 5, 2),
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "has no sentence"),
        ("one two three\n\n", "not in the CoNLL-U format"),
        ("1\tone two three\n\n", "sentence 1: word 1 has 2 columns"),
        (TREEBANK.replace("\t6\tdet", "\t9\tdet"), "sentence 1: the head of 'the' is 9"),
    ],
)
def test_a_file_that_is_no_treebank_is_refused(tmp_path, content, message):
    file = tmp_path / "wrong.conllu"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_conllu(file)


def test_importance_is_the_loss_without_the_heads_columns_of_the_output_matrix(pair):
    encoding = pair.tokenizer(
        MicroWorld(split="test").texts(6, seed=2), padding=True, return_tensors="pt"
    )
    labels = (
        torch.rand(encoding["input_ids"].shape, generator=torch.Generator().manual_seed(0)) < 0.2
    ).long()
    batches = [
        {**{name: values[part] for name, values in encoding.items()}, "labels": labels[part]}
        for part in (slice(0, 4), slice(4, 6))
    ]
    importance = head_importance(pair.discriminator, batches)
    model = load_pair("micro").discriminator

    def loss():
        with torch.no_grad():
            each = [(model(**batch).loss.item(), len(batch["labels"])) for batch in batches]
        return sum(value * rows for value, rows in each) / 6

    reference = loss()
    size = model.config.hidden_size // model.config.num_attention_heads
    for layer in range(importance.shape[0]):
        for head in range(importance.shape[1]):
            matrix = model.electra.encoder.layers[layer].attention.output.weight
            kept = matrix.detach().clone()
            with torch.no_grad():
                matrix[:, head * size : (head + 1) * size] = 0
            assert importance[layer, head].item() == pytest.approx(loss() - reference, abs=1e-5)
            with torch.no_grad():
                matrix.copy_(kept)


def test_importance_needs_labels(pair):
    inputs = pair.tokenizer(["Anna is happy."], return_tensors="pt")
    with pytest.raises(ValueError, match="gives no loss"):
        head_importance(pair.discriminator, [dict(inputs)])
    with pytest.raises(ValueError, match="no batches"):
        head_importance(pair.discriminator, [])


def test_states_of_words_are_transformers_states_at_their_first_pieces(pair, theirs):
    found = torch.cat([*first_piece_states(pair.discriminator, pair.tokenizer, SENTENCES)], dim=1)
    start = 0
    for words in SENTENCES:
        encoding = pair.tokenizer(words, is_split_into_words=True, return_tensors="pt")
        ids = encoding.word_ids(0)
        with torch.no_grad():
            layers = theirs(**encoding, output_hidden_states=True).hidden_states
        assert len(layers) == len(found)
        for position in range(len(words)):
            for states, layer in zip(found, layers, strict=True):
                torch.testing.assert_close(
                    states[start + position], layer[0, ids.index(position)], atol=1e-4, rtol=1e-4
                )
        start += len(words)


@pytest.fixture(scope="module")
def parsed():
    world = MicroWorld(split="test")
    return [microworld_sentences(world.sentences(n, seed=n)) for n in (120, 60)]


def test_a_probe_reads_parts_of_speech_and_fails_at_tags_drawn_at_random(pair, parsed):
    result = probe_layers(pair.discriminator, pair.tokenizer, *parsed)
    assert len(result.layers) == pair.discriminator.config.num_hidden_layers + 1
    best = max(result.layers, key=lambda one: one.accuracy)
    assert best.accuracy > result.majority + 0.3
    assert best.accuracy > 0.9
    assert all(0 <= one.accuracy <= 1 for one in result.layers)
    assert result.words == sum(len(sentence.words) for sentence in parsed[1])
    assert f"{best.accuracy:.3f}" in str(result)
    # what stands for the word itself is the easiest place to learn random tags by heart
    assert result.layers[0].control > result.layers[-1].control
    assert result.layers[0].selectivity == result.layers[0].accuracy - result.layers[0].control


def test_tags_that_follow_from_the_word_are_known_to_who_knows_the_word(pair, parsed):
    tags = tuple([[str(len(w) % 2) for w in s.words] for s in part] for part in parsed)
    result = probe_layers(pair.discriminator, pair.tokenizer, *parsed, tags=tags)
    seen = {word for sentence in parsed[0] for word in sentence.words}
    new = [word for sentence in parsed[1] for word in sentence.words if word not in seen]
    assert 1 - len(new) / result.words <= result.by_word <= 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda train, test: dict(train=[], test=test), "no sentences in train"),
        (
            lambda train, test: dict(train=train, test=test, tags=([["a"]] * 120, [["a"]] * 60)),
            "Sentence 1 of train has",
        ),
        (
            lambda train, test: dict(
                train=train,
                test=test,
                tags=tuple([["a" for _ in s.words] for s in part] for part in (train, test)),
            ),
            "have the tag 'a'",
        ),
    ],
)
def test_what_cannot_be_probed_is_refused(pair, parsed, change, message):
    with pytest.raises(ValueError, match=message):
        probe_layers(pair.discriminator, pair.tokenizer, **change(*parsed))


def test_focus_is_what_loops_over_their_weights_give(pair, theirs):
    texts = ["Emma saw the old dog.", "She slept.", "The dogs that Emma saw were not happy."]
    focus = attention_focus(pair.discriminator, pair.tokenizer, texts, batch_size=2)
    looks = 0
    shape = focus.tokens_looked_at.shape
    entropies, first = torch.zeros(shape), torch.zeros(shape)
    on = {name: torch.zeros(shape) for name in focus.on}
    for text in texts:
        ids = pair.tokenizer(text, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            found = theirs(ids, output_attentions=True).attentions
        n = ids.shape[1]
        looks += n
        for layer, weights in enumerate(found):
            for head, square in enumerate(weights[0]):
                entropies[layer, head] += entropy(square.numpy(), axis=-1).sum().item()
                first[layer, head] += entropy(square[0].numpy()).item()
                for i in range(n):
                    on["itself"][layer, head] += square[i, i]
                    on["special"][layer, head] += square[i, 0] + square[i, n - 1]
                    if i > 0:
                        on["before"][layer, head] += square[i, i - 1]
                    if i < n - 1:
                        on["after"][layer, head] += square[i, i + 1]
    assert focus.count == looks
    close = dict(rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(focus.tokens_looked_at, (entropies / looks).exp(), **close)
    torch.testing.assert_close(focus.first_looks_at, (first / len(texts)).exp(), **close)
    for name, share in focus.on.items():
        torch.testing.assert_close(share, on[name] / looks, **close)


def test_focus_names_the_heads_whose_scores_have_grown_too_large():
    model = load_pair("micro").discriminator
    tokenizer = load_pair("micro").tokenizer
    texts = MicroWorld(seed=0, split="test").texts(20, seed=1)
    healthy = attention_focus(model, tokenizer, texts)
    layer = model.electra.encoder.layers[1].attention
    size = layer.query.out_features // model.config.num_attention_heads
    with torch.no_grad():
        layer.query.weight[:size] *= 1e4  # head 0
        layer.query.bias[:size] *= 1e4
    sharp = attention_focus(model, tokenizer, texts)
    assert set(sharp.saturated()) - set(healthy.saturated()) == {(1, 0)}
    assert "1.0" in str(sharp)
    assert "saturated" in repr(sharp)
    with pytest.raises(ValueError, match="at least one"):
        attention_focus(model, tokenizer, [])
