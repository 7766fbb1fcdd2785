"""What a trace holds: everything that a forward pass computed, by name."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from .outcome import PER_TOKEN, Kind, Logits, probabilities_of

PerHead = Float[Tensor, "batch heads seq head_size"]


@dataclass(frozen=True, repr=False, eq=False)
class LayerTrace:
    """What one layer of the encoder computed.

    Attributes:
        queries, keys, values: [batch heads seq head_size].
        attention: [batch heads query key], the weights after the softmax and after interventions. Each
            row sums to 1, unless a head was switched off or given other weights.
        head_outputs: [batch heads seq head_size], ``attention @ values``: what each head hands on.
        attention_output: [batch seq hidden], all heads through the output matrix; what attention adds
            to the states, before the LayerNorm.
        hidden: [batch seq hidden], what leaves the layer, after interventions.
        position_scores: [batch heads query key], what relative positions add to the scores; None where
            the model has absolute positions.
    """

    queries: PerHead
    keys: PerHead
    values: PerHead
    attention: Float[Tensor, "batch heads seq seq"]
    head_outputs: PerHead
    attention_output: Float[Tensor, "batch seq hidden"]
    hidden: Float[Tensor, "batch seq hidden"]
    position_scores: Float[Tensor, "batch heads seq seq"] | None = None

    @property
    def heads(self) -> int:
        """How many heads the layer has."""
        return self.queries.shape[1]

    @property
    def scores(self) -> Float[Tensor, "batch heads seq seq"]:
        """The scores before the softmax, Q K^T / sqrt(head_size) (Vaswani et al. 2017, equation 1),
        relative positions included; also where the mask or the decoder's order forbids to look."""
        scores = self.queries @ self.keys.transpose(-1, -2) / math.sqrt(self.queries.shape[-1])
        return scores if self.position_scores is None else scores + self.position_scores

    def tensors(self) -> dict[str, Tensor]:
        """All tensors that the layer holds, by name."""
        return _tensors(self)

    def select(self, row: int, places: Int[Tensor, " seq"]) -> LayerTrace:
        """One sequence, and only these of its tokens."""
        chosen = {}
        for name, tensor in self.tensors().items():
            part = tensor[row : row + 1]
            part = part.index_select(1 if part.dim() == 3 else 2, places)
            if name in ("attention", "position_scores"):
                part = part.index_select(3, places)
            chosen[name] = part
        return LayerTrace(**chosen)

    def __repr__(self) -> str:
        return f"LayerTrace({self.heads} heads, {self.hidden.shape[1]} tokens)"


@dataclass(frozen=True, repr=False, eq=False)
class Attributions:
    """How much each token moved a target.

    Attributes:
        method: ``"input x gradient"`` or ``"integrated gradients"``.
        targets: what was explained, in words, for each row.
        scores: [batch seq], one number for each token: the sum of its vector's entries. Padding has 0.
        per_dimension: [batch seq embedding], the same before it was summed.
        outcome: [batch], the target's value, a logit.
        baseline: what the tokens were compared with, in words; None for input x gradient.
        baseline_outcome: [batch], the target's value there.
        steps: points between baseline and input; None for input x gradient.
    """

    method: str
    targets: tuple[str, ...]
    scores: Float[Tensor, "batch seq"]
    per_dimension: Float[Tensor, "batch seq embedding"]
    outcome: Float[Tensor, " batch"]
    baseline: str | None = None
    baseline_outcome: Float[Tensor, " batch"] | None = None
    steps: int | None = None

    @property
    def completeness(self) -> Float[Tensor, " batch"] | None:
        """What the scores fail to account for: their sum minus (outcome - baseline outcome). Integrated
        gradients would have 0 with infinitely many steps (Sundararajan et al. 2017, proposition 1);
        None for input x gradient, which promises nothing of the kind."""
        if self.baseline_outcome is None:
            return None
        return self.scores.sum(-1) - (self.outcome - self.baseline_outcome)

    def tensors(self) -> dict[str, Tensor]:
        """All tensors, by name."""
        return _tensors(self)

    def select(self, row: int, places: Int[Tensor, " seq"]) -> Attributions:
        """One sequence, and only these of its tokens."""
        chosen: dict[str, Any] = {}
        for name, tensor in self.tensors().items():
            part = tensor[row : row + 1]
            chosen[name] = part if part.dim() == 1 else part.index_select(1, places)
        return replace(self, targets=(self.targets[row],), **chosen)

    def __repr__(self) -> str:
        more = f" and {len(self.targets) - 1} more" if len(self.targets) > 1 else ""
        return f"Attributions({self.method} towards {self.targets[0]}{more})"


