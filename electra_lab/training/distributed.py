"""Several processes that train one model: PyTorch's DistributedDataParallel, started by torchrun.

    torchrun --nproc-per-node=2 -m electra_lab pretrain --recipe micro --output runs/micro

A process is called a rank. Each takes its part of every batch; the gradients are averaged, so all hold
the same parameters after every step. Without torchrun there is one rank, and nothing here does anything.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True)
class Ranks:
    """Which of how many processes this one is.

    Attributes:
        rank: 0, 1, 2 ...; rank 0 writes files and shows progress.
        size: how many there are.
    """

    rank: int = 0
    size: int = 1

    @classmethod
    def here(cls) -> Ranks:
        """The ranks of the running process group; one rank where there is none."""
        if distributed.is_available() and distributed.is_initialized():
            return cls(distributed.get_rank(), distributed.get_world_size())
        return cls()

    @property
    def first(self) -> bool:
        """Whether this is the rank that writes and reports."""
        return self.rank == 0

    def seed(self, seed: int) -> int:
        """A seed of this rank's own; rank 0 has ``seed`` itself, as without other ranks."""
        return seed + self.rank * 1_000_003

    def wrap(self, module: nn.Module) -> nn.Module:
        """The module with its gradients averaged over all ranks; the parameters become rank 0's."""
        return module if self.size == 1 else DistributedDataParallel(module)

    def mean(self, values: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """The mean over all ranks, the same on each. All ranks must call it."""
        if self.size == 1:
            return values
        total = values.clone()
        distributed.all_reduce(total)
        return total / self.size

    def gather(self, tensors: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
        """Everybody's tensors in the order of the ranks. All ranks must call it, with tensors of the
        same names, types and shapes."""
        if self.size == 1:
            return [dict(tensors)]
        gathered: list[dict[str, Tensor]] = [{} for _ in range(self.size)]
        for name, tensor in tensors.items():
            sent = tensor if distributed.get_backend() == "gloo" else tensor.cuda()
            parts = [torch.empty_like(sent) for _ in range(self.size)]
            distributed.all_gather(parts, sent)
            for rank, part in enumerate(parts):
                gathered[rank][name] = part.cpu()
        return gathered


@contextmanager
def process_group(device: torch.device | str | None = None) -> Iterator[torch.device | str | None]:
    """Join the processes that torchrun started, for the duration of the block; gives the device of
    this rank.

    Args:
        device: where to train. With several GPUs each rank takes its own, by its local number.

    Raises:
        RuntimeError: the other processes cannot be reached.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield device
        return
    on_gpu = torch.device(device or "cpu").type == "cuda"
    if on_gpu:
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if on_gpu else "gloo")
    try:
        yield device
    finally:
        distributed.destroy_process_group()
