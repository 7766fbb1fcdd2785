"""What ELECTRA's two tokenizers have in common: text to ids, ids to text, and their files."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from electra_lab.checkpoints.atomic import atomic_folder
from electra_lab.checkpoints.upload import PushToHub

from .encoding import (
    SIDES,
    BatchEncoding,
    Encoding,
    Pieces,
    as_tensors,
    join,
    kept_lengths,
    window_pairs,
)
from .tokenizer_arguments import (
    as_list,
    is_batch,
    one_of,
    padding_strategy,
    refuse_what_is_no_text,
    sides_of,
    truncation_strategy,
)
from .tokenizer_files import CONFIG_FILE, SPECIAL_ROLES, VOCAB_FILE, Vocabulary, read_settings
from .tokenizer_vocabulary import Token, TokenizerVocabulary
from .vocabulary import PREFIX, write_vocabulary

NO_LIMIT = 10**20  # transformers writes 10**30 where a tokenizer has no greatest length
Self = TypeVar("Self", bound="TokenizerBase")


class TokenizerBase(TokenizerVocabulary, PushToHub):
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
        super().__init__(
            vocab_file,
            vocab,
            (pad_token, unk_token, cls_token, sep_token, mask_token),
            additional_special_tokens or (),
            added_tokens_decoder or {},
        )
        self.do_lower_case = do_lower_case
        self.tokenize_chinese_chars = tokenize_chinese_chars
        self.strip_accents = strip_accents
        self.clean_text = clean_text
        self.wordpieces_prefix = wordpieces_prefix
        self.clean_up_tokenization_spaces = clean_up_tokenization_spaces
        self.model_max_length = model_max_length
        self.padding_side = one_of("padding_side", padding_side, SIDES)
        self.truncation_side = one_of("truncation_side", truncation_side, SIDES)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({len(self)} pieces, do_lower_case={self.do_lower_case}, "
            f"model_max_length={self.model_max_length})"
        )

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
        batched = is_batch(text, is_split_into_words)
        firsts, seconds = sides_of(text, text_pair, batched, is_split_into_words)
        padding = padding_strategy(padding)
        strategy = truncation_strategy(padding, truncation, max_length)
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
            refuse_what_is_no_text(firsts, is_split_into_words)
            refuse_what_is_no_text(seconds or (), is_split_into_words)
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
        side = one_of("padding_side", side or self.padding_side, SIDES)
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
        listed = as_list(token_ids)
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
            for ids in as_list(sequences)
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

    def save_pretrained(self, save_directory: str | Path, *, longest: int | None = None) -> None:
        """Write ``vocab.txt`` and ``tokenizer_config.json``, which ``from_pretrained`` reads, here
        and in transformers. Other files in the folder stay.

        Args:
            longest: tokens that the model in the folder reads at once; ``model_max_length`` is written
                as no more than that, so that ``truncation=True`` cuts where the model ends.

        Raises:
            OSError: the folder cannot be written; the files that were there are whole.
        """
        config = {**self.settings(), "tokenizer_class": "ElectraTokenizer"}
        if longest is not None:
            config["model_max_length"] = min(self.model_max_length, longest)
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
