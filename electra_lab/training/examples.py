"""Labelled data as a model takes it in: rows of a data set -> examples -> batches."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from electra_lab.model.heads import IGNORED_LABEL
from electra_lab.pipelines.answers import question_windows
from electra_lab.pipelines.base import Tokenizer
from electra_lab.text.encoding import BatchEncoding
from electra_lab.text.tasks.schema import TaskData, TaskType

from .distributed import Ranks

LONGEST = {"question_answering": 384}
"""Tokens of a window on a question's context (transformers' value; google-research/electra has 512)."""
LONGEST_OTHERS = 128
"""Tokens of all else (google-research/electra, configure_finetuning.py)."""
POOL = 8
"""Batches that are cut from rows sorted by length together."""


@dataclass(frozen=True)
class Example:
    """What a model reads at once, and what it should say.

    Attributes:
        input_ids, token_type_ids: a row of tokens; of a multiple choice a row for each choice.
        label: class or right choice (int), 0. or 1. for each label (list of float), a number (float),
            one for each token (list of int, -100 where none is wanted), or the first and the last
            token of the answer (tuple; both 0, which is [CLS], where the row holds none).
        source: which row of the data it is from; a long context makes several.
        places: of tagged words, where the first piece of each is; -1 for a word that was cut off.
        windows, window: the windows on a question's context, and which of them this is.
    """

    input_ids: list[list[int]]
    token_type_ids: list[list[int]]
    label: Any
    source: int
    places: list[int] = field(default_factory=list)
    windows: BatchEncoding | None = None
    window: int = 0

    @property
    def length(self) -> int:
        """Tokens of its longest row."""
        return max(map(len, self.input_ids))


@dataclass(frozen=True)
class Examples:
    """A split, encoded.

    Attributes:
        task: type of the task.
        examples: in the order of the data.
        pad_id: fills up rows.
        rows: how many rows of data they are from.
        cut: how many of those were longer than the model reads at once, and lost their end.
    """

    task: TaskType
    examples: list[Example]
    pad_id: int
    rows: int
    cut: int

    def __len__(self) -> int:
        return len(self.examples)

    def __add__(self, other: Examples) -> Examples:
        """These and others of the same data: rows are not counted twice."""
        return Examples(self.task, self.examples + other.examples, self.pad_id, self.rows, self.cut)

    def batch(self, numbers: Iterable[int]) -> TaskBatch:
        """Some of them, padded to the longest."""
        return collate([self.examples[number] for number in numbers], self.task, self.pad_id)

    @property
    def fingerprint(self) -> int:
        """Tells data apart: a run is not resumed with other data than it began with."""
        sums = 0
        for example in self.examples:
            sums = zlib.crc32(repr((example.input_ids, example.label)).encode(), sums)
        return sums


@dataclass(frozen=True)
class TaskBatch:
    """What one step of fine-tuning trains on.

    Attributes:
        inputs: arguments of the model's ``forward``: ids, token types, and a mask if there is padding;
            (batch, seq), of a multiple choice (batch, choices, seq).
        labels: the arguments that say what is right.
        size: how many examples there are.
        tokens: padding aside.
    """

    inputs: dict[str, Tensor]
    labels: dict[str, Tensor]
    size: int
    tokens: int

    def to(self, device: torch.device | str) -> TaskBatch:
        """The same on a device."""
        inputs, labels = (
            {name: tensor.to(device) for name, tensor in part.items()}
            for part in (self.inputs, self.labels)
        )
        return TaskBatch(inputs, labels, self.size, self.tokens)


def collate(examples: Sequence[Example], task: TaskType, pad_id: int) -> TaskBatch:
    """Examples as one rectangle of tokens, filled up on the right."""
    rows = [ids for example in examples for ids in example.input_ids]
    types = [ids for example in examples for ids in example.token_type_ids]
    lengths = [len(ids) for ids in rows]
    longest = max(lengths)
    inputs = {"input_ids": _filled(rows, pad_id), "token_type_ids": _filled(types, 0)}
    if min(lengths) < longest:
        mask = torch.arange(longest) < torch.tensor(lengths)[:, None]
        inputs["attention_mask"] = mask.long()
    if task == "multiple_choice":
        inputs = {name: tensor.unflatten(0, (len(examples), -1)) for name, tensor in inputs.items()}
    labels = [example.label for example in examples]
    if task == "question_answering":
        start, end = torch.tensor(labels).unbind(1)
        right = {"start_positions": start, "end_positions": end}
    elif task == "token_classification":
        right = {"labels": _filled(labels, IGNORED_LABEL)}
    else:
        right = {"labels": torch.tensor(labels)}
    return TaskBatch(inputs, right, len(examples), sum(lengths))


def _filled(rows: Sequence[Sequence[int]], fill: int) -> Tensor:
    table = np.full((len(rows), max(map(len, rows))), fill, dtype=np.int64)
    for place, row in zip(table, rows, strict=True):
        place[: len(row)] = row
    return torch.from_numpy(table)


class LengthBuckets:
    """Hands out batches of like lengths, so that little padding is computed; every example once in an
    epoch, in an order drawn anew for each.

    Sorting a whole epoch would put the same examples together every time. So a shuffled epoch is cut
    into pools of ``POOL`` batches, each pool is sorted and cut, and the batches are shuffled.

    Args:
        examples: what to train on.
        batch_size: examples in a batch; the last one of an epoch may have fewer.
        seed: of the order.
        ranks: which of how many processes takes its part of each batch. Where a batch does not share
            out equally, some of its examples are given twice.

    Raises:
        ValueError: ``batch_size`` cannot be shared equally by the processes.
    """

    def __init__(
        self, examples: Examples, batch_size: int, seed: int = 0, ranks: Ranks | None = None
    ) -> None:
        self.examples, self.batch_size, self.seed = examples, batch_size, seed
        self.ranks = ranks or Ranks()
        if batch_size % self.ranks.size:
            raise ValueError(
                f"A batch of {batch_size} examples cannot be shared equally by {self.ranks.size} "
                "processes. Take a batch_size that is a multiple of their number."
            )
        self.lengths = np.array([example.length for example in examples.examples])
        self._epoch, self._order = -1, list[list[int]]()

    @property
    def batches_per_epoch(self) -> int:
        """Batches until every example was seen."""
        return -(-len(self.examples) // self.batch_size)

    def batch(self, step: int) -> TaskBatch:
        """The batch of that step (0, 1, 2 ...), on the CPU; of it, this rank's part."""
        epoch, number = divmod(step, self.batches_per_epoch)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, self.order(epoch)
        chosen = self._order[number]
        size = self.ranks.size
        while len(chosen) % size:
            chosen = chosen + chosen[: -len(chosen) % size]
        return self.examples.batch(chosen[self.ranks.rank :: size])

    def order(self, epoch: int) -> list[list[int]]:
        """The numbers of the examples of each batch of an epoch."""
        chance = np.random.default_rng((self.seed, epoch))
        shuffled = chance.permutation(len(self.examples))
        pool = POOL * self.batch_size
        batches = []
        for start in range(0, len(shuffled), pool):
            part = shuffled[start : start + pool]
            part = part[np.argsort(self.lengths[part], kind="stable")]
            batches += [
                part[i : i + self.batch_size].tolist() for i in range(0, len(part), self.batch_size)
            ]
        return [batches[i] for i in chance.permutation(len(batches))]


