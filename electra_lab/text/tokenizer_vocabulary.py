"""What a tokenizer knows: pieces, added tokens and special tokens, and the id of each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tokenizers import AddedToken

from .added_tokens import AddedVocabulary, as_added_token, as_dictionary
from .encoding import Special
from .tokenizer_arguments import as_list, one_of
from .tokenizer_files import MORE_SPECIALS, SPECIAL_ROLES, VOCAB_FILE, Vocabulary, vocabulary_of

Token = str | AddedToken


class TokenizerVocabulary(ABC):
    """The half of a tokenizer that needs no text: tokens and their ids.

    Args:
        vocab_file: a ``vocab.txt``, one piece on each line; or the vocabulary itself, as ``vocab``.
        vocab: the vocabulary, as a list in the order of the ids or as a dictionary of ids.
        roles: the special token of each role, in the order of ``SPECIAL_ROLES``; all five must be in
            the vocabulary or, but for the unknown token, among the added tokens.
        more_special_tokens: special tokens without a role of their own.
        added_tokens_decoder: added tokens by their ids, as files hold them.

    Raises:
        FileNotFoundError: there is no such vocabulary file.
        ValueError: the vocabulary is empty, repeats a piece or lacks a special token; or an added
            token cannot have the id that it is given.
    """

    def __init__(
        self,
        vocab_file: str | Path | Vocabulary | None,
        vocab: Vocabulary | None,
        roles: Sequence[Token],
        more_special_tokens: Sequence[Token],
        added_tokens_decoder: Mapping[Any, Any],
    ) -> None:
        self._tokens, source = vocabulary_of(vocab_file, vocab)
        self._ids = {token: index for index, token in enumerate(self._tokens)}
        self.added_vocabulary = AddedVocabulary(self._ids)
        self.added_vocabulary.add_saved(added_tokens_decoder)
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
        more = [as_added_token(token, special=True) for token in more_special_tokens]
        self.additional_special_tokens = [token.content for token in more]
        for token in (*roles, *more):  # what was saved with a token counts before a bare name
            known = self.added_vocabulary.token(as_added_token(token).content)
            self.added_vocabulary.add(as_added_token(known or token, special=True))
        self._note_special_tokens()

    @property
    def vocab_size(self) -> int:
        """Number of pieces in the vocabulary; added tokens do not count."""
        return len(self._tokens)

    def __len__(self) -> int:
        """Pieces and added tokens together: the rows that a model's embedding table needs."""
        return self.added_vocabulary.size

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
                roles[one_of("special token", role, (*SPECIAL_ROLES, *MORE_SPECIALS))] = given  # type: ignore[assignment]
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
        listed = as_list(ids)
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
