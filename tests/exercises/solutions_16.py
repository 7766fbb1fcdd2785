"""Solutions and mutants of notebook 16."""

import math

import torch
from torch.nn import functional as F

from electra_lab.training.masking import replace_tokens


def layer_operations(tokens, length, hidden, intermediate):
    linear = 4 * 2 * tokens * hidden * hidden
    products = 2 * 2 * tokens * length * hidden
    feed_forward = 2 * 2 * tokens * hidden * intermediate
    return linear + products + feed_forward


def multiplications_only(tokens, length, hidden, intermediate):
    return layer_operations(tokens, length, hidden, intermediate) // 2


def backward_too(tokens, length, hidden, intermediate):
    return 3 * layer_operations(tokens, length, hidden, intermediate)


def parameters_only(tokens, length, hidden, intermediate):
    return 2 * tokens * (4 * hidden**2 + 2 * hidden * intermediate)


def scores_only(tokens, length, hidden, intermediate):
    return parameters_only(tokens, length, hidden, intermediate) + 2 * tokens * length * hidden


def everybody_attends_to_everybody(tokens, length, hidden, intermediate):
    return parameters_only(tokens, length, hidden, intermediate) + 4 * tokens**2 * hidden


def one_row(tokens, length, hidden, intermediate):
    return parameters_only(tokens, length, hidden, intermediate) + 4 * length**2 * hidden


def no_output_layer(tokens, length, hidden, intermediate):
    return layer_operations(tokens, length, hidden, intermediate) - 2 * tokens * hidden**2


def feed_forward_once(tokens, length, hidden, intermediate):
    whole = layer_operations(tokens, length, hidden, intermediate)
    return whole - 2 * tokens * hidden * intermediate


def always_four_times_as_wide(tokens, length, hidden, intermediate):
    return layer_operations(tokens, length, hidden, 4 * hidden)


def per_token(tokens, length, hidden, intermediate):
    return layer_operations(1, length, hidden, intermediate)


def step_ratio(seconds, ratios):
    new = sum(time / ratios.get(part, 1.0) for part, time in seconds.items())
    return sum(seconds.values()) / new


def upside_down(seconds, ratios):
    return 1 / step_ratio(seconds, ratios)


def new_seconds(seconds, ratios):
    return sum(seconds.values()) / step_ratio(seconds, ratios)


def multiplied(seconds, ratios):
    return step_ratio(seconds, {part: 1 / ratio for part, ratio in ratios.items()})


def others_forgotten(seconds, ratios):
    return sum(seconds.values()) / sum(seconds[part] / ratio for part, ratio in ratios.items())


def named_parts_only(seconds, ratios):
    return step_ratio({part: seconds[part] for part in ratios}, ratios)


def product_of_ratios(seconds, ratios):
    return math.prod(ratios.values())


def weighted_mean(seconds, ratios):
    whole = sum(seconds.values())
    return sum(time / whole * ratios.get(part, 1.0) for part, time in seconds.items())


def mean_of_ratios(seconds, ratios):
    return sum(ratios.values()) / len(ratios)


def saved_share(seconds, ratios):
    return 1 - 1 / step_ratio(seconds, ratios)


def _generator_logits(generator, batch, ids=None):
    states = generator.electra(batch.masked_ids if ids is None else ids).last_hidden_state
    table = generator.electra.embeddings.word.weight
    return generator.head(states.flatten(0, 1)[batch.positions], table)


def _targets(batch):
    return batch.original_ids.flatten()[batch.positions]


def _rtd(discriminator, batch, samples):
    replaced = replace_tokens(batch.original_ids, batch.positions, samples)
    labels = (replaced != batch.original_ids).float()
    return F.binary_cross_entropy_with_logits(discriminator(replaced).logits, labels)


def lean_step(generator, discriminator, batch, sample):
    logits = _generator_logits(generator, batch)
    mlm_loss = F.cross_entropy(logits, _targets(batch))
    return mlm_loss + 50 * _rtd(discriminator, batch, sample(logits))


def as_it_was(generator, discriminator, batch, sample):
    logits = generator(batch.masked_ids).logits.flatten(0, 1)[batch.positions]
    mlm_loss = F.cross_entropy(logits, _targets(batch))
    discriminator(batch.original_ids)
    logits = generator(batch.masked_ids).logits.flatten(0, 1)[batch.positions]
    return mlm_loss + 50 * _rtd(discriminator, batch, sample(logits))


def vocabulary_everywhere(generator, discriminator, batch, sample):
    logits = generator(batch.masked_ids).logits.flatten(0, 1)[batch.positions]
    mlm_loss = F.cross_entropy(logits, _targets(batch))
    return mlm_loss + 50 * _rtd(discriminator, batch, sample(logits))


def read_twice(generator, discriminator, batch, sample):
    mlm_loss = F.cross_entropy(_generator_logits(generator, batch), _targets(batch))
    with torch.no_grad():
        samples = sample(_generator_logits(generator, batch))
    return mlm_loss + 50 * _rtd(discriminator, batch, samples)


def report_kept(generator, discriminator, batch, sample):
    with torch.no_grad():
        discriminator(batch.original_ids)
    return lean_step(generator, discriminator, batch, sample)


def generator_without_gradient(generator, discriminator, batch, sample):
    with torch.no_grad():
        logits = _generator_logits(generator, batch)
    mlm_loss = F.cross_entropy(logits, _targets(batch))
    return mlm_loss + 50 * _rtd(discriminator, batch, sample(logits))


def nothing_to_learn_from(generator, discriminator, batch, sample):
    return lean_step(generator, discriminator, batch, sample).detach()


def generator_loss_left_out(generator, discriminator, batch, sample):
    return 50 * _rtd(discriminator, batch, sample(_generator_logits(generator, batch)))


