"""Explorers: a control moves, the model is asked again, the views follow."""

from pathlib import Path

import nbformat
import pytest
import torch
from IPython.core.formatters import DisplayFormatter
from nbclient import NotebookClient
from PIL import Image

from electra_lab.inside.explorers import LiveTrainingChart, MaskExplorer, ReplacedTokenExplorer
from electra_lab.inside.explorers.words import changes, words_of
from electra_lab.inside.predictions import propose, replaced_probabilities
from electra_lab.inside.views import display as display_module
from electra_lab.inside.views import display_mode
from electra_lab.training.state import TrainingState

TEXT = "The chef cooked the meal."
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(autouse=True)
def live_unless_told_otherwise(monkeypatch):
    monkeypatch.delenv("ELECTRA_LAB_DISPLAY", raising=False)
    monkeypatch.setattr(display_module, "_chosen", None)


@pytest.fixture
def replaced(pair):
    return ReplacedTokenExplorer(pair, TEXT)


@pytest.fixture
def mask(pair):
    return MaskExplorer(pair, TEXT, "cooked", top_k=5)


def originals(view):
    return {
        token: original
        for token, original, mark in zip(view.tokens, view.originals, view.replaced, strict=True)
        if mark
    }


def test_the_heat_map_shows_what_the_discriminator_says(replaced, pair):
    expected = replaced_probabilities(pair.discriminator, pair.tokenizer, TEXT)
    assert tuple(replaced.heat_map.tokens) == expected.tokens
    assert tuple(replaced.heat_map.probabilities) == expected.probabilities
    assert originals(replaced.heat_map) == {}


def test_a_typed_sentence_is_asked_about_and_compared_with_the_original(replaced, pair):
    replaced.controls["text"].value = "the chef ate the meal."
    expected = replaced_probabilities(pair.discriminator, pair.tokenizer, "the chef ate the meal.")
    assert tuple(replaced.heat_map.probabilities) == expected.probabilities
    assert originals(replaced.heat_map) == {"ate": "cooked"}
    assert replaced.heat_map.note == "Changed: cooked → ate"


def test_a_swapped_word_of_several_pieces_is_marked_whole(replaced):
    replaced.controls["word"].value = 1
    replaced.controls["becomes"].value = "dogs"
    assert replaced.text == "The dogs cooked the meal."
    assert replaced.controls["text"].value == replaced.text
    assert replaced.controls["becomes"].value == ""
    assert originals(replaced.heat_map) == {"dog": "chef", "##s": None}


def test_a_click_on_a_token_chooses_its_word_for_swapping(replaced):
    replaced.heat_map.widget._handle_custom_msg({"event": "choose", "index": 5}, [])
    assert replaced.controls["word"].value == 4
    replaced.controls["becomes"].value = "house"
    assert replaced.text == "The chef cooked the house."


def test_words_added_and_left_out_are_named(replaced):
    replaced.text = "The old chef cooked meal."
    assert replaced.message == "Changed: (nothing) → old; the → (nothing)"
    assert originals(replaced.heat_map) == {"old": None}


def test_reset_goes_back_to_the_original(replaced):
    before = repr(replaced)
    replaced.swap(2, "ate")
    assert repr(replaced) != before
    replaced.controls["reset"].click()
    assert repr(replaced) == before


def test_an_empty_text_gives_a_message_and_the_next_text_works_again(replaced, mask):
    for explorer, view in ((replaced, replaced.heat_map), (mask, mask.proposals)):
        explorer.controls["text"].value = "  "
        assert view.tokens == []
        assert view.note == "The text is empty. Give at least one word."
        assert explorer.controls["word"].options == ()
        explorer.to_png()
        explorer.controls["text"].value = "the dog slept"
        assert view.tokens
        assert len(explorer.controls["word"].options) == 3


def test_too_long_a_text_gives_a_message(replaced, mask):
    for explorer in (replaced, mask):
        explorer.controls["text"].value = "dog " * 40
        assert (
            explorer.message == "The text has 42 tokens, the model 32 positions. Shorten the text."
        )


@pytest.mark.parametrize("kind", [ReplacedTokenExplorer, MaskExplorer])
def test_the_constructors_refuse_an_empty_text(kind, pair):
    with pytest.raises(ValueError, match="The text is empty. Give at least one word."):
        kind(pair, " ")


