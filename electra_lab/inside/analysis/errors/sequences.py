"""Texts, or pairs of them: with one label, with several, with a number."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from electra_lab.inside.confusion import Confusion, confusion_of
from electra_lab.model.task_heads import sequence_classification_loss

from .judged import NO_LABEL, JudgedSplit, Parts
from .report import ErrorRecord

RANGES = 5
"""Parts of a regression's range, each as wide as the others."""


class Sequences(JudgedSplit):
    def text(self, number: int) -> Any:
        row = self.rows[number]
        return row["text"] if row["text_pair"] is None else (row["text"], row["text_pair"])

    def notes(self, number: int) -> tuple[str, ...]:
        pair = self.rows[number]["text_pair"]
        return () if pair is None else (pair,)

    def loss(self, number: int) -> float:
        logits = self.logits[number][None]
        label = torch.tensor([self.rows[number]["label"]])
        return float(sequence_classification_loss(logits, label, self.data.problem_type or ""))


class Classes(Sequences):
    def record(self, number: int) -> ErrorRecord:
        label, said = self.rows[number]["label"], self.said.values[number]
        return ErrorRecord(
            number,
            self.text(number),
            self.data.labels[label],
            self.data.labels[said],
            self.loss(number),
            float(self.logits[number].softmax(-1)[said]),
            said == label,
            self.value(number),
            self.notes(number),
        )

    def confusion(self) -> Confusion:
        names = self.data.labels
        pairs = zip((row["label"] for row in self.rows), self.said.values, strict=True)
        return confusion_of(names, names, ((i, *pair) for i, pair in enumerate(pairs)))


class SeveralLabels(Sequences):
    def value(self, number: int) -> float:
        return float(self._gold(number) == self.said.values[number])

    def _gold(self, number: int) -> list[int]:
        return [int(there) for there in self.rows[number]["label"]]

    def _names(self, present: Sequence[int]) -> str:
        names = [n for n, there in zip(self.data.labels, present, strict=True) if there]
        return ", ".join(names) or NO_LABEL

    def record(self, number: int) -> ErrorRecord:
        probabilities = self.logits[number].sigmoid()
        of_said = torch.where(self.logits[number] > 0, probabilities, 1 - probabilities)
        return ErrorRecord(
            number,
            self.text(number),
            self._names(self._gold(number)),
            self._names(self.said.values[number]),
            self.loss(number),
            float(of_said.prod()),
            bool(self.value(number)),
            self.value(number),
            self.notes(number),
        )

    def confusion(self) -> Confusion:
        columns = ("said, right", "missed", "invented", "left out, right")
        place = {(1, 1): 0, (1, 0): 1, (0, 1): 2, (0, 0): 3}
        return confusion_of(
            self.data.labels,
            columns,
            (
                (number, label, place[pair])
                for number in range(len(self.rows))
                for label, pair in enumerate(
                    zip(self._gold(number), self.said.values[number], strict=True)
                )
            ),
            "labels",
            [(label, column) for label in range(len(self.data.labels)) for column in (0, 3)],
        )

    def labels(self) -> Parts:
        names = [
            tuple(n for n, there in zip(self.data.labels, row["label"], strict=True) if there)
            for row in self.rows
        ]
        return [found or (NO_LABEL,) for found in names], [*self.data.labels, NO_LABEL]


class Numbers(Sequences):
    metric = "mean squared error"

    def value(self, number: int) -> float:
        return float((self.said.values[number] - self.rows[number]["label"]) ** 2)

    def record(self, number: int) -> ErrorRecord:
        return ErrorRecord(
            number,
            self.text(number),
            f"{self.rows[number]['label']:.2f}",
            f"{self.said.values[number]:.2f}",
            self.loss(number),
            None,
            None,
            self.value(number),
            self.notes(number),
        )

    def _ranges(self) -> tuple[list[int], list[int], list[str]]:
        """Of each target and of each number said its range; what lies beyond is in the last one."""
        gold = np.array([row["label"] for row in self.rows], dtype=float)
        edges = np.linspace(gold.min(), gold.max(), RANGES + 1)
        if edges[0] == edges[-1]:
            return [0] * len(gold), [0] * len(gold), [f"{edges[0]:.3g}"]
        names = [f"{a:.3g} to {b:.3g}" for a, b in pairwise(edges.tolist())]
        found = (
            np.searchsorted(edges[1:-1], values, "right").tolist()
            for values in (gold, np.array(self.said.values, dtype=float))
        )
        return next(found), next(found), names

    def confusion(self) -> Confusion:
        gold, said, names = self._ranges()
        return confusion_of(names, names, zip(range(len(gold)), gold, said, strict=True))

    def labels(self) -> Parts:
        gold, _, names = self._ranges()
        return [(names[place],) for place in gold], names
