"""Joint pre-training, put together: text -> tokenizer -> pair -> batches -> loop -> a trained pair."""

from __future__ import annotations

import atexit
import json
import math
import shutil
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from electra_lab.checkpoints.atomic import atomic_file
from electra_lab.checkpoints.pair import Pair
from electra_lab.devices import default_device
from electra_lab.model.heads import MaskedLMHead
from electra_lab.text.corpus.build import CorpusReport
from electra_lab.text.corpus.shards import Shards
from electra_lab.text.microworld import MicroWorld
from electra_lab.text.tokenization import ElectraTokenizerFast
from electra_lab.text.vocabulary import train_vocabulary

from .batches import MaskedBatches, RowBatches, ShardBatches
from .checkpoint import random_states, set_random_states
from .continuing import pair_to_go_on_with, save_correction_head, take_correction_head
from .corpus import CORPUS_FOLDER, prepare_corpus
from .distributed import Ranks
from .initialization import (
    co_occurrence_vectors,
    fan_in_initialisation,
    glorot_initialisation,
    log_frequencies,
    matching_attention,
    sinusoidal_positions,
)
from .loop import checkpoint_file, train
from .objectives import Electra, Objective, make_objective
from .optimization import linear_schedule, make_optimizer
from .recipe import MICROWORLD, Recipe
from .snapshots import Snapshots, check_snapshots
from .state import Row


@dataclass
class PretrainingResult:
    """What ``pretrain`` returns.

    Attributes:
        objective: the trained modules, in evaluation mode; ``objective.encoder`` is what is kept.
        tokenizer: what they read with.
        history: see ``state.TrainingState``.
        seconds: all of it: making text and vocabulary, training, evaluations in callbacks.
        recipe: what it was made with.
        corpus: what became of its text; None for the micro-world.
    """

    objective: Objective
    tokenizer: ElectraTokenizerFast
    history: list[Row]
    seconds: float
    recipe: Recipe
    corpus: CorpusReport | None = None

    @property
    def pair(self) -> Pair:
        """Generator and discriminator.

        Raises:
            ValueError: the objective trains no discriminator.
        """
        if not isinstance(self.objective, Electra):
            raise ValueError(
                f"The objective {self.objective.name!r} trains no discriminator, so there is no pair; "
                "its encoder is result.objective.encoder."
            )
        return Pair(self.objective.generator, self.objective.model, self.tokenizer)

    def __repr__(self) -> str:
        return (
            f"PretrainingResult(recipe={self.recipe.name!r}, objective={self.objective.name!r}, "
            f"steps={self.recipe.steps}, seed={self.recipe.seed})"
        )


