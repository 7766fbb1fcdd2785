"""What every explorer has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from electra_lab.inside.views import View
from electra_lab.inside.views.base import mime_bundle, save
from electra_lab.inside.views.page import page

from .words import Word

LIVE_ONLY = "A still of an explorer. Its controls need a running notebook, with a model to ask."


class Explorer(ABC):
    """A model, a tokenizer, controls and views.

    The controls are made when they are first asked for: a notebook executed for storing
    (``display_mode("static")``) never makes them, and keeps no widget state.
    """

    @property
    @abstractmethod
    def views(self) -> list[View]:
        """What the explorer shows, from top to bottom."""

    @cached_property
    def controls(self) -> dict[str, Any]:
        """The controls by name; ipywidgets, so that code can move them as a reader would."""
        controls = self._make_controls()
        self._set(controls)
        return controls

    @abstractmethod
    def _make_controls(self) -> dict[str, Any]:
        """New controls by name, with ``_listen`` on each that the reader changes."""

    @abstractmethod
    def _show(self, controls: dict[str, Any]) -> None:
        """Set the controls to what the explorer shows."""

    @abstractmethod
    def layout(self) -> list[list[str]]:
        """Names of the controls, line by line."""

    _showing = False

    def _listen(self, control: Any, handler: Callable[[Any], None]) -> None:
        """Call ``handler`` with a control's value when the reader changes it, not when we do."""
        control.observe(
            lambda change: None if self._showing else handler(change["new"]), names="value"
        )

    def _show_controls(self) -> None:
        """Let the controls, if they were made, follow what the explorer shows."""
        if "controls" in self.__dict__:
            self._set(self.controls)

    def _set(self, controls: dict[str, Any]) -> None:
        self._showing = True
        try:
            self._show(controls)
        finally:
            self._showing = False

    @cached_property
    def panel(self) -> Any:
        """The live form: controls above, views below."""
        from ipywidgets import HBox, Layout, VBox

        lines = [
            HBox([self.controls[name] for name in line], layout=Layout(flex_flow="row wrap"))
            for line in self.layout()
        ]
        return VBox([*lines, *(view.widget for view in self.views)])

    def to_html(self, scheme: str = "light dark") -> str:
        """A complete page of the views as they are now, which says that the controls are live
        only. ``scheme`` is that of ``View.to_html``."""
        return page(self.views, type(self).__name__, LIVE_ONLY, scheme)

    def to_png(self) -> bytes:
        """The views as they are now, below each other."""
        from electra_lab.inside.views.picture import stack

        return stack([view.to_png() for view in self.views])

    def height(self) -> int:
        """About how many CSS pixels the page needs."""
        return 24 + sum(view.height() for view in self.views)

    def save(self, path: str | Path) -> None:
        """Write the page (``.html``) or the picture (``.png``).

        Raises:
            ValueError: ``path`` ends otherwise.
        """
        save(self, path)

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        return mime_bundle(self, lambda: self.panel)


def show_words(choice: Any, words: Sequence[Word], number: int | None) -> None:
    """Let a dropdown offer the words of a sentence and choose one of them."""
    options = [(f"{n + 1}  {word.text}", n) for n, word in enumerate(words)]
    if list(choice.options) != options:
        choice.options = options
    choice.value = number if number in range(len(words)) else None


def temperature_slider(temperature: float) -> Any:
    """What the generator's logits are divided by; wide enough for the one that it begins with."""
    import ipywidgets

    return ipywidgets.FloatSlider(
        description="Temperature",
        min=min(0.1, temperature),
        max=max(3.0, temperature),
        step=0.1,
        readout_format=".1f",
        layout={"width": "330px"},
        style={"description_width": "90px"},
    )


def sentence_field(every_key: bool) -> Any:
    """Where a sentence is typed; it is heard at every key, or at Enter and on leaving the field."""
    import ipywidgets

    return ipywidgets.Text(
        description="Sentence",
        continuous_update=every_key,
        layout={"width": "700px", "max_width": "100%"},
    )
