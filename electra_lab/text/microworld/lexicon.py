"""The words of the micro-world: what each means for the grammar, and its forms.

A noun has a type (person, animal, thing, food, place) that decides which verbs and adjectives
go with it. A verb has a frame (how its clause is built) and says what its object may be: people
read letters and ride donkeys, they do not read donkeys. These selectional preferences are a
large part of what can be learned from a text this small.
"""

from __future__ import annotations

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


FEMININE_NAMES = ("anna", "clara", "emma", "ida", "maria", "nora", "rosa", "vera")
MASCULINE_NAMES = ("adam", "boris", "david", "felix", "hugo", "jonas", "oscar", "peter")
NAMES: dict[str, Gender] = {
    **dict.fromkeys(FEMININE_NAMES, "feminine"),
    **dict.fromkeys(MASCULINE_NAMES, "masculine"),
}


def _nouns(type_: EntityType, words: str) -> dict[str, Noun]:
    """Reads 'boat box/boxes bread/-' into nouns: a plural is written out if it is not in -s."""
    nouns = {}
    for entry in words.split():
        singular, _, plural = entry.partition("/")
        nouns[singular] = Noun(singular, None if plural == "-" else plural or singular + "s", type_)
    return nouns


def _places(words: str) -> dict[str, Noun]:
    nouns = {}
    for entry in words.split():
        preposition, singular, plural = (entry.split(":") + [""])[:3]
        nouns[singular] = Noun(singular, plural or singular + "s", "place", preposition=preposition)
    return nouns


GENDERED: dict[str, Noun] = {
    "girl": Noun("girl", "girls", "person", "feminine"),
    "woman": Noun("woman", "women", "person", "feminine"),
    "boy": Noun("boy", "boys", "person", "masculine"),
    "man": Noun("man", "men", "person", "masculine"),
}
ROLES = _nouns("person", "farmer baker teacher doctor gardener painter singer nurse sailor driver")
ANIMALS = _nouns("animal", "dog cat horse cow goat hen duck rabbit donkey bird")
THINGS = _nouns(
    "thing",
    "boat book lamp letter hat coat key clock chair table basket bicycle cart piano violin "
    "picture map cup bottle ring box/boxes bag tent umbrella car house",
)
FOODS = _nouns("food", "apple egg cake pear bread/- milk/- soup/- tea/- water/- honey/- cheese/-")
PLACES = _places(
    "in:village in:city:cities in:garden in:forest in:kitchen in:library:libraries at:market "
    "at:station at:school at:harbour by:river by:lake on:island on:hill on:farm on:bridge"
)

NOUNS: dict[str, Noun] = {**GENDERED, **ROLES, **ANIMALS, **THINGS, **FOODS, **PLACES}
PERSONS = (*NAMES, *GENDERED, *ROLES)

# what a verb may take, by name; a word that is no key here stands for itself
_GROUPS: dict[str, tuple[str, ...]] = {
    "persons": PERSONS,
    "animals": tuple(ANIMALS),
    "things": tuple(THINGS),
    "foods": tuple(FOODS),
    "places": tuple(PLACES),
    "names": tuple(NAMES),
    "goods": tuple(THINGS) + ("apple", "egg", "cake", "bread", "honey", "cheese"),
    "homes": ("village", "city", "forest", "harbour", "river", "lake", "island", "hill", "farm"),
}


def _expand(words: str) -> tuple[str, ...]:
    found: list[str] = []
    for word in words.split():
        for lemma in _GROUPS.get(word, (word,)):
            if lemma not in found:
                found.append(lemma)
    return tuple(found)


