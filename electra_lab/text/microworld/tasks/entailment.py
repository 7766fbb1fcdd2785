"""A sentence about two people, and a claim about one of them: does it follow?

The premise says of its subject that something was done, or denies it; somebody else stands in its
relative clause. The claim is about the subject, said or denied (it follows, or is excluded), or about
the other person or another thing (neither). Each label has said and denied claims after said and
denied premises in equal number, so neither the claim alone nor "not" tells.
"""

from __future__ import annotations

from itertools import product
from random import Random

from electra_lab.text.microworld.annotation import Token
from electra_lab.text.microworld.clauses import untrue
from electra_lab.text.microworld.facts import ENTITIES, Entity, Fact
from electra_lab.text.microworld.lexicon import VERBS
from electra_lab.text.microworld.phrases import Draft, NounPhrase
from electra_lab.text.microworld.tasks.rows import Row, Rows, Worlds, in_turn, text_of
from electra_lab.text.microworld.tasks.telling import (
    DEEDS,
    anybody,
    beside,
    can_do,
    deeds_of,
    named,
    said_of,
)

LABELS = ("entailment", "neutral", "contradiction")


def rows(worlds: Worlds, random: Random) -> Rows:
    """``{"premise", "hypothesis", "label"}``."""
    strata = tuple(product(LABELS, (True, False), ("", "again")))
    return in_turn(strata, worlds, random, _row)


def _row(draft: Draft, stratum: tuple[str, bool, str]) -> Row | None:
    label, said, turn = stratum
    of = named(draft, anybody(draft))
    found = beside(draft, of)
    if found is None:
        return None
    phrase, other, _ = found
    fact = _deed(draft, of.entity, true=said)
    if fact is None or not can_do(other, fact):
        return None
    premise = [*phrase, *claim(draft, of, fact, said=said)]
    claimed = (said == (label == "entailment")) if label != "neutral" else turn == ""
    if label != "neutral":
        who, what = of.entity, fact
    elif draft.chance(0.75):
        who, what = other, fact
    else:
        others = [o for o in VERBS[fact.relation].objects if ENTITIES[o].type != "place"]
        others = [o for o in others if ENTITIES[o].lemma != ENTITIES[fact.object].lemma]
        others = [o for o in others if o not in (of.entity.id, other.id)]
        if not others:
            return None
        who = of.entity
        what = Fact(fact.relation, who.id, draft.random.choice(others), when="past")
    subject = named(draft, who)
    hypothesis = [*subject.tokens, *claim(draft, subject, what, said=claimed)]
    return {"premise": text_of(premise), "hypothesis": text_of(hypothesis), "label": label}


def _deed(draft: Draft, entity: Entity, *, true: bool) -> Fact | None:
    """Something that somebody has done, or has not, to an animal or with a thing or food."""
    if true:
        facts = deeds_of(draft, entity)
    else:
        fact = untrue(draft, entity)
        facts = [fact] if fact and fact.relation in DEEDS else []
    facts = [f for f in facts if ENTITIES[f.object].type not in ("person", "place")]
    return draft.pick_fact(facts) if facts else None


def claim(draft: Draft, of: NounPhrase, fact: Fact, *, said: bool) -> list[Token]:
    """That it was done, or was not: sold, has sold; did not sell, has never sold."""
    if draft.chance(0.5):
        return said_of(draft, of, fact, "perfect", adverb="" if said else "never")
    return said_of(draft, of, fact, "past", negative=not said)
