"""All of the course in one folder; what is there and up to date is not made again."""

from __future__ import annotations

import hashlib
import html
import json
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from electra_lab.checkpoints.atomic import atomic_file
from electra_lab.checkpoints.resources import data_path, in_clone, notebooks_path

from .executing import as_stored, execute
from .pages import notebook_page, text_page, title_of
from .plans import Plan, read_plan
from .solving import failed_checks, for_students, read_solutions, solved, without_answers

MADE = "made.json"  # in the output folder: from what each executed notebook was made
HOME = '<a href="../index.html">All notebooks</a>'
BESIDE = '<a href="index.html">All notebooks</a>'


@dataclass
class Course:
    """What ``build_course`` did. As text it says what was made, and how large it is."""

    folder: Path
    executed: list[str] = field(default_factory=list)
    up_to_date: list[str] = field(default_factory=list)
    not_executed: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"The course is in {self.folder}."]
        for said, names in (
            ("Executed", self.executed),
            ("Already there and up to date", self.up_to_date),
            ("Not executed, so without pages", self.not_executed),
        ):
            if names:
                lines.append(f"{said}: {', '.join(name[:2] for name in names)}.")
        for name, what in (
            ("student", "to hand out: notebooks and pages without answers"),
            ("solved", "notebooks and pages with every exercise solved"),
            ("plans", "one page for each lesson"),
        ):
            files = [path for path in (self.folder / name).rglob("*") if path.is_file()]
            size = sum(path.stat().st_size for path in files) / 1e6
            lines.append(f"  {name + '/':10}{len(files):4} files {size:7.1f} MB  {what}")
        lines.append(f"Begin with {self.folder / 'index.html'}")
        return "\n".join(lines)


