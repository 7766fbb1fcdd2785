"""Solutions and mutants of notebook 17."""

from collections import defaultdict


def expected_calibration_error(confidences, right, bins):
    found = _bins(confidences, right, bins)
    return sum(len(part) * abs(_gap(part)) for part in found) / len(right)


def _bins(confidences, right, bins):
    found = defaultdict(list)
    for confidence, hit in zip(confidences, right, strict=True):
        found[min(int(confidence * bins), bins - 1)].append((confidence, hit))
    return list(found.values())


def _gap(part):
    return sum(hit - confidence for confidence, hit in part) / len(part)


def mean_over_bins(confidences, right, bins):
    found = _bins(confidences, right, bins)
    return sum(abs(_gap(part)) for part in found) / len(found)


def mean_over_all_bins(confidences, right, bins):
    return sum(abs(_gap(part)) for part in _bins(confidences, right, bins)) / bins


def largest_gap(confidences, right, bins):
    return max(abs(_gap(part)) for part in _bins(confidences, right, bins))


def with_sign(confidences, right, bins):
    return sum(len(part) * _gap(part) for part in _bins(confidences, right, bins)) / len(right)


def without_bins(confidences, right, bins):
    return abs(sum(right) - sum(confidences)) / len(right)


def one_by_one(confidences, right, bins):
    return sum(abs(h - c) for c, h in zip(confidences, right, strict=True)) / len(right)


def not_divided(confidences, right, bins):
    return len(right) * expected_calibration_error(confidences, right, bins)


def in_percent(confidences, right, bins):
    return 100 * expected_calibration_error(confidences, right, bins)


def by_middles(confidences, right, bins):
    total = 0
    for part in _bins(confidences, right, bins):
        middle = (min(int(part[0][0] * bins), bins - 1) + 0.5) / bins
        total += abs(sum(hit for _, hit in part) - len(part) * middle)
    return total / len(right)


def border_below(confidences, right, bins):
    found = defaultdict(list)
    for confidence, hit in zip(confidences, right, strict=True):
        number = int(confidence * bins)
        found[number - (number == confidence * bins)].append((confidence, hit))
    return sum(len(part) * abs(_gap(part)) for part in found.values()) / len(right)


def one_in_a_bin_of_its_own(confidences, right, bins):
    found = defaultdict(list)
    for confidence, hit in zip(confidences, right, strict=True):
        found[int(confidence * bins)].append((confidence, hit))
    return sum(len(part) * abs(_gap(part)) for part in found.values()) / len(right)


def one_has_no_bin(confidences, right, bins):
    found = [[] for _ in range(bins)]
    for confidence, hit in zip(confidences, right, strict=True):
        found[int(confidence * bins)].append((confidence, hit))
    return sum(len(part) * abs(_gap(part)) for part in found if part) / len(right)


def empty_bins_divide(confidences, right, bins):
    found = [[] for _ in range(bins)]
    for confidence, hit in zip(confidences, right, strict=True):
        found[min(int(confidence * bins), bins - 1)].append((confidence, hit))
    return sum(len(part) * abs(_gap(part)) for part in found) / len(right)


def planted_word(texts, shares, least):
    return _best(texts, shares, least)


def _best(texts, shares, least, summed=abs, special=("[CLS]", "[SEP]"), often=None):
    found, places = defaultdict(list), defaultdict(set)
    for number, (text, row) in enumerate(zip(texts, shares, strict=True)):
        for token, share in zip(text, row, strict=True):
            if token not in special:
                found[token].append(share)
                places[token].add(number)
    often = often or (lambda token: len(places[token]) >= least)
    means = {t: sum(many) / len(many) for t, many in found.items() if often(t)}
    if summed is abs:
        return max(means, key=lambda token: abs(means[token]))
    return max(means, key=lambda token: summed(found[token]))


def largest_sum(texts, shares, least):
    return _best(texts, shares, least, lambda many: abs(sum(many)))


