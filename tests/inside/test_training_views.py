"""Views of training: curves of several runs, calibration, mistakes by token, a replay."""

import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from electra_lab.inside.analysis.calibration import calibrate
from electra_lab.inside.analysis.corrupted import Judged
from electra_lab.inside.analysis.fooled import fooled_tokens
from electra_lab.inside.views import (
    CalibrationChart,
    FooledView,
    ReplayView,
    TrainingChart,
    display_mode,
)
from electra_lab.inside.views import display as display_module
from electra_lab.inside.views.alt_text import PICTURES
from electra_lab.inside.views.training_chart import smoothed

from .test_views import HOSTILE, Fetches, shown, state_in


def rows(count=20, apart=10, **more):
    return [
        {"step": apart * i, "loss": 9.0, "mlm_loss": 6 / i, "rtd_loss": 0.3 / i, **more}
        for i in range(1, count + 1)
    ]


def calibration(count=400):
    random = np.random.default_rng(0)
    said = random.random(count)
    return calibrate(said, random.random(count) < said)


def fooled(token="dog", original="chef"):
    texts = [
        Judged(("the", token, "ate"), ("the", original, "ate"), (0.1, 0.2, 0.7)),
        Judged((token,), (original,), (0.05,)),
    ]
    return fooled_tokens(texts)


def replay(**changed):
    given = {
        "steps": [0, 100, 1_000],
        "tokens": ["[CLS]", "the", "dog", "[SEP]"],
        "probabilities": [[0.5, 0.4, 0.5, 0.6], [0.1, 0.2, 0.3, 0.1], [0.0, 0.02, 0.934, 0.0]],
        "originals": [None, None, "chef", None],
        "masked": "the [MASK]",
        "proposals": [(["##s", "a"], [0.01, 0.01])] * 2 + [(["chef", "dog"], [0.7, 0.1])],
        "original": "chef",
        "figures": [{"area": 0.5}, {"area": 0.7, "loss": 3.0}, {"area": 0.9, "loss": 2.5}],
        **changed,
    }
    names = ("steps", "tokens", "probabilities")
    return ReplayView(*[given.pop(name) for name in names], **given)


VIEWS = {
    "runs": lambda: TrainingChart({"one": rows(), "two": rows(9, 7)}, smoothing=0.5),
    "calibration": lambda: CalibrationChart({"own": calibration(), "other": calibration(90)}),
    "fooled": lambda: FooledView(fooled()),
    "replay": replay,
}


@pytest.fixture(params=VIEWS)
def view(request):
    return VIEWS[request.param]()


@pytest.fixture(autouse=True)
def live_unless_told_otherwise(monkeypatch):
    monkeypatch.delenv("ELECTRA_LAB_DISPLAY", raising=False)
    monkeypatch.setattr(display_module, "_chosen", None)


def test_each_view_has_four_forms_that_are_the_same_every_time(view):
    again = next(make() for make in VIEWS.values() if repr(make()) == repr(view))
    display_mode("live")
    data, metadata = shown(view)
    assert set(data) == {"application/vnd.jupyter.widget-view+json", "image/png", "text/plain"}
    assert data["text/plain"] == repr(again)
    assert metadata["image/png"]["alt"].startswith(PICTURES[type(view).__name__])
    assert view.to_png() == again.to_png()
    picture = Image.open(io.BytesIO(view.to_png()))
    assert picture.width == 2 * 720
    assert len(picture.convert("RGB").getcolors(1 << 24)) > 20
    page = view.to_html()
    assert page == again.to_html()
    assert Fetches(page).found == []
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page)
    assert page.count(view.widget._esm.removesuffix("export default { render };\n")) == 1


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_stays_text_in_every_form(text):
    views = [
        TrainingChart({text: [{"step": 1, f"{text}_loss": 1.0, f"{text} auc": 0.6}]}, title=text),
        CalibrationChart({text: calibration(30)}, title=text, note=text),
        FooledView(fooled(text, f"was {text}"), title=text, note=text),
        replay(
            tokens=[text] * 4,
            originals=[text] * 4,
            masked=text,
            original=text,
            proposals=[([text], [0.5])] * 3,
            figures=[{text: 1.0}] * 3,
            title=text,
            note=text,
        ),
    ]
    for view in views:
        page = view.to_html()
        assert Fetches(page).tags.count("script") == 2
        assert "img" not in Fetches(page).tags
        assert state_in(page)["title"] == view.state()["title"]
        page.encode("utf-8")
        repr(view).encode("utf-8")
        assert len(repr(view)) < 4_000
        assert Image.open(io.BytesIO(view.to_png())).width == 1440


