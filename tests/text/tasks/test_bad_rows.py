"""Bad input: an error that shows the row, its number and what was expected; or a count of what was left
out."""

import json
from collections import Counter

import pytest

from electra_lab.text.tasks import BadRowError, load_task_data

pytest.importorskip("datasets")

PASSAGE = "The cat is red."


def text(label, text="Some text."):
    return {"text": text, "label": label}


def spans(*entities):
    return {"text": "Old Ann met Bob.", "entities": [[0, 3, "x"], *entities]}


def question(**changes):
    answers = {"text": ["red"], "answer_start": [11]}
    return {"context": PASSAGE, "question": "What colour?", "answers": answers} | changes


def answer(text, start):
    return question(answers={"text": [text], "answer_start": [start]})


def choice(*choices, label=0):
    return {"context": "It rains.", "choices": list(choices), "label": label}


TEXTS = [text("good", f"Text {n}.") for n in range(2)] + [text("bad")]
BOTH = ["good", "bad"]

# good rows, a bad one, what the error says of it, under what it is counted, options
BAD_ROWS = [
    (
        TEXTS,
        text("goood"),
        "'goood' is not in the set: good, bad",
        "not in the set",
        {"labels": BOTH},
    ),
    (TEXTS, text(7), "label 7 is not in the set", "not in the set", {"labels": BOTH}),
    (TEXTS, text(None), "has no label; expected one of bad, good", "no label", {}),
    (TEXTS, text("good", ""), "'text' is empty; expected a text", "an empty 'text'", {}),
    (TEXTS, text("good", 5), "'text' is 5; expected a text", "no text in 'text'", {}),
    (TEXTS, {"label": "good"}, "'text' is None; expected a text", "no text in 'text'", {}),
    (
        [text(0.5), text(1.5)],
        text("high"),
        "label is 'high'; expected a number",
        "a label that is no number",
        {"problem_type": "regression"},
    ),
    (
        [text(0.5), text(1.5)],
        text(float("nan")),
        "label is nan; expected a number",
        "a label that is no number",
        {"problem_type": "regression"},
    ),
    (
        [{"text": "A.", "score": 4}, {"text": "B.", "score": "2"}],
        {"text": "C.", "score": "two"},
        "label is 'two'; expected a number",
        "a label that is no number",
        {},
    ),
    (
        [text(["a"]), text([])],
        text("a"),
        "set: a, c",
        "not in the set",
        {"labels": ["a", "c"], "bad": text(["b"])},
    ),
    (
        [{"text": "A.", "a": 1, "b": 0}, {"text": "A.", "a": 0, "b": 0}],
        {"text": "B.", "a": 2, "b": 0},
        "'a' is 2; expected 0 or 1",
        "neither 0 nor 1 in 'a'",
        {"columns": {"label": ["a", "b"]}},
    ),
    (
        [{"words": ["A", "b"], "tags": ["X", "Y"]}],
        {"words": ["A", "b"], "tags": ["X"]},
        "2 words and 1 tags; expected a tag for each word",
        "tags and words of different number",
        {},
    ),
    (
        [{"words": ["A", "b"], "tags": ["X", "Y"]}],
        {"words": ["A", "\u200b"], "tags": ["X", "Y"]},
        "at least one visible character",
        "a word that is empty",
        {},
    ),
    (
        [{"words": ["A", "b"], "tags": ["X", "Y"]}],
        {"words": ["A"], "tags": ["Z"]},
        "The tag 'Z' is not in the set: X, Y",
        "a tag that is not in the set",
        {"labels": ["X", "Y"]},
    ),
    *(
        (
            [{"words": ["Old", "Ann", "ran"], "tags": ["B-x", "I-x", "O"]}],
            {"words": ["Bob", "ran"], "tags": [tag, "O"]},
            f"The tag {tag!r} is not in the set: O, B-x, I-x",
            "a tag that is not in the set",
            {},
        )
        for tag in ("b-x", "X-x", "0")
    ),
    (
        [{"words": ["A", "b"], "tags": ["X", "Y"]}],
        {"words": [], "tags": []},
        "has no words",
        "no words",
        {},
    ),
    (
        [{"words": ["A", "b"], "tags": [0, 1]}],
        {"words": ["A"], "tags": [2]},
        "The label 2 is not in the set: X, Y",
        "not in the set",
        {"labels": ["X", "Y"]},
    ),
    (
        [spans()],
        spans({"start": 4, "end": 7, "label": "x", "text": "Bob"}),
        "covers 'Ann', and its own text is 'Bob', which begins at 12",
        "does not match its text",
        {},
    ),
    (
        [spans()],
        spans([4, 6, "x"]),
        "4 to 6 ('An') does not begin and end with words: 'Old [An]n met Bob.'",
        "parts of words",
        {},
    ),
    ([spans()], spans([3, 7, "x"]), "does not begin and end with words", "parts of words", {}),
    ([spans()], spans([12, 40, "x"]), "which has 16 characters", "not in its text", {}),
    ([spans()], spans([0, 7, "y"]), "('Old Ann') overlaps another", "overlap", {}),
    ([spans()], spans(["0", 7, "y"]), 'expected {"start": 0, "end": 5', "without start", {}),
    ([question()], answer("red", 13), "13 would end at 16, beyond the context of 15", "beyond", {}),
    (
        [question()],
        answer("red", -1),
        "answer_start is -1; expected 0 or more; the context has it at 11",
        "before the text",
        {},
    ),
    (
        [question()],
        answer("red", 4),
        "has 'cat', and the answer is 'red', which begins at 11",
        "does not match",
        {},
    ),
    ([question()], answer("blue", 4), "'blue', which the text does not have", "does not match", {}),
    ([question()], answer("blue", None), "does not have the answer 'blue'", "does not have", {}),
    ([question()], answer("red", "x"), "answer_start is 'x'", "no number", {}),
    ([question()], answer("", 0), "An answer is ''", "an empty answer", {}),
    ([question()], question(answers=3), "'answers' is 3", "no known form", {}),
    (
        [question()],
        question(answers={"text": ["red"], "answer_start": []}),
        "expected as many in answer_start",
        "answers and starts of different number",
        {},
    ),
    (
        [question(is_impossible=False)],
        question(is_impossible=True),
        "is_impossible is True, and there are answers",
        "an unanswerable question with answers",
        {},
    ),
    (
        [question(is_impossible=False)],
        question(is_impossible=False, answers={"text": [], "answer_start": []}),
        "there are no answers",
        "an answerable question without answers",
        {},
    ),
    (
        [choice("a", "b", "c")] * 2,
        choice("a", "b"),
        "has 2 choices, and most rows of train have 3",
        "another number of choices",
        {},
    ),
    (
        TEXTS,
        text({"a": 1}),
        "The label is {'a': 1}; expected a name or a number",
        "a label that is no name",
        {},
    ),
    (
        [text(1.5), text(2.5)],
        text("3,5"),
        "expected a number such as 3.5",
        "a label that is no number",
        {"problem_type": "regression"},
    ),
    ([text(1.5), text(2.5)], text("n/a"), "'n/a'; expected a number", "no number", {}),
    (
        [text("1"), text("2")],
        text(0),
        "label 0 is not in the set: 1, 2",
        "not in the set",
        {"labels": ["1", "2"]},
    ),
    (TEXTS, text(float("nan")), "has no label; expected one of bad, good", "no label", {}),
    (TEXTS, text("good", "cut \ud83d"), "half of a character", "half a character", {}),
    (
        [text([0, 0, 1]), text([1, 0, 0])],
        text([1, 0]),
        "expected a 0 or 1 for each of 0, 1, 2",
        "another number of labels",
        {},
    ),
    ([text([0, 0, 1]), text([1, 0, 0])], text([1, -1, 0]), "'1' is -1; expected 0 or 1", "'1'", {}),
    (
        [text(["a"]), text([])],
        text([["a", 0]]),
        "expected names. Spans of characters are for",
        "labels that are no names",
        {"task": "sequence-classification"},
    ),
    ([text(["a"]), text([])], text("['a'"), "are no JSON list", "no JSON list", {}),
    ([text(["a"]), text([])], text("['a' 'b']"), "are no JSON list", "no JSON list", {}),
    ([text(["a"]), text([])], text(3), "expected a list of names", "no list", {}),
    (
        [question()],
        {name: value for name, value in question().items() if name != "answers"},
        "It has no 'answers', as train has it",
        "no 'answers'",
        {},
    ),
    (
        [choice("a", "b")] * 2,
        choice("a", "b", label=2),
        "is 2; expected",
        "none of the choices",
        {},
    ),
    ([choice("a", "b")] * 2, choice("a", "b", label=None), "label is None", "no label", {}),
    ([choice("a", "b")] * 2, choice("a", ""), "A choice is ''", "an empty choice", {}),
    ([choice("a", "b")] * 2, choice("a"), "at least two texts", "no list of choices", {}),
]


