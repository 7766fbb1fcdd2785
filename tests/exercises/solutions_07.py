"""Solutions and mutants of notebook 07."""

import torch
from torch.nn import functional as F


def joint_loss(
    generator_logits,
    discriminator_logits,
    original_ids,
    corrupted_ids,
    positions,
    attention_mask,
    weight=50.0,
):
    mlm = F.cross_entropy(generator_logits, original_ids.flatten()[positions])
    labels = (corrupted_ids != original_ids).float()
    attended = attention_mask.bool()
    rtd = F.binary_cross_entropy_with_logits(discriminator_logits[attended], labels[attended])
    return mlm + weight * rtd


def _mlm(generator_logits, ids, positions):
    return F.cross_entropy(generator_logits, ids.flatten()[positions])


def _each(logits, original, corrupted):
    labels = (corrupted != original).float()
    return F.binary_cross_entropy_with_logits(logits, labels, reduction="none")


def weight_on_the_generator(g, d, original, corrupted, positions, mask, weight=50.0):
    return weight * _mlm(g, original, positions) + _each(d, original, corrupted)[mask.bool()].mean()


def no_weight(g, d, original, corrupted, positions, mask, weight=50.0):
    return joint_loss(g, d, original, corrupted, positions, mask, 1.0)


def always_fifty(g, d, original, corrupted, positions, mask, weight=50.0):
    return joint_loss(g, d, original, corrupted, positions, mask, 50.0)


def over_padding(g, d, original, corrupted, positions, mask, weight=50.0):
    return _mlm(g, original, positions) + weight * _each(d, original, corrupted).mean()


def selected_only(g, d, original, corrupted, positions, mask, weight=50.0):
    each = _each(d, original, corrupted).flatten()[positions]
    return _mlm(g, original, positions) + weight * each.mean()


def lucky_samples_labelled_replaced(g, d, original, corrupted, positions, mask, weight=50.0):
    labels = torch.zeros(original.numel())
    labels[positions] = 1
    attended = mask.bool()
    rtd = F.binary_cross_entropy_with_logits(d[attended], labels.view_as(d)[attended])
    return _mlm(g, original, positions) + weight * rtd


def samples_as_targets(g, d, original, corrupted, positions, mask, weight=50.0):
    rtd = _each(d, original, corrupted)[mask.bool()].mean()
    return _mlm(g, corrupted, positions) + weight * rtd


def generator_forgotten(g, d, original, corrupted, positions, mask, weight=50.0):
    return weight * _each(d, original, corrupted)[mask.bool()].mean()


def summed(g, d, original, corrupted, positions, mask, weight=50.0):
    mlm = _mlm(g, original, positions) * len(positions)
    return mlm + weight * _each(d, original, corrupted)[mask.bool()].sum()


def _chosen(logits, batch):
    return logits.flatten(0, 1)[batch.positions]


def _targets(batch):
    return batch.original_ids.flatten()[batch.positions]


def chosen_and_padding_replaced(g, d, original, corrupted, positions, mask, weight=50.0):
    labels = torch.zeros(original.numel())
    labels[positions] = 1
    rtd = F.binary_cross_entropy_with_logits(d, labels.view_as(d))
    return _mlm(g, original, positions) + weight * rtd


def replace_mlm_loss(generator, model, batch, sample):
    logits = _chosen(generator(batch.masked_ids, batch.attention_mask).logits, batch)
    replaced = batch.original_ids.clone()
    replaced.view(-1)[batch.positions] = sample(logits)
    restored = _chosen(model(replaced, batch.attention_mask).logits, batch)
    return F.cross_entropy(logits, _targets(batch)) + F.cross_entropy(restored, _targets(batch))


def originals_overwritten(generator, model, batch, sample):
    logits = _chosen(generator(batch.masked_ids, batch.attention_mask).logits, batch)
    batch.original_ids.view(-1)[batch.positions] = sample(logits)
    restored = _chosen(model(batch.original_ids, batch.attention_mask).logits, batch)
    return F.cross_entropy(logits, _targets(batch)) + F.cross_entropy(restored, _targets(batch))


