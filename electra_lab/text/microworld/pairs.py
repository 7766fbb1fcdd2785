"""Minimal pairs: a sentence of the micro-world, and the same with one word that breaks it.

The pairs are made from the annotation of ordinary sentences. What decides lies more than two
words away from the word that differs, and each kind of pair comes in both directions equally
often (is for are, are for is; the noun next to the verb of the verb's number, and not). So the
neighbours of a word do not tell which sentence is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from electra_lab.text.microworld.annotation import AnnotatedSentence
from electra_lab.text.microworld.facts import Split, lemma_of
from electra_lab.text.microworld.lexicon import (
    AGREEMENT,
    ANIMAL_STATES,
    CIRCLE_OF,
    NAMES,
    NOUNS,
    PERSON_STATES,
    POSSESSIVES,
    REFLEXIVES,
    VERBS,
)
from electra_lab.text.microworld.sentences import MicroWorld

FAR = 3
"""Words apart from which on a trigram cannot see both."""


@dataclass(frozen=True)
class MinimalPair:
    """Two sentences that differ in one word; only ``good`` is right."""

    good: str
    bad: str
    phenomenon: str


@dataclass(frozen=True)
class Swap:
    """A word to replace, and the stratum of its phenomenon that the pair belongs to."""

    position: int
    text: str
    stratum: str


Finder = Callable[[AnnotatedSentence, Random], Iterator[Swap]]

_SINGULAR = {plural: singular for singular, plural in AGREEMENT.items()}
# "hurt" is a past tense as well, so a singular subject may have it
_ALSO_PAST = {"hurt", "hurts"}


def _agreement(sentence: AnnotatedSentence, clause_between: bool) -> Iterator[Swap]:
    words = sentence.words
    for i, word in enumerate(words):
        head = word.agrees_with
        if head is None or i - head < FAR or word.text in _ALSO_PAST:
            continue
        if words[head].pos not in ("NOUN", "PROPN"):
            continue
        between = words[head + 1 : i]
        nouns = [w for w in between if w.pos in ("NOUN", "PROPN") and w.number]
        if not nouns or any(w.pos == "VERB" for w in between) != clause_between:
            continue
        other = AGREEMENT if word.number == "singular" else _SINGULAR
        same = "same" if nouns[-1].number == word.number else "other"
        yield Swap(i, other[word.text], f"{word.number} verb, {same} number before it")


def agreement_across_a_phrase(sentence: AnnotatedSentence, random: Random) -> Iterator[Swap]:
    """The farmer with the dogs is / *are tired."""
    return _agreement(sentence, clause_between=False)


def agreement_across_a_clause(sentence: AnnotatedSentence, random: Random) -> Iterator[Swap]:
    """The farmers who know the nurse are / *is tired."""
    return _agreement(sentence, clause_between=True)


def _binding(
    sentence: AnnotatedSentence, random: Random, forms: dict[str, str], position: int
) -> Iterator[Swap]:
    word = sentence.words[position]
    if word.refers_to is None or position - word.refers_to < FAR:
        return
    antecedent = sentence.words[word.refers_to]
    if antecedent.number == "plural":
        wrong = forms[random.choice(("feminine", "masculine"))]
        yield Swap(position, wrong, "singular for plural")
    elif antecedent.gender is None:
        yield Swap(position, forms["plural"], "plural for singular")
    else:
        wrong = forms["masculine" if antecedent.gender == "feminine" else "feminine"]
        yield Swap(position, wrong, f"{word.gender} wanted")


def reflexive(sentence: AnnotatedSentence, random: Random) -> Iterator[Swap]:
    """The woman who knows the sailors saw herself / *himself in the mirror."""
    for i, word in enumerate(sentence.words):
        if word.text in REFLEXIVES.values():
            yield from _binding(sentence, random, REFLEXIVES, i)


def possessive(sentence: AnnotatedSentence, random: Random) -> Iterator[Swap]:
    """The girl with the cats lost her / *his own key."""
    words = sentence.words
    for i, word in enumerate(words[:-1]):
        if word.text in POSSESSIVES.values() and words[i + 1].text == "own":
            yield from _binding(sentence, random, POSSESSIVES, i)


_OTHER_TIME = {
    "yesterday": "tomorrow",
    "tomorrow": "yesterday",
    "last": "next",
    "next": "last",
}


def tense(sentence: AnnotatedSentence, random: Random) -> Iterator[Swap]:
    """Yesterday / *Tomorrow the farmer with the dogs sold the cart."""
    words = sentence.words
    if "dated" not in sentence.constructions:
        return
    finite = [i for i, w in enumerate(words) if w.text == "will" or w.role == "predicate"]
    for i, word in enumerate(words):
        if word.text not in _OTHER_TIME or words[i + 1].text == "night":
            continue
        # the main verb is the last one, or the "will" before it
        verb = finite[-1]
        if abs(verb - i) >= FAR and all(abs(f - i) >= FAR for f in finite):
            yield Swap(i, _OTHER_TIME[word.text], word.text)


def verb_form(sentence: AnnotatedSentence, random: Random) -> Iterator[Swap]:
    """Did / *Has the farmer with the dogs sell the cart?"""
    words = sentence.words
    first = words[0].text
    if "question" not in sentence.constructions or first not in ("did", "has", "have"):
        return
    main = next(i for i in range(len(words) - 1, 0, -1) if words[i].role == "predicate")
    if main < FAR or words[main].text == "hurt":
        return
    number = next(w.number for w in words if w.role == "subject")
    if first == "did":
        yield Swap(0, "has" if number == "singular" else "have", f"did, {number}")
    else:
        yield Swap(0, "did", first)


def negative_polarity(sentence: AnnotatedSentence, random: Random) -> Iterator[Swap]:
    """No / *Every farmer with a horse has ever seen the lake. The farmer has never / *ever ..."""
    words = sentence.words
    if "polarity" not in sentence.constructions:
        return
    number = next(w.number for w in words if w.role == "subject")
    for i, word in enumerate(words):
        if word.text == "ever":
            yield Swap(0, "every" if number == "singular" else "all", f"no, {number}")
        elif word.text == "never" and words[0].text == "the":
            yield Swap(i, "ever", f"never, {number}")


_LINK = {"both": "and", "either": "or", "neither": "nor"}


def correlative(sentence: AnnotatedSentence, random: Random) -> Iterator[Swap]:
    """Either / *Both the nurse or the baker will feed the hens."""
    words = [word.text for word in sentence.words]
    for i, word in enumerate(words):
        if word in _LINK and words.index(_LINK[word], i) - i >= FAR:
            yield Swap(i, random.choice([w for w in ("both", "either") if w != word]), word)


# without an object these are no English: "that she bought." is not a whole clause
_NEEDS_OBJECT = frozenset(
    v.past
    for v in VERBS.values()
    if v.base
    in (
        "buy",
        "find",
        "build",
        "wear",
        "lose",
        "repair",
        "carry",
        "own",
        "catch",
        "cure",
    )
    or v.frame == "recipient"
)


def filler_gap(sentence: AnnotatedSentence, random: Random) -> Iterator[Swap]:
    """Anna knows what / *that the farmer with the dogs bought."""
    words = sentence.words
    if "report" not in sentence.constructions:
        return
    verbs = [w for w in words if w.role == "predicate"]
    if verbs[-1].text not in _NEEDS_OBJECT or verbs[0].text[:3] in (
        "say",
        "sai",
        "thi",
        "tho",
    ):
        return
    for i, word in enumerate(words):
        if word.text == "what":
            yield Swap(i, "that", "what")
        elif word.text == "that" and word.pos == "SCONJ":
            yield Swap(i, "what", "that")


_ONLY_THINGS = {"broken", "expensive", "cheap", "useful"}
_ONLY_PEOPLE = set(PERSON_STATES) - set(ANIMAL_STATES)


def selection(sentence: AnnotatedSentence, random: Random) -> Iterator[Swap]:
    """The lamp / *nurse that the sailors like is expensive."""
    words = sentence.words
    head = next(
        (i for i, w in enumerate(words) if w.role == "subject" and w.pos == "NOUN"),
        None,
    )
    if (
        "description" not in sentence.constructions
        or head is None
        or words[head + 1].text != "that"
    ):
        return
    attribute = next((w.text for w in words if w.role == "attribute"), None)
    number, kind = words[head].number, words[head].entity_type
    # a noun that has to do with the same people
    fact = next(f for f in sentence.facts if f.object == words[head].entity)
    circle = CIRCLE_OF[lemma_of(fact.subject)]
    if kind == "thing" and attribute in _ONLY_THINGS:
        fit = [m for m in circle.members if m not in NAMES]
    elif kind == "person" and attribute in _ONLY_PEOPLE:
        fit = [t for t in circle.things if NOUNS[t].type == "thing"]
    else:
        return
    forms = [NOUNS[n].singular if number == "singular" else NOUNS[n].plural or "" for n in fit]
    forms = [form for form in forms if form not in {w.text for w in words}]
    if forms:
        yield Swap(head, random.choice(forms), f"{kind}, {number}")


PHENOMENA: dict[str, tuple[Finder, tuple[str, ...]]] = {
    "agreement across a phrase": (
        agreement_across_a_phrase,
        tuple(
            f"{number} verb, {same} number before it"
            for number in ("singular", "plural")
            for same in ("same", "other")
        ),
    ),
    "agreement across a clause": (
        agreement_across_a_clause,
        tuple(
            f"{number} verb, {same} number before it"
            for number in ("singular", "plural")
            for same in ("same", "other")
        ),
    ),
    "reflexive": (
        reflexive,
        (
            "feminine wanted",
            "masculine wanted",
            "singular for plural",
            "plural for singular",
        ),
    ),
    "possessive": (
        possessive,
        (
            "feminine wanted",
            "masculine wanted",
            "singular for plural",
            "plural for singular",
        ),
    ),
    "tense": (tense, ("yesterday", "tomorrow", "last", "next")),
    "verb form": (verb_form, ("did, singular", "did, plural", "has", "have")),
    "negative polarity": (
        negative_polarity,
        ("no, singular", "no, plural", "never, singular", "never, plural"),
    ),
    "correlative": (correlative, ("both", "either", "neither")),
    "filler and gap": (filler_gap, ("what", "that")),
    "selection": (
        selection,
        ("thing, singular", "thing, plural", "person, singular", "person, plural"),
    ),
}
"""Each phenomenon: how its pairs are found, and its strata, which are filled equally."""


def minimal_pairs(n: int, split: Split | str = "test", seed: int = 0) -> list[MinimalPair]:
    """``n`` minimal pairs, the phenomena and within each its strata equally often.

    Args:
        n: how many pairs.
        split: whose sentences the good ones are; "test" gives sentences that no training text has.
        seed: the world's and its text's; the same seed gives the same pairs.

    Raises:
        ValueError: a negative ``n``, or an unknown split.
    """
    if n < 0:
        raise ValueError(f"n is {n}; a number of pairs is 0 or more.")
    places = [
        (phenomenon, strata[turn % len(strata)])
        for turn in range(-(-n // len(PHENOMENA)))
        for phenomenon, (_, strata) in PHENOMENA.items()
    ][:n]
    wanted = {place: places.count(place) for place in set(places)}
    found: dict[tuple[str, str], list[MinimalPair]] = {place: [] for place in wanted}
    random = Random(f"pairs {seed} {split}")
    seen: set[str] = set()
    stream = MicroWorld(seed, split).stream(seed)
    missing = n
    while missing:
        sentence = next(stream)
        if sentence.text in seen:
            continue
        choices = [
            (phenomenon, swap)
            for phenomenon, (find, _) in PHENOMENA.items()
            for swap in find(sentence, random)
            if len(found.get((phenomenon, swap.stratum), ()))
            < wanted.get((phenomenon, swap.stratum), 0)
        ]
        if choices:
            phenomenon, swap = random.choice(choices)
            bad = sentence.with_word(swap.position, swap.text)
            found[phenomenon, swap.stratum].append(MinimalPair(sentence.text, bad, phenomenon))
            seen.add(sentence.text)
            missing -= 1
    return [found[place].pop() for place in places]
