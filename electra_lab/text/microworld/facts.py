"""The world: who owns, likes, lives, went, gave what to whom.

Every possible fact belongs to one of two splits, by a hash of what it says. A world of one split
holds only facts of that split and its text speaks of no others, not even to deny or to ask about
them. So two worlds of different splits share all their words and none of their facts, whatever
their seeds are.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal

from electra_lab.text.microworld.lexicon import (
    ACTION_VERBS,
    FREQUENCY,
    GENDERED,
    NAMES,
    NOUNS,
    REFLEXIVE_VERBS,
    ROLES,
    STANDING_VERBS,
    STATES,
    TRADE_OF,
    TRADES,
    TRANSFER_VERBS,
    EntityType,
    Gender,
    Number,
    Verb,
)

Split = Literal["train", "test"]
TEST_SHARE = 4
"""One possible fact in four belongs to the test split."""


@dataclass(frozen=True)
class Fact:
    """``subject`` stands in ``relation`` to ``object`` (and to ``recipient``, for giving).

    ``relation`` is a verb's base form, or "be" with an adjective as ``object``.
    """

    relation: str
    subject: str
    object: str
    recipient: str | None = None

    @property
    def split(self) -> Split:
        key = " ".join((self.relation, self.subject, self.object, self.recipient or ""))
        return "test" if zlib.crc32(key.encode()) % TEST_SHARE == 0 else "train"


@dataclass(frozen=True)
class Entity:
    """Somebody or something that facts are about.

    People are one entity each (``anna``, ``farmer``) and so are groups (``farmers``). Animals and
    things are kinds (``dog``), of which a sentence may mention one or several: their ``number``
    is None.
    """

    id: str
    lemma: str
    type: EntityType
    number: Number | None
    gender: Gender | None


def _entities() -> Iterator[Entity]:
    for name, gender in NAMES.items():
        yield Entity(name, name, "person", "singular", gender)
    for lemma, noun in {**GENDERED, **ROLES}.items():
        yield Entity(lemma, lemma, "person", "singular", noun.gender)
        assert noun.plural is not None
        yield Entity(noun.plural, lemma, "person", "plural", noun.gender)
    for lemma, noun in NOUNS.items():
        if noun.type != "person":
            yield Entity(lemma, lemma, noun.type, None, "neuter")


ENTITIES: dict[str, Entity] = {entity.id: entity for entity in _entities()}
PEOPLE = tuple(e for e in ENTITIES.values() if e.type == "person")
_IDS_OF_LEMMA: dict[str, list[str]] = defaultdict(list)
for _entity in ENTITIES.values():
    _IDS_OF_LEMMA[_entity.lemma].append(_entity.id)

# what people do to themselves, or are about themselves
REFLEXIVE_RELATIONS = (*REFLEXIVE_VERBS, "proud_of", "angry_with")
ATTITUDES = ("love", "hate", "like", "fear")


class World:
    """A consistent set of facts, drawn from those of one split.

    Everybody lives in one place, nobody both likes and hates the same thing, and of two states
    that exclude each other (happy, sad) at most one is true.
    """

    def __init__(self, seed: int, split: Split) -> None:
        if split not in ("train", "test"):
            raise ValueError(f"split is {split!r}; a micro-world is 'train' or 'test'.")
        self.split = split
        random = Random(f"world {seed} {split}")
        self.facts: frozenset[Fact] = frozenset(
            fact for entity in ENTITIES.values() for fact in self._facts_of(entity, random)
        )
        ordered = sorted(
            self.facts, key=lambda f: (f.relation, f.subject, f.object, f.recipient or "")
        )
        self.of_subject: dict[str, dict[str, list[Fact]]] = defaultdict(lambda: defaultdict(list))
        self.of_object: dict[str, list[Fact]] = defaultdict(list)
        for fact in ordered:
            self.of_subject[fact.subject][fact.relation].append(fact)
            self.of_object[fact.object].append(fact)

    def __contains__(self, fact: object) -> bool:
        return fact in self.facts

    def _allowed(
        self, facts: Iterable[Fact], random: Random, count: int, subject: str = ""
    ) -> list[Fact]:
        """At most ``count`` of these facts, all of this world's split, likely ones first."""
        own = [fact for fact in facts if fact.split == self.split]
        # the largest of u ** (1 / w) is a weighted draw without replacement (Efraimidis, 2006)
        own.sort(
            key=lambda f: random.random() ** (1 / familiarity(subject, f.object)), reverse=True
        )
        return own[:count]

    def _facts_of(self, entity: Entity, random: Random) -> Iterator[Fact]:
        yield from self._states(entity, random)
        if entity.type not in ("person", "animal"):
            return
        attitudes: set[str] = set()
        for verb in (*STANDING_VERBS, *ACTION_VERBS):
            if entity.lemma not in verb.subjects:
                continue
            candidates = [
                Fact(verb.base, entity.id, object_)
                for lemma in verb.objects
                for object_ in _IDS_OF_LEMMA[lemma]
                if lemma != entity.lemma and not (verb.base in ATTITUDES and object_ in attitudes)
            ]
            chosen = self._allowed(candidates, random, _count(verb, random), entity.lemma)
            if verb.base in ATTITUDES:
                attitudes.update(fact.object for fact in chosen)
            yield from chosen
        if entity.type == "person":
            oneself = [Fact(relation, entity.id, entity.id) for relation in REFLEXIVE_RELATIONS]
            yield from self._allowed(oneself, random, 3)
            for verb in TRANSFER_VERBS:
                recipients = [p.id for p in PEOPLE if p.lemma != entity.lemma]
                candidates = [
                    Fact(verb.base, entity.id, object_, random.choice(recipients))
                    for object_ in verb.objects
                    for _ in range(3)
                ]
                yield from self._allowed(candidates, random, 3, entity.lemma)

    def _states(self, entity: Entity, random: Random) -> Iterator[Fact]:
        groups: dict[str, list[Fact]] = defaultdict(list)
        for adjective, (group, _) in STATES.get(entity.type, {}).items():
            groups[group].append(Fact("be", entity.id, adjective))
        for facts in groups.values():
            yield from self._allowed(facts, random, 1)


def familiarity(subject: str, object_: str) -> float:
    """How likely somebody has to do with something, against other things.

    A farmer rather owns a cow than a piano.
    """
    trade = TRADES.get(TRADE_OF.get(subject, ""))
    near = trade is not None and object_ in trade.things + trade.places
    return (12 if near else 1) * FREQUENCY.get(object_, 1)


def _count(verb: Verb, random: Random) -> int:
    """How many facts one subject has of this verb."""
    if verb.base == "live":
        return 1
    return random.choice((2, 3, 4)) if verb.base == "own" else random.choice((1, 2, 3))
