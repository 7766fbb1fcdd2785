"""Solutions of notebook 01, and the mistakes that its checks must find."""


def join_pieces(tokens):
    text = ""
    for token in tokens:
        if token.startswith("##"):
            text += token[2:]
        else:
            text += f" {token}" if text else token
    return text


def every_space_kept(tokens):
    return " ".join(token.removeprefix("##") for token in tokens)


def prefix_kept(tokens):
    return "".join(t if t.startswith("##") else f" {t}" for t in tokens).strip()


def space_in_front(tokens):
    return "".join(t[2:] if t.startswith("##") else f" {t}" for t in tokens)


def every_mark_removed(tokens):
    return " ".join(tokens).replace(" ##", "").replace("##", "")


def marks_searched_anywhere(tokens):
    return "".join(t.replace("##", "", 1) if "##" in t else f" {t}" for t in tokens).strip()


def no_spaces(tokens):
    return "".join(token.removeprefix("##") for token in tokens)


def pad(rows, pad_id):
    longest = max(len(row) for row in rows)
    input_ids = [row + [pad_id] * (longest - len(row)) for row in rows]
    attention_mask = [[1] * len(row) + [0] * (longest - len(row)) for row in rows]
    return input_ids, attention_mask


def padded_on_the_left(rows, pad_id):
    longest = max(len(row) for row in rows)
    ids = [[pad_id] * (longest - len(row)) + row for row in rows]
    return ids, [[0] * (longest - len(row)) + [1] * len(row) for row in rows]


def mask_upside_down(rows, pad_id):
    ids, mask = pad(rows, pad_id)
    return ids, [[1 - entry for entry in row] for row in mask]


def mask_from_ids(rows, pad_id):
    ids, _ = pad(rows, pad_id)
    return ids, [[int(index != pad_id) for index in row] for row in ids]


def fixed_length(rows, pad_id):
    return pad([*rows, [1] * 8], pad_id)[0][:-1], pad([*rows, [1] * 8], pad_id)[1][:-1]


def pad_id_forgotten(rows, pad_id):
    return pad(rows, 0)


def rows_changed(rows, pad_id):
    made = pad(rows, pad_id)
    for row, longer in zip(rows, made[0], strict=True):
        row.extend(longer[len(row) :])
    return made


def mask_forgotten(rows, pad_id):
    return pad(rows, pad_id)[0]


def all_ones(rows, pad_id):
    ids, _ = pad(rows, pad_id)
    return ids, [[1] * len(row) for row in ids]


def label_pieces(labels, word_ids):
    made = []
    before = None
    for word in word_ids:
        made.append(-100 if word is None or word == before else labels[word])
        before = word
    return made


def every_piece_labelled(labels, word_ids):
    return [-100 if word is None else labels[word] for word in word_ids]


def labels_compared(labels, word_ids):
    made, before = [], None
    for word in word_ids:
        label = -100 if word is None else labels[word]
        made.append(-100 if label == before else label)
        before = label
    return made


def specials_labelled_zero(labels, word_ids):
    return [
        0 if word is None else label
        for word, label in zip(word_ids, label_pieces(labels, word_ids), strict=True)
    ]


def specials_left_out(labels, word_ids):
    made = label_pieces(labels, word_ids)
    return [label for label, word in zip(made, word_ids, strict=True) if word is not None]


def last_piece_labelled(labels, word_ids):
    return label_pieces(labels, word_ids[::-1])[::-1]


def zero_taken_for_nothing(labels, word_ids):
    return [label or -100 for label in label_pieces(labels, word_ids)]


SOLUTIONS = {"01.1": join_pieces, "01.2": pad, "01.3": label_pieces}

MUTANTS = {
    "01.1": {
        "a space before every piece": every_space_kept,
        "the prefix is kept": prefix_kept,
        "a space in front": space_in_front,
        "every ## is removed": every_mark_removed,
        "## counts anywhere in a piece": marks_searched_anywhere,
        "no spaces": no_spaces,
    },
    "01.2": {
        "on the left": padded_on_the_left,
        "the mask is upside down": mask_upside_down,
        "the mask is made from the ids": mask_from_ids,
        "one length for all batches": fixed_length,
        "pad_id is not used": pad_id_forgotten,
        "the given rows are changed": rows_changed,
        "no mask": mask_forgotten,
        "a mask of ones": all_ones,
    },
    "01.3": {
        "every piece is labelled": every_piece_labelled,
        "labels are compared, not words": labels_compared,
        "special tokens get label 0": specials_labelled_zero,
        "special tokens are left out": specials_left_out,
        "the last piece is labelled": last_piece_labelled,
        "label 0 is taken for nothing": zero_taken_for_nothing,
    },
}

# mistake -> words of the hint that is meant for it
HINTS = {
    "01.1": {
        "a space before every piece": "A piece that begins with ## goes on where the last one",
        "the prefix is kept": "A piece that begins with ## goes on where the last one",
        "a space in front": "Two pieces without ## are two words, with one space between",
        "every ## is removed": "Only the two signs at the very beginning are the mark",
        "## counts anywhere in a piece": "Here ## stands at the end of a word, and that is no",
        "no spaces": "Two pieces without ## are two words, with one space between",
    },
    "01.2": {
        "on the left": "You filled up on the left",
        "the mask is upside down": "The mask is upside down: 1 says look at this token, 0 says",
        "the mask is made from the ids": "Someone may type [PAD] into a text, as in the row [2, 0,",
        "one length for all batches": "All should be as long as the longest one",
        "pad_id is not used": "the short row should end in 7",
        "the given rows are changed": "Make new lists: the caller may still need the old ones",
        "no mask": "Return two things, input_ids and attention_mask",
        "a mask of ones": "1 for each token of the row as it was given",
    },
    "01.3": {
        "every piece is labelled": "A word of several pieces is labelled once, on its first",
        "labels are compared, not words": "Neighbouring words may have the same label",
        "special tokens get label 0": "Special tokens have the word number None",
        "special tokens are left out": "Special tokens and the later pieces of a word need an",
        "the last piece is labelled": "A word of several pieces is labelled once, on its first",
        "label 0 is taken for nothing": "A label may be 0; that is a label like any other",
    },
}