# -- curves of several runs


def test_runs_share_a_panel_for_each_number_and_differ_in_colour_dash_and_shape():
    chart = TrainingChart({"one": rows(), "two": rows(rtd_auc=0.7), "three": rows()})
    panels = chart.panels()
    assert [panel.title for panel in panels] == [
        "Generator loss (MLM)",
        "Discriminator loss (RTD)",
        "ROC AUC",
    ]
    assert [curve.run for curve in panels[0].curves] == [0, 1, 2]
    assert [curve.run for curve in panels[2].curves] == [1]
    looks = chart.state()["runs"]
    for kind in ("colour", "dash", "shape"):
        assert len({look[kind] for look in looks}) == 3
    assert repr(chart).splitlines()[2] == (
        "  two: 20 rows, steps 10 to 200; mlm_loss, rtd_loss, rtd_auc"
    )


def test_runs_with_other_steps_keep_each_value_at_its_step():
    state = TrainingChart({"one": rows(3, 10), "two": rows(4, 15)}).state()
    assert state["steps"] == [10, 15, 20, 30, 45, 60]
    one, two = state["panels"][0]["curves"]
    assert one["values"] == [6, None, 3, 2, None, None]
    assert two["values"] == [None, 6, None, 3, 2, 1.5]


def test_runs_come_from_folders_and_results(tmp_path):
    (tmp_path / "history.json").write_text(json.dumps({"history": rows(4)}))
    assert TrainingChart(tmp_path).history == rows(4)
    assert TrainingChart({"saved": str(tmp_path), "here": rows(2)}).runs["saved"] == rows(4)
    with pytest.raises(FileNotFoundError, match="is not the folder of a run"):
        TrainingChart({"saved": tmp_path / "no"})
    with pytest.raises(ValueError, match="Row 0 of the history of 'bad' has no 'step'"):
        TrainingChart({"bad": [{"loss": 1}]})


def test_a_row_is_added_to_the_run_that_is_named():
    chart = TrainingChart({"one": rows(2), "two": rows(2)})
    chart.append({"step": 30, "mlm_loss": 1.0}, "two")
    assert [len(found) for found in chart.runs.values()] == [2, 3]


def test_smoothing_is_a_mean_in_which_the_latest_weighs_most():
    assert smoothed([1.0, 5.0, 2.0], 0.0) == [1, 5, 2]
    assert smoothed([1.0, 4.0], 0.5) == [1, (4 + 0.5 * 1) / 1.5]
    assert smoothed([3.0] * 5, 0.9) == pytest.approx([3] * 5)
    with pytest.raises(ValueError, match="smoothing is 1; it must be 0 or more, and below 1"):
        TrainingChart(rows(), smoothing=1)


def test_only_losses_above_zero_may_have_a_logarithmic_axis():
    chart = TrainingChart([{"step": 1, "mlm_loss": 2.0, "rtd_loss": 0.0, "rtd_auc": 0.6}])
    assert [panel["lowest"] for panel in chart.state()["panels"]] == [2.0, None, None]
    assert TrainingChart(rows(), log_scale=True).to_png() != TrainingChart(rows()).to_png()


def test_many_long_runs_stay_below_a_megabyte():
    runs = {f"run {n}": rows(2_000, 10 + n, rtd_auc=0.5) for n in range(8)}
    assert len(TrainingChart(runs).to_html()) < 1_000_000


