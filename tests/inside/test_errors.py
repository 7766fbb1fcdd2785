"""Errors of a model on labelled data: losses, confusion matrix and slices against other libraries and
counting by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, multilabel_confusion_matrix

from electra_lab.inside.analysis import find_errors
from electra_lab.inside.confusion import OTHERS, confusion_of
from electra_lab.inside.slices import Items, binned, effective_size, interval, wilson
from electra_lab.inside.trace import trace
from electra_lab.model.config import ElectraConfig
from electra_lab.model.heads import ElectraForPreTraining
from electra_lab.text.tasks import load_task_data
from electra_lab.text.tokenization import ElectraTokenizerFast
from electra_lab.text.vocabulary import train_vocabulary
from electra_lab.training.examples import encode
from electra_lab.training.finetuning import make_model
from electra_lab.training.metrics import score
from electra_lab.training.predicting import predict
from electra_lab.training.task_loss import TaskLoss

SETS = (
    "sentiment",
    "emotions",
    "similarity",
    "entailment",
    "named_entities",
    "parts_of_speech",
    "reading_comprehension",
    "continuations",
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A discriminator with a vocabulary of English, one layer deep."""
    folder = tmp_path_factory.mktemp("tiny")
    texts = load_task_data("sentiment").train["text"]
    tokenizer = ElectraTokenizerFast(vocab=train_vocabulary(texts, 400))
    config = ElectraConfig(
        vocab_size=len(tokenizer),
        embedding_size=8,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=256,
        initializer_range=0.6,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        ElectraForPreTraining(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def asked(tiny):
    """Of a set: the data, a random model, its tokenizer, and the report."""
    found = {}

    def ask(name):
        if name not in found:
            data = load_task_data(name)
            data = replace(
                data,
                train=data.train.select(range(40)),
                test=data.test.select(range(24)),
            )
            model = make_model(data, tiny, seed=1).eval()
            if name in ("sentiment", "entailment", "continuations"):
                spread_out(model, data, tiny)
            tokenizer = ElectraTokenizerFast.from_pretrained(tiny)
            found[name] = data, model, tokenizer, find_errors(model, tokenizer, data)
        return found[name]

    return ask


def spread_out(model, data, folder):
    """Let a random model say different things: its logits without what they have in common."""
    examples = encode(data, "test", ElectraTokenizerFast.from_pretrained(folder), 128)
    logits = torch.stack(
        [each["logits"] for each in predict(TaskLoss(model), examples, data, "test").logits]
    )
    if data.task != "multiple_choice":
        with torch.no_grad():
            model.head.score.bias -= logits.mean(0)


# -- what is said of each example


@pytest.mark.parametrize("name", SETS)
def test_losses_are_those_of_training_and_predictions_those_that_are_scored(name, asked):
    data, model, tokenizer, report = asked(name)
    longest = 256 if data.task == "question_answering" else 128
    examples = encode(data, "test", tokenizer, longest)
    abstain = (
        any(not answers["text"] for answers in data.train["answers"])
        if "answers" in (data.train.column_names)
        else True
    )
    alone = predict(TaskLoss(model), examples, data, "test", batch_size=1, may_abstain=abstain)
    counts = [0] * len(report.records)
    for example in examples.examples:
        counts[example.source] += 1
    losses = [record.loss for record in report.records]
    assert np.average(losses, weights=counts) == pytest.approx(alone.loss, rel=1e-4)
    figures = score(data, alone.values)
    if name in ("sentiment", "entailment", "continuations", "named_entities", "parts_of_speech"):
        assert report.overall.value == pytest.approx(figures["accuracy"])
    elif name == "emotions":
        assert report.overall.value == pytest.approx(figures["exact_match"])
    elif name == "similarity":
        assert report.overall.value == pytest.approx(figures["mean_squared_error"], rel=1e-4)
    else:
        assert report.overall.value == pytest.approx(figures["f1"])
        right = [record.right for record in report.records]
        assert np.mean(right) == pytest.approx(figures["exact_match"])


@pytest.mark.parametrize("name", SETS)
def test_every_record_says_what_is_right_and_can_be_traced(name, asked):
    data, model, tokenizer, report = asked(name)
    assert [record.row for record in report.records] == list(range(24))
    assert (model.training, report.split) == (False, "test")
    worst = report.by_loss()[0]
    assert worst.loss == max(record.loss for record in report.records)
    seen = trace(model, worst.text, tokenizer=tokenizer)
    if data.task == "sequence_classification" and worst.confidence is not None:
        p = seen.probabilities[0]
        if name == "emotions":
            expected = float(torch.where(p > 0.5, p, 1 - p).prod())
        else:
            expected = float(p.max())
            assert worst.predicted == data.labels[int(p.argmax())]
        assert worst.confidence == pytest.approx(expected, rel=1e-3)
    for record in report.records:
        if record.right is not None:
            assert record.right == (
                record.value == 1 if name != "reading_comprehension" else record.right
            )
            assert 0 <= record.confidence <= 1
        else:
            assert name == "similarity"
    row = data.test[3]
    gold = report.records[3].gold
    match name:
        case "sentiment" | "entailment":
            assert gold == data.labels[row["label"]]
        case "emotions":
            there = [n for n, t in zip(data.labels, row["label"], strict=True) if t]
            assert gold == (", ".join(there) or "(none)")
        case "similarity":
            assert gold == f"{row['label']:.2f}"
        case "continuations":
            assert gold == row["choices"][row["label"]]
        case "reading_comprehension":
            assert gold.split(" | ")[0] == (row["answers"]["text"] or ["(no answer)"])[0]


def test_of_tagged_words_the_wrong_ones_are_named(asked):
    data, _, _, report = asked("named_entities")
    wrong = next(record for record in report.records if not record.right)
    row, said = data.test[wrong.row], {}
    for note in wrong.notes:
        word, _, rest = note.partition(": ")
        gold, _, predicted = rest.partition(", said ")
        assert gold != predicted
        said[word] = gold
    assert said
    for word, gold in said.items():
        assert any(
            w == word and data.labels[t] == gold
            for w, t in zip(row["words"], row["tags"], strict=True)
        )
    assert len(wrong.notes) == round((1 - wrong.value) * len(row["words"]))


# -- the confusion matrix


@pytest.mark.parametrize("name", ["sentiment", "entailment", "continuations"])
def test_the_confusion_matrix_is_scikit_learns(name, asked):
    data, model, tokenizer, report = asked(name)
    said = predict(TaskLoss(model), encode(data, "test", tokenizer, 128), data, "test").values
    assert len(set(said)) > 1
    names = range(len(report.confusion.gold))
    expected = confusion_matrix(data.test["label"], said, labels=list(names))
    np.testing.assert_array_equal(report.confusion.counts, expected)
    for (gold, predicted), rows in report.confusion.rows.items():
        assert [(data.test[i]["label"], said[i]) for i in rows] == [(gold, predicted)] * len(rows)
        assert len(rows) == expected[gold, predicted]
    assert report.confusion.right.tolist() == np.eye(len(names), dtype=bool).tolist()


def test_the_confusion_matrix_of_words_is_scikit_learns(asked):
    data, model, tokenizer, report = asked("parts_of_speech")
    said = predict(TaskLoss(model), encode(data, "test", tokenizer, 128), data, "test").values
    flat = [[tag for row in table for tag in row] for table in (data.test["tags"], said)]
    expected = confusion_matrix(*flat, labels=list(range(len(data.labels))))
    np.testing.assert_array_equal(report.confusion.counts, expected)
    # a cell's sentences hold such a word
    (gold, predicted), rows = next(iter(report.confusion.rows.items()))
    for row in rows:
        assert (gold, predicted) in list(zip(data.test[row]["tags"], said[row], strict=True))


def test_of_several_labels_it_has_what_scikit_learn_counts_for_each(asked):
    data, model, tokenizer, report = asked("emotions")
    said = predict(TaskLoss(model), encode(data, "test", tokenizer, 128), data, "test").values
    tables = multilabel_confusion_matrix(np.array(data.test["label"], dtype=int), np.array(said))
    for line, ((none, invented), (missed, found)) in zip(
        report.confusion.counts.tolist(), tables.tolist(), strict=True
    ):
        assert line == [found, missed, invented, none]
    assert report.confusion.right.tolist() == [[True, False, False, True]] * len(data.labels)


def test_answers_are_counted_by_how_near_they_are(asked):
    data, _, _, report = asked("reading_comprehension")
    has = [bool(answers["text"]) for answers in data.test["answers"]]
    assert report.confusion.counts.sum(1).tolist() == [sum(has), len(has) - sum(has)]
    for (gold, said), rows in report.confusion.rows.items():
        for number in rows:
            record = report.records[number]
            assert has[number] == (gold == 0)
            assert (report.confusion.said[said] == "no answer") == (
                record.predicted == "(no answer)"
            )
            assert report.confusion.right[gold, said] == record.right


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=60), st.integers(2, 9))
def test_pooling_keeps_every_count_and_the_names_with_the_most_errors(pairs, most):
    names = [f"name {i}" for i in range(7)]
    whole = confusion_of(names, names, ((n, *pair) for n, pair in enumerate(pairs)))
    few = whole.pooled(most)
    assert few.counts.sum() == len(pairs)
    assert len(few.gold) == min(7, most)
    wrong = [gold for gold, said in pairs if gold != said] + [
        said for gold, said in pairs if gold != said
    ]
    kept = set(few.gold) - {OTHERS}
    fewest = min((wrong.count(names.index(name)) for name in kept), default=0)
    assert all(wrong.count(i) <= fewest for i in range(7) if names[i] not in kept)
    for cell, rows in few.rows.items():
        assert few.counts[cell] == len(rows)


