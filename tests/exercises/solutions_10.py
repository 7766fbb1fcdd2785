"""Solutions and mutants of notebook 10."""

import torch
from torch.nn import functional as F


def first_states(states, attention_mask):
    begin = attention_mask.argmax(1)
    return states[torch.arange(len(states)), begin]


def position_zero(states, attention_mask):
    return states[:, 0]


def last_token(states, attention_mask):
    last = attention_mask.shape[1] - 1 - attention_mask.flip(1).argmax(1)
    return states[torch.arange(len(states)), last]


def tokens_counted(states, attention_mask):
    return states[torch.arange(len(states)), attention_mask.sum(1) - 1]


def places_of_all_rows(states, attention_mask):
    return states[:, attention_mask.argmax(1)]


def last_position(states, attention_mask):
    return states[:, -1]


def padding_counted(states, attention_mask):
    length = attention_mask.shape[1]
    return states[torch.arange(len(states)), (length - attention_mask.sum(1)) % length]


def mask_inverted(states, attention_mask):
    return states[torch.arange(len(states)), attention_mask.argmin(1)]


def mean_of_tokens(states, attention_mask):
    real = attention_mask[..., None].float()
    return (states * real).sum(1) / real.sum(1)


def mean_of_positions(states, attention_mask):
    return states.mean(1)


def axis_kept(states, attention_mask):
    return first_states(states, attention_mask)[:, None]


def multi_label_loss(logits, labels, weights):
    present = weights * labels * -F.logsigmoid(logits)
    absent = (1 - labels) * -F.logsigmoid(-logits)
    return (present + absent).mean()


def cross_entropy_used(logits, labels, weights):
    return -(weights * labels * logits.log_softmax(-1)).sum(-1).mean()


def weights_forgotten(logits, labels, weights):
    return F.binary_cross_entropy_with_logits(logits, labels)


def weights_on_absent(logits, labels, weights):
    absent = weights * (1 - labels) * -F.logsigmoid(-logits)
    return (labels * -F.logsigmoid(logits) + absent).mean()


def weights_on_both(logits, labels, weights):
    return F.binary_cross_entropy_with_logits(logits, labels, weight=weights)


def absent_forgotten(logits, labels, weights):
    return (weights * labels * -F.logsigmoid(logits)).mean()


def softmax_used(logits, labels, weights):
    return -(weights * labels * logits.log_softmax(-1)).mean()


def summed_over_labels(logits, labels, weights):
    return multi_label_loss(logits, labels, weights) * labels.shape[1]


def summed(logits, labels, weights):
    return multi_label_loss(logits, labels, weights) * labels.numel()


def wrong_sign(logits, labels, weights):
    return -multi_label_loss(logits, labels, weights)


def divided_by_weights(logits, labels, weights):
    total = multi_label_loss(logits, labels, weights) * labels.numel()
    return total / (weights * labels + 1 - labels).sum()


def sigmoid_twice(logits, labels, weights):
    return multi_label_loss(logits.sigmoid(), labels, weights)


def overflowing(logits, labels, weights):
    p = logits.sigmoid()
    return -(weights * labels * p.log() + (1 - labels) * (1 - p).log()).mean()


def clamped(logits, labels, weights):
    p = logits.sigmoid().clamp(1e-7, 1 - 1e-7)
    return -(weights * labels * p.log() + (1 - labels) * (1 - p).log()).mean()


def _correlation(first, second):
    first, second = first - first.mean(), second - second.mean()
    return (first * second).sum() / (first.square().sum() * second.square().sum()).sqrt()


def spearman(first, second):
    def ranks(values):
        smaller = (values < values[:, None]).sum(1)
        equal = (values == values[:, None]).sum(1)
        return smaller + (equal - 1) / 2

    one, other = (ranks(values) - ranks(values).mean() for values in (first, second))
    return (one * other).sum() / (one.square().sum() * other.square().sum()).sqrt()


def pearson(first, second):
    return _correlation(first, second)


def sorted_once(first, second):
    return _correlation(first.argsort().float(), second.argsort().float())


def ties_by_place(first, second):
    return _correlation(first.argsort().argsort().float(), second.argsort().argsort().float())


def opposite_order(first, second):
    return spearman(first, -second)


def covariance(first, second):
    def ranks(values):
        smaller = (values < values[:, None]).sum(1)
        return smaller + ((values == values[:, None]).sum(1) - 1) / 2

    one, other = ranks(first), ranks(second)
    return ((one - one.mean()) * (other - other.mean())).mean()


