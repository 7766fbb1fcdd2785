"""How fast predictions are, beside transformers' on the same checkpoint.

Both models read one checkpoint of ELECTRA-Small's shape with random weights, both take PyTorch's
fused attention and no gradients, and they run in turn in one process, so that whatever else the
machine does hits both. Starting is measured with fresh processes, also in turn.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from electra_lab.checkpoints.pair import load_pair
from electra_lab.model.config import ElectraConfig
from electra_lab.model.electra import ElectraModel
from electra_lab.model.heads import ElectraForPreTraining

from .report import heading, need_transformers, write

COMMAND = "electra-lab bench inference"
SHORTEST, LONGEST = 16, 128
"""Tokens of the rows of the ragged batch: uniform between the two."""
SIZES = {"1 x 16": (1, 16), "1 x 128": (1, 128), "32 x 128": (32, 128)}
RAGGED = "32 ragged"
SENTENCE = "The farmer fed the cow in the garden."
PROBE = """
import sys
from {package} import ElectraForPreTraining, {tokenizer}
import torch
folder = sys.argv[1]
model = ElectraForPreTraining.from_pretrained(folder).eval()
tokenizer = {tokenizer}.from_pretrained(folder)
with torch.inference_mode():
    model(**tokenizer({sentence!r}, return_tensors="pt"))
    print("predicted", flush=True)
    model(torch.ones(32, 128, dtype=torch.long))
status = open("/proc/self/status").read() if sys.platform == "linux" else ""
peak = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
print(*peak or ["0"], flush=True)
"""


def batches(seed: int = 0) -> dict[str, tuple[Int[Tensor, "_ _"], Int[Tensor, "_ _"]]]:
    """Ids and attention mask of each shape that is timed."""
    chance = torch.Generator().manual_seed(seed)
    vocabulary = ElectraConfig().vocab_size
    made = {}
    for name, (rows, tokens) in SIZES.items():
        ids = torch.randint(1, vocabulary, (rows, tokens), generator=chance)
        made[name] = ids, torch.ones_like(ids)
    rows = SIZES["32 x 128"][0]
    lengths = torch.randint(SHORTEST, LONGEST + 1, (rows,), generator=chance)
    lengths[0] = LONGEST
    mask = (torch.arange(LONGEST) < lengths[:, None]).long()
    made[RAGGED] = torch.randint(1, vocabulary, mask.shape, generator=chance) * mask, mask
    return made


def in_turn(
    first: Callable[[], object], second: Callable[[], object], rounds: int
) -> tuple[list[float], list[float]]:
    """Seconds of each call of the two, called in turn after one round that does not count."""
    seconds: tuple[list[float], list[float]] = [], []
    for number in range(rounds + 1):
        for call, kept in zip((first, second), seconds, strict=True):
            began = time.perf_counter()
            call()
            if number:
                kept.append(time.perf_counter() - began)
    return seconds


@torch.inference_mode()
def time_forward(folder: Path, rounds: int) -> list[dict[str, Any]]:
    """Median milliseconds of the bare model of both sides for each shape.

    Raises:
        AssertionError: the two do not compute the same.
    """
    from transformers import ElectraModel as Theirs

    ours = ElectraModel.from_pretrained(folder).eval()
    theirs = Theirs.from_pretrained(folder, attn_implementation="sdpa").eval()
    rows = []
    for name, (ids, mask) in batches().items():
        states: list[Float[Tensor, "batch seq hidden"]] = [
            model(input_ids=ids, attention_mask=mask).last_hidden_state[mask.bool()]
            for model in (ours, theirs)
        ]
        torch.testing.assert_close(*states, rtol=1e-4, atol=1e-4)
        their_seconds, our_seconds = in_turn(
            partial(theirs, input_ids=ids, attention_mask=mask),
            partial(ours, input_ids=ids, attention_mask=mask),
            rounds if ids.numel() < 1_000 else max(5, rounds // 10),
        )
        ratios = [their / our for their, our in zip(their_seconds, our_seconds, strict=True)]
        rows.append(
            {
                "shape": name,
                "tokens": int(mask.sum()),
                "rounds": len(ratios),
                "transformers_ms": round(median(their_seconds) * 1e3, 2),
                "electra_lab_ms": round(median(our_seconds) * 1e3, 2),
                "ratio": round(median(ratios), 2),
            }
        )
    return rows


def start(package: str, folder: Path) -> dict[str, float]:
    """Seconds from starting Python to the first prediction, and the resident megabytes at most
    (Linux; 0 elsewhere) once a batch of 32 x 128 was computed too."""
    tokenizer = "ElectraTokenizerFast" if package == "electra_lab" else "ElectraTokenizer"
    program = PROBE.format(package=package, tokenizer=tokenizer, sentence=SENTENCE)
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said = process.stdout.readline().strip()
        seconds = time.perf_counter() - began
        peak = process.stdout.readline().strip()
    if said != "predicted" or process.returncode:
        raise RuntimeError(f"The process with {package} ended with status {process.returncode}.")
    return {"seconds": seconds, "megabytes": int(peak) / 1024}


def time_start(folder: Path, rounds: int) -> dict[str, Any]:
    """``start`` of both sides in turn: medians and the ratio of theirs to ours."""
    measured: dict[str, list[dict[str, float]]] = {"transformers": [], "electra_lab": []}
    for number in range(rounds + 1):
        for package, kept in measured.items():
            figures = start(package, folder)
            if number:  # the first round warms the disk's cache
                kept.append(figures)
    middle = {
        package: {key: median(row[key] for row in rows) for key in ("seconds", "megabytes")}
        for package, rows in measured.items()
    }
    return {
        key: {
            "transformers": round(middle["transformers"][key], 2),
            "electra_lab": round(middle["electra_lab"][key], 2),
            "ratio": round(middle["transformers"][key] / (middle["electra_lab"][key] or 1.0), 2),
        }
        for key in ("seconds", "megabytes")
    }


@contextmanager
def small_checkpoint() -> Iterator[Path]:
    """A folder with a discriminator of ELECTRA-Small's shape, random weights, and a tokenizer."""
    with tempfile.TemporaryDirectory() as name:
        torch.manual_seed(0)
        ElectraForPreTraining(ElectraConfig()).save_pretrained(name)
        load_pair("micro").tokenizer.save_pretrained(name)
        yield Path(name)


