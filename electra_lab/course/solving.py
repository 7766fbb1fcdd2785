"""A notebook for students, without answers, and the same one with every exercise solved."""

from __future__ import annotations

import ast
import copy
import re
import symtable
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Definition = ast.FunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Solution:
    """An answer as text.

    Attributes:
        body: the lines of the function below its docstring, indented.
        needs: what stands above it: imports, and functions that it calls.
    """

    number: str
    body: str
    needs: tuple[str, ...]


@dataclass(frozen=True)
class Stub:
    """Where an exercise stands in a notebook: the cell that defines it, and the one that checks it."""

    number: str
    name: str
    defined: int
    checked: int


def read_solutions(path: Path) -> dict[str, Solution]:
    """The answers in one ``solutions_NN.py``, by the numbers of its table ``SOLUTIONS``.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file has no table ``SOLUTIONS`` of functions that it defines.
    """
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text, filename=str(path))
    known: dict[str, ast.stmt] = {}
    for statement in tree.body:
        known.update(dict.fromkeys(_names_made_by(statement), statement))
    table = known.get("SOLUTIONS")
    if not isinstance(table, ast.Assign) or not isinstance(table.value, ast.Dict):
        raise ValueError(f"{path} has no table SOLUTIONS = {{number: function}}.")
    made = {}
    for key, value in zip(table.value.keys, table.value.values, strict=True):
        function = known.get(value.id) if isinstance(value, ast.Name) else None
        number = key.value if isinstance(key, ast.Constant) else None
        if not isinstance(number, str) or not isinstance(function, Definition):
            raise ValueError(
                f"{path}: line {value.lineno} of SOLUTIONS should be a number and the name of a "
                "function of this file."
            )
        made[number] = Solution(number, _body(text, function), _needs(text, function, known))
    return made


def find_stubs(notebook: Any) -> dict[str, Stub]:
    """Every exercise of a notebook, found by its ``check("03.2", function)``, by number.

    Raises:
        ValueError: a checked function is nowhere defined at the top level of a cell.
    """
    trees = {
        index: tree
        for index, cell in enumerate(notebook.cells)
        if cell.cell_type == "code" and (tree := _tree(cell.source)) is not None
    }
    found = {}
    for index, tree in trees.items():
        for number, name in _checks(tree):
            places = [i for i in trees if i <= index and _definition(trees[i], name) is not None]
            if not places:
                raise ValueError(
                    f"Exercise {number} checks {name}, but no cell up to there defines it."
                )
            found[number] = Stub(number, name, places[-1], index)
    return dict(sorted(found.items()))


def for_students(notebook: Any) -> Any:
    """A copy in which nothing is done yet: the cells of exercises have no outputs.

    Raises:
        ValueError: an exercise is not a stub, because somebody has solved it in this notebook.
    """
    made = copy.deepcopy(notebook)
    for stub in find_stubs(made).values():
        cell = made.cells[stub.defined]
        if not _is_stub(_defined(cell, stub)):
            raise ValueError(
                f"Exercise {stub.number} is not empty: {stub.name} has an answer in the notebook, and "
                "students would get it. Put the stub back (its last line raises NotImplementedError)."
            )
        for index in {stub.defined, stub.checked}:
            made.cells[index].outputs = []
            made.cells[index].execution_count = None
    return made


def solved(notebook: Any, solutions: dict[str, Solution]) -> Any:
    """A copy in which each stub has the body of its solution, below its own signature and docstring.

    Raises:
        ValueError: an exercise has no solution, or a solution no exercise.
    """
    made = copy.deepcopy(notebook)
    stubs = find_stubs(made)
    if stubs.keys() != solutions.keys():
        raise ValueError(
            f"The notebook checks {_listed(stubs)}, but there are solutions for {_listed(solutions)}."
        )
    there = _Names.of(notebook)
    for stub in stubs.values():
        cell = made.cells[stub.defined]
        node, solution = _defined(cell, stub), solutions[stub.number]
        above = _above(solution, there)
        lines = cell.source.splitlines()
        first, last = _lines_of_body(node)
        begin = _first_line(node) - 1
        cell.source = "\n".join(
            [*lines[:begin], *above, *lines[begin:first], solution.body, *lines[last:]]
        )
    return made


@dataclass(frozen=True)
class _Names:
    """What a notebook's cells have at their top level: imports as written, other names."""

    imports: frozenset[str]
    others: frozenset[str]

    @staticmethod
    def of(notebook: Any) -> _Names:
        cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
        statements = [s for source in cells if (tree := _tree(source)) for s in tree.body]
        return _Names(
            frozenset(one for s in statements for one in _imports(s)),
            frozenset(n for s in statements if not _imports(s) for n in _names_made_by(s)),
        )


