"""Hooks on the model's own modules: they note what passes by and put interventions in its place.

The model's code knows nothing of it. The hooks stand on the embeddings, the encoder, and in each layer
on query, key, value, relative positions, the output matrix and the attention block; they are gone when
the pass is over.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from electra_lab.model.attention import SelfAttention, written_out_attention
from electra_lab.model.electra import ElectraModel
from electra_lab.model.encoder import EncoderLayer

from .interventions import Intervention
from .result import LayerTrace, as_recorded

Notes = dict[str, Tensor]


class Recorder:
    """One forward pass through a model, watched.

    Args:
        bare: the ``ElectraModel`` to watch.
        interventions: what to change on the way; already checked.
        record: keep what passes by. Without it only the interventions happen.
        vectors: [batch seq embedding], used as the tokens' vectors whatever the inputs are; gradients
            are taken with respect to them.

    Attributes:
        notes: what was seen outside the layers: vectors, embeddings, projected.
        layers: what was seen in each layer.
    """

    def __init__(
        self,
        bare: ElectraModel,
        interventions: Sequence[Intervention] = (),
        record: bool = True,
        vectors: Float[Tensor, "batch seq embedding"] | None = None,
    ) -> None:
        self.bare = bare
        self.interventions = interventions
        self.record = record
        self.vectors = vectors
        self.notes: Notes = {}
        self.layers: list[Notes] = [{} for _ in bare.encoder.layers]

    def layer_traces(self) -> tuple[LayerTrace, ...]:
        """What was seen, layer by layer."""
        return tuple(LayerTrace(**notes) for notes in self.layers)

    @contextmanager
    def watching(self) -> Iterator[Recorder]:
        """The hooks are on inside; afterwards, also after an error, they are gone."""
        handles = list(self._hooks())
        try:
            yield self
        finally:
            for handle in handles:
                handle.remove()

    def _hooks(self) -> Iterator[Any]:
        embeddings, encoder = self.bare.embeddings, self.bare.encoder
        yield embeddings.register_forward_pre_hook(self._before_embeddings, with_kwargs=True)
        yield embeddings.register_forward_hook(
            lambda _module, _args, output: self._note(self.notes, "embeddings", output)
        )
        yield encoder.register_forward_pre_hook(self._before_encoder, with_kwargs=True)
        for number, layer in enumerate(encoder.layers):
            assert isinstance(layer, EncoderLayer)
            yield from _LayerHooks(self, number, layer.attention).on(layer)

    def _note(self, notes: Notes, name: str, tensor: Tensor) -> None:
        if self.record:
            notes[name] = as_recorded(tensor)

    def _before_embeddings(
        self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Look up the word vectors here, so that they can be noted and changed."""
        given = _arguments(module, args, kwargs)
        vectors = given.get("inputs_embeds")
        if self.vectors is not None:
            vectors = self.vectors
        else:
            vectors = module.word(given["input_ids"]) if vectors is None else vectors
            for intervention in self.interventions:
                vectors = intervention.edit_vectors(vectors, module.word)
        self._note(self.notes, "vectors", vectors)
        return (), {**given, "input_ids": None, "inputs_embeds": vectors}

    def _before_encoder(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        given = _arguments(module, args, kwargs)
        given["states"] = self.edited(None, given["states"])
        self._note(self.notes, "projected", given["states"])
        return (), given

    def edited(
        self, layer: int | None, states: Float[Tensor, "batch seq hidden"]
    ) -> Float[Tensor, "batch seq hidden"]:
        """The states that leave a layer (None: that enter the first), after all interventions."""
        for intervention in self.interventions:
            states = intervention.edit_hidden(layer, states)
        return states


class _LayerHooks:
    """The hooks of one layer, with what they have seen in this pass."""

    def __init__(self, recorder: Recorder, number: int, attention: SelfAttention) -> None:
        self.recorder = recorder
        self.number = number
        self.attention = attention
        self.seen: dict[str, Any] = {}
        self.edits = [i for i in recorder.interventions if i.attention_layer == number]

    def on(self, layer: EncoderLayer) -> Iterator[Any]:
        attention = self.attention
        yield attention.register_forward_pre_hook(self._before, with_kwargs=True)
        for name in ("query", "key", "value"):
            yield attention.get_submodule(name).register_forward_hook(self._heads(name))
        if attention.relative_positions is not None:
            yield attention.relative_positions.register_forward_hook(self._distances)
        yield attention.output.register_forward_pre_hook(self._before_output)
        yield attention.output.register_forward_hook(self._attention_output)
        yield attention.register_forward_hook(self._weights)
        yield layer.register_forward_hook(self._hidden)

    def _note(self, name: str, tensor: Tensor) -> None:
        self.recorder._note(self.recorder.layers[self.number], name, tensor)

    def _before(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.seen = {"bias": _arguments(module, args, kwargs).get("bias")}

    def _heads(self, name: str) -> Callable[..., None]:
        plural = {"query": "queries", "key": "keys", "value": "values"}[name]

        def hook(_module: nn.Module, _args: Any, output: Tensor) -> None:
            self.seen[name] = self.attention.split_heads(output)
            self._note(plural, self.seen[name])

        return hook

    def _distances(self, _module: nn.Module, _args: Any, output: Tensor) -> None:
        self.seen["distances"] = output
        self._note("position_scores", output)

    def _before_output(self, _module: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Where a head's weights are changed, attend once more, with the changed ones."""
        merged = args[0]
        if self.edits:
            weights = self._edited_weights()
            self.seen["weights"] = weights
            merged = self.attention.merge_heads(weights @ self.seen["value"])
        self._note("head_outputs", self.attention.split_heads(merged))
        return (merged,)

    def _edited_weights(self) -> Float[Tensor, "batch heads query key"]:
        query, key, value = (self.seen[name] for name in ("query", "key", "value"))
        mask, distances = self.seen["bias"], self.seen.get("distances")
        bias = mask if distances is None else distances if mask is None else mask + distances
        _, weights = written_out_attention(query, key, value, bias)
        nothing_hidden = weights.new_zeros(1, 1, 1, weights.shape[-1])
        may_look = (nothing_hidden if mask is None else mask).expand_as(weights) == 0
        for intervention in self.edits:
            weights = intervention.edit_attention(weights, may_look)
        return weights

    def _attention_output(self, _module: nn.Module, _args: Any, output: Tensor) -> None:
        self._note("attention_output", output)

    def _weights(self, _module: nn.Module, _args: Any, output: Any) -> Any:
        attended, weights = output
        weights = self.seen.get("weights", weights)
        if weights is not None:
            self._note("attention", weights)
        self.seen = {}
        return attended, weights

    def _hidden(self, _module: nn.Module, _args: Any, output: Any) -> Any:
        states = self.recorder.edited(self.number, output[0])
        self._note("hidden", states)
        return (states, *output[1:])


def _arguments(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call by their names."""
    return dict(inspect.signature(module.forward).bind(*args, **kwargs).arguments)


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[None]:
    """No dropout inside; afterwards, also after an error, each module is in the mode it was in."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def run(model: Any, tensors: dict[str, Tensor]) -> Any:
    """The model's output, by the written-out attention path; a decoder keeps no cache."""
    options: dict[str, Any] = {}
    if "use_cache" in inspect.signature(model.forward).parameters:
        options["use_cache"] = False
    return model(
        **tensors,
        output_attentions=True,
        output_hidden_states=False,
        return_dict=True,
        **options,
    )
