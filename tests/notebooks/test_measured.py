"""Each notebook fits into the memory of a small machine, as measured; the README says the same."""

import importlib.util
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("measure", Path(__file__).parent / "measure.py")
measure = importlib.util.module_from_spec(spec)
spec.loader.exec_module(measure)

REPORT = measure.load_results()
README = (ROOT / "README.md").read_text()


def test_notebooks_were_measured_by_the_command():
    assert REPORT["command"] == measure.COMMAND
    assert REPORT["notebooks"]


@pytest.mark.parametrize("name", REPORT["notebooks"])
def test_a_notebook_needs_less_than_a_gigabyte(name):
    found = REPORT["notebooks"][name]
    assert (ROOT / "notebooks" / f"{name}.ipynb").is_file()
    assert 50 < found["peak_mb"] < measure.LIMIT_MB
    assert found["seconds"] > 0
    assert found["date"]
    assert found["versions"]["torch"]


def test_the_readme_says_what_was_measured_once_all_were():
    said = re.findall(r"The notebook that needs most memory[^)]*\)\.", README.replace("\n", " "))
    everything = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    complete = set(REPORT["notebooks"]) == everything
    assert said == ([measure.sentence(REPORT)] if complete else [])


def test_memory_that_a_notebook_takes_is_found(tmp_path):
    """120 MB more are seen, though they are given back before the end."""
    found = {}
    for name, code in (("nothing", "x = 1"), ("much", "x = b'1' * 120_000_000")):
        path = tmp_path / f"{name}.ipynb"
        cells = [nbformat.v4.new_code_cell(code), nbformat.v4.new_code_cell("del x")]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
        found[name] = measure.measure(path)
    assert 100 < found["much"]["peak_mb"] - found["nothing"]["peak_mb"] < 140
    assert found["nothing"]["peak_mb"] < 200
    assert found["nothing"]["seconds"] > 0
