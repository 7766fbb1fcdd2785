"""Solutions and mutants of notebook 12."""

from collections import Counter


def best_span(start, end, longest):
    best, span = float("-inf"), None
    for first in range(len(start)):
        for last in range(first, min(first + longest, len(end))):
            if start[first] + end[last] > best:
                best, span = start[first] + end[last], (first, last)
    return span


def _span(start, end, allowed, score=lambda s, e: s + e):
    pairs = [(i, j) for i in range(len(start)) for j in range(len(end)) if allowed(i, j)]
    return max(pairs, key=lambda pair: score(start[pair[0]], end[pair[1]]))


def each_on_its_own(start, end, longest):
    return start.index(max(start)), end.index(max(end))


def any_length(start, end, longest):
    return _span(start, end, lambda i, j: i <= j)


def one_too_long(start, end, longest):
    return _span(start, end, lambda i, j: 0 <= j - i <= longest)


def one_too_short(start, end, longest):
    return _span(start, end, lambda i, j: 0 <= j - i < longest - 1)


def two_tokens_at_least(start, end, longest):
    return _span(start, end, lambda i, j: 0 < j - i < longest)


def best_start_first(start, end, longest):
    first = start.index(max(start))
    return first, max(range(first, min(first + longest, len(end))), key=lambda j: end[j])


def best_end_first(start, end, longest):
    last = end.index(max(end))
    return max(range(max(0, last - longest + 1), last + 1), key=lambda i: start[i]), last


def product_of_logits(start, end, longest):
    return _span(start, end, lambda i, j: 0 <= j - i < longest, lambda s, e: s * e)


def the_end_is_behind(start, end, longest):
    first, last = best_span(start, end, longest)
    return first, last + 1


def the_score(start, end, longest):
    first, last = best_span(start, end, longest)
    return start[first] + end[last]


def answer_tokens(places, begin, answer):
    end = begin + len(answer)
    held = [i for i, p in enumerate(places) if p and p[0] < end and p[1] > begin]
    if not held or places[held[0]][0] > begin or places[held[-1]][1] < end:
        return 0, 0
    return held[0], held[-1]


def _held(places, begin, end):
    return [i for i, p in enumerate(places) if p and p[0] < end and p[1] > begin]


def parts_taken(places, begin, answer):
    held = _held(places, begin, begin + len(answer))
    return (held[0], held[-1]) if held else (0, 0)


def missing_end_forgotten(places, begin, answer):
    held = _held(places, begin, begin + len(answer))
    return (held[0], held[-1]) if held and places[held[0]][0] <= begin else (0, 0)


def missing_beginning_forgotten(places, begin, answer):
    end = begin + len(answer)
    held = _held(places, begin, end)
    return (held[0], held[-1]) if held and places[held[-1]][1] >= end else (0, 0)


def as_a_slice(places, begin, answer):
    first, last = answer_tokens(places, begin, answer)
    return (first, last + 1) if last else (0, 0)


def end_inclusive(places, begin, answer):
    end = begin + len(answer)
    held = [i for i, p in enumerate(places) if p and p[0] <= end and p[1] > begin]
    if not held or places[held[0]][0] > begin or places[held[-1]][1] < end:
        return 0, 0
    return held[0], held[-1]


def touching_counts(places, begin, answer):
    end = begin + len(answer)
    held = [i for i, p in enumerate(places) if p and p[0] < end and p[1] >= begin]
    if not held or places[held[0]][0] > begin or places[held[-1]][1] < end:
        return 0, 0
    return held[0], held[-1]


def borders_must_meet(places, begin, answer):
    end = begin + len(answer)
    first = [i for i, p in enumerate(places) if p and p[0] == begin]
    last = [i for i, p in enumerate(places) if p and p[1] == end]
    return (first[0], last[0]) if first and last else (0, 0)


def counted_in_the_passage(places, begin, answer):
    first, last = answer_tokens(places, begin, answer)
    return (first - 4, last - 4) if last else (0, 0)


def whole_words_only(places, begin, answer):
    first, last = answer_tokens(places, begin, answer)
    while last and last + 1 < len(places) and places[last + 1]:
        if places[last + 1][0] != places[last][1]:
            break
        last += 1
    return first, last


def token_f1(said, right):
    if not said or not right:
        return float(said == right)
    shared = (Counter(said) & Counter(right)).total()
    return 2 * shared / (len(said) + len(right))


def _by_parts(said, right, combine):
    if not said or not right:
        return float(said == right)
    shared = (Counter(said) & Counter(right)).total()
    return combine(shared / len(said), shared / len(right))


def precision_only(said, right):
    return _by_parts(said, right, lambda p, r: p)


def recall_only(said, right):
    return _by_parts(said, right, lambda p, r: r)


def plain_mean(said, right):
    return _by_parts(said, right, lambda p, r: (p + r) / 2)


def sets(said, right):
    if not said or not right:
        return float(said == right)
    return 2 * len({*said} & {*right}) / (len({*said}) + len({*right}))


def shared_as_a_set(said, right):
    if not said or not right:
        return float(said == right)
    return 2 * len({*said} & {*right}) / (len(said) + len(right))


def nothing_shared_forgotten(said, right):
    if not said or not right:
        return float(said == right)
    shared = (Counter(said) & Counter(right)).total()
    precision, recall = shared / len(said), shared / len(right)
    return 2 * precision * recall / (precision + recall)


