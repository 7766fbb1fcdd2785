"""What a head says: which kind of outcome it has, by what names, and its logits as probabilities."""

from __future__ import annotations

from typing import Any, Literal, get_args

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Kind = Literal[
    "states",  # the bare model: no outcome
    "replaced",  # for each token, whether it was replaced
    "words",  # for each token, a distribution over the vocabulary
    "classes",  # one class of several for a sequence
    "several classes",  # each class on its own, yes or no
    "number",  # regression
    "tags",  # one label of several for each token
    "span",  # where an answer starts and where it ends
    "choices",  # one of the sequences that belong together
]
KINDS: tuple[str, ...] = get_args(Kind)
PER_TOKEN = ("replaced", "words", "tags", "span")

# Of every kind: see ``Trace.logits``.
Logits = Float[Tensor, "..."]


def kind_of(model: Any) -> Kind:
    """The kind of outcome of a model of this package.

    For sequence classification it follows ``config.problem_type`` as the pipelines do: a single label
    without a problem type is a yes or no.
    """
    from electra_lab.model import causal_lm, heads, task_heads

    if isinstance(model, heads.ElectraForPreTraining):
        return "replaced"
    if isinstance(model, heads.ElectraForMaskedLM | causal_lm.ElectraForCausalLM):
        return "words"
    if isinstance(model, task_heads.ElectraForSequenceClassification):
        if model.config.problem_type == "regression":
            return "number"
        if (
            model.config.problem_type == "multi_label_classification"
            or model.config.num_labels == 1
        ):
            return "several classes"
        return "classes"
    if isinstance(model, task_heads.ElectraForTokenClassification):
        return "tags"
    if isinstance(model, task_heads.ElectraForQuestionAnswering):
        return "span"
    if isinstance(model, task_heads.ElectraForMultipleChoice):
        return "choices"
    return "states"


def labels_of(kind: Kind, config: Any, tokenizer: Any, choices: int | None) -> tuple[str, ...]:
    """The names of what is scored, in the order of the logits' last axis.

    Pieces of the vocabulary need a tokenizer; without one they are their ids. A bare model has none.
    """
    if kind == "states":
        return ()
    if kind == "replaced":
        return ("replaced",)
    if kind == "span":
        return ("start", "end")
    if kind == "choices":
        return tuple(f"choice {number}" for number in range(choices or 0))
    if kind == "words":
        if tokenizer is None:
            return tuple(str(number) for number in range(config.vocab_size))
        known = min(config.vocab_size, len(tokenizer))
        pieces = tokenizer.convert_ids_to_tokens(list(range(known)))
        return (*pieces, *(str(number) for number in range(known, config.vocab_size)))
    return tuple(config.id2label[number] for number in range(config.num_labels))


def logits_of(kind: Kind, output: Any) -> Logits | None:
    """A model output's logits as one tensor: those of start and end side by side, none of a bare
    model."""
    if kind == "states":
        return None
    if kind == "span":
        return torch.stack([output.start_logits, output.end_logits], dim=-1)
    logits: Tensor = output.logits
    return logits


def probabilities_of(
    kind: Kind, logits: Logits, mask: Bool[Tensor, "batch seq"]
) -> Float[Tensor, "..."]:
    """Logits as probabilities, of the same shape.

    Sigmoid for replaced tokens and for several labels; softmax over the labels for classes, tags,
    words and choices, and over the tokens that are not padding for start and end. A regression's
    number stays what it is.
    """
    if kind == "number":
        return logits
    if kind in ("replaced", "several classes"):
        return logits.sigmoid()
    if kind == "span":
        return logits.masked_fill(~mask[:, :, None], -torch.inf).softmax(1)
    return logits.softmax(-1)
