"""Make the README's pictures of explorers and views: used in a real JupyterLab, then cut out.

    python -m tests.browser.pictures [--folder data/pictures] [NAME ...]

NAME is one of PICTURES, each the source of a cell; without names all are made. As with look.py the
errors, console errors and requests that left the machine are printed, and the exit status says whether
there were any.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from .jupyterlab import JupyterLab, browser, watched_page, write_notebook

MOST = 150 * 1024  # bytes of a picture
OPENED = 6  # the token of the neuron view that is opened, the full stop
START = """from electra_lab import (
    AttentionExplorer, EmbeddingExplorer, ReplacedTokenExplorer, load_pair, neuron_view, trace
)
micro = load_pair("micro")"""
PICTURES = {
    "attention_explorer": """\
explorer = AttentionExplorer(
    micro.discriminator, micro.tokenizer, "The girls with the dog has seen the ball.", layer=1
)
explorer.switch(0, 1)
explorer""",
    "replaced_tokens": """\
explorer = ReplacedTokenExplorer(micro, "The girl with the dogs throws the ball every day.")
explorer.text = "The girl with the dogs throw the ball every day."
explorer""",
    "projector": """\
explorer = EmbeddingExplorer(micro, limit=200, colour="part of speech")
explorer.select("girl")
explorer""",
    "bertviz_neurons": """\
seen = trace(micro.discriminator, "The girls have seen her.", tokenizer=micro.tokenizer)
neuron_view(seen, layer=0, head=2)""",
}


def use(cell: Any, name: str) -> None:
    """What a reader would do before looking: in the neuron view, open the token that looks most."""
    if name != "bertviz_neurons":
        return
    drawn = cell.frame_locator("iframe").locator("#collapsed #leftText")
    drawn.locator("text.token").nth(OPENED).hover()
    drawn.locator("rect[width='16']").nth(OPENED).click()  # the plus sign


def shrink(picture: Path) -> None:
    """As many colours as fit into ``MOST`` bytes."""
    full = Image.open(picture).convert("RGB")
    for colours in (256, 128, 64, 32):
        full.quantize(colours, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
            picture, optimize=True
        )
        if picture.stat().st_size <= MOST:
            return


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PICTURES))
    parser.add_argument("--folder", type=Path, default=Path("data/pictures"))
    asked = parser.parse_args()
    unknown = sorted(set(asked.names) - set(PICTURES))
    if unknown:
        parser.error(f"there is no picture {', '.join(unknown)}; there are {', '.join(PICTURES)}")
    names = asked.names or list(PICTURES)
    asked.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        cells = [START, *(PICTURES[name] for name in names)]
        notebook = write_notebook(Path(scratch) / "pictures.ipynb", cells)
        with JupyterLab(Path(scratch)) as lab, browser() as chromium:
            page = watched_page(
                chromium, viewport={"width": 1000, "height": 900}, device_scale_factor=1.5
            )
            lab.open(page, notebook)
            errors = lab.run_all(page, timeout=600_000)
            lab.picture(page, Path(scratch) / "all.png")
            # the chosen cell has a bar on its left
            page.evaluate(
                "() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 0 }"
            )
            shown = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell")
            for number, name in enumerate(names, start=1):
                use(shown.nth(number), name)
                shown.nth(number).screenshot(path=asked.folder / f"{name}.png")
    for name in names:
        file = asked.folder / f"{name}.png"
        shrink(file)
        print(f"{file}: {file.stat().st_size / 1024:.0f} KB")
    found = [*errors, *page.complaints, *page.outside]
    for text in found:
        print(f"not as it should be: {text}")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
