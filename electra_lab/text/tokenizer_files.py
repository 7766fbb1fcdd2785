"""The files of a tokenizer, those of transformers 3 to 5 included.

``vocab.txt`` or ``tokenizer.json`` holds the vocabulary. Added tokens stand in
``tokenizer_config.json`` as ``added_tokens_decoder`` (transformers 4.34 and after, and here). Older
folders spread them over ``special_tokens_map.json`` and ``added_tokens.json``; transformers 5 writes
them into ``tokenizer.json`` alone.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from .vocabulary import PREFIX, check_vocabulary, read_vocabulary

VOCAB_FILE = "vocab.txt"
TOKENIZER_FILE = "tokenizer.json"
CONFIG_FILE = "tokenizer_config.json"
SPECIAL_TOKENS_FILE = "special_tokens_map.json"
ADDED_TOKENS_FILE = "added_tokens.json"
SPECIAL_ROLES = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
MORE_SPECIALS = (
    "additional_special_tokens",
    "extra_special_tokens",
)  # transformers 4's name, and 5's

Vocabulary = Sequence[str] | Mapping[str, int]


def vocabulary_of(
    vocab_file: str | Path | Vocabulary | None, vocab: Vocabulary | None
) -> tuple[list[str], str]:
    """The pieces in the order of their ids, and what to call them in an error."""
    if isinstance(vocab_file, (str, Path)):
        if vocab is not None:
            raise ValueError("A tokenizer takes vocab_file or vocab, not both.")
        return read_vocabulary(vocab_file), f"The vocabulary file {vocab_file}"
    given = vocab_file if vocab is None else vocab
    if given is None:
        raise ValueError(
            "A tokenizer needs a vocabulary: a file (vocab_file='vocab.txt') or a list of pieces "
            "(vocab=[...]). from_pretrained takes a checkpoint's name."
        )
    if isinstance(given, Mapping):
        tokens = sorted(given, key=lambda token: given[token])
        wrong = next((i for i, token in enumerate(tokens) if given[token] != i), None)
        if wrong is not None:
            raise ValueError(
                f"The ids of a vocabulary count from 0 without a gap; this one has {tokens[wrong]!r} "
                f"with id {given[tokens[wrong]]} where {wrong} is expected."
            )
    else:
        tokens = list(given)
    check_vocabulary(tokens, "The vocabulary", counted_from=0, unit="id")
    return tokens, "The vocabulary"


def _read_json(file: Path) -> dict[str, Any] | None:
    if not file.is_file():
        return None
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(
            f"{file} is not valid JSON ({error}). Save or copy the tokenizer again."
        ) from error
    if not isinstance(content, dict):
        raise ValueError(
            f"{file} must hold a JSON object; it holds {content!r:.60} ({type(content).__name__})."
        )
    return content


def read_tokenizer_file(file: Path) -> tuple[dict[str, int], dict[str, Any]] | None:
    """The vocabulary of a ``tokenizer.json`` and the settings that it implies; None without one."""
    content = _read_json(file)
    if content is None:
        return None
    model = content.get("model") or {}
    normalizer = content.get("normalizer") or {}
    kinds = model.get("type", "WordPiece"), normalizer.get("type", "BertNormalizer")
    if kinds != ("WordPiece", "BertNormalizer") or "vocab" not in model:
        raise ValueError(
            f"{file} is that of another kind of tokenizer: a {kinds[0]} model after {kinds[1]}, where "
            "ELECTRA has a WordPiece model after BertNormalizer."
        )
    settings = {
        ours: normalizer[theirs]
        for ours, theirs in (
            ("do_lower_case", "lowercase"),
            ("strip_accents", "strip_accents"),
            ("tokenize_chinese_chars", "handle_chinese_chars"),
            ("clean_text", "clean_text"),
        )
        if theirs in normalizer
    }
    settings["unk_token"] = model.get("unk_token", "[UNK]")
    settings["wordpieces_prefix"] = model.get("continuing_subword_prefix", PREFIX)
    settings["added_tokens_decoder"] = {
        token["id"]: token for token in content.get("added_tokens", ())
    }
    return dict(model["vocab"]), settings


def read_settings(folder: Path, known: Collection[str]) -> tuple[Vocabulary | Path, dict[str, Any]]:
    """A folder's vocabulary, and the arguments among ``known`` that its files hold.

    Raises:
        FileNotFoundError: the folder has no vocabulary.
        ValueError: a file is damaged or that of another kind of tokenizer.
    """
    whole = read_tokenizer_file(folder / TOKENIZER_FILE)
    if whole is None and not (folder / VOCAB_FILE).is_file():
        there = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
        raise FileNotFoundError(
            f"{folder} has neither {VOCAB_FILE} nor {TOKENIZER_FILE}; it holds {there}. A "
            "tokenizer's save_pretrained writes them."
        )
    settings = {} if whole is None else dict(whole[1])
    config = _read_json(folder / CONFIG_FILE) or {}
    if "added_tokens_decoder" not in config:
        config.update(_read_json(folder / SPECIAL_TOKENS_FILE) or {})
        config["added_tokens_decoder"] = {
            **_older_added_tokens(folder, config),
            **settings.get("added_tokens_decoder", {}),
        }
    more, newer = MORE_SPECIALS
    config[more] = config.get(more) or config.get(newer)
    settings.update({name: value for name, value in config.items() if name in known})
    return folder / VOCAB_FILE if whole is None else whole[0], settings


def _older_added_tokens(folder: Path, config: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
    """``added_tokens.json`` holds ids alone: what is special there says the configuration."""
    named = [config.get(role) for role in SPECIAL_ROLES]
    for key in MORE_SPECIALS:
        named += config.get(key) or ()
    special = {token["content"] if isinstance(token, dict) else token for token in named}
    return {
        index: {"content": token, "special": token in special}
        for token, index in (_read_json(folder / ADDED_TOKENS_FILE) or {}).items()
    }
