"""binder/ agrees with pyproject.toml, and its scripts do what they say. The image itself is not built
here, and conda is not asked whether the ranges can be met."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
BINDER = ROOT / "binder"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ENVIRONMENT = yaml.safe_load((BINDER / "environment.yml").read_text())
# conda-forge's names where they differ: builds without CUDA, without Qt, without pandoc
CONDA_NAMES = {
    "torch": "pytorch-cpu",
    "matplotlib": "matplotlib-base",
    "nbconvert": "nbconvert-core",
}
FOR_CONDA = {"python", "pip", "nomkl"}
LEFT_OUT = {"accelerate"}
"""Nothing that a notebook runs imports it."""


def _conda():
    split = [re.match(r"([\w-]+)\s*(.*)", line).groups() for line in ENVIRONMENT["dependencies"]]
    return {
        canonicalize_name(name): SpecifierSet(rest.replace("python", ""))
        for name, rest in split
        if name not in FOR_CONDA
    }


def _asked():
    texts = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["notebooks"]
    requirements = map(Requirement, texts)
    return {
        canonicalize_name(CONDA_NAMES.get(one.name, one.name)): one.specifier
        for one in requirements
        if one.name not in LEFT_OUT
    }


def test_the_environment_has_what_the_notebooks_need_in_the_same_ranges():
    assert _conda() == _asked()


def test_the_tested_versions_are_in_the_ranges():
    pins = dict(
        line.split("==")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line and not line.startswith("#")
    )
    pips = {canonicalize_name(conda): pip for pip, conda in CONDA_NAMES.items()}
    for name, specifier in _conda().items():
        assert specifier.contains(pins[pips.get(name, name)]), name


def test_python_is_named_as_repo2docker_reads_it():
    """With a range in its place repo2docker would begin with a Python of its own choice."""
    (python,) = [line for line in ENVIRONMENT["dependencies"] if line.startswith("python")]
    (number,) = re.fullmatch(r"python=(3\.\d+)", python).groups()
    assert SpecifierSet(PROJECT["requires-python"]).contains(number)


def test_channels_are_named_and_no_host_is():
    assert ENVIRONMENT["channels"] == ["conda-forge", "nodefaults"]
    for path in BINDER.iterdir():
        if path.name in ("environment.yml", "postBuild", "start"):
            assert "://" not in path.read_text()


def test_nothing_that_is_left_out_is_imported_by_a_notebook():
    text = "".join(path.read_text() for path in (ROOT / "notebooks").glob("*.ipynb"))
    assert not [name for name in LEFT_OUT if f"import {name}" in text or f"from {name}" in text]


@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_a_script_is_valid_shell_and_may_be_run(name):
    path = BINDER / name
    assert os.access(path, os.X_OK)
    assert path.read_bytes().startswith(b"#!/bin/bash\n")
    subprocess.run(["bash", "-n", str(path)], check=True)


def test_start_limits_threads_unless_told_otherwise_and_runs_what_it_is_given():
    def said(**more):
        path = {"PATH": os.environ["PATH"]}
        show = ["sh", "-c", 'echo "$OMP_NUM_THREADS" "$1"', "sh", "a b"]
        command = [str(BINDER / "start"), *show]
        return subprocess.run(
            command, env=path | more, capture_output=True, text=True, check=True
        ).stdout

    assert said() == "2 a b\n"
    assert said(OMP_NUM_THREADS="1") == "1 a b\n"


def test_post_build_installs_the_kit_tries_it_and_leaves_no_cache(tmp_path):
    """With a stand-in for pip, which would need a network for the build backend."""
    home, bin_ = tmp_path / "home", tmp_path / "bin"
    for cache in ("pip", "conda", "huggingface", "matplotlib"):
        (home / ".cache" / cache).mkdir(parents=True)
    bin_.mkdir()
    python = bin_ / "python"
    python.write_text(
        f'#!/bin/bash\nif [ "$2" = pip ]; then echo "$@"; else exec "{sys.executable}" "$@"; fi\n'
    )
    python.chmod(0o755)
    done = subprocess.run(
        [str(BINDER / "postBuild")],
        cwd=ROOT,
        env={"PATH": f"{bin_}:{os.environ['PATH']}", "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[0] == "-m pip install --no-cache-dir --no-deps --editable ."
    assert "'boat'" in done.stdout
    assert [path.name for path in (home / ".cache").iterdir()] == ["matplotlib"]


def test_post_build_fails_where_the_kit_does_not_work(tmp_path):
    """An image that would show a broken notebook is not built."""
    python = tmp_path / "python"
    python.write_text('#!/bin/bash\nif [ "$2" = pip ]; then exit 0; else exit 1; fi\n')
    python.chmod(0o755)
    done = subprocess.run(
        [shutil.which("bash"), str(BINDER / "postBuild")],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path)},
        capture_output=True,
    )
    assert done.returncode != 0