def _parts(generator, model, batch, sample, mask="given"):
    mask = batch.attention_mask if mask == "given" else mask
    logits = _chosen(generator(batch.masked_ids, mask).logits, batch)
    replaced = batch.original_ids.clone()
    replaced.view(-1)[batch.positions] = sample(logits)
    return F.cross_entropy(logits, _targets(batch)), replaced, logits


def masks_left_in(generator, model, batch, sample):
    first, _, _ = _parts(generator, model, batch, sample)
    restored = _chosen(model(batch.masked_ids, batch.attention_mask).logits, batch)
    return first + F.cross_entropy(restored, _targets(batch))


def original_text_in(generator, model, batch, sample):
    first, _, _ = _parts(generator, model, batch, sample)
    restored = _chosen(model(batch.original_ids, batch.attention_mask).logits, batch)
    return first + F.cross_entropy(restored, _targets(batch))


def samples_wanted(generator, model, batch, sample):
    first, replaced, _ = _parts(generator, model, batch, sample)
    restored = _chosen(model(replaced, batch.attention_mask).logits, batch)
    return first + F.cross_entropy(restored, replaced.flatten()[batch.positions])


def every_token_asked(generator, model, batch, sample):
    first, replaced, _ = _parts(generator, model, batch, sample)
    attended = batch.attention_mask.bool()
    restored = model(replaced, batch.attention_mask).logits
    return first + F.cross_entropy(restored[attended], batch.original_ids[attended])


def generators_loss_forgotten(generator, model, batch, sample):
    first, _, _ = _parts(generator, model, batch, sample)
    return replace_mlm_loss(generator, model, batch, sample) - first


def attention_mask_forgotten(generator, model, batch, sample):
    first, replaced, _ = _parts(generator, model, batch, sample, mask=None)
    return first + F.cross_entropy(_chosen(model(replaced).logits, batch), _targets(batch))


def weight_of_fifty(generator, model, batch, sample):
    first, _, _ = _parts(generator, model, batch, sample)
    return first + 50 * (replace_mlm_loss(generator, model, batch, sample) - first)


def _embedded(generator, model, batch, sample, mix):
    """The second model reads vectors that depend on the generator's probabilities."""
    first, _, logits = _parts(generator, model, batch, sample)
    table = model.electra.embeddings.word.weight
    soft, hard = logits.softmax(-1), F.one_hot(sample(logits), logits.shape[-1]).float()
    vectors = table[batch.original_ids].flatten(0, 1)
    vectors = vectors.index_copy(0, batch.positions, mix(soft, hard) @ table)
    vectors = vectors.view(*batch.original_ids.shape, -1)
    output = model(inputs_embeds=vectors, attention_mask=batch.attention_mask)
    return first + F.cross_entropy(_chosen(output.logits, batch), _targets(batch))


def gradient_leaks_through_the_sample(generator, model, batch, sample):
    return _embedded(
        generator, model, batch, sample, lambda soft, hard: hard + soft - soft.detach()
    )


def soft_samples(generator, model, batch, sample):
    return _embedded(generator, model, batch, sample, lambda soft, hard: soft)


def generator_detached(generator, model, batch, sample):
    first, _, _ = _parts(generator, model, batch, sample)
    return replace_mlm_loss(generator, model, batch, sample) - first + first.detach()


def only_a_number(generator, model, batch, sample):
    return replace_mlm_loss(generator, model, batch, sample).item()


def all_tokens_probability(gate, logits, input_ids, original_ids):
    copy = torch.sigmoid(gate)
    written = logits.softmax(-1).gather(-1, original_ids[:, None]).squeeze(-1)
    return copy * (input_ids == original_ids) + (1 - copy) * written


def _written(logits, original_ids):
    return logits.softmax(-1).gather(-1, original_ids[:, None]).squeeze(-1)


def copied_everywhere(gate, logits, input_ids, original_ids):
    return torch.sigmoid(gate) + (1 - torch.sigmoid(gate)) * _written(logits, original_ids)


def either_or(gate, logits, input_ids, original_ids):
    copy, written = torch.sigmoid(gate), _written(logits, original_ids)
    return torch.where(input_ids == original_ids, copy, (1 - copy) * written)


def gate_turned_round(gate, logits, input_ids, original_ids):
    return all_tokens_probability(-gate, logits, input_ids, original_ids)


