"""Facts told one at a time, in words that leave no doubt who did what to whom."""

from __future__ import annotations

from functools import lru_cache

from electra_lab.text.microworld.annotation import Token
from electra_lab.text.microworld.facts import ENTITIES, PEOPLE, Entity, Fact, World
from electra_lab.text.microworld.lexicon import ACTION_VERBS, CIRCLES, NAMES, TRADE_VERBS, VERBS
from electra_lab.text.microworld.phrases import (
    Draft,
    NounPhrase,
    Tense,
    be,
    noun_phrase,
    verb_group,
)

DEEDS = frozenset(v.base for v in ACTION_VERBS if v.frame == "object")
"""What people do to others or to things."""
TRADES_DONE = frozenset(v.base for v in TRADE_VERBS)
CIRCLE_NUMBER = {member: i for i, circle in enumerate(CIRCLES) for member in circle.members}


def anybody(draft: Draft) -> Entity:
    """A person or a group that was not mentioned, frequent ones more often."""
    return draft.pick_entity([e for e in PEOPLE if e.id not in draft.mentioned])


def named(draft: Draft, entity: Entity) -> NounPhrase:
    """The farmer, the cows, Anna: as subject of a clause."""
    return noun_phrase(draft, entity, "subject", determiner="the", adjective=0.0)


def said_of(
    draft: Draft,
    of: NounPhrase,
    fact: Fact,
    tense: Tense = "past",
    *,
    negative: bool = False,
    adverb: str = "",
) -> list[Token]:
    """Bought the boat; did not buy the boat; has never bought the boat."""
    verb = verb_group(of, VERBS[fact.relation], tense, negative=negative, adverb=adverb)
    thing = noun_phrase(draft, ENTITIES[fact.object], "object", determiner="the", adjective=0.0)
    return [*verb, *thing.tokens]


def passive_of(draft: Draft, fact: Fact, *, negative: bool = False) -> list[Token]:
    """The boat was (not) bought by the girl."""
    of = noun_phrase(draft, ENTITIES[fact.object], "subject", determiner="the", adjective=0.0)
    by = noun_phrase(draft, ENTITIES[fact.subject], "object", determiner="the", adjective=0.0)
    was = be(of, "past")
    if negative:
        was.append(Token("not", "PART"))
    verb = Token(VERBS[fact.relation].participle, "VERB", "predicate")
    return [*of.tokens, *was, verb, Token("by", "ADP"), *by.tokens]


def deeds_of(draft: Draft, entity: Entity, relations: frozenset[str] = DEEDS) -> list[Fact]:
    """What somebody has done, to nobody and nothing mentioned yet; places left out."""
    mentioned = draft.mentioned
    return [f for f in _deeds(draft.world, entity.id, relations) if f.object not in mentioned]


@lru_cache(maxsize=512)
def _deeds(world: World, id_: str, relations: frozenset[str]) -> tuple[Fact, ...]:
    return tuple(
        fact
        for relation, facts in world.of_subject[id_].items()
        if relation in relations
        for fact in facts
        if fact.when == "past" and ENTITIES[fact.object].type != "place"
    )


def can_do(entity: Entity, fact: Fact) -> bool:
    """Whether this is something that people like these may do."""
    return entity.lemma in VERBS[fact.relation].subjects and entity.id != fact.object


def set_off(phrase: NounPhrase, relative: list[Token]) -> list[Token]:
    """A noun phrase with its relative clause, between commas after a name."""
    if phrase.entity.lemma in NAMES:
        relative = [Token(",", "PUNCT"), *relative, Token(",", "PUNCT")]
    return [*phrase.tokens, *relative]


def seen_by(draft: Draft, phrase: NounPhrase, by: Entity, fact: Fact) -> list[Token]:
    """That the boys helped: a relative clause with its subject, after the noun phrase."""
    inner = named(draft, by)
    verb = verb_group(inner, VERBS[fact.relation], "past")
    who = "who" if phrase.entity.lemma in NAMES else "that"
    link = Token(who, "PRON", "object", phrase.entity.id, "person", refers_to=phrase.head)
    return set_off(phrase, [link, *inner.tokens, *verb])


def who_did(draft: Draft, phrase: NounPhrase, fact: Fact) -> list[Token]:
    """Who helped the boys: a relative clause with its object, after the noun phrase."""
    who = Token("who", "PRON", "subject", phrase.entity.id, "person", refers_to=phrase.head)
    return set_off(phrase, [who, *said_of(draft, phrase, fact)])


def beside(draft: Draft, phrase: NounPhrase) -> tuple[list[Token], Entity, Fact] | None:
    """A noun phrase with a relative clause about somebody else -> its words, who, and the fact."""
    entity = phrase.entity
    done_by = deeds_of(draft, entity)
    done_to = [
        fact
        for fact in draft.world.of_object[entity.id]
        if fact.relation in DEEDS and fact.when == "past" and fact.subject not in draft.mentioned
    ]
    facts = [
        fact
        for fact, other in (*((f, f.object) for f in done_by), *((f, f.subject) for f in done_to))
        if ENTITIES[other].type == "person"
    ]
    if not facts:
        return None
    fact = draft.pick_fact(facts)
    if fact.subject == entity.id:
        return who_did(draft, phrase, fact), ENTITIES[fact.object], fact
    by = ENTITIES[fact.subject]
    return seen_by(draft, phrase, by, fact), by, fact
