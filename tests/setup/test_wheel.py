"""The wheel is enough: with it alone, away from the clone, models load and notebooks are copied."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
        + ["--wheel-dir", str(folder), str(ROOT)],
        check=True,
        capture_output=True,
    )
    (path,) = folder.glob("electra_lab-*.whl")
    return path


@pytest.fixture(scope="module")
def unpacked(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def _away_from_the_clone(unpacked, cwd, *command):
    """Run Python with the unpacked wheel in front of everything else."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        timeout=120,
    )


def _files(folder):
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and not {".ipynb_checkpoints", "__pycache__"} & set(path.parts)
    }


def test_the_wheel_carries_data_notebooks_and_licence_and_nothing_of_the_workshop(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert _files("electra_lab") <= set(names)
    for folder in ("data", "notebooks"):
        assert _files(folder)
        assert {f"electra_lab/_shipped/{name}" for name in _files(folder)} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert "electra_lab/py.typed" in names
    tops = {name.split("/")[0] for name in names}
    assert tops == {"electra_lab", next(top for top in tops if top.endswith(".dist-info"))}
    assert not [n for n in names if "__pycache__" in n or ".ipynb_checkpoints" in n]


def test_the_shipped_pair_loads_from_the_wheel_alone(unpacked, tmp_path):
    code = (
        "import electra_lab\n"
        "pair = electra_lab.load_pair('micro')\n"
        "print(electra_lab.__file__)\n"
        "print(pair)"
    )
    done = _away_from_the_clone(unpacked, tmp_path, "-c", code)
    assert done.returncode == 0, done.stderr
    where, pair = done.stdout.splitlines()
    assert Path(where).is_relative_to(unpacked)
    assert pair.startswith("Pair(generator=")


def test_lab_copies_the_notebooks_of_the_wheel(unpacked, tmp_path):
    folder = tmp_path / "notebooks"
    command = ("-m", "electra_lab", "lab", str(folder), "--version")  # JupyterLab's: no server
    done = _away_from_the_clone(unpacked, tmp_path, *command)
    assert done.returncode == 0, done.stderr
    shipped = sorted(p.name for p in (ROOT / "notebooks").glob("*.ipynb"))
    assert sorted(p.name for p in folder.iterdir()) == [*shipped, "glossary.md"]
    assert done.stdout.startswith(f"{len(shipped)} notebooks copied to {folder}.\n4.")


def test_lab_without_a_folder_asks_for_one(unpacked, tmp_path):
    done = _away_from_the_clone(unpacked, tmp_path, "-m", "electra_lab", "lab")
    assert done.returncode == 2
    assert "Name a folder: electra-lab lab my-electra-notebooks" in done.stderr
    assert "Traceback" not in done.stderr
