"""Where the rows of a run are: in memory, or in the folder that the run wrote."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from .checkpoint import CHECKPOINT_FILE

HISTORY_FILES = ("history.json", "finetuning.json")
"""Of a pre-training and of a fine-tuning that have ended."""


def history_of(run: Any) -> list[dict[str, Any]]:
    """The rows of a run's history.

    Args:
        run: the rows; what ``pretrain`` or ``finetune`` returned; or the folder of a run. Of a run that
            has not ended, the rows up to its last checkpoint.

    Raises:
        FileNotFoundError: the folder holds no run.
        ValueError: its file is damaged, or ``run`` is none of these.
    """
    if isinstance(run, str | Path):
        return _read(Path(run))
    rows = getattr(run, "history", run)
    if isinstance(rows, Iterable) and not isinstance(rows, Mapping | str):
        found = list(rows)
        if all(isinstance(row, Mapping) for row in found):
            return [dict(row) for row in found]
    raise ValueError(
        f"A run is a list of rows, what pretrain or finetune returned, or the folder of a run; "
        f"got {type(run).__name__}."
    )


def _read(folder: Path) -> list[dict[str, Any]]:
    for name in HISTORY_FILES:
        if (folder / name).is_file():
            file = folder / name
            try:
                rows = json.loads(file.read_text(encoding="utf-8"))["history"]
                return [dict(row) for row in rows]
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(f"{file} holds no history that can be read: {error!r}.") from error
    file = folder / CHECKPOINT_FILE
    if file.is_file():
        # mapped, so that of the tensors nothing is read
        content = torch.load(file, map_location="cpu", mmap=True, weights_only=True)
        return [dict(row) for row in content["history"]]
    raise FileNotFoundError(
        f"{folder} is not the folder of a run: it has neither {' nor '.join(HISTORY_FILES)} nor "
        f"{CHECKPOINT_FILE}. Give what was the output of pretrain or finetune."
    )
