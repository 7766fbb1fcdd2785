"""Checkpoints of the Hugging Face hub: one name away, never needed by anything else here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .weights import INDEX_FILES, WEIGHTS_FILES, shards

CONFIG_FILE = "config.json"
VOCABULARY_FILES = ("vocab.txt", "tokenizer.json")
TOKENIZER_FILES = (
    *VOCABULARY_FILES,
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)


@dataclass(frozen=True)
class HubOptions:
    """How a name is looked up on the hub.

    Args:
        revision: branch, tag or commit; the main branch by default.
        token: access token for private and gated repositories; None takes the one that
            ``hf auth login`` stored or ``HF_TOKEN`` holds, if any; False sends none.
        cache_dir: where downloads are kept; by default the hub's own cache.
        local_files_only: look at what was downloaded before and nowhere else, as the environment
            variable ``HF_HUB_OFFLINE=1`` does for everything.
    """

    revision: str | None = None
    token: str | bool | None = None
    cache_dir: str | Path | None = None
    local_files_only: bool = False


def is_hub_id(name: str) -> bool:
    """Whether a name has the form ``owner/model``."""
    return re.fullmatch(r"[\w.-]+/[\w.-]+", name) is not None


def hub_folder(name: str, options: HubOptions, *, weights: bool, tokenizer: bool) -> Path:
    """Download what is missing of a checkpoint and return its folder in the cache.

    Args:
        name: ``owner/model``.
        weights: fetch the configuration, and the weights in the first format that there is.
        tokenizer: fetch the tokenizer's files, as many as there are. Alone they need no
            configuration beside them.

    Raises:
        FileNotFoundError: there is no such repository, revision or file; or it is not in the cache
            and the network must not be, or cannot be, used.
        PermissionError: the repository asks for a token that was not given.
        OSError: a download broke off.
    """
    needed = VOCABULARY_FILES if tokenizer and not weights else (CONFIG_FILE,)
    found = [path for file in needed if (path := _fetch(name, file, options)) is not None]
    if not found:
        if _is_offline(options):
            raise FileNotFoundError(
                f"{_at(name, options)} was not downloaded before, and the network is switched off "
                "(local_files_only, or HF_HUB_OFFLINE). Load it once with the network on."
            )
        raise FileNotFoundError(
            f"The repository {name} has no {' and no '.join(needed)}, so it holds no "
            f"{'tokenizer' if needed == VOCABULARY_FILES else 'checkpoint'} of transformers' layout."
        )
    if weights:
        _fetch_weights(name, options)
    if tokenizer:
        for file in TOKENIZER_FILES:
            _fetch(name, file, options)
    return found[0].parent


def _fetch_weights(name: str, options: HubOptions) -> None:
    for file in WEIGHTS_FILES:
        path = _fetch(name, file, options)
        if path is None:
            continue
        if file in INDEX_FILES:
            _fetch_all(name, shards(path), options)
        return
    raise FileNotFoundError(
        f"The repository {name} has no weights that can be read; looked for "
        f"{', '.join(WEIGHTS_FILES)}."
    )


def _fetch_all(name: str, files: Iterable[str], options: HubOptions) -> None:
    for file in files:
        if _fetch(name, file, options) is None:
            raise FileNotFoundError(
                f"The repository {name} lists {file} in its index but lacks it."
            )


def _fetch(name: str, file: str, options: HubOptions) -> Path | None:
    """The path of a file in the cache, downloaded if need be; None where the repository lacks it, or
    the cache while the network is switched off."""
    from huggingface_hub import errors, hf_hub_download

    at = _at(name, options)
    try:
        return Path(
            hf_hub_download(
                name,
                file,
                revision=options.revision,
                token=options.token,
                cache_dir=options.cache_dir,
                local_files_only=options.local_files_only,
            )
        )
    except errors.LocalEntryNotFoundError as error:
        if _is_offline(options) or _known_to_lack(name, file, options):
            return None
        raise FileNotFoundError(
            f"Could not reach the hub for {file} of {at}, and it is not in the cache: {error}. "
            "Check the connection; bundled checkpoints need none."
        ) from error
    except errors.EntryNotFoundError:
        return None
    except errors.GatedRepoError as error:
        raise PermissionError(
            f"{at} is gated: ask for access on its page on the hub, then pass token=... or set "
            "HF_TOKEN."
        ) from error
    except errors.RevisionNotFoundError as error:
        raise FileNotFoundError(
            f"The repository {name} has no revision {options.revision!r}."
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise FileNotFoundError(
            f"The hub has no repository {name!r}, or it is private and no valid token was given "
            "(token=..., or the environment variable HF_TOKEN)."
        ) from error
    except Exception as error:  # the HTTP client's own errors differ between hub versions
        raise OSError(
            f"The download of {file} of {at} failed: {error}. What was there before is whole; "
            "try again."
        ) from error


def _at(name: str, options: HubOptions) -> str:
    return f"{name} at revision {options.revision}" if options.revision else name


def _is_offline(options: HubOptions) -> bool:
    from huggingface_hub import constants

    return options.local_files_only or constants.HF_HUB_OFFLINE


def _known_to_lack(name: str, file: str, options: HubOptions) -> bool:
    """Whether the hub once said that this state of the repository has no such file."""
    from huggingface_hub import _CACHED_NO_EXIST, try_to_load_from_cache

    said = try_to_load_from_cache(
        name, file, cache_dir=options.cache_dir, revision=options.revision
    )
    return said is _CACHED_NO_EXIST
