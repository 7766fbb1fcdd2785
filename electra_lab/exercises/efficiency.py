"""Checks for notebook 16: the operations of a layer, what a faster part buys, a step that wastes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from electra_lab.model.config import ElectraConfig
from electra_lab.model.heads import ElectraForMaskedLM, ElectraForPreTraining
from electra_lab.training.costs import step_operations, total
from electra_lab.training.masking import replace_tokens
from electra_lab.training.objectives import Electra, MaskedBatch, selected_logits

from .diagnosis import expect_or_explain
from .framework import Hint, exercise

VOCAB, MASK_ID = 53, 4


@exercise(
    "16.1",
    title="the operations of a layer",
    hints=(
        "There are three kinds of products: the linear layers of attention, the products of "
        "attention itself, and feed-forward. Write down the shapes of each.",
        "A linear layer from n to m over all tokens costs 2 times tokens times n times m. "
        "Attention has four of them, feed-forward has two.",
        "Scores and mixture are two more. Each token meets the tokens of its own row, so each of "
        "the two costs 2 times tokens times length times hidden.",
    ),
)
def check_layer_operations(layer_operations: Callable[..., Any]) -> None:
    """Four square linear layers, two products of attention, two layers of feed-forward."""
    for tokens, length, hidden, intermediate in ((480, 96, 256, 1024), (120, 12, 24, 36)):
        linear = 8 * tokens * hidden**2
        products = 4 * tokens * length * hidden
        feed_forward = 4 * tokens * hidden * intermediate
        right = linear + products + feed_forward
        mistakes = {
            "This is half of it. Each pair of numbers costs two operations: they are multiplied, and "
            "the result is added to a sum.": right / 2,
            "This is a whole step, forward and backward. The question is about one forward pass.": (
                3 * right
            ),
            "The products of attention are missing: every query with every key, and then the weights "
            "with the values. They have no parameters, but they cost.": linear + feed_forward,
            "Attention has two products without parameters: queries with keys, and weights with "
            "values. One of them is missing.": right - products / 2,
            "Here every token attends to the whole batch. It attends to its own row only, which has "
            "`length` tokens.": linear + 4 * tokens**2 * hidden + feed_forward,
            "The products of attention are those of a single row. There are tokens / length rows.": (
                linear + 4 * length**2 * hidden + feed_forward
            ),
            "Attention has four linear layers. Query, key and value are there; what comes after the "
            "heads?": right - linear / 4,
            "Query, key, value and output are four linear layers of hidden x hidden. Only one of them "
            "is here.": right - 3 * linear / 4,
            "Feed-forward is two layers, up to `intermediate` and back. One is missing.": (
                right - feed_forward / 2
            ),
            "Feed-forward is missing. It is the largest part.": linear + products,
            "Feed-forward is `intermediate` wide, whatever that is. It is not always 4 * hidden.": (
                linear + products + 16 * tokens * hidden**2
            ),
            "This is the share of a single token. The layer works on all of them.": right / tokens,
        }
        expect_or_explain(
            layer_operations(tokens, length, hidden, intermediate),
            torch.tensor(float(right), dtype=torch.float64),
            "The number of operations",
            {hint: torch.tensor(float(wrong)) for hint, wrong in mistakes.items()},
            "Add up 2 * m * n * k for each product of an (m, k) with a (k, n) matrix: query, key, value "
            "and output for all tokens; in every row and for all heads together (length x hidden) with "
            "(hidden x length) and (length x length) with (length x hidden); the two of feed-forward.",
        )


@exercise(
    "16.2",
    title="what a faster part buys",
    hints=(
        "Ratios of parts cannot be averaged. Compute the new seconds of each part, and compare "
        "the sums.",
        "A part that becomes r times as fast takes its seconds divided by r. The dictionary's "
        "get, with 1 for what is not in it, covers the parts that stay.",
    ),
)
def check_step_ratio(step_ratio: Callable[..., Any]) -> None:
    """Old seconds of the whole step over new ones; parts that are not named stay as they are."""
    seconds = {"encoder": 0.6, "vocabulary": 0.9, "sampling": 0.25, "optimiser": 0.05}
    for ratios in ({"sampling": 50.0, "encoder": 1.5}, {"vocabulary": 3.0}, {"optimiser": 0.5}):
        old = sum(seconds.values())
        named = sum(seconds[part] for part in ratios)
        faster = sum(seconds[part] / ratio for part, ratio in ratios.items())
        new = old - named + faster
        multiplied = old - named + sum(seconds[part] * ratio for part, ratio in ratios.items())
        product = 1.0
        for ratio in ratios.values():
            product *= ratio
        mistakes = {
            "The ratio is upside down: a step that became faster has a ratio above 1.": new / old,
            "These are the new seconds. How many times as fast is that?": new,
            "These are the seconds that were saved. How many times as fast is the step?": old - new,
            "The parts are multiplied by their ratio. What is three times as fast takes a third of the "
            "time.": old / multiplied,
            "The parts whose ratio is not given are gone from the new step. They take as long as "
            "before.": old / faster,
            "This looks at the named parts only. The rest of the step takes its time, too, and that is "
            "the point.": named / faster,
            "A part's ratio is not the step's: most of the step may lie elsewhere. Go through seconds, "
            "not through ratios.": product,
            "Ratios cannot be averaged, not even with the parts' shares as weights: a part that becomes "
            "endlessly fast would make the step endlessly fast. Go through seconds.": (
                sum(seconds[part] * ratios.get(part, 1.0) for part in seconds) / old
            ),
            "Ratios cannot be averaged. Add up the seconds of the old step and of the new one.": (
                sum(ratios.values()) / len(ratios)
            ),
            "The number is the share that was saved. The question is the ratio, old by new.": (
                (old - new) / old
            ),
        }
        expect_or_explain(
            step_ratio(dict(seconds), dict(ratios)),
            torch.tensor(old / new),
            "The ratio",
            {hint: torch.tensor(wrong) for hint, wrong in mistakes.items()},
            "Add up the seconds of all parts; then again, each part with a ratio divided by it and the "
            "others as they are. Old by new.",
            tolerance=1e-3,
        )


def _tiny() -> tuple[Electra, MaskedBatch]:
    config = ElectraConfig(
        vocab_size=VOCAB,
        embedding_size=8,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=12,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        initializer_range=0.4,
    )
    objective = Electra(config, config.for_generator(0.5))
    for model in (objective.generator, objective.model):
        model.set_attn_implementation("eager")
    original = torch.randint(5, VOCAB, (3, 12))
    positions = torch.tensor([1, 4, 17, 20, 30])
    masked = original.clone()
    masked.view(-1)[positions] = MASK_ID
    return objective, MaskedBatch(original, masked, positions)


def _sample(logits: Tensor) -> Tensor:
    """A stand-in that needs no luck: for each row an id that follows from its logits."""
    return 5 + (logits.detach().argmax(-1) * 7 + 3) % (VOCAB - 5)


class _Work:
    """What went through the models' parts while this watched: readings, and rows of the head."""

    def __init__(self, objective: Electra) -> None:
        self.of_generator = self.of_discriminator = self.head_rows = 0
        self._hooks = [
            objective.generator.electra.register_forward_hook(self._generator_read),
            objective.model.electra.register_forward_hook(self._discriminator_read),
            objective.generator.head.register_forward_hook(self._head_worked),
        ]

    def _generator_read(self, *_: Any) -> None:
        self.of_generator += 1

    def _discriminator_read(self, *_: Any) -> None:
        self.of_discriminator += 1

    def _head_worked(self, module: Any, inputs: Any, logits: Tensor) -> None:
        self.head_rows += logits.numel() // VOCAB

    def stop(self) -> None:
        for hook in self._hooks:
            hook.remove()


