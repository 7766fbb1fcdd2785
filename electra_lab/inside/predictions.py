"""What the two models predict for a text: replaced or not, and which word behind [MASK]."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from electra_lab.training.sampling import check_temperature


@dataclass(frozen=True, repr=False)
class TokenProbabilities:
    """Tokens of a text, each with the probability that it was replaced.

    Attributes:
        tokens: as the model saw them, [CLS] and [SEP] included.
        probabilities: one for each token, in [0, 1].
    """

    tokens: tuple[str, ...]
    probabilities: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.tokens)

    def __repr__(self) -> str:
        return f"TokenProbabilities({_listed(self.tokens, self.probabilities, digits=2)})"


@dataclass(frozen=True, repr=False)
class Proposals:
    """What the generator proposes for one [MASK], best first.

    Attributes:
        position: of the [MASK] among the tokens; [CLS] is number 0.
        tokens: the proposals.
        probabilities: of each, from the softmax over the whole vocabulary.
    """

    position: int
    tokens: tuple[str, ...]
    probabilities: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.tokens)

    def __repr__(self) -> str:
        shown = _listed(self.tokens, self.probabilities, digits=3)
        return f"Proposals(position={self.position}, {shown})"


def _listed(tokens: Sequence[str], probabilities: Sequence[float], digits: int) -> str:
    return ", ".join(
        f"{token!r}: {probability:.{digits}f}"
        for token, probability in zip(tokens, probabilities, strict=True)
    )


def replaced_probabilities(
    discriminator: nn.Module, tokenizer: Any, text: str
) -> TokenProbabilities:
    """Ask the discriminator of every token of ``text`` whether it was replaced.

    Args:
        discriminator: an ``ElectraForPreTraining``, ours or transformers'; on any device. Its
            training mode is left as it was; dropout is off while it predicts.
        tokenizer: called with ``text`` and ``return_tensors="pt"``.
        text: one text, not empty and no longer than the model has positions.

    Raises:
        ValueError: the text is empty, or longer than the model.
    """
    ids = token_ids(tokenizer, text, discriminator)
    probabilities = replaced_probabilities_of_ids(discriminator, ids)
    return TokenProbabilities(
        tuple(tokenizer.convert_ids_to_tokens(ids.tolist())), tuple(probabilities.tolist())
    )


def propose(
    generator: nn.Module,
    tokenizer: Any,
    text_with_mask: str,
    top_k: int = 10,
    temperature: float = 1.0,
) -> list[Proposals]:
    """Ask the generator what may stand behind each [MASK] of a text.

    Args:
        generator: an ``ElectraForMaskedLM``, ours or transformers'; as for
            ``replaced_probabilities``.
        tokenizer: as for ``replaced_probabilities``; its ``mask_token`` stands for a hidden word.
        text_with_mask: for example ``"the chef [MASK] the meal"``.
        top_k: how many proposals for each.
        temperature: logits are divided by it. 1 is what ELECTRA samples from in pre-training
            (google-research/electra, configure_pretraining.py); less sharpens, more flattens.

    Returns:
        One ``Proposals`` for each [MASK], in order.

    Raises:
        ValueError: the text is empty, too long or without [MASK]; ``top_k`` is below 1 or above the
            size of the vocabulary; ``temperature`` is not above 0.
    """
    ids = token_ids(tokenizer, text_with_mask, generator)
    positions = (ids == tokenizer.mask_token_id).nonzero().flatten().tolist()
    if not positions:
        raise ValueError(
            f"There is no {tokenizer.mask_token} in {text_with_mask[:60]!r}. "
            f"Write {tokenizer.mask_token} in place of the word that is to be proposed."
        )
    found = []
    for position, distribution in zip(
        positions, proposal_probabilities(generator, ids, positions, temperature), strict=True
    ):
        if not 1 <= top_k <= len(distribution):
            raise ValueError(
                f"top_k is {top_k}; it must be between 1 and the {len(distribution)} pieces of the "
                "vocabulary."
            )
        best = distribution.topk(top_k)
        tokens = tokenizer.convert_ids_to_tokens(best.indices.tolist())
        found.append(Proposals(position, tuple(tokens), tuple(best.values.tolist())))
    return found


def token_ids(tokenizer: Any, text: str, model: nn.Module) -> Int[Tensor, "seq"]:
    """The ids of one text, on the model's device.

    Raises:
        ValueError: the text is empty, or has more tokens than the model has positions.
    """
    if not text.strip():
        raise ValueError("The text is empty. Give at least one word.")
    ids = tokenizer(text, return_tensors="pt")["input_ids"][0]
    config: Any = model.config
    positions = config.max_position_embeddings
    if len(ids) > positions:
        raise ValueError(
            f"The text has {len(ids):,} tokens, the model {positions:,} positions. "
            "Shorten the text."
        )
    return ids.to(next(model.parameters()).device)


def replaced_probabilities_of_ids(
    discriminator: nn.Module, ids: Int[Tensor, "seq"]
) -> Float[Tensor, "seq"]:
    """sigmoid(logits) of the discriminator, on the CPU."""
    with predicting(discriminator):
        logits = discriminator(input_ids=ids[None]).logits[0]
    return logits.float().sigmoid().cpu()


def proposal_probabilities(
    generator: nn.Module, ids: Int[Tensor, "seq"], positions: list[int], temperature: float = 1.0
) -> Float[Tensor, "selected vocab"]:
    """softmax(logits / temperature) of the generator at some positions, on the CPU.

    Raises:
        ValueError: ``temperature`` is not above 0.
    """
    check_temperature(temperature)
    with predicting(generator):
        logits = generator(input_ids=ids[None]).logits[0, positions]
    return (logits.float() / temperature).softmax(-1).cpu()


@contextmanager
def predicting(model: nn.Module) -> Iterator[None]:
    """No dropout and no gradients inside; afterwards the model is in the mode that it was in."""
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(was_training)
