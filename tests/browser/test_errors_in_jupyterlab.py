"""Errors in a real JupyterLab: filtered, searched, opened; and as a page.

Pictures are left in build/browser.
"""

import numpy as np
import pytest
import torch

from electra_lab.inside.confusion import confusion_of
from electra_lab.inside.slices import Items
from electra_lab.inside.views import ErrorView
from electra_lab.model.task_heads import ElectraForSequenceClassification
from electra_lab.text.tokenization import ElectraTokenizerFast

from .jupyterlab import write_notebook
from .material import EVIL, PICTURES, TIME, VOCABULARY, in_time, small_config, texts

LABELS = ("fair", "foul", "good")
SENTENCES = [
    "The old chef cooked the meal.",
    "The dog ate.",
    "A chef ate the old meal.",
    "The old dog cooked.",
    "The meal ate a dog.",
    "A dog.",
]
CELLS = [
    """
import numpy as np
from electra_lab import (ElectraForSequenceClassification, ElectraTokenizerFast, ErrorExplorer,
                         ErrorView, load_task_data)
model = ElectraForSequenceClassification.from_pretrained("errors-model")
tokenizer = ElectraTokenizerFast.from_pretrained("errors-model")
""",
    f"""
evil = {EVIL!r}
ErrorView([evil, "\\u202e", "x" * 10_000], [evil, "b", "b"], ["b", evil, "b"], [3, 2, 1],
          right=[False, False, True], notes=[(evil,), (), ()], title=evil)
""",
    f"""
sentences, labels = {SENTENCES!r}, {LABELS!r}
rows = [dict(text=text, label=labels[i % 3]) for i, text in enumerate(sentences)]
data = load_task_data({{"train": rows[:3], "test": rows}}, labels=labels)
explorer = ErrorExplorer(model, data, tokenizer=tokenizer, opens="attention",
                         slices={{"a chef": lambda row: "chef" in row["text"]}})
explorer
""",
    'print("All cells have run.")',
]


@pytest.fixture(scope="module")
def notebook(notebooks):
    """A notebook of errors of a small random model."""
    config = small_config(
        layers=2,
        id2label=dict(enumerate(LABELS)),
        label2id={name: number for number, name in enumerate(LABELS)},
        problem_type="single_label_classification",
    )
    torch.manual_seed(0)
    ElectraForSequenceClassification(config).save_pretrained(notebooks / "errors-model")
    ElectraTokenizerFast(vocab=VOCABULARY).save_pretrained(notebooks / "errors-model")
    return write_notebook(notebooks / "errors.ipynb", CELLS)


def test_errors_are_used_in_jupyterlab(page, lab, notebook):
    lab.open(page, notebook)
    assert lab.run_all(page) == []
    assert page.get_by_text("All cells have run.", exact=True).count() == 1
    outputs = page.locator(".jp-Cell .jp-Cell-outputArea")
    _hostile_text_is_text(outputs.nth(1))
    _use_explorer(page, outputs.nth(2))
    lab.picture(page, PICTURES / "error-explorer.png", slice(2, 3))
    assert page.evaluate("window.evil") is None
    assert page.outside == []
    assert page.complaints == []


def _hostile_text_is_text(output):
    assert output.locator(".electra-view img, .electra-view script").count() == 0
    assert texts(output, ".electra-example > bdi") == [
        EVIL,
        "⟨U+202E⟩",
        "x" * 1500 + "… (10,000 characters)",
    ]
    output.locator(".electra-example").first.click()
    assert output.locator(".electra-error-detail .electra-error-text").inner_text() == EVIL
    assert texts(output, ".electra-error-said bdi") == [EVIL, "b"]


def _use_explorer(page, output):
    def tokens():
        return texts(output, "[data-side=key] bdi")

    examples = output.locator(".electra-example")
    assert examples.count() == 6
    loss = [float(text) for text in texts(output, ".electra-example .electra-figure:first-child")]
    assert loss == sorted(loss, reverse=True)
    shown = texts(output, ".electra-example > bdi")
    assert sorted(shown) == sorted(SENTENCES)
    # the worst is open at first; a click opens another one's trace
    assert len(tokens()) == len(shown[0].rstrip(".").split()) + 3
    other = shown.index("A dog.")
    examples.nth(other).click()
    page.wait_for_function("[...document.querySelectorAll('[data-side=key] bdi')].length === 5")
    assert tokens() == ["[CLS]", "a", "dog", ".", "[SEP]"]
    assert output.locator(".electra-error-detail .electra-error-text").inner_text() == "A dog."
    # a slice leaves its examples; what is open stays open
    output.get_by_role("button", name="a chef: yes").click()
    assert sorted(texts(output, ".electra-example > bdi")) == [SENTENCES[2], SENTENCES[0]]
    assert output.locator(".electra-error-count").inner_text().startswith("2 of 6 examples.")
    assert tokens() == ["[CLS]", "a", "dog", ".", "[SEP]"]
    output.get_by_role("button", name="Show all").click()
    assert examples.count() == 6
    # the keyboard: down the list and open
    examples.first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_function(
        "([text]) => document.querySelector('.electra-error-detail .electra-error-text')"
        " && [...document.querySelectorAll('.electra-error-text')].at(-1).textContent === text",
        arg=[shown[1]],
    )
    # another split
    output.locator(".widget-dropdown:has-text('Split') select").first.select_option("train")
    page.wait_for_function(
        "document.querySelectorAll('.jp-OutputArea')[2]"
        ".querySelectorAll('.electra-example').length === 3"
    )