# -- slices


def test_slices_metrics_are_those_counted_by_hand(asked):
    data, model, tokenizer, _ = asked("sentiment")
    report = find_errors(
        model,
        tokenizer,
        data,
        slices={"has a comma": lambda row: "," in row["text"], "first": lambda row: row["text"][0]},
    )
    texts = data.test["text"]
    right = [record.right for record in report.records]
    for part in report.sliced_by("has a comma"):
        rows = [i for i, text in enumerate(texts) if ("," in text) == (part.name == "yes")]
        assert part.rows == tuple(rows)
        assert part.value == pytest.approx(np.mean([right[i] for i in rows]))
        assert part.size == len(rows)
    assert {part.name for part in report.sliced_by("first")} == {text[0] for text in texts}
    for part in report.sliced_by("label"):
        rows = [i for i, label in enumerate(data.test["label"]) if data.labels[label] == part.name]
        assert part.rows == tuple(rows)
    assert sum(part.size for part in report.sliced_by("length")) == len(texts)
    seen = {word.strip(".,;!?").lower() for text in data.train["text"] for word in text.split()}
    none = next(iter(report.sliced_by("unseen words")))
    for row in none.rows[:3]:
        new = {w.strip(".,;!?").lower() for w in texts[row].split()} - seen - {"", "-"}
        assert len(new) <= int(none.name.split()[-1])
    with pytest.raises(KeyError, match="There are no slices by 'mood'; there are those by 'label'"):
        report.sliced_by("mood")


