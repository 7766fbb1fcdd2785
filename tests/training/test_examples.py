"""From labelled rows to batches: where labels stand, what is cut, what a batch holds."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from electra_lab.model.config import ElectraConfig
from electra_lab.model.task_heads import ElectraForQuestionAnswering
from electra_lab.pipelines.answers import QuestionAnswering
from electra_lab.text.tasks import TaskData, load_task_data, make_dataset
from electra_lab.text.tokenization import ElectraTokenizerFast
from electra_lab.training.distributed import Ranks
from electra_lab.training.examples import Example, Examples, LengthBuckets, encode

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = [
    *"abcdefghijklmnopqrstuvwxyz",
    *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz"),
    ".",
    "?",
]


@pytest.fixture(scope="module")
def tokenizer():
    return ElectraTokenizerFast(vocab=[*PIECES, *LETTERS, "anna", "lives", "here", "who"])


def task_data(task, rows, labels=(), problem_type=None):
    made = make_dataset(rows, task, problem_type)
    return TaskData("test", task, made, made, labels=labels, problem_type=problem_type)


def test_a_tag_stands_at_the_first_piece_of_its_word(tokenizer):
    data = task_data(
        "token_classification",
        [{"words": ["Anna", "is", "here"], "tags": [2, 0, 1]}],
        ("A", "B", "C"),
    )
    (example,) = encode(data, "train", tokenizer, 20).examples
    assert tokenizer.convert_ids_to_tokens(example.input_ids[0]) == (
        ["[CLS]", "anna", "i", "##s", "here", "[SEP]"]
    )
    assert example.label == [-100, 2, 0, -100, 1, -100]
    assert example.places == [1, 2, 4]


def test_words_that_do_not_fit_are_counted_and_known(tokenizer):
    rows = [
        {"words": ["anna", "lives", "here"], "tags": [0, 1, 0]},
        {"words": ["anna"], "tags": [1]},
    ]
    encoded = encode(task_data("token_classification", rows, ("A", "B")), "train", tokenizer, 4)
    assert encoded.cut == 1
    assert [e.places for e in encoded.examples] == [[1, 2, -1], [1]]


def test_pairs_have_two_token_types_and_can_be_swapped(tokenizer):
    rows = [{"text": "anna", "text_pair": "lives here", "label": 1.0}]
    data = task_data("sequence_classification", rows, problem_type="regression")
    for swapped, expected in (
        (False, ["[CLS]", "anna", "[SEP]", "lives", "here", "[SEP]"]),
        (True, ["[CLS]", "lives", "here", "[SEP]", "anna", "[SEP]"]),
    ):
        (example,) = encode(data, "train", tokenizer, 20, swapped=swapped).examples
        assert tokenizer.convert_ids_to_tokens(example.input_ids[0]) == expected
        second = expected.index("[SEP]") + 1
        assert example.token_type_ids == [[int(i >= second) for i in range(len(expected))]]


def test_each_choice_is_read_with_the_context(tokenizer):
    rows = [{"context": "anna", "choices": ["lives", "is here"], "label": 1}] * 2
    encoded = encode(task_data("multiple_choice", rows), "train", tokenizer, 20)
    batch = encoded.batch([0, 1])
    assert batch.inputs["input_ids"].shape == batch.inputs["attention_mask"].shape == (2, 2, 7)
    assert batch.labels["labels"].tolist() == [1, 1]
    texts = [
        tokenizer.decode(ids, skip_special_tokens=True) for ids in batch.inputs["input_ids"][0]
    ]
    assert texts == ["anna lives", "anna is here"]
    assert batch.tokens == int(batch.inputs["attention_mask"].sum())


@given(st.integers(0, 59), st.integers(1, 8), st.integers(20, 40))
@settings(max_examples=60, deadline=None)
def test_an_answer_is_learned_from_the_windows_that_hold_it(first, length, longest):
    """Whatever window says where the answer is: the characters there are the answer."""
    tokenizer = ElectraTokenizerFast(vocab=[*PIECES, *LETTERS])
    words = [f"{a}{b}" for a in "abcdefgh" for b in "klmnopqr"]
    context = " ".join(words) + "."
    text = " ".join(words[first : first + length])
    start = context.index(text)
    row = {"id": "1", "context": context, "question": "a b?",
           "answers": {"text": [text], "answer_start": [start]}}  # fmt: skip
    encoded = encode(task_data("question_answering", [row]), "train", tokenizer, longest)
    found = 0
    for number, example in enumerate(encoded.examples):
        begin, end = example.label
        assert example.window == number
        pieces = [p for w in words[first : first + length] for p in tokenizer.tokenize(w)]
        tokens = tokenizer.convert_ids_to_tokens(example.input_ids[0])
        whole = any(tokens[i : i + len(pieces)] == pieces for i in range(len(tokens)))
        assert whole == ((begin, end) != (0, 0))
        if whole:
            found += 1
            offsets = example.windows["offset_mapping"][number]
            assert context[offsets[begin][0] : offsets[end][1]] == text
    assert found or len(pieces) > (longest - 6) // 2


def test_unanswerable_questions_point_at_cls(tokenizer):
    row = {"id": "1", "context": "anna lives here", "question": "who?",
           "answers": {"text": [], "answer_start": []}}  # fmt: skip
    encoded = encode(task_data("question_answering", [row]), "train", tokenizer, 20)
    batch = encoded.batch([0])
    assert batch.labels["start_positions"].tolist() == batch.labels["end_positions"].tolist() == [0]


def test_windows_are_those_of_the_pipeline(tokenizer, monkeypatch):
    row = {"id": "1", "context": "anna lives here. " * 9, "question": "who lives here?",
           "answers": {"text": ["anna"], "answer_start": [0]}}  # fmt: skip
    encoded = encode(task_data("question_answering", [row]), "train", tokenizer, 24)
    seen = []
    model = ElectraForQuestionAnswering(
        ElectraConfig(vocab_size=len(tokenizer), embedding_size=8, hidden_size=8, num_hidden_layers=1,
                      num_attention_heads=1, intermediate_size=8)
    )  # fmt: skip
    pipeline = QuestionAnswering(model, tokenizer)
    run = pipeline.run
    monkeypatch.setattr(pipeline, "run", lambda rows: seen.extend(rows["input_ids"]) or run(rows))
    pipeline({"question": row["question"], "context": row["context"]}, max_seq_len=24)
    assert len(seen) > 1
    assert [e.input_ids[0] for e in encoded.examples] == seen


def rows_of(lengths):
    made = [Example([[5 + i % 50] * n], [[0] * n], i, i) for i, n in enumerate(lengths)]
    return Examples("sequence_classification", made, pad_id=0, rows=len(made), cut=0)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=90), st.integers(1, 9), st.integers(0, 3))
@settings(deadline=None)
def test_every_example_comes_once_in_an_epoch_and_at_the_same_step_again(lengths, size, seed):
    buckets = LengthBuckets(rows_of(lengths), size, seed)
    steps = range(buckets.batches_per_epoch)
    batches = [buckets.batch(step) for step in steps]
    seen = [int(i) for batch in batches for i in batch.labels["labels"]]
    assert sorted(seen) == list(range(len(lengths)))
    assert sum(batch.tokens for batch in batches) == sum(lengths)
    later = buckets.batch(len(steps))  # the next epoch, and back
    assert later.size <= size
    for step in steps:
        assert torch.equal(buckets.batch(step).labels["labels"], batches[step].labels["labels"])


def test_epochs_differ_in_who_is_together():
    buckets = LengthBuckets(rows_of([7] * 64), 8)
    sets = [{frozenset(b) for b in buckets.order(epoch)} for epoch in (0, 1)]
    assert not sets[0] & sets[1]


def test_little_padding_is_left():
    lengths = torch.randint(4, 33, (640,), generator=torch.Generator().manual_seed(0)).tolist()
    buckets = LengthBuckets(rows_of(lengths), 32)
    batches = [buckets.batch(step) for step in range(buckets.batches_per_epoch)]
    places = sum(batch.inputs["input_ids"].numel() for batch in batches)
    assert sum(lengths) / places > 0.88
    in_any_order = sum(32 * max(lengths[i : i + 32]) for i in range(0, 640, 32))
    assert places < 0.7 * in_any_order


@pytest.mark.parametrize("count", [16, 17, 19])
def test_ranks_share_a_batch_and_take_as_many_each(count):
    whole = LengthBuckets(rows_of([3] * count), 8)
    parts = [LengthBuckets(rows_of([3] * count), 8, ranks=Ranks(rank, 2)) for rank in range(2)]
    seen = set()
    for step in range(whole.batches_per_epoch):
        halves = [part.batch(step) for part in parts]
        assert halves[0].size == halves[1].size
        got = {int(i) for half in halves for i in half.labels["labels"]}
        assert got == set(whole.batch(step).labels["labels"].tolist())
        seen |= got
    assert seen == set(range(count))
    with pytest.raises(ValueError, match="multiple of their number"):
        LengthBuckets(rows_of([3] * 9), 9, ranks=Ranks(0, 2))


def test_other_data_has_another_fingerprint(tokenizer):
    data = load_task_data("sentiment")
    one = encode(data, "train", tokenizer, 64)
    other = encode(data.with_train_size(400), "train", tokenizer, 64)
    assert one.fingerprint == encode(data, "train", tokenizer, 64).fingerprint != other.fingerprint


def test_a_split_that_is_not_there_is_named(tokenizer):
    with pytest.raises(ValueError, match="no split 'validation'; it has train, test"):
        encode(load_task_data("sentiment"), "validation", tokenizer, 64)
