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


def head_size_given(states, heads):
    return states.unflatten(-1, (-1, heads)).transpose(1, 2)


def always_four_heads(states, heads):
    return states.unflatten(-1, (4, -1)).transpose(1, 2)


def always_two_numbers(states, heads):
    return states.unflatten(-1, (-1, 2)).transpose(1, 2)


def heads_backwards(states, heads):
    return split_heads(states, heads).flip(1)


def _right(query, key, value, mask):
    raw = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    weights = raw.masked_fill(mask[:, None, :] == 0, -1e9).softmax(dim=-1)
    return weights @ value


def _texts(width=16):
    query, key, value = (torch.randn(2, 5, width) for _ in range(3))
    return query, key, value, torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])


def _sums_are_1(attend, query, key, value, mask):
    ones = torch.ones_like(value)
    return torch.allclose(attend(query, key, ones, mask), ones, atol=1e-4)


def _padding_is_hidden(attend, query, key, value, mask):
    wild_key, wild_value = key.clone(), value.clone()
    wild_key[mask == 0], wild_value[mask == 0] = 30.0, 100.0
    before, after = attend(query, key, value, mask), attend(query, wild_key, wild_value, mask)
    return torch.allclose(before[mask == 1], after[mask == 1], atol=1e-4)


def _mixtures_are_right(attend, query, key, value, mask):
    return torch.allclose(
        attend(query, key, value, mask), _right(query, key, value, mask), atol=1e-4
    )


def what_is_wrong(attend):
    texts = _texts()
    if not _sums_are_1(attend, *texts):
        return "sums"
    if not _padding_is_hidden(attend, *texts):
        return "padding"
    return "none" if _mixtures_are_right(attend, *texts) else "scale"


def always_none(attend):
    return "none"


def everything_is_scale(attend):
    return "none" if _mixtures_are_right(attend, *_texts()) else "scale"


def sums_not_asked_for(attend):
    texts = _texts()
    if not _padding_is_hidden(attend, *texts):
        return "padding"
    return "none" if _mixtures_are_right(attend, *texts) else "scale"


def no_padding_in_the_mask(attend):
    query, key, value, mask = _texts()
    texts = query, key, value, torch.ones_like(mask)
    if not _sums_are_1(attend, *_texts()):
        return "sums"
    return "none" if _mixtures_are_right(attend, *texts) else "scale"


def padding_asked_for_last(attend):
    texts = _texts()
    if not _sums_are_1(attend, *texts):
        return "sums"
    if not _mixtures_are_right(attend, *texts):
        return "scale"
    return "none" if _padding_is_hidden(attend, *texts) else "padding"


def as_wide_as_long(attend):
    texts = _texts(width=5)
    if what_is_wrong(attend) in ("sums", "padding"):
        return what_is_wrong(attend)
    return "none" if _mixtures_are_right(attend, *texts) else "scale"


def width_of_1(attend):
    if what_is_wrong(attend) in ("sums", "padding"):
        return what_is_wrong(attend)
    return "none" if _mixtures_are_right(attend, *_texts(width=1)) else "scale"


def exactly_equal(attend):
    found = what_is_wrong(attend)
    texts = _texts()
    if found == "none" and not torch.equal(attend(*texts), _right(*texts)):
        return "scale"
    return found


def padded_queries_change_too(attend):
    query, key, value, mask = _texts()
    if not _sums_are_1(attend, query, key, value, mask):
        return "sums"
    wild = [part.masked_fill((mask == 0)[..., None], 30.0) for part in (query, key, value)]
    if not torch.allclose(attend(query, key, value, mask), attend(*wild, mask), atol=1e-4):
        return "padding"
    return what_is_wrong(attend)


def scale_not_known(attend):
    texts = _texts()
    if not _sums_are_1(attend, *texts):
        return "sums"
    return "none" if _mixtures_are_right(attend, *texts) else "padding"


def a_fault_of_another_name(attend):
    return "mask"


SOLUTIONS = {
    "03.1": scores,
    "03.2": masked_softmax,
    "03.3": split_heads,
    "03.4": what_is_wrong,
}

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
        "heads of as many numbers as heads were asked for": head_size_given,
        "heads in the other order": heads_backwards,
        "always 4 heads": always_four_heads,
        "always heads of 2 numbers": always_two_numbers,
    },
    "03.4": {
        "says that all is well": always_none,
        "everything is the scale": everything_is_scale,
        "sums are not asked for": sums_not_asked_for,
        "no padding in the mask": no_padding_in_the_mask,
        "padding is asked for last": padding_asked_for_last,
        "as many tokens as columns": as_wide_as_long,
        "one column": width_of_1,
        "rounding is taken for a fault": exactly_equal,
        "queries of padding change, too": padded_queries_change_too,
        "a wrong scale is taken for padding": scale_not_known,
        "a name that was not asked for": a_fault_of_another_name,
    },
}

# mistake -> words of the hint that is meant for it
HINTS = {
    "03.1": {
        "not scaled": "The scale is missing: dot products of 16 numbers have 16",
        "divided by the width, not its root": "Too small: the variance grows with the width, so",
        "divided by the root of the number of keys": "You divide by the number of keys",
        "multiplied by the root": "You multiply by the square root",
        "queries and keys swapped": "Rows and columns are swapped: a row belongs to a query and",
        "a scale that fits one width": "Right for vectors of 16 numbers, wrong for vectors of 36",
        "the logarithm, which is the root at 16": "Right for vectors of 16 numbers, wrong for",
    },
    "03.2": {
        "the mask is ignored": "The mask is not used: the last two tokens of the second text",
        "masked after the softmax": "The padding has weight 0, but the other weights of its row no",
        "scores are multiplied by the mask": "A score of 0 is an ordinary score: exp(0) is 1",
        "softmax over the queries": "You normalise over the queries",
        "the mask is upside down": "The mask is upside down: 1 says look at this token, 0 says it",
        "the queries are masked": "You masked the queries, the rows",
        "1 is subtracted, which is not enough": "Put a very low number where the mask is 0 (it",
    },
    "03.3": {
        "the axes are not swapped": "The heads are cut, but stand behind the sequence",
        "reshaped at once": "The shape is right, but reshaping at once mixes tokens: head",
        "every n-th number": "A head takes every 4th number here",
        "heads of as many numbers as heads were asked for": "These are 2 heads of 4 numbers",
        "heads in the other order": "Head h of token t holds numbers h * head_size to (h + 1) *",
        "always 4 heads": "Use the number of heads that is given, and find the head size",
        "always heads of 2 numbers": "Use the number of heads that is given, and find the head",
    },
    "03.4": {
        "says that all is well": "where all values are 1, every mixture should be 1",
        "everything is the scale": "where all values are 1, every mixture should be 1",
        "sums are not asked for": "where all values are 1, every mixture should be 1",
        "no padding in the mask": "Is there a 0 in your mask",
        "padding is asked for last": "Ask for that before you compare",
        "as many tokens as columns": "the width being neither 1 nor the number of tokens",
        "one column": "the width being neither 1 nor the number of tokens",
        "rounding is taken for a fault": "compare with torch.allclose",
        "queries of padding change, too": "nobody reads those",
        "a wrong scale is taken for padding": "tokens do not notice what padding holds",
        "a name that was not asked for": "should return one of sums, padding, scale, none",
    },
}
