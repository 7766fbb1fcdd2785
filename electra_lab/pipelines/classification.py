"""Classes of whole texts, and choices between continuations."""

from __future__ import annotations

from typing import Any

import torch

from .base import Pipeline

FUNCTIONS = ("softmax", "sigmoid", "none")


class TextClassification(Pipeline):
    """``[{"label": ..., "score": ...}]`` for a text, a pair, or a dictionary of text and text_pair."""

    task = "text-classification"
    model_class = "ElectraForSequenceClassification"

    def __call__(self, inputs: Any, **options: Any) -> Any:
        """As transformers has it: a single text without ``top_k`` gives a list of one answer."""
        answer = super().__call__(inputs, **options)
        return [answer] if isinstance(answer, dict) else answer

    def answer(
        self,
        inputs: list[Any],
        top_k: int | str | None = "best",
        function_to_apply: str | None = None,
    ) -> list[Any]:
        """Args:
        top_k: so many of the best classes as a list, None for all; by default the best alone.
        function_to_apply: ``softmax``, ``sigmoid`` or ``none``. Default: by the model's
            ``problem_type``, see ``scores``.
        """
        answers: list[Any] = [None] * len(inputs)
        names = self.model.config.id2label or {}
        for number, row in self.run(self.tokenize(inputs)):
            scores = self.scores(row["logits"], function_to_apply)
            order = scores.argsort(descending=True, stable=True).tolist()
            ranked = [{"label": names[i], "score": scores[i].item()} for i in order]
            answers[number] = ranked[0] if top_k == "best" else ranked[: _count(top_k)]
        return answers

    def scores(self, logits: torch.Tensor, function: str | None) -> torch.Tensor:
        """Regression: the logit; several labels, or a single one: sigmoid; otherwise softmax.

        Raises:
            ValueError: there is no such function.
        """
        config = self.model.config
        if function is None:
            if config.problem_type == "regression":
                function = "none"
            elif config.problem_type == "multi_label_classification" or config.num_labels == 1:
                function = "sigmoid"
            else:
                function = "softmax"
        if function not in FUNCTIONS:
            raise ValueError(
                f"function_to_apply is {function!r}; expected one of {', '.join(FUNCTIONS)}."
            )
        if function == "softmax":
            return logits.softmax(-1)
        return logits.sigmoid() if function == "sigmoid" else logits


def _count(top_k: int | str | None) -> int | None:
    if top_k is None or (isinstance(top_k, int) and top_k > 0):
        return top_k
    raise ValueError(
        f"top_k is {top_k!r}; expected a number of 1 or more, or None for all classes."
    )


class MultipleChoice(Pipeline):
    """``{"choice": ..., "index": ..., "score": ..., "scores": [...]}`` for a context and its choices.

    The input is a dictionary with ``context`` and ``choices``; each choice is read together with the
    context, as a pair.
    """

    task = "multiple-choice"
    model_class = "ElectraForMultipleChoice"

    def answer(self, inputs: list[Any], **options: Any) -> list[Any]:
        """Scores are probabilities over the choices of one input.

        Raises:
            ValueError: an input has no context or no choices.
        """
        return [self._choose(one) for one in inputs]

    @torch.no_grad()
    def _choose(self, one: Any) -> dict[str, Any]:
        context, choices = (
            (one.get("context"), one.get("choices"))
            if isinstance(one, dict)
            else (
                None,
                None,
            )
        )
        if not isinstance(context, str) or not choices:
            raise ValueError(
                f"The multiple-choice pipeline takes {{'context': text, 'choices': [text, ...]}}; got "
                f"{one!r:.80}."
            )
        rows = self.tokenize([(context, choice) for choice in choices], padding=True)
        batch = {
            name: torch.tensor(rows[name])[None].to(self.model.device)
            for name in ("input_ids", "attention_mask", "token_type_ids")
        }
        scores = self.model(**batch, return_dict=True).logits[0].float().softmax(-1).tolist()
        best = max(range(len(scores)), key=scores.__getitem__)
        return {"choice": choices[best], "index": best, "score": scores[best], "scores": scores}
