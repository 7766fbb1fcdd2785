"""Solutions and mutants of notebook 14."""

import torch
from torch.nn import functional as F


def may_look(queries, keys, attention_mask):
    past = torch.arange(keys) <= torch.arange(keys - queries, keys)[:, None]
    return past & attention_mask[:, None, :].bool()


def _mask(queries, keys, attention_mask, diagonal):
    look = torch.ones(queries, keys, dtype=torch.bool).tril(diagonal)
    return look & attention_mask[:, None, :].bool()


def cache_forgotten(queries, keys, attention_mask):
    return _mask(queries, keys, attention_mask, 0)


def not_at_itself(queries, keys, attention_mask):
    return _mask(queries, keys, attention_mask, keys - queries - 1)


def padding_looked_at(queries, keys, attention_mask):
    return _mask(queries, keys, torch.ones_like(attention_mask), keys - queries)


def one_ahead(queries, keys, attention_mask):
    return _mask(queries, keys, attention_mask, keys - queries + 1)


def as_an_encoder(queries, keys, attention_mask):
    return attention_mask[:, None, :].bool().repeat(1, queries, 1)


def forbidden_marked(queries, keys, attention_mask):
    return ~may_look(queries, keys, attention_mask)


def forward(queries, keys, attention_mask):
    look = torch.ones(queries, keys, dtype=torch.bool).triu(keys - queries)
    return look & attention_mask[:, None, :].bool()


def padded_queries_forgotten(queries, keys, attention_mask):
    return _mask(queries, keys, attention_mask, keys - queries)[0]


def next_token_loss(logits, ids, attention_mask):
    scores = logits[:, :-1].log_softmax(-1)
    of_next = scores.gather(-1, ids[:, 1:, None])[..., 0]
    real = attention_mask[:, 1:].bool()
    return -of_next[real].mean()


def no_shift(logits, ids, attention_mask):
    real = attention_mask.bool()
    return F.cross_entropy(logits[real], ids[real])


def no_shift_and_padding(logits, ids, attention_mask):
    return F.cross_entropy(logits.flatten(0, 1), ids.flatten())


def shifted_back(logits, ids, attention_mask):
    real = attention_mask[:, 1:].bool()
    return F.cross_entropy(logits[:, 1:][real], ids[:, :-1][real])


def padding_asked(logits, ids, attention_mask):
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten())


def mask_of_what_is_read(logits, ids, attention_mask):
    real = attention_mask[:, :-1].bool()
    return F.cross_entropy(logits[:, :-1][real], ids[:, 1:][real])


def summed(logits, ids, attention_mask):
    return next_token_loss(logits, ids, attention_mask) * attention_mask[:, 1:].sum()


def wrong_sign(logits, ids, attention_mask):
    return -next_token_loss(logits, ids, attention_mask)


def mean_of_means(logits, ids, attention_mask):
    rows = zip(logits, ids, attention_mask, strict=True)
    return torch.stack([next_token_loss(*(part[None] for part in row)) for row in rows]).mean()


def keep_top_p(probabilities, top_p):
    ordered, order = probabilities.sort(descending=True)
    before = ordered.cumsum(0) - ordered
    kept = torch.zeros_like(probabilities)
    kept[order] = torch.where(before < top_p, ordered, 0.0)
    return kept / kept.sum()


def does_not_sum_to_one(probabilities, top_p):
    return torch.where(keep_top_p(probabilities, top_p) > 0, probabilities, 0.0)


def set_too_small(probabilities, top_p):
    ordered, order = probabilities.sort(descending=True)
    kept = torch.zeros_like(probabilities)
    kept[order] = torch.where(ordered.cumsum(0) <= top_p, ordered, 0.0)
    return kept / kept.sum().clamp(min=1e-9)


def left_in_order(probabilities, top_p):
    return keep_top_p(probabilities, top_p).sort(descending=True).values


def one_too_many(probabilities, top_p):
    ordered, order = probabilities.sort(descending=True)
    before = ordered.cumsum(0) - ordered
    number = int((before < top_p).sum()) + 1
    kept = torch.zeros_like(probabilities)
    kept[order[:number]] = ordered[:number]
    return kept / kept.sum()


