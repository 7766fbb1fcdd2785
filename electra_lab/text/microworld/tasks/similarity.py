"""Two sentences and how close they are in meaning, on the scale of the bundled set.

=====  ==============================================================
 5     the same fact, said or denied in both, in other words
 3     the same doer did the same with another thing, in both or in neither
 2.5   the same fact, said in one and denied in the other
 2     roles exchanged: who did it and to whom it was done
 1     one topic (the trade or the home), nothing else in common
 0     nothing in common
=====  ==============================================================

Pairs that score 5, 2.5 and 2 share the same words, pairs that score 1 and 0 hardly any. Denials stand in
both sentences, in one, and in none, so a pair's score does not hang on how many there are.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from electra_lab.text.microworld.clauses import untrue
from electra_lab.text.microworld.facts import ENTITIES, IDS_OF_LEMMA, PEOPLE, Entity, Fact, is_near
from electra_lab.text.microworld.lexicon import VERBS
from electra_lab.text.microworld.phrases import Draft
from electra_lab.text.microworld.tasks.entailment import claim
from electra_lab.text.microworld.tasks.rows import Row, Rows, Worlds, in_turn, text_of
from electra_lab.text.microworld.tasks.telling import (
    CIRCLE_NUMBER,
    DEEDS,
    TRADES_DONE,
    anybody,
    deeds_of,
    named,
    passive_of,
)

SCORES = (5.0, 5.0, 3.0, 2.5, 2.5, 2.0, 1.0, 0.0)
"""Two pairs in eight have the same words and agree, two have them and disagree."""

TO_PEOPLE = ("see", "help", "visit")


def rows(worlds: Worlds, random: Random) -> Rows:
    """``{"sentence1", "sentence2", "score"}``."""
    strata = tuple((score, said) for score in SCORES for said in (True, False))
    return in_turn(strata, worlds, random, _row)


def _row(draft: Draft, stratum: tuple[float, bool]) -> Row | None:
    score, said = stratum
    found = _facts(draft, score, said)
    if found is None:
        return None
    one, other = found
    first = _told(draft, one, said=said)
    second = _told(draft, other, said=said if score != 2.5 else not said)
    if first == second:
        return None
    return {"sentence1": first, "sentence2": second, "score": score}


def _facts(draft: Draft, score: float, said: bool) -> tuple[Fact, Fact] | None:
    """What the two sentences are about, of the world's split.

    If they are to be told as done, they are so in the world, and if denied, they are not. Who helped
    whom and was helped in turn is rare, so exchanged roles need not be true: a score asks only for what
    the sentences say.
    """
    entity = anybody(draft)
    if score == 2.0:
        relation = draft.random.choice(TO_PEOPLE)
        whom = anybody(draft)
        first = Fact(relation, entity.id, whom.id, when="past")
        second = Fact(relation, whom.id, entity.id, when="past")
        fits = first != second and first.split == second.split == draft.world.split
        return (first, second) if fits else None
    one = _deed(draft, entity, said)
    if one is None:
        return None
    if score in (5.0, 2.5):
        return one, one
    if score == 3.0:
        others = _with_others(draft, one, said)
        return (one, draft.pick_fact(others)) if others else None
    if not is_near(one.subject, one.object):
        return None
    circle = CIRCLE_NUMBER[entity.lemma]
    people = [
        e
        for e in PEOPLE
        if (CIRCLE_NUMBER[e.lemma] == circle) == (score == 1.0)
        and e.lemma not in (entity.lemma, _lemma(one.object))
    ]
    if not people:
        return None
    facts = [
        f
        for f in _deeds(draft, draft.pick_entity(people), said)
        if f.relation != one.relation
        and _lemma(f.object) not in (entity.lemma, _lemma(one.object))
        and is_near(f.subject, f.object)
    ]
    return (one, draft.pick_fact(facts)) if facts else None


def _lemma(id_: str) -> str:
    return ENTITIES[id_].lemma


def _deed(draft: Draft, entity: Entity, said: bool) -> Fact | None:
    """Something that somebody has done, at their trade rather than not; or has not done."""
    if not said:
        facts = _deeds(draft, entity, said)
        return facts[0] if facts else None
    facts = deeds_of(draft, entity)
    trades = [f for f in facts if f.relation in TRADES_DONE]
    if trades and draft.chance(0.5):
        facts = trades
    return draft.pick_fact(facts) if facts else None


def _deeds(draft: Draft, entity: Entity, said: bool) -> list[Fact]:
    """What somebody has done; or one thing that they have not."""
    if said:
        return deeds_of(draft, entity)
    fact = untrue(draft, entity)
    return [fact] if fact and fact.relation in DEEDS and _is_no_place(fact.object) else []


def _with_others(draft: Draft, fact: Fact, said: bool) -> list[Fact]:
    """The same done by the same with other things; true in the world if said, untrue if not."""
    objects = [id_ for lemma in VERBS[fact.relation].objects for id_ in IDS_OF_LEMMA[lemma]]
    facts = [
        replace(fact, object=id_)
        for id_ in objects
        if _lemma(id_) not in (_lemma(fact.object), _lemma(fact.subject)) and _is_no_place(id_)
    ]
    return [f for f in facts if f.split == draft.world.split and (f in draft.world) == said]


def _is_no_place(id_: str) -> bool:
    return ENTITIES[id_].type != "place"


def _told(draft: Draft, fact: Fact, *, said: bool) -> str:
    """One of several wordings: active or passive, two past tenses, two denials."""
    if draft.chance(0.25):
        return text_of(passive_of(draft, fact, negative=not said))
    of = named(draft, ENTITIES[fact.subject])
    return text_of([*of.tokens, *claim(draft, of, fact, said=said)])
