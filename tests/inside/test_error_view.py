"""The view of errors in its four forms, and the explorer that opens one."""

import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from electra_lab.inside.confusion import confusion_of
from electra_lab.inside.explorers import AttentionExplorer, ErrorExplorer, PredictionExplorer
from electra_lab.inside.slices import Items
from electra_lab.inside.trace import trace
from electra_lab.inside.views import ErrorView
from electra_lab.inside.views import display as display_module
from electra_lab.inside.views.error_view import MOST_NAMES, MOST_ROWS
from electra_lab.text.tasks import load_task_data

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "\u202eevil\u202c",
    "a" * 10_000,
    "\ud800",
    "$\\frac{1}{0}$",
]


@pytest.fixture(autouse=True)
def live_unless_told_otherwise(monkeypatch):
    monkeypatch.delenv("ELECTRA_LAB_DISPLAY", raising=False)
    monkeypatch.setattr(display_module, "_chosen", None)


def view(count=8, names=("bad", "good"), text="text {}", **options):
    chance = np.random.default_rng(0)
    gold, said = chance.integers(0, len(names), (2, count)).tolist()
    right = [a == b for a, b in zip(gold, said, strict=True)]
    items = Items(np.arange(count), np.array(right, dtype=float), np.arange(count))
    return ErrorView(
        [text.replace("{}", str(i)) for i in range(count)],
        [names[i] for i in gold],
        [names[i] for i in said],
        chance.exponential(1.0, count).round(3),
        **{
            "confidences": chance.random(count),
            "right": right,
            "notes": [(f"note {i}",) for i in range(count)],
            "confusion": confusion_of(names, names, zip(range(count), gold, said, strict=True)),
            "overall": items.part("", "all"),
            "slices": items.divided("label", [(names[i],) for i in gold], names),
            "title": "T",
            **options,
        },
    )


def state_in(page):
    document = re.search(r'<script type="application/json" id="state-0">(.*?)</script>', page, re.S)
    return json.loads(document.group(1))


def test_a_page_lists_every_example_by_loss_with_what_was_said():
    shown = view()
    rows = state_in(shown.to_html())["rows"]
    order = sorted(range(8), key=lambda i: -shown.losses[i])
    assert rows["number"] == order
    assert rows["loss"] == [shown.losses[i] for i in order]
    assert rows["text"] == [f"text {i}" for i in order]
    assert rows["said"] == [shown.predicted[i] for i in order]
    assert rows["right"] == [int(shown.right[i]) for i in order]
    assert rows["notes"] == [[f"note {i}"] for i in order]


def test_cells_and_slices_point_to_the_listed_examples():
    shown = view(30)
    state = state_in(shown.to_html())
    number = state["rows"]["number"]
    for key, positions in state["confusion"]["rows"].items():
        line, column = map(int, key.split(","))
        assert len(positions) == state["confusion"]["counts"][line][column]
        for position in positions:
            i = number[position]
            assert (shown.gold[i], shown.predicted[i]) == (
                state["confusion"]["gold"][line],
                state["confusion"]["said"][column],
            )
    assert sum(map(len, state["confusion"]["rows"].values())) == 30
    for part in state["slices"]:
        assert {shown.gold[number[position]] for position in part["rows"]} == {part["name"]}
        assert part["low"] <= part["value"] <= part["high"]


@pytest.mark.parametrize(
    "text", ["A sentence of usual length {}. " * 8, "<&> {} " * 400, "語" * 3_000]
)
def test_a_page_of_a_thousand_examples_is_under_a_megabyte(text):
    shown = view(1_000, names=[f"label {i}" for i in range(20)], text=text)
    page = shown.to_html()
    assert len(page.encode()) < 1_000_000
    assert len(state_in(page)["rows"]["number"]) == 1_000
    if len(text) < 300:
        assert state_in(page)["rows"]["text"][0] == shown.texts[shown.listed[0]]


