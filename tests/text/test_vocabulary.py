"""Reading, writing and training vocabularies."""

import random

import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

from electra_lab.text.tokenization import ElectraTokenizerFast
from electra_lab.text.vocabulary import read_vocabulary, train_vocabulary, write_vocabulary

from .vocabularies import SPECIALS

STEMS = ["the", "cat", "sat", "on", "mat", "and", "sang", "sing", "walk", "talk", "jump", "river"]
ENDINGS = ["", "s", "ing", "ed", "er", "less"]


def corpus(lines=400, seed=0):
    """Words with endings, the first stems more often than the last."""
    chance = random.Random(seed)
    weights = [1 / (rank + 1) for rank in range(len(STEMS))]
    return [
        " ".join(
            stem + chance.choice(ENDINGS) for stem in chance.choices(STEMS, weights, k=8)
        ).capitalize()
        + "."
        for _ in range(lines)
    ]


def pieces_needed(vocab, texts):
    tokenizer = ElectraTokenizerFast(vocab=vocab)
    return sum(len(ids) - 2 for ids in tokenizer(texts).input_ids)


def test_a_vocabulary_survives_writing_and_reading(tmp_path):
    odd = [*SPECIALS, "\u2028", "\x85", "a b", "\u3000"]  # line ends to str.splitlines, not here
    write_vocabulary(odd, tmp_path / "vocab.txt")
    assert read_vocabulary(tmp_path / "vocab.txt") == odd


def test_windows_line_ends_and_a_missing_last_one_are_read(tmp_path):
    (tmp_path / "vocab.txt").write_bytes(b"[PAD]\r\n[UNK]\r\ncat")
    assert read_vocabulary(tmp_path / "vocab.txt") == ["[PAD]", "[UNK]", "cat"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"a\n\nb\n", r"empty piece \(line 2\)"),
        (b"a\nb\na\n", r"'a' twice \(line 1 and line 3\)"),
        (b"a\n\xff\xfe\n", "not UTF-8"),
    ],
)
def test_a_broken_vocabulary_file_is_named_with_its_line(tmp_path, content, message):
    file = tmp_path / "vocab.txt"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        read_vocabulary(file)
    assert str(file) in str(caught.value)


def test_a_vocabulary_that_could_not_be_read_back_is_not_written(tmp_path):
    file = tmp_path / "vocab.txt"
    write_vocabulary(["a"], file)
    for bad, message in ((["a", "a"], "twice"), (["a\nb"], "line end"), ([], "empty")):
        with pytest.raises(ValueError, match=message):
            write_vocabulary(bad, file)
    assert read_vocabulary(file) == ["a"]


def test_pairs_are_joined_in_the_order_of_their_counts():
    # hug 10, pug 5, pun 12, bun 4, hugs 5: u+g 20 times, then u+n 16, then h+ug 15
    texts = ["hug " * 10, "pug " * 5, "pun " * 12, "bun " * 4, "hugs " * 5]
    vocab = train_vocabulary(texts, 5 + 14 + 4)
    assert vocab[:5] == SPECIALS
    assert vocab[5:19] == [*(f"##{letter}" for letter in "bghnpsu"), *"bghnpsu"]
    assert vocab[19:] == ["##ug", "##un", "hug", "pun"]


def test_the_order_of_the_texts_does_not_matter():
    texts = corpus()
    shuffled = random.Random(1).sample(texts, len(texts))
    assert train_vocabulary(texts, 90) == train_vocabulary(iter(shuffled), 90)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text("abcd é", max_size=20), min_size=1), st.integers(5, 60))
def test_a_trained_vocabulary_is_as_large_as_asked_and_knows_its_texts(texts, size):
    letters = {"é": "e"}
    known = {letters.get(c, c) for text in texts for c in text} - {" "}
    if not known or size < 5 + 2 * len(known):
        with pytest.raises(ValueError, match="too small" if known else "no words"):
            train_vocabulary(texts, size, min_frequency=1)
        return
    vocab = train_vocabulary(texts, size, min_frequency=1)
    assert len(vocab) <= size
    assert len(set(vocab)) == len(vocab)
    tokenizer = ElectraTokenizerFast(vocab=vocab)
    assert all("[UNK]" not in tokenizer.tokenize(text) for text in texts)
    if len(vocab) < size:  # nothing was left to join: every word is one piece
        for word in {word for text in texts for word in text.split()}:
            assert len(tokenizer.tokenize(word)) == 1


def test_no_word_made_of_known_characters_is_unknown():
    vocab = train_vocabulary(["cat. mat, 漢"], 60)
    assert {"t", "##c", "##m"} <= set(vocab)
    assert not {"##.", "##,", "##漢"} & set(vocab)  # these are words, they continue none
    assert "[UNK]" not in ElectraTokenizerFast(vocab=vocab).tokenize("tmac.漢,tttt")


def test_a_vocabulary_cuts_text_about_as_short_as_that_of_the_tokenizers_library():
    texts, unseen = corpus(), corpus(seed=1)
    trainer = tokenizers.trainers.WordPieceTrainer(
        vocab_size=150, special_tokens=SPECIALS, min_frequency=2, show_progress=False
    )
    backend = ElectraTokenizerFast(vocab=SPECIALS).backend_tokenizer
    backend.train_from_iterator(texts, trainer)
    theirs = backend.get_vocab()
    joined = sum(len(piece.removeprefix("##")) > 1 for piece in theirs if piece not in SPECIALS)
    letters = len(train_vocabulary(texts, 10_000, min_frequency=10**9))
    ours = train_vocabulary(texts, letters + joined)
    assert pieces_needed(ours, unseen) == pytest.approx(pieces_needed(theirs, unseen), rel=0.01)


def test_rare_characters_and_rare_pairs_are_left_out():
    texts = ["cat cat cat cat 漢 zebra"]
    vocab = train_vocabulary(texts, 60, limit_alphabet=3)
    assert set(vocab[5:]) == {*"act", "##a", "##c", "##t", "##at", "cat"}
    assert "zebra" not in train_vocabulary(texts, 60)
    assert "zebra" in train_vocabulary(texts, 60, min_frequency=1)


def test_of_equally_rare_characters_the_first_in_order_is_kept():
    for text in ("ab ba", "ba ab"):
        assert train_vocabulary([text], 60, limit_alphabet=1)[5:] == ["##a", "a"]


def test_special_tokens_in_the_text_are_not_taken_apart():
    assert "mask" not in train_vocabulary(["a cat [MASK] a cat [MASK]"], 60)


def test_capitals_and_accents_are_kept_when_asked_for():
    texts = ["Émile Émile"]
    assert "emile" in train_vocabulary(texts, 60)
    assert "Émile" in train_vocabulary(texts, 60, do_lower_case=False)
    assert "émile" in train_vocabulary(texts, 60, strip_accents=False)


def test_training_that_cannot_work_says_why():
    with pytest.raises(
        ValueError, match=r"size=7 is too small: 5 special tokens and 6 single characters"
    ):
        train_vocabulary(["cat cat"], 7)
    with pytest.raises(ValueError, match="no words"):
        train_vocabulary(iter([]), 100)
