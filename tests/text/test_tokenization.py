"""What a person meets: shapes, helpers, and errors that say what to do."""

import json

import numpy as np
import pytest
import torch

import electra_lab
from electra_lab.text.tokenization import ElectraTokenizer, ElectraTokenizerFast

from .vocabularies import SPECIALS, VOCABULARY

TOKENIZERS = [ElectraTokenizer, ElectraTokenizerFast]


@pytest.fixture(params=TOKENIZERS, ids=["readable", "fast"])
def tokenizer(request):
    return request.param(vocab=VOCABULARY)


def test_a_sentence_becomes_the_documented_row(tokenizer):
    batch = tokenizer("The cat sings.")
    assert batch.tokens() == ["[CLS]", "the", "cat", "sing", "##s", ".", "[SEP]"]
    assert batch.input_ids == tokenizer.convert_tokens_to_ids(batch.tokens())
    assert batch.attention_mask == [1] * 7
    assert batch.token_type_ids == [0] * 7
    assert batch.word_ids() == [None, 0, 1, 2, 2, 3, None]
    assert tokenizer.tokenize("The cat") == ["the", "cat"]
    assert tokenizer.decode(batch.input_ids, skip_special_tokens=True) == "the cat sings."


def test_a_pair_has_two_segments(tokenizer):
    batch = tokenizer("the cat", "sat", return_special_tokens_mask=True)
    assert batch.tokens() == ["[CLS]", "the", "cat", "[SEP]", "sat", "[SEP]"]
    assert batch.token_type_ids == [0, 0, 0, 0, 1, 1]
    assert batch.special_tokens_mask == [1, 0, 0, 1, 0, 1]
    assert batch.sequence_ids() == [None, 0, 0, None, 1, None]
    listed = tokenizer([("the cat", "sat")])
    assert listed.input_ids == [batch.input_ids]


def test_a_padded_batch_becomes_tensors_that_move_together(tokenizer):
    batch = tokenizer(["the cat sat", "the"], padding=True, return_tensors="pt")
    assert batch.input_ids.shape == batch.attention_mask.shape == (2, 5)
    assert batch.input_ids.dtype == torch.int64
    assert batch.attention_mask.tolist() == [[1] * 5, [1, 1, 1, 0, 0]]
    assert batch.input_ids[1, 3:].tolist() == [tokenizer.pad_token_id] * 2
    assert batch.to("meta") is batch
    assert {value.device.type for value in batch.values()} == {"meta"}
    assert tokenizer("the", return_tensors="np").input_ids.dtype == np.int64
    assert tokenizer("the", return_tensors="pt").input_ids.shape == (1, 3)


def test_offsets_point_back_into_the_text(tokenizer):
    text = "  The Càt\tsat — Naïvely"
    batch = tokenizer(text, return_offsets_mapping=True)
    found = {text[start:stop] for start, stop in batch.offset_mapping}
    assert {"The", "Càt", "sat", "—", "N", "ï"} <= found
    assert batch.token_to_chars(0, 1) == (2, 5)
    assert batch.char_to_token(0, 3) == 1
    assert batch.char_to_token(0, 0) is None
    start, stop = batch.word_to_tokens(0, 1)
    assert "".join(batch.tokens()[start:stop]).replace("##", "") == "cat"


@pytest.mark.parametrize("text", ["", " ", "\n\x00\u200b", "\u0301"])
def test_a_text_without_words_is_only_special_tokens(tokenizer, text):
    assert tokenizer(text).tokens() == ["[CLS]", "[SEP]"]
    assert tokenizer.tokenize(text) == []


def test_texts_of_any_length_are_accepted_and_truncation_stops_at_512(tokenizer):
    text = "cat " * 3000
    assert len(tokenizer(text).input_ids) == 3002
    assert len(tokenizer(text, truncation=True).input_ids) == 512
    assert len(tokenizer("cat", padding="max_length").input_ids) == 512
    assert tokenizer(text, truncation=True, max_length=2).tokens() == ["[CLS]", "[SEP]"]


def test_an_empty_batch_gives_no_rows(tokenizer):
    assert dict(tokenizer([])) == {"input_ids": [], "token_type_ids": [], "attention_mask": []}
    assert tokenizer([], return_tensors="pt").input_ids.shape == (0, 0)
    assert tokenizer([], padding=True, return_tensors="np").input_ids.shape == (0, 0)


