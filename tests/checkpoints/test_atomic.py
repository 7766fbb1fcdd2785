"""Atomic writing, with a real kill in the middle of it."""

import signal
import subprocess
import sys

import pytest

from electra_lab.checkpoints.atomic import atomic_file, atomic_folder

KILLED_WHILE_WRITING = """
import os, signal, sys
from electra_lab.checkpoints.atomic import atomic_folder
with atomic_folder(sys.argv[1]) as partial:
    (partial / "first").write_text("new")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_folder_appears_whole_and_files_of_others_stay(tmp_path):
    target = tmp_path / "deep" / "folder"
    with atomic_folder(target) as partial:
        (partial / "sub").mkdir()
        (partial / "sub" / "a").write_text("1")
        assert not target.exists()
    (target / "notes").write_text("mine")
    with atomic_folder(target) as partial:
        (partial / "sub").mkdir()
        (partial / "sub" / "a").write_text("2")
    assert (target / "sub" / "a").read_text() == "2"
    assert (target / "notes").read_text() == "mine"
    assert [path.name for path in target.parent.iterdir()] == ["folder"]


def test_a_block_that_fails_changes_nothing(tmp_path):
    target = tmp_path / "folder"
    with atomic_folder(target) as partial:
        (partial / "a").write_text("old")

    def fail_half_way():
        with atomic_folder(target) as partial:
            (partial / "a").write_text("new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert (target / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_kill_in_the_middle_leaves_the_old_folder_whole(tmp_path):
    target = tmp_path / "folder"
    with atomic_folder(target) as partial:
        (partial / "first").write_text("old")
    run = subprocess.run([sys.executable, "-c", KILLED_WHILE_WRITING, str(target)], timeout=60)
    assert run.returncode == -signal.SIGKILL
    assert (target / "first").read_text() == "old"
    with atomic_folder(target) as partial:
        (partial / "first").write_text("next")
    assert (target / "first").read_text() == "next"


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    file = tmp_path / "deep" / "table.json"
    with atomic_file(file) as partial:
        partial.write_text("old")

    def fail_half_way():
        with atomic_file(file) as partial:
            partial.write_text("ne")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert file.read_text() == "old"
    assert [path.name for path in file.parent.iterdir()] == ["table.json"]
