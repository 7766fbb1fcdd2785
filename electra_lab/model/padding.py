"""Leaving padding out of a ragged batch.

Linear layers, LayerNorm and feed-forward work on each token alone, so they need not see padding at
all. Only attention needs to know which tokens make a sequence: there, and only there, the padded
form comes back.
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float, Int, Shaped
from torch import Tensor

WORTH_IT = 0.9
"""Attended share of a batch above which moving the tokens costs more than their padding."""


@dataclass(frozen=True)
class Padding:
    """Where the tokens of a padded batch are.

    Attributes:
        positions: of the attended tokens in the flattened batch: ``row * seq + column``.
        order: for each place of the flattened batch, which attended token is there; the first one
            stands in for padding.
        batch, seq: shape of the padded batch.
    """

    positions: Int[Tensor, " tokens"]
    order: Int[Tensor, " places"]
    batch: int
    seq: int

    @classmethod
    def of(cls, attention_mask: Shaped[Tensor, "batch seq"]) -> Padding | None:
        """The padding of a mask with 1 for tokens and 0 for padding; None where there is too little
        of it to matter, or nothing else."""
        batch, seq = attention_mask.shape
        attended = attention_mask.reshape(-1) != 0
        positions = attended.nonzero().squeeze(-1)
        if not 0 < len(positions) < WORTH_IT * batch * seq:
            return None
        order = (attended.cumsum(0) - 1) * attended
        return cls(positions, order, batch, seq)

    def remove(self, states: Float[Tensor, "batch seq width"]) -> Float[Tensor, "1 tokens width"]:
        """All attended tokens one after another, as one long row."""
        return states.reshape(1, -1, states.shape[-1])[:, self.positions]

    def restore(self, states: Float[Tensor, "1 tokens width"]) -> Float[Tensor, "batch seq width"]:
        """Undo ``remove``; what was padding is zero."""
        flat = states.new_zeros(self.batch * self.seq, states.shape[-1])
        return flat.index_copy(0, self.positions, states[0]).view(self.batch, self.seq, -1)

    def first(self, states: Float[Tensor, "1 tokens width"]) -> Float[Tensor, "batch 1 width"]:
        """The states of each sequence's first position, which must not be padding."""
        return states[0, self.order.view(self.batch, self.seq)[:, :1]]

    def spread(self, states: Float[Tensor, "1 tokens width"]) -> Float[Tensor, "batch seq width"]:
        """The same for attention, which hides padding whatever it holds: another token's states save
        writing zeros first."""
        return states[0].index_select(0, self.order).view(self.batch, self.seq, -1)
