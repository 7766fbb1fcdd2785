"""What can be changed while a trace is made: heads, attention, hidden states, embeddings.

Each is a small value that says what to change; a list of them goes to ``trace(interventions=...)`` and
takes effect in the list's order. The model's parameters are never touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

if TYPE_CHECKING:
    from .result import Trace

UNIFORM = "uniform"


@dataclass(frozen=True)
class Setting:
    """What interventions are checked against: the sizes of a model and of its inputs."""

    rows: int
    seq: int
    heads: tuple[int, ...]
    hidden: int
    embedding: int
    vocab: int
    tokenizer: Any
    device: torch.device
    dtype: torch.dtype


@dataclass(frozen=True, repr=False, eq=False)
class Intervention:
    """Base of all interventions. What a kind does not change it hands on as it is."""

    @property
    def attention_layer(self) -> int | None:
        """The layer whose attention weights it changes."""
        return None

    def bound(self, setting: Setting) -> Intervention:
        """The same, checked against a model and its inputs, its values as tensors.

        Raises:
            IndexError: there is no such layer, head, row or position.
            ValueError: a value has another shape than expected.
        """
        raise NotImplementedError

    def edit_vectors(
        self, vectors: Float[Tensor, "batch seq embedding"], table: nn.Embedding
    ) -> Float[Tensor, "batch seq embedding"]:
        """The tokens' vectors, changed."""
        return vectors

    def edit_attention(
        self,
        weights: Float[Tensor, "batch heads query key"],
        may_look: Bool[Tensor, "batch heads query key"],
    ) -> Float[Tensor, "batch heads query key"]:
        """The attention weights of ``attention_layer``, changed."""
        return weights

    def edit_hidden(
        self, layer: int | None, states: Float[Tensor, "batch seq hidden"]
    ) -> Float[Tensor, "batch seq hidden"]:
        """The states that leave a layer (None: that enter the first), changed."""
        return states

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self._parts())})"

    def _parts(self) -> Iterator[str]:
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if value is not None or name == "layer":
                yield f"{name}={_short(value)}"


@dataclass(frozen=True, repr=False, eq=False)
class SwitchOffHeads(Intervention):
    """Multiply all attention weights of some heads with 0, so that they hand on nothing.

    What a head mask of 0 does in transformers 4.x, and how Michel et al. (2019, section 2.3) ablate.

    Attributes:
        layer: number of the layer, from 0.
        heads: one head's number, several, or None for all of the layer.
    """

    layer: int
    heads: int | Sequence[int] | None = None

    @property
    def attention_layer(self) -> int:
        return self.layer

    def bound(self, setting: Setting) -> SwitchOffHeads:
        return replace(self, heads=_heads(self.heads, self.layer, setting))

    def edit_attention(
        self,
        weights: Float[Tensor, "batch heads query key"],
        may_look: Bool[Tensor, "batch heads query key"],
    ) -> Float[Tensor, "batch heads query key"]:
        kept = weights.new_ones(weights.shape[1])
        kept[list(_sequence(self.heads))] = 0
        return weights * kept[:, None, None]


@dataclass(frozen=True, repr=False, eq=False)
class ReplaceAttention(Intervention):
    """Give some heads other attention weights; they go on with their own values.

    Attributes:
        layer: number of the layer, from 0.
        heads: one head's number, several, or None for all of the layer.
        weights: ``"uniform"``, every token looks equally at all that it may look at; or a matrix
            [query key], one for each of the heads [heads query key], or one for each row too
            [batch heads query key]; or a ``Trace``, whose weights of the same layer and heads are taken.
            Rows of a matrix need not sum to 1.
    """

    layer: int
    heads: int | Sequence[int] | None = None
    weights: Any = UNIFORM

    @property
    def attention_layer(self) -> int:
        return self.layer

    def bound(self, setting: Setting) -> ReplaceAttention:
        heads = _heads(self.heads, self.layer, setting)
        weights = self.weights
        if _is_trace(weights):
            _check_same_layers(weights, setting)
            weights = _rows(weights.layers[self.layer].attention, setting)[:, list(heads)]
        if isinstance(weights, str):
            if weights != UNIFORM:
                raise ValueError(
                    f"weights is {weights!r}; expected 'uniform', a matrix of attention weights, or a "
                    "Trace."
                )
            return replace(self, heads=heads)
        shape = (setting.rows, len(heads), setting.seq, setting.seq)
        weights = _tensor(weights, "weights", setting)
        if tuple(weights.shape) not in (shape, shape[1:], shape[2:], (1, *shape[1:])):
            raise ValueError(
                f"weights has the shape {tuple(weights.shape)}; expected {shape[2:]}, (query, key), or "
                f"{shape[1:]} with the heads, or {shape} with the rows."
            )
        return replace(self, heads=heads, weights=weights)

    def edit_attention(
        self,
        weights: Float[Tensor, "batch heads query key"],
        may_look: Bool[Tensor, "batch heads query key"],
    ) -> Float[Tensor, "batch heads query key"]:
        heads = list(_sequence(self.heads))
        given = self.weights
        if isinstance(given, str):
            allowed = may_look[:, heads].to(weights.dtype)
            given = allowed / allowed.sum(-1, keepdim=True).clamp(min=1)
        changed = weights.clone()
        changed[:, heads] = given.expand(len(weights), len(heads), -1, -1)
        return changed


