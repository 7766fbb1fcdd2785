"""Change a sentence and watch the discriminator."""

from __future__ import annotations

import time
from typing import Any

from electra_lab.checkpoints.pair import Pair
from electra_lab.inside.predictions import replaced_probabilities
from electra_lab.inside.views import TokenHeatMap, View

from .base import Explorer, sentence_field, show_words
from .words import changes, words_of

HINT = "Change a word, and see whether the discriminator notices."
EVERY_KEY = 0.1  # seconds that a prediction may take if each key is to be followed


class ReplacedTokenExplorer(Explorer):
    """A sentence that can be edited; the discriminator's heat map follows.

    Words that differ from the original sentence are framed, with the original above them. A click on
    a word chooses it for swapping.

    Args:
        pair: its discriminator and tokenizer are used.
        text: the original sentence.

    Attributes:
        original: the sentence that edits are compared with.
        heat_map: the view.
        message: what the reader is told: the changes, or why there is nothing to see.

    Raises:
        ValueError: the text is empty or longer than the model. (Later, when a reader leaves the text
            empty or makes it too long, that is said in place of the heat map.)
    """

    def __init__(self, pair: Pair, text: str) -> None:
        self.pair = pair
        self.heat_map = TokenHeatMap([], [])
        self.original, self._text = text, text
        self.message = HINT
        self._words = words_of(pair.tokenizer, text)
        began = time.perf_counter()
        self._look()
        self._follow_keys = time.perf_counter() - began < EVERY_KEY
        self.heat_map.on_event(self._choose)

    @property
    def text(self) -> str:
        """The sentence as it is now. Setting it asks the discriminator again."""
        return self._text

    @text.setter
    def text(self, text: str) -> None:
        self._text = text
        self._words = words_of(self.pair.tokenizer, text)
        try:
            self._look()
        except ValueError as error:
            self.message = str(error)
            self.heat_map.update([], [], note=self.message)
        self._show_controls()

    def swap(self, number: int, word: str) -> None:
        """Put ``word`` in the place of a word of the present sentence.

        Args:
            number: of the word, from 0; punctuation counts as words.
            word: what is put there. May be several words, or none.

        Raises:
            IndexError: the sentence has no such word.
        """
        if not 0 <= number < len(self._words):
            raise IndexError(
                f"There is no word {number}; the sentence has the words 0 to {len(self._words) - 1}."
            )
        old = self._words[number]
        self.text = self._text[: old.start] + word + self._text[old.stop :]

    def reset(self) -> None:
        """Go back to the original sentence."""
        self.text = self.original

    def __repr__(self) -> str:
        return f"ReplacedTokenExplorer\n{self.heat_map!r}"

    @property
    def views(self) -> list[View]:
        return [self.heat_map]

    def _make_controls(self) -> dict[str, Any]:
        """``text``, ``word`` (which to swap), ``becomes`` (for what), ``reset``."""
        import ipywidgets

        controls = {
            "text": sentence_field(self._follow_keys),
            "word": ipywidgets.Dropdown(description="Swap", layout={"width": "240px"}),
            "becomes": ipywidgets.Text(
                description="for",
                placeholder="another word, then Enter",
                continuous_update=False,
                layout={"width": "270px"},
                style={"description_width": "30px"},
            ),
            "reset": ipywidgets.Button(description="Back to the original"),
        }
        self._listen(controls["text"], self._typed)
        self._listen(controls["becomes"], self._becomes)
        controls["reset"].on_click(lambda _: self.reset())
        return controls

    def layout(self) -> list[list[str]]:
        return [["text"], ["word", "becomes", "reset"]]

    def _look(self) -> None:
        """Ask the discriminator, mark what changed.

        Raises:
            ValueError: the text is empty or too long.
        """
        found = replaced_probabilities(self.pair.discriminator, self.pair.tokenizer, self._text)
        changed = [False] * len(found)
        originals: list[str | None] = [None] * len(found)
        said = []
        for change in changes(words_of(self.pair.tokenizer, self.original), self._words):
            said.append(f"{change.before or '(nothing)'} → {change.after or '(nothing)'}")
            for number in change.words:
                word = self._words[number]
                originals[word.first] = change.before or None
                for token in range(word.first, word.first + len(word.pieces)):
                    changed[token] = True
        self.message = "Changed: " + "; ".join(said) if said else HINT
        self.heat_map.update(
            found.tokens,
            found.probabilities,
            replaced=changed,
            originals=originals,
            note=self.message,
        )

    def _typed(self, text: str) -> None:
        self.text = text

    def _becomes(self, word: str) -> None:
        number = self.controls["word"].value
        if word.strip() and number is not None:
            self.swap(number, word.strip())

    def _choose(self, event: dict[str, Any]) -> None:
        for number, word in enumerate(self._words):
            if event.get("index") in range(word.first, word.first + len(word.pieces)):
                self.controls["word"].value = number

    def _show(self, controls: dict[str, Any]) -> None:
        controls["text"].value = self._text
        controls["becomes"].value = ""
        show_words(controls["word"], self._words, controls["word"].value or 0)
