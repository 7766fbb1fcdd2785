"""Which cells of the notebooks are only run, not compared with their stored outputs, and why.

    python tests/notebooks/only_run.py [--cells] [NOTEBOOK ...]

A cell whose output is not the same everywhere has the tag nbval-ignore-output, and beside it one that
says why: one of REASONS. Without names all notebooks are listed; --cells lists the cells, too.
"""

import argparse
from pathlib import Path

import nbformat

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
IGNORED = "nbval-ignore-output"
REASONS = {
    "differs:model": "follows the model that ELECTRA_LAB_MODEL names: what it says, how large it is, "
    "which data fit it",
    "differs:training": "follows from weights that were trained in the notebook, which depend on the "
    "machine's order of additions",
    "differs:timings": "seconds and speeds, which are this machine's",
    "differs:results": "shows data/results, which grow when a bench is run again",
}


def reasons(cell):
    """The reasons that a cell is tagged with."""
    return [tag for tag in cell.metadata.get("tags", []) if tag.startswith("differs:")]


def is_only_run(cell):
    """Whether nbval runs a cell without comparing its output."""
    return IGNORED in cell.metadata.get("tags", [])


def counted(notebook):
    """Numbers of code cells: all, those without an output, those compared, and those of each reason."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    ignored = [cell for cell in cells if is_only_run(cell)]
    silent = [cell for cell in cells if not cell.outputs and not is_only_run(cell)]
    return {
        "cells": len(cells),
        "no output": len(silent),
        "compared": len(cells) - len(silent) - len(ignored),
        "only run": len(ignored),
        **{reason: sum(reason in reasons(cell) for cell in ignored) for reason in REASONS},
    }


def table(paths):
    """A line for each notebook, and one for all."""
    rows = {path.stem: counted(nbformat.read(path, as_version=4)) for path in paths}
    names = list(next(iter(rows.values())))
    rows["all"] = {name: sum(row[name] for row in rows.values()) for name in names}
    heads = [name.removeprefix("differs:") for name in names]
    wide = max(map(len, rows))
    lines = ["  ".join([" " * wide, *heads])]
    for name, row in rows.items():
        numbers = (
            f"{number or '-':>{len(head)}}"
            for number, head in zip(row.values(), heads, strict=True)
        )
        lines.append("  ".join([f"{name:{wide}}", *numbers]))
    return "\n".join(lines)


def listed(path):
    """The cells of a notebook that are only run: number in the notebook, reason, first line."""
    cells = nbformat.read(path, as_version=4).cells
    return "\n".join(
        f"  cell {number:2}  {' '.join(reasons(cell)):20} {cell.source.splitlines()[0][:60]}"
        for number, cell in enumerate(cells)
        if cell.cell_type == "code" and is_only_run(cell)
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK")
    parser.add_argument("--cells", action="store_true", help="list the cells, too")
    asked = parser.parse_args()
    paths = asked.notebooks or sorted(NOTEBOOKS.glob("*.ipynb"))
    print(table(paths))
    print()
    for reason, meaning in REASONS.items():
        print(f"{reason.removeprefix('differs:'):12} {meaning}")
    if asked.cells:
        for path in paths:
            print(f"\n{path.stem}\n{listed(path)}")


if __name__ == "__main__":
    main()
