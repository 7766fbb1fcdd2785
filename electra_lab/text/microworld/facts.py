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
from functools import cached_property
from random import Random
from typing import Literal

from electra_lab.text.microworld.lexicon import (
    ACTION_VERBS,
    CIRCLE_OF,
    FREQUENCY,
    NAMES,
    NOUNS,
    REFLEXIVE_VERBS,
    STANDING_VERBS,
    STATES,
    TRANSFER_VERBS,
    EntityType,
    Gender,
    Number,
)

Split = Literal["train", "test"]
When = Literal["past", "present", "future"]
WHENS: tuple[When, ...] = ("past", "present", "future")
NEARNESS = 30
"""How much rather people have to do with those and that of their own circle."""
TRUE_NEARBY = 0.6
"""The share of possible facts within a circle that are true in a world."""
TRUE_ELSEWHERE = 0.03
"""The same of facts that lead out of a circle."""
TEST_SHARE = 5
"""One possible fact in five belongs to the test split."""


@dataclass(frozen=True)
class Fact:
    """``subject`` stands in ``relation`` to ``object`` (and to ``recipient``, for giving).

    ``relation`` is a verb's base form, or "be" with an adjective as ``object``. ``when`` says of
    what people do whether they have done it, do it, or will: three facts. It is None for what just
    is so (owning, liking, being tall).
    """

    relation: str
    subject: str
    object: str
    recipient: str | None = None
    when: When | None = None

    @cached_property
    def frequency(self) -> float:
        """How often it is talked about, against others of its subject."""
        return FREQUENCY.get(self.relation, 1) * familiarity(self.subject, self.object)

    @property
    def split(self) -> Split:
        parts = (self.relation, self.subject, self.object, self.recipient, self.when)
        key = " ".join(part or "" for part in parts)
        return "test" if zlib.crc32(key.encode()) % TEST_SHARE == 0 else "train"


@dataclass(frozen=True)
class Entity:
    """Somebody or something that facts are about.

    One (``anna``, ``farmer``, ``boat``) and several (``farmers``, ``boats``) are two entities, and
    what is true of one need not be of the other. The ``number`` of a place is None: its facts are
    about it, whether a sentence mentions one or several.
    """

    id: str
    lemma: str
    type: EntityType
    number: Number | None
    gender: Gender | None


def _entities() -> Iterator[Entity]:
    for name, gender in NAMES.items():
        yield Entity(name, name, "person", "singular", gender)
    for lemma, noun in NOUNS.items():
        gender = noun.gender if noun.type == "person" else "neuter"
        if noun.type == "place":
            yield Entity(lemma, lemma, noun.type, None, gender)
            continue
        yield Entity(lemma, lemma, noun.type, "singular", gender)
        if noun.plural:
            yield Entity(noun.plural, lemma, noun.type, "plural", gender)


ENTITIES: dict[str, Entity] = {entity.id: entity for entity in _entities()}
PEOPLE = tuple(e for e in ENTITIES.values() if e.type == "person")
IDS_OF_LEMMA: dict[str, list[str]] = defaultdict(list)
for _entity in ENTITIES.values():
    IDS_OF_LEMMA[_entity.lemma].append(_entity.id)

# what people do to themselves, or are about themselves
REFLEXIVE_RELATIONS = (*REFLEXIVE_VERBS, "proud_of", "angry_with")
ATTITUDES = ("love", "hate", "like", "fear")


