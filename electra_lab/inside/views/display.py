"""Which of a view's four forms a cell's output holds."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Literal, get_args

Mode = Literal["live", "static", "page"]
VARIABLE = "ELECTRA_LAB_DISPLAY"

_chosen: Mode | None = None


def display_mode(mode: str | None = None) -> Mode:
    """Say how views show themselves from now on, or ask.

    ``"live"``: a widget, with picture and text beside it for readers without a kernel. The default.
    ``"static"``: picture and text only. Executing a notebook like this leaves no script and no
    widget state in it: the form in which notebooks are stored.
    ``"page"``: a page that needs no kernel and no network, with picture and text beside it: for
    ``jupyter nbconvert --execute --to html``. (That page's own scripts, for formulas and widgets,
    come from the network unless ``--HTMLExporter.mathjax_url= --HTMLExporter.require_js_url=`` say
    no; our views need neither.)

    Args:
        mode: one of the three. None changes nothing. The environment variable
            ``ELECTRA_LAB_DISPLAY`` gives the mode until this function is called with one.

    Returns:
        The mode that holds now. It is ``"static"`` where anywidget, which live views need, is not
        installed.

    Raises:
        ValueError: there is no such mode.
    """
    global _chosen
    if mode is not None:
        _chosen = _checked(mode, "mode")
    now = _chosen or _checked(os.environ.get(VARIABLE) or "live", VARIABLE)
    return "static" if now == "live" and find_spec("anywidget") is None else now


def _checked(mode: str, name: str) -> Mode:
    for known in get_args(Mode):
        if mode == known:
            return known
    raise ValueError(f"{name} is {mode!r}. Use one of {', '.join(map(repr, get_args(Mode)))}.")