@pytest.mark.parametrize(("good", "bad", "message", "kind", "options"), BAD_ROWS)
def test_a_bad_row_is_shown_with_its_number_or_counted(good, bad, message, kind, options):
    options = dict(options)
    bad = options.pop("bad", bad)
    source = {"train": [*good, bad, *good], "test": good}
    with pytest.raises(BadRowError) as raised:
        load_task_data(source, **options)
    assert raised.value.row == len(good) + 1
    assert message in str(raised.value)
    assert str(raised.value).startswith(f"split train, row {len(good) + 1}: ")
    assert "The row: {" in str(raised.value)
    assert "skip_bad_rows=True (--skip-bad-rows)" in str(raised.value)
    data = load_task_data(source, skip_bad_rows=True, **options)
    assert data.skipped.total() == 1
    assert kind in next(iter(data.skipped))
    assert len(data.train) == 2 * len(good)


@pytest.mark.parametrize("label", ["fine", 1])  # no order was given in which 1 could be a place
def test_a_test_label_that_train_does_not_have_is_a_bad_row_of_test(label):
    message = f"split test, row 2: The label {label!r} is not in the set: bad, good"
    with pytest.raises(BadRowError, match=message):
        load_task_data({"train": TEXTS, "test": [TEXTS[0], text(label)]})


