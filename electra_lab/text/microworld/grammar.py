"""The grammar's rules: each makes one kind of sentence, and says how often it is used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from electra_lab.text.microworld.annotation import Token
from electra_lab.text.microworld.clauses import (
    ACTIONS,
    DOING,
    KINDS,
    LIVING,
    PERSONS_BY_NUMBER,
    STANDING,
    WHEN_OF,
    choose,
    complement,
    facts_of,
    group_of,
    modify,
    one_of,
    predicate,
    subject,
    untrue,
)
from electra_lab.text.microworld.facts import ENTITIES, Fact, lemma_of
from electra_lab.text.microworld.lexicon import (
    CLAUSE_VERBS,
    FUTURE_TIMES,
    PAST_TIMES,
    PRESENT_TIMES,
    REFLEXIVE_VERBS,
    VERBS,
    Verb,
)
from electra_lab.text.microworld.phrases import (
    Draft,
    NounPhrase,
    Tense,
    be,
    function_word,
    noun_phrase,
    pronoun,
    reflexive,
    time,
    verb_group,
)

Clause = list[Token] | None
"""A sentence's words without the final mark; None where the world has nothing to say."""


def description(draft: Draft) -> Clause:
    """The farmer that the girls know is tired. The boats of the sailor were expensive."""
    if draft.chance(0.5):
        of = subject(draft, draft.pick_entity(KINDS), 0.55)
    else:
        of = subject(draft, modified=0.55)
    states = draft.world.of_subject[of.entity.id].get("be")
    if not states:
        return None
    tense: Tense = draft.random.choices(("present", "past"), (3, 2))[0]
    return [*of.tokens, *predicate(draft, of, draft.pick_fact(states), tense)]


def statement(draft: Draft) -> Clause:
    """The girls who know the farmer often feed the goats. The dog of the boys has slept ..."""
    if draft.chance(0.15):
        of = subject(draft, draft.pick_entity(LIVING), 0.55)
    else:
        of = subject(draft, modified=0.55)
    tense: Tense = draft.random.choices(("present", "perfect"), (3, 1))[0]
    fact = choose(draft, of.entity, tense, doing=tense == "perfect")
    if fact is None:
        return None
    adverb = draft.random.choice(("often", "always")) if draft.chance(0.15) else ""
    adverb = adverb if fact.relation in ACTIONS and tense == "present" else ""
    if fact.relation in STANDING and draft.chance(0.3):
        tense = "past"
    said = predicate(draft, of, fact, tense, adverb=adverb)
    if fact.relation in ACTIONS and tense == "present" and not adverb and draft.chance(0.3):
        said += time(draft.random.choice(PRESENT_TIMES))
    return [*of.tokens, *said]


def dated(draft: Draft) -> Clause:
    """Yesterday the farmer with the dogs sold the cart."""
    of = subject(draft, modified=0.4)
    tense: Tense
    tense, times = draft.random.choice((("past", PAST_TIMES), ("future", FUTURE_TIMES)))
    fact = choose(draft, of.entity, tense, doing=True)
    if fact is None:
        return None
    when = time(draft.random.choice(times))
    said = predicate(draft, of, fact, tense)
    if draft.chance(0.75):
        return [*when, *of.tokens, *said]
    return [*of.tokens, *said, *when]


def turning_back(draft: Draft) -> Clause:
    """The woman who knows the sailors saw herself in the mirror."""
    of = subject(draft, draft.pick_entity(LIVING) if draft.chance(0.08) else None, 0.5)
    tense: Tense
    facts = [
        f
        for relation, all_ in draft.world.of_subject[of.entity.id].items()
        for f in all_
        if f.object == of.entity.id
    ]
    if facts and draft.chance(0.6):
        fact = draft.pick_fact(facts)
        draft.state(fact, main=True)
        draft.sentiment = -1 if fact.relation == "hurt" else 0
        if fact.relation in REFLEXIVE_VERBS:
            verb = Verb(*REFLEXIVE_VERBS[fact.relation], "object", (), ())
            tense = draft.random.choice(("past", "past", "present", "future"))
            said = [*verb_group(of, verb, tense), reflexive(of)]
            if fact.relation == "see":
                said += [Token("in", "ADP"), Token("the", "DET"), Token("mirror", "NOUN")]
        else:
            said = [*be(of, draft.random.choice(("present", "past")))]
            adjective, preposition = fact.relation.split("_")
            draft.sentiment = 1 if adjective == "proud" else -1
            said += [
                Token(adjective, "ADJ", "attribute"),
                Token(preposition, "ADP"),
                reflexive(of),
            ]
    else:
        tense = draft.random.choice(("past", "past", "future"))
        told = choose(draft, of.entity, tense, doing=True)
        if told is None:
            return None
        said = predicate(draft, of, told, tense)
        said += [Token("by", "ADP"), reflexive(of)]
    return [*of.tokens, *said]


