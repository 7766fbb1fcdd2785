"""Rows -> words, each with a tag."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from electra_lab.text.characters import is_removed, is_whitespace

from .columns import (
    SPANS,
    TAGS,
    TEXTS,
    WORDS,
    Columns,
    check_named,
    first_of,
    list_in,
    not_found,
    text_in,
)
from .errors import Problem, listed
from .schema import OUTSIDE, ProblemType, TaskType
from .sequences import checked_labels, class_name, in_order, index_of
from .spans import tagged_words

PREFIXED = re.compile(r"([BIESLU])-(.+)")  # BIO, BIOES and BILOU
BEGINS = "BSU"


class TokenLayout:
    """What the columns of such a source mean; the arguments are those of ``SequenceLayout``.

    Roles are "words" and "tags", or "text" and "entities" (spans of characters). ``usual``: which
    columns of a CoNLL file hold words and tags.
    """

    task: TaskType = "token_classification"
    problem_type: ProblemType | None = None

    def __init__(
        self,
        columns: Sequence[str],
        named: Mapping[str, Any],
        classes: Mapping[str, list[str]],
        labels: Sequence[str] | None,
        usual: tuple[int, int] = (0, -1),
    ) -> None:
        roles = ("words", "tags", "text", "entities")
        self.columns = self._find(columns, check_named(named, roles, columns), usual)
        self.classes = classes.get(self.columns.get("tags", ""), [])
        self.labels = checked_labels(labels)
        self.has_given_labels = bool(labels)
        self.is_bio = False

    def _find(self, columns: Sequence[str], named: Columns, usual: tuple[int, int]) -> Columns:
        found = dict(named)
        if columns and all(column.isdigit() for column in columns):  # CoNLL
            if len(columns) == 1:
                raise ValueError(
                    "The lines have one column each; expected a word and its tag on every line, with a "
                    "tab or spaces between them."
                )
            words, tags = (columns[place] for place in usual)
            return {"words": words, "tags": tags} | found
        words_column = found.get("words") or first_of(WORDS, columns)
        if words_column and not {"text", "entities"} & set(found):
            found["words"] = words_column
            if "tags" not in found:
                found["tags"] = self._tags_among([c for c in columns if c != words_column])
            return found
        found.setdefault("text", first_of(TEXTS, columns))
        found.setdefault("entities", first_of((*SPANS, "labels", "label"), columns))
        if not found["text"] or not found["entities"]:
            raise not_found("the words or the text", [*WORDS, "text"], columns, "words")
        return found

    def _tags_among(self, columns: Sequence[str]) -> str:
        usual = [column for column in columns if column.lower() in TAGS]
        if len(usual) != 1:
            what = "the only one with tags" if usual else "the one with tags"
            raise not_found(what, TAGS, columns, "tags")
        return usual[0]

    def parse(self, values: dict[str, Any]) -> dict[str, Any]:
        """A row -> its words and as many tags, as they lie there."""
        if "words" not in self.columns:
            spans = values.get(self.columns["entities"])
            if isinstance(spans, str) and spans.lstrip().startswith("["):
                spans = _from_json(spans)
            if not isinstance(spans, list):
                raise Problem(
                    "no list of spans",
                    f"{self.columns['entities']!r} is {spans!r:.60}; expected a list of spans.",
                )
            words, tags = tagged_words(text_in(values, self.columns["text"]), spans)
            return {"words": words, "tags": tags}
        words = _sequence_in(values, self.columns["words"])
        tags = _sequence_in(values, self.columns["tags"])
        if len(words) != len(tags):
            raise Problem(
                "tags and words of different number",
                f"It has {len(words)} words and {len(tags)} tags; expected a tag for each word.",
            )
        if not words:
            raise Problem("no words", "It has no words.")
        for word in words:
            if not isinstance(word, str) or all(is_whitespace(c) or is_removed(c) for c in word):
                raise Problem(
                    "a word that is empty or no text",
                    f"A word is {word!r}; expected text of at least one visible character.",
                )
        return {"words": words, "tags": [self._name(tag) for tag in tags]}

    def _name(self, tag: Any) -> str:
        by_number = self.classes or self.labels
        if isinstance(tag, int) and not isinstance(tag, bool) and by_number:
            return by_number[index_of(tag, by_number, True, declared=bool(self.classes))]
        if tag is None or not class_name(tag):
            raise Problem("a word without a tag", f"A tag is {tag!r}; each word needs one.")
        return class_name(tag)

    def is_unlabelled(self, parsed: Mapping[str, Any]) -> bool:
        return False

    def settle(self, parsed: Sequence[Mapping[str, Any]]) -> None:
        """Decide from the rows of train whether tags are of entities, and which there are."""
        counts = Counter(tag for row in parsed for tag in row["tags"])
        seen = counts.keys() | set(self.classes or self.labels)
        others = seen - {OUTSIDE}
        prefixed = {tag for tag in others if PREFIXED.fullmatch(tag)}
        self.is_bio = bool(others) and prefixed == others
        if self.labels:
            return
        if not self.classes and OUTSIDE in seen:
            # a few tags of another form beside entities and O are slips, and no kind of their own
            tagged = counts.total() - counts[OUTSIDE]
            self.is_bio = 2 * sum(counts[tag] for tag in prefixed) > tagged
        if self.is_bio:
            types = list(dict.fromkeys(tag[2:] for tag in self.classes if tag != OUTSIDE))
            types = types or in_order({tag[2:] for tag in prefixed})
            self.labels = (OUTSIDE, *(f"{b}-{kind}" for kind in types for b in "BI"))
        else:
            self.labels = tuple(self.classes or in_order(seen))

    def encode(self, parsed: dict[str, Any]) -> dict[str, Any]:
        """Words and tags -> the standard columns."""
        tags = as_bio(parsed["tags"]) if self.is_bio else parsed["tags"]
        for tag in tags:
            if tag not in self.labels:
                raise Problem(
                    "a tag that is not in the set",
                    f"The tag {tag!r} is not in the set: {listed(self.labels, 40)}. If it should be, "
                    "give them all: labels=[...] (--labels a,b,c).",
                )
        return {"words": parsed["words"], "tags": [self.labels.index(tag) for tag in tags]}

    def complaint(self, encoded: Sequence[Mapping[str, Any]]) -> str | None:
        """Why nothing can be learned from these rows of train, if so."""
        seen = {tag for row in encoded for tag in row["tags"]}
        if len(seen) == 1:
            return (
                f"all words of its {len(encoded)} rows have the tag {self.labels[seen.pop()]!r}; "
                "expected at least two."
            )
        return None


def as_bio(tags: Sequence[str]) -> list[str]:
    """Entities in BIO, BIOES, BILOU or the older IOB (B- only between neighbours of a type) -> BIO.

    What no entity precedes begins one, whatever its letter: an I- without B- is IOB's beginning.
    """
    done = []
    before = OUTSIDE  # the type that a next I- would continue
    for tag in tags:
        match = PREFIXED.fullmatch(tag)
        if match is None:
            done.append(tag)
            before = OUTSIDE
            continue
        letter, kind = match.groups()
        begins = letter in BEGINS or kind != before
        done.append(f"{'B' if begins else 'I'}-{kind}")
        before = OUTSIDE if letter in "ESLU" else kind
    return done


def _sequence_in(values: Mapping[str, Any], column: str) -> list[Any]:
    """A list; in a table it may be JSON, or words with spaces between them."""
    value = values.get(column)
    if isinstance(value, str):
        value = _from_json(value) if value.lstrip().startswith("[") else value.split()
    if not isinstance(value, list):
        raise Problem(
            f"no list in {column!r}",
            f"{column!r} is {value!r:.60}; expected a list with one value for each word.",
        )
    return value


def _from_json(text: str) -> Any:
    try:
        return list_in(text)
    except ValueError as error:
        raise Problem("no JSON", f"{text!r:.60} is no JSON: {error}.") from None
