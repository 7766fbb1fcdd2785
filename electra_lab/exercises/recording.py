"""A learner's function, watched: what it was called with, and what went wrong, in a sentence."""

from __future__ import annotations

import dis
import functools
import inspect
import linecache
import os
import re
import sysconfig
import traceback
from collections.abc import Callable, Sized
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import torch

_LONGEST_VALUE = 60  # characters of a value that are worth reading in a hint
# what PyTorch's own words mean, where learners meet them most
_MEANINGS = (
    (
        r"The size of tensor a \(\d+\) must match the size of tensor b",
        "Write both shapes under each other, the last axes in line: two sizes fit where they are equal "
        "or one of them is 1.",
    ),
    (
        r"shapes cannot be multiplied|Expected size for first two dimensions of batch2",
        "In a matrix product the last axis of the left one and the last but one of the right one have "
        "the same size.",
    ),
    (
        r"Float can't be cast to the desired output type Long|expected scalar type Float",
        "Whole numbers stand where it wants floats: float() of a tensor makes them.",
    ),
)
_LIBRARIES = tuple(
    f"{Path(path).resolve()}{os.sep}"
    for path in (
        str(Path(__file__).parent.parent),
        *(sysconfig.get_path(kind) for kind in ("stdlib", "purelib", "platlib")),
    )
)


class Recorder:
    """Wraps a function and remembers its last call.

    Args:
        function: the learner's.
        checker: the check that will call it; its lines are never taken for the learner's.

    Attributes:
        recorded: what to call in place of the function. A class is handed on as it is, since a check
            may ask for more than calling it.
    """

    def __init__(self, function: Callable[..., Any], checker: Callable[..., Any]) -> None:
        self.last_call: str | None = None
        self.last_value: Any = None
        self._raised: Exception | None = None
        self._checker_file = inspect.getsourcefile(checker)
        self._name = getattr(function, "__name__", type(function).__name__)
        self.recorded = function if isinstance(function, type) else self._wrap(function)

    def _wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def recorded(*args: Any, **kwargs: Any) -> Any:
            arguments = [describe(value) for value in args]
            arguments += [f"{name}={describe(value)}" for name, value in kwargs.items()]
            self.last_call = f"{self._name}({', '.join(arguments)})"
            try:
                self.last_value = function(*args, **kwargs)
            except Exception as error:
                self._raised = error
                raise
            return self.last_value

        return recorded

    def explain(self, error: Exception) -> str:
        """What happened, where ``error`` came out of a check that used the function."""
        said = f"{type(error).__name__}: {_first_line(error)}"
        frame = self._learners_frame(error)
        if error is self._raised or frame:
            return f"{self.last_call or self._name} raised {said}{_meaning(error)}{_place(frame)}"
        if self.last_call is None:
            return f"the check could not call {self._name}. {said}"
        forgotten = " Is a return missing?" if self.last_value is None else ""
        return (
            f"{self.last_call} returned {describe(self.last_value)}, which the check could not use."
            f"{forgotten} ({said})"
        )

    def is_stub(self, error: Exception) -> bool:
        """Whether ``error`` is the ``raise NotImplementedError`` of an exercise nobody has begun.

        PyTorch raises NotImplementedError for operations that a device lacks: that is not a stub.
        """
        if not isinstance(error, NotImplementedError) or error.__traceback__ is None:
            return False
        innermost = _steps(error)[-1]
        code = innermost.tb_frame.f_code
        raised_here = code.co_code[innermost.tb_lasti] == dis.opmap["RAISE_VARARGS"]
        return raised_here and self._is_learners(innermost.tb_frame)

    def _is_learners(self, frame: FrameType) -> bool:
        filename = frame.f_code.co_filename
        return filename != self._checker_file and not str(Path(filename).resolve()).startswith(
            _LIBRARIES
        )

    def _learners_frame(self, error: Exception) -> traceback.FrameSummary | None:
        """The innermost line of the learner's own code that ``error`` passed through."""
        for step in reversed(_steps(error)):
            filename = step.tb_frame.f_code.co_filename
            if self._is_learners(step.tb_frame) and step.tb_lineno is not None:
                line = linecache.getline(filename, step.tb_lineno)
                return traceback.FrameSummary(
                    filename, step.tb_lineno, step.tb_frame.f_code.co_name, line=line
                )
        return None


def describe(value: Any) -> str:
    """A value as a few characters: tensors by dtype and shape, long things by type and length."""
    if isinstance(value, torch.Tensor):
        dtype = str(value.dtype).removeprefix("torch.")
        return f"{dtype} tensor of shape {list(value.shape)}"
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    if isinstance(value, (bool, int, float, str, list, tuple, dict, set)) or value is None:
        text = repr(value)
        if len(text) <= _LONGEST_VALUE and "tensor(" not in text:
            return text
        if isinstance(value, str):
            return f"{text[: _LONGEST_VALUE - 4]}...'"
        if isinstance(value, (list, tuple)) and len(value) <= 4:
            return f"({', '.join(describe(item) for item in value)})"
        if isinstance(value, Sized):
            return f"{type(value).__name__} of {len(value)}"
    return type(value).__name__


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else "no message"


def _meaning(error: Exception) -> str:
    said = _first_line(error)
    found = next((meaning for pattern, meaning in _MEANINGS if re.search(pattern, said)), None)
    return f"{'' if said.endswith('.') else '.'} {found}" if found else ""


def _steps(error: Exception) -> list[TracebackType]:
    steps = []
    step = error.__traceback__
    while step is not None:
        steps.append(step)
        step = step.tb_next
    return steps


def _place(frame: traceback.FrameSummary | None) -> str:
    return f" (in the line `{frame.line.strip()}`)" if frame and frame.line else ""
