"""How long an epoch of fine-tuning takes, beside transformers' Trainer.

Both sides start from one checkpoint and train on the same batches, in the same order, with the same
rate, decay, clipping and dropout, in turn in one process, so that whatever else the machine does hits
both; so do the allocator's settings. What is timed is the call that trains: ``loop.train`` here,
``Trainer.train`` there. Its optimiser has one rate for all layers, ours one for each.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor, nn

from electra_lab.checkpoints.resources import bundled_checkpoints, data_path
from electra_lab.model.config import ElectraConfig
from electra_lab.model.task_heads import ElectraForSequenceClassification
from electra_lab.training.allocator import keep_freed_memory
from electra_lab.training.examples import Example, Examples, LengthBuckets, TaskBatch
from electra_lab.training.loop import train
from electra_lab.training.optimization import linear_schedule, make_optimizer
from electra_lab.training.task_loss import TaskLoss

from .report import heading, need_transformers, write

COMMAND = "electra-lab bench finetuning"
MINI = "mini-discriminator"
SHAPE: dict[str, Any] = dict(
    vocab_size=8192, embedding_size=256, hidden_size=256, num_hidden_layers=4
)
"""Of the mini discriminator, for where it is not at hand: what an epoch costs is a matter of shape."""
SHORTEST, LONGEST = 8, 32
BATCH, LEARNING_RATE, WARMUP, LABELS = 32, 1e-4, 0.1, 2


def sentences(count: int, vocab_size: int, seed: int = 0) -> Examples:
    """Random ids, 8 to 32 to a sentence, with one of two labels."""
    chance = torch.Generator().manual_seed(seed)
    lengths = torch.randint(SHORTEST, LONGEST + 1, (count,), generator=chance)
    examples = []
    for number, length in enumerate(lengths.tolist()):
        ids: Int[Tensor, " tokens"] = torch.randint(5, vocab_size, (length,), generator=chance)
        examples.append(Example([ids.tolist()], [[0] * length], number % LABELS, number))
    return Examples("sequence_classification", examples, pad_id=0, rows=count, cut=0)


@contextmanager
def checkpoint() -> Iterator[tuple[Path, str]]:
    """A folder with the mini discriminator, or a random one of its shape; and which of them it is."""
    if MINI in bundled_checkpoints():
        yield data_path("checkpoints", MINI), MINI
        return
    with tempfile.TemporaryDirectory() as name:
        torch.manual_seed(0)
        ElectraForSequenceClassification(ElectraConfig(**SHAPE)).save_pretrained(name)
        yield Path(name), "random weights, {num_hidden_layers} x {hidden_size}".format(**SHAPE)


class _Source:
    """The batches of an epoch, made before the clock starts on either side."""

    def __init__(self, batches: list[TaskBatch]) -> None:
        self.batches = batches

    def batch(self, step: int) -> TaskBatch:
        return self.batches[step]


def ours(model: nn.Module, batches: list[TaskBatch]) -> float:
    """Seconds of an epoch of the package's loop."""
    module = TaskLoss(model.train())  # type: ignore[arg-type]
    steps = len(batches)
    began = time.perf_counter()
    train(
        module,
        _Source(batches),
        make_optimizer(module, LEARNING_RATE, layer_decay=0.8),
        linear_schedule(steps, round(WARMUP * steps)),
        steps=steps,
        progress=False,
    )
    return time.perf_counter() - began


def theirs(model: nn.Module, batches: list[TaskBatch]) -> float:
    """Seconds of an epoch of transformers' Trainer."""
    from torch.utils.data import DataLoader
    from transformers import Trainer, TrainingArguments
    from transformers.trainer_callback import PrinterCallback

    rows = [{**batch.inputs, **batch.labels} for batch in batches]
    steps = len(batches)

    class OnTheseBatches(Trainer):
        def get_train_dataloader(self) -> DataLoader[Any]:
            return DataLoader(rows, batch_size=None)  # type: ignore[arg-type]

    with tempfile.TemporaryDirectory() as folder:
        settings = TrainingArguments(
            output_dir=folder,
            num_train_epochs=1,
            max_steps=steps,
            learning_rate=LEARNING_RATE,
            lr_scheduler_type="linear",
            warmup_steps=round(WARMUP * steps),
            weight_decay=0.01,
            adam_epsilon=1e-6,
            max_grad_norm=1.0,
            optim="adamw_torch_fused",
            use_cpu=True,
            save_strategy="no",
            eval_strategy="no",
            logging_steps=10,
            report_to=[],
            disable_tqdm=True,
        )
        trainer = OnTheseBatches(model=model, args=settings, train_dataset=rows)
        trainer.pop_callback(PrinterCallback)
        began = time.perf_counter()
        trainer.train()
        return time.perf_counter() - began


