"""What a learner did is remembered on this machine, in one small file that never stands in the way."""

import json
import os
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path

import pytest

import electra_lab.exercises.stored_progress as stored
from electra_lab import check, progress
from electra_lab.exercises.framework import NOTEBOOKS, registered
from electra_lab.exercises.progress_table import Progress
from electra_lab.exercises.status import Status


def right(scores, mask):
    hidden = mask[:, None, :] == 0
    return scores.masked_fill(hidden, -1e9).softmax(dim=-1)


def wrong(scores, mask):
    return scores.softmax(dim=-1)


def stub(scores, mask):
    raise NotImplementedError


@pytest.fixture
def place(tmp_path, monkeypatch):
    path = tmp_path / "new folder" / "done.json"
    monkeypatch.setenv("ELECTRA_LAB_PROGRESS", str(path))
    return path


def _line(notebook):
    (found,) = [line for line in repr(progress()).splitlines() if line.startswith(f"{notebook} ")]
    return found


def test_nothing_is_recorded_before_a_check_and_none_for_a_stub(place):
    everything = len(registered())
    assert check("03.2", stub).status is Status.NOT_ATTEMPTED
    assert repr(progress()).startswith(
        f"0 of {everything} exercises passed, 0 not yet, {everything} not attempted.\n"
    )
    assert not place.exists()


def test_a_mistake_and_then_success_are_remembered(place):
    assert not check("03.2", wrong).passed
    assert "; ".join(_line("03").split("; ")[:1]) == "03 attention: not yet 03.2"
    assert "\nNext: 03.2, turn scores into weights, none for padding." in repr(progress())
    assert check("03.2", right).passed
    assert _line("03").startswith("03 attention: passed 03.2; not attempted 03.1, 03.3")
    assert json.loads(place.read_text()) == {"exercises": {"03.2": "passed"}}


def test_what_was_passed_stays_passed(place):
    check("03.2", right)
    check("03.2", wrong)
    check("03.2", stub)
    assert progress().statuses["03.2"] is Status.PASSED


def test_each_notebook_has_its_line_with_all_of_its_exercises(place):
    shown = repr(progress())
    assert [line[:2] for line in shown.splitlines()[1 : len(NOTEBOOKS) + 1]] == list(NOTEBOOKS)
    assert all(number in shown for number in registered())


def test_reset_begins_anew(place):
    check("03.2", right)
    assert not progress(reset=True).with_status(Status.PASSED)
    assert not place.exists()
    assert repr(progress(reset=True)) == repr(progress())


def test_when_all_are_done_there_is_no_next_one():
    done = Progress({"03.1": "one"}, {"03.1": Status.PASSED}, None)
    assert repr(done).splitlines()[:3] == [
        "1 of 1 exercises passed, 0 not yet, 0 not attempted.",
        "03 attention: passed 03.1",
        "All are done.",
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"\xff\xfe\x00",
        b"[1, 2]",
        b"{}",
        b'{"exercises": ["03.1"]}',
        b'{"exercises": {"03.1": "perfect"}}',
        b'{"exercises": {"03.1": "not attempted yet"}}',
        b'{"exercises": {"03.1": ["passed"]}}',
        b"[" * 100_000,
    ],
)
@pytest.mark.parametrize("by", ["check", "progress"])
def test_a_damaged_file_is_set_aside_with_a_warning(place, content, by):
    place.parent.mkdir()
    place.write_bytes(content)
    with pytest.warns(UserWarning, match=r"was damaged\. It is now done\.damaged-1\.json"):
        assert check("03.2", right).passed if by == "check" else progress()
    assert (place.parent / "done.damaged-1.json").read_bytes() == content
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check("03.2", right)
    assert progress().statuses["03.2"] is Status.PASSED


def test_a_second_damaged_file_does_not_take_the_place_of_the_first(place):
    place.parent.mkdir()
    for content in ("one", "two"):
        place.write_text(content)
        with pytest.warns(UserWarning, match="damaged"):
            progress()
    kept = [place.with_name(f"done.damaged-{i}.json").read_text() for i in (1, 2)]
    assert kept == ["one", "two"]