def encode(
    data: TaskData,
    split: str,
    tokenizer: Tokenizer,
    max_length: int,
    *,
    doc_stride: int | None = None,
    max_question_length: int | None = None,
    swapped: bool = False,
) -> Examples:
    """A split of labelled data as examples.

    - Sequences: a text, or two with token types 0 and 1.
    - Tagged words: a word's tag stands at its first piece, the others are ignored
      (google-research/electra, tagging_tasks.py).
    - Questions: question and context, cut into windows that overlap, as the pipeline does; an answer is
      learned from the windows that hold all of it, in the others [CLS] is right.
    - Choices: the context with each of them.

    Args:
        split: its name.
        max_length: tokens of a row; what is longer is cut (of two texts, the longer one).
        doc_stride, max_question_length: see ``question_windows``.
        swapped: the second text first.

    Raises:
        ValueError: there is no such split, or ``max_length`` leaves no room.
    """
    splits = data.splits()
    if split not in splits:
        raise ValueError(f"{data.name} has no split {split!r}; it has {', '.join(splits)}.")
    rows = list(splits[split])
    if data.task == "question_answering":
        made = _questions(rows, tokenizer, max_length, doc_stride, max_question_length)
        return Examples(data.task, made, tokenizer.pad_token_id, len(rows), 0)
    if data.task == "token_classification":
        made, cut = _tagged(rows, tokenizer, max_length)
    elif data.task == "multiple_choice":
        made, cut = _choices(rows, tokenizer, max_length)
    else:
        made, cut = _sequences(rows, tokenizer, max_length, swapped)
    return Examples(data.task, made, tokenizer.pad_token_id, len(rows), cut)


