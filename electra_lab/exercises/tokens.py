"""Checks for notebook 01: joining pieces, padding a batch, labels for the pieces of words."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from .expectations import expect_returned
from .framework import Hint, exercise
from .recording import describe

PAD = 0
IGNORED = -100


@exercise(
    "01.1",
    title="join pieces to words again",
    hints=(
        "Look at the pieces one at a time, from left to right. For each there is one question: "
        "does it begin a word, or go on with the last one?",
        "Python's startswith answers that question. A piece that goes on loses its first two "
        "signs; any other is set off from the text so far by a space.",
        "Keep one text that grows. The first word has no space before it, so add the space only "
        "where the text so far is not empty.",
    ),
)
def check_join_pieces(join_pieces: Callable[..., Any]) -> None:
    """Prefix taken off, no space before it, a space elsewhere; ## inside a word is text."""
    for tokens, expected, hint in (
        (["the", "cat"], "the cat", "Two pieces without ## are two words, with one space between."),
        (
            ["un", "##happ", "##ily"],
            "unhappily",
            "A piece that begins with ## goes on where the last one stopped: no space, and no ##.",
        ),
        (
            ["sing", "##er", "##s", "like", "bak", "##ing"],
            "singers like baking",
            "Words of one piece and of several stand side by side here. Decide for each piece by "
            "itself whether it begins a word.",
        ),
        (
            ["a", "##a##b"],
            "aa##b",
            "Only the two signs at the very beginning are the mark. What follows them is text, even "
            "where it holds ## again.",
        ),
        (
            ["c##", "d"],
            "c## d",
            "Here ## stands at the end of a word, and that is no mark: ask how the piece begins.",
        ),
        ([], "", "No pieces give an empty text."),
    ):
        text = join_pieces(list(tokens))
        expect_returned(text)
        if not isinstance(text, str):
            raise Hint(f"Return one text (str); the function returned {describe(text)}.")
        if text != expected:
            stripped = " No space belongs before the first word." if text == f" {expected}" else ""
            raise Hint(f"{tokens} should give {expected!r}; yours is {text!r}. {hint}{stripped}")


@exercise(
    "01.2",
    title="pad a batch and say what is padding",
    hints=(
        "How long must every row become? Find that number first, from all rows together.",
        "What a row lacks is the longest length minus its own. A list times a number repeats it, "
        "and list plus list makes a new list, which leaves the given rows as they were.",
        "The mask of a row is as many ones as the row has ids, and as many zeros as were added. "
        "Both come from lengths alone; the ids do not have to be looked at.",
    ),
)
def check_pad(pad: Callable[..., Any]) -> None:
    """Padded on the right to the longest row, masks by position, the given rows left alone."""
    rows = [[2, 7, 8, 9, 3], [2, 7, 3], [2, 3]]
    ids, mask = _two_lists(pad, rows)
    if any(len(row) != 5 for row in ids):
        raise Hint(
            f"The rows have {[len(row) for row in ids]} ids. All should be as long as the longest "
            "one, which has 5, and no longer: padding costs as much to compute as text."
        )
    if ids == [[2, 7, 8, 9, 3], [PAD, PAD, 2, 7, 3], [PAD, PAD, PAD, 2, 3]]:
        raise Hint(
            "You filled up on the left. ELECTRA was trained with padding on the right: there [CLS] "
            "is at position 0 in every row."
        )
    if ids != [[2, 7, 8, 9, 3], [2, 7, 3, PAD, PAD], [2, 3, PAD, PAD, PAD]]:
        raise Hint(
            f"Rows {rows} with pad_id {PAD} became {ids}. The ids should stay in front, in their "
            "order, with pad_id behind them."
        )
    if mask == [[0] * 5, [0, 0, 0, 1, 1], [0, 0, 1, 1, 1]]:
        raise Hint("The mask is upside down: 1 says look at this token, 0 says this is padding.")
    _expect_mask(mask, [[1] * 5, [1, 1, 1, 0, 0], [1, 1, 0, 0, 0]])
    other, other_mask = _two_lists(pad, [[2, 5, 3], [2, 3]], 7)
    if other != [[2, 5, 3], [2, 3, 7]]:
        raise Hint(f"With pad_id=7 the short row should end in 7; yours is {other[1]}.")
    _expect_mask(other_mask, [[1, 1, 1], [1, 1, 0]])
    _, typed = _two_lists(pad, [[2, PAD, 3], [2, 3]])
    if typed[0] != [1, 1, 1]:
        raise Hint(
            "Someone may type [PAD] into a text, as in the row [2, 0, 3]. That token is text, and "
            f"its mask is 1; yours is {typed[0]}. Make the mask from the lengths, not from the ids."
        )


