"""Sentences of which it is known what each word is, and which word belongs to which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from electra_lab.text.microworld.annotation import AnnotatedSentence


@dataclass(frozen=True)
class ParsedSentence:
    """A sentence with relations between its words.

    Attributes:
        words: in order, punctuation marks too.
        tags: the part of speech of each word.
        relations: (name, from, to): the positions of two words. "From" is the word that would have to
            look for the other: a dependent for its head, a pronoun for what it refers to.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...]
    relations: tuple[tuple[str, int, int], ...]


def microworld_sentences(sentences: Sequence[AnnotatedSentence]) -> list[ParsedSentence]:
    """What the micro-world knows of its sentences.

    The relations are ``"verb -> subject"``, where the verb shows its subject's number, so that
    agreement can be wrong; ``"pronoun -> antecedent"``; and, in sentences with one predicate only,
    ``"object -> predicate"``, ``"recipient -> predicate"``, ``"place -> predicate"`` and
    ``"time -> predicate"``.
    """
    return [_of_microworld(sentence) for sentence in sentences]


def _of_microworld(sentence: AnnotatedSentence) -> ParsedSentence:
    relations: list[tuple[str, int, int]] = []
    predicates = [i for i, word in enumerate(sentence.words) if word.role == "predicate"]
    for position, word in enumerate(sentence.words):
        if word.agrees_with is not None:
            relations.append(("verb -> subject", position, word.agrees_with))
        if word.refers_to is not None:
            relations.append(("pronoun -> antecedent", position, word.refers_to))
        if word.role in ("object", "recipient", "place", "time") and len(predicates) == 1:
            relations.append((f"{word.role} -> predicate", position, predicates[0]))
    return ParsedSentence(
        tuple(word.text for word in sentence.words),
        tuple(word.pos for word in sentence.words),
        tuple(relations),
    )


def read_conllu(path: str | Path) -> list[ParsedSentence]:
    """Read a dependency treebank in the CoNLL-U format, as Universal Dependencies has them.

    Each dependency is a relation ``"nsubj -> head"``, named by its type without a subtype; roots and
    punctuation have none. Ranges of joined words and empty nodes are left out: the words that they
    stand for have rows of their own.

    Raises:
        ImportError: the library that reads the format is not installed.
        FileNotFoundError: there is no such file.
        ValueError: the file is not in the format, or a word's head is missing.
    """
    try:
        import conllu
    except ImportError as error:
        raise ImportError(
            'Reading CoNLL-U needs the package conllu: pip install "electra_lab[notebooks]".'
        ) from error
    text = Path(path).read_text(encoding="utf-8")
    try:
        parsed = conllu.parse(text)
    except conllu.exceptions.ParseException as error:
        raise ValueError(
            f"{path} is not in the CoNLL-U format: {error}. Expected ten columns with tabs between "
            "them, one word in a row, and an empty line behind each sentence."
        ) from error
    sentences = [_of_treebank(tokens, number, path) for number, tokens in enumerate(parsed, 1)]
    if not sentences:
        raise ValueError(f"{path} has no sentence. Expected the CoNLL-U format.")
    return sentences


def _of_treebank(tokens: Any, number: int, path: str | Path) -> ParsedSentence:
    rows = [token for token in tokens if isinstance(token["id"], int)]
    place = {token["id"]: position for position, token in enumerate(rows)}
    relations = []
    for position, token in enumerate(rows):
        if not {"form", "upos", "head", "deprel"} <= token.keys():
            raise ValueError(
                f"{path}, sentence {number}: word {token['id']} has {len(token)} columns. Expected the "
                "ten of CoNLL-U, with tabs between them."
            )
        head = token["head"]
        if head is None or (head != 0 and head not in place):
            raise ValueError(
                f"{path}, sentence {number}: the head of {token['form']!r} is {head}, and there is no "
                "such word. Expected the number of a word of the sentence, or 0 for the root."
            )
        kind = (token["deprel"] or "dep").split(":")[0]
        if head != 0 and kind != "punct":
            relations.append((f"{kind} -> head", position, place[head]))
    return ParsedSentence(
        tuple(token["form"] for token in rows),
        tuple(token["upos"] or "X" for token in rows),
        tuple(relations),
    )