def two_clauses(draft: Draft) -> Clause:
    """Anna thanked the nurse because she was happy. If the men sell the boat, they will ..."""
    of = subject(draft, draft.pick_entity(LIVING) if draft.chance(0.1) else None, 0.3)
    pattern = draft.random.choice(("if", "when", "because", "before", "but"))
    tense: Tense = "future" if pattern == "if" else "past"
    first = choose(draft, of.entity, tense, doing=True)
    if first is None:
        return None
    again = pronoun(of, "subject")
    if pattern == "if":
        front = predicate(draft, of, first, "present", main=False)
    else:
        front = predicate(draft, of, first, "past", main=pattern != "when")
    second = choose(draft, of.entity, tense, doing=pattern in ("if", "before"))
    if second is None or second == first:
        return None
    negative = pattern == "but"
    if negative:
        second = untrue(draft, of.entity)
        if second is None:
            return None
    coloured = draft.sentiment
    back = predicate(draft, again, second, tense, negative=negative, main=pattern in ("if", "when"))
    if pattern not in ("if", "when"):
        draft.sentiment = coloured
    comma = Token(",", "PUNCT")
    if pattern in ("if", "when"):
        return [
            Token(pattern, "SCONJ"),
            *of.tokens,
            *front,
            comma,
            *again.tokens,
            *back,
        ]
    if pattern == "but":
        return [*of.tokens, *front, comma, Token("but", "CCONJ"), *again.tokens, *back]
    return [*of.tokens, *front, Token(pattern, "SCONJ"), *again.tokens, *back]


def question(draft: Draft) -> Clause:
    """Did the farmer with the dogs sell the cart? Has the nurse seen the lake?"""
    of = subject(draft, modified=0.5)
    tense: Tense = draft.random.choices(("past", "perfect", "future", "present"), (4, 4, 1, 2))[0]
    fact = choose(draft, of.entity, tense, doing=True)
    if fact is None:
        return None
    earlier = len(draft.facts)
    draft.state(fact, main=True)
    group = verb_group(of, VERBS[fact.relation], tense, negative=tense in ("past", "present"))
    group = [token for token in group if token.pos != "PART"]
    auxiliary, main = group
    rest = complement(draft, fact, of)
    if earlier and draft.chance(0.25) and not rest_is_place(fact):
        what = Token("what", "PRON", "object")
        to = []
        if fact.recipient:
            to = rest[-2 if rest[-2].pos == "ADP" else -3 :]
        return [what, auxiliary, *of.tokens, main, *to]
    return [auxiliary, *of.tokens, main, *rest]


def rest_is_place(fact: Fact) -> bool:
    return VERBS[fact.relation].frame in ("place", "goal") or ENTITIES[fact.object].type not in (
        "thing",
        "food",
    )