def _verb(
    forms: str, frame: Frame, objects: str, subjects: str = "persons", sentiment: int = 0
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
    _verb("live lives lived", "place", "homes"),
    _verb("like likes liked", "object", "persons animals things", sentiment=1),
    _verb("love loves loved", "object", "persons animals things", sentiment=1),
    _verb("hate hates hated", "object", "persons things cat goat soup", sentiment=-1),
    _verb("fear fears feared", "object", "dog horse goat bird water forest bridge", sentiment=-1),
    _verb("know knows knew known", "object", "persons"),
    _verb("trust trusts trusted", "object", "persons", sentiment=1),
)
# what people do, and may do on any day
ACTION_VERBS = (
    _verb("help helps helped", "object", "persons", sentiment=1),
    _verb("visit visits visited", "object", "persons city library island"),
    _verb("see sees saw seen", "object", "persons animals things bridge lake"),
    _verb("thank thanks thanked", "object", "persons", "names girl boy doctor nurse", 1),
    _verb("feed feeds fed", "object", "animals", "names farmer girl boy gardener"),
    _verb("wash washes washed", "object", "dog horse cup bottle cart car", "names girl boy nurse"),
    _verb(
        "paint paints painted",
        "object",
        "persons picture boat chair table cart house",
        "names painter",
    ),
    _verb("read reads read", "object", "book letter map", "names teacher girl boy doctor nurse"),
    _verb("write writes wrote written", "object", "book letter", "names teacher doctor singer"),
    _verb("buy buys bought", "object", "animals goods"),
    _verb("sell sells sold", "object", "goods horse cow goat hen", "names farmer baker sailor man"),
    _verb("bake bakes baked", "object", "bread cake", "names baker woman man girl"),
    _verb("eat eats ate eaten", "object", "apple egg cake pear bread soup honey cheese"),
    _verb("drink drinks drank drunk", "object", "milk tea water"),
    _verb("play plays played", "object", "piano violin", "names singer girl boy teacher"),
    _verb("ride rides rode ridden", "object", "horse donkey bicycle", "names farmer girl boy man"),
    _verb("drive drives drove driven", "object", "car cart", "names driver farmer man woman"),
    _verb("repair repairs repaired", "object", "boat clock bicycle cart lamp chair car"),
    _verb("carry carries carried", "object", "basket box bag bottle chair tent"),
    _verb("lose loses lost", "object", "key ring hat bag umbrella map", sentiment=-1),
    _verb("find finds found", "object", "key ring hat bag umbrella map", sentiment=1),
    _verb("hide hides hid hidden", "object", "ring key letter box", "names girl boy singer"),
    _verb("wear wears wore worn", "object", "hat coat ring"),
    _verb("build builds built", "object", "boat house chair table", "names sailor man woman"),
    _verb("go goes went gone", "goal", "places"),
    _verb("walk walks walked", "goal", "places", "persons dog cat cow"),
    _verb("work works worked", "place", "places"),
    _verb("sleep sleeps slept", "place", "garden forest kitchen harbour farm", "persons animals"),
    _verb("sing sings sang sung", "place", "garden market school river bridge", "persons bird"),
    _verb("dance dances danced", "place", "village market bridge kitchen", "persons", 1),
    _verb("wait waits waited", "place", "station market harbour bridge", "persons dog donkey"),
    _verb("swim swims swam swum", "place", "river lake", "persons dog duck horse"),
)
TRANSFER_VERBS = (
    _verb("give gives gave given", "recipient", "goods", sentiment=1),
    _verb("show shows showed shown", "recipient", "things"),
    _verb("send sends sent", "recipient", "letter book picture map box cake"),
    _verb("lend lends lent", "recipient", "book coat umbrella bicycle violin car boat lamp"),
)
VERBS: dict[str, Verb] = {v.base: v for v in STANDING_VERBS + ACTION_VERBS + TRANSFER_VERBS}

# verbs that take a clause, and verbs that turn back on their subject: base third past participle
CLAUSE_VERBS = {
    "say": ("say", "says", "said", "said"),
    "think": ("think", "thinks", "thought", "thought"),
    "know": ("know", "knows", "knew", "known"),
    "remember": ("remember", "remembers", "remembered", "remembered"),
    "forget": ("forget", "forgets", "forgot", "forgotten"),
}
REFLEXIVE_VERBS = {
    "see": ("see", "sees", "saw", "seen"),
    "wash": ("wash", "washes", "washed", "washed"),
    "hurt": ("hurt", "hurts", "hurt", "hurt"),
    "blame": ("blame", "blames", "blamed", "blamed"),
    "hide": ("hide", "hides", "hid", "hidden"),
    "trust": ("trust", "trusts", "trusted", "trusted"),
}

