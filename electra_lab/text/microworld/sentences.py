"""Text from a micro-world: annotated sentences, the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from electra_lab.text.microworld.annotation import (
    AnnotatedSentence,
    Sentiment,
    Token,
    finish,
    written,
)
from electra_lab.text.microworld.facts import Split, World
from electra_lab.text.microworld.grammar import RULES
from electra_lab.text.microworld.phrases import Draft

SHORTEST, LONGEST = 6, 25
"""Words in a sentence, its marks not counted."""

_SENTIMENTS: dict[int, Sentiment] = {1: "positive", 0: "neutral", -1: "negative"}


class MicroWorld:
    """A small consistent world that can be talked about.

    Args:
        seed: which world; the facts of a world follow from its seed and split.
        split: "train" or "test". Worlds of different splits share their words and none of their
            facts; as every sentence names a fact, no sentence of one occurs in the other.

    Raises:
        ValueError: another split is asked for.

    Example:
        >>> MicroWorld(seed=0).texts(2, seed=1)  # doctest: +SKIP
    """

    def __init__(self, seed: int = 0, split: Split | str = "train") -> None:
        self.seed = seed
        self.split = split
        self.world = World(seed, split)

    def sentences(self, n: int, seed: int = 0) -> list[AnnotatedSentence]:
        """``n`` sentences; a longer list from the same seed starts with the same sentences."""
        if n < 0:
            raise ValueError(f"n is {n}; a number of sentences is 0 or more.")
        stream = self.stream(seed)
        return [next(stream) for _ in range(n)]

    def texts(self, n: int, seed: int = 0) -> list[str]:
        """The same sentences as plain text."""
        return [sentence.text for sentence in self.sentences(n, seed)]

    def stream(self, seed: int = 0) -> Iterator[AnnotatedSentence]:
        """Sentences without end."""
        random = Random(f"sentences {self.seed} {self.split} {seed}")
        names = list(RULES)
        weights = [weight for weight, _ in RULES.values()]
        while True:
            sentence = self._sentence(random.choices(names, weights)[0], random)
            if sentence is not None:
                yield sentence

    def _sentence(self, rule: str, random: Random) -> AnnotatedSentence | None:
        draft = Draft(random, self.world)
        draft.constructions.add(rule)
        tokens = RULES[rule][1](draft)
        if tokens is None or draft.main is None:
            return None
        spoken = sum(token.pos != "PUNCT" for token in tokens)
        if not SHORTEST <= spoken <= LONGEST:
            return None
        tokens = _tidy_commas(tokens)
        tokens.append(Token("?" if rule == "question" else ".", "PUNCT"))
        words = finish(tokens)
        return AnnotatedSentence(
            written([word.text for word in words]),
            words,
            draft.main,
            tuple(draft.facts),
            tuple(draft.denied),
            _SENTIMENTS[draft.sentiment],
            frozenset(draft.constructions),
        )


def _tidy_commas(tokens: list[Token]) -> list[Token]:
    """One comma where two meet, none at the end."""
    kept: list[Token] = []
    for token in tokens:
        if not (token.text == "," and kept and kept[-1].text == ","):
            kept.append(token)
    while kept[-1].text == ",":
        kept.pop()
    return kept
