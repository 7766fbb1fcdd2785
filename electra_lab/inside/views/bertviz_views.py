"""bertviz's head view, model view and neuron view of a trace, without a network.

The scripts are bertviz's own, by Jesse Vig (Vig 2019, "A Multiscale Visualization of Attention in the
Transformer Model"). In bertviz they ask the network for d3 and jQuery, which JupyterLab 4 does not give
them; here both come along. Its neuron view knows its own copies of BERT, GPT-2 and RoBERTa only; here
queries and keys come from the trace, so that it works for every ELECTRA.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from .base import View, source
from .page import HEAD, POLICY, json_in_html
from .wording import visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from electra_lab.inside.trace import Trace

MOST_BYTES = 4_000_000
"""Of a page as it stands in an exported notebook, which may hold several of them."""

LONGEST_TOKEN = 14  # characters; bertviz's columns are no wider
TALLEST = 900  # CSS pixels of the frame; what is longer scrolls in it
LAYOUT_HEADS = 12  # bertviz's model view is laid out for these; fewer would be drawn very large

_PAGE = (
    HEAD
    + """:root {{ color-scheme: light; background: white; color: black; }}
body {{ margin: 12px; font: 14px/1.45 system-ui, sans-serif; }}
#vis {{ overflow-x: auto; margin-top: 8px; }}
text {{ cursor: default; }}
</style>
</head>
<body>
<div id="bertviz">
{controls}
<div id="vis"></div>
</div>
<script type="application/json" id="data">{data}</script>
<script>
{script}
</script>
</body>
</html>
"""
)

_CHOICES = """<label><span class="dropdown-label">{label}: </span><select id="{name}">{options}</select>
</label>"""


class BertvizView(View):
    """One of bertviz's views; ``head_view``, ``model_view`` and ``neuron_view`` make it.

    Shown in JupyterLab it is bertviz's own page in a frame; in exported HTML as well, without kernel
    and network. Stored in a notebook it is the picture of ``AttentionView``, and a text.

    Numbers in the page have 16 bits: a weight is off by .000016 at most, an entry of a query or key by
    1/65534 of the largest one.

    Args:
        kind: ``"head"``, ``"model"`` or ``"neuron"``.
        trace: of one or more sequences.
        row: which of them.
        layers: which layers are in the page.
        heads: which heads are in the page.
        layer: which layer is shown first; one of ``layers``.
        on: which heads are shown first.

    Attributes:
        tokens: of the sequence, as the model sees them.
        layers, heads: those in the page.
        second: the number of the second text's first token; None where there is one text only.

    Raises:
        IndexError: there is no such row.
        ValueError: there is no such layer or head, the layers have different numbers of heads, or the
            page would be larger than ``MOST_BYTES``.
    """

    module_name = "bertviz_frame"

    def __init__(
        self,
        kind: str,
        trace: Trace,
        row: int,
        *,
        layers: Sequence[int] | None,
        heads: Sequence[int] | None = None,
        layer: int | None = None,
        on: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        seen = trace.select(row)
        self.kind, self.model = kind, seen.model
        self.tokens = seen.tokens[0]
        self.segments = [int(segment) for segment in seen.segments[0]]
        self.second = _second_text(self.segments)
        self.layers = _checked("layer", layers, len(seen.layers))
        counts = {seen.layers[number].heads for number in self.layers}
        if len(counts) > 1:
            raise ValueError(
                f"The layers have different numbers of heads ({', '.join(map(str, sorted(counts)))}), "
                "which bertviz cannot draw. Name layers with the same number: layers=[...]."
            )
        (count,) = counts
        self.heads = _checked("head", heads, count)
        self.layer = self.layers[0] if layer is None else layer
        if self.layer not in self.layers:
            raise ValueError(f"There is no layer {layer} in the page; it holds {self.layers}.")
        self.on = self.heads if on is None else _checked("head", on, count)
        if not set(self.on) <= set(self.heads):
            raise ValueError(f"There is no head {self.on} in the page; it holds {self.heads}.")
        self.relative = any(part.position_scores is not None for part in seen.layers)
        self.attention = self._stacked(seen, "attention")
        # a decoder's tokens see none that follow, and bertviz then draws none
        self.both_ways = "CausalLM" not in seen.model or bool(np.triu(self.attention, 1).any())
        self.vectors = {
            name: self._stacked(seen, name) for name in ("queries", "keys") if kind == "neuron"
        }
        self._page = self._made_page()
        size = len(html.escape(self._page).encode())
        if size > MOST_BYTES:
            raise ValueError(
                f"The {kind} view would be a page of {size / 1e6:.1f} MB ({len(self.layers)} layers x "
                f"{len(self.heads)} heads x {len(self.tokens)} tokens); "
                f"the most is {MOST_BYTES / 1e6:.0f} MB. "
                "Name fewer layers, for example layers=[0, 1], or trace a shorter text."
            )

    def state(self) -> dict[str, Any]:
        return {"page": self._page, "height": self.height(), "title": f"bertviz: {self.kind} view"}

    def module(self) -> str:
        return source(f"{self.module_name}.js")

    def to_html(self, scheme: str = "light") -> str:
        """A complete, self-contained page: no kernel, no network.

        Args:
            scheme: as other views have it; bertviz's head view knows light colours only, so the page
                is light whatever it says.
        """
        return self._page

    def height(self) -> int:
        count = len(self.tokens)
        match self.kind:
            case "head":
                inner = 22.5 * count + 30
            case "model":
                box = 84 / max(LAYOUT_HEADS, len(self.heads))
                inner = max(len(self.layers) * (box * count + 10) + 38, 18 * count + 55)
            case _:
                inner = 26 * count + 100
        return min(TALLEST, round(inner) + 70)

    def figure(self) -> Figure:
        from .attention_view import AttentionView

        return AttentionView(
            self.tokens,
            np.clip(self.attention, 0, 1),
            segments=self.segments,
            layer=self.layers.index(self.layer),
            head=self.heads.index(self.on[0]),
            form="matrix",  # as a stored picture a third of the size of arcs
            note="" if self._is_whole else f"numbered anew: {self._which()}",
        ).figure()

    def __repr__(self) -> str:
        pair = "" if self.second is None else ", two texts"
        more = (
            "\n  relative positions add to the scores of this model; q · k is without them"
            if self.kind == "neuron" and self.relative
            else ""
        )
        return (
            f"BertvizView({self.kind} view of {self.model}: {self._which()}, "
            f"{len(self.tokens)} tokens{pair})\n  "
            + " ".join(visible(token) for token in self.tokens[:24])
            + " …" * (len(self.tokens) > 24)
            + more
        )

    def _which(self) -> str:
        """The layers and heads in the page, in words."""
        return f"layers {_span(self.layers)}, heads {_span(self.heads)}"

    @property
    def _is_whole(self) -> bool:
        return self.layers == [*range(len(self.layers))] and self.heads == [*range(len(self.heads))]

    def _stacked(self, seen: Trace, name: str) -> Float[np.ndarray, "layers heads seq last"]:
        found = [getattr(seen.layers[number], name)[0, self.heads] for number in self.layers]
        return np.stack([layer.float().numpy() for layer in found])

    def _parts(self) -> list[dict[str, Any]]:
        """Which attention can be chosen: all, and of two texts from each to each."""
        count = len(self.tokens)
        ends = {"A": [0, self.second], "B": [self.second, count]}
        parts = [{"key": "all", "name": "All", "left": [0, count], "right": [0, count]}]
        if self.second is not None:
            parts += [
                {
                    "key": f"{left}{right}".lower(),
                    "name": f"Sentence {left} -> Sentence {right}",
                    "left": ends[left],
                    "right": ends[right],
                }
                for left in ends
                for right in ends
            ]
        # its head view and model view know the parts by number
        if self.kind != "neuron":
            for number, part in enumerate(parts):
                part["key"] = str(number)
        return parts

    def _made_page(self) -> str:
        parts = self._parts()
        arrays = {"attention": self.attention, **self.vectors}
        numbers = {name: packed(array) for name, array in arrays.items()}
        first = self.layers.index(self.layer)
        parameters: dict[str, Any] = {"default_filter": parts[0]["key"], "display_mode": "light"}
        controls = ""
        if self.kind == "head":
            controls = _CHOICES.format(label="Layer", name="layer", options="")
            parameters |= {
                "layer": self.layer,
                "heads": self.on,
                "include_layers": self.layers,
            }
        elif self.kind == "model":
            parameters |= {
                "include_layers": self.layers,
                "include_heads": self.heads,
                "total_heads": max(LAYOUT_HEADS, len(self.heads)),
            }
        else:
            controls = _CHOICES.format(label="Layer", name="layer", options="")
            controls += _CHOICES.format(label="Head", name="att_head", options="")
            parameters |= {
                "layer": first,
                "head": self.heads.index(self.on[0]),
                "bidirectional": self.both_ways,
            }
        if len(parts) > 1:
            options = "".join(
                f'<option value="{part["key"]}">{html.escape(part["name"])}</option>'
                for part in parts
            )
            controls += _CHOICES.format(label="Attention", name="filter", options=options)
        told = {
            "tokens": [_short(token) for token in self.tokens],
            "numbers": numbers,
            "parts": parts,
            "parameters": parameters,
            # bertviz's neuron view counts from 0 whatever is in the page
            "names": {"layer": self.layers, "att_head": self.heads}
            if self.kind == "neuron"
            else {},
        }
        return _PAGE.format(
            policy=POLICY,
            title=f"bertviz: {self.kind} view",
            controls=controls,
            data=json_in_html(told),
            script="\n".join(_scripts(self.kind)),
        )


def head_view(
    trace: Trace,
    *,
    row: int = 0,
    layer: int | None = None,
    heads: Sequence[int] | None = None,
    layers: Sequence[int] | None = None,
) -> BertvizView:
    """bertviz's head view: one layer, its heads as coloured lines between tokens.

    Args:
        trace: of one or more sequences.
        row: which of them.
        layer: which layer is shown first; the first of ``layers`` by default.
        heads: which heads are switched on at first; all by default.
        layers: which layers can be chosen; all by default.

    Raises:
        IndexError, ValueError: see ``BertvizView``.
    """
    return BertvizView("head", trace, row, layers=layers, layer=layer, on=heads)


def model_view(
    trace: Trace,
    *,
    row: int = 0,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
) -> BertvizView:
    """bertviz's model view: every head of every layer small, and one large when it is clicked.

    Args:
        trace: of one or more sequences.
        row: which of them.
        layers, heads: which are drawn; all by default.

    Raises:
        IndexError, ValueError: see ``BertvizView``.
    """
    return BertvizView("model", trace, row, layers=layers, heads=heads)


def neuron_view(
    trace: Trace,
    *,
    row: int = 0,
    layer: int | None = None,
    head: int | None = None,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
) -> BertvizView:
    """bertviz's neuron view: how query and key of two tokens, entry by entry, make their weight.

    Args:
        trace: of one or more sequences.
        row: which of them.
        layer, head: which are shown first; the first of ``layers`` and ``heads`` by default.
        layers, heads: which can be chosen; all by default.

    Raises:
        IndexError, ValueError: see ``BertvizView``.
    """
    on = None if head is None else [head]
    return BertvizView("neuron", trace, row, layers=layers, heads=heads, layer=layer, on=on)


def packed(values: Float[np.ndarray, "*shape"]) -> dict[str, Any]:
    """``values`` as whole numbers of 16 bits, for JSON; the largest stands for ``largest``."""
    largest = float(np.abs(values).max(initial=0)) or 1.0
    whole = np.rint(values / largest * 32767).astype("<i2")
    return {
        "shape": list(values.shape),
        "largest": largest,
        "base64": base64.b64encode(whole.tobytes()).decode("ascii"),
    }


def _scripts(kind: str) -> list[str]:
    """What the page runs, in this order."""
    own = source(f"vendor/{kind}_view.js")
    # what comes before says where on the network d3 and jQuery are
    own = own[own.index("requirejs(") :].replace("PYTHON_PARAMS", "window.bertviz_params")
    before, after = source("bertviz_page.js").split("// then bertviz's script\n")
    return [source("vendor/d3.min.js"), source("vendor/jquery.min.js"), before, own, after]


def _short(token: str) -> str:
    text = visible(token[: LONGEST_TOKEN + 1])
    return text if len(text) <= LONGEST_TOKEN else text[: LONGEST_TOKEN - 1] + "…"


def _second_text(segments: list[int]) -> int | None:
    """Where segment 1 begins, if it follows segment 0 and goes on to the end."""
    if segments == sorted(segments) and set(segments) == {0, 1}:
        return segments.index(1)
    return None


def _checked(name: str, chosen: Sequence[int] | None, count: int) -> list[int]:
    numbers = list(range(count)) if chosen is None else [int(number) for number in chosen]
    if not numbers or not set(numbers) <= set(range(count)) or len(set(numbers)) < len(numbers):
        raise ValueError(
            f"{name}s are {numbers}; name each once and at least one, from 0 to {count - 1}."
        )
    return numbers


def _span(numbers: list[int]) -> str:
    first, last = numbers[0], numbers[-1]
    if len(numbers) > 1 and numbers == [*range(first, last + 1)]:
        return f"{first} to {last}"
    return ", ".join(map(str, numbers))