class World:
    """What is true in the world of this seed, and belongs to this split.

    Everybody lives in at most one place, nobody both likes and hates the same, and of two states
    that exclude each other (happy, sad) at most one is true. The worlds of one seed and both splits
    are two halves of one world, so these hold across the splits as well.

    Raises:
        ValueError: another split is asked for.
    """

    def __init__(self, seed: int, split: Split) -> None:
        if split not in ("train", "test"):
            raise ValueError(f"split is {split!r}; a micro-world is 'train' or 'test'.")
        self.split = split
        random = Random(f"world {seed}")
        true = [fact for entity in ENTITIES.values() for fact in _facts_of(entity, random)]
        self.facts: frozenset[Fact] = frozenset(fact for fact in true if fact.split == split)
        self.of_subject: dict[str, dict[str, list[Fact]]] = defaultdict(lambda: defaultdict(list))
        self.of_object: dict[str, list[Fact]] = defaultdict(list)
        for fact in true:
            if fact in self.facts:
                self.of_subject[fact.subject][fact.relation].append(fact)
                self.of_object[fact.object].append(fact)

    def __contains__(self, fact: object) -> bool:
        return fact in self.facts


def _facts_of(entity: Entity, random: Random) -> Iterator[Fact]:
    """All that is true of an entity, in either split."""
    yield from _states(entity, random)
    if entity.type not in ("person", "animal"):
        return
    felt: set[str] = set()
    for verb in (*STANDING_VERBS, *ACTION_VERBS):
        if entity.lemma not in verb.subjects:
            continue
        whens: tuple[When | None, ...] = (None,) if verb in STANDING_VERBS else WHENS
        candidates = [
            Fact(verb.base, entity.id, object_, when=when)
            for lemma in verb.objects
            for object_ in IDS_OF_LEMMA[lemma]
            if lemma != entity.lemma
            for when in whens
        ]
        if verb.base == "live":
            yield random.choice(candidates)
        elif verb.base in ATTITUDES:
            # nobody both likes and hates the same
            free = [f for f in candidates if f.object not in felt and random.random() < 0.5]
            chosen = list(_some(free, random))
            felt.update(fact.object for fact in chosen)
            yield from chosen
        else:
            yield from _some(candidates, random)
    relations = REFLEXIVE_RELATIONS if entity.type == "person" else tuple(REFLEXIVE_VERBS)
    yield from (Fact(relation, entity.id, entity.id) for relation in relations)
    if entity.type == "person":
        for verb in TRANSFER_VERBS:
            for object_ in (id_ for lemma in verb.objects for id_ in IDS_OF_LEMMA[lemma]):
                others = [p.id for p in PEOPLE if p.lemma != entity.lemma]
                weights = [familiarity(entity.id, other) for other in others]
                for when in WHENS:
                    recipient = random.choices(others, weights)[0]
                    yield from _some([Fact(verb.base, entity.id, object_, recipient, when)], random)


def _some(facts: Iterable[Fact], random: Random) -> Iterator[Fact]:
    """Most of what lies near, and a little of what does not."""
    for fact in facts:
        share = TRUE_NEARBY if is_near(fact.subject, fact.object) else TRUE_ELSEWHERE
        if random.random() < share:
            yield fact


def _states(entity: Entity, random: Random) -> Iterator[Fact]:
    groups: dict[str, list[Fact]] = defaultdict(list)
    for adjective, (group, _) in STATES.get(entity.type, {}).items():
        groups[group].append(Fact("be", entity.id, adjective))
    yield from (random.choice(facts) for facts in groups.values())


def is_near(subject: str, object_: str) -> bool:
    """Whether somebody and something belong to one circle."""
    circle = CIRCLE_OF.get(lemma_of(subject))
    return circle is not None and lemma_of(object_) in (
        *circle.things,
        *circle.places,
        *circle.members,
    )


def familiarity(subject: str, object_: str) -> float:
    """How likely somebody has to do with something, against other things.

    A farmer rather owns a cow than a piano, and rather knows a farmer than a tailor.
    """
    nearness = NEARNESS if is_near(subject, object_) else 1
    entity = ENTITIES.get(object_)
    several = entity is not None and entity.type != "person" and entity.number == "plural"
    return nearness * FREQUENCY.get(lemma_of(object_), 1) * (0.5 if several else 1)


def lemma_of(id_: str) -> str:
    """The lemma of an entity's id; what is no entity (an adjective) is its own."""
    return ENTITIES[id_].lemma if id_ in ENTITIES else id_
