"""The attention explorer: every head, every kind of input, heads off and on again."""

import numpy as np
import pytest
import torch
import transformers

from electra_lab.checkpoints.pair import load_pair
from electra_lab.inside.explorers import AttentionExplorer
from electra_lab.inside.explorers.sayings import MOST, sayings
from electra_lab.inside.trace import SwitchOffHeads, trace
from electra_lab.inside.views import ChangeChart
from electra_lab.inside.views import display as display_module
from electra_lab.model import causal_lm, electra, heads, task_heads
from electra_lab.model.config import ElectraConfig

TEXT = "The old chef cooked the meal."


@pytest.fixture(autouse=True)
def live_unless_told_otherwise(monkeypatch):
    monkeypatch.delenv("ELECTRA_LAB_DISPLAY", raising=False)
    monkeypatch.setattr(display_module, "_chosen", None)


@pytest.fixture
def explorer(pair):
    return AttentionExplorer(pair.discriminator, pair.tokenizer, TEXT)


def model_of(kind, pair, **options):
    config = ElectraConfig.from_dict({**pair.discriminator.config.to_dict(), **options})
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return kind(config)


def test_the_view_shows_the_traces_attention(explorer, pair):
    seen = trace(pair.discriminator, TEXT, tokenizer=pair.tokenizer)
    assert explorer.attention.tokens == seen.tokens[0]
    for layer in range(2):
        np.testing.assert_allclose(
            explorer.attention.weights[layer], seen.layers[layer].attention[0], atol=1e-6
        )
    assert explorer.outcome.numbers == pytest.approx(seen.probabilities[0, 1:-1].tolist())
    assert explorer.outcome.before is None


def test_a_head_that_is_switched_off_is_traced_again_and_both_outcomes_are_shown(explorer, pair):
    intact = explorer.outcome.numbers
    explorer.attention.widget._handle_custom_msg(
        {"event": "switch", "layer": 1, "head": 0, "off": True}, []
    )
    expected = trace(
        pair.discriminator, TEXT, tokenizer=pair.tokenizer, interventions=SwitchOffHeads(1, 0)
    )
    assert explorer.off == explorer.attention.off == {(1, 0)}
    assert explorer.outcome.before == pytest.approx(intact)
    assert explorer.outcome.numbers == pytest.approx(expected.probabilities[0, 1:-1].tolist())
    assert explorer.outcome.numbers != pytest.approx(intact)
    assert not explorer.attention.weights[1, 0].any()
    explorer.attention.widget._handle_custom_msg(
        {"event": "switch", "layer": 1, "head": 0, "off": False}, []
    )
    assert explorer.outcome.numbers == intact
    assert explorer.outcome.before is None


def test_all_heads_of_a_layer_are_switched_by_its_button(explorer):
    button = explorer.controls["layer"]
    explorer.attention.widget._handle_custom_msg({"event": "choose", "layer": 1, "head": 1}, [])
    assert button.description == "Switch layer 1 off"
    assert explorer.controls["restore"].disabled
    button.click()
    assert explorer.off == {(1, 0), (1, 1)}
    assert button.description == "Switch layer 1 on"
    explorer.switch(0, 0)
    button.click()
    assert explorer.off == {(0, 0)}
    explorer.controls["restore"].click()
    assert explorer.off == frozenset()
    explorer.attention.widget._handle_custom_msg(
        {"event": "choose", "layer": None, "head": "mean"}, []
    )
    assert button.disabled


def test_heads_stay_off_when_the_text_changes_and_are_compared_on_the_new_text(explorer, pair):
    explorer.switch(0, 1)
    explorer.controls["first"].value = "a dog ate"
    intact = trace(pair.discriminator, "a dog ate", tokenizer=pair.tokenizer)
    without = trace(
        pair.discriminator,
        "a dog ate",
        tokenizer=pair.tokenizer,
        interventions=SwitchOffHeads(0, 1),
    )
    assert explorer.outcome.before == pytest.approx(intact.probabilities[0, 1:-1].tolist())
    assert explorer.outcome.numbers == pytest.approx(without.probabilities[0, 1:-1].tolist())
    assert explorer.attention.off == {(0, 1)}