def test_a_label_of_0_is_bad_where_train_counts_choices_from_1():
    train, test = (
        [{"premise": "It rains.", "choice1": "Dry.", "choice2": "Wet.", "label": label}]
        for label in (1, 0)
    )
    with pytest.raises(BadRowError, match=r"The label is 0; expected .* or one of 1, 2"):
        load_task_data({"train": train, "test": test})


def test_a_test_split_of_ones_own_without_labels_is_an_error():
    with pytest.raises(BadRowError, match="split test, row 1: It has no label"):
        load_task_data({"train": TEXTS, "test": [text(None), text(None)]})


def test_a_long_row_is_shown_shortened():
    with pytest.raises(BadRowError) as raised:
        load_task_data({"train": [*TEXTS, text(None, "word " * 1000)]})
    assert len(str(raised.value)) < 500
    assert '..."' in str(raised.value)
    assert '"label": null}' in str(raised.value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"train": [], "test": TEXTS}, "split train: the train split is empty"),
        ({"train": TEXTS, "test": []}, "split test: the test split is empty"),
        (
            {"train": TEXTS[:2], "test": TEXTS},
            "row 1: all 2 rows of train have the label 'good'; expected at",
        ),
        ({"train": [text([]), text([])]}, "none of the . rows of train has a label"),
        ({"train": [text(["a", "b"])] * 9}, "rows of train have the labels a, b; there is nothing"),
        (
            {"train": [{"words": ["a", "b"], "tags": ["X", "X"]}] * 9},
            "all words .* have the tag 'X'",
        ),
        (
            {"train": [question(answers={"text": [], "answer_start": []})] * 9},
            r"none of its \d questions has an answer",
        ),
        ({"train": TEXTS[1:]}, "its 2 rows are too few to set a part aside for the test"),
        ({"train": TEXTS[:1]}, "row 1: It is the only row, and a part of the rows"),
        ({"train": [{"words": ["a"], "tags": ["X"]}]}, "an empty line stands between sentences"),
        ({"train": TEXTS[:1], "test": TEXTS}, "row 1: its only row has the label 'good'"),
    ],
)
def test_nothing_to_learn_or_to_test_is_an_error_that_skipping_does_not_hide(source, message):
    for skip in (False, True):
        with pytest.raises(BadRowError, match=message) as raised:
            load_task_data(source, skip_bad_rows=skip)
        assert "--skip-bad-rows" not in str(raised.value)


def test_a_split_whose_rows_are_all_bad_says_what_was_left_out():
    bad = [text(None), text(None, "x")]
    with pytest.raises(BadRowError, match="test split is empty.* Left out: 2 with no label"):
        load_task_data({"train": TEXTS, "test": bad}, skip_bad_rows=True)


# -- files


