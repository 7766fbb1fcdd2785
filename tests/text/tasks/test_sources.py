"""Labelled data from files, folders and rows at hand: whatever the columns are called, the standard ones
come out."""

import json
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from electra_lab.text.tasks import load_task_data
from electra_lab.text.tasks.dividing import drawn
from electra_lab.text.tasks.spans import tagged_words
from electra_lab.text.tasks.tokens import as_bio
from electra_lab.training.validation import with_validation

datasets = pytest.importorskip("datasets")

CSV = 'text,label\n"Good, very good.",good\nBad.,bad\n"He said ""no"".",bad\nFine.,good\n'


def write(folder, name: str, content) -> str:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(content, str):
        is_lines = name.endswith(".jsonl")
        content = (
            "".join(json.dumps(r) + "\n" for r in content) if is_lines else json.dumps(content)
        )
    file.write_text(content, encoding="utf-8")
    return str(file)


def rows(*train, test=None, **options):
    """The rows of train as they come out of rows at hand."""
    source = {"train": list(train), "test": list(test or train)}
    data = load_task_data(source, **options)
    return data, list(data.train)


def one_of_each(name_and_values: dict) -> list[dict]:
    """Rows from columns."""
    return [
        dict(zip(name_and_values, values, strict=True))
        for values in zip(*name_and_values.values(), strict=True)
    ]


# -- sequence classification


def test_a_table_with_quotes_gives_texts_and_classes(tmp_path):
    data = load_task_data(write(tmp_path, "reviews.csv", CSV), test_share=0.5)
    assert data.name == "reviews"
    assert data.task == "sequence_classification"
    assert data.problem_type == "single_label_classification"
    assert data.labels == ("bad", "good")
    assert len(data.train) == len(data.test) == 2
    found = {row["text"]: data.labels[row["label"]] for s in (data.train, data.test) for row in s}
    assert found == {
        "Good, very good.": "good",
        "Bad.": "bad",
        'He said "no".': "bad",
        "Fine.": "good",
    }


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tsv", "text\tlabel\nOne, two.\tx\nThree.\ty\n"),
        ("a.csv", "text;label\nOne, two.;x\nThree.;y\n"),
        ("a.csv", '\ufefftext,label\r\n"One, two.",x\r\n\r\nThree.,y\r\n'),
        ("a.json", [{"text": "One, two.", "label": "x"}, {"text": "Three.", "label": "y"}]),
        (
            "a.json",
            {"data": [{"text": "One, two.", "label": "x"}, {"text": "Three.", "label": "y"}]},
        ),
        ("a.json", '{"text": "One, two.", "label": "x"}\n\n{"text": "Three.", "label": "y"}'),
        ("a.jsonl", [{"text": "One, two.", "label": "x"}, {"text": "Three.", "label": "y"}]),
        ("a.jsonl", '\ufeff{"text": "One, two.", "label": "x"}\n{"text": "Three.", "label": "y"}'),
    ],
)
def test_forms_of_files_give_the_same_rows(tmp_path, name, content):
    file = write(tmp_path, name, content)
    data = load_task_data(file, test=file)
    assert list(data.train) == [
        {"text": "One, two.", "text_pair": None, "label": 0},
        {"text": "Three.", "text_pair": None, "label": 1},
    ]


def test_a_field_of_a_table_may_be_long(tmp_path):
    long = "word " * 50_000
    file = write(tmp_path, "a.csv", f"text,label\n{long},x\nshort,y\n")
    assert load_task_data(file, test=file).train["text"][0] == long


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (("Sentence", "Label"), "A."),
        (("review", "rating"), "A."),
        (("anything", "label"), "A."),
        (("sentence1", "sentence2", "label"), ("A.", "B.")),
        (("premise", "hypothesis", "label"), ("A.", "B.")),
        (("question1", "question2", "label"), ("A.", "B.")),
        (("text", "text_pair", "label"), ("A.", "B.")),
        (("id", "question", "sentence", "label"), ("B.", "C.")),
    ],
)
def test_columns_are_found_by_their_usual_names(columns, expected):
    made = [dict(zip(columns, ["A.", "B.", "C."], strict=False)) for _ in range(2)]
    for index, row in enumerate(made):
        row[columns[-1]] = f"class {index}"
    data, found = rows(*made)
    pair = (found[0]["text"], found[0]["text_pair"]) if data.is_pair else found[0]["text"]
    assert pair == expected


