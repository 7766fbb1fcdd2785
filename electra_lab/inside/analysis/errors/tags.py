"""Words with tags."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional as F

from electra_lab.inside.confusion import Confusion, confusion_of
from electra_lab.inside.slices import Items
from electra_lab.text.tasks.schema import OUTSIDE

from .judged import NO_LABEL, JudgedSplit, Parts
from .report import ErrorRecord

SEEN, UNSEEN = "seen in train", "unseen in train"


class Tagged(JudgedSplit):
    columns = ("words",)

    def _pairs(self, number: int) -> list[tuple[int, int]]:
        """Right and said tag of each word."""
        return list(zip(self.rows[number]["tags"], self.said.values[number], strict=True))

    def _written(self, number: int, tags: Sequence[int]) -> str:
        """What the tags say, in words: the entities, or the words whose tags differ."""
        words, names = self.rows[number]["words"], [self.data.labels[tag] for tag in tags]
        if self.data.has_entities:
            from seqeval.metrics.sequence_labeling import get_entities

            found = [
                f"{' '.join(words[first : last + 1])} ({kind})"
                for kind, first, last in get_entities(names)
            ]
            return "; ".join(found) or NO_LABEL
        differ = [a != b for a, b in self._pairs(number)]
        said = [f"{w} {n}" for w, n, d in zip(words, names, differ, strict=True) if d]
        return "; ".join(said) or f"{len(words)} tags, all the same"

    def record(self, number: int) -> ErrorRecord:
        row, pairs = self.rows[number], self._pairs(number)
        example, names = self.examples[number], self.data.labels
        places = [place for place in example.places if place >= 0]
        logits = self.logits[number][places]
        labels = torch.tensor([example.label[place] for place in places], dtype=torch.long)
        # a model that read no word of it has nothing to be measured by
        loss = float(F.cross_entropy(logits, labels)) if places else 0.0
        return ErrorRecord(
            number,
            " ".join(row["words"]),
            self._written(number, [gold for gold, _ in pairs]),
            self._written(number, [said for _, said in pairs]),
            loss,
            float(logits.softmax(-1).amax(-1).min()) if places else 0.0,
            all(gold == said for gold, said in pairs),
            float(np.mean([gold == said for gold, said in pairs])),
            tuple(
                f"{word}: {names[gold]}, said {names[said]}"
                for word, (gold, said) in zip(row["words"], pairs, strict=True)
                if gold != said
            ),
        )

    def confusion(self) -> Confusion:
        names = self.data.labels
        pairs = ((i, *pair) for i in range(len(self.rows)) for pair in self._pairs(i))
        return confusion_of(names, names, pairs, "words")

    def items(self) -> Items:
        pairs = [(i, gold == said) for i in range(len(self.rows)) for gold, said in self._pairs(i)]
        rows, values = (np.array(column) for column in zip(*pairs, strict=True))
        return Items(rows, values.astype(float), rows)

    def labels(self) -> Parts:
        tags = [tag for row in self.rows for tag in row["tags"]]
        return [(self.data.labels[tag],) for tag in tags], list(self.data.labels)

    def unseen(self) -> Parts:
        seen = {word.lower() for words in self.data.train["words"] for word in words}
        words = [
            (word.lower() in seen, tag != OUTSIDE if self.data.has_entities else None)
            for row in self.rows
            for word, tag in zip(
                row["words"], (self.data.labels[tag] for tag in row["tags"]), strict=True
            )
        ]
        where = {None: "", True: "in an entity, ", False: "outside, "}
        names = [f"{where[inside]}{SEEN if known else UNSEEN}" for known, inside in words]
        return [(name,) for name in names], sorted(set(names))
