"""Questions whose answer is a span of a context, or none."""

from __future__ import annotations

import re

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from electra_lab.inside.confusion import Confusion, confusion_of
from electra_lab.training.metrics import exact_match, token_f1

from .judged import JudgedSplit, Parts
from .report import ErrorRecord

NO_ANSWER = "(no answer)"
ANSWERED = ("has an answer", "has none")
ANSWERS = ("right", "other ends", "same sentence", "elsewhere", "no answer")


class Answers(JudgedSplit):
    metric = "f1"
    columns = ("context", "question")

    def value(self, number: int) -> float:
        return token_f1(self.said.values[number], self.rows[number]["answers"]["text"])

    def _losses(self) -> list[float]:
        of_row: list[list[float]] = [[] for _ in self.rows]
        for example, output in zip(self.examples, self.said.logits, strict=True):
            right = zip(("start_logits", "end_logits"), example.label, strict=True)
            ends = [
                float(_cross_entropy(output[name][: example.length], place))
                for name, place in right
            ]
            of_row[example.source].append(sum(ends) / 2)
        return [float(np.mean(losses)) for losses in of_row]

    def record(self, number: int) -> ErrorRecord:
        if "losses" not in self.__dict__:
            self.losses = self._losses()
        row, said = self.rows[number], self.said.values[number]
        right = list(dict.fromkeys(row["answers"]["text"]))
        best = self.said.n_best[number]
        score = best[0]["score"] if best else 0.0
        if not said:  # the odds are those of no answer against the best one
            score = float(np.exp(self.said.no_answer[number] + np.log(max(score, 1e-30))))
        return ErrorRecord(
            number,
            {"question": row["question"], "context": row["context"]},
            " | ".join(right) or NO_ANSWER,
            said or NO_ANSWER,
            self.losses[number],
            min(1.0, score),
            bool(exact_match(said, right)),
            self.value(number),
            (row["context"],),
        )

    def _outcome(self, number: int) -> int:
        """Which of ``ANSWERS`` it is."""
        row, said = self.rows[number], self.said.values[number]
        texts, starts = row["answers"]["text"], row["answers"]["answer_start"]
        if not said:
            return 4
        if texts and exact_match(said, texts):
            return 0
        best = self.said.n_best[number][0]
        spans = [(start, start + len(text)) for text, start in zip(texts, starts, strict=True)]
        if any(best["start"] < end and best["end"] > start for start, end in spans):
            return 1
        here = _sentence(row["context"], best["start"])
        return 2 if any(here == _sentence(row["context"], s) for s, _ in spans) else 3

    def confusion(self) -> Confusion:
        return confusion_of(
            ANSWERED,
            ANSWERS,
            (
                (number, int(not row["answers"]["text"]), self._outcome(number))
                for number, row in enumerate(self.rows)
            ),
            right=[(0, 0), (1, 4)],
        )

    def labels(self) -> Parts:
        return [(ANSWERED[not row["answers"]["text"]],) for row in self.rows], list(ANSWERED)


def _sentence(context: str, place: int) -> int:
    """Which sentence of the context that place is in."""
    return len(re.findall(r"[.!?]['\"]?\s", context[:place]))


def _cross_entropy(logits: Tensor, place: int) -> Tensor:
    return F.cross_entropy(logits[None], torch.tensor([place]))
