"""ELECTRA's tokenizer, twice: ``ElectraTokenizer`` in readable Python, ``ElectraTokenizerFast`` on the
``tokenizers`` library. The same arguments, the same ids, the same files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors

from .added_tokens import Finder
from .encoding import Pieces
from .tokenizer_base import TokenizerBase
from .tokenizer_files import TOKENIZER_FILE, Vocabulary, read_tokenizer_file
from .wordpiece import BasicTokenizer, Character, Word, WordPiece


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


def _make_again(
    cls: type[TokenizerBase], vocab: list[str], settings: dict[str, Any]
) -> TokenizerBase:
    return cls(vocab=vocab, **settings)