def test_a_second_text_makes_a_pair_and_leaving_it_empty_a_single_text_again(explorer):
    explorer.controls["second"].value = "the dog ate"
    assert explorer.text == (TEXT, "the dog ate")
    assert explorer.attention.tokens.count("[SEP]") == 2
    assert explorer.attention.segments[-1] == 1
    explorer.controls["second"].value = " "
    assert explorer.text == TEXT
    assert set(explorer.attention.segments) == {0}


def test_a_text_that_cannot_be_traced_gives_a_message_and_the_next_one_works(explorer):
    explorer.switch(1, 1)
    explorer.attention.choose(1, 1)
    for text, said in (
        (" ", "The text is empty. Give at least one word."),
        ("dog " * 40, "The input has 42 tokens, the model 32 positions. Shorten the text"),
    ):
        explorer.controls["first"].value = text
        assert explorer.attention.note.startswith(said)
        assert explorer.message == explorer.attention.note
        assert explorer.attention.tokens == explorer.outcome.names == []
        explorer.to_png()
    explorer.controls["first"].value = "the dog ate"
    assert explorer.attention.tokens[1:-1] == ["the", "dog", "ate"]
    assert (explorer.attention.layer, explorer.attention.head) == (1, 1)
    assert explorer.off == {(1, 1)}


def test_refused_calls_say_what_there_is(explorer, pair):
    with pytest.raises(IndexError, match="no layer 7, head 0; there are layers 0 to 1 with heads"):
        explorer.switch(7, 0)
    with pytest.raises(IndexError, match="no layer 2"):
        explorer.switch_layer(2)
    with pytest.raises(IndexError, match="There is no row 1; the rows are 0 to 0"):
        explorer.row = 1
    assert explorer.off == frozenset()
    with pytest.raises(ValueError, match="The text is empty"):
        AttentionExplorer(pair.discriminator, pair.tokenizer, "")
    with pytest.raises(ValueError, match=r"text is \['a'\]. Give one text, a \(text, text\) pair"):
        AttentionExplorer(pair.discriminator, pair.tokenizer, ["a"])
    with pytest.raises(ValueError, match="There is no layer 5"):
        AttentionExplorer(pair.discriminator, pair.tokenizer, TEXT, layer=5)


LABELS = {"id2label": {0: "bad", 1: "fair", 2: "good"}, "num_labels": 3}
HEADS = [
    (electra.ElectraModel, {}, TEXT),
    (heads.ElectraForPreTraining, {}, TEXT),
    (heads.ElectraForMaskedLM, {}, "The [MASK] cooked the [MASK]."),
    (heads.ElectraForMaskedLM, {}, TEXT),
    (causal_lm.ElectraForCausalLM, {"is_decoder": True}, TEXT),
    (task_heads.ElectraForSequenceClassification, LABELS, (TEXT, "the dog ate")),
    (
        task_heads.ElectraForSequenceClassification,
        {"problem_type": "regression", "num_labels": 1, "id2label": {0: "stars"}},
        TEXT,
    ),
    (task_heads.ElectraForTokenClassification, LABELS, TEXT),
    (
        task_heads.ElectraForQuestionAnswering,
        {},
        {"question": "the chef", "context": "the dog ate the meal . " * 8},
    ),
    (
        task_heads.ElectraForMultipleChoice,
        {},
        {"context": TEXT, "choices": ["a dog", "a meal", "the house"]},
    ),
]


@pytest.mark.parametrize(
    ("kind", "options", "text"), HEADS, ids=[f"{n}-{h[0].__name__}" for n, h in enumerate(HEADS)]
)
def test_every_head_is_explored(kind, options, text, pair):
    model = model_of(kind, pair, **options)
    explorer = AttentionExplorer(model, pair.tokenizer, text)
    before = explorer.outcome.numbers
    explorer.switch_layer(0)
    now = explorer.outcome
    assert len(now.names) == len(now.before) == len(now.numbers)
    if kind is electra.ElectraModel:
        assert now.names == []
        assert "no head" in now.title
    else:
        assert 1 <= len(now.names) <= 2 * MOST
        assert now.before != now.numbers
        assert len(before) <= len(now.numbers)
    # typing in both fields, whatever they are called
    explorer.controls["second"].value = "the dog | a meal"
    assert explorer.message.startswith("Choose a head")
    assert len(explorer.controls["row"].options) == len(explorer._intact)
    assert explorer.panel is not None
    assert repr(explorer).startswith("AttentionExplorer\nAttentionView: 2 layers of 2 heads")


