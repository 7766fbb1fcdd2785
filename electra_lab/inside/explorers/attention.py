"""Attention of any ELECTRA: type, look at heads, switch them off and see what moves."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from electra_lab.inside.trace import SwitchOffHeads, Trace, trace
from electra_lab.inside.views import AttentionView, ChangeChart, View

from .base import Explorer, sentence_field
from .fields import check_form, field_names, fields_of, row_name, with_fields
from .sayings import sayings

HINT = "Choose a head. X or “Switch off” takes it away; the bars below show what moves."
EVERY_KEY = 0.1  # seconds that a trace may take if each key is to be followed


class AttentionExplorer(Explorer):
    """What each token looks at in a text that can be edited, and what the model says without some
    of its heads.

    Works on every ELECTRA head, of this package or a live one of transformers.

    Args:
        model: the model.
        tokenizer: of this package or of transformers.
        text: a text; a (text, text) pair; ``{"question": ..., "context": ...}``; or ``{"context":
            ..., "choices": [...]}`` for multiple choice. What was given decides which fields there
            are to type in.
        layer, head: which head is looked at first, see ``AttentionView``.

    Attributes:
        attention: the view of all heads.
        outcome: the chart of what the model says, with all heads and without those switched off.
        trace: the trace that is shown.
        off: the (layer, head) that are switched off.
        message: what the reader is told.

    Raises:
        ValueError: the text is empty or too long, the model needs another form of input, or there is
            no such head. (Later, when a reader leaves the text empty or makes it too long, that is
            said in place of the picture.)
        TypeError: the model is no ELECTRA, or one that was modified.
    """

    def __init__(
        self, model: Any, tokenizer: Any, text: Any, *, layer: int | None = 0, head: int | str = 0
    ) -> None:
        check_form(text)
        self.model, self.tokenizer = model, tokenizer
        self.off: frozenset[tuple[int, int]] = frozenset()
        self.message = HINT
        self._text: Any = text
        self._row = 0
        self.outcome = ChangeChart([], [], was="with all heads on")
        began = time.perf_counter()
        self._intact = self._traced()
        self._follow_keys = time.perf_counter() - began < EVERY_KEY
        self.trace = self._intact
        row = self.trace.select(0)
        self.attention = AttentionView(
            row.tokens[0], _weights(row), segments=row.segments[0], layer=layer, head=head
        )
        self._draw()
        self.attention.on_event(self._heard)

    @property
    def text(self) -> Any:
        """What is traced, in the form in which it was given. Setting it traces again."""
        return self._text

    @text.setter
    def text(self, text: Any) -> None:
        self._text = text
        self._look(again=True)

    @property
    def row(self) -> int:
        """Which sequence is shown: of a long passage's windows or of the choices. 0 where there is
        one only.

        Raises:
            IndexError: there is no such row.
        """
        return self._row

    @row.setter
    def row(self, row: int) -> None:
        if row not in range(len(self._intact)):
            raise IndexError(f"There is no row {row}; the rows are 0 to {len(self._intact) - 1}.")
        self._row = row
        self._draw()
        self._show_controls()

    def switch(self, layer: int, head: int, off: bool = True) -> None:
        """Switch a head off, or on again, and trace again.

        Raises:
            IndexError: there is no such head.
        """
        self._switched((self.off | {(layer, head)}) if off else self.off - {(layer, head)})

    def switch_layer(self, layer: int, off: bool = True) -> None:
        """Switch all heads of a layer off, or on again.

        Raises:
            IndexError: there is no such layer.
        """
        self._check(layer, 0)
        heads = {(layer, head) for head in range(self._intact.layers[layer].heads)}
        self._switched((self.off | heads) if off else self.off - heads)

    def restore(self) -> None:
        """Switch all heads on."""
        self._switched(frozenset())

    def __repr__(self) -> str:
        return f"AttentionExplorer\n{self.attention!r}\n{self.outcome!r}"

    @property
    def views(self) -> list[View]:
        return [self.attention, self.outcome]

    def _make_controls(self) -> dict[str, Any]:
        """``first`` and ``second`` text, ``row`` (which sequence), ``layer`` (all its heads off, or
        on again), ``restore``."""
        import ipywidgets

        controls = {name: sentence_field(self._follow_keys) for name in ("first", "second")}
        for control, name in zip(controls.values(), field_names(self._text), strict=True):
            control.description = name
        controls["row"] = ipywidgets.Dropdown(description="Sequence", layout={"width": "340px"})
        controls["layer"] = ipywidgets.Button(layout={"width": "190px"})
        controls["restore"] = ipywidgets.Button(
            description="All heads on", layout={"width": "130px"}
        )
        self._listen(controls["first"], lambda text: self._typed(text, None))
        self._listen(controls["second"], lambda text: self._typed(None, text))
        self._listen(controls["row"], self._chosen_row)
        controls["layer"].on_click(lambda _: self._layer_clicked())
        controls["restore"].on_click(lambda _: self.restore())
        return controls

    def layout(self) -> list[list[str]]:
        return [["first"], ["second"], ["row", "layer", "restore"]]

    def _show(self, controls: dict[str, Any]) -> None:
        controls["first"].value, controls["second"].value = fields_of(self._text)
        rows = [(row_name(self._intact, row), row) for row in range(len(self._intact))]
        if list(controls["row"].options) != rows:
            controls["row"].options = rows
        controls["row"].value = self._row if self._row < len(rows) else None
        controls["row"].layout.display = None if len(rows) > 1 else "none"
        controls["restore"].disabled = not self.off
        layer = self.attention.layer
        controls["layer"].disabled = layer is None
        on = "on" if self._layer_is_off() else "off"
        controls["layer"].description = (
            "Switch a layer off" if layer is None else f"Switch layer {layer} {on}"
        )

    def _traced(self) -> Trace:
        """The text with the heads that are on.

        Raises:
            ValueError: the text is empty, too long or of the wrong form.
        """
        off = [
            SwitchOffHeads(layer, [j for i, j in sorted(self.off) if i == layer])
            for layer in sorted({i for i, _ in self.off})
        ]
        return trace(self.model, self._text, tokenizer=self.tokenizer, interventions=off)

    def _look(self, again: bool) -> None:
        """Trace; ``again`` also with all heads on, because the text is another one."""
        try:
            if again:
                off, self.off = self.off, frozenset()
                try:
                    self._intact = self._traced()
                finally:
                    self.off = off
            self.trace = self._traced() if self.off else self._intact
        except (ValueError, MemoryError) as error:
            self._say_instead(str(error))
        else:
            self._row = min(self._row, len(self._intact) - 1)
            self._draw()
        self._show_controls()

    def _say_instead(self, message: str) -> None:
        """A message in place of a picture."""
        self.message = message
        empty = np.zeros((*self.attention.weights.shape[:2], 0, 0), np.float32)
        self.attention.update([], empty, off=self.off, note=message)
        self.outcome.update([], [])

    def _draw(self) -> None:
        now, intact = self.trace.select(self._row), self._intact.select(self._row)
        self.message = HINT
        self.attention.update(
            now.tokens[0],
            _weights(now),
            segments=now.segments[0],
            off=self.off,
            note=self.message,
        )
        said = sayings(intact, now if self.off else None)
        self.outcome.update(
            said.names,
            said.numbers,
            before=said.before if self.off else None,
            scale=said.scale,
            title=said.title,
        )

    def _switched(self, off: frozenset[tuple[int, int]]) -> None:
        for layer, head in sorted(off):
            self._check(layer, head)
        self.off = off
        self._look(again=False)

    def _check(self, layer: int, head: int) -> None:
        layers = self._intact.layers
        if layer not in range(len(layers)) or head not in range(layers[layer].heads):
            raise IndexError(
                f"There is no layer {layer}, head {head}; there are layers 0 to {len(layers) - 1} "
                f"with heads 0 to {layers[0].heads - 1}."
            )

    def _heard(self, event: dict[str, Any]) -> None:
        match event:
            case {"event": "switch", "layer": int(layer), "head": int(head), "off": bool(off)}:
                self.switch(layer, head, off)
            case {"event": "restore"}:
                self.restore()
            case {"event": "choose"}:
                self._show_controls()

    def _layer_is_off(self) -> bool:
        layer = self.attention.layer
        if layer is None:
            return False
        return all((layer, head) in self.off for head in range(self._intact.layers[layer].heads))

    def _layer_clicked(self) -> None:
        if self.attention.layer is not None:
            self.switch_layer(self.attention.layer, not self._layer_is_off())

    def _chosen_row(self, row: int | None) -> None:
        if row is not None:
            self.row = row

    def _typed(self, first: str | None, second: str | None) -> None:
        old = fields_of(self._text)
        first, second = old[0] if first is None else first, old[1] if second is None else second
        self.text = with_fields(self._text, first, second)


def _weights(row: Trace) -> list[Any]:
    return [layer.attention[0] for layer in row.layers]
