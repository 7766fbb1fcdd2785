"""bertviz's views: what is in their pages is what is in the trace, and nothing else gets in."""

import base64
import html
import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from electra_lab.inside.trace import trace
from electra_lab.inside.views import bertviz_views, head_view, model_view, neuron_view
from electra_lab.inside.views import display as display_module
from electra_lab.model.causal_lm import ElectraForCausalLM
from electra_lab.model.config import ElectraConfig
from electra_lab.model.heads import ElectraForPreTraining

VIEWS = [head_view, model_view, neuron_view]
TEXT = "The old chef cooked the meal."
PAIR = (TEXT, "The dog ate.")
EVIL = "<img src=x onerror='window.evil=1'></script><script>window.evil=1</script>"


@pytest.fixture(autouse=True)
def live_unless_told_otherwise(monkeypatch):
    monkeypatch.delenv("ELECTRA_LAB_DISPLAY", raising=False)
    monkeypatch.setattr(display_module, "_chosen", None)


@pytest.fixture
def seen(pair):
    return trace(pair.discriminator, PAIR, tokenizer=pair.tokenizer)


def told(view):
    """What the page tells bertviz's script."""
    (found,) = re.findall(
        r'<script type="application/json" id="data">(.*?)</script>', view.to_html()
    )
    return json.loads(found)


def numbers(packed):
    whole = np.frombuffer(base64.b64decode(packed["base64"]), "<i2")
    return (whole / 32767 * packed["largest"]).reshape(packed["shape"])


def within_16_bits(packed, tensors):
    expected = torch.cat(tensors).numpy()
    np.testing.assert_allclose(numbers(packed), expected, atol=np.abs(expected).max() / 65_000)


@pytest.mark.parametrize("view", VIEWS)
def test_tokens_and_weights_in_the_page_are_those_of_the_trace(view, seen):
    page = told(view(seen))
    assert page["tokens"] == seen.tokens[0]
    within_16_bits(page["numbers"]["attention"], [layer.attention for layer in seen.layers])
    assert set(page["numbers"]) == (
        {"attention", "queries", "keys"} if view is neuron_view else {"attention"}
    )


def test_the_neuron_view_has_the_traces_queries_and_keys(seen):
    page = told(neuron_view(seen))["numbers"]
    within_16_bits(page["queries"], [layer.queries for layer in seen.layers])
    within_16_bits(page["keys"], [layer.keys for layer in seen.layers])


@pytest.mark.parametrize("view", VIEWS)
def test_one_sequence_of_a_batch_comes_without_its_padding(view, pair):
    both = trace(pair.discriminator, [TEXT, "The dog ate."], tokenizer=pair.tokenizer)
    page = told(view(both, row=1))
    alone = both.select(1)
    assert page["tokens"] == alone.tokens[0]
    assert "[PAD]" not in page["tokens"]
    within_16_bits(page["numbers"]["attention"], [layer.attention for layer in alone.layers])
    with pytest.raises(IndexError, match="no row 2"):
        view(both, row=2)


@pytest.mark.parametrize("view", VIEWS)
def test_two_texts_can_be_looked_at_from_each_to_each(view, seen, pair):
    count, second = len(seen.tokens[0]), seen.tokens[0].index("[SEP]") + 1
    parts = {part["name"]: (part["left"], part["right"]) for part in told(view(seen))["parts"]}
    assert parts == {
        "All": ([0, count], [0, count]),
        "Sentence A -> Sentence A": ([0, second], [0, second]),
        "Sentence A -> Sentence B": ([0, second], [second, count]),
        "Sentence B -> Sentence A": ([second, count], [0, second]),
        "Sentence B -> Sentence B": ([second, count], [second, count]),
    }
    one = trace(pair.discriminator, TEXT, tokenizer=pair.tokenizer)
    assert [part["name"] for part in told(view(one))["parts"]] == ["All"]


@pytest.mark.parametrize("view", VIEWS)
def test_only_the_layers_that_were_named_are_in_the_page(view, seen):
    page = told(view(seen, layers=[1]))
    within_16_bits(page["numbers"]["attention"], [seen.layers[1].attention])
    if view is neuron_view:
        assert page["names"]["layer"] == [1]
    else:
        assert page["parameters"]["include_layers"] == [1]


def test_only_the_heads_that_were_named_are_in_the_page(seen):
    expected = [layer.attention[:, [1]] for layer in seen.layers]
    for view in (model_view, neuron_view):
        within_16_bits(told(view(seen, heads=[1]))["numbers"]["attention"], expected)
    assert told(model_view(seen, heads=[1]))["parameters"]["include_heads"] == [1]
    assert told(neuron_view(seen, heads=[1]))["names"]["att_head"] == [1]
    assert told(head_view(seen, heads=[1], layer=1))["parameters"]["heads"] == [1]


@pytest.mark.parametrize("numbers", [[2], [-1], [], [0, 0]])
@pytest.mark.parametrize("view", VIEWS)
def test_layers_and_heads_that_are_not_there_are_refused(view, numbers, seen):
    for name in ("layers", "heads"):
        with pytest.raises(ValueError, match=f"{name} are .* from 0 to 1"):
            view(seen, **{name: numbers})