def asked_at_few_positions(generator, discriminator, batch, sample):
    logits = _generator_logits(generator, batch)
    replaced = replace_tokens(batch.original_ids, batch.positions, sample(logits))
    labels = (replaced != batch.original_ids).float().flatten()[batch.positions]
    verdicts = discriminator(replaced).logits.flatten()[batch.positions]
    rtd_loss = F.binary_cross_entropy_with_logits(verdicts, labels)
    return F.cross_entropy(logits, _targets(batch)) + 50 * rtd_loss


def all_selected_are_replaced(generator, discriminator, batch, sample):
    logits = _generator_logits(generator, batch)
    replaced = replace_tokens(batch.original_ids, batch.positions, sample(logits))
    labels = torch.zeros_like(batch.original_ids, dtype=torch.float32).flatten()
    labels[batch.positions] = 1.0
    verdicts = discriminator(replaced).logits.flatten()
    rtd_loss = F.binary_cross_entropy_with_logits(verdicts, labels)
    return F.cross_entropy(logits, _targets(batch)) + 50 * rtd_loss


def one_reading_of_the_wrong_text(generator, discriminator, batch, sample):
    logits = _generator_logits(generator, batch)
    of_original = _generator_logits(generator, batch, batch.original_ids)
    rtd_loss = _rtd(discriminator, batch, sample(logits))
    return F.cross_entropy(of_original, _targets(batch)) + 50 * rtd_loss


def vocabulary_by_hand(generator, discriminator, batch, sample):
    states = generator.electra(batch.masked_ids).last_hidden_state.flatten(0, 1)
    head, table = generator.head, generator.electra.embeddings.word.weight
    everywhere = F.linear(head.norm(F.gelu(head.dense(states))), table, head.bias)
    logits = everywhere[batch.positions]
    mlm_loss = F.cross_entropy(logits, _targets(batch))
    return mlm_loss + 50 * _rtd(discriminator, batch, sample(logits))


SOLUTIONS = {"16.1": layer_operations, "16.2": step_ratio, "16.3": lean_step}
MUTANTS = {
    "16.1": {
        "multiplications only": multiplications_only,
        "forward and backward": backward_too,
        "what has parameters only": parameters_only,
        "weights times values forgotten": scores_only,
        "a token attends to the whole batch": everybody_attends_to_everybody,
        "attention of one row": one_row,
        "no output layer": no_output_layer,
        "feed-forward has one layer": feed_forward_once,
        "feed-forward always four times as wide": always_four_times_as_wide,
        "one token": per_token,
    },
    "16.2": {
        "upside down": upside_down,
        "the new seconds": new_seconds,
        "multiplied, not divided": multiplied,
        "the other parts are forgotten": others_forgotten,
        "the named parts only": named_parts_only,
        "the product of the ratios": product_of_ratios,
        "a weighted mean of the ratios": weighted_mean,
        "a mean of the ratios": mean_of_ratios,
        "the share that was saved": saved_share,
    },
    "16.3": {
        "as it was": as_it_was,
        "the vocabulary at every position": vocabulary_everywhere,
        "the generator reads twice": read_twice,
        "the report is kept": report_kept,
        "the generator has no gradient": generator_without_gradient,
        "nothing has a gradient": nothing_to_learn_from,
        "the generator's loss is left out": generator_loss_left_out,
        "asked at the selected positions only": asked_at_few_positions,
        "all selected positions are called replaced": all_selected_are_replaced,
        "the generator's loss is that of another text": one_reading_of_the_wrong_text,
        "the vocabulary at every position, by hand": vocabulary_by_hand,
    },
}

# mistake -> words of the hint that is meant for it
HINTS = {
    "16.1": {
        "multiplications only": "This is half of it",
        "forward and backward": "This is a whole step, forward and backward",
        "what has parameters only": "The products of attention are missing: every query with every",
        "weights times values forgotten": "Attention has two products without parameters: queries",
        "a token attends to the whole batch": "Here every token attends to the whole batch",
        "attention of one row": "The products of attention are those of a single row",
        "no output layer": "Attention has four linear layers",
        "feed-forward has one layer": "Feed-forward is two layers, up to `intermediate` and back",
        "feed-forward always four times as wide": "Feed-forward is `intermediate` wide, whatever",
        "one token": "This is the share of a single token",
    },
    "16.2": {
        "upside down": "The ratio is upside down: a step that became faster has a",
        "the new seconds": "These are the new seconds",
        "multiplied, not divided": "The parts are multiplied by their ratio",
        "the other parts are forgotten": "The parts whose ratio is not given are gone from the new",
        "the named parts only": "This looks at the named parts only",
        "the product of the ratios": "A part's ratio is not the step's: most of the step may lie",
        "a weighted mean of the ratios": "Ratios cannot be averaged, not even with the parts'",
        "a mean of the ratios": "Ratios cannot be averaged",
        "the share that was saved": "The number is the share that was saved",
    },
    "16.3": {
        "as it was": "The generator reads the text 2 times",
        "the vocabulary at every position": "Select the states before the head",
        "the generator reads twice": "The generator reads the text 2 times",
        "the report is kept": "The discriminator reads 2 texts, but the loss needs only the",
        "the generator has no gradient": "which part of the step runs without gradients",
        "nothing has a gradient": "The number is right, but nothing can be learned from it: the",
        "the generator's loss is left out": "The generator's loss is gone",
        "all selected positions are called replaced": "Every selected position counts as replaced",
        "asked at the selected positions only": "The discriminator's loss is taken at the selected",
        "the generator's loss is that of another text": "The generator reads the original text",
        "the vocabulary at every position, by hand": "What else is computed that the loss does not",
    },
}
