"""Stubs are found by their checks, emptied for students, and filled with the solutions."""

import ast
import builtins
import symtable
from functools import cache
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from electra_lab.checkpoints.resources import notebooks_path
from electra_lab.course.solving import (
    Solution,
    failed_checks,
    find_stubs,
    for_students,
    read_solutions,
    solved,
    without_answers,
)
from electra_lab.exercises import registered

SOLUTIONS = Path(__file__).parents[1] / "exercises"
NOTEBOOKS = sorted(notebooks_path().glob("[0-9][0-9]_*.ipynb"))
WITH_EXERCISES = [
    path for path in NOTEBOOKS if (SOLUTIONS / f"solutions_{path.name[:2]}.py").is_file()
]
STUB = '''def double(x):
    """Twice x.

    x: a number
    """
    raise NotImplementedError


check("01.1", double)'''


@cache
def _read(path):
    return nbformat.read(path, as_version=4)


def _solutions(path):
    return read_solutions(SOLUTIONS / f"solutions_{path.name[:2]}.py")


def _notebook(*sources):
    return new_notebook(cells=[new_code_cell(source) for source in sources])


@pytest.fixture
def written(tmp_path):
    """Solutions from a text: ``written("...")``."""

    def write(text):
        (tmp_path / "solutions_01.py").write_text(text)
        return read_solutions(tmp_path / "solutions_01.py")

    return write


def test_every_exercise_is_found_by_its_check():
    found = [number for path in NOTEBOOKS for number in find_stubs(_read(path))]
    assert found == list(registered())


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_students_notebook_is_the_committed_one_without_outputs_of_exercises(path):
    committed = _read(path)
    student = for_students(committed)
    stubs = find_stubs(committed).values()
    exercises = {index for stub in stubs for index in (stub.defined, stub.checked)}
    for index, (theirs, ours) in enumerate(zip(student.cells, committed.cells, strict=True)):
        assert theirs.source == ours.source
        if index in exercises:
            assert theirs.outputs == []
            assert theirs.execution_count is None
        else:
            assert theirs == ours


@pytest.mark.parametrize("path", WITH_EXERCISES, ids=lambda path: path.stem)
def test_no_line_of_a_solution_stands_beside_its_exercise(path):
    student = for_students(_read(path))
    solutions = _solutions(path)
    for stub in find_stubs(student).values():
        beside = {line.strip() for line in student.cells[stub.defined].source.splitlines()}
        answer = [line.strip() for line in solutions[stub.number].body.splitlines()]
        assert not beside & {line for line in answer if line and not line.startswith("def ")}


@pytest.mark.parametrize("path", WITH_EXERCISES, ids=lambda path: path.stem)
def test_a_solved_notebook_differs_in_the_bodies_of_its_stubs_and_in_nothing_else(path):
    committed = _read(path)
    filled = solved(committed, _solutions(path))
    stubs = find_stubs(committed)
    assert {stub.number: stub.name for stub in find_stubs(filled).values()} == {
        stub.number: stub.name for stub in stubs.values()
    }
    changed = {stub.defined for stub in stubs.values()}
    for index, (new, old) in enumerate(zip(filled.cells, committed.cells, strict=True)):
        if index in changed:
            assert new.source != old.source
            assert "NotImplementedError" not in new.source
            ast.parse(new.source)
        else:
            assert new == old


def test_a_filled_stub_keeps_signature_and_docstring_and_gets_what_its_answer_needs(written):
    solutions = written('''"""Answers."""
import math
from collections import Counter

FACTOR = 2


def _unused(x):
    return FACTOR


@staticmethod
def _times(x, n):
    return x * n


def answer(value):
    """Another docstring."""
    # why it works
    text = """
  kept as it is"""
    return _times(value, FACTOR) + math.log(1) + len(text.split()) * 0


SOLUTIONS = {"01.1": answer}
''')
    filled = solved(_notebook("x = 1", STUB.replace("(x)", "(value: float) -> float")), solutions)
    source = filled.cells[1].source
    assert source.startswith("import math\n\n\nFACTOR = 2\n\n\n@staticmethod\ndef _times(x, n):")
    assert '(value: float) -> float:\n    """Twice x.' in source
    assert "# why it works" in source
    assert '"""\n  kept as it is"""' in source
    assert not any(word in source for word in ("Counter", "_unused", "Another"))
    space = {"check": lambda number, function: function(3)}
    exec(source, space)
    assert space["double"](3) == 6