def largest_single(texts, shares, least):
    return _best(texts, shares, least, lambda many: max(map(abs, many)))


def mean_with_sign(texts, shares, least):
    return _best(texts, shares, least, lambda many: sum(many) / len(many))


def mean_of_sizes(texts, shares, least):
    return _best(texts, shares, least, lambda many: sum(map(abs, many)) / len(many))


def special_count(texts, shares, least):
    return _best(texts, shares, least, special=())


def rare_count(texts, shares, least):
    return _best(texts, shares, 1)


def places_counted(texts, shares, least):
    every = [token for text in texts for token in text]
    return _best(texts, shares, least, often=lambda token: every.count(token) >= least)


def more_texts(texts, shares, least):
    return _best(texts, shares, least + 1 if len(texts) > least else least)


def the_mean(texts, shares, least):
    return 1.0


def name_the_fault(model, tokenizer, rows, longest):
    ids = [tokenizer(text)["input_ids"] for text, _ in rows]
    inner = [token for row in ids for token in row[1:-1]]
    if inner.count(tokenizer.unk_token_id) > len(inner) / 2:
        return "tokenizer"
    if sum(len(row) > longest for row in ids) > len(rows) / 2:
        return "truncation"
    if sum(model(text) != label for text, label in rows) > len(rows) / 2:
        return "labels"
    return "none"


def answers_first(model, tokenizer, rows, longest):
    if sum(model(text) != label for text, label in rows) > len(rows) / 2:
        return "labels"
    return name_the_fault(model, tokenizer, rows, longest)


def any_unknown(model, tokenizer, rows, longest):
    if any(tokenizer.unk_token_id in tokenizer(text)["input_ids"] for text, _ in rows):
        return "tokenizer"
    return name_the_fault(model, tokenizer, rows, longest)


def special_tokens_known(model, tokenizer, rows, longest):
    ids = [token for text, _ in rows for token in tokenizer(text)["input_ids"]]
    found = name_the_fault(model, tokenizer, rows, longest)
    if found == "tokenizer" and ids.count(tokenizer.unk_token_id) <= len(ids) / 2:
        return "labels"
    return found


def any_cut(model, tokenizer, rows, longest):
    if any(len(tokenizer(text)["input_ids"]) > longest for text, _ in rows):
        return "truncation"
    return name_the_fault(model, tokenizer, rows, longest)


def _with_lengths(model, tokenizer, rows, longest, is_long):
    found = name_the_fault(model, tokenizer, rows, longest)
    if found == "tokenizer":
        return found
    if sum(is_long(text) for text, _ in rows) > len(rows) / 2:
        return "truncation"
    wrong = sum(model(text) != label for text, label in rows)
    return "labels" if wrong > len(rows) / 2 else "none"


def full_is_cut(model, tokenizer, rows, longest):
    return _with_lengths(
        model, tokenizer, rows, longest, lambda text: len(tokenizer(text)["input_ids"]) >= longest
    )


def special_tokens_free(model, tokenizer, rows, longest):
    return _with_lengths(
        model,
        tokenizer,
        rows,
        longest,
        lambda text: len(tokenizer(text)["input_ids"]) - 2 > longest,
    )


def words_counted(model, tokenizer, rows, longest):
    return _with_lengths(
        model, tokenizer, rows, longest, lambda text: len(text.split()) + 2 > longest
    )


def half_is_enough(model, tokenizer, rows, longest):
    found = name_the_fault(model, tokenizer, rows, longest)
    wrong = sum(model(text) != label for text, label in rows)
    return "labels" if found == "none" and wrong >= len(rows) / 2 else found


def never_none(model, tokenizer, rows, longest):
    found = name_the_fault(model, tokenizer, rows, longest)
    return "labels" if found == "none" else found


def labels_unseen(model, tokenizer, rows, longest):
    found = name_the_fault(model, tokenizer, rows, longest)
    return "none" if found == "labels" else found


def in_words(model, tokenizer, rows, longest):
    return f"the {name_the_fault(model, tokenizer, rows, longest)}"


