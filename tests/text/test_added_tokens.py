"""Added tokens: found, numbered, decoded and saved as transformers does it."""

import json
import pickle
import shutil
import sys
import unicodedata
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, pre_tokenizers

from electra_lab import ElectraConfig, ElectraForMaskedLM
from electra_lab.text.added_tokens import is_word_character
from electra_lab.text.tokenization import ElectraTokenizer, ElectraTokenizerFast

from .test_parity import OPTIONS, same, texts
from .vocabularies import SPECIALS, VOCABULARY

FIXTURES = Path(__file__).parent / "fixtures"
FOLDERS = ["fast_uncased", "slow_accents", "slow_cased"]
LINES = [piece for piece in VOCABULARY if piece == piece.strip()]  # as transformers reads vocab.txt
TOKENIZERS = [ElectraTokenizer, ElectraTokenizerFast]
IDS = {piece: index for index, piece in enumerate(VOCABULARY)}
SETTINGS = {
    "uncased": {},
    "cased": dict(do_lower_case=False),
    "lower-cased, accents kept": dict(strip_accents=False),
}
CONTENTS = [
    *("telescope", "Telescope", "tele", "<ent>", "<Ent>", "the", "the cat", "New York", "##s", "e"),
    *("résumé", "漢字", "ÉCLAIR", "_x_", "...", "İ", "a\tb", "[MASK] ", " cat", " sat"),
]
flags = st.fixed_dictionaries(
    {name: st.booleans() for name in ("single_word", "lstrip", "rstrip", "normalized", "special")}
)
added = st.lists(
    st.tuples(st.sampled_from(CONTENTS), flags),
    max_size=6,
    unique_by=lambda entry: entry[0].lower(),
)


def sprinkled(contents):
    """Texts with the tokens in them, also in capitals and against other words."""
    spaces = st.sampled_from(["", " ", "  ", "\t", "\u00a0", "\n", "x", "_", "-", "\u200d", "漢"])
    words = st.sampled_from(contents).flatmap(lambda c: st.sampled_from([c, c.upper(), c.lower()]))
    # where a word ends is the Unicode version's to say, and the library's is newer than some Pythons'
    known = texts.map(lambda t: "".join(c for c in t if unicodedata.category(c) != "Cn"))
    around = st.one_of(known, st.just(""), st.just("[MASK]"))
    part = st.tuples(spaces, words, spaces, around).map("".join)
    return st.lists(part, min_size=1, max_size=5).map("".join)


def theirs_with(vocab=IDS, **chosen):
    return transformers.ElectraTokenizerFast(vocab=dict(vocab), model_max_length=512, **chosen)


@pytest.mark.parametrize("name", SETTINGS)
@settings(max_examples=300, deadline=None)
@given(entries=added, data=st.data())
def test_added_tokens_get_the_ids_offsets_and_word_ids_of_transformers(name, entries, data):
    tokens = [(content, chosen) for content, chosen in entries]
    theirs = theirs_with(**SETTINGS[name])
    ours = [tokenizer(vocab=VOCABULARY, **SETTINGS[name]) for tokenizer in TOKENIZERS]
    for tokenizer in (theirs, *ours):
        tokenizer.add_tokens([AddedToken(content, **chosen) for content, chosen in tokens])
    text = data.draw(sprinkled([content for content, _ in tokens] or ["the"]))
    expected = theirs(text, **OPTIONS)
    for tokenizer in ours:
        same(tokenizer(text, **OPTIONS), expected)
        assert len(tokenizer) == len(theirs)
        assert tokenizer.vocab_size == theirs.vocab_size
        assert tokenizer.get_vocab() == theirs.get_vocab()
        # The installed library decodes a normalised token as it looks for it, not as it was added.
        looked_for = theirs.convert_ids_to_tokens(expected["input_ids"])
        if looked_for == tokenizer.convert_ids_to_tokens(expected["input_ids"]):
            for skip in (False, True):
                decoded = theirs.decode(expected["input_ids"], skip_special_tokens=skip)
                chosen = dict(skip_special_tokens=skip, clean_up_tokenization_spaces=False)
                assert tokenizer.decode(expected["input_ids"], **chosen) == decoded


