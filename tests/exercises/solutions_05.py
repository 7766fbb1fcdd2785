"""Solutions and mutants of notebook 05."""

import torch
from torch.nn import functional as F


def choose_positions(input_ids, special_ids, probability=0.15):
    number = max(1, round(probability * len(input_ids)))
    selectable = ~torch.isin(input_ids, torch.tensor(special_ids))
    candidates = selectable.nonzero().squeeze(-1)
    return candidates[torch.randperm(len(candidates))[:number]]


def _candidates(input_ids, special_ids):
    return (~torch.isin(input_ids, torch.tensor(special_ids))).nonzero().squeeze(-1)


def special_tokens_chosen(input_ids, special_ids, probability=0.15):
    return torch.randperm(len(input_ids))[: max(1, round(probability * len(input_ids)))]


def only_the_ends_spared(input_ids, special_ids, probability=0.15):
    number = max(1, round(probability * len(input_ids)))
    return 1 + torch.randperm(len(input_ids) - 2)[:number]


def with_replacement(input_ids, special_ids, probability=0.15):
    number = max(1, round(probability * len(input_ids)))
    candidates = _candidates(input_ids, special_ids)
    return candidates[torch.randint(len(candidates), (number,))]


def share_of_the_words(input_ids, special_ids, probability=0.15):
    candidates = _candidates(input_ids, special_ids)
    number = max(1, round(probability * len(candidates)))
    return candidates[torch.randperm(len(candidates))[:number]]


def cut_off(input_ids, special_ids, probability=0.15):
    candidates = _candidates(input_ids, special_ids)
    return candidates[torch.randperm(len(candidates))[: max(1, int(probability * len(input_ids)))]]


def none_of_a_short_one(input_ids, special_ids, probability=0.15):
    candidates = _candidates(input_ids, special_ids)
    return candidates[torch.randperm(len(candidates))[: round(probability * len(input_ids))]]


def always_the_first(input_ids, special_ids, probability=0.15):
    return _candidates(input_ids, special_ids)[: max(1, round(probability * len(input_ids)))]


def neighbours(input_ids, special_ids, probability=0.15):
    number = max(1, round(probability * len(input_ids)))
    candidates = _candidates(input_ids, special_ids)
    start = int(torch.randint(len(candidates) - number + 1, ()))
    return candidates[start : start + number]


def a_mask(input_ids, special_ids, probability=0.15):
    chosen = torch.zeros_like(input_ids, dtype=torch.bool)
    chosen[choose_positions(input_ids, special_ids, probability)] = True
    return chosen


def ids_instead(input_ids, special_ids, probability=0.15):
    return input_ids[choose_positions(input_ids, special_ids, probability)]


def mlm_loss(logits, original_ids, positions):
    chosen = logits.flatten(0, 1)[positions]
    return F.cross_entropy(chosen, original_ids.flatten()[positions])


def over_all_tokens(logits, original_ids, positions):
    return F.cross_entropy(logits.flatten(0, 1), original_ids.flatten())


def summed(logits, original_ids, positions):
    return mlm_loss(logits, original_ids, positions) * len(positions)


def divided_by_all_tokens(logits, original_ids, positions):
    return summed(logits, original_ids, positions) / original_ids.numel()


def mean_of_row_means(logits, original_ids, positions):
    rows = positions // original_ids.shape[1]
    return torch.stack(
        [mlm_loss(logits, original_ids, positions[rows == r]) for r in rows.unique()]
    ).mean()


def without_softmax(logits, original_ids, positions):
    return -logits.flatten(0, 1)[positions, original_ids.flatten()[positions]].mean()


def sign_forgotten(logits, original_ids, positions):
    return -mlm_loss(logits, original_ids, positions)


def not_reduced(logits, original_ids, positions):
    return F.cross_entropy(
        logits.flatten(0, 1)[positions], original_ids.flatten()[positions], reduction="none"
    )


def columns_only(logits, original_ids, positions):
    return F.cross_entropy(
        logits[:, positions % logits.shape[1]][0], original_ids[0, positions % 6]
    )


def sample(logits, temperature):
    uniform = torch.rand(logits.shape).clamp(min=1e-20)
    return (logits / temperature - torch.log(-torch.log(uniform))).argmax(-1)


def by_multinomial(logits, temperature):
    return torch.multinomial((logits / temperature).softmax(-1), 1).squeeze(-1)