@pytest.mark.parametrize(
    ("name", "content", "row", "line", "message"),
    [
        (
            "a.csv",
            'text,label\n"A\nb.",x\nB.,y,z\nC.,y\n',
            2,
            4,
            "It has 3 fields, and the first line",
        ),
        ("a.csv", "text,label\nA.,x\nB.\nC.,y\n", 2, 3, "It has 1 field, and the first line"),
        ("a.jsonl", '{"text": "A.", "label": 1}\n\n{"text"\n', 2, 3, "It is no JSON"),
        ("a.jsonl", '{"text": "A.", "label": 1}\n3\n', 2, None, "Expected an object"),
        ("a.json", '[{"text": "A.", "label": 1}, 3]', 2, None, "Expected an object"),
        (
            "a.conll",
            "A\tX\nb\tY\n\nC\tX\nd\n\n",
            2,
            5,
            "Line 5 has 1 column ('d'), its sentence has 2",
        ),
        ("a.conll", "A\tX\n\nB\nc\tX\n\n", 2, 3, "Line 3 has 1 column ('B'), its sentence"),
    ],
)
def test_a_broken_line_of_a_file_is_shown_with_its_number(
    tmp_path, name, content, row, line, message
):
    file = tmp_path / name
    file.write_text(content)
    with pytest.raises(BadRowError) as raised:
        load_task_data(file, test=file)
    assert raised.value.row == row
    assert message in str(raised.value)
    place = f"{name}, row {row}" + (f" (line {line})" if line else "")
    assert str(raised.value).startswith(place + ": ")


def test_one_column_is_no_conll_and_no_table(tmp_path):
    file = tmp_path / "a.conll"
    file.write_text("Rome\nsleeps\n\nAnna\n\n")
    with pytest.raises(ValueError, match="one column each; expected a word and its tag"):
        load_task_data(file)
    file = tmp_path / "a.tsv"
    file.write_text("text,label\nA.,x\nB.,y\n")
    with pytest.raises(ValueError, match=r"That is one column.* a \.tsv file has tabs"):
        load_task_data(file)


@pytest.mark.parametrize(
    ("labels", "message"),
    [(["a", "b", ""], "one is empty"), (["a", "b", "a"], "'a' is there twice")],
)
def test_names_of_labels_must_differ(labels, message):
    for source in ({"train": TEXTS}, {"train": [{"words": ["x"], "tags": ["a"]}] * 4}):
        with pytest.raises(ValueError, match=f"labels are a, b, .*: {message}"):
            load_task_data(source, labels=labels)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": {"label": ["x", "x"]}}, "'x' is there twice"),
        ({"columns": {"label": ["x", "y"]}, "labels": ["a", "b", "c"]}, "a, b, c, and .* as many"),
        (
            {"columns": {"label": ["x", "y"]}, "problem_type": "regression"},
            "several columns are for",
        ),
    ],
)
def test_columns_of_labels_must_fit_what_else_is_said(options, message):
    made = [{"text": "A.", "x": 0, "y": 1}, {"text": "B.", "x": 1, "y": 1}]
    with pytest.raises(ValueError, match=message):
        load_task_data({"train": made}, **options)


def test_half_a_character_in_a_column_that_is_not_read_does_no_harm():
    made = [{**row, "author": "\ud83d"} for row in TEXTS]
    assert len(load_task_data({"train": made, "test": made}).train) == 3


def test_only_labels_and_choices_stand_in_several_columns():
    with pytest.raises(ValueError, match="columns names a, b for text; expected one column"):
        load_task_data({"train": TEXTS}, columns={"text": ["a", "b"]})


