"""TensorFlow's checkpoint format, the tensor bundle, read without TensorFlow.

A bundle is an index and one or more shards of data. The index is a table in LevelDB's format
(tensorflow/core/lib/io/table.cc, format.cc): blocks of keys, each key stored as what differs from the
one before, then an index of the blocks, then a footer. A key is a variable's name; its value is a
protocol buffer that says type, shape and place of the variable's bytes (protobuf/tensor_bundle.proto).
Blocks and variables carry checksums, and all of them are checked.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from .crc32c import masked_crc32c

INDEX_SUFFIX = ".index"

_MAGIC = 0xDB4775248B80FB57
_FOOTER = 48  # two block handles, padded, and the magic number
_TRAILER = 5  # after each block: how it is compressed, and its checksum
_COMPRESSIONS = {1: "Snappy"}

# tensorflow/core/framework/types.proto
_TYPES = {
    1: torch.float32,
    2: torch.float64,
    3: torch.int32,
    9: torch.int64,
    10: torch.bool,
    14: torch.bfloat16,
    19: torch.float16,
}


@dataclass(frozen=True)
class Variable:
    """Where a variable lies: what the index says of it."""

    type_number: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    checksum: int
    sliced: bool


class TensorBundle:
    """A checkpoint of TensorFlow; its variables are read one by one, when asked for.

    Args:
        prefix: what the files' names begin with: ``model.ckpt-1000`` for ``model.ckpt-1000.index``
            and ``model.ckpt-1000.data-00000-of-00001``.

    Raises:
        FileNotFoundError: there is no such index.
        ValueError: the index is damaged, compressed, or of another format.
    """

    def __init__(self, prefix: str | Path) -> None:
        self.prefix = Path(prefix)
        file = Path(f"{prefix}{INDEX_SUFFIX}")
        if not file.is_file():
            raise FileNotFoundError(
                f"There is no {file}. A checkpoint of TensorFlow has an index beside its data."
            )
        try:
            entries = list(_table(file.read_bytes()))
            if not entries or entries[0][0]:
                raise ValueError("it has no header")
            header = dict(_fields(entries[0][1]))
            self.shards, byte_order = _number(header, 1), _number(header, 2)
            self.variables = {
                key.decode(): _variable(value)
                for key, value in entries[1:]
                if not key.startswith(b"\0")  # one slice of a variable that is stored in slices
            }
        except (ValueError, IndexError) as error:
            raise ValueError(
                f"{file} is no index of a TensorFlow checkpoint that can be read: {error}. "
                "Copy or save it again."
            ) from error
        if byte_order:
            raise ValueError(f"{file} was written on a big-endian machine, which is not supported.")

    def read(self, name: str) -> Tensor:
        """One variable.

        Raises:
            FileNotFoundError: the shard that holds it is missing.
            ValueError: it is cut off or damaged, stored in slices, or of an unknown type.
        """
        variable = self.variables[name]
        if variable.sliced:
            raise ValueError(
                f"{self.prefix} stores {name} in slices, which is not supported. Save the checkpoint "
                "again without a partitioner."
            )
        if variable.type_number not in _TYPES:
            raise ValueError(
                f"{name} in {self.prefix} is of TensorFlow's type number {variable.type_number}; "
                f"expected one of {', '.join(f'{n} ({t})' for n, t in _TYPES.items())}."
            )
        dtype = _TYPES[variable.type_number]
        if variable.size != math.prod(variable.shape) * dtype.itemsize:
            raise ValueError(
                f"{name} in {self.prefix} is said to have {variable.size} bytes, which is not what "
                f"shape {variable.shape} of {dtype} takes. Copy or save the checkpoint again."
            )
        data = self._data(name, variable)
        if not data:
            return torch.empty(variable.shape, dtype=dtype)
        return torch.frombuffer(data, dtype=dtype).reshape(variable.shape)

    def _data(self, name: str, variable: Variable) -> bytearray:
        file = Path(f"{self.prefix}.data-{variable.shard:05d}-of-{self.shards:05d}")
        if not file.is_file():
            raise FileNotFoundError(
                f"There is no {file}, in which {name} should be. Copy the whole checkpoint again."
            )
        with file.open("rb") as shard:
            shard.seek(variable.offset)
            data = bytearray(shard.read(variable.size))
        if len(data) < variable.size:
            raise ValueError(
                f"{file} is cut off: {name} should have {variable.size} bytes from "
                f"{variable.offset}, {len(data)} are there. Copy the checkpoint again."
            )
        if masked_crc32c(data) != variable.checksum:
            raise ValueError(
                f"{file} is damaged: the checksum of {name} is wrong. Copy the checkpoint again."
            )
        return data


def find_bundle(place: str | Path) -> Path | None:
    """The prefix of the bundle in a folder, or that a path names; None where there is none.

    In a folder with several, the one that its file ``checkpoint`` names is taken, as TensorFlow does.

    Args:
        place: a folder, a prefix, or a prefix with ``.index`` behind it.

    Raises:
        ValueError: a folder has several bundles, and none is named.
    """
    place = Path(place)
    if not place.is_dir():
        prefix = place.with_suffix("") if place.suffix == INDEX_SUFFIX else place
        return prefix if Path(f"{prefix}{INDEX_SUFFIX}").is_file() else None
    there = sorted(path.name.removesuffix(INDEX_SUFFIX) for path in place.glob(f"*{INDEX_SUFFIX}"))
    state = place / "checkpoint"
    if len(there) > 1 and state.is_file():
        said = re.search(r'(?m)^model_checkpoint_path: "(.*)"', state.read_text(encoding="utf-8"))
        latest = Path(said[1]).name if said else None
        there = [name for name in there if name == latest] or there
    if len(there) > 1:
        raise ValueError(
            f"{place} holds several checkpoints: {', '.join(there)}. Name one, such as "
            f"{place / there[-1]}."
        )
    return place / there[0] if there else None


def _table(file: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a table, in order."""
    footer = file[-_FOOTER:]
    if len(footer) < _FOOTER or int.from_bytes(footer[-8:], "little") != _MAGIC:
        raise ValueError("it does not end as a table does")
    _, at = _handle(footer, 0)
    (offset, size), _ = _handle(footer, at)
    for _, handle in _block(file, offset, size):
        yield from _block(file, *_handle(handle, 0)[0])