# adjectives by what they are said of; those of one group exclude each other in a world
PERSON_STATES: dict[str, tuple[str, int]] = {
    "happy": ("mood", 1),
    "cheerful": ("mood", 1),
    "sad": ("mood", -1),
    "angry": ("mood", -1),
    "lonely": ("company", -1),
    "proud": ("company", 1),
    "tired": ("body", -1),
    "ill": ("body", -1),
    "healthy": ("body", 1),
    "hungry": ("food", -1),
    "kind": ("manner", 1),
    "rude": ("manner", -1),
    "clever": ("mind", 1),
    "busy": ("work", 0),
    "rich": ("money", 1),
    "poor": ("money", -1),
}
ANIMAL_STATES: dict[str, tuple[str, int]] = {
    "hungry": ("food", -1),
    "thirsty": ("food", -1),
    "wild": ("manner", 0),
    "friendly": ("manner", 1),
    "asleep": ("body", 0),
}
THING_STATES: dict[str, tuple[str, int]] = {
    "broken": ("order", -1),
    "useful": ("order", 1),
    "expensive": ("price", 0),
    "cheap": ("price", 0),
    "dirty": ("look", -1),
    "beautiful": ("look", 1),
    "heavy": ("weight", 0),
    "wooden": ("matter", 0),
}
STATES = {"person": PERSON_STATES, "animal": ANIMAL_STATES, "thing": THING_STATES}
# adjectives before a noun; they are how a thing looks and never contradict a state
ATTRIBUTES = {
    "person": ("young", "old", "tall"),
    "animal": ("black", "white", "brown", "small", "big"),
    "thing": ("new", "old", "small", "big", "red", "blue", "green"),
    "place": ("old", "small", "big"),
}

SUBJECT_PRONOUNS = {"feminine": "she", "masculine": "he", "neuter": "it", "plural": "they"}
OBJECT_PRONOUNS = {"feminine": "her", "masculine": "him", "neuter": "it", "plural": "them"}
POSSESSIVES = {"feminine": "her", "masculine": "his", "neuter": "its", "plural": "their"}
REFLEXIVES = {
    "feminine": "herself",
    "masculine": "himself",
    "neuter": "itself",
    "plural": "themselves",
}

PAST_TIMES = (("yesterday",), ("last", "night"), ("last", "week"), ("last", "summer"))
FUTURE_TIMES = (("tomorrow",), ("next", "week"), ("next", "summer"))
PRESENT_TIMES = (("every", "day"), ("every", "week"), ("every", "summer"))

# singular form -> plural form of everything finite in the present, and of be in the past
AGREEMENT: dict[str, str] = {"is": "are", "was": "were", "has": "have", "does": "do"}
AGREEMENT.update({v.third: v.base for v in VERBS.values()})
AGREEMENT.update({forms[1]: forms[0] for forms in CLAUSE_VERBS.values()})
AGREEMENT.update({forms[1]: forms[0] for forms in REFLEXIVE_VERBS.values()})

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
        "all",
        "two",
        "three",
        "some",
        "own",
        "mirror",
    ),
    *("and", "or", "nor", "both", "either", "neither", "but", "if", "when", "because", "before"),
    *("that", "who", "what", "not", "never", "ever", "often", "always"),
    *("is", "are", "was", "were", "be", "been", "has", "have", "did", "do", "does", "will"),
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
        words.update((verb.base, verb.third, verb.past, verb.participle))
    for forms in (*CLAUSE_VERBS.values(), *REFLEXIVE_VERBS.values()):
        words.update(forms)
    for adjectives in (*STATES.values(), *ATTRIBUTES.values()):
        words.update(adjectives)
    for table in (SUBJECT_PRONOUNS, OBJECT_PRONOUNS, POSSESSIVES, REFLEXIVES):
        words.update(table.values())
    for times in (PAST_TIMES, FUTURE_TIMES, PRESENT_TIMES):
        words.update(word for time in times for word in time)
    return sorted(words)