def test_slices_of_words_count_words_and_split_them_by_what_train_has(asked):
    data, model, tokenizer, report = asked("named_entities")
    said = predict(TaskLoss(model), encode(data, "test", tokenizer, 128), data, "test").values
    seen = {word.lower() for words in data.train["words"] for word in words}
    cells = {}
    for row, tags in zip(data.test, said, strict=True):
        for word, gold, tag in zip(row["words"], row["tags"], tags, strict=True):
            inside = "outside" if data.labels[gold] == "O" else "in an entity"
            name = f"{inside}, {'seen' if word.lower() in seen else 'unseen'} in train"
            cells.setdefault(name, []).append(gold == tag)
    found = {part.name: part for part in report.sliced_by("unseen words")}
    assert set(found) == set(cells)
    for name, values in cells.items():
        assert found[name].size == len(values)
        assert found[name].value == pytest.approx(np.mean(values))


def test_an_example_with_two_labels_is_in_both_slices(asked):
    data, _, _, report = asked("emotions")
    for part in report.sliced_by("label"):
        rows = [
            i
            for i, label in enumerate(data.test["label"])
            if (sum(label) == 0 if part.name == "(none)" else label[data.labels.index(part.name)])
        ]
        assert part.rows == tuple(rows)


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilsons_interval_is_scipys(counts):
    right, total = counts
    expected = binomtest(right, total).proportion_ci(method="wilson")
    assert wilson(right / total, total) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_the_interval_of_a_share_is_wide_where_few_were_counted_and_never_empty():
    groups = np.arange(4)
    low, high = interval(np.ones(4), groups)
    assert low < 0.6
    assert high == 1
    with pytest.raises(ValueError, match="A share of 0.5 of 0 is none"):
        wilson(0.5, 0)


def test_words_that_fail_together_count_as_fewer():
    groups = np.repeat(np.arange(20), 10)
    together = np.repeat(np.arange(20) % 2, 10).astype(float)
    apart = np.tile([0.0, 1.0], 100)
    # a sentence that is all right or all wrong says as much as one word
    assert effective_size(together, groups) == pytest.approx(19, rel=0.01)
    assert effective_size(apart, groups) == 200
    assert effective_size(np.ones(200), groups) == 20
    wide, narrow = (interval(values, groups) for values in (together, apart))
    assert wide[1] - wide[0] > 2 * (narrow[1] - narrow[0])


def test_of_a_hundred_samples_the_interval_of_grouped_words_holds_the_truth_as_often_as_it_says():
    chance = np.random.default_rng(0)
    held = 0
    for _ in range(300):
        shares = chance.beta(2, 2, size=40)  # sentences differ; the mean of all is .5
        sizes = chance.integers(3, 12, size=40)
        groups = np.repeat(np.arange(40), sizes)
        values = (chance.random(len(groups)) < np.repeat(shares, sizes)).astype(float)
        low, high = interval(values, groups)
        held += low <= 0.5 <= high
    assert 0.91 <= held / 300 <= 0.98


