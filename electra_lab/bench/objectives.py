"""The five objectives at equal compute: what each teaches the same encoder (paper, section 3.4).

Every objective gets the floating point operations that ELECTRA's steps cost, so one with a cheaper
step takes more of them. Then the encoders that are kept are compared: on minimal pairs, scored in
the way that each objective makes natural, and by tagging words unseen in thirty labelled sentences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from electra_lab.checkpoints.pair import Pair
from electra_lab.inside.scoring import score_sentences
from electra_lab.model.heads import ElectraForMaskedLM, ElectraForPreTraining
from electra_lab.model.pretrained import PreTrainedModel
from electra_lab.text.microworld import MicroWorld, minimal_pairs
from electra_lab.training.batches import MaskedBatches
from electra_lab.training.objectives import (
    MLM,
    OBJECTIVES,
    AllTokensMLM,
    Electra,
    MaskedBatch,
    Objective,
    ReplaceMLM,
    WithGenerator,
    selected_logits,
)
from electra_lab.training.pretraining import (
    PretrainingResult,
    build_objective,
    make_batches,
    make_tokenizer,
    pretrain,
    training_texts,
)
from electra_lab.training.recipe import Recipe

from .microworld import tagging
from .report import heading, write

COMMAND = "electra-lab bench objectives"
COUNTED_BATCHES = 4
"""Batches over which the operations of a step are averaged."""


def operations_per_step(objective: Objective, batches: MaskedBatches) -> float:
    """Floating point operations of one training step, forward and backward, in matrix products.

    Counted, not estimated, by PyTorch's counter, with attention written out so that it sees all.
    """
    for module in objective.modules():
        if isinstance(module, PreTrainedModel):
            module.set_attn_implementation("eager")
    total = 0
    for step in range(COUNTED_BATCHES):
        with FlopCounterMode(display=False) as counter:
            objective(batches.batch(step)).loss.backward()
        total += counter.get_total_flops()
    return total / COUNTED_BATCHES


def equal_compute(recipe: Recipe, steps: int, objectives: Iterable[str]) -> dict[str, Recipe]:
    """For each objective a recipe that costs what ``steps`` steps of ELECTRA cost."""
    texts = training_texts(recipe)
    tokenizer = make_tokenizer(recipe, texts)
    batches = make_batches(recipe, tokenizer, texts)
    costs = {
        name: operations_per_step(
            build_objective(replace(recipe, objective=name), tokenizer), batches
        )
        for name in {*objectives, Electra.name}
    }
    return {
        name: replace(
            recipe.with_steps(max(1, round(steps * costs[Electra.name] / costs[name]))),
            objective=name,
        )
        for name in objectives
    }


@torch.no_grad()
def evaluate_objective(
    result: PretrainingResult, *, pairs: int = 1_000, sentences: int = 1_000, seed: int = 0
) -> dict[str, float]:
    """Minimal pairs, tagging, and masked-token accuracy where the kept model predicts tokens.

    Args:
        pairs: minimal pairs, scored by ``sentence_scorer``.
        sentences: held-out sentences for tagging and masked tokens.
        seed: of both.

    Returns:
        ``pairs_accuracy``, ``tagging_accuracy``, ``tagging_accuracy_random``; and ``mlm_accuracy``,
        at the selected positions of the input that the objective trains with ([MASK] for ``mlm``,
        the generator's samples for ``replace_mlm`` and ``all_tokens_mlm``).
    """
    objective = result.objective.eval()
    score = sentence_scorer(result)
    examples = minimal_pairs(pairs, "test", seed)
    good = score([example.good for example in examples])
    bad = score([example.bad for example in examples])
    held_out = MicroWorld(seed=seed, split="test").sentences(sentences, seed=seed)
    figures = {
        "pairs_accuracy": mean(g > b for g, b in zip(good, bad, strict=True)),
        **tagging(_as_pair(result), held_out, draws=5, batch_size=250, seed=seed),
    }
    if not isinstance(objective, Electra):
        texts = [sentence.text for sentence in held_out]
        batches = make_batches(replace(result.recipe, mask_share=1.0), result.tokenizer, texts)
        figures["mlm_accuracy"] = mean(
            _mlm_accuracy(objective, batches.batch(step))
            for step in range(batches.batches_per_epoch)
        )
    return figures


def sentence_scorer(result: PretrainingResult) -> Callable[[Sequence[str]], list[float]]:
    """How an objective's model says which of two sentences is the better one; higher is better.

    ``electra`` and ``electra_15`` add up log(1 - p(replaced)) over the tokens. The language models
    add up the log-probability of each token: ``mlm`` with that token masked (pseudo-log-likelihood,
    Salazar et al. 2020), the two that never see [MASK] with the sentence as it stands.
    """
    objective, tokenizer = result.objective, result.tokenizer
    if isinstance(objective, Electra):
        return lambda texts: score_sentences(objective.model, tokenizer, texts)
    if isinstance(objective, MLM):
        log_probabilities = partial(_masked_one_by_one, objective, tokenizer.mask_token_id)
    else:
        assert isinstance(objective, ReplaceMLM | AllTokensMLM)
        log_probabilities = partial(_as_it_stands, objective)

    def score(texts: Sequence[str]) -> list[float]:
        return [
            float(log_probabilities(torch.tensor([ids])).sum())
            for ids in tokenizer(list(texts))["input_ids"]
        ]

    return score


def _masked_one_by_one(
    objective: MLM, mask_id: int, ids: Int[Tensor, "1 seq"]
) -> Float[Tensor, " words"]:
    """log p of each token but [CLS] and [SEP], itself masked."""
    columns = torch.arange(1, ids.shape[1] - 1)
    masked = ids.repeat(len(columns), 1)
    masked[torch.arange(len(columns)), columns] = mask_id
    states = objective.encoder(masked).last_hidden_state[torch.arange(len(columns)), columns]
    logits = objective.model.head(states, objective.encoder.embeddings.word.weight)
    return -F.cross_entropy(logits, ids[0, columns], reduction="none")


def _as_it_stands(
    objective: ReplaceMLM | AllTokensMLM, ids: Int[Tensor, "1 seq"]
) -> Float[Tensor, " words"]:
    """log p of each token but [CLS] and [SEP], nothing masked."""
    states, words = objective.encoder(ids).last_hidden_state[0, 1:-1], ids[0, 1:-1]
    if isinstance(objective, AllTokensMLM):
        return objective.log_probability(states, words, words)
    logits = objective.model.head(states, objective.encoder.embeddings.word.weight)
    return -F.cross_entropy(logits, words, reduction="none")


def _mlm_accuracy(objective: Objective, batch: MaskedBatch) -> float:
    model: Any = objective.model
    assert isinstance(model, ElectraForMaskedLM)
    inputs = batch.masked_ids
    if isinstance(objective, WithGenerator):
        _, inputs = objective.generate(batch)
    logits = selected_logits(model, inputs, batch)
    wanted = batch.original_ids.flatten()[batch.positions]
    return float((logits.argmax(-1) == wanted).float().mean())


def _as_pair(result: PretrainingResult) -> Pair:
    """The kept encoder in the place of a discriminator's, for measurements that read its states."""
    reader = ElectraForPreTraining(result.objective.config)
    reader.electra = result.objective.encoder
    generator: Any = getattr(result.objective, "generator", result.objective.model)
    return Pair(generator, reader.eval(), result.tokenizer)


def run(
    recipe: str | Path | Recipe = "micro",
    seeds: Sequence[int] = (0, 1, 2),
    *,
    steps: int | None = None,
    output: str | Path | None = None,
    progress: bool = True,
) -> dict[str, Any]:
    """Train every objective with every seed at equal compute, print a table and write the results.

    Args:
        recipe: a shipped recipe's name, the path of a TOML file, or a ``Recipe``.
        seeds: one run of each objective for each.
        steps: steps of ELECTRA whose cost everyone gets; None: the recipe's.
        output: the JSON file; default: ``results/objectives.json`` in the package's data.
        progress: show progress bars.

    Raises:
        FileNotFoundError: there is no such recipe.
        ValueError: there are no seeds.
    """
    if not seeds:
        raise ValueError("There are no seeds; give at least one, for example seeds=(0, 1, 2).")
    settings = recipe if isinstance(recipe, Recipe) else Recipe.load(recipe)
    steps = settings.steps if steps is None else steps
    recipes = equal_compute(settings, steps, OBJECTIVES)
    runs = []
    for seed in seeds:
        for name, own in recipes.items():
            result = pretrain(own, seed=seed, device="cpu", progress=progress)
            figures = {k: round(v, 4) for k, v in evaluate_objective(result).items()}
            runs.append({"objective": name, "seed": seed, "steps": own.steps, **figures})
    report = {
        **heading(
            f"{COMMAND} --seeds {len(seeds)} --steps {steps}", ("scikit-learn", "tokenizers")
        ),
        "settings": settings.to_dict(),
        "runs": runs,
    }
    print(table(report))
    write(report, "objectives", output)
    return report


_COLUMNS = {
    "pairs_accuracy": "minimal pairs",
    "tagging_accuracy": "tagging unseen",
    "mlm_accuracy": "masked tokens",
}


def table(report: dict[str, Any]) -> str:
    """A line for each objective: mean over the seeds and, behind it, their standard deviation."""
    head = "".join(f"{title:>18}" for title in _COLUMNS.values())
    lines = [f"{'objective':16}{'steps':>7}{head}"]
    for name in dict.fromkeys(run["objective"] for run in report["runs"]):
        own = [run for run in report["runs"] if run["objective"] == name]
        cells = "".join(
            f"{_mean_and_deviation([run[key] for run in own if key in run]):>18}"
            for key in _COLUMNS
        )
        lines.append(f"{name:16}{own[0]['steps']:7}{cells}")
    return "\n".join(lines)


def _mean_and_deviation(values: Sequence[float]) -> str:
    if not values:
        return "-"
    if len(values) == 1:
        return f"{values[0]:.3f}"
    return f"{mean(values):.3f} ± {stdev(values):.3f}"
