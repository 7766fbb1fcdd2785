"""The one table between this package's parameter names and those on disk.

Inside the package names are plain (``attention.query``); files carry Hugging Face's names, so that
each side loads the other's folders. TensorFlow's and Flax's names are paths that, part by part, say
the same as Hugging Face's; the few parts that differ are in the second table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

# own module -> Hugging Face's module; {} stands for the number of a layer
ENCODER_NAMES: dict[str, str] = {
    "electra.embeddings.word": "electra.embeddings.word_embeddings",
    "electra.embeddings.position": "electra.embeddings.position_embeddings",
    "electra.embeddings.token_type": "electra.embeddings.token_type_embeddings",
    "electra.embeddings.norm": "electra.embeddings.LayerNorm",
    "electra.projection": "electra.embeddings_project",
    "electra.encoder.layers.{}.attention.query": "electra.encoder.layer.{}.attention.self.query",
    "electra.encoder.layers.{}.attention.key": "electra.encoder.layer.{}.attention.self.key",
    "electra.encoder.layers.{}.attention.value": "electra.encoder.layer.{}.attention.self.value",
    "electra.encoder.layers.{}.attention.output": "electra.encoder.layer.{}.attention.output.dense",
    "electra.encoder.layers.{}.attention_norm": "electra.encoder.layer.{}.attention.output.LayerNorm",
    "electra.encoder.layers.{}.attention.relative_positions.table": (
        "electra.encoder.layer.{}.attention.self.distance_embedding"
    ),
    **{
        f"electra.encoder.layers.{{}}.cross_attention.{name}": (
            f"electra.encoder.layer.{{}}.crossattention.self.{name}"
        )
        for name in ("query", "key", "value")
    },
    "electra.encoder.layers.{}.cross_attention.output": (
        "electra.encoder.layer.{}.crossattention.output.dense"
    ),
    "electra.encoder.layers.{}.cross_attention_norm": (
        "electra.encoder.layer.{}.crossattention.output.LayerNorm"
    ),
    "electra.encoder.layers.{}.feed_forward.expand": "electra.encoder.layer.{}.intermediate.dense",
    "electra.encoder.layers.{}.feed_forward.contract": "electra.encoder.layer.{}.output.dense",
    "electra.encoder.layers.{}.feed_forward_norm": "electra.encoder.layer.{}.output.LayerNorm",
}

HEAD_NAMES: dict[str, dict[str, str]] = {
    "ElectraModel": {},
    "ElectraForPreTraining": {
        "head.dense": "discriminator_predictions.dense",
        "head.score": "discriminator_predictions.dense_prediction",
    },
    "ElectraForMaskedLM": {
        "head.dense": "generator_predictions.dense",
        "head.norm": "generator_predictions.LayerNorm",
        "head": "generator_lm_head",
    },
    "ElectraForCausalLM": {
        "head.dense": "generator_predictions.dense",
        "head.norm": "generator_predictions.LayerNorm",
        "head": "generator_lm_head",
    },
    "ElectraForSequenceClassification": {
        "head.dense": "classifier.dense",
        "head.score": "classifier.out_proj",
    },
    "ElectraForTokenClassification": {"head.score": "classifier"},
    "ElectraForQuestionAnswering": {"head.score": "qa_outputs"},
    "ElectraForMultipleChoice": {
        "head.summary.dense": "sequence_summary.summary",
        "head.score": "classifier",
    },
}

# In files but not in our models: the buffer of older versions, and the generator's output table,
# which is the word table.
NOT_PARAMETERS = ("electra.embeddings.position_ids", "generator_lm_head.weight")

# The last part of a path in TensorFlow and Flax -> that of Hugging Face's name. Both multiply from
# the right (x @ kernel), PyTorch from the left: a kernel is the transpose of a weight.
LAST_PARTS = {
    "kernel": "weight",
    "gamma": "weight",  # LayerNorm in TensorFlow
    "beta": "bias",
    "scale": "weight",  # LayerNorm in Flax
    "embedding": "weight",  # a table in Flax
    "embeddings": "weight",  # and in Keras
    "weight": "weight",
    "bias": "bias",
}

# Where the names of google-research/electra say something else than Hugging Face's (run_pretraining.py;
# TensorFlow itself counts the second of two layers without a name as dense_1).
ORIGINAL_NAMES = {
    "discriminator_predictions/dense_1": "discriminator_predictions/dense_prediction",
    "generator_predictions/output_bias": "generator_lm_head/bias",
}
PARTS = {"discriminator": "ElectraForPreTraining", "generator": "ElectraForMaskedLM"}


def from_path(path: Sequence[str]) -> tuple[str, bool]:
    """Hugging Face's name of a parameter that TensorFlow or Flax calls by a path, and whether its
    matrix is the transpose.

    A last part that is not in the table is kept: such a name has no place in any model.
    """
    *modules, last = path
    return ".".join([*modules, LAST_PARTS.get(last, last)]), last == "kernel"


def from_original(variable: str) -> tuple[str, bool]:
    """The same for a variable of google-research/electra, its scope ``electra`` or ``generator``
    included (model/modeling.py)."""
    for theirs, renamed in ORIGINAL_NAMES.items():
        if variable == theirs or variable.startswith(theirs + "/"):
            variable = renamed + variable.removeprefix(theirs)
    if variable.endswith("_embeddings"):  # the tables have no last part
        variable += "/weight"
    path = re.sub(r"/layer_(\d+)/", r"/layer/\1/", variable).split("/")
    if path[0] == "generator":
        path[0] = "electra"
    return from_path(path)


def to_hugging_face(name: str, model_class: str) -> str:
    """The name on disk of one of our parameters.

    Args:
        name: the parameter's name in a model of ``model_class`` (``ElectraModel``'s own parameters
            have no ``electra.`` in front, here and on disk).
        model_class: for example ``"ElectraForPreTraining"``.

    Raises:
        KeyError: the table has no such parameter.
    """
    return _translate(name, model_class, _table(model_class))


def from_hugging_face(name: str, model_class: str) -> str | None:
    """Our name of a parameter on disk, or None where a model of this class has none."""
    try:
        table = {theirs: own for own, theirs in _table(model_class).items()}
        return _translate(name, model_class, table)
    except KeyError:
        return None


def align_prefix(names: Iterable[str], model_class: str) -> dict[str, str]:
    """Map each name on disk to the one that ``model_class`` uses on disk.

    A bare model's files have no ``electra.`` in front of the encoder's names, those of a model with
    a head have it; either may be loaded into the other.
    """
    names = list(names)
    bare_file = not any(name.startswith("electra.") for name in names)
    aligned = {}
    for name in names:
        inside = name if bare_file else name.removeprefix("electra.")
        of_encoder = inside.startswith(("embeddings.", "embeddings_project.", "encoder."))
        prefix = "electra." if of_encoder and model_class != "ElectraModel" else ""
        aligned[name] = prefix + inside if of_encoder else name
    return aligned


def _table(model_class: str) -> dict[str, str]:
    if model_class not in HEAD_NAMES:
        raise KeyError(
            f"No parameter names are known for {model_class}; they are for {', '.join(HEAD_NAMES)}."
        )
    table = {**ENCODER_NAMES, **HEAD_NAMES[model_class]}
    if model_class == "ElectraModel":
        strip = "electra."
        table = {own.removeprefix(strip): their.removeprefix(strip) for own, their in table.items()}
    return table


def _translate(name: str, model_class: str, table: dict[str, str]) -> str:
    module, _, parameter = name.rpartition(".")
    numbers = re.findall(r"\.(\d+)\.", module)
    pattern = re.sub(r"\.\d+\.", ".{}.", module)
    if pattern not in table:
        raise KeyError(f"{model_class} has no parameter {name!r}.")
    return f"{table[pattern].format(*numbers)}.{parameter}"
