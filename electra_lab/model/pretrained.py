"""What every model can do besides computing: start from fresh weights, load, save, count."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from electra_lab.checkpoints.upload import PushToHub

from .config import ElectraConfig

ATTENTION_IMPLEMENTATIONS = ("sdpa", "eager")

Model = TypeVar("Model", bound="PreTrainedModel")


class PreTrainedModel(PushToHub, nn.Module):
    """Base class of the bare model and of every model with a head.

    Args:
        config: the shape of the model; kept as ``self.config``.
    """

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__()
        self.config = config
        self.attn_implementation = "sdpa"

    def __call__(self, *args: Any, return_dict: bool | None = None, **kwargs: Any) -> Any:
        """Run ``forward``; ``return_dict=False`` turns its output into a plain tuple.

        Args:
            return_dict: by default what ``config.return_dict`` says.
        """
        output = super().__call__(*args, **kwargs)
        wanted = self.config.return_dict if return_dict is None else return_dict
        return output if wanted else output.to_tuple()

    @torch.no_grad()
    def init_weights(self, part: nn.Module | None = None) -> None:
        """Draw fresh weights: truncated normal of ``config.initializer_range`` (cut at two standard
        deviations), zero biases, LayerNorm as the identity, a zero row for [PAD]
        (google-research/electra, model/modeling.py).

        Args:
            part: a module inside this model to draw anew; by default all of the model.
        """
        std = self.config.initializer_range
        for module in (self if part is None else part).modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.trunc_normal_(module.weight, std=std, a=-2 * std, b=2 * std)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)
            if isinstance(module, nn.Embedding) and module.padding_idx is not None:
                module.weight[module.padding_idx].zero_()
            if isinstance(module, nn.LayerNorm):
                nn.init.ones_(module.weight)
                nn.init.zeros_(module.bias)

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """The type of the parameters."""
        return next(self.parameters()).dtype

    def num_parameters(self, only_trainable: bool = False) -> int:
        """How many numbers the model holds; a table that is used twice counts once."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad or not only_trainable)

    @property
    def bare(self) -> Any:
        """The ``ElectraModel`` inside; the model itself where it has no head."""
        return getattr(self, "electra", self)

    def get_input_embeddings(self) -> nn.Embedding:
        """The word table."""
        table: nn.Embedding = self.bare.embeddings.word
        return table

    def set_input_embeddings(self, table: nn.Embedding) -> None:
        """Put another word table in the place of this one; a generator's output uses it too."""
        self.bare.embeddings.word = table

    def tie_weights(self) -> None:
        """Nothing is left to do: a generator's output table is its input table by construction.

        Here because training code written for transformers calls it.
        """

    @torch.no_grad()
    def resize_token_embeddings(self, new_size: int) -> nn.Embedding:
        """Make room for more pieces, or drop the last ones; what stays keeps its vectors.

        New rows are drawn like fresh weights. A generator's bias grows with zeros.

        Returns:
            The new word table.

        Raises:
            ValueError: ``new_size`` is below 1.
        """
        if new_size < 1:
            raise ValueError(f"new_size is {new_size}; a vocabulary has at least one piece.")
        old = self.get_input_embeddings()
        table = nn.Embedding(
            new_size, old.embedding_dim, old.padding_idx, device=old.weight.device, dtype=self.dtype
        )
        self.init_weights(table)
        kept = min(new_size, old.num_embeddings)
        table.weight[:kept] = old.weight[:kept]
        self.set_input_embeddings(table)
        resize_head = getattr(getattr(self, "head", None), "resize", None)
        if resize_head is not None:
            resize_head(new_size)
        self.config.vocab_size = new_size
        return table

    def gradient_checkpointing_enable(self) -> None:
        """Train with less memory and more time, see ``ElectraEncoder``."""
        self.bare.encoder.gradient_checkpointing = True

    def gradient_checkpointing_disable(self) -> None:
        """Keep all activations while training, the default."""
        self.bare.encoder.gradient_checkpointing = False

    def set_attn_implementation(self, name: str) -> None:
        """Choose the attention path: ``"sdpa"`` (fused, the default) or ``"eager"`` (written out).

        Both give the same result. ``output_attentions=True`` takes the written-out path for its
        call whatever is set here.

        Raises:
            ValueError: another name was given.
        """
        if name not in ATTENTION_IMPLEMENTATIONS:
            raise ValueError(
                f"There is no attention implementation {name!r}. "
                f"Use one of {', '.join(ATTENTION_IMPLEMENTATIONS)}."
            )
        for module in self.modules():
            if isinstance(module, PreTrainedModel):
                module.attn_implementation = name

    @classmethod
    def from_pretrained(
        cls: type[Model],
        name: str | Path,
        *,
        config: ElectraConfig | None = None,
        dtype: torch.dtype | str | None = None,
        torch_dtype: torch.dtype | str | None = None,
        **arguments: Any,
    ) -> Model:
        """Load a checkpoint: a bundled one's name, a folder in Hugging Face's layout, or a hub id.

        Args:
            name: for example ``"micro-discriminator"``, the path of a folder, or
                ``"google/electra-small-discriminator"``.
            config: a configuration to use instead of the checkpoint's.
            dtype: type of the parameters, or its name, or ``"auto"`` for that of the file. Default:
                float32. ``torch_dtype`` is its older name.
            arguments: ``revision``, ``token``, ``cache_dir``, ``local_files_only`` (see
                ``HubOptions``); all others are fields of the configuration to set differently.

        Returns:
            The model in evaluation mode on the CPU.

        Raises:
            FileNotFoundError: no such checkpoint, or a file is missing in it.
            PermissionError: a hub checkpoint needs a token.
            OSError: a download failed.
            ValueError: parameters are missing, or of another shape than the configuration says.
        """
        from electra_lab.checkpoints.store import load_model

        dtype = torch_dtype if dtype is None else dtype
        return load_model(cls, name, config=config, dtype=dtype, **arguments)

    def save_pretrained(self, folder: str | Path, dtype: torch.dtype | None = None) -> None:
        """Write ``config.json`` and ``model.safetensors`` in Hugging Face's layout and names.

        The folder is replaced file by file only when all of it has been written: a full disk or a
        kill leaves what was there.

        Args:
            dtype: type of the stored numbers; the parameters' own by default.
        """
        from electra_lab.checkpoints.store import save_model

        save_model(self, folder, dtype=dtype)
