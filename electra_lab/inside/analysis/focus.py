"""How many tokens each head looks at. Where that is one and stays one, a layer has stopped learning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from electra_lab.inside.trace import Trace, trace

BATCH = 16
SATURATED_AT = 1.1
"""Tokens looked at: e to the entropy of .1, as of weights of about .98 and .02."""
NEAR = {"itself": 0, "before": -1, "after": 1}
"""Names of the places whose share of attention is told, and how far they are from the token."""


@dataclass(frozen=True, repr=False, eq=False)
class AttentionFocus:
    """What each head's attention weights are like, a mean over all tokens of all texts.

    Attributes:
        tokens_looked_at: e to the mean entropy of the weights: 1 where a head gives all to one token,
            the number of tokens where it gives all the same.
        on: share of the weight on the token ``"itself"``, on those ``"before"`` and ``"after"`` it, and
            on ``"special"`` tokens ([CLS] and [SEP]; a special token that looks at itself counts twice).
        first_looks_at: e to the mean entropy for the first token, [CLS], alone, from whose state a text
            is classified.
        count: how many tokens were looked from.
    """

    tokens_looked_at: Float[Tensor, "layers heads"]
    on: dict[str, Float[Tensor, "layers heads"]]
    first_looks_at: Float[Tensor, "layers heads"]
    count: int

    def saturated(self, at: float = SATURATED_AT) -> list[tuple[int, int]]:
        """Layer and head, counted from 0, of those that look at fewer tokens than ``at``. Through so
        sharp a softmax hardly any gradient comes, so they stay as they are: see
        ``training.continuing.soften_attention``."""
        return [(int(layer), int(head)) for layer, head in (self.tokens_looked_at < at).nonzero()]

    def __str__(self) -> str:
        lines = [f"{'head':7}{'looks at':>9}{'[CLS] at':>9}" + "".join(f"{n:>9}" for n in self.on)]
        for layer, heads in enumerate(self.tokens_looked_at.tolist()):
            for head, tokens in enumerate(heads):
                shares = "".join(f"{float(share[layer, head]):9.2f}" for share in self.on.values())
                first = float(self.first_looks_at[layer, head])
                lines.append(f"{f'{layer}.{head}':7}{tokens:9.1f}{first:9.1f}{shares}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        layers, heads = self.tokens_looked_at.shape
        return (
            f"AttentionFocus({layers} layers x {heads} heads, {len(self.saturated())} saturated, "
            f"{self.count:,} tokens)"
        )


def attention_focus(
    model: Any, tokenizer: Any, texts: Sequence[str], *, batch_size: int = BATCH
) -> AttentionFocus:
    """How many tokens each head looks at, and how much of its weight goes to the nearest and to special
    ones.

    Args:
        model: any ELECTRA of this package or of transformers.
        tokenizer: the model's.
        texts: what it reads; each no longer than the model has positions.

    Raises:
        ValueError: there are no texts.
    """
    if not texts:
        raise ValueError("There are no texts to look at; give at least one.")
    totals: dict[str, Tensor] = {}
    for start in range(0, len(texts), batch_size):
        traced = trace(model, list(texts[start : start + batch_size]), tokenizer=tokenizer)
        for name, value in _sums(traced).items():
            totals[name] = totals[name] + value if name in totals else value
    count = totals["count"]
    return AttentionFocus(
        tokens_looked_at=(totals["entropy"] / count).exp().float(),
        on={name: (totals[name] / count).float() for name in (*NEAR, "special")},
        first_looks_at=(totals["first entropy"] / len(texts)).exp().float(),
        count=int(count),
    )


def _sums(traced: Trace) -> dict[str, Tensor]:
    """Over all tokens that are no padding: their number, and what is told of them, [layers heads]."""
    weights = torch.stack([layer.attention for layer in traced.layers]).double()
    from_tokens = traced.mask[:, None, :].double()  # batch heads query
    special = torch.tensor([[word is None for word in row] for row in traced.words]) & traced.mask

    def total(of_tokens: Tensor) -> Tensor:
        return (of_tokens * from_tokens).sum((1, 3))

    entropy = torch.special.entr(weights).sum(-1)
    found = {
        "count": traced.mask.sum(),
        "entropy": total(entropy),
        "first entropy": entropy[..., 0].sum(1),
        "special": total((weights * special[:, None, None, :]).sum(-1)),
    }
    for name, distance in NEAR.items():
        looked = torch.zeros_like(entropy)
        along = weights.diagonal(distance, dim1=-2, dim2=-1)
        first = max(0, -distance)
        looked[..., first : first + along.shape[-1]] = along
        found[name] = total(looked)
    return found