SOLUTIONS = {
    "17.1": expected_calibration_error,
    "17.2": planted_word,
    "17.3": name_the_fault,
}
MUTANTS = {
    "17.1": {
        "the mean over bins": mean_over_bins,
        "the mean over all bins, empty ones too": mean_over_all_bins,
        "the largest gap": largest_gap,
        "gaps with their sign": with_sign,
        "no bins": without_bins,
        "each answer with its own confidence": one_by_one,
        "not divided by the answers": not_divided,
        "in percent": in_percent,
        "the middle of the bin": by_middles,
        "a border belongs to the lower bin": border_below,
        "1.0 has a bin of its own": one_in_a_bin_of_its_own,
        "1.0 has no bin": one_has_no_bin,
        "empty bins divide by zero": empty_bins_divide,
    },
    "17.2": {
        "the largest sum": largest_sum,
        "the largest single share": largest_single,
        "the mean with its sign": mean_with_sign,
        "the mean of sizes": mean_of_sizes,
        "special tokens count": special_count,
        "rare tokens count": rare_count,
        "places instead of texts": places_counted,
        "more texts than asked for": more_texts,
        "the mean instead of the token": the_mean,
    },
    "17.3": {
        "the answers first": answers_first,
        "any unknown token": any_unknown,
        "special tokens count as known": special_tokens_known,
        "any row that is cut": any_cut,
        "a full row is cut": full_is_cut,
        "special tokens take no room": special_tokens_free,
        "words instead of tokens": words_counted,
        "half is enough": half_is_enough,
        "there is always a fault": never_none,
        "labels are never looked at": labels_unseen,
        "the fault in words": in_words,
    },
}

# mistake -> words of the hint that is meant for it
HINTS = {
    "17.1": {
        "the mean over bins": "That is the mean over the bins",
        "the mean over all bins, empty ones too": "That is the mean over all bins, empty ones too",
        "the largest gap": "That is the largest gap of all bins; the expected error is a",
        "gaps with their sign": "A gap counts without its sign",
        "no bins": "A gap counts without its sign in each bin, before the sum",
        "each answer with its own confidence": "That compares each answer with its own confidence",
        "not divided by the answers": "The sum over the bins has to be divided by the number of",
        "in percent": "That is 100 times as much; the error is a share, from 0 to 1",
        "the middle of the bin": "That compares the accuracy with the middle of the bin",
        "a border belongs to the lower bin": "A confidence on a border belongs to the upper bin",
        "1.0 has a bin of its own": "Answers of confidence 1.0 have a bin of their own; they",
        "1.0 has no bin": "1.0 belongs to the last bin",
        "empty bins divide by zero": "A bin without answers counts nothing",
    },
    "17.2": {
        "the largest sum": "not the sum, not the largest",
        "the largest single share": "not the sum, not the largest",
        "the mean with its sign": "how far from 0 is what counts",
        "the mean of sizes": "not the sum, not the largest",
        "special tokens count": "That is a special token; it stands in every text and is no",
        "rare tokens count": "That stands in 1 of the texts.",
        "places instead of texts": "That stands in 1 of the texts, though 2 times",
        "more texts than asked for": "not the sum, not the largest",
        "the mean instead of the token": "should return one of the tokens",
    },
    "17.3": {
        "the answers first": "look at the tokens before you look at the answers",
        "any unknown token": "most tokens are known",
        "special tokens count as known": "Of three tokens of each text two are [UNK]",
        "any row that is cut": "Two of six texts are cut",
        "a full row is cut": "exactly the 17 tokens",
        "special tokens take no room": "The texts have 17 tokens with [CLS] and [SEP]",
        "words instead of tokens": "the model counts pieces",
        "half is enough": "which is not more than half",
        "there is always a fault": "Nothing is wrong here",
        "labels are never looked at": "the labels are swapped",
        "the fault in words": "should return one of tokenizer, truncation, labels, none",
    },
}
