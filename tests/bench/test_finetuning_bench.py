"""The comparison of an epoch of fine-tuning with transformers' Trainer."""

import json
from contextlib import contextmanager

import pytest
import torch

from electra_lab.bench import finetuning
from electra_lab.model.config import ElectraConfig
from electra_lab.model.task_heads import ElectraForSequenceClassification
from electra_lab.training.examples import LengthBuckets


@pytest.fixture
def tiny(tmp_path):
    config = ElectraConfig(vocab_size=60, embedding_size=8, hidden_size=16, num_hidden_layers=1,
                           intermediate_size=16)  # fmt: skip
    ElectraForSequenceClassification(config).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def test_sentences_have_all_lengths_and_both_labels():
    found = finetuning.sentences(300, 60)
    lengths = {example.length for example in found.examples}
    assert lengths == set(range(8, 33))
    assert {example.label for example in found.examples} == {0, 1}
    ids = [i for example in found.examples for i in example.input_ids[0]]
    assert min(ids) >= 5
    assert max(ids) < 60


def test_both_sides_train_on_the_same_batches_in_their_order(tiny, monkeypatch):
    buckets = LengthBuckets(finetuning.sentences(70, 60), 32)
    batches = [buckets.batch(step) for step in range(buckets.batches_per_epoch)]
    from transformers import ElectraForSequenceClassification as Theirs

    seen = {}
    for kind, train in (
        (Theirs, finetuning.theirs),
        (ElectraForSequenceClassification, finetuning.ours),
    ):
        model = kind.from_pretrained(tiny)
        before = [p.detach().clone() for p in model.parameters()]
        took = []
        model.register_forward_pre_hook(
            lambda _, args, given, took=took: took.append(given["input_ids"].clone()),
            with_kwargs=True,
        )
        assert train(model, batches) > 0
        assert any(not torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
        seen[kind] = took
    expected = [batch.inputs["input_ids"] for batch in batches]
    for took in seen.values():
        assert len(took) == len(expected) == 3
        assert all(torch.equal(a, b) for a, b in zip(took, expected, strict=True))


def test_a_report_says_what_was_timed_and_where_it_is_kept(tiny, tmp_path, monkeypatch, capsys):
    @contextmanager
    def checkpoint():
        yield tiny, "tiny"

    monkeypatch.setattr(finetuning, "checkpoint", checkpoint)
    monkeypatch.setattr(finetuning, "keep_freed_memory", lambda: False)
    threads = torch.get_num_threads()
    file = tmp_path / "out" / "finetuning.json"
    report = finetuning.run(1, threads=1, sentences_per_epoch=40, output=file)
    assert torch.get_num_threads() == threads
    assert (report["sentences"], report["model"], report["rounds"]) == (40, "tiny", 1)
    assert report["share"] > 0
    assert json.loads(file.read_text()) == report
    assert finetuning.table(report) in capsys.readouterr().out


def test_the_share_is_the_median_of_the_rounds():
    found = finetuning._summary(
        {"transformers": [10.0, 10.0, 20.0], "electra_lab": [5.0, 8.0, 12.0]}
    )
    assert found == {"transformers_seconds": 10.0, "electra_lab_seconds": 8.0, "share": 0.6}


def test_without_accelerate_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("electra_lab.bench.finetuning.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="pip install accelerate"):
        finetuning.run(1)