@dataclass(frozen=True, repr=False, eq=False)
class PatchHidden(Intervention):
    """Put other states in the place of some tokens' hidden states: activation patching (Vig et al. 2020;
    Meng et al. 2022, section 2.1, call it restoring states).

    Attributes:
        layer: number of the layer whose output is changed, from 0; None for what enters the first.
        positions: one token's position or several; [CLS] is number 0. None for all.
        source: a ``Trace``, whose states of the same layer are taken; or a vector [hidden], or one for
            each position [positions hidden].
        source_positions: where the states stand in the other trace; default the same positions.
        row: only this row of a batch; None for all. A trace of one row serves all of them.
    """

    layer: int | None
    positions: int | Sequence[int] | None
    source: Any
    source_positions: int | Sequence[int] | None = None
    row: int | None = None

    def bound(self, setting: Setting) -> PatchHidden:
        if self.layer is not None:
            _check_layer(self.layer, setting)
        _check_row(self.row, setting)
        positions = _positions(self.positions, "positions", setting.seq)
        source = self.source
        if _is_trace(source):
            _check_same_layers(source, setting, tokens=False)
            states = source.projected if self.layer is None else source.layers[self.layer].hidden
            wanted = positions if self.source_positions is None else self.source_positions
            places = _positions(wanted, "source_positions", states.shape[1])
            if len(places) != len(positions):
                raise ValueError(
                    f"There are {len(positions)} positions and {len(places)} source_positions; give "
                    "one for each."
                )
            source = _rows(states, setting)[:, list(places)]
        elif self.source_positions is not None:
            raise ValueError("source_positions was given, but source is no Trace. Leave it out.")
        shape = (setting.rows, len(positions), setting.hidden)
        source = _tensor(source, "source", setting)
        if tuple(source.shape) not in (shape, (1, *shape[1:]), shape[1:], shape[2:]):
            raise ValueError(
                f"source has the shape {tuple(source.shape)}; expected a Trace, "
                f"{shape[2:]}, the model's hidden_size, or {shape[1:]}, one for each position."
            )
        return replace(self, positions=positions, source=source, source_positions=None)

    def edit_hidden(
        self, layer: int | None, states: Float[Tensor, "batch seq hidden"]
    ) -> Float[Tensor, "batch seq hidden"]:
        if layer != self.layer:
            return states
        return _with(states, self.row, _sequence(self.positions), self.source)


@dataclass(frozen=True, repr=False, eq=False)
class SetEmbedding(Intervention):
    """Give a token another vector of the word table's width; position and token type stay its own.

    Attributes:
        positions: one token's position or several; [CLS] is number 0.
        value: a piece of the vocabulary, its id, or a vector [embedding].
        row: only this row of a batch; None for all.
    """

    positions: int | Sequence[int]
    value: Any
    row: int | None = None

    def bound(self, setting: Setting) -> SetEmbedding:
        _check_row(self.row, setting)
        positions = _positions(self.positions, "positions", setting.seq)
        value = self.value
        if isinstance(value, str):
            value = _piece(value, setting.tokenizer)
        if isinstance(value, int):
            if not 0 <= value < setting.vocab:
                raise IndexError(
                    f"value is the id {value}; the vocabulary's ids are 0 to {setting.vocab - 1}."
                )
        else:
            value = _tensor(value, "value", setting)
            if tuple(value.shape) != (setting.embedding,):
                raise ValueError(
                    f"value has the shape {tuple(value.shape)}; expected a piece of the vocabulary, an "
                    f"id, or a vector of the shape {(setting.embedding,)}, the model's embedding_size."
                )
        return replace(self, positions=positions, value=value)

    def edit_vectors(
        self, vectors: Float[Tensor, "batch seq embedding"], table: nn.Embedding
    ) -> Float[Tensor, "batch seq embedding"]:
        value = table.weight[self.value] if isinstance(self.value, int) else self.value
        return _with(vectors, self.row, _sequence(self.positions), value)


def bind(interventions: Sequence[Any], setting: Setting) -> tuple[Intervention, ...]:
    """All interventions, checked.

    Raises:
        TypeError: one of them is none.
        IndexError, ValueError: see ``Intervention.bound``.
    """
    for given in interventions:
        if not isinstance(given, Intervention):
            raise TypeError(
                f"{given!r:.60} is no intervention. Expected SwitchOffHeads, ReplaceAttention, "
                "PatchHidden or SetEmbedding."
            )
    return tuple(given.bound(setting) for given in interventions)


