"""Execute notebooks in place and keep of their outputs what is the same everywhere: text and PNG.

    python tests/notebooks/store_outputs.py [NOTEBOOK ...]

Without arguments all notebooks are done. Nothing is written for a notebook that fails.
"""

import base64
import io
import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
KEPT_DATA = ("text/plain", "image/png")
KEPT_TAGS = ("nbval-ignore-output", "raises-exception")
WHY_IGNORED = "differs:"  # what a tag begins with that says why an output is not compared
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
IGNORED = "nbval-ignore-output"
MOST_COLOURS = 128  # of a stored picture
FEWER_COLOURS = (96, 64, 48)  # where the notebook would be larger than test_hygiene allows
LARGEST = 300 * 1024


def clean(notebook):
    """Drop what varies: widget state, HTML, progress bars, times, versions. Returns the notebook."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        tags = [tag for tag in cell.metadata.get("tags", []) if _is_kept(tag)]
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        if cell.cell_type == "code":
            cell.outputs = _outputs(cell.outputs, IGNORED in tags)
    _number(notebook)
    return notebook


def _is_kept(tag):
    return tag in KEPT_TAGS or tag.startswith(WHY_IGNORED)


def _outputs(outputs, ignored):
    kept = []
    for output in outputs:
        if output.output_type == "stream" and output.name == "stderr":
            continue
        if "data" in output:
            # a bar or another widget of ipywidgets: its text is its state at some moment
            if (
                "application/vnd.jupyter.widget-view+json" in output.data
                and ignored
                and ("image/png" not in output.data)
            ):
                continue
            output.data = nbformat.from_dict(
                {kind: output.data[kind] for kind in KEPT_DATA if kind in output.data}
            )
            output.metadata = nbformat.from_dict(_of_picture(output.metadata))
            if not output.data:
                continue
            if "image/png" in output.data:
                output.data["image/png"] = _few_colours(output.data["image/png"])
        if kept and output.output_type == "stream" == kept[-1].output_type:
            kept[-1].text += output.text  # a print may arrive in parts
            continue
        kept.append(output)
    return kept


def _of_picture(metadata):
    """How wide a picture is to be shown, without which one made for fine screens is twice too large;
    and what it shows, in words."""
    picture = metadata.get("image/png", {})
    kept = {key: picture[key] for key in ("alt", "width") if picture.get(key)}
    return {"image/png": kept} if kept else {}


def shrunk(notebook):
    """The same with pictures of fewer colours, as few as it takes to be small enough."""
    for most in FEWER_COLOURS:
        if len(nbformat.writes(notebook).encode()) <= LARGEST:
            break
        for output in (one for cell in notebook.cells for one in cell.get("outputs", [])):
            if "image/png" in output.get("data", {}):
                output.data["image/png"] = _few_colours(output.data["image/png"], most)
    return notebook


def _few_colours(encoded, most=MOST_COLOURS):
    """A picture with a palette, a third of the size; one whose palette is small stays as it is."""
    picture = Image.open(io.BytesIO(base64.b64decode(encoded)))
    if picture.mode == "P" and len(picture.getcolors()) <= most:
        return encoded
    out = io.BytesIO()
    few = picture.convert("RGB").quantize(most, dither=Image.Dither.NONE)
    few.save(out, format="png", optimize=True)
    return base64.b64encode(out.getvalue()).decode()


def _number(notebook):
    """Count executions from 1, as in a clean run."""
    count = 0
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        count += 1
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count


def execute(path):
    """Run every cell in a fresh kernel; an error in a cell is raised."""
    os.environ["ELECTRA_LAB_DISPLAY"] = "static"  # the kernel's views: pictures, no widgets
    os.environ["ELECTRA_LAB_PROGRESS"] = "off"  # the stubs of a notebook are nobody's progress
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    return notebook


def main(names):
    for path in [Path(name) for name in names] or sorted(NOTEBOOKS.glob("*.ipynb")):
        nbformat.write(shrunk(clean(execute(path))), path)
        print(f"{path.name}: {path.stat().st_size / 1024:.0f} KB", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
