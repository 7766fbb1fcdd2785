"""A notebook is run from top to bottom in a kernel of its own, its views as pages without a kernel."""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from electra_lab.exercises.stored_progress import OFF, PLACE
from electra_lab.inside.views.display import VARIABLE

TIMEOUT = 600  # seconds for one cell, on a machine that has other things to do
WIDGET = "application/vnd.jupyter.widget-view+json"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")  # of a terminal, in tracebacks


def execute(notebook: Any, folder: Path, on_cell: Callable[[], None] = lambda: None) -> Any:
    """A copy of ``notebook`` with its outputs.

    Args:
        folder: where the kernel starts, as JupyterLab does: the folder of the notebook.
        on_cell: called after each code cell.

    Raises:
        ValueError: a cell failed that is not meant to, or the kernel died; says what was raised.
        TimeoutError: a cell took longer than ``TIMEOUT``.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    made = copy.deepcopy(notebook)
    client = NotebookClient(
        made,
        timeout=TIMEOUT,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
        on_cell_executed=lambda **_: on_cell(),
    )
    # the solutions are nobody's progress
    try:
        client.execute(env={**os.environ, VARIABLE: "page", PLACE: OFF})
    except (CellExecutionError, DeadKernelError) as error:
        raise ValueError(_COLOURS.sub("", str(error)).strip()) from error
    for cell in made.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _passes_by(output)]
    return made


def as_stored(executed: Any) -> Any:
    """A copy whose outputs are text and pictures, as in the notebooks of the repository: what has a
    picture needs no page in a notebook, where it can be run again."""
    made = copy.deepcopy(executed)
    for cell in made.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                output.data.pop("text/html", None)
    return made


def _passes_by(output: Any) -> bool:
    """Warnings, bars, and controls that without a kernel move nothing."""
    if output.output_type == "stream":
        return bool(output.name == "stderr")
    return WIDGET in output.get("data", {}) and "image/png" not in output.data
