"""The Makefile: a wrong Python is refused in words, variables arrive where they are used."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def make(*arguments, **options):
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        **options,
    )


@pytest.fixture
def old_python(tmp_path):
    """A Python that says it is 3.9."""
    path = tmp_path / "python3.9"
    path.write_text('#!/bin/sh\ncase "$1" in -V) echo "Python 3.9.1";; *) exit 1;; esac\n')
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("target", ["lab", "test"])
def test_an_old_python_is_refused_by_its_version(target, old_python, tmp_path):
    done = make(target, f"PYTHON={old_python}", f"VENV={tmp_path / 'venv'}")
    assert done.returncode == 2
    assert "needs Python 3.11 or newer" in done.stdout
    assert "is Python 3.9.1" in done.stdout
    assert not (tmp_path / "venv").exists()


def test_a_missing_python_is_named(tmp_path):
    done = make("lab", "PYTHON=python-of-nowhere", f"VENV={tmp_path / 'venv'}")
    assert done.returncode == 2
    assert "There is no python-of-nowhere." in done.stdout


def test_lab_args_and_device_arrive(tmp_path):
    """With an installed .venv in place, `make lab` runs one command, and pip is not asked."""
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    python = venv / "bin" / "python"
    python.write_text('#!/bin/sh\necho "$@" "on $ELECTRA_LAB_DEVICE"\n')
    python.chmod(0o755)
    (venv / ".notebooks-installed").touch()
    done = make("lab", f"VENV={venv}", "DEVICE=cuda", "LAB_ARGS=--no-browser --port=1")
    assert done.stdout.splitlines()[-1] == "-m electra_lab lab --no-browser --port=1 on cuda"
    assert "pip" not in done.stdout


def test_a_changed_pyproject_asks_pip_again(tmp_path):
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").touch()
    stamp = venv / ".notebooks-installed"
    stamp.touch()
    assert "pip install" not in make("--dry-run", "lab", f"VENV={venv}").stdout
    newer = make("--dry-run", "lab", f"VENV={venv}", "--what-if=pyproject.toml")
    assert '-m pip install -c constraints.txt -e ".[notebooks]"' in newer.stdout


def test_a_venv_whose_python_is_gone_is_made_anew(tmp_path):
    venv = tmp_path / "venv"
    venv.mkdir()
    (venv / ".notebooks-installed").touch()
    said = make("--dry-run", "lab", f"VENV={venv}").stdout
    assert "-m venv" in said
    assert "pip install" in said