def test_the_chart_shows_what_the_generator_proposes(mask, pair):
    (expected,) = propose(pair.generator, pair.tokenizer, "The chef [MASK] the meal.", top_k=5)
    assert tuple(mask.proposals.tokens) == expected.tokens
    assert mask.proposals.probabilities == pytest.approx(expected.probabilities)
    assert mask.proposals.title == "The chef [MASK] the meal."


def test_masking_another_word_asks_about_that_one(mask, pair):
    mask.controls["word"].value = 4
    (expected,) = propose(pair.generator, pair.tokenizer, "The chef cooked the [MASK].", top_k=5)
    assert tuple(mask.proposals.tokens) == expected.tokens
    mask.verdict.widget._handle_custom_msg({"event": "choose", "index": 2}, [])
    assert mask.proposals.title == "The [MASK] cooked the meal."
    assert mask.controls["word"].value == 1


def test_temperature_sharpens_and_flattens_the_proposals(mask):
    first = mask.proposals.probabilities[0]
    mask.controls["temperature"].value = 0.2
    assert mask.proposals.probabilities[0] > first
    mask.controls["temperature"].value = 3.0
    assert mask.proposals.probabilities[0] < first


def test_a_clicked_proposal_is_put_back_and_judged(mask, pair):
    words = [token for token in mask.proposals.tokens if token.isalpha() and token != "cooked"]
    token = words[0]
    index = mask.proposals.tokens.index(token)
    mask.proposals.widget._handle_custom_msg({"event": "choose", "index": index}, [])
    expected = replaced_probabilities(
        pair.discriminator, pair.tokenizer, f"The chef {token} the meal."
    )
    assert tuple(mask.verdict.tokens) == expected.tokens
    assert mask.verdict.probabilities == pytest.approx(expected.probabilities)
    assert originals(mask.verdict) == {token: "cooked"}
    assert mask.message.startswith(f"Put back: {token} (")


def test_a_lucky_sample_counts_as_original(mask):
    mask.put_back("cooked")
    assert originals(mask.verdict) == {}
    assert "It is the original word" in mask.message


def test_a_word_of_several_pieces_becomes_one_mask(pair):
    explorer = MaskExplorer(pair, "the dogs slept", "dogs")
    assert explorer.proposals.title == "the [MASK] slept"
    explorer.put_back("chef")
    assert explorer.verdict.tokens == ["[CLS]", "the", "chef", "slept", "[SEP]"]
    explorer.verdict.widget._handle_custom_msg({"event": "choose", "index": 3}, [])
    assert explorer.proposals.title == "the dogs [MASK]"


def test_samples_follow_the_generators_distribution(mask):
    shares = dict(zip(mask.proposals.tokens, mask.proposals.probabilities, strict=True))
    drawn = [mask.sample() for _ in range(150)]
    best = mask.proposals.tokens[0]
    spread = (shares[best] * (1 - shares[best]) / 150) ** 0.5
    assert abs(drawn.count(best) / 150 - shares[best]) < 5 * spread


def test_the_same_seed_draws_the_same_and_another_seed_does_not(pair):
    draws = {
        seed: [explorer.sample() for _ in range(12)]
        for seed, explorer in ((s, MaskExplorer(pair, TEXT, "cooked", seed=s)) for s in (3, 4))
    }
    again = MaskExplorer(pair, TEXT, "cooked", seed=3)
    assert [again.sample() for _ in range(12)] == draws[3]
    assert draws[3] != draws[4]


def test_bad_choices_are_refused_and_named(pair, mask, replaced):
    with pytest.raises(ValueError, match="The sentence has no word 'moon'; it has 0 The, 1 chef"):
        mask.mask("moon")
    with pytest.raises(ValueError, match="The sentence has no word 9"):
        MaskExplorer(pair, TEXT, 9)
    with pytest.raises(ValueError, match="'moon' is no token of the vocabulary"):
        mask.put_back("moon")
    with pytest.raises(ValueError, match="temperature is 0.0"):
        mask.temperature = 0.0
    with pytest.raises(ValueError, match="top_k is 0"):
        MaskExplorer(pair, TEXT, top_k=0)
    with pytest.raises(IndexError, match="There is no word 7; the sentence has the words 0 to 5"):
        replaced.swap(7, "dog")
    mask.text = ""
    with pytest.raises(ValueError, match="No word is masked. The text is empty"):
        mask.sample()


def test_explorers_have_a_stable_text_a_picture_and_a_page(replaced, mask, pair, tmp_path):
    assert repr(replaced) == repr(ReplacedTokenExplorer(pair, TEXT))
    for explorer in (replaced, mask):
        explorer.save(tmp_path / "explorer.png")
        assert Image.open(tmp_path / "explorer.png").width == 1440
        assert "Its controls need a running notebook" in explorer.to_html()
        assert explorer.to_html().count('<script type="module">') == len(explorer.views)


