"""Views of training in a real JupyterLab: pointed at, slid, opened and typed into; and as pages.

Pictures are left in build/browser.
"""

import json

import numpy as np
import pytest
import torch

from electra_lab.inside.analysis.calibration import calibrate
from electra_lab.inside.analysis.corrupted import Judged
from electra_lab.inside.analysis.fooled import fooled_tokens
from electra_lab.inside.views import CalibrationChart, FooledView, ReplayView, TrainingChart
from electra_lab.training.snapshots import SNAPSHOTS_FOLDER

from .jupyterlab import write_notebook
from .material import EVIL, PICTURES, TIME, VOCABULARY, contrast, in_time, small_pair, texts

CELLS = [
    f"""
from electra_lab import TrainingChart, TrainingExplorer
evil = {EVIL!r}
rows = [dict(step=s, mlm_loss=6 / s, rtd_loss=0.3) for s in range(1, 40)]
TrainingChart({{evil: rows, "\\u202e": rows[:20]}}, title=evil)
""",
    """
texts = ["The old chef cooked the meal.", "A dog ate in the old house.", "The dog ate a meal."] * 4
TrainingExplorer({"first": "training-run", "second": rows}, texts, "The dog cooked the house.",
                 original="The chef cooked the house.", probability=0.5)
""",
    'print("All cells have run.")',
]
STEPS = [0, 10, 20, 30]


@pytest.fixture(scope="module")
def notebook(notebooks):
    """A notebook on the folder of a run of small random pairs."""
    pair = small_pair()
    rows = [{"step": s, "mlm_loss": 5 - s / 10, "rtd_loss": 0.4} for s in range(1, 31)]
    folder = notebooks / "training-run"
    for step in STEPS:
        pair.save(folder / SNAPSHOTS_FOLDER / f"step-{step:08}", dtype=torch.float16)
        with torch.no_grad():
            pair.discriminator.head.score.bias -= 0.8
            pair.generator.head.bias[VOCABULARY.index("chef")] += 2
    (folder / "history.json").write_text(json.dumps({"history": rows}))
    return write_notebook(notebooks / "training.ipynb", CELLS)


def test_training_is_looked_at_in_jupyterlab(page, lab, notebook):
    lab.open(page, notebook)
    assert lab.run_all(page) == []
    assert page.get_by_text("All cells have run.", exact=True).count() == 1
    outputs = page.locator(".jp-Cell .jp-Cell-outputArea")
    _use_curves(page, outputs.nth(0))
    _use_replay(page, outputs.nth(1))
    _use_calibration(page, outputs.nth(1))
    _use_mistakes(page, outputs.nth(1))
    lab.picture(page, PICTURES / "training-explorer.png")
    assert page.evaluate("window.evil") is None
    assert page.outside == []
    assert page.complaints == []


def _use_curves(page, output):
    assert texts(output, ".electra-run bdi") == [EVIL[:60] + "… (74 characters)", "⟨U+202E⟩"]
    assert output.locator(".electra-view img, .electra-view script").count() == 0
    lines = output.locator(".electra-panel").first.locator("polyline")
    assert lines.count() == 2
    # a run is hidden by its entry in the legend, and shown again from the keyboard
    output.locator(".electra-run").nth(1).click()
    assert lines.count() == 1
    page.keyboard.press("Enter")
    assert lines.count() == 2
    # smoothing draws another line, and the measured one behind it
    before = lines.first.get_attribute("points")
    slider = output.locator(".electra-range input")
    slider.focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    assert output.locator(".electra-range-value").inner_text() == "0.40"
    assert lines.count() == 4
    assert lines.first.get_attribute("points") == before
    assert lines.nth(1).get_attribute("points") != before
    slider.fill("0")
    # the axis becomes logarithmic
    assert lines.first.get_attribute("points") == before
    output.get_by_role("button", name="Log scale").click()
    assert lines.first.get_attribute("points") != before
    # numbers at a step, of both runs: the shorter one's are its last
    output.locator(".electra-panels").focus()
    page.keyboard.press("End")
    assert output.locator(".electra-step").inner_text() == "step 39"
    numbers = output.locator(".electra-panel").first.locator(".electra-value")
    assert numbers.all_inner_texts() == ["0.154", "0.300"]
    page.keyboard.press("Home")
    assert numbers.all_inner_texts() == ["6.00", "6.00"]


def _use_replay(page, output):
    replay = output.locator(".electra-replay")
    step = replay.locator(".electra-replay-step")
    assert step.inner_text() == "step 30 of 30"
    assert texts(replay, ".electra-original")[2] == "chef"
    last = texts(replay, ".electra-number")
    proposed = texts(replay, ".electra-proposal .electra-word")
    assert proposed[0] == "chef"
    slider = replay.locator("input[type=range]")
    slider.focus()
    page.keyboard.press("Home")
    # the view needs no kernel; what else shows the snapshot asks it
    assert step.inner_text() == "step 0 of 30"
    assert texts(replay, ".electra-number") != last
    output.locator(".electra-calibration .electra-note", has_text="step 0").wait_for()
    output.locator(".electra-fooled .electra-note", has_text="step 0").wait_for()
    output.locator(".electra-training .electra-marked").first.wait_for(state="attached")
    assert page.evaluate("document.activeElement.type") == "range"
    page.keyboard.press("ArrowRight")
    output.locator(".electra-fooled .electra-note", has_text="step 10").wait_for()
    page.keyboard.press("End")
    output.locator(".electra-fooled .electra-note", has_text="step 30").wait_for()
    sentence = output.locator(".widget-text:has-text('Sentence') input")
    sentence.fill("A dog ate.")
    sentence.press("Enter")
    replay.locator(".electra-replay-masked", has_text="[MASK]").wait_for()
    page.wait_for_function(
        "document.querySelectorAll('.electra-replay .electra-token').length === 6"
    )
    output.locator(".widget-dropdown:has-text('Mask') select").select_option("3  ate")
    replay.locator(".electra-replay-masked", has_text="A dog [MASK].").wait_for()
    sentence.fill("")
    sentence.press("Enter")
    output.get_by_text("The text is empty. Give at least one word.").wait_for()


