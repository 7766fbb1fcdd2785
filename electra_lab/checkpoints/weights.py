"""Reading weights in the formats that ``save_pretrained`` of any version of transformers wrote."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from .flax import read_msgpack
from .keras import read_h5

WEIGHTS_FILE = "model.safetensors"
# In the order in which they are looked for; the indexes name the shards of a large model.
WEIGHTS_FILES = (
    WEIGHTS_FILE,
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "tf_model.h5",
    "flax_model.msgpack",
)
INDEX_FILES = tuple(name for name in WEIGHTS_FILES if name.endswith(".index.json"))


def read_weights(folder: Path) -> dict[str, Tensor]:
    """All tensors of a checkpoint, by their names on disk.

    ``pytorch_model.bin`` is a pickle; it is read with ``weights_only``, which runs no code of it.

    Raises:
        FileNotFoundError: the folder has no weights, or not all of their shards.
        ModuleNotFoundError: a library that reads the weights of Keras or Flax is not installed.
        ValueError: a file is damaged, or is not what its name says.
    """
    for name in WEIGHTS_FILES:
        file = folder / name
        if not file.is_file():
            continue
        if name not in INDEX_FILES:
            return _read(file)
        tensors: dict[str, Tensor] = {}
        for shard in shards(file):
            if not (folder / shard).is_file():
                raise FileNotFoundError(
                    f"{file} lists {shard}, which is not there. Copy the whole checkpoint again."
                )
            tensors |= _read(folder / shard)
        return tensors
    there = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
    raise FileNotFoundError(
        f"{folder} has no {WEIGHTS_FILE}; it holds {there}. A checkpoint is a folder with "
        f"config.json and {WEIGHTS_FILE}, as save_pretrained writes it. An original checkpoint of "
        "TensorFlow becomes one with electra-lab convert."
    )


def shards(index: Path) -> list[str]:
    """The files that an index of shards names, each once.

    Raises:
        ValueError: the file is no such index, or names a file outside its folder.
    """
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{index} is no index of shards ({error!r}). Copy it again.") from error
    outside = [name for name in names if Path(name).name != name]
    if outside:
        raise ValueError(f"{index} names files outside its folder: {outside}. Do not use it.")
    return names


def _read(file: Path) -> dict[str, Tensor]:
    if file.suffix == ".h5":
        return read_h5(file)
    if file.suffix == ".msgpack":
        return read_msgpack(file)
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        tensors = torch.load(file, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise ValueError(
            f"{file} is damaged, or holds something else than tensors ({error}). "
            "Save or copy it again."
        ) from error
    if not isinstance(tensors, dict) or not all(isinstance(t, Tensor) for t in tensors.values()):
        raise ValueError(f"{file} holds no table of tensors. Is it the weights of a model?")
    return tensors
