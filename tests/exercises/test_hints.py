"""Hints in steps: every exercise has a ladder of them, in plain sentences, given one at a time."""

import ast
import re
from pathlib import Path

import nbformat
import pytest

from electra_lab import hint
from electra_lab.checkpoints.resources import notebooks_path
from electra_lab.exercises import hints as module
from electra_lab.exercises import registered
from electra_lab.exercises.framework import NOTEBOOKS

EXERCISES = registered()
SHORTEST = 14  # characters of code, spaces left out, that give an answer away


@pytest.fixture(autouse=True)
def nothing_was_given(monkeypatch):
    monkeypatch.setattr(module, "_given", {})


def _bare(text):
    return re.sub(r"\s", "", text)


def _statements(notebook):
    """What the solutions of a notebook compute: each statement and each returned or assigned value,
    of the solutions and of the helpers that they share."""
    source = (Path(__file__).parent / f"solutions_{notebook}.py").read_text()
    tree = ast.parse(source)
    (solutions,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "SOLUTIONS"
    )
    asked = {value.id for value in solutions.values}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and (
            node.name in asked or node.name.startswith("_")
        ):
            for part in ast.walk(node):
                if isinstance(part, ast.Return | ast.Assign | ast.AugAssign | ast.Expr):
                    yield ast.get_source_segment(source, part)
                    if part.value is not None:
                        yield ast.get_source_segment(source, part.value)


@pytest.mark.parametrize("number", EXERCISES)
def test_an_exercise_has_two_hints_or_three_and_no_two_alike(number):
    hints = EXERCISES[number].hints
    assert 2 <= len(hints) <= 3
    assert len(set(hints)) == len(hints)


def test_no_two_exercises_share_a_hint():
    given = [text for exercise in EXERCISES.values() for text in exercise.hints]
    assert len(given) == len(set(given)) >= 2 * len(EXERCISES)


@pytest.mark.parametrize("number", EXERCISES)
def test_a_hint_is_whole_sentences_on_one_line_without_markup(number):
    for text in EXERCISES[number].hints:
        assert re.fullmatch(r"[A-Za-z0-9\[(\"'].*[.?]", text), text
        assert 6 <= len(text.split()) <= 60
        assert not re.search(r"[`*<>\n#]|  ", text.replace("##", "")), text


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_no_hint_holds_a_line_of_the_solution(notebook):
    lines = {_bare(code) for code in _statements(notebook)}
    lines = {code for code in lines if len(code) >= SHORTEST and not code.startswith(('"', "'"))}
    assert lines
    for number, exercise in EXERCISES.items():
        if number.startswith(f"{notebook}."):
            said = [_bare(text) for text in exercise.hints]
            assert not [code for code in lines if any(code in text for text in said)]


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_a_notebook_says_once_how_to_ask_for_a_hint(notebook):
    (path,) = notebooks_path().glob(f"{notebook}_*.ipynb")
    cells = nbformat.read(path, as_version=4).cells
    words = "".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert words.count(f'hint("{notebook}.1")') == words.count("import hint, progress") == 1


def test_hints_come_one_at_a_time_and_then_all_again():
    first, second, third = EXERCISES["03.2"].hints
    assert repr(hint("03.2")) == f"03.2 hint 1 of 3: {first}"
    assert repr(hint("03.1")) == f"03.1 hint 1 of 3: {EXERCISES['03.1'].hints[0]}"
    assert repr(hint("03.2")) == f"03.2 hint 2 of 3: {second}"
    assert repr(hint("03.2")) == f"03.2 hint 3 of 3: {third}"
    for _ in range(2):
        assert repr(hint("03.2")) == (
            "03.2 has no more hints. Try what you have: check says what is wrong with it.\n"
            f"1. {first}\n2. {second}\n3. {third}"
        )


def test_an_unknown_number_names_the_known_ones():
    with pytest.raises(ValueError, match=r"no exercise '03\.9'.*03\.1, 03\.2, 03\.3"):
        hint("03.9")
