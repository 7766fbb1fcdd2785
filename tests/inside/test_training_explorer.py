"""The training explorer: a run's pairs are asked again, and all views follow."""

import json

import pytest
import torch

from electra_lab.checkpoints.pair import load_pair
from electra_lab.inside.explorers import TrainingExplorer
from electra_lab.inside.explorers.training import MOST_SNAPSHOTS, NAMES
from electra_lab.inside.predictions import propose, replaced_probabilities
from electra_lab.inside.views import display as display_module
from electra_lab.training.snapshots import SNAPSHOTS_FOLDER

TEXTS = ["The old chef cooked the meal.", "A dog slept in the old house.", "the dog ate"] * 4
TEXT = "The chef ate the house."
STEPS = [0, 10, 20]


@pytest.fixture(autouse=True)
def live_unless_told_otherwise(monkeypatch):
    monkeypatch.delenv("ELECTRA_LAB_DISPLAY", raising=False)
    monkeypatch.setattr(display_module, "_chosen", None)


@pytest.fixture
def run(pair, tmp_path):
    """The folder of a run with three snapshots that differ."""
    rows = [{"step": s, "mlm_loss": 9.0 - s / 10, "rtd_loss": 0.5} for s in range(2, 21, 2)]
    (tmp_path / "history.json").write_text(json.dumps({"history": rows}))
    for step in STEPS:
        pair.save(tmp_path / SNAPSHOTS_FOLDER / f"step-{step:08}", dtype=torch.float16)
        with torch.no_grad():
            pair.discriminator.head.score.bias -= 0.7
            pair.generator.head.bias[7] += 2
    return tmp_path


@pytest.fixture
def explorer(run):
    return TrainingExplorer(run, TEXTS, TEXT, original="The chef ate the meal.", probability=0.4)


def snapshot(run, step):
    return load_pair(run / SNAPSHOTS_FOLDER / f"step-{step:08}")


def test_the_sentence_is_shown_as_each_snapshot_judges_it(explorer, run):
    replay = explorer.replay
    assert replay.steps == explorer.steps == STEPS
    for number, step in enumerate(STEPS):
        pair = snapshot(run, step)
        said = replaced_probabilities(pair.discriminator, pair.tokenizer, TEXT)
        assert tuple(replay.tokens) == said.tokens
        assert replay.probabilities[number] == pytest.approx(said.probabilities, abs=1e-5)
        (wanted,) = propose(pair.generator, pair.tokenizer, "The chef ate the [MASK].", top_k=5)
        assert tuple(replay.proposals[number][0]) == wanted.tokens
        assert replay.proposals[number][1] == pytest.approx(wanted.probabilities, abs=1e-5)
    assert replay.originals == [None, None, None, None, None, "meal", None, None]
    assert (replay.masked, replay.original) == ("The chef ate the [MASK].", "meal")


def test_figures_of_the_run_stand_beside(explorer):
    first, middle, last = explorer.replay.figures
    assert "generator loss" not in first
    assert (middle["generator loss"], last["generator loss"]) == (8.0, 7.0)
    own = explorer.calibration.calibrations[NAMES["generator"]]
    assert last["calibration error"] == own.expected_error
    assert last["area under the curve"] == own.area


def test_the_slider_moves_every_view(explorer):
    before = [repr(view) for view in explorer.views]
    explorer.replay.widget._handle_custom_msg({"event": "choose", "index": 0}, [])
    assert explorer.step == 0
    assert explorer.curves.marked == 0
    assert explorer.calibration.note == explorer.fooled.note == "step 0"
    after = [repr(view) for view in explorer.views]
    assert [a != b for a, b in zip(before, after, strict=True)] == [False, False, True, True]
    explorer.replay.widget._handle_custom_msg({"event": "choose", "index": 9}, [])
    assert explorer.step == 0


def test_a_clicked_mistake_is_replayed_with_what_stood_there_marked(explorer):
    mistake = explorer.fooled.fooled.missed[0].mistakes[0]
    explorer.fooled.widget._handle_custom_msg({"event": "choose", "index": mistake.text}, [])
    assert mistake.token in explorer.replay.tokens
    assert mistake.original in explorer.replay.originals
    assert explorer.controls["text"].value == explorer.text


