"""Hints in steps: what to think of, where to look, almost the answer. One at a time, when asked."""

from __future__ import annotations

from dataclasses import dataclass

from .framework import find_exercise

_given: dict[str, int] = {}  # number -> how many of its hints this session has shown


@dataclass(frozen=True, repr=False)
class HintStep:
    """What one call of ``hint`` shows: plain text, the same on every machine.

    Attributes:
        number: the exercise.
        hints: all of its hints, in the order in which they are given.
        step: which of them this is, from 1; more than there are when all were given.
    """

    number: str
    hints: tuple[str, ...]
    step: int

    def __repr__(self) -> str:
        total = len(self.hints)
        if self.step <= total:
            return f"{self.number} hint {self.step} of {total}: {self.hints[self.step - 1]}"
        again = "".join(f"\n{i}. {text}" for i, text in enumerate(self.hints, 1))
        return (
            f"{self.number} has no more hints. Try what you have: check says what is wrong with it."
            f"{again}"
        )


def hint(number: object) -> HintStep:
    """The next hint for an exercise: the first when asked for the first time, then the second ...

    What was given is counted in this session of Python; after a restart it begins with the first.
    When there are no more, all are shown again.

    Args:
        number: notebook and exercise, such as ``"03.2"``.

    Raises:
        ValueError: there is no such exercise.
    """
    exercise = find_exercise(number)
    step = _given.get(exercise.number, 0) + 1
    _given[exercise.number] = min(step, len(exercise.hints))
    return HintStep(exercise.number, exercise.hints, step)
