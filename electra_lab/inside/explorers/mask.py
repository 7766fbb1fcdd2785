"""Mask a word: what the generator proposes, and what the discriminator makes of a proposal."""

from __future__ import annotations

from typing import Any

import torch

from electra_lab.checkpoints.pair import Pair
from electra_lab.inside.predictions import (
    proposal_probabilities,
    replaced_probabilities_of_ids,
    token_ids,
)
from electra_lab.inside.views import ProposalChart, TokenHeatMap, View
from electra_lab.inside.views.wording import two_digits, visible
from electra_lab.training.sampling import check_temperature, sample_inverse_cdf

from .base import Explorer, sentence_field, show_words, temperature_slider
from .words import Word, words_of

HINT = "Put a proposal back (a bar, or Sample), and see what the discriminator says."


class MaskExplorer(Explorer):
    """A sentence with one word masked: the generator's proposals, and the discriminator's verdict on
    the sentence with a proposal put back. This is one word of pre-training, by hand.

    A click on a word masks it; a click on a proposal puts it back. The masked word becomes one
    [MASK], whatever its number of pieces.

    Args:
        pair: generator, discriminator and tokenizer.
        text: the sentence.
        word: which word to mask at first: its number from 0, or the word itself (the first of that
            spelling). The middle one by default.
        temperature: of the proposals and of sampling; 1 as in pre-training
            (google-research/electra, configure_pretraining.py).
        top_k: how many proposals are shown.
        seed: of the samples, so that a notebook draws the same again.

    Attributes:
        proposals: the chart of proposals.
        verdict: the discriminator's heat map.
        message: what the reader is told.

    Raises:
        ValueError: the text is empty or too long, there is no such word, ``temperature`` is not
            above 0, or ``top_k`` is below 1.
    """

    def __init__(
        self,
        pair: Pair,
        text: str,
        word: int | str | None = None,
        *,
        temperature: float = 1.0,
        top_k: int = 10,
        seed: int = 0,
    ) -> None:
        check_temperature(temperature)
        if top_k < 1:
            raise ValueError(f"top_k is {top_k}; it must be 1 or more.")
        self.pair = pair
        self.proposals, self.verdict = ProposalChart([], []), TokenHeatMap([], [])
        self.message = HINT
        self._top_k, self._temperature = top_k, temperature
        self._random = torch.Generator().manual_seed(seed)
        self._text = text
        self._words: list[Word] = []
        self._word: Word | None = None
        self._filled: int | None = None
        self._distribution = torch.empty(0)
        self._start(text, word)
        self.proposals.on_event(self._choose_proposal)
        self.verdict.on_event(self._choose_word)

    @property
    def text(self) -> str:
        """The sentence. Setting it masks its middle word."""
        return self._text

    @text.setter
    def text(self, text: str) -> None:
        self._text = text
        try:
            self._start(text, None)
        except ValueError as error:
            self._words, self._word = [], None
            self.message = str(error)
            self.proposals.update([], [], note=self.message)
            self.verdict.update([], [])
        self._show_controls()

    @property
    def temperature(self) -> float:
        """What the generator's logits are divided by. Setting it asks the generator again.

        Raises:
            ValueError: it is set to 0 or less.
        """
        return self._temperature

    @temperature.setter
    def temperature(self, temperature: float) -> None:
        check_temperature(temperature)
        self._temperature = temperature
        if self._word is not None:
            self._ask_generator()
            self._ask_discriminator()
        self._show_controls()

    def mask(self, word: int | str) -> None:
        """Mask another word, by its number from 0 or its spelling.

        Raises:
            ValueError: there is no such word.
        """
        self._word = self._words[self._number_of(word)]
        self._filled = None
        self._ask_generator()
        self._ask_discriminator()
        self._show_controls()

    def put_back(self, token: str) -> None:
        """Put a token in the place of the masked word and ask the discriminator.

        Raises:
            ValueError: no word is masked, or the vocabulary has no such token.
        """
        self._need_word()
        known = self.pair.tokenizer.get_vocab()
        if token not in known:
            raise ValueError(
                f"{visible(token)!r} is no token of the vocabulary, so the generator cannot propose it."
            )
        self._fill(known[token])

    def sample(self) -> str:
        """Draw a token from the generator's distribution, put it back, and return it.

        Raises:
            ValueError: no word is masked.
        """
        self._need_word()
        self._fill(int(sample_inverse_cdf(self._distribution[None], self._random)[0]))
        return self._token(self._filled)

    def __repr__(self) -> str:
        return f"MaskExplorer\n{self.proposals!r}\n{self.verdict!r}"

    @property
    def views(self) -> list[View]:
        return [self.proposals, self.verdict]

    def _make_controls(self) -> dict[str, Any]:
        """``text``, ``word`` (which to mask), ``temperature``, ``sample``."""
        import ipywidgets

        controls = {
            "text": sentence_field(False),
            "word": ipywidgets.Dropdown(description="Mask", layout={"width": "240px"}),
            "temperature": temperature_slider(self._temperature),
            "sample": ipywidgets.Button(description="Sample", layout={"width": "100px"}),
        }
        self._listen(controls["text"], self._typed)
        self._listen(controls["word"], self._chosen)
        self._listen(controls["temperature"], self._warmer)
        controls["sample"].on_click(lambda _: None if self._word is None else self.sample())
        return controls

    def layout(self) -> list[list[str]]:
        return [["text"], ["word", "temperature", "sample"]]

    def _start(self, text: str, word: int | str | None) -> None:
        """Take up a sentence.

        Raises:
            ValueError: it is empty or too long, or has no such word.
        """
        self._ids = token_ids(self.pair.tokenizer, text, self.pair.discriminator)
        self._words = words_of(self.pair.tokenizer, text)
        letters = [n for n, w in enumerate(self._words) if w.text.isalpha()]
        middle = letters[len(letters) // 2] if letters else len(self._words) // 2
        self.mask(middle if word is None else word)

    def _number_of(self, word: int | str) -> int:
        if isinstance(word, int) and 0 <= word < len(self._words):
            return word
        for number, other in enumerate(self._words):
            if isinstance(word, str) and other.text.lower() == word.lower():
                return number
        raise ValueError(
            f"The sentence has no word {word!r}; it has "
            f"{', '.join(f'{n} {visible(w.text)}' for n, w in enumerate(self._words))}."
        )

    def _need_word(self) -> Word:
        if self._word is None:
            raise ValueError(f"No word is masked. {self.message}")
        return self._word

    def _ask_generator(self) -> None:
        word = self._need_word()
        tokenizer = self.pair.tokenizer
        masked = self._text[: word.start] + tokenizer.mask_token + self._text[word.stop :]
        ids = self._with(tokenizer.mask_token_id)
        self._distribution = proposal_probabilities(
            self.pair.generator, ids, [word.first], self._temperature
        )[0]
        best = self._distribution.topk(min(self._top_k, len(self._distribution)))
        self.proposals.update(
            tokenizer.convert_ids_to_tokens(best.indices.tolist()),
            best.values,
            original=word.pieces[0] if len(word.pieces) == 1 else None,
            chosen=None if self._filled is None else self._token(self._filled),
            title=masked,
            note=f"The generator's proposals at temperature {self._temperature:.1f}",
        )

    def _ask_discriminator(self) -> None:
        word = self._need_word()
        ids = self._ids if self._filled is None else self._with(self._filled)
        probabilities = replaced_probabilities_of_ids(self.pair.discriminator, ids)
        tokens = self.pair.tokenizer.convert_ids_to_tokens(ids.tolist())
        originals: list[str | None] = [None] * len(tokens)
        self.message = HINT
        if self._filled is not None:
            token, verdict = tokens[word.first], two_digits(float(probabilities[word.first]))
            drawn = two_digits(float(self._distribution[self._filled]))
            self.message = f"Put back: {token} (the generator gave it {drawn}). "
            if (token,) == word.pieces:
                self.message += (
                    "It is the original word, so the right answer is: original. "
                    f"The discriminator gives replaced {verdict}."
                )
            else:
                originals[word.first] = word.text
                self.message += f"The discriminator gives replaced {verdict}."
        self.verdict.update(
            tokens,
            probabilities,
            originals=originals,
            title="The discriminator's verdict",
            note=self.message,
        )

    def _fill(self, token_id: int) -> None:
        self._filled = token_id
        self.proposals.chosen = self._token(token_id)
        self._ask_generator()
        self._ask_discriminator()

    def _with(self, token_id: int | None) -> torch.Tensor:
        """The sentence's ids with one id in the place of the masked word."""
        word = self._need_word()
        after = word.first + len(word.pieces)
        one = self._ids.new_tensor([token_id])
        return torch.cat([self._ids[: word.first], one, self._ids[after:]])

    def _token(self, token_id: int | None) -> str:
        return str(self.pair.tokenizer.convert_ids_to_tokens([token_id])[0])

    def _typed(self, text: str) -> None:
        self.text = text

    def _chosen(self, number: int | None) -> None:
        if number is not None:
            self.mask(number)

    def _warmer(self, temperature: float) -> None:
        self.temperature = temperature

    def _choose_proposal(self, event: dict[str, Any]) -> None:
        index = event.get("index")
        if isinstance(index, int) and 0 <= index < len(self.proposals.tokens):
            self.put_back(self.proposals.tokens[index])

    def _choose_word(self, event: dict[str, Any]) -> None:
        index = event.get("index")
        if not isinstance(index, int) or self._word is None:
            return
        if self._filled is not None and index > self._word.first:
            index += len(self._word.pieces) - 1  # the verdict shows one token for the whole word
        for number, word in enumerate(self._words):
            if word.first <= index < word.first + len(word.pieces):
                self.mask(number)

    def _show(self, controls: dict[str, Any]) -> None:
        controls["text"].value = self._text
        controls["temperature"].value = self._temperature
        number = None if self._word is None else self._words.index(self._word)
        show_words(controls["word"], self._words, number)
