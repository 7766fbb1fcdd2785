"""``trace``: one forward pass, with everything that it computed kept by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from electra_lab.model.electra import bare_model

from .gradients import Gradients, attributions_of, check_request
from .inputs import Inputs, prepare
from .interventions import Intervention, Setting, bind
from .live import check_agreement, own_model
from .outcome import kind_of, labels_of, logits_of
from .recorder import Recorder, run, undisturbed
from .result import Trace, as_recorded
from .size import MAX_BYTES, check_size


def trace(
    model: Any,
    inputs: Any,
    *,
    tokenizer: Any = None,
    interventions: Intervention | Sequence[Intervention] = (),
    gradients: Gradients | None = None,
    max_bytes: int = MAX_BYTES,
) -> Trace:
    """Run a model once and keep everything that it computed on the way.

    Args:
        model: any ELECTRA of this package, or a live one of transformers
            (``transformers.ElectraFor...``), whose parameters are used where they are, after its outcome
            on these inputs was checked to agree. Dropout is off while it runs; its mode, attention path
            and parameters are as before afterwards.
        inputs: a text; a (text, text) pair; ``{"question": ..., "context": ...}``, which for question
            answering becomes a row for each window of a long context, as a pair does;
            ``{"context": ..., "choices": [...]}`` for multiple choice; a list of one of these; or what a
            tokenizer returns, or a dictionary of tensors as the model takes them (labels are left out).
        tokenizer: of this package or of transformers; needed for texts, and for tokens by name.
        interventions: what to change on the way, in this order.
        gradients: ``InputXGradient(...)`` or ``IntegratedGradients(...)``: which tokens moved an
            outcome; the answer is in ``attributions``.
        max_bytes: the largest trace that is made; see ``estimated_bytes``.

    Raises:
        ValueError: the inputs are empty, too long or of no known form; texts without a tokenizer; an
            intervention or a target does not fit; a transformers model does not agree with ours.
        IndexError: a layer, head, row, position or label was named that is not there.
        TypeError: the model is no ELECTRA of this package or of transformers, or one that was modified;
            or an intervention is none.
        MemoryError: the trace would be larger than ``max_bytes``.
    """
    if gradients is not None:
        check_request(gradients)
    own = own_model(model)
    kind = kind_of(own)
    prepared = prepare(own, kind, inputs, tokenizer)
    check_size(own, kind, prepared, max_bytes)
    listed = [interventions] if isinstance(interventions, Intervention) else list(interventions)
    bound = bind(listed, setting_of(own, prepared, tokenizer))
    if own is not model:
        check_agreement(model, own, kind, prepared)
    recorder = Recorder(bare_model(own), bound)
    with undisturbed(own), torch.no_grad(), recorder.watching():
        output = run(own, prepared.tensors)
    logits = logits_of(kind, output)
    segments = prepared.flat("token_type_ids")
    ids = prepared.flat("input_ids")
    zeros = torch.zeros(prepared.shape, dtype=torch.long)
    labels = labels_of(kind, own.config, tokenizer, prepared.choices)
    recorded = None if logits is None else as_recorded(logits)
    vectors = recorder.notes["vectors"]
    attributions = None
    if gradients is not None:
        attributions = attributions_of(
            gradients, own, kind, prepared, bound, vectors, recorded, labels, tokenizer
        )
    return Trace(
        model=type(own).__name__,
        kind=kind,
        tokens=prepared.tokens,
        words=prepared.words,
        sides=prepared.sides,
        offsets=prepared.offsets,
        texts=prepared.texts,
        of_input=prepared.of_input,
        input_ids=None if ids is None else ids.cpu().long(),
        mask=prepared.mask.cpu(),
        segments=zeros if segments is None else segments.cpu().long().expand_as(zeros).clone(),
        vectors=vectors,
        embeddings=recorder.notes["embeddings"],
        projected=recorder.notes["projected"],
        layers=recorder.layer_traces(),
        logits=recorded,
        labels=labels,
        attributions=attributions,
        interventions=tuple(repr(intervention) for intervention in listed),
    )


def setting_of(model: Any, inputs: Inputs, tokenizer: Any) -> Setting:
    """What interventions are checked against."""
    bare = bare_model(model)
    config = model.config
    rows, seq = inputs.shape
    return Setting(
        rows=rows,
        seq=seq,
        heads=tuple(
            int(layer.get_submodule("attention").heads)  # type: ignore[arg-type]
            for layer in bare.encoder.layers
        ),
        hidden=config.hidden_size,
        embedding=config.embedding_size,
        vocab=config.vocab_size,
        tokenizer=tokenizer,
        device=bare.device,
        dtype=bare.dtype,
    )
