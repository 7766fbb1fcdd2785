"""How a run goes on with the pair of another one, and what may be changed in it before.

It starts where the last one ended, with what that had got stuck in and with no more room than it had.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from electra_lab.checkpoints.atomic import atomic_file
from electra_lab.checkpoints.pair import Pair, load_pair
from electra_lab.model.attention import SelfAttention
from electra_lab.model.electra import ElectraModel, tie_embeddings
from electra_lab.model.encoder import EncoderLayer
from electra_lab.model.heads import ElectraForPreTraining

from .objectives import Electra, Objective
from .recipe import Recipe

CORRECTION_HEAD_FILE = "correction_head.safetensors"
"""In a run's folder, beside the pair: no model of it has this head, but a run that goes on wants it."""


def pair_to_go_on_with(recipe: Recipe) -> Pair | None:
    """The pair that a recipe goes on with, changed as it says; None where it starts from random weights.

    Raises:
        FileNotFoundError: there is no such pair.
        ValueError: something is to be changed, but there is no pair, or it has too few layers.
    """
    if not recipe.continue_from:
        for name in ("soften_layers", "added_layers"):
            if getattr(recipe, name):
                raise ValueError(
                    f"{name} is {getattr(recipe, name)}, but the run starts from random weights, and "
                    f"it changes trained ones. Name a pair to go on with (--from), or take {name} = 0."
                )
        return None
    pair = load_pair(recipe.continue_from)
    soften_attention(pair.discriminator.electra, recipe.soften_layers, recipe.soften_factor)
    if not recipe.added_layers:
        return pair
    tied = pair.generator.electra.embeddings is pair.discriminator.electra.embeddings
    deeper = deepened(pair.discriminator, recipe.added_layers, seed=recipe.seed)
    if tied:
        tie_embeddings(pair.generator, deeper)
    return replace(pair, discriminator=deeper)


@torch.no_grad()
def soften_attention(model: ElectraModel, layers: int, factor: float) -> None:
    """Multiply the queries and keys of a model's first layers by a factor, and so all scores by its
    square.

    Where training has made scores so large that every head gives all its weight to one token, the
    softmax is flat: no gradient says what else to look at, and the layer stays as it is. With smaller
    scores it learns again.

    Raises:
        ValueError: the model has fewer layers.
    """
    if layers > len(model.encoder.layers):
        raise ValueError(
            f"{layers} layers are to be softened, and the model has {len(model.encoder.layers)}."
        )
    attentions = [part for part in model.encoder.modules() if isinstance(part, SelfAttention)]
    for attention in attentions[:layers]:
        for parameter in (*attention.query.parameters(), *attention.key.parameters()):
            parameter.mul_(factor)


@torch.no_grad()
def deepened(
    discriminator: ElectraForPreTraining, layers: int, *, seed: int = 0
) -> ElectraForPreTraining:
    """The same discriminator with more layers on top, which at first hardly change anything.

    What is learned so far is kept, and there is room for more (after Gong et al., 2019, who trained BERT
    by stacking). Both blocks of a new layer add nothing, as their last matrices are zero; only the two
    LayerNorms stand between what comes in and what goes out. They get one scale and one shift for all
    numbers of a state: those that a state has on leaving the last LayerNorm, if the numbers that go
    into it are independent.

    Args:
        layers: how many are added.
        seed: of the matrices that do not start at zero.
    """
    last = discriminator.electra.encoder.layers[-1]
    assert isinstance(last, EncoderLayer)
    norm = last.feed_forward_norm
    scale = (norm.weight.square().mean() + norm.bias.var(correction=0)).sqrt()
    before = discriminator.config.num_hidden_layers
    config = replace(discriminator.config, num_hidden_layers=before + layers)
    deeper = ElectraForPreTraining(config)
    deeper.load_state_dict(discriminator.state_dict(), strict=False)
    generator = torch.Generator().manual_seed(seed)
    for layer in deeper.electra.encoder.layers[before:]:
        assert isinstance(layer, EncoderLayer)
        for part in layer.modules():
            if isinstance(part, nn.LayerNorm):
                part.weight.fill_(scale)
                part.bias.fill_(norm.bias.mean())
            if isinstance(part, nn.Linear):
                # what goes in is as large as ``scale``, and what comes out shall be as large as 1
                std = float(part.in_features**-0.5 / scale)
                nn.init.normal_(part.weight, std=std, generator=generator)
                nn.init.zeros_(part.bias)
        nn.init.zeros_(layer.attention.output.weight)
        nn.init.zeros_(layer.feed_forward.contract.weight)
    return deeper.train(discriminator.training)


def save_correction_head(objective: Objective, folder: str | Path) -> None:
    """Write the head that names the original tokens, where the objective has one."""
    if isinstance(objective, Electra) and objective.correction_weight:
        with atomic_file(Path(folder) / CORRECTION_HEAD_FILE) as partial:
            save_file(objective.correction_head.state_dict(), partial)


def take_correction_head(objective: Objective, folder: str | Path) -> None:
    """Go on with the head of the run in this folder, where there is one and it is wanted.

    A fresh head costs more than the steps that it takes to learn: until then its gradients pull a
    discriminator about that was nearly at rest.

    Raises:
        ValueError: the head there has another shape.
    """
    file = Path(folder) / CORRECTION_HEAD_FILE
    if not (isinstance(objective, Electra) and objective.correction_weight and file.is_file()):
        return
    try:
        objective.correction_head.load_state_dict(load_file(file))
    except RuntimeError as error:
        raise ValueError(
            f"{file} does not fit the discriminator beside it. Remove it, and a fresh head is learned."
        ) from error
