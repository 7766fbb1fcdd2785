"""Exercises of the notebooks: a check for each, with hints that teach.

In a notebook, ``check("03.2", scale)`` shows one line: not attempted yet, passed, or what is wrong.
``hint("03.2")`` gives one hint, and the next when asked again; ``progress()`` shows what is done in all
notebooks. A check is one function beside the others of its notebook:

    @exercise("03.2", title="scale the scores", hints=("Think of ...", "Look at ..."))
    def check_scale(scale):
        ...
        raise Hint("The scores grow with head_size; what keeps their variance at 1?")
"""

from .expectations import expect_close, expect_tensor
from .framework import Exercise, Hint, Result, check, exercise, registered
from .hints import HintStep, hint
from .progress_table import Progress, progress

__all__ = [
    "Exercise",
    "Hint",
    "HintStep",
    "Progress",
    "Result",
    "check",
    "exercise",
    "expect_close",
    "expect_tensor",
    "hint",
    "progress",
    "registered",
]
