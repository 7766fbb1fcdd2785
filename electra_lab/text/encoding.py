"""From pieces to what a model takes in: special tokens, pairs, truncation and padding.

Both tokenizers hand over the same ``Pieces`` and share everything here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import torch

Offsets = tuple[int, int]
TRUNCATION_STRATEGIES = ("longest_first", "only_first", "only_second", "do_not_truncate")
PADDING_STRATEGIES = ("longest", "max_length", "do_not_pad")
SIDES = ("right", "left")


@dataclass(slots=True)
class Pieces:
    """The pieces of one text, before special tokens. The four lists have one entry per piece."""

    ids: list[int]
    tokens: list[str]
    offsets: list[Offsets]
    word_ids: list[int | None]

    def __len__(self) -> int:
        return len(self.ids)

    def part(self, start: int, stop: int) -> Pieces:
        """The pieces from ``start`` to ``stop``."""
        if start == 0 and stop == len(self.ids):
            return self
        window = slice(start, stop)
        return Pieces(
            self.ids[window], self.tokens[window], self.offsets[window], self.word_ids[window]
        )


@dataclass(slots=True)
class Encoding:
    """One row of a batch, with everything that is known of each of its tokens.

    ``offsets`` are (start, stop) in the characters of the text that the token came from, (0, 0) for
    the tokens added; ``word_ids`` and ``sequence_ids`` (0 the first text, 1 the second) are None
    there. ``special_tokens_mask`` is 1 for the tokens added, ``attention_mask`` 0 for padding.
    """

    ids: list[int]
    tokens: list[str]
    offsets: list[Offsets]
    word_ids: list[int | None]
    sequence_ids: list[int | None]
    type_ids: list[int]
    special_tokens_mask: list[int]
    attention_mask: list[int]

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return (
            f"Encoding({len(self)} tokens: {' '.join(self.tokens[:8])}{' ...' * (len(self) > 8)})"
        )

    @classmethod
    def empty(cls) -> Encoding:
        """An encoding of no tokens."""
        return cls([], [], [], [], [], [], [], [])

    def add_text(self, pieces: Pieces, sequence: int) -> None:
        """Append a text's pieces; ``sequence`` (0 or 1) is also their token type."""
        length = len(pieces)
        self.ids += pieces.ids
        self.tokens += pieces.tokens
        self.offsets += pieces.offsets
        self.word_ids += pieces.word_ids
        self.sequence_ids += [sequence] * length
        self.type_ids += [sequence] * length
        self.special_tokens_mask += [0] * length
        self.attention_mask += [1] * length

    def add_special(self, token: Special, type_id: int) -> None:
        """Append a special token."""
        self.ids.append(token.id)
        self.tokens.append(token.text)
        self.offsets.append((0, 0))
        self.word_ids.append(None)
        self.sequence_ids.append(None)
        self.type_ids.append(type_id)
        self.special_tokens_mask.append(1)
        self.attention_mask.append(1)

    def pad(self, length: int, token: Special, side: str = "right") -> None:
        """Fill up to ``length`` with padding, which nobody attends to."""
        missing = length - len(self.ids)
        if missing <= 0:
            return
        fills: tuple[tuple[list[Any], Any], ...] = (
            (self.ids, token.id),
            (self.tokens, token.text),
            (self.offsets, (0, 0)),
            (self.word_ids, None),
            (self.sequence_ids, None),
            (self.type_ids, 0),
            (self.special_tokens_mask, 1),
            (self.attention_mask, 0),
        )
        for values, fill in fills:
            place = len(values) if side == "right" else 0
            values[place:place] = [fill] * missing


class Special(NamedTuple):
    """A special token and its id."""

    text: str
    id: int


