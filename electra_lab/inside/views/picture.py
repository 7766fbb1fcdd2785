"""Pictures with matplotlib, which is imported only here and only when one is drawn."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .base import WIDTH
from .palette import FAINT, INK, PAPER
from .wording import visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image as Picture

Pixels = int | float  # of CSS: as large as they look, however fine the screen
UNIT = 100  # CSS pixels per inch of figure
SCALE = 2  # pixels of the PNG per CSS pixel
MARKERS = {"circle": "o", "square": "s", "triangle": "^", "diamond": "D", "cross": "X"}
"""What matplotlib calls the shapes of ``projector.SHAPES``."""


def new_figure(height: Pixels) -> Figure:
    """An empty figure, ``WIDTH`` by ``height`` CSS pixels.

    It belongs to nobody: pyplot neither shows nor keeps it, whatever backend a notebook chose.
    """
    # matplotlib says on stderr that it builds its font list, the first time on a machine; that
    # line would be stored in a notebook
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / UNIT, height / UNIT), dpi=UNIT * SCALE, facecolor=PAPER)
    FigureCanvasAgg(figure)
    return figure


def points(pixels: Pixels) -> float:
    """CSS pixels as the points that matplotlib measures text and lines in."""
    return pixels * 72 / UNIT


def linestyle(dash: str) -> Any:
    """An SVG's dash pattern as matplotlib has it; "" is a plain line."""
    return (0, tuple(float(length) / 2 for length in dash.split())) if dash else "-"


def key_mark(
    figure: Figure, left: float, middle: float, colour: str, dash: str, shape: str
) -> None:
    """A short line with a mark, as a legend shows how a run or a series is drawn.

    ``left`` and ``middle`` are shares of the figure's width and height, from the lower left.
    """
    from matplotlib.lines import Line2D

    figure.add_artist(
        Line2D(
            [left, left + 15 / WIDTH, left + 30 / WIDTH],
            [middle] * 3,
            color=colour,
            linewidth=points(2),
            linestyle=linestyle(dash),
            marker=MARKERS[shape],
            markevery=[1],
            markersize=points(8),
        )
    )


def text_width(figure: Figure, text: str, size: Pixels, weight: str = "normal") -> float:
    """How many CSS pixels ``text`` is wide at ``size`` CSS pixels."""
    from matplotlib.font_manager import FontProperties

    font = FontProperties(size=points(size), weight=weight)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        width, _, _ = figure.canvas.get_renderer().get_text_width_height_descent(  # type: ignore[attr-defined]
            text, font, False
        )
    return float(width) / SCALE


class Canvas:
    """A figure that is drawn on in CSS pixels, from the top left."""

    def __init__(self, height: Pixels) -> None:
        self.figure = new_figure(height)
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set_xlim(0, WIDTH)
        self.axes.set_ylim(height, 0)
        self.axes.axis("off")

    def text(
        self,
        x: Pixels,
        y: Pixels,
        text: str,
        size: Pixels,
        colour: str,
        align: str = "left",
        weight: str = "normal",
    ) -> None:
        """One line of text whose letters are centred on height ``y``."""
        self.axes.text(
            x,
            y,
            text,
            fontsize=points(size),
            color=colour,
            ha=align,
            va="center_baseline",
            fontweight=weight,
            clip_on=True,
        )

    def box(
        self,
        x: Pixels,
        y: Pixels,
        width: Pixels,
        height: Pixels,
        fill: Any = "none",
        edge: str = "",
        corner: Pixels = 3,
    ) -> None:
        """A rectangle with round corners."""
        from matplotlib.patches import FancyBboxPatch

        self.axes.add_patch(
            FancyBboxPatch(
                (x, y),
                width,
                height,
                boxstyle=f"round,pad=0,rounding_size={min(corner, width / 2, height / 2)}",
                facecolor=fill,
                edgecolor=edge or "none",
                linewidth=1.2 if edge else 0,
            )
        )

    def heading(self, title: str, note: str, edge: Pixels, line: Pixels) -> None:
        """Title and note in the upper left corner, each only if there is one."""
        top = edge + line / 2
        for text, size, colour, weight in (
            (title, 14, INK, "bold"),
            (note, 12, FAINT, "normal"),
        ):
            if text:
                self.text(edge, top, visible(text, 100), size, colour, weight=weight)
                top += line


def png(
    draw: Callable[[], Figure], colours: Sequence[str] = (), areas: Sequence[str] = ()
) -> bytes:
    """What ``draw`` draws, as a PNG that depends on the data alone (no date, no version).

    Args:
        colours: those that it draws with, where they are few. They and the steps to paper between them
            are then all that the picture has: each is exact, and the file is small.
        areas: further ones, of areas without an edge that is seen; they get no such steps.
    """
    from matplotlib import rc_context
    from PIL import Image

    out = io.BytesIO()
    with (
        warnings.catch_warnings(),
        rc_context({"font.family": "sans-serif", "text.parse_math": False, "text.usetex": False}),
    ):
        # a character that no font has is drawn as a box; a warning for each would be stored
        warnings.simplefilter("ignore")
        draw().savefig(out, format="png", metadata={"Software": None})
    return _with_few_colours(Image.open(out), colours, areas)


def stack(pictures: Sequence[bytes]) -> bytes:
    """Pictures of the same width below each other."""
    from PIL import Image

    parts = [Image.open(io.BytesIO(picture)).convert("RGB") for picture in pictures]
    whole = Image.new("RGB", (parts[0].width, sum(part.height for part in parts)), PAPER)
    top = 0
    for part in parts:
        whole.paste(part, (0, top))
        top += part.height
    return _with_few_colours(whole)


def _with_few_colours(
    picture: Picture, colours: Sequence[str] = (), areas: Sequence[str] = ()
) -> bytes:
    """As a PNG with a palette: a third of the size, and stored notebooks are full of pictures."""
    from PIL import Image

    out = io.BytesIO()
    if colours:
        steps = 256 // (len(colours) + 1)
        palette = Image.new("P", (1, 1))
        palette.putpalette([*_towards_paper(colours, min(steps, 4)), *_towards_paper(areas, 1)])
        few = picture.convert("RGB").quantize(palette=palette, dither=Image.Dither.NONE)
    else:
        few = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(out, format="png", optimize=True)
    return out.getvalue()


def _towards_paper(colours: Sequence[str], steps: int) -> list[int]:
    """Red, green and blue of each colour and of so many steps from it to paper, and of paper."""
    paper = [int(PAPER[i : i + 2], 16) for i in (1, 3, 5)]
    found = list(paper)
    for colour in colours:
        full = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        for step in range(steps):
            found += [round(c + (p - c) * step / steps) for c, p in zip(full, paper, strict=True)]
    return found