@exercise(
    "16.3",
    title="find out why: a step that wastes",
    hints=(
        "Count the forward passes of the two encoders, and ask of each what the loss would lose "
        "without it.",
        "The samples can be drawn from the very scores that the generator's loss is computed "
        "from. And the report is no part of the loss.",
        "The largest product is the generator's head over the vocabulary, and only the selected "
        "positions are asked. Call generator.electra for the states, choose those at the "
        "positions, and give only these to generator.head, with the word table.",
    ),
)
def check_lean_step(lean_step: Callable[..., Any]) -> None:
    """The same loss and gradients with no operation too many."""
    objective, batch = _tiny()
    generator: ElectraForMaskedLM = objective.generator
    discriminator: ElectraForPreTraining = objective.model
    parameters = dict(objective.named_parameters())
    right, parts = _plain_step(objective, batch)
    wanted = torch.autograd.grad(right, list(parameters.values()), allow_unused=True)
    work = _Work(objective)
    try:
        with FlopCounterMode(display=False) as counter:
            loss = lean_step(generator, discriminator, batch, _sample)
            learns = isinstance(loss, Tensor) and loss.requires_grad and loss.dim() == 0
            if learns:
                loss.backward()
    finally:
        work.stop()
    mlm, rtd = parts
    expect_or_explain(
        loss,
        right.detach(),
        "The loss",
        {
            "The generator's loss is gone. It is no waste: without it the generator learns nothing.": (
                50 * rtd
            ),
            "The discriminator's loss is gone. It is what all of this is for.": mlm,
            "The discriminator's loss has lost its weight of 50. A lean step has the same loss.": (
                mlm + rtd
            ),
            "The discriminator's loss is taken at the selected positions only. That saves nothing worth "
            "having, and it is another objective: ELECTRA asks about every token.": (
                mlm + 50 * _rtd_at_selected(objective, batch)
            ),
            "Every selected position counts as replaced here. Where the sample is the original piece, "
            "nothing was replaced: compare the two texts.": (
                mlm + 50 * _rtd_all_selected(objective, batch)
            ),
            "The discriminator reads the text without the samples. Put them at batch.positions.": (
                mlm + 50 * _rtd_of(objective, batch, batch.original_ids)
            ),
            "The generator reads the original text. It should read batch.masked_ids.": (
                _mlm_of(objective, batch, batch.original_ids) + 50 * rtd
            ),
        },
        "The loss is not that of the wasteful step. Leave out what nobody uses, change nothing else.",
    )
    if not learns:
        raise Hint(
            "The number is right, but nothing can be learned from it: the loss has no gradient. Is "
            "there a no_grad, a detach or an item() too many?"
        )
    for (name, parameter), ours in zip(parameters.items(), wanted, strict=True):
        ours = torch.zeros_like(parameter) if ours is None else ours
        theirs = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        if not torch.allclose(ours, theirs, rtol=1e-3, atol=1e-5):
            raise Hint(
                f"The loss is right, but the gradient of {name} is not. Cheap is only what learns the "
                "same: which part of the step runs without gradients, and should not?"
            )
    _expect_no_waste(work, batch)
    needed = total(
        step_operations(
            "electra",
            objective.config,
            objective.generator_config,
            rows=batch.original_ids.shape[0],
            length=batch.original_ids.shape[1],
            selected=len(batch.positions),
        )
    )
    counted = counter.get_total_flops()
    if counted > needed:
        raise Hint(
            f"Loss and gradients are right, but the step takes {counted:,} operations where {needed:,} "
            "would do. What else is computed that the loss does not need?"
        )


