"""What is true of every word of a sentence.

While a sentence is built its words are linked as objects (``Token``); once it is finished they
become plain records (``Word``) that point to each other by position.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from electra_lab.text.microworld.facts import Fact
from electra_lab.text.microworld.lexicon import NAMES, EntityType, Gender, Number

PartOfSpeech = Literal[
    "NOUN", "PROPN", "VERB", "AUX", "ADJ", "ADV", "ADP", "DET", "PRON", "CCONJ", "SCONJ", "PART",
    "NUM", "PUNCT",
]  # fmt: skip
Role = Literal[
    "subject",
    "predicate",
    "object",
    "recipient",
    "place",
    "time",
    "attribute",
    "modifier",
]
Sentiment = Literal["positive", "negative", "neutral"]


@dataclass(frozen=True)
class Word:
    """One word of a sentence, lower-case, and what is true of it.

    Attributes:
        text: the word, lower-case.
        pos: its part of speech (a Universal Dependencies tag).
        role: what it does in its clause; None for function words.
        entity: the id of what it names or refers to (``anna``, ``farmers``, ``dog``), or None.
        entity_type: person, animal, thing, food, place or time, or None.
        refers_to: for a pronoun, the position of its antecedent; else None.
        agrees_with: for a verb that shows number, the position of the head of its subject; for
            two subjects joined by "and", the position of that "and". None for other words.
        number: singular or plural, where the word is one of them.
        gender: of a person or pronoun that shows it.
    """

    text: str
    pos: PartOfSpeech
    role: Role | None = None
    entity: str | None = None
    entity_type: EntityType | None = None
    refers_to: int | None = None
    agrees_with: int | None = None
    number: Number | None = None
    gender: Gender | None = None


@dataclass(frozen=True)
class AnnotatedSentence:
    """A sentence, its words, and what it says.

    Attributes:
        text: plain English, with a capital at the start and at names, and a final stop.
        words: the words and punctuation marks, in order.
        fact: what its main clause states, denies or asks about.
        facts: the facts that it states, supposes or asks about; all are true in its world.
        denied: the facts that it denies.
        sentiment: of its main clause.
        constructions: the names of the grammar's rules that made it ("question", "reflexive").
    """

    text: str
    words: tuple[Word, ...]
    fact: Fact
    facts: tuple[Fact, ...]
    denied: tuple[Fact, ...]
    sentiment: Sentiment
    constructions: frozenset[str]

    def with_word(self, position: int, text: str) -> str:
        """The sentence's text with the word at ``position`` replaced."""
        words = [word.text for word in self.words]
        words[position] = text
        return written(words)


@dataclass(eq=False)
class Token:
    """A word under construction; compared by identity, linked by reference."""

    text: str
    pos: PartOfSpeech
    role: Role | None = None
    entity: str | None = None
    entity_type: EntityType | None = None
    refers_to: Token | None = None
    agrees_with: Token | None = None
    number: Number | None = None
    gender: Gender | None = None


def finish(tokens: Sequence[Token]) -> tuple[Word, ...]:
    """Turns linked tokens into words that point to each other by position."""
    position = {id(token): i for i, token in enumerate(tokens)}

    def place(token: Token | None) -> int | None:
        return None if token is None else position[id(token)]

    return tuple(
        Word(
            token.text,
            token.pos,
            token.role,
            token.entity,
            token.entity_type,
            place(token.refers_to),
            place(token.agrees_with),
            token.number,
            token.gender,
        )
        for token in tokens
    )


def written(words: Sequence[str]) -> str:
    """Words as a line of text: no space before punctuation, capitals at the start and at names."""
    text = ""
    for i, word in enumerate(words):
        capital = i == 0 or word in NAMES
        text += ("" if i == 0 or word in ",.?" else " ") + (word.capitalize() if capital else word)
    return text


def word_labels(
    word_ids: Sequence[int | None], labels: Sequence[object], other: object = None
) -> list[object]:
    """Labels of words, spread over the pieces that a tokenizer made of them.

    Args:
        word_ids: for each piece the position of its word, None for special tokens: what
            ``tokenizer(words, is_split_into_words=True).word_ids()`` returns.
        labels: one label per word.
        other: the label of special tokens and of every further piece of a word: a word is
            labelled at its first piece.

    Raises:
        ValueError: a piece belongs to a word that has no label.
    """
    spread: list[object] = []
    previous: int | None = None
    for word in word_ids:
        if word is not None and word >= len(labels):
            raise ValueError(
                f"A piece belongs to word {word}, but only {len(labels)} words have a label."
            )
        spread.append(other if word is None or word == previous else labels[word])
        previous = word
    return spread
