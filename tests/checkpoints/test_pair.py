"""Pairs: both halves and their tokenizer under one name."""

import pytest
import torch
import transformers

from electra_lab import (
    ElectraConfig,
    ElectraForMaskedLM,
    ElectraForPreTraining,
    ElectraTokenizerFast,
    Pair,
    load_pair,
    tie_embeddings,
)

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "sleeps", "."]


def fresh_pair() -> Pair:
    torch.manual_seed(0)
    config = ElectraConfig.from_preset("micro", vocab_size=len(VOCABULARY), initializer_range=0.2)
    generator = ElectraForMaskedLM(config.for_generator(1 / 4)).eval()
    discriminator = ElectraForPreTraining(config).eval()
    tie_embeddings(generator, discriminator)
    return Pair(generator, discriminator, ElectraTokenizerFast(vocab=VOCABULARY))


def logits_of(pair: Pair) -> list[torch.Tensor]:
    inputs = pair.tokenizer("the [MASK] sleeps.", return_tensors="pt")
    with torch.no_grad():
        return [pair.generator(**inputs).logits, pair.discriminator(**inputs).logits]


def test_a_saved_pair_loads_with_the_same_answers_and_shared_tables(tmp_path):
    pair = fresh_pair()
    pair.save(tmp_path / "mine")
    again = load_pair(tmp_path / "mine")
    for got, expected in zip(logits_of(again), logits_of(pair), strict=True):
        assert torch.equal(got, expected)
    assert again.generator.electra.embeddings is again.discriminator.electra.embeddings


def test_tables_that_differ_are_not_shared(tmp_path):
    pair = fresh_pair()
    pair.generator.electra.embeddings = ElectraForMaskedLM(pair.generator.config).electra.embeddings
    pair.save(tmp_path)
    again = load_pair(tmp_path)
    assert again.generator.electra.embeddings is not again.discriminator.electra.embeddings


def test_siblings_and_the_environment_name_a_pair_too(tmp_path, monkeypatch):
    pair = fresh_pair()
    pair.save(tmp_path)
    (tmp_path / "generator").rename(tmp_path / "mine-generator")
    (tmp_path / "discriminator").rename(tmp_path / "mine-discriminator")
    monkeypatch.setenv("ELECTRA_LAB_MODEL", str(tmp_path / "mine"))
    for got, expected in zip(logits_of(load_pair()), logits_of(pair), strict=True):
        assert torch.equal(got, expected)


def test_a_half_stands_for_its_pair(tmp_path):
    pair = fresh_pair()
    pair.save(tmp_path / "beside")
    named = [tmp_path / "beside" / "discriminator", tmp_path / "beside" / "generator"]
    pair.save(tmp_path / "apart")
    for half in ("generator", "discriminator"):
        (tmp_path / "apart" / half).rename(tmp_path / f"mine-{half}")
        named.append(tmp_path / f"mine-{half}")
    pair.save(tmp_path / "no-generator")
    named.append(tmp_path / "no-generator")  # a folder of a pair may be called like a half
    for name in named:
        for got, expected in zip(logits_of(load_pair(name)), logits_of(pair), strict=True):
            assert torch.equal(got, expected)


def test_transformers_loads_both_halves_and_the_tokenizer(tmp_path):
    pair = fresh_pair()
    pair.save(tmp_path)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "discriminator")
    assert tokenizer.model_max_length == pair.discriminator.config.max_position_embeddings
    inputs = tokenizer("The [MASK] sleeps.", return_tensors="pt")
    generator = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path / "generator")
    discriminator = transformers.AutoModelForPreTraining.from_pretrained(tmp_path / "discriminator")
    with torch.no_grad():
        theirs = [generator(**inputs).logits, discriminator(**inputs).logits]
    for got, expected in zip(theirs, logits_of(pair), strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)


def test_a_pair_that_is_not_there_is_named_with_what_would_be(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no pair 'maxi'. A pair is a bundled name \("):
        load_pair("maxi")
    fresh_pair().save(tmp_path)
    (tmp_path / "generator").rename(tmp_path / "elsewhere")
    with pytest.raises(FileNotFoundError, match="generator/ and discriminator/ in it"):
        load_pair(tmp_path)
    with pytest.raises(FileNotFoundError, match="/discriminator'. A pair is"):
        load_pair(tmp_path / "discriminator")