def test_a_mean_that_is_no_share_has_a_bootstraps_interval_which_is_the_same_each_time():
    values = np.random.default_rng(0).exponential(2.0, 60)
    low, high = interval(values, np.arange(60))
    assert low < values.mean() < high
    assert high - low == pytest.approx(4 * values.std() / 60**0.5, rel=0.25)
    assert interval(values, np.arange(60)) == (low, high)
    assert interval(values[:4], np.arange(4)) is None
    assert interval(np.full(8, 0.5), np.arange(8)) is None


@settings(max_examples=80, deadline=None)
@given(st.lists(st.one_of(st.integers(0, 40), st.floats(-5, 5)), min_size=1, max_size=50))
def test_binned_numbers_are_in_order_and_in_a_part_that_exists(numbers):
    names, order = binned(numbers)
    assert set(names) <= set(order)
    assert len(order) <= 5
    place = [order.index(name) for name in names]
    for (one, a), (other, b) in zip(
        sorted(zip(numbers, place, strict=True)),
        sorted(zip(numbers, place, strict=True))[1:],
        strict=False,
    ):
        assert one == other or a <= b


def test_parts_of_whole_numbers_are_named_by_their_ends():
    numbers = [3, 4, 5, 6, 7, 8, 9, 12, 20, 30]
    names, order = binned(numbers)
    assert order == ["up to 5", "6 to 7", "8 to 9", "10 and more"]
    assert names[3] == "6 to 7"
    assert binned([2, 2, 5])[1] == ["2", "5"]


def test_items_without_a_name_are_in_no_slice():
    items = Items(np.arange(3), np.array([1.0, 0.0, 1.0]), np.arange(3))
    (part,) = items.divided("kind", [("a",), (), ("a",)], ["b", "a"])
    assert (part.name, part.rows, part.value) == ("a", (0, 2), 1.0)


# -- models from elsewhere, and what is refused


def test_a_live_model_of_transformers_gives_the_same_report_and_stays_as_it_was(asked, tmp_path):
    import transformers

    data, model, tokenizer, report = asked("named_entities")
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    live = transformers.ElectraForTokenClassification.from_pretrained(tmp_path)
    live.train()
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    found = find_errors(live, theirs, data)
    assert live.training
    assert [record.predicted for record in found.records] == [
        record.predicted for record in report.records
    ]
    assert found.overall == report.overall
    np.testing.assert_allclose(
        [record.loss for record in found.records],
        [record.loss for record in report.records],
        rtol=1e-4,
    )


def test_what_cannot_be_asked_is_refused(asked):
    data, model, tokenizer, _ = asked("sentiment")
    with pytest.raises(ValueError, match=r"no examples in 'validation'; it has train \(40 rows\)"):
        find_errors(model, tokenizer, data, "validation")
    other, _, _, _ = asked("named_entities")
    with pytest.raises(TypeError, match="Give an ElectraForTokenClassification that was taught"):
        find_errors(model, tokenizer, other)
    turned = replace(data, labels=tuple(reversed(data.labels)))
    with pytest.raises(ValueError, match="The model's labels are negative, positive; those of"):
        find_errors(model, tokenizer, turned)
    with pytest.raises(ValueError, match="The slice 'text' has 24 different values|at most 24"):
        find_errors(
            model, tokenizer, replace(data, test=data.train), slices={"text": lambda r: r["text"]}
        )
    with pytest.raises(ValueError, match=r"The slice 'words' gives \["):
        find_errors(model, tokenizer, data, slices={"words": lambda row: row["text"].split()})


def test_a_slice_may_be_a_number_or_leave_examples_out(asked):
    data, model, tokenizer, _ = asked("sentiment")
    report = find_errors(
        model,
        tokenizer,
        data,
        slices={
            "letters": lambda row: len(row["text"]),
            "only the": lambda row: True if row["text"].startswith("The") else None,
        },
    )
    assert len(report.sliced_by("letters")) == 4
    assert sum(part.size for part in report.sliced_by("letters")) == 24
    (only,) = report.sliced_by("only the")
    assert only.rows == tuple(i for i, t in enumerate(data.test["text"]) if t.startswith("The"))


def test_the_text_form_is_a_summary_a_matrix_and_the_slices(asked):
    _, _, _, report = asked("sentiment")
    shown = str(report).splitlines()
    wrong = len(report.wrong())
    assert shown[0] == (
        f"ErrorReport(sentiment, test: 24 examples, {wrong} wrong; accuracy {1 - wrong / 24:.3f})"
    )
    assert shown[2].split() == ["right", "negative", "positive", "<-", "said"]
    assert [int(n) for n in shown[3].split()[1:]] == report.confusion.counts[0].tolist()
    assert "95 % interval" in shown[6]
    assert shown[7].split()[:3] == ["all", "24", f"{1 - wrong / 24:.3f}"]
    confident = [record.confidence for record in report.wrong()]
    assert confident == sorted(confident, reverse=True)