def _expect_no_waste(work: _Work, batch: MaskedBatch) -> None:
    if work.of_generator > 1:
        raise Hint(
            f"The generator reads the text {work.of_generator} times. Loss and samples come from the "
            "same logits: one reading is enough."
        )
    if work.of_discriminator > 1:
        raise Hint(
            f"The discriminator reads {work.of_discriminator} texts, but the loss needs only the one "
            "with the samples in it. Whose result is thrown away?"
        )
    if work.head_rows > len(batch.positions):
        raise Hint(
            f"The generator's head scores the whole vocabulary at {work.head_rows} positions; the loss "
            f"and the samples need {len(batch.positions)}. Select the states before the head, not the "
            "logits after it."
        )


def _mlm_of(objective: Electra, batch: MaskedBatch, ids: Tensor) -> Tensor:
    logits = selected_logits(objective.generator, ids, batch)
    return F.cross_entropy(logits, batch.original_ids.view(-1)[batch.positions])


def _replaced(objective: Electra, batch: MaskedBatch) -> Tensor:
    with torch.no_grad():
        samples = _sample(selected_logits(objective.generator, batch.masked_ids, batch))
    return replace_tokens(batch.original_ids, batch.positions, samples)


def _rtd_of(objective: Electra, batch: MaskedBatch, ids: Tensor) -> Tensor:
    return objective.main_loss(ids, batch)


def _rtd_at_selected(objective: Electra, batch: MaskedBatch) -> Tensor:
    ids = _replaced(objective, batch)
    logits = objective.model(ids).logits.view(-1)[batch.positions]
    labels = (ids != batch.original_ids).view(-1)[batch.positions]
    return F.binary_cross_entropy_with_logits(logits, labels.float())


def _rtd_all_selected(objective: Electra, batch: MaskedBatch) -> Tensor:
    logits = objective.model(_replaced(objective, batch)).logits.view(-1)
    labels = torch.zeros_like(logits)
    labels[batch.positions] = 1.0
    return F.binary_cross_entropy_with_logits(logits, labels)


def _plain_step(objective: Electra, batch: MaskedBatch) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """The loss, and detached its two parts."""
    mlm = _mlm_of(objective, batch, batch.masked_ids)
    rtd = _rtd_of(objective, batch, _replaced(objective, batch))
    return mlm + 50 * rtd, (mlm.detach(), rtd.detach())
