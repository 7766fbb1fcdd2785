"""Two processes train what one process trains."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from electra_lab.text.microworld import MicroWorld
from electra_lab.training.batches import MaskedBatches
from electra_lab.training.checkpoint import CHECKPOINT_FILE
from electra_lab.training.distributed import Ranks
from electra_lab.training.objectives import MaskedBatch

from .tiny import TINY, write_recipe

# full rows, a loss without samples and no dropout: what remains is the arithmetic
PROGRAM = """
import json, sys
from pathlib import Path
import torch
from electra_lab.model.config import ElectraConfig
from electra_lab.text.microworld import MicroWorld
from electra_lab.training.batches import MaskedBatches
from electra_lab.training.distributed import Ranks, process_group
from electra_lab.training.loop import train
from electra_lab.training.objectives import make_objective
from electra_lab.training.optimization import linear_schedule, make_optimizer

with process_group():
    ranks = Ranks.here()
    config = ElectraConfig.from_preset("micro", vocab_size=60, hidden_dropout_prob=0.0,
                                       attention_probs_dropout_prob=0.0)
    torch.manual_seed(5 + ranks.rank)  # another model on each rank, until the first is sent round
    objective = make_objective("mlm", config, config)
    rows = torch.randint(5, 60, (64, 12), generator=torch.Generator().manual_seed(0)).tolist()
    source = MaskedBatches(rows, special_ids=range(5), pad_id=0, mask_id=4, batch_size=16, seed=1,
                           probability=0.25, mask_share=1.0, ranks=ranks)
    state = train(objective, source, make_optimizer(objective, 1e-2), linear_schedule(6), steps=6,
                  log_every=1, progress=False)
    told = {"losses": [row["loss"] for row in state.history], "size": ranks.size,
            "parameters": [float(p.double().sum()) for p in objective.parameters()]}
    Path(sys.argv[1], f"rank{ranks.rank}.json").write_text(json.dumps(told))
