"""What a run of training is made of: its state, its rows of figures, and who may look on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

Row = dict[str, int | float]


@runtime_checkable
class HasLoss(Protocol):
    """What the module returns: the loss to minimise, and its parts for the reports."""

    @property
    def loss(self) -> Tensor: ...

    @property
    def parts(self) -> Mapping[str, Tensor]: ...


@runtime_checkable
class Evaluation(Protocol):
    """Measures the model now and then while it is trained, and may end the run (``state.stopped``).

    Unlike a callback it runs on every rank, each of which holds the same parameters; the first rank
    decides whether the run ends. Random states and training mode are put back after it.
    """

    def begin(self, state: TrainingState) -> None:
        """Before the first step of this call; a resumed run has its history already."""

    def measure(self, state: TrainingState) -> Mapping[str, float]:
        """Figures for the row of this step."""
        ...


class Callback:
    """Base of what looks on while training; override what you need.

    Any object that has some of these methods will do.
    """

    def on_start(self, state: TrainingState) -> None:
        """Before the first step (of this call: a resumed run starts at its checkpoint)."""

    def on_step(self, state: TrainingState) -> None:
        """After every step."""

    def on_log(self, row: Row) -> None:
        """For every row of the history, before it is kept: figures may be added to it."""

    def on_end(self, state: TrainingState) -> None:
        """After the last step."""


@dataclass
class TrainingState:
    """Where a run is; what callbacks see.

    Attributes:
        module: what is being trained.
        optimizer: its optimiser.
        total_steps: number of steps of the whole run.
        step: steps done so far.
        history: a row of figures for every ``log_every`` steps: ``step``, ``loss`` and its parts
            and ``gradient_norm`` (before clipping), all means over the steps since the row before;
            ``learning_rate``, ``tokens_per_second``,
            ``seconds`` (of training, over all resumes), and what callbacks add.
        seconds: of training so far, evaluations in callbacks and checkpoints included.
        stopped: set by an evaluation that wants the run to end with this step.
    """

    module: nn.Module
    optimizer: torch.optim.Optimizer
    total_steps: int
    step: int = 0
    history: list[Row] = field(default_factory=list)
    seconds: float = 0.0
    stopped: bool = False