def most_probable(logits, temperature):
    return (logits / temperature).argmax(-1)


def multiplied(logits, temperature):
    return sample(logits, 1 / temperature)


def divided_after_the_noise(logits, temperature):
    noise = -torch.log(-torch.log(torch.rand(logits.shape).clamp(min=1e-20)))
    return ((logits + noise) / temperature).argmax(-1)


def noise_subtracted(logits, temperature):
    return (logits / temperature + torch.log(-torch.log(torch.rand(logits.shape)))).argmax(-1)


def uniform_noise(logits, temperature):
    return (logits / temperature + torch.rand(logits.shape)).argmax(-1)


def one_noise_for_all_rows(logits, temperature):
    noise = -torch.log(-torch.log(torch.rand(logits.shape[-1])))
    return (logits / temperature + noise).argmax(-1)


def one_number_for_a_row(logits, temperature):
    noise = -torch.log(-torch.log(torch.rand(len(logits), 1)))
    return (logits / temperature + noise).argmax(-1)


def logits_forgotten(logits, temperature):
    return torch.randint(logits.shape[-1], (len(logits),))


SOLUTIONS = {"05.1": choose_positions, "05.2": mlm_loss, "05.3": sample}

MUTANTS = {
    "05.1": {
        "special tokens are chosen": special_tokens_chosen,
        "a [SEP] in the middle is chosen": only_the_ends_spared,
        "a position is chosen twice": with_replacement,
        "the share is of the words only": share_of_the_words,
        "the number is cut off": cut_off,
        "a short sentence gives nothing": none_of_a_short_one,
        "always the first words": always_the_first,
        "a run of neighbours": neighbours,
        "a mask instead of positions": a_mask,
        "ids instead of positions": ids_instead,
    },
    "05.2": {
        "over all tokens": over_all_tokens,
        "the sum": summed,
        "divided by all tokens": divided_by_all_tokens,
        "the mean of row means": mean_of_row_means,
        "no softmax": without_softmax,
        "the sign": sign_forgotten,
        "not reduced": not_reduced,
        "rows forgotten": columns_only,
    },
    "05.3": {
        "the most probable": most_probable,
        "temperature multiplied": multiplied,
        "divided after the noise": divided_after_the_noise,
        "noise with the wrong sign": noise_subtracted,
        "uniform noise": uniform_noise,
        "one noise for all rows": one_noise_for_all_rows,
        "one number for each row": one_number_for_a_row,
        "the logits are forgotten": logits_forgotten,
    },
}

# mistake -> words of the hint that is meant for it
HINTS = {
    "05.1": {
        "special tokens are chosen": "which holds a special token",
        "a [SEP] in the middle is chosen": "which holds a special token",
        "a position is chosen twice": "A position was chosen twice",
        "the share is of the words only": "The share is of all tokens of the sentence, [CLS] and",
        "the number is cut off": "round to the nearest number, do not cut off",
        "a short sentence gives nothing": "However short a sentence is, it gives one position:",
        "always the first words": "Every call chose the same positions",
        "a run of neighbours": "Not all words are chosen equally often",
        "a mask instead of positions": "Return the positions themselves, as whole numbers: a",
        "ids instead of positions": "Are these ids of tokens rather than positions",
    },
    "05.2": {
        "over all tokens": "This is the mean over all tokens",
        "the sum": "This is the sum",
        "divided by all tokens": "The sum over the chosen positions was divided by the number",
        "the mean of row means": "You took the mean of each row first",
        "no softmax": "These are logits, not log-probabilities",
        "the sign": "The sign is wrong: a loss is smaller where the right token is",
        "not reduced": "Give one number: the mean over the chosen positions",
        "rows forgotten": "The loss is not the one of these logits",
    },
    "05.3": {
        "the most probable": "All 20,000 rows gave the same id",
        "temperature multiplied": "A high temperature should make the choice wilder: divide by it",
        "divided after the noise": "At temperature 2 you sampled as at temperature 1",
        "noise with the wrong sign": "Gumbel noise is -log(-log(u))",
        "uniform noise": "All 20,000 rows gave the same id",
        "one noise for all rows": "All 20,000 rows gave the same id",
        "one number for each row": "All 20,000 rows gave the same id",
        "the logits are forgotten": "All pieces came out equally often",
    },
}
