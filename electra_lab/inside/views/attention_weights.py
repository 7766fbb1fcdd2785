"""Attention weights as a view needs them: summaries over heads and layers, and one byte a weight."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

SUMMARIES = ("mean", "max", "rollout")
"""What stands beside the heads of each layer; the first two also over all layers."""

THUMBNAIL = 32  # tokens on each side of a small picture at most; longer texts are pooled


def weights_of(
    attention: Any,
) -> tuple[Float[np.ndarray, "layers heads query key"], frozenset[tuple[int, int]]]:
    """One array of the attention of all layers.

    Args:
        attention: an array or tensor [layers, heads, query, key], or one [heads, query, key] for
            each layer. Layers may have different numbers of heads, as pruned models have.

    Returns:
        The weights, and the (layer, head) that are not there: a layer with fewer heads than others
        is filled up with zeros.

    Raises:
        ValueError: the shape is another, or a number does not lie in [0, 1].
    """
    if hasattr(attention, "shape"):
        weights, absent = _array(attention), []
    else:
        layers = [_array(layer) for layer in attention]
        if len({layer.shape[1:] for layer in layers}) > 1:
            shapes = sorted({str(layer.shape) for layer in layers})
            raise ValueError(
                f"The layers' attentions are of different texts: their shapes are {', '.join(shapes)}."
            )
        most = max((len(layer) for layer in layers), default=0)
        absent = [(i, j) for i, layer in enumerate(layers) for j in range(len(layer), most)]
        weights = np.array(
            [
                np.concatenate([x, np.zeros((most - len(x), *x.shape[1:]), np.float32)])
                for x in layers
            ],
            np.float32,
        )
    if weights.ndim != 4 or weights.shape[2] != weights.shape[3] or 0 in weights.shape[:2]:
        raise ValueError(
            f"The attention has the shape {tuple(weights.shape)}; give [layers, heads, tokens, "
            "tokens] of one text (of a batch, choose a row first)."
        )
    # rows are sums of rounded numbers: a weight of 1 may come out a little larger
    if not (weights >= 0).all() or not (weights <= 1.001).all():
        raise ValueError(
            f"Attention weights lie in [0, 1]; these reach from {weights.min()} to "
            f"{weights.max()}. Give the weights after the softmax."
        )
    return weights, frozenset(absent)


def summaries(
    weights: Float[np.ndarray, "layers heads query key"], off: Collection[tuple[int, int]] = ()
) -> Float[np.ndarray, "layers 3 query key"]:
    """Mean and maximum over the heads of each layer, and the rollout up to each layer.

    Heads in ``off`` count in none of them; a layer whose heads are all off passes everything by.
    Rollout (Abnar and Zuidema 2020, section 3): half of a token stays what it was, half is the
    layer's mean; layers are multiplied.

    Args:
        off: (layer, head) of the heads that are switched off.
    """
    layers, heads, count, _ = weights.shape
    found = np.zeros((layers, len(SUMMARIES), count, count), np.float32)
    rolled = np.eye(count, dtype=np.float32)
    for layer in range(layers):
        on = [head for head in range(heads) if (layer, head) not in off]
        if on:
            found[layer, 0] = weights[layer, on].mean(0)
            found[layer, 1] = weights[layer, on].max(0)
            rolled = (found[layer, 0] @ rolled + rolled) / 2
        found[layer, 2] = rolled
    return found


def over_layers(
    weights: Float[np.ndarray, "layers heads query key"], off: Collection[tuple[int, int]] = ()
) -> Float[np.ndarray, "2 query key"]:
    """Mean and maximum over all heads of all layers that are not ``off``."""
    layers, heads, count, _ = weights.shape
    on = np.array([[(i, j) not in off for j in range(heads)] for i in range(layers)])
    if not on.any():
        return np.zeros((2, count, count), np.float32)
    return np.stack([weights[on].mean(0), weights[on].max(0)]).astype(np.float32)


def packed(weights: Float[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    """One byte for each weight: 255 times its square root.

    The root gives small weights, of which there are many, most of the 256 steps: a weight comes
    back within .004 near 1 and within .0004 near .01.
    """
    return np.rint(255 * np.sqrt(np.clip(weights, 0, 1))).astype(np.uint8)


def unpacked(pack: UInt8[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """The weights of ``packed``, as near as bytes are."""
    return np.square(pack.astype(np.float32) / 255)


def thumbnails(
    pack: UInt8[np.ndarray, "planes query key"], longest: int = THUMBNAIL
) -> UInt8[np.ndarray, "planes small small"]:
    """Small pictures, at most ``longest`` on a side: each point is the largest weight under it, so
    that a single strong weight is never lost."""
    planes, count, _ = pack.shape
    step = max(1, -(-count // longest))
    small = -(-count // step)
    wide = np.zeros((planes, small * step, small * step), np.uint8)
    wide[:, :count, :count] = pack
    return wide.reshape(planes, small, step, small, step).max((2, 4))


def special_tokens(tokens: Sequence[str]) -> list[bool]:
    """Which tokens are [CLS], [SEP] and [PAD], the ones that no text holds."""
    return [token in ("[CLS]", "[SEP]", "[PAD]") for token in tokens]


def _array(values: Any) -> Float[np.ndarray, "*shape"]:
    if hasattr(values, "detach"):
        values = values.detach().float().cpu().numpy()
    return np.asarray(values, np.float32)
