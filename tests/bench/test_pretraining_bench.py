"""The comparison of a pre-training step with one composed from transformers' parts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from electra_lab.bench import pretraining
from electra_lab.bench.pretraining import Composed, batch_of, largest_difference, make_objective
from electra_lab.model.config import ElectraConfig

TINY = dict(
    vocab_size=300,
    embedding_size=8,
    hidden_size=128,
    num_hidden_layers=1,
    num_attention_heads=2,
    intermediate_size=32,
)


def test_both_steps_have_the_same_losses_and_gradients():
    config = ElectraConfig(**TINY, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    batch = batch_of(4, 16, config.vocab_size)
    ours = make_objective(config)
    theirs = Composed(ours)
    assert largest_difference(ours, theirs, batch) < 1e-5
    loss, replaced_ids = theirs.generate(batch)
    (loss + 50 * theirs.discriminate(replaced_ids, batch)).backward()
    log_probabilities, _ = ours.generate(batch)
    mlm = torch.nn.functional.nll_loss(
        log_probabilities, batch.original_ids.view(-1)[batch.positions]
    )
    (mlm + 50 * ours.main_loss(replaced_ids, batch)).backward()
    torch.testing.assert_close(
        ours.model.electra.embeddings.word.weight.grad,
        theirs.discriminator.electra.embeddings.word_embeddings.weight.grad,
        rtol=1e-4,
        atol=1e-5,
    )


def test_another_loss_is_noticed():
    config = ElectraConfig(**TINY)
    ours = make_objective(config)
    theirs = Composed(ours)
    with torch.no_grad():
        theirs.discriminator.discriminator_predictions.dense_prediction.bias += 1
    assert largest_difference(ours, theirs, batch_of(4, 16, config.vocab_size)) > 0.01


def test_the_batch_selects_what_may_be_selected():
    batch = batch_of(8, 128, 1_000)
    assert len(batch.positions) == 8 * 19
    assert (batch.original_ids.view(-1)[batch.positions] > pretraining.MASK).all()
    masked = batch.masked_ids == pretraining.MASK
    assert set(masked.view(-1).nonzero().squeeze(1).tolist()) <= set(batch.positions.tolist())


def test_the_counted_operations_grow_with_the_batch():
    config = ElectraConfig(**TINY)
    ours = make_objective(config)
    one, two = (
        pretraining.operations(ours, batch_of(rows, 16, config.vocab_size)) for rows in (2, 4)
    )
    assert one > 0
    assert two == pytest.approx(2 * one, rel=0.02)


def test_a_report_has_every_side_and_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = pretraining.run(
        1, steps=1, rows=2, tokens=16, threads=1, shape=TINY, output=tmp_path / "speed.json"
    )
    assert list(report["sides"]) == list(pretraining.SIDES)
    assert report["sides"]["transformers"]["ratio"] == 1.0
    assert all(row["step_ms"] > 0 for row in report["sides"].values())
    assert json.loads((tmp_path / "speed.json").read_text()) == report
    assert pretraining.table(report) in capsys.readouterr().out
