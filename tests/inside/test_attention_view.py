"""Attention: weights that travel as bytes, and a view of all heads that stays small and safe."""

import base64
import io
import json
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from electra_lab.inside.views import AttentionView, ChangeChart
from electra_lab.inside.views.attention_weights import (
    over_layers,
    packed,
    summaries,
    thumbnails,
    unpacked,
)

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "\u202eevil\u202c",
    "a" * 10_000,
    "\ud800",
    "$\\frac{1}{0}$",
]


def weights(layers=2, heads=3, count=6, seed=0):
    return np.random.default_rng(seed).dirichlet([0.3] * count, size=(layers, heads, count))


def view(layers=2, heads=3, count=6, **options):
    tokens = ["[CLS]", *(f"word{i}" for i in range(count - 2)), "[SEP]"]
    return AttentionView(tokens, weights(layers, heads, count), **options)


def state_in(page):
    document = re.search(r'<script type="application/json" id="state-0">(.*?)</script>', page, re.S)
    return json.loads(document.group(1))


def array(text, *shape):
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(shape)


@settings(max_examples=300, deadline=None)
@given(st.floats(0, 1))
def test_a_packed_weight_comes_back_nearly_as_it_was_and_small_ones_nearer(weight):
    back = float(unpacked(packed(np.array([weight])))[0])
    assert abs(back - weight) <= 0.004
    if weight <= 0.01:
        assert abs(back - weight) <= 0.0004


def test_the_extremes_survive_packing():
    assert packed(np.array([0.0, 1.0, 1.0005])).tolist() == [0, 255, 255]


def test_the_rollout_of_one_layer_is_half_its_mean_and_half_the_token_itself():
    one = weights(layers=1, heads=2)
    found = summaries(one)
    np.testing.assert_allclose(found[0, 0], one[0].mean(0), atol=1e-6)
    np.testing.assert_allclose(found[0, 1], one[0].max(0), atol=1e-6)
    np.testing.assert_allclose(found[0, 2], (one[0].mean(0) + np.eye(6)) / 2, atol=1e-6)


def test_rollout_multiplies_layers_later_ones_from_the_left():
    # layer 0: token 1 looks at token 0; layer 1: token 2 looks at token 1; so token 2 reaches 0
    hops = np.zeros((2, 1, 3, 3), np.float32)
    hops[0, 0] = [[1, 0, 0], [1, 0, 0], [0, 0, 1]]
    hops[1, 0] = [[1, 0, 0], [0, 1, 0], [0, 1, 0]]
    rolled = summaries(hops)[1, 2]
    assert rolled[2].tolist() == [0.25, 0.25, 0.5]
    np.testing.assert_allclose(rolled.sum(-1), 1)


def test_rollout_is_the_one_of_a_trace(pair):
    from electra_lab.inside.trace import attention_rollout, trace

    seen = trace(pair.discriminator, "the chef cooked the meal .", tokenizer=pair.tokenizer)
    attention = [layer.attention[0].numpy() for layer in seen.layers]
    expected = attention_rollout(seen)[:, 0]
    np.testing.assert_allclose(summaries(np.array(attention))[:, 2], expected, atol=1e-5)


def test_heads_that_are_off_count_in_no_summary():
    all_heads = weights()
    found = summaries(all_heads, {(0, 1), (1, 0), (1, 1), (1, 2)})
    np.testing.assert_allclose(found[0, 0], all_heads[0, [0, 2]].mean(0), atol=1e-6)
    np.testing.assert_allclose(found[0, 1], all_heads[0, [0, 2]].max(0), atol=1e-6)
    # a layer without heads passes by what came
    assert not found[1, :2].any()
    np.testing.assert_allclose(found[1, 2], found[0, 2])
    np.testing.assert_allclose(
        over_layers(all_heads, {(1, 0), (1, 1), (1, 2)})[0], all_heads[0].mean(0), atol=1e-6
    )


