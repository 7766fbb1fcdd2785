"""The built course: one small notebook executed, everything else as text and links."""

import json
import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from typer.testing import CliRunner

from electra_lab.checkpoints.resources import notebooks_path
from electra_lab.cli import app
from electra_lab.course import build, pages
from electra_lab.course.build import build_course, solutions_path
from electra_lab.course.executing import as_stored, execute
from electra_lab.course.solving import failed_checks, find_stubs, for_students, read_solutions
from electra_lab.exercises import registered

SMALL = "03_attention"
HOSTILE = "</pre><script>window.evil = 1</script><img src=x onerror='window.evil = 1'>"


class Seen(HTMLParser):
    """What a page would show or load; what is inside of srcdoc is a page of its own."""

    def __init__(self, text):
        super().__init__()
        self.pictures, self.links, self.loaded, self.ids, self.tags = [], [], [], set(), []
        self.text = ""
        self.feed(text)

    def handle_data(self, data):
        self.text += data

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.tags.append(tag)
        self.ids.add(found.get("id"))
        if tag == "img":
            self.pictures.append(found)
        if tag == "a":
            self.links.append(found["href"])
        elif "href" in found:
            self.loaded.append(found["href"])
        self.loaded += [found["src"]] if "src" in found else []
        if "srcdoc" in found:
            self.loaded += Seen(found["srcdoc"]).loaded


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The course, with one notebook executed on micro."""
    place = tmp_path_factory.mktemp("course")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ELECTRA_LAB_MODEL", "micro")
        patch.setenv("ELECTRA_LAB_DEVICE", "cpu")
        course = build_course(place, only=["03"], progress=False)
        assert course.executed == [SMALL]
        with pytest.MonkeyPatch.context() as again:
            again.setattr(build, "execute", None)  # nothing may be executed a second time
            assert build_course(place, only=["03"], progress=False).up_to_date == [SMALL]
        said = str(course)
    assert "Executed: 03." in said
    assert re.search(r"student/ +5 files +0\.\d MB", said)
    return place


def _html(folder):
    return sorted(folder.rglob("*.html"))


def _notebook(path):
    return nbformat.read(path, as_version=4)


def test_every_check_of_the_solved_notebook_says_passed(folder):
    made = _notebook(folder / "solved" / f"{SMALL}.ipynb")
    nbformat.validate(made)
    stubs = find_stubs(made)
    assert list(stubs) == [n for n in registered() if n.startswith("03")]
    assert failed_checks(made) == {}
    assert made.cells[-1].outputs[0].text == "Notebook 03 is complete.\n"


def test_what_students_get_has_no_answer(folder):
    committed = _notebook(notebooks_path() / f"{SMALL}.ipynb")
    assert _notebook(folder / "student" / f"{SMALL}.ipynb") == for_students(committed)
    theirs, solved = (
        (folder / kind / f"{SMALL}.html").read_text() for kind in ("student", "solved")
    )
    count = len(find_stubs(committed))
    assert theirs.count("NotImplementedError") == count
    assert " passed: " not in theirs
    assert "NotImplementedError" not in solved
    assert solved.count(" passed: ") == count
    answers = read_solutions(solutions_path() / "solutions_03.py").values()
    lines = {line.strip() for answer in answers for line in answer.body.splitlines()}
    lines = {line for line in lines if len(line) > 30}
    assert lines
    assert {line for line in lines if line not in Seen(solved).text} == set()
    assert {line for line in lines if line in Seen(theirs).text} == set()


def test_the_folder_for_students_holds_and_links_to_nothing_else(folder):
    names = {path.name for path in (folder / "student").iterdir()}
    assert names == {
        "index.html",
        "glossary.md",
        "glossary.html",
        f"{SMALL}.ipynb",
        f"{SMALL}.html",
    }
    for path in _html(folder / "student"):
        assert not [link for link in Seen(path.read_text()).links if ".." in link]


def test_the_list_for_students_has_only_what_was_built(folder):
    said = (folder / "student" / "index.html").read_text()
    assert re.findall(r"<td>(\d\d) ", said) == [SMALL[:2]]
    assert "not built yet" not in said
    assert "glossary.html" in Seen(said).links


def test_every_picture_has_words_and_no_page_loads_anything(folder):
    pictures = 0
    for path in _html(folder):
        seen = Seen(path.read_text())
        texts = [picture.get("alt", "").strip() for picture in seen.pictures]
        assert not [text for text in texts if not text or text.startswith("<Figure")]
        assert {urlsplit(address).scheme for address in seen.loaded} <= {"data"}
        assert "script" not in seen.tags
        pictures += len(seen.pictures)
    assert pictures


def test_every_link_leads_to_a_file_that_is_there_or_to_a_notebook_not_built_yet(folder):
    not_built = {
        path.with_suffix(".html").name for path in notebooks_path().glob("[0-9]*.ipynb")
    } - {f"{SMALL}.html"}
    for path in _html(folder):
        for link in Seen(path.read_text()).links:
            target, _, place = link.partition("#")
            if "://" in link or target in not_built:
                continue
            there = path.parent / target if target else path
            assert there.is_file(), (path.name, link)
            assert not place or place in Seen(there.read_text()).ids, (path.name, link)


def test_the_index_lists_every_notebook_with_its_plan(folder):
    links = Seen((folder / "index.html").read_text()).links
    names = [path.stem for path in notebooks_path().glob("[0-9]*.ipynb")]
    assert {f"plans/{name}.html" for name in names} <= set(links)
    assert {"guide.html", "student/index.html", f"solved/{SMALL}.html"} <= set(links)


def test_the_solved_notebook_has_text_and_pictures_as_the_committed_ones(folder):
    made = _notebook(folder / "solved" / f"{SMALL}.ipynb")
    kinds = {kind for c in made.cells for o in c.get("outputs", []) for kind in o.get("data", {})}
    assert kinds <= {"text/plain", "image/png"}


def _said(notebook, *texts):
    for stub, text in zip(find_stubs(notebook).values(), texts, strict=True):
        notebook.cells[stub.checked].outputs = [new_output("execute_result", {"text/plain": text})]
    return notebook


def test_a_solution_that_does_not_pass_fails_the_build_with_its_number(tmp_path, monkeypatch):
    said = ["01.1 passed: a", "01.2 not yet: the mask is upside down", "01.3 passed: c"]
    monkeypatch.setattr(build, "execute", lambda book, *_, **__: _said(book, *said))
    with pytest.raises(ValueError, match=r"01_tokens: .*\n  01\.2 said: 01\.2 not yet: the mask"):
        build_course(tmp_path, only=["01"], progress=False)
    assert not (tmp_path / "solved" / "01_tokens.ipynb").exists()
    assert not (tmp_path / "made.json").exists()


def test_a_build_that_was_stopped_goes_on_where_it_was(tmp_path, monkeypatch):
    executed = []

    def passes(book, *_, **__):
        if len(executed) == 1:
            executed.append("stopped")
            raise KeyboardInterrupt
        executed.append(book.cells[0].source.splitlines()[0])
        stubs = find_stubs(book)
        return _said(book, *(f"{number} passed: x" for number in stubs))

    monkeypatch.setattr(build, "execute", passes)
    monkeypatch.setattr(build, "notebook_page", lambda *_: "a page")
    with pytest.raises(KeyboardInterrupt):
        build_course(tmp_path, only=["01", "02"], progress=False)
    course = build_course(tmp_path, only=["02", "01"], progress=False)
    assert (course.up_to_date, course.executed) == (["01_tokens"], ["02_embeddings"])
    assert [line[:4] for line in executed] == ["# 01", "stop", "# 02"]
    monkeypatch.setenv("ELECTRA_LAB_MODEL", "mini")  # another pair, other outputs
    assert build_course(tmp_path, only=["01"], progress=False).executed == ["01_tokens"]


def test_without_executing_there_are_notebooks_and_plans_but_no_pages_of_notebooks(tmp_path):
    done = CliRunner().invoke(
        app, ["course", "--output", str(tmp_path), "--only", "01, 16", "--no-execute"]
    )
    assert done.exit_code == 0, done.output
    assert "Not executed, so without pages: 01, 16." in done.output
    assert len(list((tmp_path / "plans").glob("*.html"))) == len(registered_notebooks())
    assert [path.name for path in (tmp_path / "solved").glob("*.ipynb")]
    assert not (tmp_path / "student" / "01_tokens.html").exists()
    assert "NotImplementedError" not in (tmp_path / "solved" / "16_efficiency.ipynb").read_text()


def registered_notebooks():
    return list(notebooks_path().glob("[0-9][0-9]_*.ipynb"))


def test_an_unknown_number_and_an_installed_package_are_refused_in_words(tmp_path, monkeypatch):
    done = CliRunner().invoke(app, ["course", "--output", str(tmp_path), "--only", "3"])
    assert done.exit_code == 2
    assert "There is no notebook '3'. Use two digits each: 00, 01" in done.output
    monkeypatch.setattr(build, "in_clone", lambda: False)
    done = CliRunner().invoke(app, ["course", "--output", str(tmp_path), "--only", "03"])
    assert done.exit_code == 2
    assert "built from a clone" in done.output


def test_a_failing_cell_is_named_and_hides_nothing(tmp_path):
    """One kernel for what an execution keeps, leaves out, and raises."""
    book = new_notebook(
        cells=[
            new_code_cell("import os, sys; print(os.environ['ELECTRA_LAB_DISPLAY'])"),
            new_code_cell("print(os.environ['ELECTRA_LAB_PROGRESS'], file=sys.stderr); 1 / 0"),
        ]
    )
    with pytest.raises(ValueError, match=r"ZeroDivisionError: division by zero") as caught:
        execute(book, tmp_path)
    assert "\x1b" not in str(caught.value)
    assert book.cells[0].outputs == []


def test_a_page_shows_outputs_by_what_a_reader_without_a_kernel_can_use():
    png = {"image/png": "iVBORw0KGgo=\n", "text/plain": "Chart: <1>"}
    widget = "application/vnd.jupyter.widget-view+json"
    cells = [
        new_markdown_cell(
            "# A title & more\n\nSee [02](02_embeddings.ipynb), [cosine](glossary.md#cosine), "
            "[code](../electra_lab/cli.py) and [the paper](https://arxiv.org/abs/2003.10555).\n\n"
            "A formula: $x_1 * y_2 * z$\n\n## A part"
        ),
        new_code_cell("a < b"),
    ]
    cells[1].outputs = [
        new_output(
            "execute_result", {**png, "text/html": "<iframe title='v' srcdoc='x'></iframe>"}
        ),
        new_output("display_data", {**png, widget: {"model_id": "a"}}),
        new_output("display_data", png, metadata={"image/png": {"alt": 'a "b"', "width": 300}}),
        new_output("stream", text=HOSTILE),
        new_output("execute_result", {"text/plain": HOSTILE}),
    ]
    page = pages.notebook_page(new_notebook(cells=cells), '<a href="index.html">All</a>')
    seen = Seen(page)
    assert "<title>A title &amp; more</title>" in page
    assert seen.links == [
        "index.html",
        "02_embeddings.html",
        "glossary.html#cosine",
        "https://arxiv.org/abs/2003.10555",
    ]
    assert "and <a" in page
    assert "$x_1 * y_2 * z$" in page
    assert [p["alt"] for p in seen.pictures] == ["Chart: <1>", 'a "b"']
    assert seen.pictures[1]["width"] == "300"
    assert seen.tags.count("iframe") == 1
    assert "script" not in seen.tags
    assert page.count("window.evil") == 2 * HOSTILE.count("window.evil")
    stored = as_stored(new_notebook(cells=cells)).cells[1].outputs
    assert "text/html" not in stored[0].data
    assert "image/png" in stored[0].data


def test_headings_of_texts_are_called_as_on_github():
    page = pages.text_page("# Words\n\n## Dot product\n\n[see](#dot-product)")
    assert "dot-product" in Seen(page).ids
    assert "anchor-link" not in page


def test_what_was_made_is_read_even_when_its_list_is_damaged(tmp_path):
    (tmp_path / "made.json").write_text("{")
    assert build._read_json(tmp_path / "made.json") == {}
    (tmp_path / "made.json").write_text(json.dumps({"a": "b"}))
    assert build._read_json(tmp_path / "made.json") == {"a": "b"}
