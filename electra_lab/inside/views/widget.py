"""The live form of a view. Imported only when one is shown: anywidget takes a while to load."""

from __future__ import annotations

from functools import cache
from typing import Any

import anywidget
import traitlets


class ViewWidget(anywidget.AnyWidget):
    """Draws ``state`` with the ES module of the view it belongs to."""

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    def __init__(self, name: str, **values: Any) -> None:
        super().__init__(**values)
        self._name = name

    def __repr__(self) -> str:
        return f"<live {self._name}>"


@cache
def widget_class(name: str) -> type[ViewWidget]:
    """A class of its own for each kind of view: anywidget keeps one style sheet for each class, and a
    view that was shown later would take the others' away."""
    return type(f"{name}Widget", (ViewWidget,), {"__module__": __name__})
