"""The comparison of predictions with transformers'."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from electra_lab.bench import inference
from electra_lab.model.config import ElectraConfig
from electra_lab.model.heads import ElectraForPreTraining


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A checkpoint as the bench makes it, but small; it takes the same ids."""
    config = ElectraConfig(
        embedding_size=8, hidden_size=16, num_hidden_layers=1, intermediate_size=16
    )
    ElectraForPreTraining(config).save_pretrained(tmp_path)
    inference.load_pair("micro").tokenizer.save_pretrained(tmp_path)
    return tmp_path


def test_the_ragged_batch_has_rows_of_every_length_and_nothing_behind_them():
    ids, mask = inference.batches()[inference.RAGGED]
    lengths = mask.sum(1)
    assert ids.shape == (32, 128)
    assert lengths.max() == 128
    assert 16 <= lengths.min() < 40
    assert len(set(lengths.tolist())) > 20
    assert (mask.cumprod(1) == mask).all()
    assert not ids[mask == 0].any()


def test_calls_are_made_in_turn_and_the_first_round_is_not_counted():
    called: list[str] = []
    seconds = inference.in_turn(lambda: called.append("a"), lambda: called.append("b"), 3)
    assert called == ["a", "b"] * 4
    assert [len(kept) for kept in seconds] == [3, 3]


def test_a_report_says_what_was_timed_and_where_it_is_kept(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    @contextmanager
    def checkpoint():
        yield tiny

    figures = {"transformers": 4.0, "electra_lab": 2.0, "ratio": 2.0}
    monkeypatch.setattr(inference, "small_checkpoint", checkpoint)
    monkeypatch.setattr(
        inference, "time_start", lambda *_: {"seconds": figures, "megabytes": figures}
    )
    threads = torch.get_num_threads()
    report = inference.run(2, threads=1, output=tmp_path / "out" / "speed.json")
    assert torch.get_num_threads() == threads
    assert report["threads"] == 1
    assert [row["shape"] for row in report["forward"]] == [*inference.SIZES, inference.RAGGED]
    assert all(row["ratio"] > 0 for row in report["forward"])
    assert json.loads((tmp_path / "out" / "speed.json").read_text()) == report
    assert inference.table(report) in capsys.readouterr().out


def test_models_that_differ_are_not_timed(tiny: Path, monkeypatch: pytest.MonkeyPatch):
    forward = inference.ElectraModel.forward

    def wrong(self, *args, **kwargs):
        output = forward(self, *args, **kwargs)
        output.last_hidden_state += 0.1
        return output

    monkeypatch.setattr(inference.ElectraModel, "forward", wrong)
    with pytest.raises(AssertionError, match="not close"):
        inference.time_forward(tiny, 1)


def test_a_fresh_process_says_when_it_has_predicted(tiny: Path):
    figures = inference.start("electra_lab", tiny)
    assert 0.2 < figures["seconds"] < 120
    assert figures["megabytes"] == 0 or 100 < figures["megabytes"] < 4_000


def test_a_process_that_fails_is_named(tmp_path: Path):
    with pytest.raises(RuntimeError, match="The process with electra_lab ended with status 1"):
        inference.start("electra_lab", tmp_path / "nothing")


def test_without_transformers_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("electra_lab.bench.report.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"electra-lab\[notebooks\]"):
        inference.run(1)