def every_said_word(said, right):
    if not said or not right:
        return float(said == right)
    return 2 * sum(word in right for word in said) / (len(said) + len(right))


def every_right_word(said, right):
    if not said or not right:
        return float(said == right)
    return 2 * sum(word in said for word in right) / (len(said) + len(right))


def share_of_all(said, right):
    if not said or not right:
        return float(said == right)
    return len({*said} & {*right}) / len({*said} | {*right})


def exactly(said, right):
    return float(said == right)


def in_order(said, right):
    if not said or not right:
        return float(said == right)
    return 2 * sum(a == b for a, b in zip(said, right, strict=False)) / (len(said) + len(right))


def empty_forgotten(said, right):
    shared = (Counter(said) & Counter(right)).total()
    precision, recall = shared / len(said), shared / len(right)
    return 2 * precision * recall / (precision + recall) if shared else 0.0


def empty_is_wrong(said, right):
    return token_f1(said, right) if said and right else 0.0


def empty_is_right(said, right):
    return token_f1(said, right) if said and right else 1.0


def half_of_it(said, right):
    return token_f1(said, right) / 2 if said and right else token_f1(said, right)


def as_percent(said, right):
    return 100 * token_f1(said, right)


SOLUTIONS = {"12.1": best_span, "12.2": answer_tokens, "12.3": token_f1}
MUTANTS = {
    "12.1": {
        "start and end each on its own": each_on_its_own,
        "any length": any_length,
        "one token too long": one_too_long,
        "one token too short": one_too_short,
        "one token alone is no span": two_tokens_at_least,
        "the best start, then its best end": best_start_first,
        "the best end, then its best start": best_end_first,
        "logits multiplied": product_of_logits,
        "the end is the token behind": the_end_is_behind,
        "the score instead of the span": the_score,
    },
    "12.2": {
        "a part of the answer is taken": parts_taken,
        "a missing end is not seen": missing_end_forgotten,
        "a missing beginning is not seen": missing_beginning_forgotten,
        "the last token as in a slice": as_a_slice,
        "the end of a place is counted in": end_inclusive,
        "a token that only touches": touching_counts,
        "tokens must begin and end with the answer": borders_must_meet,
        "counted from the passage's first token": counted_in_the_passage,
        "the whole last word": whole_words_only,
    },
    "12.3": {
        "precision": precision_only,
        "recall": recall_only,
        "the plain mean of both": plain_mean,
        "sets": sets,
        "the shared words as a set": shared_as_a_set,
        "every said word that is right somewhere": every_said_word,
        "every right word that was said": every_right_word,
        "shared over either": share_of_all,
        "exact match": exactly,
        "the order counts": in_order,
        "empty answers divide by zero": empty_forgotten,
        "no shared word divides by zero": nothing_shared_forgotten,
        "both empty is wrong": empty_is_wrong,
        "one empty is right": empty_is_right,
        "the two is missing": half_of_it,
        "in percent": as_percent,
    },
}

# mistake -> words of the hint that is meant for it
HINTS = {
    "12.1": {
        "start and end each on its own": "That ends before it begins",
        "any length": "That is a span of 4 tokens",
        "one token too long": "That is a span of 4 tokens",
        "one token too short": "A span may have 3 tokens, and a better one has just so many",
        "one token alone is no span": "One token alone is a span, too: its first and last are the",
        "the best start, then its best end": "One of the two is the best there is, but the other",
        "the best end, then its best start": "One of the two is the best there is, but the other",
        "logits multiplied": "Its scores sum to -13.0; another valid span has -3.0",
        "the end is the token behind": "Its scores sum to 2.5; another valid span has 5.0",
        "the score instead of the span": "the first and the last token, two whole numbers",
    },
    "12.2": {
        "a part of the answer is taken": "The window ends with 'Old', so it holds only a part of",
        "a missing end is not seen": "The window ends with 'Old', so it holds only a part of 'Old",
        "a missing beginning is not seen": "The window begins with 'Rex', so it holds only a part",
        "the last token as in a slice": "That is one token too many: the end of a place is the",
        "the end of a place is counted in": "That is one token too many: the end of a place is the",
        "a token that only touches": "The first token ends where the answer begins: it has no",
        "tokens must begin and end with the answer": "Every token that has a character of the",
        "counted from the passage's first token": "They are counted from the passage's first token",
        "the whole last word": "That is one token too many: the end of a place is the first",
    },
    "12.3": {
        "precision": "That is precision, the share of the said words that are right",
        "recall": "That is recall, the share of the right words that were said",
        "the plain mean of both": "That is the mean of precision and recall",
        "sets": "A word that both sides have twice is shared twice",
        "the shared words as a set": "Here a word that both sides have twice is shared once only",
        "every said word that is right somewhere": "A word is shared only as often as both sides",
        "every right word that was said": "A word is shared only as often as both sides have it,",
        "shared over either": "That is the share of all different words, shared over either",
        "exact match": "This asks whether all is the same, which is exact match",
        "the order counts": "Here the order counts",
        "empty answers divide by zero": "One side has no words, so there is nothing to count",
        "no shared word divides by zero": "No word is shared, so precision and recall are 0",
        "both empty is wrong": "No answer was right, and none was given: that is right, so 1",
        "one empty is right": "One side has words, the other has none: nothing is shared, so",
        "the two is missing": "Twice the shared words has to be divided by the words of both",
        "in percent": "That is in percent",
    },
}
