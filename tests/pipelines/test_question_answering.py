"""Answers against those of transformers 4.37, the last versions of which had this pipeline.

fixtures/make_answers.py made the model and what it answers. What differs is meant: a span that
overlapping windows or pieces of one word find again counts once (there, each time), spans that end
before they begin are no answers (there, they fill up a list that is longer than there are spans, with
the score 0), several answers are always a list, and a question is cut to max_question_len as the
documentation says (there, it is not).
"""

import json
from pathlib import Path

import pytest

from electra_lab import pipeline

FOLDER = Path(__file__).parent / "fixtures" / "question_answering"
EXPECTED = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
CASES = EXPECTED["cases"]


@pytest.fixture(scope="module")
def ours():
    return pipeline("question-answering", FOLDER, device="cpu")


def without_repeats(answers):
    """The first of each place, in order, without impossible ones."""
    answers = answers if isinstance(answers, list) else [answers]
    first = {}
    for answer in answers:
        if answer["score"] > 0:
            first.setdefault((answer["start"], answer["end"]), answer)
    return list(first.values())


def assert_equal_answers(got, expected):
    expected = without_repeats(expected)
    got = got if isinstance(got, list) else [got]
    # a repeat there takes a place in the list that the next best answer has here
    for mine, theirs in zip(got, expected, strict=False):
        assert mine.keys() == theirs.keys()
        assert (mine["start"], mine["end"]) == (theirs["start"], theirs["end"])
        assert mine["answer"] == theirs["answer"]
        assert mine["score"] == pytest.approx(theirs["score"], rel=1e-4, abs=1e-6)
    assert len(got) >= len(expected)


@pytest.mark.parametrize(
    "case", CASES, ids=[f"{i}-{'-'.join(c['options']) or 'plain'}" for i, c in enumerate(CASES)]
)
def test_answers_places_and_scores_equal_transformers_4_37(case, ours):
    options = case["options"]
    got = ours(question=case["question"], context=case["context"], **options)
    assert isinstance(got, list) == (options.get("top_k", 1) > 1)
    assert_equal_answers(got, case["answers"])
    if isinstance(got, list):
        assert len(got) <= options["top_k"]
        assert got == without_repeats(got)


def test_a_batch_is_answered_in_order_as_transformers_4_37_does(ours):
    inputs = EXPECTED["batch"]["inputs"]
    for got, expected in zip(ours(inputs, top_k=2), EXPECTED["batch"]["answers"], strict=True):
        assert_equal_answers(got, expected)


def test_the_fixtures_hold_what_they_are_for():
    answers = [a for case in CASES for a in without_repeats(case["answers"])]
    assert any(a["answer"] == "" for a in answers)
    assert max(a["end"] for a in answers) > 700  # beyond any one window
    assert any(len(without_repeats(c["answers"])) < len(c["answers"]) for c in CASES)


def test_lists_of_questions_and_contexts_are_taken_as_in_transformers(ours):
    first, second = CASES[0], CASES[3]
    asked = [{"question": c["question"], "context": c["context"]} for c in (first, second)]
    expected = ours(asked)
    assert ours(question=[a["question"] for a in asked], context=[a["context"] for a in asked]) == (
        expected
    )
    one_context = ours(question=[first["question"], second["question"]], context=first["context"])
    assert one_context == [ours(question=q["question"], context=first["context"]) for q in asked]
    with pytest.raises(ValueError, match="2 questions and 1 contexts"):
        ours(question=["Who?", "Where?"], context=["Anna"])


def test_a_long_question_is_cut_and_then_leaves_room_for_the_context(ours):
    question = "who sees the cat and " * 20
    short = ours(question=question, context=CASES[1]["context"], max_question_len=5)
    assert short == ours(question="who sees the cat and", context=CASES[1]["context"])
    half = ours(question=question, context=CASES[1]["context"])
    assert half == ours(question=question, context=CASES[1]["context"], max_question_len=32)
    with pytest.raises(ValueError, match="leaves no room for the context in 64 tokens"):
        ours(question=question, context="Anna lives.", max_question_len=64)
