"""Vocabularies for the tests of this folder."""

import unicodedata

SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["the", "cat", "sat", "sing", "##ing", "##s", "un", "##aff", "##able", "naïve", "ß", "don"]

# Blocks that between them have accents, right-to-left letters, vowel signs, Chinese, jamo and emoji.
BLOCKS = [
    (0x21, 0x250),
    (0x300, 0x370),
    (0x370, 0x400),
    (0x430, 0x450),
    (0x5B0, 0x5F0),
    (0x610, 0x680),
    (0x900, 0x970),
    (0x1100, 0x1113),
    (0x1E00, 0x1F00),
    (0x2010, 0x2060),
    (0x3001, 0x3040),
    (0x4E00, 0x4E20),
    (0xAC00, 0xAC20),
    (0x1AC0, 0x1AD0),
    (0x1F600, 0x1F640),
]
CHARACTERS = [
    chr(code)
    for first, stop in BLOCKS
    for code in range(first, stop)
    if unicodedata.category(chr(code)) not in ("Cc", "Cn", "Cf", "Zs")
]
VOCABULARY = list(
    dict.fromkeys([*SPECIALS, *WORDS, *CHARACTERS, *(f"##{character}" for character in CHARACTERS)])
)
