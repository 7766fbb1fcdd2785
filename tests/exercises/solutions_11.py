"""Solutions and mutants of notebook 11."""

import torch


def tags_of_words(logits, word_ids, words):
    tags = [None] * words
    for label, word in zip(logits.argmax(-1).tolist(), word_ids, strict=True):
        if word is not None and tags[word] is None:
            tags[word] = label
    return [0 if tag is None else tag for tag in tags]


def every_piece(logits, word_ids, words):
    return logits.argmax(-1)


def every_piece_of_a_word(logits, word_ids, words):
    best = logits.argmax(-1).tolist()
    return [label for label, word in zip(best, word_ids, strict=True) if word is not None]


def special_tokens_read(logits, word_ids, words):
    best = logits.argmax(-1).tolist()
    return [best[i] for i, word in enumerate(word_ids) if not i or word != word_ids[i - 1]]


def end_read_as_a_word(logits, word_ids, words):
    best, before, tags = logits.argmax(-1).tolist(), None, []
    for label, word in zip(best, word_ids, strict=True):
        if word != before:
            tags.append(label)
        before = word
    return tags


def last_piece(logits, word_ids, words):
    tags = [0] * words
    for label, word in zip(logits.argmax(-1).tolist(), word_ids, strict=True):
        if word is not None:
            tags[word] = label
    return tags


def mean_of_pieces(logits, word_ids, words):
    sums = torch.zeros(words, logits.shape[-1])
    for row, word in zip(logits, word_ids, strict=True):
        if word is not None:
            sums[word] += row
    return sums.argmax(-1).tolist()


def surest_piece(logits, word_ids, words):
    tags, surest = [0] * words, [float("-inf")] * words
    for row, word in zip(logits, word_ids, strict=True):
        if word is not None and float(row.max()) > surest[word]:
            tags[word], surest[word] = int(row.argmax()), float(row.max())
    return tags


def cut_off_words_forgotten(logits, word_ids, words):
    seen = [word for word in range(words) if word in word_ids]
    return tags_of_words(logits, word_ids, words)[: len(seen)]


def over_the_pieces(logits, word_ids, words):
    return logits.argmax(0).tolist()[:words]


def starts_at_zero(logits, word_ids, words):
    best = logits.argmax(-1).tolist()
    return [best[word_ids.index(word) - 1] if word in word_ids else 0 for word in range(words)]


def entities(tags):
    found, kind, first = [], None, 0
    for i, tag in enumerate([*tags, "O"]):
        goes_on = tag.startswith("I-") and tag[2:] == kind
        if kind is not None and not goes_on:
            found.append((kind, first, i))
            kind = None
        if tag != "O" and not goes_on:
            kind, first = tag[2:], i
    return found


def last_tag_before_the_first(tags):
    found = []
    for i, tag in enumerate(tags):
        if tag[0] == "B" or (tag[0] == "I" and tags[i - 1][2:] != tag[2:]):
            stop = i + 1
            while stop < len(tags) and tags[stop] == f"I-{tag[2:]}":
                stop += 1
            found.append((tag[2:], i, stop))
    return found


def last_one_lost(tags):
    return [part for part in entities(tags) if part[2] < len(tags)]


def last_word_given(tags):
    return [(kind, first, stop - 1) for kind, first, stop in entities(tags)]


def tag_for_kind(tags):
    return [(tags[first], first, stop) for _, first, stop in entities(tags)]


def neighbours_joined(tags):
    found = []
    for i, tag in enumerate(tags):
        if tag == "O":
            continue
        if found and found[-1][2] == i and found[-1][0] == tag[2:]:
            found[-1] = (tag[2:], found[-1][1], i + 1)
        else:
            found.append((tag[2:], i, i + 1))
    return found


def any_i_goes_on(tags):
    found = []
    for i, tag in enumerate(tags):
        if tag.startswith("I-") and found and found[-1][2] == i:
            found[-1] = (found[-1][0], found[-1][1], i + 1)
        elif tag != "O":
            found.append((tag[2:], i, i + 1))
    return found


def lone_i_dropped(tags):
    return [part for part in entities(tags) if tags[part[1]].startswith("B-")]


def words_alone(tags):
    return [(tag[2:], i, i + 1) for i, tag in enumerate(tags) if tag != "O"]


def gaps_bridged(tags):
    found = []
    for i, tag in enumerate(tags):
        if tag.startswith("B-"):
            found.append((tag[2:], i, i + 1))
        elif tag.startswith("I-"):
            found[-1:] = [(tag[2:], found[-1][1] if found else 0, i + 1)]
    return found


def entity_f1(gold, said):
    pairs = list(zip(gold, said, strict=True))
    right = sum(len(set(a) & set(b)) for a, b in pairs)
    count = sum(len(a) + len(b) for a, b in pairs)
    return 2 * right / count if count else 0.0


def _right(gold, said):
    return sum(len(set(a) & set(b)) for a, b in zip(gold, said, strict=True))


def precision(gold, said):
    return _right(gold, said) / max(sum(map(len, said)), 1)


