"""CONTRIBUTING.md's worked examples run as they stand, from the first line to the last of a section."""

import re
from pathlib import Path

import pytest

from electra_lab.exercises import framework
from electra_lab.training import objectives

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
SECTIONS = dict(re.findall(r"^## (An? [^\n]+)\n(.*?)(?=^## |\Z)", TEXT, flags=re.M | re.S))


@pytest.fixture
def nothing_stays(monkeypatch):
    """What an example registers is gone after it."""
    monkeypatch.setattr(framework, "_EXERCISES", dict(framework._EXERCISES))
    before = dict(objectives.OBJECTIVES)
    yield
    objectives.OBJECTIVES.clear()
    objectives.OBJECTIVES.update(before)


def test_there_is_an_example_of_each_kind():
    assert list(SECTIONS) == ["A head", "A view", "A task", "An objective", "An exercise"]


@pytest.mark.parametrize("section", SECTIONS)
def test_an_example_runs_and_its_claims_hold(section, nothing_stays, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", SECTIONS[section], flags=re.M | re.S))
    assert re.search(r"^\s*assert |assert_close", code, flags=re.M)
    exec(compile(code, f"CONTRIBUTING.md, {section}", "exec"), {"__name__": "example"})


def test_links_are_there():
    targets = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert len(targets) > 8
    assert not [name for name in targets if not (ROOT / name).exists()]


def test_it_says_what_was_not_tried():
    assert "Those two systems have not been tried." in TEXT
