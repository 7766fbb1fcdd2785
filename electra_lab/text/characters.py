"""What kind of character is this? The questions that WordPiece asks before it sees a single piece.

The answers come from ``unicodedata``. The ``tokenizers`` library, which made the ids that every
public checkpoint was trained on, answers from the tables of Unicode 8 (2015): what became
punctuation, a combining mark or a format character after that is a letter to it. The tables at the
end name those characters, so that the readable tokenizer gives the library's ids for any text.
"""

from __future__ import annotations

import unicodedata
from functools import cache

ASCII_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
TEXT_CONTROLS = frozenset("\t\n\r")  # control characters by their category, whitespace by their use
SEPARATORS = frozenset("\x1c\x1d\x1e\x1f")  # whitespace to Python, not to Unicode
REPLACEMENT_CHARACTER = "\ufffd"

# Blocks of Chinese characters. Hangul, Hiragana and Katakana are not among them: Korean and Japanese
# words are not cut into characters.
CJK_BLOCKS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF),  # Unicode's block begins at 2B820; `tokenizers` says 2B920
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


def is_whitespace(character: str) -> bool:
    """Space, tab, line end, no-break space and the like."""
    return character.isspace() and character not in SEPARATORS


@cache
def is_removed(character: str) -> bool:
    """Whether cleaning drops the character: control, format and private-use characters, and the
    mark that stands for undecodable bytes. Tab and line ends are whitespace and stay."""
    if character in TEXT_CONTROLS:
        return False
    if character == REPLACEMENT_CHARACTER:
        return True
    return (
        unicodedata.category(character) in ("Cc", "Cf", "Co") and ord(character) not in LETTERS_IN_8
    )


@cache
def is_punctuation(character: str) -> bool:
    """Unicode's punctuation, and every ASCII character that is neither letter, digit nor space:
    ``$`` and ``+`` are symbols to Unicode, but nobody wants them inside a word."""
    code = ord(character)
    return (
        character in ASCII_PUNCTUATION
        or (unicodedata.category(character).startswith("P") and code not in LETTERS_IN_8)
        or code in PUNCTUATION_IN_8
    )


@cache
def is_chinese(character: str) -> bool:
    """Whether the character lies in one of ``CJK_BLOCKS``."""
    return any(first <= ord(character) <= last for first, last in CJK_BLOCKS)


@cache
def is_nonspacing_mark(character: str) -> bool:
    """An accent that combines with the letter before it (category Mn)."""
    code = ord(character)
    return (
        unicodedata.category(character) == "Mn" and code not in LETTERS_IN_8
    ) or code in MARKS_IN_8


@cache
def lower(character: str) -> str:
    """The lower-case form, one character or two. Each character alone: no final sigma."""
    shift = LOWER_SINCE_14.get(ord(character))
    return character.lower() if shift is None else chr(ord(character) + shift)


@cache
def decomposed(character: str) -> str:
    """The canonical decomposition: one letter, then its accents."""
    if ord(character) in WHOLE_IN_12:
        return character
    return unicodedata.normalize("NFD", character)


@cache
def combining_class(character: str) -> int:
    """Where a mark is written; sorts the marks on one letter. 0 for all that is no mark."""
    return 0 if ord(character) in UNSORTED_IN_12 else unicodedata.combining(character)


def _code_points(ranges: str) -> frozenset[int]:
    """Read ``"61D 890-891"``."""
    codes: set[int] = set()
    for part in ranges.split():
        first, _, last = part.partition("-")
        codes.update(range(int(first, 16), int(last or first, 16) + 1))
    return frozenset(codes)