def test_columns_can_be_named():
    made = one_of_each({"text": "ab", "body": "xy", "other": "pq", "mood": ["m", "n"]})
    named = {"text": "body", "text_pair": "other", "label": "mood"}
    data, found = rows(*made, columns=named, labels=["n", "m"])
    assert found[0] == {"text": "x", "text_pair": "p", "label": 1}
    assert data.labels == ("n", "m")


@pytest.mark.parametrize(
    ("column", "values", "problem_type", "labels", "first"),
    [
        ("label", ["b", "a"], "single_label_classification", ("a", "b"), 1),
        ("label", [10, 9], "single_label_classification", ("9", "10"), 1),
        ("label", ["10", "9"], "single_label_classification", ("9", "10"), 1),
        ("label", [-1, 1], "single_label_classification", ("-1", "1"), 0),
        ("label", [True, False], "single_label_classification", ("false", "true"), 1),
        ("label", [1.0, 0.0], "single_label_classification", ("0", "1"), 1),
        ("label", [0.5, 3], "regression", (), 0.5),
        ("label", ["0.5", "3"], "regression", (), 0.5),
        ("score", [5, 3], "regression", (), 5.0),
        ("labels", [["b", "a"], []], "multi_label_classification", ("a", "b"), [1.0, 1.0]),
        ("labels", ["b|c", ""], "multi_label_classification", ("b", "c"), [1.0, 1.0]),
        ("labels", ['["b, d"]', "[]"], "multi_label_classification", ("b, d",), [1.0]),
        ("labels", ["['b', 'd']", "[]"], "multi_label_classification", ("b", "d"), [1.0, 1.0]),
        ("labels", [[0, 2], [1]], "multi_label_classification", ("0", "1", "2"), [1.0, 0.0, 1.0]),
        (
            "labels",
            [[1, 0, 0], [0, 1, 1]],
            "multi_label_classification",
            ("0", "1", "2"),
            [1, 0, 0],
        ),
        ("labels", ["[1, 0]", "[0, 0]"], "multi_label_classification", ("0", "1"), [1.0, 0.0]),
        ("label", ["NaN", "x"], "single_label_classification", ("NaN", "x"), 0),
        ("label", ["401.9", "V27.0"], "single_label_classification", ("401.9", "V27.0"), 0),
        ("label", ["1,5", "2"], "single_label_classification", ("1,5", "2"), 0),
        ("label", ["['b', 'd']", "['b']"], "multi_label_classification", ("b", "d"), [1.0, 1.0]),
        ("labels", ["1|0|0", "0|1|1"], "multi_label_classification", ("0", "1", "2"), [1, 0, 0]),
    ],
)
def test_the_kind_of_labels_is_read_off_them(column, values, problem_type, labels, first):
    data, found = rows(*one_of_each({"text": ["A.", "B."], column: values}))
    assert (data.problem_type, data.labels, found[0]["label"]) == (problem_type, labels, first)


def test_the_kind_of_labels_can_be_said():
    made = one_of_each({"text": ["A.", "B."], "label": ["1", "2"]})
    data, found = rows(*made, problem_type="regression")
    assert (data.labels, found[1]["label"]) == ((), 2.0)
    data, found = rows(*made, problem_type="multi_label_classification")
    assert (data.labels, found[1]["label"]) == (("1", "2"), [0.0, 1.0])