def test_an_import_that_the_notebook_has_is_not_repeated(written):
    solutions = written(
        "import math\n\n\ndef f(x):\n    return math.exp(x)\n\n\nSOLUTIONS = {'01.1': f}\n"
    )
    assert "import math" not in solved(_notebook("import math", STUB), solutions).cells[1].source
    assert "import math" in solved(_notebook("import os", STUB), solutions).cells[1].source


def test_a_parameter_is_no_name_of_the_file(written):
    """03.2 takes ``scores``, which is also the function of 03.1."""
    solutions = written(
        "def scores(x):\n    return x\n\n\ndef f(scores):\n    return 2 * scores\n\n\n"
        "SOLUTIONS = {'01.1': f}\n"
    )
    assert solutions["01.1"].needs == ()


def test_a_recursive_answer_and_a_class_are_filled_in(written):
    solutions = written(
        "def power(x):\n    return 1 if x < 2 else x * power(x - 1)\n\n\n"
        "class Kept:\n    def __init__(self):\n        super().__init__()\n        self.x = 5\n\n\n"
        "SOLUTIONS = {'01.1': power, '01.2': Kept}\n"
    )
    cls = (
        'class Box:\n    """A box."""\n\n    def __init__(self):\n        raise NotImplementedError\n'
        '\n\ncheck("01.2", Box)'
    )
    filled = solved(_notebook(STUB, cls), solutions)
    space = {"check": lambda number, function: None}
    for cell in filled.cells:
        exec(cell.source, space)
    assert space["double"](4) == 24
    assert space["Box"]().x == 5
    assert space["Box"].__doc__ == "A box."


def test_a_helper_that_would_overwrite_a_name_of_the_notebook_is_refused(written):
    solutions = written(
        "def total(x):\n    return x\n\n\ndef f(x):\n    return total(x)\n\n\nSOLUTIONS = {'01.1': f}\n"
    )
    with pytest.raises(ValueError, match=r"01\.1 needs total, a name that the notebook uses"):
        solved(_notebook("total = 3", STUB), solutions)


def test_exercises_and_solutions_that_do_not_match_are_refused(written):
    solutions = written("def f(x):\n    return x\n\n\nSOLUTIONS = {'01.1': f, '01.2': f}\n")
    with pytest.raises(ValueError, match=r"checks 01\.1, but there are solutions for 01\.1, 01\.2"):
        solved(_notebook(STUB), solutions)


def test_a_notebook_with_an_answer_in_it_is_not_handed_out():
    done = STUB.replace("raise NotImplementedError", "return 2 * x")
    with pytest.raises(ValueError, match=r"Exercise 01\.1 is not empty: double has an answer"):
        for_students(_notebook(done))


def test_a_check_of_nothing_is_refused():
    with pytest.raises(ValueError, match=r"01\.1 checks double, but no cell up to there"):
        find_stubs(_notebook('check("01.1", double)', STUB.partition("\n\n\ncheck")[0]))


def test_only_a_check_that_says_passed_counts():
    notebook = _notebook(*(STUB.replace("01.1", f"01.{n}") for n in (1, 2, 3, 4)))
    said = ["01.1 passed: twice", "01.2 not yet: 01.2 passed is not said", "01.3 passed", None]
    for cell, text in zip(notebook.cells, said, strict=True):
        if text:
            cell.outputs = [new_output("execute_result", {"text/plain": text})]
    assert failed_checks(notebook) == {"01.2": said[1], "01.4": "nothing"}


def test_a_page_for_students_has_the_empty_exercises_and_all_other_outputs():
    student = for_students(_notebook("x = 1", STUB))
    executed = solved(student, {"01.1": Solution("01.1", "    return 2 * x", ())})
    for cell in executed.cells:
        cell.outputs = [new_output("stream", text="said")]
    shown = without_answers(executed, student)
    assert shown.cells[0].outputs[0].text == "said"
    assert shown.cells[1] == student.cells[1]


@pytest.mark.parametrize("path", WITH_EXERCISES, ids=lambda path: path.stem)
def test_a_filled_cell_has_every_name_that_it_uses(path):
    """From its notebook's imports or from what was put above it; that the answer is right, the tests
    of the exercises say."""
    filled = solved(_read(path), _solutions(path))
    imported = {
        alias.asname or alias.name
        for cell in filled.cells
        for node in _statements(cell)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    for stub in find_stubs(filled).values():
        cell = symtable.symtable(filled.cells[stub.defined].source, "cell", "exec")
        missing = _used(cell) - set(cell.get_identifiers()) - imported - set(dir(builtins))
        assert not missing, stub


def _used(table):
    own = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global()}
    return own.union(*map(_used, table.get_children()))


def _statements(cell):
    try:
        return ast.parse(cell.source if cell.cell_type == "code" else "").body
    except SyntaxError:  # a magic
        return []
