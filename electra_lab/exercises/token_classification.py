"""Checks for notebook 11: scores of pieces to tags of words, tags to entities, the F1 of entities."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from .diagnosis import expect_or_explain
from .expectations import expect_returned
from .framework import Hint, exercise
from .recording import describe

Entity = tuple[str, int, int]  # kind, first word, the word behind the last


@exercise(
    "11.1",
    title="from scores of pieces to a tag for each word",
    hints=(
        "A word is read at its first piece, as in training. So the work is to find the first "
        "piece of each word.",
        "Take argmax over the labels for every piece, then go through labels and word numbers "
        "side by side. Skip None, and skip a word that has its label already.",
        "Begin with a list of one empty place for each word. At the end fill what is still empty "
        "with 0: those words were cut off.",
    ),
)
def check_tags_of_words(tags_of_words: Callable[..., Any]) -> None:
    """The best label at the first piece of each word; 0 for words whose pieces were cut off."""
    for word_ids, words in (
        ([None, 0, 1, 1, 1, 2, 2, 3, None], 4),
        ([None, 0, 0, 1, 1, None, None, None], 2),
        ([None, 0, 0, 1, None], 4),
    ):
        logits = _tell_tale(word_ids)
        made = tags_of_words(logits.clone(), list(word_ids), words)
        if isinstance(made, Tensor):
            made = made.tolist()
        made = _list_of(made, "labels")
        best = logits.argmax(-1).tolist()
        places = [[i for i, w in enumerate(word_ids) if w == word] for word in range(words)]
        right = [best[at[0]] if at else 0 for at in places]
        kept = [at for at in places if at]
        if made == right:
            continue
        for hint, wrong in (
            (
                "That is a label for each piece. A word has one label, from its first piece.",
                best,
            ),
            (
                "That is a label for each piece of a word. Keep the first piece of each.",
                [best[i] for at in kept for i in at],
            ),
            (
                "[CLS] and [SEP] are no words: their word number is None.",
                [best[i] for i, w in enumerate(word_ids) if i == 0 or w != word_ids[i - 1]],
            ),
            (
                "That is the label of each word's last piece. In training the label stood at the "
                "first one, and the scores of the others mean nothing.",
                [best[at[-1]] if at else 0 for at in places],
            ),
            (
                "The scores of all pieces of a word were added up. The later ones were never trained "
                "to say anything: read the first.",
                [int(logits[at].mean(0).argmax()) if at else 0 for at in places],
            ),
            (
                "That is the label of each word's surest piece. Read the first.",
                [best[max(at, key=lambda i: logits[i].max())] if at else 0 for at in places],
            ),
            (
                "The text was longer than the model reads, and the last words have no piece. They "
                "need a tag, too: 0, which is O.",
                [best[at[0]] for at in kept],
            ),
        ):
            if made == wrong:
                raise Hint(hint)
        if len(made) != words:
            none = "" if len(made) < words else " Where word_ids has None there is no word."
            raise Hint(f"{words} words need {words} labels; you gave {len(made)}.{none}")
        raise Hint(
            f"With the word numbers {word_ids} and {words} words the labels should be {right}; yours "
            f"are {made}. logits has a row for each piece and a column for each label."
        )


@exercise(
    "11.2",
    title="from tags to entities",
    hints=(
        "Go through the tags with one entity open, or none. What can happen at a tag? It goes on, "
        "it ends, one begins, and sometimes one ends while another begins.",
        "An entity goes on only where the tag is I- with the kind that is open. In every other "
        "case close what is open; then, unless the tag is O, open a new one here.",
        "The last entity may reach the end of the sentence, where no tag closes it: one more O "
        "behind the last tag does. stop is the place at which you close.",
    ),
)
def check_entities(entities: Callable[..., Any]) -> None:
    """Every maximal run of a kind from its B-; an I- that nothing goes before begins one, too."""
    for tags in (
        ["B-person", "O", "B-place", "O"],
        ["B-person", "I-person", "O"],
        ["O", "B-person", "I-person", "I-person"],
        ["B-person", "B-person", "I-person", "O"],
        ["B-time", "I-time", "B-person", "O"],
        ["B-person", "O", "B-person", "O"],
        ["B-person", "O", "I-person", "O"],
        ["O", "I-place", "I-place", "O"],
        ["I-person", "O", "B-person", "I-person"],
        ["B-person", "I-place", "O"],
        ["O", "O"],
    ):
        made = _list_of(entities(list(tags)), "entities")
        if not all(isinstance(part, tuple | list) and len(part) == 3 for part in made):
            raise Hint(
                "Return a list of (kind, first, stop); the function returned "
                f"{describe(made)} for {tags}."
            )
        found = sorted((tuple(part) for part in made), key=repr)
        right = entities_of(tags)
        if found == sorted(right, key=repr):
            continue
        for hint, wrong in (
            (
                "The entity that goes on to the last word is missing. Nothing comes after it to end "
                "it, so look once more behind the loop.",
                [part for part in right if part[2] < len(tags)],
            ),
            (
                "stop is the word behind the last one, as in a slice: words[first:stop].",
                [(kind, first, stop - 1) for kind, first, stop in right],
            ),
            (
                "The kind comes without B- and I-.",
                [(tags[first], first, stop) for _, first, stop in right],
            ),
            (
                "Two neighbours of the same kind became one. A B- begins a new entity wherever it "
                "stands.",
                _merged(right),
            ),
            (
                "An I- goes on with an entity of its own kind only. Another kind begins a new one.",
                _merged(right, any_kind=True),
            ),
            (
                "An O ends an entity. What comes after it begins a new one, even with I-.",
                [(right[0][0], right[0][1], right[-1][2])] if right else [],
            ),
            (
                "The I- at the first word is lost. Nothing stands before it; tags[i - 1] is tags[-1] "
                "there, the last tag of the sentence.",
                [part for part in right if part[1] or not tags[0].startswith("I-")],
            ),
            (
                "An I- that nothing of its kind goes before is lost. A model that tags each word by "
                "itself writes such tags; count them as a beginning, as seqeval does.",
                [part for part in right if tags[part[1]].startswith("B-")],
            ),
            (
                "Each tagged word became an entity of its own. An I- belongs to what began before it.",
                [(tag[2:], i, i + 1) for i, tag in enumerate(tags) if tag != "O"],
            ),
        ):
            if found == sorted(wrong, key=repr):
                raise Hint(f"{tags}: {hint}")
        raise Hint(f"{tags} should give {right}; yours is {made}.")


@exercise(
    "11.3",
    title="the F1 of whole entities",
    hints=(
        "Count first, divide last. Three numbers are added up over all sentences: entities that "
        "are right, entities in gold, entities in said.",
        "Within a sentence an entity is right if the same triple is in both lists; of two sets "
        "that is the intersection. Do not compare across sentences.",
        "F1 is twice the right ones, divided by gold and said together. Ask before you divide "
        "whether that is 0.",
    ),
)
def check_entity_f1(entity_f1: Callable[..., Any]) -> None:
    """All sentences counted together; an entity is right where kind, first and stop are."""
    gold: list[list[Entity]] = [
        [("person", 0, 2), ("place", 4, 6)],
        [("person", 0, 2)],
        [("time", 1, 2), ("place", 3, 6), ("person", 7, 8)],
        [("place", 2, 4)],
        [],
    ]
    said: list[list[Entity]] = [
        [("person", 0, 2), ("place", 4, 5)],
        [("place", 4, 6)],
        [("time", 1, 2), ("person", 3, 6), ("person", 7, 8), ("time", 9, 10), ("time", 11, 12)],
        [("place", 1, 3)],
        [("person", 0, 1)],
    ]
    hits = _shared(gold, said)
    precision, recall = hits / _count(said), hits / _count(gold)
    per_sentence = [_f1(_shared([g], [s]), len(g), len(s)) for g, s in zip(gold, said, strict=True)]
    together = [{part for row in table for part in row} for table in (gold, said)]
    places = [[[part[1:] for part in row] for row in table] for table in (gold, said)]
    overlapping = sum(
        any(k == kind and f < stop and first < s for k, f, s in row)
        for row, others in zip(gold, said, strict=True)
        for kind, first, stop in others
    )
    given = copy.deepcopy((gold, said))
    expect_or_explain(
        entity_f1(*given),
        torch.tensor(_f1(hits, _count(gold), _count(said))),
        "F1",
        {
            "This is precision: what share of the entities that were said is right. F1 also asks "
            "what share of the real ones was found.": torch.tensor(precision),
            "This is recall: what share of the real entities was found. F1 also asks what share of "
            "those that were said is right.": torch.tensor(recall),
            "This is the plain mean of precision and recall. F1 is their harmonic mean, 2pr / (p + r)"
            ", which is low as soon as one of them is.": torch.tensor((precision + recall) / 2),
            "This is a mean of the F1 of each sentence. Count over all sentences first, then divide "
            "once: a sentence with many entities weighs more than one with a single one.": torch.tensor(
                sum(per_sentence) / len(per_sentence)
            ),
            "The sentences were thrown together: ('place', 4, 6) of one sentence is not that of "
            "another. Compare sentence by sentence, and add up the counts.": torch.tensor(
                _f1(len(together[0] & together[1]), len(together[0]), len(together[1]))
            ),
            "An entity with the right words and the wrong kind is wrong. Compare all three parts.": (
                torch.tensor(_f1(_shared(*places), _count(gold), _count(said)))
            ),
            "An entity that merely overlaps a real one is wrong. First and stop must both be right.": (
                torch.tensor(_f1(overlapping, _count(gold), _count(said)))
            ),
            "This divides by the entities of both together, each counted once. F1 is 2 * right / "
            "(real + said).": torch.tensor(hits / (_count(gold) + _count(said) - hits)),
            "The 2 is missing: F1 is 2 * right / (real + said), which is 1 where all is right.": (
                torch.tensor(hits / (_count(gold) + _count(said)))
            ),
        },
        "Count over all sentences: the real entities, those that were said, and those in both, equal "
        "in kind, first and stop. F1 is 2 * both / (real + said).",
    )
    if given != (gold, said):
        raise Hint("The lists that were handed over have changed. The caller may still need them.")
    if entity_f1([[]], [[]]) != 0:
        raise Hint("Where there are no entities at all, nothing can be divided. Return 0.0.")


def entities_of(tags: Sequence[str]) -> list[Entity]:
    """The entities of a sentence in BIO: kind, first word, and the word behind the last."""
    found: list[Entity] = []
    for i, tag in enumerate(tags):
        kind = tag[2:]
        if tag == "O":
            continue
        if tag.startswith("I-") and found and found[-1][0] == kind and found[-1][2] == i:
            found[-1] = (kind, found[-1][1], i + 1)
        else:
            found.append((kind, i, i + 1))
    return found


def _list_of(value: Any, what: str) -> list[Any]:
    expect_returned(value)
    if not isinstance(value, list):
        raise Hint(f"Return a list of {what}; the function returned {describe(value)}.")
    return value


def _tell_tale(word_ids: Sequence[int | None]) -> Tensor:
    """Scores (pieces, 12 labels) in which each piece has a best label of its own, and the second
    piece of a word is surer than the first and the third."""
    pieces = len(word_ids)
    logits = torch.rand(pieces, 12)
    for i in range(pieces):
        later = i > 0 and word_ids[i] is not None and word_ids[i] == word_ids[i - 1]
        logits[i, 1 + i] = 4.0 + later * (2 - 0.2 * i)
        logits[i, -1] = 3.9  # the best of a mean, and of no piece
    return logits


def _merged(entities: Sequence[Entity], any_kind: bool = False) -> list[Entity]:
    """Neighbours as one, of the same kind or of any."""
    joined: list[Entity] = []
    for kind, first, stop in entities:
        if joined and joined[-1][2] == first and (any_kind or joined[-1][0] == kind):
            joined[-1] = (joined[-1][0], joined[-1][1], stop)
        else:
            joined.append((kind, first, stop))
    return joined


def _shared(gold: Sequence[Sequence[Any]], said: Sequence[Sequence[Any]]) -> int:
    return sum(len(set(g) & set(s)) for g, s in zip(gold, said, strict=True))


def _count(table: Sequence[Sequence[Any]]) -> int:
    return sum(map(len, table))


def _f1(hits: int, real: int, said: int) -> float:
    return 2 * hits / (real + said) if real + said else 0.0