# Punctuation, nonspacing marks and format characters of Unicode 17 that Unicode 8 does not have.
LETTERS_IN_8 = _code_points("""
    5C8-5C9 61D 7FD 890-891 897-89F 8CA-8E2 9FD-9FE A76 AFA-AFF B53-B55 C04 C3C C77 C84 D00
    D3B-D3C D81 EBA ECE 180F 1885-1886 1ABF-1AF0 1B4E-1B4F 1B7D-1B7F 1DF6-1DFB 2E43-2E4F
    2E52-2E5D 2E60-2E63 A82C A8C5 A8FF A9BD 10D24-10D27 10D69-10D6E 10EAB-10EAD 10ECB-10ED0
    10EF0-10EFF 10F46-10F50 10F55-10F59 10F82-10F89 11070 11073-11074 110C2 110CD 111C9 111CF
    1123E 11241 1133B 113BB-113C0 113CE 113D0 113D2 113D4-113D5 113D7-113D8 113E1-113E2
    11438-1143F 11442-11444 11446 1144B-1144F 1145A-1145B 1145D-1145E 11660-1166C 116B9
    1182F-11837 11839-1183B 1193B-1193C 1193E 11943-11946 119D4-119D7 119DA-119DB 119E0 119E2
    11A01-11A0A 11A33-11A38 11A3B-11A47 11A51-11A56 11A59-11A5B 11A8A-11A96 11A98-11A9C
    11A9E-11AA2 11B00-11B09 11B60 11B62-11B64 11B66 11BE1 11C30-11C36 11C38-11C3D 11C3F
    11C41-11C45 11C70-11C71 11C92-11CA7 11CAA-11CB0 11CB2-11CB3 11CB5-11CB6 11D31-11D36 11D3A
    11D3C-11D3D 11D3F-11D45 11D47 11D90-11D91 11D95 11D97 11DF0 11EF3-11EF4 11EF7-11EF8
    11F00-11F01 11F36-11F3A 11F40 11F42-11F4F 11F5A 11FFF 12FF1-12FF2 13430-13440 13447-13455
    1611E-16129 1612D-1612F 16D6D-16D6F 16E97-16E9A 16F4F 16FE2 16FE4 1CF00-1CF2D 1CF30-1CF46
    1D127-1D128 1D25B-1D25C 1E000-1E006 1E008-1E018 1E01B-1E021 1E023-1E024 1E026-1E02A 1E08F
    1E130-1E136 1E2AE 1E2EC-1E2EF 1E4EC-1E4EF 1E5EE-1E5EF 1E5FF 1E6E3 1E6E6 1E6EE-1E6EF 1E6F5
    1E944-1E94A 1E95E-1E95F
""")
PUNCTUATION_IN_8 = frozenset((0x166D, 0x111C9))  # now a symbol and a mark
MARKS_IN_8 = frozenset((0x1734,))  # now a spacing mark

# Decomposition follows Unicode 12 there: marks it does not know are not sorted, and later letters
# stay whole.
UNSORTED_IN_12 = _code_points("""
    5C8-5C9 7FD 897-89F 8CA-8D3 9FE C3C D3B-D3C EBA 1715 1ABF-1AF0 1DF6-1DFA A82C 10D24-10D27
    10D69-10D6D 10EAB-10EAC 10ECB-10ECF 10EF0-10EFB 10EFD-10EFF 10F46-10F50 10F82-10F85 11070
    1133B 113CE-113D0 1145E 11839-1183A 11938 1193D-1193E 11943 119E0 11A34 11A47 11A99 11D42
    11D44-11D45 11D97 11F41-11F42 1612F 16FF0-16FF1 1D127-1D128 1D250-1D252 1D25B-1D25C 1D25F
    1D280-1D281 1E08F 1E130-1E136 1E2AE 1E2EC-1E2EF 1E4EC-1E4EF 1E5EE-1E5EF 1E6E3 1E6E6
    1E6EE-1E6EF 1E6F5
""")
WHOLE_IN_12 = _code_points(
    "105C9 105E4 11383 11385 1138E 11391 113C5 113C7-113C8 11938 16121-16128 16D68-16D6A"
)

# Lower case, in contrast, is as new as the compiler: capital letters that Python 3.11's Unicode 14
# lacks, with the distance to their small letters.
LOWER_SINCE_14 = {
    **dict.fromkeys(_code_points("1C89 A7CC A7CE A7D2 A7D4 A7DA"), 1),
    **dict.fromkeys(_code_points("10D50-10D65"), 32),
    **dict.fromkeys(_code_points("16EA0-16EB8"), 27),
    0xA7CB: 0x264 - 0xA7CB,
    0xA7DC: 0x19B - 0xA7DC,
}