def shortcut(first, second):
    def ranks(values):
        smaller = (values < values[:, None]).sum(1)
        return smaller + ((values == values[:, None]).sum(1) - 1) / 2

    n = len(first)
    return 1 - 6 * ((ranks(first) - ranks(second)) ** 2).sum() / (n * (n**2 - 1))


def lowest_rank(first, second):
    one, other = ((values < values[:, None]).sum(1).float() for values in (first, second))
    return _correlation(one, other)


def share_in_order(first, second):
    agree = ((first[:, None] - first).sign() == (second[:, None] - second).sign()).float()
    return agree.mean()


SOLUTIONS = {"10.1": first_states, "10.2": multi_label_loss, "10.3": spearman}
MUTANTS = {
    "10.1": {
        "position 0, padding or not": position_zero,
        "the last token": last_token,
        "the last position": last_position,
        "the number of tokens minus 1": tokens_counted,
        "the places of all rows in each": places_of_all_rows,
        "as many positions on as there is padding": padding_counted,
        "the mask the wrong way round": mask_inverted,
        "a mean of the tokens": mean_of_tokens,
        "a mean of all positions": mean_of_positions,
        "an axis too many": axis_kept,
    },
    "10.2": {
        "the weights are forgotten": weights_forgotten,
        "the weights are on absent labels": weights_on_absent,
        "the weights are on both": weights_on_both,
        "absent labels cost nothing": absent_forgotten,
        "a softmax": softmax_used,
        "a softmax's cross-entropy": cross_entropy_used,
        "a sum over the labels": summed_over_labels,
        "a sum": summed,
        "the wrong sign": wrong_sign,
        "divided by the sum of the weights": divided_by_weights,
        "the sigmoid twice": sigmoid_twice,
        "log(0)": overflowing,
        "log(0) avoided by a clamp": clamped,
    },
    "10.3": {
        "Pearson's correlation": pearson,
        "argsort once": sorted_once,
        "ties ranked by their place": ties_by_place,
        "one side from the largest down": opposite_order,
        "a covariance": covariance,
        "the shortcut for values without ties": shortcut,
        "ties get their lowest rank": lowest_rank,
        "the share of pairs in the same order": share_in_order,
    },
}

# mistake -> words of the hint that is meant for it
HINTS = {
    "10.1": {
        "position 0, padding or not": "This is position 0 of every row",
        "the last token": "The last token of a row is [SEP]",
        "the last position": "This is the last position of every row, padding or not",
        "the number of tokens minus 1": "The number of tokens minus 1 is the place of the last one",
        "the places of all rows in each": "Every row was asked for the places of all rows",
        "as many positions on as there is padding": "The position is as large as the number of",
        "the mask the wrong way round": "The mask is read the wrong way round: 1 stands for a",
        "a mean of the tokens": "This is a mean over the tokens",
        "a mean of all positions": "This is a mean over all positions, padding included",
        "an axis too many": "should have shape [4, 3]",
    },
    "10.2": {
        "the weights are forgotten": "The weights are not used: rare labels count as much as the",
        "the weights are on absent labels": "The weight is on the term of an absent label",
        "the weights are on both": "The weight is on both terms",
        "absent labels cost nothing": "Absent labels have no term",
        "a softmax": "These are the terms of a softmax, in which the labels take",
        "a softmax's cross-entropy": "This is the cross-entropy of a softmax",
        "a sum over the labels": "This is a sum over the labels",
        "a sum": "This is a sum",
        "the wrong sign": "The sign is the wrong way round: a loss is small where the",
        "divided by the sum of the weights": "The mean is one over weights",
        "the sigmoid twice": "The logits go through the sigmoid twice",
        "log(0)": "which stays finite",
        "log(0) avoided by a clamp": "which stays finite",
    },
    "10.3": {
        "Pearson's correlation": "This is Pearson's correlation, of the values",
        "argsort once": "argsort says which element comes at each place, not at which",
        "ties ranked by their place": "Equal values have different ranks",
        "one side from the largest down": "One side is ranked from the largest down, the other",
        "a covariance": "This is a covariance of the ranks",
        "the shortcut for values without ties": "The shortcut 1 - 6 * sum(d**2) / (n * (n**2 - 1))",
        "ties get their lowest rank": "Equal values all have the lowest of their ranks",
        "the share of pairs in the same order": "The rank of a value: how many are smaller, plus",
    },
}
