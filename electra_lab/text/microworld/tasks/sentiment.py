"""Sentences whose main clause is positive or negative, whatever their other clause says.

"The girl who lost the ball was happy" is positive, "The girl was sad because she found the ball"
negative. Both clauses take the same words, so counting good and bad ones does not help; which clause
is the main one does. "Not happy" is negative. One sentence in four has a main clause only.
"""

from __future__ import annotations

from itertools import product
from random import Random
from typing import Literal

from electra_lab.text.microworld.annotation import Token
from electra_lab.text.microworld.clauses import facts_of, predicate, sentiment_of
from electra_lab.text.microworld.facts import Fact
from electra_lab.text.microworld.lexicon import PERSON_STATES
from electra_lab.text.microworld.phrases import Draft, NounPhrase, pronoun
from electra_lab.text.microworld.tasks.rows import Row, Rows, Worlds, in_turn, text_of
from electra_lab.text.microworld.tasks.telling import anybody, named, set_off

LABELS = ("positive", "negative")
FEELINGS = frozenset({"like", "hate", "help", "find", "lose", "give"})
ADVERBS = ("", "", "often", "always")
Shape = Literal["alone", "who", "because", "when"]
SHAPES: tuple[Shape, ...] = ("alone", "who", "because", "when")


def rows(worlds: Worlds, random: Random) -> Rows:
    """``{"text", "label"}``."""
    return in_turn(tuple(product(LABELS, SHAPES)), worlds, random, _row)


def _row(draft: Draft, stratum: tuple[str, Shape]) -> Row | None:
    label, shape = stratum
    colour = 1 if label == "positive" else -1
    of = named(draft, anybody(draft))
    main = _clause(draft, of, of, colour)
    again = of if shape == "who" else pronoun(of, "subject")
    other = None if shape == "alone" else _clause(draft, of, again, -colour)
    if main is None or (other is None and shape != "alone"):
        return None
    if other is None:
        tokens = [*of.tokens, *main]
    elif shape == "who":
        who = Token("who", "PRON", "subject", of.entity.id, "person", refers_to=of.head)
        tokens = [*set_off(of, [who, *other]), *main]
    elif shape == "because":
        link = draft.random.choice(("because", "before"))
        tokens = [*of.tokens, *main, Token(link, "SCONJ"), *again.tokens, *other]
    else:
        # "when the girl was sad, she ...": the name comes first, the pronoun in the main clause
        comma = Token(",", "PUNCT")
        tokens = [Token("when", "SCONJ"), *of.tokens, *other, comma, *again.tokens, *main]
    return {"text": text_of(tokens), "label": label}


def _clause(draft: Draft, of: NounPhrase, who: NounPhrase, colour: int) -> list[Token] | None:
    """What is said of somebody that has this colour: a state, a deed, or a state denied."""
    world, entity = draft.world, of.entity
    adverb = draft.random.choice(ADVERBS)
    kind = draft.random.choice(
        ("state", "state", "deed") if colour > 0 else ("state", "not", "deed")
    )
    if kind == "not":
        good = [Fact("be", entity.id, a) for a, (_, value) in PERSON_STATES.items() if value > 0]
        facts = [f for f in good if f.split == world.split and f not in world]
    elif kind == "state":
        facts = [f for f in world.of_subject[entity.id]["be"] if sentiment_of(f) == colour]
    else:
        facts = [f for f in facts_of(draft, entity, FEELINGS, "past") if sentiment_of(f) == colour]
    facts = [f for f in facts if f not in draft.facts]
    if not facts:
        return None
    fact = draft.pick_fact(facts)
    if kind == "not":
        return predicate(draft, who, fact, "past", negative=True)
    return predicate(draft, who, fact, "past", adverb=adverb)
