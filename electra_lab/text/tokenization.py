"""ELECTRA's tokenizer, twice: ``ElectraTokenizer`` in readable Python, ``ElectraTokenizerFast`` on the
``tokenizers`` library. The same arguments, the same ids, the same files.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import tokenizers
from tokenizers import AddedToken, decoders, models, normalizers, pre_tokenizers, processors

from electra_lab.checkpoints.atomic import atomic_folder
from electra_lab.checkpoints.upload import PushToHub

from .added_tokens import AddedVocabulary, Finder, as_added_token, as_dictionary
from .encoding import (
    PADDING_STRATEGIES,
    SIDES,
    TRUNCATION_STRATEGIES,
    BatchEncoding,
    Encoding,
    Pieces,
    Special,
    as_tensors,
    join,
    kept_lengths,
    window_pairs,
)
from .tokenizer_files import (
    CONFIG_FILE,
    MORE_SPECIALS,
    SPECIAL_ROLES,
    TOKENIZER_FILE,
    VOCAB_FILE,
    Vocabulary,
    read_settings,
    read_tokenizer_file,
    vocabulary_of,
)
from .vocabulary import PREFIX, write_vocabulary
from .wordpiece import BasicTokenizer, Character, Word, WordPiece

NO_LIMIT = 10**20  # transformers writes 10**30 where a tokenizer has no greatest length
Token = str | AddedToken
Self = TypeVar("Self", bound="TokenizerBase")


class TokenizerBase(PushToHub, ABC):
    """All that the two tokenizers have in common: everything but cutting a text into pieces.

    Args:
        vocab_file: a ``vocab.txt``, one piece on each line; or the vocabulary itself, as ``vocab``.
        do_lower_case: lower-case the text. True for every checkpoint of google/electra.
        unk_token, sep_token, pad_token, cls_token, mask_token: the special tokens; all five must be
            in the vocabulary or, but for ``unk_token``, among the added tokens.
        tokenize_chinese_chars: make each Chinese character a word of its own.
        strip_accents: drop accents; None does what ``do_lower_case`` says.
        clean_text: drop control characters and turn all whitespace into spaces.
        wordpieces_prefix: marks a piece that continues a word.
        clean_up_tokenization_spaces: in decoding, take out the spaces before punctuation and in
            contractions.
        model_max_length: where ``truncation=True`` and ``padding="max_length"`` cut and fill when
            they are given no ``max_length``. 512, the positions of every published ELECTRA.
        padding_side, truncation_side: ``"right"`` or ``"left"``.
        vocab: the vocabulary, as a list in the order of the ids or as a dictionary of ids.
        additional_special_tokens: special tokens without a role of their own.
        added_tokens_decoder: added tokens by their ids, as ``settings`` gives and files hold them.

    Raises:
        FileNotFoundError: there is no such vocabulary file.
        ValueError: the vocabulary is empty, repeats a piece or lacks a special token; or an added
            token cannot have the id that it is given.
    """

    file_settings = frozenset(
        {
            "do_lower_case",
            "strip_accents",
            "tokenize_chinese_chars",
            "clean_text",
            "wordpieces_prefix",
            "clean_up_tokenization_spaces",
            "model_max_length",
            "padding_side",
            "truncation_side",
            "additional_special_tokens",
            "added_tokens_decoder",
            *SPECIAL_ROLES,
        }
    )

    def __init__(
        self,
        vocab_file: str | Path | Vocabulary | None = None,
        do_lower_case: bool = True,
        unk_token: Token = "[UNK]",
        sep_token: Token = "[SEP]",
        pad_token: Token = "[PAD]",
        cls_token: Token = "[CLS]",
        mask_token: Token = "[MASK]",
        tokenize_chinese_chars: bool = True,
        strip_accents: bool | None = None,
        clean_text: bool = True,
        wordpieces_prefix: str = PREFIX,
        clean_up_tokenization_spaces: bool = True,
        model_max_length: int = 512,
        padding_side: str = "right",
        truncation_side: str = "right",
        vocab: Vocabulary | None = None,
        additional_special_tokens: Sequence[Token] | None = None,
        added_tokens_decoder: Mapping[Any, Any] | None = None,
    ) -> None:
        self._tokens, source = vocabulary_of(vocab_file, vocab)
        self._ids = {token: index for index, token in enumerate(self._tokens)}
        self.do_lower_case = do_lower_case
        self.tokenize_chinese_chars = tokenize_chinese_chars
        self.strip_accents = strip_accents
        self.clean_text = clean_text
        self.wordpieces_prefix = wordpieces_prefix
        self.clean_up_tokenization_spaces = clean_up_tokenization_spaces
        self.model_max_length = model_max_length
        self.padding_side = _one_of("padding_side", padding_side, SIDES)
        self.truncation_side = _one_of("truncation_side", truncation_side, SIDES)
        self.added_vocabulary = AddedVocabulary(self._ids)
        self.added_vocabulary.add_saved(added_tokens_decoder or {})
        roles = (pad_token, unk_token, cls_token, sep_token, mask_token)
        self.pad_token, self.unk_token, self.cls_token, self.sep_token, self.mask_token = (
            as_added_token(token).content for token in roles
        )
        missing = [
            f"{getattr(self, role)} ({role})"
            for role in SPECIAL_ROLES
            if getattr(self, role) not in self._ids
            and (role == "unk_token" or getattr(self, role) not in self.added_vocabulary.ids)
        ]
        if missing:
            raise ValueError(
                f"{source} lacks {', '.join(missing)}; it has {len(self._tokens)} pieces, from "
                f"{self._tokens[0]!r} to {self._tokens[-1]!r}. Add the special token as a line, or "
                "name the one that stands for it, as in mask_token='<mask>'."
            )
        more = [as_added_token(token, special=True) for token in additional_special_tokens or ()]
        self.additional_special_tokens = [token.content for token in more]
        for token in (*roles, *more):  # what was saved with a token counts before a bare name
            known = self.added_vocabulary.token(as_added_token(token).content)
            self.added_vocabulary.add(as_added_token(known or token, special=True))
        self._note_special_tokens()

    # -- the vocabulary

    @property
    def vocab_size(self) -> int:
        """Number of pieces in the vocabulary; added tokens do not count."""
        return len(self._tokens)

    def __len__(self) -> int:
        """Pieces and added tokens together: the rows that a model's embedding table needs."""
        return self.added_vocabulary.size

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({len(self)} pieces, do_lower_case={self.do_lower_case}, "
            f"model_max_length={self.model_max_length})"
        )

    def get_vocab(self) -> dict[str, int]:
        """A copy of the vocabulary: piece or added token -> id, in the order of the ids."""
        return {**self._ids, **self.get_added_vocab()}

    def get_added_vocab(self) -> dict[str, int]:
        """The added tokens, special ones included, and their ids, in the order of the ids."""
        return {token.content: index for index, token in self.added_tokens_decoder.items()}

    @property
    def added_tokens_decoder(self) -> dict[int, AddedToken]:
        """The added tokens with their flags, by id."""
        return dict(sorted(self.added_vocabulary.tokens.items()))

    def add_tokens(self, new_tokens: Token | Sequence[Token], special_tokens: bool = False) -> int:
        """Add tokens, which are found in a text before anything else and never cut.

        Their ids follow the vocabulary, so the model needs more rows:
        ``model.resize_token_embeddings(len(tokenizer))``. A token that is a piece already keeps its
        id, and from now on is found inside longer words too.

        Args:
            new_tokens: a token or several. An ``AddedToken`` says whether it is found only as a
                whole word (``single_word``), takes along the spaces around it (``lstrip``,
                ``rstrip``), and is looked for in the lower-cased text (``normalized``). A text that
                names an added token leaves it as it is; an ``AddedToken`` changes its flags.
            special_tokens: ``skip_special_tokens`` in ``decode`` leaves them out, and they are found
                only as they are written.

        Returns:
            How many ids are new. (For tokens already known transformers' fast tokenizers may count
            more.)

        Raises:
            TypeError: something is neither a text nor an ``AddedToken``.
        """
        listed = [new_tokens] if isinstance(new_tokens, (str, AddedToken)) else list(new_tokens)
        whole = [as_added_token(token, special_tokens) for token in listed]
        self._refuse_what_leaves_nothing(whole)
        grown = 0
        for given, token in zip(listed, whole, strict=True):
            known = token.content in self.added_vocabulary.ids
            if token.content and not (known and isinstance(given, str) and not special_tokens):
                grown += self.added_vocabulary.add(token)
        self._note_special_tokens()
        self._renew_search()
        return grown

    def add_special_tokens(
        self,
        special_tokens_dict: Mapping[str, Token | Sequence[Token]],
        replace_extra_special_tokens: bool = True,
    ) -> int:
        """Give roles to tokens and add those that are new.

        Args:
            special_tokens_dict: a token for ``"pad_token"``, ``"unk_token"``, ``"cls_token"``,
                ``"sep_token"`` or ``"mask_token"``, or a list of special tokens without a role for
                ``"additional_special_tokens"`` (``"extra_special_tokens"`` in transformers 5).
            replace_extra_special_tokens: the list takes the place of the one before, whose tokens
                stay in the vocabulary; False lengthens it.

        Returns:
            How many ids are new.

        Raises:
            TypeError: something is neither a text nor an ``AddedToken``.
            ValueError: a role is not known, or the unknown token is no piece of the vocabulary.
        """
        roles: dict[str, Token] = {}
        more: list[Token] = []
        for role, given in special_tokens_dict.items():
            if role in MORE_SPECIALS:
                more = [given] if isinstance(given, (str, AddedToken)) else list(given)
            else:
                roles[_one_of("special token", role, (*SPECIAL_ROLES, *MORE_SPECIALS))] = given  # type: ignore[assignment]
        names = {role: as_added_token(token, special=True).content for role, token in roles.items()}
        if names.get("unk_token", self.unk_token) not in self._ids:
            raise ValueError(
                f"unk_token={names['unk_token']!r} is no piece of the vocabulary: WordPiece gives it "
                "to words that it cannot cut, so it cannot be an added token. Add it as a line of "
                f"{VOCAB_FILE}."
            )
        grown = self.add_tokens([*roles.values(), *more], special_tokens=True)
        for role, name in names.items():
            setattr(self, role, name)
        if more:
            kept = [] if replace_extra_special_tokens else self.additional_special_tokens
            names_of_more = [as_added_token(token).content for token in more]
            self.additional_special_tokens = list(dict.fromkeys([*kept, *names_of_more]))
        self._note_special_tokens()
        self._renew_search()
        return grown

    def _refuse_what_leaves_nothing(self, tokens: Iterable[AddedToken]) -> None:
        """Say which token has no character left where it would be looked for.

        Raises:
            ValueError: normalising leaves nothing of a token.
        """
        for token in tokens:
            if token.content and token.normalized and not self._normalize(token.content):
                raise ValueError(
                    f"Nothing is left of the token {token.content!r} after cleaning and dropping "
                    "accents, so it would be found nowhere. Add it as AddedToken(..., "
                    "normalized=False)."
                )

    def _tokens_to_find(self) -> list[AddedToken]:
        """The added tokens in the order of their ids, each to be found in one way.

        Of two that normalising makes alike, the second is found only as it is written: the
        ``tokenizers`` library finds either, by chance.
        """
        tokens = list(self.added_tokens_decoder.values())
        self._refuse_what_leaves_nothing(tokens)
        forms: set[str] = set()
        for place, token in enumerate(tokens):
            form = self._normalize(token.content) if token.normalized else ""
            if form in forms:
                tokens[place] = as_added_token({**as_dictionary(token), "normalized": False})
            elif form:
                forms.add(form)
        return tokens

    @abstractmethod
    def _normalize(self, text: str) -> str:
        """The text as tokens with ``normalized=True`` are looked for in it."""

    def _note_special_tokens(self) -> None:
        self._specials = {
            token: Special(token, self._id_of(token)) for token in self.all_special_tokens
        }

    @abstractmethod
    def _renew_search(self) -> None:
        """Look for the added tokens that there are now."""

    def _id_of(self, token: str) -> int:
        """The id of a piece or an added token; the unknown token's for what is neither."""
        index = self._ids.get(token)
        return (
            self.added_vocabulary.ids.get(token, self._ids[self.unk_token])
            if index is None
            else index
        )

    @property
    def pad_token_id(self) -> int:
        """Id of the token that fills up short rows."""
        return self._id_of(self.pad_token)

    @property
    def unk_token_id(self) -> int:
        """Id of the token that stands for unknown words."""
        return self._id_of(self.unk_token)

    @property
    def cls_token_id(self) -> int:
        """Id of the first token of every row."""
        return self._id_of(self.cls_token)

    @property
    def sep_token_id(self) -> int:
        """Id of the token that ends each text."""
        return self._id_of(self.sep_token)

    @property
    def mask_token_id(self) -> int:
        """Id of the token that hides a word from the generator."""
        return self._id_of(self.mask_token)

    @property
    def special_tokens_map(self) -> dict[str, str]:
        """The special token of each role."""
        return {role: getattr(self, role) for role in SPECIAL_ROLES}

    @property
    def all_special_tokens(self) -> list[str]:
        """The special tokens, those without a role last."""
        return list(
            dict.fromkeys([*self.special_tokens_map.values(), *self.additional_special_tokens])
        )

    @property
    def all_special_ids(self) -> list[int]:
        """Their ids."""
        return [self._id_of(token) for token in self.all_special_tokens]

    def convert_tokens_to_ids(self, tokens: str | Sequence[str]) -> int | list[int]:
        """The id of a token, or those of several; the unknown token's for what is no piece."""
        if isinstance(tokens, str):
            return self._id_of(tokens)
        return [self._id_of(token) for token in tokens]

    def convert_ids_to_tokens(self, ids: Any, skip_special_tokens: bool = False) -> str | list[str]:
        """The token of an id, or those of several (a list, an array or a tensor).

        Raises:
            ValueError: an id is not in the vocabulary.
        """
        listed = _as_list(ids)
        if isinstance(listed, int):
            return self._token_of(listed)
        skipped = set(self.all_special_ids) if skip_special_tokens else set()
        return [self._token_of(index) for index in listed if index not in skipped]

    def _token_of(self, index: int) -> str:
        if not isinstance(index, int) or not 0 <= index < len(self):
            raise ValueError(
                f"{index!r} is no id of this vocabulary: its ids go from 0 to {len(self) - 1}. Was "
                "the model trained with another tokenizer?"
            )
        if index < len(self._tokens):
            return self._tokens[index]
        return self.added_vocabulary.tokens[index].content

    # -- from text to ids

    @abstractmethod
    def _pieces(self, texts: Sequence[Any], is_split_into_words: bool) -> list[Pieces]:
        """Cut each text into pieces; no special tokens are added."""

    def __call__(
        self,
        text: Any,  # whatever a person hands over: what is no text gets an error of its own
        text_pair: Any = None,
        add_special_tokens: bool = True,
        padding: bool | str = False,
        truncation: bool | str | None = None,
        max_length: int | None = None,
        stride: int = 0,
        is_split_into_words: bool = False,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_tensors: str | None = None,
        return_token_type_ids: bool = True,
        return_attention_mask: bool = True,
        return_overflowing_tokens: bool = False,
        return_special_tokens_mask: bool = False,
        return_offsets_mapping: bool = False,
        return_length: bool = False,
    ) -> BatchEncoding:
        """Turn text into what a model takes in.

        Args:
            text: a text, or a list of texts. With ``is_split_into_words``, a list of words, or a
                list of such lists. An empty text is fine, and so is any length.
            text_pair: the second text of each pair, given like ``text``. As in transformers, an
                empty second text that stands alone counts as none.
            add_special_tokens: put [CLS] in front and [SEP] behind each text.
            padding: True or ``"longest"`` fills up to the longest row, ``"max_length"`` to
                ``max_length``; False leaves the rows as they are.
            truncation: True or ``"longest_first"`` cuts the longer text, ``"only_first"`` and
                ``"only_second"`` the one they name. None cuts when ``max_length`` is given and
                ``padding`` is not.
            max_length: tokens in a row, special tokens included; None: ``model_max_length``.
            stride: pieces that a window shares with the one before, with
                ``return_overflowing_tokens``.
            is_split_into_words: the texts come as lists of words.
            pad_to_multiple_of: round the padded length up to a multiple of this.
            padding_side: ``"right"`` or ``"left"``; None: the tokenizer's.
            return_tensors: ``"pt"`` or ``"np"``; None gives lists, without a batch axis for a
                single text.
            return_token_type_ids, return_attention_mask: leave the entry out with False.
            return_overflowing_tokens: give what truncation cut off as further rows;
                ``overflow_to_sample_mapping`` says whose they are.
            return_special_tokens_mask: add ``special_tokens_mask``, 1 for the tokens added.
            return_offsets_mapping: add ``offset_mapping``, (start, stop) of each token in its text.
            return_length: add ``length``, the tokens of each row.

        Returns:
            ``input_ids``, ``token_type_ids`` (0 for the first text, 1 for the second),
            ``attention_mask`` (0 for padding), and what else was asked for; int64, (batch, seq).

        Raises:
            TypeError: ``text`` is not text.
            ValueError: an option is not known, or ``max_length`` leaves no room.
        """
        batched = _is_batch(text, is_split_into_words)
        firsts, seconds = _sides(text, text_pair, batched, is_split_into_words)
        padding = _padding_strategy(padding)
        strategy = _truncation_strategy(padding, truncation, max_length)
        limit = self._limit(max_length)
        if limit > NO_LIMIT:
            strategy = "do_not_truncate"
            padding = "do_not_pad" if padding == "max_length" else padding
        rows: list[Encoding] = []
        owners: list[int] = []
        for owner, (first, second) in enumerate(
            self._pieces_of_pairs(firsts, seconds, is_split_into_words)
        ):
            encodings = self._encodings(first, second, add_special_tokens, strategy, limit, stride)
            kept = encodings if return_overflowing_tokens else encodings[:1]
            rows += kept
            owners += [owner] * len(kept)
        self._pad(rows, padding, limit, pad_to_multiple_of, padding_side)

        columns: dict[str, Any] = {"input_ids": [row.ids for row in rows]}
        if return_token_type_ids:
            columns["token_type_ids"] = [row.type_ids for row in rows]
        if return_attention_mask:
            columns["attention_mask"] = [row.attention_mask for row in rows]
        if return_special_tokens_mask:
            columns["special_tokens_mask"] = [row.special_tokens_mask for row in rows]
        if return_offsets_mapping:
            columns["offset_mapping"] = [row.offsets for row in rows]
        if return_length:
            columns["length"] = [len(row) for row in rows]
        if return_overflowing_tokens:
            columns["overflow_to_sample_mapping"] = owners
        if return_tensors is not None:
            columns = as_tensors(columns, return_tensors)
        elif not batched and not return_overflowing_tokens:
            columns = {name: values[0] for name, values in columns.items()}
        return BatchEncoding(columns, rows)

    def encode(
        self,
        text: Any,
        text_pair: Any = None,
        add_special_tokens: bool = True,
        **options: Any,
    ) -> Any:
        """The ids of a text, special tokens included; takes every option of calling the tokenizer."""
        return self(text, text_pair, add_special_tokens, **options)["input_ids"]

    def tokenize(
        self, text: str, pair: str | None = None, add_special_tokens: bool = False
    ) -> list[str]:
        """The tokens of a text, without special tokens unless asked for."""
        return self(text, pair, add_special_tokens).tokens()

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        """How many special tokens a text, or a pair of texts, gets."""
        return 3 if pair else 2

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """Put [CLS] and [SEP] around ids: ``[CLS] a [SEP]`` or ``[CLS] a [SEP] b [SEP]``."""
        ids = [self.cls_token_id, *token_ids_0, self.sep_token_id]
        return ids if token_ids_1 is None else [*ids, *token_ids_1, self.sep_token_id]

    def create_token_type_ids_from_sequences(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """Token types for ``build_inputs_with_special_tokens``: 0 up to the first [SEP], then 1."""
        types = [0] * (len(token_ids_0) + 2)
        return types if token_ids_1 is None else types + [1] * (len(token_ids_1) + 1)

    def get_special_tokens_mask(
        self,
        token_ids_0: list[int],
        token_ids_1: list[int] | None = None,
        already_has_special_tokens: bool = False,
    ) -> list[int]:
        """1 for a special token, 0 for a token of the text.

        With ``already_has_special_tokens`` the ids are looked at; otherwise the mask is that of
        ``build_inputs_with_special_tokens``.

        Raises:
            ValueError: ids that have their special tokens are one list, not two.
        """
        if already_has_special_tokens:
            if token_ids_1 is not None:
                raise ValueError(
                    "already_has_special_tokens=True takes the finished ids as token_ids_0 and no "
                    "token_ids_1."
                )
            specials = set(self.all_special_ids)
            return [int(index in specials) for index in token_ids_0]
        mask = [1, *[0] * len(token_ids_0), 1]
        return mask if token_ids_1 is None else [*mask, *[0] * len(token_ids_1), 1]

    def _pieces_of_pairs(
        self,
        firsts: Sequence[Any],
        seconds: Sequence[Any] | None,
        is_split_into_words: bool,
    ) -> Iterable[tuple[Pieces, Pieces | None]]:
        try:
            cut_firsts = self._pieces(firsts, is_split_into_words)
            if seconds is None:
                return ((pieces, None) for pieces in cut_firsts)
            return zip(cut_firsts, self._pieces(seconds, is_split_into_words), strict=True)
        except (AttributeError, TypeError, UnicodeEncodeError):
            _refuse_what_is_no_text(firsts, is_split_into_words)
            _refuse_what_is_no_text(seconds or (), is_split_into_words)
            raise

    def _limit(self, given: int | None) -> int:
        limit = self.model_max_length if given is None else given
        if limit < 0:
            raise ValueError(f"max_length={given} is less than no token at all; give a length.")
        return limit

    def _encodings(
        self,
        first: Pieces,
        second: Pieces | None,
        add_special_tokens: bool,
        strategy: str,
        limit: int,
        stride: int,
    ) -> list[Encoding]:
        """The row of one text or pair, and the rows of what truncation cut off."""
        added = self.num_special_tokens_to_add(second is not None) if add_special_tokens else 0
        lengths = len(first), 0 if second is None else len(second)
        pairs = [(first, second)]
        if strategy != "do_not_truncate" and sum(lengths) + added > limit:
            if limit < added:
                raise ValueError(
                    f"max_length={limit} leaves no room for the {added} special tokens. Raise it, "
                    "or call with add_special_tokens=False."
                )
            if second is None and strategy == "only_second":
                raise ValueError(
                    "truncation='only_second' cuts the second text, and there is none. Use "
                    "truncation=True."
                )
            room = limit - added
            kept = (room, 0) if second is None else kept_lengths(*lengths, room, strategy)
            pairs = window_pairs(first, second, kept, stride, self.truncation_side)
        cls, sep = self._specials[self.cls_token], self._specials[self.sep_token]
        return [join(*pair, cls, sep, add_special_tokens) for pair in pairs]

    def _pad(
        self,
        rows: list[Encoding],
        strategy: str,
        limit: int,
        multiple: int | None,
        side: str | None,
    ) -> None:
        side = _one_of("padding_side", side or self.padding_side, SIDES)
        if strategy == "do_not_pad":
            return
        length = limit if strategy == "max_length" else max(map(len, rows), default=0)
        if multiple:
            length = -(-length // multiple) * multiple
        for row in rows:
            row.pad(length, self._specials[self.pad_token], side)

    # -- from ids to text

    def decode(
        self,
        token_ids: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
    ) -> Any:
        """The text of ids; of a batch of ids, a list of texts.

        What tokenizing lost (capitals, accents, unknown words, kinds of whitespace) does not come
        back.

        Args:
            token_ids: an id, a list, an array or a tensor of ids, or a batch of these.
            skip_special_tokens: leave out [CLS], [SEP] and what was added as a special token.
            clean_up_tokenization_spaces: also join contractions and quotes; None: the tokenizer's.
                Spaces before full stops, commas and the like go in any case, as in transformers.

        Raises:
            ValueError: an id is not in the vocabulary.
        """
        listed = _as_list(token_ids)
        if isinstance(listed, list) and listed and isinstance(listed[0], list):
            return self.batch_decode(listed, skip_special_tokens, clean_up_tokenization_spaces)
        ids = [listed] if isinstance(listed, int) else listed
        added = self.added_vocabulary.tokens
        text = self.convert_tokens_to_string(
            [
                self._token_of(index)
                for index in ids
                if not (skip_special_tokens and index in added and added[index].special)
            ]
        )
        clean_up = clean_up_tokenization_spaces
        if self.clean_up_tokenization_spaces if clean_up is None else clean_up:
            text = clean_up_tokenization(text)
        return text

    def batch_decode(
        self,
        sequences: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
    ) -> list[str]:
        """The text of each row."""
        return [
            self.decode(ids, skip_special_tokens, clean_up_tokenization_spaces)
            for ids in _as_list(sequences)
        ]

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Join tokens: pieces that continue a word lose their prefix, the others get a space."""
        parts = []
        for index, token in enumerate(tokens):
            if index > 0:
                continues = token.startswith(self.wordpieces_prefix)
                token = token.removeprefix(self.wordpieces_prefix) if continues else f" {token}"
            parts.append(clean_up_tokenization(token))
        return "".join(parts)

    # -- files

    def settings(self) -> dict[str, Any]:
        """The arguments, vocabulary aside, that make this tokenizer again."""
        return {
            "do_lower_case": self.do_lower_case,
            "strip_accents": self.strip_accents,
            "tokenize_chinese_chars": self.tokenize_chinese_chars,
            "clean_text": self.clean_text,
            "wordpieces_prefix": self.wordpieces_prefix,
            "clean_up_tokenization_spaces": self.clean_up_tokenization_spaces,
            "model_max_length": self.model_max_length,
            "padding_side": self.padding_side,
            "truncation_side": self.truncation_side,
            **self.special_tokens_map,
            "additional_special_tokens": self.additional_special_tokens,
            "added_tokens_decoder": self.added_vocabulary.written(),
        }

    def save_pretrained(self, save_directory: str | Path) -> None:
        """Write ``vocab.txt`` and ``tokenizer_config.json``, which ``from_pretrained`` reads, here
        and in transformers. Other files in the folder stay.

        Raises:
            OSError: the folder cannot be written; the files that were there are whole.
        """
        config = {**self.settings(), "tokenizer_class": "ElectraTokenizer"}
        with atomic_folder(save_directory) as partial:
            write_vocabulary(self._tokens, partial / VOCAB_FILE)
            (partial / CONFIG_FILE).write_text(
                json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
            )
            self._save_backend(partial)

    def _save_backend(self, folder: Path) -> None:
        """Write what only one kind of tokenizer has; the readable one has nothing more."""
        return

    @classmethod
    def from_pretrained(cls: type[Self], name_or_folder: str | Path, **changes: Any) -> Self:
        """Load a tokenizer from a checkpoint, its settings included.

        Args:
            name_or_folder: a bundled name, a folder with ``vocab.txt`` or ``tokenizer.json``, or a
                hub id.
            changes: arguments that are to differ from what was saved; or ``revision``, ``token``,
                ``cache_dir``, ``local_files_only`` (see ``HubOptions``).

        Raises:
            FileNotFoundError: there is no such checkpoint, or it has no vocabulary.
            PermissionError, OSError: a token is needed, or a download failed.
            ValueError: a file is damaged, or is that of another kind of tokenizer; or the added
                tokens do not fit the vocabulary.
        """
        from electra_lab.checkpoints.store import resolve_folder, split_hub_options

        hub, changes = split_hub_options(changes)
        folder = resolve_folder(name_or_folder, tokenizer=True, **hub)
        vocabulary, settings = read_settings(folder, cls.file_settings)
        settings.update(changes)
        return cls(vocabulary, **settings)


class ElectraTokenizer(TokenizerBase):
    """ELECTRA's tokenizer in readable Python; see ``wordpiece`` for how it cuts.

    Takes the arguments of ``TokenizerBase`` and two more.

    Args:
        do_basic_tokenize: False cuts words at whitespace only and leaves them as they are.
        never_split: words (between spaces) that are neither lower-cased nor cut.
    """

    is_fast = False
    file_settings = TokenizerBase.file_settings | {"do_basic_tokenize", "never_split"}

    def __init__(
        self,
        vocab_file: str | Path | Vocabulary | None = None,
        do_lower_case: bool = True,
        do_basic_tokenize: bool = True,
        never_split: Iterable[str] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(vocab_file, do_lower_case, **settings)
        self.do_basic_tokenize = do_basic_tokenize
        self.never_split = None if never_split is None else list(never_split)
        self.basic_tokenizer = BasicTokenizer(
            do_lower_case,
            self.never_split or (),
            self.tokenize_chinese_chars,
            self.strip_accents,
            self.clean_text,
            do_basic_tokenize,
        )
        self.wordpiece = WordPiece(self._ids, self.unk_token, self.wordpieces_prefix)
        self._renew_search()

    def _renew_search(self) -> None:
        tokens = self._tokens_to_find()
        self._as_written = Finder(token for token in tokens if not token.normalized)
        self._normalized = Finder((token for token in tokens if token.normalized), self._normalize)

    def _normalize(self, text: str) -> str:
        return "".join(c.value for c in self.basic_tokenizer.normalized(text))

    def settings(self) -> dict[str, Any]:
        """The arguments, vocabulary aside, that make this tokenizer again."""
        return {
            **super().settings(),
            "do_basic_tokenize": self.do_basic_tokenize,
            "never_split": self.never_split,
        }

    def _pieces(self, texts: Sequence[Any], is_split_into_words: bool) -> list[Pieces]:
        cut = []
        for text in texts:
            pieces = Pieces([], [], [], [])
            if is_split_into_words:
                if isinstance(text, str):
                    raise TypeError("a text where a list of words was expected")
                for index, word in enumerate(text):
                    self._add_text(word, pieces, index)
            else:
                self._add_text(text, pieces, None)
            cut.append(pieces)
        return cut

    def _add_text(self, text: Any, pieces: Pieces, word_id: int | None) -> None:
        """Append a text's pieces; an added token written in it stands for itself."""
        text.encode("utf-8")  # half of a surrogate pair is no text
        done = 0
        for match in self._as_written.matches(text):
            self._add_stretch(text, done, match.start, pieces, word_id)
            index = self.added_vocabulary.ids[match.token.content]
            span = match.start, match.stop
            self._add(pieces, index, text[match.start : match.stop], span, word_id, new_word=True)
            done = match.stop
        self._add_stretch(text, done, len(text), pieces, word_id)

    def _add_stretch(
        self, text: str, start: int, stop: int, pieces: Pieces, word_id: int | None
    ) -> None:
        """Append the pieces of ``text[start:stop]``, after a second search in its changed form."""
        characters = self.basic_tokenizer.normalized(text, start, stop)
        done = 0
        if self._normalized:
            for match in self._normalized.matches("".join(c.value for c in characters)):
                self._add_words(characters[done : match.start], pieces, word_id)
                index = self.added_vocabulary.ids[match.token.content]
                found = Word.of(characters[match.start : match.stop])
                span = found.span(0, len(found.text))
                self._add(pieces, index, found.text, span, word_id, new_word=True)
                done = match.stop
        self._add_words(characters[done:], pieces, word_id)

    def _add_words(
        self, characters: Iterable[Character], pieces: Pieces, word_id: int | None
    ) -> None:
        for word in self.basic_tokenizer.split(characters):
            if word.whole and word.text in self._ids:
                span = word.span(0, len(word.text))
                self._add(pieces, self._ids[word.text], word.text, span, word_id, new_word=True)
                continue
            for piece in self.wordpiece.pieces(word.text):
                span = word.span(piece.start, piece.stop)
                new_word = piece.start == 0
                self._add(pieces, self._ids[piece.text], piece.text, span, word_id, new_word)

    def _add(
        self,
        pieces: Pieces,
        index: int,
        token: str,
        span: tuple[int, int],
        word_id: int | None,
        new_word: bool,
    ) -> None:
        if word_id is None:
            last = pieces.word_ids[-1] if pieces.word_ids else -1
            word_id = (-1 if last is None else last) + new_word
        pieces.ids.append(index)
        pieces.tokens.append(token)
        pieces.offsets.append(span)
        pieces.word_ids.append(word_id)


class ElectraTokenizerFast(TokenizerBase):
    """ELECTRA's tokenizer on the ``tokenizers`` library, which is written in Rust.

    Takes the arguments of ``TokenizerBase`` and one more.

    Args:
        tokenizer_file: a ``tokenizer.json`` to read the vocabulary from, in place of ``vocab_file``.
    """

    is_fast = True

    def __init__(
        self,
        vocab_file: str | Path | Vocabulary | None = None,
        tokenizer_file: str | Path | None = None,
        do_lower_case: bool = True,
        **settings: Any,
    ) -> None:
        if tokenizer_file is not None and vocab_file is None:
            whole = read_tokenizer_file(Path(tokenizer_file))
            if whole is None:
                raise FileNotFoundError(f"There is no tokenizer file {tokenizer_file}.")
            vocab_file = whole[0]
            settings.setdefault("added_tokens_decoder", whole[1]["added_tokens_decoder"])
        super().__init__(vocab_file, do_lower_case, **settings)
        self.backend_tokenizer = self._build_backend()
        self._renew_search()

    def _build_backend(self) -> tokenizers.Tokenizer:
        backend = tokenizers.Tokenizer(
            models.WordPiece(
                self._ids,
                unk_token=self.unk_token,
                continuing_subword_prefix=self.wordpieces_prefix,
                max_input_chars_per_word=100,
            )
        )
        backend.normalizer = normalizers.BertNormalizer(
            clean_text=self.clean_text,
            handle_chinese_chars=self.tokenize_chinese_chars,
            strip_accents=self.strip_accents,
            lowercase=self.do_lower_case,
        )
        backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        backend.decoder = decoders.WordPiece(prefix=self.wordpieces_prefix)
        return backend

    def _normalize(self, text: str) -> str:
        return str(self.backend_tokenizer.normalizer.normalize_str(text))

    def _renew_search(self) -> None:
        backend = self.backend_tokenizer
        for special, tokens in groupby(self._tokens_to_find(), key=lambda token: token.special):
            (backend.add_special_tokens if special else backend.add_tokens)(list(tokens))
        backend.model.unk_token = self.unk_token
        backend.post_processor = processors.TemplateProcessing(
            single=f"{self.cls_token}:0 $A:0 {self.sep_token}:0",
            pair=f"{self.cls_token}:0 $A:0 {self.sep_token}:0 $B:1 {self.sep_token}:1",
            special_tokens=[
                (self.cls_token, self.cls_token_id),
                (self.sep_token, self.sep_token_id),
            ],
        )

    def _pieces(self, texts: Sequence[Any], is_split_into_words: bool) -> list[Pieces]:
        encodings = self.backend_tokenizer.encode_batch(
            list(texts), is_pretokenized=is_split_into_words, add_special_tokens=False
        )
        return [Pieces(e.ids, e.tokens, e.offsets, e.word_ids) for e in encodings]

    def _save_backend(self, folder: Path) -> None:
        self.backend_tokenizer.save(str(folder / TOKENIZER_FILE))

    def __reduce__(self) -> tuple[Any, ...]:
        return _make_again, (type(self), self._tokens, self.settings())


def clean_up_tokenization(text: str) -> str:
    """Take out the spaces that joining tokens leaves before punctuation and in contractions."""
    for spaced, joined in (
        (" .", "."),
        (" ?", "?"),
        (" !", "!"),
        (" ,", ","),
        (" ' ", "'"),
        (" n't", "n't"),
        (" 'm", "'m"),
        (" 's", "'s"),
        (" 've", "'ve"),
        (" 're", "'re"),
    ):
        text = text.replace(spaced, joined)
    return text


def _make_again(
    cls: type[TokenizerBase], vocab: list[str], settings: dict[str, Any]
) -> TokenizerBase:
    return cls(vocab=vocab, **settings)


def _one_of(name: str, given: str, known: Collection[str]) -> str:
    if given not in known:
        raise ValueError(f"{name}={given!r} is not known. It is one of {', '.join(known)}.")
    return given


def _padding_strategy(padding: bool | str) -> str:
    if isinstance(padding, bool):
        return "longest" if padding else "do_not_pad"
    return _one_of("padding", padding, PADDING_STRATEGIES)


def _truncation_strategy(
    padding: str, truncation: bool | str | None, max_length: int | None
) -> str:
    if truncation is None:
        truncation = max_length is not None and padding == "do_not_pad"
    if isinstance(truncation, bool):
        return "longest_first" if truncation else "do_not_truncate"
    return _one_of("truncation", truncation, TRUNCATION_STRATEGIES)


def _is_batch(text: Any, is_split_into_words: bool) -> bool:
    if not isinstance(text, (list, tuple)):
        if isinstance(text, str) and not is_split_into_words:
            return False
        expected = (
            "a list of words, or a list of such lists"
            if is_split_into_words
            else ("a text (str), or a list of texts")
        )
        raise TypeError(f"A tokenizer takes {expected}; it was given {_described(text)}.")
    return not is_split_into_words or (len(text) > 0 and isinstance(text[0], (list, tuple)))


def _sides(
    text: Any, text_pair: Any, batched: bool, is_split_into_words: bool
) -> tuple[Sequence[Any], Sequence[Any] | None]:
    """First and second texts as two lists of one length."""
    if not batched:
        return [text], [text_pair] if text_pair else None
    pairs_in_one = not is_split_into_words and any(isinstance(t, (list, tuple)) for t in text)
    if pairs_in_one:
        if text_pair is not None or any(len(t) != 2 or isinstance(t, str) for t in text):
            raise TypeError(
                "A list of lists is read as pairs (first, second). Words that are cut already need "
                "is_split_into_words=True."
            )
        return [first for first, _ in text], [second for _, second in text]
    if text_pair is None:
        return text, None
    if not isinstance(text_pair, (list, tuple)) or len(text_pair) != len(text):
        given = len(text_pair) if isinstance(text_pair, (list, tuple)) else _described(text_pair)
        raise ValueError(
            f"text holds {len(text)} texts, so text_pair must be a list of as many; it was given "
            f"{given}."
        )
    return text, text_pair


def _refuse_what_is_no_text(texts: Sequence[Any], is_split_into_words: bool) -> None:
    """Say which of the texts is none.

    Raises:
        TypeError: one is not a string, or a list of strings where words are expected.
        ValueError: one holds half of a surrogate pair.
    """
    for index, text in enumerate(texts):
        if is_split_into_words and not isinstance(text, (list, tuple)):
            raise TypeError(f"Text {index} must be a list of words; it is {_described(text)}.")
        for part in text if is_split_into_words else (text,):
            if not isinstance(part, str):
                raise TypeError(f"Text {index} must be str; it holds {_described(part)}.")
            broken = re.search("[\ud800-\udfff]", part)
            if broken:
                raise ValueError(
                    f"Text {index} holds half of a surrogate pair, {broken.group()!r}, at character "
                    f"{broken.start()}: it was decoded wrongly. Read it again as UTF-8, or with "
                    "errors='replace'."
                )


def _described(value: Any) -> str:
    return "None" if value is None else f"{value!r:.60} ({type(value).__name__})"


def _as_list(ids: Any) -> Any:
    """A tensor or an array as (nested) lists; a list of tensors as a list of lists."""
    if hasattr(ids, "tolist"):
        return ids.tolist()
    if isinstance(ids, (list, tuple)):
        return [_as_list(entry) for entry in ids]
    return int(ids) if isinstance(ids, np.integer) else ids