def report(draft: Draft) -> Clause:
    """Anna knows what the farmer bought. The nurses said that the sailors were in the harbour."""
    speaker = subject(draft, modified=0.12)
    of = subject(draft, modified=0.45)
    # what is asked for is not said, so something else must tell which fact this is about
    gap = bool(draft.facts) and draft.chance(0.75)
    facts = facts_of(draft, of.entity, DOING, "past")
    if gap:
        facts = [f for f in facts if not rest_is_place(f)]
    elif draft.chance(0.3):
        # what somebody did to the speaker: "said that the woman helped them"
        told = [f for f in draft.world.of_object[speaker.entity.id] if f.when == "past"]
        facts = [f for f in told if f.subject == of.entity.id and f.recipient is None]
    if not facts and not gap:
        facts = draft.world.of_subject[of.entity.id].get("be", [])
    if not facts:
        return None
    fact = draft.pick_fact(facts)
    verbs = ("know", "forget") if gap or draft.chance(0.7) else ("say",)
    forms = CLAUSE_VERBS[draft.random.choice(verbs)]
    tense: Tense = draft.random.choice(("present", "past"))
    said = verb_group(speaker, Verb(*forms, forms[2], "object", (), ()), tense)
    inner: Tense = "past" if fact.relation != "be" or tense == "past" else "present"
    if not gap:
        return [
            *speaker.tokens,
            *said,
            Token("that", "SCONJ"),
            *of.tokens,
            *predicate(draft, of, fact, inner, known=speaker),
        ]
    draft.state(fact, main=True)
    verb = verb_group(of, VERBS[fact.relation], inner)
    to = []
    if fact.recipient:
        recipient = noun_phrase(draft, ENTITIES[fact.recipient], "recipient", adjective=0.0)
        to = [Token("to", "ADP"), *recipient.tokens]
    what = Token("what", "PRON", "object")
    return [*speaker.tokens, *said, what, *of.tokens, *verb, *to]


def polarity(draft: Draft) -> Clause:
    """No farmer with a horse has ever seen the lake. The farmer has never seen the lake."""
    if draft.chance(0.62):
        no = draft.chance(0.52)
        entity = draft.pick_entity(PERSONS_BY_NUMBER["singular"])
        group = group_of(entity)
        if draft.chance(0.5):
            group = one_of(group)
        whole = "every" if group.number == "singular" else "all"
        of = noun_phrase(draft, group, "subject", determiner="no" if no else whole)
        if draft.chance(0.8):
            modify(draft, of)
    else:
        no = False
        of = subject(draft, modified=0.5)
        group = of.entity
    if of.tokens[0].text in ("every", "all"):
        fact = choose(draft, group, "perfect", doing=True)
        if fact is None:
            return None
        return [*of.tokens, *predicate(draft, of, fact, "perfect")]
    fact = untrue(draft, group)
    if fact is None:
        return None
    said = predicate(draft, of, fact, "perfect", adverb="never")
    draft.sentiment = 0
    if no:
        next(token for token in said if token.text == "never").text = "ever"
    return [*of.tokens, *said]


def correlative(draft: Draft) -> Clause:
    """Either the nurse or the baker will feed the hens. Emma likes neither the cat nor the dog."""
    first, second = draft.random.choice((("both", "and"), ("either", "or"), ("neither", "nor")))
    one, two = subject(draft, modified=0.35), subject(draft, modified=0.25)
    tense: Tense = draft.random.choice(("past", "future"))
    told: Fact | None
    if first == "neither":
        tense = "past"
        told = untrue(draft, one.entity)
        others = None if told is None else replace(told, subject=two.entity.id)
        if others is None or others.split != draft.world.split or others in draft.world:
            return None
    else:
        shared = shared_facts(draft, one.entity.id, two.entity.id, tense)
        if not shared:
            return None
        told, others = draft.random.choice(shared)
    assert told is not None
    assert others is not None
    link = Token(second, "CCONJ")
    together = join(one, two, link, plural=second == "and")
    if tense == "past" and one.number == two.number and draft.chance(0.3):
        tense = "perfect"
    said = predicate(draft, together, told, tense, adverb="never" if first == "neither" else "")
    said = [token for token in said if token.text != "never"]
    (draft.denied if first == "neither" else draft.facts).append(others)
    if first == "neither":
        draft.sentiment = 0
    return [Token(first, "CCONJ"), *together.tokens, *said]


def join(one: NounPhrase, two: NounPhrase, link: Token, plural: bool) -> NounPhrase:
    """Two noun phrases as one. "And" makes a plural, which the word "and" stands for; after "or"
    and "nor" the verb agrees with the nearer."""
    tokens = [*one.tokens, link, *two.tokens]
    if not plural:
        return NounPhrase(tokens, two.head, two.entity, two.number, two.gender)
    link.role, link.entity = "subject", f"{one.entity.id} and {two.entity.id}"
    link.entity_type, link.number = "person", "plural"
    return NounPhrase(tokens, link, two.entity, "plural", two.gender)


