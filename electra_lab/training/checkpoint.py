"""The checkpoint of a run: one file with all that an exact resume needs, written whole or not at all.

It holds plain values and tensors only, and is read with ``torch.load(weights_only=True)``.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from electra_lab.checkpoints.atomic import atomic_file

from .distributed import Ranks
from .state import TrainingState

CHECKPOINT_FILE = "checkpoint.pt"
CHECKPOINT_VERSION = 2
_ABSENT = "nothing"


def save_checkpoint(
    file: Path, state: TrainingState, settings: Mapping[str, Any], device: torch.device | str
) -> None:
    """Write all that a resume needs as one file, whole or not at all. Every rank must call it; the
    first one writes.

    Raises:
        OSError: it could not be written; the checkpoint that was there is whole.
    """
    ranks = Ranks.here()
    content = {
        "version": CHECKPOINT_VERSION,
        "settings": dict(settings),
        "step": state.step,
        "total_steps": state.total_steps,
        "seconds": state.seconds,
        "history": state.history,
        "module": state.module.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "random_states": ranks.gather(random_states(device)),
    }
    if not ranks.first:
        return
    with atomic_file(file) as partial:
        try:
            torch.save(content, partial)
        except RuntimeError as error:
            # PyTorch's writer reports a disk that is full as a RuntimeError of its own
            raise OSError(errno.EIO, str(error).splitlines()[0]) from error


def load_checkpoint(
    file: Path,
    state: TrainingState,
    settings: Mapping[str, Any],
    device: torch.device | str,
    defaults: Mapping[str, Any],
) -> None:
    """Put a run back to where its checkpoint was written. Nothing is changed if the two do not fit.

    Args:
        defaults: of settings; a checkpoint that is older than a setting was made with its default.

    Raises:
        ValueError: the file is damaged, was made with other settings, or has other parameters.
    """
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
        version = content["version"]
    except Exception as error:
        raise ValueError(
            f"{file} is no checkpoint that can be read ({type(error).__name__}: {error}). "
            "Remove it to start anew."
        ) from error
    if version != CHECKPOINT_VERSION:
        raise ValueError(
            f"{file} is a checkpoint of version {version}; this package reads version "
            f"{CHECKPOINT_VERSION}. Finish the run with the package that began it, or start anew."
        )
    _check_settings(file, content, state, settings, defaults)
    ranks = Ranks.here()
    if len(content["random_states"]) != ranks.size:
        raise ValueError(
            f"{file} was made by {len(content['random_states'])} processes; there are {ranks.size} now. "
            "Resume with as many as the run began with."
        )
    _check_parameters(file, content["module"], state.module)
    state.module.load_state_dict(content["module"])
    state.optimizer.load_state_dict(content["optimizer"])
    set_random_states(content["random_states"][ranks.rank], device)
    state.step = content["step"]
    state.history = content["history"]
    state.seconds = content["seconds"]


def _check_settings(
    file: Path,
    content: dict[str, Any],
    state: TrainingState,
    settings: Mapping[str, Any],
    defaults: Mapping[str, Any],
) -> None:
    theirs = {**defaults, **content["settings"], "total_steps": content["total_steps"]}
    ours = {**settings, "total_steps": state.total_steps}
    names = [
        name
        for name in sorted({*theirs, *ours})
        if theirs.get(name, _ABSENT) != ours.get(name, _ABSENT)
    ]
    if names:
        listed = "; ".join(
            f"{name}: {theirs.get(name, _ABSENT)} there, {ours.get(name, _ABSENT)} here"
            for name in names
        )
        raise ValueError(
            f"{file} was made with other settings ({listed}). Resume with the settings of the "
            "checkpoint, or train into another folder."
        )


def _check_parameters(file: Path, theirs: Mapping[str, Tensor], module: nn.Module) -> None:
    ours = module.state_dict()
    shapes = {name: tuple(tensor.shape) for name, tensor in ours.items()}
    found = {name: tuple(tensor.shape) for name, tensor in theirs.items()}
    wrong = [
        f"{name}: {found.get(name, _ABSENT)} there, {shapes.get(name, _ABSENT)} here"
        for name in [*shapes, *(found.keys() - shapes.keys())]
        if found.get(name) != shapes.get(name)
    ]
    if wrong:
        raise ValueError(
            f"{file} holds a model of another shape, {len(wrong)} of its parameters do not fit "
            f"({'; '.join(wrong[:3])}). Resume with the model that the run began with, or train "
            "into another folder."
        )


def random_states(device: torch.device | str) -> dict[str, Tensor]:
    """The states of PyTorch's random generators, on the CPU and on ``device``."""
    states = {"cpu": torch.get_rng_state()}
    if torch.device(device).type != "cpu":
        states["device"] = torch.get_device_module(device).get_rng_state()
    return states


def set_random_states(states: Mapping[str, Tensor], device: torch.device | str) -> None:
    """Put back what ``random_states`` returned."""
    torch.set_rng_state(states["cpu"])
    if torch.device(device).type != "cpu" and "device" in states:
        torch.get_device_module(device).set_rng_state(states["device"])
