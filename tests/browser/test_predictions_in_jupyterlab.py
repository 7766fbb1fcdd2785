"""Predictions in a real JupyterLab: pointed at, explained, words hidden, two texts; and as a page.

Pictures are left in build/browser.
"""

import numpy as np
import pytest
import torch

from electra_lab.inside.explorers import PredictionExplorer
from electra_lab.inside.views import AttributionMap, ChangeChart, Lattice, SpanChart
from electra_lab.inside.views.page import page as page_of
from electra_lab.model.task_heads import (
    ElectraForMultipleChoice,
    ElectraForQuestionAnswering,
    ElectraForSequenceClassification,
    ElectraForTokenClassification,
)
from electra_lab.text.tokenization import ElectraTokenizerFast

from .jupyterlab import write_notebook
from .material import EVIL, PICTURES, TIME, VOCABULARY, in_time, small_config, texts

TEXT = "The old chef cooked the meal."
CELLS = [
    "from electra_lab import AttributionMap, Lattice, PredictionExplorer, SpanChart",
    f"""
evil = {EVIL!r}
display(Lattice([evil], ["\\u202e", evil], [[0.9, 0.1]], texts=[[evil, "x" * 10_000]], title=evil))
display(AttributionMap([evil], [1], originals=["\\u202e"], title=evil))
SpanChart([evil], [0.5], [0.5], [(evil, 0.25, 0, 0)], title=evil)
""",
    f'PredictionExplorer("tagger", {TEXT!r}, steps=2)',
    f"""
PredictionExplorer(
    "answers", {{"question": "The chef", "context": {TEXT!r}}}, steps=2)
""",
    f'PredictionExplorer("classes", {TEXT!r}, "A dog cooked the meal.", steps=2)',
    'print("All cells have run.")',
]


def models():
    """A small random model of three heads, and their tokenizer."""
    sizes = {"layers": 2, "max_position_embeddings": 64}
    labels = {"num_labels": 3, "id2label": {0: "DET", 1: "NOUN", 2: EVIL}}
    torch.manual_seed(0)
    return {
        "tagger": ElectraForTokenClassification(small_config(**sizes, **labels)),
        "answers": ElectraForQuestionAnswering(small_config(**sizes)),
        "classes": ElectraForSequenceClassification(small_config(**sizes, **labels)),
        "choices": ElectraForMultipleChoice(small_config(**sizes)),
    }, ElectraTokenizerFast(vocab=VOCABULARY)


@pytest.fixture(scope="module")
def notebook(notebooks):
    """A notebook of predictions of small random models."""
    made, tokenizer = models()
    for name, model in made.items():
        model.save_pretrained(notebooks / name)
        tokenizer.save_pretrained(notebooks / name)
    return write_notebook(notebooks / "predictions.ipynb", CELLS)


def wait_for(page, cell, what, condition):
    """Until the elements of a cell's output fulfil a condition; ``all`` is their array."""
    page.wait_for_function(
        f"""() => {{
            const outputs = document.querySelectorAll(".jp-Cell .jp-Cell-outputArea");
            const all = [...outputs[{cell}].querySelectorAll({what!r})];
            return {condition};
        }}"""
    )


def test_predictions_are_used_in_jupyterlab(page, lab, notebook):
    lab.open(page, notebook)
    assert lab.run_all(page) == []
    assert page.get_by_text("All cells have run.", exact=True).count() == 1
    outputs = page.locator(".jp-Cell .jp-Cell-outputArea")
    _hostile_text_is_text(outputs.nth(1))
    _use_tagger(page, outputs.nth(2))
    _use_answers(page, outputs.nth(3))
    _use_classes(page, outputs.nth(4))
    lab.picture(page, PICTURES / "predictions.png")
    assert page.evaluate("window.evil") is None
    assert page.outside == []
    assert page.complaints == []


