"""Attention: all heads small, one of them large, as arcs or as a matrix."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, UInt8

from .attention_weights import (
    SUMMARIES,
    over_layers,
    packed,
    special_tokens,
    summaries,
    thumbnails,
    weights_of,
)
from .base import View
from .palette import SEGMENT_PAIRS
from .wording import title_and_note, two_digits, visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_IN_PAGE = 3_000_000  # bytes of weights in a page; beyond that only the chosen layer is in it
MOST_LINES = 24  # of the text form
FAINTEST = 0.04  # arcs below this weight are drawn only for the token that is pointed at


class AttentionView(View):
    """What each token looks at, in every head of every layer.

    On the left all heads as small pictures, a line for each layer, with three summaries at the end
    of each line: mean and maximum over the heads, and rollout up to that layer; the last line is
    over all layers. On the right the chosen one large: as arcs, or as a matrix with queries as rows.
    Layers and heads are counted from 0, as everywhere in code.

    Weights reach the browser as bytes, layer by layer, when a layer is looked at. A page without a
    kernel holds them all, if they are not more than three megabytes.

    Args:
        tokens: the tokens as the model sees them.
        attention: [layers, heads, query, key] of one text, after the softmax; an array, a tensor, or
            one [heads, query, key] for each layer. Layers may have different numbers of heads.
        segments: for each token its segment, 0 or 1 (the token type); pairs of segments have
            colours of their own. All 0 by default.
        special: for each token, whether it is one that the reader can hide. By default [CLS], [SEP]
            and [PAD].
        off: (layer, head) of heads that are switched off. They are crossed out and count in no
            summary.
        layer: which is chosen at first; None is the line over all layers.
        head: which is chosen at first: a number, or ``"mean"``, ``"max"`` or ``"rollout"``.
        form: ``"arcs"`` or ``"matrix"``.
        title: a line above everything.
        note: a line below the title.

    Events of the live widget: ``{"event": "choose", "layer": i, "head": j}`` when another head is
    looked at, ``{"event": "switch", "layer": i, "head": j, "off": true}`` when the reader wants it
    off (or on again), ``{"event": "restore"}`` for all on again.

    Attributes:
        layer, head: what is chosen now; they follow the reader.
        absent: (layer, head) that are not there, in layers with fewer heads than others.

    Raises:
        ValueError: shapes do not fit each other, a number is not a weight, or there is no such
            layer, head or form.
    """

    module_name = "attention_view"
    style_name = "attention_view.css"

    def __init__(
        self,
        tokens: Sequence[str],
        attention: Any,
        *,
        segments: Iterable[Any] | None = None,
        special: Iterable[Any] | None = None,
        off: Iterable[tuple[int, int]] = (),
        layer: int | None = 0,
        head: int | str = 0,
        form: str = "arcs",
        title: str = "",
        note: str = "",
    ) -> None:
        super().__init__()
        if form not in ("arcs", "matrix"):
            raise ValueError(f"form is {form!r}. Use 'arcs' or 'matrix'.")
        self.form = form
        self.layer, self.head = layer, head
        self._version = self._chosen = 0
        self.update(
            tokens,
            attention,
            segments=segments,
            special=special,
            off=off,
            title=title,
            note=note,
        )

    def update(
        self,
        tokens: Sequence[str],
        attention: Any,
        *,
        segments: Iterable[Any] | None = None,
        special: Iterable[Any] | None = None,
        off: Iterable[tuple[int, int]] = (),
        title: str = "",
        note: str = "",
    ) -> None:
        """Draw other data; the arguments are those of the constructor, and so are the errors. What
        is chosen stays chosen; where the new model has no such head, it is head 0 of layer 0."""
        weights, absent = weights_of(attention)
        count = len(tokens)
        kinds = [0] * count if segments is None else [int(segment) for segment in segments]
        hidden = special_tokens(tokens) if special is None else [bool(mark) for mark in special]
        for name, size in (
            ("rows of attention", weights.shape[2]),
            ("segments", len(kinds)),
            ("marks of special tokens", len(hidden)),
        ):
            if size != count:
                raise ValueError(
                    f"There are {count} tokens but {size} {name}; "
                    "give one for each token, special tokens included."
                )
        if not set(kinds) <= {0, 1}:
            raise ValueError(f"Segments are {sorted(set(kinds))}; a token's segment is 0 or 1.")
        layers, heads = weights.shape[:2]
        switched = {(int(i), int(j)) for i, j in off}
        for i, j in sorted(switched):
            if i not in range(layers) or j not in range(heads) or (i, j) in absent:
                raise ValueError(
                    f"off has layer {i}, head {j}; there are layers 0 to {layers - 1} with heads 0 "
                    f"to {heads - 1}."
                )
        first = not self._version
        try:
            _check_choice(self.layer, self.head, weights, absent)
        except ValueError:
            if first:
                raise
            self.layer, self.head = 0, 0
            self._chosen += 1
        self.tokens, self.weights = list(tokens), weights
        self.segments, self.special, self.off = kinds, hidden, frozenset(switched)
        self.absent = absent
        self.title, self.note = title, note
        self._version += 1
        for name in ("_planes", "_all"):
            self.__dict__.pop(name, None)
        self._push()

    def choose(self, layer: int | None, head: int | str) -> None:
        """Show another head.

        Raises:
            ValueError: there is none.
        """
        _check_choice(layer, head, self.weights, self.absent)
        self.layer, self.head = layer, head
        self._chosen += 1
        self._push()

    @property
    def chosen(self) -> Float[np.ndarray, "query key"]:
        """The weights of the chosen head or summary."""
        if self.layer is None:
            return over_layers(self.weights, self.silent)[SUMMARIES.index(str(self.head))]
        if isinstance(self.head, int):
            return self.weights[self.layer, self.head]
        return summaries(self.weights, self.silent)[self.layer, SUMMARIES.index(self.head)]

    @property
    def silent(self) -> frozenset[tuple[int, int]]:
        """(layer, head) that count in no summary: switched off, or not there."""
        return self.off | self.absent

    @property
    def name(self) -> str:
        """The chosen head or summary in words."""
        return _name(self.layer, self.head)

    def state(self) -> dict[str, Any]:
        layers = range(len(self._planes))
        fits = self._planes.nbytes + self._all.nbytes <= MOST_IN_PAGE
        return self._state(layers if fits else self._looked_at(), live=False)

    def _live_state(self) -> dict[str, Any]:
        # the layer in sight comes along, so that something is seen at once
        return {**self._state(self._looked_at(), live=True), "interactive": bool(self._handlers)}

    def _state(self, layers: Iterable[int], live: bool) -> dict[str, Any]:
        planes = self._planes
        small = thumbnails(np.concatenate([*planes, self._all]))
        return {
            **title_and_note(self.title, self.note),
            "tokens": [visible(token) for token in self.tokens],
            "segments": self.segments,
            "special": self.special,
            "layers": self.weights.shape[0],
            "heads": self.weights.shape[1],
            "summaries": list(SUMMARIES),
            "off": sorted([i, j] for i, j in self.off),
            "absent": sorted([i, j] for i, j in self.absent),
            "layer": self.layer,
            "head": self.head,
            "form": self.form,
            "colours": list(SEGMENT_PAIRS),
            "faintest": FAINTEST,
            "small": {"side": small.shape[-1], "bytes": _base64(small)},
            "all": _base64(self._all),
            "packed": {str(layer): _base64(planes[layer]) for layer in layers},
            "live": live,
            "version": self._version,
            "chosen": self._chosen,
        }

    def __repr__(self) -> str:
        """For each token the one it looks at most, with two digits."""
        layers, heads = self.weights.shape[:2]
        lines = [
            f"AttentionView: {layers} layers of {heads} heads, {len(self.tokens)} tokens; "
            f"here {self.name}, and where each token looks most"
        ]
        lines += [visible(line, 300) for line in (self.title, self.note) if line]
        if self.off:
            lines.append("switched off: " + "; ".join(_name(i, j) for i, j in sorted(self.off)))
        for token, row in list(zip(self.tokens, self.chosen, strict=True))[:MOST_LINES]:
            most = int(row.argmax())
            lines.append(
                f"{visible(token)} → {visible(self.tokens[most])} {two_digits(float(row[most]))}"
            )
        if len(self.tokens) > MOST_LINES:
            lines.append(f"… and {len(self.tokens) - MOST_LINES} tokens more")
        return "\n  ".join(lines)

    def height(self) -> int:
        layers, heads = self.weights.shape[:2]
        cell = max(12, min(46, 300 // (heads + len(SUMMARIES)), 440 // (layers + 1)))
        overview = 30 + cell * (layers + 1)
        # the matrix at its largest; beyond that it scrolls
        detail = 138 + min(430, 96 + 26 * len(self.tokens))
        return 30 + max(overview, detail) + 22 * (bool(self.title) + bool(self.note))

    def figure(self) -> Figure:
        from .attention_picture import draw

        return draw(self)

    @cached_property
    def _planes(self) -> UInt8[np.ndarray, "layers planes query key"]:
        """Heads, then summaries, as bytes."""
        return packed(np.concatenate([self.weights, summaries(self.weights, self.silent)], axis=1))

    @cached_property
    def _all(self) -> UInt8[np.ndarray, "2 query key"]:
        return packed(over_layers(self.weights, self.silent))

    def _looked_at(self) -> list[int]:
        return [] if self.layer is None else [self.layer]

    def _receive(self, content: object) -> None:
        if isinstance(content, dict):
            layer: Any = content.get("layer")
            head: Any = content.get("head")
            match content.get("event"):
                case "fetch":
                    self._send(layer, content.get("version"))
                    return
                case "choose":
                    try:
                        _check_choice(layer, head, self.weights, self.absent)
                    except ValueError:  # of data that were replaced in the meantime
                        return
                    # nothing is pushed: the widget shows it already
                    self.layer, self.head = layer, head
        super()._receive(content)

    def _send(self, layer: object, version: object) -> None:
        """The bytes of one layer, to the widget that asked; nothing if its data are old."""
        if (
            isinstance(layer, int)
            and layer in range(len(self._planes))
            and version == self._version
        ):
            self.widget.send(
                {"event": "layer", "layer": layer, "version": version},
                buffers=[self._planes[layer].tobytes()],
            )


def _check_choice(
    layer: Any,
    head: Any,
    weights: Float[np.ndarray, "layers heads query key"],
    absent: frozenset[tuple[int, int]],
) -> None:
    layers, heads = weights.shape[:2]
    names = SUMMARIES[:2] if layer is None else SUMMARIES
    if head in names and isinstance(head, str) and (layer is None or layer in range(layers)):
        return
    there = isinstance(head, int) and head in range(heads) and layer in range(layers)
    if there and (layer, head) not in absent:
        return
    raise ValueError(
        f"There is no layer {layer!r}, head {head!r}. Layers are 0 to {layers - 1}, or None for all "
        f"of them; heads are 0 to {heads - 1}, {', '.join(map(repr, SUMMARIES))} (all layers have "
        "'mean' and 'max' only)."
    )


def _name(layer: int | None, head: int | str) -> str:
    where = "all layers" if layer is None else f"layer {layer}"
    match head:
        case "mean":
            return f"mean over the heads of {where}"
        case "max":
            return f"maximum over the heads of {where}"
        case "rollout":
            return f"rollout up to {where}"
        case _:
            return f"{where}, head {head}"


def _base64(values: UInt8[np.ndarray, "*shape"]) -> str:
    return base64.b64encode(values.tobytes()).decode("ascii")
