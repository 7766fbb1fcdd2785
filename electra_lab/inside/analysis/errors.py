"""Where a model that was taught a task is wrong: every example with its loss, what was confused with
what, and in which parts of the data.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

import electra_lab
from electra_lab.inside.confusion import Confusion, confusion_of
from electra_lab.inside.slices import Items, Slice, binned
from electra_lab.inside.trace.live import own_model
from electra_lab.inside.trace.recorder import undisturbed
from electra_lab.model.task_heads import sequence_classification_loss
from electra_lab.text.tasks.baselines import words_in
from electra_lab.text.tasks.schema import OUTSIDE, TaskData
from electra_lab.text.tokenization import ElectraTokenizer, ElectraTokenizerFast
from electra_lab.training.examples import Example, encode
from electra_lab.training.finetuning import MODEL_CLASSES
from electra_lab.training.finetuning_settings import FinetuningSettings
from electra_lab.training.metrics import exact_match, token_f1
from electra_lab.training.predicting import Predictions, predict
from electra_lab.training.task_loss import TaskLoss

if TYPE_CHECKING:
    from electra_lab.inside.views import ErrorView

NO_ANSWER = "(no answer)"
NO_LABEL = "(none)"
MOST_PARTS = 24
"""Different values of a slice of one's own; more would be no parts but the examples themselves."""
RANGES = 5
"""Parts of a regression's range, each as wide as the others."""
ANSWERED = ("has an answer", "has none")
ANSWERS = ("right", "other ends", "same sentence", "elsewhere", "no answer")
SEEN, UNSEEN = "seen in train", "unseen in train"

Row = Mapping[str, Any]
Parts = tuple[list[tuple[str, ...]], list[str]]  # of each item the parts it is in; and their order
SliceFunction = Callable[[Any], Any]


@dataclass(frozen=True)
class ErrorRecord:
    """What became of one example.

    Attributes:
        row: its number in the split.
        text: what the model read, in the form that ``trace`` and the explorers take: a text, a pair, a
            question with its context, or a context with choices.
        gold: what is right, in words.
        predicted: what the model said, in words.
        loss: that of training, of this example alone: cross-entropy, of several labels the mean over
            them, of tagged words the mean over those that were read, of a question the mean over the
            windows on its context; of a number the squared distance.
        confidence: the probability that the model gave to what it said: of several labels the product
            over all of them, of tagged words that of the least sure word, of a question that of the
            answer's start times that of its end. None for a number.
        right: whether it is right, of several labels and tagged words all of it; None for a number.
        value: what the metric averages, of tagged words over this example's.
        notes: lines that explain it: the second text, a question's context, each choice, the words that
            got a wrong tag.
    """

    row: int
    text: Any
    gold: str
    predicted: str
    loss: float
    confidence: float | None
    right: bool | None
    value: float
    notes: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """The part of the text by which the example is known."""
        match self.text:
            case {"question": str(text)} | {"context": str(text)} | (str(text), _) | str(text):
                return text
        raise AssertionError(self.text)


