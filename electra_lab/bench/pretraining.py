"""How fast a step of joint pre-training is, beside one put together from transformers' parts.

Both steps train the same weights on the same batch with the same settings; their losses are compared
first. Each side runs in processes of its own, in turn, so that neither inherits the other's memory;
the machine's matrix products are timed in the same processes, so that a slow moment shows.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from electra_lab.model.config import ElectraConfig
from electra_lab.training.allocator import keep_freed_memory
from electra_lab.training.masking import (
    mask_tokens,
    most_to_select,
    replace_tokens,
    select_positions,
)
from electra_lab.training.objectives import Electra, Loss, MaskedBatch
from electra_lab.training.optimization import make_optimizer
from electra_lab.training.precision import autocast

from .report import heading, need_transformers, write

COMMAND = "electra-lab bench pretraining"
SIDES = (
    "transformers",
    "electra_lab",
    "electra_lab, memory kept",
    "transformers, bfloat16",
    "electra_lab, bfloat16",
)
"""In bfloat16 both sides have their best settings; of this package's, memory is kept."""
MASK, SPECIALS = 103, (0, 100, 101, 102, 103)
"""Ids of [MASK] and of all special tokens, as in the released vocabularies."""


def batch_of(rows: int, tokens: int, vocab_size: int, seed: int = 0) -> MaskedBatch:
    """Full rows of random ids with 15% of the positions selected."""
    chance = torch.Generator().manual_seed(seed)
    ids = torch.randint(MASK + 1, vocab_size, (rows, tokens), generator=chance)
    ids[:, 0], ids[:, -1] = 101, 102
    positions = select_positions(ids, SPECIALS, most=most_to_select(tokens, 0.15), generator=chance)
    masked = mask_tokens(ids, positions, MASK, generator=chance)
    return MaskedBatch(ids, masked, positions)


def make_objective(config: ElectraConfig) -> Electra:
    """The package's own step, with a generator a quarter as wide."""
    torch.manual_seed(0)
    return Electra(config, config.for_generator())


class Composed(nn.Module):
    """The same step from transformers' models, as their documentation would have one write it: labels
    for the generator, a sample at the selected positions, labels for the discriminator."""

    def __init__(self, ours: Electra, weight: float = 50.0) -> None:
        from transformers import ElectraForMaskedLM, ElectraForPreTraining

        super().__init__()
        self.weight = weight
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            ours.generator.save_pretrained(folder / "generator")
            ours.model.save_pretrained(folder / "discriminator")
            self.generator = ElectraForMaskedLM.from_pretrained(
                folder / "generator", attn_implementation="sdpa"
            )
            self.discriminator = ElectraForPreTraining.from_pretrained(
                folder / "discriminator", attn_implementation="sdpa"
            )
        shared = self.discriminator.electra.embeddings
        self.generator.electra.embeddings = shared
        self.generator.generator_lm_head.weight = shared.word_embeddings.weight

    def generate(self, batch: MaskedBatch) -> tuple[Float[Tensor, ""], Int[Tensor, "batch seq"]]:
        """The generator's loss, and the text with its samples."""
        original = batch.original_ids.view(-1)
        labels = torch.full_like(original, -100)
        labels[batch.positions] = original[batch.positions]
        output = self.generator(
            input_ids=batch.masked_ids, labels=labels.view_as(batch.original_ids)
        )
        with torch.no_grad():
            logits = output.logits.flatten(0, 1)[batch.positions]
            drawn = torch.multinomial(logits.softmax(-1), 1).squeeze(-1)
        return output.loss, replace_tokens(batch.original_ids, batch.positions, drawn)

    def discriminate(
        self, replaced_ids: Int[Tensor, "batch seq"], batch: MaskedBatch
    ) -> Float[Tensor, ""]:
        """The discriminator's loss on a text."""
        labels = (replaced_ids != batch.original_ids).long()
        loss: Tensor = self.discriminator(input_ids=replaced_ids, labels=labels).loss
        return loss

    def forward(self, batch: MaskedBatch) -> Loss:
        generator_loss, replaced_ids = self.generate(batch)
        loss = generator_loss + self.weight * self.discriminate(replaced_ids, batch)
        return Loss(loss, {})


@torch.no_grad()
def largest_difference(ours: Electra, theirs: Composed, batch: MaskedBatch) -> float:
    """By how much the losses of the two differ without dropout, on the same text."""
    ours.eval()
    theirs.eval()
    their_loss, replaced_ids = theirs.generate(batch)
    log_probabilities, _ = ours.generate(batch)
    our_loss = F.nll_loss(log_probabilities, batch.original_ids.view(-1)[batch.positions])
    discriminators = ours.main_loss(replaced_ids, batch) - theirs.discriminate(replaced_ids, batch)
    return max(abs(float(our_loss - their_loss)), abs(float(discriminators)))


def matmul_peak(precision: str, size: int = 1024, times: int = 10) -> float:
    """The quickest of some square matrix products, in floating point operations a second."""
    dtype = getattr(torch, precision)
    left, right = torch.randn(2, size, size).to(dtype)
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        torch.mm(left, right)
        seconds.append(time.perf_counter() - began)
    return 2 * size**3 / min(seconds)