@exercise(
    "01.3",
    title="carry the labels of words over to pieces",
    hints=(
        "There are three kinds of pieces: special tokens, first pieces of words, later pieces. "
        "What tells them apart in word_ids?",
        "A first piece is one whose word number differs from that of the piece just before it. So "
        "remember the number of the previous piece while you go through the list.",
        "For each number: -100 if it is None or the same as the one before, otherwise the entry "
        "of labels with that number.",
    ),
)
def check_label_pieces(label_pieces: Callable[..., Any]) -> None:
    """The label on the first piece of each word, -100 on other pieces and special tokens."""
    for labels, word_ids, hint in (
        (
            [4, 5],
            [None, 0, 1, None],
            "Special tokens have the word number None. They get -100, which the loss ignores.",
        ),
        (
            [4, 5, 6],
            [None, 0, 1, 1, 1, 2, None],
            "A word of several pieces is labelled once, on its first piece; the others get -100. "
            "Otherwise long words would count several times.",
        ),
        (
            [4, 4, 4],
            [None, 0, 1, 1, 2, None],
            "Neighbouring words may have the same label. Compare the numbers of the words, not "
            "their labels.",
        ),
        (
            [6, 5],
            [None, 0, 0, 1, None, None, None],
            "Padding has the word number None too, and any number of it may follow.",
        ),
        ([0, 0], [None, 0, 1, 1, None], "A label may be 0; that is a label like any other."),
    ):
        made = label_pieces(list(labels), list(word_ids))
        expect_returned(made)
        if not isinstance(made, list):
            raise Hint(f"Return a list of labels; the function returned {describe(made)}.")
        expected, before = [], None
        for word in word_ids:
            expected.append(IGNORED if word is None or word == before else labels[word])
            before = word
        if len(made) != len(word_ids):
            raise Hint(
                f"{len(word_ids)} pieces need {len(word_ids)} labels; you gave {len(made)}. Special "
                "tokens and the later pieces of a word need an entry too."
            )
        if made != expected:
            raise Hint(
                f"Labels {labels} with word numbers {word_ids} should give {expected}; yours is "
                f"{made}. {hint}"
            )


def _two_lists(pad: Callable[..., Any], rows: list[list[int]], pad_id: int = PAD) -> Any:
    given = copy.deepcopy(rows)
    made = pad(given, pad_id)
    if given != rows:
        raise Hint(
            f"The rows that were handed over have changed, from {rows} to {given}. Make new lists: "
            "the caller may still need the old ones."
        )
    if not isinstance(made, tuple) or len(made) != 2:
        raise Hint(
            f"Return two things, input_ids and attention_mask; you returned {describe(made)}."
        )
    for value, name in zip(made, ("input_ids", "attention_mask"), strict=True):
        lists = isinstance(value, list) and all(isinstance(row, list) for row in value)
        if not lists or len(value) != len(rows):
            raise Hint(
                f"{name} should be a list of {len(rows)} rows, each a list; it is {describe(value)}."
            )
    return made


def _expect_mask(mask: list[list[int]], expected: list[list[int]]) -> None:
    if mask != expected:
        raise Hint(
            f"The attention mask should be {expected}: 1 for each token of the row as it was given, "
            f"0 for padding. Yours is {mask}."
        )
