"""Questions that many checks ask, each answered by a hint where the answer is no."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .framework import Hint
from .recording import describe


def expect_returned(value: Any) -> None:
    """That a learner's function returned something.

    Raises:
        Hint: it returned None.
    """
    if value is None:
        raise Hint("The function returned None. Is a return missing?")


def expect_one_of(value: Any, names: Sequence[str]) -> None:
    """That a learner's function returned one of the names that it may answer with.

    Raises:
        Hint: it did not.
    """
    expect_returned(value)
    if value not in names:
        raise Hint(
            f"The function should return one of {', '.join(names)}; it returned {describe(value)}."
        )


def expect_whole_number(value: Any) -> int:
    """``value``, if it is an int.

    Raises:
        Hint: it is not.
    """
    expect_returned(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Hint(f"Return a whole number (int); the function returned {describe(value)}.")
    return value


def expect_tensor(value: Any, shape: Sequence[int], what: str) -> Tensor:
    """``value``, if it is a tensor of this shape with finite entries.

    Args:
        value: what the learner's function returned.
        shape: the shape that is asked for.
        what: what the tensor is, to begin a sentence with: ``"The scores"``.

    Raises:
        Hint: it is not.
    """
    expect_returned(value)
    if not isinstance(value, Tensor):
        raise Hint(f"{what} should be a tensor; the function returned {describe(value)}.")
    if tuple(value.shape) != tuple(shape):
        raise Hint(f"{what} should have shape {list(shape)}; they have {list(value.shape)}.")
    if not bool(torch.isfinite(value).all()):
        raise Hint(f"{what} have entries that are infinite or not a number.")
    return value


def expect_close(value: Any, expected: Tensor, hint: str, *, tolerance: float = 1e-5) -> None:
    """Compare with what is right, entry by entry.

    Args:
        value: what the learner's function returned; shape and kind are checked first.
        expected: what is right.
        hint: what to say where they differ.
        tolerance: largest difference that rounding explains, absolute and relative.

    Raises:
        Hint: they differ.
    """
    actual = expect_tensor(value, expected.shape, "The returned values")
    ours, theirs = expected.detach().double(), actual.detach().double()
    if not torch.allclose(theirs, ours, rtol=tolerance, atol=tolerance):
        raise Hint(hint)
