"""Pages of the course in a browser, from a folder: their views are used, and nothing is asked for."""

import re

import nbformat
import pytest

from electra_lab.checkpoints.resources import data_path
from electra_lab.course.executing import execute
from electra_lab.course.pages import notebook_page, text_page

from .material import EVIL, PICTURES

CELLS = [
    f"""
import ipywidgets
import matplotlib.pyplot as plt
from tqdm.auto import tqdm
from electra_lab import TokenHeatMap, TrainingChart
from electra_lab.inside.views import DescribedFigure
evil = {EVIL!r}
""",
    """
TokenHeatMap(["[CLS]", "ate", evil, "[SEP]"], [0, 0.934, 0.2, 0], originals=[None, "cooked", evil, None])
""",
    'TrainingChart([{"step": n, "mlm_loss": 6 - n / 20, "rtd_loss": 0.3} for n in range(1, 61)])',
    """
figure, axes = plt.subplots(figsize=(3, 2))
axes.plot([1, 2])
DescribedFigure(figure, "A rising line, " + evil)
""",
    "ipywidgets.IntSlider()",
    "for _ in tqdm(range(3)): pass",
    "print(evil)",
]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A notebook with views, executed and written as one page."""
    folder = tmp_path_factory.mktemp("course_page")
    cells = [nbformat.v4.new_markdown_cell("# A page\n\nA formula: $a_1 + b_2$.")]
    cells += [nbformat.v4.new_code_cell(source.strip()) for source in CELLS]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        executed = execute(nbformat.v4.new_notebook(cells=cells), folder)
    (folder / "page.html").write_text(notebook_page(executed), encoding="utf-8")
    return folder / "page.html"


def test_a_page_from_a_folder_has_live_views_and_asks_for_nothing(page, written):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(written.as_uri())
    assert page.locator("iframe").count() == 2
    heat_map, chart = (page.frame_locator(f"iframe >> nth={n}") for n in (0, 1))
    heat_map.locator(".electra-token").nth(1).hover()
    assert heat_map.locator(".electra-number").nth(1).is_visible()
    assert heat_map.locator(".electra-number").nth(1).inner_text() == ".93"
    chart.locator(".electra-panels").focus()
    page.keyboard.press("Home")
    assert chart.locator(".electra-step").inner_text() == "step 1"
    page.screenshot(path=PICTURES / "course-page.png", full_page=True)

    assert [url for url in asked if not url.startswith(("file:", "data:", "about:"))] == []
    assert page.outside == []
    assert page.complaints == []
    assert page.evaluate("window.evil") is None
    assert [frame.evaluate("window.evil") for frame in page.frames[1:]] == [None, None]
    assert "$a_1 + b_2$" in page.locator("main").text_content()


def test_every_picture_of_a_page_has_words_and_what_needs_a_kernel_is_left_out(page, written):
    page.goto(written.as_uri())
    assert page.locator("main > section img").count() == 1
    assert page.locator("img").get_attribute("alt") == f"A rising line, {EVIL}"
    text = " ".join(page.locator(".output").all_text_contents())
    assert EVIL in text
    assert "IntSlider(" not in text
    assert "it/s" not in text


PLANS = sorted(data_path("course", "plans").glob("*.md"))


def test_every_plan_is_printed_on_one_page(page, tmp_path):
    pages = {}
    for plan in PLANS:
        page.set_content(text_page(plan.read_text(encoding="utf-8"), kind="plan"))
        printed = page.pdf(prefer_css_page_size=True)
        pages[plan.stem] = len(re.findall(rb"/Type\s*/Page\b", printed))
    assert pages == dict.fromkeys(pages, 1)
