"""The first cell: nothing anywhere but on Colab; there the kit comes, and what is there stays."""

import importlib.util
import re
import subprocess
import sys
import textwrap
import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from electra_lab import colab

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("address", ROOT / "binder" / "address.py")
address = importlib.util.module_from_spec(spec)
spec.loader.exec_module(address)

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
HERE = "https://example.org/teachers/kit"
COLAB = {
    canonicalize_name(line.split("==")[0]): line.split("==")[1]
    for line in (Path(__file__).parent / "fixtures" / "colab.txt").read_text().splitlines()
    if not line.startswith("#")
}
ON_COLAB = """\
import subprocess, sys, types
done = []
google, colab, output = map(types.ModuleType, ("google", "google.colab", "google.colab.output"))
output.enable_custom_widget_manager = lambda: done.append("widgets")
google.colab, colab.output = colab, output
sys.modules |= {"google": google, "google.colab": colab, "google.colab.output": output}
class Shell:
    def run_line_magic(self, name, line):
        done.append(f"%{name} {line}")
get_ipython = Shell
import electra_lab.colab
electra_lab.colab.version = lambda name: "1.0" if name != "seqeval" else missing(name)
electra_lab.colab.requires = lambda name: ["torch<3,>=2.5", "seqeval<2,>=1.2.2"]
def missing(name):
    raise electra_lab.colab.PackageNotFoundError(name)
def run(command, check):
    done.append(command[1:-2] + command[-1:])
subprocess.run = run
"""


def _run(setting, cell):
    code = f"{setting}\n{TransformerManager().transform_cell(cell)}\nprint(globals().get('done'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_notebook_has_the_same_first_cell(path):
    notebook = nbformat.read(path, as_version=4)
    cell = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert cell.source == address.first_cell(address.known_address())
    assert not cell.outputs
    assert len([one for one in notebook.cells if one.id == address.CELL_ID]) == 1


@pytest.mark.parametrize("where", [None, HERE])
def test_elsewhere_the_cell_does_nothing(where):
    assert _run("", address.first_cell(where)) == "None\n"


def test_on_colab_the_kit_is_installed_then_what_is_missing_then_widgets_are_shown():
    *done, _ = _run(ON_COLAB, address.first_cell(HERE)).split("\n")
    (said,) = done
    steps = re.findall(r"%pip[^']+|\[.*?\]|widgets", said[1:-1])
    assert steps[0] == f"%pip install --quiet --no-deps git+{HERE}@main"
    assert "'--constraint', 'seqeval<2,>=1.2.2'" in steps[1]
    assert steps[2] == "widgets"


def test_on_colab_without_an_address_the_cell_says_what_to_do_and_does_nothing():
    *said, done, _ = _run(ON_COLAB, address.first_cell(None)).split("\n")
    assert "make address URL=" in said[0]
    assert done == "[]"


def _colabs(name):
    try:
        return COLAB[canonicalize_name(name)]
    except KeyError:
        raise PackageNotFoundError(name) from None


def test_of_a_typical_colab_nothing_is_changed_and_little_is_added():
    present, missing = colab.requirements(_stated(), _colabs)
    assert sorted(Requirement(text).name for text in missing) == ["conllu", "jaxtyping", "seqeval"]
    assert {"torch", "numpy", "transformers"} <= set(present)
    # bounds that this Colab does not meet, and for which nothing is exchanged
    ranges = {Requirement(text).name: Requirement(text).specifier for text in _stated()}
    outside = {name for name, at in present.items() if not ranges[name].contains(at)}
    assert "transformers" in outside
    assert not outside & {"torch", "numpy", "tokenizers", "safetensors", "anywidget"}


def _stated():
    """The requirements as the wheel's metadata states them."""
    extras = [
        f"{text}; extra == '{extra}'" if ";" not in text else f"{text} and extra == '{extra}'"
        for extra, texts in PROJECT["optional-dependencies"].items()
        for text in texts
    ]
    return [*PROJECT["dependencies"], *extras]


def test_the_requirements_are_those_that_a_full_parser_finds():
    """Beside packaging, which Colab's machines may not have."""
    chosen = {}
    for text in map(Requirement, _stated()):
        if text.marker is None or text.marker.evaluate({"extra": "notebooks"}):
            chosen[text.name] = str(text.specifier)
    present, missing = colab.requirements(_stated(), lambda name: "1.0")
    assert not missing
    assert set(present) == chosen.keys() - set(colab.NOT_ON_COLAB)


def test_pip_is_told_to_hold_all_that_is_there():
    calls = []

    def pip(arguments):
        held = Path(arguments[arguments.index("--constraint") + 1])
        calls.append((held.read_text(), arguments[-1]))

    colab.install({"torch": "2.9.0+cpu", "numpy": "2.0.2"}, ["seqeval>=1"], pip)
    assert calls == [("torch==2.9.0+cpu\nnumpy==2.0.2\n", "seqeval>=1")]


def test_pip_refuses_to_exchange_what_is_held(tmp_path):
    """Pip itself, with no index: a wheel that wants another numpy, and a wheel that does not."""
    numpy = colab.version("numpy")
    for name, wanted in (("modest", f"numpy=={numpy}"), ("greedy", "numpy<1")):
        _wheel(tmp_path, name, wanted)

    def install(name):
        offline = ["--no-index", "--find-links", str(tmp_path), "--dry-run"]
        said = []

        def pip(arguments):
            command = [sys.executable, "-m", "pip", *arguments, *offline]
            said.append(subprocess.run(command, capture_output=True, text=True))

        colab.install({"numpy": numpy}, [name], pip)
        return said[0]

    assert install("modest").returncode == 0
    refused = install("greedy")
    assert refused.returncode != 0
    assert "conflicting dependencies" in refused.stderr


def _wheel(folder, name, requirement):
    import zipfile

    info = f"{name}-1.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1-py3-none-any.whl", "w") as file:
        file.writestr(f"{name}.py", "")
        file.writestr(
            f"{info}/METADATA",
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\nRequires-Dist: {requirement}\n",
        )
        file.writestr(
            f"{info}/WHEEL",
            textwrap.dedent("""\
                Wheel-Version: 1.0
                Generator: test
                Root-Is-Purelib: true
                Tag: py3-none-any
                """),
        )
        file.writestr(f"{info}/RECORD", "")


def test_elsewhere_set_up_is_refused():
    with pytest.raises(ModuleNotFoundError, match="google"):
        colab.set_up()