def _hostile_text_is_text(output):
    shown = EVIL[:60] + "… (74 characters)"
    assert output.locator(".electra-view img, .electra-view script").count() == 0
    assert texts(output, ".electra-across") == ["⟨U+202E⟩", shown]
    assert texts(output, ".electra-cell")[1] == "x" * 60 + "… (10,000 characters)"
    assert texts(output, ".electra-original") == ["⟨U+202E⟩"]
    assert shown in texts(output, ".electra-place bdi")


def _use_tagger(page, output):
    lattice = output.locator(".electra-lattice").first
    said = lattice.locator(".electra-cell-said")
    assert texts(lattice, ".electra-across") == ["the", "old", "chef", "cooked", "the", "meal", "."]
    assert lattice.locator(".electra-on-path").count() == 7

    # pointing at a cell says what it is; the keyboard says the same
    cell = lattice.locator("[data-row='1'][data-column='2']")
    cell.hover()
    number = cell.get_attribute("aria-label")
    assert number.startswith("chef, NOUN: .")
    assert said.inner_text() == number
    page.mouse.move(0, 0)
    assert said.inner_text().startswith("Point at a cell")
    lattice.locator("[data-row='0'][data-column='1']").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert said.inner_text() == number

    # Enter chooses it: it is explained, and the keyboard stays where it was
    page.keyboard.press("Enter")
    output.get_by_text("What speaks for NOUN at “chef”", exact=True).wait_for()
    assert lattice.locator(".electra-target").get_attribute("aria-label") == f"{number}, explained"
    assert page.evaluate("document.activeElement.ariaLabel") == f"{number}, explained"
    before = texts(output, ".electra-heat-map .electra-number")

    # a click on a word hides it in another text; both are shown, and the difference
    output.locator(".electra-heat-map .electra-token").nth(4).click()
    output.get_by_text("The difference: the other text minus the first").wait_for()
    assert output.locator(".electra-lattice").count() == 4
    maps = output.locator(".electra-heat-map")
    assert texts(maps.nth(1), ".electra-text")[4] == "[MASK]"
    assert texts(maps.nth(1), ".electra-original")[4] == "cooked"
    assert texts(maps.nth(0), ".electra-number") == before
    assert "cooked / [MASK]" in texts(output.locator(".electra-lattice").nth(2), ".electra-across")
    field = output.locator(".widget-text:has-text('Other text') input").first
    assert field.input_value() == "The old chef [MASK] the meal."

    # typed, with another method, and without the other text again
    field.fill("The old dog cooked the meal.")
    field.press("Enter")
    wait_for(
        page, 2, ".electra-heat-map .electra-original", "all.some((n) => n.textContent === 'chef')"
    )
    output.locator("select").first.select_option("input x gradient")
    wait_for(
        page, 2, ".electra-note", "all.some((n) => /^The logit is [^,]*$/.test(n.textContent))"
    )
    output.get_by_role("button", name="Without the other text").click()
    wait_for(page, 2, ".electra-lattice", "all.length === 2")
    first = output.locator(".widget-text:has-text('Text') input").first
    first.fill("")
    first.press("Enter")
    output.get_by_text("The text is empty. Give at least one word.").first.wait_for()
    first.fill(TEXT)
    first.press("Enter")
    wait_for(page, 2, ".electra-on-path", "all.length === 7")


def _use_answers(page, output):
    chart = output.locator(".electra-span-chart")
    answers = chart.locator(".electra-answer")
    inside = ".electra-in-answer .electra-text"
    numbers = [float(text) for text in texts(answers, ".electra-number")]
    assert numbers == sorted(numbers, reverse=True)
    count = answers.count()
    assert count == 5
    # pointing at an answer frames its words; leaving frames the chosen one's again
    chosen = texts(chart, inside)
    words = {}
    for index in range(count):
        answers.nth(index).hover()
        words[index] = texts(chart, inside)
        said = answers.nth(index).locator(".electra-word").inner_text()
        if said != "(no answer)":
            assert "".join(words[index]).lower() == said.replace(" ", "").lower()
    page.mouse.move(0, 0)
    assert texts(chart, inside) == chosen
    other = next(i for i in range(count) if words[i] and words[i][0] not in chosen[:1])
    answers.nth(other).click()
    output.get_by_text(f"What speaks for start at “{words[other][0]}”", exact=True).wait_for()
    output.locator("select").nth(1).select_option("its end")
    output.locator(".electra-title", has_text="What speaks for end at").wait_for()


