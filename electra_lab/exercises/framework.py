"""What an exercise is, where its check is found, and what a learner reads after a check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch

from .recording import Recorder
from .status import Status
from .stored_progress import record

Checker = Callable[[Any], None]

# the two digits before the dot -> the module with that notebook's checks
NOTEBOOKS = {
    "01": "tokens",
    "02": "embeddings",
    "03": "attention",
    "04": "encoder",
    "05": "generator",
    "06": "discriminator",
    "07": "joint_pretraining",
    "08": "embedding_space",
    "09": "looking_at_attention",
    "10": "sequence_classification",
    "11": "token_classification",
    "12": "question_answering",
    "13": "multiple_choice",
    "14": "causal_language_model",
    "15": "checkpoints_and_hubs",
    "16": "efficiency",
    "17": "debugging",
}


class Hint(Exception):
    """Raised by a check: says what is wrong, and where to look, without giving the answer away."""


@dataclass(frozen=True)
class Exercise:
    """One exercise: its number ("03.2": notebook 03, second exercise), its title, its check, and the
    hints that are given one by one."""

    number: str
    title: str
    checker: Checker
    hints: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class Result:
    """What a check found. Its repr is one line, the same on every machine."""

    number: str
    status: Status
    message: str

    @property
    def passed(self) -> bool:
        """Whether the function does what the exercise asks."""
        return self.status is Status.PASSED

    def __repr__(self) -> str:
        return f"{self.number} {self.status.value}: {self.message}"


_EXERCISES: dict[str, Exercise] = {}


def exercise(number: str, title: str, hints: tuple[str, ...] = ()) -> Callable[[Checker], Checker]:
    """Register the decorated function as the check of one exercise.

    Args:
        number: notebook and exercise, such as ``"03.2"``.
        title: what the learner is asked for, a short phrase in lower case.
        hints: what ``hint(number)`` gives one by one: what to think of, where to look, almost the
            answer. Plain sentences, since they are read aloud as well.

    Raises:
        ValueError: the number belongs to no notebook, or is taken by another check.
    """
    if number.split(".")[0] not in NOTEBOOKS:
        raise ValueError(
            f"Exercise {number!r} belongs to no notebook: a number begins with one of "
            f"{', '.join(NOTEBOOKS)}, as in '03.2'."
        )

    def register(checker: Checker) -> Checker:
        taken = _EXERCISES.get(number)
        if taken and _full_name(taken.checker) != _full_name(checker):
            raise ValueError(
                f"Exercise {number} is checked by {_full_name(taken.checker)} already; give "
                f"{_full_name(checker)} a number of its own."
            )
        _EXERCISES[number] = Exercise(number, title, checker, hints)
        return checker

    return register


def registered() -> dict[str, Exercise]:
    """Every exercise of every notebook, by number, in order."""
    for notebook in NOTEBOOKS:
        _load(notebook)
    return dict(sorted(_EXERCISES.items()))


def check(number: object, function: object) -> Result:
    """Check a learner's function.

    The random generators of PyTorch are seeded for the check and put back after it, so that a cell
    that runs later gives the same numbers whether or not the exercise was done. The outcome is
    recorded for ``progress``.

    Args:
        number: notebook and exercise, such as ``"03.2"``.
        function: the function itself (``scale``), not what it returns (``scale(x)``).

    Returns:
        A result that shows itself as one line. A mistake in the function, an exception included, is
        part of the result; it is not raised.

    Raises:
        ValueError: there is no such exercise.
    """
    known = find_exercise(number)
    result = _outcome(known, function)
    record(result.number, result.status)
    return result


def _outcome(known: Exercise, function: object) -> Result:
    if not callable(function):
        return Result(
            known.number,
            Status.NOT_YET,
            f"check({known.number!r}, ...) takes the function itself, without brackets after its name. "
            f"It was given a value of type {type(function).__name__}.",
        )
    recorder = Recorder(function, known.checker)
    try:
        with torch.random.fork_rng(devices=_devices_in_use()):
            torch.manual_seed(0)
            known.checker(recorder.recorded)
    except Hint as hint:
        return Result(known.number, Status.NOT_YET, str(hint))
    except Exception as error:
        if recorder.is_stub(error):
            return Result(known.number, Status.NOT_ATTEMPTED, known.title)
        return Result(known.number, Status.NOT_YET, recorder.explain(error))
    return Result(known.number, Status.PASSED, known.title)


def find_exercise(number: object) -> Exercise:
    """The exercise of this number.

    Raises:
        ValueError: there is none; names those that there are.
    """
    notebook = str(number).split(".")[0]
    if notebook in NOTEBOOKS:
        _load(notebook)
    if isinstance(number, str) and number in _EXERCISES:
        return _EXERCISES[number]
    known = [n for n in registered() if notebook not in NOTEBOOKS or n.startswith(f"{notebook}.")]
    where = f"Notebook {notebook} has" if notebook in NOTEBOOKS else "There are"
    raise ValueError(
        f"There is no exercise {number!r}. {where} {', '.join(known) or 'no exercises'}."
    )


def _load(notebook: str) -> None:
    import_module(f"{__package__}.{NOTEBOOKS[notebook]}")


def _full_name(checker: Checker) -> str:
    return f"{checker.__module__}.{checker.__qualname__}"


def _devices_in_use() -> list[int]:
    return list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
