"""Which heads matter: what happens to the loss without each (Michel et al. 2019, section 3.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from electra_lab.inside.trace.live import own_model
from electra_lab.inside.trace.recorder import undisturbed
from electra_lab.model.electra import bare_model


@torch.no_grad()
def head_importance(
    model: Any, batches: Sequence[Mapping[str, Tensor]]
) -> Float[Tensor, "layers heads"]:
    """How much larger the loss is with each head switched off, one at a time.

    Above 0: the model is worse without the head. About 0: others do its work, or nobody needs it; two
    heads that stand in for each other both look useless here. Below 0: it does harm on these data.

    Args:
        model: an ELECTRA with a head, of this package or of transformers.
        batches: inputs with ``labels`` (or ``start_positions`` and ``end_positions``), as the model
            takes them. Each batch counts by its number of rows. There is a forward pass over all of
            them for each head and one more.

    Raises:
        ValueError: there are no batches, or the model gives no loss for them.
    """
    own = own_model(model)
    if not batches:
        raise ValueError("There are no batches; give at least one, with labels.")
    moved = [{name: value.to(own.device) for name, value in one.items()} for one in batches]
    layers = bare_model(own).encoder.layers
    heads = [int(layer.get_submodule("attention").heads) for layer in layers]  # type: ignore[arg-type]
    with undisturbed(own):
        all_on = torch.ones(len(heads), heads[0], device=own.device)
        reference = _loss(own, moved, all_on)
        importance = torch.zeros(len(heads), heads[0])
        for layer in range(len(heads)):
            for head in range(heads[layer]):
                without = all_on.clone()
                without[layer, head] = 0
                importance[layer, head] = _loss(own, moved, without) - reference
    return importance


def _loss(model: Any, batches: Sequence[Mapping[str, Tensor]], head_mask: Tensor) -> float:
    total, rows = 0.0, 0
    for batch in batches:
        loss = model(**batch, head_mask=head_mask, return_dict=True).loss
        if loss is None:
            raise ValueError(
                f"{type(model).__name__} gives no loss for a batch with {', '.join(batch)}. Add labels "
                "(for question answering start_positions and end_positions)."
            )
        size = len(next(iter(batch.values())))
        total += float(loss) * size
        rows += size
    return total / rows