def _handle(data: bytes, at: int) -> tuple[tuple[int, int], int]:
    """Offset and size of a block, and where the handle ends."""
    offset, at = _varint(data, at)
    size, at = _varint(data, at)
    return (offset, size), at


def _block(file: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of one block."""
    block, trailer = file[offset : offset + size], file[offset + size : offset + size + _TRAILER]
    if len(trailer) < _TRAILER:
        raise ValueError("it is cut off")
    if masked_crc32c(block + trailer[:1]) != int.from_bytes(trailer[1:], "little"):
        raise ValueError("a checksum in it is wrong")
    if trailer[0]:
        kind = _COMPRESSIONS.get(trailer[0], f"kind {trailer[0]}")
        raise ValueError(f"it is compressed ({kind}), which TensorFlow's own Saver does not do")
    restarts = int.from_bytes(block[-4:], "little")  # places with a whole key, for searching
    end = len(block) - 4 * (restarts + 1)
    key, at = b"", 0
    while at < end:
        shared, at = _varint(block, at)
        own, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + own]
        yield key, block[at + own : at + own + length]
        at += own + length


Fields = dict[int, int | bytes]


def _variable(message: bytes) -> Variable:
    """A BundleEntryProto."""
    fields = dict(_fields(message))
    shape = _fields(fields.get(2, b""))
    dimensions = [dict(_fields(value)) for number, value in shape if number == 2]
    return Variable(
        type_number=_number(fields, 1),
        shape=tuple(_number(dimension, 1) for dimension in dimensions),
        shard=_number(fields, 3),
        offset=_number(fields, 4),
        size=_number(fields, 5),
        checksum=_number(fields, 6),
        sliced=7 in fields,
    )


def _number(fields: Fields, field: int) -> int:
    value = fields.get(field, 0)  # what is zero is not written
    if not isinstance(value, int):
        raise ValueError(f"field {field} of an entry is no number")
    return value


def _fields(message: int | bytes) -> Iterator[tuple[int, int | bytes]]:
    """Numbers and values of a protocol buffer's fields (protobuf.dev, "Encoding")."""
    if not isinstance(message, bytes):
        raise ValueError("a number in it stands where a message should")
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        value: int | bytes
        match tag & 7:
            case 0:
                value, at = _varint(message, at)
            case 2:
                length, at = _varint(message, at)
                value, at = message[at : at + length], at + length
            case 5:
                value, at = int.from_bytes(message[at : at + 4], "little"), at + 4
            case other:
                raise ValueError(f"a field of unknown kind {other} is in it")
        if at > len(message):
            raise ValueError("a field of it is cut off")
        yield tag >> 3, value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number in seven-bit groups, lowest first, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
