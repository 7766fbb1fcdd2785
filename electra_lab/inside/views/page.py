"""A view as a page of its own: the widget's ES module without a widget manager."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .base import View

# Nothing may be fetched, whatever a string in the data says.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"

# What every page of the kit begins with, up to its own styles.
HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
"""
_PAGE = (
    HEAD
    + """:root {{ color-scheme: {scheme}; background: Canvas; color: CanvasText; }}
body {{ margin: 12px; max-width: 720px; font: 14px/1.45 system-ui, sans-serif; }}
{style}</style>
</head>
<body>
{parts}</body>
</html>
"""
)

# The dozen lines that stand in for the widget's model: it holds values, and nobody listens.
_PART = """<div id="view-{number}"></div>
<script type="application/json" id="state-{number}">{state}</script>
<script type="module">
{module}
const values = {{ state: JSON.parse(document.getElementById("state-{number}").textContent) }};
const model = {{
  get: (name) => values[name],
  set: (name, value) => {{ values[name] = value; }},
  on: () => {{}},
  off: () => {{}},
  send: () => {{}},
  save_changes: () => {{}},
}};
view.render({{ model, el: document.getElementById("view-{number}") }});
</script>
"""


SCHEMES = ("light dark", "light", "dark")


def page(views: Sequence[View], title: str, note: str = "", scheme: str = "light dark") -> str:
    """A complete HTML document that draws ``views`` below each other, without kernel or network.

    Args:
        note: a sentence above the views, for example on what works live only.
        scheme: the page's colours: ``"light"``, ``"dark"``, or ``"light dark"``, which is what the
            reader's system prefers.

    Raises:
        ValueError: there is no such scheme.
    """
    from .base import style_sheet  # which imports this module

    if scheme not in SCHEMES:
        raise ValueError(f"scheme is {scheme!r}. Use one of {', '.join(map(repr, SCHEMES))}.")
    parts = f'<p class="electra-note">{html.escape(note)}</p>\n' if note else ""
    for number, view in enumerate(views):
        parts += _PART.format(
            number=number,
            state=json_in_html({**view.state(), "interactive": False}),
            module=view.module().replace("export default", "const view ="),
        )
    return _PAGE.format(
        policy=POLICY,
        scheme=scheme,
        title=html.escape(title),
        style=style_sheet(views),
        parts=parts,
    )


def frame(document: str, height: int) -> str:
    """``document`` in an iframe that may run its own script and reach nothing around it."""
    return (
        f'<iframe sandbox="allow-scripts" srcdoc="{html.escape(document)}" '
        f'style="width:100%;height:{height}px;border:0" title="electra_lab view"></iframe>'
    )


def json_in_html(state: dict[str, Any]) -> str:
    """JSON that holds no character by which a string could end the script element around it."""
    text = json.dumps(state, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
