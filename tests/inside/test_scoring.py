"""Sentence scores: the sum over tokens of log(1 - p(replaced))."""

from __future__ import annotations

import math

import pytest
import torch

from electra_lab.inside.scoring import pseudo_log_likelihoods, score_sentences
from electra_lab.model.config import ElectraConfig
from electra_lab.model.heads import ElectraForMaskedLM, ElectraForPreTraining
from electra_lab.text.microworld import MicroWorld, vocabulary_words
from electra_lab.text.tokenization import ElectraTokenizerFast


@pytest.fixture(scope="module")
def tokenizer() -> ElectraTokenizerFast:
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    return ElectraTokenizerFast(vocab=[*specials, *vocabulary_words()])


@pytest.fixture(scope="module")
def discriminator(tokenizer: ElectraTokenizerFast) -> ElectraForPreTraining:
    torch.manual_seed(0)
    config = ElectraConfig.from_preset(
        "micro", vocab_size=len(tokenizer), initializer_range=0.1, hidden_dropout_prob=0.5
    )
    return ElectraForPreTraining(config)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return MicroWorld(0, "test").texts(23)


def by_hand(
    discriminator: ElectraForPreTraining, tokenizer: ElectraTokenizerFast, text: str
) -> float:
    discriminator.eval()
    with torch.no_grad():
        logits = discriminator(torch.tensor([tokenizer(text)["input_ids"]])).logits[0]
    return sum(math.log(1 - 1 / (1 + math.exp(-x))) for x in logits.double().tolist())


def test_scores_equal_a_loop_over_single_sentences(discriminator, tokenizer, texts) -> None:
    expected = [by_hand(discriminator, tokenizer, text) for text in texts]
    assert score_sentences(discriminator, tokenizer, texts, 4) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("batch_size", [1, 5, 64])
def test_the_batch_size_does_not_matter(discriminator, tokenizer, texts, batch_size) -> None:
    expected = score_sentences(discriminator, tokenizer, texts, 7)
    found = score_sentences(discriminator, tokenizer, texts, batch_size)
    assert found == pytest.approx(expected, abs=1e-4)


def test_scores_come_in_the_order_of_the_texts(discriminator, tokenizer, texts) -> None:
    forwards = score_sentences(discriminator, tokenizer, texts)
    backwards = score_sentences(discriminator, tokenizer, texts[::-1])
    assert forwards == pytest.approx(backwards[::-1], abs=1e-4)
    assert len(set(forwards)) == len(set(texts))


def test_a_certain_discriminator_gives_finite_scores(tokenizer, texts) -> None:
    config = ElectraConfig.from_preset("micro", vocab_size=len(tokenizer))
    certain = ElectraForPreTraining(config)
    torch.nn.init.constant_(certain.head.score.bias, 200.0)
    scores = score_sentences(certain, tokenizer, texts)
    lengths = [len(tokenizer(text)["input_ids"]) for text in texts]
    assert scores == pytest.approx([-200.0 * length for length in lengths], rel=0.05)


@pytest.mark.parametrize("training", [True, False])
def test_dropout_is_off_and_the_mode_is_left_as_it_was(
    discriminator, tokenizer, texts, training
) -> None:
    discriminator.train(training)
    first = score_sentences(discriminator, tokenizer, texts)
    assert first == score_sentences(discriminator, tokenizer, texts)
    assert discriminator.training is training


def test_no_texts_give_no_scores(discriminator, tokenizer) -> None:
    assert score_sentences(discriminator, tokenizer, []) == []


def test_one_string_is_refused(discriminator, tokenizer) -> None:
    with pytest.raises(ValueError, match="give a list of texts"):
        score_sentences(discriminator, tokenizer, "The girl saw the dog.")


def test_a_batch_size_of_zero_is_refused(discriminator, tokenizer, texts) -> None:
    with pytest.raises(ValueError, match="batch_size is 0"):
        score_sentences(discriminator, tokenizer, texts, 0)


@pytest.fixture(scope="module")
def generator(tokenizer: ElectraTokenizerFast) -> ElectraForMaskedLM:
    torch.manual_seed(1)
    config = ElectraConfig.from_preset(
        "micro", vocab_size=len(tokenizer), initializer_range=0.1, hidden_dropout_prob=0.5
    )
    return ElectraForMaskedLM(config)


def likelihood_by_hand(
    generator: ElectraForMaskedLM, tokenizer: ElectraTokenizerFast, text: str
) -> float:
    generator.eval()
    ids = tokenizer(text)["input_ids"]
    total = 0.0
    for place in range(1, len(ids) - 1):
        masked = [*ids[:place], tokenizer.mask_token_id, *ids[place + 1 :]]
        with torch.no_grad():
            logits = generator(torch.tensor([masked])).logits[0, place].double()
        total += float(logits[ids[place]] - logits.exp().sum().log())
    return total


@pytest.mark.parametrize("batch_size", [2, 64])
def test_pseudo_log_likelihoods_equal_a_loop_that_masks_one_token(
    generator, tokenizer, texts, batch_size
) -> None:
    expected = [likelihood_by_hand(generator, tokenizer, text) for text in texts[:6]]
    generator.train()
    found = pseudo_log_likelihoods(generator, tokenizer, texts[:6], batch_size)
    assert found == pytest.approx(expected, abs=1e-3)
    assert generator.training


def test_a_text_without_tokens_has_nothing_to_be_unlikely(generator, tokenizer) -> None:
    assert pseudo_log_likelihoods(generator, tokenizer, [""]) == [0.0]
    with pytest.raises(ValueError, match="give a list"):
        pseudo_log_likelihoods(generator, tokenizer, "one text")
