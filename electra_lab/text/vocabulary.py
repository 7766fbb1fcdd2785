"""Vocabularies: reading them, writing them, and training one from text."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from electra_lab.checkpoints.atomic import atomic_file

from .characters import is_chinese, is_punctuation
from .wordpiece import BasicTokenizer

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PREFIX = "##"


def read_vocabulary(path: str | Path) -> list[str]:
    """Read a ``vocab.txt``: one piece on each line, the first line has id 0.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is empty, is not UTF-8 text, or has an empty or a repeated line.
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(
            f"There is no vocabulary file {file}. It is called vocab.txt in a checkpoint's folder; "
            "write_vocabulary makes one."
        )
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"The vocabulary file {file} is not UTF-8 text ({error}). Convert it to UTF-8."
        ) from error
    if lines[-1] == "":
        lines.pop()  # the last line ends with a line end
    check_vocabulary(lines, f"The vocabulary file {file}", counted_from=1, unit="line")
    return lines


def write_vocabulary(vocab: Sequence[str], path: str | Path) -> None:
    """Write a ``vocab.txt``, whole or not at all.

    Raises:
        ValueError: the vocabulary is empty, or holds an empty, a repeated or a multi-line piece.
        OSError: it could not be written; the old file, where there was one, is whole.
    """
    check_vocabulary(vocab, "The vocabulary", counted_from=0, unit="id")
    for index, piece in enumerate(vocab):
        if "\n" in piece or "\r" in piece:
            raise ValueError(
                f"The piece with id {index}, {piece!r}, holds a line end and cannot stand on one "
                "line. Take it out of the vocabulary."
            )
    lines = "".join(f"{piece}\n" for piece in vocab)
    with atomic_file(path) as partial:
        partial.write_bytes(lines.encode("utf-8"))


def check_vocabulary(vocab: Sequence[str], name: str, counted_from: int, unit: str) -> None:
    """Refuse a vocabulary in which two ids would mean one piece, or one would mean none.

    Raises:
        ValueError: it is empty, or has an empty or a repeated piece; says which.
    """
    if len(vocab) == 0:
        raise ValueError(
            f"{name} is empty. A vocabulary has one piece on each line, the special tokens "
            f"{', '.join(SPECIAL_TOKENS)} among them; train_vocabulary makes one from text."
        )
    seen: dict[str, int] = {}
    for index, piece in enumerate(vocab, counted_from):
        if piece == "":
            raise ValueError(
                f"{name} has an empty piece ({unit} {index}). Every id needs a piece: take it out, "
                "or write [unused0] in its place to keep the ids behind it."
            )
        if piece in seen:
            raise ValueError(
                f"{name} has {piece!r} twice ({unit} {seen[piece]} and {unit} {index}). A piece has "
                "one id: take one out, or rename it to keep the ids behind it."
            )
        seen[piece] = index


def train_vocabulary(
    texts: Iterable[str],
    size: int,
    *,
    special_tokens: Sequence[str] = SPECIAL_TOKENS,
    do_lower_case: bool = True,
    strip_accents: bool | None = None,
    min_frequency: int = 2,
    limit_alphabet: int = 1000,
) -> list[str]:
    """Train a WordPiece vocabulary: begin with single characters, join the most frequent pair of
    neighbours, again and again, until the vocabulary is full.

    This is the recipe of ``tokenizers``' WordPiece trainer (byte-pair merges, Sennrich et al. 2016,
    written with ``##``). Equal counts are decided by the alphabet, so the same texts, in whatever
    order, give the same vocabulary. Every character comes both as the beginning and as the
    continuation of a word, so no word that is made of these characters is unknown.

    Args:
        texts: the text to learn from; read once.
        size: pieces at most, special tokens included. Fewer, when no pair is left.
        special_tokens: come first, with ids from 0.
        do_lower_case, strip_accents: as the tokenizer that will use the vocabulary has them.
        min_frequency: a pair that occurs less often is not joined. 2: what occurs once teaches
            nothing about other texts.
        limit_alphabet: characters at most; the rarest are left out and become unknown. 1000 is the
            default of ``tokenizers``.

    Returns:
        special tokens, then the characters in order, then the joined pieces, the first joined first.

    Raises:
        ValueError: ``size`` leaves no room for the characters, or the texts hold no word.
    """
    basic = BasicTokenizer(do_lower_case=do_lower_case, strip_accents=strip_accents)
    counts = _count_words(texts, basic, special_tokens)
    if not counts:
        raise ValueError(
            "The texts hold no words, so there is nothing to train a vocabulary on. An iterator can "
            "be read only once: was it used before?"
        )
    alphabet = _alphabet(counts, limit_alphabet)
    words = {
        word: _characters(word) for word in sorted(counts) if alphabet.issuperset(_characters(word))
    }
    vocab = [*special_tokens, *sorted(alphabet)]
    if size < len(vocab):
        raise ValueError(
            f"size={size} is too small: {len(special_tokens)} special tokens and {len(alphabet)} "
            f"single characters need {len(vocab)}. Raise size, or lower limit_alphabet={limit_alphabet}."
        )
    known = set(vocab)
    for joined in _joined_pairs(words, counts, min_frequency):
        if len(vocab) >= size:
            break
        if joined not in known:
            known.add(joined)
            vocab.append(joined)
    return vocab


