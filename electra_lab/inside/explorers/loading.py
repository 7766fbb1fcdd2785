"""A model and its tokenizer from whatever a person has: a model, a folder, a name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from electra_lab.checkpoints.store import load_config, resolve_folder
from electra_lab.inside.trace.live import CLASSES
from electra_lab.text.tokenization import ElectraTokenizerFast


def model_and_tokenizer(model: Any, tokenizer: Any = None) -> tuple[Any, Any]:
    """Load what was named; what was given already stays as it is.

    Args:
        model: a model of this package or of transformers; or a folder, a bundled name or a hub id,
            whose head is the one that its ``config.json`` names in ``architectures``.
        tokenizer: a tokenizer, or where one lies; by default the one beside the model.

    Raises:
        FileNotFoundError: there is no such checkpoint.
        ValueError: its configuration names no head that there is; or a model was given without a
            tokenizer.
    """
    if not isinstance(model, str | Path):
        if tokenizer is None:
            raise ValueError("A model that is handed in needs its tokenizer: pass tokenizer=...")
        return model, _tokenizer(tokenizer)
    folder = resolve_folder(model, weights=True, tokenizer=tokenizer is None)
    names = load_config(folder).extra.get("architectures") or []
    known = [name for name in names if name in CLASSES]
    if not known:
        raise ValueError(
            f"The config.json of {str(model)!r} names {', '.join(names) or 'no class'} in "
            f"architectures; expected one of {', '.join(CLASSES)}. Load the model with the class that "
            "it was trained with, and pass it instead."
        )
    return CLASSES[known[0]].from_pretrained(folder), _tokenizer(tokenizer or folder)


def _tokenizer(tokenizer: Any) -> Any:
    if isinstance(tokenizer, str | Path):
        return ElectraTokenizerFast.from_pretrained(tokenizer)
    return tokenizer
