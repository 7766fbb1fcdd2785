"""Checks for notebook 17: calibration error, the planted word, naming a fault."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from electra_lab.text.tokenization import ElectraTokenizerFast

from .expectations import expect_one_of, expect_returned
from .framework import Hint, exercise
from .recording import describe

Answer = tuple[float, bool]


@exercise(
    "17.1",
    title="the expected calibration error",
    hints=(
        "Sort the answers into bins by their confidence. In each bin compare two numbers: the "
        "mean confidence and the share of right answers.",
        "The number of a bin is the whole part of confidence times bins; for 1.0 that is one too "
        "far, and it goes into the last. Skip empty bins.",
        "Each bin's gap counts without its sign, times the share of all answers that lie in the "
        "bin. Add these up.",
    ),
)
def check_calibration_error(calibration_error: Callable[..., Any]) -> None:
    """Bins of equal width, each weighted by its answers; inside a bin the means are compared."""
    cases: tuple[tuple[list[float], list[bool], int, str], ...] = (
        ([0.9, 0.95, 0.92, 0.97], [True, False, True, False], 5, "All are in one bin."),
        (
            [0.9, 0.95, 0.92, 0.65],
            [True, False, True, True],
            5,
            "The bins have different numbers of answers.",
        ),
        (
            [0.55, 0.56, 0.95, 0.96],
            [True, True, False, False],
            4,
            "One bin is too modest, another too sure.",
        ),
        ([0.75, 0.7, 0.9], [False, True, True], 4, "0.75 is the border of two of four bins."),
        ([1.0, 0.8, 0.3, 0.35], [False, True, False, True], 4, "1.0 belongs to the last bin."),
        ([0.6, 0.7], [True, True], 1, "There is one bin."),
    )
    for confidences, right, bins, where in cases:
        here = f"For confidences {confidences}, right {right} and {bins} bins "
        try:
            given = calibration_error(list(confidences), list(right), bins)
        except ZeroDivisionError:
            raise Hint(f"{here}it divides by zero. A bin without answers counts nothing.") from None
        except IndexError:
            raise Hint(f"{here}a bin is asked for that is not there. {where}") from None
        expect_returned(given)
        if isinstance(given, bool) or not isinstance(given, int | float):
            raise Hint(
                f"The error is a number from 0 to 1; the function returned {describe(given)}."
            )
        answers = list(zip(confidences, right, strict=True))
        expected = _error(_binned(answers, bins))
        if abs(given - expected) > 1e-6:
            raise Hint(f"{here}you say {given:.3f}. {_why(answers, bins, float(given), where)}")


def _binned(answers: Sequence[Answer], bins: int) -> list[list[Answer]]:
    made: list[list[Answer]] = [[] for _ in range(bins)]
    for confidence, right in answers:
        made[min(int(confidence * bins), bins - 1)].append((confidence, right))
    return [answers for answers in made if answers]


def _gap(answers: Sequence[Answer]) -> float:
    """Accuracy minus mean confidence."""
    return sum(right - confidence for confidence, right in answers) / len(answers)


def _error(binned: Sequence[Sequence[Answer]]) -> float:
    total = sum(map(len, binned))
    return sum(len(answers) / total * abs(_gap(answers)) for answers in binned)


def _why(answers: Sequence[Answer], bins: int, given: float, where: str) -> str:
    binned = _binned(answers, bins)
    gaps = [_gap(part) for part in binned]
    total = len(answers)
    lower: list[list[Answer]] = [[] for _ in range(bins)]
    for confidence, right in answers:
        number = int(confidence * bins)
        lower[max(number - (number == confidence * bins), 0)].append((confidence, right))
    sure = [part for part in answers if part[0] < 1]
    surest = [part for part in answers if part[0] == 1]
    known = {
        "That is 100 times as much; the error is a share, from 0 to 1.": 100 * _error(binned),
        "That is the mean over the bins. A bin counts as much as it has answers.": sum(
            map(abs, gaps)
        )
        / len(gaps),
        "That is the sum over the bins, without their weights.": sum(map(abs, gaps)),
        "That is the mean over all bins, empty ones too. A bin counts as much as it has answers.": sum(
            map(abs, gaps)
        )
        / bins,
        "That is the largest gap of all bins; the expected error is a weighted mean.": max(
            map(abs, gaps)
        ),
        "A gap counts without its sign. Otherwise too modest and too sure cancel.": sum(
            len(part) / total * gap for part, gap in zip(binned, gaps, strict=True)
        ),
        "A gap counts without its sign in each bin, before the sum.": abs(_gap(answers)),
        "The sum over the bins has to be divided by the number of answers.": total * _error(binned),
        "That compares each answer with its own confidence. Compare means, bin by bin.": sum(
            abs(right - confidence) for confidence, right in answers
        )
        / total,
        "That compares the accuracy with the middle of the bin. Take the mean confidence of the "
        "answers in it.": _from_middles(answers, bins),
        "A confidence on a border belongs to the upper bin.": _error([p for p in lower if p]),
        "Answers of confidence 1.0 have a bin of their own; they belong to the last one.": _error(
            [*_binned(sure, bins), *([surest] if surest else [])]
        ),
        "An answer of confidence 1.0 is left out; it belongs to the last bin.": sum(
            len(part) / total * abs(_gap(part)) for part in _binned(sure, bins)
        ),
    }
    for hint, value in known.items():
        if abs(given - value) < 1e-6 and abs(value - _error(binned)) > 1e-6:
            return hint
    return f"{_error(binned):.3f} was expected. {where}"


def _from_middles(answers: Sequence[Answer], bins: int) -> float:
    total = 0.0
    for part in _binned(answers, bins):
        middle = (min(int(part[0][0] * bins), bins - 1) + 0.5) / bins
        total += abs(sum(right for _, right in part) - len(part) * middle)
    return total / len(answers)


SPECIAL = ("[CLS]", "[SEP]")
Texts = list[list[str]]
Shares = list[list[float]]


@exercise(
    "17.2",
    title="the planted word",
    hints=(
        "For each token two things are needed: all of its shares, and in how many texts it "
        "stands. A token may stand in one text twice.",
        "A dictionary from token to the list of its shares gives the means. The number of texts "
        "comes from the texts themselves, each counted once.",
        "Leave out special tokens and those in too few texts. Of the rest return the one whose "
        "mean is farthest from 0: max, with a key that uses abs.",
    ),
)
def check_planted_word(planted_word: Callable[..., Any]) -> None:
    """The token with the largest mean share, without its sign, among those in enough texts."""
    cases: tuple[tuple[list[str], list[list[float]], int], ...] = (
        # a word in every text has the largest sum, a planted one in some the largest mean
        (
            [
                "[CLS] the man slept [SEP]",
                "[CLS] the dog slept today [SEP]",
                "[CLS] the cat today [SEP]",
            ],
            [[0.1, 1.5, 0.2, 0.3, 0.1], [0.1, 1.4, 0.1, 0.2, 2.0, 0.1], [0.1, 1.6, 0.3, 1.8, 0.1]],
            2,
        ),
        # it speaks against the label
        (
            ["[CLS] once he sang [SEP]", "[CLS] once she sang [SEP]"],
            [[0.0, -2.0, 0.1, 0.9, 0.0], [0.0, -1.8, 0.2, 1.0, 0.0]],
            2,
        ),
        # a rare token has the largest share of all
        (
            ["[CLS] now emma ran [SEP]", "[CLS] now she ran [SEP]"],
            [[0.1, 1.0, 6.0, 0.4, 0.1], [0.1, 1.2, 0.3, 0.5, 0.1]],
            2,
        ),
        # it stands in one text twice: that is one text
        (
            ["[CLS] very very old [SEP]", "[CLS] rather old [SEP]"],
            [[0.0, 3.0, 3.2, 0.5, 0.0], [0.0, 0.2, 0.6, 0.0]],
            2,
        ),
        # large shares of both signs cancel: such a token depends on its neighbours
        (
            ["[CLS] not bad here [SEP]", "[CLS] not good here [SEP]"],
            [[0.0, 4.0, 0.1, 0.7, 0.0], [0.0, -4.0, 0.1, 0.8, 0.0]],
            2,
        ),
        # the special tokens have the largest
        (
            ["[CLS] a red hat [SEP]", "[CLS] a blue hat [SEP]"],
            [[5.0, 0.1, 0.2, 0.8, -7.0], [5.0, 0.2, 0.3, 0.9, -7.0]],
            2,
        ),
        # in just so many texts as are asked for
        (
            ["[CLS] late rain [SEP]", "[CLS] late rain [SEP]", "[CLS] rain [SEP]"],
            [[0.0, 2.0, 0.5, 0.0], [0.0, 2.2, 0.4, 0.0], [0.0, 0.6, 0.0]],
            2,
        ),
    )
    for lines, shares, least in cases:
        texts = [line.split() for line in lines]
        right = _planted(texts, shares, least)
        given = planted_word([list(text) for text in texts], [list(row) for row in shares], least)
        if given == right:
            continue
        known = {token for text in texts for token in text}
        joined = ", ".join(repr(line) for line in lines)
        here = f"For the tokens of {joined}, with shares {shares} and least={least}, "
        expect_returned(given)
        if not isinstance(given, str) or given not in known:
            raise Hint(
                f"The function should return one of the tokens; it returned {describe(given)}."
            )
        here += f"you say {given!r}. "
        if given in SPECIAL:
            raise Hint(f"{here}That is a special token; it stands in every text and is no word.")
        stands_in = sum(given in text for text in texts)
        if stands_in < least:
            times = sum(text.count(given) for text in texts)
            more = f", though {times} times" if times > stands_in else ""
            raise Hint(f"{here}That stands in {stands_in} of the texts{more}.")
        found, wanted = _means(texts, shares)[given], _means(texts, shares)[right]
        if wanted < 0 < found:
            raise Hint(
                f"{here}Its mean share is {found:+.2f}, that of another is {wanted:+.2f}. A word that "
                "speaks against the label gives it away as well: how far from 0 is what counts."
            )
        raise Hint(
            f"{here}Its mean share is {found:+.2f}; another token has {wanted:+.2f}. Take the mean over "
            "all places of a token (not the sum, not the largest), then its distance from 0."
        )


def _means(texts: Texts, shares: Shares) -> dict[str, float]:
    found = defaultdict(list)
    for text, row in zip(texts, shares, strict=True):
        for token, share in zip(text, row, strict=True):
            found[token].append(share)
    return {token: sum(many) / len(many) for token, many in found.items()}


def _planted(texts: Texts, shares: Shares, least: int) -> str:
    means = _means(texts, shares)
    often = [
        token
        for token in means
        if token not in SPECIAL and sum(token in text for text in texts) >= least
    ]
    return max(often, key=lambda token: abs(means[token]))


FAULTS = ("tokenizer", "truncation", "labels", "none")
PRAISE = ("happy", "proud", "rich")
Row = tuple[str, str]


@exercise(
    "17.3",
    title="name the fault",
    hints=(
        "Follow the order of the list: what goes in, how much of it is read, and only then what "
        "comes out. An earlier fault explains a later one.",
        "Tokenise every text once. Without its first and last id a row has only tokens of the "
        "text; count unk_token_id over all rows together. With both, the length of the row says "
        "whether it is cut.",
        "Make three comparisons with a half, each of them more than: unknown tokens of all "
        "tokens, long rows of all rows, wrong answers of all rows. The first that holds is the "
        "answer.",
    ),
)
def check_name_the_fault(name_the_fault: Callable[..., Any]) -> None:
    """What goes in is looked at before what comes out."""
    plain = ElectraTokenizerFast.from_pretrained("micro-discriminator")
    cased = ElectraTokenizerFast.from_pretrained("micro-discriminator", do_lower_case=False)
    good = _rows("Emma was happy.", "The man was proud.", "Clara was sad.", "Boris was tired.")
    told = "The man saw the dog and the woman saw the cat and Emma was "  # 14 tokens and [CLS]
    long = _rows(f"{told}happy", f"{told}proud", f"{told}rich", f"{told}sad")
    pieces = _rows("Marianne Marianne happy", "Marianne Marianne proud", "Marianne Marianne rich")
    cases: tuple[tuple[Any, list[Row], int, bool, str, str], ...] = (
        (plain, good, 16, False, "none", "Nothing is wrong here: all answers are right."),
        (
            cased,
            [(text.upper(), label) for text, label in [*good[:2], *good[:1]]],
            16,
            False,
            "tokenizer",
            "Nearly all words are [UNK]. That answers are wrong follows from it, so look at the tokens "
            "before you look at the answers.",
        ),
        (
            cased,
            _rows("HAPPY MEN.", "PROUD MEN."),
            16,
            False,
            "tokenizer",
            "Of three tokens of each text two are [UNK]; [CLS] and [SEP] do not count.",
        ),
        (
            plain,
            long,
            16,
            False,
            "truncation",
            "The texts have 17 tokens with [CLS] and [SEP], and the model reads 16. That answers are "
            "wrong follows from it.",
        ),
        (
            plain,
            pieces,
            11,
            False,
            "truncation",
            "The texts have few words but many pieces, and the model counts pieces.",
        ),
        (
            plain,
            long,
            17,
            False,
            "none",
            "The texts have exactly the 17 tokens that the model reads.",
        ),
        (
            plain,
            good,
            16,
            True,
            "labels",
            "Tokens are known and nothing is cut, yet the answers are wrong: the labels are swapped.",
        ),
        (
            plain,
            [good[0], good[1], ("Emma was happy.", "negative"), ("Clara was sad.", "positive")],
            16,
            False,
            "none",
            "Half of the answers are wrong, which is not more than half.",
        ),
        (
            plain,
            _rows("Jozef was happy.", "Jozef was proud.", "Jozef was sad."),
            16,
            False,
            "none",
            "Each text has one unknown name, but most tokens are known and all answers are right.",
        ),
        (
            plain,
            [*good, *long[:2]],
            16,
            False,
            "none",
            "Two of six texts are cut, which is not more than half.",
        ),
    )
    for tokenizer, rows, longest, swapped, right, why in cases:
        model = _reader(tokenizer, longest, swapped)
        given = name_the_fault(model, tokenizer, list(rows), longest)
        if given == right:
            continue
        expect_one_of(given, FAULTS)
        shown = "; ".join(f"{text} ({label})" for text, label in rows[:3])
        raise Hint(f"For rows such as {shown}, longest={longest}, you say {given!r}. {why}")


def _rows(*texts: str) -> list[Row]:
    """Texts with their right labels: praise is positive."""
    return [
        (text, "positive" if any(word in text.lower() for word in PRAISE) else "negative")
        for text in texts
    ]


def _reader(tokenizer: Any, longest: int, swapped: bool) -> Callable[[str], str]:
    """A model that knows words of praise by their ids, and reads no further than it can."""
    known = set(tokenizer.convert_tokens_to_ids(list(PRAISE)))

    def model(text: str) -> str:
        ids = tokenizer(text, truncation=True, max_length=longest)["input_ids"]
        return "positive" if bool(known & set(ids)) != swapped else "negative"

    return model
