"""pyproject.toml and constraints.txt agree, and name everything that is imported."""

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


def _requirements(texts):
    return {canonicalize_name(Requirement(text).name): Requirement(text) for text in texts}


CORE = _requirements(PROJECT["dependencies"])
NOTEBOOKS, CONVERT, CORPUS, TEST = (
    _requirements(EXTRAS[extra]) for extra in ("notebooks", "convert", "corpus", "test")
)
# Python's own from 3.14 on; before, the library in the extra stands for it
NEWER_STANDARD_LIBRARY = {"compression"}
PINNED = _requirements(
    line for line in (ROOT / "constraints.txt").read_text().splitlines() if line[:1] != "#"
)


@pytest.mark.parametrize("name", [*CORE, *NOTEBOOKS, *TEST])
def test_the_tested_version_of_a_dependency_is_in_its_range(name):
    asked = {**CORE, **NOTEBOOKS, **TEST}[name]
    (pin,) = PINNED[name].specifier
    assert pin.operator == "=="
    assert asked.specifier.contains(pin.version)
    assert any(part.operator.startswith(">") for part in asked.specifier)


def test_torch_is_pinned_to_the_release_that_was_tested():
    assert str(PINNED["torch"]) == "torch==2.13.0"


def _imported(tree):
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - NEWER_STANDARD_LIBRARY - {"electra_lab"}


def _sources(kind):
    if kind == "package":
        return [path.read_text() for path in (ROOT / "electra_lab").rglob("*.py")]
    transform = TransformerManager().transform_cell
    return [
        transform(cell.source)
        for path in (ROOT / "notebooks").glob("*.ipynb")
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "code"
    ]


@pytest.mark.parametrize("kind", ["package", "notebooks"])
def test_all_that_is_imported_is_installed_with_the_notebooks(kind):
    """`make lab` installs the core and this extra, so nothing may be missing in the room. What only
    reads other libraries' checkpoints, or some forms of text, has an extra of its own, which its
    import names."""
    installed = CORE.keys() | NOTEBOOKS.keys()
    if kind == "package":
        installed |= CONVERT.keys() | CORPUS.keys()
    distributions = packages_distributions()
    sources = _sources(kind)
    assert sources
    names = set().union(*(_imported(ast.parse(source)) for source in sources))
    missing = {
        name
        for name in names
        if not {canonicalize_name(dist) for dist in distributions.get(name, [])} & installed
    }
    assert not missing


def test_the_tests_install_what_converts():
    assert CONVERT
    assert {name: TEST.get(name) for name in CONVERT} == CONVERT


def test_every_module_with_shapes_in_its_signatures_has_them_checked_in_the_tests(pytestconfig):
    *checked, typechecker = pytestconfig.getoption("--jaxtyping-packages").split(",")
    assert typechecker == "beartype.beartype"
    with_shapes = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "electra_lab").rglob("*.py")
        if "from jaxtyping import" in path.read_text()
    ]
    assert len(with_shapes) > 10
    assert not [
        name for name in with_shapes if not any(f"{name}.".startswith(f"{c}.") for c in checked)
    ]