def run(rounds: int = 200, *, threads: int = 2, output: str | Path | None = None) -> dict[str, Any]:
    """Measure, print a table and write the results.

    Args:
        rounds: of the small shapes; a tenth of them for 32 x 128, a twentieth for starts.
        threads: that PyTorch may use.
        output: the JSON file; default: ``results/inference.json`` in the package's data.

    Raises:
        ModuleNotFoundError: transformers is not installed.
    """
    need_transformers()
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with small_checkpoint() as folder:
            report = {
                **heading(COMMAND, ("transformers",)),
                "forward": time_forward(folder, rounds),
                "start": time_start(folder, max(3, rounds // 20)),
            }
    finally:
        torch.set_num_threads(before)
    print(table(report))
    write(report, "inference", output)
    return report


def table(report: dict[str, Any]) -> str:
    """The results as a table of text; a ratio above 1 says how many times theirs ours is."""
    lines = [f"{'':32}{'transformers':>14}{'electra_lab':>13}{'ratio':>8}"]
    for row in report["forward"]:
        title = f"{row['shape']}, {row['tokens']:,} tokens, ms"
        lines.append(
            f"{title:32}{row['transformers_ms']:14.1f}{row['electra_lab_ms']:13.1f}"
            f"{row['ratio']:8.2f}"
        )
    for key, title in (
        ("seconds", "start to first prediction, s"),
        ("megabytes", "resident at most, MB"),
    ):
        row = report["start"][key]
        lines.append(
            f"{title:32}{row['transformers']:14.1f}{row['electra_lab']:13.1f}{row['ratio']:8.2f}"
        )
    return "\n".join(lines)