def large(count=1000):
    """A view of many examples with twelve labels."""
    chance = np.random.default_rng(0)
    names = [f"label {i}" for i in range(12)]
    gold = chance.integers(0, 12, count)
    said = np.where(chance.random(count) < 0.7, gold, chance.integers(0, 12, count))
    items = Items(np.arange(count), (gold == said).astype(float), np.arange(count))
    confusion = confusion_of(
        names, names, zip(range(count), gold.tolist(), said.tolist(), strict=True)
    )
    slices = items.divided("label", [(names[i],) for i in gold], names)
    return ErrorView(
        [
            f"A sentence of usual length, about {i}, in a data set of many of them."
            for i in range(count)
        ],
        [names[i] for i in gold],
        [names[i] for i in said],
        chance.exponential(1.0, count),
        confidences=chance.random(count),
        right=gold == said,
        notes=[(f"a second line of {i}",) for i in range(count)],
        confusion=confusion,
        overall=items.part("", "all"),
        slices=slices,
        title="A thousand examples",
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_of_a_thousand_examples_works_without_a_kernel_and_within_a_tenth_of_a_second(
    page, tmp_path, scheme
):
    page.emulate_media(color_scheme=scheme)
    view = large()
    view.save(tmp_path / "errors.html")
    page.goto((tmp_path / "errors.html").as_uri())
    examples, count = page.locator(".electra-example"), page.locator(".electra-error-count")
    assert examples.count() == 50
    assert count.inner_text().startswith("1,000 examples.")
    page.get_by_role("button", name="Show 50 more of 950").click()
    assert examples.count() == 100

    # a cell holds the examples that it counts
    cells = {cell: rows for cell, rows in view.confusion.rows.items() if cell[0] != cell[1]}
    (gold, said), rows = max(cells.items(), key=lambda item: len(item[1]))
    cell = page.locator(f"[data-cell='{gold},{said}']")
    assert cell.inner_text() == str(len(rows))
    cell.click()
    assert count.inner_text().startswith(f"{len(rows)} of 1,000 examples.")
    assert examples.count() == len(rows)
    assert set(texts(page, ".electra-verdict bdi:first-child")) == {f"label {gold}"}
    assert set(texts(page, ".electra-said-line")) == {f"✗ label {said}"}
    # and with a slice of another label nothing is left; released, all are back
    page.get_by_role("button", name=f"label: label {(gold + 1) % 12},").click()
    assert count.inner_text().startswith("0 of 1,000")
    page.get_by_role("button", name="Show all").click()
    assert count.inner_text().startswith("1,000 examples.")

    # words, order, wrong ones
    field = page.get_by_role("searchbox")
    field.fill("about 77,")
    assert examples.count() == 1
    examples.first.click()
    said = page.locator(".electra-error-detail").inner_text()
    assert "about 77," in said
    assert "a second line of 77" in said
    assert said.endswith("example 77")
    field.fill("")
    page.get_by_role("combobox").select_option("sure")
    sure = [float(text) for text in texts(page, ".electra-figure:nth-child(2)")]
    assert sure == sorted(sure, reverse=True)
    page.get_by_role("button", name="Wrong only").click()
    assert count.inner_text().startswith(f"{view.right.count(False)} of 1,000 examples.")
    assert all(text.startswith("✗") for text in texts(page, ".electra-said-line"))

    # the keyboard: into the matrix with one stop, around in it, a cell pressed
    page.get_by_role("button", name="Show all").click()
    page.locator("[data-cell='0,0']").focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowRight"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.dataset.cell") == "1,1"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "electra-slice"
    assert page.locator("[data-cell='1,1']").get_attribute("aria-pressed") == "true"
    page.screenshot(path=PICTURES / f"errors-{scheme}.png")

    cells = page.evaluate(TIME, [".electra-cell:not(.electra-none)", "click", 24])
    slices = page.evaluate(TIME, [".electra-slice", "click", 12])
    page.get_by_role("button", name="Show all").click()
    opened = page.evaluate(TIME, [".electra-example", "click", 20])
    for times in (cells, slices, opened):
        assert in_time(times)
    assert page.locator(".electra-view img").count() == 0
    assert page.outside == []
    assert page.complaints == []
