"""Fine-tuning from labelled data to a folder, with models small enough for a test."""

import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch
from typer.testing import CliRunner

from electra_lab import pipeline
from electra_lab.cli import app
from electra_lab.model.config import ElectraConfig
from electra_lab.model.heads import ElectraForPreTraining
from electra_lab.text.tasks import load_task_data
from electra_lab.text.tokenization import ElectraTokenizerFast
from electra_lab.text.vocabulary import train_vocabulary
from electra_lab.training.checkpoint import CHECKPOINT_FILE
from electra_lab.training.examples import encode
from electra_lab.training.finetuning import (
    BEST_FILE,
    RESULT_FILE,
    BestEpoch,
    finetune,
    finetune_seeds,
    make_model,
)
from electra_lab.training.finetuning_settings import FinetuningSettings
from electra_lab.training.metrics import score
from electra_lab.training.state import Callback, TrainingState
from electra_lab.training.task_loss import TaskLoss, balanced_weights, class_weights, target_range
from electra_lab.training.validation import with_validation

QUICK = FinetuningSettings(epochs=3, batch_size=8, learning_rate=5e-3, validation_share=0.25)
# task of a pipeline, and class in transformers, for each bundled set
SETS = {
    "sentiment": "text-classification",
    "emotions": "text-classification",
    "similarity": "text-classification",
    "entailment": "text-classification",
    "named_entities": "token-classification",
    "parts_of_speech": "token-classification",
    "reading_comprehension": "question-answering",
    "continuations": "multiple-choice",
}