def test_of_very_many_examples_those_with_the_highest_loss_are_listed_and_all_are_counted():
    shown = view(MOST_ROWS + 500)
    state = shown.state()
    assert len(state["rows"]["number"]) == MOST_ROWS
    assert min(state["rows"]["loss"]) >= np.sort(shown.losses)[500] - 0.001
    assert "500 more" in state["left_out"]
    assert sum(map(sum, state["confusion"]["counts"])) == MOST_ROWS + 500
    positions = [p for rows in state["confusion"]["rows"].values() for p in rows]
    assert sorted(positions) == list(range(MOST_ROWS))


def test_many_labels_become_a_dozen_names():
    shown = view(200, names=[f"label {i}" for i in range(30)])
    state = shown.state()
    assert len(state["confusion"]["gold"]) == MOST_NAMES
    assert state["confusion"]["gold"][-1] == "(others)"
    assert sum(map(sum, state["confusion"]["counts"])) == 200


def test_the_text_form_names_what_is_confused_the_slices_and_the_largest_losses():
    shown = view(names=("bad", "good"))
    text = repr(shown).splitlines()
    wrong = shown.right.count(False)
    assert text[0].startswith(f"ErrorView: 8 examples, {wrong} wrong; accuracy .")
    assert text[1] == "  T"
    worst = shown.listed[0]
    assert (
        f"  {shown.losses[worst]:.2f} {shown.gold[worst]}, said {shown.predicted[worst]} "
        f"{shown.confidences[worst]:.2f}".replace(" 0.", " .")
    ).split(" ", 3)[3] in text[text.index("  highest loss:") + 1]
    assert any(re.match(r"  \d+ × (bad, said good|good, said bad)$", line) for line in text)
    assert sum(line.startswith("  label: ") for line in text) == 2


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_stays_text_in_every_form(text):
    confusion = confusion_of([text, "b"], [text, "b"], [(0, 0, 1), (1, 1, 1)])
    items = Items(np.arange(2), np.array([0.0, 1.0]), np.arange(2))
    shown = ErrorView(
        [text, text],
        [text, "b"],
        ["b", text],
        [1.0, 0.5],
        right=[False, True],
        notes=[(text,), (text, text)],
        confusion=confusion,
        overall=items.part("", "all"),
        slices=items.divided(text, [(text,), ("b",)], [text, "b"]),
        title=text,
        note=text,
        metric=text,
    )
    page = shown.to_html()
    assert page.count("<script") == 2
    assert "<img" not in page
    page.encode("utf-8")
    repr(shown).encode("utf-8")
    assert len(repr(shown)) < 3_500
    assert Image.open(io.BytesIO(shown.to_png())).width == 1440


def test_the_picture_shows_matrix_slices_and_examples():
    base = view()
    for other in (
        {"confusion": None},
        {"slices": ()},
        {"confidences": None, "right": None, "notes": None},
    ):
        changed = view(**other)
        assert Image.open(io.BytesIO(changed.to_png())).width == 1440
        if "confidences" not in other:
            assert changed.to_png() != base.to_png()


@pytest.mark.parametrize("count", [0, 1, 3])
def test_few_examples_are_drawn_too(count):
    shown = ErrorView(["x"] * count, ["a"] * count, ["b"] * count, [0.5] * count)
    assert Image.open(io.BytesIO(shown.to_png())).width == 1440
    assert len(state_in(shown.to_html())["rows"]["number"]) == count
    assert repr(shown).startswith(f"ErrorView: {count} examples")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"confidences": [0.5]}, "There are 8 texts but 1 confidences"),
        ({"right": [True]}, "There are 8 texts but 1 marks of what is right"),
        ({"notes": [()]}, "There are 8 texts but 1 lists of notes"),
        ({"confidences": [1.5] * 8}, r"confidence of example 0 is 1.5; it must lie in \[0, 1\]"),
        ({"selected": 8}, "There is no example 8; there are 8"),
        ({"confusion": confusion_of("ab", "ab", [(9, 0, 1)])}, "names example 9; there are 8"),
    ],
)
def test_what_does_not_fit_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        view(**options)


