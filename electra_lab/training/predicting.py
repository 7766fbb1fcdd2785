"""What a fine-tuned model says of a split, row by row."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from electra_lab.pipelines.answers import spans_of, without_repeats
from electra_lab.text.tasks.schema import OUTSIDE, TaskData

from .examples import Example, Examples
from .task_loss import TaskLoss

N_BEST = 20
LONGEST_ANSWER = 30
"""Answers kept of each question and pieces of the longest (google-research/electra,
configure_finetuning.py)."""
BATCH = 32
_LEAST = 1e-30


@dataclass
class Predictions:
    """What a model says of a split.

    Attributes:
        values: for each row, in the form of ``baseline_predictions``.
        loss: mean over the examples.
        n_best: of each question its answers, the best first: ``{"answer", "score", "start", "end"}``.
        no_answer: of each question the log odds of "no answer" against its best answer.
        logits: of each example the model's logits, by their name; padding, where there was some, is in
            them. A long context makes several examples of a row.
    """

    values: list[Any]
    loss: float
    n_best: list[list[dict[str, Any]]] = field(default_factory=list)
    no_answer: list[float] = field(default_factory=list)
    logits: list[dict[str, Tensor]] = field(default_factory=list, repr=False)

    def answers(self, threshold: float) -> list[str]:
        """The best answer of each question, empty where the odds of "no answer" are above this."""
        return [
            "" if odds > threshold or not answers else answers[0]["answer"]
            for answers, odds in zip(self.n_best, self.no_answer, strict=True)
        ]


@torch.no_grad()
def predict(
    module: TaskLoss,
    examples: Examples,
    data: TaskData,
    split: str,
    *,
    batch_size: int = BATCH,
    may_abstain: bool = True,
) -> Predictions:
    """Run the model over a split.

    Args:
        module: put into evaluation mode.
        examples: the split, encoded.
        data: what it is from.
        split: its name.
        may_abstain: whether a question may be left unanswered, where [CLS] is likelier than the best
            answer.
    """
    outputs, loss = _run(module.eval(), examples, batch_size)
    if data.task == "question_answering":
        return _answers(data, split, examples, outputs, loss, may_abstain)
    value = {
        "multi_label_classification": lambda logits, _: (logits > 0).int().tolist(),
        "regression": lambda logits, _: float(logits[0]),
    }.get(data.problem_type or "", lambda logits, _: int(logits.argmax()))
    if data.task == "token_classification":
        outside = data.labels.index(OUTSIDE) if OUTSIDE in data.labels else 0

        def value(logits: Tensor, example: Example) -> list[int]:
            best = logits.argmax(-1).tolist()
            return [best[place] if place >= 0 else outside for place in example.places]

    pairs = zip(outputs, examples.examples, strict=True)
    values = [value(output["logits"], example) for output, example in pairs]
    return Predictions(values, loss, logits=outputs)


def _run(
    module: TaskLoss, examples: Examples, batch_size: int
) -> tuple[list[dict[str, Tensor]], float]:
    """The logits of each example, on the CPU, and the mean loss. Examples of like length together."""
    device = next(module.parameters()).device
    order = sorted(range(len(examples)), key=lambda i: examples.examples[i].length)
    found: list[dict[str, Tensor]] = [{}] * len(order)
    total = 0.0
    for start in range(0, len(order), batch_size):
        numbers = order[start : start + batch_size]
        loss, output = module.measure(examples.batch(numbers).to(device))
        total += float(loss) * len(numbers)
        logits = {n: v.float().cpu() for n, v in output.items() if n.endswith("logits")}
        if module.target_range is not None:
            low, high = module.target_range
            logits = {name: value * (high - low) + low for name, value in logits.items()}
        for place, number in enumerate(numbers):
            found[number] = {name: value[place] for name, value in logits.items()}
    return found, total / len(order)


def _answers(
    data: TaskData,
    split: str,
    examples: Examples,
    outputs: Sequence[dict[str, Tensor]],
    loss: float,
    may_abstain: bool,
) -> Predictions:
    contexts = data.splits()[split]["context"]
    predictions = Predictions([], loss, logits=list(outputs))
    for source, members in _by_source(examples):
        windows = examples.examples[members[0]].windows
        assert windows is not None
        rows = [
            (
                number,
                {
                    name: logits[: len(windows["input_ids"][number])]
                    for name, logits in outputs[member].items()
                },
            )
            for number, member in enumerate(members)
        ]
        spans, empty = spans_of(
            windows, rows, contexts[source], top_k=N_BEST, max_answer_len=LONGEST_ANSWER
        )
        ranked = without_repeats(sorted(spans, key=lambda span: -span["score"]))[:N_BEST]
        best = ranked[0]["score"] if ranked else 0.0
        predictions.n_best.append(ranked)
        predictions.no_answer.append(math.log(max(empty, _LEAST)) - math.log(max(best, _LEAST)))
    predictions.values = predictions.answers(0.0 if may_abstain else math.inf)
    return predictions


def _by_source(examples: Examples) -> Iterator[tuple[int, list[int]]]:
    """The windows of each row, which follow each other."""
    members: list[int] = []
    for number, example in enumerate(examples.examples):
        if members and examples.examples[members[0]].source != example.source:
            yield examples.examples[members[0]].source, members
            members = []
        members.append(number)
    if members:
        yield examples.examples[members[0]].source, members
