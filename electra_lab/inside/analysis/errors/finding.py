"""A model, asked about a split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import Any

import electra_lab
from electra_lab.inside.trace.live import own_model
from electra_lab.inside.trace.recorder import undisturbed
from electra_lab.text.tasks.schema import TaskData
from electra_lab.text.tokenization import ElectraTokenizer, ElectraTokenizerFast
from electra_lab.training.examples import encode
from electra_lab.training.finetuning import MODEL_CLASSES
from electra_lab.training.finetuning_settings import FinetuningSettings
from electra_lab.training.predicting import predict
from electra_lab.training.task_loss import TaskLoss

from .answers import Answers
from .choices import Choices
from .judged import JudgedSplit
from .parts import SliceFunction, slices_of
from .report import ErrorReport
from .sequences import Classes, Numbers, SeveralLabels
from .tags import Tagged


def find_errors(
    model: Any,
    tokenizer: Any,
    data: TaskData,
    split: str = "test",
    *,
    slices: Mapping[str, SliceFunction] | None = None,
    max_length: int | None = None,
    may_abstain: bool | None = None,
    batch_size: int = 32,
) -> ErrorReport:
    """Ask a model about a split, and sort out where it is wrong.

    Slices are made by ``"label"``, ``"length"`` in words and ``"unseen words"``: how many different ones
    train has not; where words are tagged, whether it has this word.

    Args:
        model: taught this task; of this package or a live one of transformers. It stays where it is and
            as it is.
        tokenizer: what it reads with.
        data: the labelled data; its train split says which words were seen.
        split: which part of it.
        slices: more of them: name -> a function of the row (a dictionary with the columns of
            ``TaskData``) whose value says which part it is in: True or False, a text, a number (many
            different numbers are put into four parts), or None for in none.
        max_length: tokens of a row; default: as in fine-tuning.
        may_abstain: whether a question may be left unanswered. Default: if train has such questions.
        batch_size: rows that are computed together.

    Raises:
        ValueError: there is no such split, it is empty, the model's labels are not those of the data, or
            a slice has too many parts.
        TypeError: the model is none for this task.
    """
    own = own_model(model)
    _check(own, data, split)
    tokenizer = _own_tokenizer(tokenizer)
    longest = replace(FinetuningSettings(), max_length=max_length).longest(data, own.config)
    rows = list(data.splits()[split])
    examples = encode(data, split, tokenizer, longest)
    if may_abstain is None:
        may_abstain = data.task == "question_answering" and any(
            not answers["text"] for answers in data.train["answers"]
        )
    with undisturbed(own):
        said = predict(
            TaskLoss(own), examples, data, split, batch_size=batch_size, may_abstain=may_abstain
        )
    sort = {
        "token_classification": Tagged,
        "question_answering": Answers,
        "multiple_choice": Choices,
    }.get(data.task)
    if sort is None:
        sort = {
            "multi_label_classification": SeveralLabels,
            "regression": Numbers,
        }.get(data.problem_type or "", Classes)
    judged: JudgedSplit = sort(data, rows, said, examples.examples)
    items = judged.items()
    return ErrorReport(
        data.name,
        split,
        data.task,
        judged.metric,
        tuple(judged.record(number) for number in range(len(rows))),
        judged.confusion(),
        items.part("", "all"),
        tuple(slices_of(judged, items, slices or {})),
    )


def _check(model: Any, data: TaskData, split: str) -> None:
    splits = data.splits()
    if split not in splits or not len(splits[split]):
        there = ", ".join(f"{name} ({len(rows)} rows)" for name, rows in splits.items())
        raise ValueError(f"{data.name} has no examples in {split!r}; it has {there}.")
    wanted = MODEL_CLASSES[data.task]
    if not isinstance(model, getattr(electra_lab, wanted)):
        raise TypeError(
            f"{data.name} is for {data.task.replace('_', ' ')}, and the model is a "
            f"{type(model).__name__}. Give an {wanted} that was taught this task."
        )
    if data.task in ("question_answering", "multiple_choice"):
        return
    names = [model.config.id2label[number] for number in range(model.config.num_labels)]
    expected = list(data.labels) or names[:1]
    unnamed = all(name.startswith("LABEL_") for name in names)
    if len(names) != len(expected) or (not unnamed and names != expected):
        raise ValueError(
            f"The model's labels are {', '.join(names)}; those of {data.name} are "
            f"{', '.join(data.labels) or 'one number'}. They have to be the same in the same order: "
            "load_task_data(..., labels=[...]) gives the data's."
        )


def _own_tokenizer(tokenizer: Any) -> ElectraTokenizer | ElectraTokenizerFast:
    """The tokenizer, or for one of transformers ours with its vocabulary and settings."""
    if isinstance(tokenizer, ElectraTokenizer | ElectraTokenizerFast):
        return tokenizer
    with TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        return ElectraTokenizerFast.from_pretrained(folder)
