"""``tf_model.h5``: weights as transformers' Keras models were saved, up to transformers 4."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .parameter_names import from_path


def read_h5(file: Path) -> dict[str, Tensor]:
    """All tensors of the file, by Hugging Face's names.

    The file has a group for each layer of the model, in which a data set's path is the variable's
    name: ``scope/electra/encoder/layer_._0/attention/self/query/kernel:0``, where the scope is the
    model's own name (transformers 4, modeling_tf_pytorch_utils.py).

    Raises:
        ModuleNotFoundError: h5py is not installed.
        ValueError: the file is damaged, or no HDF5 file with layers in it.
    """
    try:
        import h5py
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"Reading {file} needs h5py, which is not installed. "
            'Install it: pip install "electra-lab[convert]"'
        ) from error
    tensors: dict[str, Tensor] = {}

    def take(path: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and path.count("/") > 1:
            _layer, _scope, variable = path.removesuffix(":0").split("/", 2)
            name, transposed = from_path(variable.replace("_._", "/").split("/"))
            tensor = torch.from_numpy(np.asarray(item))
            tensors[name] = tensor.T.contiguous() if transposed else tensor

    try:
        with h5py.File(file, "r") as opened:
            opened.visititems(take)
    # each stage of HDF5 has its own way to say that bytes make no sense
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise ValueError(f"{file} is damaged ({error}). Save or copy it again.") from error
    if not tensors:
        raise ValueError(
            f"{file} holds no layers with variables. Is it a tf_model.h5 that save_pretrained wrote?"
        )
    return tensors