def each_above(probabilities, top_p):
    return torch.where(probabilities >= top_p, probabilities, 0.0)


def each_above_and_divided(probabilities, top_p):
    kept = each_above(probabilities, top_p)
    return kept / kept.sum()


def nothing_dropped(probabilities, top_p):
    return probabilities


def from_the_unlikeliest(probabilities, top_p):
    ordered, order = probabilities.sort()
    before = ordered.cumsum(0) - ordered
    kept = torch.zeros_like(probabilities)
    kept[order] = torch.where(before < top_p, ordered, 0.0)
    return kept / kept.sum()


def a_fixed_number(probabilities, top_p):
    kept = torch.where(probabilities >= probabilities.topk(3).values[-1], probabilities, 0.0)
    return kept / kept.sum()


SOLUTIONS = {"14.1": may_look, "14.2": next_token_loss, "14.3": keep_top_p}
MUTANTS = {
    "14.1": {
        "cached tokens are forgotten": cache_forgotten,
        "a token does not look at itself": not_at_itself,
        "padding is looked at": padding_looked_at,
        "a token sees the next one": one_ahead,
        "everything is seen, as in an encoder": as_an_encoder,
        "True where looking is forbidden": forbidden_marked,
        "tokens look forward": forward,
        "the batch is left out": padded_queries_forgotten,
    },
    "14.2": {
        "no shift": no_shift,
        "no shift, and padding is asked for": no_shift_and_padding,
        "shifted the wrong way": shifted_back,
        "padding is asked for": padding_asked,
        "the mask of the token that is read": mask_of_what_is_read,
        "a sum": summed,
        "the wrong sign": wrong_sign,
        "a mean of the rows' means": mean_of_means,
    },
    "14.3": {
        "the rest does not sum to 1": does_not_sum_to_one,
        "the token that reaches top_p is dropped": set_too_small,
        "left in order of size": left_in_order,
        "one token too many": one_too_many,
        "each token compared with top_p": each_above,
        "each compared with top_p, then divided": each_above_and_divided,
        "nothing is dropped": nothing_dropped,
        "the unlikeliest are kept": from_the_unlikeliest,
        "always three tokens": a_fixed_number,
    },
}

# mistake -> words of the hint that is meant for it
HINTS = {
    "14.1": {
        "cached tokens are forgotten": "With cached tokens the new ones stand at the end: the",
        "a token does not look at itself": "A token does not look at itself",
        "padding is looked at": "Tokens look at padding",
        "a token sees the next one": "With 4 queries and 4 keys, query i is token keys - queries +",
        "everything is seen, as in an encoder": "Every token looks at every other, as in an",
        "True where looking is forbidden": "True means that a token may look",
        "tokens look forward": "Tokens look forward instead of back",
        "the batch is left out": "should have shape [2, 4, 4]",
    },
    "14.2": {
        "no shift": "Each position is asked for the token that it has just read",
        "no shift, and padding is asked for": "Begin with the shift: a position is to guess the",
        "shifted the wrong way": "The shift goes the wrong way: each position is asked for the",
        "padding is asked for": "Padding is asked for, too",
        "the mask of the token that is read": "One position too many: the last real token of a row",
        "a sum": "This is a sum",
        "the wrong sign": "The sign is the wrong way round: a loss is small where the",
        "a mean of the rows' means": "Drop the scores of the last position and the first token;",
    },
    "14.3": {
        "the rest does not sum to 1": "They no longer sum to 1",
        "the token that reaches top_p is dropped": "The set is too small: it does not reach top_p",
        "left in order of size": "They are in order of size",
        "one token too many": "One token too many: stop as soon as the sum has reached top_p",
        "each token compared with top_p": "This keeps the tokens that are likelier than top_p each",
        "each compared with top_p, then divided": "With top_p=0.5 no token is left",
        "nothing is dropped": "These are the probabilities of the set, but not without those",
        "the unlikeliest are kept": "This keeps the unlikeliest tokens",
        "always three tokens": "One token too many: stop as soon as the sum has reached top_p",
    },
}