def test_a_loss_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="The loss of example 1 is nan; it must be finite"):
        ErrorView(["a", "b"], ["x", "x"], ["x", "x"], [0.1, float("nan")])


def test_the_view_follows_what_the_reader_chooses_and_tells_its_handlers():
    shown, heard = view(), []
    shown.on_event(heard.append)
    tell = shown.widget._handle_custom_msg
    before = shown.widget.state
    tell({"event": "choose", "index": 5}, [])
    assert shown.selected == 5
    assert shown.widget.state is before  # the widget shows it already
    tell({"event": "choose", "index": 99}, [])
    tell({"event": "choose", "index": "5"}, [])
    tell({"event": "choose"}, [])
    assert shown.selected == 5
    assert heard == [{"event": "choose", "index": 5}]
    shown.choose(2)
    assert shown.widget.state["selected"] == 2
    with pytest.raises(ValueError, match="There is no example 8"):
        shown.choose(8)


# -- the explorer


SENTENCES = [
    ("the old chef cooked the meal .", "good"),
    ("a dog ate the meal .", "bad"),
    ("the dogs slept in the house .", "fair"),
    ("the chef made a house .", "bad"),
]


@pytest.fixture
def labelled():
    rows = [{"text": text, "label": label} for text, label in SENTENCES]
    return load_task_data({"train": rows[:3], "test": rows}, labels=["bad", "fair", "good"])


@pytest.fixture
def explorer(heads, pair, labelled):
    model = heads["ElectraForSequenceClassification"]
    return ErrorExplorer(model, labelled, tokenizer=pair.tokenizer, opens="attention")


def test_the_example_with_the_highest_loss_is_open_at_first(explorer):
    worst = max(range(4), key=lambda i: explorer.errors.losses[i])
    assert explorer.errors.selected == worst
    assert explorer.example.text == SENTENCES[worst][0]
    assert isinstance(explorer.example, AttentionExplorer)
    assert explorer.views == [explorer.errors, *explorer.example.views]


def test_an_example_that_is_clicked_is_traced(explorer, heads, pair):
    for number in (1, 3):
        explorer.errors.widget._handle_custom_msg({"event": "choose", "index": number}, [])
        seen = trace(
            heads["ElectraForSequenceClassification"],
            SENTENCES[number][0],
            tokenizer=pair.tokenizer,
        )
        assert explorer.example.attention.tokens == seen.tokens[0]
        p = seen.probabilities[0]
        record = explorer.report.records[number]
        assert record.predicted == ("bad", "fair", "good")[int(p.argmax())]
        assert record.loss == pytest.approx(
            -float(p[("bad", "fair", "good").index(SENTENCES[number][1])].log()), rel=1e-4
        )
        assert explorer.example.outcome.numbers == pytest.approx(p.tolist(), abs=1e-5)


def test_the_split_is_chosen_by_code_and_by_its_control(explorer):
    assert explorer.controls["split"].value == "test"
    explorer.controls["split"].value = "train"
    assert explorer.split == "train"
    assert len(explorer.errors.texts) == 3
    assert explorer.errors.title.endswith("train")
    explorer.split = "test"
    assert explorer.controls["split"].value == "test"
    with pytest.raises(ValueError, match="no examples in 'dev'"):
        explorer.split = "dev"
    assert explorer.split == "test"


def test_an_example_that_is_too_long_to_trace_says_so_and_the_next_one_opens(heads, pair, labelled):
    model = heads["ElectraForSequenceClassification"]
    long = "the dog ate . " * 20
    rows = [{"text": text, "label": "bad"} for text in (long, "a dog ate .")]
    data = load_task_data({"train": SENTENCES_AS_ROWS, "test": rows}, labels=list(labelled.labels))
    explorer = ErrorExplorer(model, data, tokenizer=pair.tokenizer)
    explorer.choose(1)
    assert explorer.example.why.tokens[1:-1] == ["a", "dog", "ate", "."]
    explorer.choose(0)
    assert "tokens, the model 32 positions" in explorer.example.message
    # also where nothing was open before
    shortened = replace(data, test=data.test.select([0]))
    alone = ErrorExplorer(model, shortened, tokenizer=pair.tokenizer, opens="attention")
    assert alone.example is None
    assert "tokens, the model 32 positions" in repr(alone)
    assert alone.panel.children[-1].children == ()
    alone.split = "train"
    assert alone.panel.children[-1].children == (alone.example.panel,)


