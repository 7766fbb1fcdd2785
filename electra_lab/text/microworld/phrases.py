"""Noun phrases and verb groups: the parts of a clause, with agreement and reference kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from electra_lab.text.microworld.annotation import PartOfSpeech, Role, Token
from electra_lab.text.microworld.facts import ENTITIES, Entity, Fact, World
from electra_lab.text.microworld.lexicon import (
    ATTRIBUTES,
    FREQUENCY,
    KNOWN_GENDER,
    NAMES,
    NOUNS,
    OBJECT_PRONOUNS,
    POSSESSIVES,
    REFLEXIVES,
    SUBJECT_PRONOUNS,
    Gender,
    Number,
    Verb,
)

Tense = Literal["present", "past", "future", "perfect"]
VOWELS = "aeiou"


@dataclass
class Draft:
    """A sentence in the making: its source of chance, its world, what it has said so far."""

    random: Random
    world: World
    facts: list[Fact] = field(default_factory=list)
    denied: list[Fact] = field(default_factory=list)
    constructions: set[str] = field(default_factory=set)
    mentioned: set[str] = field(default_factory=set)
    sentiment: int = 0
    main: Fact | None = None

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def pick(self, words: Sequence[str]) -> str:
        """One of these words, frequent ones more often."""
        return self.random.choices(words, [FREQUENCY.get(word, 1) for word in words])[0]

    def pick_fact(self, facts: Sequence[Fact]) -> Fact:
        """One of these facts, those about frequent words more often."""
        return self.random.choices(facts, [fact.frequency for fact in facts])[0]

    def pick_entity(self, entities: Sequence[Entity]) -> Entity:
        return self.random.choices(entities, [FREQUENCY[e.lemma] for e in entities])[0]

    def state(self, fact: Fact, *, main: bool = False) -> None:
        """Notes that the sentence states this fact; ``main``: in its main clause."""
        if main:
            self.main = fact
        self.facts.append(fact)
        self.mentioned.update((fact.subject, fact.object))


@dataclass
class NounPhrase:
    """A noun phrase: its words, the word that stands for all of it, and what it refers to."""

    tokens: list[Token]
    head: Token
    entity: Entity
    number: Number
    gender: Gender

    @property
    def form(self) -> str:
        """The key to the pronoun tables: a gender, or plural."""
        return "plural" if self.number == "plural" else self.gender


def function_word(text: str, pos: PartOfSpeech) -> Token:
    return Token(text, pos)


def article(text: str, following: Sequence[Token]) -> list[Token]:
    """A determiner before a phrase; "a" becomes "an" before a vowel."""
    if text == "a" and following[0].text[0] in VOWELS:
        text = "an"
    return [Token(text, "NUM" if text in ("two", "three") else "DET"), *following]


def noun_phrase(
    draft: Draft,
    entity: Entity,
    role: Role,
    number: Number | None = None,
    determiner: str | None = None,
    adjective: float = 0.07,
) -> NounPhrase:
    """A phrase for an entity: a name, or a determiner, perhaps an adjective, and a noun.

    ``number`` is needed only where the entity leaves it open; ``determiner`` "" means none.
    """
    draft.mentioned.add(entity.id)
    if entity.lemma in NAMES:
        gender = NAMES[entity.lemma]
        head = Token(
            entity.lemma,
            "PROPN",
            role,
            entity.id,
            "person",
            number="singular",
            gender=gender,
        )
        return NounPhrase([head], head, entity, "singular", gender)
    noun = NOUNS[entity.lemma]
    number = entity.number or number
    if number is None:
        number = "plural" if noun.plural and draft.chance(0.5) else "singular"
    text = noun.plural if number == "plural" and noun.plural else noun.singular
    head = Token(
        text,
        "NOUN",
        role,
        entity.id,
        entity.type,
        number=number,
        gender=entity.gender if entity.type == "person" else None,
    )
    tokens = [head]
    attributes = ATTRIBUTES.get(entity.type)
    if attributes and draft.chance(adjective):
        tokens.insert(0, Token(draft.pick(attributes), "ADJ", "modifier"))
    if determiner is None:
        determiner = _determiner(draft, entity, number)
    if determiner:
        tokens = article(determiner, tokens)
    gender = entity.gender or KNOWN_GENDER[entity.lemma]
    return NounPhrase(tokens, head, entity, number, gender)


def _determiner(draft: Draft, entity: Entity, number: Number) -> str:
    if entity.type in ("person", "place"):
        return "the"
    if NOUNS[entity.lemma].plural is None:
        return "the" if draft.chance(0.4) else "some" if draft.chance(0.3) else ""
    if number == "singular":
        return "the" if draft.chance(0.7) else "a"
    return "the" if draft.chance(0.8) else draft.random.choice(("two", "three"))


def pronoun(antecedent: NounPhrase, kind: Literal["subject", "object"]) -> NounPhrase:
    """The pronoun for somebody mentioned before."""
    table = SUBJECT_PRONOUNS if kind == "subject" else OBJECT_PRONOUNS
    head = Token(
        table[antecedent.form],
        "PRON",
        kind,
        antecedent.entity.id,
        antecedent.entity.type,
        refers_to=antecedent.head,
        number=antecedent.number,
        gender=None if antecedent.number == "plural" else antecedent.gender,
    )
    return NounPhrase([head], head, antecedent.entity, antecedent.number, antecedent.gender)


def reflexive(antecedent: NounPhrase) -> Token:
    token = pronoun(antecedent, "object").head
    token.text = REFLEXIVES[antecedent.form]
    return token


def possessive(antecedent: NounPhrase) -> Token:
    token = pronoun(antecedent, "object").head
    token.text, token.role = POSSESSIVES[antecedent.form], "modifier"
    return token


def verb_group(
    subject: NounPhrase,
    verb: Verb,
    tense: Tense,
    *,
    negative: bool = False,
    adverb: str = "",
) -> list[Token]:
    """A verb with its auxiliaries; whichever word shows the subject's number agrees with it.

    ``adverb`` (never, often) stands where English puts it: before a single verb, after the first
    auxiliary.
    """
    singular = subject.number == "singular"
    auxiliary, form = {
        "present": (("does" if singular else "do") if negative else "", verb.base),
        "past": ("did" if negative else "", verb.base),
        "future": ("will", verb.base),
        "perfect": ("has" if singular else "have", verb.participle),
    }[tense]
    if not auxiliary:
        form = verb.past if tense == "past" else verb.third if singular else verb.base
    main = Token(form, "VERB", "predicate")
    middle = [Token("not", "PART")] if negative else [Token(adverb, "ADV")] if adverb else []
    if not auxiliary:
        if tense == "present":
            agree(main, subject)
        return [*middle, main]
    helper = Token(auxiliary, "AUX")
    if auxiliary not in ("will", "did"):
        agree(helper, subject)
    return [helper, *middle, main]


def be(subject: NounPhrase, tense: Tense) -> list[Token]:
    """The forms of "be": is, are, was, were, will be, has been, have been."""
    singular = subject.number == "singular"
    if tense == "future":
        return [Token("will", "AUX"), Token("be", "AUX", "predicate")]
    if tense == "perfect":
        helper = Token("has" if singular else "have", "AUX")
        agree(helper, subject)
        return [helper, Token("been", "AUX", "predicate")]
    forms = {"present": ("is", "are"), "past": ("was", "were")}[tense]
    token = Token(forms[not singular], "AUX", "predicate")
    agree(token, subject)
    return [token]


def agree(token: Token, subject: NounPhrase) -> None:
    token.agrees_with = subject.head
    token.number = subject.number


def place(draft: Draft, lemma: str, preposition: str | None = None) -> list[Token]:
    """In the village, on the farm, to the market."""
    phrase = noun_phrase(draft, ENTITIES[lemma], "place", "singular", "the", adjective=0.05)
    return [Token(preposition or NOUNS[lemma].preposition, "ADP"), *phrase.tokens]


def time(words: Sequence[str]) -> list[Token]:
    """Yesterday, last week, in the morning: one point in time, named by its last word."""
    *before, last = words
    head = Token(last, "NOUN" if before else "ADV", "time", "_".join(words), "time")
    return [*(Token(word, _BEFORE_TIMES[word]) for word in before), head]


_BEFORE_TIMES: dict[str, PartOfSpeech] = {
    "every": "DET",
    "the": "DET",
    "in": "ADP",
    "last": "ADJ",
    "next": "ADJ",
}
