"""In which numbers a step is computed."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

PRECISIONS = ("auto", "float32", "bfloat16")


def autocast(precision: str, device: torch.device | str) -> AbstractContextManager[Any]:
    """The context that a forward pass is computed in.

    In ``bfloat16`` matrix products are computed in 16 bits, and what needs more (losses, softmax,
    LayerNorm) in 32; weights, gradients and the optimiser stay in 32 bits, and no loss has to be scaled,
    because the range is that of float32 (PyTorch's automatic mixed precision). A GPU is several times
    faster so; a processor without instructions for it is slower.

    Args:
        precision: ``"float32"``, ``"bfloat16"``, or ``"auto"``: bfloat16 on a GPU that computes in it.
        device: where it is computed.

    Raises:
        ValueError: there is no such precision.
    """
    if precision not in PRECISIONS:
        raise ValueError(
            f"There is no precision {precision!r}; use {' or '.join(map(repr, PRECISIONS))}."
        )
    kind = torch.device(device).type
    if precision == "auto":
        precision = "bfloat16" if kind == "cuda" and torch.cuda.is_bf16_supported() else "float32"
    return torch.autocast(kind, torch.bfloat16) if precision == "bfloat16" else nullcontext()
