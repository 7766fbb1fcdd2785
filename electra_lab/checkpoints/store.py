"""Models on disk, in Hugging Face's layout: ``config.json`` and ``model.safetensors``."""

from __future__ import annotations

import json
import shutil
import warnings
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from electra_lab.model.config import ElectraConfig
from electra_lab.model.pretrained import Model, PreTrainedModel

from .atomic import atomic_folder
from .hub import CONFIG_FILE, HubOptions, hub_folder, is_hub_id
from .parameter_names import NOT_PARAMETERS, align_prefix, from_hugging_face, to_hugging_face
from .resources import bundled_checkpoints, data_path
from .weights import WEIGHTS_FILE, read_weights


def resolve_folder(
    name: str | Path, *, weights: bool = False, tokenizer: bool = False, **hub: Any
) -> Path:
    """The folder that a checkpoint's name stands for: a folder's path, a bundled name, or a hub id,
    which is then downloaded into the cache.

    Args:
        weights, tokenizer: what to download of a hub checkpoint beside its configuration.
        hub: fields of ``HubOptions``.

    Raises:
        FileNotFoundError: it is none of the three.
        PermissionError, OSError: see ``hub_folder``.
    """
    folder = Path(name)
    if folder.is_dir():
        return folder
    if str(name) in bundled_checkpoints():
        return data_path("checkpoints", str(name))
    if is_hub_id(str(name)):
        return hub_folder(str(name), HubOptions(**hub), weights=weights, tokenizer=tokenizer)
    raise FileNotFoundError(
        f"There is no checkpoint {str(name)!r}: no folder has this path, it is none of the bundled "
        f"ones ({', '.join(bundled_checkpoints()) or 'there are none'}), and a name on the hub has "
        "the form owner/model."
    )


def load_config(name: str | Path, **changes: Any) -> ElectraConfig:
    """The configuration of a checkpoint; ``changes`` are fields to set differently, or fields of
    ``HubOptions``.

    Raises:
        FileNotFoundError: no such checkpoint, or it has no ``config.json``.
        ValueError: the file is not a configuration of ELECTRA.
    """
    hub, changes = split_hub_options(changes)
    return _read_config(resolve_folder(name, **hub), changes)


def _read_config(folder: Path, changes: dict[str, Any]) -> ElectraConfig:
    file = folder / CONFIG_FILE
    if not file.is_file():
        there = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
        raise FileNotFoundError(
            f"{folder} has no {CONFIG_FILE}; it holds {there}. A checkpoint is a folder with "
            f"{CONFIG_FILE} and {WEIGHTS_FILE}, as save_pretrained writes it. An original checkpoint "
            "of TensorFlow becomes one with electra-lab convert."
        )
    return read_config_file(file, changes)


def read_config_file(file: Path, changes: dict[str, Any] | None = None) -> ElectraConfig:
    """The configuration in a file; ``changes`` are fields to set differently.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a configuration of ELECTRA.
    """
    if not file.is_file():
        raise FileNotFoundError(f"There is no configuration {file}. Name a {CONFIG_FILE}.")
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(
            f"{file} is not valid JSON ({error}). Save the checkpoint again."
        ) from error
    if not isinstance(values, dict):
        raise ValueError(f"{file} holds no configuration but {type(values).__name__}.")
    return ElectraConfig.from_dict(values, changes)


def split_hub_options(arguments: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arguments that are fields of ``HubOptions``, and the others."""
    names = {field.name for field in fields(HubOptions)}
    hub = {name: value for name, value in arguments.items() if name in names}
    return hub, {name: value for name, value in arguments.items() if name not in names}


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
        # safetensors lets nobody else read; who may read the configuration may read the weights
        shutil.copymode(partial / CONFIG_FILE, partial / WEIGHTS_FILE)


def load_model(
    cls: type[Model],
    name: str | Path,
    *,
    config: ElectraConfig | None = None,
    dtype: torch.dtype | str | None = None,
    **arguments: Any,
) -> Model:
    """Read a model; see ``PreTrainedModel.from_pretrained``."""
    hub, changes = split_hub_options(arguments)
    folder = resolve_folder(name, weights=True, **hub)
    if config is not None:
        config = replace(config, **changes)
    model = cls(_read_config(folder, changes) if config is None else config)
    on_disk = read_weights(folder)
    missing = fill_model(model, on_disk, folder)
    _say_what_is_missing(cls.__name__, folder, missing)
    return model.to(_as_dtype(dtype, on_disk)).eval()


def fill_model(model: PreTrainedModel, on_disk: dict[str, Tensor], source: Path) -> list[str]:
    """Copy tensors into the parameters of a model.

    Args:
        on_disk: tensors by Hugging Face's names; those of other heads are left out.
        source: where they come from, for messages.

    Returns:
        The parameters that got nothing, by our names.

    Raises:
        ValueError: a tensor has no place in a model of this configuration, or another shape.
    """
    found = _own_names(on_disk, type(model).__name__)
    wanted = dict(model.named_parameters())
    _refuse_other_shapes(source, found, wanted)
    with torch.no_grad():
        for parameter, tensor in found.items():
            wanted[parameter].copy_(tensor)
    return [parameter for parameter in wanted if parameter not in found]


def _as_dtype(dtype: torch.dtype | str | None, on_disk: dict[str, Tensor]) -> torch.dtype:
    """float32 where nothing is said; ``"auto"`` is the type on disk; names as in torch."""
    if dtype is None:
        return torch.float32
    if dtype == "auto":
        return next((t.dtype for t in on_disk.values() if t.is_floating_point()), torch.float32)
    found = getattr(torch, dtype, None) if isinstance(dtype, str) else dtype
    if not isinstance(found, torch.dtype) or not found.is_floating_point:
        raise ValueError(
            f"dtype is {dtype!r}; expected torch.float32, torch.float16, torch.bfloat16, one of "
            "their names, or 'auto'."
        )
    return found


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
