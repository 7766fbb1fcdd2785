"""Words one by one: what fits behind [MASK], what was replaced, and the states themselves."""

from __future__ import annotations

from typing import Any

from .base import Pipeline, Row


class FillMask(Pipeline):
    """The generator's proposals: ``[{"score", "token", "token_str", "sequence"}, ...]``, best first.

    A text with several [MASK] gives such a list for each of them.
    """

    task = "fill-mask"
    model_class = "ElectraForMaskedLM"

    def answer(
        self, inputs: list[Any], top_k: int = 5, targets: str | list[str] | None = None
    ) -> list[Any]:
        """Args:
            top_k: number of proposals.
            targets: rank only these words, each a single piece of the vocabulary.

        Raises:
            ValueError: a text has no [MASK], or a target is no piece.
        """
        rows = self.tokenize(inputs)
        allowed = None if targets is None else self._ids_of(targets)
        answers: list[Any] = [None] * len(inputs)
        for number, row in self.run(rows):
            ids = rows["input_ids"][number]
            masks = [i for i, token in enumerate(ids) if token == self.tokenizer.mask_token_id]
            if not masks:
                raise ValueError(
                    f"There is no {self.tokenizer.mask_token} in {inputs[number]!r:.80}. Put it where "
                    "a word is to be proposed."
                )
            lists = [self._proposals(ids, i, row, top_k, allowed, len(masks) == 1) for i in masks]
            answers[number] = lists[0] if len(masks) == 1 else lists
        return answers

    def _proposals(
        self,
        ids: list[int],
        place: int,
        row: Row,
        top_k: int,
        allowed: list[int] | None,
        single: bool,
    ) -> list[dict[str, Any]]:
        probabilities = row["logits"][place].softmax(-1)
        candidates = range(len(probabilities)) if allowed is None else allowed
        scores = probabilities[list(candidates)]
        best = scores.topk(min(top_k, len(scores)))
        proposals = []
        for score, index in zip(best.values.tolist(), best.indices.tolist(), strict=True):
            token = candidates[index]
            filled = [*ids[:place], token, *ids[place + 1 :]]
            proposals.append(
                {
                    "score": score,
                    "token": token,
                    "token_str": self.tokenizer.decode([token]),
                    # with several masks the others must stay to be seen
                    "sequence": self.tokenizer.decode(filled, skip_special_tokens=single),
                }
            )
        return proposals

    def _ids_of(self, targets: str | list[str]) -> list[int]:
        words = [targets] if isinstance(targets, str) else targets
        vocabulary = self.tokenizer.get_vocab()
        unknown = [word for word in words if word not in vocabulary]
        if unknown or not words:
            raise ValueError(
                f"targets must be pieces of the vocabulary; {unknown or 'none'} given. Look at "
                "tokenizer.tokenize(word) for the pieces of a word."
            )
        return sorted({vocabulary[word] for word in words})


class ReplacedTokenDetection(Pipeline):
    """The discriminator's verdict: for each token ``{"word", "score", "start", "end", "replaced"}``.

    The score is the probability that the token was replaced.
    """

    task = "replaced-token-detection"
    model_class = "ElectraForPreTraining"

    def answer(self, inputs: list[Any], threshold: float = 0.5) -> list[Any]:
        """Args:
        threshold: from this score on a token counts as replaced.
        """
        rows = self.tokenize(inputs, return_offsets_mapping=True, return_special_tokens_mask=True)
        answers: list[Any] = [None] * len(inputs)
        for number, row in self.run(rows):
            scores = row["logits"].sigmoid().tolist()
            answers[number] = [
                {
                    "word": word,
                    "score": score,
                    "start": start,
                    "end": end,
                    "replaced": score >= threshold,
                }
                for word, score, (start, end), special in zip(
                    rows.tokens(number),
                    scores,
                    rows["offset_mapping"][number],
                    rows["special_tokens_mask"][number],
                    strict=True,
                )
                if not special
            ]
        return answers


class FeatureExtraction(Pipeline):
    """The last hidden states, as nested lists of shape (1, tokens, hidden_size)."""

    task = "feature-extraction"
    model_class = "ElectraModel"

    def answer(self, inputs: list[Any], return_tensors: bool = False) -> list[Any]:
        """Args:
        return_tensors: tensors instead of lists.
        """
        answers: list[Any] = [None] * len(inputs)
        for number, row in self.run(self.tokenize(inputs)):
            states = row["last_hidden_state"][None]
            answers[number] = states if return_tensors else states.tolist()
        return answers
