"""What all pipelines share: texts are tokenised, sorted by length, run in batches, put in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import torch
from torch.nn.utils.rnn import pad_sequence

from electra_lab.model.pretrained import PreTrainedModel
from electra_lab.text.encoding import BatchEncoding
from electra_lab.text.tokenization import ElectraTokenizer, ElectraTokenizerFast

Tokenizer = ElectraTokenizer | ElectraTokenizerFast
Row = dict[str, torch.Tensor]
# below this many inputs nobody waits long enough to want a progress bar
PROGRESS_FROM = 64


class Pipeline:
    """A model and its tokenizer, called with text.

    Args:
        model: put into evaluation mode.
        tokenizer: the one that the model was trained with.
        batch_size: rows that are computed together.
        progress: show a bar; None shows one from 64 inputs on.

    Attributes:
        task: how ``pipeline(...)`` calls it.
        model_class: the name of the class of model it needs.
        answer: what a subclass defines: one answer for each of a list of inputs, in their order; its
            further arguments are the options of a call.
    """

    task: ClassVar[str]
    model_class: ClassVar[str]
    answer: Callable[..., list[Any]]

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: Tokenizer,
        batch_size: int = 32,
        progress: bool | None = None,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; it must be 1 or more.")
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.batch_size = batch_size
        self.progress = progress

    def __call__(self, inputs: Any, **options: Any) -> Any:
        """The answer to one input, or a list of answers to a list of inputs."""
        if isinstance(inputs, list):
            return self.answer(inputs, **options)
        return self.answer([inputs], **options)[0]

    @property
    def longest(self) -> int:
        """Tokens that fit into the model."""
        return self.model.config.max_position_embeddings

    def tokenize(self, texts: Sequence[Any], **options: Any) -> BatchEncoding:
        """Rows of different lengths, cut to what fits into the model."""
        firsts, seconds = zip(*(self.split(text) for text in texts), strict=True)
        pairs = None
        if any(second is not None for second in seconds):
            if any(second is None for second in seconds):
                raise ValueError("Some inputs are pairs and some are not; give one kind at a time.")
            pairs = list(seconds)
        options = {"truncation": True, "max_length": self.longest, **options}
        return self.tokenizer(list(firsts), pairs, **options)

    def split(self, text: Any) -> tuple[str, str | None]:
        """A text and its partner: a string, a pair, or a dictionary with text and text_pair.

        Raises:
            TypeError: it is none of these.
        """
        if isinstance(text, str):
            return text, None
        if isinstance(text, dict) and isinstance(text.get("text"), str):
            return text["text"], text.get("text_pair")
        if isinstance(text, tuple) and len(text) == 2:
            return text
        raise TypeError(
            f"The {self.task} pipeline takes a text, a (text, text) pair or a dictionary with text "
            f"and text_pair; got {text!r:.80}."
        )

    @torch.no_grad()
    def run(self, rows: BatchEncoding) -> Iterator[tuple[int, Row]]:
        """The model's output for each row, as (number of the row, its tensors by name).

        Rows of like length are computed together, so that little padding is; they come in that
        order. The output's axis of tokens is as long as the row.
        """
        lengths = [len(ids) for ids in rows["input_ids"]]
        order = sorted(range(len(lengths)), key=lengths.__getitem__)
        names = ("input_ids", "attention_mask", "token_type_ids")
        for start in self._shown(range(0, len(order), self.batch_size), len(order)):
            numbers = order[start : start + self.batch_size]
            batch = {
                name: pad_sequence(
                    [torch.tensor(rows[name][i]) for i in numbers],
                    batch_first=True,
                    padding_value=self.tokenizer.pad_token_id if name == "input_ids" else 0,
                ).to(self.model.device)
                for name in names
            }
            if lengths[numbers[0]] == lengths[numbers[-1]]:
                del batch["attention_mask"]  # without padding attention takes a faster path
            output = self.model(**batch, return_dict=True)
            for place, number in enumerate(numbers):
                yield number, _row(output, place, lengths[number], batch["input_ids"].shape[1])

    def _shown(self, steps: range, total: int) -> Any:
        from tqdm.auto import tqdm

        shown = total >= PROGRESS_FROM if self.progress is None else self.progress
        return tqdm(steps, disable=not shown, desc=self.task, unit="batch")


def _row(output: Any, place: int, length: int, padded: int) -> Row:
    """One row of a batch's output, on the CPU, in float32, without the padding."""
    row = {}
    for name, value in output.items():
        if isinstance(value, torch.Tensor) and value.dim():
            tensor = value[place].float().cpu()
            per_token = value.dim() > 1 and value.shape[1] == padded
            row[name] = tensor[:length] if per_token else tensor
    return row
