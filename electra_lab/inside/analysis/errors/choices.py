"""Contexts with choices, of which one is right."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from electra_lab.inside.confusion import Confusion, confusion_of

from .judged import JudgedSplit, Parts
from .report import ErrorRecord


class Choices(JudgedSplit):
    columns = ("context", "choices")

    def record(self, number: int) -> ErrorRecord:
        row, said = self.rows[number], self.said.values[number]
        logits = self.logits[number]
        probabilities = logits.softmax(-1).tolist()
        marks = {said: "said", row["label"]: "right"}
        if said == row["label"]:
            marks[said] = "said, right"
        notes = [
            f"{probability:.2f} {choice}" + (f" ({marks[place]})" if place in marks else "")
            for place, (choice, probability) in enumerate(
                zip(row["choices"], probabilities, strict=True)
            )
        ]
        return ErrorRecord(
            number,
            {"context": row["context"], "choices": list(row["choices"])},
            row["choices"][row["label"]],
            row["choices"][said],
            float(F.cross_entropy(logits[None], torch.tensor([row["label"]]))),
            probabilities[said],
            said == row["label"],
            self.value(number),
            tuple(notes),
        )

    def _names(self) -> list[str]:
        return [f"choice {place}" for place in range(len(self.rows[0]["choices"]))]

    def confusion(self) -> Confusion:
        pairs = zip((row["label"] for row in self.rows), self.said.values, strict=True)
        names = self._names()
        return confusion_of(names, names, ((i, *pair) for i, pair in enumerate(pairs)))

    def labels(self) -> Parts:
        names = self._names()
        return [(names[row["label"]],) for row in self.rows], names
