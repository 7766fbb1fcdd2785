"""The beginning of a sentence and four ways to go on, of which one fits.

Either the choices are what people of four trades do ("sailed the boat", "fed the cows"), and the one
that fits is that of the subject's trade; or they end in "herself", "himself", "itself" and
"themselves". Somebody else stands nearer to the gap than the subject, and every choice is right after
another beginning, so neither the choices alone nor the nearest noun tell.
"""

from __future__ import annotations

from itertools import product
from random import Random

from electra_lab.text.microworld.annotation import Token, finish, written
from electra_lab.text.microworld.clauses import LIVING, modify
from electra_lab.text.microworld.facts import ENTITIES, PEOPLE, Entity
from electra_lab.text.microworld.lexicon import (
    CIRCLES,
    KNOWN_GENDER,
    PAST_TIMES,
    REFLEXIVE_VERBS,
    REFLEXIVES,
)
from electra_lab.text.microworld.phrases import Draft, NounPhrase, noun_phrase, time
from electra_lab.text.microworld.tasks.rows import Row, Rows, Worlds, in_turn
from electra_lab.text.microworld.tasks.telling import (
    CIRCLE_NUMBER,
    DEEDS,
    TRADES_DONE,
    deeds_of,
    said_of,
    seen_by,
)

CHOICES = 4
FORMS = tuple(REFLEXIVES)
KINDS: tuple[int | str, ...] = (*range(len(CIRCLES)), *FORMS)
"""The number of the subject's circle, or the form of its reflexive pronoun."""


def rows(worlds: Worlds, random: Random) -> Rows:
    """``{"context", "choices", "label"}``: four choices and the index of the one that fits."""
    return in_turn(tuple(product(KINDS, range(CHOICES))), worlds, random, _row)


def _row(draft: Draft, stratum: tuple[int | str, int]) -> Row | None:
    kind, label = stratum
    if isinstance(kind, int):
        pool = [e for e in PEOPLE if CIRCLE_NUMBER.get(e.lemma) == kind]
    else:
        pool = [e for e in (*PEOPLE, *LIVING) if form_of(e) == kind]
    entity = draft.pick_entity(pool)
    of = noun_phrase(draft, entity, "subject", determiner="the", adjective=0.0)
    choices = _trades(draft, of, kind) if isinstance(kind, int) else _reflexives(draft, of, kind)
    begun = choices and _beginning(draft, of)
    if not begun:
        return None
    fitting, others = choices[0], choices[1:]
    draft.random.shuffle(others)
    context = written([word.text for word in finish(begun)])
    return {
        "context": context,
        "choices": [*others[:label], fitting, *others[label:]],
        "label": label,
    }


def form_of(entity: Entity) -> str:
    """The form of the reflexive pronoun that turns back on somebody: a key of ``REFLEXIVES``."""
    if entity.number == "plural":
        return "plural"
    return entity.gender or KNOWN_GENDER[entity.lemma]


def _beginning(draft: Draft, of: NounPhrase) -> list[Token] | None:
    """Yesterday the sailor that the teachers saw."""
    tokens = of.tokens
    helped = [
        fact
        for fact in draft.world.of_object[of.entity.id]
        if fact.relation in DEEDS
        and fact.when == "past"
        and ENTITIES[fact.subject].type == "person"
        and fact.subject not in draft.mentioned
    ]
    if helped and draft.chance(0.6):
        # whoever has another trade or another pronoun
        far = [f for f in helped if not _alike(of.entity, ENTITIES[f.subject])] or helped
        fact = draft.random.choice(far)
        tokens = seen_by(draft, of, ENTITIES[fact.subject], fact)
    elif draft.chance(0.8):
        before = list(of.tokens)
        modify(draft, of)
        if len(of.tokens) == len(before):
            return None
        tokens = of.tokens
    when = time(draft.random.choice(PAST_TIMES)) if draft.chance(0.4) else []
    return [*when, *tokens]


def _alike(one: Entity, other: Entity) -> bool:
    return CIRCLE_NUMBER.get(one.lemma) == CIRCLE_NUMBER[other.lemma] or form_of(one) == form_of(
        other
    )


def _trades(draft: Draft, of: NounPhrase, circle: int) -> list[str]:
    """What the subject did at its trade, and what those of three others did at theirs."""
    others = draft.random.sample([i for i in range(len(CIRCLES)) if i != circle], CHOICES - 1)
    choices = []
    for number in (circle, *others):
        facts = deeds_of(draft, of.entity, TRADES_DONE)
        if number != circle:
            members = [e for e in PEOPLE if CIRCLE_NUMBER[e.lemma] == number]
            facts = [f for e in members for f in deeds_of(draft, e, TRADES_DONE)]
        if not facts:
            return []
        aside = Draft(draft.random, draft.world)  # what is chosen may well be mentioned before
        choices.append(_continued(said_of(aside, of, draft.pick_fact(facts))))
    return choices


def _reflexives(draft: Draft, of: NounPhrase, form: str) -> list[str]:
    """The same verb with each pronoun, the subject's first."""
    told = [
        relation
        for relation, facts in draft.world.of_subject[of.entity.id].items()
        if relation in REFLEXIVE_VERBS and any(f.object == of.entity.id for f in facts)
    ]
    if not told:
        return []
    relation = draft.random.choice(told)
    verb = REFLEXIVE_VERBS[relation][2]
    mirror = " in the mirror." if relation == "see" else "."
    forms = (form, *(other for other in FORMS if other != form))
    return [f"{verb} {REFLEXIVES[other]}{mirror}" for other in forms]


def _continued(tokens: list[Token]) -> str:
    """The rest of a sentence, which begins with a small letter."""
    text = written([word.text for word in finish(tokens)])
    return f"{text[0].lower()}{text[1:]}."