def test_the_number_of_a_declared_class_is_its_place_whatever_the_names():
    for names in (["1", "2", "3"], ["2", "1", "0"]):
        made = {"text": ["A.", "B.", "C."], "label": [0, 2, 1]}
        features = datasets.Features(
            {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=names)}
        )
        split = datasets.Dataset.from_dict(made, features=features)
        data = load_task_data({"train": split, "test": split})
        assert data.train["label"][:] == [0, 2, 1]
        assert data.labels == tuple(names)


def test_arrays_and_columns_of_pandas_are_read_like_lists():
    pandas, numpy = pytest.importorskip("pandas"), pytest.importorskip("numpy")
    table = pandas.DataFrame(
        {
            "text": ["A.", "B."],
            "labels": [numpy.array(["x", "y"]), numpy.array(["y"])],
            "features": 1,
        }
    )
    data = load_task_data({"train": table, "test": table})
    assert [row["label"] for row in data.train] == [[1.0, 1.0], [0.0, 1.0]]
    numbered = pandas.DataFrame([["A.", "x"], ["B.", "y"]])
    data = load_task_data({"train": numbered, "test": numbered}, columns={"text": 0, "label": 1},
                          task="text-classification")  # fmt: skip
    assert data.labels == ("x", "y")


def test_vectors_of_labels_take_the_names_that_are_given():
    made = one_of_each({"text": ["A.", "B."], "labels": [[1, 0, 0], [0, 1, 1]]})
    data, found = rows(*made, labels=["joy", "fear", "love"])
    assert data.labels == ("joy", "fear", "love")
    assert [row["label"] for row in found] == [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]


@pytest.mark.parametrize("given", [["1", "0"], [1, 0], ["2", "1", "0"]])
@pytest.mark.parametrize("written", [str, int, float, lambda n: f"{n}.0"])
def test_a_label_that_is_a_number_is_a_name_before_it_is_a_place(given, written):
    made = [{"text": f"Text {n}.", "label": written(n % 2)} for n in range(4)]
    data, found = rows(*made, labels=given)
    assert [data.labels[row["label"]] for row in found] == ["0", "1", "0", "1"]


def test_a_column_for_each_label_is_multi_label():
    made = one_of_each({"text": ["A.", "B."], "joy": [1, 0], "fear": ["1", "0"]})
    data, found = rows(*made, columns={"label": ["joy", "fear"]})
    assert data.labels == ("joy", "fear")
    assert [row["label"] for row in found] == [[1.0, 1.0], [0.0, 0.0]]


def test_spans_of_characters_may_be_called_label_too():
    made = {"text": "Anna sleeps.", "label": [[0, 4, "person"]]}
    data, found = rows(made)
    assert data.task == "token_classification"
    assert [data.labels[tag] for tag in found[0]["tags"]] == ["B-person", "O", "O"]


# -- splits


@pytest.mark.parametrize("form", ["list", "dataset", "stream", "pandas", "pandas by name"])
def test_rows_at_hand_need_no_names_of_splits(form):
    made = [{"text": f"Text {n}.", "label": "ab"[n % 2]} for n in range(10)]
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(made)
    stream = datasets.IterableDataset.from_generator(lambda: iter(made))
    sources = {"dataset": datasets.Dataset.from_list(made), "pandas": table, "stream": stream}
    source = {"list": made, "pandas by name": {"train": table}, **sources}[form]
    data = load_task_data(source)
    assert (len(data.train), len(data.test), data.labels) == (8, 2, ("a", "b"))
    with pytest.raises(ValueError, match="row 1 is 'text'; expected a dictionary"):
        load_task_data(["text", "label"])


def test_a_folder_has_its_splits_by_name_and_validation_stands_in_for_a_missing_test(tmp_path):
    for name in ("train.csv", "dev.tsv", "notes.md"):
        write(tmp_path / "a", name, CSV.replace(",", "\t") if name == "dev.tsv" else CSV)
    write(tmp_path / "a", "dev.tsv", "text\tlabel\nDev.\tbad\n")
    data = load_task_data(tmp_path / "a")
    assert (len(data.train), data.test["text"][:], data.validation) == (4, ["Dev."], None)
    write(tmp_path / "a", "test.jsonl", [{"text": "Test.", "label": "good"}])
    data = load_task_data(tmp_path / "a")
    assert (data.test["text"][:], data.validation["text"][:]) == (["Test."], ["Dev."])


