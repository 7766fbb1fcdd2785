"""``electra-lab run``: text on standard input, answers on standard output."""

import json
import os
import subprocess
import sys

import pytest
import torch

from electra_lab import (
    ElectraConfig,
    ElectraForSequenceClassification,
    ElectraTokenizerFast,
    pipeline,
)

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "food", "is", "good", "bad", "."]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model")
    config = ElectraConfig.from_preset(
        "micro",
        vocab_size=len(VOCABULARY),
        initializer_range=0.4,
        id2label={0: "négatif", 1: "positif"},
    )
    ElectraForSequenceClassification(config).save_pretrained(path)
    ElectraTokenizerFast(vocab=VOCABULARY).save_pretrained(path)
    return path


def run(folder, text, *options):
    return subprocess.run(
        [
            *(sys.executable, "-m", "electra_lab", "run", "--task", "text-classification"),
            *("--model", str(folder), "--device", "cpu", *options),
        ],
        input=text,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )


def test_plain_lines_give_a_readable_line_each(folder):
    result = run(folder, "The food is good.\n\nThe food is bad.\n")
    expected = pipeline("text-classification", folder, device="cpu")(
        ["The food is good.", "The food is bad."]
    )
    assert result.stdout.splitlines() == [
        f"label: {answer['label']}  score: {answer['score']:.4f}" for answer in expected
    ]


def test_json_lines_go_in_and_out(folder):
    pairs = [{"text": "The food", "text_pair": "is good."}, "The food is bad."]
    single = run(folder, json.dumps(pairs[1]) + "\n", "--jsonl")
    assert json.loads(single.stdout)["label"] in ("négatif", "positif")
    assert "n\\u00e9gatif" not in single.stdout
    paired = run(folder, json.dumps(pairs[0]) + "\n", "--jsonl")
    expected = pipeline("text-classification", folder, device="cpu")([pairs[0]])
    assert json.loads(paired.stdout) == pytest.approx(expected[0])


def test_what_is_wrong_is_one_message_and_exit_code_2(folder):
    for text, options, message in (
        ("{\n", ["--jsonl"], "Line 1 is no JSON"),
        ("7\n", ["--jsonl"], "takes a text"),
    ):
        result = run(folder, text, *options)
        assert result.returncode == 2
        assert message in result.stderr
        assert "Traceback" not in result.stderr