def _encoded(
    tokenizer: Tokenizer, first: Any, second: Any, max_length: int, **options: Any
) -> tuple[BatchEncoding, list[bool]]:
    """Rows, and which of them were cut."""
    encoded = tokenizer(
        first,
        second,
        truncation=True,
        max_length=max_length,
        return_overflowing_tokens=True,
        **options,
    )
    owners = encoded["overflow_to_sample_mapping"]
    first_of = [i for i in range(len(owners)) if i == 0 or owners[i] != owners[i - 1]]
    cut = [j - i > 1 for i, j in zip(first_of, [*first_of[1:], len(owners)], strict=True)]
    names = ("input_ids", "token_type_ids")
    kept = {name: [encoded[name][i] for i in first_of] for name in names}
    return BatchEncoding(kept, [encoded.encodings[i] for i in first_of]), cut


def _sequences(
    rows: list[dict[str, Any]], tokenizer: Tokenizer, max_length: int, swapped: bool
) -> tuple[list[Example], int]:
    first = [row["text"] for row in rows]
    second = [row["text_pair"] for row in rows] if rows[0]["text_pair"] is not None else None
    if swapped and second is not None:
        first, second = second, first
    encoded, cut = _encoded(tokenizer, first, second, max_length)
    examples = [
        Example([encoded["input_ids"][i]], [encoded["token_type_ids"][i]], row["label"], i)
        for i, row in enumerate(rows)
    ]
    return examples, sum(cut)


def _tagged(
    rows: list[dict[str, Any]], tokenizer: Tokenizer, max_length: int
) -> tuple[list[Example], int]:
    words = [row["words"] for row in rows]
    encoded, cut = _encoded(tokenizer, words, None, max_length, is_split_into_words=True)
    examples = []
    for i, row in enumerate(rows):
        places = [-1] * len(row["words"])
        labels = [IGNORED_LABEL] * len(encoded["input_ids"][i])
        for place, word in enumerate(encoded.word_ids(i)):
            if word is not None and places[word] < 0:
                places[word] = place
                labels[place] = row["tags"][word]
        ids, types = [encoded["input_ids"][i]], [encoded["token_type_ids"][i]]
        examples.append(Example(ids, types, labels, i, places))
    return examples, sum(cut)


def _choices(
    rows: list[dict[str, Any]], tokenizer: Tokenizer, max_length: int
) -> tuple[list[Example], int]:
    first = [row["context"] for row in rows for _ in row["choices"]]
    second = [choice for row in rows for choice in row["choices"]]
    encoded, cut = _encoded(tokenizer, first, second, max_length)
    examples, start, lost = [], 0, 0
    for i, row in enumerate(rows):
        stop = start + len(row["choices"])
        ids, types = encoded["input_ids"][start:stop], encoded["token_type_ids"][start:stop]
        examples.append(Example(ids, types, row["label"], i))
        lost += any(cut[start:stop])
        start = stop
    return examples, lost


def _questions(
    rows: list[dict[str, Any]],
    tokenizer: Tokenizer,
    max_length: int,
    doc_stride: int | None,
    max_question_length: int | None,
) -> list[Example]:
    examples = []
    for i, row in enumerate(rows):
        windows = question_windows(
            tokenizer,
            row["question"],
            row["context"],
            max_length,
            max_question_len=max_question_length,
            doc_stride=doc_stride,
        )
        for number, ids in enumerate(windows["input_ids"]):
            label = answer_tokens(windows, number, row["answers"])
            types = [windows["token_type_ids"][number]]
            examples.append(Example([ids], types, label, i, windows=windows, window=number))
    return examples


def answer_tokens(windows: BatchEncoding, number: int, answers: dict[str, Any]) -> tuple[int, int]:
    """The first and the last token of the first answer in a window; (0, 0) where it does not hold it."""
    if not answers["text"]:
        return 0, 0
    begin = answers["answer_start"][0]
    end = begin + len(answers["text"][0])
    places = windows["offset_mapping"][number]
    context = [i for i, side in enumerate(windows.sequence_ids(number)) if side == 1]
    inside = [i for i in context if places[i][0] < end and places[i][1] > begin]
    if not inside:
        return 0, 0
    # a token before and after the answer, or the context's ends, say that none of it is missing
    starts_here = places[inside[0]][0] <= begin or inside[0] > context[0]
    ends_here = places[inside[-1]][1] >= end or inside[-1] < context[-1]
    return (inside[0], inside[-1]) if starts_here and ends_here else (0, 0)
