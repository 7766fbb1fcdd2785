"""Checks for notebook 12: the best span, from characters to tokens, token F1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from .expectations import expect_returned
from .framework import Hint, exercise
from .recording import describe

Place = tuple[int, int]


@exercise(
    "12.1",
    title="the best span",
    hints=(
        "Try all spans that are allowed, one after the other, and remember the best so far.",
        "Two loops: one over the first token, one over the last. The last is never before the "
        "first; in a span of one token they are the same.",
        "With a given first token the last runs on to first + longest - 1, and not beyond the "
        "list. All scores may lie below 0, so begin with minus infinity as the best.",
    ),
)
def check_best_span(best_span: Callable[..., Any]) -> None:
    """The first and last token with the highest sum of scores that are a span, and not too long."""
    cases: tuple[tuple[list[float], list[float], int], ...] = (
        # the best start lies behind the best end
        ([0.1, 2.0, 0.3, 2.6, 0.2], [0.0, 0.4, 3.0, 0.5, 0.1], 3),
        # the best start and the best end are too far apart, by one
        ([3.0, 0.5, 1.0, 0.0, 0.1], [0.2, 1.0, 0.1, 2.5, 0.3], 3),
        # a span of exactly the greatest length
        ([0.5, 3.0, 0.2, 0.1, 0.4], [0.1, 0.3, 0.2, 2.8, 0.0], 3),
        # one token alone
        ([0.2, 0.1, 3.0, 0.4, 0.3], [0.3, 0.2, 4.0, 0.1, 0.5], 4),
        # the best start has no good end
        ([0.0, 2.0, 0.1, 0.2, 2.2], [0.1, 0.2, 2.5, 0.3, 0.4], 4),
        # scores are logits: nearly all of them may be negative
        ([-4.0, -1.0, -3.0, -6.0, -5.0], [-5.0, -6.0, -2.0, -3.0, -7.0], 4),
    )
    for start, end, longest in cases:
        right = _best(start, end, longest)
        given = best_span(list(start), list(end), longest)
        said = _two_numbers(given, "The function should return the first and the last token")
        if said == right:
            continue
        first, last = said
        here = f"For start={start}, end={end} and longest={longest} you say {said}. "
        if not (0 <= first < len(start) and 0 <= last < len(start)):
            raise Hint(f"{here}There are only the tokens 0 to {len(start) - 1}.")
        if last < first:
            raise Hint(f"{here}That ends before it begins.")
        if last - first + 1 > longest:
            raise Hint(
                f"{here}That is a span of {last - first + 1} tokens. From first to last there are "
                "last - first + 1 tokens, not last - first."
            )
        if said == _best(start, end, longest - 1):
            raise Hint(
                f"{here}A span may have {longest} tokens, and a better one has just so many."
            )
        if said == _best(start, end, longest, shortest=2):
            raise Hint(f"{here}One token alone is a span, too: its first and last are the same.")
        if first == start.index(max(start)) or last == end.index(max(end)):
            raise Hint(
                f"{here}One of the two is the best there is, but the other has to pay for it: "
                f"{_total(start, end, said):.1f} together, and another span has "
                f"{_total(start, end, right):.1f}. Compare spans, not starts and ends."
            )
        raise Hint(
            f"{here}Its scores sum to {_total(start, end, said):.1f}; another valid span has "
            f"{_total(start, end, right):.1f}."
        )


def _best(start: Sequence[float], end: Sequence[float], longest: int, shortest: int = 1) -> Place:
    spans = [
        (first, last)
        for first in range(len(start))
        for last in range(first + shortest - 1, min(first + longest, len(end)))
    ]
    return max(spans, key=lambda span: _total(start, end, span))


def _total(start: Sequence[float], end: Sequence[float], span: Place) -> float:
    return start[span[0]] + end[span[1]]


def _two_numbers(value: Any, what: str) -> Place:
    expect_returned(value)
    try:
        first, last = value
        if int(first) != first or int(last) != last:
            raise ValueError
    except (TypeError, ValueError):
        raise Hint(f"{what}, two whole numbers; it returned {describe(value)}.") from None
    return int(first), int(last)


TEXT = "The grandmother's dog, Old Rex, sleeps."
#       [CLS] who  ?   [SEP]  The     grand    ##mother   '         s
PLACES = [
    *(None, None, None, None, (0, 3), (4, 9), (9, 15), (15, 16), (16, 17)),
    #  dog       ,         Old       Rex       ,         sleep     ##s       .      [SEP]
    *((18, 21), (21, 22), (23, 26), (27, 30), (30, 31), (32, 37), (37, 38), (38, 39), None),
]
CUT_BEHIND = [*PLACES[:12], None]  # this window ends with "Old"
CUT_BEFORE = [*PLACES[:4], *PLACES[12:]]  # and this one begins with "Rex"
NOT_THERE = [*PLACES[:7], None]


@exercise(
    "12.2",
    title="from characters to tokens",
    hints=(
        "The answer is a stretch of characters, and so is each token. Which tokens share a "
        "character with the answer? And is the whole answer inside this window?",
        "The answer ends at begin plus its length. Two stretches overlap where each begins before "
        "the other ends. Tokens that are None take no part.",
        "Collect the tokens that overlap. If there are none, or the first of them begins behind "
        "begin, or the last stops before the answer's end, then a part is missing: return (0, 0).",
    ),
)
def check_answer_tokens(answer_tokens: Callable[..., Any]) -> None:
    """The tokens that have a character of the answer, if the window holds all of it."""
    cases: tuple[tuple[list[Place | None], str, Place, str], ...] = (
        (PLACES, "dog", (9, 9), "The answer is one token."),
        (PLACES, "Old Rex", (11, 12), "The answer is two tokens."),
        (PLACES, "grandmother", (5, 6), "The answer is one word of two pieces."),
        (
            PLACES,
            "mother's dog",
            (6, 9),
            "The answer begins inside a word, with its second piece.",
        ),
        (PLACES, "sleep", (14, 14), "The answer is the first piece of a word."),
        (
            PLACES,
            "Re",
            (12, 12),
            "The answer ends inside the token 'Rex'. Every token that has a character of the answer "
            "belongs to it.",
        ),
        (
            PLACES,
            "ex",
            (12, 12),
            "The answer begins inside the token 'Rex'. Every token that has a character of the answer "
            "belongs to it.",
        ),
        (
            CUT_BEHIND,
            "Old Rex",
            (0, 0),
            "The window ends with 'Old', so it holds only a part of 'Old Rex', and [CLS] is right. "
            "Half an answer would teach the model to stop early.",
        ),
        (
            CUT_BEFORE,
            "Old Rex",
            (0, 0),
            "The window begins with 'Rex', so it holds only a part of 'Old Rex', and [CLS] is right.",
        ),
        (NOT_THERE, "Old Rex", (0, 0), "The window does not hold the answer, so [CLS] is right."),
    )
    for places, answer, right, where in cases:
        begin = TEXT.index(answer)
        given = answer_tokens(list(places), begin, answer)
        said = _two_numbers(given, "The function should return the first and the last token")
        if said == right:
            continue
        here = (
            f"The answer {answer!r} has the characters {begin} to {begin + len(answer) - 1}, and your "
            f"tokens are {said}. "
        )
        if right == (0, 0):
            raise Hint(here + where)
        if said == (right[0], right[1] + 1) and places[right[1]] is not None:
            # the next token begins where the answer ends, or the last one is counted as in a slice
            raise Hint(
                f"{here}That is one token too many: the end of a place is the first character behind "
                "it, and `last` is the last token of the answer, not the one behind it."
            )
        if said == (right[0] - 1, right[1]):
            raise Hint(
                f"{here}The first token ends where the answer begins: it has no character of it."
            )
        if said == (right[0] - 4, right[1] - 4):
            raise Hint(
                f"{here}They are counted from the passage's first token. Count from the beginning of "
                "the window: the model sees the question as well."
            )
        if said == (0, 0):
            raise Hint(f"{here}But the window holds all of it. {where}")
        raise Hint(here + where)


@exercise(
    "12.3",
    title="token F1",
    hints=(
        "Count the common words; a word that stands twice in both counts twice. Precision divides "
        "by the words that were said, recall by the right ones; F1 is their harmonic mean.",
        "collections.Counter counts words, and the sign & between two counters keeps the smaller "
        "count of each word. total() adds the counts up.",
        "The harmonic mean comes to twice the common words over the words of both lists together. "
        "Look at empty lists first: both empty is 1, one empty is 0.",
    ),
)
def check_token_f1(token_f1: Callable[..., Any]) -> None:
    """Twice the shared words, over the words of both; 1 where both have none."""
    cases = (
        ("old man", "old man"),
        ("old man fed cat", "old dog fed man"),
        ("old man fed dog", "old man"),
        ("man", "very old man"),
        ("red book", "old man"),
        ("man dog", "dog man"),
        ("new new york", "new york city"),
        ("new york", "new new york"),
        ("new york new york", "new new york"),
        ("", ""),
        ("old man", ""),
        ("", "old man"),
    )
    for one, other in cases:
        said, right = one.split(), other.split()
        try:
            given = token_f1(list(said), list(right))
        except ZeroDivisionError:
            why = (
                "No word is shared, so precision and recall are 0, and F1 is 0"
                if said and right
                else "One side has no words, so there is nothing to count"
            )
            raise Hint(
                f"For {said} and {right} it divides by zero. {why}: decide such cases first."
            ) from None
        if isinstance(given, bool) or not isinstance(given, int | float):
            raise Hint(f"F1 is a number from 0 to 1; the function returned {describe(given)}.")
        expected = _f1(said, right)
        if abs(given - expected) < 1e-6:
            continue
        here = f"For {said} and {right} you say {given:.2f}. "
        if expected and abs(given - 100 * expected) < 1e-4:
            raise Hint(f"{here}That is in percent; F1 is a share, from 0 to 1.")
        raise Hint(here + _why(said, right, float(given)))


def _f1(said: list[str], right: list[str]) -> float:
    if not said or not right:
        return float(said == right)
    return 2 * (Counter(said) & Counter(right)).total() / (len(said) + len(right))


def _why(said: list[str], right: list[str], given: float) -> str:
    if not said and not right:
        return "No answer was right, and none was given: that is right, so 1."
    if not said or not right:
        return "One side has words, the other has none: nothing is shared, so 0."
    shared = (Counter(said) & Counter(right)).total()
    precision, recall = shared / len(said), shared / len(right)
    distinct = len({*said} & {*right})
    every = sum(word in right for word in said)
    each = sum(word in said for word in right)
    known = {
        "That is precision, the share of the said words that are right. Who says one right word would "
        "always get 1.": precision,
        "That is recall, the share of the right words that were said. Who says the whole passage would "
        "always get 1.": recall,
        "That is the mean of precision and recall. F1 is their harmonic mean, 2 p r / (p + r), which is "
        "small as soon as one of them is.": (precision + recall) / 2,
        "Twice the shared words has to be divided by the words of both sides; here the two is "
        "missing.": shared / (len(said) + len(right)),
        "That is the share of all different words, shared over either. F1 counts the shared ones "
        "twice.": distinct / len({*said} | {*right}),
        "A word is shared only as often as both sides have it. Here a word that one side has once is "
        "counted twice.": 2 * every / (len(said) + len(right)),
        "A word is shared only as often as both sides have it, no oftener.": (
            2 * each / (len(said) + len(right))
        ),
        "A word that both sides have twice is shared twice. A set keeps one; a Counter counts.": (
            2 * distinct / (len({*said}) + len({*right}))
        ),
        "Here a word that both sides have twice is shared once only. A set keeps one of each word; a "
        "Counter counts.": 2 * distinct / (len(said) + len(right)),
        "This asks whether all is the same, which is exact match. F1 gives credit for a part.": float(
            said == right
        ),
        "Here the order counts. F1 asks which words are shared, wherever they stand.": (
            2 * sum(a == b for a, b in zip(said, right, strict=False)) / (len(said) + len(right))
        ),
    }
    for hint, value in known.items():
        if abs(value - given) < 1e-6:
            return hint
    return (
        f"{shared} words are shared, {len(said)} were said and {len(right)} are right; F1 is "
        "2 * shared / (said + right)."
    )
