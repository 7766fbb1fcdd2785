"""What a pair learned from the micro-world, measured on a world that it has not read about.

Four questions, each with the answer of something that learned nothing or only counts neighbours:
how many masked words the generator finds, how well the discriminator tells replaced tokens from
original ones, how many minimal pairs it decides rightly without being trained to, and how well its
states tell the part of speech of words that were not among thirty labelled sentences.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from electra_lab.bench.ngrams import KneserNey, words_of
from electra_lab.checkpoints.pair import Pair
from electra_lab.inside.analysis.probing import first_piece_states
from electra_lab.inside.scoring import score_sentences
from electra_lab.model.heads import ElectraForPreTraining
from electra_lab.text.microworld import AnnotatedSentence, MicroWorld, minimal_pairs

from .language import answers, area_under_curve
from .report import heading, write

COMMAND = "electra-lab bench microworld"
COUNTED_SENTENCES = 20_000
"""Training sentences that the n-gram models count."""
LABELLED = 30
"""Labelled sentences for tagging."""


@torch.no_grad()
def evaluate_pair(
    pair: Pair,
    *,
    sentences: int = 1_000,
    pairs: int = 1_000,
    tagging_draws: int = 5,
    batch_size: int = 250,
    seed: int = 0,
) -> dict[str, Any]:
    """Measure a pair on held-out micro-world text.

    Every model is shown the same text, the same masked positions and the same fixed corruption.

    Args:
        pair: both models are put into evaluation mode.
        sentences: held-out sentences for masked words, replaced tokens and tagging.
        pairs: minimal pairs.
        tagging_draws: how often thirty sentences are drawn for tagging; the mean is reported.
        batch_size: sentences in one forward pass.
        seed: of text, positions, corruption and draws.

    Returns:
        A dict of plain values: ``mlm_accuracy`` with ``unigram_accuracy`` and ``bigram_accuracy`` at
        the same positions; ``rtd_auc_fixed`` (15% of the tokens replaced by draws from the unigram
        distribution) and ``rtd_auc_own`` (by the pair's generator); ``pairs_accuracy`` with
        ``trigram_pairs_accuracy``, each also ``..._by_phenomenon``; ``tagging_accuracy`` with
        ``tagging_accuracy_random``, the same from the discriminator's random initial weights.

    Raises:
        ValueError: fewer sentences than tagging needs.
    """
    if sentences < 2 * LABELLED:
        raise ValueError(
            f"sentences is {sentences}; tagging labels {LABELLED} and needs as many to be tested on, "
            f"so give at least {2 * LABELLED}."
        )
    pair.generator.eval()
    pair.discriminator.eval()
    world = MicroWorld(seed=seed, split="test")
    held_out = world.sentences(sentences, seed=seed)
    return {
        **masked_and_replaced(pair, [s.text for s in held_out], batch_size=batch_size, seed=seed),
        **minimal_pair_accuracy(pair, pairs, seed=seed),
        **tagging(pair, held_out, draws=tagging_draws, batch_size=batch_size, seed=seed),
    }


def masked_and_replaced(
    pair: Pair, texts: Sequence[str], *, batch_size: int, seed: int
) -> dict[str, float]:
    """Masked-token accuracy with its baselines, and both areas under the ROC curve."""
    tokenizer = pair.tokenizer
    specials = tokenizer.all_special_ids
    counted = tokenizer(list(_training_texts()))["input_ids"]
    frequency, follower = _counts([[i for i in row if i not in specials] for row in counted])
    weights = torch.zeros(len(tokenizer))
    for token, count in frequency.items():
        weights[token] = count
    commonest = frequency.most_common(1)[0][0]

    def batches() -> Iterator[tuple[Int[Tensor, "batch seq"], Int[Tensor, "batch seq"]]]:
        for start in range(0, len(texts), batch_size):
            some = list(texts[start : start + batch_size])
            encoding = tokenizer(some, padding=True, return_tensors="pt")
            yield encoding["input_ids"], encoding["attention_mask"]

    given = answers(pair, batches(), weights, seed=seed)
    hits: Counter[str] = Counter()
    for answer in given:
        hits["all"] += len(answer.wanted)
        hits["mlm"] += int((answer.guesses == answer.wanted).sum())
        hits["unigram"] += int((answer.wanted == commonest).sum())
        guesses = [follower.get(token, commonest) for token in answer.before.tolist()]
        hits["bigram"] += int((torch.tensor(guesses) == answer.wanted).sum())
    return {
        "mlm_accuracy": hits["mlm"] / hits["all"],
        "unigram_accuracy": hits["unigram"] / hits["all"],
        "bigram_accuracy": hits["bigram"] / hits["all"],
        "rtd_auc_fixed": area_under_curve(given, "fixed"),
        "rtd_auc_own": area_under_curve(given, "own"),
    }


def minimal_pair_accuracy(pair: Pair, n: int, *, seed: int) -> dict[str, Any]:
    """How many of ``n`` held-out minimal pairs the discriminator decides rightly, and a trigram."""
    examples = minimal_pairs(n, "test", seed)
    scores = score_sentences(
        pair.discriminator,
        pair.tokenizer,
        [text for example in examples for text in (example.good, example.bad)],
    )
    phenomena = [example.phenomenon for example in examples]
    right = [good > bad for good, bad in zip(scores[::2], scores[1::2], strict=True)]
    overall, by_phenomenon = _accuracies(phenomena, right)
    trigram = [trigram_prefers(example.good, example.bad) for example in examples]
    trigram_overall, trigram_by_phenomenon = _accuracies(phenomena, trigram)
    return {
        "pairs_accuracy": overall,
        "pairs_accuracy_by_phenomenon": by_phenomenon,
        "trigram_pairs_accuracy": trigram_overall,
        "trigram_pairs_accuracy_by_phenomenon": trigram_by_phenomenon,
    }


def _accuracies(kinds: Sequence[str], right: Sequence[bool]) -> tuple[float, dict[str, float]]:
    of_kind: dict[str, list[bool]] = defaultdict(list)
    for kind, correct in zip(kinds, right, strict=True):
        of_kind[kind].append(correct)
    return sum(right) / len(right), {k: sum(v) / len(v) for k, v in of_kind.items()}


def trigram_prefers(good: str, bad: str) -> bool:
    """Whether a trigram model of the training text finds ``good`` likelier than ``bad``."""
    model = _trigram()
    return model.score(words_of(good)) > model.score(words_of(bad))


def tagging(
    pair: Pair, sentences: Sequence[AnnotatedSentence], *, draws: int, batch_size: int, seed: int
) -> dict[str, float]:
    """Part of speech of words that do not occur in thirty labelled sentences.

    A logistic regression reads the discriminator's last hidden states, which stay as they are. It
    is trained on thirty sentences and scored on the words of the others whose type is in none of
    the thirty. Beside it, the same with the discriminator's weights drawn at random.
    """
    torch_seed = torch.Generator().manual_seed(seed)
    fresh = _freshly_initialised(pair.discriminator, torch_seed)
    results = {}
    for name, model in (
        ("tagging_accuracy", pair.discriminator),
        ("tagging_accuracy_random", fresh),
    ):
        words = [[word.text for word in sentence.words] for sentence in sentences]
        layers = first_piece_states(model, pair.tokenizer, words, batch_size=batch_size)
        states = [of_sentence[-1] for of_sentence in layers]
        random = Random(seed)
        accuracies = [
            _tag_unseen(states, sentences, set(random.sample(range(len(sentences)), LABELLED)))
            for _ in range(draws)
        ]
        results[name] = sum(accuracies) / draws
    return results


def _freshly_initialised(
    model: ElectraForPreTraining, generator: torch.Generator
) -> ElectraForPreTraining:
    state = torch.random.get_rng_state()
    try:
        torch.manual_seed(generator.initial_seed())
        return ElectraForPreTraining(model.config).to(model.device).eval()
    finally:
        torch.random.set_rng_state(state)


def _tag_unseen(
    states: Sequence[Tensor], sentences: Sequence[AnnotatedSentence], labelled: set[int]
) -> float:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    seen = {word.text for i in labelled for word in sentences[i].words}
    train = sorted(labelled)
    tagger = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000))
    tagger.fit(
        torch.cat([states[i] for i in train]).numpy(),
        [word.pos for i in train for word in sentences[i].words],
    )
    unseen = [
        (state, word.pos)
        for i, sentence in enumerate(sentences)
        if i not in labelled
        for state, word in zip(states[i], sentence.words, strict=True)
        if word.text not in seen
    ]
    return float(
        tagger.score(torch.stack([s for s, _ in unseen]).numpy(), [tag for _, tag in unseen])
    )


@lru_cache(maxsize=1)
def _training_texts() -> tuple[str, ...]:
    return tuple(MicroWorld(seed=0, split="train").texts(COUNTED_SENTENCES, seed=0))


@lru_cache(maxsize=1)
def _trigram() -> KneserNey:
    return KneserNey([words_of(text) for text in _training_texts()], order=3)


def _counts(rows: Sequence[Sequence[int]]) -> tuple[Counter[int], dict[int, int]]:
    """How often each token occurs, and which one follows it most often."""
    after: dict[int, Counter[int]] = defaultdict(Counter)
    for row in rows:
        for left, right in pairwise(row):
            after[left][right] += 1
    frequency = Counter(token for row in rows for token in row)
    return frequency, {left: right.most_common(1)[0][0] for left, right in after.items()}


def run(
    recipe: str | Path = "micro",
    seeds: Sequence[int] = (0, 1, 2),
    *,
    output: str | Path | None = None,
    progress: bool = True,
) -> dict[str, Any]:
    """Train a pair for each seed, evaluate it, print a table and write the results.

    Args:
        recipe: the name of a shipped recipe, or the path of a TOML file.
        seeds: one run for each.
        output: the JSON file to write; default: ``results/microworld.json`` in the package's data.
        progress: show progress bars while training.

    Returns:
        What is written: the command, versions, machine, settings, and the results of each seed.

    Raises:
        FileNotFoundError: there is no such recipe.
        ValueError: there are no seeds.
    """
    from electra_lab.training.pretraining import pretrain
    from electra_lab.training.recipe import Recipe

    if not seeds:
        raise ValueError("There are no seeds; give at least one, for example seeds=(0, 1, 2).")
    settings = Recipe.load(recipe)
    runs = []
    for seed in seeds:
        result = pretrain(settings, seed=seed, progress=progress)
        began = time.perf_counter()
        measured = evaluate_pair(result.pair)
        evaluated = time.perf_counter() - began
        runs.append(
            {
                "seed": seed,
                "training_seconds": round(result.seconds, 1),
                "evaluation_seconds": round(evaluated, 1),
                **_rounded(measured),
            }
        )
    command = COMMAND if recipe == "micro" else f"{COMMAND} --recipe {recipe}"
    command = f"{command} --seeds {len(seeds)}" if len(seeds) != 3 else command
    report = {
        **heading(command, ("scikit-learn", "tokenizers")),
        "device": str(result.pair.device),
        "settings": settings.to_dict(),
        "runs": runs,
    }
    print(table(report))
    write(report, "microworld", output)
    return report


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _rounded(value) if isinstance(value, dict) else round(value, 4)
        for key, value in values.items()
    }


_ROWS = (
    ("masked-token accuracy", "mlm_accuracy", ("unigram_accuracy", "bigram_accuracy")),
    ("RTD AUC, fixed unigram corruption", "rtd_auc_fixed", ()),
    ("RTD AUC, own generator", "rtd_auc_own", ()),
    ("minimal pairs", "pairs_accuracy", ("trigram_pairs_accuracy",)),
    ("tagging of unseen words", "tagging_accuracy", ("tagging_accuracy_random",)),
)


def table(report: dict[str, Any]) -> str:
    """The results as a table of text: a column per seed, the baselines at the end."""
    runs = report["runs"]
    heads = "".join(f"{'seed ' + str(run['seed']):>9}" for run in runs)
    lines = [f"{'':36}{heads}   without it"]
    for title, key, baselines in _ROWS:
        cells = "".join(f"{run[key]:9.3f}" for run in runs)
        beside = ", ".join(f"{_baseline_name(b)} {runs[0][b]:.3f}" for b in baselines)
        lines.append(f"{title:36}{cells}   {beside}".rstrip())
    for phenomenon in runs[0]["pairs_accuracy_by_phenomenon"]:
        cells = "".join(f"{run['pairs_accuracy_by_phenomenon'][phenomenon]:9.2f}" for run in runs)
        counted = runs[0]["trigram_pairs_accuracy_by_phenomenon"][phenomenon]
        lines.append(f"{'  ' + phenomenon:36}{cells}   trigram {counted:.2f}")
    seconds = "".join(f"{run['training_seconds']:9.0f}" for run in runs)
    lines.append(f"{'seconds of training':36}{seconds}   {report['device']}")
    return "\n".join(lines)


def _baseline_name(key: str) -> str:
    return "random weights" if key.endswith("random") else key.split("_")[0]
