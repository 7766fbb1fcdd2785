"""Solutions and mutants of notebook 13."""

import torch
from torch.nn import functional as F


def choice_loss(score_rows, input_ids, attention_mask, labels):
    batch, choices = input_ids.shape[:2]
    scores = score_rows(input_ids.flatten(0, 1), attention_mask.flatten(0, 1))
    logits = scores.unflatten(0, (batch, choices))
    return F.cross_entropy(logits, labels)


def _logits(score_rows, input_ids, attention_mask):
    scores = score_rows(input_ids.flatten(0, 1), attention_mask.flatten(0, 1))
    return scores.view(input_ids.shape[:2])


def folded_the_other_way(score_rows, input_ids, attention_mask, labels):
    scores = score_rows(input_ids.flatten(0, 1), attention_mask.flatten(0, 1))
    batch, choices = input_ids.shape[:2]
    return F.cross_entropy(scores.view(choices, batch).T, labels)


def softmax_over_contexts(score_rows, input_ids, attention_mask, labels):
    log_p = _logits(score_rows, input_ids, attention_mask).log_softmax(0)
    return -log_p[torch.arange(len(labels)), labels].mean()


def softmax_over_the_batch(score_rows, input_ids, attention_mask, labels):
    logits = _logits(score_rows, input_ids, attention_mask)
    log_p = logits - logits.flatten().logsumexp(0)
    return -log_p[torch.arange(len(labels)), labels].mean()


def summed_loss(score_rows, input_ids, attention_mask, labels):
    logits = _logits(score_rows, input_ids, attention_mask)
    return F.cross_entropy(logits, labels, reduction="sum")


def padding_read(score_rows, input_ids, attention_mask, labels):
    logits = score_rows(input_ids.flatten(0, 1)).view(input_ids.shape[:2])
    return F.cross_entropy(logits, labels)


def positive_log_probability(score_rows, input_ids, attention_mask, labels):
    return -choice_loss(score_rows, input_ids, attention_mask, labels)


def no_logarithm(score_rows, input_ids, attention_mask, labels):
    p = _logits(score_rows, input_ids, attention_mask).softmax(1)
    return -p[torch.arange(len(labels)), labels].mean()


def no_softmax(score_rows, input_ids, attention_mask, labels):
    logits = _logits(score_rows, input_ids, attention_mask)
    return -logits[torch.arange(len(labels)), labels].mean()


def softmax_twice(score_rows, input_ids, attention_mask, labels):
    return F.cross_entropy(_logits(score_rows, input_ids, attention_mask).softmax(1), labels)


def each_choice_alone(score_rows, input_ids, attention_mask, labels):
    logits = _logits(score_rows, input_ids, attention_mask)
    wanted = F.one_hot(labels, logits.shape[1]).float()
    return F.binary_cross_entropy_with_logits(logits, wanted)


def mean_over_choices_too(score_rows, input_ids, attention_mask, labels):
    log_p = _logits(score_rows, input_ids, attention_mask).log_softmax(1)
    return -(F.one_hot(labels, log_p.shape[1]) * log_p).mean()


def loss_without_gradient(score_rows, input_ids, attention_mask, labels):
    return choice_loss(score_rows, input_ids, attention_mask, labels).item()


def not_flattened(score_rows, input_ids, attention_mask, labels):
    return F.cross_entropy(score_rows(input_ids, attention_mask), labels)


def flattened_too_far(score_rows, input_ids, attention_mask, labels):
    logits = score_rows(input_ids.flatten(1), attention_mask.flatten(1))
    return F.cross_entropy(logits, labels)


def mask_not_flattened(score_rows, input_ids, attention_mask, labels):
    scores = score_rows(input_ids.flatten(0, 1), attention_mask)
    return F.cross_entropy(scores.view(input_ids.shape[:2]), labels)


def read_twice(score_rows, input_ids, attention_mask, labels):
    choice_loss(score_rows, input_ids, attention_mask, labels)
    return choice_loss(score_rows, input_ids, attention_mask, labels)


def choice_scores(log_probabilities, counted):
    kept = log_probabilities.masked_fill(~counted, 0.0)
    return kept.sum(-1) / counted.sum(-1)


def summed(log_probabilities, counted):
    return (log_probabilities * counted).sum(-1)