SENTENCES_AS_ROWS = [{"text": text, "label": label} for text, label in SENTENCES]


def test_the_explorers_page_holds_the_errors_and_the_trace_of_one(explorer):
    page = explorer.to_html()
    assert len(page.encode()) < 1_000_000
    assert page.count('id="state-') == 3
    assert "Its controls need a running notebook" in page
    assert Image.open(io.BytesIO(explorer.to_png())).width == 1440
    assert repr(explorer).startswith("ErrorExplorer\nErrorView: 4 examples")


def test_every_kind_of_data_is_opened(heads, pair):
    tokenizer = pair.tokenizer
    text = "the old chef cooked the meal ."
    answers = {"text": ["chef"], "answer_start": [8]}

    def sets(split):
        return {
            "ElectraForTokenClassification": [
                {"words": ["the", "dog", "ate"], "tags": ["bad", "fair", "good"]},
                {"words": ["the", "chef"], "tags": ["bad", "fair"]},
            ],
            "ElectraForQuestionAnswering": [
                {"id": f"{split} {i}", "context": text, "question": "the dog ?", "answers": answers}
                for i in range(2)
            ],
            "ElectraForMultipleChoice": [
                {"context": text, "choices": ["the dog ate .", "a dog slept ."], "label": i}
                for i in range(2)
            ],
        }

    for name, rows in sets("test").items():
        options = {"labels": ["bad", "fair", "good"]} if "Token" in name else {}
        data = load_task_data({"train": sets("train")[name], "test": rows}, **options)
        explorer = ErrorExplorer(heads[name], data, tokenizer=tokenizer, opens="attention")
        for number in range(2):
            explorer.choose(number)
            assert {"dog", "chef"} & set(explorer.example.attention.tokens)
            assert explorer.example.text == explorer.report.records[number].text


def test_an_unknown_explorer_is_refused(heads, pair, labelled):
    with pytest.raises(ValueError, match="opens is 'magic'. Use one of 'prediction', 'attention'"):
        ErrorExplorer(
            heads["ElectraForSequenceClassification"],
            labelled,
            tokenizer=pair.tokenizer,
            opens="magic",
        )


def test_an_example_opens_as_a_prediction_with_nothing_beside_it(explorer):
    assert explorer.panel.children[-1].children == (explorer.example.panel,)
    explorer.controls["opens"].value = "prediction"
    assert isinstance(explorer.example, PredictionExplorer)
    assert explorer.panel.children[-1].children == (explorer.example.panel,)
    assert explorer.example.text == SENTENCES[explorer.errors.selected][0]
    explorer.example.hide(1)
    assert explorer.example.other is not None
    explorer.choose(1)
    assert (explorer.example.text, explorer.example.other) == (SENTENCES[1][0], None)
    assert explorer.example.outcome.views(False)[0].numbers == pytest.approx(
        trace(explorer.model, SENTENCES[1][0], tokenizer=explorer.tokenizer)
        .probabilities[0]
        .tolist(),
        abs=1e-5,
    )


def test_the_model_may_be_a_folder(explorer, labelled, tmp_path):
    explorer.model.save_pretrained(tmp_path)
    explorer.tokenizer.save_pretrained(tmp_path)
    found = ErrorExplorer(tmp_path, labelled)
    assert found.errors.predicted == explorer.errors.predicted
    with pytest.raises(ValueError, match="needs its tokenizer"):
        ErrorExplorer(explorer.model, labelled)
