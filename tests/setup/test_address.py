"""`make address`: one place knows the repository's address, the rest is written from it."""

import importlib.util
import shutil
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("address", ROOT / "binder" / "address.py")
address = importlib.util.module_from_spec(spec)
spec.loader.exec_module(address)

GITHUB = "https://github.com/teachers/kit"


@pytest.fixture
def tree(tmp_path):
    """A copy of what the command writes to, with two of the notebooks."""
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "notebooks").mkdir()
    for name in ("02_embeddings.ipynb", "04_encoder.ipynb"):
        shutil.copy(ROOT / "notebooks" / name, tmp_path / "notebooks")
    address.main([address.NONE], tmp_path)
    return tmp_path


def _files(tree):
    return {path.relative_to(tree): path.read_bytes() for path in tree.rglob("*") if path.is_file()}


def test_an_address_is_written_everywhere_and_can_be_taken_back(tree):
    before = _files(tree)
    address.main([f"{GITHUB}.git"], tree)
    assert address.known_address(tree) == GITHUB
    readme = (tree / "README.md").read_text()
    title, first = readme.split("\n\n")[:2]
    assert title.startswith("# ")
    assert (
        "https://mybinder.org/v2/gh/teachers/kit/main?urlpath=lab/tree/notebooks/00_start_here.ipynb"
        in first
    )
    for path in (tree / "notebooks").glob("*.ipynb"):
        link = (
            f"https://colab.research.google.com/github/teachers/kit/blob/main/notebooks/{path.name}"
        )
        assert f"[{path.name[:2]}]({link})" in readme
        cells = nbformat.read(path, as_version=4).cells
        code = [cell for cell in cells if cell.cell_type == "code"]
        assert code[0].source == address.first_cell(GITHUB)
        assert f"git+{GITHUB}@main" in code[0].source
    changed = {name for name, data in _files(tree).items() if before[name] != data}
    assert changed == set(before)

    address.main([GITHUB], tree)
    address.main(["https://gitlab.com/others/kit"], tree)  # another takes its place
    assert "teachers/kit" not in (tree / "README.md").read_text()
    address.main([address.NONE], tree)
    assert _files(tree) == before


def test_without_an_address_there_is_no_badge(tree):
    assert address.known_address(tree) is None
    assert "mybinder.org" not in (tree / "README.md").read_text()


@pytest.mark.parametrize(
    ("url", "binder"),
    [
        ("https://gitlab.com/a/b/c", "https://mybinder.org/v2/gl/a%2Fb%2Fc/main?"),
        ("https://code.example.org/a/b", "v2/git/https%3A%2F%2Fcode.example.org%2Fa%2Fb/main?"),
    ],
)
def test_elsewhere_than_on_github_there_is_binder_and_no_colab(url, binder):
    made = address.badges(url, ["00_start_here.ipynb"])
    assert binder in made
    assert "colab" not in made.lower()


@pytest.mark.parametrize(
    "url",
    [
        "github.com/a/b",
        "http://github.com/a/b",
        "https://github.com",
        "https://h/a b",
        "x",
        'https://h/a"; rm',
        "https://user@h/a",
        "https://h/a?x=1",
    ],
)
def test_what_is_no_address_is_refused_and_nothing_is_written(url, tree, capsys):
    before = _files(tree)
    with pytest.raises(SystemExit):
        address.main([url], tree)
    assert "https://github.com/OWNER/NAME" in capsys.readouterr().err
    assert _files(tree) == before


def test_a_notebook_is_counted_anew_and_nothing_else_changes(tmp_path):
    path = tmp_path / "a.ipynb"
    output = nbformat.v4.new_output("execute_result", {"text/plain": "2"}, execution_count=1)
    cells = [
        nbformat.v4.new_markdown_cell("# A"),
        nbformat.v4.new_code_cell("1 + 1", execution_count=1, outputs=[output]),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    for text in ("import a", "import b"):
        address.write_first_cell(path, text)
        words, first, second = nbformat.read(path, as_version=4).cells
        assert words == cells[0]
        assert (first.source, first.execution_count, first.id) == (text, 1, "colab")
        assert (second.source, second.execution_count) == ("1 + 1", 2)
        assert second.outputs[0].execution_count == 2
