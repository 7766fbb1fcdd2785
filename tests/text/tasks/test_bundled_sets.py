"""What is promised of every bundled set: its form, its size, its balance, and that nothing in it comes
twice."""

import json
import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

from electra_lab.text.tasks import TaskData, bundled_tasks, data_for, load_task_data
from electra_lab.text.tasks.bundled import BUNDLED
from electra_lab.text.tasks.files import read_file

pytest.importorskip("datasets")

LEAST = {"train": 300, "test": 100}
MOST_OVERLAP = 0.4  # word 3-grams of two texts, Jaccard; hand-written sets stay below .3


@pytest.fixture(scope="module", params=bundled_tasks())
def data(request) -> TaskData:
    return load_task_data(request.param)


def sets_for(task: str) -> list[str]:
    return [name for name in bundled_tasks() if BUNDLED[name].task == task]


def texts_of(split, task: str) -> list[str]:
    """What must not come twice: the texts of a row, passages and questions each by themselves."""
    if task == "sequence_classification":
        return [f"{row['text']} / {row['text_pair'] or ''}" for row in split]
    if task == "token_classification":
        return [" ".join(row["words"]) for row in split]
    if task == "question_answering":
        return sorted(set(split["context"])) + list(split["question"])
    return [f"{row['context']} / {' / '.join(row['choices'])}" for row in split]


def grams(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"[\w']+", text.lower())
    return set(zip(words, words[1:], words[2:], strict=False)) or {tuple(words)}


def near_duplicates(texts: list[str]) -> list[tuple[str, str]]:
    sets = [grams(text) for text in texts]
    return [
        (texts[i], texts[j])
        for i, j in combinations(range(len(texts)), 2)
        if (shared := len(sets[i] & sets[j])) and shared / len(sets[i] | sets[j]) > MOST_OVERLAP
    ]


def test_a_near_duplicate_would_be_found():
    texts = ["The cat sat on the old red mat.", "A dog barked.", "The cat sat on the old mat."]
    assert near_duplicates(texts) == [(texts[0], texts[2])]


def test_every_row_of_a_bundled_set_is_good_and_both_splits_have_the_promised_size(data):
    assert not data.skipped
    assert data.validation is None
    if data.task == "question_answering":
        assert len(set(data.train["context"])) >= 60
    for name, split in data.splits().items():
        least = 4 * 60 if (data.task, name) == ("question_answering", "train") else LEAST[name]
        assert len(split) >= least, name


def test_no_two_texts_of_a_bundled_set_are_near_duplicates_within_or_across_splits(data):
    texts = [text for split in data.splits().values() for text in texts_of(split, data.task)]
    assert near_duplicates(texts) == []


def test_the_classes_of_a_bundled_set_are_balanced(data):
    for name, split in data.splits().items():
        if data.problem_type == "single_label_classification" or data.task == "multiple_choice":
            counts = Counter(split["label"])
            number = len(data.labels) or len(split[0]["choices"])
            assert len(counts) == number, name
            assert min(counts.values()) >= 0.6 * len(split) / number, (name, counts)
        elif data.problem_type == "regression":
            assert (min(split["label"]), max(split["label"])) == (0.0, 5.0)
            thirds = Counter(min(int(score / 5 * 3), 2) for score in split["label"])
            assert min(thirds.values()) >= len(split) / 5, (name, thirds)
        elif data.problem_type == "multi_label_classification":
            shares = [sum(column) / len(split) for column in zip(*split["label"], strict=True)]
            assert min(shares) >= 0.05, (name, shares)
            assert max(shares) <= 0.5, (name, shares)
        elif data.task == "question_answering":
            empty = sum(not answers["text"] for answers in split["answers"]) / len(split)
            assert 0.15 <= empty <= 0.5, (name, empty)
        elif data.has_entities:
            tags = Counter(data.labels[tag] for tags in split["tags"] for tag in tags)
            types = {label[2:] for label in data.labels if label != "O"}
            assert all(tags[f"B-{kind}"] >= 15 for kind in types), (name, tags)
        else:
            tags = {data.labels[tag] for tags in split["tags"] for tag in tags}
            assert tags == set(data.labels)


def test_tags_of_entities_are_bio_as_they_lie_in_the_file():
    for file in BUNDLED["named_entities"].files().values():
        rows = read_file(file).rows
        assert rows
        for row in rows:
            before = "O"
            for tag in row.values["2"]:
                assert tag == "O" or tag[:2] in ("B-", "I-"), row
                assert tag[:2] != "I-" or before[2:] == tag[2:], row
                before = tag


def test_words_are_tagged_with_entities_in_one_set_and_parts_of_speech_in_the_other():
    entities, parts = load_task_data("named_entities"), load_task_data("parts_of_speech")
    assert list(entities.test["words"]) == list(parts.test["words"])
    kinds = {label[2:] for label in entities.labels if label != "O"}
    assert kinds == {"person", "place", "organization", "time"}
    assert entities.has_entities
    assert {"NOUN", "VERB", "PUNCT"} < set(parts.labels)
    assert not parts.has_entities


@pytest.mark.parametrize("name", sets_for("multiple_choice"))
def test_choices_of_a_row_differ_and_are_four_everywhere(name):
    for split in load_task_data(name).splits().values():
        assert {len(row["choices"]) for row in split} == {4}
        assert all(len(set(row["choices"])) == 4 for row in split)


@pytest.mark.parametrize("name", sets_for("question_answering"))
def test_answers_of_a_passage_match_their_offsets_and_ids_are_unique(name):
    rows = [row for split in load_task_data(name).splits().values() for row in split]
    assert len({row["id"] for row in rows}) == len(rows)
    spans = [
        (row["context"][start : start + len(text)], text)
        for row in rows
        for text, start in zip(row["answers"]["text"], row["answers"]["answer_start"], strict=True)
    ]
    assert spans
    assert all(found == text for found, text in spans)


def test_both_splits_share_no_context(data):
    if data.task in ("question_answering", "multiple_choice"):
        assert not set(data.train["context"]) & set(data.test["context"])
    else:
        texts = [set(texts_of(split, data.task)) for split in (data.train, data.test)]
        assert not texts[0] & texts[1]


def test_every_bundled_set_has_a_card(data):
    folder = BUNDLED[data.name].files()["train"].parent
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "Licence" in card or "License" in card
    for name, split in data.splits().items():
        sizes = {str(len(split))}
        if data.problem_type == "single_label_classification":
            sizes |= {str(count) for count in Counter(split["label"]).values()}
        assert sizes & set(re.findall(r"\d+", card)), f"the card does not give the size of {name}"


def test_files_of_lines_have_the_documented_columns_and_nothing_else():
    documented = {
        "sentiment": {"text", "label"},
        "emotions": {"text", "labels"},
        "similarity": {"sentence1", "sentence2", "score"},
        "entailment": {"premise", "hypothesis", "label"},
        "continuations": {"context", "choices", "label"},
    }
    seen = 0
    for name in documented:
        for file in BUNDLED[name].files().values():
            for line in file.read_text(encoding="utf-8").splitlines():
                assert set(json.loads(line)) == documented[name]
                seen += 1
    assert seen


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("mini", "sentiment"),
        ("mini-discriminator", "sentiment"),
        ("google/electra-small-discriminator", "sentiment"),
        ("runs/not-micro", "sentiment"),
        ("micro", "microworld/sentiment"),
        ("micro-discriminator", "microworld/sentiment"),
        (Path("runs") / "micro-discriminator", "microworld/sentiment"),
    ],
)
def test_micro_reads_the_twin_and_every_other_model_the_set(model, expected):
    assert data_for("sentiment", model) == expected


def test_data_for_a_set_that_is_not_bundled_names_those_that_are():
    with pytest.raises(ValueError, match="'sentiments'; there are sentiment, emotions"):
        data_for("sentiments", "mini")
