"""Added tokens: found, numbered, decoded and saved as transformers does it."""

import pytest
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken

from electra_lab.text.tokenization import ElectraTokenizer, ElectraTokenizerFast

from .test_parity import OPTIONS, same, texts
from .vocabularies import VOCABULARY

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
    around = st.one_of(texts, st.just(""), st.just("[MASK]"))
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