def test_whole_words_end_where_unicode_says():
    words = pre_tokenizers.Whitespace()  # cuts at the same word boundaries
    known = (
        chr(code)
        for code in range(sys.maxunicode)
        if unicodedata.category(chr(code)) not in ("Cn", "Cs")
    )
    wrong = [
        character
        for character in known
        if is_word_character(character) != (len(words.pre_tokenize_str(f"a{character}b")) == 1)
    ]
    assert not wrong


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_new_tokens_are_numbered_after_the_vocabulary_and_counted(tokenizer):
    made = tokenizer(vocab=VOCABULARY)
    size = len(VOCABULARY)
    assert made.add_tokens(["telescope", "", "the", AddedToken("lens")]) == 2
    assert made.add_tokens("telescope") == 0
    assert made.add_tokens([]) == 0
    assert (len(made), made.vocab_size) == (size + 2, size)
    assert made.convert_tokens_to_ids(["telescope", "lens", "the"]) == [size, size + 1, IDS["the"]]
    assert made.convert_ids_to_tokens([size, size + 1]) == ["telescope", "lens"]
    assert made.get_vocab() == {**IDS, "telescope": size, "lens": size + 1}
    assert list(made.get_added_vocab()) == [*SPECIALS, "the", "telescope", "lens"]
    assert made.tokenize("Telescope lens cat") == ["telescope", "lens", "cat"]
    assert made.decode(made.encode("a telescope"), skip_special_tokens=True) == "a telescope"
    with pytest.raises(ValueError, match=rf"its ids go from 0 to {size + 1}\."):
        made.decode([size + 2])


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_a_token_added_again_takes_new_flags_from_an_added_token_only(tokenizer):
    made = tokenizer(vocab=VOCABULARY)
    made.add_tokens(AddedToken("<ent>", lstrip=True, normalized=False))
    assert made("a  <ent>").tokens()[2] == "  <ent>"
    made.add_tokens("<ent>")
    assert made("a  <ent>").tokens()[2] == "  <ent>"
    made.add_tokens(AddedToken("<ent>", rstrip=True, normalized=False))
    assert made("a  <ent> b").tokens()[2] == "<ent> "
    made.add_tokens("[MASK]")
    assert made.decode([4, IDS["cat"]], skip_special_tokens=True) == "cat"


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_special_tokens_take_roles_and_are_skipped(tokenizer):
    made, theirs = tokenizer(vocab=VOCABULARY), theirs_with()
    roles = {
        "mask_token": "<mask>",
        "extra_special_tokens": ["<a>", AddedToken("<b>", lstrip=True)],
    }
    assert made.add_special_tokens(roles) == theirs.add_special_tokens(roles) == 3
    assert made.add_special_tokens(roles) == 0
    assert made.add_tokens(["<c>"], special_tokens=True) == 1
    theirs.add_tokens(["<c>"], special_tokens=True)
    assert made.mask_token_id == theirs.mask_token_id == len(VOCABULARY)
    assert set(made.all_special_tokens) == set(theirs.all_special_tokens)
    text = "the <mask> <a> <A> [MASK]  <b><c>"
    same(made(text, **OPTIONS), theirs(text, **OPTIONS))
    ids = made(text).input_ids
    assert made.decode(ids, skip_special_tokens=True) == theirs.decode(
        ids, skip_special_tokens=True
    )
    assert made.convert_ids_to_tokens(ids, skip_special_tokens=True) == (
        theirs.convert_ids_to_tokens(ids, skip_special_tokens=True)
    )
    mask = made.get_special_tokens_mask(ids, already_has_special_tokens=True)
    assert mask == theirs.get_special_tokens_mask(ids, already_has_special_tokens=True)
    assert made.add_special_tokens({"additional_special_tokens": ["<d>"]}) == 1
    assert made.additional_special_tokens == ["<d>"]
    made.add_special_tokens({"additional_special_tokens": ["<a>"]}, False)
    assert made.additional_special_tokens == ["<d>", "<a>"]


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_rows_begin_and_end_with_tokens_that_were_given_the_role(tokenizer):
    made = tokenizer(vocab=VOCABULARY)
    made.add_special_tokens({"cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>"})
    batch = made(["the", "the cat"], padding=True)
    assert batch.tokens(0) == ["<s>", "the", "</s>", "<pad>"]
    assert batch.input_ids[0][0] == made.cls_token_id == len(VOCABULARY)


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_of_two_tokens_made_alike_the_second_is_found_as_it_is_written(tokenizer):
    for _ in range(8):  # by chance in the library
        made = tokenizer(vocab=VOCABULARY)
        made.add_tokens(["telescope", "Telescope"])
        first = len(VOCABULARY)
        ids = made.encode("telescope TELESCOPE Telescope", add_special_tokens=False)
        assert ids == [first, first, first + 1]


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_tokens_that_cannot_be_added_are_refused_and_nothing_changes(tokenizer):
    made = tokenizer(vocab=VOCABULARY)
    for wrong, error, message in (
        (["lens", 3], TypeError, r"a text or an AddedToken; it was given 3 \(int\)"),
        (["lens", "\u0301"], ValueError, "Nothing is left of the token"),
    ):
        with pytest.raises(error, match=message):
            made.add_tokens(wrong)
    for wrong, message in (
        ({"class_token": "<s>"}, "'class_token' is not known.*cls_token"),
        ({"cls_token": "<s>", "unk_token": "<unk>"}, "'<unk>' is no piece of the vocabulary"),
    ):
        with pytest.raises(ValueError, match=message):
            made.add_special_tokens(wrong)
    assert len(made) == len(VOCABULARY)
    assert made.tokenize("a lens") == tokenizer(vocab=VOCABULARY).tokenize("a lens")


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_a_model_takes_the_new_tokens_once_it_is_resized(tokenizer):
    made = tokenizer(vocab=VOCABULARY)
    config = ElectraConfig.from_preset("micro", vocab_size=len(made))
    model = ElectraForMaskedLM(config)
    assert made.add_tokens(["telescope"]) == 1
    batch = made("a telescope", return_tensors="pt")
    with pytest.raises(ValueError, match="vocabulary"):
        model(**batch)
    model.resize_token_embeddings(len(made))
    assert model(**batch).logits.shape == (1, 4, len(VOCABULARY) + 1)


