"""What a pair learned from real text, measured on text that it has not read.

Masked words and replaced tokens in held-out documents, and grammatical minimal pairs that it was never
trained to decide: by the discriminator (is every token original) and by the generator (how probable is
each token when it is not seen). A unigram model stands beside each.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from electra_lab.checkpoints.pair import Pair, load_pair
from electra_lab.checkpoints.resources import data_path
from electra_lab.devices import default_device
from electra_lab.inside.scoring import pseudo_log_likelihoods, score_sentences
from electra_lab.text.corpus.build import build_shards
from electra_lab.text.corpus.documents import Corpus, TextFiles
from electra_lab.text.corpus.held_out import HeldOut
from electra_lab.text.corpus.shards import Shards
from electra_lab.training.recipe import Recipe

from .language import answers, area_under_curve
from .report import heading, write

COMMAND = "electra-lab bench mini"
BATCH = 32
MOST_SEGMENTS = 2_000
"""Of a text, spread evenly over it: about 200,000 tokens, 30,000 of them masked."""
MOST_LENGTH = 128


def run(
    pair: str = "mini",
    *,
    corpus: str | Path | None = None,
    text: str | Path | None = None,
    recipe: str = "mini",
    output: str | Path | None = None,
    progress: bool = True,
) -> dict[str, Any]:
    """Measure a pair, print a table and write the results.

    Args:
        pair: as ``load_pair`` takes it.
        corpus: the text that it was trained on; its held-out documents are measured.
        text: text that it never saw, all of it.
        recipe: says which documents of the corpus were held out.
        output: the JSON file to write; default: ``results/mini.json`` in the package's data.
        progress: show what is being measured.

    Returns:
        What is written: the command, versions, and the figures.

    Raises:
        FileNotFoundError: there is no such pair, recipe or text.
        ValueError: the recipe holds nothing out; there is no text.
    """
    loaded = load_pair(pair).to(default_device())
    texts = _texts(corpus, text, recipe)
    measured = {}
    weights = None
    for name, source in texts.items():
        if progress:
            print(f"Reading {name} ...")
        with tempfile.TemporaryDirectory() as folder:
            shards = _shards(loaded, source, folder)
            weights = _frequencies(shards, loaded) if weights is None else weights
            measured[name] = masked_and_replaced(loaded, shards, weights)
    if progress:
        print("Deciding minimal pairs ...")
    command = [COMMAND, *(() if pair == "mini" else ("--pair", pair))]
    command += ["--corpus CORPUS"] * (corpus is not None) + ["--text TEXT"] * (text is not None)
    report = {
        **heading(" ".join(command), ("scikit-learn", "tokenizers")),
        "pair": pair,
        "device": str(loaded.device),
        "texts": measured,
        "minimal_pairs": minimal_pairs_decided(loaded, english_minimal_pairs(), weights),
    }
    print(table(report))
    write(report, "mini", output)
    return report


def masked_and_replaced(
    pair: Pair, shards: Shards, weights: Float[Tensor, " vocab"], *, seed: int = 0
) -> dict[str, Any]:
    """The generator's perplexity and accuracy at masked tokens, and the discriminator's areas under the
    ROC curve, over segments spread evenly over a text.

    Args:
        weights: of the tokens in the fixed corruption, and of the unigram model beside.

    Returns:
        ``segments``, ``tokens`` (special ones not counted), ``mlm_perplexity``, ``mlm_accuracy``,
        ``unigram_perplexity``, ``unigram_accuracy``, ``rtd_auc_fixed``, ``rtd_auc_own``.
    """
    count = min(len(shards), MOST_SEGMENTS)
    chosen = [number * len(shards) // count for number in range(count)]
    # segments of similar lengths go together; what is drawn depends on this order, not on the pair
    chosen.sort(key=lambda number: (shards[number].length, number))

    def batches() -> Iterator[tuple[Int[Tensor, "batch seq"], Int[Tensor, "batch seq"]]]:
        for start in range(0, count, BATCH):
            ids, _, lengths = shards.rows(chosen[start : start + BATCH])
            columns = np.arange(ids.shape[1])
            mask = (columns < lengths[:, None]).astype(np.int64)
            yield torch.from_numpy(ids), torch.from_numpy(mask)

    unigram = (weights / weights.sum()).log()
    commonest = int(weights.argmax())
    given = answers(pair, batches(), weights, seed=seed)
    wanted = torch.cat([answer.wanted for answer in given])
    logs = torch.cat([answer.log_probabilities for answer in given])
    guesses = torch.cat([answer.guesses for answer in given])
    return {
        "segments": count,
        "tokens": sum(len(shards[number].ids) for number in chosen),
        "masked": len(wanted),
        "mlm_perplexity": round(math.exp(-float(logs.mean())), 1),
        "mlm_accuracy": round(float((guesses == wanted).float().mean()), 4),
        "unigram_perplexity": round(math.exp(-float(unigram[wanted].mean())), 1),
        "unigram_accuracy": round(float((wanted == commonest).float().mean()), 4),
        "rtd_auc_fixed": round(area_under_curve(given, "fixed"), 4),
        "rtd_auc_own": round(area_under_curve(given, "own"), 4),
    }


def english_minimal_pairs() -> list[dict[str, str]]:
    """The pairs of ``data/minimal_pairs``: ``good``, ``bad`` and ``phenomenon``."""
    lines = data_path("minimal_pairs", "pairs.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def minimal_pairs_decided(
    pair: Pair,
    pairs: Sequence[dict[str, str]],
    weights: Float[Tensor, " vocab"] | None = None,
) -> dict[str, Any]:
    """How often the good sentence of a pair scores higher; a tie counts half.

    Args:
        weights: piece frequencies of a unigram model to stand beside; None: it is left out.

    Returns:
        For ``discriminator``, ``generator`` and ``unigram``: ``accuracy`` and ``by_phenomenon``.
    """
    sides = {side: [entry[side] for entry in pairs] for side in ("good", "bad")}
    scores: dict[str, dict[str, list[float]]] = {
        "discriminator": {
            side: score_sentences(pair.discriminator, pair.tokenizer, texts)
            for side, texts in sides.items()
        },
        "generator": {
            side: pseudo_log_likelihoods(pair.generator, pair.tokenizer, texts)
            for side, texts in sides.items()
        },
    }
    if weights is not None:
        unigram = (weights / weights.sum()).log()
        scores["unigram"] = {
            side: [
                float(unigram[pair.tokenizer(text, add_special_tokens=False)["input_ids"]].sum())
                for text in texts
            ]
            for side, texts in sides.items()
        }
    kinds = [entry["phenomenon"] for entry in pairs]
    return {
        "pairs": len(pairs),
        **{who: _accuracies(kinds, score["good"], score["bad"]) for who, score in scores.items()},
    }


def _accuracies(
    kinds: Sequence[str], good: Sequence[float], bad: Sequence[float]
) -> dict[str, Any]:
    decided: dict[str, list[float]] = defaultdict(list)
    for kind, better, worse in zip(kinds, good, bad, strict=True):
        decided[kind].append(0.5 if better == worse else float(better > worse))
    everything = [value for values in decided.values() for value in values]
    return {
        "accuracy": round(float(np.mean(everything)), 4),
        "by_phenomenon": {kind: round(float(np.mean(v)), 4) for kind, v in decided.items()},
    }


def _texts(corpus: str | Path | None, text: str | Path | None, recipe: str) -> dict[str, Corpus]:
    texts: dict[str, Corpus] = {}
    if corpus is not None:
        every = Recipe.load(recipe).held_out
        texts["held-out documents"] = HeldOut(TextFiles(corpus), every)
    if text is not None:
        texts["other text"] = TextFiles(text)
    return texts


def _shards(pair: Pair, corpus: Corpus, folder: str) -> Shards:
    positions = pair.discriminator.config.max_position_embeddings
    length = min(MOST_LENGTH, positions)
    build_shards(corpus, pair.tokenizer, folder, max_length=length, progress=False)
    return Shards(folder, pair.tokenizer)


def _frequencies(shards: Shards, pair: Pair) -> Float[Tensor, " vocab"]:
    """How often each piece occurs in the first text that is measured. The smallest count is a half, so
    that no piece is impossible; special tokens are."""
    counts: Counter[int] = Counter()
    for ids in shards.runs():
        numbers, times = np.unique(ids, return_counts=True)
        counts.update(dict(zip(numbers.tolist(), times.tolist(), strict=True)))
    weights = torch.full((len(pair.tokenizer),), 0.5)
    weights[list(counts)] = torch.tensor(list(counts.values()), dtype=torch.float)
    weights[pair.tokenizer.all_special_ids] = 0.0
    return weights


def table(report: dict[str, Any]) -> str:
    """The results as a table of text."""
    lines = []
    for name, figures in report["texts"].items():
        lines += [
            f"{name}: {figures['tokens']:,} tokens, {figures['masked']:,} masked",
            f"  masked-token accuracy   {figures['mlm_accuracy']:9.3f}   "
            f"unigram {figures['unigram_accuracy']:.3f}",
            f"  masked-token perplexity {figures['mlm_perplexity']:9.1f}   "
            f"unigram {figures['unigram_perplexity']:.1f}",
            f"  RTD AUC, fixed unigrams {figures['rtd_auc_fixed']:9.3f}   chance .5",
            f"  RTD AUC, own generator  {figures['rtd_auc_own']:9.3f}   chance .5",
        ]
    decided = report["minimal_pairs"]
    judges = [name for name in ("discriminator", "generator", "unigram") if name in decided]
    lines.append(
        f"{decided['pairs']} minimal pairs".ljust(36) + "".join(f"{j:>15}" for j in judges)
    )
    rows = [("all", [decided[judge]["accuracy"] for judge in judges])]
    for kind in decided["discriminator"]["by_phenomenon"]:
        rows.append((kind, [decided[judge]["by_phenomenon"][kind] for judge in judges]))
    lines += [f"  {kind:34}" + "".join(f"{v:15.3f}" for v in values) for kind, values in rows]
    return "\n".join(lines)
