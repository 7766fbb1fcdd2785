"""The files that others' tools read: how to cite, what changed, what is run on whose machines."""

import re
import tomllib
from pathlib import Path

import yaml
from packaging.specifiers import SpecifierSet

import electra_lab

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text())
JOB = WORKFLOW["jobs"]["test"]


def test_the_citation_agrees_with_the_package():
    assert CITATION["cff-version"] == "1.2.0"
    assert {"message", "title", "type"} <= set(CITATION)
    assert CITATION["version"] == PROJECT["version"] == electra_lab.__version__
    assert CITATION["license"] == PROJECT["license"]
    assert CITATION["keywords"] == PROJECT["keywords"]


def test_the_citation_names_no_person_but_the_papers_authors():
    assert CITATION["authors"] == [{"name": "electra_lab contributors"}]
    (paper,) = CITATION["references"]
    assert paper["url"] in (ROOT / "README.md").read_text()
    assert [author["family-names"] for author in paper["authors"]] == [
        "Clark",
        "Luong",
        "Le",
        "Manning",
    ]


def test_the_change_log_begins_with_this_version():
    versions = re.findall(r"^## (\S+?),? ", (ROOT / "CHANGELOG.md").read_text(), flags=re.M)
    assert versions[0] == PROJECT["version"]


def test_the_workflow_runs_make_test_everywhere_with_both_ends_of_the_pythons():
    matrix = JOB["strategy"]["matrix"]
    assert [name.split("-")[0] for name in matrix["system"]] == ["ubuntu", "macos", "windows"]
    oldest, newest = matrix["python"]
    wanted = SpecifierSet(PROJECT["requires-python"])
    assert wanted.contains(oldest)
    assert not wanted.contains(f"3.{int(oldest.split('.')[1]) - 1}")
    assert int(newest.split(".")[1]) > int(oldest.split(".")[1])
    commands = [step["run"] for step in JOB["steps"] if "make" in step.get("run", "")]
    assert len(commands) == 2
    assert all(command.startswith("make test ") for command in commands)


def test_the_workflow_may_only_read():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert JOB["timeout-minutes"] <= 90
