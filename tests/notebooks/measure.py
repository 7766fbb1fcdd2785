"""Execute notebooks one at a time and record what each needs: seconds, and memory at its peak.

    python tests/notebooks/measure.py [NOTEBOOK ...]

Without arguments all are done. What was measured replaces the notebook's entry in
data/results/notebooks.json; the sentence that the README says about it is printed at the end. The
model is the one that ELECTRA_LAB_MODEL names, or each notebook's own. The notebooks are not changed.

Memory is the peak resident set of the kernel's process. Works on Linux and macOS.
"""

import json
import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
RESULTS = ROOT / "data" / "results" / "notebooks.json"
COMMAND = "python tests/notebooks/measure.py"
LIMIT_MB = 1000

# Linux's own count first: there ru_maxrss begins with the memory of the process that started this one.
PEAK = """\
import resource as _resource, sys as _sys
from pathlib import Path as _Path
_status = _Path("/proc/self/status")
if _status.is_file():
    _lines = [line.split() for line in _status.read_text().splitlines()]
    print(*[int(line[1]) * 1024 for line in _lines if line[0] == "VmHWM:"])
else:
    _unit = 1 if _sys.platform == "darwin" else 1024
    print(_resource.getrusage(_resource.RUSAGE_SELF).ru_maxrss * _unit)
"""


def measure(path):
    """Run a notebook in a kernel of its own. Returns its seconds (the kernel's start included), and
    its peak in MB of 1,000,000 bytes. An error in a cell is raised."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(PEAK))
    start = perf_counter()
    NotebookClient(
        notebook,
        timeout=1200,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    seconds = perf_counter() - start
    peak = int(notebook.cells[-1].outputs[0].text)
    return {"seconds": round(seconds, 1), "peak_mb": round(peak / 1e6)}


def heading():
    """What every entry says of itself beside its numbers."""
    return {
        "model": os.environ.get("ELECTRA_LAB_MODEL", "the notebook's own"),
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "ipykernel", "transformers")},
        },
        "system": platform.system(),
    }


def load_results(file=RESULTS):
    """What was measured so far."""
    return json.loads(file.read_text()) if file.exists() else {"command": COMMAND, "notebooks": {}}


def sentence(report):
    """What the README says."""
    name, most = max(report["notebooks"].items(), key=lambda item: item[1]["peak_mb"])
    return (
        f"The notebook that needs most memory, {name[:2]}, needs {most['peak_mb']} MB at its peak "
        f"(`{report['command']}`)."
    )


def main(names):
    report = load_results()
    for path in [Path(name) for name in names] or sorted(NOTEBOOKS.glob("*.ipynb")):
        found = measure(path.resolve())
        print(f"{path.name}: {found}", flush=True)
        report["notebooks"][path.stem] = found | heading()
        report["notebooks"] = dict(sorted(report["notebooks"].items()))
        RESULTS.write_text(json.dumps(report, indent=1) + "\n")
    print(sentence(report))


if __name__ == "__main__":
    main(sys.argv[1:])
