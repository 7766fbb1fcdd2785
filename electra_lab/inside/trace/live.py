"""A live ELECTRA of transformers as one of ours: the same parameters, not a copy of them."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from electra_lab.checkpoints.parameter_names import HEAD_NAMES, to_hugging_face
from electra_lab.model import causal_lm, electra, heads, task_heads
from electra_lab.model.config import ElectraConfig
from electra_lab.model.pretrained import PreTrainedModel

from .inputs import Inputs
from .outcome import Kind, logits_of
from .recorder import run, undisturbed

CLASSES: dict[str, type[PreTrainedModel]] = {
    found.__name__: found
    for module in (electra, heads, causal_lm, task_heads)
    for found in vars(module).values()
    if isinstance(found, type) and found.__name__ in HEAD_NAMES
}
THEIR_MODULE = "transformers.models.electra.modeling_electra"
# The two libraries add up in another order; what they may differ by, relative to the largest logit.
TOLERANCE = 1e-3


def own_model(model: Any) -> PreTrainedModel:
    """The model itself where it is one of this package; for one of transformers ours, with its
    parameters.

    Raises:
        TypeError: it is neither, or its modules are not those of its class.
        ValueError: its configuration is one that this package does not have.
    """
    if isinstance(model, PreTrainedModel):
        return model
    name = type(model).__name__
    if type(model).__module__ != THEIR_MODULE or name not in CLASSES:
        raise TypeError(
            f"Cannot trace a {type(model).__module__}.{name}. Expected an ELECTRA of electra_lab or of "
            f"transformers, of one of the classes {', '.join(CLASSES)}, unmodified."
        )
    _check_modules(model)
    with torch.device("meta"):
        own = CLASSES[name](ElectraConfig.from_dict(model.config.to_dict()))
    theirs = dict(model.named_parameters())
    used = set()
    for parameter in list(dict(own.named_parameters())):
        source = to_hugging_face(parameter, name)
        module, _, last = parameter.rpartition(".")
        if source not in theirs:
            raise TypeError(f"This {name} has no parameter {source}, so it cannot be traced.")
        setattr(own.get_submodule(module), last, theirs[source])
        used.add(source)
    left = sorted(set(theirs) - used)
    if left:
        raise TypeError(
            f"This {name} has parameters that ELECTRA has not: {', '.join(left[:5])}. A modified "
            "architecture cannot be traced."
        )
    own.training = model.training
    return own.eval()


def _check_modules(model: Any) -> None:
    """Refuse a model that has other modules than a fresh one of its class.

    Raises:
        TypeError: naming the first module that is extra, missing or of another class.
    """
    with torch.device("meta"):
        fresh: nn.Module = type(model)(model.config)
    expected = {name: type(module) for name, module in fresh.named_modules()}
    found = {name: type(module) for name, module in model.named_modules()}
    for name in [*found, *expected]:
        if found.get(name) is not expected.get(name):
            there, usual = (
                "nothing" if kind is None else f"a {kind.__module__}.{kind.__name__}"
                for kind in (found.get(name), expected.get(name))
            )
            raise TypeError(
                f"This {type(model).__name__} was modified: {name} is {there}, expected {usual}. A "
                "modified architecture cannot be traced; merge or remove what was added."
            )


def check_agreement(model: Any, own: PreTrainedModel, kind: Kind, inputs: Inputs) -> None:
    """Let both models read the inputs, and compare what they say.

    Raises:
        ValueError: they do not agree.
    """
    with undisturbed(model), torch.no_grad():
        theirs = model(**inputs.tensors, return_dict=True)
    with undisturbed(own), torch.no_grad():
        ours = run(own, inputs.tensors)
    if kind == "states":
        pair = (ours.last_hidden_state, theirs.last_hidden_state)
    else:
        pair = (logits_of(kind, ours), logits_of(kind, theirs))
    own_values, their_values = (value.float() for value in pair)
    if own_values.shape[:2] == inputs.mask.shape:  # what padding says concerns nobody
        own_values, their_values = own_values[inputs.mask], their_values[inputs.mask]
    apart = float((own_values - their_values).abs().max())
    allowed = TOLERANCE * max(1.0, float(their_values.abs().max()))
    if not apart <= allowed:
        raise ValueError(
            f"This {type(model).__name__} does not say what its parameters say: on these inputs its "
            f"outcome is up to {apart:.3g} away from that of electra_lab's model with the same "
            f"parameters (allowed {allowed:.3g}). Was a forward method or a hook changed? It cannot be "
            "traced."
        )