def kept_lengths(first: int, second: int, room: int, strategy: str) -> tuple[int, int]:
    """How many pieces of each text are kept so that both fit into ``room``.

    ``longest_first`` shortens the longer text until both are equal, then both.

    Raises:
        ValueError: the one text that may be cut is too short to make room.
    """
    if first + second <= room:
        return first, second
    if room == 0:
        return 0, 0
    if strategy == "longest_first":
        shorter, longer = sorted((first, second))
        shorter = min(shorter, room // 2)
        longer = min(longer, room - shorter)
        return (shorter, longer) if first <= second else (longer, shorter)
    cut, other = (first, second) if strategy == "only_first" else (second, first)
    left = room - other
    if left <= 0:
        raise ValueError(
            f"truncation={strategy!r} cannot make {first} + {second} pieces fit into {room}: the "
            f"{'first' if strategy == 'only_first' else 'second'} text has {cut} to give. Raise "
            "max_length or use truncation='longest_first'."
        )
    return (left, other) if strategy == "only_first" else (other, left)


def windows(length: int, size: int, stride: int, side: str = "right") -> list[tuple[int, int]]:
    """Where to cut ``length`` pieces into windows of ``size`` that overlap by ``stride``.

    The first window is what truncation keeps, the others are the overflow. ``side`` is the one from
    which truncation takes away.

    Raises:
        ValueError: windows that overlap wholly never get on.
    """
    if length <= size:
        return [(0, length)]
    if size == 0:
        return [(0, 0), (0, length)]
    if stride >= size:
        raise ValueError(
            f"stride={stride} must be less than the {size} pieces of this text that fit beside the "
            "special tokens. Lower stride or raise max_length."
        )
    cuts = [(0, size)]
    while cuts[-1][1] < length:
        start = cuts[-1][0] + size - stride
        cuts.append((start, min(start + size, length)))
    if side == "left":
        cuts = [(length - stop, length - start) for start, stop in cuts]
    return cuts


def window_pairs(
    first: Pieces, second: Pieces | None, kept: tuple[int, int], stride: int, side: str
) -> list[tuple[Pieces, Pieces | None]]:
    """Every window of the first text with every window of the second, what is kept in front.

    The order is that of the ``tokenizers`` library: overflow of the first text, each with all
    windows of the second, and last what is kept of the first with the overflow of the second.
    """
    of_first = [first.part(*cut) for cut in windows(len(first), kept[0], stride, side)]
    if second is None:
        return [(pieces, None) for pieces in of_first]
    of_second = [second.part(*cut) for cut in windows(len(second), kept[1], stride, side)]
    return [
        (of_first[0], of_second[0]),
        *((a, b) for a in of_first[1:] for b in of_second),
        *((of_first[0], b) for b in of_second[1:]),
    ]


def join(
    first: Pieces, second: Pieces | None, cls: Special, sep: Special, add_special_tokens: bool
) -> Encoding:
    """``[CLS] first [SEP]`` or ``[CLS] first [SEP] second [SEP]``; the second's token type is 1."""
    encoding = Encoding.empty()
    if add_special_tokens:
        encoding.add_special(cls, 0)
    encoding.add_text(first, 0)
    if add_special_tokens:
        encoding.add_special(sep, 0)
    if second is not None:
        encoding.add_text(second, 1)
        if add_special_tokens:
            encoding.add_special(sep, 1)
    return encoding


class BatchEncoding(dict[str, Any]):
    """What a tokenizer returns: a dictionary that a model takes as ``model(**batch)``.

    Its entries are attributes too. ``tokens``, ``word_ids`` and the other methods look at one row of
    the batch, the first unless told otherwise, and work with tensors as with lists.
    """

    def __init__(self, data: dict[str, Any], encodings: Sequence[Encoding] = ()) -> None:
        super().__init__(data)
        self.encodings = list(encodings)

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        raise AttributeError(f"This batch has no {name!r}; it has {', '.join(self)}.")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self), self.encodings)

    def tokens(self, batch_index: int = 0) -> list[str]:
        """The tokens of a row, padding included."""
        return self.encodings[batch_index].tokens

    def word_ids(self, batch_index: int = 0) -> list[int | None]:
        """For each token the number of its word in its text; None for the tokens added."""
        return self.encodings[batch_index].word_ids

    def sequence_ids(self, batch_index: int = 0) -> list[int | None]:
        """For each token 0 or 1 for the first or second text; None for the tokens added."""
        return self.encodings[batch_index].sequence_ids

    def token_to_chars(self, batch_index: int, token_index: int) -> Offsets | None:
        """The characters (start, stop) that a token came from; None for a token added."""
        encoding = self.encodings[batch_index]
        if encoding.sequence_ids[token_index] is None:
            return None
        return encoding.offsets[token_index]

    def char_to_token(
        self, batch_index: int, char_index: int, sequence_index: int = 0
    ) -> int | None:
        """The token that a character of a text went into; None where it went into none."""
        encoding = self.encodings[batch_index]
        for index, (start, stop) in enumerate(encoding.offsets):
            if encoding.sequence_ids[index] == sequence_index and start <= char_index < stop:
                return index
        return None

    def word_to_tokens(
        self, batch_index: int, word_index: int, sequence_index: int = 0
    ) -> tuple[int, int] | None:
        """The tokens (start, stop) of a word; None where it has none."""
        encoding = self.encodings[batch_index]
        found = [
            index
            for index, word in enumerate(encoding.word_ids)
            if word == word_index and encoding.sequence_ids[index] == sequence_index
        ]
        return (found[0], found[-1] + 1) if found else None

    def to(self, device: torch.device | str | int, non_blocking: bool = False) -> BatchEncoding:
        """Move the tensors to a device; returns this batch."""
        import torch

        for name, value in self.items():
            if isinstance(value, torch.Tensor):
                self[name] = value.to(device, non_blocking=non_blocking)
        return self


def as_tensors(data: dict[str, Any], kind: str) -> dict[str, Any]:
    """Rectangular lists as int64 tensors (``"pt"``) or arrays (``"np"``).

    Raises:
        ValueError: the rows have several lengths, or ``kind`` is another word.
    """
    if kind not in ("pt", "np"):
        raise ValueError(
            f"return_tensors={kind!r} is not known: 'pt' gives torch tensors, 'np' NumPy arrays, "
            "None lists."
        )
    lengths = {len(row) for row in data["input_ids"]}
    if len(lengths) > 1:
        raise ValueError(
            f"The rows have {min(lengths)} to {max(lengths)} tokens, and a tensor needs one length. "
            "Call with padding=True, and truncation=True where a text may be too long."
        )
    arrays = {}
    for name, rows in data.items():
        array = np.asarray(rows, dtype=np.int64)
        if not rows and name not in ("length", "overflow_to_sample_mapping"):
            array = array.reshape(0, 0)
        arrays[name] = array
    if kind == "np":
        return arrays
    import torch

    return {name: torch.from_numpy(array) for name, array in arrays.items()}
