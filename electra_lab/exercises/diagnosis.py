"""Telling known mistakes apart: each has a value of its own, and so a hint of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from .expectations import expect_tensor
from .framework import Hint


def expect_or_explain(
    value: Any,
    expected: Tensor,
    what: str,
    mistakes: Mapping[str, Tensor],
    otherwise: str,
    *,
    tolerance: float = 1e-4,
) -> None:
    """Compare with what is right; where that fails, say which mistake gives just this value.

    Args:
        value: what the learner's function returned; a plain number will do for a scalar.
        expected: what is right.
        what: what the value is, to begin a sentence with: ``"The loss"``.
        mistakes: hint -> the value that a function with this mistake returns, of any shape.
        otherwise: the hint where no known mistake gives this value.
        tolerance: largest difference that rounding explains, absolute and relative.

    Raises:
        Hint: the value is not the expected one.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = torch.tensor(float(value))
    if not isinstance(value, Tensor) or value.shape == expected.shape:
        actual = expect_tensor(value, expected.shape, what)
        if _close(actual, expected, tolerance):
            return
    for hint, wrong in mistakes.items():
        if isinstance(value, Tensor) and _close(value, wrong, tolerance):
            raise Hint(hint)
    expect_tensor(value, expected.shape, what)
    raise Hint(otherwise)


def _close(actual: Tensor, expected: Tensor, tolerance: float) -> bool:
    ours, theirs = expected.detach().double().cpu(), actual.detach().double().cpu()
    return ours.shape == theirs.shape and torch.allclose(
        theirs, ours, rtol=tolerance, atol=tolerance, equal_nan=True
    )
