"""Which tokens moved an outcome: gradients with respect to the tokens' vectors.

Explained is always a logit: probabilities add a softmax in which every other label has a say. Position
and token type stay as they are; a token's share is that of its vector of the word table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from electra_lab.model.electra import bare_model

from .inputs import Inputs
from .interventions import Intervention
from .outcome import Kind, Logits, logits_of
from .recorder import Recorder, run, undisturbed
from .result import Attributions, as_recorded

Vectors = Float[Tensor, "batch seq embedding"]


@dataclass(frozen=True)
class Gradients:
    """Base of what can be asked for: the target.

    Attributes:
        label: name or number of a label; for a generator a piece of the vocabulary or its id;
            ``"start"`` or ``"end"`` for an answer. Default: for each row the label with the highest
            logit. Where rows are choices, each is explained by its own logit; nothing is to be chosen.
        position: the token whose outcome is meant, for heads that score tokens. Default for start and
            end: the likeliest token. Other such heads need it.
    """

    label: str | int | None = None
    position: int | None = None


@dataclass(frozen=True)
class InputXGradient(Gradients):
    """Each vector times the gradient of the target (Shrikumar et al. 2016): one pass, exact
    for a linear model, local for any other."""


@dataclass(frozen=True)
class IntegratedGradients(Gradients):
    """The gradient averaged on the straight line from a baseline to the input, times the way between
    (Sundararajan et al. 2017, equation 1). The tokens' shares add up to what the target gained on the
    way, up to the error that ``Attributions.completeness`` states.

    Attributes:
        baseline: vectors to compare with: None for zeros (section 6 of the paper, for texts), a piece of
            the vocabulary such as ``"[MASK]"`` in the place of every token, or vectors that fit
            [batch seq embedding].
        steps: points on the line; each costs a pass there and back. The paper finds 20 to 300 enough
            (section 5).
    """

    baseline: Any = None
    steps: int = 50


def check_request(gradients: Any) -> None:
    """Whether this asks for gradients.

    Raises:
        TypeError: it does not.
        ValueError: there are no steps.
    """
    if not isinstance(gradients, InputXGradient | IntegratedGradients):
        raise TypeError(
            f"gradients is {gradients!r:.60}; expected InputXGradient(...) or "
            "IntegratedGradients(...)."
        )
    if isinstance(gradients, IntegratedGradients) and gradients.steps < 1:
        raise ValueError(f"steps is {gradients.steps}; it must be 1 or more.")


def attributions_of(
    gradients: Gradients,
    model: Any,
    kind: Kind,
    inputs: Inputs,
    interventions: Sequence[Intervention],
    vectors: Vectors,
    logits: Logits | None,
    labels: Sequence[str],
    tokenizer: Any,
) -> Attributions:
    """What gradients say of a pass that was traced.

    Args:
        vectors: the tokens' vectors in that pass.
        logits: what it ended in.

    Raises:
        ValueError: the target or the baseline does not fit the head or the inputs.
        IndexError: there is no such position or label.
    """
    index, targets = _target(gradients, kind, logits, labels, inputs)
    bare = bare_model(model)
    x = vectors.to(bare.device, bare.dtype)
    mask = inputs.mask[:, :, None]

    def value_and_gradient(at: Vectors) -> tuple[Float[Tensor, " batch"], Vectors]:
        leaf = at.detach().clone().requires_grad_()
        watcher = Recorder(bare, interventions, record=False, vectors=leaf)
        with watcher.watching():
            found = logits_of(kind, run(model, tensors))
        assert found is not None
        values = found.reshape(len(at), -1).gather(1, index[:, None])[:, 0]
        (gradient,) = torch.autograd.grad(values.sum(), leaf)
        return values.detach(), gradient

    with undisturbed(model), torch.inference_mode(False), torch.enable_grad():
        # what was made in inference mode cannot take part
        tensors = {name: tensor.clone() for name, tensor in inputs.tensors.items()}
        index = index.to(model.device).clone()
        if isinstance(gradients, InputXGradient):
            outcome, gradient = value_and_gradient(x)
            return _attributions("input x gradient", targets, x * gradient * mask, outcome)
        assert isinstance(gradients, IntegratedGradients)
        start = torch.where(mask, _baseline(gradients.baseline, x, bare, tokenizer), x)
        total = _integral(value_and_gradient, start, x, gradients.steps)
        outcome, _ = value_and_gradient(x)
        before, _ = value_and_gradient(start)
    return _attributions(
        "integrated gradients",
        targets,
        total,
        outcome,
        baseline=_named(gradients.baseline),
        baseline_outcome=as_recorded(before),
        steps=gradients.steps,
    )


def _attributions(
    method: str,
    targets: tuple[str, ...],
    per_dimension: Vectors,
    outcome: Float[Tensor, " batch"],
    **more: Any,
) -> Attributions:
    parts = as_recorded(per_dimension)
    return Attributions(method, targets, parts.sum(-1), parts, as_recorded(outcome), **more)


def _integral(
    value_and_gradient: Callable[[Vectors], tuple[Tensor, Vectors]],
    start: Vectors,
    end: Vectors,
    steps: int,
) -> Vectors:
    """The way times the mean gradient on it, by the midpoint rule."""
    total = torch.zeros_like(end, dtype=torch.promote_types(end.dtype, torch.float32))
    for step in range(steps):
        _, gradient = value_and_gradient(start + (step + 0.5) / steps * (end - start))
        total += gradient
    return total / steps * (end - start)


def _baseline(baseline: Any, x: Vectors, bare: Any, tokenizer: Any) -> Vectors:
    if baseline is None:
        return torch.zeros_like(x)
    if isinstance(baseline, str):
        vocabulary = {} if tokenizer is None else tokenizer.get_vocab()
        if baseline not in vocabulary:
            raise ValueError(
                f"baseline is {baseline!r}, which is no piece of the vocabulary"
                f"{' (there is no tokenizer)' if tokenizer is None else ''}. Give None for zeros, a "
                "piece such as '[MASK]' with tokenizer=..., or vectors."
            )
        return bare.embeddings.word.weight[vocabulary[baseline]].detach().expand_as(x)
    try:
        return torch.as_tensor(baseline).to(x).expand_as(x)
    except (RuntimeError, TypeError, ValueError) as error:
        raise ValueError(
            f"baseline is {baseline!r:.60}; expected None, a piece of the vocabulary, or vectors that "
            f"fit {tuple(x.shape)}, (batch, seq, embedding_size)."
        ) from error


def _named(baseline: Any) -> str:
    if baseline is None:
        return "zero vectors"
    return f"{baseline} everywhere" if isinstance(baseline, str) else "given vectors"


def _target(
    wanted: Gradients, kind: Kind, logits: Logits | None, labels: Sequence[str], inputs: Inputs
) -> tuple[Int[Tensor, " batch"], tuple[str, ...]]:
    """For each row where its target stands among its logits, and what it is called."""
    rows = inputs.shape[0]
    if logits is None:
        raise ValueError(
            "The bare model has no outcome, so gradients have no target. Trace a model with a head."
        )
    if kind == "choices":
        if wanted.label is not None or wanted.position is not None:
            raise ValueError(
                "Each choice is explained by its own logit; leave label and position out."
            )
        places = torch.arange(rows) % len(labels)
        return torch.zeros(rows, dtype=torch.long), tuple(
            labels[place] for place in places.tolist()
        )
    per_row = logits.reshape(rows, -1)
    if kind in ("classes", "several classes", "number"):
        if wanted.position is not None:
            raise ValueError("This head scores whole sequences; leave position out.")
        column = _label(wanted.label, labels)
        index = per_row.argmax(-1) if column is None else torch.full((rows,), column)
        return index, tuple(labels[number] for number in index.tolist())
    scores = logits[:, :, None] if kind == "replaced" else logits
    position = _position(wanted.position, kind, inputs)
    column = 0 if kind == "replaced" and wanted.label is None else _label(wanted.label, labels)
    if kind == "span" and column is None:
        raise ValueError("Say which logit is meant: label='start' or label='end'.")
    if position is None:
        allowed = scores[:, :, column].masked_fill(~inputs.mask.cpu(), -torch.inf)
        place = allowed.argmax(-1)
    else:
        place = torch.full((rows,), position)
    every = torch.arange(rows)
    column_of = (
        scores[every, place].argmax(-1) if column is None else torch.full((rows,), int(column))
    )
    names = tuple(
        f"{labels[label]} at token {token}"
        for label, token in zip(column_of.tolist(), place.tolist(), strict=True)
    )
    return place * scores.shape[-1] + column_of, names


def _label(label: str | int | None, labels: Sequence[str]) -> int | None:
    if label is None:
        return None
    if isinstance(label, str):
        if label not in labels:
            known = ", ".join(labels[:10]) + " ..." * (len(labels) > 10)
            raise ValueError(f"There is no label {label!r}; the labels are {known}.")
        return list(labels).index(label)
    if not 0 <= label < len(labels):
        raise IndexError(f"There is no label {label}; the labels are 0 to {len(labels) - 1}.")
    return label


def _position(position: int | None, kind: Kind, inputs: Inputs) -> int | None:
    if position is None:
        if kind == "span":
            return None
        raise ValueError("This head scores tokens; say which token is meant: position=...")
    if not 0 <= position < inputs.shape[1]:
        raise IndexError(
            f"There is no token {position}; the tokens are 0 to {inputs.shape[1] - 1}."
        )
    if not bool(inputs.mask[:, position].all()):
        raise ValueError(
            f"Token {position} is padding in one of the rows. Trace the rows one by one."
        )
    return position