def _imports(statement: ast.stmt) -> list[str]:
    """An import as one text for each name."""
    match statement:
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            source = f"{getattr(statement, 'module', None)}"
            return [f"{source}: {ast.unparse(alias)}" for alias in names]
    return []


def _above(solution: Solution, there: _Names) -> list[str]:
    """The lines that a solution needs above its function, without imports that are there anyway."""
    imports, others = [], []
    for text in solution.needs:
        (statement,) = ast.parse(text).body
        if found := _imports(statement):
            imports += [text] * (not there.imports.issuperset(found))
        else:
            if taken := there.others.intersection(_names_made_by(statement)):
                raise ValueError(
                    f"The solution of {solution.number} needs {', '.join(taken)}, a name that the "
                    "notebook uses for something else. Give the one in the solutions another name."
                )
            others.append(text)
    blocks = ["\n".join(imports)] * bool(imports) + others
    return [f"{block}\n\n" for block in blocks]


def without_answers(executed: Any, student: Any) -> Any:
    """``executed``, with the cells of its exercises as the student's notebook has them."""
    made = copy.deepcopy(executed)
    for stub in find_stubs(student).values():
        for index in {stub.defined, stub.checked}:
            made.cells[index] = copy.deepcopy(student.cells[index])
    return made


def failed_checks(executed: Any) -> dict[str, str]:
    """number -> what its check said, for each exercise whose check did not say "passed"."""
    failed = {}
    for number, stub in find_stubs(executed).items():
        said = "\n".join(_texts(executed.cells[stub.checked]))
        if not re.search(rf"^{re.escape(number)} passed\b", said, flags=re.MULTILINE):
            failed[number] = said.strip() or "nothing"
    return failed


def _texts(cell: Any) -> Iterator[str]:
    for output in cell.outputs:
        yield output.get("text") or output.get("data", {}).get("text/plain", "")


def _tree(source: str) -> ast.Module | None:
    try:
        return ast.parse(source)
    except SyntaxError:  # a cell with a magic: it holds no exercise
        return None


def _checks(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Name(id="check"), args=[ast.Constant(str(number)), ast.Name(name), *_]
            ):
                yield number, name


def _definition(tree: ast.Module, name: str) -> Definition | None:
    found = [node for node in tree.body if isinstance(node, Definition) and node.name == name]
    return found[-1] if found else None


def _defined(cell: Any, stub: Stub) -> Definition:
    node = _definition(ast.parse(cell.source), stub.name)
    assert node is not None  # find_stubs has seen it
    return node


def _is_stub(node: Definition) -> bool:
    """Whether nothing but ``raise NotImplementedError`` is left once it is reached: in the function,
    or in each method of the class."""
    if isinstance(node, ast.ClassDef):
        methods = [part for part in node.body if isinstance(part, ast.FunctionDef)]
        return any(_is_stub(method) for method in methods)
    last = node.body[-1]
    return isinstance(last, ast.Raise) and "NotImplementedError" in ast.unparse(last)


def _first_line(node: ast.stmt) -> int:
    """Where a statement begins, counted from 1, its decorators included."""
    return min(part.lineno for part in (node, *getattr(node, "decorator_list", ())))


def _lines_of_body(node: Definition) -> tuple[int, int]:
    """The lines (first, counted from 0; behind the last) below signature and docstring."""
    end = node.end_lineno
    assert end is not None
    statements = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (_first_line(statements[0]) - 1 if statements else end), end


def _body(text: str, node: Definition) -> str:
    first, last = _lines_of_body(node)
    lines = text.splitlines()
    while lines[first - 1].lstrip().startswith("#"):  # what the body begins by saying
        first -= 1
    return "\n".join(lines[first:last])


def _names_made_by(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return [alias.asname or alias.name.partition(".")[0] for alias in names]
        case ast.Assign(targets=targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
    return []


def _used(text: str) -> dict[str, set[str]]:
    """For each name of the file's top level what its definition takes from there."""

    def from_outside(table: symtable.SymbolTable) -> set[str]:
        own = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global()}
        return own.union(*map(from_outside, table.get_children()))

    tables = symtable.symtable(text, "solutions", "exec").get_children()
    return {table.get_name(): from_outside(table) for table in tables}


def _needs(text: str, function: Definition, known: dict[str, ast.stmt]) -> tuple[str, ...]:
    """The statements of the file without which the function does not run, in the file's order."""
    used = _used(text)
    needed: dict[int, ast.stmt] = {}
    waiting = [function.name]
    while waiting:
        for name in used.get(waiting.pop(), set()) & known.keys():
            statement = known[name]
            if _first_line(statement) not in needed:
                needed[_first_line(statement)] = statement
                waiting.append(name)
    lines = text.splitlines()
    return tuple(
        "\n".join(lines[first - 1 : statement.end_lineno])
        for first, statement in sorted(needed.items())
    )


def _listed(numbers: Any) -> str:
    return ", ".join(sorted(numbers)) or "none"
