"""Attention in a real JupyterLab: looked at, pointed at, switched off; and as a page.

Pictures are left in build/browser.
"""

import numpy as np
import pytest

from electra_lab.inside.views import AttentionView, ChangeChart

from .jupyterlab import write_notebook
from .material import EVIL, PICTURES, TIME, in_time, small_pair, texts

CELLS = [
    """
import numpy as np
from electra_lab import AttentionExplorer, AttentionView, load_pair
pair = load_pair("attention-pair")
""",
    f"""
evil = {EVIL!r}
AttentionView(["[CLS]", evil, "\\u202e", "[SEP]", "x" * 10_000, "[SEP]"],
              np.random.default_rng(0).dirichlet([0.4] * 6, size=(2, 2, 6)),
              segments=[0, 0, 0, 0, 1, 1], title=evil)
""",
    """
texts = ("The old chef cooked the meal.", "The dog ate.")
AttentionExplorer(pair.discriminator, pair.tokenizer, texts)
""",
    """
AttentionView([f"token{i}" for i in range(64)],
              np.random.default_rng(0).dirichlet([0.06] * 64, size=(12, 4, 64)))
""",
    'print("All cells have run.")',
]


@pytest.fixture(scope="module")
def notebook(notebooks):
    """A notebook of attention on a small random pair."""
    small_pair(layers=3).save(notebooks / "attention-pair")
    return write_notebook(notebooks / "attention.ipynb", CELLS)


def head(scope, name):
    return scope.locator(f".electra-head[aria-label^='{name}']").first


def test_attention_is_used_in_jupyterlab(page, lab, notebook):
    lab.open(page, notebook)
    assert lab.run_all(page) == []
    assert page.get_by_text("All cells have run.", exact=True).count() == 1
    outputs = page.locator(".jp-Cell .jp-Cell-outputArea")
    _hostile_text_is_text(page, outputs.nth(1))
    _use_explorer(page, outputs.nth(2))
    lab.picture(page, PICTURES / "attention-explorer.png", slice(2, 3))
    _use_large(page, outputs.nth(3))
    _everything_keeps_its_style(page)
    lab.picture(page, PICTURES / "attention.png")
    assert page.evaluate("window.evil") is None
    assert page.outside == []
    assert page.complaints == []


def _hostile_text_is_text(page, output):
    assert output.locator(".electra-view img, .electra-view script").count() == 0
    assert texts(output, "[data-side=query] bdi") == [
        "[CLS]",
        EVIL[:60] + "… (74 characters)",
        "⟨U+202E⟩",
        "[SEP]",
        "x" * 60 + "… (10,000 characters)",
        "[SEP]",
    ]
    output.locator("[data-side=query][data-token='1']").hover()
    said = output.locator(".electra-readout")
    assert said.inner_text().startswith(EVIL[:60] + "… (74 characters) looks most at ")


