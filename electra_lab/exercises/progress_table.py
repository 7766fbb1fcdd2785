"""What a learner has done in all notebooks, as text and as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from electra_lab.checkpoints.resources import notebooks_path

from .framework import NOTEBOOKS, registered
from .status import Status
from .stored_progress import OFF, PLACE, forget, progress_path, stored_statuses

_COLUMNS = {
    Status.PASSED: "passed",
    Status.NOT_YET: "not yet",
    Status.NOT_ATTEMPTED: "not attempted",
}


@dataclass(frozen=True, repr=False)
class Progress:
    """Every exercise with its status. Shows itself as text, one line a notebook, or as a table.

    Attributes:
        titles: number -> what the exercise asks for, in order.
        statuses: number -> passed, not yet, or not attempted.
        path: where this is stored; None where recording is off.
    """

    titles: Mapping[str, str]
    statuses: Mapping[str, Status]
    path: Path | None

    def with_status(self, status: Status, notebook: str = "") -> list[str]:
        """The numbers of the exercises with this status, of one notebook or of all."""
        return [
            number
            for number, found in self.statuses.items()
            if found is status and number.startswith(notebook)
        ]

    def __repr__(self) -> str:
        lines = [f"{self._summary()}."]
        for notebook in self._notebooks():
            parts = [
                f"{words} {', '.join(numbers)}"
                for status, words in _COLUMNS.items()
                if (numbers := self.with_status(status, f"{notebook}."))
            ]
            lines.append(f"{_name(notebook)}: {'; '.join(parts)}")
        lines += [self._next(), self._place()]
        return "\n".join(line for line in lines if line)

    def _repr_html_(self) -> str:
        head = "".join(
            f'<th scope="col">{words}</th>' for words in ("notebook", *_COLUMNS.values())
        )
        rows = ""
        for notebook in self._notebooks():
            cells = "".join(
                f"<td>{escape(', '.join(self.with_status(status, f'{notebook}.')))}</td>"
                for status in _COLUMNS
            )
            rows += f'<tr><th scope="row">{escape(_name(notebook))}</th>{cells}</tr>'
        below = "".join(f"<p>{escape(line)}</p>" for line in (self._next(), self._place()) if line)
        return (
            f"<table><caption>{escape(self._summary())}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{below}"
        )

    def _notebooks(self) -> list[str]:
        return sorted({number.split(".")[0] for number in self.statuses})

    def _summary(self) -> str:
        passed, tried = (
            len(self.with_status(status)) for status in (Status.PASSED, Status.NOT_YET)
        )
        total = len(self.statuses)
        rest = total - passed - tried
        return f"{passed} of {total} exercises passed, {tried} not yet, {rest} not attempted"

    def _next(self) -> str:
        """What to do next: what was begun, else the first that was not."""
        waiting = self.with_status(Status.NOT_YET) + self.with_status(Status.NOT_ATTEMPTED)
        if not waiting:
            return "All are done."
        return f"Next: {waiting[0]}, {self.titles[waiting[0]]}."

    def _place(self) -> str:
        if self.path is None:
            return f"Nothing is recorded, since {PLACE} is {OFF!r}."
        clone = notebooks_path().parent
        place = self.path.relative_to(clone) if self.path.is_relative_to(clone) else self.path
        return f"Stored in {place}, sent nowhere."


def progress(*, reset: bool = False) -> Progress:
    """What is done across the notebooks: which exercises are passed, not yet, not attempted.

    ``check`` records it in a small file: in the clone, in the user's data folder where the package was
    installed from a wheel, or where the environment variable ``ELECTRA_LAB_PROGRESS`` says (a path, or
    ``off``). An exercise that was passed once stays passed.

    Args:
        reset: delete the record first, and begin anew. Defaults to False.
    """
    if reset:
        forget()
    exercises = registered()
    stored = stored_statuses()
    try:
        path = progress_path()
    except FileNotFoundError:  # said by stored_statuses
        path = None
    return Progress(
        {number: known.title for number, known in exercises.items()},
        {number: stored.get(number, Status.NOT_ATTEMPTED) for number in exercises},
        path,
    )


def _name(notebook: str) -> str:
    return f"{notebook} {NOTEBOOKS.get(notebook, '').replace('_', ' ')}".strip()