def recall(gold, said):
    return _right(gold, said) / max(sum(map(len, gold)), 1)


def plain_mean(gold, said):
    return (precision(gold, said) + recall(gold, said)) / 2


def mean_over_sentences(gold, said):
    pairs = list(zip(gold, said, strict=True))
    return sum(entity_f1([a], [b]) for a, b in pairs) / len(pairs)


def sentences_thrown_together(gold, said):
    real, found = ({part for row in table for part in row} for table in (gold, said))
    return 2 * len(real & found) / max(len(real) + len(found), 1)


def kind_ignored(gold, said):
    without = [[[part[1:] for part in row] for row in table] for table in (gold, said)]
    return entity_f1(*without)


def overlap_is_enough(gold, said):
    right = sum(
        any(a[0] == b[0] and a[1] < b[2] and b[1] < a[2] for a in row)
        for row, others in zip(gold, said, strict=True)
        for b in others
    )
    return 2 * right / max(sum(map(len, gold)) + sum(map(len, said)), 1)


def shared_by_all(gold, said):
    right = _right(gold, said)
    return right / max(sum(map(len, gold)) + sum(map(len, said)) - right, 1)


def two_forgotten(gold, said):
    return entity_f1(gold, said) / 2


def one_for_nothing(gold, said):
    return entity_f1(gold, said) if any(gold) or any(said) else 1.0


SOLUTIONS = {"11.1": tags_of_words, "11.2": entities, "11.3": entity_f1}
MUTANTS = {
    "11.1": {
        "a label for each piece, special tokens too": every_piece,
        "a label for each piece of a word": every_piece_of_a_word,
        "special tokens are read as words": special_tokens_read,
        "the [SEP] is read as a word": end_read_as_a_word,
        "the last piece": last_piece,
        "the mean of all pieces": mean_of_pieces,
        "the surest piece": surest_piece,
        "words that were cut off are forgotten": cut_off_words_forgotten,
        "the best piece of each label": over_the_pieces,
        "one place too far left": starts_at_zero,
    },
    "11.2": {
        "the last one is lost": last_one_lost,
        "the last word instead of the one behind it": last_word_given,
        "the tag instead of the kind": tag_for_kind,
        "neighbours are joined": neighbours_joined,
        "any I- goes on": any_i_goes_on,
        "an I- without B- is dropped": lone_i_dropped,
        "the last tag is before the first": last_tag_before_the_first,
        "each word alone": words_alone,
        "O does not end an entity": gaps_bridged,
    },
    "11.3": {
        "precision": precision,
        "recall": recall,
        "the plain mean of both": plain_mean,
        "a mean over sentences": mean_over_sentences,
        "sentences thrown together": sentences_thrown_together,
        "the kind is ignored": kind_ignored,
        "overlap is enough": overlap_is_enough,
        "divided by those of both": shared_by_all,
        "the 2 is forgotten": two_forgotten,
        "1 where there is nothing": one_for_nothing,
    },
}

# mistake -> words of the hint that is meant for it
HINTS = {
    "11.1": {
        "a label for each piece, special tokens too": "A word has one label, from its first piece",
        "a label for each piece of a word": "That is a label for each piece of a word",
        "special tokens are read as words": "[CLS] and [SEP] are no words: their word number is",
        "the [SEP] is read as a word": "Where word_ids has None there is no word",
        "the last piece": "That is the label of each word's last piece",
        "the mean of all pieces": "The scores of all pieces of a word were added up",
        "the surest piece": "That is the label of each word's surest piece",
        "words that were cut off are forgotten": "They need a tag, too: 0, which is O",
        "the best piece of each label": "logits has a row for each piece",
        "one place too far left": "logits has a row for each piece",
    },
    "11.2": {
        "the last one is lost": "The entity that goes on to the last word is missing",
        "the last word instead of the one behind it": "stop is the word behind the last one",
        "the tag instead of the kind": "The kind comes without B- and I-",
        "neighbours are joined": "Two neighbours of the same kind became one",
        "any I- goes on": "An I- goes on with an entity of its own kind only",
        "an I- without B- is dropped": "An I- that nothing of its kind goes before is lost",
        "the last tag is before the first": "The I- at the first word is lost",
        "each word alone": "Each tagged word became an entity of its own",
        "O does not end an entity": "An O ends an entity",
    },
    "11.3": {
        "precision": "This is precision: what share of the entities that were said",
        "recall": "This is recall: what share of the real entities was found",
        "the plain mean of both": "This is the plain mean of precision and recall",
        "a mean over sentences": "This is a mean of the F1 of each sentence",
        "sentences thrown together": "The sentences were thrown together: ('place', 4, 6) of one",
        "the kind is ignored": "An entity with the right words and the wrong kind is wrong",
        "overlap is enough": "An entity that merely overlaps a real one is wrong",
        "divided by those of both": "This divides by the entities of both together, each counted",
        "the 2 is forgotten": "The 2 is missing",
        "1 where there is nothing": "Where there are no entities at all, nothing can be divided",
    },
}
