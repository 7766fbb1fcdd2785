"""``flax_model.msgpack``: weights as transformers' Flax models were saved, up to transformers 4."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .parameter_names import from_path

# Numbers of msgpack's extension types in flax (flax/serialization.py)
ARRAY, COMPLEX, SCALAR = 1, 2, 3
CHUNKED = "__msgpack_chunked_array__"  # marks an array above 1 GiB, which is cut into flat pieces


def read_msgpack(file: Path) -> dict[str, Tensor]:
    """All tensors of the file, by Hugging Face's names.

    Raises:
        ModuleNotFoundError: msgpack is not installed.
        ValueError: the file is damaged, or is no tree of arrays as flax writes it.
    """
    tensors = {}
    for path, leaf in _leaves(restore(file), ()):
        if not isinstance(leaf, Tensor):
            raise ValueError(
                f"{file} holds {'/'.join(path)}, which is no array but {type(leaf).__name__}. "
                "Is it the weights of a model?"
            )
        name, transposed = from_path(path)
        tensors[name] = leaf.T.contiguous() if transposed else leaf
    return tensors


def restore(file: Path) -> dict[str, Any]:
    """The tree that ``flax.serialization`` wrote: dictionaries, with tensors as leaves.

    Raises:
        ModuleNotFoundError: msgpack is not installed.
        ValueError: the file is damaged, or its root is no dictionary.
    """
    try:
        import msgpack
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"Reading {file} needs msgpack, which is not installed. "
            'Install it: pip install "electra-lab[convert]"'
        ) from error

    def decode(kind: int, data: bytes) -> Any:
        if kind not in (ARRAY, COMPLEX, SCALAR):
            raise ValueError(f"extension type {kind} is not one of flax's")
        content = msgpack.unpackb(data)
        return complex(*content) if kind == COMPLEX else _array(*content)

    try:
        tree = msgpack.unpackb(
            file.read_bytes(), ext_hook=decode, object_hook=_join_chunks, strict_map_key=False
        )
    # msgpack's own errors are ValueErrors; unpacking what is no array gives the others
    except (ValueError, TypeError, KeyError, AttributeError, RuntimeError) as error:
        raise ValueError(
            f"{file} is damaged, or was not written by flax ({error}). Save or copy it again."
        ) from error
    if not isinstance(tree, dict):
        raise ValueError(f"{file} holds no tree of arrays. Is it the weights of a model?")
    return tree


def _array(shape: list[int], dtype_name: str, data: bytes) -> Tensor:
    dtype = getattr(torch, dtype_name, None)  # the names of NumPy's types are torch's names too
    if not isinstance(dtype, torch.dtype):
        raise ValueError(f"type {dtype_name!r} is not supported")
    if len(data) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{len(data)} bytes are not what shape {shape} of {dtype_name} takes")
    if not data:
        return torch.empty(shape, dtype=dtype)
    return torch.frombuffer(bytearray(data), dtype=dtype).reshape(shape)


def _join_chunks(branch: dict[Any, Any]) -> Any:
    """A branch as it is, or the array whose pieces it holds by number."""
    if not branch.get(CHUNKED):
        return branch
    shape, chunks = branch["shape"], branch["chunks"]
    pieces = [chunks[str(number)] for number in range(len(chunks))]
    return torch.cat(pieces).reshape([shape[str(axis)] for axis in range(len(shape))])


def _leaves(tree: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not isinstance(tree, dict):
        yield path, tree
        return
    for key, branch in tree.items():
        yield from _leaves(branch, (*path, str(key)))