def shared_facts(draft: Draft, one: str, two: str, tense: Tense) -> list[tuple[Fact, Fact]]:
    """What two people both do, about somebody or something not mentioned yet."""
    other = {
        (f.relation, f.object): f
        for relation, facts in draft.world.of_subject[two].items()
        if relation in ACTIONS
        for f in facts
        if f.when == WHEN_OF[tense]
    }
    return [
        (f, other[f.relation, f.object])
        for relation, facts in draft.world.of_subject[one].items()
        if relation in ACTIONS
        for f in facts
        if f.when == WHEN_OF[tense]
        and (f.relation, f.object) in other
        and f.object not in draft.mentioned
    ]


def paired(draft: Draft) -> Clause:
    """The farmer with the dogs sold both the cart and the horse."""
    of = subject(draft, modified=0.4)
    tense: Tense = draft.random.choice(("past", "future"))
    by_relation = [
        facts
        for relation, all_ in draft.world.of_subject[of.entity.id].items()
        if relation in DOING and VERBS[relation].frame == "object"
        for facts in [[f for f in all_ if f.when == tense and f.object not in draft.mentioned]]
        if len(facts) > 1
    ]
    if not by_relation:
        return None
    one, two = draft.random.sample(draft.random.choice(by_relation), 2)
    if lemma_of(one.object) == lemma_of(two.object):
        return None
    first, second = draft.random.choice((("both", "and"), ("either", "or")))
    said = verb_group(of, VERBS[one.relation], tense)
    draft.state(one, main=True)
    draft.state(two)
    left = noun_phrase(draft, ENTITIES[one.object], "object")
    right = noun_phrase(draft, ENTITIES[two.object], "object")
    middle = [
        Token(first, "CCONJ"),
        *left.tokens,
        Token(second, "CCONJ"),
        *right.tokens,
    ]
    return [*of.tokens, *said, *middle]


def joined(draft: Draft) -> Clause:
    """Anna and the nurse with the cats have visited the library."""
    one, two = subject(draft, modified=0.0), subject(draft, modified=0.45)
    tense: Tense = draft.random.choice(("past", "present", "perfect"))
    shared = shared_facts(draft, one.entity.id, two.entity.id, tense)
    if not shared:
        return None
    told, other = draft.random.choice(shared)
    together = join(one, two, Token("and", "CCONJ"), plural=True)
    said = predicate(draft, together, told, tense)
    draft.facts.append(other)
    return [*together.tokens, *said]


def passive(draft: Draft) -> Clause:
    """The boats were built by the sailor from the island."""
    entity = draft.pick_entity(KINDS)
    facts = [
        f
        for f in draft.world.of_object[entity.id]
        if f.relation in ACTIONS and ENTITIES[f.subject].type == "person"
    ]
    if not facts:
        return None
    fact = draft.pick_fact(facts)
    draft.state(fact, main=True)
    of = noun_phrase(draft, entity, "subject", None, "the")
    by = subject(draft, ENTITIES[fact.subject], 0.4)
    tense: Tense = fact.when or "present"
    if tense == "past" and draft.chance(0.3):
        tense = "perfect"
    verb = Token(VERBS[fact.relation].participle, "VERB", "predicate")
    return [*of.tokens, *be(of, tense), verb, function_word("by", "ADP"), *by.tokens]


RULES: dict[str, tuple[float, Callable[[Draft], Clause]]] = {
    "description": (24, description),
    "statement": (20, statement),
    "dated": (13, dated),
    "reflexive": (15, turning_back),
    "question": (11, question),
    "report": (9, report),
    "polarity": (8, polarity),
    "correlative": (8, correlative),
    "two clauses": (6, two_clauses),
    "paired objects": (4, paired),
    "joined subjects": (3, joined),
    "passive": (2, passive),
}
"""Every rule with its weight: how often it is tried, against the others."""
