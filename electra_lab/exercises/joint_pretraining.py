"""Checks for notebook 07: the joint loss, Replace MLM, the copy gate of All-Tokens MLM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from electra_lab.model.config import ElectraConfig
from electra_lab.model.electra import tie_embeddings
from electra_lab.model.heads import ElectraForMaskedLM
from electra_lab.training.masking import replace_tokens
from electra_lab.training.objectives import MaskedBatch, selected_logits

from .diagnosis import expect_or_explain
from .expectations import expect_tensor
from .framework import Hint, exercise

VOCAB, MASK_ID = 23, 4


def _batch() -> MaskedBatch:
    """Two rows, the second padded; three positions selected in the first, one in the second."""
    original = torch.randint(5, VOCAB, (2, 7))
    mask = torch.ones(2, 7, dtype=torch.long)
    mask[1, 5:] = 0
    original[1, 5:] = 0
    positions = torch.tensor([1, 3, 4, 9])
    masked = original.clone()
    masked.view(-1)[positions] = MASK_ID
    return MaskedBatch(original, masked, positions, mask)


@exercise(
    "07.1",
    title="the joint loss",
    hints=(
        "You know all of the parts: the MLM loss of notebook 05, the RTD loss of notebook 06, and "
        "a weight for one of them.",
        "The generator's scores are of the chosen positions only; its targets are the original "
        "ids there, flattened first. The discriminator's labels say where corrupted and original "
        "ids differ; a binary cross-entropy wants them as numbers, .float().",
        "MLM is a cross-entropy, the mean over chosen positions. RTD is a binary cross-entropy, "
        "the mean over tokens that are no padding. Only the second is multiplied by the weight.",
    ),
)
def check_joint_loss(joint_loss: Callable[..., Any]) -> None:
    """MLM averaged over the selected positions + weight * RTD averaged over the attended tokens."""
    batch = _batch()
    original, positions = batch.original_ids, batch.positions
    assert batch.attention_mask is not None
    attended = batch.attention_mask.bool()
    targets = original.view(-1)[positions]
    # the third sample is lucky
    corrupted = replace_tokens(original, positions, (targets + torch.tensor([1, 1, 0, 1])) % VOCAB)
    generator_logits = torch.randn(len(positions), VOCAB)
    discriminator_logits = torch.randn(original.shape)
    mlm = F.cross_entropy(generator_logits, targets)
    labels = (corrupted != original).float()
    each = F.binary_cross_entropy_with_logits(discriminator_logits, labels, reduction="none")
    rtd = each[attended].mean()
    chosen = torch.zeros(original.numel())
    chosen[positions] = 1
    as_selected = F.binary_cross_entropy_with_logits(
        discriminator_logits, chosen.view_as(labels), reduction="none"
    )
    from_samples = F.cross_entropy(generator_logits, corrupted.view(-1)[positions])
    arguments = (generator_logits, discriminator_logits, original, corrupted, positions)
    for weight in (50.0, 3.0):
        expect_or_explain(
            joint_loss(*arguments, batch.attention_mask, weight),
            mlm + weight * rtd,
            "The loss",
            {
                "The weight is on the generator's loss. It belongs to the discriminator's, which is "
                "the smaller one by far.": weight * mlm + rtd,
                "The weight is missing: one of the two losses is to count 50 times.": mlm + rtd,
                "The weight is on both losses: it would then only stand for another learning rate.": (
                    weight * (mlm + rtd)
                ),
                "The weight is 50 whatever the argument says.": mlm + 50 * rtd,
                "The generator's loss is missing. Without it the generator learns nothing: nothing "
                "comes back to it through the samples.": weight * rtd,
                "The discriminator's loss is missing.": mlm,
                "The discriminator's loss is averaged over padding, too. Keep the tokens where "
                "attention_mask is 1.": mlm + weight * each.mean(),
                "The discriminator's loss is averaged over the selected positions only. That is the "
                "ablation ELECTRA 15%; ELECTRA asks about every token.": (
                    mlm + weight * each.view(-1)[positions].mean()
                ),
                "Every selected position is labelled replaced. One of the samples is lucky: it equals "
                "the original, and counts as original.": mlm
                + weight * as_selected[attended].mean(),
                "Two things at once: every selected position is labelled replaced, though a lucky "
                "sample equals the original; and padding is in the mean.": (
                    mlm + weight * as_selected.mean()
                ),
                "The generator's targets are the samples. It should give the original tokens.": (
                    from_samples + weight * rtd
                ),
            },
            "The loss is not mlm + weight * rtd: the cross-entropy of the original tokens, averaged "
            "over the selected positions, and the binary cross-entropy of replaced or not, averaged "
            "over the attended tokens.",
        )


def _tiny_pair() -> tuple[ElectraForMaskedLM, ElectraForMaskedLM]:
    config = ElectraConfig(
        vocab_size=VOCAB,
        embedding_size=8,
        hidden_size=12,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=8,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        initializer_range=0.4,
    )
    generator, model = ElectraForMaskedLM(config.for_generator(0.5)), ElectraForMaskedLM(config)
    tie_embeddings(generator, model)
    return generator, model


@exercise(
    "07.2",
    title="the loss of Replace MLM",
    hints=(
        "Two models, two texts, one question: each model answers at the same positions what the "
        "original word was.",
        "The generator reads masked_ids. Take the chosen rows of its logits, sample from them, "
        "and put the samples into a copy of original_ids; the model reads that copy. Both need "
        "attention_mask.",
        "Both losses are cross-entropies against the original ids at the chosen positions, and "
        "they are added. The samples are whole numbers: no gradient passes through them, and none "
        "is missing.",
    ),
)
def check_replace_mlm_loss(replace_mlm_loss: Callable[..., Any]) -> None:
    """Both models learn by MLM; the second one reads samples where the first one reads [MASK]."""
    batch = _batch()
    original, positions = batch.original_ids, batch.positions
    targets = original.view(-1)[positions]
    generator, model = _tiny_pair()
    shift = 1 + torch.arange(VOCAB)

    def sample(logits: Tensor) -> Tensor:
        """A stand-in that needs no luck: for each row an id that follows from its logits."""
        best = logits.detach().argmax(-1)
        return 5 + (best + shift[best]) % (VOCAB - 5)

    def mlm(reader: ElectraForMaskedLM, ids: Tensor, wanted: Tensor = targets) -> Tensor:
        return F.cross_entropy(selected_logits(reader, ids, batch), wanted)

    sampled = sample(selected_logits(generator, batch.masked_ids, batch))
    replaced = replace_tokens(original, positions, sampled)
    first = mlm(generator, batch.masked_ids)
    right = first + mlm(model, replaced)
    everywhere = model(replaced, batch.attention_mask).logits
    assert batch.attention_mask is not None
    attended = batch.attention_mask.bool()
    without_mask = MaskedBatch(original, batch.masked_ids, positions)
    unmasked = F.cross_entropy(selected_logits(generator, batch.masked_ids, without_mask), targets)
    unmasked = unmasked + F.cross_entropy(selected_logits(model, replaced, without_mask), targets)
    table = model.electra.embeddings.word.weight
    mixed = table[original].flatten(0, 1)
    soft = selected_logits(generator, batch.masked_ids, batch).softmax(-1) @ table
    mixed = mixed.index_copy(0, positions, soft).view(*original.shape, -1)
    from_mixed = model(inputs_embeds=mixed, attention_mask=batch.attention_mask).logits
    kept = original.clone()
    loss = replace_mlm_loss(generator, model, batch, sample)
    if not torch.equal(original, kept):
        raise Hint(
            "batch.original_ids has changed: the samples were written into it, and the right answers "
            "are gone. Write them into a copy, batch.original_ids.clone()."
        )
    expect_or_explain(
        loss,
        right,
        "The loss",
        {
            "The second model reads [MASK]: that is BERT with a generator beside it. Put the "
            "generator's samples in its place.": first + mlm(model, batch.masked_ids),
            "The second model reads the original text, so it has only to copy. Put the generator's "
            "samples at the selected positions.": first + mlm(model, original),
            "The generator's own loss is missing; without it its samples stay noise.": right
            - first,
            "The second model's loss is missing.": first,
            "The second model's targets are the samples. It should give the original tokens.": (
                first + mlm(model, replaced, sampled)
            ),
            "The second loss is averaged over every token. That is nearly All-Tokens MLM; Replace MLM "
            "asks about the selected positions only.": (
                first + F.cross_entropy(everywhere[attended], original[attended])
            ),
            "The attention mask did not reach the models, so they looked at padding.": unmasked,
            "The second model reads mixtures of word vectors, weighted by the generator's "
            "probabilities. It should read words: draw an id from them. (Mixtures would also let "
            "gradients back into the generator.)": (
                first + F.cross_entropy(from_mixed.flatten(0, 1)[positions], targets)
            ),
            "The second loss has a weight of 50. Both losses here are of the same kind and size; the "
            "weight is 1.": first + 50 * (right - first),
        },
        "The loss is not the sum of two MLM losses at the selected positions: the generator's, which "
        "reads batch.masked_ids, and the model's, which reads the original text with the generator's "
        "samples at batch.positions.",
    )
    if not isinstance(loss, Tensor) or not loss.requires_grad:
        raise Hint(
            "The number is right, but nothing can be learned from it: the loss has no gradient. Is "
            "there a no_grad, a detach or an item() too many?"
        )
    ours = torch.autograd.grad(first, generator.head.dense.weight)[0]
    theirs = torch.autograd.grad(loss, generator.head.dense.weight, allow_unused=True)[0]
    if theirs is None or not theirs.any():
        raise Hint(
            "No gradient reaches the generator: it would stay as it is. Its own MLM loss has to be "
            "part of the loss with its gradient."
        )
    expect_tensor(theirs, ours.shape, "The generator's gradients")
    if not torch.allclose(theirs, ours, rtol=1e-4, atol=1e-6):
        raise Hint(
            "The number is right, but something of the second loss flows back into the generator. "
            "A sample is an id: the second model reads ids, and the generator learns from its own "
            "loss alone."
        )


@exercise(
    "07.3",
    title="the copy gate of All-Tokens MLM",
    hints=(
        "There are two ways to the original token: copying what stands there, and writing it. The "
        "probabilities of both ways are added.",
        "Copying gives the original only where the input is the original. Writing gives it with "
        "the probability that the softmax has for it.",
        "D where input and original agree, else 0; to this add (1 - D) times the softmax at "
        "original_ids. gather picks one column in each row, and wants the ids with an axis of "
        "length 1 behind.",
    ),
)
def check_copy_gate(all_tokens_probability: Callable[..., Any]) -> None:
    """p(original) = D * [input is the original] + (1 - D) * softmax(logits)[original]."""
    input_ids = torch.tensor([3, 1, 4, 1, 5])
    original_ids = torch.tensor([3, 1, 2, 1, 0])
    gate, logits = torch.tensor([2.0, -1.0, 0.5, 0.3, -2.0]), torch.randn(5, 6)
    copy = gate.sigmoid()
    same = (input_ids == original_ids).float()
    softmax = logits.softmax(-1)
    written = softmax.gather(-1, original_ids[:, None])[:, 0]
    of_input = softmax.gather(-1, input_ids[:, None])[:, 0]
    right = copy * same + (1 - copy) * written
    expect_or_explain(
        all_tokens_probability(gate, logits, input_ids, original_ids),
        right,
        "The probabilities",
        {
            "The copy probability counts everywhere. Copying gives the input token: it is right only "
            "where the input is the original.": copy + (1 - copy) * written,
            "Where the token was copied, the softmax is missing. The original may come from either "
            "way; add both.": torch.where(same.bool(), copy, (1 - copy) * written),
            "The gate is the wrong way round: D is the probability of copying, 1 - D that of the "
            "softmax.": (1 - copy) * same + copy * written,
            "The gate is used as it comes. A probability needs the sigmoid.": (
                gate * same + (1 - gate) * written
            ),
            "The softmax has its whole weight beside the copy. Multiply it by 1 - D, or the "
            "probabilities of all pieces sum to more than 1.": copy * same + written,
            "There is no copying in it: this is the plain softmax.": written,
            "Only copying is in it: where the input was replaced, the original must come from the "
            "softmax.": copy * same,
            "This is the probability of the input token. The question is how probable the original "
            "one is.": copy + (1 - copy) * of_input,
            "These are logarithms. Give the probabilities themselves.": right.log(),
        },
        "Take for each token D = sigmoid(gate); p = D * [input is the original] + (1 - D) * "
        "softmax(logits) of the original.",
    )