@dataclass(frozen=True, repr=False, eq=False)
class Trace:
    """Everything that one forward pass computed. All tensors are on the CPU, in float32 or better.

    A row is one sequence that the model read. A question with a long passage has a row for each window,
    a context with choices one for each choice; ``of_input`` says which rows belong together.

    Attributes:
        model: name of the model's class.
        kind: what its head says; one of ``electra_lab.inside.trace.outcome.KINDS``.
        tokens: for each row its tokens, padding included.
        words: for each row and token the number of its word in its text; None for special tokens.
        sides: for each row and token 0 or 1 for the first or second text; None for special tokens.
        offsets: for each row and token its characters (start, stop) in its text; None where the input
            came as ids without them.
        texts: for each row its text and its partner, or None; None where the input came as ids.
        of_input: for each row the number of the input that it belongs to.
        input_ids: [batch seq], None where the input came as vectors.
        mask: [batch seq], False at padding.
        segments: [batch seq], the token types.
        vectors: [batch seq embedding], each token's vector of the word table, after interventions.
        embeddings: [batch seq embedding], with position and token type, after the LayerNorm.
        projected: [batch seq hidden], what enters the first layer.
        layers: one ``LayerTrace`` for each layer.
        logits: as the model returns them; [batch seq 2] for start and end, [inputs choices] for choices;
            None for the bare model.
        labels: names of what is scored: the last axis of ``logits`` (a single ``"replaced"`` for the
            discriminator).
        choice: number of the choice that a selected row is.
        attributions: what gradients said, where they were asked for.
        interventions: what was changed in the pass, in words.
    """

    model: str
    kind: Kind
    tokens: list[list[str]]
    words: list[list[int | None]]
    sides: list[list[int | None]]
    offsets: list[list[tuple[int, int]]] | None
    texts: list[tuple[str, str | None]] | None
    of_input: list[int]
    input_ids: Int[Tensor, "batch seq"] | None
    mask: Bool[Tensor, "batch seq"]
    segments: Int[Tensor, "batch seq"]
    vectors: Float[Tensor, "batch seq embedding"]
    embeddings: Float[Tensor, "batch seq embedding"]
    projected: Float[Tensor, "batch seq hidden"]
    layers: tuple[LayerTrace, ...]
    logits: Logits | None
    labels: tuple[str, ...]
    choice: int | None = None
    attributions: Attributions | None = None
    interventions: tuple[str, ...] = ()

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.tokens)

    @property
    def probabilities(self) -> Float[Tensor, "..."] | None:
        """The logits as probabilities, of their shape; a regression's number as it is.

        Sigmoid for replaced tokens and for several labels; softmax over labels, words or choices; over
        the row's tokens for start and end. None for the bare model.
        """
        return None if self.logits is None else probabilities_of(self.kind, self.logits, self.mask)

    @property
    def hidden_states(self) -> tuple[Float[Tensor, "batch seq hidden"], ...]:
        """What enters the encoder and what leaves each layer, as transformers counts them."""
        return (self.projected, *(layer.hidden for layer in self.layers))

    @property
    def nbytes(self) -> int:
        """The size of all tensors in memory."""
        return sum(tensor.numel() * tensor.element_size() for tensor in self.tensors().values())

    def tensors(self) -> dict[str, Tensor]:
        """All tensors by name: ``"embeddings"``, ``"layers.0.attention"``, ``"attributions.scores"``."""
        found = _tensors(self)
        for number, layer in enumerate(self.layers):
            found |= {f"layers.{number}.{name}": part for name, part in layer.tensors().items()}
        if self.attributions is not None:
            parts = self.attributions.tensors()
            found |= {f"attributions.{name}": part for name, part in parts.items()}
        return found

    def outcome(
        self, row: int = 0, top: int | None = None
    ) -> dict[str, float] | list[dict[str, float]]:
        """What the head says of one row, by name.

        Args:
            row: its number.
            top: only so many of the highest; None for all.

        Returns:
            Label -> probability for a sequence (label -> number for a regression, choice -> probability
            for the choices that the row is one of); a list of these, one for each token, where the head
            scores tokens.

        Raises:
            ValueError: the bare model has no outcome.
            IndexError: there is no such row.
        """
        self._check_row(row)
        probabilities = self.probabilities
        if probabilities is None:
            raise ValueError(
                f"{self.model} has no head, so there is no outcome. Look at trace.layers[-1].hidden."
            )
        values = probabilities[self.of_input[row] if self.kind == "choices" else row]
        if self.kind == "replaced":
            values = values[:, None]
        if self.kind not in PER_TOKEN:
            return self._named(values, top)
        return [self._named(token, top) for token in values]

    def _named(self, values: Float[Tensor, " labels"], top: int | None) -> dict[str, float]:
        best = values.topk(len(values) if top is None else min(top, len(values)))
        order = sorted(best.indices.tolist()) if top is None else best.indices.tolist()
        return {self.labels[number]: float(values[number]) for number in order}

    def select(self, row: int) -> Trace:
        """One sequence of the batch, without its padding, as a trace of its own.

        A row that is one of several choices keeps the logits of all of them; ``choice`` says which
        it is.

        Raises:
            IndexError: there is no such row.
        """
        self._check_row(row)
        places = self.mask[row].nonzero().flatten()
        kept = places.tolist()
        chosen: dict[str, Any] = {}
        for name, tensor in _tensors(self).items():
            if name == "logits" and self.kind == "choices":
                number = self.of_input[row]
                chosen[name] = tensor[number : number + 1]
            elif name == "logits" and self.kind not in PER_TOKEN:
                chosen[name] = tensor[row : row + 1]
            else:
                chosen[name] = tensor[row : row + 1].index_select(1, places)
        for name in ("tokens", "words", "sides", "offsets"):
            rows = getattr(self, name)
            chosen[name] = None if rows is None else [[rows[row][place] for place in kept]]
        choice = self.choice
        if self.kind == "choices" and choice is None:
            choice = row - self.of_input.index(self.of_input[row])
        return replace(
            self,
            **chosen,
            texts=None if self.texts is None else [self.texts[row]],
            of_input=[0],
            layers=tuple(layer.select(row, places) for layer in self.layers),
            choice=choice,
            attributions=self.attributions and self.attributions.select(row, places),
        )

    def _check_row(self, row: int) -> None:
        if not 0 <= row < len(self):
            raise IndexError(f"There is no row {row}; the rows are 0 to {len(self) - 1}.")

    def save(self, path: str | Path) -> None:
        """Write the trace as one safetensors file, see ``electra_lab.inside.trace.files``."""
        from .files import save

        save(self, path)

    @staticmethod
    def load(path: str | Path) -> Trace:
        """Read what ``save`` wrote; equal to it in every number."""
        from .files import load

        return load(path)

    def __repr__(self) -> str:
        rows, seq = self.mask.shape
        many = f"{rows} rows of up to {seq} tokens" if rows > 1 else f"{seq} tokens"
        heads = sorted({layer.heads for layer in self.layers})
        changed = f", {len(self.interventions)} interventions" if self.interventions else ""
        first = " ".join(self.tokens[0][:8]) + " ..." * (seq > 8)
        return (
            f"Trace({self.model}: {many}, {len(self.layers)} layers x "
            f"{'/'.join(map(str, heads))} heads{changed}: {first})"
        )


def _tensors(record: Any) -> dict[str, Tensor]:
    values = ((field.name, getattr(record, field.name)) for field in fields(record))
    return {name: value for name, value in values if isinstance(value, Tensor)}


def as_recorded(tensor: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """As a trace keeps a tensor: without its gradient, on the CPU, in float32 or better."""
    tensor = tensor.detach().cpu()
    return tensor if tensor.dtype in (torch.float32, torch.float64) else tensor.float()