def pretrain(
    recipe: Recipe | str | Path = "micro",
    output: str | Path | None = None,
    *,
    seed: int | None = None,
    device: torch.device | str | None = None,
    resume: bool = False,
    callbacks: Iterable[object] = (),
    progress: bool = True,
    stop_after: int | None = None,
) -> PretrainingResult:
    """Train a generator and a discriminator together, from random weights or from a pair.

    Args:
        recipe: a ``Recipe``, the name of a shipped one or the path of a TOML file.
        output: folder for the pair (``load_pair(output)`` loads it), the history, the checkpoint of
            the run and, in ``corpus/``, a text's vocabulary and shards; with the recipe's
            ``snapshot_every`` also, in ``snapshots/``, the pair as it was on the way, and with its
            ``correction_weight`` the head for it. None: nothing is kept.
        seed: instead of the recipe's.
        device: where to train; default: ``default_device()``.
        resume: go on from the checkpoint in ``output``, exactly as if the run had not stopped.
        callbacks: see ``state.Callback``.
        progress: show a bar.
        stop_after: stop after so many steps of the run, to be resumed later.

    Raises:
        FileNotFoundError: there is no such recipe, text or pair to go on with.
        ValueError: the recipe has unknown keys or values; the checkpoint was made with another one;
            there is no text in its text; it wants snapshots without an ``output`` or without a pair.
        FileExistsError: ``output`` holds a run already, and ``resume`` was not asked for.
        NonFiniteLossError, OSError: see ``loop.train``; the last checkpoint is whole.
    """
    began = time.perf_counter()
    if not isinstance(recipe, Recipe):
        recipe = Recipe.load(recipe)
    if seed is not None:
        recipe = replace(recipe, seed=seed)
    device = torch.device(device) if device is not None else default_device()
    checkpoint_file(output, resume)  # before anything long, in case it is refused
    pair = pair_to_go_on_with(recipe)
    if pair is not None:
        recipe = recipe.of_pair(pair.discriminator.config, pair.generator.config)
    tokenizer, batches, report = prepare_text(
        recipe, output, pair.tokenizer if pair else None, progress=progress
    )
    shards = batches.shards if isinstance(batches, ShardBatches) else None
    objective = build_objective(recipe, tokenizer, pair, shards).to(device)
    if pair is not None:
        take_correction_head(objective, recipe.continue_from)
    check_snapshots(recipe.snapshot_every, objective, output)
    if recipe.snapshot_every and output is not None:
        callbacks = (*callbacks, Snapshots(output, recipe.snapshot_every, tokenizer))
    if recipe.compiler:
        _compile(objective, recipe.compiler)
    prepared = time.perf_counter() - began
    state = train(
        objective,
        batches,
        make_optimizer(
            objective,
            recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            betas=(recipe.beta1, recipe.beta2),
            eps=recipe.adam_eps,
            faithful=recipe.faithful,
            muon_learning_rate=recipe.muon_learning_rate,
        ),
        linear_schedule(recipe.steps, recipe.warmup_steps, faithful=recipe.faithful),
        steps=recipe.steps,
        seed=recipe.seed,
        device=device,
        clip_norm=recipe.clip_norm,
        precision=recipe.precision,
        log_every=recipe.log_every,
        folder=output,
        checkpoint_every=recipe.checkpoint_every,
        resume=resume,
        stop_after=stop_after,
        settings=_settings_of_the_run(recipe),
        defaults=_settings_of_the_run(Recipe()),
        callbacks=callbacks,
        progress=progress,
    )
    result = PretrainingResult(
        objective.eval(), tokenizer, state.history, prepared + state.seconds, recipe, report
    )
    if output is not None and Ranks.here().first:
        save_result(result, output)
    return result