def _use_explorer(page, output):
    name = output.locator(".electra-detail .electra-panel-name")
    said = output.locator(".electra-readout")
    assert name.inner_text() == "layer 0, head 0"
    before = texts(output, ".electra-change-number")
    assert len(before) == 11
    assert not any("→" in number for number in before)

    # a click looks at another head, of a layer that the kernel sends then
    head(output, "layer 2, head 1").click()
    assert name.inner_text() == "layer 2, head 1"
    page.wait_for_function(
        "node => node.textContent.startsWith('Point at')", arg=said.element_handle()
    )
    output.get_by_role("button", name="Switch layer 2 off").wait_for()

    # pointing at a token shows its weights beside the others, and in words
    output.locator("[data-side=query][data-token='3']").hover()
    assert said.inner_text().startswith("chef looks most at ")
    shown = [float(n) for n in texts(output, "[data-side=key] .electra-number") if n[:1] == "."]
    assert 0.9 < sum(shown) < 1.1
    assert said.inner_text().split(" at ")[1].split()[1].rstrip(",") == f"{max(shown):.2f}"[1:]

    # the matrix: a pair and its weight; the keyboard does the same
    output.get_by_role("button", name="Matrix").click()
    room = output.locator(".electra-room")
    cell = room.bounding_box()["width"] / 14
    room.hover(position={"x": 4.5 * cell, "y": 3.5 * cell})
    weight = said.inner_text()
    assert weight.startswith("chef looks at cooked with ")
    page.mouse.move(0, 0)
    assert said.inner_text().startswith("Point at a token")
    stage = output.locator(".electra-stage")
    stage.focus()
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert said.inner_text() == weight
    page.keyboard.press("Escape")
    assert said.inner_text().startswith("Point at a token")

    # special tokens are hidden
    assert output.locator("[data-side=query]").count() == 14
    output.get_by_role("button", name="Special tokens").click()
    assert "[SEP]" not in texts(output, "[data-side=query] bdi")
    assert output.locator("[data-side=query]").count() == 11
    output.get_by_role("button", name="Arcs").click()
    assert texts(output, "[data-side=query] bdi")[0] == "the"

    # a head is switched off by a button, another by the keyboard: predictions move
    output.get_by_role("button", name="Switch off", exact=True).click()
    output.locator(".electra-head[aria-label='layer 2, head 1, switched off']").wait_for()
    output.locator(".electra-change-number", has_text="→").first.wait_for()
    one = texts(output, ".electra-change-number")
    assert [number.split(" ")[0] for number in one] == before
    head(output, "layer 2, head 1").focus()
    page.keyboard.press("ArrowUp")
    assert name.inner_text() == "layer 1, head 1"
    page.keyboard.press("x")
    output.locator(".electra-head[aria-label='layer 1, head 1, switched off']").wait_for()
    assert page.evaluate("document.activeElement.ariaLabel") == "layer 1, head 1, switched off"
    page.wait_for_function(
        "([before]) => [...document.querySelectorAll('.electra-change-number')]"
        ".map((node) => node.textContent).join() !== before",
        arg=[",".join(one)],
    )
    # what the reader hid stays hidden
    assert output.locator("[data-side=query]").count() == 11

    # a whole layer, and all on again
    output.get_by_role("button", name="Switch layer 1 off").click()
    output.locator(".electra-head[aria-label='layer 1, head 0, switched off']").wait_for()
    output.get_by_role("button", name="All heads on").last.click()
    page.wait_for_function("document.querySelectorAll('.electra-head.electra-off').length === 0")
    page.wait_for_function(
        "![...document.querySelectorAll('.electra-change-number')]"
        ".some((node) => node.textContent.includes('→'))"
    )

    # typing traces again
    output.get_by_role("button", name="Special tokens").click()
    sentence = output.locator(".widget-text:has-text('Text') input")
    sentence.fill("A dog ate.")
    sentence.press("Enter")
    page.wait_for_function(
        "document.querySelectorAll('.jp-OutputArea')[2]"
        ".querySelectorAll('[data-side=query]').length === 11"
    )
    second = output.locator(".widget-text:has-text('Second') input")
    second.fill("")
    second.press("Enter")
    page.wait_for_function(
        "document.querySelectorAll('.jp-OutputArea')[2]"
        ".querySelectorAll('[data-side=query]').length === 6"
    )
    assert texts(output, "[data-side=key] bdi") == ["[CLS]", "a", "dog", "ate", ".", "[SEP]"]
    assert output.locator(".electra-segment").count() == 0
    sentence.fill("")
    sentence.press("Enter")
    output.get_by_text("The text is empty. Give at least one word.").wait_for()
    sentence.fill("The old chef cooked the meal.")
    sentence.press("Enter")
    second.fill("The dog ate.")
    second.press("Enter")
    output.locator("[data-side=query][data-token='12']").wait_for()
    # summaries are chosen like heads
    output.locator(".electra-head[aria-label^='all layers, mean']").click()
    assert name.inner_text() == "all layers, mean over heads"
    assert not output.get_by_role("button", name="Switch off", exact=True).is_visible()
    head(output, "layer 2, head 0").click()
    output.get_by_role("button", name="Switch off", exact=True).click()
    output.locator(".electra-change-number", has_text="→").first.wait_for()
    head(output, "layer 1, head 0").click()


def _everything_keeps_its_style(page):
    """Whatever was shown after it."""
    for part in (".electra-change-now", ".electra-change-before", ".electra-head", ".electra-end"):
        box = page.locator(part).first.bounding_box()
        assert box["width"] > 5, part
        assert box["height"] > 5, part


