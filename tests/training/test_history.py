"""The rows of a run, wherever they are."""

import json

import pytest
import torch

from electra_lab.training.history import history_of

ROWS = [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.5}]


class Result:
    history = ROWS


@pytest.mark.parametrize("name", ["history.json", "finetuning.json"])
def test_rows_come_from_memory_from_a_result_and_from_either_kind_of_folder(tmp_path, name):
    (tmp_path / name).write_text(json.dumps({"recipe": {}, "history": ROWS}))
    for run in (ROWS, iter(ROWS), Result(), tmp_path, str(tmp_path)):
        assert history_of(run) == ROWS


def test_of_a_run_that_has_not_ended_the_rows_are_in_its_checkpoint(tmp_path):
    torch.save({"history": ROWS, "module": {"w": torch.zeros(3)}}, tmp_path / "checkpoint.pt")
    assert history_of(tmp_path) == ROWS


def test_what_is_no_run_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="is not the folder of a run: it has neither"):
        history_of(tmp_path)
    (tmp_path / "history.json").write_text("{}")
    with pytest.raises(ValueError, match="holds no history that can be read"):
        history_of(tmp_path)
    with pytest.raises(ValueError, match="got int"):
        history_of(3)
    with pytest.raises(ValueError, match="got list"):
        history_of([1, 2])
