"""Every view and explorer in a real JupyterLab: opened, used, and what was seen then.

And the same views as pages, without a kernel. Pictures are left in build/browser.
"""

import nbformat
import pytest
from nbconvert import HTMLExporter

from electra_lab.inside.views import ProposalChart, TokenHeatMap, TrainingChart
from electra_lab.inside.views.base import frame

from .jupyterlab import PATIENCE, write_notebook
from .material import EVIL, PICTURES, contrast, small_pair, texts

CELLS = [
    """
import time
import torch
from electra_lab import (
    CorruptionExplorer, LiveTrainingChart, MaskExplorer, ProposalChart, ReplacedTokenExplorer,
    TokenHeatMap, load_pair
)
from electra_lab.training.state import TrainingState
pair = load_pair("pair")
""",
    f"""
evil = {EVIL!r}
TokenHeatMap(["[CLS]", "ate", evil, "\\u202e", "[SEP]"], [0, 0.934, 0.2, 0.4, 0],
             originals=[None, "cooked", evil, None, None], title=evil)
""",
    'ReplacedTokenExplorer(pair, "The chef cooked the meal.")',
    'MaskExplorer(pair, "The chef cooked the meal.", "cooked", top_k=12)',
    """
live, state = LiveTrainingChart(), TrainingState(torch.nn.Linear(1, 1), None, 60)
live.on_start(state)
for step in range(1, 61):
    live.on_log({"step": step, "mlm_loss": 6 - step / 20, "rtd_loss": 0.3, "rtd_auc": 0.5 + step / 200})
    time.sleep(0.15)
live.on_end(state)
""",
    'CorruptionExplorer(pair, "The chef cooked the meal.", share=0.4)',
    'print("All cells have run.")',
]


@pytest.fixture(scope="module")
def notebook(notebooks):
    """A notebook of views on a small random pair."""
    small_pair().save(notebooks / "pair")
    return write_notebook(notebooks / "views.ipynb", CELLS)


def test_every_view_is_used_in_jupyterlab(page, lab, notebook):
    lab.open(page, notebook)
    lab.start_all(page)
    # the chart grows while its cell still runs
    step = page.locator(".electra-training .electra-step")
    step.wait_for(timeout=PATIENCE)
    early = step.inner_text()
    assert early != "latest, step 60"
    page.wait_for_function(
        "before => document.querySelector('.electra-step').textContent !== before", arg=early
    )
    assert lab.finish(page) == []
    assert page.get_by_text("All cells have run.", exact=True).count() == 1

    outputs = page.locator(".jp-Cell .jp-Cell-outputArea")
    _use_heat_map(page, outputs.nth(1))
    _use_replaced_token_explorer(page, outputs.nth(2))
    _use_mask_explorer(page, outputs.nth(3))
    _use_training_chart(page, outputs.nth(4))
    _use_corruption_explorer(page, outputs.nth(5))

    lab.picture(page, PICTURES / "jupyterlab.png")
    assert page.evaluate("window.evil") is None
    assert page.outside == []
    assert page.complaints == []


def _use_heat_map(page, output):
    assert texts(output, ".electra-text") == [
        "[CLS]",
        "ate",
        EVIL[:60] + "… (74 characters)",
        "⟨U+202E⟩",
        "[SEP]",
    ]
    assert output.locator(".electra-view img, .electra-view script").count() == 0
    number = output.locator(".electra-number").nth(3)
    assert not number.is_visible()
    output.locator(".electra-token").nth(3).hover()
    assert number.is_visible()
    assert number.inner_text() == ".40"
    page.mouse.move(0, 0)
    assert not number.is_visible()
    output.locator(".electra-token").first.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert number.is_visible()
    assert "0.4" not in page.evaluate("document.activeElement.ariaLabel")
    assert page.evaluate("document.activeElement.ariaLabel").endswith("being replaced .40")


def _use_replaced_token_explorer(page, output):
    sentence = output.locator(".widget-text:has-text('Sentence') input")
    sentence.fill("The dog cooked the meal.")
    sentence.press("Enter")
    output.get_by_text("Changed: chef → dog").wait_for()
    assert texts(output, ".electra-replaced .electra-text") == ["dog"]
    assert texts(output, ".electra-replaced .electra-original") == ["chef"]

    output.locator(".electra-token", has_text="meal").click()
    swap = output.locator(".widget-text:has-text('for') input")
    swap.fill("house")
    swap.press("Enter")
    output.get_by_text("Changed: chef → dog; meal → house").wait_for()
    assert sentence.input_value() == "The dog cooked the house."

    sentence.fill("")
    sentence.press("Enter")
    output.get_by_text("The text is empty. Give at least one word.").wait_for()
    output.get_by_role("button", name="Back to the original").click()
    output.get_by_text("Change a word, and see").wait_for()
    assert sentence.input_value() == "The chef cooked the meal."


