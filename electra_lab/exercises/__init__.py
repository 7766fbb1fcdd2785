"""Exercises of the notebooks: a check for each, with hints that teach.

In a notebook, ``check("03.2", scale)`` shows one line: not attempted yet, passed, or what is wrong.
A check is one function beside the others of its notebook:

    @exercise("03.2", title="scale the scores")
    def check_scale(scale):
        ...
        raise Hint("The scores grow with head_size; what keeps their variance at 1?")
"""

from .expectations import expect_close, expect_tensor
from .framework import Exercise, Hint, Result, check, exercise, registered

__all__ = [
    "Exercise",
    "Hint",
    "Result",
    "check",
    "exercise",
    "expect_close",
    "expect_tensor",
    "registered",
]
