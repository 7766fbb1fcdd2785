"""Run a notebook in a real JupyterLab and save a picture of all of it.

    python -m tests.browser.look NOTEBOOK OUT.png [--dark] [--cells FIRST:STOP]

The picture in the README is made by

    python -m tests.browser.look notebooks/00_start_here.ipynb data/pictures/start_here.png --cells 6:11

The notebook is copied without its outputs; the original stays as it is. Errors, console errors and
requests that left the machine are printed; the exit status says whether there were any.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import nbformat
from PIL import Image

from .jupyterlab import KERNEL, JupyterLab, browser, watched_page


def without_outputs(source: Path, folder: Path) -> Path:
    """A copy of a notebook in ``folder`` that was never run."""
    notebook = nbformat.read(source, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.metadata["kernelspec"] = KERNEL
    copy = folder / source.name
    nbformat.write(notebook, copy)
    return copy


def cells(text: str) -> slice:
    """``"3:5"`` as a slice."""
    first, stop = text.split(":")
    return slice(int(first) if first else None, int(stop) if stop else None)


def shrink(picture: Path) -> None:
    """Keep 256 colours, which flat drawings and text do not notice, and a third of the bytes."""
    Image.open(picture).convert("RGB").quantize(
        256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
    ).save(picture, optimize=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebook", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--dark", action="store_true", help="in the dark theme")
    parser.add_argument(
        "--cells", type=cells, default=slice(None), help="only these, counted from 0: FIRST:STOP"
    )
    asked = parser.parse_args()
    theme = "JupyterLab Dark" if asked.dark else "JupyterLab Light"
    with tempfile.TemporaryDirectory() as scratch:
        name = without_outputs(asked.notebook, Path(scratch)).name
        with JupyterLab(Path(scratch), theme) as lab, browser() as chromium:
            page = watched_page(
                chromium, viewport={"width": 1000, "height": 900}, device_scale_factor=2
            )
            lab.open(page, name)
            errors = lab.run_all(page, timeout=600_000)
            lab.picture(page, asked.picture, asked.cells)
    shrink(asked.picture)
    for kind, found in (
        ("error or stderr in a cell", errors),
        ("error in the console", page.complaints),
        ("request that left the machine", page.outside),
    ):
        for text in found:
            print(f"{kind}: {text}")
    return bool(errors or page.complaints or page.outside)


if __name__ == "__main__":
    sys.exit(main())
