"""Labels of tokens, and of the names or phrases that they make up."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import torch

from .base import Pipeline

STRATEGIES = ("none", "simple", "first", "max", "average")


class TokenClassification(Pipeline):
    """For each token ``{"entity", "score", "index", "word", "start", "end"}``; with an aggregation,
    for each group of tokens ``{"entity_group", "score", "word", "start", "end"}``.

    The strategies are those of transformers: ``none`` leaves tokens alone; ``simple`` joins
    neighbours of the same label; ``first``, ``max`` and ``average`` first give each word one label,
    from its first piece, its surest piece, or the mean of its pieces.
    """

    task = "token-classification"
    model_class = "ElectraForTokenClassification"

    def answer(
        self,
        inputs: list[Any],
        aggregation_strategy: str = "none",
        ignore_labels: tuple[str, ...] = ("O",),
    ) -> list[Any]:
        """Args:
            aggregation_strategy: see above.
            ignore_labels: what carries them is left out.

        Raises:
            ValueError: there is no such strategy.
        """
        if aggregation_strategy not in STRATEGIES:
            raise ValueError(
                f"aggregation_strategy is {aggregation_strategy!r}; expected one of "
                f"{', '.join(STRATEGIES)}."
            )
        rows = self.tokenize(inputs, return_offsets_mapping=True)
        answers: list[Any] = [None] * len(inputs)
        for number, row in self.run(rows):
            scores = row["logits"].softmax(-1)
            tokens = self._tokens(rows, number, self.split(inputs[number])[0])
            if aggregation_strategy in ("none", "simple"):
                entities = [self._labelled([token], scores[token["index"]]) for token in tokens]
            else:
                entities = self._words(tokens, scores, aggregation_strategy)
            if aggregation_strategy != "none":
                entities = self._groups(entities)
            key = "entity" if aggregation_strategy == "none" else "entity_group"
            answers[number] = [e for e in entities if e[key] not in ignore_labels]
        return answers

    def _tokens(self, rows: Any, number: int, text: str) -> list[dict[str, Any]]:
        """Every token that stands for text, with its place there and whether it continues a word."""
        tokens = []
        for index, (word, word_id, (start, end)) in enumerate(
            zip(
                rows.tokens(number),
                rows.word_ids(number),
                rows["offset_mapping"][number],
                strict=True,
            )
        ):
            if word_id is None:
                continue
            unknown = word == self.tokenizer.unk_token
            tokens.append(
                {
                    "index": index,
                    "word": text[start:end] if unknown else word,
                    "start": start,
                    "end": end,
                    "continues": len(word) != end - start and not unknown,
                }
            )
        return tokens

    def _labelled(self, tokens: list[dict[str, Any]], scores: torch.Tensor) -> dict[str, Any]:
        """One entity from the tokens of a word and the scores of its labels."""
        names = self.model.config.id2label or {}
        best = int(scores.argmax())
        entity = {"entity": names[best], "score": scores[best].item(), "index": tokens[0]["index"]}
        words = [token["word"] for token in tokens]
        return {
            **entity,
            "word": words[0] if len(words) == 1 else self.tokenizer.convert_tokens_to_string(words),
            "start": tokens[0]["start"],
            "end": tokens[-1]["end"],
        }

    def _words(
        self, tokens: list[dict[str, Any]], scores: torch.Tensor, strategy: str
    ) -> list[dict[str, Any]]:
        words: list[list[dict[str, Any]]] = []
        for token in tokens:
            if words and token["continues"]:
                words[-1].append(token)
            else:
                words.append([token])
        entities = []
        for word in words:
            pieces = scores[[token["index"] for token in word]]
            if strategy == "first":
                of_word = pieces[0]
            elif strategy == "max":
                of_word = pieces[int(pieces.max(-1).values.argmax())]
            else:
                of_word = pieces.mean(0)
            entities.append(self._labelled(word, of_word))
        return entities

    def _groups(self, entities: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Join neighbours of one label; B- begins a new group."""
        numbers: list[int] = []
        before = None
        for entity in entities:
            begins = entity["entity"].startswith("B-")
            label = _without_prefix(entity["entity"])
            same = before == label and not begins
            numbers.append(numbers[-1] + (not same) if numbers else 0)
            before = label
        groups = []
        for _, members in groupby(zip(numbers, entities, strict=True), key=lambda pair: pair[0]):
            group = [entity for _, entity in members]
            groups.append(
                {
                    "entity_group": _without_prefix(group[0]["entity"]),
                    "score": sum(entity["score"] for entity in group) / len(group),
                    "word": self.tokenizer.convert_tokens_to_string([e["word"] for e in group]),
                    "start": group[0]["start"],
                    "end": group[-1]["end"],
                }
            )
        return groups


def _without_prefix(label: str) -> str:
    return label[2:] if label.startswith(("B-", "I-")) else label
