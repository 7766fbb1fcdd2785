"""What every measurement says of itself, and how it is written."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from electra_lab.checkpoints.atomic import atomic_file
from electra_lab.checkpoints.resources import data_path


def need_transformers() -> None:
    """Say what to install where there is nothing to compare with.

    Raises:
        ModuleNotFoundError: transformers is not installed.
    """
    if find_spec("transformers") is None:
        raise ModuleNotFoundError(
            "This compares with transformers, which is not installed here. Install it, or this package "
            'with its extra: pip install "electra-lab[notebooks]".'
        )


def heading(command: str, packages: Iterable[str]) -> dict[str, Any]:
    """The command that makes the numbers again, when and with what they were made.

    Args:
        packages: whose versions the numbers depend on, torch aside.
    """
    return {
        "command": command,
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", *packages)},
        },
        "threads": torch.get_num_threads(),
    }


def write(report: dict[str, Any], name: str, output: str | Path | None) -> None:
    """Write a report as JSON, whole or not at all, and say where.

    Args:
        name: the file's name without its ending, where ``output`` is None: in ``data/results``.
        output: another file.
    """
    file = Path(output) if output is not None else data_path("results", f"{name}.json")
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(file) as partial:
        partial.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(f"Written to {file.name}.")