def no_sigmoid(gate, logits, input_ids, original_ids):
    return gate * (input_ids == original_ids) + (1 - gate) * _written(logits, original_ids)


def softmax_in_full(gate, logits, input_ids, original_ids):
    copied = torch.sigmoid(gate) * (input_ids == original_ids)
    return copied + _written(logits, original_ids)


def of_the_input(gate, logits, input_ids, original_ids):
    return all_tokens_probability(gate, logits, input_ids, input_ids)


def logarithms(gate, logits, input_ids, original_ids):
    return all_tokens_probability(gate, logits, input_ids, original_ids).log()


SOLUTIONS = {"07.1": joint_loss, "07.2": replace_mlm_loss, "07.3": all_tokens_probability}

MUTANTS = {
    "07.1": {
        "weight on the generator's loss": weight_on_the_generator,
        "no weight": no_weight,
        "always fifty": always_fifty,
        "averaged over padding": over_padding,
        "selected positions only": selected_only,
        "lucky samples labelled replaced": lucky_samples_labelled_replaced,
        "lucky samples labelled replaced, and over padding": chosen_and_padding_replaced,
        "samples as targets": samples_as_targets,
        "generator forgotten": generator_forgotten,
        "sums": summed,
    },
    "07.2": {
        "[MASK] left in": masks_left_in,
        "the original text": original_text_in,
        "samples as targets": samples_wanted,
        "the originals are overwritten": originals_overwritten,
        "every token asked": every_token_asked,
        "the generator's loss forgotten": generators_loss_forgotten,
        "attention mask forgotten": attention_mask_forgotten,
        "weight of 50": weight_of_fifty,
        "gradient leaks through the sample": gradient_leaks_through_the_sample,
        "soft samples": soft_samples,
        "the generator's loss without gradient": generator_detached,
        "only a number": only_a_number,
    },
    "07.3": {
        "copied everywhere": copied_everywhere,
        "either or": either_or,
        "gate the wrong way round": gate_turned_round,
        "no sigmoid": no_sigmoid,
        "softmax in full": softmax_in_full,
        "of the input token": of_the_input,
        "logarithms": logarithms,
    },
}

# mistake -> words of the hint that is meant for it
HINTS = {
    "07.1": {
        "weight on the generator's loss": "The weight is on the generator's loss",
        "no weight": "The weight is missing: one of the two losses is to count 50",
        "always fifty": "The weight is 50 whatever the argument says",
        "averaged over padding": "The discriminator's loss is averaged over padding, too",
        "selected positions only": "The discriminator's loss is averaged over the selected",
        "lucky samples labelled replaced": "Every selected position is labelled replaced",
        "lucky samples labelled replaced, and over padding": "Two things at once",
        "samples as targets": "The generator's targets are the samples",
        "generator forgotten": "The generator's loss is missing",
        "sums": "The loss is not mlm + weight * rtd: the cross-entropy of the",
    },
    "07.2": {
        "[MASK] left in": "The second model reads [MASK]: that is BERT with a generator",
        "the original text": "The second model reads the original text, so it has only to",
        "samples as targets": "The second model's targets are the samples",
        "the originals are overwritten": "batch.original_ids has changed",
        "every token asked": "The second loss is averaged over every token",
        "the generator's loss forgotten": "The generator's own loss is missing; without it its",
        "attention mask forgotten": "The attention mask did not reach the models, so they looked",
        "weight of 50": "The second loss has a weight of 50",
        "gradient leaks through the sample": "The number is right, but something of the second",
        "soft samples": "The second model reads mixtures of word vectors, weighted by",
        "the generator's loss without gradient": "No gradient reaches the generator: it would stay",
        "only a number": "The number is right, but nothing can be learned from it: the",
    },
    "07.3": {
        "copied everywhere": "The copy probability counts everywhere",
        "either or": "Where the token was copied, the softmax is missing",
        "gate the wrong way round": "The gate is the wrong way round",
        "no sigmoid": "The gate is used as it comes",
        "softmax in full": "The softmax has its whole weight beside the copy",
        "of the input token": "This is the probability of the input token",
        "logarithms": "Give the probabilities themselves",
    },
}