def _count_words(
    texts: Iterable[str], basic: BasicTokenizer, special_tokens: Sequence[str]
) -> Counter[str]:
    """How often each word occurs. Chunks between spaces repeat, so each is cut up only once."""
    chunks: Counter[str] = Counter()
    for text in texts:
        chunks.update(text.split())
    counts: Counter[str] = Counter()
    for chunk, count in chunks.items():
        if chunk not in special_tokens:
            for word in basic.words(chunk):
                counts[word.text] += count
    return counts


def _characters(word: str) -> list[str]:
    return [word[0], *(PREFIX + character for character in word[1:])]


def _alphabet(counts: Counter[str], limit: int) -> set[str]:
    """The ``limit`` most frequent characters, each as the beginning of a word and, unless it is
    always a word of its own, as its continuation."""
    frequency: Counter[str] = Counter()
    for word, count in counts.items():
        for character in word:
            frequency[character] += count
    kept = sorted(frequency, key=lambda c: (-frequency[c], c))[:limit]
    inside = [c for c in kept if not (is_punctuation(c) or is_chinese(c))]
    return {*kept, *(PREFIX + character for character in inside)}


def _joined_pairs(
    words: dict[str, list[str]], counts: Counter[str], min_frequency: int
) -> Iterable[str]:
    """Join the most frequent pair in all words and yield the new piece, until none is left.

    The pairs wait in a heap with their counts. A pair whose count rises is put in again; one whose
    count fell is put right when it comes to the top. So the top one, when right, is the greatest.
    """
    frequency: Counter[tuple[str, str]] = Counter()
    where: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for word, pieces in words.items():
        for pair in pairwise(pieces):
            frequency[pair] += counts[word]
            where[pair].add(word)
    heap = [(-count, pair) for pair, count in frequency.items()]
    heapq.heapify(heap)
    while heap:
        waiting, pair = heapq.heappop(heap)
        if frequency[pair] < min_frequency:
            continue
        if frequency[pair] != -waiting:
            heapq.heappush(heap, (-frequency[pair], pair))
            continue
        new = pair[0] + pair[1].removeprefix(PREFIX)
        changed = set()
        for word in where.pop(pair):
            old_pieces, count = words[word], counts[word]
            new_pieces = _join(old_pieces, pair, new)
            words[word] = new_pieces
            for old_pair in pairwise(old_pieces):
                frequency[old_pair] -= count
            for new_pair in pairwise(new_pieces):
                frequency[new_pair] += count
                where[new_pair].add(word)
                if new in new_pair:
                    changed.add(new_pair)
        for new_pair in changed:
            heapq.heappush(heap, (-frequency[new_pair], new_pair))
        yield new


def _join(pieces: list[str], pair: tuple[str, str], new: str) -> list[str]:
    """Replace each occurrence of ``pair``, from the left, by ``new``."""
    joined = []
    index = 0
    while index < len(pieces):
        if tuple(pieces[index : index + 2]) == pair:
            joined.append(new)
            index += 2
        else:
            joined.append(pieces[index])
            index += 1
    return joined
