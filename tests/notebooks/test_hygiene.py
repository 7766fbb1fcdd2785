"""What lies in the repository: notebooks that were run from a clean kernel, small and portable."""

import copy
import importlib.util
import re
from pathlib import Path

import nbformat
import pytest

from electra_lab.checkpoints.resources import data_path, notebooks_path


def _script(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


only_run, store_outputs = _script("only_run"), _script("store_outputs")

NAMES = [
    "00_start_here",
    "01_tokens",
    "02_embeddings",
    "03_attention",
    "04_encoder",
    "05_generator",
    "06_discriminator",
    "07_joint_pretraining",
    "08_embedding_space",
    "09_looking_at_attention",
    "10_sequence_classification",
    "11_token_classification",
    "12_question_answering",
    "13_multiple_choice",
    "14_causal_language_model",
    "15_checkpoints_and_hubs",
    "16_efficiency",
    "17_debugging_a_prediction",
]
ABSOLUTE_PATH = re.compile(r"(?<![\w.:/])/(home|root|tmp|work|Users|usr|opt|mnt)/|[A-Z]:\\\\")
OUTSIDE = re.compile(r"https?://(?!127\.0\.0\.1\b)")  # a server on loopback is inside


def _path(name):
    return notebooks_path() / f"{name}.ipynb"


def _read(name):
    return nbformat.read(_path(name), as_version=4)


def _code(name):
    return [cell for cell in _read(name).cells if cell.cell_type == "code"]


def test_the_notebooks_are_these_and_no_others():
    assert sorted(path.stem for path in notebooks_path().glob("*.ipynb")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_valid_and_at_most_300_kilobytes(name):
    nbformat.validate(_read(name))
    assert _path(name).stat().st_size <= store_outputs.LARGEST


@pytest.mark.parametrize("name", NAMES)
def test_stored_outputs_are_text_and_png_and_metadata_is_plain(name):
    stored = _read(name)
    assert store_outputs.clean(copy.deepcopy(stored)) == stored


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_was_run_once_from_top_to_bottom(name):
    counts = [cell.execution_count for cell in _code(name)]
    assert counts == list(range(1, len(counts) + 1))


@pytest.mark.parametrize("name", NAMES)
def test_no_error_is_stored_that_is_not_meant(name):
    for cell in _code(name):
        if "raises-exception" not in cell.metadata.get("tags", []):
            assert not [output for output in cell.outputs if output.output_type == "error"]


@pytest.mark.parametrize("name", NAMES)
def test_the_last_cell_says_that_the_notebook_is_complete(name):
    last = _read(name).cells[-1]
    assert last.cell_type == "code"
    sentence = f"Notebook {name[:2]} is complete."
    assert [output.get("text") for output in last.outputs] == [f"{sentence}\n"]
    assert not last.metadata.get("tags")


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_names_no_place_of_one_machine(name):
    assert not ABSOLUTE_PATH.search(_path(name).read_text())


@pytest.mark.parametrize("name", NAMES)
def test_no_code_or_output_reaches_outside(name):
    for cell in _code(name)[1:]:  # the first is for Colab, where there is a network
        text = cell.source + str(
            [output.get("data") or output.get("text") for output in cell.outputs]
        )
        assert not OUTSIDE.search(text)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_begins_with_words_and_its_first_code_imports(name):
    """After the cell that is for Colab alone, which tests/setup/test_colab.py holds to its text."""
    assert _read(name).cells[0].cell_type == "markdown"
    for_colab, first = _code(name)[:2]
    assert "google.colab" in for_colab.source
    assert re.search(r"^(import|from) ", first.source, flags=re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_some_output_of_each_notebook_is_compared(name):
    """Ignoring everything would make nbval pass whatever a notebook says."""
    compared = [
        cell
        for cell in _code(name)
        if cell.outputs and "nbval-ignore-output" not in cell.metadata.get("tags", [])
    ]
    assert len(compared) >= 3


def _prose(name):
    """The Markdown of a notebook, cell by cell, without its blocks of code."""
    cells = [cell.source for cell in _read(name).cells if cell.cell_type == "markdown"]
    return [re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE) for text in cells]


@pytest.mark.parametrize("name", NAMES)
def test_each_picture_says_in_words_what_it_shows(name):
    for cell in _code(name):
        for output in cell.outputs:
            if any(kind.startswith("image/") for kind in output.get("data", {})):
                said = output.metadata.get("image/png", {}).get("alt", "")
                assert len(said.split()) >= 8, (
                    f"A picture of the cell {cell.source[:60]!r} has the alt text {said!r}. Show a "
                    "figure as DescribedFigure(figure, text); views bring theirs."
                )
    for text in _prose(name):
        for alt in re.findall(r"!\[(.*?)\]", text):
            assert len(alt.split()) >= 3, f"The picture ![{alt}] has no alt text."
        assert "<img" not in text


@pytest.mark.parametrize("name", NAMES)
def test_headings_come_in_order(name):
    """One title, and no level is skipped on the way down: what a screen reader lists."""
    found = re.findall(r"^(#+) (.+)$", "\n".join(_prose(name)), flags=re.MULTILINE)
    levels = [len(marks) for marks, _ in found]
    assert levels[0] == 1
    assert levels.count(1) == 1
    for before, level, (_, title) in zip(levels, levels[1:], found[1:], strict=False):
        assert level <= before + 1, f"The heading {title!r} skips a level."


@pytest.mark.parametrize("name", NAMES)
def test_a_cell_that_is_only_run_says_why_in_a_tag(name):
    for cell in _code(name):
        said = only_run.reasons(cell)
        wanted = 1 if only_run.is_only_run(cell) else 0
        assert (len(said), set(said) <= set(only_run.REASONS)) == (wanted, True), (
            f"The cell {cell.source[:60]!r} is tagged {cell.metadata.get('tags')}. Beside "
            f"nbval-ignore-output stands one of {', '.join(only_run.REASONS)}, and only there."
        )


def test_the_table_of_cells_that_are_only_run_counts_each_once():
    paths = [_path(name) for name in NAMES]
    lines = only_run.table(paths).splitlines()
    heads = lines[0].split("  ")
    for path, line in zip(paths, lines[1:-1], strict=True):
        counts = only_run.counted(nbformat.read(path, as_version=4))
        assert line.split()[0] == path.stem
        assert counts["cells"] == counts["no output"] + counts["compared"] + counts["only run"]
        assert counts["only run"] == sum(counts[reason] for reason in only_run.REASONS)
        assert counts["compared"] >= 3
    assert lines[-1].startswith("all ")
    assert "timings" in " ".join(heads)


def test_the_pictures_of_the_readme_are_small():
    pictures = list(data_path("pictures").iterdir())
    assert len(pictures) >= 2
    assert not [one.name for one in pictures if one.stat().st_size > 150 * 1024]
