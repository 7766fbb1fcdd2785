"""Baselines: the simplest rules, in the form of predictions on the test split."""

from itertools import pairwise

import pytest

from electra_lab.text.tasks import baseline_predictions, bundled_tasks, load_task_data

pytest.importorskip("datasets")


def baselines(train, test, **options):
    return baseline_predictions(load_task_data({"train": train, "test": test}, **options))


def texts(*labelled):
    return [{"text": text, "label": label} for text, label in labelled]


def test_a_bag_of_words_learns_which_words_go_with_a_class_and_majority_does_not():
    train = texts(("A good day.", "+"), ("Good work.", "+"), ("Good.", "+"), ("A bad day.", "-"))
    train += texts(("Bad work.", "-"))
    found = baselines(train, texts(("Bad luck.", "-"), ("Good luck.", "+")), labels=["-", "+"])
    assert found == {"majority": [1, 1], "bag_of_words": [0, 1]}


def test_a_bag_of_words_sees_neighbours():
    train = texts(*[("Not good.", "-"), ("Good, not bad.", "+"), ("Not bad.", "+")] * 5)
    train += texts(*[("Bad, not good.", "-")] * 5)
    test = texts(("It is not bad but good.", "+"), ("It is not good but bad.", "-"))
    assert baselines(train, test, labels=["-", "+"])["bag_of_words"] == [1, 0]


def test_each_label_of_many_is_learned_by_itself_and_majority_is_the_commonest_set():
    train = texts(
        *[("happy", ["joy"]), ("afraid", ["fear"]), ("afraid and happy", ["fear", "joy"])] * 4
    )
    train += texts(("happy", ["joy"]), ("sun", ["joy"]))
    test = texts(("so happy", ["joy"]), ("so afraid", ["fear"]))
    found = baselines(train, test, labels=["fear", "joy", "never"])
    assert found == {
        "majority": [[0, 1, 0]] * 2,
        "every_label": [[1, 1, 1]] * 2,
        "bag_of_words": [[0, 1, 0], [1, 0, 0]],
    }


def test_a_label_that_few_rows_have_is_still_given():
    train = texts(*[("calm", []), ("calm here", [])] * 20, ("odd", ["rare"]), ("odd", []))
    found = baselines(train, texts(("odd", ["rare"]), ("calm", [])), labels=["rare"])
    assert found["bag_of_words"] == [[1], [0]]


def pairs(*labelled):
    return [{"sentence1": a, "sentence2": b, "score": score} for a, b, score in labelled]


def test_overlap_ranks_pairs_by_what_they_share():
    animals = ["cat", "dog", "cow", "hen", "fox", "owl"]
    train = pairs(*[(f"the {a} runs", f"the {a} runs fast", 5) for a in animals])
    train += pairs(*[(f"the {a} runs", f"every {b} sleeps", 0) for a, b in pairwise(animals)])
    train += pairs(*[(f"the {a} runs", f"the {a} sleeps", 3.5) for a in animals])
    test = pairs(("a bee hums", "a bee hums low", 4), ("a bee hums", "an ant bites", 0.5))
    test += pairs(("a bee hums", "a bee bites", 2))
    found = baselines(train, test)
    assert set(found) == {"mean", "word_overlap", "bag_of_words", "bag_of_words_and_overlap"}
    assert found["mean"] == pytest.approx([(5 * 6 + 3.5 * 6) / 17] * 3)
    same, other, half = found["word_overlap"]
    assert same > half > other
    assert other == pytest.approx(0, abs=1)


def test_classes_of_pairs_show_what_the_second_text_alone_gives_away():
    train = [
        {"premise": "Ann sat.", "hypothesis": h, "label": y} for h, y in [("Not so.", "n")] * 5
    ]
    train += [
        {"premise": "Ann sat.", "hypothesis": h, "label": y} for h, y in [("She did.", "y")] * 5
    ]
    test = [{"premise": "Bob ran.", "hypothesis": "Not he.", "label": "n"}]
    found = baselines(train, test)
    assert found["second_text_only"] == [0]
    assert list(found) == [
        "majority",
        "word_overlap",
        "bag_of_words",
        "bag_of_words_and_overlap",
        "second_text_only",
    ]


def test_a_word_gets_its_most_frequent_tag_and_an_unknown_one_that_of_rare_words():
    train = [
        {"words": ["The", "dog", "runs"], "tags": ["D", "N", "V"]},
        {"words": ["the", "run", "the", "sea"], "tags": ["D", "N", "D", "N"]},
        {"words": ["run", "run"], "tags": ["V", "V"]},
    ]
    test = [{"words": ["THE", "run", "Cats"], "tags": ["D", "V", "N"]}]
    found = baselines(train, test)
    assert found == {"majority": [[0, 0, 0]], "most_frequent_tag": [[0, 2, 1]]}


def question(text, context, answer):
    answers = {"text": [answer], "answer_start": [context.index(answer)]} if answer else {}
    empty = {"text": [], "answer_start": []}
    return {"context": context, "question": text, "answers": answers or empty}


def test_answers_come_from_the_sentence_that_shares_most_words_with_the_question():
    train = [question("Who sat?", "Ann Lee sat.", "Ann Lee")] * 3
    context = (
        'Ann sat in Mr. Bell\'s shop. "The red cat of Ann slept on a mat." It rained, they say.'
    )
    test = [question("On what did the cat sleep, which slept all day?", context, "a mat")]
    found = baselines(train, test)
    assert found == {
        "no_answer": [""],
        "best_sentence": ['"The red cat of Ann slept on a mat."'],
        "best_sentence_start": ["The red"],
        "best_sentence_new_words": ["red cat"],
    }
    for answers in found.values():
        assert answers[0] in context


def test_function_words_do_not_count_as_shared():
    train = [question("Who sat?", "Ann Lee sat.", "Ann Lee")] * 3
    context = "What is it that they did to her? The engine failed."
    found = baselines(
        train, [question("What did they say is it that the engine did?", context, "")]
    )
    assert found["best_sentence"] == ["The engine failed"]


def choices(context, *choices, label=0):
    return {"context": context, "choices": list(choices), "label": label}


def test_choices_go_by_length_by_overlap_and_by_words_that_are_often_right():
    train = [choices("It rains.", "Nobody knows.", "They wait.", label=1)] * 6
    train += [choices("It snows.", "They wait.", "Nobody knows.", label=0)] * 2
    test = [choices("The cat slept.", "Nobody fed it at all.", "They fed the cat.")]
    found = baselines(train, test)
    assert found == {
        "majority": [1],
        "longest": [0],
        "most_overlapping": [1],
        "bag_of_words": [1],
    }


@pytest.mark.parametrize("name", bundled_tasks())
def test_every_baseline_of_a_bundled_set_predicts_each_row_of_test(name):
    data = load_task_data(name)
    found = baseline_predictions(data)
    assert len(found) >= 2
    for predictions in found.values():
        assert len(predictions) == len(data.test)
        for prediction, row in zip(predictions, data.test, strict=True):
            if data.task == "token_classification":
                assert len(prediction) == len(row["words"])
                assert all(0 <= tag < len(data.labels) for tag in prediction)
            elif data.task == "question_answering":
                assert prediction in row["context"]
            elif data.task == "multiple_choice":
                assert 0 <= prediction < len(row["choices"])
            elif data.problem_type == "multi_label_classification":
                assert len(prediction) == len(data.labels)
                assert set(prediction) <= {0, 1}
            elif data.problem_type == "regression":
                assert isinstance(prediction, float)
            else:
                assert 0 <= prediction < len(data.labels)
