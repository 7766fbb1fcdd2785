"""What turns the encoder into a decoder: the causal mask, and the cache of keys and values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor

New = Float[Tensor, "batch heads new head_size"]
Entry = Float[Tensor, "batch heads key head_size"]


def causal_mask(
    queries: int,
    keys: int,
    padding: Shaped[Tensor, "batch key"] | None = None,
    device: torch.device | None = None,
) -> Bool[Tensor, "batch_or_1 query key"]:
    """True where a token may look: at itself and at what came before, never at padding.

    Args:
        queries: number of new tokens; they are the last of the sequence.
        keys: length of the whole sequence, cached tokens included.
        padding: 1 for tokens and 0 for padding, over the whole sequence.
    """
    look = torch.ones(queries, keys, dtype=torch.bool, device=device).tril(keys - queries)[None]
    return look if padding is None else look & (padding != 0)[:, None, :]


class LayerCache:
    """Keys and values of one attention block, of all tokens seen so far."""

    def __init__(self, key: Entry | None = None, value: Entry | None = None) -> None:
        self.key = key
        self.value = value

    def __len__(self) -> int:
        return 0 if self.key is None else self.key.shape[2]

    def append(self, key: New, value: New) -> tuple[Entry, Entry]:
        """Put new tokens behind those that are there; returns all of them."""
        if self.key is not None and self.value is not None:
            key = torch.cat([self.key, key], dim=2)
            value = torch.cat([self.value, value], dim=2)
        self.key, self.value = key, value
        return key, value


class KeyValueCache:
    """The cache of a decoder: for each layer its own keys and values and, where there is
    cross-attention, those of the encoder's states, which are computed once.

    ``cache[i]`` is the tuple that older versions of transformers hand around: (key, value) or
    (key, value, cross key, cross value).
    """

    def __init__(self, layers: int) -> None:
        self.own = [LayerCache() for _ in range(layers)]
        self.cross = [LayerCache() for _ in range(layers)]

    @classmethod
    def from_tuple(cls, past: Sequence[Sequence[Tensor]]) -> KeyValueCache:
        """A cache from the older tuple form.

        Raises:
            ValueError: an entry has not two or four tensors.
        """
        cache = cls(len(past))
        for i, entry in enumerate(past):
            if len(entry) not in (2, 4):
                raise ValueError(
                    f"past_key_values[{i}] has {len(entry)} tensors; expected (key, value) or "
                    "(key, value, cross key, cross value)."
                )
            cache.own[i] = LayerCache(entry[0], entry[1])
            if len(entry) == 4:
                cache.cross[i] = LayerCache(entry[2], entry[3])
        return cache

    def to_tuple(self) -> tuple[tuple[Tensor, ...], ...]:
        """The older tuple form."""
        return tuple(self)

    def get_seq_length(self) -> int:
        """Number of tokens in the cache."""
        return len(self.own[0])

    def __len__(self) -> int:
        return len(self.own)

    def __getitem__(self, layer: int) -> tuple[Tensor, ...]:
        caches = (self.own[layer], self.cross[layer])
        tensors = (tensor for cache in caches for tensor in (cache.key, cache.value))
        return tuple(tensor for tensor in tensors if tensor is not None)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        return (self[layer] for layer in range(len(self)))
