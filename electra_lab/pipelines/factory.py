"""One name for a task, one call for its pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

import electra_lab
from electra_lab.devices import default_device
from electra_lab.model.pretrained import PreTrainedModel
from electra_lab.text.tokenization import ElectraTokenizer, ElectraTokenizerFast

from .answers import QuestionAnswering
from .base import Pipeline, Tokenizer
from .classification import MultipleChoice, TextClassification
from .generation import TextGeneration
from .tagging import TokenClassification
from .words import FeatureExtraction, FillMask, ReplacedTokenDetection

TASKS: dict[str, type[Pipeline]] = {
    kind.task: kind
    for kind in (
        TextClassification,
        TokenClassification,
        QuestionAnswering,
        FillMask,
        MultipleChoice,
        ReplacedTokenDetection,
        FeatureExtraction,
        TextGeneration,
    )
}
# tasks of pre-training need no checkpoint of one's own
BUNDLED = {
    "fill-mask": "micro-generator",
    "replaced-token-detection": "micro-discriminator",
    "feature-extraction": "micro-discriminator",
}


def pipeline(
    task: str,
    model: str | Path | PreTrainedModel | None = None,
    tokenizer: str | Path | Tokenizer | None = None,
    *,
    device: int | str | torch.device | None = None,
    dtype: torch.dtype | str | None = None,
    torch_dtype: torch.dtype | str | None = None,
    batch_size: int = 32,
    progress: bool | None = None,
    **arguments: Any,
) -> Pipeline:
    """A model and its tokenizer, ready to be called with text.

    Args:
        task: one of ``TASKS``.
        model: a bundled name, a folder, a hub id, or a model. Tasks of pre-training default to the
            bundled micro pair.
        tokenizer: the same for the tokenizer; by default the one beside the model.
        device: where to compute; a number is that CUDA device, -1 the CPU. Default:
            ``default_device()``, or where a given model is.
        dtype: see ``from_pretrained``; ``torch_dtype`` is its older name.
        batch_size, progress: see ``Pipeline``.
        arguments: further ones of ``from_pretrained``.

    Raises:
        ValueError: there is no such task, or model or tokenizer are missing.
    """
    if task not in TASKS:
        raise ValueError(f"There is no task {task!r}. There are {', '.join(TASKS)}.")
    kind = TASKS[task]
    if model is None:
        if task not in BUNDLED:
            raise ValueError(
                f"The task {task} needs a model that was fine-tuned for it: pass a folder or a name on "
                "the hub as model=..."
            )
        model = BUNDLED[task]
    if isinstance(model, PreTrainedModel):
        if tokenizer is None:
            raise ValueError("A model that is handed in needs its tokenizer: pass tokenizer=...")
        loaded = model
        place = model.device if device is None else _as_device(device)
    else:
        cls = getattr(electra_lab, kind.model_class)
        if kind.model_class == "ElectraForCausalLM":
            arguments.setdefault("is_decoder", True)
        loaded = cls.from_pretrained(model, dtype=dtype, torch_dtype=torch_dtype, **arguments)
        place = default_device() if device is None else _as_device(device)
    return kind(
        loaded.to(place), _tokenizer(tokenizer or model), batch_size=batch_size, progress=progress
    )


def _tokenizer(source: Any) -> Tokenizer:
    if isinstance(source, ElectraTokenizer | ElectraTokenizerFast):
        return source
    return ElectraTokenizerFast.from_pretrained(source)


def _as_device(device: int | str | torch.device) -> torch.device:
    if isinstance(device, int):
        return torch.device("cpu" if device < 0 else f"cuda:{device}")
    return torch.device(device)