def test_a_small_picture_never_loses_a_strong_weight():
    for count in (5, 32, 33, 64, 100, 128):
        plane = np.zeros((1, count, count), np.uint8)
        plane[0, count - 1, count // 2] = 255
        small = thumbnails(plane)
        assert small.shape[1] == small.shape[2] <= 32
        assert (small == 255).sum() == 1


def test_a_page_holds_every_layer_as_bytes_and_the_live_state_only_the_one_in_sight():
    shown = view(layers=3, heads=2, count=5, layer=1, head="rollout", off=[(0, 1)])
    state = state_in(shown.to_html())
    assert sorted(state["packed"]) == ["0", "1", "2"]
    for layer in range(3):
        planes = array(state["packed"][str(layer)], 5, 5, 5)
        np.testing.assert_array_equal(planes[:2], packed(shown.weights[layer]))
        np.testing.assert_array_equal(planes[2:], packed(summaries(shown.weights, {(0, 1)})[layer]))
    small = array(state["small"]["bytes"], 3 * 5 + 2, 5, 5)
    np.testing.assert_array_equal(small[-2:], packed(over_layers(shown.weights, {(0, 1)})))
    assert list(shown.widget.state["packed"]) == ["1"]
    assert state["off"] == [[0, 1]]


def test_a_page_of_12_layers_4_heads_and_64_tokens_is_under_a_megabyte():
    page = view(layers=12, heads=4, count=64).to_html()
    assert len(state_in(page)["packed"]) == 12
    assert len(page.encode()) < 1_000_000


def test_a_page_of_a_large_model_holds_the_chosen_layer_and_small_pictures():
    page = view(layers=24, heads=16, count=128, layer=7).to_html()
    assert list(state_in(page)["packed"]) == ["7"]
    assert len(page.encode()) < 2_000_000


def test_a_layer_is_sent_when_the_widget_asks_for_it(monkeypatch):
    shown, sent = view(), []
    monkeypatch.setattr(
        shown.widget, "send", lambda content, buffers: sent.append((content, buffers))
    )
    version = shown.widget.state["version"]
    heard = []
    shown.on_event(heard.append)
    ask = shown.widget._handle_custom_msg
    ask({"event": "fetch", "layer": 1, "version": version}, [])
    ((content, (buffer,)),) = sent
    assert content == {"event": "layer", "layer": 1, "version": version}
    planes = np.frombuffer(buffer, np.uint8).reshape(6, 6, 6)
    np.testing.assert_array_equal(planes[:3], packed(shown.weights[1]))
    # not of data that were replaced, nor of layers that are not there
    ask({"event": "fetch", "layer": 1, "version": version - 1}, [])
    ask({"event": "fetch", "layer": 2, "version": version}, [])
    ask({"event": "fetch", "layer": "1", "version": version}, [])
    assert len(sent) == 1
    assert heard == []


def test_the_view_follows_what_the_reader_chooses_and_tells_its_handlers():
    shown, heard = view(), []
    shown.on_event(heard.append)
    tell = shown.widget._handle_custom_msg
    before = shown.widget.state
    tell({"event": "choose", "layer": 1, "head": "max"}, [])
    assert (shown.layer, shown.head) == (1, "max")
    assert "maximum over the heads of layer 1" in repr(shown)
    assert shown.widget.state is before  # the widget shows it already
    tell({"event": "choose", "layer": None, "head": "mean"}, [])
    assert shown.layer is None
    tell({"event": "choose", "layer": 9, "head": 0}, [])
    tell({"event": "choose", "layer": None, "head": "rollout"}, [])
    assert (shown.layer, shown.head) == (None, "mean")
    tell({"event": "switch", "layer": 1, "head": 0, "off": True}, [])
    assert [event["event"] for event in heard] == ["choose", "choose", "switch"]


def test_code_chooses_too_and_the_widget_is_told():
    shown = view()
    before = shown.widget.state["chosen"]
    shown.choose(1, 2)
    assert shown.widget.state["chosen"] > before
    assert (shown.widget.state["layer"], shown.widget.state["head"]) == (1, 2)
    with pytest.raises(ValueError, match="There is no layer 2, head 0. Layers are 0 to 1, or None"):
        shown.choose(2, 0)
    assert (shown.layer, shown.head) == (1, 2)


def test_new_data_keep_the_choice_where_there_is_such_a_head():
    shown = view(layer=1, head=2)
    shown.update(["a", "b"], weights(2, 3, 2))
    assert (shown.layer, shown.head) == (1, 2)
    shown.update(["a", "b"], weights(1, 1, 2))
    assert (shown.layer, shown.head) == (0, 0)


def test_the_text_says_where_each_token_looks_most():
    looks = np.array([[0.1, 0.9, 0.0], [0.2, 0.2, 0.6], [1.0, 0.0, 0.0]])
    shown = AttentionView(["[CLS]", "dog", "\u202e"], looks[None, None], off=[(0, 0)], title="T")
    assert repr(shown) == (
        "AttentionView: 1 layers of 1 heads, 3 tokens; here layer 0, head 0, and where each token "
        "looks most\n  T\n  switched off: layer 0, head 0\n"
        "  [CLS] → dog .90\n  dog → ⟨U+202E⟩ .60\n  ⟨U+202E⟩ → [CLS] 1.0"
    )
    assert repr(view(count=40)).endswith("… and 16 tokens more")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_stays_text_in_every_form(text):
    shown = AttentionView([text, text], weights(1, 1, 2), title=text, note=text)
    page = shown.to_html()
    assert page.count("<script") == 2
    assert "<img" not in page
    assert state_in(page)["tokens"] == shown.state()["tokens"]
    page.encode("utf-8")
    repr(shown).encode("utf-8")
    assert len(repr(shown)) < 1_500
    assert Image.open(io.BytesIO(shown.to_png())).width == 1440


def ink(shown):
    """The colours of a picture, most frequent first."""
    picture = Image.open(io.BytesIO(shown.to_png())).convert("RGB")
    return [colour for _, colour in sorted(picture.getcolors(1 << 24), reverse=True)]


def test_the_picture_shows_form_segments_and_heads_that_are_off():
    base = view().to_png()
    assert view(form="matrix").to_png() != base
    assert view(off=[(1, 1)]).to_png() != base
    assert view(layer=1).to_png() != base

    def purple(shown):
        return any(r > g + 60 and b > g + 40 for r, g, b in ink(shown)[:40])

    assert not purple(view(form="matrix"))
    assert purple(view(form="matrix", segments=[1] * 6))


@pytest.mark.parametrize("form", ["arcs", "matrix"])
@pytest.mark.parametrize("count", [0, 1, 2, 61, 128])
def test_any_number_of_tokens_is_drawn(count, form):
    tokens = [f"t{i}" for i in range(count)]
    attention = np.full((1, 2, count, count), 1 / max(1, count))
    shown = AttentionView(tokens, attention, form=form)
    assert Image.open(io.BytesIO(shown.to_png())).width == 1440
    assert state_in(shown.to_html())["tokens"] == tokens


def test_attention_may_be_tensors_one_for_each_layer():
    expected = weights()
    for given_ in (
        torch.tensor(expected),
        [torch.tensor(layer, requires_grad=True) for layer in expected],
        [layer.tolist() for layer in expected],
        expected.astype(np.float16),
    ):
        shown = AttentionView(list("abcdef"), given_)
        np.testing.assert_allclose(shown.weights, expected, atol=1e-3)


@pytest.mark.parametrize(
    ("attention", "said"),
    [
        (np.ones((2, 2, 2)), r"shape \(2, 2, 2\); give \[layers, heads, tokens, tokens\]"),
        (np.ones((1, 1, 2, 3)), r"shape \(1, 1, 2, 3\)"),
        (np.full((1, 1, 2, 2), -0.1), "lie in \\[0, 1\\]; these reach from -0.1"),
        (np.full((1, 1, 2, 2), np.nan), "lie in \\[0, 1\\]"),
        (np.full((1, 1, 2, 2), 7), "Give the weights after the softmax"),
        ([np.ones((1, 2, 2)), np.ones((1, 3, 3))], "layers' attentions are of different texts"),
    ],
)
def test_what_is_no_attention_is_refused(attention, said):
    with pytest.raises(ValueError, match=said):
        AttentionView(["a", "b"], attention)


def test_lists_that_do_not_fit_are_refused_and_leave_the_view_as_it_was():
    shown = view()
    before = repr(shown), shown.to_html()
    for options, said in (
        ({"segments": [0]}, "There are 6 tokens but 1 segments"),
        ({"special": [True]}, "There are 6 tokens but 1 marks of special tokens"),
        ({"segments": [0, 1, 2, 0, 0, 0]}, "a token's segment is 0 or 1"),
        ({"off": [(5, 0)]}, "off has layer 5, head 0; there are layers 0 to 1 with heads 0 to 2"),
    ):
        with pytest.raises(ValueError, match=said):
            shown.update(list("abcdef"), weights(), **options)
    with pytest.raises(ValueError, match="There are 1 tokens but 6 rows of attention"):
        shown.update(["a"], weights())
    assert (repr(shown), shown.to_html()) == before
    with pytest.raises(ValueError, match="form is 'circle'. Use 'arcs' or 'matrix'"):
        view(form="circle")
    with pytest.raises(ValueError, match="There is no layer 0, head 7"):
        view(head=7)


def test_layers_may_have_different_numbers_of_heads_as_pruned_models_have():
    full = weights(layers=2, heads=3)
    shown = AttentionView(list("abcdef"), [full[0], full[1, :1]], layer=1)
    assert shown.absent == {(1, 1), (1, 2)}
    assert shown.state()["absent"] == [[1, 1], [1, 2]]
    # what is not there counts in no summary
    planes = array(shown.state()["packed"]["1"], 6, 6, 6)
    np.testing.assert_array_equal(planes[3], packed(full[1, 0].astype(np.float32)))
    with pytest.raises(ValueError, match="There is no layer 1, head 2"):
        shown.choose(1, 2)
    with pytest.raises(ValueError, match="off has layer 1, head 1"):
        shown.update(list("abcdef"), [full[0], full[1, :1]], off=[(1, 1)])
    shown.to_png()


def test_each_kind_of_view_keeps_its_style_sheet_whatever_is_shown_later():
    # anywidget replaces the style sheet of the same id
    one, other = view(), ChangeChart(["yes"], [0.5])
    assert one.widget._anywidget_id != other.widget._anywidget_id
    assert one.widget._anywidget_id == view().widget._anywidget_id
    assert ".electra-head" in one.widget._css
    assert ".electra-change-now" in other.widget._css
