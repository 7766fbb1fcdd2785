"""A task model with its loss, as the loop trains it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from electra_lab.model.heads import IGNORED_LABEL
from electra_lab.model.pretrained import PreTrainedModel
from electra_lab.text.tasks.schema import TaskData

from .examples import TaskBatch
from .objectives import Loss

BALANCED = "balanced"


class TaskLoss(nn.Module):
    """A model with a task head, called with a batch.

    Args:
        model: one of the four for downstream tasks.
        class_weights: what each class counts in cross-entropy; of several labels, what a present one
            counts against an absent one.
        target_range: the least and the greatest target of a regression. The model learns
            (y - least) / (greatest - least) (google-research/electra: (y - min) / max);
            ``fold_target_range`` takes that back.
        summed: the loss of a batch is the sum over its examples. google-research/electra clips such
            a sum's gradient, which is then nearly always clipped.
    """

    class_weights: Float[Tensor, " labels"] | None

    def __init__(
        self,
        model: PreTrainedModel,
        class_weights: Sequence[float] | None = None,
        target_range: tuple[float, float] | None = None,
        summed: bool = False,
    ) -> None:
        super().__init__()
        self.model = model
        self.target_range = target_range
        self.summed = summed
        weights = None if class_weights is None else torch.tensor(class_weights)
        self.register_buffer("class_weights", weights, persistent=False)

    def forward(self, batch: TaskBatch) -> Loss:
        """The loss of a batch, as a mean over its examples unless ``summed``."""
        loss = self.measure(batch)[0]
        return Loss(loss * batch.size if self.summed else loss, {})

    def measure(self, batch: TaskBatch) -> tuple[Float[Tensor, ""], Any]:
        """The mean loss of a batch, and the model's output."""
        if self.target_range is not None:
            low, high = self.target_range
            scaled = (batch.labels["labels"].float() - low) / (high - low)
            batch = replace(batch, labels={"labels": scaled})
        if self.class_weights is None:
            output = self.model(**batch.inputs, **batch.labels, return_dict=True)
            return output.loss, output
        output = self.model(**batch.inputs, return_dict=True)
        return self._weighted(output.logits, batch.labels["labels"]), output

    def _weighted(self, logits: Tensor, labels: Tensor) -> Tensor:
        assert self.class_weights is not None
        if labels.is_floating_point():
            return F.binary_cross_entropy_with_logits(logits, labels, pos_weight=self.class_weights)
        return F.cross_entropy(
            logits.flatten(0, -2),
            labels.flatten(),
            weight=self.class_weights,
            ignore_index=IGNORED_LABEL,
        )

    @torch.no_grad()
    def fold_target_range(self) -> None:
        """Put the targets' own scale into the last layer: the model's logit is then the target."""
        if self.target_range is None:
            return
        low, high = self.target_range
        score = self.model.get_submodule("head.score")
        assert isinstance(score, nn.Linear)
        score.weight.mul_(high - low)
        score.bias.mul_(high - low).add_(low)
        self.target_range = None


def target_range(data: TaskData) -> tuple[float, float] | None:
    """The least and the greatest target of train; None for tasks without numbers as targets.

    Raises:
        ValueError: they are all the same.
    """
    if data.problem_type != "regression":
        return None
    targets = list(data.train["label"])
    low, high = min(targets), max(targets)
    if low == high:
        raise ValueError(
            f"All {len(targets)} targets of train in {data.name} are {low:g}; a model learns nothing "
            "from them. Expected at least two different ones."
        )
    return low, high


def balanced_weights(data: TaskData) -> tuple[float, ...]:
    """Weights with which all classes count alike: rows / (classes * rows of the class), as in
    scikit-learn; with several labels a row, absent / present rows of each label.

    A class that train does not have counts 1.

    Raises:
        ValueError: the task has no classes.
    """
    if not data.labels:
        raise ValueError(
            f"class_weights are for tasks with labels; {data.name} is {data.problem_type or data.task}."
        )
    if data.problem_type == "multi_label_classification":
        present = np.array(data.train["label"]).sum(0)
        weights = np.where(present > 0, (len(data.train) - present) / np.maximum(present, 1), 1.0)
        return tuple(map(float, np.maximum(weights, 1e-3)))
    column = data.train["tags" if data.task == "token_classification" else "label"]
    labels = np.concatenate([np.atleast_1d(label) for label in column])
    counts = np.bincount(labels, minlength=len(data.labels))
    classes = int((counts > 0).sum())
    weights = np.where(counts > 0, len(labels) / (classes * np.maximum(counts, 1)), 1.0)
    return tuple(map(float, weights))


def class_weights(
    data: TaskData, wanted: str | Sequence[float | int] | None
) -> tuple[float, ...] | None:
    """The weights that a setting stands for: None, ``"balanced"`` or numbers.

    Raises:
        ValueError: it is another word, or there are not as many numbers as labels.
    """
    if wanted is None:
        return None
    if wanted == BALANCED:
        return balanced_weights(data)
    if isinstance(wanted, str) or len(wanted) != len(data.labels):
        raise ValueError(
            f"class_weights is {wanted!r}; expected {BALANCED!r}, None, or a number for each of the "
            f"{len(data.labels)} labels of {data.name}."
        )
    return tuple(map(float, wanted))
