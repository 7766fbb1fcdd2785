"""Every exercise: its solution passes, its mutants fail with a hint, its stub is in its notebook.

Solutions and mutants are in solutions_NN.py beside this file; no notebook imports them.
"""

import ast
import functools
import importlib.util
import inspect
import sys
import textwrap
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from electra_lab.checkpoints.resources import notebooks_path
from electra_lab.exercises import check, registered
from electra_lab.exercises.framework import NOTEBOOKS, Status


def _load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where inspect looks for the source of a class
    spec.loader.exec_module(module)
    return module


SOLVED = {path.stem[-2:]: _load(path) for path in sorted(Path(__file__).parent.glob("solutions_*"))}
EXERCISES = registered()
SOLUTIONS = {number: fn for module in SOLVED.values() for number, fn in module.SOLUTIONS.items()}
MUTANTS = {number: made for module in SOLVED.values() for number, made in module.MUTANTS.items()}
HINTS = {number: made for module in SOLVED.values() for number, made in module.HINTS.items()}


def _notebook(number):
    (path,) = notebooks_path().glob(f"{number}_*.ipynb")
    return path


def _trees(path):
    """The syntax tree of each code cell, magics turned into calls."""
    cells = nbformat.read(path, as_version=4).cells
    transform = TransformerManager().transform_cell
    return [ast.parse(transform(cell.source)) for cell in cells if cell.cell_type == "code"]


def _checked_names(path):
    """number -> the name that the notebook hands to check(number, name)."""
    return {
        call.args[0].value: call.args[1].id
        for tree in _trees(path)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "check"
    }


def _definition(path, name):
    """The last top-level function or class of that name in the notebook."""
    found = [
        node
        for tree in _trees(path)
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name
    ]
    assert found, f"{path.name} checks {name} but defines no function or class of that name"
    return found[-1]


def _parameters(node):
    """The parameter names of a function, or those of each method of a class."""
    if isinstance(node, ast.ClassDef):
        return {part.name: _parameters(part) for part in node.body if hasattr(part, "args")}
    arguments = node.args
    return [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


def _run(node):
    """The function or class of a notebook, made without the rest of the notebook."""
    for part in ast.walk(node):
        if isinstance(part, ast.arg):
            part.annotation = None
        if isinstance(part, ast.FunctionDef):
            part.returns = None
    space = {}
    source = f"import torch\nfrom torch import nn, Tensor\n{ast.unparse(node)}"
    exec(compile(source, "<stub>", "exec"), space)
    return space[node.name]


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_each_notebook_has_three_exercises_or_more(notebook):
    numbers = [n for n in EXERCISES if n.startswith(f"{notebook}.")]
    assert numbers == [f"{notebook}.{i + 1}" for i in range(len(numbers))]
    assert 3 <= len(numbers) <= 5


@pytest.mark.parametrize("number", EXERCISES)
def test_the_solution_passes(number):
    assert repr(check(number, SOLUTIONS[number])) == f"{number} passed: {EXERCISES[number].title}"


@pytest.mark.parametrize("number", EXERCISES)
def test_there_are_three_mutants_or_more(number):
    assert len(MUTANTS[number]) >= 3


@functools.cache
def _outcome(number, mistake):
    return check(number, MUTANTS[number][mistake])


@pytest.mark.parametrize(("number", "mistake"), [(n, m) for n in MUTANTS for m in MUTANTS[n]])
def test_a_mutant_gets_a_hint(number, mistake):
    """A hint of the check's own: a mutant that only crashes would show nothing about the check."""
    result = _outcome(number, mistake)
    assert result.status is Status.NOT_YET, f"{number} lets pass: {mistake}"
    assert " raised " not in result.message
    assert "could not use" not in result.message
    assert len(result.message.split()) >= 5


@pytest.mark.parametrize("number", HINTS)
def test_a_mutant_gets_the_hint_that_is_meant_for_it(number):
    assert HINTS[number].keys() == MUTANTS[number].keys()
    said = {mistake: _outcome(number, mistake).message for mistake in HINTS[number]}
    assert {m: s for m, s in said.items() if HINTS[number][m] not in s} == {}


@pytest.mark.parametrize("number", EXERCISES)
def test_the_stub_in_the_notebook_is_not_attempted_and_has_the_solutions_parameters(number):
    path = _notebook(number.split(".")[0])
    names = _checked_names(path)
    assert number in names, f"{path.name} has no check({number!r}, ...)"
    stub = _definition(path, names[number])
    title = EXERCISES[number].title
    assert repr(check(number, _run(stub))) == f"{number} not attempted yet: {title}"
    (solved,) = ast.parse(textwrap.dedent(inspect.getsource(SOLUTIONS[number]))).body
    assert _parameters(stub) == _parameters(solved)


def test_there_are_solutions_mutants_and_their_hints_for_exactly_the_exercises():
    assert set(SOLUTIONS) == set(MUTANTS) == set(HINTS) == set(EXERCISES)


@pytest.mark.parametrize("path", sorted(notebooks_path().glob("*.ipynb")), ids=lambda p: p.stem)
def test_no_notebook_imports_solutions(path):
    imported = [
        name
        for tree in _trees(path)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (getattr(node, "module", None), *(alias.name for alias in node.names))
    ]
    assert not [name for name in imported if name and ("solutions" in name or "tests" in name)]


@pytest.mark.parametrize("path", sorted(notebooks_path().glob("*.ipynb")), ids=lambda p: p.stem)
def test_a_notebook_checks_only_its_own_exercises(path):
    expected = [n for n in EXERCISES if n.startswith(f"{path.stem[:2]}.")]
    assert sorted(_checked_names(path)) == expected
