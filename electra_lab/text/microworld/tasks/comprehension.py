"""Passages of three sentences, a question on one of them, and its answer's place, if it has one.

"Who sold the eggs?" is answered by the whole phrase for the doer, "What did Anna sell?" by that for the
thing. Two of the sentences have the same verb, and people stand in relative clauses of other sentences
too, so neither the verb nor the person alone leads to the answer. One question in four asks for what the
passage does not say, with people, verbs and things that it has.
"""

from __future__ import annotations

from itertools import count
from random import Random

from electra_lab.text.microworld.annotation import Token, finish, written
from electra_lab.text.microworld.facts import ENTITIES, PEOPLE, Fact
from electra_lab.text.microworld.lexicon import VERBS
from electra_lab.text.microworld.phrases import Draft, noun_phrase
from electra_lab.text.microworld.tasks.rows import Row, Rows, Worlds, in_turn, text_of
from electra_lab.text.microworld.tasks.telling import beside, deeds_of, named, said_of

STRATA = (*(("who", True),) * 3, ("who", False), *(("what", True),) * 3, ("what", False))
"""The question's first word, and whether the passage has the answer."""


def rows(worlds: Worlds, random: Random) -> Rows:
    """``{"id", "context", "question", "answers"}``; no answer: both lists are empty."""
    made = in_turn(STRATA, worlds, random, _row)
    for number in count(1):
        yield {"id": f"{worlds[0].split}-{number}", **next(made)}


def _row(draft: Draft, stratum: tuple[str, bool]) -> Row | None:
    word, answerable = stratum
    facts = _three_facts(draft)
    if facts is None:
        return None
    told = list(facts)
    sentences = []
    for fact in facts:
        inner = Draft(draft.random, draft.world)
        inner.mentioned.update((fact.subject, fact.object))
        of = named(inner, ENTITIES[fact.subject])
        around = beside(inner, of) if draft.chance(0.4) else None
        if around is not None:
            told.append(around[2])
        phrase = of.tokens if around is None else around[0]
        sentences.append(text_of([*phrase, *said_of(inner, of, fact)]))
    asked = _asked(draft, word, answerable, facts, told)
    if asked is None:
        return None
    answers: dict[str, list[str] | list[int]] = {"text": [], "answer_start": []}
    if answerable:
        place = facts.index(asked)
        before = sum(len(sentence) + 1 for sentence in sentences[:place])
        text, start = _span(draft, sentences[place], asked, word)
        answers = {"text": [text], "answer_start": [before + start]}
    return {
        "context": " ".join(sentences),
        "question": _question(draft, word, asked),
        "answers": answers,
    }


def _three_facts(draft: Draft) -> list[Fact] | None:
    """What three did; two of them did the same, and no two had to do with the same thing."""
    people = draft.random.sample(PEOPLE, 6)
    facts = [f for e in people for f in deeds_of(draft, e) if ENTITIES[f.object].type != "person"]
    if not facts:
        return None
    found = [draft.pick_fact(facts)]
    for same in (True, False):
        others = [
            f
            for f in facts
            if all(
                f.subject != g.subject
                and f.object != g.object
                and (f.relation == g.relation) == same
                for g in found
            )
        ]
        if not others:
            return None
        found.append(draft.pick_fact(others))
    return draft.random.sample(found, len(found))


def _asked(
    draft: Draft, word: str, answerable: bool, facts: list[Fact], told: list[Fact]
) -> Fact | None:
    """The fact to ask about: one told; or else one mixed from two, that is not told.

    It is told of by one sentence only: no other fact has the same verb with the same doer (for "what")
    or with the same thing (for "who").
    """

    def given(fact: Fact) -> tuple[str, str]:
        return fact.relation, fact.subject if word == "what" else fact.object

    if answerable:
        possible = [f for f in facts if [given(g) for g in told].count(given(f)) == 1]
    else:
        mixed = [
            Fact(one.relation, other.subject, other.object, when="past")
            for one in facts
            for other in facts
            if one.relation != other.relation
        ]
        possible = [
            f
            for f in mixed
            if given(f) not in {given(g) for g in told} and (word == "what" or _fits(f))
        ]
        if word == "what":
            lemma = {f.subject: ENTITIES[f.subject].lemma for f in possible}
            possible = [f for f in possible if lemma[f.subject] in VERBS[f.relation].subjects]
    return draft.random.choice(possible) if possible else None


def _fits(fact: Fact) -> bool:
    """Whether this can be done with the thing at all."""
    return ENTITIES[fact.object].lemma in VERBS[fact.relation].objects


def _question(draft: Draft, word: str, fact: Fact) -> str:
    verb = VERBS[fact.relation]
    if word == "who":
        thing = noun_phrase(draft, ENTITIES[fact.object], "object", None, "the", 0.0)
        return text_of([Token("who", "PRON"), Token(verb.past, "VERB"), *thing.tokens], "?")
    doer = named(draft, ENTITIES[fact.subject])
    start = [Token("what", "PRON"), Token("did", "AUX")]
    return text_of([*start, *doer.tokens, Token(verb.base, "VERB")], "?")


def _span(draft: Draft, sentence: str, fact: Fact, word: str) -> tuple[str, int]:
    """The answer in its sentence, which begins with the doer and ends with the thing."""
    if word == "who":
        doer = written([w.text for w in finish(named(draft, ENTITIES[fact.subject]).tokens)])
        return sentence[: len(doer)], 0
    phrase = noun_phrase(draft, ENTITIES[fact.object], "object", None, "the", 0.0)
    length = len(written([w.text for w in finish(phrase.tokens)]))
    start = len(sentence) - 1 - length
    return sentence[start:-1], start
