"""Solutions and mutants of notebook 06."""

import torch
from torch.nn import functional as F


def rtd_labels(original_ids, corrupted_ids, selected):
    return (corrupted_ids != original_ids).long()


def lucky_samples_labelled_replaced(original_ids, corrupted_ids, selected):
    return selected.long()


def the_wrong_way_round(original_ids, corrupted_ids, selected):
    return (corrupted_ids == original_ids).long()


def only_the_lucky(original_ids, corrupted_ids, selected):
    return (selected & (corrupted_ids == original_ids)).long()


def all_original(original_ids, corrupted_ids, selected):
    return torch.zeros_like(original_ids)


def flat_labels(original_ids, corrupted_ids, selected):
    return (corrupted_ids != original_ids)[selected]


def rtd_loss(logits, labels, attention_mask):
    attended = attention_mask.bool()
    return F.binary_cross_entropy_with_logits(logits[attended], labels[attended].float())


def _each(logits, labels):
    return F.binary_cross_entropy_with_logits(logits, labels.float(), reduction="none")


def over_padding(logits, labels, attention_mask):
    return _each(logits, labels).mean()


def padding_in_the_denominator(logits, labels, attention_mask):
    return (_each(logits, labels) * attention_mask).mean()


def logits_zeroed(logits, labels, attention_mask):
    return F.binary_cross_entropy_with_logits(logits * attention_mask, labels.float())


def mean_of_row_means(logits, labels, attention_mask):
    rows = (_each(logits, labels) * attention_mask).sum(1) / attention_mask.sum(1)
    return rows.mean()


def without_the_ends(logits, labels, attention_mask):
    inner = attention_mask.bool()
    inner[:, 0] = False
    inner[torch.arange(len(inner)), attention_mask.sum(1) - 1] = False
    return _each(logits, labels)[inner].mean()


def only_the_replaced(logits, labels, attention_mask):
    return _each(logits, labels)[labels.bool()].mean()


def sigmoid_twice(logits, labels, attention_mask):
    return rtd_loss(logits.sigmoid(), labels, attention_mask)


def labels_turned_round(logits, labels, attention_mask):
    return rtd_loss(logits, 1 - labels, attention_mask)


def added_up(logits, labels, attention_mask):
    return _each(logits, labels)[attention_mask.bool()].sum()


def auc(scores, labels):
    replaced, original = scores[labels == 1][:, None], scores[labels == 0][None]
    return ((replaced > original).float() + (replaced == original).float() / 2).mean()


def ties_left_out(scores, labels):
    return (scores[labels == 1][:, None] > scores[labels == 0][None]).float().mean()


def ties_in_full(scores, labels):
    return (scores[labels == 1][:, None] >= scores[labels == 0][None]).float().mean()


def turned_round(scores, labels):
    return auc(-scores, labels)


def labels_as_places(scores, labels):
    replaced, original = scores[labels], scores[1 - labels]
    return (replaced[:, None] > original[None]).float().mean()


def flipped_bits_as_places(scores, labels):
    replaced, original = scores[labels][:, None], scores[~labels][None]
    return ((replaced > original).float() + (replaced == original).float() / 2).mean()


def accuracy(scores, labels):
    return ((scores >= 0.5) == labels.bool()).float().mean()


def recall(scores, labels):
    return (scores[labels == 1] >= 0.5).float().mean()


def pairs_counted(scores, labels):
    return auc(scores, labels) * (labels == 1).sum() * (labels == 0).sum()


def learned_by_heart(scores, labels):
    return 12.5 / 15


def neighbours_compared(scores, labels):
    order = scores.argsort(descending=True)
    return (labels[order][:-1] >= labels[order][1:]).float().mean()


SOLUTIONS = {"06.1": rtd_labels, "06.2": rtd_loss, "06.3": auc}

MUTANTS = {
    "06.1": {
        "lucky samples labelled replaced": lucky_samples_labelled_replaced,
        "the wrong way round": the_wrong_way_round,
        "only the lucky ones": only_the_lucky,
        "all original": all_original,
        "only the selected positions": flat_labels,
    },
    "06.2": {
        "padding in the mean": over_padding,
        "padding in the denominator": padding_in_the_denominator,
        "logits of padding zeroed": logits_zeroed,
        "mean of row means": mean_of_row_means,
        "without [CLS] and [SEP]": without_the_ends,
        "only the replaced tokens": only_the_replaced,
        "sigmoid twice": sigmoid_twice,
        "labels the wrong way round": labels_turned_round,
        "the sum": added_up,
    },
    "06.3": {
        "ties left out": ties_left_out,
        "ties in full": ties_in_full,
        "the wrong way round": turned_round,
        "labels as an index": labels_as_places,
        "labels and their bits turned round as an index": flipped_bits_as_places,
        "accuracy": accuracy,
        "recall": recall,
        "a count of pairs": pairs_counted,
        "learned by heart": learned_by_heart,
        "only neighbours compared": neighbours_compared,
    },
}

# mistake -> words of the hint that is meant for it
HINTS = {
    "06.1": {
        "lucky samples labelled replaced": "Every selected position is labelled 1",
        "the wrong way round": "The labels are the wrong way round: 1 stands for replaced, 0",
        "only the lucky ones": "Only the lucky samples are labelled 1",
        "all original": "Some labels are wrong",
        "only the selected positions": "should have shape [2, 6]",
    },
    "06.2": {
        "padding in the mean": "Padding is in the mean",
        "padding in the denominator": "The losses at the padding are zero, but they are still",
        "logits of padding zeroed": "The logits at the padding were set to zero",
        "mean of row means": "You took the mean of each row first",
        "without [CLS] and [SEP]": "[CLS] and [SEP] are missing",
        "only the replaced tokens": "Only the tokens with label 1 are in the mean",
        "sigmoid twice": "The sigmoid was taken twice: binary_cross_entropy_with_logits",
        "labels the wrong way round": "The labels are the wrong way round: the loss should be",
        "the sum": "This is the sum",
    },
    "06.3": {
        "ties left out": "Ties are missing",
        "ties in full": "Ties count in full",
        "the wrong way round": "The order is the wrong way round: it is the replaced token",
        "labels as an index": "As an index, whole numbers are places",
        "labels and their bits turned round as an index": "As an index, whole numbers are places",
        "accuracy": "This is accuracy at the threshold .5",
        "recall": "This is recall at the threshold .5",
        "a count of pairs": "This is the number of pairs in order",
        "learned by heart": "Right for one set of tokens and wrong for another, with a",
        "only neighbours compared": "Take every pair of one replaced and one original token: 1 if",
    },
}