def test_windows_and_choices_are_chosen_by_row(pair):
    model = model_of(task_heads.ElectraForMultipleChoice, pair)
    choices = {"context": TEXT, "choices": ["a dog", "a meal", "the house"]}
    explorer = AttentionExplorer(model, pair.tokenizer, choices)
    row = explorer.controls["row"]
    assert row.layout.display is None
    row.value = 2
    assert explorer.attention.tokens[-3:] == ["the", "house", "[SEP]"]
    assert explorer.outcome.names == ["choice 0", "choice 1", "choice 2"]
    assert sum(explorer.outcome.numbers) == pytest.approx(1)
    # fewer choices: the row is one that there is
    explorer.controls["second"].value = "a dog | a meal"
    assert explorer.row == 1
    assert explorer.text["choices"] == ["a dog", "a meal"]


def test_a_live_transformers_model_says_what_ours_does(pair, tmp_path):
    pair.discriminator.save_pretrained(tmp_path / "model")
    pair.tokenizer.save_pretrained(tmp_path / "model")
    theirs = transformers.ElectraForPreTraining.from_pretrained(tmp_path / "model")
    tokenizer = transformers.ElectraTokenizer.from_pretrained(tmp_path / "model")
    live = AttentionExplorer(theirs, tokenizer, TEXT)
    own = AttentionExplorer(pair.discriminator, pair.tokenizer, TEXT)
    for explorer in (live, own):
        explorer.switch(0, 1)
    np.testing.assert_allclose(live.attention.weights, own.attention.weights, atol=1e-5)
    assert live.outcome.numbers == pytest.approx(own.outcome.numbers, abs=1e-5)
    assert live.outcome.names == own.outcome.names


def test_the_shipped_pair_is_explored():
    pair = load_pair("micro")
    explorer = AttentionExplorer(pair.generator, pair.tokenizer, "the [MASK] sleeps .")
    assert len(explorer.outcome.names) == 5
    assert explorer.outcome.numbers == sorted(explorer.outcome.numbers, reverse=True)


def test_of_many_tokens_those_are_shown_that_moved_most_in_the_order_of_the_text(pair):
    text = " ".join(["dog ate the meal ."] * 5)
    before = trace(pair.discriminator, text, tokenizer=pair.tokenizer)
    after = trace(
        pair.discriminator, text, tokenizer=pair.tokenizer, interventions=SwitchOffHeads(0)
    )
    said = sayings(before, after)
    moved = (after.probabilities - before.probabilities)[0, 1:-1].abs()
    assert len(said.names) == MOST
    shown = [abs(a - b) for a, b in zip(said.numbers, said.before, strict=True)]
    assert sorted(shown) == pytest.approx(sorted(moved.topk(MOST).values.tolist()), abs=1e-6)
    places = moved.topk(MOST).indices.sort().values
    assert shown == pytest.approx(moved[places].tolist(), abs=1e-6)


def test_a_change_chart_says_how_far_each_number_moved():
    chart = ChangeChart(["yes", "\u202eno"], [0.75, 0.25], before=[0.5, 0.25], title="T")
    assert repr(chart) == "ChangeChart\n  T\n  yes .50 → .75 (+.25)\n  ⟨U+202E⟩no .25 → .25"
    assert chart.state()["rows"][0]["before"] == 0.5
    assert repr(ChangeChart(["x"], [-2.5], before=[1.0], scale=None)) == (
        "ChangeChart\n  x 1.00 → −2.50 (−3.50)"
    )
    with pytest.raises(ValueError, match="There are 1 names but 2 numbers; give one for each"):
        chart.update(["x"], [0.1, 0.2])
    with pytest.raises(ValueError, match="There are 1 names but 0 numbers before"):
        chart.update(["x"], [0.1], before=[])
    for number in (1.5, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="The largest number is .* Give probabilities, or"):
            chart.update(["x", "y"], [0.5, number])
    with pytest.raises(ValueError, match="The largest number is inf"):
        chart.update(["x"], [float("inf")], scale=None)
    assert chart.names == ["yes", "\u202eno"]
