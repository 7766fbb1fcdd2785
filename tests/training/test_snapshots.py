"""Snapshots of a pre-training run: kept on the way, loaded as pairs, and no matter to the run."""

import json
from dataclasses import replace

import pytest
import torch

from electra_lab.checkpoints.pair import load_pair
from electra_lab.training.pretraining import pretrain
from electra_lab.training.snapshots import SNAPSHOTS_FOLDER, snapshots_of

from . import tiny

TINY = replace(
    tiny.TINY, sentences=120, steps=10, learning_rate=1e-2, checkpoint_every=5, snapshot_every=4
)


def run(recipe=TINY, output=None, **settings):
    return pretrain(recipe, output, device="cpu", progress=False, **settings)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return folder, run(output=folder)


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_the_pair_is_kept_before_the_first_step_every_so_many_and_after_the_last(whole):
    folder, result = whole
    kept = snapshots_of(folder)
    assert list(kept) == [0, 4, 8, 10]
    last = load_pair(kept[10])
    ours = weights(result.pair.discriminator)
    # half precision keeps eleven bits
    torch.testing.assert_close(weights(last.discriminator), ours, rtol=2**-11, atol=1e-7)
    assert last.generator.electra.embeddings is last.discriminator.electra.embeddings
    first = load_pair(kept[0])
    assert (weights(first.discriminator) - ours).abs().max() > 1e-2


def test_a_snapshot_is_in_half_precision_and_a_run_without_any_keeps_none(whole, tmp_path):
    folder, _ = whole
    config = json.loads((snapshots_of(folder)[4] / "discriminator" / "config.json").read_text())
    assert config["dtype"] == "float16"
    run(replace(TINY, snapshot_every=0), tmp_path, stop_after=1)
    assert not (tmp_path / SNAPSHOTS_FOLDER).exists()
    assert snapshots_of(tmp_path) == {}


def test_snapshots_change_nothing_and_a_run_may_be_resumed_with_another_interval(whole, tmp_path):
    _, result = whole
    run(replace(TINY, snapshot_every=0), tmp_path, stop_after=5)
    resumed = run(replace(TINY, snapshot_every=3), tmp_path, resume=True)
    assert list(snapshots_of(tmp_path)) == [6, 9, 10]
    assert torch.equal(weights(resumed.pair.discriminator), weights(result.pair.discriminator))


def test_a_run_that_was_begun_before_there_were_snapshots_can_go_on(whole):
    folder, _ = whole
    settings = torch.load(folder / "checkpoint.pt", weights_only=True)["settings"]
    assert "snapshot_every" not in settings
    assert settings["checkpoint_every"] == 5


def test_snapshots_without_a_place_or_a_pair_are_refused_before_training(tmp_path):
    with pytest.raises(ValueError, match="snapshot_every is 4, but there is no folder"):
        run()
    with pytest.raises(ValueError, match="'mlm' trains no discriminator, and a snapshot is a pair"):
        run(replace(TINY, objective="mlm"), tmp_path)
    assert not (tmp_path / "checkpoint.pt").exists()
    with pytest.raises(ValueError, match="snapshot_every is -1"):
        replace(TINY, snapshot_every=-1)
