"""The results of fine-tuning on every set: measured, merged, and shown as the file says them."""

import json
from dataclasses import replace
from itertools import pairwise
from time import perf_counter
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from electra_lab.bench import tasks as bench
from electra_lab.bench.task_results import _apart, best_baseline, data_names, missing
from electra_lab.cli import app
from electra_lab.text.tasks import bundled_tasks, load_task_data
from electra_lab.training.finetuning import finetune
from electra_lab.training.finetuning_settings import FinetuningSettings
from electra_lab.training.metrics import baseline_metrics

pytest.importorskip("datasets")

TAGS, TEXTS = "microworld/parts_of_speech", "microworld/sentiment"
SMALL = {"train_size": 20, "test_size": 12, "progress": False}


@pytest.fixture(autouse=True)
def one_epoch(monkeypatch):
    """The usual settings, but for their epochs."""
    chosen = FinetuningSettings.for_task

    def for_task(data, config, **changes):
        return replace(chosen(data, config, **changes), epochs=1)

    monkeypatch.setattr(FinetuningSettings, "for_task", staticmethod(for_task))


@pytest.fixture(scope="module")
def written():
    """An entry as ``run`` writes them, with figures that tell which is which."""

    def side(*values):
        return {
            "seeds": [0, 1, 2],
            "metrics": [{"accuracy": value} for value in values],
            "mean": {"accuracy": values[1], "f1_macro": 0.111, "f1_micro": values[1]},
            "spread": {"accuracy": 0.021, "f1_macro": 0.0, "f1_micro": 0.021},
            "seconds": 1.5,
        }

    def point(train, scratch, trained):
        spread = (-0.02, 0, 0.02)
        return {
            "train": train,
            "from_scratch": [scratch + d for d in spread],
            "pretrained": [trained + d for d in spread],
        }

    return {
        "command": "electra-lab bench tasks --data sentiment",
        "date": "2026-01-31",
        "model": "mini",
        "metric": "accuracy",
        "train": 480,
        "test": 120,
        "settings": {"epochs": 20},
        "baselines": {"majority": {"accuracy": 0.5}, "bag_of_words": {"accuracy": 0.713}},
        "from_scratch": side(0.6, 0.654, 0.7),
        "pretrained": side(0.8, 0.876, 0.9),
        "learning_curve": [point(60, 0.55, 0.6), point(240, 0.6, 0.75), point(480, 0.654, 0.876)],
    }


@pytest.fixture
def file(tmp_path, written):
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps({"tasks": {"sentiment": written}}))
    return path


# -- measuring


def test_a_run_says_what_finetune_and_the_baselines_reach(tmp_path):
    path = tmp_path / "deep" / "tasks.json"
    began = perf_counter()
    report = bench.run([TAGS], (0, 1), **SMALL, output=path)
    passed = perf_counter() - began
    assert json.loads(path.read_text()) == report == bench.load_results(path)
    found = report["tasks"][TAGS]
    data = load_task_data(TAGS, train_size=20, test_size=12)
    assert (found["model"], found["metric"]) == ("micro", "accuracy")
    assert (found["train"], found["test"]) == (20, 12)
    assert found["baselines"] == {
        name: pytest.approx(figures, abs=1e-4) for name, figures in baseline_metrics(data).items()
    }
    for side, from_scratch in (("pretrained", False), ("from_scratch", True)):
        expected = finetune(data, "micro", from_scratch=from_scratch, progress=False, device="cpu")
        assert found[side]["metrics"][0] == pytest.approx(expected.metrics, abs=1e-4)
        values = [figures["accuracy"] for figures in found[side]["metrics"]]
        assert found[side]["mean"]["accuracy"] == pytest.approx(sum(values) / 2, abs=1e-4)
        assert found[side]["seeds"] == [0, 1]
        assert 0 <= found[side]["seconds"] <= passed  # a twentieth of a second is 0.0
    assert found["settings"]["epochs"] == 1
    assert found["pretrained"]["other_settings"] == {}
    assert found["from_scratch"]["other_settings"] == {"layer_decay": 1.0}
    assert "seed" not in found["settings"]


def test_pieces_come_together_in_the_order_of_the_sets_and_lose_nothing(tmp_path, written):
    path = tmp_path / "tasks.json"
    bench.run([TAGS], (0,), **SMALL, output=path)
    tags = bench.load_results(path)["tasks"][TAGS]
    others = {"of another version": written, TAGS: tags}
    path.write_text(json.dumps({"tasks": others}))
    report = bench.run([TEXTS], (0,), **SMALL, output=path)
    assert list(report["tasks"]) == [TEXTS, TAGS, "of another version"]
    assert {name: report["tasks"][name] for name in others} == others
    bench.run([TAGS], (1,), **SMALL, output=path)
    assert bench.load_results(path)["tasks"][TAGS]["pretrained"]["seeds"] == [1]


