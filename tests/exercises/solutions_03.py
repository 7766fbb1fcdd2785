"""Solutions of notebook 03, and the mistakes that its checks must find."""

import math

import torch


def scores(query, key):
    return query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5


def not_scaled(query, key):
    return query @ key.transpose(-1, -2)


def scaled_by_the_width(query, key):
    return query @ key.transpose(-1, -2) / query.shape[-1]


def scaled_by_the_keys(query, key):
    return query @ key.transpose(-1, -2) / key.shape[-2] ** 0.5


def multiplied(query, key):
    return query @ key.transpose(-1, -2) * query.shape[-1] ** 0.5


def fixed_scale(query, key):
    return query @ key.transpose(-1, -2) / 4


def logarithm(query, key):
    return query @ key.transpose(-1, -2) / math.log2(query.shape[-1])


def transposed(query, key):
    return key @ query.transpose(-1, -2) / query.shape[-1] ** 0.5


def masked_softmax(scores, mask):
    hidden = mask[:, None, :] == 0
    return scores.masked_fill(hidden, torch.finfo(scores.dtype).min).softmax(dim=-1)


def mask_ignored(scores, mask):
    return scores.softmax(dim=-1)


def masked_afterwards(scores, mask):
    return scores.softmax(dim=-1) * mask[:, None, :]


def multiplied_before(scores, mask):
    return (scores * mask[:, None, :]).softmax(dim=-1)


def over_the_queries(scores, mask):
    return scores.masked_fill(mask[:, None, :] == 0, -1e9).softmax(dim=-2)


def upside_down(scores, mask):
    return scores.masked_fill(mask[:, None, :] == 1, -1e9).softmax(dim=-1)


def queries_masked(scores, mask):
    return scores.masked_fill(mask[:, :, None] == 0, -1e9).softmax(dim=-1)


def one_subtracted(scores, mask):
    return (scores - (1 - mask[:, None, :])).softmax(dim=-1)


def split_heads(states, heads):
    return states.unflatten(-1, (heads, -1)).transpose(1, 2)


def not_swapped(states, heads):
    return states.unflatten(-1, (heads, -1))


def reshaped_at_once(states, heads):
    batch, seq, hidden = states.shape
    return states.reshape(batch, heads, seq, hidden // heads)


def every_nth(states, heads):
    return states.unflatten(-1, (-1, heads)).permute(0, 3, 1, 2)


def always_four_heads(states, heads):
    return states.unflatten(-1, (4, -1)).transpose(1, 2)


def always_two_numbers(states, heads):
    return states.unflatten(-1, (-1, 2)).transpose(1, 2)


def heads_backwards(states, heads):
    return split_heads(states, heads).flip(1)


SOLUTIONS = {"03.1": scores, "03.2": masked_softmax, "03.3": split_heads}

MUTANTS = {
    "03.1": {
        "not scaled": not_scaled,
        "divided by the width, not its root": scaled_by_the_width,
        "divided by the root of the number of keys": scaled_by_the_keys,
        "multiplied by the root": multiplied,
        "queries and keys swapped": transposed,
        "a scale that fits one width": fixed_scale,
        "the logarithm, which is the root at 16": logarithm,
    },
    "03.2": {
        "the mask is ignored": mask_ignored,
        "masked after the softmax": masked_afterwards,
        "scores are multiplied by the mask": multiplied_before,
        "softmax over the queries": over_the_queries,
        "the mask is upside down": upside_down,
        "the queries are masked": queries_masked,
        "1 is subtracted, which is not enough": one_subtracted,
    },
    "03.3": {
        "the axes are not swapped": not_swapped,
        "reshaped at once": reshaped_at_once,
        "every n-th number": every_nth,
        "heads in the other order": heads_backwards,
        "always 4 heads": always_four_heads,
        "always heads of 2 numbers": always_two_numbers,
    },
}
