"""Both tokenizers against transformers', on one vocabulary, over generated Unicode text."""

import pickle

import pytest
import transformers
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from electra_lab.text.tokenization import ElectraTokenizer, ElectraTokenizerFast

from .vocabularies import CHARACTERS, VOCABULARY

TOKENIZERS = [ElectraTokenizer, ElectraTokenizerFast]
SETTINGS = {
    "uncased": {},
    "cased": dict(do_lower_case=False),
    "lower-cased, accents kept": dict(strip_accents=False),
    "cased, accents stripped": dict(do_lower_case=False, strip_accents=True),
    "Chinese words kept": dict(tokenize_chinese_chars=False),
}
OPTIONS = dict(return_offsets_mapping=True, return_special_tokens_mask=True)

combining = "".join(map(chr, [*range(0x300, 0x345), 0x323, 0x5B0, 0x93C, 0x302E, 0x1DC0, 0x16D67]))
awkward = st.sampled_from(
    [
        *("[MASK]", "[SEP]", "[mask]", "[UNK]", "[MASK", "##s", "the", "sing", "ﬀ", "İ", "ß", "Σ"),
        *("\x00", "\x1c", "\t", "\r\n", "\u200b", "\u200d", "\ufeff", "\u202e", "\u2028", "\u00ad"),
        *(
            "\ufffd",
            "\ue000",
            "\u0378",
            "\u0085",
            "\u00a0",
            "\u3000",
            "👩‍👩‍👧",
            "🇫🇷",
            "한국어",
            "각",
        ),
        *("漢字", "שָׁלוֹם", "مَرْحَبًا", "नमस्ते", "\u0344", "\u0f73", "\u1e9b\u0323", "x" * 101),
    ]
)
texts = st.lists(
    st.one_of(
        awkward,
        st.text(st.sampled_from(CHARACTERS), max_size=8),
        st.text(st.sampled_from("ae" + combining), max_size=8),
        st.text(max_size=8),
        st.sampled_from([" ", "  "]),
    ),
    max_size=8,
).map("".join)


def three(name="uncased", **more):
    """Ours, readable and fast, and transformers'."""
    chosen = {**SETTINGS[name], **more}
    theirs = transformers.ElectraTokenizerFast(
        vocab={piece: index for index, piece in enumerate(VOCABULARY)},
        **{"model_max_length": 512, **chosen},
    )
    return *(tokenizer(vocab=VOCABULARY, **chosen) for tokenizer in TOKENIZERS), theirs


BUILT = {name: three(name) for name in SETTINGS}


def same(ours, theirs):
    assert dict(ours) == dict(theirs)
    for row in range(len(ours.encodings)):
        assert ours.tokens(row) == theirs.tokens(row)
        assert ours.word_ids(row) == theirs.word_ids(row)
        assert ours.sequence_ids(row) == theirs.sequence_ids(row)


@pytest.mark.parametrize("name", SETTINGS)
@settings(max_examples=250, deadline=None)
@given(text=texts)
def test_any_text_gets_the_ids_offsets_and_word_ids_of_transformers(name, text):
    readable, fast, theirs = BUILT[name]
    expected = theirs(text, **OPTIONS)
    same(readable(text, **OPTIONS), expected)
    same(fast(text, **OPTIONS), expected)


@settings(max_examples=150, deadline=None)
@given(
    pairs=st.lists(st.tuples(texts, texts), min_size=1, max_size=3),
    padding=st.sampled_from([False, True, "max_length"]),
    truncation=st.sampled_from([False, True, "only_first", "only_second"]),
    max_length=st.integers(4, 16),  # with room for no text, the library pads too little
    stride=st.integers(0, 3),
    padding_side=st.sampled_from(["right", "left"]),
    multiple=st.sampled_from([None, 4]),
    paired=st.booleans(),
    overflow=st.booleans(),
)
def test_pairs_padding_truncation_and_overflow_are_those_of_transformers(
    pairs, padding, truncation, max_length, stride, padding_side, multiple, paired, overflow
):
    readable, fast, theirs = BUILT["uncased"]
    if multiple and truncation:  # transformers wants the one to be a multiple of the other
        max_length = max_length // 4 * 4 + 4
    stride = min(stride, max_length - 3)  # more is refused before a text is looked at
    arguments = [list(column) for column in zip(*pairs, strict=True)][: 1 + paired]
    options = dict(
        padding=padding,
        truncation=truncation,
        max_length=max_length,
        stride=stride,
        padding_side=padding_side,
        pad_to_multiple_of=multiple,
        return_overflowing_tokens=overflow,
        **OPTIONS,
    )
    try:
        ours = readable(*arguments, **options)
    except ValueError:  # where the library panics or gives up
        with pytest.raises(ValueError, match="stride|cannot make|there is none"):
            fast(*arguments, **options)
        assume(False)
    if padding is True and not truncation:
        options.pop("max_length")  # ignored, with a warning
    expected = theirs(*arguments, **options)
    same(ours, expected)
    same(fast(*arguments, **options), expected)