def mean_of_all_places(log_probabilities, counted):
    return log_probabilities.mean(-1)


def divided_by_the_rows_length(log_probabilities, counted):
    return (log_probabilities * counted).mean(-1)


def context_and_padding_in_the_sum(log_probabilities, counted):
    return log_probabilities.sum(-1) / counted.sum(-1)


def divided_by_the_batch(log_probabilities, counted):
    return (log_probabilities * counted).sum(-1) / counted.sum()


def divided_by_the_mean_length(log_probabilities, counted):
    return (log_probabilities * counted).sum(-1) / counted.sum(-1).float().mean()


def divided_by_the_longest(log_probabilities, counted):
    return (log_probabilities * counted).sum(-1) / counted.sum(-1).max()


def as_probabilities(log_probabilities, counted):
    return choice_scores(log_probabilities, counted).exp()


def as_losses(log_probabilities, counted):
    return -choice_scores(log_probabilities, counted)


def over_the_choices(log_probabilities, counted):
    return (log_probabilities * counted).sum(1) / counted.sum(1)


def multiplied(log_probabilities, counted):
    return (log_probabilities * counted).sum(-1) * counted.sum(-1)


def best_token(log_probabilities, counted):
    return log_probabilities.masked_fill(~counted, -1e9).max(-1).values


def worst_token(log_probabilities, counted):
    return (log_probabilities * counted).min(-1).values


def expected_accuracy(scores, labels):
    best = scores == scores.max(dim=1, keepdim=True).values
    right = best[torch.arange(len(labels)), labels]
    return (right / best.sum(dim=1)).mean()


def _best_and_right(scores, labels):
    best = scores == scores.max(dim=1, keepdim=True).values
    return best, best[torch.arange(len(labels)), labels].float()


def first_wins(scores, labels):
    return (scores.argmax(dim=1) == labels).float().mean()


def last_wins(scores, labels):
    turned = scores.flip(1).argmax(dim=1)
    return (scores.shape[1] - 1 - turned == labels).float().mean()


def among_the_best_is_enough(scores, labels):
    return _best_and_right(scores, labels)[1].mean()


def ties_are_wrong(scores, labels):
    best, right = _best_and_right(scores, labels)
    return (right * (best.sum(1) == 1)).mean()


def ties_earn_a_half(scores, labels):
    best, right = _best_and_right(scores, labels)
    return torch.where(best.sum(1) > 1, right / 2, right).mean()


def ties_earn_chance(scores, labels):
    best, right = _best_and_right(scores, labels)
    chance = torch.full_like(right, 1 / scores.shape[1])
    return torch.where(best.sum(1) > 1, chance, right).mean()


def ties_with_the_right_one_earn_chance(scores, labels):
    best, right = _best_and_right(scores, labels)
    return torch.where(best.sum(1) > 1, right / scores.shape[1], right).mean()


def wrong_ties_earn_too(scores, labels):
    best, right = _best_and_right(scores, labels)
    return torch.where(best.sum(1) > 1, 1 / best.sum(1), right).mean()


def ties_left_out(scores, labels):
    best, right = _best_and_right(scores, labels)
    return right[best.sum(1) == 1].mean()


def summed_over_rows(scores, labels):
    best, right = _best_and_right(scores, labels)
    return (right / best.sum(1)).sum()


def mean_over_all_cells(scores, labels):
    best, _ = _best_and_right(scores, labels)
    right = F.one_hot(labels, scores.shape[1])
    return (best * right / best.sum(1, keepdim=True)).mean()


def best_of_each_place(scores, labels):
    best = (scores == scores.amax(0)).float()
    shares = best / best.sum(1, keepdim=True).clamp(min=1)
    return shares[torch.arange(len(labels)), labels].mean()


SOLUTIONS = {
    "13.1": choice_loss,
    "13.2": choice_scores,
    "13.3": expected_accuracy,
}

