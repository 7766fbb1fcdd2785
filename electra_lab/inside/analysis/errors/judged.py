"""A split and what a model said of it, with one way to ask for all types of task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from electra_lab.inside.confusion import Confusion
from electra_lab.inside.slices import Items, binned
from electra_lab.text.tasks.baselines import words_in
from electra_lab.text.tasks.schema import TaskData
from electra_lab.training.examples import Example
from electra_lab.training.predicting import Predictions

from .report import ErrorRecord

NO_LABEL = "(none)"

Row = Mapping[str, Any]
Parts = tuple[list[tuple[str, ...]], list[str]]  # of each item the parts it is in; and their order


class JudgedSplit:
    """A split and what was said of it, with one way to ask for all types of task.

    Args:
        data: where the rows are from.
        rows: of the split.
        said: what ``predict`` returned.
        examples: what the model read; of a long context several of a row.
    """

    metric = "accuracy"
    columns: tuple[str, ...] = ("text", "text_pair")

    def __init__(
        self, data: TaskData, rows: list[Row], said: Predictions, examples: list[Example]
    ) -> None:
        self.data, self.rows, self.said, self.examples = data, rows, said, examples
        self.logits = [logits.get("logits", torch.empty(0)) for logits in said.logits]

    def record(self, number: int) -> ErrorRecord:
        """What became of an example."""
        raise NotImplementedError

    def confusion(self) -> Confusion:
        """Right against said."""
        raise NotImplementedError

    def value(self, number: int) -> float:
        """What the metric averages."""
        return float(self.said.values[number] == self.rows[number]["label"])

    def items(self) -> Items:
        """What slices count."""
        numbers = range(len(self.rows))
        values = np.array([self.value(number) for number in numbers], dtype=float)
        together: dict[Any, int] = {}
        groups = [together.setdefault(self.group(number), len(together)) for number in numbers]
        return Items(np.arange(len(self.rows)), values, np.array(groups))

    def group(self, number: int) -> Any:
        """What is the same for examples that belong together, such as the first text of pairs."""
        return self.rows[number][self.columns[0]]

    def labels(self) -> Parts:
        """The parts by label."""
        return [(self.data.labels[row["label"]],) for row in self.rows], list(self.data.labels)

    def texts(self, row: Row) -> list[str]:
        """All that was read of a row."""
        found: list[str] = []
        for column in self.columns:
            if row[column] is not None:
                found += [row[column]] if isinstance(row[column], str) else row[column]
        return found

    def unseen(self) -> Parts:
        """The parts by words that train has not."""
        seen = {
            word for row in self.data.train for text in self.texts(row) for word in words_in(text)
        }
        names, order = binned([_unseen_words(self.texts(row), seen) for row in self.rows])
        return [(name,) for name in names], order


def _unseen_words(texts: Sequence[str], seen: set[str]) -> int:
    return len({word for text in texts for word in words_in(text)} - seen)