def build_course(
    output: str | Path,
    only: Iterable[str] | None = None,
    run: bool = True,
    progress: bool = True,
) -> Course:
    """Build student notebooks, solved notebooks, a page of each, plans, the guide and an index.

    Args:
        output: the folder. Files in it that this does not make stay as they are.
        only: two-digit numbers of notebooks, such as ``["03", "09"]``; None takes all.
        run: False fills the solutions in without executing anything, and makes no pages of notebooks.
            What was executed before and is up to date stays.
        progress: show a bar with the cells that are left.

    Raises:
        FileNotFoundError: the package runs without its repository, where the solutions are.
        ValueError: there is no such notebook, an exercise is not a stub, a cell failed, or the check of
            a solved exercise did not say "passed".
    """
    from tqdm.auto import tqdm

    folder = Path(output)
    chosen = _chosen(only)
    for name in ("student", "solved", "plans"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    course = Course(folder)
    made = _read_json(folder / MADE)
    notebooks = {path.stem: _read(path) for path in chosen}
    students = {name: for_students(notebook) for name, notebook in notebooks.items()}
    filled = {name: solved(book, _solutions(name)) for name, book in notebooks.items()}
    waiting = []
    for name in notebooks:
        _write_notebook(folder / "student" / f"{name}.ipynb", students[name])
        if made.get(name) == _mark(name) and all(
            place.is_file() for place in _places(folder, name)
        ):
            course.up_to_date.append(name)
        elif run:
            waiting.append(name)
        else:
            _write_notebook(folder / "solved" / f"{name}.ipynb", filled[name])
            for page in _places(folder, name)[1:]:
                page.unlink(missing_ok=True)  # of an older notebook: no page is better
            course.not_executed.append(name)
    _write_texts(folder)
    _write_index(folder)

    cells = sum(_code_cells(filled[name]) for name in waiting)
    with tqdm(total=cells, unit=" cells", disable=not progress or not waiting) as bar:
        for name in waiting:
            bar.set_description(name)
            try:
                executed = execute(filled[name], notebooks_path(), on_cell=bar.update)
            except ValueError as error:
                raise ValueError(f"{name} could not be executed.\n{error}") from error
            _refuse_failed(name, executed)
            _write_notebook(folder / "solved" / f"{name}.ipynb", as_stored(executed))
            _write(folder / "solved" / f"{name}.html", notebook_page(executed, HOME))
            shown = without_answers(executed, students[name])
            _write(folder / "student" / f"{name}.html", notebook_page(shown, BESIDE))
            made[name] = _mark(name)
            _write(folder / MADE, json.dumps(made, indent=1, sort_keys=True) + "\n")
            _write_index(folder)
            course.executed.append(name)
    return course


def plans_path() -> Path:
    """The folder of the hand-written plans."""
    return data_path("course", "plans")


def solutions_path() -> Path:
    """The folder of the solutions.

    Raises:
        FileNotFoundError: the package was installed without its repository.
    """
    place = notebooks_path().parent / "tests" / "exercises"
    if not in_clone() or not place.is_dir():
        raise FileNotFoundError(
            "The course is built from a clone of the repository: the solutions are in its "
            "tests/exercises, and an installed package does not carry them."
        )
    return place


def _chosen(only: Iterable[str] | None) -> list[Path]:
    paths = sorted(notebooks_path().glob("[0-9][0-9]_*.ipynb"))
    if only is None:
        return paths
    wanted = list(dict.fromkeys(only))
    numbers = {path.name[:2]: path for path in paths}
    if unknown := [number for number in wanted if number not in numbers]:
        raise ValueError(
            f"There is no notebook {', '.join(map(repr, unknown))}. Use two digits each: "
            f"{', '.join(numbers)}."
        )
    return [numbers[number] for number in sorted(wanted)]


def _solutions(name: str) -> dict[str, Any]:
    place = solutions_path() / f"solutions_{name[:2]}.py"
    return dict(read_solutions(place)) if place.is_file() else {}


def _refuse_failed(name: str, executed: Any) -> None:
    failed = failed_checks(executed)
    if failed:
        said = "\n".join(f"  {number} said: {text}" for number, text in failed.items())
        raise ValueError(f"{name}: solved exercises whose check did not say 'passed':\n{said}")


def _places(folder: Path, name: str) -> list[Path]:
    """What an execution makes: the solved notebook, then the pages."""
    return [folder / "solved" / f"{name}.ipynb"] + [
        folder / kind / f"{name}.html" for kind in ("solved", "student")
    ]


def _mark(name: str) -> str:
    """What an executed notebook depends on, as a short string: other inputs, another mark."""
    digest = hashlib.sha256(_package_mark().encode())
    for path in (notebooks_path() / f"{name}.ipynb", _solutions_file(name)):
        digest.update(path.read_bytes() if path.is_file() else b"")
    for variable in ("ELECTRA_LAB_MODEL", "ELECTRA_LAB_DEVICE"):
        digest.update(f"{variable}={os.environ.get(variable, '')}\n".encode())
    return digest.hexdigest()[:16]


def _solutions_file(name: str) -> Path:
    return solutions_path() / f"solutions_{name[:2]}.py"


@cache
def _package_mark() -> str:
    """Every file of the package: a changed view or model may change any page."""
    digest = hashlib.sha256()
    root = Path(__file__).resolve().parents[1]
    for path in sorted(root.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _write_texts(folder: Path) -> None:
    """Plans and guide, each as it was written and as a page to read or print."""
    guide = data_path("course", "guide.md")
    shutil.copyfile(guide, folder / "guide.md")
    _write(folder / "guide.html", text_page(guide.read_text(encoding="utf-8"), BESIDE))
    for path in sorted(notebooks_path().glob("*.md")):  # the glossary, which notebooks link to
        for kind in ("student", "solved"):
            shutil.copyfile(path, folder / kind / path.name)
            page = text_page(
                path.read_text(encoding="utf-8"), BESIDE if kind == "student" else HOME
            )
            _write(folder / kind / f"{path.stem}.html", page)
    for path in sorted(plans_path().glob("*.md")):
        shutil.copyfile(path, folder / "plans" / path.name)
        page = text_page(read_plan(path).text, HOME, kind="plan")
        _write(folder / "plans" / f"{path.stem}.html", page)


def _write_index(folder: Path) -> None:
    paths = sorted(notebooks_path().glob("[0-9][0-9]_*.ipynb"))
    plans = {path.stem: read_plan(path) for path in sorted(plans_path().glob("*.md"))}
    rows = [_row(folder, path.stem, ("student", "solved"), plans.get(path.stem)) for path in paths]
    hours = sum(plan.minutes for plan in plans.values()) / 60
    text = (
        "# The course\n\n"
        "Begin with the [guide](guide.html): the order, what to install before the day, and what works "
        f"without a network. The lessons below take about {hours:.0f} hours together.\n\n"
        "The folder [student](student/index.html) is the one to hand out. It has no answers in it; "
        "solved and plans have.\n\n"
        "| notebook | minutes | plan | for students | solved |\n|---|---|---|---|---|\n"
    )
    _write(folder / "index.html", text_page(text + "\n".join(rows), ""))
    theirs = (
        "# Notebooks\n\n"
        "The notebooks run in JupyterLab with electra_lab installed. Their pages can be read without "
        "it: views can be used, and what needs a model says so. In a page the exercises are left "
        "empty. New words are in the [glossary](glossary.html).\n\n"
        "| notebook | files |\n|---|---|\n"
    )
    handed_out = [path.stem for path in paths if (folder / "student" / path.name).is_file()]
    own = [_row(folder / "student", name, ("",), None) for name in handed_out]
    _write(folder / "student" / "index.html", text_page(theirs + "\n".join(own), ""))


def _row(folder: Path, name: str, kinds: Sequence[str], plan: Plan | None) -> str:
    cells = [_title(name).replace("|", "\\|")]
    if len(kinds) > 1:
        cells.append(str(plan.minutes) if plan else "")
        cells.append(f"[plan](plans/{name}.html)" if plan else "")
    for kind in kinds:
        place = f"{kind}/{name}" if kind else name
        found = [
            f'<a href="{html.escape(place)}.{ending}">{word}</a>'
            for ending, word in (("html", "page"), ("ipynb", "notebook"))
            if (folder / f"{place}.{ending}").is_file()
        ]
        cells.append(", ".join(found) or "not built yet")
    return f"| {' | '.join(cells)} |"


@cache
def _title(name: str) -> str:
    return title_of(_read(notebooks_path() / f"{name}.ipynb"))


def _code_cells(notebook: Any) -> int:
    return sum(cell.cell_type == "code" for cell in notebook.cells)


def _read(path: Path) -> Any:
    import nbformat

    return nbformat.read(path, as_version=4)


def _write_notebook(path: Path, notebook: Any) -> None:
    import nbformat

    _write(path, nbformat.writes(notebook) + "\n")


def _write(path: Path, text: str) -> None:
    with atomic_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def _read_json(path: Path) -> dict[str, str]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError):
        return {}
