"""Clauses: subjects with their modifiers, and what is said of them, all true in the world."""

from __future__ import annotations

from dataclasses import replace

from electra_lab.text.microworld.annotation import Token
from electra_lab.text.microworld.facts import (
    ENTITIES,
    IDS_OF_LEMMA,
    PEOPLE,
    Entity,
    Fact,
    When,
    is_near,
)
from electra_lab.text.microworld.lexicon import (
    ACTION_VERBS,
    GENDERED,
    NAMES,
    NOUNS,
    ROLES,
    STANDING_VERBS,
    STATES,
    TRADE_VERBS,
    TRANSFER_VERBS,
    VERBS,
    Number,
)
from electra_lab.text.microworld.phrases import (
    Draft,
    NounPhrase,
    Tense,
    be,
    noun_phrase,
    place,
    possessive,
    pronoun,
    verb_group,
)

NAMED = tuple(e for e in PEOPLE if e.lemma in NAMES)
PERSONS_BY_NUMBER = {
    number: tuple(e for e in PEOPLE if e.number == number and e.lemma in {**GENDERED, **ROLES})
    for number in ("singular", "plural")
}
LIVING = tuple(e for e in ENTITIES.values() if e.type == "animal")
KINDS = tuple(e for e in ENTITIES.values() if e.type in ("animal", "thing"))
ACTIONS = frozenset(v.base for v in ACTION_VERBS)
TRANSFERS = frozenset(v.base for v in TRANSFER_VERBS)
STANDING = frozenset(v.base for v in STANDING_VERBS)
AT_WORK = frozenset(v.base for v in TRADE_VERBS)
DOING = ACTIONS | TRANSFERS
WITH_OBJECT = frozenset(v.base for v in VERBS.values() if v.frame == "object")


WHEN_OF: dict[Tense, When] = {
    "present": "present",
    "past": "past",
    "perfect": "past",
    "future": "future",
}


def somebody(draft: Draft, names: float = 0.25) -> Entity:
    """A person or a group; common nouns are singular and plural equally often."""
    if draft.chance(names):
        pool = NAMED
    else:
        pool = PERSONS_BY_NUMBER["plural" if draft.chance(0.5) else "singular"]
    return draft.pick_entity([e for e in pool if e.id not in draft.mentioned])


def subject(draft: Draft, entity: Entity | None = None, modified: float = 0.7) -> NounPhrase:
    """A subject, with a modifier that puts another noun between it and its verb."""
    if entity is None:
        entity = somebody(draft)
    number: Number = entity.number or ("plural" if draft.chance(0.5) else "singular")
    pointing = "this" if number == "singular" else "these"
    determiner = pointing if draft.chance(0.7) else "the"
    phrase = noun_phrase(draft, entity, "subject", number, determiner)
    if draft.chance(modified):
        modify(draft, phrase)
    return phrase


def modify(draft: Draft, phrase: NounPhrase) -> None:
    """Adds a phrase (with the dogs, from the hills) or a relative clause to a noun phrase."""
    choices = [_owner, _object_relative]
    if phrase.entity.lemma in NAMES:
        choices = [_relative]
    elif phrase.entity.type == "person":
        choices = [_possession, _possession, _relative, _relative, _object_relative]
    for make in draft.random.sample(choices, len(choices)):
        added = make(draft, phrase)
        if added:
            if phrase.entity.lemma in NAMES:
                added = [Token(",", "PUNCT"), *added, Token(",", "PUNCT")]
            phrase.tokens.extend(added)
            return


def facts_of(draft: Draft, entity: Entity, relations: frozenset[str], *whens: When) -> list[Fact]:
    """What this entity does at these times, to others than those mentioned so far."""
    mentioned = draft.mentioned
    return [
        fact
        for relation, facts in draft.world.of_subject[entity.id].items()
        if relation in relations
        for fact in facts
        if (fact.when is None or fact.when in whens)
        and fact.object not in mentioned
        and fact.recipient not in mentioned
    ]


def _possession(draft: Draft, phrase: NounPhrase) -> list[Token]:
    facts = facts_of(draft, phrase.entity, frozenset({"own", "live"}))
    if not facts:
        return []
    fact = draft.pick_fact(facts)
    draft.state(fact)
    if fact.relation == "live":
        home = noun_phrase(draft, ENTITIES[fact.object], "place", None, "the", 0.0)
        return [Token("from", "ADP"), *home.tokens]
    owned = noun_phrase(draft, ENTITIES[fact.object], "modifier", None, "the")
    return [Token("with", "ADP"), *owned.tokens]


def _owner(draft: Draft, phrase: NounPhrase) -> list[Token]:
    facts = [f for f in draft.world.of_object[phrase.entity.id] if f.relation == "own"]
    facts = [f for f in facts if f.subject not in draft.mentioned]
    if not facts:
        return []
    fact = draft.pick_fact(facts)
    draft.state(fact)
    owner = noun_phrase(draft, ENTITIES[fact.subject], "modifier", adjective=0.0)
    return [Token("of", "ADP"), *owner.tokens]


def _relative(draft: Draft, phrase: NounPhrase) -> list[Token]:
    """Who knows the sailors."""
    facts = facts_of(draft, phrase.entity, WITH_OBJECT, "past", "present")
    if not facts:
        return []
    at_work = [f for f in facts if f.relation in AT_WORK]
    fact = draft.pick_fact(at_work if at_work and draft.chance(0.5) else facts)
    draft.state(fact)
    who = pronoun(phrase, "subject").head
    who.text = "who"
    tense: Tense = "past" if fact.when == "past" else "present"
    verb = verb_group(phrase, VERBS[fact.relation], tense)
    return [who, *verb, *complement(draft, fact)]


