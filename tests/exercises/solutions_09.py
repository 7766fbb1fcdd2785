"""Solutions of notebook 09, and the mistakes that its checks must find."""

from collections import Counter
from statistics import mean

import torch


def _members(words):
    count = max(word for word in words if word is not None) + 1
    return torch.tensor([[float(one == word) for one in words] for word in range(count)])


def between_words(attention, words):
    member = _members(words)
    return member / member.sum(1, keepdim=True) @ attention @ member.T


def special_tokens_in_word_0(attention, words):
    return between_words(attention, [word or 0 for word in words])


def mean_over_both(attention, words):
    member = _members(words)
    share = member / member.sum(1, keepdim=True)
    return share @ attention @ share.T


def sum_over_both(attention, words):
    member = _members(words)
    return member @ attention @ member.T


def sum_and_mean_swapped(attention, words):
    member = _members(words)
    return member @ attention @ (member / member.sum(1, keepdim=True)).T


def first_pieces(attention, words):
    first = [words.index(word) for word in range(max(filter(None, words)) + 1)]
    return attention[:, first][:, :, first]


def special_tokens_as_a_word(attention, words):
    renamed = [0 if word is None else word + 1 for word in words]
    return between_words(attention, renamed)


def rows_scaled(attention, words):
    made = between_words(attention, words)
    return made / made.sum(-1, keepdim=True)


def words_transposed(attention, words):
    return between_words(attention, words).transpose(-1, -2)


def largest_piece(attention, words):
    member = _members(words).bool()
    rows = [attention[:, one].mean(1) for one in member]
    return torch.stack([torch.stack([row[:, one].amax(1) for one in member], 1) for row in rows], 1)


def best_offset(pairs):
    (offset, count), *_ = Counter(target - source for source, target in pairs).most_common(1)
    return offset, count / len(pairs)


def other_sign(pairs):
    offset, share = best_offset(pairs)
    return -offset, share


def without_sign(pairs):
    (offset, count), *_ = Counter(abs(b - a) for a, b in pairs).most_common(1)
    return offset, count / len(pairs)


def mean_distance(pairs):
    offset = round(mean(target - source for source, target in pairs))
    return offset, sum(target - source == offset for source, target in pairs) / len(pairs)


def counted(pairs):
    (offset, count), *_ = Counter(target - source for source, target in pairs).most_common(1)
    return offset, count


def per_distance(pairs):
    counts = Counter(target - source for source, target in pairs)
    (offset, _), *_ = counts.most_common(1)
    return offset, 1 / len(counts)


def offset_alone(pairs):
    return best_offset(pairs)[0]


def _rolled(matrices):
    result = matrices[0]
    for matrix in matrices[1:]:
        result = matrix @ result
    return result


def rollout(layers):
    one = torch.eye(layers[0].shape[-1])
    return _rolled([(layer.mean(0) + one) / 2 for layer in layers])


def no_residual(layers):
    return _rolled([layer.mean(0) for layer in layers])


def not_halved(layers):
    one = torch.eye(layers[0].shape[-1])
    return _rolled([layer.mean(0) + one for layer in layers])


def wrong_order(layers):
    return rollout(layers[::-1])


def last_layer(layers):
    return rollout(layers[-1:])


def mean_over_layers(layers):
    return torch.stack([rollout([layer]) for layer in layers]).mean(0)


def entry_by_entry(layers):
    return torch.stack([rollout([layer]) for layer in layers]).prod(0)


def largest_head(layers):
    one = torch.eye(layers[0].shape[-1])
    mixed = [layer.amax(0) + one for layer in layers]
    return _rolled([matrix / matrix.sum(-1, keepdim=True) for matrix in mixed])


def always_three_layers(layers):
    return rollout([layers[0], *layers[1:], *[layers[-1]] * (3 - len(layers))])


SOLUTIONS = {"09.1": between_words, "09.2": best_offset, "09.3": rollout}

MUTANTS = {
    "09.1": {
        "mean over queries and keys": mean_over_both,
        "sum over queries and keys": sum_over_both,
        "sum and mean swapped": sum_and_mean_swapped,
        "first pieces only": first_pieces,
        "special tokens as one word": special_tokens_as_a_word,
        "special tokens as pieces of word 0": special_tokens_in_word_0,
        "rows scaled to 1": rows_scaled,
        "rows and columns swapped": words_transposed,
        "the largest piece": largest_piece,
    },
    "09.2": {
        "source minus target": other_sign,
        "the sign is lost": without_sign,
        "the mean distance": mean_distance,
        "a count in place of a share": counted,
        "one over the number of distances": per_distance,
        "no share": offset_alone,
    },
    "09.3": {
        "no residual connection": no_residual,
        "not halved": not_halved,
        "layers in the wrong order": wrong_order,
        "the last layer only": last_layer,
        "mean over layers": mean_over_layers,
        "multiplied entry by entry": entry_by_entry,
        "maximum over heads": largest_head,
        "a number of layers that fits": always_three_layers,
    },
}

# mistake -> words of the hint that is meant for it
HINTS = {
    "09.1": {
        "mean over queries and keys": "You take the mean over both",
        "sum over queries and keys": "You add up over both",
        "sum and mean swapped": "Sum and mean have changed places: over the keys, the columns,",
        "first pieces only": "You keep each word's first piece only",
        "special tokens as one word": "There are 4 words here, and you return 5",
        "special tokens as pieces of word 0": "are counted as pieces of word 0",
        "rows scaled to 1": "You scale the rows to sum to 1",
        "rows and columns swapped": "Rows and columns are swapped",
        "the largest piece": "Entry (i, j): add up the weights to all pieces of word j, and",
    },
    "09.2": {
        "source minus target": "Keep its sign",
        "the sign is lost": "Keep its sign",
        "the mean distance": "A mean of distances, or their middle, may be right for no",
        "a count in place of a share": "You return how many it is right for",
        "one over the number of distances": "Divide by the number of all pairs",
        "no share": "Return two things, distance and share",
    },
    "09.3": {
        "no residual connection": "The residual connection is missing: a layer adds what",
        "not halved": "Your rows sum to 8, as attention and residual connection",
        "layers in the wrong order": "The layers are multiplied in the wrong order",
        "the last layer only": "That is the last layer by itself",
        "mean over layers": "You take the mean over layers",
        "multiplied entry by entry": "You multiply entry by entry",
        "maximum over heads": "You take the maximum over the heads; rollout takes their mean",
        "a number of layers that fits": "Right for three layers, wrong for one",
    },
}
