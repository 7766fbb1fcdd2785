"""Checkpoints of other libraries become folders in Hugging Face's layout: ``electra-lab convert``.

The original checkpoints of google-research/electra hold generator and discriminator together, with the
optimiser's state. Their embeddings are shared and lie under ``electra/``; the generator's encoder lies
under ``generator/``, or, where both parts are one encoder, under ``electra/`` too (run_pretraining.py).
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

import electra_lab
from electra_lab.model.config import ElectraConfig
from electra_lab.model.pretrained import PreTrainedModel
from electra_lab.text.tokenization import ElectraTokenizerFast
from electra_lab.text.vocabulary import read_vocabulary

from .atomic import atomic_folder
from .hub import CONFIG_FILE, TOKENIZER_FILES
from .parameter_names import HEAD_NAMES, PARTS, from_hugging_face, from_original
from .store import fill_model, read_config_file
from .tensor_bundle import TensorBundle, find_bundle
from .weights import WEIGHTS_FILES, read_weights

HEAD_SIZE = 64  # of every released model (paper, appendix A)

# Variables of a training run that are no parameters: Adam's two moments (model/optimization.py), the
# step, and a temperature of sampling, which transformers' own converter leaves out as well.
_OF_TRAINING = re.compile(r"(^|/)(adam_m|adam_v|global_step|temperature)$")


@dataclass(frozen=True)
class Converted:
    """What ``convert`` did."""

    output: Path
    model_class: str
    parameters: int
    notes: tuple[str, ...]

    def __str__(self) -> str:
        done = f"{self.model_class} with {self.parameters:,} parameters, written to {self.output}"
        return "\n".join([done, *self.notes])


def convert(
    source: str | Path,
    output: str | Path,
    part: str | None = None,
    *,
    config: str | Path | None = None,
    vocab: str | Path | None = None,
) -> Converted:
    """Turn a checkpoint into a folder that this package and transformers load.

    Args:
        source: an original TensorFlow checkpoint of google-research/electra (its folder, or the
            beginning of its files' names, such as ``electra_small/model.ckpt-1000000``), or a folder
            with ``config.json`` and weights of Keras (``tf_model.h5``), Flax
            (``flax_model.msgpack``) or PyTorch.
        output: a new folder.
        part: ``"discriminator"`` or ``"generator"``; an original checkpoint holds both. May be left
            out for a folder whose configuration names its model.
        config: a ``config.json`` in Hugging Face's form. Default: that of the folder. For an original
            checkpoint the sizes are read off the shapes, which do not show the number of attention
            heads: as many of size 64 as fit are assumed, which is what the released models have.
        vocab: the vocabulary. Default: the tokenizer's files beside the checkpoint, if there are any.

    Raises:
        FileNotFoundError: there is no checkpoint at ``source``, or a file of it is missing.
        FileExistsError: ``output`` is there and not empty; nothing is overwritten.
        ModuleNotFoundError: a library that reads weights of Keras or Flax is not installed.
        ValueError: the part is not in the checkpoint, parameters are missing or of other shapes than
            the configuration says, a file is damaged, or the vocabulary is larger than its table.
    """
    source, output = Path(source), Path(output)
    if part not in (None, *PARTS):
        raise ValueError(f"part is {part!r}; expected {' or '.join(PARTS)}.")
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise FileExistsError(
            f"{output} is there already and is not an empty folder. Name a new folder; nothing is "
            "overwritten."
        )
    given = None if config is None else read_config_file(Path(config))
    if (source / CONFIG_FILE).is_file() and any((source / f).is_file() for f in WEIGHTS_FILES):
        model, notes = _from_folder(source, part, given)
    else:
        model, notes = _from_original(source, part, given)
    tokenizer = _tokenizer_files(source, vocab)
    with atomic_folder(output) as partial:
        model.save_pretrained(partial)
        notes.append(_write_tokenizer(tokenizer, partial, model.config))
    return Converted(output, type(model).__name__, model.num_parameters(), tuple(notes))


def _from_folder(
    folder: Path, part: str | None, config: ElectraConfig | None
) -> tuple[PreTrainedModel, list[str]]:
    config = config or read_config_file(folder / CONFIG_FILE)
    named = (config.extra.get("architectures") or [None])[0]
    model_class = named if part is None else PARTS[part]
    if model_class not in HEAD_NAMES:
        raise ValueError(
            f"{folder / CONFIG_FILE} says that it is a {named!r}, which is no model of this package. "
            f"Say what it is with --part {' or --part '.join(PARTS)}."
        )
    return _model(model_class, config, read_weights(folder), folder), []


def _from_original(
    source: Path, part: str | None, config: ElectraConfig | None
) -> tuple[PreTrainedModel, list[str]]:
    prefix = find_bundle(source)
    if prefix is None:
        raise FileNotFoundError(_no_checkpoint(source))
    bundle = TensorBundle(prefix)
    names = [name for name in bundle.variables if not _OF_TRAINING.search(name)]
    there = [p for p in PARTS if any(name.startswith(f"{p}_predictions/") for name in names)]
    if part not in there:
        wanted = "Say which part to convert" if part is None else f"It has no {part}"
        raise ValueError(
            f"{prefix} holds {_scopes(names)}. {wanted}: "
            + (
                f"--part {' or --part '.join(there)}."
                if there
                else "neither part's head (discriminator_predictions, generator_predictions) is in it, "
                "as in a checkpoint that was fine-tuned or is of another model."
            )
        )
    taken = _variables_of(part, names)
    tensors, unknown = {}, []
    for variable in taken:
        name, transposed = from_original(variable)
        if from_hugging_face(name, PARTS[part]) is None:
            unknown.append(variable)
            continue
        tensor = bundle.read(variable)
        tensors[name] = tensor.T if transposed else tensor
    notes = []
    if config is None:
        config = _config_of_shapes(tensors, part, prefix)
        heads = config.num_attention_heads
        notes.append(
            "The sizes were read off the shapes. These do not show the number of attention heads: "
            f"{heads} of size {config.head_size} {'is' if heads == 1 else 'are'} assumed, since heads "
            f"have size {HEAD_SIZE} in the released models. Give --config if yours has another number."
        )
    model = _model(PARTS[part], config, tensors, prefix)
    left_out = [*unknown, *(name for name in names if name not in taken)]
    training = len(bundle.variables) - len(names)
    notes.append(
        f"Left out: {_scopes(left_out) or 'no parameters'}, and {training} variables of training."
    )
    return model, notes


def _variables_of(part: str, names: list[str]) -> list[str]:
    """Those variables that make up one part."""
    prefixes = [f"{part}_predictions/"]
    for module in ("embeddings/", "embeddings_project/", "encoder/"):
        own = f"{part}/{module}"
        is_apart = part == "generator" and any(
            name.startswith("generator/encoder/") for name in names
        )
        if module == "embeddings/":  # the generator's own only if they were untied in training
            is_apart = any(name.startswith(own) for name in names)
        prefixes.append(own if is_apart else f"electra/{module}")
    return [name for name in names if name.startswith(tuple(prefixes))]


def _config_of_shapes(tensors: dict[str, Tensor], part: str, prefix: Path) -> ElectraConfig:
    def shape(name: str) -> tuple[int, ...]:
        if name not in tensors or tensors[name].ndim != 2:
            raise ValueError(
                f"{prefix} is not complete: it lacks the matrix that is called {name} in Hugging Face's "
                "layout, from which sizes are read. Save or copy it again."
            )
        return tuple(tensors[name].shape)

    vocab_size, embedding_size = shape("electra.embeddings.word_embeddings.weight")
    intermediate_size, hidden_size = shape("electra.encoder.layer.0.intermediate.dense.weight")
    layers = {name.split(".")[3] for name in tensors if name.startswith("electra.encoder.layer.")}
    heads = hidden_size // HEAD_SIZE
    if part == "generator":  # narrower than a head is one head (run_pretraining.py)
        heads = max(1, heads)
    elif hidden_size % HEAD_SIZE:
        heads = 0
    if not heads or hidden_size % heads:
        raise ValueError(
            f"{prefix} has a {part} with a hidden size of {hidden_size}, which heads of size "
            f"{HEAD_SIZE} cannot share. The shapes do not show how many heads there are: give --config."
        )
    return ElectraConfig(
        vocab_size=vocab_size,
        embedding_size=embedding_size,
        hidden_size=hidden_size,
        num_hidden_layers=len(layers),
        num_attention_heads=heads,
        intermediate_size=intermediate_size,
        max_position_embeddings=shape("electra.embeddings.position_embeddings.weight")[0],
        type_vocab_size=shape("electra.embeddings.token_type_embeddings.weight")[0],
    )


def _model(
    model_class: str, config: ElectraConfig, tensors: dict[str, Tensor], source: Path
) -> PreTrainedModel:
    """A model of these tensors; nothing in it is left as it started."""
    model: PreTrainedModel = getattr(electra_lab, model_class)(config)
    missing = fill_model(model, tensors, source)
    if missing:
        some = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if missing[5:] else "")
        raise ValueError(
            f"{source} is no complete {model_class}: it lacks {some}. Is it this part, and is the "
            "configuration its own? If so, save or copy it again."
        )
    return model


def _tokenizer_files(source: Path, vocab: str | Path | None) -> list[Path]:
    """The given vocabulary, or what is there of a tokenizer beside the checkpoint."""
    if vocab is not None:
        if not Path(vocab).is_file():
            raise FileNotFoundError(
                f"There is no vocabulary {vocab}. Name the checkpoint's vocab.txt."
            )
        return [Path(vocab)]
    folder = source if source.is_dir() else source.parent
    return [folder / name for name in TOKENIZER_FILES if (folder / name).is_file()]


def _write_tokenizer(files: list[Path], folder: Path, config: ElectraConfig) -> str:
    """Put the tokenizer beside the model; returns what to say of it."""
    if not files:
        return "No vocabulary was found beside it; give --vocab to have a tokenizer as well."
    named = ", ".join(str(file) for file in files)
    if any(file.name in TOKENIZER_FILES[1:] for file in files):  # with settings, which are kept
        for file in files:
            shutil.copyfile(file, folder / file.name)
        return f"Tokenizer copied: {named}."
    pieces, rows = read_vocabulary(files[0]), config.vocab_size
    if len(pieces) > rows:
        raise ValueError(
            f"{named} has {len(pieces)} pieces, but the word table has {rows} rows: it belongs to "
            "another model. Name the right one with --vocab."
        )
    cased = any(piece != piece.lower() for piece in pieces if not piece.startswith("["))
    made = ElectraTokenizerFast(files[0], do_lower_case=not cased)
    made.save_pretrained(folder, longest=config.max_position_embeddings)
    case = "has upper-case pieces: text is not lower-cased" if cased else "text is lower-cased"
    return f"Tokenizer made from {named} ({case})."


def _scopes(names: list[str]) -> str:
    """Variables counted by the first part of their names."""
    counted = Counter(name.split("/")[0] for name in names)
    return ", ".join(f"{scope} ({count})" for scope, count in sorted(counted.items()))


def _no_checkpoint(source: Path) -> str:
    expected = (
        "Expected an original TensorFlow checkpoint (a folder with model.ckpt.index and "
        "model.ckpt.data-00000-of-00001, or the beginning of their names), or a folder with "
        f"{CONFIG_FILE} and one of {', '.join(WEIGHTS_FILES)}."
    )
    if not source.exists():
        return f"There is no checkpoint {source}. {expected}"
    if not source.is_dir():
        return f"{source} is a file, and no index of a TensorFlow checkpoint. {expected}"
    there = ", ".join(sorted(path.name for path in source.iterdir())) or "nothing"
    return f"There is no checkpoint in {source}; it holds {there}. {expected}"
