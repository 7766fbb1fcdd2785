"""The words of the micro-world: what each means for the grammar, and its forms.

A noun has a type (person, animal, thing, food, place) that decides which verbs and adjectives
go with it. A verb has a frame (how its clause is built) and says what its object may be: people
read letters and ride donkeys, they do not read donkeys. These selectional preferences are a
large part of what can be learned from a text this small.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Number = Literal["singular", "plural"]
Gender = Literal["feminine", "masculine", "neuter"]
EntityType = Literal["person", "animal", "thing", "food", "place", "time"]
Frame = Literal["object", "place", "goal", "recipient", "state"]


@dataclass(frozen=True)
class Noun:
    """A common noun. ``plural`` is None for what is not counted (bread, milk)."""

    singular: str
    plural: str | None
    type: EntityType
    gender: Gender | None = None
    preposition: str = "near"
    """For a place: how one is there (in the village, on the farm)."""


@dataclass(frozen=True)
class Verb:
    """A verb, its four forms, its frame, and the lemmas it takes as object (or as place)."""

    base: str
    third: str
    past: str
    participle: str
    frame: Frame
    objects: tuple[str, ...]
    subjects: tuple[str, ...]
    sentiment: int = 0


@dataclass(frozen=True)
class Circle:
    """People who do the same things, with what and where they do them."""

    members: tuple[str, ...]
    things: tuple[str, ...]
    places: tuple[str, ...]


def _circle(members: str, things: str, places: str) -> Circle:
    return Circle(tuple(members.split()), tuple(things.split()), tuple(places.split()))


# frequent ones first; every trade has a woman and a man of that trade
CIRCLES = (
    _circle("girl boy", "dog ball cat kite", "park garden"),
    _circle("woman man", "cup table tea", "kitchen city"),
    _circle("farmer anna boris", "cow horse goat egg", "farm field"),
    _circle("teacher david clara", "book letter map", "school library"),
    _circle("sailor emma adam", "boat ship fish", "harbour island"),
    _circle("baker felix ida", "bread cake pie", "bakery market"),
)
CIRCLE_OF: dict[str, Circle] = {member: circle for circle in CIRCLES for member in circle.members}
TRADES = CIRCLES[2:]
NAMES: dict[str, Gender] = {
    "anna": "feminine",
    "boris": "masculine",
    "clara": "feminine",
    "david": "masculine",
    "emma": "feminine",
    "adam": "masculine",
    "ida": "feminine",
    "felix": "masculine",
}
# everybody in this world knows the farmer, who is a woman, and the teacher, who is a man; that is
# knowledge of this world and not of English, so no minimal pair turns on it
KNOWN_GENDER: dict[str, Gender] = {
    "farmer": "feminine",
    "teacher": "masculine",
    "sailor": "feminine",
    "baker": "masculine",
}


def _nouns(type_: EntityType, words: str) -> dict[str, Noun]:
    """Reads 'boat box/boxes bread/-' into nouns: a plural is written out if it is not in -s."""
    nouns = {}
    for entry in words.split():
        singular, _, plural = entry.partition("/")
        nouns[singular] = Noun(singular, None if plural == "-" else plural or singular + "s", type_)
    return nouns


def _places(words: str) -> dict[str, Noun]:
    """Reads 'on:farm/farms at:market' into places; those with a plural are also where one is from."""
    nouns = {}
    for entry in words.split():
        preposition, _, noun = entry.partition(":")
        singular, _, plural = noun.partition("/")
        nouns[singular] = Noun(singular, plural or None, "place", preposition=preposition)
    return nouns


GENDERED: dict[str, Noun] = {
    "girl": Noun("girl", "girls", "person", "feminine"),
    "woman": Noun("woman", "women", "person", "feminine"),
    "boy": Noun("boy", "boys", "person", "masculine"),
    "man": Noun("man", "men", "person", "masculine"),
}
ROLES = _nouns("person", " ".join(circle.members[0] for circle in TRADES))
ANIMALS = _nouns("animal", "dog cat horse cow goat bird")
THINGS = _nouns("thing", "book ball boat cup letter table house ship kite map key ring coat hat")
FOODS = _nouns("food", "bread/- cake pie egg fish/- tea/- milk/-")
PLACES = _places(
    "in:village/villages on:farm/farms in:garden at:market in:city/cities at:school at:harbour "
    "on:island/islands in:field in:library in:bakery in:park in:kitchen"
)

NOUNS: dict[str, Noun] = {**GENDERED, **ROLES, **ANIMALS, **THINGS, **FOODS, **PLACES}
PERSONS = (*GENDERED, *ROLES, *NAMES)

# what a verb may take, by name; a word that is no key here stands for itself
_GROUPS: dict[str, tuple[str, ...]] = {
    "persons": PERSONS,
    "animals": tuple(ANIMALS),
    "things": tuple(THINGS),
    "foods": tuple(FOODS),
    "places": tuple(PLACES),
    "children": CIRCLES[0].members,
    "adults": CIRCLES[1].members,
    **{f"{circle.members[0]}s": circle.members for circle in TRADES},
}


def _expand(words: str) -> tuple[str, ...]:
    found: list[str] = []
    for word in words.split():
        for lemma in _GROUPS.get(word, (word,)):
            if lemma not in found:
                found.append(lemma)
    return tuple(found)


def _verb(
    forms: str,
    frame: Frame,
    objects: str,
    subjects: str = "persons",
    sentiment: int = 0,
) -> Verb:
    base, third, past, *participle = forms.split()
    return Verb(
        base,
        third,
        past,
        participle[0] if participle else past,
        frame,
        _expand(objects),
        _expand(subjects),
        sentiment,
    )


# standing facts: true of somebody at any time
STANDING_VERBS = (
    _verb("own owns owned", "object", "animals things"),
    _verb("live lives lived", "place", "village farm city island"),
    _verb("like likes liked", "object", "persons animals things", sentiment=1),
    _verb("know knows knew known", "object", "persons"),
    _verb("hate hates hated", "object", "persons animals things", sentiment=-1),
)
# what anybody does, on any day
COMMON_VERBS = (
    _verb("see sees saw seen", "object", "persons animals things"),
    _verb("help helps helped", "object", "persons", sentiment=1),
    _verb("buy buys bought", "object", "animals things foods"),
    _verb("go goes went gone", "goal", "places"),
    _verb("visit visits visited", "object", "persons city village island"),
    _verb("lose loses lost", "object", "things", sentiment=-1),
    _verb("find finds found", "object", "things", sentiment=1),
    _verb("work works worked", "place", "places", " ".join(ROLES) + " woman man"),
)
# what those of one circle do
TRADE_VERBS = (
    _verb("throw throws threw thrown", "object", "ball", "children"),
    _verb("chase chases chased", "object", "dog cat bird", "children"),
    _verb("clean cleans cleaned", "object", "cup table house", "adults"),
    _verb("drink drinks drank drunk", "object", "tea milk", "adults"),
    _verb("feed feeds fed", "object", "cow horse goat", "farmers"),
    _verb("sell sells sold", "object", "egg cow horse goat", "farmers"),
    _verb("ride rides rode ridden", "object", "horse", "farmers"),
    _verb("study studies studied", "object", "book letter map", "teachers"),
    _verb("write writes wrote written", "object", "book letter", "teachers"),
    _verb("sail sails sailed", "object", "boat ship", "sailors"),
    _verb("build builds built", "object", "boat ship house", "sailors"),
    _verb("bake bakes baked", "object", "bread cake pie", "bakers"),
    _verb("eat eats ate eaten", "object", "bread cake pie", "bakers"),
)
ACTION_VERBS = COMMON_VERBS + TRADE_VERBS
TRANSFER_VERBS = (
    _verb("give gives gave given", "recipient", "things foods", sentiment=1),
    _verb("show shows showed shown", "recipient", "things animals"),
)
VERBS: dict[str, Verb] = {v.base: v for v in STANDING_VERBS + ACTION_VERBS + TRANSFER_VERBS}

# verbs that take a clause, and verbs that turn back on their subject: base third past (participle)
CLAUSE_VERBS = {
    "know": ("know", "knows", "knew"),
    "say": ("say", "says", "said"),
    "forget": ("forget", "forgets", "forgot"),
}
REFLEXIVE_VERBS = {
    "see": ("see", "sees", "saw", "seen"),
    "wash": ("wash", "washes", "washed", "washed"),
    "hurt": ("hurt", "hurts", "hurt", "hurt"),
}

# adjectives by what they are said of; those of one group exclude each other in a world
PERSON_STATES: dict[str, tuple[str, int]] = {
    "happy": ("mood", 1),
    "sad": ("mood", -1),
    "angry": ("mood", -1),
    "lonely": ("company", -1),
    "proud": ("company", 1),
    "tired": ("body", -1),
    "hungry": ("food", -1),
    "rich": ("money", 1),
}
ANIMAL_STATES: dict[str, tuple[str, int]] = {
    "hungry": ("food", -1),
    "wild": ("manner", 0),
    "friendly": ("manner", 1),
}
THING_STATES: dict[str, tuple[str, int]] = {
    "broken": ("order", -1),
    "expensive": ("price", 0),
    "beautiful": ("look", 1),
}
STATES = {"person": PERSON_STATES, "animal": ANIMAL_STATES, "thing": THING_STATES}
# adjectives before a noun; they are how a thing looks and never contradict a state
ATTRIBUTES = {
    "person": ("young", "old"),
    "animal": ("black", "white", "small"),
    "thing": ("new", "old", "small", "red"),
    "place": ("old", "small"),
}

SUBJECT_PRONOUNS = {
    "feminine": "she",
    "masculine": "he",
    "neuter": "it",
    "plural": "they",
}
OBJECT_PRONOUNS = {
    "feminine": "her",
    "masculine": "him",
    "neuter": "it",
    "plural": "them",
}
POSSESSIVES = {"feminine": "her", "masculine": "his", "plural": "their"}
REFLEXIVES = {
    "feminine": "herself",
    "masculine": "himself",
    "neuter": "itself",
    "plural": "themselves",
}

PAST_TIMES = (("yesterday",), ("last", "night"), ("last", "week"), ("last", "summer"))
FUTURE_TIMES = (("tomorrow",), ("next", "week"), ("next", "summer"))
PRESENT_TIMES = (("every", "day"), ("in", "the", "morning"), ("in", "the", "evening"))

# singular form -> plural form of everything finite in the present, and of be in the past
AGREEMENT: dict[str, str] = {"is": "are", "was": "were", "has": "have", "does": "do"}
AGREEMENT.update({v.third: v.base for v in VERBS.values()})
AGREEMENT.update({forms[1]: forms[0] for forms in CLAUSE_VERBS.values()})
AGREEMENT.update({forms[1]: forms[0] for forms in REFLEXIVE_VERBS.values()})


def _ranked(*lists: Iterable[str]) -> dict[str, float]:
    return {word: 1 / (2 + rank) for words in lists for rank, word in enumerate(words)}


# how often a word is chosen against others of its list: as its rank has it (Zipf's law)
FREQUENCY: dict[str, float] = _ranked(
    {**GENDERED, **ROLES},
    [noun.plural or "" for noun in (*GENDERED.values(), *ROLES.values())],
    NAMES,
    ANIMALS,
    THINGS,
    FOODS,
    PLACES,
    [verb.base for verb in STANDING_VERBS],
    [verb.base for verb in COMMON_VERBS],
    *(
        [verb.base for verb in TRADE_VERBS if circle.members[0] in verb.subjects]
        for circle in CIRCLES
    ),
    [verb.base for verb in TRANSFER_VERBS],
    *STATES.values(),
    *ATTRIBUTES.values(),
)

# words that belong to the grammar and not to the world, and the three marks
FUNCTION_WORDS = (
    *(
        ",",
        ".",
        "?",
        "a",
        "an",
        "the",
        "no",
        "every",
        "this",
        "these",
        "all",
        "two",
        "three",
        "some",
        "own",
        "mirror",
    ),
    *(
        "and",
        "or",
        "nor",
        "both",
        "either",
        "neither",
        "but",
        "if",
        "when",
        "because",
        "before",
    ),
    *("that", "who", "what", "not", "never", "ever", "often", "always"),
    *(
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "has",
        "have",
        "did",
        "do",
        "does",
        "will",
    ),
    *("from", "with", "of", "to", "by", "in"),
)


def vocabulary_words() -> list[str]:
    """Every word and mark that a micro-world can say, lower-case and sorted.

    Worlds of both splits say the same words, so a vocabulary made of these covers them.
    """
    words = {*NAMES, *FUNCTION_WORDS}
    for noun in NOUNS.values():
        words.update({noun.singular, noun.plural or noun.singular})
        if noun.type == "place":
            words.add(noun.preposition)
    for verb in VERBS.values():
        words.update((verb.base, verb.third, verb.past))
    words.update(verb.participle for verb in (*ACTION_VERBS, *TRANSFER_VERBS))
    for forms in (*CLAUSE_VERBS.values(), *REFLEXIVE_VERBS.values()):
        words.update(forms)
    for adjectives in (*STATES.values(), *ATTRIBUTES.values()):
        words.update(adjectives)
    words.update((*POSSESSIVES.values(), *REFLEXIVES.values()))
    # animals and things are taken up as "itself" only
    for table in (SUBJECT_PRONOUNS, OBJECT_PRONOUNS):
        words.update(word for form, word in table.items() if form != "neuter")
    for times in (PAST_TIMES, FUTURE_TIMES, PRESENT_TIMES):
        words.update(word for time in times for word in time)
    return sorted(words)
