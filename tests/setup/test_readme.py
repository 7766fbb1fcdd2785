"""The README says what is so: its commands exist, its code runs, its files and numbers are there."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from electra_lab.bench import inference, pretraining
from electra_lab.bench.microworld import table
from electra_lab.bench.task_results import load_results, summary_table
from electra_lab.checkpoints.resources import data_path
from electra_lab.cli import app

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
LINES = [
    line.partition("  #")[0].strip()
    for kind, block in BLOCKS
    if kind == "sh"
    for line in block.splitlines()
]
OURS = ("electra-lab ", "python -m electra_lab ")


def _commands(prefixes):
    found = []
    for line in LINES:
        for prefix in prefixes:
            if (place := line.find(prefix)) >= 0:
                found.append(line[place + len(prefix) :])
    return found


def test_there_are_commands_to_check():
    assert len(_commands(OURS)) >= 4
    assert {"lab", "test"} <= set(_commands(("make ",)))


@pytest.mark.parametrize("line", _commands(OURS))
def test_a_command_of_the_package_is_understood(line):
    result = CliRunner().invoke(app, [*shlex.split(line), "--help"])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("line", _commands(("make ",)))
def test_a_target_of_make_exists(line):
    done = subprocess.run(
        ["make", "--dry-run", *shlex.split(line)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("line", [line for line in LINES if " -m pip install " in line])
def test_what_pip_is_told_to_install_is_here(line):
    words = shlex.split(line)
    assert "-c" not in words or (ROOT / words[words.index("-c") + 1]).is_file()
    assert "-e" not in words or words[words.index("-e") + 1] in (
        ".[notebooks]",
        ".[notebooks,test]",
    )


def test_the_raw_commands_are_those_of_make():
    """What stands in the README for people without make does the same as the Makefile."""
    makefile = (ROOT / "Makefile").read_text().replace("\\\n\t\t", "").replace("$(JOBS)", "2")
    for line in LINES:
        if " -m pytest " in line or " -m ruff " in line or " -m mypy" in line:
            assert line.partition(" -m ")[2] in makefile


@pytest.mark.parametrize("code", [block for kind, block in BLOCKS if kind == "python"])
def test_the_code_runs(code, capsys):
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out.strip()


def test_links_and_pictures_are_there():
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)|<img[^>]* src=\"([^\"]+)\"", README)
    local = [a or b for a, b in targets if "://" not in (a or b)]
    assert local
    assert not [name for name in local if not (ROOT / name).exists()]


def _tree():
    """The paths in the file tree, which is indented by two spaces per folder."""
    (block,) = [block for _, block in BLOCKS if block.startswith("electra_lab/")]
    folders: list[str] = []
    for line in block.splitlines():
        name = line.split()[0]
        depth = (len(line) - len(line.lstrip())) // 2
        folders = [*folders[:depth], name]
        yield "".join(folders)


def test_the_file_tree_names_each_module_once_and_no_other():
    named = [name for name in _tree() if name.endswith((".py", ".js", ".css"))]
    there = {
        path.relative_to(ROOT).as_posix()
        for suffix in ("py", "js", "css")
        for path in (ROOT / "electra_lab").rglob(f"*.{suffix}")
        if path.name != "__init__.py"
    }
    assert len(named) == len(set(named))
    assert {name for name in named if name.startswith("electra_lab/")} == there
    assert not [name for name in _tree() if not (ROOT / name).exists()]


def test_the_path_names_each_notebook():
    assert set(re.findall(r"notebooks/(\w+\.ipynb)", README)) == {
        path.name for path in (ROOT / "notebooks").glob("*.ipynb")
    }


def test_the_numbers_are_those_of_the_command():
    report = json.loads(data_path("results", "microworld.json").read_text())
    assert report["command"] in _whole_lines()
    assert table(report) in README


@pytest.mark.parametrize("bench", [inference, pretraining])
def test_the_speeds_are_those_of_the_command(bench):
    report = json.loads(data_path("results", f"{bench.__name__.split('.')[-1]}.json").read_text())
    assert report["command"] in _whole_lines()
    assert bench.table(report) in README


def test_the_task_table_is_that_of_the_command():
    report = load_results()
    assert report["command"] in _whole_lines()
    assert summary_table(report) in README


def _whole_lines():
    return [line for line in LINES if line.startswith("electra-lab bench")]
