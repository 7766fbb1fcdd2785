"""Answers to questions, as spans of a text that may be longer than the model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from electra_lab.text.encoding import BatchEncoding

from .base import Pipeline, Row, Tokenizer

SPECIAL_TOKENS = 3  # [CLS] question [SEP] context [SEP]
FEWEST_OF_CONTEXT = 2


class QuestionAnswering(Pipeline):
    """``{"score", "start", "end", "answer"}`` for a question and a context; a list of them where
    ``top_k`` is above 1.

    The input is a dictionary with ``question`` and ``context``. A long context is read in windows
    that overlap. A span's score is the product of the probabilities of its start and its end, each
    over all tokens of the window (so scores of different windows are compared as they are).
    """

    task = "question-answering"
    model_class = "ElectraForQuestionAnswering"

    def __call__(self, inputs: Any = None, **options: Any) -> Any:
        """Also takes ``question=...`` and ``context=...`` instead of a dictionary: two texts, two
        lists of them, or a list of questions about one context.

        Raises:
            ValueError: the lists are of different lengths.
        """
        if inputs is None:
            inputs = _as_inputs(options.pop("question", None), options.pop("context", None))
        return super().__call__(inputs, **options)

    def answer(
        self,
        inputs: list[Any],
        top_k: int = 1,
        max_answer_len: int = 15,
        doc_stride: int | None = None,
        max_seq_len: int = 384,
        max_question_len: int | None = None,
        handle_impossible_answer: bool = False,
        align_to_words: bool = True,
    ) -> list[Any]:
        """Args:
            top_k: number of answers.
            max_answer_len: longest answer, in tokens.
            doc_stride: tokens that two windows share. Default: half a window, at most 128. Where a
                window holds no more than that of the context, they share half of what it holds.
            max_seq_len: tokens of a window with its question; at most what the model has positions
                for.
            max_question_len: tokens of a question; a longer one is cut. Default: 64, or half a window
                where so many leave no room for the context.
            handle_impossible_answer: also offer the empty answer, scored by [CLS].
            align_to_words: an answer begins and ends with whole words.

        Raises:
            ValueError: an input has no question or no context, or a number is out of its range.
        """
        if top_k < 1 or max_answer_len < 1:
            raise ValueError(
                f"top_k is {top_k} and max_answer_len {max_answer_len}; both must be 1 or more."
            )
        results = []
        for one in inputs:
            question, context = self._parts(one)
            rows = question_windows(
                self.tokenizer,
                question,
                context,
                min(max_seq_len, self.longest),
                max_question_len=max_question_len,
                doc_stride=doc_stride,
            )
            spans, empty = spans_of(
                rows,
                self.run(rows),
                context,
                top_k=top_k,
                max_answer_len=max_answer_len,
                align_to_words=align_to_words,
            )
            if handle_impossible_answer:
                spans.append({"score": empty, "start": 0, "end": 0, "answer": ""})
            ranked = without_repeats(sorted(spans, key=lambda span: -span["score"]))[:top_k]
            results.append(ranked[0] if top_k == 1 else ranked)
        return results

    def _parts(self, one: Any) -> tuple[str, str]:
        question, context = (
            (one.get("question"), one.get("context")) if isinstance(one, dict) else (None, None)
        )
        for part in (question, context):
            if not isinstance(part, str) or not part.strip():
                raise ValueError(
                    "The question-answering pipeline takes {'question': text, 'context': text}, "
                    f"neither empty; got {one!r:.80}."
                )
        return str(question), str(context)


def question_windows(
    tokenizer: Tokenizer,
    question: str,
    context: str,
    longest: int,
    *,
    max_question_len: int | None = None,
    doc_stride: int | None = None,
) -> BatchEncoding:
    """A question with its context, as a row for each window of the context.

    Args:
        longest: tokens of a row.
        max_question_len, doc_stride: see ``QuestionAnswering.answer``.

    Raises:
        ValueError: the question leaves no room for the context.
    """
    doc_stride = min(longest // 2, 128) if doc_stride is None else doc_stride
    pieces = tokenizer(question, add_special_tokens=False, return_offsets_mapping=True)[
        "offset_mapping"
    ]
    if max_question_len is None:
        needs = min(len(pieces), 64) + SPECIAL_TOKENS + FEWEST_OF_CONTEXT
        max_question_len = 64 if needs <= longest else longest // 2
    if len(pieces) > max_question_len:
        question = question[: pieces[max_question_len - 1][1]]
    room = longest - min(len(pieces), max_question_len) - SPECIAL_TOKENS
    if room < FEWEST_OF_CONTEXT:
        raise ValueError(
            f"A question of {min(len(pieces), max_question_len)} tokens leaves no room for the "
            f"context in {longest} tokens. Lower max_question_len."
        )
    return tokenizer(
        [question],
        [context],
        truncation="only_second",
        max_length=longest,
        stride=doc_stride if doc_stride < room else room // 2,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )


def spans_of(
    rows: BatchEncoding,
    outputs: Iterable[tuple[int, Row]],
    context: str,
    *,
    top_k: int,
    max_answer_len: int,
    align_to_words: bool = True,
) -> tuple[list[dict[str, Any]], float]:
    """The best answers of each window, in any order, and the probability that there is none.

    Args:
        rows: as ``question_windows`` makes them.
        outputs: number of a window, and its ``start_logits`` and ``end_logits``.
        context: where the answers are.
        top_k: of each window.
        max_answer_len, align_to_words: see ``QuestionAnswering.answer``.

    Returns:
        Answers as ``QuestionAnswering`` gives them; and the least that any window gives to [CLS].
    """
    spans = []
    empty = 1.0
    for number, row in outputs:
        inside = [side == 1 for side in rows.sequence_ids(number)]
        start, end = end_probabilities(row, inside)
        empty = min(empty, (start[0] * end[0]).item())
        for score, first, last in best_spans(start, end, top_k, max_answer_len):
            begin, stop = _place(rows, number, first, last, align_to_words)
            answer = context[begin:stop]
            spans.append({"score": score, "start": begin, "end": stop, "answer": answer})
    return spans, empty


def _place(
    rows: BatchEncoding, number: int, first: int, last: int, whole_words: bool
) -> tuple[int, int]:
    """Characters of the context from the first to the last token of an answer."""
    offsets = rows["offset_mapping"][number]
    if whole_words:
        words = rows.word_ids(number)
        sides = rows.sequence_ids(number)
        of_context = [i for i, side in enumerate(sides) if side == 1]
        first = min(i for i in of_context if words[i] == words[first])
        last = max(i for i in of_context if words[i] == words[last])
    return offsets[first][0], offsets[last][1]


def _as_inputs(question: Any, context: Any) -> Any:
    """Questions and contexts, each a text or a list of texts, as the dictionaries of a call."""
    if not isinstance(question, list):
        return {"question": question, "context": context}
    contexts = context if isinstance(context, list) else [context] * len(question)
    if len(question) != len(contexts):
        raise ValueError(
            f"There are {len(question)} questions and {len(contexts)} contexts; give a context for "
            "each question, or one for all."
        )
    return [{"question": q, "context": c} for q, c in zip(question, contexts, strict=True)]


def end_probabilities(row: Row, inside: list[bool]) -> tuple[torch.Tensor, torch.Tensor]:
    """Of each token being the start, and the end; over the context and [CLS], which stands for "no
    answer"; zero elsewhere."""
    allowed = torch.tensor(inside)
    allowed[0] = True
    start, end = (
        row[name].masked_fill(~allowed, -torch.inf).softmax(-1)
        for name in ("start_logits", "end_logits")
    )
    return start, end


def best_spans(
    start: torch.Tensor, end: torch.Tensor, top_k: int, max_answer_len: int
) -> list[tuple[float, int, int]]:
    """The likeliest (score, first, last) with first <= last and not too long, without [CLS]."""
    scores = torch.outer(start, end).triu().tril(max_answer_len - 1)
    scores[0] = 0
    best = scores.flatten().topk(min(top_k, scores.numel()))
    return [
        (score, index // len(end), index % len(end))
        for score, index in zip(best.values.tolist(), best.indices.tolist(), strict=True)
        if score > 0
    ]


def without_repeats(spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Overlapping windows find the same span twice; the first, better one stays."""
    seen = set()
    kept = []
    for span in spans:
        place = (span["start"], span["end"])
        if place not in seen:
            seen.add(place)
            kept.append(span)
    return kept
