"""Texts of two sentences, with the emotions that somebody in them has.

Half of all sentences deny: "no girl has been happy", "neither Anna nor the baker has been sad", "the men
have never been proud". What one sentence denies says nothing of the other's emotion, so it must be known
which words a denial reaches.
"""

from __future__ import annotations

from itertools import product
from random import Random

from electra_lab.text.microworld.annotation import Token
from electra_lab.text.microworld.clauses import PERSONS_BY_NUMBER, complement, group_of, one_of
from electra_lab.text.microworld.facts import ENTITIES, IDS_OF_LEMMA, PEOPLE, Entity, Fact, is_near
from electra_lab.text.microworld.grammar import join
from electra_lab.text.microworld.lexicon import VERBS
from electra_lab.text.microworld.phrases import Draft, NounPhrase, be, noun_phrase, verb_group
from electra_lab.text.microworld.tasks.rows import Row, Rows, Worlds, in_turn, text_of
from electra_lab.text.microworld.tasks.telling import named

ADJECTIVES = {
    "joy": "happy",
    "sadness": "sad",
    "anger": "angry",
    "pride": "proud",
    "loneliness": "lonely",
}
LABELS = (*ADJECTIVES, "love")


def rows(worlds: Worlds, random: Random) -> Rows:
    """``{"text", "labels"}``; the labels in the order of ``LABELS``, perhaps none."""
    return in_turn(tuple(product(LABELS, (True, False))), worlds, random, _row)


def _row(draft: Draft, stratum: tuple[str, bool]) -> Row | None:
    emotion, has_it = stratum
    other = draft.random.choice([label for label in LABELS if label != emotion])
    both = [(emotion, has_it), (other, draft.chance(0.5))]
    draft.random.shuffle(both)
    sentences = []
    for label, stated in both:
        tokens = (_stated if stated else _denied)(draft, label)
        if tokens is None:
            return None
        sentences.append(text_of(tokens))
    felt = {label for label, stated in both if stated}
    return {"text": " ".join(sentences), "labels": [label for label in LABELS if label in felt]}


def _stated(draft: Draft, label: str) -> list[Token] | None:
    facts = [f for e in PEOPLE for f in _feelings(draft, e, label) if e.id not in draft.mentioned]
    if not facts:
        return None
    fact = draft.random.choice(facts)
    of = named(draft, ENTITIES[fact.subject])
    always = "always" if draft.chance(0.3) else ""
    shared = [f for f in facts if f.object == fact.object and f.subject not in draft.mentioned]
    if shared and draft.chance(0.4):
        two = named(draft, ENTITIES[draft.random.choice(shared).subject])
        together = join(of, two, Token("and", "CCONJ"), plural=True)
        both = [Token("both", "CCONJ"), *together.tokens]
        return [*both, *_predicate(draft, together, fact, always)]
    if of.number == "plural" and draft.chance(0.5):
        of.tokens[0] = Token("all", "DET")
    return [*of.tokens, *_predicate(draft, of, fact, always)]


def _denied(draft: Draft, label: str) -> list[Token] | None:
    # "never like" is two neighbours that a bag of words knows; "never been happy" is three
    how = draft.random.choice(("no", "neither") if label == "love" else ("never", "no", "neither"))
    if how == "no":
        entity = group_of(draft.pick_entity(PERSONS_BY_NUMBER["singular"]))
        told = one_of(entity) if draft.chance(0.5) else entity
        of = noun_phrase(draft, told, "subject", determiner="no", adjective=0.0)
        fact = _untrue(draft, entity, label)
        if fact is None:
            return None
        return [*of.tokens, *_predicate(draft, of, fact)]
    one = named(draft, draft.pick_entity([e for e in PEOPLE if e.id not in draft.mentioned]))
    fact = _untrue(draft, one.entity, label)
    if fact is None:
        return None
    if how == "never":
        return [*one.tokens, *_predicate(draft, one, fact, "never")]
    two = named(draft, draft.pick_entity([e for e in PEOPLE if e.id not in draft.mentioned]))
    other = Fact(fact.relation, two.entity.id, fact.object)
    if other.split != draft.world.split or other in draft.world or two.entity.id == fact.object:
        return None
    together = join(one, two, Token("nor", "CCONJ"), plural=False)
    return [
        Token("neither", "CCONJ"),
        *together.tokens,
        *_predicate(draft, together, fact),
    ]


def _feelings(draft: Draft, entity: Entity, label: str) -> list[Fact]:
    """What is true in the world and shows that somebody has this emotion."""
    of = draft.world.of_subject[entity.id]
    if label == "love":
        return [f for f in of["like"] if f.object not in draft.mentioned]
    return [f for f in of["be"] if f.object == ADJECTIVES[label]]


def _untrue(draft: Draft, entity: Entity, label: str) -> Fact | None:
    """What would show this emotion, but is not so; of the same split as the world."""
    if label == "love":
        liked = [id_ for lemma in VERBS["like"].objects for id_ in IDS_OF_LEMMA[lemma]]
        possible = [
            Fact("like", entity.id, id_)
            for id_ in liked
            if is_near(entity.id, id_) and id_ not in draft.mentioned
        ]
    else:
        possible = [Fact("be", entity.id, ADJECTIVES[label])]
    possible = [f for f in possible if f.split == draft.world.split and f not in draft.world]
    return draft.random.choice(possible) if possible else None


def _predicate(draft: Draft, of: NounPhrase, fact: Fact, adverb: str = "") -> list[Token]:
    if fact.relation == "like":
        verb = verb_group(of, VERBS["like"], "present")
        return [*verb, *complement(draft, fact)]
    been = be(of, "perfect")
    if adverb:
        been.insert(1, Token(adverb, "ADV"))
    return [*been, Token(fact.object, "ADJ", "attribute")]
