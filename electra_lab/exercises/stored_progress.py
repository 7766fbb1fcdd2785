"""Which exercises were tried and passed, in one small file on this machine. Nothing is sent anywhere.

The file never stands in a learner's way: where it cannot be read or written there is a warning, and a
damaged one is set aside, not deleted.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from electra_lab.checkpoints.atomic import atomic_file
from electra_lab.checkpoints.resources import in_clone, notebooks_path

from .status import Status

PLACE = "ELECTRA_LAB_PROGRESS"  # the environment variable that names another file
OFF = "off"  # its value that switches recording off
_LONGEST_WAIT = 5.0  # seconds for another notebook that writes at the same moment

_TRIED = (Status.NOT_YET, Status.PASSED)
_TROUBLE = (OSError, NotImplementedError)  # the latter: a file system that cannot lock
_ELSEWHERE = f"Set {PLACE} to another file, or to {OFF!r} to record nothing."


def progress_path() -> Path | None:
    """The file: what ``ELECTRA_LAB_PROGRESS`` names; else in the clone, or in the user's data folder.

    Returns:
        Its path, whether or not it is there yet; None where recording is off.

    Raises:
        FileNotFoundError: the package has no folder around it that could hold the file.
    """
    chosen = os.environ.get(PLACE, "")
    if chosen.lower() == OFF:
        return None
    if chosen:
        return Path(chosen).expanduser()
    if in_clone():
        return notebooks_path().parent / ".progress.json"
    from platformdirs import user_data_path

    return user_data_path("electra-lab", appauthor=False) / "progress.json"


def stored_statuses() -> dict[str, Status]:
    """What is recorded: number -> passed or not yet. What was never tried is not in it."""
    try:
        path = progress_path()
        if path is None or not path.exists():
            return {}
        with _locked(path):
            return _read(path)
    except _TROUBLE as error:
        _warn(f"What you have done could not be read: {error}. {_ELSEWHERE}")
        return {}


def record(number: str, status: Status) -> None:
    """Remember what a check found. What was passed once stays passed; a stub is not recorded."""
    if status not in _TRIED:
        return
    try:
        path = progress_path()
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path):
            before = _read(path)
            if before.get(number) in (status, Status.PASSED):
                return
            _write(path, {**before, number: status})
    except _TROUBLE as error:
        _warn(f"The result of {number} is right, but was not recorded: {error}. {_ELSEWHERE}")


def forget() -> None:
    """Delete the record."""
    try:
        path = progress_path()
        if path is not None and path.exists():
            with _locked(path):
                path.unlink(missing_ok=True)
    except _TROUBLE as error:
        _warn(f"What was recorded could not be deleted: {error}. {_ELSEWHERE}")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Two notebooks may check at the same moment; the second waits until the first has written."""
    from filelock import FileLock

    with FileLock(f"{path}.lock", timeout=_LONGEST_WAIT):
        yield


def _read(path: Path) -> dict[str, Status]:
    if not path.exists():
        return {}
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))["exercises"]
        statuses = {str(number): Status(value) for number, value in stored.items()}
        if not set(statuses.values()) <= set(_TRIED):
            raise ValueError("a status that is never stored")
        return statuses
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        aside = _free_name(path)
        path.replace(aside)
        _warn(
            f"The record of your exercises in {path} was damaged. It is now {aside.name}, in the same "
            "folder, and a new record begins. Run your checks again to fill it.",
            level=5,
        )
        return {}


def _write(path: Path, statuses: dict[str, Status]) -> None:
    stored = {number: status.value for number, status in sorted(statuses.items())}
    with atomic_file(path) as partial:
        partial.write_text(json.dumps({"exercises": stored}, indent=1) + "\n", encoding="utf-8")


def _free_name(path: Path) -> Path:
    """A name beside ``path`` that no earlier damaged file has."""
    number = 1
    while (aside := path.with_name(f"{path.stem}.damaged-{number}{path.suffix}")).exists():
        number += 1
    return aside


def _warn(what: str, level: int = 4) -> None:
    """Warn at the learner's cell, which lies ``level`` calls up: above this function, the one that
    calls it, and ``check`` or ``progress``."""
    warnings.warn(what, UserWarning, stacklevel=level)