def test_ids_and_tokens_convert_in_every_form(tokenizer):
    ids = tokenizer.convert_tokens_to_ids(["the", "cat", "no such piece"])
    assert tokenizer.convert_ids_to_tokens(torch.tensor(ids)) == ["the", "cat", "[UNK]"]
    assert tokenizer.convert_ids_to_tokens(ids[0]) == "the"
    assert tokenizer.convert_tokens_to_ids("cat") == ids[1]
    assert tokenizer.decode(torch.tensor([ids, ids])) == ["the cat [UNK]"] * 2
    assert tokenizer.decode(np.int64(ids[0])) == "the"
    assert tokenizer.convert_ids_to_tokens([*ids, 2], skip_special_tokens=True) == ["the", "cat"]


def test_special_tokens_can_be_put_around_ids_by_hand(tokenizer):
    a, b = ([tokenizer.convert_tokens_to_ids(word)] for word in ("the", "cat"))
    batch = tokenizer("the", "cat", return_special_tokens_mask=True)
    assert tokenizer.build_inputs_with_special_tokens(a, b) == batch.input_ids
    assert tokenizer.create_token_type_ids_from_sequences(a, b) == batch.token_type_ids
    assert tokenizer.get_special_tokens_mask(a, b) == batch.special_tokens_mask
    assert (
        tokenizer.get_special_tokens_mask(batch.input_ids, already_has_special_tokens=True)
        == batch.special_tokens_mask
    )
    assert tokenizer.build_inputs_with_special_tokens(a) == tokenizer("the").input_ids
    assert tokenizer.num_special_tokens_to_add(pair=True) == 3


def test_the_vocabulary_that_is_handed_out_is_a_copy(tokenizer):
    tokenizer.get_vocab()["cat"] = 0
    assert tokenizer.convert_tokens_to_ids("cat") != 0
    assert len(tokenizer) == tokenizer.vocab_size == len(VOCABULARY)


def test_never_split_words_are_looked_up_as_they_are():
    vocab = [*SPECIALS, "O'Neil", "o", "'", "neil"]
    kept = ElectraTokenizer(vocab=vocab, never_split=["O'Neil", "X-ray"])
    assert kept.tokenize("O'Neil") == ["O'Neil"]
    assert kept.tokenize("X-ray") == ["[UNK]"]
    assert ElectraTokenizer(vocab=vocab).tokenize("O'Neil") == ["o", "'", "neil"]


def test_the_names_are_public():
    assert electra_lab.ElectraTokenizer is ElectraTokenizer
    assert electra_lab.ElectraTokenizerFast is ElectraTokenizerFast


# -- bad input


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, r"takes a text \(str\), or a list of texts; it was given None"),
        (3, r"given 3 \(int\)"),
        (b"bytes", r"given b'bytes' \(bytes\)"),
        ({"a": 1}, r"given \{'a': 1\} \(dict\)"),
        ([3], r"Text 0 must be str; it holds 3 \(int\)"),
        (["a", None], "Text 1 must be str; it holds None"),
        ([["a", 3]], r"Text 0 must be str; it holds 3 \(int\)"),
        (["a", ["b", "c"]], "list of lists is read as pairs"),
    ],
)
def test_what_is_no_text_is_refused_by_name(tokenizer, given, message):
    with pytest.raises(TypeError, match=message):
        tokenizer(given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("the cat", "takes a list of words, or a list of such lists; it was given 'the cat'"),
        ([["the"], "cat"], "Text 1 must be a list of words; it is 'cat'"),
        (["the", None], "Text 0 must be str; it holds None"),
    ],
)
def test_words_that_are_none_are_refused_by_name(tokenizer, given, message):
    with pytest.raises(TypeError, match=message):
        tokenizer(given, is_split_into_words=True)


def test_half_a_surrogate_pair_is_refused_with_its_place(tokenizer):
    with pytest.raises(ValueError, match=r"Text 1 holds half .*\\ud800.* at character 2"):
        tokenizer(["fine", "ab\ud800"])


