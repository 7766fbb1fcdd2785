"""Where tensors live: one place decides, every notebook and command asks it."""

from __future__ import annotations

import os

import torch


def default_device() -> torch.device:
    """The device to compute on.

    ``ELECTRA_LAB_DEVICE`` (``cpu``, ``cuda``, ``cuda:1``, ``mps`` ...) decides where it is set.
    Otherwise the first of CUDA, Apple's MPS and the CPU that this machine has.

    Raises:
        ValueError: ``ELECTRA_LAB_DEVICE`` names no device, or one that this machine lacks.
    """
    wanted = os.environ.get("ELECTRA_LAB_DEVICE", "").strip()
    if not wanted:
        if torch.cuda.is_available():
            return torch.device("cuda")
        if torch.backends.mps.is_available():
            return torch.device("mps")
        return torch.device("cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise ValueError(
            f"ELECTRA_LAB_DEVICE is {wanted!r}, which is no device. "
            "Set it to cpu, cuda, cuda:0 or mps, or leave it unset."
        ) from error
    present = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if not present.get(device.type, True):
        raise ValueError(
            f"ELECTRA_LAB_DEVICE is {wanted!r}, but this machine has no {device.type} device that "
            "torch can use. Set it to cpu, or leave it unset."
        )
    return device
