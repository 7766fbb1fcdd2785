"""Generator, discriminator and their tokenizer: what pre-training makes and notebooks look at."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import torch

from electra_lab.model.electra import tie_embeddings
from electra_lab.model.heads import ElectraForMaskedLM, ElectraForPreTraining
from electra_lab.text.tokenization import ElectraTokenizerFast

from .hub import is_hub_id
from .resources import bundled_checkpoints
from .upload import upload

if TYPE_CHECKING:
    from huggingface_hub import CommitInfo

GENERATOR, DISCRIMINATOR = "generator", "discriminator"


@dataclass
class Pair:
    """The two models of one pre-training run, and the tokenizer that both read with."""

    generator: ElectraForMaskedLM
    discriminator: ElectraForPreTraining
    tokenizer: ElectraTokenizerFast

    def __repr__(self) -> str:
        return (
            f"Pair(generator={self.generator.num_parameters():,} parameters, "
            f"discriminator={self.discriminator.num_parameters():,} parameters, "
            f"vocabulary={len(self.tokenizer):,} pieces)"
        )

    def to(self, device: torch.device | str) -> Pair:
        """Move both models; tables that they share stay shared."""
        self.generator.to(device)
        self.discriminator.to(device)
        return self

    @property
    def device(self) -> torch.device:
        """Where the discriminator is."""
        return self.discriminator.device

    def save(self, folder: str | Path, dtype: torch.dtype | None = None) -> None:
        """Write ``folder/generator`` and ``folder/discriminator``, each a folder that also loads by
        itself, here and in transformers."""
        for name, model in ((GENERATOR, self.generator), (DISCRIMINATOR, self.discriminator)):
            model.save_pretrained(Path(folder) / name, dtype=dtype)
            longest = model.config.max_position_embeddings
            self.tokenizer.save_pretrained(Path(folder) / name, longest=longest)

    def push_to_hub(
        self, repo_id: str, *, commit_message: str | None = None, **options: Any
    ) -> dict[str, CommitInfo]:
        """Push to the repositories ``repo_id-generator`` and ``repo_id-discriminator``, from where
        ``load_pair(repo_id)`` loads again.

        Args:
            repo_id: ``owner/name``, without ``-generator`` or ``-discriminator``.
            commit_message: what the commits say; by default what is uploaded.
            options: ``private``, ``token``, ``revision``, ``create_pr``, see ``PushToHub``.

        Returns:
            The commits of ``"generator"`` and ``"discriminator"``.

        Raises:
            ValueError, PermissionError, OSError: see ``PushToHub``.
        """
        with TemporaryDirectory() as folder:
            self.save(folder)
            return {
                half: upload(
                    Path(folder) / half,
                    f"{repo_id}-{half}",
                    commit_message or f"Upload {half}",
                    **options,
                )
                for half in (GENERATOR, DISCRIMINATOR)
            }


def load_pair(name: str | Path | None = None) -> Pair:
    """Load generator, discriminator and tokenizer by one name.

    Args:
        name: ``"micro"`` or another bundled pair; a folder with ``generator`` and ``discriminator``
            in it; or ``X`` where ``X-generator`` and ``X-discriminator`` are folders or, for
            ``owner/name``, repositories on the hub (``"google/electra-small"``). The name of one half
            stands for its pair (``"google/electra-small-discriminator"``). None takes
            the environment variable ``ELECTRA_LAB_MODEL``, and ``"micro"`` where that is not set.

    Returns:
        The pair in evaluation mode on the CPU. Embeddings that are equal in both files are one set
        of tables again, as in pre-training.

    Raises:
        FileNotFoundError: there is no such pair.
        ValueError: a checkpoint is damaged or of another shape than it says.
    """
    name = name or os.environ.get("ELECTRA_LAB_MODEL") or "micro"
    folders = _folders_of(str(name))
    generator = ElectraForMaskedLM.from_pretrained(folders[GENERATOR])
    discriminator = ElectraForPreTraining.from_pretrained(folders[DISCRIMINATOR])
    if _share_embeddings(generator, discriminator):
        tie_embeddings(generator, discriminator)
    tokenizer = ElectraTokenizerFast.from_pretrained(folders[DISCRIMINATOR])
    return Pair(generator, discriminator, tokenizer)


def _pair_of(name: str) -> str:
    """The pair's name, where a half's is given."""
    path = Path(name)
    other = {GENERATOR: DISCRIMINATOR, DISCRIMINATOR: GENERATOR}.get(path.name)
    if other and (path.parent / other).is_dir():
        return str(path.parent)
    return name.removesuffix(f"-{GENERATOR}").removesuffix(f"-{DISCRIMINATOR}")


def _folders_of(given: str) -> dict[str, str]:
    halves = (GENERATOR, DISCRIMINATOR)
    for name in (given, _pair_of(given)):
        if all((Path(name) / half).is_dir() for half in halves):
            return {half: str(Path(name) / half) for half in halves}
    siblings = {half: f"{name}-{half}" for half in halves}
    bundled = bundled_checkpoints()
    if is_hub_id(name) and not any(Path(path).is_dir() for path in siblings.values()):
        return siblings
    if all(Path(path).is_dir() or path in bundled for path in siblings.values()):
        return siblings
    pairs = sorted(n.removesuffix("-generator") for n in bundled if n.endswith("-generator"))
    raise FileNotFoundError(
        f"There is no pair {given!r}. A pair is a bundled name ({', '.join(pairs) or 'there is none'}), "
        f"a folder with {GENERATOR}/ and {DISCRIMINATOR}/ in it, or two folders {name}-{GENERATOR} "
        f"and {name}-{DISCRIMINATOR}."
    )


def _share_embeddings(generator: ElectraForMaskedLM, discriminator: ElectraForPreTraining) -> bool:
    """Whether all embedding tables of the two hold the same numbers."""
    theirs = dict(discriminator.electra.embeddings.named_parameters())
    return all(
        theirs[name].shape == parameter.shape and bool(torch.equal(theirs[name], parameter))
        for name, parameter in generator.electra.embeddings.named_parameters()
    )