"""
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}


def whole_batch(rows: int, seq: int) -> MaskedBatch:
    torch.manual_seed(rows * 100 + seq)
    ids = torch.randint(1, 99, (rows, seq))
    positions = torch.randperm(rows * seq)[: rows * seq // 3].sort().values
    masked = ids.clone()
    masked.view(-1)[positions] = 0
    return MaskedBatch(ids, masked, positions, torch.ones_like(ids))


@given(st.integers(1, 4), st.integers(1, 5), st.integers(2, 9))
@settings(max_examples=40, deadline=None)
def test_the_parts_of_a_batch_are_the_batch(size: int, rows: int, seq: int) -> None:
    batch = whole_batch(size * rows, seq)
    parts = [batch.part(rank, size) for rank in range(size)]
    for rank, part in enumerate(parts):
        assert torch.equal(part.original_ids, batch.original_ids[rank::size])
        # each part's positions are where its own rows are masked
        assert torch.equal(part.positions, (part.masked_ids == 0).view(-1).nonzero().squeeze(1))
        assert part.attention_mask is not None
        assert len(part.attention_mask) == rows
    assert sum(len(part.positions) for part in parts) == len(batch.positions)


def test_no_sequence_is_seen_twice_in_an_epoch() -> None:
    rows = [[2, 10 + number, 3] for number in range(32)]
    sources = [
        MaskedBatches(
            rows, special_ids=(0, 2, 3, 4), pad_id=0, mask_id=4, batch_size=8, ranks=Ranks(rank, 2)
        )
        for rank in range(2)
    ]
    seen = [
        int(token)
        for step in range(4)
        for source in sources
        for token in source.batch(step).original_ids[:, 1]
    ]
    assert sorted(seen) == list(range(10, 42))


def test_a_batch_that_cannot_be_shared_is_refused() -> None:
    with pytest.raises(ValueError, match="batch of 9 sequences cannot be shared equally by 2"):
        MaskedBatches([[2, 5, 3]] * 9, special_ids=(), pad_id=0, mask_id=4, batch_size=9,
                      ranks=Ranks(0, 2))  # fmt: skip


def test_without_other_processes_nothing_is_done() -> None:
    ranks = Ranks.here()
    module = torch.nn.Linear(2, 2)
    values = torch.ones(3)
    assert (ranks.rank, ranks.size, ranks.seed(7)) == (0, 1, 7)
    assert ranks.wrap(module) is module
    assert ranks.mean(values) is values
    assert ranks.gather({"a": values}) == [{"a": values}]
    assert Ranks(1, 2).seed(7) != 7


def test_two_ranks_hold_the_same_parameters_and_have_the_losses_of_one(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    told = {}
    for name, command in (("one", [sys.executable]), ("two", TORCHRUN)):
        folder = tmp_path / name
        folder.mkdir()
        subprocess.run(
            [*command, str(program), str(folder)],
            check=True, env=environment(), timeout=180, capture_output=True,
        )  # fmt: skip
        told[name] = [json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))]
    (one,), (first, second) = told["one"], told["two"]
    assert (one["size"], first["size"], second["size"]) == (1, 2, 2)
    assert first["parameters"] == second["parameters"]
    assert first["losses"] == second["losses"]
    assert first["losses"] == pytest.approx(one["losses"], abs=1e-5)
    assert first["parameters"] == pytest.approx(one["parameters"], abs=1e-3)
    assert first["losses"][-1] < first["losses"][0]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_run_goes_on_after_one_of_its_processes_was_killed(tmp_path: Path) -> None:
    recipe = tmp_path / "tiny.toml"

    def write(steps: int) -> None:
        write_recipe(replace(TINY, steps=steps, warmup_steps=0, log_every=1), recipe)

    def command(output: Path, *more: str) -> list[str]:
        words = ["-m", "electra_lab", "pretrain", "--recipe", str(recipe), "--device", "cpu"]
        return [*TORCHRUN, *words, "--output", str(output), *more]

    write(300)
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    with subprocess.Popen(
        command(broken), env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        deadline = time.monotonic() + 120
        while not (broken / CHECKPOINT_FILE).is_file() and time.monotonic() < deadline:
            assert process.poll() is None, "the run ended before it wrote a checkpoint"
            time.sleep(0.01)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(children[-1]), signal.SIGKILL)
    assert process.returncode != 0
    assert 0 < torch.load(broken / CHECKPOINT_FILE, weights_only=True)["step"] < 300
    for words in (command(broken, "--resume"), command(whole)):
        done = subprocess.run(
            words, env=environment(), timeout=240, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
        assert done.stdout.count("300 steps") == 1  # the first rank speaks for all
    curves = [
        [row["loss"] for row in json.loads((folder / "history.json").read_text())["history"]]
        for folder in (broken, whole)
    ]
    assert len(curves[0]) == 300
    assert curves[0] == curves[1]


def test_two_ranks_read_a_text_together_and_learn_what_one_does(tmp_path: Path) -> None:
    """Tokenised once, by the first; each takes its half of every batch."""
    text = tmp_path / "text.txt"
    sentences = MicroWorld().texts(400, seed=0)
    paragraphs = [" ".join(sentences[start : start + 4]) for start in range(0, 400, 4)]
    text.write_text("\n\n".join(paragraphs) + "\n", encoding="utf-8")
    recipe = replace(
        TINY,
        objective="mlm",  # its loss has nothing that each rank draws for itself
        text=str(text),
        max_length=32,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        word_table="co_occurrence",
        muon_learning_rate=1e-2,
        learning_rate=1e-2,
        held_out=10,
    )
    file = write_recipe(recipe, tmp_path / "tiny.toml")
    words = ["-m", "electra_lab", "pretrain", "--recipe", str(file), "--device", "cpu"]
    curves = {}
    for name, command in (("one", [sys.executable]), ("two", TORCHRUN)):
        done = subprocess.run(
            [*command, *words, "--output", str(tmp_path / name)],
            env=environment(), timeout=240, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        history = json.loads((tmp_path / name / "history.json").read_text())["history"]
        curves[name] = [row["loss"] for row in history]
    # a mean of two means, of as many positions each but for a few
    assert curves["two"] == pytest.approx(curves["one"], rel=0.02)
    assert len(set(curves["one"])) == len(curves["one"])  # the model does move