def test_controls_change_text_word_and_kind_of_mistakes(explorer):
    controls = explorer.controls
    controls["text"].value = "the dog slept"
    assert explorer.replay.tokens == ["[CLS]", "the", "dog", "slept", "[SEP]"]
    assert explorer.replay.originals == [None] * 5
    controls["word"].value = 2
    assert explorer.replay.masked == "the dog [MASK]"
    own = repr(explorer.fooled)
    controls["corruption"].value = "unigrams"
    assert repr(explorer.fooled) != own
    assert explorer.fooled.title.endswith(NAMES["unigrams"])
    controls["text"].value = " "
    assert explorer.replay.note == "The text is empty. Give at least one word."
    controls["text"].value = "dog " * 40
    assert "42 tokens, the model 32 positions" in explorer.replay.note
    controls["text"].value = "the dog ate"
    assert explorer.replay.tokens[2] == "dog"


def test_several_runs_share_the_chart_and_one_of_them_is_replayed(run, pair):
    both = {"first": run, "ended": [{"step": 3, "mlm_loss": 2.0}], "shipped": pair}
    explorer = TrainingExplorer(both, TEXTS, run="shipped")
    assert list(explorer.curves.runs) == ["first", "ended"]
    assert explorer.steps == [0]
    assert explorer.curves.marked is None
    assert [name for name, _ in explorer.controls["run"].options] == ["first", "shipped"]
    explorer.controls["run"].value = "first"
    assert explorer.steps == STEPS
    assert explorer.replay.title == "first"
    with pytest.raises(
        ValueError, match="no run 'ended' with a pair; there are 'first', 'shipped'"
    ):
        explorer.run = "ended"


def test_runs_without_pairs_are_curves_and_a_pair_alone_has_none(pair):
    rows = [{"step": 1, "loss": 2.0, "validation_accuracy": 0.5}]
    explorer = TrainingExplorer({"a": rows, "b": rows})
    assert explorer.views == [explorer.curves]
    _ = explorer.panel
    with pytest.raises(ValueError, match="No run left a pair, so there are only curves"):
        _ = explorer.text
    alone = TrainingExplorer(pair, text="the dog ate")
    assert alone.views == [alone.replay]
    with pytest.raises(ValueError, match="There is no text"):
        TrainingExplorer(pair)


def test_of_many_snapshots_some_are_taken_the_first_and_the_last_among_them(explorer):
    many = explorer._runs[""]
    many.paths = dict.fromkeys(range(0, 1_000, 10), many.paths[0])
    assert len(many.steps) == MOST_SNAPSHOTS
    assert (many.steps[0], many.steps[-1]) == (0, 990)


def test_texts_are_judged_once_for_each_snapshot_and_kind(explorer, monkeypatch):
    asked = []
    real = explorer._judge
    explorer._judge = lambda pair, texts, by: (asked.append(by), real(pair, texts, by))[1]
    explorer.step = 0
    explorer.step = 20
    explorer.step = 0
    assert asked == ["unigrams"]  # by generators all were judged for the figures


def test_bad_choices_are_refused_and_named(explorer, run):
    with pytest.raises(ValueError, match="There is no snapshot of step 7; there are 0, 10, 20"):
        explorer.step = 7
    with pytest.raises(ValueError, match="corruption is 'noise'"):
        explorer.corruption = "noise"
    with pytest.raises(ValueError, match="The sentence has no word 'moon'; it has 0 The, 1 chef"):
        explorer.mask("moon")
    with pytest.raises(ValueError, match="texts is one string"):
        TrainingExplorer(run, "a text")
    with pytest.raises(ValueError, match="no run 'other' with a pair; there are ''"):
        TrainingExplorer(run, TEXTS, run="other")


def test_the_explorer_has_a_stable_text_a_picture_and_a_page(explorer, run, tmp_path):
    assert repr(explorer).splitlines()[0] == "TrainingExplorer"
    page = explorer.to_html()
    assert page.count('<script type="module">') == 4
    assert "Its controls need a running notebook" in page
    assert len(page) < 1_000_000
    explorer.save(tmp_path / "explorer.png")
