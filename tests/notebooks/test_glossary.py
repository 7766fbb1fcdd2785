"""The glossary: every word of it is introduced by the notebook it names, and no link leads nowhere."""

import re
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
GLOSSARY = (NOTEBOOKS / "glossary.md").read_text()
ENTRIES = dict(re.findall(r"^## ([^\n]+)\n\n(.+?)(?=\n## |\Z)", GLOSSARY, flags=re.M | re.S))
LINK = re.compile(r"\]\(glossary\.md(?:#([^)]*))?\)")


def _anchor(term):
    return term.replace(" ", "-")


def _prose(path):
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


PROSE = {path.name: _prose(path) for path in sorted(NOTEBOOKS.glob("*.ipynb"))}


def test_the_terms_are_in_order_and_their_links_work_everywhere():
    """GitHub writes a heading's anchor in lower case and JupyterLab leaves it as it is: where a term
    has lower-case letters, digits and hyphens only, both give the same."""
    assert len(ENTRIES) >= 60
    assert list(ENTRIES) == sorted(ENTRIES)
    assert all(re.fullmatch(r"[a-z0-9]+([ -][a-z0-9]+)*", term) for term in ENTRIES)


@pytest.mark.parametrize("term", ENTRIES)
def test_a_term_is_explained_briefly_and_linked_where_it_is_introduced(term):
    text, _, place = ENTRIES[term].rpartition("Introduced in ")
    sentences = re.findall(r"[.:?](?=\s|$)", text)
    assert 1 <= len(sentences) <= 6
    assert 20 < len(text) < 260
    number, name = re.fullmatch(r"\[(\d\d)\]\((\S+\.ipynb)\)\.", place.strip()).groups()
    assert name.startswith(number)
    linking = [book for book, prose in PROSE.items() if _anchor(term) in LINK.findall(prose)]
    assert linking[:1] == [name]
    assert LINK.findall(PROSE[name]).count(_anchor(term)) == 1


@pytest.mark.parametrize("name", PROSE)
def test_no_link_of_a_notebook_leads_nowhere(name):
    known = {_anchor(term) for term in ENTRIES}
    assert set(LINK.findall(PROSE[name])) <= known
    targets = re.findall(r"\]\(([^)\s#]+)", re.sub(r"`[^`]*`", "", PROSE[name]))
    local = [target for target in targets if "://" not in target]
    assert all((NOTEBOOKS / target).is_file() for target in local)