def _with(
    states: Float[Tensor, "batch seq width"],
    row: int | None,
    positions: Sequence[int],
    values: Float[Tensor, "..."],
) -> Float[Tensor, "batch seq width"]:
    """A copy with other values at some positions of one row, or of all."""
    changed = states.clone()
    places = list(positions)
    if row is None:
        changed[:, places] = values
    else:
        changed[row, places] = (
            values[row if len(values) > 1 else 0] if values.dim() == 3 else values
        )
    return changed


def _sequence(value: Any) -> Sequence[int]:
    assert isinstance(value, tuple)
    return value


def _numbers(value: int | Sequence[int] | None, count: int) -> tuple[int, ...]:
    if value is None:
        return tuple(range(count))
    return (value,) if isinstance(value, int) else tuple(int(number) for number in value)


def _check_layer(layer: int, setting: Setting) -> None:
    if not 0 <= layer < len(setting.heads):
        raise IndexError(
            f"There is no layer {layer}; the layers are 0 to {len(setting.heads) - 1}."
        )


def _check_row(row: int | None, setting: Setting) -> None:
    if row is not None and not 0 <= row < setting.rows:
        raise IndexError(f"There is no row {row}; the rows are 0 to {setting.rows - 1}.")


def _heads(heads: int | Sequence[int] | None, layer: int, setting: Setting) -> tuple[int, ...]:
    _check_layer(layer, setting)
    count = setting.heads[layer]
    numbers = _numbers(heads, count)
    wrong = [number for number in numbers if not 0 <= number < count]
    if wrong:
        raise IndexError(
            f"Layer {layer} has no head {', '.join(map(str, wrong))}; its heads are 0 to {count - 1}."
        )
    return numbers


def _positions(value: int | Sequence[int] | None, name: str, count: int) -> tuple[int, ...]:
    numbers = _numbers(value, count)
    wrong = [number for number in numbers if not 0 <= number < count]
    if wrong or not numbers:
        raise IndexError(
            f"{name} is {value!r}; expected one or more of 0 to {count - 1}, the {count} tokens of a "
            "row."
        )
    return numbers


def _piece(piece: str, tokenizer: Any) -> int:
    if tokenizer is None:
        raise ValueError(
            f"value is the piece {piece!r}, and there is no tokenizer. Give tokenizer=..., or the id."
        )
    vocabulary = tokenizer.get_vocab()
    if piece not in vocabulary:
        raise ValueError(
            f"value is {piece!r}, which is no piece of the vocabulary. Look at tokenizer.tokenize(word) "
            "for the pieces of a word."
        )
    return int(vocabulary[piece])


def _tensor(value: Any, name: str, setting: Setting) -> Float[Tensor, "..."]:
    try:
        tensor = torch.as_tensor(value).to(setting.device, setting.dtype)
    except (ValueError, TypeError, RuntimeError) as error:
        raise ValueError(f"{name} is {value!r:.60}, which is no tensor of numbers.") from error
    if not bool(tensor.isfinite().all()):
        raise ValueError(f"{name} holds numbers that are not finite.")
    return tensor


def _is_trace(value: Any) -> bool:
    from .result import Trace

    return isinstance(value, Trace)


def _check_same_layers(source: Trace, setting: Setting, tokens: bool = True) -> None:
    """Another trace must come from a model of the same shape and, where attention is taken, have as many
    tokens."""
    theirs = (tuple(layer.heads for layer in source.layers), source.projected.shape[-1])
    if theirs != (setting.heads, setting.hidden):
        raise ValueError(
            f"The other trace has {len(theirs[0])} layers of {theirs[0]} heads and hidden_size "
            f"{theirs[1]}; expected {len(setting.heads)} layers of {setting.heads} heads and "
            f"{setting.hidden}, as this model has."
        )
    if tokens and source.mask.shape[1] != setting.seq:
        raise ValueError(
            f"The other trace has {source.mask.shape[1]} tokens a row, this input {setting.seq}. "
            "Attention weights fit only the same number of tokens."
        )


def _rows(tensor: Float[Tensor, "rows *rest"], setting: Setting) -> Float[Tensor, "_ *rest"]:
    if len(tensor) not in (1, setting.rows):
        raise ValueError(
            f"The other trace has {len(tensor)} rows, this input {setting.rows}. Take one of them: "
            "trace.select(row)."
        )
    return tensor


def _short(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"tensor{list(value.shape)}"
    if _is_trace(value):
        return f"Trace of {' '.join(value.tokens[0][:6])!r}"
    if isinstance(value, (list, tuple)) and len(value) > 8:
        return f"{len(value)} values"
    return repr(value) if len(repr(value)) <= 60 else f"{repr(value)[:57]}..."