def test_broken_lines_are_counted_when_bad_rows_are_skipped(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("text,label\nA.,x\nB.\nC.,y\nD.,y,z\nE.,\n")
    data = load_task_data(file, test=file, skip_bad_rows=True)
    kind = "another number of fields than the first line"
    assert data.skipped == Counter({kind: 4, "no label": 2})  # in train and again in test
    assert data.train["text"][:] == ["A.", "C."]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"caf\xe9,label\n", "is not UTF-8 text: byte 3 is 0xe9"),
        ("a.csv", b'text,label\nA.,x\n"B" c,y\n', r"a.csv, row 2 \(line 3\): .*quotation marks"),
        ("a.csv", b"text,text\nA.,x\n", "must name the columns, each once"),
        ("a.csv", b"", "must name the columns, .* It is empty"),
        (
            "a.csv",
            b"A long text,x\nAnother one,y\n",
            r"No column is plainly the label; the columns are .* a row and no names, put a first line",
        ),
        ("a.csv", b"remark,stars given\nA,1\n", r"\(--column label=NAME\)\.$"),
        ("a.csv", b'text,label\nA.,x\n"B.,y\n', "a quotation mark is opened and never closed"),
        ("a.json", b'{"a": 1}', "Expected a list of objects"),
        ("a.json", b"[1, ", "is no JSON"),
        ("a.json", b'{"data": [{"paragraphs": [{"context": "A"}]}]}', "there is no list 'qas'"),
        ("a.jsonl", b"", "the train split is empty"),
        ("a.conll", b"\n\n", "the train split is empty"),
        ("a.jsonl", b"1\n2\n", "a.jsonl, row 1: Expected an object"),
        ("a.txt", b"Only text.\n", "plain text, which has no labels"),
        ("a.xlsx", b"PK", "ends in .xlsx; labelled data ends in .csv"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_what_was_expected(
    tmp_path, name, content, message
):
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        load_task_data(file)


def test_files_and_folders_that_are_not_there_or_unclear_are_refused(tmp_path):
    for missing in (tmp_path / "a.csv", str(tmp_path / "a"), "./nothing", "reviews.csv"):
        with pytest.raises(FileNotFoundError, match="There is no file or folder"):
            load_task_data(missing)
    (tmp_path / "notes.md").write_text("Notes.")
    with pytest.raises(FileNotFoundError, match="no train file in .*; it has notes.md. Expected"):
        load_task_data(tmp_path)
    for name in ("train.csv", "train.tsv"):
        (tmp_path / name).write_text("text,label\n")
    with pytest.raises(ValueError, match=r"train.csv, train.tsv could all be the train split"):
        load_task_data(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(test_share=1), "test_share is 1; expected a part"),
        (dict(task="parsing"), "There is no task 'parsing'; expected one of sequence_cl"),
        (dict(problem_type="ranking"), "'ranking'; expected one of single_label"),
        (dict(columns={"tokens": "text"}), "names 'tokens'; this task has columns for text"),
        (dict(columns={"text": "body"}), "text is in body; the columns are text, label"),
        (dict(test="dev"), "There is no split dev; there are train, test"),
        (dict(revision="main"), "revision: rows at hand has no such options"),
        (dict(task="multiple_choice"), "No column is plainly the choices.*--column choices=NAME"),
        (dict(task="question_answering"), "No column is plainly the context"),
        (
            dict(task="token_classification"),
            "'label' is 'good'; expected a list of spans",
        ),
    ],
)
def test_an_argument_that_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        load_task_data({"train": TEXTS, "test": TEXTS}, **arguments)


def test_a_file_is_refused_what_only_the_hub_can_do(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("text,label\nA.,x\nB.,y\n")
    with pytest.raises(ValueError, match="revision: a file has no such options"):
        load_task_data(file, revision="main")


def test_several_columns_of_tags_must_be_told_apart():
    row = {"tokens": ["A", "b"], "pos_tags": ["X", "Y"], "ner_tags": ["O", "B-z"]}
    with pytest.raises(ValueError, match=r"plainly the only one with tags.*--column tags=NAME"):
        load_task_data({"train": [row], "test": [row]})
    data = load_task_data({"train": [row], "test": [row]}, columns={"tags": "ner_tags"})
    assert data.labels == ("O", "B-z", "I-z")


def test_a_bundled_set_and_its_twin_are_refused_what_they_cannot_do():
    with pytest.raises(
        ValueError, match="similarity is a set for sequence_classification, not for"
    ):
        load_task_data("similarity", task="token_classification")
    with pytest.raises(ValueError, match="revision: a bundled set has no such options"):
        load_task_data("similarity", revision="main")
    with pytest.raises(
        ValueError, match="no twin 'microworld/nothing'; there are those of sentiment"
    ):
        load_task_data("microworld/nothing")


def test_the_error_is_a_value_error_with_its_parts():
    error = BadRowError("a.csv", 3, "It is wrong.", {"text": "x"}, line=5)
    assert isinstance(error, ValueError)
    assert (error.source, error.row, error.expected) == ("a.csv", 3, "It is wrong.")
    assert str(error).splitlines()[:2] == [
        "a.csv, row 3 (line 5): It is wrong.",
        f"The row: {json.dumps({'text': 'x'})}",
    ]
