"""A trace as one file: its tensors in safetensors, everything else as JSON in the file's header."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from electra_lab.checkpoints.atomic import atomic_file

from .outcome import KINDS
from .result import Attributions, LayerTrace, Trace

FORMAT = "electra_lab trace 1"
PLAIN = (
    "model",
    "kind",
    "tokens",
    "words",
    "sides",
    "offsets",
    "texts",
    "of_input",
    "labels",
    "choice",
    "interventions",
)


def save(trace: Trace, path: str | Path) -> None:
    """Write a trace; a file of that name is replaced when all of it has been written.

    No pickle: the file holds numbers and text only.

    Raises:
        OSError: the disk is full or the place cannot be written.
    """
    header: dict[str, Any] = {name: getattr(trace, name) for name in PLAIN}
    header["layers"] = len(trace.layers)
    if trace.attributions is not None:
        names = ("method", "targets", "baseline", "steps")
        header["attributions"] = {name: getattr(trace.attributions, name) for name in names}
    # safetensors wants each tensor in memory of its own
    tensors = {name: tensor.contiguous().clone() for name, tensor in trace.tensors().items()}
    metadata = {"format": FORMAT, "trace": json.dumps(header, ensure_ascii=False)}
    with atomic_file(path) as partial:
        save_file(tensors, partial, metadata)


def load(path: str | Path) -> Trace:
    """Read what ``save`` wrote.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, or no trace.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}. Write one with trace.save(path).")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            names = file.keys()
            tensors = {name: file.get_tensor(name) for name in names}
        if metadata.get("format") == FORMAT:
            return _trace(json.loads(metadata["trace"]), tensors)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged, or no trace ({error!r}). Save it again.") from error
    raise ValueError(f"{path} is no trace ({FORMAT!r}); its format is {metadata.get('format')!r}.")


def _trace(header: dict[str, Any], tensors: dict[str, Tensor]) -> Trace:
    if header["kind"] not in KINDS:
        raise KeyError(header["kind"])
    plain = {name: header[name] for name in PLAIN}
    for name in ("labels", "interventions"):
        plain[name] = tuple(plain[name])
    if plain["texts"] is not None:
        plain["texts"] = [(first, second) for first, second in plain["texts"]]
    if plain["offsets"] is not None:
        plain["offsets"] = [[(a, b) for a, b in row] for row in plain["offsets"]]
    layers = tuple(
        LayerTrace(**_under(f"layers.{number}.", tensors)) for number in range(header["layers"])
    )
    attributions = None
    if "attributions" in header:
        said = header["attributions"] | {"targets": tuple(header["attributions"]["targets"])}
        attributions = Attributions(**said, **_under("attributions.", tensors))
    own: dict[str, Any] = {field.name: tensors.get(field.name) for field in fields(Trace)}
    for name in (*PLAIN, "layers", "attributions"):
        own.pop(name)
    return Trace(**plain, **own, layers=layers, attributions=attributions)


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Any]:
    """The tensors whose names begin so, without that beginning."""
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
