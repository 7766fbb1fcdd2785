"""Models on disk, in Hugging Face's layout: ``config.json`` and ``model.safetensors``."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from electra_lab.model.config import ElectraConfig
from electra_lab.model.pretrained import Model, PreTrainedModel

from .atomic import atomic_folder
from .parameter_names import NOT_PARAMETERS, align_prefix, from_hugging_face, to_hugging_face
from .resources import bundled_checkpoints, data_path

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"


def resolve_folder(name: str | Path) -> Path:
    """The folder that a checkpoint's name stands for: a folder's path, or a bundled name.

    Raises:
        FileNotFoundError: it is neither.
    """
    folder = Path(name)
    if folder.is_dir():
        return folder
    if str(name) in bundled_checkpoints():
        return data_path("checkpoints", str(name))
    raise FileNotFoundError(
        f"There is no checkpoint {str(name)!r}: no folder has this path, and it is none of the "
        f"bundled ones ({', '.join(bundled_checkpoints()) or 'there are none'})."
    )


def load_config(name: str | Path, **changes: Any) -> ElectraConfig:
    """The configuration of a checkpoint.

    Raises:
        FileNotFoundError: no such checkpoint, or it has no ``config.json``.
        ValueError: the file is not a configuration of ELECTRA.
    """
    file = _file_in(resolve_folder(name), CONFIG_FILE)
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(
            f"{file} is not valid JSON ({error}). Save the checkpoint again."
        ) from error
    return ElectraConfig.from_dict({**values, **changes})


def save_model(
    model: PreTrainedModel, folder: str | Path, dtype: torch.dtype | None = None
) -> None:
    """Write a model; see ``PreTrainedModel.save_pretrained``."""
    model_class = type(model).__name__
    weights = {
        to_hugging_face(name, model_class): tensor.detach().to("cpu", dtype).contiguous().clone()
        for name, tensor in model.named_parameters()
    }
    stored = dtype or model.dtype
    config = {
        **model.config.to_dict(),
        "architectures": [model_class],
        "dtype": str(stored).removeprefix("torch."),
    }
    with atomic_folder(folder) as partial:
        (partial / CONFIG_FILE).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        try:
            save_file(weights, partial / WEIGHTS_FILE, metadata={"format": "pt"})
        except SafetensorError as error:
            raise OSError(None, str(error)) from error


def load_model(cls: type[Model], name: str | Path, **changes: Any) -> Model:
    """Read a model; see ``PreTrainedModel.from_pretrained``."""
    folder = resolve_folder(name)
    model = cls(load_config(folder, **changes))
    file = _file_in(folder, WEIGHTS_FILE)
    try:
        on_disk = load_file(file)
    except SafetensorError as error:
        raise ValueError(
            f"{file} is damaged or not a safetensors file ({error}). Save or copy it again."
        ) from error
    found = _own_names(on_disk, cls.__name__)
    wanted = dict(model.named_parameters())
    _refuse_other_shapes(folder, found, wanted)
    missing = [parameter for parameter in wanted if parameter not in found]
    _say_what_is_missing(cls.__name__, folder, missing)
    with torch.no_grad():
        for parameter, tensor in found.items():
            wanted[parameter].copy_(tensor)
    return model.eval()


def _file_in(folder: Path, name: str) -> Path:
    if not (folder / name).is_file():
        there = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
        raise FileNotFoundError(
            f"{folder} has no {name}; it holds {there}. A checkpoint is a folder with {CONFIG_FILE} "
            f"and {WEIGHTS_FILE}, as save_pretrained writes it."
        )
    return folder / name


def _own_names(on_disk: dict[str, Tensor], model_class: str) -> dict[str, Tensor]:
    """The tensors that this class has a place for, under our names; other heads are left out."""
    found = {}
    for name, aligned in align_prefix(on_disk, model_class).items():
        own = None if aligned in NOT_PARAMETERS else from_hugging_face(aligned, model_class)
        if own is not None:
            found[own] = on_disk[name]
    return found


def _refuse_other_shapes(
    folder: Path, found: dict[str, Tensor], wanted: dict[str, torch.nn.Parameter]
) -> None:
    left_over = [name for name in found if name not in wanted]
    if left_over:
        raise ValueError(
            f"The checkpoint {folder} holds parameters that its configuration has no place for: "
            f"{_some(left_over)}. Was config.json, or an argument, changed?"
        )
    wrong = [
        f"{name} is {tuple(tensor.shape)} in the file and {tuple(wanted[name].shape)} by the "
        "configuration"
        for name, tensor in found.items()
        if tensor.shape != wanted[name].shape
    ]
    if wrong:
        raise ValueError(
            f"The checkpoint {folder} has another shape than its configuration says: "
            f"{_some(wrong, '; ')}. Load it with its own configuration."
        )


def _say_what_is_missing(model_class: str, folder: Path, missing: list[str]) -> None:
    """A head that the checkpoint lacks starts fresh, with a warning; a lacking encoder is an error."""
    of_encoder = [name for name in missing if not name.startswith("head.")]
    if of_encoder:
        raise ValueError(
            f"The checkpoint {folder} is not complete: it lacks {_some(of_encoder)}. "
            "Save or copy it again."
        )
    if missing:
        meaning = (
            " A discriminator never learned to fill in words: its predictions are random until "
            "this head is trained. Load the generator to see words proposed."
            if model_class == "ElectraForMaskedLM"
            else ""
        )
        warnings.warn(
            f"The checkpoint {folder} has no head for {model_class}; {_some(missing)} start from "
            f"fresh random weights.{meaning}",
            stacklevel=4,
        )


def _some(names: list[str], separator: str = ", ", most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return separator.join(names[:most]) + more
