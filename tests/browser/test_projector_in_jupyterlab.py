"""The projector in a real JupyterLab and as a page: pointed at, clicked, typed into, enlarged."""

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from electra_lab.inside.projection import nearest_neighbours
from electra_lab.inside.views.projector import Cloud, Projector

from .jupyterlab import write_notebook
from .material import EVIL, PICTURES, texts

CELLS = [
    "from electra_lab import load_pair\n"
    "from electra_lab.inside.explorers import EmbeddingExplorer\n"
    'pair = load_pair("micro")',
    "explorer = EmbeddingExplorer(pair)\nexplorer",
    'print("All cells have run.")',
]


def picture(canvas):
    """What a canvas shows, as the address of a PNG: equal pictures have equal ones."""
    return canvas.evaluate("(canvas) => canvas.toDataURL()")


def colours(canvas):
    """How many colours a canvas shows."""
    png = base64.b64decode(picture(canvas).partition(",")[2])
    return len(Image.open(io.BytesIO(png)).convert("RGBA").getcolors(1 << 20))


def settled(page):
    """Wait until what was asked for is painted."""
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


@pytest.fixture(scope="module")
def notebook(notebooks):
    return write_notebook(notebooks / "projector.ipynb", CELLS)


def test_the_explorer_is_used_in_jupyterlab(page, lab, notebook):
    lab.open(page, notebook)
    assert lab.run_all(page) == []
    output = page.locator(".jp-Cell .jp-Cell-outputArea").nth(1)
    left, right = output.locator("canvas").all()
    status = output.locator(".electra-point")
    for canvas in (left, right):
        assert colours(canvas) > 100

    # what is typed is found, and Enter chooses it: its neighbours in both panels
    find = output.locator(".electra-find")
    find.fill("gir")
    assert texts(output, ".electra-match") == ["girl", "girls"]
    before = picture(right)
    find.press("Enter")
    assert status.inner_text() == "girl (NOUN)"
    first, second = output.locator(".electra-near").all()
    assert len(texts(first, ".electra-neighbour")) == len(texts(second, ".electra-neighbour")) == 10
    settled(page)
    assert picture(right) != before

    # a neighbour in the list is a button; the kernel has heard which
    word = texts(first, ".electra-neighbour bdi")[0]
    first.locator(".electra-neighbour").first.click()
    assert texts(output, ".electra-near-of") == [word, word]
    page.mouse.move(0, 0)
    assert status.inner_text().startswith(f"{word} (")

    # the controls ask Python
    output.locator(".widget-dropdown:has-text('Colour') select").select_option("kind of piece")
    output.locator(".electra-category", has_text="continuation").wait_for()
    assert status.inner_text() == f"{word} (whole word)"  # chosen still
    output.locator(".widget-dropdown:has-text('Right') select").select_option("nothing")
    page.wait_for_function("document.querySelectorAll('.electra-projector canvas').length === 1")

    sentences = output.locator(".widget-textarea textarea")
    sentences.fill("The girl saw the boy.\nThe boys saw the girl.")
    sentences.blur()
    output.get_by_text("12 words of the texts").wait_for()
    output.locator(".electra-find").fill("girl")
    assert texts(output, ".electra-match") == ["girl", "girl"]
    output.locator(".electra-match").nth(1).click()
    page.mouse.move(0, 0)
    status.get_by_text("The boys saw the »girl«.").wait_for()

    lab.picture(page, PICTURES / "projector.png")
    assert page.outside == []
    assert page.complaints == []


def view_of(count, labels=None, **options):
    vectors = torch.randn(count, 8, generator=torch.Generator().manual_seed(0))
    near = nearest_neighbours(vectors, 8)
    clouds = [Cloud("one", vectors[:, :2], *near), Cloud("other", vectors[:, 2:4], *near)]
    kinds = [f"kind {i % 4}" for i in range(count)]
    names = labels or [f"word{i}" for i in range(count)]
    return Projector(names, clouds, categories=kinds, kind="kind", **options)


def place_of(view, panel, point, canvas):
    """Where a point is drawn at first: the panel's points, fitted into the canvas."""
    box = canvas.bounding_box()
    at = view.clouds[panel].coordinates
    low, high = at.min(axis=0), at.max(axis=0)
    # one pixel of frame on each side; a margin of 16
    scale = min(*((np.array([box["width"], box["height"]]) - 2 * 16) / (high - low)))
    dx, dy = (at[point] - (low + high) / 2) * scale
    return box["x"] + box["width"] / 2 + dx, box["y"] + box["height"] / 2 - dy


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_is_pointed_at_clicked_dragged_and_enlarged(page, tmp_path, scheme):
    page.emulate_media(color_scheme=scheme)
    view = view_of(300, title="Three hundred points")
    view.save(tmp_path / "projector.html")
    page.goto((tmp_path / "projector.html").as_uri())
    left, right = page.locator("canvas").all()
    settled(page)
    assert colours(left) > 100
    paper = left.evaluate("(canvas) => getComputedStyle(canvas).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")

    # pointing names; the same point is marked in the other panel
    before = picture(right)
    page.mouse.move(*place_of(view, 0, 17, left))
    assert page.locator(".electra-point").inner_text() == "word17 (kind 1)"
    settled(page)
    assert picture(right) != before

    # a click chooses, lists, and marks
    page.mouse.click(*place_of(view, 1, 42, right))
    near = [label for label, _ in view.neighbours(42)]
    assert texts(page, ".electra-near >> nth=1 >> .electra-neighbour bdi") == near
    assert page.locator(".electra-common").count() == 16  # the same vectors in both panels
    assert page.locator(".electra-near-of").first.inner_text() == "word42"
    page.screenshot(path=PICTURES / f"projector-{scheme}.png")

    # enlarged around the middle, moved, and shown whole again
    page.keyboard.press("Escape")
    page.mouse.move(0, 0)
    settled(page)
    whole = picture(left)
    page.get_by_role("button", name="enlarge: one").click()
    settled(page)
    assert picture(left) != whole
    box = left.bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 130, steps=3)
    page.mouse.up()
    assert page.locator(".electra-neighbour").count() == 0  # a drag chooses nothing
    page.get_by_role("button", name="show all: one").click()
    page.mouse.move(0, 0)
    settled(page)
    assert picture(left) == whole

    # Ctrl and the wheel enlarge around the pointer, which stays on its point
    x, y = place_of(view, 0, 17, left)
    page.mouse.move(x, y)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    page.mouse.move(x + 1, y)
    assert page.locator(".electra-point").inner_text() == "word17 (kind 1)"

    # the legend hides a category, and what is hidden cannot be pointed at
    page.locator(".electra-category", has_text="kind 1").click()
    page.mouse.move(x, y)
    assert "word17" not in page.locator(".electra-point").inner_text()
    assert page.outside == []
    assert page.complaints == []