def few(name, train=24, test=6):
    data = load_task_data(name)
    return replace(data, train=data.train.select(range(train)), test=data.test.select(range(test)))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A discriminator with a vocabulary of English, one layer deep."""
    folder = tmp_path_factory.mktemp("tiny")
    texts = load_task_data("sentiment").train["text"]
    tokenizer = ElectraTokenizerFast(vocab=train_vocabulary(texts, 500))
    torch.manual_seed(0)
    config = ElectraConfig(vocab_size=len(tokenizer), embedding_size=8, hidden_size=16,
                           num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
                           max_position_embeddings=160, initializer_range=0.2)  # fmt: skip
    ElectraForPreTraining(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def run(data, tiny, output=None, settings=QUICK, **options):
    return finetune(data, tiny, output, settings=settings, device="cpu", progress=False, **options)


def without_times(history):
    return [
        {k: v for k, v in row.items() if k not in ("seconds", "tokens_per_second")}
        for row in history
    ]


@pytest.mark.parametrize("name", SETS)
def test_the_folder_loads_here_and_in_transformers_with_equal_logits(name, tiny, tmp_path):
    import transformers

    data = few(name)
    result = run(data, tiny, tmp_path)
    kind = type(result.model).__name__
    theirs = getattr(transformers, kind).from_pretrained(tmp_path, attn_implementation="eager")
    longest = QUICK.longest(data, result.model.config)
    batch = encode(data, "test", result.tokenizer, longest).batch(range(4))
    with torch.no_grad():
        ours, other = result.model(**batch.inputs), theirs.eval()(**batch.inputs)
    for field, value in ours.items():
        if field.endswith("logits"):
            # what a model says of padding means nothing; ours does not compute it
            shown = torch.ones_like(value, dtype=torch.bool)
            if value.shape[:2] == batch.inputs["input_ids"].shape:
                shown[batch.inputs["attention_mask"] == 0] = False
            torch.testing.assert_close(value[shown], other[field][shown], rtol=1e-4, atol=1e-4)
    if data.labels:
        assert tuple(theirs.config.id2label[i] for i in range(len(data.labels))) == data.labels
        assert theirs.config.label2id == {label: i for i, label in enumerate(data.labels)}
    assert theirs.config.problem_type == data.problem_type
    assert len(result.predictions) == len(data.test)
    assert result.metrics[result.main_metric] == score(data, result.predictions)[result.main_metric]
    answer = pipeline(SETS[name], tmp_path, device="cpu")
    row = data.test[0]
    if name == "continuations":
        assert answer(dict(row))["index"] == result.predictions[0]
    elif name == "reading_comprehension":
        said = answer(dict(row), handle_impossible_answer=True, max_seq_len=384, max_answer_len=30)
        assert said["answer"] == result.predictions[0]
    elif name == "sentiment":
        assert answer(row["text"])[0]["label"] == data.labels[result.predictions[0]]
    elif name == "emotions":
        said = answer(row["text"], top_k=None)
        above = {one["label"] for one in said if one["score"] > 0.5}
        wanted = zip(data.labels, result.predictions[0], strict=True)
        assert above == {label for label, present in wanted if present}
    elif name == "similarity":  # the logit is the target itself, on its own scale
        said = answer({"text": row["text"], "text_pair": row["text_pair"]})[0]["score"]
        assert said == pytest.approx(result.predictions[0], abs=1e-4)
    elif data.task == "token_classification":
        words = row["words"]
        said = answer(" ".join(words), aggregation_strategy="none", ignore_labels=())
        assert said[0]["entity"] == data.labels[result.predictions[0][0]]


def test_what_can_be_learned_is_learned_and_the_best_epoch_is_kept(tiny, tmp_path):
    rows = [
        {"text": f"the {noun} is {word}", "label": label}
        for noun in ("film", "food", "room", "day", "book", "song", "place", "walk")
        for word, label in (("good", "yes"), ("bad", "no"))
    ]
    data = load_task_data({"train": rows * 4, "validation": rows, "test": rows})
    settings = replace(QUICK, epochs=12, learning_rate=1e-2)
    result = run(data, tiny, tmp_path, settings)
    assert result.metrics["accuracy"] == 1.0
    measured = [row for row in result.history if "validation_accuracy" in row]
    assert [row["epoch"] for row in measured] == list(range(1, 13))
    best = max(measured, key=lambda row: (row["validation_accuracy"], -row["validation_loss"]))
    assert result.best_step == best["step"]
    written = json.loads((tmp_path / RESULT_FILE).read_text())
    assert written["metrics"] == result.metrics
    assert written["rows"] == {"train": 64, "validation": 16, "test": 16}
    head, *rows = result.table().splitlines()
    assert [row.split()[0] for row in rows] == [*result.baselines, "fine-tuned"]
    ends = [match.end() for match in re.finditer(r"\S+", head)]
    assert all({match.end() for match in re.finditer(r"\d\.\d{3}", row)} <= {*ends} for row in rows)
    assert "bag_of_words" in result.table()
    # a line of a notebook's output
    assert max(map(len, (head, *rows))) <= 90


def test_the_seed_decides_everything_and_the_outside_nothing(tiny):
    data = few("sentiment")
    torch.manual_seed(1)
    first = run(data, tiny)
    torch.manual_seed(2)
    again, other = run(data, tiny), run(data, tiny, settings=replace(QUICK, seed=1))
    assert without_times(first.history) == without_times(again.history)
    assert without_times(first.history) != without_times(other.history)
    several = finetune_seeds(data, tiny, seeds=(0, 1), settings=QUICK, device="cpu", progress=False)
    runs = [first.metrics["accuracy"], other.metrics["accuracy"]]
    assert several.mean["accuracy"] == pytest.approx(sum(runs) / 2)
    assert several.spread["accuracy"] == pytest.approx(abs(runs[0] - runs[1]) / math.sqrt(2))


def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(tiny, tmp_path):
    data = few("similarity")
    whole = run(data, tiny, tmp_path / "whole")
    for steps in (2, 7):  # within an epoch and behind one
        run(data, tiny, tmp_path / "part", stop_after=steps, resume=steps > 2)
    part = run(data, tiny, tmp_path / "part", resume=True)
    assert without_times(part.history) == without_times(whole.history)
    assert (part.metrics, part.best_step) == (whole.metrics, whole.best_step)
    ours, theirs = part.model.state_dict(), whole.model.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    with pytest.raises(FileExistsError, match="resume=True"):
        run(data, tiny, tmp_path / "part")
    with pytest.raises(ValueError, match="train: "):
        run(few("similarity", train=23), tiny, tmp_path / "part", resume=True)


def test_a_long_text_is_cut_where_the_model_ends_by_transformers_too(tiny, tmp_path):
    import transformers

    run(few("sentiment"), tiny, tmp_path, replace(QUICK, epochs=1))
    assert transformers.AutoTokenizer.from_pretrained(tmp_path).model_max_length == 160
    theirs = transformers.pipeline("text-classification", str(tmp_path), device="cpu")
    long = "a good day " * 200
    (said,) = theirs(long, truncation=True)
    (ours,) = pipeline("text-classification", tmp_path, device="cpu")(long)
    assert said["label"] == ours["label"]
    assert said["score"] == pytest.approx(ours["score"], abs=1e-5)


def test_a_question_longer_than_a_window_is_cut(tmp_path):
    data = few("reading_comprehension")
    rows = [*data.train, {**data.train[0], "question": "who and what " * 60, "id": "long"}]
    data = load_task_data({"train": rows, "test": list(data.test)})
    result = run(data, "micro", tmp_path, replace(QUICK, epochs=1))
    assert len(result.predictions) == len(data.test)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_command_is_resumed_to_the_same_figures(tiny, tmp_path):
    words = [sys.executable, "-m", "electra_lab", "finetune", "--data", "sentiment", "--model",
             str(tiny), "--epochs", "6", "--device", "cpu", "--output"]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    with subprocess.Popen([*words, str(broken)], env=environment, stdout=subprocess.DEVNULL) as job:
        deadline = time.monotonic() + 120
        while not (broken / CHECKPOINT_FILE).is_file() and time.monotonic() < deadline:
            assert job.poll() is None, "the run ended before it wrote a checkpoint"
            time.sleep(0.01)
        job.send_signal(signal.SIGKILL)
    assert not (broken / RESULT_FILE).exists()
    for command in ([*words, str(broken), "--resume"], [*words, str(whole)]):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr[-2000:]
        assert "majority" in done.stdout
    told = [json.loads((folder / RESULT_FILE).read_text()) for folder in (broken, whole)]
    assert told[0]["metrics"] == told[1]["metrics"]
    assert without_times(told[0]["history"]) == without_times(told[1]["history"])


def test_two_ranks_fine_tune_together(tiny, tmp_path):
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    words = ["-m", "electra_lab", "finetune", "--data", "named_entities", "--model", str(tiny),
             "--epochs", "2", "--device", "cpu", "--output", str(tmp_path)]  # fmt: skip
    done = subprocess.run([*torchrun, *words], capture_output=True, text=True, timeout=240,
                          env={**os.environ, "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"})  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("written to") == 1  # the first rank speaks for all
    assert pipeline("token-classification", tmp_path, device="cpu")("Anna lives here.") is not None
    history = json.loads((tmp_path / RESULT_FILE).read_text())["history"]
    assert history[-1]["loss"] < history[0]["loss"]


def test_training_stops_when_nothing_gets_better(tiny, tmp_path):
    settings = replace(QUICK, epochs=50, learning_rate=1e-9, patience=2)
    data = few("sentiment")
    result = run(data, tiny, tmp_path, settings)
    epochs = [row["epoch"] for row in result.history if "epoch" in row]
    assert epochs[-1] - result.best_step / (result.history[-1]["step"] / epochs[-1]) == 2
    assert epochs[-1] < 50
    again = run(data, tiny, tmp_path, settings, resume=True)  # it stays stopped
    assert again.history == result.history


def test_of_equally_good_epochs_the_one_with_the_lowest_loss_is_best(tiny):
    data = with_validation(few("sentiment"), 0.25)
    module = TaskLoss(make_model(data, tiny))
    best = BestEpoch(module, data, {}, 4, None, None)
    figures = [(0.5, 0.9), (0.7, 0.9), (0.7, 0.8), (0.7, 0.85), (0.6, 0.1)]
    kept = [
        best._note({"validation_accuracy": accuracy, "validation_loss": loss}, step)
        for step, (accuracy, loss) in enumerate(figures)
    ]
    assert kept == [True, True, True, False, False]
    assert best.step == 2


def test_callbacks_see_the_validation_figures(tiny):
    seen = []

    class Looker(Callback):
        def on_log(self, row):
            seen.append(dict(row))

        def on_start(self, state: TrainingState):
            torch.rand(3)

    result = run(few("sentiment"), tiny, callbacks=[Looker()])
    assert seen == result.history
    assert sum("validation_accuracy" in row for row in seen) == QUICK.epochs


def test_from_scratch_takes_only_shape_and_tokenizer(tiny):
    data = few("sentiment")
    learned, fresh, other = (
        make_model(data, tiny, from_scratch=scratch, seed=seed).electra.embeddings.word.weight
        for scratch, seed in ((False, 7), (True, 7), (True, 8))
    )
    pretrained = ElectraForPreTraining.from_pretrained(tiny).electra.embeddings.word.weight
    assert torch.equal(learned, pretrained)
    assert learned.shape == fresh.shape
    assert not torch.equal(fresh, pretrained)
    assert not torch.equal(fresh, other)


def test_the_head_is_fresh_even_where_the_folder_has_another(tiny, tmp_path):
    run(few("entailment"), tiny, tmp_path / "three")  # three labels; sentiment has two
    assert run(few("sentiment"), tmp_path / "three").model.config.num_labels == 2


def test_weights_make_rare_classes_count(tiny):
    data = load_task_data(
        {"train": [{"text": f"a {i}", "label": "rare" if i < 2 else "common"} for i in range(20)],
         "test": [{"text": "a", "label": "rare"}, {"text": "b", "label": "common"}]}
    )  # fmt: skip
    weights = dict(zip(data.labels, balanced_weights(data), strict=True))
    assert weights == pytest.approx({"rare": 20 / (2 * 2), "common": 20 / (2 * 18)})
    assert class_weights(data, (1, 2)) == (1.0, 2.0)
    module = TaskLoss(make_model(data, tiny), [weights[label] for label in data.labels]).eval()
    tokenizer = ElectraTokenizerFast.from_pretrained(tiny)
    batch = encode(data, "train", tokenizer, 16).batch(range(20))
    logits = module.model(**batch.inputs).logits
    each = torch.nn.functional.cross_entropy(logits, batch.labels["labels"], reduction="none")
    of = torch.tensor([weights[data.labels[i]] for i in batch.labels["labels"]])
    torch.testing.assert_close(module(batch).loss, (each * of).sum() / of.sum())
    for wrong in ((1.0,), "even"):
        with pytest.raises(ValueError, match="number for each of the 2 labels"):
            class_weights(data, wrong)
    with pytest.raises(ValueError, match="tasks with labels"):
        class_weights(few("similarity"), "balanced")


def test_targets_are_scaled_and_folding_gives_the_scale_back(tiny):
    data = few("similarity")
    assert target_range(data) == (min(data.train["label"]), max(data.train["label"]))
    low, high = 1.5, 4.0
    module = TaskLoss(make_model(data, tiny), target_range=(low, high)).eval()
    tokenizer = ElectraTokenizerFast.from_pretrained(tiny)
    batch = encode(data, "train", tokenizer, 64).batch(range(8))
    loss, output = module.measure(batch)
    targets = (batch.labels["labels"] - low) / (high - low)
    torch.testing.assert_close(loss, ((output.logits[:, 0] - targets.float()) ** 2).mean())
    module.fold_target_range()
    folded = module.model(**batch.inputs).logits
    torch.testing.assert_close(folded, output.logits * (high - low) + low)


def test_the_authors_sum_the_losses_of_a_batch(tiny):
    data = few("sentiment")
    batch = encode(data, "train", ElectraTokenizerFast.from_pretrained(tiny), 64).batch(range(8))
    model = make_model(data, tiny).eval()
    mean, total = (TaskLoss(model, summed=summed)(batch).loss for summed in (False, True))
    torch.testing.assert_close(total, 8 * mean)


def test_a_part_of_train_is_kept_for_validation_with_every_class_and_no_shared_text():
    data = with_validation(load_task_data("reading_comprehension"), 0.2)
    contexts = [set(split["context"]) for split in (data.train, data.validation)]
    assert not contexts[0] & contexts[1]
    whole = load_task_data("entailment")
    data = with_validation(whole, 0.1)
    assert len(data.train) + len(data.validation) == len(whole.train)
    assert set(data.validation["label"]) == {0, 1, 2}
    assert 0.05 < len(data.validation) / len(whole.train) < 0.15
    assert with_validation(whole, 0.0).validation is None
    assert with_validation(data, 0.5) is data
    with pytest.raises(ValueError, match="too few"):
        with_validation(whole.with_train_size(1), 0.1)


def test_defaults_are_the_authors_and_differ_where_it_is_said():
    data = load_task_data("sentiment")
    small, large, micro = (ElectraConfig.from_preset(n) for n in ("small", "large", "micro"))
    many = replace(data, train=data.train.select([0, 1] * 5000))
    assert FinetuningSettings.for_task(many, small) == FinetuningSettings(
        epochs=3, batch_size=32, learning_rate=1e-4, layer_decay=0.8, warmup_share=0.1,
        weight_decay=0.01, clip_norm=1.0,
    )  # fmt: skip
    found = FinetuningSettings.for_task(many, large)
    assert (found.learning_rate, found.layer_decay) == (5e-5, 0.9)
    assert FinetuningSettings.for_task(data, small).epochs > 3
    assert FinetuningSettings.for_task(many, micro).learning_rate > 1e-4
    assert FinetuningSettings.for_task(data, small, from_scratch=True).layer_decay == 1
    assert FinetuningSettings.for_task(load_task_data("similarity"), small).swap_pairs
    assert not FinetuningSettings.for_task(load_task_data("entailment"), small).swap_pairs
    assert FinetuningSettings.for_task(data, small, epochs=7).epochs == 7
    shallow = replace(small, num_hidden_layers=6, hidden_dropout_prob=0.0)
    few_rows = replace(data, train=data.train.select(range(300)))
    for rows, expected in ((data, (1e-4, 0.1, 1.0)), (few_rows, (5e-4, None, 0.8))):
        found = FinetuningSettings.for_task(rows, shallow)
        assert (found.learning_rate, found.dropout, found.layer_decay) == expected
    fresh = FinetuningSettings.for_task(few_rows, shallow, from_scratch=True)
    assert (fresh.learning_rate, fresh.layer_decay) == (3e-4, 1.0)
    with_its_own = replace(shallow, hidden_dropout_prob=0.2)
    assert FinetuningSettings.for_task(data, with_its_own).dropout is None
    with pytest.raises(TypeError, match="no setting epoch;"):
        FinetuningSettings.for_task(data, small, epoch=7)


@pytest.mark.parametrize(
    "wrong",
    [{"epochs": 0}, {"learning_rate": -1.0}, {"warmup_share": 1.5}, {"layer_decay": 0.0}]
    + [{"dropout": 1.0}],
)
def test_numbers_out_of_their_range_are_refused(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} is"):
        FinetuningSettings(**wrong)


def test_dropout_is_what_the_settings_say_or_the_models_own(tiny, tmp_path):
    """The configuration says so, for whoever trains on; in training states are dropped, and the model
    that starts is the same."""
    data = few("sentiment")
    once = replace(QUICK, epochs=1, learning_rate=1e-9)
    models = {}
    for dropout in (None, 0.0, 0.9):
        folder = tmp_path / str(dropout)
        result = run(data, tiny, folder, replace(once, dropout=dropout))
        models[dropout] = result.model
        saved = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        for name in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
            assert saved[name] == (0.1 if dropout is None else dropout)
    ids = torch.arange(5, 15)[None]
    first, again = (models[0.0].train()(ids).logits for _ in range(2))
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    first, again = (models[0.9].train()(ids).logits for _ in range(2))
    assert not torch.allclose(first, again)
    for model in models.values():
        torch.testing.assert_close(
            model.eval()(ids).logits, models[0.0].eval()(ids).logits, rtol=1e-4, atol=1e-4
        )


def test_more_tokens_than_positions_are_refused(tiny):
    with pytest.raises(ValueError, match="has 160 positions"):
        run(few("sentiment"), tiny, settings=replace(QUICK, max_length=200))


def test_targets_that_are_all_the_same_are_refused():
    data = few("similarity")
    same = data.train.map(lambda row: {"label": 2.5})
    with pytest.raises(ValueError, match="All 24 targets"):
        target_range(replace(data, train=same))


def test_the_command_names_a_bad_row_or_skips_and_counts_it(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("ELECTRA_LAB_DEVICE", "")
    file = tmp_path / "own.csv"
    good = "".join(
        f"a {word} {noun},{label}\n"
        for noun in "abcdefghi"
        for word, label in (("good", "yes"), ("bad", "no"))
    )
    file.write_text(f"body,label\n{good},yes\n")
    words = ["finetune", "--data", str(file), "--model", str(tiny), "--output", str(tmp_path / "out"),
             "--epochs", "1", "--device", "cpu", "--column", "text=body",
             "--column", "label=label"]  # fmt: skip
    refused = CliRunner().invoke(app, words)
    assert refused.exit_code == 2
    assert re.search(r"row 19", refused.output)
    assert not (tmp_path / "out").exists()
    done = CliRunner().invoke(app, [*words, "--skip-bad-rows", "--seeds", "2"])
    assert done.exit_code == 0, done.output
    assert "bad rows skipped: 1" in done.output
    assert "Over 2 seeds" in done.output
    assert (tmp_path / "out" / "seed-1" / BEST_FILE).is_file()
    wrong = CliRunner().invoke(app, [*words, "--column", "body"])
    assert "expected ROLE=NAME" in wrong.output


@pytest.mark.parametrize(
    ("options", "metric", "labels"),
    [
        (["--column", "label=joy", "--column", "label=anger"], "f1_micro", ["joy", "anger"]),
        (["--column", "label=stars", "--problem-type", "regression"], "pearson", ["LABEL_0"]),
        (["--column", "text=joy", "--column", "text=anger"], None, []),
    ],
)
def test_the_command_takes_a_column_for_each_label_or_says_what_the_labels_are(
    tiny, tmp_path, options, metric, labels
):
    file = tmp_path / "own.csv"
    rows = "".join(
        f"a {noun} day,{n % 2},{n % 3 % 2},{n}\n" for n, noun in enumerate("abcdefghijkl")
    )
    file.write_text(f"text,joy,anger,stars\n{rows}")
    folder = tmp_path / "out"
    words = ["finetune", "--data", str(file), "--model", str(tiny), "--epochs", "1", "--device",
             "cpu", "--output", str(folder)]  # fmt: skip
    done = CliRunner().invoke(app, [*words, *options])
    if metric is None:
        assert "columns names joy, anger for text; expected one column" in done.output
        return
    assert done.exit_code == 0, done.output
    assert metric in json.loads((folder / RESULT_FILE).read_text())["metrics"]
    assert list(ElectraConfig.from_pretrained(folder).id2label.values()) == labels
