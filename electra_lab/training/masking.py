"""Dynamic masking: which positions a step is about, and what the generator sees there.

A selection is a flat tensor of positions in the flattened batch: position ``row * seq + column``. So
only what is selected is ever computed, whatever the number of selected tokens in each row.
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from jaxtyping import Bool, Int
from torch import Tensor


def selectable_positions(
    input_ids: Int[Tensor, "batch seq"],
    special_ids: Collection[int],
    attention_mask: Int[Tensor, "batch seq"] | None = None,
) -> Bool[Tensor, "batch seq"]:
    """True where a token may be selected: attended, and no special token.

    Args:
        special_ids: ids of [CLS], [SEP], [MASK], [PAD] and their like.
        attention_mask: 1 for tokens, 0 for padding; None: no padding.
    """
    specials = torch.tensor(sorted(special_ids), device=input_ids.device)
    selectable = ~torch.isin(input_ids, specials)
    if attention_mask is not None:
        selectable &= attention_mask.bool()
    return selectable


def number_to_select(
    lengths: Int[Tensor, " batch"], probability: float, most: int | None
) -> Int[Tensor, " batch"]:
    """max(1, min(most, round(probability * length))) for each row.

    Rounds half to even, as TensorFlow and PyTorch do (google-research/electra, pretrain_helpers.py).
    """
    number = torch.round(lengths * probability).long()
    return number.clamp(min=1, max=most)


def most_to_select(max_length: int, probability: float) -> int:
    """The cap on selected positions of a row of ``max_length`` tokens, 19 for 128 tokens and 15%
    (google-research/electra, configure_pretraining.py)."""
    return int((probability + 0.005) * max_length)


def select_positions(
    input_ids: Int[Tensor, "batch seq"],
    special_ids: Collection[int],
    attention_mask: Int[Tensor, "batch seq"] | None = None,
    *,
    probability: float = 0.15,
    most: int | None = None,
    with_replacement: bool = False,
    generator: torch.Generator | None = None,
) -> Int[Tensor, " selected"]:
    """Draw the positions of this step, uniformly among the tokens that are not special.

    Args:
        special_ids: never selected.
        attention_mask: 1 for tokens, 0 for padding; None: no padding.
        probability: share of a row's tokens, [CLS] and [SEP] counted (paper, section 2: .15; the
            large models take .25).
        most: cap on the number of a row; see ``most_to_select``. None: no cap.
        with_replacement: draw with replacement, as google-research/electra does (a position may then
            occur twice). By default a position occurs once.
        generator: source of randomness.

    Returns:
        Flat positions, row after row. A row that has fewer selectable tokens than it should give
        gives all of them; a row that has none gives none.

    Raises:
        ValueError: ``probability`` is not in (0, 1].
    """
    if not 0 < probability <= 1:
        raise ValueError(
            f"probability is {probability}; it must be above 0 and at most 1. ELECTRA selects 0.15."
        )
    batch, seq = input_ids.shape
    selectable = selectable_positions(input_ids, special_ids, attention_mask)
    if attention_mask is None:
        lengths = torch.full((batch,), seq, device=input_ids.device)
    else:
        lengths = attention_mask.sum(1)
    number = number_to_select(lengths, probability, most)
    available = selectable.sum(1)
    number = number.where(available > 0, 0)
    if not with_replacement:
        number = number.minimum(available)
    widest = int(number.max()) if batch else 0
    if widest == 0:
        return torch.empty(0, dtype=torch.long, device=input_ids.device)
    if with_replacement:
        # multinomial refuses a row of zeros; such a row gives nothing below, whatever it draws here
        weights = selectable.float().where(available[:, None] > 0, 1.0)
        columns = torch.multinomial(weights, widest, replacement=True, generator=generator)
    else:
        # the places of the smallest of independent uniform numbers are a uniform subset
        draws = torch.rand(batch, seq, generator=generator, device=input_ids.device)
        draws.masked_fill_(~selectable, 2.0)
        columns = draws.topk(widest, largest=False).indices
    chosen = torch.arange(widest, device=input_ids.device) < number[:, None]
    rows = torch.arange(batch, device=input_ids.device)[:, None] * seq
    return (rows + columns)[chosen]


def mask_tokens(
    input_ids: Int[Tensor, "batch seq"],
    positions: Int[Tensor, " selected"],
    mask_id: int,
    *,
    mask_share: float = 0.85,
    generator: torch.Generator | None = None,
) -> Int[Tensor, "batch seq"]:
    """What the generator sees: [MASK] at a share of the selected positions, the token at the rest.

    Args:
        positions: flat positions from ``select_positions``.
        mask_share: share that becomes [MASK]; the rest stays as it is, and no position gets a random
            token (google-research/electra, pretrain_helpers.py: .85).
        generator: source of randomness.

    Raises:
        ValueError: ``mask_share`` is not in [0, 1].
    """
    if not 0 <= mask_share <= 1:
        raise ValueError(f"mask_share is {mask_share}; it must lie between 0 and 1.")
    if mask_share < 1:
        draws = torch.rand(positions.shape, generator=generator, device=positions.device)
        positions = positions[draws < mask_share]
    masked = input_ids.clone()
    masked.view(-1)[positions] = mask_id
    return masked


def replace_tokens(
    input_ids: Int[Tensor, "batch seq"],
    positions: Int[Tensor, " selected"],
    replacements: Int[Tensor, " selected"],
    *,
    with_replacement: bool = False,
) -> Int[Tensor, "batch seq"]:
    """What the discriminator sees: the generator's samples at the selected positions.

    Args:
        positions: flat positions from ``select_positions``.
        replacements: an id for each of them.
        with_replacement: positions may occur more than once; such a position gets the floored mean
            of its ids, which is an arbitrary word (google-research/electra, pretrain_helpers.py,
            and its issue 41).
    """
    replaced = input_ids.clone()
    flat = replaced.view(-1)
    if not with_replacement:
        flat[positions] = replacements
        return replaced
    total = torch.zeros_like(flat).index_add_(0, positions, replacements)
    times = torch.zeros_like(flat).index_add_(0, positions, torch.ones_like(positions))
    mean = total // times.clamp(min=1)
    return torch.where(times > 0, mean, flat).view_as(input_ids)
