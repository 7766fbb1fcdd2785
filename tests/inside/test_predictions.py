"""Predictions as plain values, held against transformers and against the models' own outputs."""

import pytest
import torch
import transformers

from electra_lab.inside.predictions import propose, replaced_probabilities

TEXT = "The chef cooked the dogs."


def test_probabilities_are_those_of_transformers_discriminator(pair, tmp_path):
    pair.save(tmp_path)
    theirs = transformers.ElectraForPreTraining.from_pretrained(tmp_path / "discriminator").eval()
    found = replaced_probabilities(pair.discriminator, pair.tokenizer, TEXT)
    assert found.tokens == ("[CLS]", "the", "chef", "cooked", "the", "dog", "##s", ".", "[SEP]")
    with torch.no_grad():
        logits = theirs(**pair.tokenizer(TEXT, return_tensors="pt")).logits[0]
    torch.testing.assert_close(
        torch.tensor(found.probabilities), logits.sigmoid(), atol=1e-5, rtol=0
    )


def test_a_live_transformers_model_and_its_tokenizer_are_taken_too(pair, tmp_path):
    pair.save(tmp_path)
    folder = tmp_path / "discriminator"
    theirs = transformers.ElectraForPreTraining.from_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    assert repr(replaced_probabilities(theirs, tokenizer, TEXT)) == repr(
        replaced_probabilities(pair.discriminator, pair.tokenizer, TEXT)
    )


def test_proposals_are_the_best_of_the_softmax_behind_each_mask(pair):
    text = "the [MASK] cooked [MASK]"
    first, second = propose(pair.generator, pair.tokenizer, text, top_k=4, temperature=0.5)
    assert (first.position, second.position) == (2, 4)
    with torch.no_grad():
        logits = pair.generator(**pair.tokenizer(text, return_tensors="pt")).logits[0]
    best = (logits[2] / 0.5).softmax(-1).topk(4)
    assert first.tokens == tuple(pair.tokenizer.convert_ids_to_tokens(best.indices.tolist()))
    torch.testing.assert_close(torch.tensor(first.probabilities), best.values)


def test_a_model_in_training_predicts_without_dropout_and_stays_in_training(pair):
    before = replaced_probabilities(pair.discriminator, pair.tokenizer, TEXT)
    pair.discriminator.train()
    assert replaced_probabilities(pair.discriminator, pair.tokenizer, TEXT) == before
    assert pair.discriminator.training


def test_reprs_are_short_and_say_two_or_three_digits(pair):
    found = replaced_probabilities(pair.discriminator, pair.tokenizer, "the dog")
    assert repr(found).startswith("TokenProbabilities('[CLS]': 0.")
    assert len(repr(found)) < 100
    (proposals,) = propose(pair.generator, pair.tokenizer, "the [MASK]", top_k=1)
    assert repr(proposals).startswith("Proposals(position=2, '")


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_text_is_refused(pair, text):
    with pytest.raises(ValueError, match="The text is empty. Give at least one word."):
        replaced_probabilities(pair.discriminator, pair.tokenizer, text)
    with pytest.raises(ValueError, match="The text is empty"):
        propose(pair.generator, pair.tokenizer, text)


def test_a_text_longer_than_the_model_is_refused_with_both_lengths(pair):
    with pytest.raises(ValueError, match="The text has 42 tokens, the model 32 positions. Shorten"):
        replaced_probabilities(pair.discriminator, pair.tokenizer, "dog " * 40)


def test_proposing_needs_a_mask_a_possible_number_and_a_temperature(pair):
    ask = lambda text, **options: propose(pair.generator, pair.tokenizer, text, **options)  # noqa: E731
    with pytest.raises(ValueError, match=r"There is no \[MASK\] in 'the dog'. Write \[MASK\]"):
        ask("the dog")
    for top_k in (0, 21):
        with pytest.raises(ValueError, match=f"top_k is {top_k}; it must be between 1 and the 20"):
            ask("the [MASK]", top_k=top_k)
    with pytest.raises(ValueError, match="temperature is 0.0; it must be above 0"):
        ask("the [MASK]", temperature=0.0)
