"""Training runs looked at together: their curves, and what the pairs of one have learned at each
snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from electra_lab.checkpoints.pair import DISCRIMINATOR, Pair, load_pair
from electra_lab.inside.analysis.calibration import Calibration, calibrate
from electra_lab.inside.analysis.corrupted import (
    CORRUPTIONS,
    GENERATOR,
    UNIGRAMS,
    Judged,
    judge_corrupted,
)
from electra_lab.inside.analysis.fooled import fooled_tokens
from electra_lab.inside.predictions import (
    proposal_probabilities,
    replaced_probabilities_of_ids,
    token_ids,
)
from electra_lab.inside.views import (
    CalibrationChart,
    FooledView,
    ReplayView,
    TrainingChart,
    View,
)
from electra_lab.inside.views.replay_view import Proposed
from electra_lab.inside.views.wording import visible
from electra_lab.text.microworld import MicroWorld
from electra_lab.training.history import history_of
from electra_lab.training.objectives import Electra
from electra_lab.training.snapshots import snapshots_of

from .base import Explorer, sentence_field, show_words
from .colourings import of_microworld
from .words import Word, changes, words_of

MOST_SNAPSHOTS = 12
"""Pairs of a run that are held in memory; of more snapshots, so many are taken, evenly apart."""
MICROWORLD_TEXTS = 200
"""Sentences that pairs of the micro-world are tested on, where no texts are given."""
NAMES = {GENERATOR: "replaced by its own generator", UNIGRAMS: "replaced by word frequency"}
HINT = "Move the slider to see the sentence as the pair judged it then."
_FIGURES = {"mlm_loss": "generator loss", "rtd_loss": "discriminator loss", "rtd_auc": "ROC AUC"}


@dataclass
class _Run:
    """A run with the pairs that it left, by the step after which they were so."""

    name: str
    history: list[dict[str, Any]] | None
    paths: dict[int, Path] = field(default_factory=dict)
    pairs: dict[int, Pair] = field(default_factory=dict)

    @property
    def steps(self) -> list[int]:
        """Of the snapshots."""
        steps = sorted({*self.paths, *self.pairs})
        if len(steps) <= MOST_SNAPSHOTS:
            return steps
        last = len(steps) - 1
        chosen = {round(i * last / (MOST_SNAPSHOTS - 1)) for i in range(MOST_SNAPSHOTS)}
        return [steps[i] for i in sorted(chosen)]

    def pair(self, step: int) -> Pair:
        if step not in self.pairs:
            self.pairs[step] = load_pair(self.paths[step])
        return self.pairs[step]

    def row(self, step: int) -> Mapping[str, Any]:
        """The last row of the history up to a step."""
        rows = [row for row in self.history or () if row["step"] <= step]
        return rows[-1] if rows else {}


class TrainingExplorer(Explorer):
    """Training runs: curves, a replay of one of them on a sentence, and the discriminator's calibration
    and mistakes at any of its snapshots.

    The slider over the snapshots (``Recipe.snapshot_every`` keeps them) moves all of it. A mistake that
    is clicked becomes the sentence. A run without snapshots is shown as it ended; one without a pair,
    such as a fine-tuning, by its curves alone.

    Args:
        runs: a run or a mapping from names to runs, as ``TrainingChart`` takes them; also a ``Pair``,
            which has no curves.
        texts: texts to corrupt, for calibration and mistakes. By default sentences of the micro-world,
            where the vocabulary is its own.
        text: the sentence that is replayed; the first of the texts by default.
        original: what the sentence was before somebody changed it; words that differ are marked.
        word: whose place the generator is asked about: its number from 0, or the word itself. By
            default the first that was changed, or the middle one.
        run: the name of the run to begin with; the first that left a pair by default.
        probability, temperature, counts, seed: of the corruption, see ``judge_corrupted``. A pair is
            calibrated, if at all, for the corruption that it was trained with.
        top_k: how many proposals are shown.

    Attributes:
        curves: the chart of all runs; None where there are only pairs.
        replay: the sentence at each snapshot; None where no run left a pair.
        calibration, fooled: of the snapshot that is shown; None without texts.
        message: what the reader is told.

    Raises:
        ValueError, FileNotFoundError: something is no run; there is no such run or word; there is
            neither a text nor texts; the text is empty or too long.
    """

    def __init__(
        self,
        runs: Any,
        texts: Sequence[str] = (),
        text: str = "",
        *,
        original: str = "",
        word: int | str | None = None,
        run: str | None = None,
        probability: float | int = 0.15,
        temperature: float | int = 1.0,
        counts: Mapping[str, int] | None = None,
        seed: int = 0,
        top_k: int = 5,
    ) -> None:
        if isinstance(texts, str):
            raise ValueError("texts is one string. Give a list of texts.")
        if top_k < 1:
            raise ValueError(f"top_k is {top_k}; it must be 1 or more.")
        named = runs if isinstance(runs, Mapping) else {"": runs}
        self._runs = {str(name): _run(str(name), given) for name, given in named.items()}
        self._judge = partial(
            judge_corrupted,
            probability=probability,
            temperature=temperature,
            counts=counts,
            seed=seed,
        )
        self._judged: dict[tuple[str, int, str], list[Judged]] = {}
        self._top_k, self._corruption, self.message = top_k, GENERATOR, HINT
        self.curves = self._curves(isinstance(runs, Mapping))
        self.replay: ReplayView | None = None
        self.calibration: CalibrationChart | None = None
        self.fooled: FooledView | None = None
        with_pairs = [name for name, one in self._runs.items() if one.steps]
        if run is not None and run not in with_pairs:
            raise ValueError(_no_run(run, with_pairs))
        if not with_pairs:
            self._run: _Run | None = None
            return
        self._run = self._runs[with_pairs[0] if run is None else run]
        self._step = self._run.steps[-1]
        self._texts = list(texts) or self._texts_of_the_microworld()
        self._text = text or (self._texts[0] if self._texts else "")
        self._original, self._word = original or self._text, 0
        if not self._text:
            raise ValueError(
                "There is no text. Give text, a sentence to replay, or texts to test the pair on."
            )
        self._words: list[Word] = words_of(self._tokenizer, self._text)
        self._word = self._number_of(word)
        self.replay = ReplayView([], [], [])
        self._look()
        self.replay.on_event(self._moved)
        if self._texts:
            self.calibration = CalibrationChart(self._calibrations())
            self.fooled = FooledView(fooled_tokens(self._of(self._step, self._corruption)))
            self._draw_mistakes()
            self.fooled.on_event(self._clicked)

    # What is chosen

    @property
    def run(self) -> str:
        """The name of the run that is replayed. Setting it asks its pairs.

        Raises:
            ValueError: it is set to a run that left no pair.
        """
        return "" if self._run is None else self._run.name

    @run.setter
    def run(self, name: str) -> None:
        with_pairs = [key for key, one in self._runs.items() if one.steps]
        if name not in with_pairs:
            raise ValueError(_no_run(name, with_pairs))
        self._run = self._runs[name]
        self._step = self._run.steps[-1]
        self._words = words_of(self._tokenizer, self._text)
        self._word = min(self._word, max(0, len(self._words) - 1))
        self._try_to_look()
        self._draw_mistakes()

    @property
    def steps(self) -> list[int]:
        """After which steps the run's pair is known."""
        return [] if self._run is None else self._run.steps

    @property
    def step(self) -> int:
        """The step whose pair is shown. Setting it shows another.

        Raises:
            ValueError: it is set to a step without a snapshot.
        """
        self._need_run()
        return self._step

    @step.setter
    def step(self, step: int) -> None:
        if step not in self.steps:
            raise ValueError(
                f"There is no snapshot of step {step}; there are {', '.join(map(str, self.steps))}."
            )
        self._step = step
        if self.replay is not None and self.replay.steps:
            self.replay.choose(self.steps.index(step))
        self._mark()
        self._draw_mistakes()

    @property
    def text(self) -> str:
        """The sentence that is replayed. Setting it asks all snapshots."""
        self._need_run()
        return self._text

    @text.setter
    def text(self, text: str) -> None:
        self._replay(text, text)

    @property
    def corruption(self) -> str:
        """Whose replacements the list of mistakes is about: ``"generator"`` or ``"unigrams"``.

        Raises:
            ValueError: it is set to another.
        """
        return self._corruption

    @corruption.setter
    def corruption(self, by: str) -> None:
        if by not in CORRUPTIONS:
            raise ValueError(f"corruption is {by!r}; use {' or '.join(map(repr, CORRUPTIONS))}.")
        self._corruption = by
        self._draw_mistakes()

    def mask(self, word: int | str) -> None:
        """Ask the generator about another word, by its number from 0 or its spelling.

        Raises:
            ValueError: there is no such word.
        """
        self._word = self._number_of(word)
        self._try_to_look()

    def __repr__(self) -> str:
        return "\n".join(["TrainingExplorer", *map(repr, self.views)])

    @property
    def views(self) -> list[View]:
        found = (self.curves, self.replay, self.calibration, self.fooled)
        return [view for view in found if view is not None]

    # Controls

    def _make_controls(self) -> dict[str, Any]:
        """``run``, ``text``, ``word`` (whose place the generator is asked about), ``corruption``. The
        slider over the snapshots is in the view, where it works without a kernel, too."""
        import ipywidgets

        controls = {
            "run": ipywidgets.Dropdown(description="Run", layout={"width": "340px"}),
            "text": sentence_field(False),
            "word": ipywidgets.Dropdown(description="Mask", layout={"width": "240px"}),
            "corruption": ipywidgets.Dropdown(
                description="Mistakes",
                options=[(title, by) for by, title in NAMES.items()],
                layout={"width": "340px"},
            ),
        }
        self._listen(controls["run"], partial(setattr, self, "run"))
        self._listen(controls["text"], partial(setattr, self, "text"))
        self._listen(controls["word"], self._chosen_word)
        self._listen(controls["corruption"], partial(setattr, self, "corruption"))
        return controls

    def layout(self) -> list[list[str]]:
        return [["run"], ["text"], ["word", "corruption"]]

    def _show(self, controls: dict[str, Any]) -> None:
        names = [(name or "run", name) for name, one in self._runs.items() if one.steps]
        if list(controls["run"].options) != names:
            controls["run"].options = names
        controls["run"].layout.display = None if len(names) > 1 else "none"
        for name in ("text", "word"):
            controls[name].layout.display = "none" if self.replay is None else None
        controls["corruption"].layout.display = "none" if self.fooled is None else None
        if self._run is None:
            return
        controls["run"].value = self._run.name
        controls["text"].value = self._text
        show_words(controls["word"], self._words, self._word)
        controls["corruption"].value = self._corruption

    def _chosen_word(self, number: int | None) -> None:
        if number is not None:
            self.mask(number)

    def _moved(self, event: dict[str, Any]) -> None:
        index = event.get("index")
        if isinstance(index, int) and 0 <= index < len(self.steps):
            self.step = self.steps[index]

    def _clicked(self, event: dict[str, Any]) -> None:
        """A mistake of a text: replay the text as it was corrupted."""
        index = event.get("index")
        judged = self._of(self._step, self._corruption)
        if not isinstance(index, int) or not 0 <= index < len(judged):
            return
        tokenizer, one = self._tokenizer, judged[index]
        now, before = (
            tokenizer.decode(tokenizer.convert_tokens_to_ids(list(tokens)))
            for tokens in (one.tokens, one.originals)
        )
        self._replay(now, before)

    # Asking

    @property
    def _tokenizer(self) -> Any:
        return self._need_run().pair(self._step).tokenizer

    def _need_run(self) -> _Run:
        if self._run is None:
            raise ValueError("No run left a pair, so there are only curves.")
        return self._run

    def _texts_of_the_microworld(self) -> list[str]:
        if not of_microworld(self._tokenizer.get_vocab()):
            return []
        return MicroWorld(seed=0, split="test").texts(MICROWORLD_TEXTS, seed=5)

    def _replay(self, text: str, original: str) -> None:
        self._text, self._original = text, original
        self._words = words_of(self._tokenizer, text)
        self._word = self._number_of(None) if self._words else 0
        self._try_to_look()

    def _number_of(self, word: int | str | None) -> int:
        if word is None:
            changed = [number for one in self._changes() for number in one.words]
            letters = [n for n, w in enumerate(self._words) if w.text.isalpha()]
            middle = letters[len(letters) // 2] if letters else len(self._words) // 2
            return changed[0] if changed else middle
        for number, other in enumerate(self._words):
            if word == number or (isinstance(word, str) and other.text.lower() == word.lower()):
                return number
        raise ValueError(
            f"The sentence has no word {word!r}; it has "
            f"{', '.join(f'{n} {visible(w.text)}' for n, w in enumerate(self._words))}."
        )

    def _changes(self) -> Any:
        return changes(words_of(self._tokenizer, self._original), self._words)

    def _try_to_look(self) -> None:
        """Ask the snapshots, or say why they cannot be asked."""
        try:
            self._look()
        except ValueError as error:
            self.message = str(error)
            if self.replay is not None:
                self.replay.update([], [], [], note=self.message)
        self._show_controls()

    def _look(self) -> None:
        """Ask every snapshot about the sentence.

        Raises:
            ValueError: the text is empty or too long.
        """
        run = self._need_run()
        ids = token_ids(self._tokenizer, self._text, run.pair(self._step).discriminator)
        word = self._words[self._word]
        hidden = (
            *ids[: word.first].tolist(),
            self._tokenizer.mask_token_id,
            *ids[word.first + len(word.pieces) :].tolist(),
        )
        probabilities, proposals = [], []
        for step in run.steps:
            pair = run.pair(step)
            on_device = ids.to(pair.device)
            said = replaced_probabilities_of_ids(pair.discriminator, on_device)
            probabilities.append(said.tolist())
            proposals.append(self._proposals(pair, on_device.new_tensor(hidden), word))
        originals: list[str | None] = [None] * len(ids)
        original = word.pieces[0] if len(word.pieces) == 1 else None
        for change in self._changes():
            for number in change.words:
                originals[self._words[number].first] = change.before or None
                if number == self._word:
                    pieces = self._tokenizer.tokenize(change.before)
                    original = pieces[0] if len(pieces) == 1 else None
        mask = self._tokenizer.mask_token
        self.message = HINT if len(run.steps) > 1 else ""
        assert self.replay is not None
        self.replay.update(
            run.steps,
            self._tokenizer.convert_ids_to_tokens(ids.tolist()),
            probabilities,
            originals=originals,
            masked=self._text[: word.start] + mask + self._text[word.stop :],
            proposals=proposals,
            original=original,
            figures=[self._figures(step) for step in run.steps],
            chosen=run.steps.index(self._step),
            title=run.name,
            note=self.message,
        )
        self._mark()

    def _proposals(self, pair: Pair, ids: Any, word: Word) -> Proposed:
        shares = proposal_probabilities(pair.generator, ids, [word.first])[0]
        best = shares.topk(min(self._top_k, len(shares)))
        tokens = pair.tokenizer.convert_ids_to_tokens(best.indices.tolist())
        return tokens, best.values.tolist()

    def _figures(self, step: int) -> dict[str, float]:
        """What the history and the texts say of a snapshot."""
        row = self._need_run().row(step)
        found = {name: float(row[key]) for key, name in _FIGURES.items() if key in row}
        if self._texts:
            of = _calibration(self._of(step, GENERATOR))
            found["calibration error"] = of.expected_error
            if of.area == of.area:  # not a number where nothing was replaced
                found["area under the curve"] = of.area
        return found

    def _of(self, step: int, by: str) -> list[Judged]:
        """The texts corrupted and judged, by the pair of a step; asked once."""
        run = self._need_run()
        key = run.name, step, by
        if key not in self._judged:
            self._judged[key] = self._judge(run.pair(step), self._texts, by)
        return self._judged[key]

    # Drawing

    def _curves(self, several: bool) -> TrainingChart | None:
        with_rows = {
            name: one.history for name, one in self._runs.items() if one.history is not None
        }
        if not with_rows:
            return None
        return TrainingChart(with_rows if several else next(iter(with_rows.values())))

    def _mark(self) -> None:
        run = self._need_run()
        if self.curves is not None:
            self.curves.marked = self._step if len(run.steps) > 1 else None

    def _calibrations(self) -> dict[str, Calibration]:
        return {NAMES[by]: _calibration(self._of(self._step, by)) for by in CORRUPTIONS}

    def _draw_mistakes(self) -> None:
        """Calibration and mistakes of the snapshot that is shown."""
        if self.calibration is not None and self.fooled is not None:
            run = self._need_run()
            at = f"step {self._step:,}" if run.history is not None else ""
            where = ", ".join(part for part in (run.name, at) if part)
            self.calibration.update(
                self._calibrations(), title="Is the discriminator to be believed?", note=where
            )
            self.fooled.update(
                fooled_tokens(self._of(self._step, self._corruption)),
                title=f"What still fools it: {NAMES[self._corruption]}",
                note=where,
            )
        self._show_controls()


def _calibration(judged: Sequence[Judged]) -> Calibration:
    return calibrate(
        [p for one in judged for p in one.probabilities],
        [mark for one in judged for mark in one.replaced],
    )


def _run(name: str, given: Any) -> _Run:
    """What is known of a run.

    Raises:
        ValueError, FileNotFoundError: it is no run.
    """
    if isinstance(given, Pair):
        return _Run(name, None, pairs={0: given})
    run = _Run(name, history_of(given))
    assert run.history is not None
    last = int(run.history[-1]["step"]) if run.history else 0
    if isinstance(given, str | Path):
        run.paths = snapshots_of(given)
        if not run.paths and (Path(given) / DISCRIMINATOR).is_dir():
            run.paths = {last: Path(given)}
    elif isinstance(getattr(given, "objective", None), Electra):
        run.pairs = {last: given.pair}
    return run


def _no_run(name: str, with_pairs: Sequence[str]) -> str:
    there = ", ".join(map(repr, with_pairs)) or "none"
    return f"There is no run {name!r} with a pair; there are {there}."
