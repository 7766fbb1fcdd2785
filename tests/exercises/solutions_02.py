"""Solutions of notebook 02, and the mistakes that its checks must find."""

import torch
from torch import nn
from torch.nn import functional as F


def embed(input_ids, token_type_ids, word, position, token_type):
    positions = torch.arange(input_ids.shape[1])
    return word[input_ids] + position[positions] + token_type[token_type_ids]


def positions_forgotten(input_ids, token_type_ids, word, position, token_type):
    return word[input_ids] + token_type[token_type_ids]


def types_forgotten(input_ids, token_type_ids, word, position, token_type):
    return word[input_ids] + position[: input_ids.shape[1]]


def positions_from_one(input_ids, token_type_ids, word, position, token_type):
    positions = torch.arange(input_ids.shape[1]) + 1
    return word[input_ids] + position[positions] + token_type[token_type_ids]


def counted_through_the_batch(input_ids, token_type_ids, word, position, token_type):
    positions = torch.arange(input_ids.numel()).view_as(input_ids)
    return word[input_ids] + position[positions] + token_type[token_type_ids]


def side_by_side(input_ids, token_type_ids, word, position, token_type):
    places = position[: input_ids.shape[1]].expand(len(input_ids), -1, -1)
    return torch.cat([word[input_ids], places, token_type[token_type_ids]], dim=-1)


def positions_backwards(input_ids, token_type_ids, word, position, token_type):
    positions = torch.arange(input_ids.shape[1]).flip(0)
    return word[input_ids] + position[positions] + token_type[token_type_ids]


def positions_of_four_tokens(input_ids, token_type_ids, word, position, token_type):
    return word[input_ids] + position[:4] + token_type[token_type_ids]


def ids_as_positions(input_ids, token_type_ids, word, position, token_type):
    return word[input_ids] + position[input_ids] + token_type[token_type_ids]


def count_inputs(vocab_size, embedding_size, hidden_size):
    table = vocab_size * embedding_size
    if embedding_size == hidden_size:
        return table
    return table + embedding_size * hidden_size + hidden_size


def bias_forgotten(vocab_size, embedding_size, hidden_size):
    return vocab_size * embedding_size + embedding_size * hidden_size


def bias_of_the_input(vocab_size, embedding_size, hidden_size):
    return vocab_size * embedding_size + embedding_size * hidden_size + embedding_size


def a_wide_table(vocab_size, embedding_size, hidden_size):
    return vocab_size * hidden_size


def always_projected(vocab_size, embedding_size, hidden_size):
    return vocab_size * embedding_size + embedding_size * hidden_size + hidden_size


def nearest(table, index, k):
    cosines = F.cosine_similarity(table, table[index], dim=-1)
    order = cosines.argsort(descending=True).tolist()
    return [row for row in order if row != index][:k]


def itself_included(table, index, k):
    return F.cosine_similarity(table, table[index], dim=-1).topk(k).indices.tolist()


def the_first_dropped(table, index, k):
    """Drops the row with the largest dot product, in the belief that it is the row itself."""
    return (table @ table[index]).topk(k + 1).indices.tolist()[1:]


def the_top_dropped(table, index, k):
    """Drops the row with the largest cosine, in the belief that it is the row itself."""
    return F.cosine_similarity(table, table[index], dim=-1).topk(k + 1).indices.tolist()[1:]


def dot_product(table, index, k):
    order = (table @ table[index]).argsort(descending=True).tolist()
    return [row for row in order if row != index][:k]


def distance(table, index, k):
    order = (table - table[index]).norm(dim=-1).argsort().tolist()
    return [row for row in order if row != index][:k]


def farthest(table, index, k):
    return F.cosine_similarity(table, table[index], dim=-1).argsort().tolist()[:k]


def always_of_row_0(table, index, k):
    return nearest(table, 0, k)


def tie(generator, discriminator):
    generator.weight = discriminator.weight


def copied_numbers(generator, discriminator):
    generator.weight.data.copy_(discriminator.weight.data)


def copied_parameter(generator, discriminator):
    generator.weight = nn.Parameter(discriminator.weight.detach().clone())


def two_parameters_in_one_place(generator, discriminator):
    generator.weight.data = discriminator.weight.data


