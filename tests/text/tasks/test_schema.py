"""TaskData: what every set looks like once it is read."""

import builtins
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from electra_lab.text.tasks import TaskData, make_dataset
from electra_lab.text.tasks.schema import datasets_library

pytest.importorskip("datasets")

ROWS = [{"text": f"Text {n}.", "text_pair": None, "label": n % 2} for n in range(10)]
SINGLE = "single_label_classification"


def some_data(**changes) -> TaskData:
    split = make_dataset(ROWS, "sequence_classification", SINGLE)
    fields = dict(
        name="some",
        task="sequence_classification",
        train=split,
        test=split,
        labels=("no", "yes"),
        problem_type=SINGLE,
    )
    return TaskData(**(fields | changes))


def test_its_text_says_name_kind_sizes_and_labels():
    data = some_data()
    assert repr(data) == (
        "TaskData(some: single_label_classification; 10 train, 10 test; labels no, yes)"
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(task="summarization"), "'summarization'; expected one of sequence_classification"),
        (
            dict(task="multiple_choice"),
            "columns text, text_pair, label; multiple_choice has context",
        ),
        (dict(labels=()), "needs names of labels"),
        (dict(problem_type="regression"), "regression has no names of labels"),
        (dict(problem_type=None), "problem_type is None for sequence_classification"),
    ],
)
def test_attributes_that_do_not_fit_together_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        some_data(**changes)


def test_a_problem_type_is_for_sequences_only():
    row = {"context": "A.", "choices": ["b", "c"], "label": 0}
    split = make_dataset([row], "multiple_choice")
    with pytest.raises(ValueError, match="problem_type is 'regression' for multiple_choice"):
        TaskData("choices", "multiple_choice", split, split, problem_type="regression")


@given(st.integers(1, 9), st.integers(0, 3))
def test_a_smaller_draw_of_train_is_part_of_a_larger_one_and_test_stays(size, seed):
    data = some_data()
    smaller, larger = (data.with_train_size(n, seed).train["text"][:] for n in (size, size + 1))
    assert len(smaller) == size
    assert set(smaller) < set(larger)
    assert data.with_train_size(size).test is data.test


def test_another_seed_draws_other_rows_and_too_many_are_refused():
    data = some_data()
    draws = {tuple(data.with_train_size(5, seed).train["text"][:]) for seed in range(5)}
    assert len(draws) > 1
    for rows in (0, 11):
        with pytest.raises(ValueError, match=f"rows is {rows}; expected 1 to 10"):
            data.with_train_size(rows)


def test_columns_have_their_types_even_where_no_row_has_a_value():
    pairs = make_dataset([{**ROWS[0], "label": 1}], "sequence_classification", "regression")
    assert pairs.features["text_pair"].dtype == "string"
    assert (pairs.features["label"].dtype, pairs[0]["label"]) == ("float64", 1.0)
    answers = {"text": [], "answer_start": []}
    row = {"id": "1", "context": "A.", "question": "B?", "answers": answers}
    assert make_dataset([row], "question_answering")[0] == row


def test_pairs_and_entities_are_told_by_what_is_there():
    data = some_data()
    pairs = make_dataset([{**ROWS[0], "text_pair": "B."}], "sequence_classification", SINGLE)
    assert (data.is_pair, replace(data, train=pairs).is_pair) == (False, True)
    words = make_dataset([{"words": ["A"], "tags": [1]}], "token_classification")
    tags = dict(name="tags", task="token_classification", train=words, test=words)
    assert TaskData(**tags, labels=("O", "B-x", "I-x")).has_entities
    assert not TaskData(**tags, labels=("DET", "NOUN")).has_entities
    assert not data.has_entities


def test_without_the_library_the_error_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without_datasets(name, *arguments, **more):
        if name == "datasets":
            raise ModuleNotFoundError(name)
        return real(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", without_datasets)
    with pytest.raises(ModuleNotFoundError, match="pip install datasets"):
        datasets_library()


def test_the_library_is_not_imported_before_data_is_asked_for():
    code = "import sys, electra_lab.text.tasks; print({'datasets', 'sklearn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
