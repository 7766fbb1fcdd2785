"""The world: who owns, likes, lives, went, gave what to whom.

Every possible fact belongs to one of two splits, by a hash of what it says. A world of one split
holds only facts of that split and its text speaks of no others, not even to deny or to ask about
them. So two worlds of different splits share all their words and none of their facts, whatever
their seeds are.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from random import Random
from typing import Literal

from electra_lab.text.microworld.lexicon import (
    ACTION_VERBS,
    CIRCLES,
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
        if self.relation == "live":  # everybody has one home, near or not
            return FREQUENCY["live"] * NEARNESS
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
    for name, of_name in NAMES.items():
        yield Entity(name, name, "person", "singular", of_name)
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

# whom and what everybody has to do with: those and that of their own circle
NEAR: dict[str, frozenset[str]] = {
    member: frozenset((*circle.members, *circle.things, *circle.places))
    for circle in CIRCLES
    for member in circle.members
}
# what people do to themselves, or are about themselves
REFLEXIVE_RELATIONS = (*REFLEXIVE_VERBS, "proud_of", "angry_with")
ANIMAL_REFLEXIVES = ("see", "wash", "hurt")
ATTITUDES = ("like", "love", "hate")


class World:
    """What is true in the world of this seed, and belongs to this split.

    Everybody lives in at most one place, nobody both likes and hates the same, and of two states
    that exclude each other (happy, sad) at most one is true. The worlds of one seed and both splits
    are two halves of one world, so these hold across the splits as well.

    Raises:
        ValueError: another split is asked for.
    """

    def __init__(self, seed: int, split: Split | str) -> None:
        if split not in ("train", "test"):
            raise ValueError(f"split is {split!r}; a micro-world is 'train' or 'test'.")
        self.split = split
        true = [fact for fact in _all_facts(seed) if fact.split == split]
        self.facts: frozenset[Fact] = frozenset(true)
        self.of_subject: dict[str, dict[str, list[Fact]]] = defaultdict(lambda: defaultdict(list))
        self.of_object: dict[str, list[Fact]] = defaultdict(list)
        for fact in true:
            self.of_subject[fact.subject][fact.relation].append(fact)
            self.of_object[fact.object].append(fact)

    def __contains__(self, fact: object) -> bool:
        return fact in self.facts


@lru_cache(maxsize=8)
def _all_facts(seed: int) -> tuple[Fact, ...]:
    """All that is true in the world of this seed, in either split."""
    random = Random(f"world {seed}")
    return tuple(fact for entity in ENTITIES.values() for fact in _facts_of(entity, random))


def _facts_of(entity: Entity, random: Random) -> Iterator[Fact]:
    """All that is true of an entity."""
    yield from _states(entity, random)
    if entity.type not in ("person", "animal"):
        return
    near = NEAR.get(entity.lemma, frozenset())
    felt: set[str] = set()
    for verb in (*STANDING_VERBS, *ACTION_VERBS):
        if entity.lemma not in verb.subjects:
            continue
        if verb.base == "live":
            yield Fact(verb.base, entity.id, random.choice(verb.objects))
            continue
        whens: tuple[When | None, ...] = (None,) if verb in STANDING_VERBS else WHENS
        for lemma in verb.objects:
            share = 0 if lemma == entity.lemma else TRUE_NEARBY if lemma in near else TRUE_ELSEWHERE
            for object_ in IDS_OF_LEMMA[lemma]:
                for when in whens:
                    if random.random() >= share or (verb.base in ATTITUDES and object_ in felt):
                        continue
                    if verb.base in ATTITUDES:
                        # nobody both likes and hates the same, and some things leave one cold
                        felt.add(object_)
                    yield Fact(verb.base, entity.id, object_, when=when)
    for relation in REFLEXIVE_RELATIONS if entity.type == "person" else ANIMAL_REFLEXIVES:
        yield Fact(relation, entity.id, entity.id)
    if entity.type == "person":
        yield from _gifts(entity, near, random)


def _gifts(entity: Entity, near: frozenset[str], random: Random) -> Iterator[Fact]:
    """What a person gives, shows and sends to others."""
    others = [person.id for person in PEOPLE if person.lemma != entity.lemma]
    weights = [familiarity(entity.id, other) for other in others]
    for verb in TRANSFER_VERBS:
        for lemma in verb.objects:
            share = TRUE_NEARBY if lemma in near else TRUE_ELSEWHERE
            for object_ in IDS_OF_LEMMA[lemma]:
                for when in WHENS:
                    if random.random() < share:
                        recipient = random.choices(others, weights)[0]
                        yield Fact(verb.base, entity.id, object_, recipient, when)


def _states(entity: Entity, random: Random) -> Iterator[Fact]:
    groups: dict[str, list[str]] = defaultdict(list)
    for adjective, (group, _) in STATES.get(entity.type, {}).items():
        groups[group].append(adjective)
    for adjectives in groups.values():
        yield Fact("be", entity.id, random.choice(adjectives))


def is_near(subject: str, object_: str) -> bool:
    """Whether somebody and something belong to one circle."""
    return lemma_of(object_) in NEAR.get(lemma_of(subject), ())


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