def test_pairs_of_unequal_numbers_are_refused(tokenizer):
    with pytest.raises(ValueError, match=r"text holds 2 texts.* given 1"):
        tokenizer(["the", "cat"], ["sat"])
    with pytest.raises(ValueError, match="text holds 2 texts.*'sat'"):
        tokenizer(["the", "cat"], "sat")
    with pytest.raises(TypeError, match="is_split_into_words=True"):
        tokenizer([["the", "cat", "sat"]])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(padding="longest_first"), "padding='longest_first'.*longest, max_length"),
        (dict(truncation="longest"), "truncation='longest'.*longest_first"),
        (dict(return_tensors="tf"), "return_tensors='tf'.*'pt'"),
        (dict(padding=True, padding_side="top"), "padding_side='top'.*right, left"),
        (dict(truncation=True, max_length=1), "max_length=1 leaves no room for the 2 special"),
        (dict(truncation=True, max_length=-1), "max_length=-1"),
        (dict(truncation="only_second", max_length=3), "there is none"),
        (
            dict(truncation=True, max_length=4, stride=2, return_overflowing_tokens=True),
            "stride=2 must be less than the 2 pieces",
        ),
    ],
)
def test_options_that_cannot_be_met_are_refused_with_what_can(tokenizer, options, message):
    with pytest.raises(ValueError, match=message):
        tokenizer("the cat sat", **options)


def test_ragged_rows_are_no_tensor(tokenizer):
    with pytest.raises(ValueError, match=r"3 to 5 tokens.*padding=True"):
        tokenizer(["the cat sat", "the"], return_tensors="pt")


@pytest.mark.parametrize("index", [-1, len(VOCABULARY), 10**9])
def test_ids_outside_the_vocabulary_are_refused(tokenizer, index):
    with pytest.raises(ValueError, match=f"{index} is no id .* 0 to {len(VOCABULARY) - 1}"):
        tokenizer.decode([5, index])


@pytest.mark.parametrize("cls", TOKENIZERS)
@pytest.mark.parametrize("missing", SPECIALS)
def test_a_vocabulary_without_a_special_token_is_refused(cls, missing, tmp_path):
    file = tmp_path / "vocab.txt"
    pieces = [token for token in [*SPECIALS, "cat"] if token != missing]
    file.write_text("\n".join(pieces) + "\n", encoding="utf-8")
    with pytest.raises(ValueError) as caught:
        cls(file)
    message = str(caught.value)
    assert str(file) in message
    assert f"lacks {missing} (" in message
    assert "Add the special token" in message


@pytest.mark.parametrize("cls", TOKENIZERS)
def test_a_tokenizer_needs_one_vocabulary(cls, tmp_path):
    with pytest.raises(ValueError, match="needs a vocabulary"):
        cls()
    with pytest.raises(ValueError, match="not both"):
        cls("vocab.txt", vocab=VOCABULARY)
    with pytest.raises(ValueError, match="without a gap.*'cat' with id 7 where 5"):
        cls(vocab={**{t: i for i, t in enumerate(SPECIALS)}, "cat": 7})
    with pytest.raises(FileNotFoundError, match="no vocabulary file"):
        cls(tmp_path / "vocab.txt")


@pytest.mark.parametrize("cls", TOKENIZERS)
def test_a_folder_without_a_tokenizer_is_refused_with_what_it_holds(cls, tmp_path):
    (tmp_path / "notes.md").write_text("nothing")
    with pytest.raises(FileNotFoundError, match=r"neither vocab\.txt nor .*holds notes\.md"):
        cls.from_pretrained(tmp_path)
    with pytest.raises(FileNotFoundError, match="no checkpoint 'no-such-name'"):
        cls.from_pretrained("no-such-name")


@pytest.mark.parametrize("cls", TOKENIZERS)
def test_damaged_tokenizer_files_are_named(cls, tmp_path):
    cls(vocab=VOCABULARY).save_pretrained(tmp_path)
    config = tmp_path / "tokenizer_config.json"
    config.write_text(config.read_text()[:40])
    with pytest.raises(ValueError, match=r"tokenizer_config\.json is not valid JSON"):
        cls.from_pretrained(tmp_path)
    config.unlink()
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": {"type": "BPE", "vocab": {}}}))
    with pytest.raises(ValueError, match=r"another kind of tokenizer: a BPE model"):
        cls.from_pretrained(tmp_path)


def test_saving_over_a_tokenizer_that_cannot_be_written_keeps_the_old_one(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path / "kept")
    before = {path.name: path.read_bytes() for path in (tmp_path / "kept").iterdir()}
    broken = type(tokenizer)(vocab=[*VOCABULARY, "two\nlines"])
    with pytest.raises(ValueError, match="line end"):
        broken.save_pretrained(tmp_path / "kept")
    assert {path.name: path.read_bytes() for path in (tmp_path / "kept").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