def test_what_was_measured_before_a_run_is_stopped_is_kept(tmp_path, monkeypatch):
    path = tmp_path / "tasks.json"
    learn = bench._learn

    def stops(data, *arguments):
        if data.name == TEXTS:
            raise KeyboardInterrupt
        return learn(data, *arguments)

    monkeypatch.setattr(bench, "_learn", stops)
    with pytest.raises(KeyboardInterrupt):
        bench.run([TAGS, TEXTS], (0,), **SMALL, output=path)
    assert list(bench.load_results(path)["tasks"]) == [TAGS]


def test_a_curve_ends_with_the_whole_and_stays_while_that_is_still_found(tmp_path):
    path = tmp_path / "tasks.json"
    sizes = {"train_size": 64, "test_size": 12, "progress": False, "output": path}
    found = bench.run([TAGS], (0, 1), curve=True, **sizes)["tasks"][TAGS]
    curve = found["learning_curve"]
    assert [point["train"] for point in curve] == [8, 16, 32, 64]
    assert found["command"].endswith("--seeds 2 --curve --train-size 64 --test-size 12")
    for side in ("pretrained", "from_scratch"):
        assert [len(point[side]) for point in curve] == [2, 2, 2, 2]
        assert curve[-1][side] == [figures["accuracy"] for figures in found[side]["metrics"]]
    again = bench.run([TAGS], (0, 1), **sizes)["tasks"][TAGS]
    assert again["learning_curve"] == curve
    assert "--curve" in again["command"]
    changed = bench.run([TAGS], (1,), **sizes)["tasks"][TAGS]
    assert changed["learning_curve"] == []
    assert "--curve" not in changed["command"]


def test_a_part_of_train_is_drawn_with_the_seed_of_its_run(monkeypatch):
    data = load_task_data(TAGS, train_size=40, test_size=5)
    drawn = {}

    def learn(part, model, seeds, side, progress):
        drawn[side, seeds[0]] = part.train["words"][:]
        return SimpleNamespace(mean={"accuracy": 0.5})

    monkeypatch.setattr(bench, "_learn", learn)
    bench._part(data, "micro", [0, 1], 1 / 4, progress=False)
    assert [len(rows) for rows in drawn.values()] == [10] * 4
    for seed in (0, 1):
        expected = data.with_train_size(10, seed).train["words"][:]
        assert drawn["pretrained", seed] == drawn["from_scratch", seed] == expected
    assert drawn["pretrained", 0] != drawn["pretrained", 1]


def test_mini_learns_the_sets_and_micro_their_twins(monkeypatch):
    tiny, asked = load_task_data(TAGS, train_size=2, test_size=2), []

    def load(name, **options):
        asked.append((name, options))
        return tiny

    monkeypatch.setattr(bench, "load_task_data", load)
    assert data_names() == bundled_tasks() + [f"microworld/{name}" for name in bundled_tasks()]
    for name in bundled_tasks():
        twin = f"microworld/{name}"
        assert (bench.model_for(name), bench.model_for(twin)) == ("mini", "micro")
        bench._read(name, {})
        bench._read(twin, {"test_size": 2})
        bench._read(twin, {"train_size": 3})
        assert asked[-3:] == [
            (name, {}),
            (twin, {"train_size": bench.TWIN_TRAIN_SIZES[name], "test_size": 2}),
            (twin, {"train_size": 3}),
        ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"data": ["sentiments"]}, "no data 'sentiments' to measure; there are sentiment,"),
        ({"data": ["sentiment"], "train_size": 9}, "train_size: sentiment has the rows that it"),
        ({"data": [TAGS], "seeds": ()}, "There are no seeds"),
    ],
)
def test_what_cannot_be_measured_is_refused_at_once(arguments, says, tmp_path):
    with pytest.raises(ValueError, match=says):
        bench.run(**arguments, output=tmp_path / "tasks.json")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("content", ["[]", '{"runs": []}', '{"tasks": []}', "no json"])
def test_a_file_that_is_no_report_is_not_written_over(content, tmp_path):
    path = tmp_path / "tasks.json"
    path.write_text(content)
    with pytest.raises(ValueError, match="not a report of `electra-lab bench tasks`"):
        bench.run([TAGS], **SMALL, output=path)
    assert path.read_text() == content


def test_the_command_is_the_one_that_the_results_name(tmp_path):
    path = tmp_path / "tasks.json"
    asked = f"bench tasks --data {TAGS} --seeds 1 --train-size 20 --test-size 12"
    result = CliRunner().invoke(app, [*asked.split(), "--output", str(path)])
    assert result.exit_code == 0, result.output
    report = bench.load_results(path)
    assert report["tasks"][TAGS]["command"] == f"electra-lab {asked}"
    assert report["command"] == "electra-lab bench tasks"
    assert bench.summary_table(report) in result.output
    refused = CliRunner().invoke(app, ["bench", "tasks", "--data", "none", "--output", str(path)])
    assert refused.exit_code == 2
    assert "no data 'none'" in refused.output


