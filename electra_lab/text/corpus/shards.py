"""Segments on the disk: memory-mapped, any of them by its number.

A folder of shards has an ``index.json`` and a folder for each shard, with three arrays: the ``ids`` of
all its segments end to end, without [CLS] and [SEP], in 16 bits where the vocabulary allows it;
``starts``, where each segment begins, and last where the ids end; and ``splits``, how many tokens of
each are A.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from electra_lab.checkpoints.atomic import atomic_folder
from electra_lab.text.tokenizer_base import TokenizerBase

from .segments import Segment

INDEX_FILE = "index.json"
STATE_FILE = "state.json"
VERSION = 1
_ARRAYS = ("ids", "starts", "splits")


class Rows(NamedTuple):
    """Segments as rows for a model, padded to the longest: ids and token types (count, longest), and the
    number of tokens of each row (count,)."""

    input_ids: NDArray[np.int64]
    token_type_ids: NDArray[np.int64]
    lengths: NDArray[np.int64]


class Shards:
    """The segments of a folder of shards, by number. Only what is asked for is read.

    Args:
        folder: what ``build_shards`` made.
        tokenizer: the one that they were made with, or one with the same vocabulary.

    Attributes:
        max_length: tokens of the longest row there can be, [CLS] and [SEP] counted.
        index: what ``index.json`` says.

    Raises:
        FileNotFoundError: the folder has no index.
        ValueError: the vocabulary does not fit the shards; the index or a shard is damaged.
    """

    def __init__(self, folder: str | Path, tokenizer: TokenizerBase) -> None:
        self.folder = Path(folder)
        self.index = read_index(self.folder)
        self.max_length: int = self.index["settings"]["max_length"]
        check_vocabulary_fits(self.folder, self.index["settings"], tokenizer)
        self.special_ids = (tokenizer.pad_token_id, tokenizer.cls_token_id, tokenizer.sep_token_id)
        self._arrays = [self._open(shard) for shard in self.index["shards"]]
        self._first = [0, *accumulate(shard["segments"] for shard in self.index["shards"])]

    def __len__(self) -> int:
        return self._first[-1]

    def __repr__(self) -> str:
        return f"Shards({str(self.folder)!r}: {len(self):,} segments, {self.tokens:,} tokens)"

    @property
    def tokens(self) -> int:
        """Tokens in all segments, [CLS] and [SEP] not counted."""
        return sum(shard["tokens"] for shard in self.index["shards"])

    def __getitem__(self, number: int) -> Segment:
        """The segment of that number, from 0.

        Raises:
            IndexError: there are not so many.
        """
        if not 0 <= number < len(self):
            raise IndexError(f"There is no segment {number}; there are {len(self):,}, from 0 on.")
        shard = bisect_right(self._first, number) - 1
        arrays = self._arrays[shard]
        inside = number - self._first[shard]
        start, stop = arrays["starts"][inside : inside + 2].tolist()
        return Segment(arrays["ids"][start:stop], int(arrays["splits"][inside]))

    def numbers(self, rank: int, world_size: int) -> range:
        """The segments of one of several ranks: every ``world_size``-th from ``rank`` on.

        Raises:
            ValueError: there is no such rank.
        """
        check_rank(rank, world_size)
        return range(rank, len(self), world_size)

    def runs(self, most: int = 2**22) -> Iterator[NDArray[np.unsignedinteger]]:
        """The ids of all segments end to end, at most so many at once."""
        for arrays in self._arrays:
            ids = arrays["ids"]
            for start in range(0, len(ids), most):
                yield ids[start : start + most]

    def rows(self, numbers: Sequence[int]) -> Rows:
        """These segments with their special tokens, as rows for a model.

        Raises:
            IndexError: one of them does not exist.
        """
        pad, cls, sep = self.special_ids
        segments = [self[number] for number in numbers]
        lengths = np.array([segment.length for segment in segments], dtype=np.int64)
        input_ids = np.full((len(segments), int(lengths.max(initial=0))), pad, dtype=np.int64)
        token_type_ids = np.zeros_like(input_ids)
        for row, types, (ids, split) in zip(input_ids, token_type_ids, segments, strict=True):
            row[0] = cls
            row[1 : split + 1] = ids[:split]
            row[split + 1] = sep
            if split < len(ids):
                row[split + 2 : len(ids) + 2] = ids[split:]
                row[len(ids) + 2] = sep
                types[split + 2 : len(ids) + 3] = 1
        return Rows(input_ids, token_type_ids, lengths)

    def _open(self, shard: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        folder = self.folder / shard["name"]
        try:
            arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _ARRAYS}
        except (OSError, ValueError) as error:
            raise ValueError(f"The shard {folder} cannot be read ({error}). {_ANEW}") from error
        sizes = {name: len(array) for name, array in arrays.items()}
        segments, tokens = shard["segments"], shard["tokens"]
        if sizes != {"ids": tokens, "starts": segments + 1, "splits": segments}:
            raise ValueError(
                f"The shard {folder} has other sizes ({sizes}) than the index says ({segments} "
                f"segments, {tokens} tokens). {_ANEW}"
            )
        return arrays


def check_rank(rank: int, world_size: int) -> None:
    """Raises:
    ValueError: there is no such rank.
    """
    if not 0 <= rank < world_size:
        raise ValueError(f"There is no rank {rank} of {world_size}; ranks count from 0.")


def vocabulary_hash(tokenizer: TokenizerBase) -> str:
    """A fingerprint of all that decides which ids a text gets."""
    pieces = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    content = [pieces, sorted(tokenizer.settings().items())]
    return hashlib.sha256(json.dumps(content, default=str).encode()).hexdigest()


def check_vocabulary_fits(
    folder: Path, settings: Mapping[str, Any], tokenizer: TokenizerBase
) -> None:
    """Raises:
    ValueError: the shards were made with another vocabulary; their ids would mean other pieces.
    """
    if settings["vocabulary"] != vocabulary_hash(tokenizer):
        raise ValueError(
            f"The vocabulary does not fit the shards in {folder}: they were made with another one "
            f"({settings['vocabulary_size']:,} pieces there, {len(tokenizer):,} here; the pieces, their "
            "order or a setting such as do_lower_case differ), so their ids mean other pieces. Use the "
            "tokenizer they were made with, or make shards anew in another folder."
        )


def read_index(folder: Path) -> dict[str, Any]:
    """What ``index.json`` says.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is damaged or of another version.
    """
    file = folder / INDEX_FILE
    if not file.is_file():
        begun = any(folder.glob("shard-*"))
        raise FileNotFoundError(
            f"{folder} has no {INDEX_FILE}"
            + (
                ", its making was broken off. Call build_shards again: it goes on."
                if begun
                else "."
            )
        )
    index = _read_json(file)
    if index.get("version") != VERSION:
        raise ValueError(
            f"{file} is of version {index.get('version')}; this package reads version {VERSION}. {_ANEW}"
        )
    return index


def write_shard(
    folder: Path, segments: Sequence[Segment], vocabulary_size: int, state: Mapping[str, Any]
) -> None:
    """Write one shard whole or not at all, with the state of its making behind it.

    Raises:
        OSError: the disk is full or the place cannot be written.
    """
    ids = np.concatenate([segment.ids for segment in segments])
    starts = np.cumsum([0, *(len(segment.ids) for segment in segments)], dtype=np.int64)
    splits = np.array([segment.split for segment in segments], dtype=np.uint32)
    with atomic_folder(folder) as partial:
        np.save(partial / "ids.npy", ids.astype(id_type(vocabulary_size), copy=False))
        np.save(partial / "starts.npy", starts)
        np.save(partial / "splits.npy", splits)
        (partial / STATE_FILE).write_text(json.dumps(state, indent=1) + "\n", encoding="utf-8")


def read_state(folder: Path) -> dict[str, Any]:
    """The state that was written with a shard.

    Raises:
        ValueError: it is damaged.
    """
    return _read_json(folder / STATE_FILE)


def id_type(vocabulary_size: int) -> type[np.unsignedinteger]:
    """The smallest type that holds every id."""
    return np.uint16 if vocabulary_size <= 2**16 else np.uint32


def _read_json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{file} cannot be read ({error}). {_ANEW}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{file} is not what was written there. {_ANEW}")
    return content


_ANEW = "Remove the folder of the shards and make them anew."
