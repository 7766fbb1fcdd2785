"""The attention view as a picture: all heads small on the left, the chosen one on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import UInt8

from .attention_weights import SUMMARIES, over_layers, packed, summaries, thumbnails
from .base import WIDTH
from .palette import FAINT, INK, SEGMENT_PAIRS
from .wording import visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .attention_view import AttentionView
    from .picture import Canvas, Pixels

_EDGE, _HEAD, _LABEL, _GAP = 12, 22, 26, 18  # CSS pixels
_MOST_ARCS = 60  # tokens; more lines of text would make the picture taller than a screen
_ROW = 17


def draw(view: AttentionView) -> Figure:
    """The picture of ``view``."""
    from .picture import Canvas

    count = len(view.tokens)
    layers, heads = view.weights.shape[:2]
    columns = heads + len(SUMMARIES)
    cell = max(9, min(42, (320 - _LABEL) // columns, 420 // (layers + 1)))
    top = _EDGE + _HEAD * (bool(view.title) + bool(view.note))
    small_height = 20 + cell * (layers + 1)
    left = _EDGE + _LABEL + columns * cell + _GAP
    arcs = view.form == "arcs" and count <= _MOST_ARCS
    room = WIDTH - left - _EDGE
    large_height = 24 + (_ROW * count if arcs else room)
    page = Canvas(top + max(small_height, large_height) + 30)
    page.heading(view.title, view.note, _EDGE, _HEAD)
    _heads(page, view, top, cell)
    page.text(left, top + 8, view.name, 13, INK, weight="bold")
    if arcs:
        _arcs(page, view, left, top + 24, room)
    else:
        _matrix(page, view, left, top + 24, room)
    _legend(page, view, left, top + max(small_height, large_height) + 14)
    return page.figure


def _heads(page: Canvas, view: AttentionView, top: Pixels, cell: int) -> None:
    from .picture import SCALE

    layers, heads = view.weights.shape[:2]
    planes = packed(np.concatenate([view.weights, summaries(view.weights, view.silent)], axis=1))
    every = -(-14 // cell)
    start = _EDGE + _LABEL
    columns = heads + len(SUMMARIES)
    for head in range(0, heads if cell >= 30 else heads - 50 // cell, every):
        page.text(start + (head + 0.5) * cell, top + 8, str(head), 10.5, FAINT, "center")
    if cell >= 30:
        for column, name in enumerate(("mean", "max", "roll"), heads):
            page.text(start + (column + 0.5) * cell + 3, top + 8, name, 10.5, FAINT, "center")
    else:
        page.text(start + columns * cell, top + 8, "mean, max, roll", 10, FAINT, "right")
    # one image of all heads: matplotlib takes milliseconds for each image, and there may be hundreds
    fine = SCALE * (cell - 2)
    mosaic = np.zeros(
        (SCALE * (cell * (layers + 1) + 3), SCALE * (cell * (heads + 3) + 3), 4), np.uint8
    )
    for layer in range(layers + 1):
        middle = top + 20 + (layer + 0.5) * cell
        if layer == layers or layer % every == 0:
            label = "all" if layer == layers else str(layer)
            page.text(start - 6, middle, label, 10.5, FAINT, "right")
        row = planes[layer] if layer < layers else packed(over_layers(view.weights, view.silent))
        for number, small in enumerate(thumbnails(row)):
            column = number if layer < layers else number + heads
            if (layer, column) in view.absent:
                continue
            x = column * cell + (3 if column >= heads else 0)
            y = layer * cell + (3 if layer == layers else 0)
            framed = np.full((fine, fine, 4), 205, np.uint8)
            if len(small):
                points = np.arange(fine) * len(small) // fine
                framed[1:-1, 1:-1] = _coloured(view, small)[points[:, None], points][1:-1, 1:-1]
            mosaic[SCALE * y :, SCALE * x :][:fine, :fine] = framed
            shown: int | str = column if column < heads else SUMMARIES[column - heads]
            left, upper, side = start + x, top + 20 + y, cell - 2
            if (layer if layer < layers else None, shown) == (view.layer, view.head):
                page.box(left - 1, upper - 1, side + 2, side + 2, edge=INK, corner=1)
            if (layer, column) in view.off:
                page.box(left, upper, side, side, fill=(1, 1, 1, 0.7), corner=0)
                for ends in ((upper, upper + side), (upper + side, upper)):
                    page.axes.plot((left, left + side), ends, color=INK, linewidth=1)
    _image(page, mosaic, start, top + 20, SCALE)


def _arcs(page: Canvas, view: AttentionView, left: Pixels, top: Pixels, room: Pixels) -> None:
    from matplotlib.collections import PathCollection
    from matplotlib.path import Path

    from .attention_view import FAINTEST
    from .picture import text_width

    weights = view.chosen
    names = [visible(token, 14) for token in view.tokens]
    pairs = any(view.segments)
    mark = 12 if pairs else 0
    longest = max((text_width(page.figure, name, 12) for name in names), default=0)
    side = min(longest, 0.3 * room) + mark + 8
    start, end = left + side, left + room - side
    middles = [top + (row + 0.5) * _ROW for row in range(len(view.tokens))]
    for name, segment, middle in zip(names, view.segments, middles, strict=True):
        page.text(start - 6 - mark, middle, name, 12, INK, "right")
        page.text(end + 6 + mark, middle, name, 12, INK)
        if pairs:
            page.text(start - 5, middle, "AB"[segment], 9, FAINT, "right")
            page.text(end + 5, middle, "AB"[segment], 9, FAINT)
    strong = np.argwhere(weights >= FAINTEST)
    curves, colours, widths = [], [], []
    third = (end - start) / 3
    for query, key in sorted(strong.tolist(), key=lambda pair: weights[pair[0], pair[1]]):
        weight = float(weights[query, key])
        curves.append(
            Path(
                [
                    (start, middles[query]),
                    (start + third, middles[query]),
                    (end - third, middles[key]),
                    (end, middles[key]),
                ],
                [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4],
            )
        )
        colours.append((*_rgb(_pair(view, query, key)), 0.85 * weight**0.5))
        widths.append(0.5 + 2.4 * weight)
    page.axes.add_collection(
        PathCollection(curves, facecolors="none", edgecolors=colours, linewidths=widths)
    )


def _matrix(page: Canvas, view: AttentionView, left: Pixels, top: Pixels, room: Pixels) -> None:
    count = len(view.tokens)
    cell = min(24.0, (room - 100) / max(1, count))
    labelled = cell >= 9
    before, above = (100.0, 74.0) if labelled else (0.0, 0.0)
    if not labelled:
        cell = room / max(1, count)
    _image(page, _coloured(view, packed(view.chosen)), left + before, top + above, 1 / cell)
    page.box(left + before, top + above, cell * count, cell * count, edge="#d1d5db", corner=0)
    if not labelled:
        return
    size = min(12.0, cell + 1)
    for index, token in enumerate(view.tokens):
        shown = visible(token, 11)
        page.text(left + before - 6, top + above + (index + 0.5) * cell, shown, size, INK, "right")
        page.axes.text(
            left + before + (index + 0.5) * cell,
            top + above - 5,
            shown,
            fontsize=size * 0.72,
            color=INK,
            rotation=90,
            ha="center",
            va="bottom",
            clip_on=True,
        )


def _legend(page: Canvas, view: AttentionView, left: Pixels, top: Pixels) -> None:
    pairs = ["A to A", "A to B", "B to A", "B to B"] if any(view.segments) else [""]
    for name, colour in zip(pairs, SEGMENT_PAIRS, strict=False):
        ramp = np.ones((1, 72, 4))
        ramp[..., :3] = _rgb(colour)
        ramp[..., 3] = np.linspace(0, 1, 72)
        ramp = np.repeat((255 * ramp).astype(np.uint8), 20, 0)
        _image(page, ramp, left, top - 5)
        if name:
            page.text(left + 41, top, name, 10.5, FAINT)
        left += 42 + (44 if name else 6)
    if pairs == [""]:
        page.text(
            left, top, "0 to 1, a stronger colour is more; scale of square roots", 10.5, FAINT
        )


def _coloured(
    view: AttentionView, pack: UInt8[np.ndarray, "side side"]
) -> UInt8[np.ndarray, "side side 4"]:
    step = max(1, -(-len(view.tokens) // max(1, len(pack))))
    segments = view.segments[::step]
    pairs = np.array([[2 * query + key for key in segments] for query in segments], int)
    colours = np.array([[round(255 * part) for part in _rgb(c)] for c in SEGMENT_PAIRS], np.uint8)
    picture = np.empty((*pack.shape, 4), np.uint8)
    picture[..., :3] = colours[pairs].reshape(*pack.shape, 3)
    picture[..., 3] = pack
    return picture


def _image(
    page: Canvas,
    pixels: UInt8[np.ndarray, "height width 4"],
    x: Pixels,
    y: Pixels,
    fineness: Pixels = 2,
) -> None:
    """Draw ``pixels``, so many of them for a CSS pixel, from the upper left corner x, y."""
    height, width, _ = pixels.shape
    if not width or not height:
        return
    limits: Any = page.axes.get_xlim(), page.axes.get_ylim()
    page.axes.imshow(
        pixels,
        extent=(x, x + width / fineness, y + height / fineness, y),
        interpolation="nearest",
        aspect="auto",
    )
    page.axes.set_xlim(limits[0])
    page.axes.set_ylim(limits[1])


def _pair(view: AttentionView, query: int, key: int) -> str:
    return SEGMENT_PAIRS[2 * view.segments[query] + view.segments[key]]


def _rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue
