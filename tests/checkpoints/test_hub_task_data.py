"""Labelled data of the hub, read from a stand-in hub on loopback: one name is all that changes.

The client reads HF_ENDPOINT when it is imported, so each test reads in a process of its own.
"""

import json
from pathlib import Path

import pytest

from .hub_stand_in import TOKEN, in_fresh_process, stand_in_hub

pytest.importorskip("datasets")

LOAD = """
import json, sys
from electra_lab import load_task_data

results = []
for name, options in json.loads(sys.argv[1]):
    try:
        data = load_task_data(name, **options)
        splits = {split: list(rows) for split, rows in data.splits().items()}
        results.append({"said": repr(data), **splits})
    except Exception as error:
        results.append({"error": type(error).__name__, "said": str(error)})
print("RESULTS" + json.dumps(results))
"""

CARD = """---
dataset_info:
  features:
  - name: sentence1
    dtype: string
  - name: sentence2
    dtype: string
  - name: label
    dtype:
      class_label:
        names:
          '0': different
          '1': same
---
"""


def pair(number: int, label: int) -> dict:
    return {"sentence1": f"Cat {number}.", "sentence2": f"Dog {number}.", "label": label}


@pytest.fixture
def hub(tmp_path) -> Path:
    """A hub with data sets of several tasks, one of them private, one without names for its columns."""
    owner = tmp_path / "hub" / "datasets" / "owner"

    def write(name: str, **splits: list[dict]) -> None:
        (owner / name).mkdir(parents=True)
        for split, rows in splits.items():
            lines = "".join(json.dumps(row) + "\n" for row in rows)
            (owner / name / f"{split}.jsonl").write_text(lines)

    train = [pair(n, n % 2) for n in range(6)]
    secret = [pair(n, -1) for n in range(20, 22)]
    write("pairs", train=train, validation=[pair(10, 1), pair(11, 0)], test=secret)
    (owner / "pairs" / "README.md").write_text(CARD)
    write("private-pairs", train=train, test=train)
    answers = {"text": ["red"], "answer_start": [11]}
    question = {"context": "The cat is red.", "question": "Colour?", "answers": answers}
    write(
        "questions",
        train=[{"id": f"q{n}", **question} for n in range(2)],
        test=[{"id": "t0", **question}],
    )
    words = {"tokens": ["Ann", "sat"], "ner_tags": ["B-PER", "O"]}
    write("words", train=[words, words], test=[words])
    bad = [{"body": "Fine.", "mood": "good"}, {"body": "", "mood": "bad"}]
    write("bad", train=[*bad, {"body": "Poor.", "mood": "bad"}], test=bad[:1])
    return tmp_path / "hub"


def read(requests: list[tuple[str, dict]], address: str, home: Path, **environment: str) -> list:
    """What a fresh process gets, whose hub is the stand-in."""
    return in_fresh_process(LOAD, requests, address, home, **environment)


def test_hub_names_give_the_standard_columns_of_their_task_again_with_the_network_off(
    hub, tmp_path
):
    requests: list[tuple[str, dict]] = [
        ("owner/pairs", {}),
        ("owner/questions", {}),
        ("owner/words", {}),
    ]
    with stand_in_hub(hub) as (address, asked):
        found = read(requests, address, tmp_path / "home")
        asked.clear()
        again = read(requests, address, tmp_path / "home", HF_HUB_OFFLINE="1")
    assert again == found
    assert not asked
    pairs, questions, words = found
    assert pairs["said"] == (
        "TaskData(owner/pairs: single_label_classification; 6 train, 2 test; labels different, same)"
    )
    assert pairs["train"][1] == {"text": "Cat 1.", "text_pair": "Dog 1.", "label": 1}
    assert [row["text"] for row in pairs["test"]] == ["Cat 10.", "Cat 11."]  # test keeps its labels
    assert questions["said"] == "TaskData(owner/questions: question_answering; 2 train, 1 test)"
    assert questions["test"][0]["answers"] == {"text": ["red"], "answer_start": [11]}
    assert words["train"][0] == {"words": ["Ann", "sat"], "tags": [1, 0]}


def test_splits_and_tokens_of_the_hub_can_be_named(hub, tmp_path):
    some = {"split": "train[:4]", "test": "validation[:1]"}
    with stand_in_hub(hub) as (address, _):
        named, part, closed, opened = read(
            [
                ("owner/pairs", some),
                ("owner/pairs", {"split": "train[:4]"}),
                ("owner/private-pairs", {}),
                ("owner/private-pairs", {"token": TOKEN}),
            ],
            address,
            tmp_path / "home",
        )
    assert [len(named[split]) for split in ("train", "test")] == [4, 1]
    assert [len(part[split]) for split in ("train", "test")] == [4, 2]
    assert closed["error"] == "OSError"
    assert len(opened["train"]) == 6


def test_a_hub_set_that_is_missing_or_bad_says_so(hub, tmp_path):
    columns = {"text": "body", "label": "mood"}
    with stand_in_hub(hub) as (address, _):
        missing, unclear, bad, skipped = read(
            [
                ("owner/missing", {}),
                ("owner/bad", {}),
                ("owner/bad", {"columns": columns}),
                ("owner/bad", {"columns": columns, "skip_bad_rows": True}),
            ],
            address,
            tmp_path / "home",
        )
    assert missing["error"] == "OSError"
    assert "'owner/missing' is no bundled set (sentiment, emotions" in missing["said"]
    assert unclear["error"] == "ValueError"
    assert "No column is plainly the label; the columns are body, mood." in unclear["said"]
    assert bad["error"] == "BadRowError"
    assert bad["said"].startswith("owner/bad, train, row 2: 'body' is empty; expected a text.")
    assert skipped["said"] == (
        "TaskData(owner/bad: single_label_classification; 2 train, 1 test; labels bad, good; "
        "bad rows skipped: 1)"
    )
