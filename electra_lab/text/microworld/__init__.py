"""A small world to talk about: text for a minute's training, with the truth about every word."""

from electra_lab.text.microworld.annotation import AnnotatedSentence, Word, word_labels
from electra_lab.text.microworld.facts import Fact, World
from electra_lab.text.microworld.lexicon import vocabulary_words
from electra_lab.text.microworld.pairs import PHENOMENA, MinimalPair, minimal_pairs
from electra_lab.text.microworld.sentences import MicroWorld

__all__ = [
    "PHENOMENA",
    "AnnotatedSentence",
    "Fact",
    "MicroWorld",
    "MinimalPair",
    "Word",
    "World",
    "minimal_pairs",
    "vocabulary_words",
    "word_labels",
]
