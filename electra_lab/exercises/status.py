"""How far a learner is with an exercise."""

from __future__ import annotations

from enum import Enum


class Status(Enum):
    """The three outcomes of a check, as the learner reads them."""

    NOT_ATTEMPTED = "not attempted yet"
    NOT_YET = "not yet"
    PASSED = "passed"
