"""Snapshots of a run: the pair as it was every so many steps, to look back at how it learned.

A snapshot is a pair in half precision, in ``snapshots/step-00000100`` of the run's folder; ``load_pair``
loads it. It holds no optimiser: a run goes on from its checkpoint, not from a snapshot.
"""

from __future__ import annotations

import re
from pathlib import Path

import torch

from electra_lab.checkpoints.atomic import atomic_folder
from electra_lab.checkpoints.pair import Pair
from electra_lab.text.tokenization import ElectraTokenizerFast

from .objectives import Electra
from .state import Callback, TrainingState

SNAPSHOTS_FOLDER = "snapshots"
_NAME = re.compile(r"step-(\d+)")


class Snapshots(Callback):
    """Keeps the pair before the first step, after every so many, and after the last.

    Args:
        folder: of the run.
        every: steps between two snapshots.
        tokenizer: what the pair reads with.
    """

    def __init__(self, folder: str | Path, every: int, tokenizer: ElectraTokenizerFast) -> None:
        self.folder, self.every, self.tokenizer = Path(folder), every, tokenizer

    def on_start(self, state: TrainingState) -> None:
        if state.step == 0:
            self._keep(state)

    def on_step(self, state: TrainingState) -> None:
        if state.step % self.every == 0 or state.step == state.total_steps:
            self._keep(state)

    def _keep(self, state: TrainingState) -> None:
        objective = state.module
        assert isinstance(objective, Electra)  # checked by ``check_snapshots``
        pair = Pair(objective.generator, objective.model, self.tokenizer)
        with atomic_folder(self.folder / SNAPSHOTS_FOLDER / f"step-{state.step:08}") as partial:
            pair.save(partial, dtype=torch.float16)


def check_snapshots(every: int, objective: object, folder: str | Path | None) -> None:
    """Raises:
    ValueError: snapshots are asked for, but there is no folder to keep them in, or no pair.
    """
    if every and folder is None:
        raise ValueError(
            f"snapshot_every is {every}, but there is no folder to keep snapshots in. Give pretrain "
            "an output, or take snapshot_every=0."
        )
    if every and not isinstance(objective, Electra):
        name = getattr(objective, "name", type(objective).__name__)
        raise ValueError(
            f"snapshot_every is {every}, but the objective {name!r} trains no discriminator, and a "
            "snapshot is a pair. Take 'electra' or 'electra_15', or snapshot_every=0."
        )


def snapshots_of(folder: str | Path) -> dict[int, Path]:
    """The snapshots in the folder of a run: step -> the pair's folder, in the order of the steps. Empty
    where none were kept."""
    found = {}
    for path in (Path(folder) / SNAPSHOTS_FOLDER).glob("step-*"):
        if match := _NAME.fullmatch(path.name):
            found[int(match[1])] = path
    return dict(sorted(found.items()))
