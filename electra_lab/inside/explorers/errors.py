"""Errors of any ELECTRA that was taught a task: filter them, and open one to see why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import Any

from electra_lab.inside.analysis import ErrorReport, find_errors
from electra_lab.inside.views import View
from electra_lab.text.tasks.schema import TaskData

from .attention import AttentionExplorer
from .base import Explorer
from .loading import model_and_tokenizer
from .predictions import PredictionExplorer

HINT = "Cells and slices, clicked, leave only their examples. An example, clicked, opens below."
OPENS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "prediction": lambda model, tokenizer, text: PredictionExplorer(
        model, text, tokenizer=tokenizer
    ),
    "attention": AttentionExplorer,
}
"""Explorers of one example, from a model, a tokenizer and a text."""


class ErrorExplorer(Explorer):
    """Every example of a data set with what the model said of it; the one that is chosen is traced.

    Works for every task type, on models of this package and live ones of transformers.

    Args:
        model: taught the task; a folder, a bundled name or a hub id; or a live model, of this package or
            of transformers.
        data: the labelled data.
        split: which part of it is shown first.
        tokenizer: the model's, or where it lies; by default the one beside the model.
        slices, max_length: see ``find_errors``.
        opens: what an example is opened in: ``"prediction"`` (what the model says, and which tokens
            made it say so) or ``"attention"``. It reads all of the text, also where fine-tuning cut it.

    Attributes:
        errors: the view of all examples.
        report: what it shows.
        example: the explorer of the chosen example; None where it cannot be traced.
        message: what the reader is told.

    Raises:
        ValueError: there is no such split or explorer, or a model without a tokenizer; others as
            ``find_errors``.
        FileNotFoundError: there is no such checkpoint.
        TypeError: the model is none for this task.
    """

    def __init__(
        self,
        model: Any,
        data: TaskData,
        split: str = "test",
        *,
        tokenizer: Any = None,
        slices: Mapping[str, Callable[[Any], Any]] | None = None,
        max_length: int | None = None,
        opens: str = "prediction",
    ) -> None:
        self._opens = _checked(opens)
        self.model, self.tokenizer = model_and_tokenizer(model, tokenizer)
        self.data = data
        self._slices, self._max_length = slices, max_length
        self._reports: dict[str, ErrorReport] = {}
        self.example: Any = None
        self.message = HINT
        self.report = self._asked(split)
        self.errors = self.report.view(note=HINT)
        self._choose_worst()
        self.errors.on_event(self._heard)

    @property
    def split(self) -> str:
        """Which part of the data is shown. Setting it asks the model about that part, the first time.

        Raises:
            ValueError: there is no such split.
        """
        return self.report.split

    @split.setter
    def split(self, split: str) -> None:
        self.report = self._asked(split)
        self.message = HINT
        self.errors.update(**self.report.drawn(note=HINT))
        self._choose_worst()
        self._show_controls()

    @property
    def opens(self) -> str:
        """What an example is opened in. Setting it opens the chosen one again.

        Raises:
            ValueError: there is no such explorer.
        """
        return self._opens

    @opens.setter
    def opens(self, opens: str) -> None:
        self._opens = _checked(opens)
        self.example = None
        if self.errors.selected is not None:
            self._open(self.errors.selected)
        self._show_controls()

    def choose(self, number: int) -> None:
        """Open an example of the split.

        Raises:
            ValueError: there is none of that number.
        """
        self.errors.choose(number)
        self._open(number)

    def __repr__(self) -> str:
        return "\n".join(["ErrorExplorer", repr(self.errors), *self._below()])

    @property
    def views(self) -> list[View]:
        return [self.errors, *([] if self.example is None else self.example.views)]

    @cached_property
    def panel(self) -> Any:
        """The live form: controls, the errors, and the chosen example in its explorer."""
        from ipywidgets import HBox, VBox

        lines = [HBox([self.controls[name] for name in line]) for line in self.layout()]
        return VBox([*lines, self.errors.widget, self._place])

    def _make_controls(self) -> dict[str, Any]:
        """``split``: which part of the data; ``opens``: what an example is opened in."""
        import ipywidgets

        controls = {
            "split": ipywidgets.Dropdown(description="Split", options=list(self.data.splits())),
            "opens": ipywidgets.Dropdown(description="Open as", options=list(OPENS)),
        }
        for name, control in controls.items():
            self._listen(control, partial(setattr, self, name))
        return controls

    def layout(self) -> list[list[str]]:
        return [["split", "opens"]]

    def _show(self, controls: dict[str, Any]) -> None:
        controls["split"].value, controls["opens"].value = self.split, self.opens

    def _asked(self, split: str) -> ErrorReport:
        if split not in self._reports:
            self._reports[split] = find_errors(
                self.model,
                self.tokenizer,
                self.data,
                split,
                slices=self._slices,
                max_length=self._max_length,
            )
        return self._reports[split]

    def _choose_worst(self) -> None:
        self.choose(self.report.by_loss()[0].row)

    def _heard(self, event: dict[str, Any]) -> None:
        match event:
            case {"event": "choose", "index": int(number)} if number in range(
                len(self.report.records)
            ):
                self._open(number)

    def _open(self, number: int) -> None:
        text = self.report.records[number].text
        if self.example is None:
            try:
                self.example = OPENS[self.opens](self.model, self.tokenizer, text)
            except (ValueError, MemoryError) as error:  # too long; the next one may not be
                self.message = str(error)
            if "_place" in self.__dict__:
                self._place.children = self._panels()
            return
        if isinstance(self.example, PredictionExplorer):
            self.example.other = None  # what stood beside the example before
        self.example.text = text

    @cached_property
    def _place(self) -> Any:
        """Where the chosen example is shown."""
        from ipywidgets import VBox

        return VBox(self._panels())

    def _panels(self) -> list[Any]:
        return [] if self.example is None else [self.example.panel]

    def _below(self) -> list[str]:
        return [self.message if self.example is None else repr(self.example)]


def _checked(opens: str) -> str:
    if opens not in OPENS:
        raise ValueError(f"opens is {opens!r}. Use one of {', '.join(map(repr, OPENS))}.")
    return opens
