"""Words with their parts of speech and with entities in BIO.

An entity is mentioned by a whole noun phrase: "the old farmer", "her own boat", "three goats",
"last week". So the tag of "the" or "small" hangs on the noun that follows. Pronouns mention nobody.
Every sentence has a word that is said in two ways ("that" before a relative clause or a statement,
"own" as adjective or verb), each way equally often.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from electra_lab.text.microworld.annotation import Token, Word, finish, written
from electra_lab.text.microworld.clauses import PERSONS_BY_NUMBER, predicate, subject
from electra_lab.text.microworld.grammar import RULES, Clause
from electra_lab.text.microworld.lexicon import PRESENT_TIMES
from electra_lab.text.microworld.phrases import Draft, time
from electra_lab.text.microworld.sentences import LONGEST, SHORTEST
from electra_lab.text.microworld.tasks.rows import Row, Rows, Worlds, in_turn

OUTSIDE = "O"
ENTITY_TYPES = ("person", "animal", "thing", "food", "place", "time")
ENTITY_LABELS = (OUTSIDE, *(f"{begin}-{kind}" for kind in ENTITY_TYPES for begin in "BI"))
POS_LABELS = (
    "NOUN", "PROPN", "VERB", "AUX", "ADJ", "ADV", "ADP", "DET", "PRON", "CCONJ", "SCONJ", "PART",
    "NUM", "PUNCT",
)  # fmt: skip


def rows(worlds: Worlds, random: Random) -> Rows:
    """``{"words", "pos", "entities"}``: the last two hold a tag for each word."""
    return in_turn(tuple(AMBIGUOUS), worlds, random, _row)


def _row(draft: Draft, ambiguous: tuple[str, str]) -> Row | None:
    tokens = AMBIGUOUS[ambiguous](draft)
    if tokens is None or not any((t.text, t.pos) == ambiguous for t in tokens):
        return None
    if not SHORTEST <= len(tokens) <= LONGEST:
        return None
    words = finish([*tokens, Token(".", "PUNCT")])
    return {
        "words": _spelled(words),
        "pos": [word.pos for word in words],
        "entities": bio_tags(words),
    }


def bio_tags(words: tuple[Word, ...]) -> list[str]:
    """A tag for each word: B- and I- with the type of the entity that its noun phrase mentions."""
    tags = [OUTSIDE] * len(words)
    for i, word in enumerate(words):
        if word.entity_type is None or word.pos not in ("NOUN", "PROPN", "ADV"):
            continue
        first = i
        if word.entity_type == "time":
            first = i - (word.entity or "").count("_")
        else:
            while first and _belongs(words[first - 1]):
                first -= 1
        tags[first : i + 1] = [f"B-{word.entity_type}", *[f"I-{word.entity_type}"] * (i - first)]
    return tags


def _belongs(word: Word) -> bool:
    """Whether a word before a noun is part of its phrase: the, this, three, old, her, own."""
    return word.pos in ("DET", "NUM") or (word.pos in ("ADJ", "PRON") and word.role == "modifier")


def _spelled(words: tuple[Word, ...]) -> list[str]:
    """The words one by one, with the capitals that they have in text."""
    spelled = [
        written(["a", word.text])[2:] if word.pos != "PUNCT" else word.text for word in words
    ]
    return [spelled[0].capitalize(), *spelled[1:]]


def _owners(draft: Draft) -> Clause:
    """The farmers who know Anna own the cow."""
    entity = draft.pick_entity(PERSONS_BY_NUMBER["plural"])
    of = subject(draft, entity, 0.6)
    owned = [f for f in draft.world.of_subject[entity.id]["own"] if f.object not in draft.mentioned]
    if not owned:
        return None
    return [*of.tokens, *predicate(draft, of, draft.pick_fact(owned), "present")]


def _own_things(draft: Draft) -> Clause:
    """These women with the cup clean their own tables every day."""
    tokens = RULES[draft.random.choice(("statement", "dated"))][1](draft)
    if tokens is None or any(token.role == "time" for token in tokens) or draft.chance(0.7):
        return tokens
    return [*tokens, *time(draft.random.choice(PRESENT_TIMES))]


def _described(draft: Draft) -> Clause:
    return RULES[draft.random.choice(("dated", "dated", "description", "statement"))][1](draft)


def _reported(draft: Draft) -> Clause:
    return RULES["report"][1](draft)


AMBIGUOUS: dict[tuple[str, str], Callable[[Draft], Clause]] = {
    ("that", "PRON"): _described,
    ("that", "SCONJ"): _reported,
    ("own", "ADJ"): _own_things,
    ("own", "VERB"): _owners,
}
"""Words with two parts of speech, and where each reading is found."""