def _use_classes(page, output):
    bars = output.locator("button.electra-change")
    assert bars.count() == 3
    assert "→" in bars.first.inner_text()
    assert output.locator(".electra-change-before").count() == 3
    bars.nth(1).focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    output.get_by_text("What speaks for DET in the first text", exact=True).wait_for()
    assert bars.first.get_attribute("aria-label").endswith(", chosen")
    assert output.locator(".electra-heat-map").count() == 2
    output.locator("select").last.select_option("difference")
    output.get_by_text("probability, other minus first", exact=True).wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_predictions_are_a_page_without_a_kernel(page, tmp_path, scheme):
    page.emulate_media(color_scheme=scheme)
    made, tokenizer = models()
    for name, text, other in (
        ("tagger", TEXT, "The old dog cooked the meal."),
        ("answers", {"question": "the chef", "context": TEXT}, None),
        ("choices", {"context": TEXT, "choices": ["a dog ate", "the house"]}, None),
    ):
        explorer = PredictionExplorer(made[name], text, other, tokenizer=tokenizer, steps=2)
        explorer.save(tmp_path / f"{name}.html")
        page.goto((tmp_path / f"{name}.html").as_uri())
        assert page.get_by_text("A still of an explorer.").count() == 1
        assert page.locator(".electra-view").count() == len(explorer.views)
        page.screenshot(path=PICTURES / f"predictions-{name}-{scheme}.png", full_page=True)
    # what was raised has another colour than what was lowered
    signed = AttributionMap(["up", "down"], [1, -1])
    signed.save(tmp_path / "signed.html")
    page.goto((tmp_path / "signed.html").as_uri())
    colours = [
        node.evaluate("node => getComputedStyle(node).backgroundColor")
        for node in page.locator(".electra-text").all()
    ]
    assert colours[0] != colours[1]
    assert texts(page, ".electra-strong .electra-number") == ["+1.00", "−1.00"]
    assert page.evaluate("window.evil") is None
    assert page.outside == []
    assert page.complaints == []


def test_a_page_of_64_words_and_17_tags_follows_the_pointer_within_a_tenth_of_a_second(
    page, tmp_path
):
    words, random = [f"word{i}" for i in range(64)], np.random.default_rng(0)
    values = random.dirichlet([0.2] * 17, size=64).T
    path = [(int(values[:, j].argmax()), j) for j in range(64)]
    views = [
        Lattice([f"TAG{i}" for i in range(17)], words, values, path=path),
        AttributionMap(words, random.normal(size=64)),
        SpanChart(words, values[0] / 2, values[1] / 2, [("x", 0.2, 3, 5), ("y", 0.1, 40, 63)]),
        ChangeChart(["yes", "no"], [0.4, 0.6], chosen=1),
    ]
    document = page_of(views, "predictions")
    assert len(document.encode()) < 1_000_000
    (tmp_path / "page.html").write_text(document)
    page.goto((tmp_path / "page.html").as_uri())
    said = page.locator(".electra-cell-said")
    page.locator("[data-row='16'][data-column='63']").hover()
    assert said.inner_text().startswith("word63, TAG16: ")
    # every word is in one of the lines
    assert texts(page, ".electra-across") == words
    page.screenshot(path=PICTURES / "predictions-large.png", full_page=True)
    for what in (".electra-cell", ".electra-answer", ".electra-token"):
        assert in_time(page.evaluate(TIME, [what, "pointerover", 40]))
    assert page.complaints == []
