"""bertviz's three views of our traces: as pages without a kernel, and in a real JupyterLab.

Pictures are left in build/browser.
"""

import pytest

from electra_lab.inside.trace import trace
from electra_lab.inside.views import display as display_module
from electra_lab.inside.views import head_view, model_view, neuron_view

from .jupyterlab import write_notebook
from .material import EVIL, PICTURES, texts

PAIR = ("The old chef cooked the meal.", "The dog ate it.")
TRACED = """
import torch
from electra_lab import ElectraConfig, ElectraForPreTraining, head_view, model_view, neuron_view, trace
torch.manual_seed(0)
model = ElectraForPreTraining(ElectraConfig(
    vocab_size=99, embedding_size=8, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
    intermediate_size=8, initializer_range=0.3))
seen = trace(model, {"input_ids": torch.arange(5, 13)[None]})
"""


@pytest.fixture(scope="module")
def seen():
    """A trace of a pair of texts, two of whose tokens are hostile."""
    from electra_lab.checkpoints.pair import load_pair

    pair = load_pair("micro")
    traced = trace(pair.discriminator, PAIR, tokenizer=pair.tokenizer)
    traced.tokens[0][1] = EVIL
    traced.tokens[0][2] = "</script>\u202e"
    return traced


def opened(page, view, folder):
    view.save(folder / f"{view.kind}.html")
    page.goto((folder / f"{view.kind}.html").as_uri())
    page.locator("#vis svg").wait_for()
    return page.locator("#vis")


def harmless(page):
    assert page.locator("img").count() == 0
    assert page.evaluate("window.evil") is None
    assert page.outside == []
    assert page.complaints == []


def test_the_head_view_shows_the_traces_weights_and_follows_layer_texts_and_heads(
    page, seen, tmp_path
):
    view = head_view(seen, layer=1)
    drawn = opened(page, view, tmp_path)
    count = len(view.tokens)
    assert texts(page, "#layer option") == ["0", "1"]
    left = [found.text_content() for found in drawn.locator("#left text").all()]
    assert left[1:3] == ["<img src=x on…", "</script>⟨U+2…"]

    def boxes():
        """How strongly the token on the left that is pointed at colours each on the right."""
        return drawn.locator("#right .attentionBoxes > g").evaluate_all(
            "groups => groups.map(g => [...g.children].map(box => +box.style.opacity))"
        )

    drawn.locator("#left text").nth(4).hover()
    weights = seen.layers[1].attention[0, :, 4]
    assert [pytest.approx(row, abs=1e-4) for row in weights.tolist()] == boxes()
    page.locator("#layer").select_option("0")
    drawn.locator("#left text").nth(4).hover()
    weights = seen.layers[0].attention[0, :, 4]
    assert [pytest.approx(row, abs=1e-4) for row in weights.tolist()] == boxes()

    page.screenshot(path=PICTURES / "bertviz-head.png")
    lines = drawn.locator("#attention .headAttention").nth(0).locator("line").first
    assert float(lines.get_attribute("stroke-opacity")) > 0
    drawn.locator("rect[y='0']").first.click()  # the square of head 0
    assert float(lines.get_attribute("stroke-opacity")) == 0

    page.locator("#filter").select_option(label="Sentence B -> Sentence A")
    assert drawn.locator("#left text").count() == count - view.second
    assert drawn.locator("#right text").count() == view.second
    harmless(page)


def test_the_model_view_enlarges_the_head_that_is_clicked(page, seen, tmp_path):
    view = model_view(seen)
    drawn = opened(page, view, tmp_path)
    assert drawn.locator(".attn_background").count() == len(view.layers) * len(view.heads)
    head = seen.layers[1].attention.shape[1] - 1
    thumbnail = drawn.locator(f"g:has(> #attn_background_1_{head})")
    opacities = thumbnail.locator("line").evaluate_all(
        "lines => lines.map(line => +line.getAttribute('stroke-opacity'))"
    )
    assert opacities == pytest.approx(
        seen.layers[1].attention[0, head].flatten().tolist(), abs=1e-4
    )
    assert drawn.locator("text.detail").count() == 0
    thumbnail.locator("> rect").last.click()
    assert drawn.locator("text.detail").text_content() == f"Layer 1, Head {head}"
    assert drawn.locator("text.token").nth(1).text_content() == "<img src=x on…"
    page.screenshot(path=PICTURES / "bertviz-model.png")
    harmless(page)


def test_the_neuron_view_multiplies_the_traces_queries_and_keys(page, seen, tmp_path):
    view = neuron_view(seen, layers=[1], head=1)
    drawn = opened(page, view, tmp_path)
    assert texts(page, "#layer option") == ["1"]
    assert page.locator("#att_head").input_value() == "1"
    row = drawn.locator("#collapsed #leftText text.token").nth(4)
    row.hover()
    drawn.locator("#collapsed #leftText rect[width='16']").nth(4).click()  # the plus sign
    values = drawn.locator("#dotproducts .dotproduct").evaluate_all(
        "boxes => boxes.map(box => +box.dataset.value)"
    )
    scores = seen.layers[1].scores[0, 1, 4]
    assert values == pytest.approx(scores.tolist(), abs=0.01)
    page.screenshot(path=PICTURES / "bertviz-neuron.png")
    page.locator("#att_head").select_option(label="0")
    assert drawn.locator("#expanded").get_attribute("visibility") == "visible"
    harmless(page)


def test_two_views_beside_each_other_are_used_in_jupyterlab_and_in_the_exported_page(
    page, lab, notebooks, tmp_path, monkeypatch
):
    cells = [TRACED, "head_view(seen)", "head_view(seen, layer=1)", "neuron_view(seen)"]
    lab.open(page, write_notebook(notebooks / "bertviz.ipynb", cells))
    assert lab.run_all(page) == []
    _use_frames(page)
    lab.picture(page, PICTURES / "bertviz-jupyterlab.png")
    assert page.outside == []
    assert page.complaints == []

    scope: dict = {}
    exec(TRACED, scope)
    monkeypatch.setattr(display_module, "_chosen", "page")
    shown = [scope["head_view"](scope["seen"]), scope["head_view"](scope["seen"], layer=1)]
    shown.append(scope["neuron_view"](scope["seen"]))
    outputs = [view._repr_mimebundle_()[0]["text/html"] for view in shown]
    (tmp_path / "exported.html").write_text("<!doctype html>" + "".join(outputs))
    page.goto((tmp_path / "exported.html").as_uri())
    _use_frames(page)
    assert page.outside == []
    assert page.complaints == []


def _use_frames(page):
    """Three views in their frames, each with its own layer."""
    frames = page.locator("iframe[title]")
    frames.nth(2).wait_for()
    first, second, neurons = (frames.nth(number).content_frame for number in range(3))
    assert first.locator("#layer").input_value() == "0"
    assert second.locator("#layer").input_value() == "1"
    first.locator("#layer").select_option("1")
    second.locator("#layer").select_option("0")
    assert first.locator("#layer").input_value() == "1"
    assert second.locator("#left text").count() == 8
    background = second.locator("#left .background").nth(3)
    second.locator("#left text").nth(3).hover()
    assert background.evaluate("box => box.style.opacity") == "1"
    assert first.locator("#left .background").nth(3).evaluate("box => box.style.opacity") == "0"
    assert neurons.locator("#collapsed #leftText text.token").count() == 8