def _use_calibration(page, output):
    chart = output.locator(".electra-calibration")
    said = chart.locator(".electra-bin")
    assert said.inner_text().startswith("Point at a bin")
    diagram = chart.locator("[aria-label^=reliability]")
    diagram.hover(position={"x": 100, "y": 200})
    assert " said, " in said.inner_text()
    page.mouse.move(0, 0)
    assert said.inner_text().startswith("Point at a bin")
    diagram.focus()
    page.keyboard.press("ArrowRight")
    assert said.inner_text().startswith("replaced by its own generator, ")
    page.keyboard.press("ArrowDown")
    assert said.inner_text().startswith("replaced by word frequency, ")
    page.keyboard.press("Escape")
    assert said.inner_text().startswith("Point at a bin")


def _use_mistakes(page, output):
    view = output.locator(".electra-fooled")
    title = view.locator(".electra-title")
    output.locator(".widget-dropdown:has-text('Mistakes') select").select_option(
        "replaced by word frequency"
    )
    title.get_by_text("by word frequency").wait_for()
    tokens = view.locator(".electra-missed .electra-fooled-token")
    assert tokens.first.get_attribute("aria-expanded") == "true"
    tokens.first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert tokens.nth(1).get_attribute("aria-expanded") == "true"
    mistake = view.locator(".electra-missed .electra-mistake:visible").first
    was = mistake.locator(".electra-mistake-was").inner_text()
    mistake.click()
    output.locator(".electra-replay .electra-replaced", has_text=was).first.wait_for()


def calibration(count, seed=0):
    random = np.random.default_rng(seed)
    said = random.beta(0.3, 1.5, count)
    return calibrate(said, random.random(count) < said**1.3)


def views():
    """The views at the size that they must stay fluid at: eight runs, 64 tokens, twelve snapshots."""
    random = np.random.default_rng(0)
    rows = [{"step": 10 * i, "mlm_loss": 9 / i + 1, "rtd_loss": 0.4} for i in range(1, 401)]
    tokens = ["[CLS]", *(f"token{i}" for i in range(61)), EVIL, "[SEP]"]
    judged = [
        Judged(tuple(tokens), tuple(tokens[::-1]), tuple(random.random(64).tolist()))
        for _ in range(40)
    ]
    return {
        "training-runs": TrainingChart({f"run {n} {EVIL}": rows for n in range(8)}),
        "calibration": CalibrationChart({EVIL: calibration(9_000), "b": calibration(500, 1)}),
        "fooled": FooledView(fooled_tokens(judged), title=EVIL),
        "replay": ReplayView(
            list(range(12)),
            tokens,
            random.random((12, 64)).tolist(),
            masked=EVIL,
            proposals=[([EVIL, "chef"], [0.6, 0.2])] * 12,
            figures=[{"generator loss": 3.0 + n, EVIL: 0.2} for n in range(12)],
        ),
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_training_work_without_a_kernel_within_a_tenth_of_a_second(page, tmp_path, scheme):
    page.emulate_media(color_scheme=scheme)
    for name, view in views().items():
        assert len(view.to_html()) < 1_000_000
        view.save(tmp_path / f"{name}.html")
        page.goto((tmp_path / f"{name}.html").as_uri())
        assert page.locator(".electra-view").count() == 1
        assert page.locator("img").count() == 0
        assert contrast(page, ".electra-view") > 7
        page.screenshot(path=PICTURES / f"{name}-{scheme}.png")
        if name == "training-runs":
            assert in_time(page.evaluate(TIME, [".electra-panel svg", "pointermove", 10]))
            assert in_time(page.evaluate(TIME, [".electra-run", "click", 8]))
        if name == "calibration":
            assert in_time(page.evaluate(TIME, ["svg[role=group]", "pointermove", 5]))
            assert " tokens" in page.locator(".electra-bin").inner_text()
        if name == "fooled":
            assert in_time(page.evaluate(TIME, [".electra-fooled-token", "click", 15]))
        if name == "replay":
            slider = page.locator("input[type=range]")
            slider.focus()
            page.keyboard.press("Home")
            assert page.locator(".electra-replay-step").inner_text() == "step 0 of 11"
            shown = texts(page, ".electra-number")
            slider.evaluate("node => { node.value = 5; }")
            assert in_time(page.evaluate(TIME, ["input[type=range]", "input", 1]))
            assert texts(page, ".electra-number") != shown
    assert page.evaluate("window.evil") is None
    assert page.outside == []
    assert page.complaints == []