def _use_mask_explorer(page, output):
    title = output.locator(".electra-proposals .electra-title")
    note = output.locator(".electra-proposals .electra-note")
    assert title.inner_text() == "The chef [MASK] the meal."
    before = output.locator(".electra-proposal .electra-number").first.inner_text()
    output.locator(".widget-slider:has-text('Temperature') .noUi-handle").focus()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    note.get_by_text("at temperature 0.5").wait_for()
    assert output.locator(".electra-proposal .electra-number").first.inner_text() > before

    output.locator(".electra-proposal", has_text="ate").click()
    output.get_by_text("Put back: ate").wait_for()
    assert texts(output, ".electra-replaced .electra-text") == ["ate"]
    assert "put back" in output.locator(".electra-proposal", has_text="ate").inner_text()

    output.locator(".electra-token", has_text="chef").click()
    title.get_by_text("The [MASK] cooked the meal.").wait_for()
    output.locator(".widget-dropdown:has-text('Mask') select").select_option("5  meal")
    title.get_by_text("The chef cooked the [MASK].").wait_for()
    output.get_by_role("button", name="Sample").click()
    output.get_by_text("Put back: ").wait_for()


def _use_corruption_explorer(page, output):
    title = output.locator(".electra-view .electra-title").first
    title.get_by_text("3 of 6 tokens masked and drawn").wait_for()
    lines = output.locator(".electra-change")
    assert lines.count() == 3
    output.locator(".widget-slider:has-text('Masked') .noUi-handle").focus()
    page.keyboard.press("End")
    title.get_by_text("6 of 6 tokens masked and drawn").wait_for()
    assert lines.count() == 6
    output.locator(".electra-token").nth(2).click()
    title.get_by_text("5 of 6 tokens masked and drawn").wait_for()
    before = output.inner_text()
    for _ in range(20):  # a draw may be the same as the one before
        output.get_by_role("button", name="Sample").click()
        page.wait_for_timeout(100)
        if output.inner_text() != before:
            break
    assert output.inner_text() != before
    output.get_by_text("Furthest apart:").wait_for()


def _use_training_chart(page, output):
    step = output.locator(".electra-step")
    assert step.inner_text() == "latest, step 60"
    assert texts(output, ".electra-panel-name") == [
        "Generator loss (MLM)",
        "Discriminator loss (RTD)",
        "ROC AUC",
    ]
    last = texts(output, ".electra-value")[0]
    output.locator(".electra-panel svg").first.hover()
    step.get_by_text("step 2").wait_for()
    assert texts(output, ".electra-value")[0] > last
    page.mouse.move(0, 0)
    output.locator(".electra-panels").focus()
    page.keyboard.press("Home")
    assert step.inner_text() == "step 1"
    assert texts(output, ".electra-value") == ["5.95", "0.300", "0.505"]


def history():
    return [
        {
            "step": s,
            "mlm_loss": 6 - s / 200,
            "rtd_loss": 0.4 - s / 5000,
            "tokens_per_second": 21_000.0,
        }
        for s in range(10, 1001, 10)
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_work_without_kernel_or_network(page, tmp_path, scheme):
    page.emulate_media(color_scheme=scheme)
    views = {
        "heat_map": TokenHeatMap(
            ["the", "chef", EVIL], [0.03, 0.4, 0.9], originals=[None, None, EVIL]
        ),
        "proposals": ProposalChart(["cooked", EVIL], [0.6, 0.1], original="cooked", title=EVIL),
        "training": TrainingChart(history(), title=EVIL),
    }
    for name, view in views.items():
        view.save(tmp_path / f"{name}.html")
        page.goto((tmp_path / f"{name}.html").as_uri())
        assert page.locator(".electra-view").count() == 1
        assert page.locator("img").count() == 0
        # what is drawn stands out from the page under it, in either scheme
        assert contrast(page, ".electra-view") > 7
        page.screenshot(path=PICTURES / f"{name}-{scheme}.png")
        if name == "heat_map":
            page.locator(".electra-token").nth(1).hover()
            assert page.locator(".electra-number").nth(1).is_visible()
            assert contrast(page, ".electra-token:nth-child(3) .electra-text") > 4.5
        if name == "proposals":
            wide, narrow = (
                bar.bounding_box()["width"] for bar in page.locator(".electra-length").all()
            )
            assert abs(wide / narrow - 0.6 / 0.1) < 0.2
        if name == "training":
            page.locator(".electra-panels").focus()
            page.keyboard.press("Home")
            assert page.locator(".electra-step").inner_text() == "step 10"
    assert page.evaluate("window.evil") is None
    assert page.outside == []
    assert page.complaints == []


def test_the_frame_in_an_exported_notebook_draws_and_cannot_reach_out(page, tmp_path):
    view = TokenHeatMap(["the", "chef"], [0.1, 0.9])
    output = nbformat.v4.new_output(
        "display_data",
        {"text/html": frame(view.to_html(), view.height()), "text/plain": repr(view)},
    )
    cell = nbformat.v4.new_code_cell("view", outputs=[output], execution_count=1)
    # nbconvert's own scripts for formulas and widgets come from CDNs; ours must not
    exporter = HTMLExporter(mathjax_url="", require_js_url="", jquery_url="")
    body, _ = exporter.from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    (tmp_path / "exported.html").write_text(body, encoding="utf-8")
    page.goto((tmp_path / "exported.html").as_uri())
    inside = page.frame_locator("iframe")
    inside.locator(".electra-token").nth(1).hover()
    assert inside.locator(".electra-number").nth(1).inner_text() == ".90"
    (framed,) = [found for found in page.frames if found.parent_frame]
    assert framed.evaluate("window.origin") == "null"
    assert (
        framed.evaluate(
            "() => { try { return parent.document.title } catch { return 'kept out' } }"
        )
        == "kept out"
    )
    height = framed.evaluate("document.body.scrollHeight")
    assert height <= view.height() < height + 60
    assert page.outside == []