def test_what_is_shown_first_has_to_be_in_the_page(seen):
    for view in (head_view, neuron_view):
        with pytest.raises(ValueError, match="no layer 0 in the page"):
            view(seen, layers=[1], layer=0)
    with pytest.raises(ValueError, match="no head"):
        neuron_view(seen, heads=[1], head=0)


def test_layers_with_different_numbers_of_heads_are_refused_unless_alike_ones_are_named(seen):
    fewer = replace(
        seen.layers[1],
        **{
            name: tensor[:, :1]
            for name, tensor in seen.layers[1].tensors().items()
            if tensor.dim() == 4
        },
    )
    uneven = replace(seen, layers=(seen.layers[0], fewer))
    with pytest.raises(ValueError, match="different numbers of heads"):
        head_view(uneven)
    assert told(head_view(uneven, layers=[1]))["numbers"]["attention"]["shape"][:2] == [1, 1]


@pytest.mark.parametrize("view", VIEWS)
def test_hostile_tokens_leave_no_mark_up_in_the_page(view, seen):
    seen.tokens[0][1:4] = [EVIL, "</script>", "\u202eabc"]
    made = view(seen)
    page = made.to_html()
    assert "<img" not in page.split("</style>")[1].split("<script>")[0]
    assert page.count("</script>") == 2
    assert told(made)["tokens"][1:4] == ["<img src=x on…", "</script>", "⟨U+202E⟩abc"]
    assert "\u202e" not in page + repr(made)


@pytest.mark.parametrize("view", VIEWS)
def test_the_page_names_no_address_that_it_could_fetch(view, seen):
    page = view(seen).to_html()
    assert "cdnjs" not in page
    assert "require.config" not in page
    assert not re.search(r"<(script|link|img|iframe)[^>]*\b(src|href)=\"(?!data:)", page)
    assert "default-src 'none'" in page


def large(layers=12, heads=4, tokens=64):
    config = ElectraConfig(
        vocab_size=200,
        embedding_size=16,
        hidden_size=64 * heads,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=16,
    )
    model = ElectraForPreTraining(config).eval()
    segments = torch.arange(tokens)[None] >= tokens // 2
    ids = torch.randint(5, 200, (1, tokens))
    return trace(model, {"input_ids": ids, "token_type_ids": segments.long()})


def test_a_pair_of_64_tokens_in_12_layers_of_4_heads_takes_at_most_4_megabytes(monkeypatch):
    seen = large()
    monkeypatch.setattr(display_module, "_chosen", "page")
    for view in VIEWS:
        data, _ = view(seen)._repr_mimebundle_()
        print(view.__name__, len(data["text/html"].encode()))
        assert 300_000 < len(data["text/html"].encode()) < 4_000_000


def test_a_larger_page_is_refused_with_its_size_and_what_to_do():
    seen = large(layers=3, heads=8, tokens=256)
    message = r"head view would be a page of 4\.\d MB \(3 layers x 8 heads x 256 tokens\).* layers="
    with pytest.raises(ValueError, match=message):
        head_view(seen)
    assert head_view(seen, layers=[0, 1]).layers == [0, 1]


def test_a_decoders_later_tokens_are_not_drawn(pair):
    options = {**pair.discriminator.config.to_dict(), "is_decoder": True}
    model = ElectraForCausalLM(ElectraConfig.from_dict(options)).eval()
    decoder = neuron_view(trace(model, TEXT, tokenizer=pair.tokenizer))
    encoder = neuron_view(trace(pair.discriminator, TEXT, tokenizer=pair.tokenizer))
    assert told(decoder)["parameters"]["bidirectional"] is False
    assert told(encoder)["parameters"]["bidirectional"] is True


@pytest.mark.parametrize("view", VIEWS)
def test_a_notebook_stores_picture_and_text_and_an_export_the_page_besides(view, seen, monkeypatch):
    made = view(seen)
    monkeypatch.setattr(display_module, "_chosen", "static")
    data, _ = made._repr_mimebundle_()
    assert set(data) == {"text/plain", "image/png"}
    assert data["image/png"].startswith(b"\x89PNG")
    assert data["text/plain"] == repr(view(seen))
    assert "layers 0 to 1, heads 0 to 1" in data["text/plain"]

    monkeypatch.setattr(display_module, "_chosen", "page")
    data, _ = made._repr_mimebundle_()
    assert f'srcdoc="{html.escape(made.to_html())}"' in data["text/html"]
    assert 'sandbox="allow-scripts"' in data["text/html"]

    monkeypatch.setattr(display_module, "_chosen", "live")
    data, _ = made._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert made.widget.state["page"] == made.to_html()


def test_what_other_people_wrote_is_named_with_its_licence():
    folder = bertviz_views.source("vendor/NOTICE")
    for name, licence, said in (
        ("head_view.js", "bertviz", "Apache License"),
        ("model_view.js", "bertviz", "Apache License"),
        ("neuron_view.js", "bertviz", "Apache License"),
        ("d3.min.js", "d3", "Mike Bostock"),
        ("jquery.min.js", "jquery", "OpenJS Foundation"),
    ):
        assert bertviz_views.source(f"vendor/{name}")
        assert name in folder
        assert f"LICENSE-{licence}" in folder
        assert said in bertviz_views.source(f"vendor/LICENSE-{licence}")