def _object_relative(draft: Draft, phrase: NounPhrase) -> list[Token]:
    """That the sailors know."""
    facts = [
        f
        for f in draft.world.of_object[phrase.entity.id]
        if f.subject not in draft.mentioned
        and f.recipient is None
        and f.when != "future"
        and ENTITIES[f.subject].type == "person"
    ]
    if not facts:
        return []
    weights = [f.frequency for f in facts]
    fact = draft.random.choices(facts, weights)[0]
    draft.state(fact)
    inner = noun_phrase(draft, ENTITIES[fact.subject], "subject", adjective=0.0)
    tense: Tense = "past" if fact.when == "past" else "present"
    verb = verb_group(inner, VERBS[fact.relation], tense)
    that = Token(
        "that", "PRON", "object", phrase.entity.id, phrase.entity.type,
        refers_to=phrase.head, number=phrase.number,
    )  # fmt: skip
    return [that, *inner.tokens, *verb]


def complement(draft: Draft, fact: Fact, owner: NounPhrase | None = None) -> list[Token]:
    """What follows the verb: the object, the place, or what is given and to whom.

    With ``owner`` given, a thing may be said to be theirs (her own boat).
    """
    verb = VERBS[fact.relation]
    if verb.frame == "place":
        return place(draft, fact.object)
    if verb.frame == "goal":
        return place(draft, fact.object, "to")
    entity = ENTITIES[fact.object]
    if owner is not None and entity.type == "thing" and draft.chance(0.45):
        thing = noun_phrase(draft, entity, "object", None, "", adjective=0.0)
        own = [Token("own", "ADJ", "modifier")] if draft.chance(0.6) else []
        tokens = [possessive(owner), *own, *thing.tokens]
        draft.constructions.add("possessive")
    elif entity.type == "place":
        tokens = noun_phrase(draft, entity, "object", "singular", "the", 0.05).tokens
    else:
        tokens = noun_phrase(draft, entity, "object").tokens
    if fact.recipient is not None:
        recipient = noun_phrase(draft, ENTITIES[fact.recipient], "recipient", adjective=0.0)
        tokens += [Token("to", "ADP"), *recipient.tokens]
    return tokens


def choose(draft: Draft, entity: Entity, tense: Tense, *, doing: bool) -> Fact | None:
    """A fact to tell of somebody: what they do, or (``doing`` false) anything, states too."""
    facts = facts_of(draft, entity, DOING if doing else STANDING | DOING, WHEN_OF[tense])
    if not doing and draft.chance(0.3):
        facts = [f for f in facts if f.relation in STANDING] or facts
    at_work = [f for f in facts if f.relation in AT_WORK]
    if at_work and draft.chance(0.6):
        return draft.pick_fact(at_work)
    if not doing:
        states = draft.world.of_subject[entity.id].get("be", [])
        if states and not facts:
            return draft.pick_fact(states)
    return draft.pick_fact(facts) if facts else None


def predicate(
    draft: Draft,
    of: NounPhrase,
    fact: Fact,
    tense: Tense,
    *,
    negative: bool = False,
    adverb: str = "",
    main: bool = True,
    known: NounPhrase | None = None,
) -> list[Token]:
    """Says ``fact`` of its subject in this tense.

    ``main`` lets it colour the sentence; if it is about ``known``, a pronoun does.
    """
    if negative or adverb == "never":
        draft.denied.append(fact)
    else:
        draft.state(fact)
    if main:
        draft.main = fact
        colour = sentiment_of(fact)
        draft.sentiment = colour if not negative else -1 if colour > 0 else 0
    if fact.relation == "be":
        tokens = be(of, tense)
        if negative:
            tokens.insert(1, Token("not", "PART"))
        elif adverb:
            tokens.insert(1, Token(adverb, "ADV"))
        return [*tokens, Token(fact.object, "ADJ", "attribute")]
    verb = verb_group(of, VERBS[fact.relation], tense, negative=negative, adverb=adverb)
    if known is not None and fact.object == known.entity.id:
        return [*verb, *pronoun(known, "object").tokens]
    return [*verb, *complement(draft, fact, of if fact.relation in DOING else None)]


def sentiment_of(fact: Fact) -> int:
    if fact.relation == "be":
        return STATES[ENTITIES[fact.subject].type][fact.object][1]
    return VERBS[fact.relation].sentiment if fact.relation in VERBS else 0


def untrue(draft: Draft, entity: Entity) -> Fact | None:
    """Something that this person has not done, of the same split as the world."""
    verbs = [v.base for v in ACTION_VERBS if entity.lemma in v.subjects]
    for _ in range(40):
        verb = VERBS[draft.pick(verbs)]
        lemma = draft.pick(verb.objects)
        object_ = draft.random.choice(IDS_OF_LEMMA[lemma])
        if lemma == entity.lemma or object_ in draft.mentioned:
            continue
        if not is_near(entity.id, object_) and draft.chance(0.9):
            continue
        fact = Fact(verb.base, entity.id, object_, when="past")
        if fact.split == draft.world.split and fact not in draft.world:
            return fact
    return None


def group_of(entity: Entity) -> Entity:
    """The farmers, for a farmer."""
    plural = NOUNS[entity.lemma].plural
    assert plural is not None
    return ENTITIES[plural]


def one_of(entity: Entity) -> Entity:
    """One of a group, grammatically singular, of whom the group's facts are told."""
    return replace(entity, number="singular")