def operations(objective: nn.Module, batch: MaskedBatch) -> int:
    """Floating point operations of the matrix products of one step, forward and backward."""
    with FlopCounterMode(display=False) as counter:
        objective(batch).loss.backward()
    objective.zero_grad(set_to_none=True)
    return int(counter.get_total_flops())


def time_steps(
    module: nn.Module, batch: MaskedBatch, steps: int, precision: str = "float32"
) -> list[float]:
    """Seconds of each whole step (forward, backward, clipping, AdamW), after one that is not
    counted."""
    optimizer = make_optimizer(module, 5e-4)
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    seconds = []
    for _ in range(steps + 1):
        began = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        with autocast(precision, "cpu"):
            loss = module(batch).loss
        loss.backward()
        del loss  # as the loop does: what its graph holds would live on beside the next step's
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        seconds.append(time.perf_counter() - began)
    return seconds[1:]


def peak_megabytes() -> float:
    """The most memory this process was resident in so far (Linux; 0 elsewhere)."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return 0.0
    lines = status.read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def measure(side: str, shape: dict[str, Any], rows: int, tokens: int, steps: int) -> dict[str, Any]:
    """Time one side in this process; printed by the processes that ``run`` starts."""
    precision = "bfloat16" if side.endswith("bfloat16") else "float32"
    composed = side.startswith(SIDES[0])
    if side.endswith("memory kept") or (precision == "bfloat16" and not composed):
        keep_freed_memory()
    config = ElectraConfig(**shape)
    ours = make_objective(config)
    module = Composed(ours) if composed else ours
    batch = batch_of(rows, tokens, config.vocab_size)
    before = matmul_peak(precision)
    seconds = time_steps(module.train(), batch, steps, precision)
    return {
        "side": side,
        "seconds": seconds,
        "matmul_peak": max(before, matmul_peak(precision)),
        "megabytes": peak_megabytes(),
    }


def run(
    rounds: int = 3,
    *,
    steps: int = 5,
    rows: int = 32,
    tokens: int = 128,
    threads: int = 2,
    shape: dict[str, Any] | None = None,
    output: str | Path | None = None,
) -> dict[str, Any]:
    """Measure, print a table and write the results.

    Args:
        rounds: processes for each side, in turn.
        steps: timed in each of them.
        rows, tokens: of a batch.
        threads: that PyTorch may use.
        shape: changes to ``ElectraConfig``'s defaults, which are ELECTRA-Small's with dropout .1.
        output: the JSON file; default: ``results/pretraining.json`` in the package's data.

    Raises:
        AssertionError: the two steps do not have the same losses.
        ModuleNotFoundError: transformers is not installed.
    """
    need_transformers()
    shape = shape or {}
    config = ElectraConfig(**shape)
    batch = batch_of(rows, tokens, config.vocab_size)
    ours = make_objective(config)
    difference = largest_difference(ours, Composed(ours), batch)
    assert difference < 1e-3, f"The losses of the two steps differ by {difference:g}."
    flops = operations(ours, batch)
    measured: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    for _ in range(rounds):
        for side in SIDES:
            measured[side].append(_in_a_process(side, shape, rows, tokens, steps, threads))
    step = {s: median(t for run in runs for t in run["seconds"]) for s, runs in measured.items()}
    report = {
        **heading(COMMAND, ("transformers",)),
        "threads": threads,
        "rows": rows,
        "tokens": tokens,
        "rounds": rounds,
        "steps": steps,
        "loss_difference": difference,
        "operations": flops,
        "sides": {
            side: {
                "step_ms": round(step[side] * 1e3, 1),
                "tokens_per_second": round(rows * tokens / step[side]),
                "ratio": round(step[SIDES[0]] / step[side], 2),
                "megabytes": round(median(run["megabytes"] for run in runs)),
                "share_of_peak": round(
                    flops / step[side] / median(run["matmul_peak"] for run in runs), 3
                ),
            }
            for side, runs in measured.items()
        },
    }
    print(table(report))
    write(report, "pretraining", output)
    return report


def _in_a_process(side: str, *arguments: Any) -> dict[str, Any]:
    shape, rows, tokens, steps, threads = arguments
    program = (
        "import json, sys, torch\n"
        "from electra_lab.bench.pretraining import measure\n"
        "side, shape, rows, tokens, steps, threads = json.loads(sys.argv[1])\n"
        "torch.set_num_threads(threads)\n"
        "print('\\n' + json.dumps(measure(side, shape, rows, tokens, steps)))\n"
    )
    told = json.dumps([side, shape, rows, tokens, steps, threads])
    done = subprocess.run(
        [sys.executable, "-c", program, told], stdout=subprocess.PIPE, text=True, check=True
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def table(report: dict[str, Any]) -> str:
    """The results as a table of text; a ratio says how many times as fast as the composed step."""
    lines = [f"{'':26}{'ms a step':>11}{'tokens/s':>10}{'ratio':>7}{'MB':>7}{'of peak':>9}"]
    for side, row in report["sides"].items():
        lines.append(
            f"{side:26}{row['step_ms']:11,.0f}{row['tokens_per_second']:10,}{row['ratio']:7.2f}"
            f"{row['megabytes']:7,}{row['share_of_peak']:9.0%}"
        )
    return "\n".join(lines)
