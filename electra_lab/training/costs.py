"""What a pre-training step costs: the floating point operations of its matrix products, by formula.

A product of an (m, k) with a (k, n) matrix takes 2 m n k operations, a multiplication and an addition
for each of m n k pairs. On the way back every product has two of its size, one for the gradient of
each factor, so a step costs three times its forward pass. What is not a matrix product (softmax,
LayerNorm, GELU, dropout, the tables' rows, the optimiser) is not counted: it takes time, but
hardly any arithmetic.
"""

from __future__ import annotations

from electra_lab.model.config import ElectraConfig

from .objectives import MLM, OBJECTIVES, AllTokensMLM, Electra15, ReplaceMLM, WithGenerator

FORWARD_AND_BACKWARD = 3


def encoder_operations(config: ElectraConfig, rows: int, length: int) -> dict[str, int]:
    """Operations of one forward pass through embeddings, projection and encoder, by part.

    Args:
        config: the model's sizes.
        rows, length: shape of the batch; every place of it is computed, padding too.

    Returns:
        ``"projection"`` (0 where there is none), ``"attention, linear"`` (query, key, value and
        output), ``"attention, products"`` (queries with keys, weights with values; the only part that
        grows with the square of the length) and ``"feed-forward"``.
    """
    tokens, hidden, layers = rows * length, config.hidden_size, config.num_hidden_layers
    projected = config.embedding_size != hidden
    return {
        "projection": 2 * tokens * config.embedding_size * hidden if projected else 0,
        "attention, linear": layers * 4 * 2 * tokens * hidden * hidden,
        "attention, products": layers * 2 * 2 * tokens * length * hidden,
        "feed-forward": layers * 2 * 2 * tokens * hidden * config.intermediate_size,
    }


def masked_lm_head_operations(config: ElectraConfig, positions: int) -> int:
    """Operations of one forward pass through the head over the vocabulary, at so many positions."""
    return 2 * positions * config.embedding_size * (config.hidden_size + config.vocab_size)


def replaced_token_head_operations(config: ElectraConfig, positions: int) -> int:
    """Operations of one forward pass through the discriminator's head, at so many positions."""
    return 2 * positions * config.hidden_size * (config.hidden_size + 1)


def step_operations(
    objective: str,
    config: ElectraConfig,
    generator_config: ElectraConfig,
    *,
    rows: int,
    length: int,
    selected: int,
) -> dict[str, dict[str, int]]:
    """Operations of a whole training step, forward and backward, by model and part.

    Args:
        objective: a name from ``OBJECTIVES``.
        config, generator_config: the model that is kept, and the small generator.
        rows, length: shape of the batch; none of it is padding.
        selected: positions of the whole batch that the generator is asked about.

    Returns:
        ``"generator"`` (where the objective has one) and ``"model"``; in each the parts of
        ``encoder_operations`` and ``"head"``.

    Raises:
        ValueError: there is no such objective, or more positions are selected than there are.
    """
    if objective not in OBJECTIVES:
        raise ValueError(f"There is no objective {objective!r}. There are {', '.join(OBJECTIVES)}.")
    tokens = rows * length
    if not 0 <= selected <= tokens:
        raise ValueError(
            f"selected is {selected}, but a batch of {rows} x {length} has {tokens} positions. Give "
            "the number of selected positions in the whole batch."
        )
    kind = OBJECTIVES[objective]
    if issubclass(kind, AllTokensMLM):
        head = (
            masked_lm_head_operations(config, tokens) + 2 * tokens * config.hidden_size
        )  # the gate
    elif issubclass(kind, MLM | ReplaceMLM):
        head = masked_lm_head_operations(config, selected)
    else:
        asked = selected if issubclass(kind, Electra15) else tokens
        head = replaced_token_head_operations(config, asked)
    forward = {"model": {**encoder_operations(config, rows, length), "head": head}}
    if issubclass(kind, WithGenerator):
        forward["generator"] = {
            **encoder_operations(generator_config, rows, length),
            "head": masked_lm_head_operations(generator_config, selected),
        }
    return {
        model: {part: FORWARD_AND_BACKWARD * count for part, count in parts.items()}
        for model, parts in forward.items()
    }


def total(operations: dict[str, dict[str, int]]) -> int:
    """The sum over all models and parts."""
    return sum(sum(parts.values()) for parts in operations.values())
