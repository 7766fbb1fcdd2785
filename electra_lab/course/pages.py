"""HTML files that work from a folder, a USB stick or a school's server: they ask for nothing."""

from __future__ import annotations

import copy
import html
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from electra_lab.inside.views.page import HEAD, POLICY

TEMPLATES = Path(__file__).parent / "templates"
SHOWN = (
    "text/html",
    "text/markdown",
    "image/png",
    "text/plain",
)  # the richest that a page can show
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")

# Formulas stay readable TeX, so nothing has to be fetched to draw them.
_HEAD = (
    HEAD
    + """{style}</style>
</head>
<body>
<nav>{navigation}</nav>
<main{kind}>
"""
)
_FOOT = """</main>
</body>
</html>
"""


def notebook_page(notebook: Any, navigation: str = "") -> str:
    """A notebook with its outputs as one HTML document.

    Args:
        notebook: executed; pictures with an ``alt`` in their metadata, or a text beside them.
        navigation: HTML above the notebook, such as links to others.
    """
    from nbconvert import HTMLExporter
    from traitlets.config import Config

    config = Config()
    config.CSSHTMLHeaderPreprocessor.style = "default"
    config.NbConvertBase.display_data_priority = list(SHOWN)
    exporter = HTMLExporter(
        config=config,
        template_name="course",
        extra_template_basedirs=[str(TEMPLATES)],
        exclude_anchor_links=True,
    )
    header, footer = _frame(title_of(notebook), navigation)
    resources = {"course": {"header": header, "footer": footer}}
    made: str = exporter.from_notebook_node(_with_links_to_pages(notebook), resources)[0]
    return made


@cache
def text_page(text: str, navigation: str = "", kind: str = "") -> str:
    """A Markdown text as one HTML document, titled by its first heading."""
    from nbconvert.filters import markdown2html

    found = re.search(r"^# (.+)$", text, flags=re.MULTILINE)
    header, footer = _frame(found[1] if found else "electra_lab", navigation, kind=kind)
    body = re.sub(r'<a class="anchor-link"[^>]*>[^<]*</a>', "", markdown2html(links_to_pages(text)))
    # links say #dot-product, as on GitHub, where nbconvert's heading would be called Dot-product
    body = re.sub(r'<h(\d) id="([^"]+)"', lambda h: f'<h{h[1]} id="{h[2].lower()}"', body)
    return f"{header}{body}{footer}"


def title_of(notebook: Any) -> str:
    """The first heading."""
    for cell in notebook.cells:
        found = re.search(r"^# (.+)$", cell.source, flags=re.MULTILINE)
        if cell.cell_type == "markdown" and found:
            return found[1]
    return "A notebook"


def links_to_pages(text: str, there: tuple[str, ...] = (".ipynb", ".md")) -> str:
    """Markdown in which links to notebooks and texts beside it lead to their pages.

    A link to another file of the repository, which a reader of the page does not have, keeps only its
    words.
    """

    def page(found: re.Match[str]) -> str:
        picture, words, target = found.groups()
        address, _, place = target.partition("#")
        if picture or "://" in target or not address or address.endswith(".html"):
            return found[0]
        if "/" in unquote(address).removeprefix("./") or not address.endswith(there):
            return words
        return f"[{words}]({Path(address).with_suffix('.html')}{'#' * bool(place)}{place})"

    return _LINK.sub(page, text)


def _with_links_to_pages(notebook: Any) -> Any:
    made = copy.deepcopy(notebook)
    for cell in made.cells:
        if cell.cell_type == "markdown":
            cell.source = links_to_pages(cell.source)
    return made


def _frame(title: str, navigation: str, kind: str = "") -> tuple[str, str]:
    css = (TEMPLATES / "course" / "course.css").read_text(encoding="utf-8")
    head = _HEAD.format(
        policy=POLICY,
        title=html.escape(title),
        style=css,
        navigation=navigation,
        kind=f' class="{kind}"' if kind else "",
    )
    return head, _FOOT