def prepare_text(
    recipe: Recipe,
    output: str | Path | None,
    tokenizer: ElectraTokenizerFast | None = None,
    *,
    progress: bool = True,
) -> tuple[ElectraTokenizerFast, RowBatches, CorpusReport | None]:
    """A recipe's text as batches, and the tokenizer that made them: the given one or a learned one."""
    if recipe.text == MICROWORLD:
        texts = training_texts(recipe)
        tokenizer = tokenizer or make_tokenizer(recipe, texts)
        return tokenizer, make_batches(recipe, tokenizer, texts), None
    ranks = Ranks.here()
    if output is None:
        folder = Path(tempfile.mkdtemp(prefix="electra-lab-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        ranks = Ranks()  # nobody else sees the folder
    else:
        folder = Path(output) / CORPUS_FOLDER
    corpus = prepare_corpus(recipe, folder, tokenizer, ranks=ranks, progress=progress)
    batches = ShardBatches(
        corpus.shards, **_batch_settings(recipe, corpus.tokenizer, recipe.max_length)
    )
    return corpus.tokenizer, batches, corpus.report


def training_texts(recipe: Recipe) -> list[str]:
    """The sentences of the micro-world that a recipe trains on."""
    world = MicroWorld(seed=recipe.text_seed, split="train")
    return world.texts(recipe.sentences, seed=recipe.text_seed)


def make_tokenizer(recipe: Recipe, texts: list[str]) -> ElectraTokenizerFast:
    """A tokenizer whose vocabulary is learned from the text."""
    return ElectraTokenizerFast(vocab=train_vocabulary(texts, recipe.vocabulary_size))


def build_objective(
    recipe: Recipe,
    tokenizer: ElectraTokenizerFast,
    pair: Pair | None = None,
    shards: Shards | None = None,
) -> Objective:
    """The objective with the models of a pair, or with fresh ones, drawn from the recipe's seed.

    Args:
        shards: the text, for a word table that is counted in it.

    Raises:
        ValueError: a pair is given to an objective that trains none; a word table is to be counted, but
            there is no text to count it in.
    """
    settings: dict[str, Any] = {
        "rtd_weight": recipe.rtd_weight,
        "correction_weight": recipe.correction_weight,
        "temperature": recipe.temperature,
        "sampling": recipe.sampling,
        "unigram_share": recipe.unigram_share,
        "with_replacement": recipe.faithful,
    }
    if pair is not None:
        return make_objective(
            recipe.objective,
            pair.discriminator.config,
            pair.generator.config,
            **settings,
            models=(pair.generator, pair.discriminator),
        )
    config = recipe.config(len(tokenizer), tokenizer.pad_token_id)
    outside = random_states("cpu")
    torch.manual_seed(recipe.seed)
    try:
        objective = make_objective(
            recipe.objective,
            config,
            recipe.generator_config(config),
            **settings,
        )
        if recipe.initialization == "fan_in":
            fan_in_initialisation(objective)
        if recipe.attention_start == "matching":
            matching_attention(objective)
        if recipe.faithful:
            glorot_initialisation(objective)
        _fill_tables(objective, recipe, shards)
    finally:
        set_random_states(outside, "cpu")
    return objective


def _settings_of_the_run(recipe: Recipe) -> dict[str, Any]:
    """What a resume must agree with: all but what only looks on."""
    return {name: value for name, value in recipe.to_dict().items() if name != "snapshot_every"}


def _compile(objective: Objective, compiler: str) -> None:
    """Compile the step where it stands, so that parameters keep their names.

    Raises:
        ValueError: PyTorch has no such compiler here.
    """
    known = torch.compiler.list_backends(exclude_tags=())
    if compiler not in known:
        raise ValueError(
            f"There is no compiler {compiler!r} here; torch.compile has {', '.join(known)}."
        )
    objective.compile(backend=compiler)


@torch.no_grad()
def _fill_tables(objective: Objective, recipe: Recipe, shards: Shards | None) -> None:
    """Word and position tables as the recipe has them, as large as drawn ones would be; and where words
    were counted, language models begin with how frequent they are."""
    tables = objective.encoder.embeddings
    if recipe.position_table == "sinusoidal":
        waves = sinusoidal_positions(*tables.position.weight.shape)
        tables.position.weight.copy_(waves * math.sqrt(2) * recipe.initializer_range)
    if recipe.word_table == "co_occurrence":
        if shards is None:
            raise ValueError(
                "word_table is 'co_occurrence', which is counted in a text; the micro-world is none. "
                "Name a text, or use 'normal'."
            )
        count, size = tables.word.weight.shape
        known = min(size, count - 1)  # a vocabulary of few pieces has no more to say
        vectors = co_occurrence_vectors(shards.runs(), count, known, seed=recipe.seed)
        tables.word.weight[:, :known] = vectors * math.sqrt(known) * recipe.initializer_range
        frequencies = log_frequencies(shards.runs(), count)
        for part in objective.modules():
            if isinstance(part, MaskedLMHead):
                part.bias.copy_(frequencies)


def make_batches(
    recipe: Recipe, tokenizer: ElectraTokenizerFast, texts: list[str]
) -> MaskedBatches:
    """Tokenise the text once and cut it into batches."""
    encoded = tokenizer(texts, truncation=True, max_length=recipe.max_length)
    sequences = encoded["input_ids"]
    return MaskedBatches(sequences, **_batch_settings(recipe, tokenizer, max(map(len, sequences))))


def _batch_settings(
    recipe: Recipe, tokenizer: ElectraTokenizerFast, longest: int
) -> dict[str, Any]:
    """What a recipe says of its batches; see ``RowBatches``."""
    return dict(
        special_ids=tokenizer.all_special_ids,
        pad_id=tokenizer.pad_token_id,
        mask_id=tokenizer.mask_token_id,
        batch_size=recipe.batch_size,
        seed=recipe.seed,
        probability=recipe.mask_probability,
        mask_share=recipe.mask_share,
        with_replacement=recipe.faithful,
        # shorter rows are cheaper: attention computes every pair of places in a row
        row_length=longest if recipe.pack else None,
        ranks=Ranks.here(),
    )


def save_result(result: PretrainingResult, folder: str | Path) -> None:
    """Write the pair (or what was trained, where there is none), the recipe and the history."""
    folder = Path(folder)
    if isinstance(result.objective, Electra):
        result.pair.save(folder)
        save_correction_head(result.objective, folder)
    else:
        encoder = result.objective.encoder
        encoder.save_pretrained(folder / "encoder")
        longest = encoder.config.max_position_embeddings
        result.tokenizer.save_pretrained(folder / "encoder", longest=longest)
    content: dict[str, Any] = {
        "recipe": result.recipe.to_dict(),
        "seconds": result.seconds,
        "history": result.history,
    }
    if result.corpus is not None:
        content["corpus"] = asdict(result.corpus)
    with atomic_file(folder / "history.json") as partial:
        partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