def measure(folder: Path, batches: list[TaskBatch], rounds: int) -> dict[str, list[float]]:
    """Seconds of each epoch of both sides, in turn, each from the checkpoint anew; the first round is
    not counted.

    Raises:
        AssertionError: the two do not compute the same loss.
    """
    from transformers import ElectraForSequenceClassification as Theirs

    with tempfile.TemporaryDirectory() as name:
        torch.manual_seed(0)
        start = ElectraForSequenceClassification(ElectraConfig.from_pretrained(folder))
        _take_encoder(start, folder)
        start.save_pretrained(name)
        first: dict[str, Any] = {**batches[0].inputs, **batches[0].labels}
        same = [
            kind.from_pretrained(name).eval()(**first).loss
            for kind in (ElectraForSequenceClassification, Theirs)
        ]
        torch.testing.assert_close(*same, rtol=1e-4, atol=1e-4)
        seconds: dict[str, list[float]] = {"transformers": [], "electra_lab": []}
        for number in range(rounds + 1):
            figures = {
                "transformers": theirs(
                    Theirs.from_pretrained(name, attn_implementation="sdpa"), batches
                ),
                "electra_lab": ours(
                    ElectraForSequenceClassification.from_pretrained(name), batches
                ),
            }
            if number:
                for side, value in figures.items():
                    seconds[side].append(value)
    return seconds


def _take_encoder(model: ElectraForSequenceClassification, folder: Path) -> None:
    from electra_lab.model.electra import ElectraModel

    model.electra.load_state_dict(ElectraModel.from_pretrained(folder).state_dict())


def run(
    rounds: int = 5,
    *,
    threads: int = 2,
    sentences_per_epoch: int = 1000,
    output: str | Path | None = None,
) -> dict[str, Any]:
    """Measure, print a table and write the results.

    Args:
        rounds: epochs of each side.
        threads: that PyTorch may use.
        sentences_per_epoch: how many there are in one.
        output: the JSON file; default: ``results/finetuning.json`` in the package's data.

    Raises:
        ModuleNotFoundError: transformers is not installed, or accelerate, which its Trainer needs.
    """
    need_transformers()
    if find_spec("accelerate") is None:
        raise ModuleNotFoundError(
            "transformers' Trainer needs accelerate, which is not installed here: "
            "pip install accelerate"
        )
    before = torch.get_num_threads()
    kept = keep_freed_memory()
    # on machines with a GPU too, this is a comparison on the CPU
    os.environ.setdefault("ACCELERATE_USE_CPU", "1")
    torch.set_num_threads(threads)
    try:
        with checkpoint() as (folder, title):
            vocabulary = ElectraConfig.from_pretrained(folder).vocab_size
            buckets = LengthBuckets(sentences(sentences_per_epoch, vocabulary), BATCH)
            batches = [buckets.batch(step) for step in range(buckets.batches_per_epoch)]
            seconds = measure(folder, batches, rounds)
            report = {
                **heading(COMMAND, ("transformers", "accelerate")),
                "model": title,
                "memory_kept": kept,
                "sentences": sentences_per_epoch,
                "tokens": sum(batch.tokens for batch in batches),
                "batch_size": BATCH,
                "rounds": rounds,
                **_summary(seconds),
            }
    finally:
        torch.set_num_threads(before)
    print(table(report))
    write(report, "finetuning", output)
    return report


def _summary(seconds: dict[str, list[float]]) -> dict[str, float]:
    shares = [
        our / their
        for our, their in zip(seconds["electra_lab"], seconds["transformers"], strict=True)
    ]
    return {
        "transformers_seconds": round(median(seconds["transformers"]), 2),
        "electra_lab_seconds": round(median(seconds["electra_lab"]), 2),
        "share": round(median(shares), 3),
    }


def table(report: dict[str, Any]) -> str:
    """The results as text; the share is the median over the rounds of our seconds to theirs."""
    return (
        f"An epoch of {report['sentences']:,} sentences, {report['tokens']:,} tokens "
        f"({report['model']}), medians of {report['rounds']}:\n"
        f"transformers' Trainer {report['transformers_seconds']:.2f} s, "
        f"electra_lab {report['electra_lab_seconds']:.2f} s, share {report['share']:.2f}"
    )
