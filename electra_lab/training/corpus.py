"""A recipe's text, made ready: a vocabulary learned from it, and its segments in shards."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from electra_lab.checkpoints.atomic import atomic_file
from electra_lab.checkpoints.hub import is_hub_id
from electra_lab.text.corpus.build import CorpusReport, build_shards, no_text
from electra_lab.text.corpus.documents import Corpus, TextFiles
from electra_lab.text.corpus.held_out import HeldOut
from electra_lab.text.corpus.rows import HubText
from electra_lab.text.corpus.shards import INDEX_FILE, Shards
from electra_lab.text.tokenization import ElectraTokenizerFast
from electra_lab.text.vocabulary import train_vocabulary

from .distributed import Ranks
from .recipe import Recipe

CORPUS_FOLDER = "corpus"
_MADE_WITH = (
    "text",
    "text_seed",
    "text_lines",
    "text_column",
    "text_config",
    "text_split",
    "vocabulary_size",
    "vocabulary_sample",
    "held_out",
    "max_length",
    "faithful",
    "continue_from",
)


@dataclass
class PreparedCorpus:
    """What pre-training reads.

    Attributes:
        tokenizer: the given one, or one with a vocabulary learned from the text.
        shards: the text, packed.
        report: what became of it, and what was skipped.
    """

    tokenizer: ElectraTokenizerFast
    shards: Shards
    report: CorpusReport


def prepare_corpus(
    recipe: Recipe,
    folder: str | Path,
    tokenizer: ElectraTokenizerFast | None = None,
    *,
    ranks: Ranks | None = None,
    progress: bool = True,
) -> PreparedCorpus:
    """Learn a vocabulary and make shards, or find them where they were made before.

    Args:
        recipe: its text is a path or a name on the hub.
        folder: ``tokenizer/`` and ``shards/`` are kept there. Once they are whole the text is not
            looked at again, and need not be there.
        tokenizer: the one to use, instead of learning a vocabulary.
        ranks: the first one makes everything, the others wait; all must see the folder.
        progress: show bars and the report.

    Raises:
        ValueError: there is no text, or the folder was made for other settings; see ``build_shards``.
        OSError, ModuleNotFoundError: the text cannot be read, or the folder not be written.
    """
    folder = Path(folder)
    shards, made_with = folder / "shards", folder / "recipe.json"
    if ranks is not None and not ranks.first:
        while not (shards / INDEX_FILE).is_file():
            time.sleep(0.5)
    _check_made_with(made_with, recipe)
    if not (shards / INDEX_FILE).is_file():
        corpus = open_corpus(recipe)
        with atomic_file(made_with) as partial:
            partial.write_text(json.dumps(_settings(recipe), indent=1) + "\n", encoding="utf-8")
        tokenizer = tokenizer or _learned_tokenizer(corpus, recipe, folder / "tokenizer")
        build_shards(
            corpus,
            tokenizer,
            shards,
            max_length=recipe.max_length,
            seed=recipe.text_seed,
            faithful=recipe.faithful,
            progress=progress,
        )
    tokenizer = tokenizer or ElectraTokenizerFast.from_pretrained(folder / "tokenizer")
    opened = Shards(shards, tokenizer)
    return PreparedCorpus(tokenizer, opened, CorpusReport(**opened.index["report"]))


def open_corpus(recipe: Recipe) -> Corpus:
    """The text that a recipe trains on: a path that is there, or else a data set of the hub."""
    path = Path(recipe.text).expanduser()
    column = recipe.text_column or None
    corpus: Corpus
    if not path.exists() and is_hub_id(recipe.text):
        corpus = HubText(
            recipe.text, config=recipe.text_config or None, split=recipe.text_split, column=column
        )
    else:
        corpus = TextFiles(path, line_is_document=recipe.text_lines == "documents", column=column)
    return HeldOut(corpus, recipe.held_out, training=True) if recipe.held_out else corpus


def _learned_tokenizer(corpus: Corpus, recipe: Recipe, folder: Path) -> ElectraTokenizerFast:
    """A tokenizer with a vocabulary from the beginnings of the text; found again after a stop."""
    if folder.is_dir():
        return ElectraTokenizerFast.from_pretrained(folder)
    sample = corpus.beginnings(recipe.vocabulary_sample)
    first = next(sample, None)
    if first is None:
        skipped: Counter[str] = Counter()
        for document in corpus.documents():
            skipped += document.skipped
        raise no_text(corpus, skipped)

    def texts() -> Iterator[str]:
        yield first
        yield from sample

    # each character takes two pieces, one that begins a word and one that goes on with it
    alphabet = min(1000, max(recipe.vocabulary_size // 8, 1))
    vocabulary = train_vocabulary(texts(), recipe.vocabulary_size, limit_alphabet=alphabet)
    tokenizer = ElectraTokenizerFast(vocab=vocabulary)
    tokenizer.save_pretrained(folder)
    return tokenizer


def _settings(recipe: Recipe) -> dict[str, Any]:
    return {name: value for name, value in asdict(recipe).items() if name in _MADE_WITH}


def _check_made_with(file: Path, recipe: Recipe) -> None:
    """Raises:
    ValueError: the corpus in this folder was made for another recipe.
    """
    if not file.is_file():
        return
    theirs = json.loads(file.read_text(encoding="utf-8"))
    differing = [
        f"{name}: {theirs.get(name)} there, {value} here"
        for name, value in _settings(recipe).items()
        if theirs.get(name) != value
    ]
    if differing:
        raise ValueError(
            f"{file.parent} holds a corpus that was made with other settings ({'; '.join(differing)}). "
            "Train into another folder, or remove this one."
        )
