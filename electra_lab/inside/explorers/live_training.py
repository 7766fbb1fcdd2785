"""The training chart that grows while training goes on."""

from __future__ import annotations

import sys
import time
from typing import Any

from electra_lab.inside.views import TrainingChart, display_mode
from electra_lab.inside.views.base import mime_bundle
from electra_lab.training.state import Callback, Row, TrainingState

PER_SECOND = 4  # redraws; more than anyone can read


class LiveTrainingChart(Callback):
    """A callback for ``pretrain(callbacks=[LiveTrainingChart()])``.

    In a running notebook the chart appears when training starts and follows it. Where cells hold no
    widgets (``display_mode``) it appears once, at the end. Without a notebook nothing is shown, and
    ``chart`` still has all rows.

    Args:
        title: a line above the curves.

    Attributes:
        chart: the ``TrainingChart``.
    """

    def __init__(self, title: str = "") -> None:
        self.chart = TrainingChart(title=title)
        self._rows: list[Row] = []
        self._drawn = 0.0

    def on_start(self, state: TrainingState) -> None:
        """Show the chart, with the rows that a resumed run has already."""
        self._rows = list(state.history)
        self.chart.total_steps = state.total_steps
        self.chart.update(self._rows)
        if display_mode() == "live":
            _display(self)

    def on_log(self, row: Row) -> None:
        """Draw one row more, if the last redraw is long enough ago."""
        # the row itself, no copy: callbacks after this one may still add figures to it
        self._rows.append(row)
        now = time.perf_counter()
        if now - self._drawn >= 1 / PER_SECOND:
            self._drawn = now
            self.chart.update(self._rows)

    def on_end(self, state: TrainingState) -> None:
        """Draw all rows."""
        self.chart.update(self._rows)
        if display_mode() != "live":
            _display(self)

    def __repr__(self) -> str:
        """The same at the start and at the end, live or not."""
        steps = self.chart.total_steps
        return "LiveTrainingChart" + (f": {steps:,} steps" if steps else ": not started")

    def to_png(self) -> bytes:
        """The chart's picture."""
        return self.chart.to_png()

    def to_html(self, scheme: str = "light dark") -> str:
        """The chart's page; ``scheme`` is that of ``View.to_html``."""
        return self.chart.to_html(scheme)

    def height(self) -> int:
        """The chart's height in CSS pixels."""
        return self.chart.height()

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        # a picture of a chart without rows would stay in the cell and hide what came of it
        return mime_bundle(self, lambda: self.chart.widget, picture=bool(self._rows))


def _display(shown: object) -> None:
    """Display in a notebook's cell; nothing where no kernel runs this."""
    if "IPython" not in sys.modules:
        return
    from IPython import get_ipython
    from IPython.display import display

    if hasattr(get_ipython(), "kernel"):
        display(shown)