def test_a_mode_without_widgets_makes_no_controls(replaced, mask):
    display_mode("static")
    for explorer in (replaced, mask):
        data, _ = DisplayFormatter().format(explorer)
        assert set(data) == {"image/png", "text/plain"}
        assert "controls" not in explorer.__dict__
        assert all(view._widget is None for view in explorer.views)
    display_mode("live")
    assert WIDGET in DisplayFormatter().format(mask)[0]


def test_one_change_asks_each_model_once(replaced, mask, pair):
    calls = []
    for name in ("generator", "discriminator"):
        getattr(pair, name).register_forward_hook(lambda *_, name=name: calls.append(name))
    assert replaced.controls["text"].value == mask.controls["text"].value == TEXT
    assert calls == []
    replaced.controls["text"].value = "the old dog slept"
    assert calls == ["discriminator"]
    calls.clear()
    mask.controls["text"].value = "the old dog slept"
    assert sorted(calls) == ["discriminator", "generator"]


def test_words_keep_their_places_in_text_and_tokens(pair):
    words = words_of(pair.tokenizer, "The dogs, slept")
    assert [word.text for word in words] == ["The", "dogs", ",", "slept"]
    assert [word.first for word in words] == [1, 2, 4, 5]
    assert words[1].pieces == ("dog", "##s")
    assert all("The dogs, slept"[word.start : word.stop] == word.text for word in words)


def test_a_change_of_case_alone_is_no_change(pair):
    assert changes(words_of(pair.tokenizer, "The Dog"), words_of(pair.tokenizer, "the dog")) == []


def training_state(total=3):
    module = torch.nn.Linear(1, 1)
    return TrainingState(module, torch.optim.SGD(module.parameters(), lr=1.0), total)


def test_the_live_chart_has_every_row_at_the_end_and_redraws_seldom(monkeypatch):
    live, state, drawn = LiveTrainingChart(), training_state(200), []
    update = live.chart.update
    monkeypatch.setattr(live.chart, "update", lambda rows: (drawn.append(len(rows)), update(rows)))
    live.on_start(state)
    for step in range(1, 201):
        live.on_log({"step": step, "mlm_loss": 1.0})
    live.on_end(state)
    assert len(live.chart.history) == 200
    assert len(drawn) < 20
    assert repr(live) == "LiveTrainingChart: 200 steps"


def test_the_live_chart_sees_figures_that_later_callbacks_add():
    live, state = LiveTrainingChart(), training_state(1)
    row = {"step": 1, "mlm_loss": 1.0}
    live.on_start(state)
    live.on_log(row)
    row["rtd_auc"] = 0.9
    live.on_end(state)
    assert [panel.title for panel in live.chart.panels()] == ["Generator loss (MLM)", "ROC AUC"]


def test_outside_a_notebook_the_live_chart_prints_nothing(capsys):
    live, state = LiveTrainingChart(), training_state()
    live.on_start(state)
    live.on_log({"step": 1, "mlm_loss": 1.0})
    live.on_end(state)
    assert capsys.readouterr() == ("", "")


NOTEBOOK = """
import torch
from electra_lab import LiveTrainingChart, MaskExplorer, ReplacedTokenExplorer, load_pair
from electra_lab.training.state import TrainingState
pair = load_pair({folder!r})
live = LiveTrainingChart()
state = TrainingState(torch.nn.Linear(1, 1), None, 1)
live.on_start(state)
live.on_log(dict(step=1, mlm_loss=1.0))
live.on_end(state)
---
ReplacedTokenExplorer(pair, "the dog slept")
---
MaskExplorer(pair, "the dog slept")
"""


def test_a_notebook_executed_for_storing_keeps_text_and_pictures_only(pair, tmp_path, monkeypatch):
    monkeypatch.setenv("ELECTRA_LAB_DISPLAY", "static")
    pair.save(tmp_path)
    cells = NOTEBOOK.format(folder=str(tmp_path)).split("---\n")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=120,
        resources={"metadata": {"path": str(Path.cwd())}},
    ).execute()
    assert "widgets" not in notebook.metadata
    for cell in notebook.cells:
        (output,) = cell.outputs
        assert set(output.data) == {"image/png", "text/plain"}
    assert notebook.cells[0].outputs[0].data["text/plain"] == "LiveTrainingChart: 1 steps"