def another_parameter_in_one_place(generator, discriminator):
    generator.weight = nn.Parameter(discriminator.weight)


def the_wrong_way_round(generator, discriminator):
    discriminator.weight = generator.weight


def only_a_name(generator, discriminator):
    generator = discriminator
    return generator


def a_new_one_for_both(generator, discriminator):
    generator.weight = discriminator.weight = nn.Parameter(discriminator.weight.detach().clone())


def frozen(generator, discriminator):
    generator.weight = discriminator.weight.requires_grad_(False)


def the_mean_of_both(generator, discriminator):
    discriminator.weight.data = (generator.weight.data + discriminator.weight.data) / 2
    generator.weight = discriminator.weight


SOLUTIONS = {"02.1": embed, "02.2": count_inputs, "02.3": nearest, "02.4": tie}

MUTANTS = {
    "02.1": {
        "positions are forgotten": positions_forgotten,
        "types are forgotten": types_forgotten,
        "positions begin at 1": positions_from_one,
        "positions go on into the next row": counted_through_the_batch,
        "side by side instead of added": side_by_side,
        "positions run backwards": positions_backwards,
        "positions of four tokens, always": positions_of_four_tokens,
        "positions looked up by ids": ids_as_positions,
    },
    "02.2": {
        "the bias is forgotten": bias_forgotten,
        "the bias is as wide as the input": bias_of_the_input,
        "a table as wide as the encoder": a_wide_table,
        "a projection where none is needed": always_projected,
    },
    "02.3": {
        "the row itself is included": itself_included,
        "the first is dropped unseen": the_first_dropped,
        "the top is dropped unseen": the_top_dropped,
        "dot product instead of cosine": dot_product,
        "distance instead of cosine": distance,
        "the farthest": farthest,
        "the index is not used": always_of_row_0,
    },
    "02.4": {
        "the numbers are copied": copied_numbers,
        "a parameter with copied numbers": copied_parameter,
        "two parameters over the same numbers": two_parameters_in_one_place,
        "another parameter over the same numbers": another_parameter_in_one_place,
        "the generator's table is kept": the_wrong_way_round,
        "only a name changes": only_a_name,
        "a new parameter for both": a_new_one_for_both,
        "the table is frozen": frozen,
        "the mean of both tables": the_mean_of_both,
    },
}

# mistake -> words of the hint that is meant for it
HINTS = {
    "02.1": {
        "positions are forgotten": "The positions are missing: without them word order is lost",
        "types are forgotten": "The token types are missing: sentence A and B look alike",
        "positions begin at 1": "Positions are counted from 0: the first token takes row 0 of",
        "positions go on into the next row": "You counted on from one row of the batch to the next",
        "side by side instead of added": "You put the three vectors side by side",
        "positions run backwards": "Take one row of each table for each token (word[input_ids]",
        "positions of four tokens, always": "should have shape [3, 1, 6]",
        "positions looked up by ids": "A position says where a token stands, not which token",
    },
    "02.2": {
        "the bias is forgotten": "Nearly: a linear layer has a bias, one number for each output",
        "the bias is as wide as the input": "The bias is added after the multiplication: it is as",
        "a table as wide as the encoder": "That is what a table as wide as the encoder would cost",
        "a projection where none is needed": "Where embedding_size equals hidden_size, as in base",
    },
    "02.3": {
        "the row itself is included": "Row 0 is its own nearest neighbour, which is no news",
        "the first is dropped unseen": "Row 0 is its own nearest neighbour, which is no news",
        "the top is dropped unseen": "Take the row itself out by its number",
        "dot product instead of cosine": "This looks like the dot product, which prefers long",
        "distance instead of cosine": "The cosine asks for the angle, whatever the lengths",
        "the farthest": "These are the farthest rows",
        "the index is not used": "Use index",
    },
    "02.4": {
        "the numbers are copied": "equal today, and apart after the first step",
        "a parameter with copied numbers": "equal today, and apart after the first step",
        "two parameters over the same numbers": "two steps in place of one",
        "another parameter over the same numbers": "two steps in place of one",
        "the generator's table is kept": "but the generator's",
        "only a name changes": "nobody keeps what the function returns",
        "a new parameter for both": "would go on changing the old one",
        "the table is frozen": "can no longer learn",
        "the mean of both tables": "no longer the discriminator's",
    },
}