MUTANTS = {
    "13.1": {
        "folded the other way": folded_the_other_way,
        "softmax over the contexts": softmax_over_contexts,
        "softmax over the whole batch": softmax_over_the_batch,
        "the sum": summed_loss,
        "padding is read": padding_read,
        "the sign": positive_log_probability,
        "no logarithm": no_logarithm,
        "no softmax": no_softmax,
        "softmax twice": softmax_twice,
        "each choice alone": each_choice_alone,
        "a mean over the choices too": mean_over_choices_too,
        "no gradient": loss_without_gradient,
        "not flattened": not_flattened,
        "flattened too far": flattened_too_far,
        "the mask is not flattened": mask_not_flattened,
        "read twice": read_twice,
    },
    "13.2": {
        "the sum": summed,
        "the mean of all places": mean_of_all_places,
        "divided by the row's length": divided_by_the_rows_length,
        "context and padding in the sum": context_and_padding_in_the_sum,
        "divided by a number for the batch": divided_by_the_batch,
        "divided by the mean length": divided_by_the_mean_length,
        "divided by the longest": divided_by_the_longest,
        "probabilities": as_probabilities,
        "losses": as_losses,
        "over the choices": over_the_choices,
        "multiplied": multiplied,
        "the best token": best_token,
        "the worst token": worst_token,
    },
    "13.3": {
        "the first wins": first_wins,
        "the last wins": last_wins,
        "among the best is enough": among_the_best_is_enough,
        "ties are wrong": ties_are_wrong,
        "ties earn a half": ties_earn_a_half,
        "ties earn chance": ties_earn_chance,
        "ties with the right one earn chance": ties_with_the_right_one_earn_chance,
        "wrong ties earn too": wrong_ties_earn_too,
        "ties left out": ties_left_out,
        "the sum": summed_over_rows,
        "a mean over everything": mean_over_all_cells,
        "the best of each place": best_of_each_place,
    },
}

# mistake -> words of the hint that is meant for it
HINTS = {
    "13.1": {
        "folded the other way": "The scores are folded in the wrong order",
        "softmax over the contexts": "The softmax runs over the contexts",
        "softmax over the whole batch": "The softmax runs over all rows of the batch",
        "the sum": "This is the sum over the contexts",
        "padding is read": "The padding was read: the scores are those without",
        "the sign": "The sign is missing: a log-probability is at most 0, a loss",
        "no logarithm": "This is the probability of the right choice, not the",
        "no softmax": "This is the score of the right choice",
        "softmax twice": "The softmax was applied twice",
        "each choice alone": "Here each choice is asked about alone: right, or not",
        "a mean over the choices too": "The mean was taken over the choices, too",
        "no gradient": "The number is right, but no gradient can flow back from it,",
        "not flattened": "score_rows reads rows, a tensor [rows, seq]",
        "flattened too far": "score_rows was given rows of 20 tokens; they have 5",
        "the mask is not flattened": "score_rows was given ids of shape [12, 5] and as their mask",
        "read twice": "score_rows read 24 rows, and there are 12",
    },
    "13.2": {
        "the sum": "This is the sum",
        "the mean of all places": "This is the mean over all places, padding and context included",
        "divided by the row's length": "The sum is the right one, but it was divided by the length",
        "context and padding in the sum": "The number of tokens is the right one, but the sum has",
        "divided by a number for the batch": "The sums were divided by one number for the whole",
        "divided by the mean length": "The sums were divided by the mean length of the choices",
        "divided by the longest": "The sums were divided by the length of the longest choice",
        "probabilities": "These are probabilities: the exp of what is asked for",
        "losses": "The sign was turned round",
        "over the choices": "The mean runs over the choices",
        "multiplied": "The sums were multiplied by the number of tokens",
        "the best token": "This is the best token of each choice",
        "the worst token": "This is the worst token of each choice",
    },
    "13.3": {
        "the first wins": "Here the first of equally good choices wins, which is what",
        "the last wins": "Here the last of equally good choices wins",
        "among the best is enough": "Here it is enough to be among the best",
        "ties are wrong": "Here a tie is always wrong",
        "ties earn a half": "Here every tie earns a half",
        "ties earn chance": "Here every tie earns 1 / choices, as if all of them were tied",
        "ties with the right one earn chance": "Ties earn 1 / choices here",
        "wrong ties earn too": "A tie earns its share here even where the right choice is not",
        "ties left out": "Rows with a tie were left out",
        "the sum": "This is the sum over the rows; the accuracy is their mean",
        "a mean over everything": "The mean was taken over the choices, too",
        "the best of each place": "The best score was looked for among the rows",
    },
}
