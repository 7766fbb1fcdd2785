"""Which head looks from a word at the word that belongs to it (Clark et al. 2019, section 4.2)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor

from .sentences import ParsedSentence
from .word_attention import word_attention

LARGEST_OFFSET = 10
FEWEST = 10
"""Relations that occur less often in either half of the sentences are left out."""


@dataclass(frozen=True)
class HeadRelation:
    """How well heads find one relation.

    Attributes:
        name: ``"verb -> subject"``; the reverse, where the second word looks for the first, is
            ``"subject <- verb"`` in the sense that ``reverse`` is True.
        reverse: whether attention was read from the second word to the first.
        count: how often it occurs in the sentences that were counted.
        accuracy: for each head, in how many of them the word that it looks at most is the right one;
            the word itself and special tokens do not count as places to look at.
        layer, head: the best head, chosen on the other half of the sentences.
        best: its accuracy.
        offset: the best fixed distance, chosen on that half, too: +1 is the next word.
        baseline: how often the right word stands at that distance.
    """

    name: str
    reverse: bool
    count: int
    accuracy: Float[Tensor, "layers heads"]
    layer: int
    head: int
    best: float
    offset: int
    baseline: float


@dataclass(frozen=True)
class RelationReport:
    """All relations, the most frequent first. ``print`` shows a table."""

    relations: tuple[HeadRelation, ...]

    def __getitem__(self, name: str) -> HeadRelation:
        """The better direction of that relation.

        Raises:
            KeyError: it does not occur often enough.
        """
        found = [relation for relation in self.relations if relation.name == name]
        if not found:
            known = ", ".join(sorted({relation.name for relation in self.relations}))
            raise KeyError(f"There is no relation {name!r} in the report; it has {known}.")
        return max(found, key=lambda relation: relation.best - relation.baseline)

    def __str__(self) -> str:
        lines = [f"{'relation':26}{'read':>10}{'count':>7}   {'best head':12}{'fixed offset'}"]
        for one in self.relations:
            lines.append(
                f"{one.name:26}{'backwards' if one.reverse else 'forwards':>10}{one.count:7,}   "
                f"{one.layer}.{one.head:<4}{one.best:6.3f}  {one.offset:+3d}{one.baseline:8.3f}"
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"RelationReport({len({one.name for one in self.relations})} relations)"


def head_relations(
    model: Any, tokenizer: Any, sentences: Sequence[ParsedSentence]
) -> RelationReport:
    """For each relation between words the head that finds it best, beside the best fixed distance.

    Each head is a guesser: from a word it guesses the word that it looks at most. The head, and the
    distance of the baseline, are chosen on every second sentence and counted on the others: the best of
    many heads is good by luck as well.

    Args:
        model: any ELECTRA of this package or of transformers.
        tokenizer: called with lists of words.
        sentences: see ``microworld_sentences`` and ``read_conllu``.

    Raises:
        ValueError: no relation occurs often enough to choose on one half and count on the other.
    """
    halves = [_Counted(), _Counted()]
    attentions = word_attention(model, tokenizer, [sentence.words for sentence in sentences])
    for number, (sentence, attention) in enumerate(zip(sentences, attentions, strict=True)):
        halves[number % 2].add(sentence, attention)
    chosen_on, counted_on = halves
    found = [
        _relation(name, reverse, chosen_on, counted_on)
        for name, reverse in counted_on.total
        if min(chosen_on.total[name, reverse], counted_on.total[name, reverse]) >= FEWEST
    ]
    if not found:
        raise ValueError(
            f"No relation occurs {FEWEST} times in both halves of the {len(sentences)} sentences. Give "
            "more sentences, or sentences with relations."
        )
    return RelationReport(tuple(sorted(found, key=lambda one: (-one.count, one.name, one.reverse))))


class _Counted:
    """What was counted over one half of the sentences, for each (relation, reverse)."""

    def __init__(self) -> None:
        self.total: Counter[tuple[str, bool]] = Counter()
        self.offsets: dict[tuple[str, bool], Counter[int]] = defaultdict(Counter)
        self.hits: dict[tuple[str, bool], Tensor] = {}

    def add(
        self, sentence: ParsedSentence, attention: Float[Tensor, "layers heads words words"]
    ) -> None:
        if len(sentence.words) < 2:
            return  # there is nowhere else to look
        others = attention.clone()
        others.diagonal(dim1=-2, dim2=-1).fill_(-1.0)
        looked_at = others.argmax(-1)
        for name, first, second in sentence.relations:
            for reverse, (source, target) in enumerate(((first, second), (second, first))):
                key = (name, bool(reverse))
                right = (looked_at[:, :, source] == target).long()
                self.total[key] += 1
                self.offsets[key][target - source] += 1
                self.hits[key] = self.hits[key] + right if key in self.hits else right

    def offset(self, key: tuple[str, bool]) -> int:
        """The commonest distance; of equally common ones the nearest."""
        near = {d: n for d, n in self.offsets[key].items() if abs(d) <= LARGEST_OFFSET}
        return max(near, key=lambda d: (near[d], -abs(d), d), default=1)


def _relation(name: str, reverse: bool, chosen_on: _Counted, counted_on: _Counted) -> HeadRelation:
    key = (name, reverse)
    layer, head = divmod(int(chosen_on.hits[key].argmax()), chosen_on.hits[key].shape[1])
    count = counted_on.total[key]
    accuracy = counted_on.hits[key] / count
    offset = chosen_on.offset(key)
    return HeadRelation(
        name=name,
        reverse=reverse,
        count=count,
        accuracy=accuracy,
        layer=layer,
        head=head,
        best=float(accuracy[layer, head]),
        offset=offset,
        baseline=counted_on.offsets[key][offset] / count,
    )