@pytest.mark.parametrize("side", ["right", "left"])
def test_long_texts_are_cut_into_the_windows_of_transformers_from_either_side(side):
    readable, fast, theirs = three(truncation_side=side)
    question, context = "the cat sat ?", "unaffable " * 40
    options = dict(truncation="only_second", max_length=32, stride=7, **OPTIONS)
    expected = theirs(question, context, return_overflowing_tokens=True, **options)
    assert len(expected["input_ids"]) > 5
    for ours in (readable, fast):
        same(ours(question, context, return_overflowing_tokens=True, **options), expected)


def test_what_is_cut_off_both_texts_of_a_pair_comes_in_the_order_of_transformers():
    readable, fast, theirs = BUILT["uncased"]
    options = dict(truncation=True, max_length=9, stride=1, return_overflowing_tokens=True)
    expected = theirs("the cat sat the cat", "sing sings singing sat", **options)
    assert len(expected["input_ids"]) > 4
    for ours in (readable, fast):
        same(ours("the cat sat the cat", "sing sings singing sat", **options), expected)


@pytest.mark.parametrize("pair", [("the", ""), ("", ""), (["the"], [""]), ("", "the")])
def test_an_empty_second_text_is_treated_as_transformers_treats_it(pair):
    readable, fast, theirs = BUILT["uncased"]
    same(readable(*pair), theirs(*pair))
    same(fast(*pair), theirs(*pair))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(texts, min_size=1, max_size=4), min_size=1, max_size=3))
def test_words_cut_already_keep_their_numbers(lists):
    readable, fast, theirs = BUILT["uncased"]
    options = dict(is_split_into_words=True, padding=True, **OPTIONS)
    expected = theirs(lists, **options)
    same(readable(lists, **options), expected)
    same(fast(lists, **options), expected)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(range(len(VOCABULARY))), max_size=12), st.booleans(), st.booleans())
def test_decoding_gives_the_text_of_transformers(ids, skip, clean_up):
    options = dict(skip_special_tokens=skip, clean_up_tokenization_spaces=clean_up)
    expected = BUILT["uncased"][2].decode(ids, **options)
    for ours in BUILT["uncased"][:2]:
        assert ours.decode(ids, **options) == expected
        assert ours.batch_decode([ids, ids], **options) == [expected, expected]


@pytest.mark.parametrize("text", ["the cat's singing, don't . ! ?", "the ' cat ' sat 've 're 'm"])
def test_decoding_joins_contractions_as_transformers_does(text):
    for clean_up in (True, False):
        decoded = {
            t.decode(t.encode(text), clean_up_tokenization_spaces=clean_up)
            for t in BUILT["uncased"]
        }
        assert len(decoded) == 1


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@pytest.mark.parametrize("name", SETTINGS)
def test_transformers_reads_what_we_save_and_we_read_what_it_saves(tokenizer, name, tmp_path):
    text = "Résumé 漢字 THE cat [MASK]."
    theirs = BUILT[name][2]
    ours = tokenizer(vocab=VOCABULARY, **SETTINGS[name])
    ours.save_pretrained(tmp_path / "ours")
    for loader in (transformers.ElectraTokenizerFast, transformers.AutoTokenizer):
        loaded = loader.from_pretrained(tmp_path / "ours")
        assert loaded(text)["input_ids"] == theirs(text)["input_ids"]
        assert loaded.model_max_length == 512
        assert loaded.mask_token == "[MASK]"
    theirs.save_pretrained(tmp_path / "theirs")
    for folder in ("ours", "theirs"):
        again = tokenizer.from_pretrained(tmp_path / folder)
        assert again(text)["input_ids"] == theirs(text)["input_ids"]
        assert again.get_vocab() == ours.get_vocab()


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_every_setting_survives_saving_and_pickling(tokenizer, tmp_path):
    changed = dict(
        do_lower_case=False,
        strip_accents=True,
        tokenize_chinese_chars=False,
        clean_text=False,
        clean_up_tokenization_spaces=False,
        model_max_length=77,
        padding_side="left",
        truncation_side="left",
        pad_token="ß",
    )
    if tokenizer is ElectraTokenizer:
        changed |= dict(never_split=["O'Neil"], do_basic_tokenize=False)
    made = tokenizer(vocab=VOCABULARY, **changed)
    made.save_pretrained(tmp_path)
    for again in (tokenizer.from_pretrained(tmp_path), pickle.loads(pickle.dumps(made))):
        assert {name: again.settings()[name] for name in changed} == changed
        assert again("Ünaffable [MASK]").input_ids == made("Ünaffable [MASK]").input_ids


def test_special_tokens_of_other_names_are_used():
    names = dict(
        unk_token="<unk>", sep_token="</s>", pad_token="<pad>", cls_token="<s>", mask_token="<mask>"
    )
    vocab = [*names.values(), "a", "b"]
    theirs = transformers.ElectraTokenizerFast(vocab={t: i for i, t in enumerate(vocab)}, **names)
    for tokenizer in TOKENIZERS:
        ours = tokenizer(vocab=vocab, **names)
        batch = ["a <mask> z", "[MASK]"]
        assert dict(ours(batch, padding=True)) == dict(theirs(batch, padding=True))
        assert ours.special_tokens_map == names
        assert ours.all_special_ids == [2, 0, 3, 1, 4]
