"""Where a model that was taught a task is wrong: every example with its loss, what was confused with
what, and in which parts of the data.
"""

from .finding import find_errors
from .report import ErrorRecord, ErrorReport

__all__ = ["ErrorRecord", "ErrorReport", "find_errors"]
