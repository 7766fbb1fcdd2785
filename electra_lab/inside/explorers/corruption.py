"""Pre-training's game on one sentence: some tokens masked, the generator's draws, the verdicts."""

from __future__ import annotations

from typing import Any

import torch

from electra_lab.checkpoints.pair import Pair
from electra_lab.inside.analysis.fooled import THRESHOLD
from electra_lab.inside.predictions import (
    proposal_probabilities,
    replaced_probabilities_of_ids,
    token_ids,
)
from electra_lab.inside.views import ChangeChart, TokenHeatMap, View
from electra_lab.inside.views.wording import two_digits
from electra_lab.training.masking import (
    mask_tokens,
    replace_tokens,
    select_positions,
    selectable_positions,
)
from electra_lab.training.sampling import check_temperature, sample_inverse_cdf

from .base import Explorer, sentence_field, temperature_slider

HINT = "A click masks a token, or no longer."


class CorruptionExplorer(Explorer):
    """A sentence corrupted as in pre-training: a share of its tokens is masked, the generator draws one
    for each, and the discriminator judges every token of the result (paper, section 2).

    Below the verdicts each draw is a line: how likely the generator found it, and how likely the
    discriminator finds that it was there before. Where the two lengths differ the two disagree; the
    line with the largest difference is marked. A click on a token masks it too, or no longer.

    Args:
        pair: generator, discriminator and tokenizer.
        text: the sentence.
        share: of the tokens that is masked (paper, section 2: .15; the large models take .25). At least
            one is.
        temperature: of the generator's draws; 1 as in pre-training.
        seed: of the positions and the draws, so that a notebook draws the same again.

    Attributes:
        verdict: the discriminator's heat map of the corrupted sentence.
        draws: generator and discriminator beside each other, a line for each masked position.
        positions: the masked positions, in order.
        missed, accused: positions of replacements taken for originals, and of originals taken for
            replaced, a probability above .5 being taken for "replaced".
        message: what the reader is told.

    Raises:
        ValueError: the text is empty or too long, ``share`` is not above 0 and at most 1, or
            ``temperature`` is not above 0.
    """

    def __init__(
        self,
        pair: Pair,
        text: str,
        *,
        share: float = 0.15,
        temperature: float = 1.0,
        seed: int = 0,
    ) -> None:
        check_temperature(temperature)
        self.pair = pair
        self.verdict = TokenHeatMap([], [])
        self.draws = ChangeChart(
            [],
            [],
            was="the generator: this fits here",
            now="the discriminator: this was here before",
        )
        self.positions: list[int] = []
        self.missed: list[int] = []
        self.accused: list[int] = []
        self.message = HINT
        self._share, self._temperature = share, temperature
        self._random = torch.Generator().manual_seed(seed)
        self._start(text)
        self.verdict.on_event(self._choose_token)

    @property
    def text(self) -> str:
        """The sentence. Setting it masks and draws anew."""
        return self._text

    @text.setter
    def text(self, text: str) -> None:
        try:
            self._start(text)
        except ValueError as error:
            self._text, self.message = text, str(error)
            self._clear()
        self._show_controls()

    @property
    def share(self) -> float:
        """The share of tokens that is masked. Setting it masks and draws anew.

        Raises:
            ValueError: it is not above 0 and at most 1.
        """
        return self._share

    @share.setter
    def share(self, share: float) -> None:
        before, self._share = self._share, share
        try:
            if self._ids is not None:
                self._select()
        except ValueError:
            self._share = before
            raise
        self._play()

    @property
    def temperature(self) -> float:
        """What the generator's logits are divided by. Setting it draws anew at the same positions.

        Raises:
            ValueError: it is set to 0 or less.
        """
        return self._temperature

    @temperature.setter
    def temperature(self, temperature: float) -> None:
        check_temperature(temperature)
        self._temperature = temperature
        self._play()

    def sample(self) -> list[str]:
        """Let the generator draw again at the same positions; returns the tokens."""
        self._play()
        return [self.verdict.tokens[position] for position in self.positions]

    def mask(self, position: int) -> None:
        """Mask a position of the tokenised sentence too, or no longer mask it, and draw anew.

        Raises:
            ValueError: there is no such position, or a special token stands there.
        """
        if position not in self._maskable():
            raise ValueError(
                f"Position {position} cannot be masked; those that can are {self._maskable()}."
            )
        self.positions = sorted({*self.positions} ^ {position})
        self._play()

    def __repr__(self) -> str:
        return f"CorruptionExplorer\n{self.verdict!r}\n{self.draws!r}"

    @property
    def views(self) -> list[View]:
        return [self.verdict, self.draws]

    def _make_controls(self) -> dict[str, Any]:
        """``text``, ``share``, ``temperature``, ``sample``."""
        import ipywidgets

        controls = {
            "text": sentence_field(False),
            "share": ipywidgets.FloatSlider(
                description="Masked",
                min=min(0.05, self._share),
                max=1.0,
                step=0.05,
                readout_format=".0%",
                layout={"width": "330px"},
                style={"description_width": "90px"},
            ),
            "temperature": temperature_slider(self._temperature),
            "sample": ipywidgets.Button(description="Sample", layout={"width": "100px"}),
        }
        self._listen(controls["text"], self._typed)
        self._listen(controls["share"], self._more)
        self._listen(controls["temperature"], self._warmer)
        controls["sample"].on_click(lambda _: self.sample())
        return controls

    def layout(self) -> list[list[str]]:
        return [["text"], ["share", "temperature", "sample"]]

    def _show(self, controls: dict[str, Any]) -> None:
        controls["text"].value = self._text
        controls["share"].value = self._share
        controls["temperature"].value = self._temperature

    def _start(self, text: str) -> None:
        """Take up a sentence.

        Raises:
            ValueError: it is empty or too long.
        """
        self._ids: torch.Tensor | None = None
        self._ids = token_ids(self.pair.tokenizer, text, self.pair.discriminator)
        self._text = text
        self._select()
        self._play()

    def _clear(self) -> None:
        self.positions, self.missed, self.accused = [], [], []
        self.verdict.update([], [], note=self.message)
        self.draws.update([], [])

    def _maskable(self) -> list[int]:
        if self._ids is None:
            return []
        selectable = selectable_positions(self._ids[None], self.pair.tokenizer.all_special_ids)
        return selectable[0].nonzero()[:, 0].tolist()

    def _select(self) -> None:
        assert self._ids is not None
        chosen = select_positions(
            self._ids[None].cpu(),
            self.pair.tokenizer.all_special_ids,
            probability=self._share,
            generator=self._random,
        )
        self.positions = sorted(chosen.tolist())

    def _play(self) -> None:
        """Mask, draw, judge, and show it."""
        if self._ids is None:
            return
        tokenizer, ids = self.pair.tokenizer, self._ids
        positions: torch.Tensor = torch.tensor(self.positions, dtype=torch.long, device=ids.device)
        masked = mask_tokens(ids[None], positions, tokenizer.mask_token_id, mask_share=1.0)[0]
        fits = proposal_probabilities(
            self.pair.generator, masked, self.positions, self._temperature
        )
        drawn = sample_inverse_cdf(fits, self._random)
        probabilities = fits.gather(1, drawn[:, None])[:, 0].tolist()
        corrupted = replace_tokens(ids[None], positions, drawn.to(ids.device))[0]
        judged = replaced_probabilities_of_ids(self.pair.discriminator, corrupted)
        before = list(tokenizer.convert_ids_to_tokens(ids.tolist()))
        tokens = list(tokenizer.convert_ids_to_tokens(corrupted.tolist()))
        replaced = (corrupted != ids).tolist()
        suspected = (judged > THRESHOLD).tolist()
        self.missed = [n for n in range(len(ids)) if replaced[n] and not suspected[n]]
        self.accused = [n for n in range(len(ids)) if suspected[n] and not replaced[n]]
        self.message = self._said(sum(replaced))
        self.verdict.update(
            tokens,
            judged,
            originals=[old if new else None for old, new in zip(before, replaced, strict=True)],
            title=f"{len(self.positions)} of {len(self._maskable())} tokens masked and drawn",
            note=self.message,
        )
        self._compare(before, tokens, probabilities, (1 - judged).tolist())
        self._show_controls()

    def _said(self, replaced: int) -> str:
        found = replaced - len(self.missed)
        again = len(self.positions) - replaced
        return (
            f"{replaced} replaced ({found} found), {again} drawn as before; "
            f"{len(self.accused)} accused that were there. {HINT}"
        )

    def _compare(
        self, before: list[str], tokens: list[str], fits: list[float], original: list[float]
    ) -> None:
        names = [
            f"{before[n]} → {tokens[n]}" if before[n] != tokens[n] else f"{tokens[n]}, as it was"
            for n in self.positions
        ]
        there = [original[n] for n in self.positions]
        apart = [abs(a - b) for a, b in zip(fits, there, strict=True)]
        most = max(range(len(apart)), key=apart.__getitem__, default=None)
        note = "Nothing is masked."
        if most is not None:
            note = (
                f"Furthest apart: {names[most]}, {two_digits(fits[most])} against "
                f"{two_digits(there[most])}."
            )
        self.draws.update(
            names, there, before=fits, chosen=most, title="Where the two disagree", note=note
        )

    def _typed(self, text: str) -> None:
        self.text = text

    def _more(self, share: float) -> None:
        self.share = share

    def _warmer(self, temperature: float) -> None:
        self.temperature = temperature

    def _choose_token(self, event: dict[str, Any]) -> None:
        index = event.get("index")
        if isinstance(index, int) and index in self._maskable():
            self.mask(index)