def test_a_part_of_train_becomes_test_of_each_class_by_seed_with_equal_texts_together():
    made = [{"text": f"Text {n // 2}.", "label": "ab"[n // 2 % 2]} for n in range(80)]
    chosen = set()
    for seed in (0, 1, 0):
        data = load_task_data({"train": made}, test_share=0.25, seed=seed)
        assert Counter(data.test["label"]) == {0: 10, 1: 10}
        assert Counter(data.train["label"]) == {0: 30, 1: 30}
        assert not set(data.train["text"]) & set(data.test["text"])
        chosen.add(tuple(data.test["text"]))
    assert len(chosen) == 2


def test_questions_on_one_context_stay_together():
    answers = {"text": ["Red"], "answer_start": [0]}
    made = [
        {"context": f"Red {n // 4}.", "question": f"Q{n}?", "answers": answers} for n in range(40)
    ]
    data = load_task_data({"train": made})
    assert len(data.test) == 8
    assert not set(data.train["context"]) & set(data.test["context"])


def test_a_context_with_most_of_the_questions_is_not_set_aside():
    answers = {"text": ["Red"], "answer_start": [0]}
    made = [
        {"context": f"Red {max(n - 46, 0) // 4}.", "question": f"Q{n}?", "answers": answers}
        for n in range(66)
    ]
    for seed in range(6):
        data = with_validation(load_task_data({"train": made}, seed=seed), 0.1, seed)
        assert "Red 0." not in (*data.test["context"], *data.validation["context"])


@given(
    st.lists(st.integers(1, 5) | st.integers(60, 300), min_size=2, max_size=40),
    st.floats(0.05, 0.6),
    st.integers(0, 9),
)
def test_groups_drawn_are_about_the_share_that_was_asked_for(sizes, share, seed):
    chosen = drawn(sizes, share, Random(seed))
    assert len(set(chosen)) == len(chosen) > 0
    wanted = share * sum(sizes)
    rows_drawn = sum(sizes[group] for group in chosen)
    assert rows_drawn <= 2 * wanted or rows_drawn == min(sizes)
    usual = max(1, round(share * len(sizes)))
    if len(chosen) != usual and min(sizes) <= wanted:  # then those that fit, and no other one would
        others = [size for group, size in enumerate(sizes) if group not in chosen]
        assert all(size > wanted - rows_drawn - 1e-6 for size in others)
    assert min(sizes) < max(sizes) or len(chosen) == usual


def test_rows_under_one_context_can_still_be_divided():
    made = [{"context": "What next?", "choices": [f"a{n}", f"b{n}"], "label": 0} for n in range(10)]
    data = load_task_data({"train": made})
    assert (len(data.train), len(data.test)) == (8, 2)


def test_a_data_set_dict_gives_its_class_names_and_its_secret_test_labels_are_not_used():
    features = datasets.Features(
        {"sentence": datasets.Value("string"), "label": datasets.ClassLabel(names=["no", "yes"])}
    )

    def split(*labels):
        texts = [f"Sentence {n}." for n in range(len(labels))]
        columns = {"sentence": texts, "label": list(labels)}
        return datasets.Dataset.from_dict(columns, features=features)

    source = datasets.DatasetDict(
        {"train": split(1, 0, 1), "validation": split(0, 1), "test": split(-1, -1)}
    )
    data = load_task_data(source)
    assert data.labels == ("no", "yes")
    assert (data.train["label"][:], data.test["label"][:]) == ([1, 0, 1], [0, 1])
    assert data.validation is None


# -- words with tags


CONLL_2003 = """-DOCSTART- -X- O O

EU NNP I-NP I-ORG
rejects VBZ I-VP O

Peter NNP I-NP I-PER
Blackburn NNP I-NP I-PER
Rome NNP I-NP B-LOC
"""

CONLLU = """# sent_id = 1
# text = Don't go.
1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\t_
1\tDo\tdo\tAUX\tVB\t_\t3\taux\t_\t_
2\tn't\tnot\tPART\tRB\t_\t3\tadvmod\t_\t_
3\tgo\tgo\tVERB\tVB\t_\t0\troot\t_\t_
3.1\tgone\tgo\tVERB\tVB\t_\t_\t_\t_\t_
4\t.\t.\tPUNCT\t.\t_\t3\tpunct\t_\t_

1\tGo\tgo\tVERB\tVB\t_\t0\troot\t_\t_
"""


def test_conll_gives_sentences_with_the_last_column_as_bio(tmp_path):
    file = write(tmp_path, "train.txt", CONLL_2003)
    data = load_task_data(file, test=file, task="token-classification")
    assert data.task == "token_classification"
    assert data.labels == ("O", "B-LOC", "I-LOC", "B-ORG", "I-ORG", "B-PER", "I-PER")
    assert list(data.train) == [
        {"words": ["EU", "rejects"], "tags": [3, 0]},
        {"words": ["Peter", "Blackburn", "Rome"], "tags": [5, 6, 1]},
    ]
    data = load_task_data(file, test=file, task="ner", columns={"tags": 1})
    assert data.labels == ("NNP", "VBZ")
    assert data.train[1]["tags"] == [0, 0, 0]


def test_a_word_may_begin_with_a_hash_and_a_comment_is_none(tmp_path):
    content = (
        "# a comment\n#win B-X\nin O\n\n#newdoc\n# O\ngold O\n\n# text = An E-Mail\n#id 5\nAnna B-X\n\n"
        "#begin document (a); part 000\nBob B-X\n#end document\n\n"
    )
    file = write(tmp_path, "a.conll", content.replace("\n#end document", ""))
    data = load_task_data(file, test=file)
    assert data.train["words"][:] == [["#win", "in"], ["#", "gold"], ["Anna"], ["Bob"]]
    assert data.labels == ("O", "B-X", "I-X")


def test_words_may_be_numbered(tmp_path):
    file = write(tmp_path, "a.conll", "1 Anna B-PER\n2 sleeps O\n\n1 Bob B-PER\n\n")
    data = load_task_data(file, test=file)
    assert data.train["words"][:] == [["Anna", "sleeps"], ["Bob"]]
    assert data.labels == ("O", "B-PER", "I-PER")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_table_may_have_other_separators(tmp_path, delimiter):
    content = 'text,label\n"Good, very; good | yes.",good\nBad.,bad\n'
    parts = content.split('"')  # what is in quotation marks stays as it is
    parts[::2] = [part.replace(",", delimiter) for part in parts[::2]]
    file = write(tmp_path, "a.csv", '"'.join(parts))
    data = load_task_data(file, test=file)
    assert data.train["text"][:] == ["Good, very; good | yes.", "Bad."]


def test_conllu_gives_parts_of_speech_of_its_words(tmp_path):
    file = write(tmp_path, "train.conllu", CONLLU)
    data = load_task_data(file, test=file)
    assert data.train[0]["words"] == ["Do", "n't", "go", "."]
    assert [data.labels[tag] for tag in data.train[0]["tags"]] == ["AUX", "PART", "VERB", "PUNCT"]
    assert len(data.train) == 2


def test_tags_may_be_numbers_of_declared_classes_or_words_in_a_table(tmp_path):
    names = ["O", "B-ORG", "I-ORG"]
    column = datasets.Sequence(datasets.ClassLabel(names=names))
    features = datasets.Features(
        {"tokens": datasets.Sequence(datasets.Value("string")), "ner_tags": column}
    )
    split = datasets.Dataset.from_dict(
        {"tokens": [["The", "New", "Inn"]], "ner_tags": [[0, 1, 2]]}, features=features
    )
    hub = load_task_data(datasets.DatasetDict({"train": split, "test": split}))
    table = write(tmp_path, "tags.csv", "words,tags\nThe New Inn,O B-ORG I-ORG\n")
    own = load_task_data(table, test=table)
    for data in (hub, own):
        assert data.labels == tuple(names)
        assert list(data.train) == [{"words": ["The", "New", "Inn"], "tags": [0, 1, 2]}]


@pytest.mark.parametrize(
    "entities",
    [
        [{"start": 3, "end": 12, "label": "place"}, {"start": 16, "end": 19, "label": "person"}],
        [{"start": 3, "end": 12, "type": "place", "text": "St. Ives'"}, [16, 19, "person"]],
        [[16, 19, "person"], [3, 12, "place"]],
    ],
)
def test_spans_of_characters_become_words_in_bio(entities):
    row = {"text": "In St. Ives', u-Bob.", "entities": entities}
    data, found = rows(row)
    assert found[0]["words"] == ["In", "St", ".", "Ives", "'", ",", "u", "-", "Bob", "."]
    tags = [data.labels[tag] for tag in found[0]["tags"]]
    place = ["B-place", "I-place", "I-place", "I-place"]
    assert tags == ["O", *place, "O", "O", "O", "B-person", "O"]


def test_chinese_characters_are_words_of_their_own():
    words, tags = tagged_words("我在北京a市", [[2, 4, "place"]])
    assert words == ["我", "在", "北", "京", "a", "市"]
    assert tags == ["O", "O", "B-place", "I-place", "O", "O"]


@given(st.lists(st.tuples(st.sampled_from(["ab", "Zoë", "中", "!"]), st.sampled_from("OBI"))))
def test_words_and_spans_come_back_from_text_and_characters(drawn):
    """Text made of words, entities marked on whole words: the same words and entities come out."""
    text, spans, expected = "", [], []
    for word, letter in drawn:
        text += " "
        start = len(text)
        text += word
        if letter == "I" and spans and expected[-1] != "O":
            spans[-1][1] = len(text)
            expected.append("I-x")
        elif letter != "O":
            spans.append([start, len(text), "x"])
            expected.append("B-x")
        else:
            expected.append("O")
    words, tags = tagged_words(text, spans)
    assert (words, tags) == ([word for word, _ in drawn], expected)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("B-a I-a O B-a B-a", "B-a I-a O B-a B-a"),
        ("I-a I-a B-a O I-b", "B-a I-a B-a O B-b"),
        ("B-a I-a E-a S-a S-b", "B-a I-a I-a B-a B-b"),
        ("B-a L-a U-a I-a", "B-a I-a B-a B-a"),
        ("B-a I-b", "B-a B-b"),
    ],
)
def test_every_way_to_write_entities_becomes_bio(written, expected):
    assert as_bio(written.split()) == expected.split()


# -- questions


SQUAD = {
    "version": "v2.0",
    "data": [
        {
            "title": "Cats",
            "paragraphs": [
                {
                    "context": "The cat is red.",
                    "qas": [
                        {
                            "id": "one",
                            "question": "What colour?",
                            "is_impossible": False,
                            "answers": [
                                {"text": "red", "answer_start": 11},
                                {"text": "is red", "answer_start": 8},
                            ],
                        },
                        {
                            "id": "two",
                            "question": "How old?",
                            "is_impossible": True,
                            "plausible_answers": [{"text": "cat", "answer_start": 4}],
                            "answers": [],
                        },
                    ],
                }
            ],
        }
    ],
}


def test_squad_gives_a_row_for_each_question(tmp_path):
    file = write(tmp_path, "train.json", SQUAD)
    twice = write(tmp_path, "twice.json", json.loads(json.dumps(SQUAD).replace("two", "one")))
    with pytest.raises(ValueError, match="row 2: The id 'one' was there before"):
        load_task_data(twice, test=file)
    data = load_task_data(file, test=file)  # in another split it is another question
    answers = {"text": ["red", "is red"], "answer_start": [11, 8]}
    assert list(data.train) == [
        {"id": "one", "context": "The cat is red.", "question": "What colour?", "answers": answers},
        {
            "id": "two",
            "context": "The cat is red.",
            "question": "How old?",
            "answers": {"text": [], "answer_start": []},
        },
    ]
    assert data.test["id"][:] == ["one", "two"]


@pytest.mark.parametrize(
    "answer",
    [
        {"answers": {"text": ["is"], "answer_start": [8]}},
        {"answers": [{"text": "is", "answer_start": 8}]},
        {"answer": "is"},
        {"answer_text": "is", "answer_start": "8"},
        {"answers": "[{'text': 'is', 'answer_start': 8}]"},
    ],
)
def test_answers_come_in_several_forms(answer):
    row = {"context": "The cat is red.", "question": "Be?", **answer}
    data, found = rows(row)
    assert data.task == "question_answering"
    assert found[0]["answers"] == {"text": ["is"], "answer_start": [8]}
    assert (found[0]["id"], data.test["id"][0]) == ("question-1", "question-1")


# -- choices


@pytest.mark.parametrize(
    "row",
    [
        {"context": "It rains.", "choices": ["Dry.", "Wet."], "label": 1},
        {"ctx": "It rains.", "endings": ["Dry.", "Wet."], "label": "1"},
        {"context": "It rains.", "choices": ["Dry.", "Wet."], "label": "Wet."},
        {"premise": "It rains.", "choice1": "Dry.", "choice2": "Wet.", "label": 2},
        {"sentence": "It rains.", "option1": "Dry.", "option2": "Wet.", "answer": "2"},
        {"context": "It rains.", "choices": "['Dry.', 'Wet.']", "label": 1},
        {"question": "It rains.", "answer_a": "Dry.", "answer_b": "Wet.", "label": "B"},
        {
            "question": "It rains.",
            "choices": {"text": ["Dry.", "Wet."], "label": ["A", "B"]},
            "answerKey": "B",
        },
        {"goal": "It rains.", "choices": '["Dry.", "Wet."]', "label": "1"},
    ],
)
def test_choices_come_in_several_forms(row):
    data, found = rows(row, task="multiple-choice" if "sentence" in row else None)
    assert data.task == "multiple_choice"
    assert found == [{"context": "It rains.", "choices": ["Dry.", "Wet."], "label": 1}]


def test_numbered_choices_count_from_zero_where_a_label_does():
    made = [
        {"premise": "It rains.", "choice1": "Dry.", "choice2": "Wet.", "label": label}
        for label in (1, 0)
    ]
    _, found = rows(*made)
    assert [row["label"] for row in found] == [1, 0]


def test_a_list_of_choices_counts_from_one_where_the_labels_of_train_do():
    made = [
        {"context": f"It rains {n}.", "choices": ["A.", "B.", "C."], "label": n % 3 + 1}
        for n in range(6)
    ]
    assert [row["label"] for row in rows(*made)[1]] == [0, 1, 2, 0, 1, 2]
    with pytest.raises(
        ValueError, match="row 7: The label is 3; expected the right choice's index"
    ):
        rows(*({**row, "label": row["label"] - 1} for row in made), made[2])
    source = {"train": [*made, {**made[0], "label": None}], "test": made}
    data = load_task_data(source, skip_bad_rows=True)  # a label that is missing says nothing
    assert data.train["label"][:] == [0, 1, 2, 0, 1, 2]


def test_more_than_ten_choices_stand_in_columns():
    row = {"context": "It rains.", **{f"choice{n}": f"Text {n}." for n in range(1, 13)}}
    (found,) = rows({**row, "label": 12})[1]
    assert (found["choices"][-1], len(found["choices"]), found["label"]) == ("Text 12.", 12, 11)


def test_the_common_beginning_of_choices_is_put_before_each():
    row = {
        "sent1": "It rains.",
        "sent2": "She",
        "ending0": "swims.",
        "ending1": "runs.",
        "label": 0,
    }
    _, found = rows(row)
    assert found == [{"context": "It rains.", "choices": ["She swims.", "She runs."], "label": 0}]
