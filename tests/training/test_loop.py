"""The loop with a module that is no ELECTRA at all: rows, callbacks, checkpoints, resume, errors."""

import errno
import weakref
from dataclasses import dataclass

import pytest
import torch
from torch import nn

from electra_lab.training.checkpoint import CHECKPOINT_FILE
from electra_lab.training.loop import train
from electra_lab.training.optimization import linear_schedule, make_optimizer
from electra_lab.training.progress import NonFiniteLossError
from electra_lab.training.state import Callback


@dataclass
class Numbers:
    values: torch.Tensor
    tokens: int = 8

    def to(self, device):
        return Numbers(self.values.to(device), self.tokens)


@dataclass
class Result:
    loss: torch.Tensor
    parts: dict


class Source:
    def batch(self, step: int) -> Numbers:
        return Numbers(torch.randn(8, 4, generator=torch.Generator().manual_seed(step)))


class Regression(nn.Module):
    """Learns the mean of its inputs, with dropout, so that the random state matters."""

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(width, 8), nn.Dropout(0.5), nn.Linear(8, 1))

    def forward(self, batch: Numbers) -> Result:
        error = (self.layers(batch.values).squeeze(-1) - batch.values.mean(1)).square().mean()
        return Result(error, {"squared_error": error.detach()})


def run(module=None, *, steps=20, faithful=False, **settings):
    if module is None:
        torch.manual_seed(0)
        module = Regression()
    options = {"log_every": 5, "progress": False} | settings
    return train(
        module,
        options.pop("source", Source()),
        make_optimizer(module, 0.01, faithful=faithful),
        linear_schedule(steps, 4),
        steps=steps,
        **options,
    )


def curve(state) -> list[tuple]:
    timings = ("seconds", "tokens_per_second")
    return [tuple((k, v) for k, v in row.items() if k not in timings) for row in state.history]


def weights(state) -> list[torch.Tensor]:
    return [p.detach().clone() for p in state.module.parameters()]


def test_nothing_of_a_step_lives_on_beside_the_next_one():
    """What a graph keeps for its way back is the largest part of a step's memory."""
    losses = []

    class Watched(Regression):
        def forward(self, batch: Numbers) -> Result:
            assert all(loss() is None for loss in losses)
            result = super().forward(batch)
            losses.append(weakref.ref(result.loss))
            return result

    run(Watched(), steps=6)
    assert len(losses) == 6


def test_a_row_holds_the_means_since_the_row_before():
    seen = []

    class Watch(Callback):
        def on_step(self, state):
            seen.append(state.step)

    losses = []

    class Noting(Regression):
        def forward(self, batch):
            result = super().forward(batch)
            losses.append(result.loss.item())
            return result

    torch.manual_seed(0)
    state = run(Noting(), steps=12, callbacks=[Watch()])
    assert seen == list(range(1, 13))
    assert [row["step"] for row in state.history] == [5, 10, 12]
    for row, part in zip(state.history, (losses[:5], losses[5:10], losses[10:]), strict=True):
        assert row["loss"] == pytest.approx(sum(part) / len(part), rel=1e-5)
        assert row["squared_error"] == row["loss"]
        assert row["tokens_per_second"] > 0
        assert row["gradient_norm"] > 0
    assert state.history[-1]["learning_rate"] == pytest.approx(0.01 / 8)
    assert state.history[0]["seconds"] <= state.history[1]["seconds"] <= state.seconds


def test_the_same_seed_gives_the_same_run_and_another_seed_another():
    first, again, other = (run(seed=seed) for seed in (1, 1, 2))
    assert curve(first) == curve(again)
    assert curve(first) != curve(other)


@pytest.mark.parametrize("faithful", [False, True])
@pytest.mark.parametrize("stop", [7, 10])
def test_a_run_in_two_parts_is_the_run_in_one_bit_for_bit(tmp_path, stop, faithful):
    whole = run(faithful=faithful)
    first = run(faithful=faithful, folder=tmp_path, stop_after=stop)
    assert first.step == stop
    spent = torch.load(tmp_path / CHECKPOINT_FILE, weights_only=True)["seconds"]
    torch.manual_seed(99)
    module = Regression()
    second = run(module, faithful=faithful, folder=tmp_path, resume=True)
    assert second.step == 20
    for ours, theirs in zip(weights(second), weights(whole), strict=True):
        assert torch.equal(ours, theirs)
    if stop % 5 == 0:
        assert curve(second) == curve(whole)
    assert second.seconds > spent > 0


def test_a_finished_run_is_taken_up_without_a_step(tmp_path):
    whole = run(folder=tmp_path)
    again = run(Regression(), folder=tmp_path, resume=True)
    assert curve(again) == curve(whole)
    assert all(map(torch.equal, weights(again), weights(whole)))


def test_resume_without_a_checkpoint_begins_at_the_beginning(tmp_path):
    assert curve(run(folder=tmp_path / "new", resume=True)) == curve(run())


def test_the_random_state_outside_is_left_as_it_was():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    module = Regression()
    torch.manual_seed(5)
    run(module)
    assert torch.equal(torch.rand(3), expected)


def test_looking_on_changes_nothing():
    class Evaluation:
        def on_log(self, row):
            torch.rand(10)
            row["accuracy"] = 0.5

        def on_step(self, state):
            state.module.eval()
            torch.rand(3)

    watched = run(callbacks=[Evaluation()])
    assert all(row["accuracy"] == 0.5 for row in watched.history)
    assert all(map(torch.equal, weights(watched), weights(run())))


