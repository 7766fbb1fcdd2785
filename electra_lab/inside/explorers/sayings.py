"""What a model says of a text, as a few lines with numbers; and the same numbers later."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor

from electra_lab.inside.trace import Trace

MOST = 12  # lines; more than a reader follows at once
BEST = 5  # proposals for a masked word
ENDS = 4  # candidates for the start of an answer, and for its end


@dataclass(frozen=True)
class Sayings:
    """Lines of a chart.

    Attributes:
        title: what the numbers are.
        names, numbers: of each line.
        before: the numbers of the first trace.
        scale: the largest that a number can be; None for a regression.
    """

    title: str
    names: list[str]
    numbers: list[float]
    before: list[float]
    scale: float | None = 1.0


Line = tuple[str, float, float]  # name, before, after


def sayings(before: Trace, after: Trace | None = None) -> Sayings:
    """What the head says of a single sequence, and what it said before.

    Where there are many numbers, those are shown that moved most, or, without an ``after``, that are
    largest; in the order of the text.

    Args:
        before: a trace of one row.
        after: another of the same text, for example without some heads.
    """
    then = before if after is None else after
    p, q = before.probabilities, then.probabilities
    if p is None or q is None:
        return Sayings("The bare model has no head, so there is nothing that it says.", [], [], [])
    scale: float | None = 1.0
    match before.kind:
        case "replaced":
            title = "Probability that the token was replaced"
            lines = _most(_of_tokens(before, p[0], q[0]), after is None)
        case "words" if "[MASK]" in before.tokens[0]:
            title = "Probability of a word at [MASK]"
            lines = _masked(before, p[0], q[0])
        case "words":
            title = "Probability that the model gives to the token itself"
            own = before.input_ids[0] if before.input_ids is not None else None
            if own is None:
                lines = []
            else:
                own = own[:, None]
                lines = _most(
                    _of_tokens(before, p[0].gather(1, own)[:, 0], q[0].gather(1, own)[:, 0]),
                    after is None,
                )
        case "tags":
            title = "Probability of the tag that each token had"
            lines = _most(_tags(before, p[0], q[0]), after is None)
        case "span":
            title = "Probability that the answer starts or ends at a token"
            lines = _ends(before, p[0], q[0])
        case "number":
            title, scale = "The number that the model gives", None
            lines = [*zip(before.labels, p[0].tolist(), q[0].tolist(), strict=True)]
        case "choices":
            title = "Probability of each choice"
            lines = [*zip(before.labels, p[0].tolist(), q[0].tolist(), strict=True)]
        case _:
            title = "Probability of each class"
            lines = _most(
                [*zip(before.labels, p[0].tolist(), q[0].tolist(), strict=True)], after is None
            )
    names, was, now = ([line[i] for line in lines] for i in range(3))
    return Sayings(title, names, now, was, scale)  # type: ignore[arg-type]


def _most(lines: list[Line], by_size: bool) -> list[Line]:
    """The lines that moved most, or the largest, in their order."""
    order = sorted(
        range(len(lines)),
        key=lambda i: lines[i][1] if by_size else abs(lines[i][2] - lines[i][1]),
        reverse=True,
    )
    kept = set(order[:MOST])
    return [line for i, line in enumerate(lines) if i in kept]


def _of_tokens(
    found: Trace, before: Float[Tensor, " seq"], after: Float[Tensor, " seq"]
) -> list[Line]:
    """A line for each token of the text; [CLS] and [SEP] are left out."""
    return [
        (token, float(before[i]), float(after[i]))
        for i, token in enumerate(found.tokens[0])
        if not _special(token)
    ]


def _tags(
    found: Trace, before: Float[Tensor, "seq labels"], after: Float[Tensor, "seq labels"]
) -> list[Line]:
    lines = []
    for i, token in enumerate(found.tokens[0]):
        if _special(token) or token.startswith("##"):
            continue
        had, has = int(before[i].argmax()), int(after[i].argmax())
        name = f"{token}: {found.labels[had]}"
        if has != had:
            name += f", now {found.labels[has]}"
        lines.append((name, float(before[i, had]), float(after[i, had])))
    return lines


def _masked(
    found: Trace, before: Float[Tensor, "seq vocab"], after: Float[Tensor, "seq vocab"]
) -> list[Line]:
    places = [i for i, token in enumerate(found.tokens[0]) if token == "[MASK]"]
    best = max(1, MOST // len(places)) if len(places) > 2 else BEST
    lines = []
    for number, place in enumerate(places, 1):
        mark = f"{number}. " if len(places) > 1 else ""
        words = _union(before[place].topk(best).indices, after[place].topk(best).indices)
        lines += [
            (f"{mark}{found.labels[word]}", float(before[place, word]), float(after[place, word]))
            for word in words
        ]
    return lines


def _ends(
    found: Trace, before: Float[Tensor, "seq 2"], after: Float[Tensor, "seq 2"]
) -> list[Line]:
    lines = []
    count = min(ENDS, len(before))
    for side, name in enumerate(("starts", "ends")):
        places = _union(before[:, side].topk(count).indices, after[:, side].topk(count).indices)
        lines += [
            (f"{name}: {found.tokens[0][i]} ({i})", float(before[i, side]), float(after[i, side]))
            for i in places
        ]
    return lines


def _union(*numbers: Iterable[Any]) -> list[int]:
    """Each number once, in the order in which they come."""
    return list(dict.fromkeys(int(number) for part in numbers for number in part))


def _special(token: str) -> bool:
    return token in ("[CLS]", "[SEP]", "[PAD]")