def test_finetune_takes_the_sizes_of_a_twin(tmp_path):
    asked = f"finetune --data {TAGS} --model micro --train-size 20 --test-size 12"
    result = CliRunner().invoke(app, [*asked.split(), "--output", str(tmp_path / "model")])
    assert result.exit_code == 0, result.output
    assert "18 train, 2 validation, 12 test" in result.output


# -- showing


def test_the_table_says_what_the_file_says(file):
    lines = bench.results_table("sentiment", file).splitlines()
    assert lines[0] == "sentiment: mini on 120 rows of test, learned from 480 of train"
    cells = {line[:14].strip(): line[14:].split("  ") for line in lines[1:-1]}
    cells = {title: [c.strip() for c in row if c.strip()] for title, row in cells.items()}
    assert cells == {
        "": ["accuracy", "f1_macro"],
        "majority": ["0.500"],
        "bag of words": ["0.713"],
        "from scratch": ["0.654 ± 0.021", "0.111 ± 0.000"],
        "pre-trained": ["0.876 ± 0.021", "0.111 ± 0.000"],
    }
    assert "3 seeds; electra-lab bench tasks --data sentiment, 2026-01-31" in lines[-1]


def test_the_table_of_all_has_the_best_baseline_of_each(file, written):
    assert best_baseline(written) == ("bag_of_words", 0.713)
    last = bench.summary_table(bench.load_results(file)).splitlines()[-1]
    assert last.split() == (
        ["sentiment", "accuracy", "0.713", "0.654", "±", "0.021", "0.876", "±", "0.021"]
    )


def test_the_figure_draws_what_the_file_says(file, written):
    pytest.importorskip("matplotlib")
    axes = bench.learning_curve_figure("sentiment", file).figure.axes[0]
    lines = {line.get_label(): line for line in axes.get_lines()}
    for label, expected in (
        ("pre-trained", [0.6, 0.75, 0.876]),
        ("from scratch", [0.55, 0.6, 0.654]),
    ):
        assert list(lines[label].get_xdata()) == [60, 240, 480]
        assert lines[label].get_ydata() == pytest.approx(expected)
    for side in ("pretrained", "from_scratch"):
        points = [line for line in axes.get_lines() if line.get_gid() == f"seeds of {side}"]
        drawn = [(line.get_xdata()[0], list(line.get_ydata())) for line in points]
        assert drawn == [(point["train"], point[side]) for point in written["learning_curve"]]
    dashed = [line for line in axes.get_lines() if line.get_gid() == "baseline"]
    assert sorted(line.get_ydata()[0] for line in dashed) == [0.5, 0.713]
    assert {text.get_text() for text in axes.texts} == {"majority 0.500", "bag of words 0.713"}


def test_the_description_follows_the_figures(file, written):
    pytest.importorskip("matplotlib")
    text = bench.learning_curve_figure("sentiment", file).text
    assert "The pre-trained line is higher at every size." in text
    assert "above the best baseline: pre-trained." in text
    worse = json.loads(json.dumps(written))
    for side in ("pretrained", "from_scratch"):
        worse["learning_curve"][-1][side] = [0.7, 0.7, 0.7]
    file.write_text(json.dumps({"tasks": {"sentiment": worse}}))
    text = bench.learning_curve_figure("sentiment", file).text
    assert "higher at 2 of 3 sizes" in text
    assert "none above every baseline" in text


def test_what_is_not_there_is_said_with_the_command_that_makes_it(file, written, tmp_path, capsys):
    nowhere = tmp_path / "none.json"
    assert bench.load_results(nowhere) == {"tasks": {}}
    for name, path in (("sentiment", nowhere), (TAGS, file)):
        assert bench.results_table(name, path) == missing(name)
        assert bench.results_table(name, path).endswith(f"electra-lab bench tasks --data {name}")
        assert bench.learning_curve_figure(name, path) is None
        assert f"electra-lab bench tasks --data {name} --curve\n" in capsys.readouterr().out
    file.write_text(json.dumps({"tasks": {"sentiment": {**written, "learning_curve": []}}}))
    assert bench.learning_curve_figure("sentiment", file) is None
    assert "--data sentiment --curve" in capsys.readouterr().out


@pytest.mark.parametrize("show", [bench.results_table, bench.learning_curve_figure])
def test_a_name_that_no_set_has_is_refused(show, file):
    with pytest.raises(ValueError, match="no data 'sentimant' to measure"):
        show("sentimant", file)


def test_names_of_baselines_do_not_touch_and_stay_in_the_picture():
    for heights in ([0.1, 0.1, 0.12, 0.8], [0.97, 0.98, 0.99, 1.0], [0.5]):
        moved = _apart(heights)
        assert moved[-1] <= 1
        assert all(b - a > 0.054 for a, b in pairwise(moved))
    assert _apart([0.2, 0.5]) == [0.2, 0.5]
