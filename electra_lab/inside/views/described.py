"""A matplotlib figure with its description in words, for those who cannot see it.

An ordinary figure leaves ``<Figure size 720x260 with 2 Axes>`` beside its picture, and exported pages
then have a picture without an ``alt``. This puts the description in both places.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from .picture import UNIT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FINENESS = 1.5
"""Pixels of the PNG per CSS pixel: fine enough for charts, and small in a stored notebook."""


class DescribedFigure:
    """A picture and what it shows.

    Args:
        figure: drawn already. pyplot forgets it, so that a cell does not show it a second time.
        text: what a reader should know who does not see it: kind of chart, axes, what stands out.
            It has to be true wherever the notebook runs, so it names no measured number.

    Raises:
        ValueError: there is no text.
    """

    def __init__(self, figure: Figure, text: str) -> None:
        if not text.strip():
            raise ValueError("The description is empty. Say in a sentence what the figure shows.")
        from matplotlib import pyplot

        pyplot.close(figure)
        self.figure = figure
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def to_png(self) -> bytes:
        """The picture, finer than its size in CSS pixels by ``FINENESS``."""
        out = io.BytesIO()
        self.figure.savefig(out, format="png", dpi=UNIT * FINENESS)
        return out.getvalue()

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        width = round(self.figure.get_figwidth() * UNIT)
        return (
            {"text/plain": self.text, "image/png": self.to_png()},
            {"image/png": {"alt": self.text, "width": width}},
        )