def _use_large(page, output):
    said = output.locator(".electra-readout")
    head(output, "layer 11, head 3").click()
    page.wait_for_function(
        "node => node.textContent.startsWith('Point at')", arg=said.element_handle()
    )
    output.locator("[data-side=query][data-token='5']").hover()
    assert said.inner_text().startswith("token5 looks most at ")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_of_12_layers_and_64_tokens_follows_the_pointer_within_a_tenth_of_a_second(
    page, tmp_path, scheme
):
    page.emulate_media(color_scheme=scheme)
    weights = np.random.default_rng(0).dirichlet([0.06] * 64, size=(12, 4, 64))
    tokens = ["[CLS]", *(f"token{i}" for i in range(62)), "[SEP]"]
    view = AttentionView(tokens, weights, segments=[0] * 40 + [1] * 24)
    view.save(tmp_path / "attention.html")
    page.goto((tmp_path / "attention.html").as_uri())
    said = page.locator(".electra-readout")

    # every head is in the page: what is shown of the last is what was given
    head(page, "layer 11, head 3").click()
    page.locator("[data-side=query][data-token='2']").hover()
    best = int(weights[11, 3, 2].argmax())
    assert said.inner_text().startswith(f"token1 looks most at {tokens[best]} .")
    page.screenshot(path=PICTURES / f"attention-arcs-{scheme}.png")
    drawn = "document.querySelector('.electra-sight canvas:last-child').toDataURL()"
    seen = page.evaluate(drawn)
    page.mouse.move(0, 0)
    assert page.evaluate(drawn) != seen
    # nothing that needs a kernel is offered
    assert not page.get_by_role("button", name="Switch off").is_visible()

    hover = page.evaluate(TIME, ["[data-side=query]", "pointermove", 40])
    click = page.evaluate(TIME, [".electra-head", "click", 40])
    page.get_by_role("button", name="Matrix").click()
    page.mouse.move(*_middle(page.locator(".electra-room").bounding_box()))
    assert " looks at token" in said.inner_text()
    page.screenshot(path=PICTURES / f"attention-matrix-{scheme}.png")
    matrix = page.evaluate(TIME, ["[data-side=query]", "pointermove", 40])
    pick = page.evaluate(TIME, [".electra-head", "click", 40])
    for times in (hover, click, matrix, pick):
        assert in_time(times)
    assert page.outside == []
    assert page.complaints == []


def _middle(box):
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_large_page_says_which_layers_it_has_not(page, tmp_path):
    weights = np.random.default_rng(0).dirichlet([0.06] * 128, size=(24, 16, 128))
    view = AttentionView([f"token{i}" for i in range(128)], weights.astype(np.float32), layer=3)
    view.save(tmp_path / "attention.html")
    page.goto((tmp_path / "attention.html").as_uri())
    said = page.locator(".electra-readout")
    assert said.inner_text().startswith("Point at a token")
    page.screenshot(path=PICTURES / "attention-24-layers.png")
    head(page, "layer 4, head 2").click()
    assert "only" in said.inner_text()
    head(page, "layer 3, head 2").click()
    page.locator("[data-side=query][data-token='4']").hover()
    assert said.inner_text().startswith("token4 looks most at ")
    times = page.evaluate(TIME, ["[data-side=query]", "pointermove", 20])
    assert in_time(times)
    assert page.complaints == []


def test_what_moved_is_drawn_as_far_as_it_moved(page, tmp_path):
    chart = ChangeChart(["yes", EVIL], [0.8, 0.2], before=[0.4, 0.6], title=EVIL)
    chart.save(tmp_path / "changes.html")
    page.goto((tmp_path / "changes.html").as_uri())
    now = [bar.bounding_box()["width"] for bar in page.locator(".electra-change-now").all()]
    was = [bar.bounding_box()["width"] for bar in page.locator(".electra-change-before").all()]
    assert abs(now[0] / was[0] - 2) < 0.05
    assert abs(was[1] / now[1] - 3) < 0.1
    assert texts(page, ".electra-change-number") == [".40 → .80 (+.40)", ".60 → .20 (−.40)"]
    assert page.locator("img").count() == 0
    page.screenshot(path=PICTURES / "changes.png")
    assert page.evaluate("window.evil") is None
    assert page.complaints == []