def test_callbacks_need_only_the_methods_that_they_use():
    called = []

    class Some:
        def on_start(self, state):
            called.append(("start", state.step))

        def on_end(self, state):
            called.append(("end", state.step))

    run(callbacks=[object(), Some()])
    assert called == [("start", 0), ("end", 20)]


def test_the_bar_shows_loss_speed_and_time_left(capsys):
    run(progress=True)
    shown = capsys.readouterr().err
    assert "20/20" in shown
    assert "tokens/s" in shown
    assert "loss" in shown


def test_nan_stops_the_run_names_the_step_and_leaves_the_checkpoint_before_it(tmp_path):
    class Poisoned(Source):
        def batch(self, step):
            batch = super().batch(step)
            if step == 11:
                batch.values[0, 0] = float("nan")
            return batch

    with pytest.raises(NonFiniteLossError, match=r"at step 12: loss = nan"):
        run(folder=tmp_path, checkpoint_every=3, source=Poisoned())
    content = torch.load(tmp_path / CHECKPOINT_FILE, weights_only=True)
    assert content["step"] == 9
    assert all(p.isfinite().all() for p in content["module"].values())
    healed = run(Regression(), folder=tmp_path, checkpoint_every=3, resume=True)
    assert all(map(torch.equal, weights(healed), weights(run())))


def test_a_gradient_that_overflows_is_found_before_the_checkpoint_it_would_spoil(tmp_path):
    class Steep(Regression):
        def forward(self, batch):
            result = super().forward(batch)
            # finite itself, with an infinite gradient
            steep = (self.layers[0].weight.sum() * 0).abs().sqrt()
            return Result(result.loss + steep, result.parts)

    with pytest.raises(NonFiniteLossError, match="gradient_norm = nan"):
        run(Steep(), folder=tmp_path, checkpoint_every=1)
    assert not (tmp_path / CHECKPOINT_FILE).exists()


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), RuntimeError])
def test_a_full_disk_while_saving_leaves_the_last_checkpoint_whole(tmp_path, monkeypatch, error):
    run(folder=tmp_path, stop_after=10)
    whole = (tmp_path / CHECKPOINT_FILE).read_bytes()

    def full(content, path):
        path.write_bytes(b"half of it")
        raise error if isinstance(error, OSError) else error("PytorchStreamWriter failed writing")

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", full)
        with pytest.raises(OSError, match=r"Could not write .*checkpoint\.pt"):
            run(Regression(), folder=tmp_path, resume=True)
    assert (tmp_path / CHECKPOINT_FILE).read_bytes() == whole
    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT_FILE]
    assert all(
        map(torch.equal, weights(run(Regression(), folder=tmp_path, resume=True)), weights(run()))
    )


def test_a_checkpoint_of_another_shape_is_refused_and_names_the_parameter(tmp_path):
    run(folder=tmp_path, stop_after=5)
    module = Regression(width=5)
    before = [p.detach().clone() for p in module.parameters()]
    with pytest.raises(ValueError, match=r"layers\.0\.weight: \(8, 4\) there, \(8, 5\) here"):
        run(module, folder=tmp_path, resume=True)
    assert all(map(torch.equal, before, module.parameters()))


def test_a_checkpoint_with_other_settings_is_refused_and_names_them(tmp_path):
    run(folder=tmp_path, stop_after=5, settings={"rate": 0.1, "depth": 2})
    with pytest.raises(ValueError, match=r"rate: 0\.1 there, 0\.2 here"):
        run(Regression(), folder=tmp_path, resume=True, settings={"rate": 0.2, "depth": 2})
    with pytest.raises(ValueError, match="total_steps: 20 there, 40 here"):
        run(
            Regression(), folder=tmp_path, resume=True, steps=40, settings={"rate": 0.1, "depth": 2}
        )


def test_a_checkpoint_older_than_a_setting_was_made_with_its_default(tmp_path):
    run(folder=tmp_path, stop_after=5, settings={"rate": 0.1})
    newer = {"rate": 0.1, "depth": 2}
    with pytest.raises(ValueError, match="depth: 2 there, 3 here"):
        run(
            Regression(),
            folder=tmp_path,
            resume=True,
            settings={**newer, "depth": 3},
            defaults={"rate": 0.5, "depth": 2},
        )
    state = run(
        Regression(),
        folder=tmp_path,
        resume=True,
        settings=newer,
        defaults={"rate": 0.5, "depth": 2},
    )
    assert state.step == state.total_steps


def test_a_damaged_checkpoint_is_refused_by_its_name(tmp_path):
    run(folder=tmp_path, stop_after=5)
    file = tmp_path / CHECKPOINT_FILE
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"checkpoint\.pt is no checkpoint that can be read"):
        run(folder=tmp_path, resume=True)


def test_a_new_run_does_not_write_over_an_old_one(tmp_path):
    run(folder=tmp_path, stop_after=5)
    whole = (tmp_path / CHECKPOINT_FILE).read_bytes()
    with pytest.raises(FileExistsError, match="resume=True"):
        run(folder=tmp_path)
    assert (tmp_path / CHECKPOINT_FILE).read_bytes() == whole


def test_resume_needs_a_folder():
    with pytest.raises(ValueError, match="resume needs the folder"):
        run(resume=True)
