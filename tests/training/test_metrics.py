"""Figures of predictions against hand-computed cases and other people's code."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from electra_lab.text.tasks import load_task_data
from electra_lab.training import metrics

WORDS = st.lists(
    st.sampled_from(["the", "a", "An", "cat", "Cat.", "dog", "dog's", "-", "42", " "]), max_size=6
).map(" ".join)


def test_answers_are_normalized_as_squad_does():
    assert metrics.normalized("  The U.S. Army, an   army ") == "us army army"
    assert metrics.normalized("theatre") == "theatre"


@pytest.mark.parametrize(
    ("answer", "references", "exact", "f1"),
    [
        ("the cat", ["Cat"], 1.0, 1.0),
        ("black cat", ["a black dog", "cat"], 0.0, 2 / 3),
        ("cat cat", ["cat"], 0.0, 2 / 3),  # a word counts as often as both have it
        ("", [], 1.0, 1.0),
        ("cat", [], 0.0, 0.0),
        ("", ["cat"], 0.0, 0.0),
        ("the", ["cat"], 0.0, 0.0),
        ("dog", ["cat"], 0.0, 0.0),
    ],
)
def test_exact_match_and_token_f1_on_cases_computed_by_hand(answer, references, exact, f1):
    assert metrics.exact_match(answer, references) == exact
    assert metrics.token_f1(answer, references) == pytest.approx(f1)


@given(WORDS, st.lists(WORDS, min_size=1, max_size=3))
def test_token_f1_is_the_mean_of_precision_and_recall_by_another_way(answer, references):
    """The harmonic mean, with shared words found by crossing them out one by one."""

    def reference(said, right):
        left = list(right)
        for word in said:
            if word in left:
                left.remove(word)
        shared = len(right) - len(left)
        if not said or not right:
            return float(said == right)
        if shared == 0:
            return 0.0
        precision, recall = shared / len(said), shared / len(right)
        return 2 * precision * recall / (precision + recall)

    words = [metrics.normalized(text).split() for text in (answer, *references)]
    right = [r for r in words[1:] if r] or [[]]
    assert metrics.token_f1(answer, references) == pytest.approx(
        max(reference(words[0], r) for r in right)
    )
    assert metrics.exact_match(answer, references) == float(words[0] in right)


def test_answers_are_averaged_over_all_and_over_each_kind():
    found = metrics.answer_metrics(
        [["cat"], ["black dog"], [], []], ["the cat", "dog", "", "something"]
    )
    assert found["exact_match"] == pytest.approx(2 / 4)
    assert found["f1"] == pytest.approx((1 + 2 / 3 + 1 + 0) / 4)
    assert found["has_answer_f1"] == pytest.approx((1 + 2 / 3) / 2)
    assert found["no_answer_f1"] == pytest.approx(1 / 2)
    assert "no_answer_f1" not in metrics.answer_metrics([["cat"]], ["cat"])


@settings(deadline=None)  # a busy machine is slow, and no error
@given(
    st.lists(
        st.tuples(st.booleans(), st.booleans(), st.floats(-9, 9).map(lambda x: round(x, 2))),
        min_size=1,
        max_size=12,
    )
)
def test_the_threshold_is_as_good_as_any_other(cases):
    references = [["cat"] if has else [] for has, _, _ in cases]
    answers = ["cat" if right else "dog" for _, right, _ in cases]
    odds = [o for _, _, o in cases]

    def f1(threshold):
        said = ["" if o > threshold else a for a, o in zip(answers, odds, strict=True)]
        return metrics.answer_metrics(references, said)["f1"]

    best = f1(metrics.best_threshold(references, answers, odds))
    assert best == pytest.approx(max(f1(t) for t in [*odds, 0.0, min(odds) - 1, math.inf]))


def test_a_threshold_that_changes_nothing_is_zero():
    assert metrics.best_threshold([["cat"], []], ["cat", "dog"], [-3.0, 4.0]) == 0.0


def test_whole_entities_are_counted():
    gold = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-ORG"]]
    said = [["B-PER", "O", "O", "B-LOC"], ["B-ORG", "B-ORG"]]
    # said are 4 entities, 2 of the 3 right ones among them: PER ends too early
    found = metrics.tag_metrics(gold, said, entities=True)
    assert found["precision"] == pytest.approx(2 / 4)
    assert found["recall"] == pytest.approx(2 / 3)
    assert found["f1"] == pytest.approx(2 * 2 / (4 + 3))
    assert found["accuracy"] == pytest.approx(4 / 6)


def test_plain_tags_are_counted_by_word_and_by_tag():
    found = metrics.tag_metrics([["NOUN", "VERB"], ["NOUN"]], [["NOUN", "NOUN"], ["NOUN"]],
                                entities=False)  # fmt: skip
    assert found == pytest.approx({"accuracy": 2 / 3, "f1_macro": (0.8 + 0) / 2})


def test_classes_against_formulas():
    gold, said = [0, 0, 1, 1, 1, 0], [0, 1, 1, 1, 0, 0]
    # 2 true positives, 1 false one, 2 true negatives, 1 false one
    found = metrics.class_metrics(gold, said)
    assert found["accuracy"] == pytest.approx(4 / 6)
    assert found["f1_macro"] == pytest.approx(2 / 3)
    assert found["f1_micro"] == pytest.approx(4 / 6)
    assert found["matthews"] == pytest.approx((2 * 2 - 1 * 1) / math.sqrt(3 * 3 * 3 * 3))
    assert metrics.class_metrics(gold, [1] * 6)["matthews"] == 0


def test_several_labels_against_formulas():
    found = metrics.multi_label_metrics([[1, 0], [1, 1], [0, 0]], [[1, 0], [0, 1], [0, 1]])
    assert found["f1_micro"] == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))
    assert found["f1_macro"] == pytest.approx((2 / 3 + 2 / 3) / 2)
    assert found["exact_match"] == pytest.approx(1 / 3)


def test_correlations_against_formulas():
    gold, said = np.array([0.0, 1, 2, 5]), np.array([1.0, 2, 4, 3])
    found = metrics.regression_metrics(gold.tolist(), said.tolist())
    assert found["pearson"] == pytest.approx(np.corrcoef(gold, said)[0, 1])
    assert found["spearman"] == pytest.approx(1 - 6 * 2 / (4 * 15))
    assert found["mean_squared_error"] == pytest.approx((1 + 1 + 4 + 4) / 4)
    constant = metrics.regression_metrics([0.0, 1.0], [2.0, 2.0])
    assert (constant["pearson"], constant["spearman"]) == (0.0, 0.0)


def test_right_predictions_of_every_task_score_one():
    for name in ("sentiment", "emotions", "similarity", "named_entities", "parts_of_speech",
                 "continuations", "reading_comprehension"):  # fmt: skip
        data = load_task_data(name)
        if data.task == "question_answering":
            right = [(row["text"] or [""])[0] for row in data.test["answers"]]
        else:
            right = list(data.test["tags" if data.task == "token_classification" else "label"])
        found = metrics.score(data, right)
        assert found[metrics.main_metric(data)] == pytest.approx(1.0)
        assert metrics.main_of(found) == metrics.main_metric(data)
        with pytest.raises(ValueError, match="expected one for each"):
            metrics.score(data, right[1:])


def test_mean_and_spread_are_those_of_a_sample():
    mean, spread = metrics.mean_and_spread([{"f1": 0.2}, {"f1": 0.4}, {"f1": 0.9}])
    assert mean["f1"] == pytest.approx(0.5)
    assert spread["f1"] == pytest.approx(math.sqrt((0.09 + 0.01 + 0.16) / 2))
    assert metrics.mean_and_spread([{"f1": 0.2}])[1] == {"f1": 0.0}
