"""The readable WordPiece: what cleaning and splitting do, and what the greedy rule gives."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import normalizers, pre_tokenizers

from electra_lab.text.wordpiece import BasicTokenizer, Piece, WordPiece


def words(text, **settings):
    return [word.text for word in BasicTokenizer(**settings).words(text)]


def test_lower_casing_and_accents_are_lost_together_unless_asked_otherwise():
    assert words("Résumé") == ["resume"]
    assert words("Résumé", strip_accents=False) == ["résumé"]
    assert words("Résumé", do_lower_case=False) == ["Résumé"]
    assert words("Résumé", do_lower_case=False, strip_accents=True) == ["Resume"]


def test_punctuation_and_chinese_characters_become_words():
    assert words("don't pay $5.00") == ["don", "'", "t", "pay", "$", "5", ".", "00"]
    assert words("一丁abc") == ["一", "丁", "abc"]
    assert words("一丁abc", tokenize_chinese_chars=False) == ["一丁abc"]


def test_cleaning_drops_control_characters_and_makes_all_whitespace_a_space():
    assert words("a\x00b\u200bc\ufffd d\te\u00a0f\u2003g") == ["abc", "d", "e", "f", "g"]


def test_words_that_are_never_split_stay_as_they_are():
    assert words("Keep THIS, keep O'Neil", never_split=["O'Neil", "THIS"]) == [
        *("keep", "this", ",", "keep", "O'Neil")
    ]


def test_without_basic_tokenization_only_whitespace_cuts():
    assert words("Don't  STOP.\n", do_split=False) == ["Don't", "STOP."]


def test_a_word_knows_where_each_of_its_characters_came_from():
    text = "  Ça—é"
    found = {word.text: word.span(0, len(word.text)) for word in BasicTokenizer().words(text)}
    assert found == {"ca": (2, 4), "—": (4, 5), "e": (5, 6)}
    assert BasicTokenizer().words("e\u0301\u0301x")[0].origins == (0, 3)


def test_the_longest_piece_is_taken_first_even_where_that_loses_the_word():
    wordpiece = WordPiece({"un", "una", "##aff", "##able", "##a", "##ff"})
    assert wordpiece.pieces("unable") == [Piece("[UNK]", 0, 6)]  # una, then nothing fits "ble"
    wordpiece = WordPiece({"un", "##aff", "##able", "##a", "##ff"})
    assert wordpiece.pieces("unaffable") == [
        Piece("un", 0, 2),
        Piece("##aff", 2, 5),
        Piece("##able", 5, 9),
    ]


@pytest.mark.parametrize(("length", "expected"), [(100, 100), (101, 1)])
def test_words_of_more_than_100_characters_are_unknown(length, expected):
    assert len(WordPiece({"a", "##a"}).pieces("a" * length)) == expected


@given(st.text("abc", min_size=1, max_size=30), st.sets(st.text("abc", min_size=1, max_size=4)))
def test_pieces_spell_the_word_and_none_could_have_been_longer(word, stems):
    vocab = stems | {f"##{stem}" for stem in stems}
    pieces = WordPiece(vocab).pieces(word)
    if pieces[0].text == "[UNK]":
        return
    assert "".join(piece.text.removeprefix("##") for piece in pieces) == word
    for piece in pieces:
        prefix = "##" if piece.start else ""
        longer = [prefix + word[piece.start : s] for s in range(piece.stop + 1, len(word) + 1)]
        assert not vocab.intersection(longer)


def code_points():
    """Every character that is no plain letter, all that decompose, and some of the many others."""
    for code in range(0x110000):
        character = chr(code)
        category = unicodedata.category(character)
        if category == "Cs":
            continue
        many = category in ("Lo", "Cn", "Co") and not unicodedata.decomposition(character)
        if not many or code % 997 == 0:
            yield character


@pytest.mark.parametrize(
    ("lower", "accents", "clean"), [(True, None, True), (False, True, False), (False, False, False)]
)
def test_every_kind_of_character_is_treated_as_the_tokenizers_library_treats_it(
    lower, accents, clean
):
    normalizer = normalizers.BertNormalizer(
        clean_text=clean, handle_chinese_chars=True, strip_accents=accents, lowercase=lower
    )
    # U+1AC5 is a mark of Unicode 14, a letter to the library: marks after it must not move past it.
    text = "".join(f"<a{character}b\u1ac5{character}>" for character in code_points())
    cut = pre_tokenizers.BertPreTokenizer().pre_tokenize_str(normalizer.normalize_str(text))
    theirs = [word for word, _ in cut]
    basic = BasicTokenizer(do_lower_case=lower, strip_accents=accents, clean_text=clean)
    ours = [word.text for word in basic.words(text)]
    first = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), None)
    assert first is None, (ours[first - 5 : first + 5], theirs[first - 5 : first + 5])
    assert len(ours) == len(theirs)