@dataclass(frozen=True, repr=False)
class ErrorReport:
    """What ``find_errors`` returns. ``print`` shows a summary, ``view()`` a picture.

    Attributes:
        data: name of the set.
        split: which part of it.
        task: type of the task.
        metric: what the figure of each slice is: ``"accuracy"`` (of examples, of words, or of examples
            with all labels right), ``"f1"`` (of tokens, mean over the questions) or
            ``"mean squared error"``.
        records: of each row of the split, in its order.
        confusion: right against said. Of several labels a line for each of them; of a number, ranges; of
            questions how near the answer was.
        overall: all examples as one slice.
        slices: parts of them.
    """

    data: str
    split: str
    task: str
    metric: str
    records: tuple[ErrorRecord, ...]
    confusion: Confusion
    overall: Slice
    slices: tuple[Slice, ...]

    def by_loss(self) -> list[ErrorRecord]:
        """The records, the highest loss first."""
        return sorted(self.records, key=lambda record: -record.loss)

    def wrong(self) -> list[ErrorRecord]:
        """Those that are wrong, the surest first; of a number all, the farthest first."""
        if self.records and self.records[0].right is None:
            return self.by_loss()
        found = [record for record in self.records if not record.right]
        return sorted(found, key=lambda record: -(record.confidence or 0.0))

    def sliced_by(self, kind: str) -> list[Slice]:
        """The slices of one kind.

        Raises:
            KeyError: there are none.
        """
        found = [part for part in self.slices if part.kind == kind]
        if not found:
            known = ", ".join(repr(name) for name in dict.fromkeys(p.kind for p in self.slices))
            raise KeyError(f"There are no slices by {kind!r}; there are those by {known}.")
        return found

    def view(self, title: str = "", note: str = "") -> ErrorView:
        """The picture: confusion matrix, slices and all examples."""
        from electra_lab.inside.views import ErrorView

        return ErrorView(**self.drawn(title, note))

    def drawn(self, title: str = "", note: str = "") -> dict[str, Any]:
        """What an ``ErrorView`` draws of it: the arguments of its constructor."""
        records = self.records
        graded = all(record.right is not None for record in records)
        sure = all(record.confidence is not None for record in records)
        return {
            "texts": [record.heading for record in records],
            "gold": [record.gold for record in records],
            "predicted": [record.predicted for record in records],
            "losses": [record.loss for record in records],
            "confidences": [record.confidence for record in records] if sure else None,
            "right": [record.right for record in records] if graded else None,
            "notes": [record.notes for record in records],
            "confusion": self.confusion,
            "overall": self.overall,
            "slices": self.slices,
            "metric": self.metric,
            "title": title or f"{self.data}, {self.split}",
            "note": note,
        }

    def slice_table(self) -> str:
        """The slices as text: how many, the metric and its interval."""
        rows = [self.overall, *self.slices]
        width = max(len(f"{part.kind}: {part.name}") for part in rows)
        unit = self.confusion.unit if self.confusion.unit == "words" else "examples"
        lines = [f"{'':{width}}  {unit:>8}  {self.metric:>9}   95 % interval"]
        for part in rows:
            name = f"{part.kind}: {part.name}" if part.kind else part.name
            said = "" if part.low is None else f"   {part.low:.3f} to {part.high:.3f}"
            figure = f"{part.value:{max(9, len(self.metric))}.3f}"
            lines.append(f"{name:{width}}  {part.size:8,}  {figure}{said}")
        return "\n".join(lines)

    def __str__(self) -> str:
        return f"{self!r}\n\n{self.confusion}\n\n{self.slice_table()}"

    def __repr__(self) -> str:
        wrong = sum(record.right is False for record in self.records)
        said = "" if self.records and self.records[0].right is None else f", {wrong:,} wrong"
        return (
            f"ErrorReport({self.data}, {self.split}: {len(self.records):,} examples{said}; "
            f"{self.metric} {self.overall.value:.3f})"
        )


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
        "token_classification": _Tagged,
        "question_answering": _Answers,
        "multiple_choice": _Choices,
    }.get(data.task)
    if sort is None:
        sort = {
            "multi_label_classification": _SeveralLabels,
            "regression": _Numbers,
        }.get(data.problem_type or "", _Classes)
    judged: _Judged = sort(data, rows, said, examples.examples)
    items = judged.items()
    return ErrorReport(
        data.name,
        split,
        data.task,
        judged.metric,
        tuple(judged.record(number) for number in range(len(rows))),
        judged.confusion(),
        items.part("", "all"),
        tuple(_slices(judged, items, slices or {})),
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


# -- slices


def _slices(
    judged: _Judged, items: Items, functions: Mapping[str, SliceFunction]
) -> Iterator[Slice]:
    yield from items.divided("label", *judged.labels())
    lengths = [sum(len(words_in(text)) for text in judged.texts(row)) for row in judged.rows]
    names, order = binned(lengths)
    yield from items.divided(
        "length",
        [(f"{names[row]} words",) for row in items.rows],
        [f"{name} words" for name in order],
    )
    yield from items.divided("unseen words", *judged.unseen())
    for kind, function in functions.items():
        names, order = _parts(kind, [function(row) for row in judged.rows])
        yield from items.divided(
            kind, [(names[row],) if names[row] else () for row in items.rows], order
        )


def _parts(kind: str, values: Sequence[Any]) -> tuple[list[str], list[str]]:
    """Of each example the name of its part, empty for none; and the names in order.

    Raises:
        ValueError: there are too many, or a value is none that says a part.
    """
    for value in values:
        if not (value is None or isinstance(value, str | int | float | np.number | np.bool_)):
            raise ValueError(
                f"The slice {kind!r} gives {value!r:.60}; expected True or False, a text, a number or "
                "None."
            )
    there = [value for value in values if value is not None]
    if there and all(isinstance(value, bool | np.bool_) for value in there):
        said = ["" if value is None else "yes" if value else "no" for value in values]
        return said, ["yes", "no"]
    if there and not any(isinstance(value, str) for value in there):
        names, order = binned([float(value) for value in there])
        left = iter(names)
        return ["" if value is None else next(left) for value in values], order
    said = ["" if value is None else str(value) for value in values]
    order = sorted(set(said) - {""})
    if len(order) > MOST_PARTS:
        raise ValueError(
            f"The slice {kind!r} has {len(order)} different values, such as {order[0]!r:.40} and "
            f"{order[1]!r:.40}; expected at most {MOST_PARTS}. Put like ones together."
        )
    return said, order


def _unseen_words(texts: Sequence[str], seen: set[str]) -> int:
    return len({word for text in texts for word in words_in(text)} - seen)


# -- what is right, for each type of task


class _Judged:
    """A split and what was said of it, with one way to ask for all types of task.

    Args:
        data: where the rows are from.
        rows: of the split.
        said: what ``predict`` returned.
        examples: what the model read; of a long context several of a row.
    """

    metric = "accuracy"
    columns: tuple[str, ...] = ("text", "text_pair")

    def __init__(
        self, data: TaskData, rows: list[Row], said: Predictions, examples: list[Example]
    ) -> None:
        self.data, self.rows, self.said, self.examples = data, rows, said, examples
        self.logits = [logits.get("logits", torch.empty(0)) for logits in said.logits]

    def record(self, number: int) -> ErrorRecord:
        """What became of an example."""
        raise NotImplementedError

    def confusion(self) -> Confusion:
        """Right against said."""
        raise NotImplementedError

    def value(self, number: int) -> float:
        """What the metric averages."""
        return float(self.said.values[number] == self.rows[number]["label"])

    def items(self) -> Items:
        """What slices count."""
        numbers = range(len(self.rows))
        values = np.array([self.value(number) for number in numbers], dtype=float)
        together: dict[Any, int] = {}
        groups = [together.setdefault(self.group(number), len(together)) for number in numbers]
        return Items(np.arange(len(self.rows)), values, np.array(groups))

    def group(self, number: int) -> Any:
        """What is the same for examples that belong together, such as the first text of pairs."""
        return self.rows[number][self.columns[0]]

    def labels(self) -> Parts:
        """The parts by label."""
        return [(self.data.labels[row["label"]],) for row in self.rows], list(self.data.labels)

    def texts(self, row: Row) -> list[str]:
        """All that was read of a row."""
        found: list[str] = []
        for column in self.columns:
            if row[column] is not None:
                found += [row[column]] if isinstance(row[column], str) else row[column]
        return found

    def unseen(self) -> Parts:
        """The parts by words that train has not."""
        seen = {
            word for row in self.data.train for text in self.texts(row) for word in words_in(text)
        }
        names, order = binned([_unseen_words(self.texts(row), seen) for row in self.rows])
        return [(name,) for name in names], order


class _Sequences(_Judged):
    def text(self, number: int) -> Any:
        row = self.rows[number]
        return row["text"] if row["text_pair"] is None else (row["text"], row["text_pair"])

    def notes(self, number: int) -> tuple[str, ...]:
        pair = self.rows[number]["text_pair"]
        return () if pair is None else (pair,)

    def loss(self, number: int) -> float:
        logits = self.logits[number][None]
        label = torch.tensor([self.rows[number]["label"]])
        return float(sequence_classification_loss(logits, label, self.data.problem_type or ""))


class _Classes(_Sequences):
    def record(self, number: int) -> ErrorRecord:
        label, said = self.rows[number]["label"], self.said.values[number]
        return ErrorRecord(
            number,
            self.text(number),
            self.data.labels[label],
            self.data.labels[said],
            self.loss(number),
            float(self.logits[number].softmax(-1)[said]),
            said == label,
            self.value(number),
            self.notes(number),
        )

    def confusion(self) -> Confusion:
        names = self.data.labels
        pairs = zip((row["label"] for row in self.rows), self.said.values, strict=True)
        return confusion_of(names, names, ((i, *pair) for i, pair in enumerate(pairs)))


class _SeveralLabels(_Sequences):
    def value(self, number: int) -> float:
        return float(self._gold(number) == self.said.values[number])

    def _gold(self, number: int) -> list[int]:
        return [int(there) for there in self.rows[number]["label"]]

    def _names(self, present: Sequence[int]) -> str:
        names = [n for n, there in zip(self.data.labels, present, strict=True) if there]
        return ", ".join(names) or NO_LABEL

    def record(self, number: int) -> ErrorRecord:
        probabilities = self.logits[number].sigmoid()
        of_said = torch.where(self.logits[number] > 0, probabilities, 1 - probabilities)
        return ErrorRecord(
            number,
            self.text(number),
            self._names(self._gold(number)),
            self._names(self.said.values[number]),
            self.loss(number),
            float(of_said.prod()),
            bool(self.value(number)),
            self.value(number),
            self.notes(number),
        )

    def confusion(self) -> Confusion:
        columns = ("said, right", "missed", "invented", "left out, right")
        place = {(1, 1): 0, (1, 0): 1, (0, 1): 2, (0, 0): 3}
        return confusion_of(
            self.data.labels,
            columns,
            (
                (number, label, place[pair])
                for number in range(len(self.rows))
                for label, pair in enumerate(
                    zip(self._gold(number), self.said.values[number], strict=True)
                )
            ),
            "labels",
            [(label, column) for label in range(len(self.data.labels)) for column in (0, 3)],
        )

    def labels(self) -> Parts:
        names = [
            tuple(n for n, there in zip(self.data.labels, row["label"], strict=True) if there)
            for row in self.rows
        ]
        return [found or (NO_LABEL,) for found in names], [*self.data.labels, NO_LABEL]


class _Numbers(_Sequences):
    metric = "mean squared error"

    def value(self, number: int) -> float:
        return float((self.said.values[number] - self.rows[number]["label"]) ** 2)

    def record(self, number: int) -> ErrorRecord:
        return ErrorRecord(
            number,
            self.text(number),
            f"{self.rows[number]['label']:.2f}",
            f"{self.said.values[number]:.2f}",
            self.loss(number),
            None,
            None,
            self.value(number),
            self.notes(number),
        )

    def _ranges(self) -> tuple[list[int], list[int], list[str]]:
        """Of each target and of each number said its range; what lies beyond is in the last one."""
        gold = np.array([row["label"] for row in self.rows], dtype=float)
        edges = np.linspace(gold.min(), gold.max(), RANGES + 1)
        if edges[0] == edges[-1]:
            return [0] * len(gold), [0] * len(gold), [f"{edges[0]:.3g}"]
        names = [f"{a:.3g} to {b:.3g}" for a, b in pairwise(edges.tolist())]
        found = (
            np.searchsorted(edges[1:-1], values, "right").tolist()
            for values in (gold, np.array(self.said.values, dtype=float))
        )
        return next(found), next(found), names

    def confusion(self) -> Confusion:
        gold, said, names = self._ranges()
        return confusion_of(names, names, zip(range(len(gold)), gold, said, strict=True))

    def labels(self) -> Parts:
        gold, _, names = self._ranges()
        return [(names[place],) for place in gold], names


class _Choices(_Judged):
    columns = ("context", "choices")

    def record(self, number: int) -> ErrorRecord:
        row, said = self.rows[number], self.said.values[number]
        logits = self.logits[number]
        probabilities = logits.softmax(-1).tolist()
        marks = {said: "said", row["label"]: "right"}
        if said == row["label"]:
            marks[said] = "said, right"
        notes = [
            f"{probability:.2f} {choice}" + (f" ({marks[place]})" if place in marks else "")
            for place, (choice, probability) in enumerate(
                zip(row["choices"], probabilities, strict=True)
            )
        ]
        return ErrorRecord(
            number,
            {"context": row["context"], "choices": list(row["choices"])},
            row["choices"][row["label"]],
            row["choices"][said],
            float(F.cross_entropy(logits[None], torch.tensor([row["label"]]))),
            probabilities[said],
            said == row["label"],
            self.value(number),
            tuple(notes),
        )

    def _names(self) -> list[str]:
        return [f"choice {place}" for place in range(len(self.rows[0]["choices"]))]

    def confusion(self) -> Confusion:
        pairs = zip((row["label"] for row in self.rows), self.said.values, strict=True)
        names = self._names()
        return confusion_of(names, names, ((i, *pair) for i, pair in enumerate(pairs)))

    def labels(self) -> Parts:
        names = self._names()
        return [(names[row["label"]],) for row in self.rows], names


class _Tagged(_Judged):
    columns = ("words",)

    def _pairs(self, number: int) -> list[tuple[int, int]]:
        """Right and said tag of each word."""
        return list(zip(self.rows[number]["tags"], self.said.values[number], strict=True))

    def _written(self, number: int, tags: Sequence[int]) -> str:
        """What the tags say, in words: the entities, or the words whose tags differ."""
        words, names = self.rows[number]["words"], [self.data.labels[tag] for tag in tags]
        if self.data.has_entities:
            from seqeval.metrics.sequence_labeling import get_entities

            found = [
                f"{' '.join(words[first : last + 1])} ({kind})"
                for kind, first, last in get_entities(names)
            ]
            return "; ".join(found) or NO_LABEL
        differ = [a != b for a, b in self._pairs(number)]
        said = [f"{w} {n}" for w, n, d in zip(words, names, differ, strict=True) if d]
        return "; ".join(said) or f"{len(words)} tags, all the same"

    def record(self, number: int) -> ErrorRecord:
        row, pairs = self.rows[number], self._pairs(number)
        example, names = self.examples[number], self.data.labels
        places = [place for place in example.places if place >= 0]
        logits = self.logits[number][places]
        labels = torch.tensor([example.label[place] for place in places], dtype=torch.long)
        # a model that read no word of it has nothing to be measured by
        loss = float(F.cross_entropy(logits, labels)) if places else 0.0
        return ErrorRecord(
            number,
            " ".join(row["words"]),
            self._written(number, [gold for gold, _ in pairs]),
            self._written(number, [said for _, said in pairs]),
            loss,
            float(logits.softmax(-1).amax(-1).min()) if places else 0.0,
            all(gold == said for gold, said in pairs),
            float(np.mean([gold == said for gold, said in pairs])),
            tuple(
                f"{word}: {names[gold]}, said {names[said]}"
                for word, (gold, said) in zip(row["words"], pairs, strict=True)
                if gold != said
            ),
        )

    def confusion(self) -> Confusion:
        names = self.data.labels
        pairs = ((i, *pair) for i in range(len(self.rows)) for pair in self._pairs(i))
        return confusion_of(names, names, pairs, "words")

    def items(self) -> Items:
        pairs = [(i, gold == said) for i in range(len(self.rows)) for gold, said in self._pairs(i)]
        rows, values = (np.array(column) for column in zip(*pairs, strict=True))
        return Items(rows, values.astype(float), rows)

    def labels(self) -> Parts:
        tags = [tag for row in self.rows for tag in row["tags"]]
        return [(self.data.labels[tag],) for tag in tags], list(self.data.labels)

    def unseen(self) -> Parts:
        seen = {word.lower() for words in self.data.train["words"] for word in words}
        words = [
            (word.lower() in seen, tag != OUTSIDE if self.data.has_entities else None)
            for row in self.rows
            for word, tag in zip(
                row["words"], (self.data.labels[tag] for tag in row["tags"]), strict=True
            )
        ]
        where = {None: "", True: "in an entity, ", False: "outside, "}
        names = [f"{where[inside]}{SEEN if known else UNSEEN}" for known, inside in words]
        return [(name,) for name in names], sorted(set(names))


class _Answers(_Judged):
    metric = "f1"
    columns = ("context", "question")

    def value(self, number: int) -> float:
        return token_f1(self.said.values[number], self.rows[number]["answers"]["text"])

    def _losses(self) -> list[float]:
        of_row: list[list[float]] = [[] for _ in self.rows]
        for example, output in zip(self.examples, self.said.logits, strict=True):
            right = zip(("start_logits", "end_logits"), example.label, strict=True)
            ends = [
                float(_cross_entropy(output[name][: example.length], place))
                for name, place in right
            ]
            of_row[example.source].append(sum(ends) / 2)
        return [float(np.mean(losses)) for losses in of_row]

    def record(self, number: int) -> ErrorRecord:
        if "losses" not in self.__dict__:
            self.losses = self._losses()
        row, said = self.rows[number], self.said.values[number]
        right = list(dict.fromkeys(row["answers"]["text"]))
        best = self.said.n_best[number]
        score = best[0]["score"] if best else 0.0
        if not said:  # the odds are those of no answer against the best one
            score = float(np.exp(self.said.no_answer[number] + np.log(max(score, 1e-30))))
        return ErrorRecord(
            number,
            {"question": row["question"], "context": row["context"]},
            " | ".join(right) or NO_ANSWER,
            said or NO_ANSWER,
            self.losses[number],
            min(1.0, score),
            bool(exact_match(said, right)),
            self.value(number),
            (row["context"],),
        )

    def _outcome(self, number: int) -> int:
        """Which of ``ANSWERS`` it is."""
        row, said = self.rows[number], self.said.values[number]
        texts, starts = row["answers"]["text"], row["answers"]["answer_start"]
        if not said:
            return 4
        if texts and exact_match(said, texts):
            return 0
        best = self.said.n_best[number][0]
        spans = [(start, start + len(text)) for text, start in zip(texts, starts, strict=True)]
        if any(best["start"] < end and best["end"] > start for start, end in spans):
            return 1
        here = _sentence(row["context"], best["start"])
        return 2 if any(here == _sentence(row["context"], s) for s, _ in spans) else 3

    def confusion(self) -> Confusion:
        return confusion_of(
            ANSWERED,
            ANSWERS,
            (
                (number, int(not row["answers"]["text"]), self._outcome(number))
                for number, row in enumerate(self.rows)
            ),
            right=[(0, 0), (1, 4)],
        )

    def labels(self) -> Parts:
        return [(ANSWERED[not row["answers"]["text"]],) for row in self.rows], list(ANSWERED)


def _sentence(context: str, place: int) -> int:
    """Which sentence of the context that place is in."""
    return len(re.findall(r"[.!?]['\"]?\s", context[:place]))


def _cross_entropy(logits: Tensor, place: int) -> Tensor:
    return F.cross_entropy(logits[None], torch.tensor([place]))
