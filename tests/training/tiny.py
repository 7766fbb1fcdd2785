"""A pre-training run small enough for a test: its recipe, its curve, and one that is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import torch

from electra_lab.training.checkpoint import CHECKPOINT_FILE
from electra_lab.training.recipe import Recipe

TINY = Recipe(
    name="tiny",
    sentences=200,
    vocabulary_size=300,
    embedding_size=8,
    hidden_size=16,
    num_hidden_layers=1,
    num_attention_heads=2,
    intermediate_size=32,
    generator_fraction=0.5,
    batch_size=16,
    steps=12,
    warmup_steps=2,
    learning_rate=1e-3,
    log_every=2,
    checkpoint_every=4,
)


def curve(history: list[dict]) -> list[dict]:
    """What a run logged, without what depends on the clock."""
    timings = ("seconds", "tokens_per_second")
    return [{name: value for name, value in row.items() if name not in timings} for row in history]


def write_recipe(recipe: Recipe, file: Path) -> Path:
    """As a recipe file, which a process of its own can read."""
    lines = [f"{name} = {json.dumps(value)}" for name, value in recipe.to_dict().items()]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def killed_after_a_checkpoint(recipe: Path, output: Path) -> int:
    """Run a recipe in a process that is killed once it has written a checkpoint: of which step."""
    command = (
        "import sys; from electra_lab.training.pretraining import pretrain; "
        "pretrain(sys.argv[1], sys.argv[2], device='cpu', progress=False)"
    )
    with subprocess.Popen([sys.executable, "-c", command, str(recipe), str(output)]) as process:
        deadline = time.monotonic() + 240
        while not (output / CHECKPOINT_FILE).is_file() and time.monotonic() < deadline:
            assert process.poll() is None, "the run ended before it wrote a checkpoint"
            time.sleep(0.01)
        time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    return int(torch.load(output / CHECKPOINT_FILE, weights_only=True)["step"])
