"""Which vectors a model has for a word: its row of the table, that row projected, its states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from electra_lab.inside.trace import Trace, trace
from electra_lab.inside.trace.live import own_model

EMBEDDINGS, PROJECTED = "embeddings", "after the projection"


def word_table(model: Any) -> Float[Tensor, "vocab embedding"]:
    """The rows of a model's word table, on the CPU.

    Args:
        model: an ELECTRA of this package, or a live one of transformers.

    Raises:
        TypeError: it is neither.
    """
    rows: Tensor = own_model(model).bare.embeddings.word.weight
    return rows.detach().cpu().float()


def has_projection(model: Any) -> bool:
    """Whether ``embedding_size`` and ``hidden_size`` differ, so that a linear layer stands between.

    Raises:
        TypeError: the model is no ELECTRA.
    """
    return own_model(model).bare.projection is not None


@torch.no_grad()
def project_rows(model: Any, rows: Float[Tensor, "rows embedding"]) -> Float[Tensor, "rows hidden"]:
    """Rows of the word table after the model's projection; as they are where it has none.

    In a forward pass position, token type and LayerNorm come between the two.

    Raises:
        TypeError: the model is no ELECTRA.
    """
    bare = own_model(model).bare
    if bare.projection is None:
        return rows
    made: Tensor = bare.projection(rows.to(bare.device, bare.dtype))
    return made.cpu().float()


@dataclass(frozen=True)
class Occurrence:
    """A word where it stands: the number of its text, and its characters there."""

    word: str
    text: int
    start: int
    stop: int


@dataclass(frozen=True, repr=False)
class WordStates:
    """Words of some texts and their vectors on the way through a model.

    Attributes:
        words: every word and mark, text after text.
        stages: the vectors by name, in the model's order: ``"embeddings"`` (word, position and type,
            after LayerNorm), ``"after the projection"`` where the model has one, ``"layer 1"`` ...
            A word of several pieces has the mean of theirs.
    """

    words: tuple[Occurrence, ...]
    stages: dict[str, Float[Tensor, "words size"]]

    def __repr__(self) -> str:
        return f"WordStates({len(self.words):,} words; {', '.join(self.stages)})"

    def only(self, numbers: Sequence[int]) -> WordStates:
        """Some of the words, in this order."""
        chosen = torch.tensor(list(numbers), dtype=torch.long)
        return WordStates(
            tuple(self.words[number] for number in numbers),
            {name: vectors[chosen] for name, vectors in self.stages.items()},
        )


def stage_names(model: Any) -> list[str]:
    """The names of the stages of ``word_states``, without running the model.

    Raises:
        TypeError: the model is no ELECTRA.
    """
    layers = range(1, own_model(model).config.num_hidden_layers + 1)
    between = [PROJECTED] if has_projection(model) else []
    return [EMBEDDINGS, *between, *(f"layer {layer}" for layer in layers)]


def word_states(
    model: Any, tokenizer: Any, texts: Sequence[str], batch_size: int = 32
) -> WordStates:
    """Let the model read texts, and keep the vectors of each word.

    Args:
        model: an ELECTRA of this package, or a live one of transformers.
        tokenizer: the model's.
        texts: each not empty and no longer than the model.
        batch_size: texts read at once.

    Raises:
        ValueError: there is no text, or one is empty or too long.
        TypeError: the model is no ELECTRA.
    """
    if not texts:
        raise ValueError("There are no texts. Give at least one sentence.")
    bare = getattr(model, "electra", model)  # no head has to make something of single sentences
    words: list[Occurrence] = []
    parts: dict[str, list[Tensor]] = {name: [] for name in stage_names(model)}
    for start in range(0, len(texts), batch_size):
        batch = list(texts[start : start + batch_size])
        made = trace(bare, batch, tokenizer=tokenizer)
        stages = _stages(made, list(parts))
        assert made.offsets is not None  # texts were given
        for row, text in enumerate(batch):
            for places in _places(made, row).values():
                begin, stop = made.offsets[row][places[0]][0], made.offsets[row][places[-1]][1]
                words.append(Occurrence(text[begin:stop], start + row, begin, stop))
                chosen = torch.tensor(places)
                for name, vectors in stages.items():
                    parts[name].append(vectors[row, chosen].mean(dim=0))
    return WordStates(tuple(words), {name: torch.stack(found) for name, found in parts.items()})


def _stages(made: Trace, names: Sequence[str]) -> dict[str, Float[Tensor, "batch seq size"]]:
    between = [made.projected] if PROJECTED in names else []
    vectors = [made.embeddings, *between, *(layer.hidden for layer in made.layers)]
    return dict(zip(names, vectors, strict=True))


def _places(made: Trace, row: int) -> dict[int, list[int]]:
    """The tokens of each word of a row."""
    found: dict[int, list[int]] = {}
    for place, word in enumerate(made.words[row]):
        if word is not None:
            found.setdefault(word, []).append(place)
    return found


def mean_cosine(vectors: Float[Tensor, "points size"]) -> float:
    """The mean cosine of all pairs of different vectors: 0 where directions are spread evenly, near 1
    where all point the same way (Ethayarajh, 2019, calls that anisotropy).

    No pair is looked at by itself: the squared length of the sum of all directions is the sum of all
    cosines, the n of each with itself among them.

    Raises:
        ValueError: there are fewer than two vectors.
    """
    count = len(vectors)
    if count < 2:
        raise ValueError(f"There are {count} vectors; a mean over pairs needs two or more.")
    total = torch.nn.functional.normalize(vectors.double(), dim=-1).sum(dim=0)
    return float((total.square().sum() - count) / (count * (count - 1)))


def ids_of(tokenizer: Any, tokens: Sequence[str]) -> Int[Tensor, " tokens"]:
    """The ids of tokens of the vocabulary."""
    known = tokenizer.get_vocab()
    return torch.tensor([known[token] for token in tokens], dtype=torch.long)