def test_of_entities_f1_is_shown_and_not_the_share_of_right_words():
    epoch = {"validation_f1": 0.4, "validation_accuracy": 0.9, "validation_precision": 0.5}
    history = [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0, "validation_loss": 1.5, **epoch}]
    titles = [panel.title for panel in TrainingChart(history).panels()]
    assert titles == ["Loss", "F1 on the validation split"]
    curves = TrainingChart({"a": history, "b": history}).panels()[-1].curves
    assert [curve.key for curve in curves] == ["validation_f1"] * 2
    classes = [{"step": 1, "loss": 2.0, "validation_accuracy": 0.9, "validation_f1_macro": 0.8}]
    assert [panel.title for panel in TrainingChart(classes).panels()] == ["Loss", "Accuracy"]


# -- calibration, mistakes, replay


def test_a_calibration_chart_has_every_bin_that_holds_tokens_and_its_errors():
    one = calibrate([0.05, 0.15, 0.15, 0.95], [0, 0, 1, 1])
    chart = CalibrationChart({"own": one})
    (series,) = chart.state()["series"]
    assert [bin["count"] for bin in series["bins"]] == [1, 2, 1]
    assert [bin["happened"] for bin in series["bins"]] == [0, 0.5, 1]
    assert series["summary"].startswith(
        "expected calibration error .200; Brier score .188, area under the curve .875; 4 tokens"
    )
    assert "    .10 to .20: .150 said, .500 replaced (.09 to .91), 2 tokens" in repr(chart)
    with pytest.raises(ValueError, match="There are 9 calibrations; 8 can be told apart"):
        CalibrationChart({str(n): one for n in range(9)})


def test_mistakes_are_listed_by_token_with_the_original_and_the_sentence():
    view = FooledView(fooled())
    missed, accused = view.state()["lists"]
    assert missed["heading"] == "Missed replacements: 2 of 2"
    (row,) = missed["rows"]
    assert (row["token"], row["number"], row["share"]) == ("dog", "2 of 2", 1.0)
    assert row["mistakes"][1] == {
        "before": "the",
        "token": "dog",
        "after": "ate",
        "original": "chef",
        "number": ".20",
        "text": 0,
    }
    assert accused["rows"][0]["share"] == pytest.approx(
        np.log(0.3) / (np.log(0.2) + np.log(0.05)), abs=1e-4
    )
    assert "dog: 2 of 2, as in [dog, was chef] .05" in repr(view)


def test_a_replay_has_all_snapshots_and_shows_the_chosen_one():
    view = replay()
    assert view.chosen == 2
    state = view.state()
    assert state["tokens"][2]["numbers"] == [".50", ".30", ".93"]
    assert [figure["name"] for figure in state["figures"]] == ["area", "loss"]
    assert state["figures"][1]["numbers"] == ["–", "3.00", "2.50"]
    assert state["proposals"][2][0] == {
        "text": "chef",
        "probability": 0.7,
        "number": ".700",
        "original": True,
    }
    before = view.to_png()
    view.choose(0)
    assert view.widget.state["chosen"] == 0
    assert view.to_png() != before
    with pytest.raises(IndexError, match="There is no snapshot 3; the snapshots are 0 to 2"):
        view.choose(3)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"steps": [0, 200, 100]}, "they must ascend"),
        ({"probabilities": [[0.5] * 4] * 2}, "3 snapshots but 2 rows of probabilities"),
        ({"probabilities": [[0.5] * 3] * 3}, "There are 4 tokens but 3 probabilities"),
        ({"probabilities": [[1.5] * 4] * 3}, "1.5 is no probability"),
        ({"originals": [None]}, "There are 4 tokens but 1 originals"),
        ({"proposals": [(["a"], [0.1])]}, "3 snapshots but 1 lists of proposals"),
        ({"figures": [{}]}, "3 snapshots but 1 rows of figures"),
    ],
)
def test_a_replay_that_does_not_fit_together_is_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        replay(**changed)
