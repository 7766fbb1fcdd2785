"""N-gram models, to show how far counting neighbours gets: unigram, bigram, trigram.

Interpolated Kneser-Ney: the highest order counts n-grams, each lower order counts in how many
different contexts its last word occurs (Kneser and Ney, 1995; Chen and Goodman, 1999, section 2.7).
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence

from electra_lab.text.microworld import MicroWorld, minimal_pairs

DISCOUNT = 0.75
"""What each seen n-gram gives up for unseen ones."""

START, STOP = "<s>", "</s>"


class KneserNey:
    """An n-gram model with interpolated Kneser-Ney smoothing.

    Args:
        sentences: sequences of tokens (words or ids).
        order: 2 for a bigram, 3 for a trigram.

    Raises:
        ValueError: an order below 1, or no sentences.
    """

    def __init__(self, sentences: Iterable[Sequence[Hashable]], order: int = 3) -> None:
        if order < 1:
            raise ValueError(f"order is {order}; an n-gram has 1 token or more.")
        self.order = order
        counts: Counter[tuple[Hashable, ...]] = Counter()
        for sentence in sentences:
            padded = self._padded(sentence)
            counts.update(tuple(padded[i : i + order]) for i in range(len(padded) - order + 1))
        if not counts:
            raise ValueError("An n-gram model needs at least one sentence to count.")
        # per length of context: context -> (counts of next tokens, their sum)
        self._tables: list[dict[tuple[Hashable, ...], tuple[Counter[Hashable], int]]] = []
        for _ in range(order):
            table: dict[tuple[Hashable, ...], Counter[Hashable]] = defaultdict(Counter)
            for gram, count in counts.items():
                table[gram[:-1]][gram[-1]] += count
            self._tables.insert(0, {c: (t, sum(t.values())) for c, t in table.items()})
            # the next lower order counts distinct continuations
            counts = Counter(gram[1:] for gram in counts)
        self.tokens = set(self._tables[0][()][0])

    def _padded(self, sentence: Sequence[Hashable]) -> list[Hashable]:
        return [*[START] * (self.order - 1), *sentence, STOP]

    def probability(self, token: Hashable, context: Sequence[Hashable]) -> float:
        """P(token | the last ``order`` - 1 tokens of ``context``)."""
        probability = 1 / (len(self.tokens) + 1)
        for length in range(self.order):
            key = tuple(context[len(context) - length :]) if length else ()
            entry = self._tables[length].get(key)
            if entry is None:
                break
            following, total = entry
            kept = max(following[token] - DISCOUNT, 0) / total
            probability = kept + DISCOUNT * len(following) / total * probability
        return probability

    def score(self, sentence: Sequence[Hashable]) -> float:
        """The log-probability of a sentence, its end included (natural logarithm)."""
        padded = self._padded(sentence)
        start = self.order - 1
        return sum(
            math.log(self.probability(padded[i], padded[i - start : i]))
            for i in range(start, len(padded))
        )


def words_of(text: str) -> list[str]:
    """A text's words and marks, lower-case."""
    return re.findall(r"\w+|[^\w\s]", text.lower())


def pair_accuracy(sentences: int = 20_000, pairs: int = 1_000, order: int = 3) -> dict[str, float]:
    """How many held-out minimal pairs an n-gram model of the training text decides rightly.

    Args:
        sentences: how much training text it counts.
        pairs: how many minimal pairs.
        order: 3 for a trigram.

    Returns:
        The share of right decisions for each phenomenon, and "overall".
    """
    model = KneserNey(map(words_of, MicroWorld(0, "train").texts(sentences)), order)
    right: dict[str, list[bool]] = defaultdict(list)
    for pair in minimal_pairs(pairs):
        better = model.score(words_of(pair.good)) > model.score(words_of(pair.bad))
        right[pair.phenomenon].append(better)
        right["overall"].append(better)
    return {phenomenon: sum(hits) / len(hits) for phenomenon, hits in right.items()}


if __name__ == "__main__":
    for phenomenon, accuracy in sorted(pair_accuracy().items()):
        print(f"{phenomenon:28}{accuracy:.3f}")
