"""How much memory a trace takes, known before anything is computed."""

from __future__ import annotations

from typing import Any

from electra_lab.model.electra import ElectraModel, bare_model

from .inputs import Inputs, prepare
from .outcome import Kind, kind_of

# A trace above this is refused unless more is allowed: what a notebook in 2 GB can still hold beside a
# model.
MAX_BYTES = 500_000_000


def estimated_bytes(model: Any, inputs: Any, *, tokenizer: Any = None) -> int:
    """The bytes of all tensors that ``trace(model, inputs)`` would keep, without attributions.

    Attention grows with the square of the length; the logits of a generator with its vocabulary.

    Args:
        model, inputs, tokenizer: see ``trace``.

    Raises:
        ValueError: as ``trace``.
    """
    from .live import own_model

    own = own_model(model)
    kind = kind_of(own)
    return bytes_of(own, kind, prepare(own, kind, inputs, tokenizer))


def bytes_of(model: Any, kind: Kind, inputs: Inputs) -> int:
    """The same for inputs that are prepared."""
    bare: ElectraModel = bare_model(model)
    config = model.config
    rows, seq = inputs.shape
    size = max(4, bare.dtype.itemsize)  # half precision is kept as float32
    per_token = 2 * config.embedding_size + config.hidden_size
    for layer in bare.encoder.layers:
        attention = layer.get_submodule("attention")
        heads = int(attention.heads)  # type: ignore[arg-type]
        matrices = 1 if attention.relative_positions is None else 2
        per_token += 4 * heads * config.head_size + 2 * config.hidden_size
        per_token += matrices * heads * seq
    numbers = rows * seq * per_token + _logits(kind, config, rows, seq)
    ids = 8 * rows * seq * (2 if "input_ids" in inputs.tensors else 1)  # and segments
    return size * numbers + ids + rows * seq  # and the mask


def _logits(kind: Kind, config: Any, rows: int, seq: int) -> int:
    """How many numbers the head returns."""
    per_row = {
        "states": 0,
        "replaced": seq,
        "words": seq * config.vocab_size,
        "tags": seq * config.num_labels,
        "span": 2 * seq,
        "choices": 1,
    }
    return int(rows * per_row.get(kind, config.num_labels))


def check_size(model: Any, kind: Kind, inputs: Inputs, max_bytes: int) -> None:
    """Refuse a trace that would be too large.

    Raises:
        MemoryError: it would take more than ``max_bytes``.
    """
    needed = bytes_of(model, kind, inputs)
    if needed > max_bytes:
        rows, seq = inputs.shape
        raise MemoryError(
            f"This trace would take {needed / 1e6:,.0f} MB ({rows} rows of {seq} tokens, "
            f"{model.config.num_hidden_layers} layers); the limit is {max_bytes / 1e6:,.0f} MB. Trace "
            f"fewer or shorter texts, or allow more: max_bytes={needed}."
        )