# -- files


@settings(max_examples=25, deadline=None)
@given(entries=added, name=st.sampled_from(list(SETTINGS)), data=st.data())
def test_folders_go_to_transformers_and_back_with_their_added_tokens(entries, name, data):
    tokens = [AddedToken(content, **chosen) for content, chosen in entries]
    text = data.draw(sprinkled([content for content, _ in entries] or ["the"]))
    for tokenizer in TOKENIZERS:
        made = tokenizer(vocab=LINES, **SETTINGS[name])
        made.add_tokens(tokens)
        made.add_special_tokens({"mask_token": "<mask>", "additional_special_tokens": ["<a>"]})
        expected = made(text + " <mask><a> [MASK]", **OPTIONS)
        assert pickle.loads(pickle.dumps(made)).settings() == made.settings()
        with TemporaryDirectory() as folder:
            made.save_pretrained(folder)
            theirs = transformers.AutoTokenizer.from_pretrained(folder, use_fast=True)
            same(expected, theirs(text + " <mask><a> [MASK]", **OPTIONS))
            assert theirs.get_vocab() == made.get_vocab()
            assert theirs.mask_token == "<mask>"
            assert set(theirs.all_special_tokens) == set(made.all_special_tokens)
            assert tokenizer.from_pretrained(folder).settings() == made.settings()
        with TemporaryDirectory() as folder:
            theirs.save_pretrained(folder)
            for reader in TOKENIZERS:
                again = reader.from_pretrained(folder)
                same(again(text + " <mask><a> [MASK]", **OPTIONS), expected)
                assert again.get_vocab() == made.get_vocab()
                assert again.added_tokens_decoder == made.added_tokens_decoder
                assert again.all_special_tokens == made.all_special_tokens