def test_a_place_that_cannot_be_written_is_a_warning_and_the_result_stands(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    for where in (tmp_path / "file" / "done.json", tmp_path):
        monkeypatch.setenv("ELECTRA_LAB_PROGRESS", str(where))
        with pytest.warns(UserWarning, match=r"03\.2 is right, but was not recorded.*'off'"):
            assert check("03.2", right).passed
    with pytest.warns(UserWarning, match="could not be read"):
        assert not progress().with_status(Status.PASSED)
    with pytest.warns(UserWarning, match="could not be") as said:
        progress(reset=True)
    assert ["deleted" in str(one.message) for one in said] == [True, False]


def test_a_failed_write_leaves_the_record_whole(place, monkeypatch):
    check("03.2", right)
    before = place.read_bytes()

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.warns(UserWarning, match="No space left"):
        check("03.1", right)
    monkeypatch.undo()
    assert place.read_bytes() == before
    assert sorted(path.name for path in place.parent.iterdir() if "lock" not in path.name) == [
        "done.json"
    ]


def test_notebooks_that_check_at_once_lose_nothing(place, monkeypatch):
    monkeypatch.setattr(stored, "_LONGEST_WAIT", 120.0)  # a busy machine writes slowly
    numbers = list(registered())[:20]
    with ThreadPoolExecutor(8) as together:
        list(together.map(lambda number: stored.record(number, Status.PASSED), numbers))
    assert list(stored.stored_statuses()) == numbers


def test_an_exercise_of_another_version_is_kept_and_not_shown(place):
    place.parent.mkdir()
    place.write_text('{"exercises": {"99.1": "passed"}}')
    check("03.2", right)
    assert "99.1" not in repr(progress())
    assert json.loads(place.read_text())["exercises"] == {"03.2": "passed", "99.1": "passed"}


def test_off_records_nothing_and_says_so(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ELECTRA_LAB_PROGRESS", "off")
    check("03.2", right)
    assert repr(progress()).endswith("\nNothing is recorded, since ELECTRA_LAB_PROGRESS is 'off'.")
    assert not progress().with_status(Status.PASSED)
    assert not list(tmp_path.iterdir())


def test_a_clone_keeps_it_in_a_file_that_git_ignores(monkeypatch):
    monkeypatch.delenv("ELECTRA_LAB_PROGRESS")
    path = stored.progress_path()
    root = Path(__file__).resolve().parents[2]
    assert path.parent == root
    for name in (path.name, f"{path.name}.lock", ".progress.damaged-1.json"):
        ignored = subprocess.run(["git", "check-ignore", "-q", name], cwd=root)
        assert ignored.returncode == 0


def test_a_wheel_keeps_it_in_the_users_data_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("ELECTRA_LAB_PROGRESS")
    monkeypatch.setattr(stored, "in_clone", lambda: False)
    if sys.platform == "linux":
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
        assert stored.progress_path() == tmp_path / "electra-lab" / "progress.json"
    assert Path(sys.prefix) not in stored.progress_path().parents


def test_the_tests_record_nothing_and_neither_do_their_kernels_which_inherit_that():
    assert os.environ["ELECTRA_LAB_PROGRESS"] == "off"
    assert stored.progress_path() is None


class _Cells(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def test_the_table_has_headings_for_rows_and_columns_and_says_the_same(place):
    check("03.2", right)
    page = _Cells()
    page.feed(progress()._repr_html_())
    scopes = [attrs["scope"] for tag, attrs in page.tags if tag == "th"]
    assert scopes == ["col"] * 4 + ["row"] * len(NOTEBOOKS)
    assert page.tags[1][0] == "caption"
    assert all(number in page.text for number in registered())
    assert repr(progress()).splitlines()[0].rstrip(".") in page.text


def test_hostile_strings_are_text():
    hostile = '<img onerror="alert(1)">'
    shown = Progress(
        {f"{hostile}.1": hostile}, {f"{hostile}.1": Status.NOT_YET}, Path(f"/{hostile}/x.json")
    )
    page = _Cells()
    page.feed(shown._repr_html_())
    assert "img" not in [tag for tag, _ in page.tags]
    assert page.text.count(hostile) >= 3