def test_the_keyboard_alone_is_enough(page, tmp_path):
    view = view_of(60)
    view.save(tmp_path / "projector.html")
    page.goto((tmp_path / "projector.html").as_uri())
    canvas = page.locator("canvas").first
    canvas.focus()
    at = view.clouds[0].coordinates
    page.keyboard.press("ArrowRight")
    seen = [page.locator(".electra-point-name").inner_text()]
    for _ in range(5):
        page.keyboard.press("ArrowRight")
        seen.append(page.locator(".electra-point-name").inner_text())
    across = [at[int(name.removeprefix("word")), 0] for name in dict.fromkeys(seen)]
    assert len(across) > 2
    assert across == sorted(across)
    page.keyboard.press("Enter")
    assert page.locator(".electra-near-of").first.inner_text() == seen[-1]
    before = picture(canvas)
    page.keyboard.press("+")
    settled(page)
    assert picture(canvas) != before
    page.keyboard.press("0")
    settled(page)
    assert picture(canvas) == before
    # on to the list: Tab, arrows, Enter chooses the neighbour and the list keeps the focus
    page.locator(".electra-neighbour").first.focus()
    page.keyboard.press("ArrowDown")
    name = page.locator(".electra-neighbour bdi").nth(1).inner_text()
    page.keyboard.press("Enter")
    assert page.locator(".electra-near-of").first.inner_text() == name
    assert page.evaluate("document.activeElement.className") == "electra-neighbour"
    canvas.focus()
    page.keyboard.press("Escape")
    assert page.locator(".electra-neighbour").count() == 0
    assert page.complaints == []


def test_hostile_labels_are_text(page, tmp_path):
    labels = [EVIL, "\u202eevil", "x" * 10_000, "plain"]
    view = view_of(4, labels, details=[EVIL] * 4, title=EVIL, note=EVIL)
    view.select(0)
    view.save(tmp_path / "projector.html")
    page.goto((tmp_path / "projector.html").as_uri())
    page.locator(".electra-find").fill("evil")
    assert texts(page, ".electra-match") == [EVIL[:60] + "… (74 characters)", "⟨U+202E⟩evil"]
    page.locator(".electra-match").first.click()
    assert page.locator(".electra-point-name").inner_text() == EVIL[:60] + "… (74 characters)"
    assert page.locator("img").count() == 0
    assert page.evaluate("window.evil") is None
    assert page.outside == []
    assert page.complaints == []


def test_five_thousand_points_answer_within_a_tenth_of_a_second(page, tmp_path):
    view = view_of(5_000)
    view.save(tmp_path / "projector.html")
    page.goto((tmp_path / "projector.html").as_uri())
    settled(page)
    # in the page's own computing time, which other programs on the machine do not lengthen
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def seconds():
        found = session.send("Performance.getMetrics")["metrics"]
        return next(metric["value"] for metric in found if metric["name"] == "TaskDuration")

    for kind in ("point", "move"):
        began = seconds()
        answers = page.evaluate(
            """(kind) => {
                const canvas = document.querySelector("canvas");
                const box = canvas.getBoundingClientRect();
                const waiting = [];
                const usual = window.requestAnimationFrame;
                window.requestAnimationFrame = (paint) => waiting.push(paint);
                let painted = 0;
                for (let i = 0; i < 12; i++) {
                    const [x, y] = [box.x + 80 + 12 * i, box.y + box.height / 2];
                    const key = i % 2 ? "ArrowLeft" : "ArrowRight";
                    canvas.dispatchEvent(
                        kind === "point"
                            ? new PointerEvent("pointermove", { clientX: x, clientY: y })
                            : new KeyboardEvent("keydown", { key, shiftKey: true }),
                    );
                    const now = waiting.splice(0);
                    for (const paint of now) paint(0);
                    painted += now.length > 0;
                }
                window.requestAnimationFrame = usual;
                return painted;
            }""",
            kind,
        )
        assert answers > 5
        assert (seconds() - began) / answers < 0.1
    assert page.locator(".electra-point-name").count() == 1


@pytest.mark.parametrize("clouds", [1, 2])
def test_the_page_is_as_high_as_the_view_says(page, tmp_path, clouds):
    whole = view_of(40, title="title", note="note")
    view = Projector(
        whole.labels,
        whole.clouds[:clouds],
        categories=["a", "b"] * 20,
        kind="kind",
        title="title",
        note="note",
    )
    view.select(3)
    page.set_viewport_size({"width": 744, "height": 400})
    view.save(tmp_path / "projector.html")
    page.goto((tmp_path / "projector.html").as_uri())
    height = page.evaluate("document.body.scrollHeight")
    assert height <= view.height() < height + 90