@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_folders_of_transformers_4_37_give_the_ids_offsets_and_texts_that_it_gave(tokenizer, name):
    said = json.loads((FIXTURES / name / "said.json").read_text(encoding="utf-8"))
    made = tokenizer.from_pretrained(FIXTURES / name)
    assert len(made) == said["length"] > made.vocab_size
    for row in said["texts"]:
        found = made(row["text"], return_offsets_mapping=True)
        if name == "slow_cased" and tokenizer is ElectraTokenizer:  # never_split counts
            assert found.input_ids == row["ids of the slow one"]
            continue
        assert found.input_ids == row["ids"]
        assert [list(span) for span in found.offset_mapping] == row["offsets"]
        for key, skip in (("decoded", False), ("without special tokens", True)):
            chosen = dict(skip_special_tokens=skip, clean_up_tokenization_spaces=False)
            assert made.decode(row["ids"], **chosen) == row[key]


def test_a_word_that_is_never_split_comes_through_beside_added_tokens():
    made = ElectraTokenizer.from_pretrained(FIXTURES / "slow_cased")
    assert made.never_split == ["O'Neil"]
    assert made.tokenize("O'Neil telescope") == ["O'Neil", "telescope"]


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_folders_from_before_the_added_tokens_decoder_are_read_as_transformers_reads_them(
    tokenizer, tmp_path
):
    shutil.copytree(FIXTURES / "slow_cased", tmp_path, dirs_exist_ok=True)
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    for name in ("added_tokens_decoder", "mask_token", "never_split"):
        del config[name]
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    roles = json.loads((tmp_path / "special_tokens_map.json").read_text())
    more = roles.pop("additional_special_tokens")
    roles["mask_token"]["lstrip"] = True
    (tmp_path / "special_tokens_map.json").write_text(json.dumps(roles))
    theirs = transformers.BertTokenizer.from_pretrained(tmp_path)
    made = tokenizer.from_pretrained(tmp_path)
    assert made.mask_token == theirs.mask_token == "<mask>"
    assert made.get_vocab() == theirs.get_vocab()
    assert made.added_tokens_decoder == theirs.added_tokens_decoder
    text = "O'Neil saw  <mask> the telescope<a><b> New York <ent>."
    same(made(text, **OPTIONS), theirs(text, **OPTIONS))
    # Transformers 5 overlooks that these are special when they stand here, where 4 wrote them.
    del config["additional_special_tokens"]
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    (tmp_path / "special_tokens_map.json").write_text(
        json.dumps({**roles, "additional_special_tokens": more})
    )
    again = tokenizer.from_pretrained(tmp_path)
    assert again.added_tokens_decoder == made.added_tokens_decoder
    assert again.all_special_tokens == made.all_special_tokens


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_an_added_token_that_would_get_another_id_is_named(tokenizer, tmp_path):
    made = tokenizer(vocab=VOCABULARY)
    made.add_tokens(["telescope", "lens"])
    made.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    del config["added_tokens_decoder"][str(len(VOCABULARY))]
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=rf"'lens' was saved with id {len(VOCABULARY) + 1}"):
        tokenizer.from_pretrained(tmp_path)


def test_a_tokenizer_file_alone_brings_its_added_tokens(tmp_path):
    made = ElectraTokenizerFast(vocab=VOCABULARY)
    made.add_tokens(["telescope"])
    made.save_pretrained(tmp_path)
    alone = ElectraTokenizerFast(tokenizer_file=tmp_path / "tokenizer.json")
    assert alone.get_vocab() == made.get_vocab()
    assert alone.tokenize("a telescope") == ["a", "telescope"]


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_a_space_that_two_tokens_claim_goes_to_the_first(tokenizer):
    made, theirs = tokenizer(vocab=VOCABULARY), theirs_with()
    tokens = [AddedToken("<a>", rstrip=True), AddedToken(" <b>", lstrip=True)]
    made.add_tokens(tokens)
    theirs.add_tokens(tokens)
    same(made("x <a> <b>", **OPTIONS), theirs("x <a> <b>", **OPTIONS))
