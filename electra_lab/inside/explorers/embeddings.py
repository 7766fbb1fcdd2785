"""Vectors of words as points: the word table, what the projection makes of it, states in sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor

from electra_lab.checkpoints.pair import Pair
from electra_lab.inside.projection import (
    available_methods,
    nearest_neighbours,
    project,
    turned_like,
)
from electra_lab.inside.vectors import (
    EMBEDDINGS,
    PROJECTED,
    Occurrence,
    WordStates,
    has_projection,
    ids_of,
    project_rows,
    stage_names,
    word_states,
    word_table,
)
from electra_lab.inside.views import View
from electra_lab.inside.views.projector import Cloud, Projector
from electra_lab.inside.views.wording import visible

from .base import Explorer
from .colourings import (
    Colouring,
    by_frequency,
    by_kind,
    by_place,
    by_tag,
    kind_of,
    microworld,
    of_microworld,
)

VOCABULARY, SENTENCES = "vocabulary", "sentences"
TABLE = "word table"
NOTHING = "nothing"
Vectors = Float[Tensor, "points size"]
Models = Any  # a Pair, a model, or a mapping of names to these


@dataclass(frozen=True)
class _Source:
    """One model, the tokenizer that it reads with, and what it is called among several."""

    name: str
    model: Any
    tokenizer: Any

    def called(self, what: str) -> str:
        return f"{self.name}: {what}" if self.name else what


@dataclass(frozen=True)
class _Points:
    """What is drawn: labels, and the vectors of each space by name."""

    labels: tuple[str, ...]
    words: tuple[str, ...]  # as frequencies and tags know them
    spaces: Mapping[str, Callable[[], Vectors]]
    texts: tuple[int, ...] = ()  # of which text each is, where they come from texts
    details: tuple[str, ...] | None = None


class EmbeddingExplorer(Explorer):
    """A projector over the vectors of one model or of several.

    The points are the pieces of the vocabulary, each with its row of the word table or with that row
    after the projection; or the words of sentences, each with its state at any layer. Two panels show
    the same points in two such spaces: before and after the projection, two layers, two checkpoints.

    Args:
        models: a ``Pair``; a model (of this package or a live one of transformers); or a mapping of
            names to these, for checkpoints side by side. Of several vocabularies the pieces that all
            have are shown.
        tokenizer: for models that are not a ``Pair``.
        texts: sentences for the states of words.
        labels: for each text, a category to colour its words by.
        word: of the texts, show this word alone.
        tags: word -> part of speech. By default the micro-world's, where the vocabulary is its own.
        counts: word -> how often it occurs, for bands of frequency and for which pieces are shown
            first. By default counted in the micro-world, where the vocabulary is its own.
        points: ``"vocabulary"`` or ``"sentences"``; by default sentences where texts are given.
        left, right: names of spaces, see ``spaces``; ``right`` may be ``"nothing"``.
        method: ``"PCA"``, ``"t-SNE"``, or ``"UMAP"`` where umap-learn is installed.
        colour: one of ``colours``.
        limit: how many pieces of the vocabulary are shown at most. t-SNE of 2,000 takes about as
            long as one is willing to wait.
        seed: of t-SNE and UMAP.

    Attributes:
        projector: the view.
        message: what the reader is told.

    Raises:
        ValueError: a choice does not exist; there are labels but not one for each text; a text is
            empty or too long; a model without a tokenizer.
        TypeError: a model is no ELECTRA.
    """

    def __init__(
        self,
        models: Models,
        tokenizer: Any = None,
        *,
        texts: Sequence[str] = (),
        labels: Sequence[str] | None = None,
        word: str = "",
        tags: Mapping[str, str] | None = None,
        counts: Mapping[str, int] | None = None,
        points: str | None = None,
        left: str | None = None,
        right: str | None = None,
        method: str = "PCA",
        colour: str | None = None,
        limit: int = 2_000,
        seed: int = 0,
    ) -> None:
        if isinstance(texts, str):
            raise ValueError("texts is one string. Give a list of texts.")
        if labels is not None and len(labels) != len(texts):
            raise ValueError(f"There are {len(texts)} texts but {len(labels)} labels.")
        if limit < 2:
            raise ValueError(f"limit is {limit}; it must be 2 or more.")
        self._sources = _sources(models, tokenizer)
        self._labels = None if labels is None else [str(label) for label in labels]
        self._texts, self._word = list(texts), word
        vocabulary = self._sources[0].tokenizer.get_vocab()
        own = microworld() if of_microworld(vocabulary) else None
        self._tags = tags if tags is not None else own.tags if own else None
        self._counts = counts if counts is not None else own.counts if own else None
        self._limit, self._seed, self.message = limit, seed, ""
        self._found: dict[tuple[str, ...], Any] = {}
        self._pieces = self._vocabulary_points()
        self._occurrences = self._sentence_points() if texts else None
        self._points = points or (SENTENCES if texts else VOCABULARY)
        self._left, self._right, self._colour = left, right, colour
        self._method = method
        self._settle(strict=True)
        self.projector = Projector([], [_empty()])
        self._draw()

    # What is chosen, and what could be

    @property
    def points(self) -> str:
        """``"vocabulary"`` or ``"sentences"``."""
        return self._points

    @property
    def left(self) -> str:
        """The space of the left panel."""
        return cast(str, self._left)

    @property
    def right(self) -> str:
        """The space of the right panel, or ``"nothing"``."""
        return cast(str, self._right)

    @property
    def method(self) -> str:
        """How vectors are put into a plane."""
        return self._method

    @property
    def colour(self) -> str:
        """What points are coloured by."""
        return cast(str, self._colour)

    @property
    def spaces(self) -> list[str]:
        """The spaces that the present points have vectors in."""
        return list(self._now().spaces)

    @property
    def colours(self) -> list[str]:
        """What the present points can be coloured by."""
        return list(self._colourings())

    def show(
        self,
        *,
        points: str | None = None,
        left: str | None = None,
        right: str | None = None,
        method: str | None = None,
        colour: str | None = None,
    ) -> None:
        """Choose anew; what is not named stays, where the new points have it.

        Raises:
            ValueError: there is no such choice.
        """
        before = (self._points, self._left, self._right, self._method, self._colour)
        if points not in (None, self._points):  # other points, other spaces
            self._points, self._left, self._right = str(points), None, None
        self._left, self._right = left or self._left, right or self._right
        self._method, self._colour = method or self._method, colour or self._colour
        try:
            self._check(left, right, colour)
            self._settle()
        except ValueError:
            self._points, self._left, self._right, self._method, self._colour = before
            raise
        self._draw()
        self._show_controls()

    def read(self, texts: Sequence[str], word: str = "") -> None:
        """Take up other sentences, and show the states of their words.

        Args:
            texts: one or more sentences. Labels of earlier ones are forgotten.
            word: show this word alone.

        Raises:
            ValueError: there is no text, or one is empty or too long. What was shown stays.
        """
        made = self._states_of(list(texts), word)
        self._texts, self._word, self._occurrences = list(texts), word, made
        self._labels, self.message = None, ""
        self._found = {key: kept for key, kept in self._found.items() if key[0] != SENTENCES}
        if self._points != SENTENCES:
            self._points, self._left, self._right = SENTENCES, None, None
        self._settle()
        self._draw()
        self._show_controls()

    def select(self, point: int | str | None) -> None:
        """Choose a point by its number or its label, or with None no point.

        Raises:
            ValueError: there is no such point.
        """
        self.projector.select(point)

    def neighbours(self, point: int | str, panel: int = 0) -> list[tuple[str, float]]:
        """The neighbours of a point by cosine, nearest first: label and cosine.

        Raises:
            ValueError: there is no such point.
        """
        return self.projector.neighbours(point, panel)

    def __repr__(self) -> str:
        return f"EmbeddingExplorer\n{self.projector!r}"

    @property
    def views(self) -> list[View]:
        return [self.projector]

    # The points and their vectors

    def _now(self) -> _Points:
        if self._points == SENTENCES and self._occurrences is not None:
            return self._occurrences
        return self._pieces

    def _vocabulary_points(self) -> _Points:
        """The pieces that all vocabularies have, the important ones first, at most ``limit``."""
        first, *others = self._sources
        vocabulary: dict[str, int] = first.tokenizer.get_vocab()
        special = set(first.tokenizer.all_special_tokens)
        shared = [
            piece
            for piece, _ in sorted(vocabulary.items(), key=lambda item: item[1])
            if piece != first.tokenizer.pad_token  # its row is zero and is never trained
            and not piece.startswith("[unused")
            and all(piece in source.tokenizer.get_vocab() for source in others)
        ]
        counts = self._counts or {}

        def importance(piece: str) -> tuple[int, bool]:
            word = kind_of(piece, special) == "whole word" and len(piece) > 1
            return -counts.get(piece, 0), not word

        self._all = len(shared)
        labels = tuple(sorted(shared, key=importance)[: self._limit])
        spaces: dict[str, Callable[[], Vectors]] = {}
        seen: list[tuple[Tensor, _Source]] = []
        for source in self._sources:
            table = word_table(source.model)
            if not any(table.shape == t.shape and torch.equal(table, t) for t, _ in seen):
                seen.append((table, source))
        for table, source in seen:
            name = source.called(TABLE) if len(seen) > 1 else TABLE
            spaces[name] = _rows(table, source, labels)
        for source in self._sources:
            if has_projection(source.model):
                spaces[source.called(PROJECTED)] = _projected(source, labels)
        return _Points(labels, labels, spaces)

    def _sentence_points(self) -> _Points:
        return self._states_of(self._texts, self._word)

    def _states_of(self, texts: Sequence[str], word: str) -> _Points:
        """The words that all models read in the texts, and their states.

        Raises:
            ValueError: a text is empty or too long, or ``word`` does not occur.
        """
        found = [word_states(s.model, s.tokenizer, texts) for s in self._sources]
        keys = [{_key(at): number for number, at in enumerate(f.words)} for f in found]
        kept = [
            at
            for at in found[0].words
            if all(_key(at) in known for known in keys)
            and (not word or at.word.lower() == word.lower())
        ]
        if not kept:
            raise ValueError(
                f"The word {visible(word)!r} occurs in none of the texts."
                if word
                else "The texts have no word that all models read as one."
            )
        spaces: dict[str, Callable[[], Vectors]] = {}
        for source, states, known in zip(self._sources, found, keys, strict=True):
            chosen: WordStates = states.only([known[_key(at)] for at in kept])
            for stage, vectors in chosen.stages.items():
                spaces[source.called(stage)] = _constant(vectors)
        return _Points(
            tuple(at.word for at in kept),
            tuple(at.word for at in kept),
            spaces,
            tuple(at.text for at in kept),
            tuple(_marked(texts[at.text], at) for at in kept),
        )

    def _vectors(self, space: str) -> Vectors:
        return self._once((self._points, space), self._now().spaces[space])

    def _once(self, key: tuple[str, ...], make: Callable[[], Any]) -> Any:
        """What was computed under this key, or is now."""
        if key not in self._found:
            self._found[key] = make()
        return self._found[key]

    def _cloud(self, space: str, like: Float[Tensor, "points 2"] | None) -> Cloud:
        vectors = self._vectors(space)
        flat = self._once(
            (self._points, space, self._method),
            lambda: project(vectors, self._method, self._seed),
        )
        near = self._once(
            (self._points, space, "neighbours"), lambda: nearest_neighbours(vectors, 10)
        )
        coordinates = flat.coordinates if like is None else turned_like(flat.coordinates, like)
        return Cloud(space, coordinates, near[0], near[1], flat.how)

    # Colours

    def _colourings(self) -> dict[str, Callable[[], Colouring]]:
        points, source = self._now(), self._sources[0]
        made: dict[str, Callable[[], Colouring]] = {}
        if self._points == SENTENCES and self._labels is not None:
            labels = self._labels
            made["label"] = lambda: Colouring("label", tuple(labels[t] for t in points.texts))
        if self._tags is not None:
            tags = self._tags
            made["part of speech"] = lambda: by_tag(points.words, tags)
        if self._counts is not None:
            counts = self._counts
            made["frequency"] = lambda: by_frequency(points.words, counts)
        if self._points == VOCABULARY:
            vocabulary = source.tokenizer.get_vocab()
            special = source.tokenizer.all_special_tokens
            made["kind of piece"] = lambda: by_kind(points.words, special)
            made["place in the vocabulary"] = lambda: by_place(points.words, vocabulary)
        else:
            made["sentence"] = lambda: Colouring(
                "sentence", tuple(f"{text + 1}" for text in points.texts)
            )
        return made

    # Choices

    def _check(self, left: str | None, right: str | None, colour: str | None) -> None:
        """Refuse what was named and does not exist.

        Raises:
            ValueError: it does not.
        """
        choices = [VOCABULARY, SENTENCES]
        if self._points not in choices:
            raise ValueError(f"points is {self._points!r}. Use one of {_listed(choices)}.")
        if self._points == SENTENCES and self._occurrences is None:
            raise ValueError("There are no sentences yet. Give texts, or call read(texts).")
        for name, value, known in (
            ("left", left, self.spaces),
            ("right", right, [NOTHING, *self.spaces]),
            ("method", self._method, available_methods()),
            ("colour", colour, self.colours),
        ):
            if value is not None and value not in known:
                raise ValueError(f"{name} is {value!r}. Use one of {_listed(known)}.")

    def _settle(self, strict: bool = False) -> None:
        """Choose what was not chosen, or what the present points do not have."""
        if strict:
            self._check(self._left, self._right, self._colour)
        spaces = self.spaces
        if self._points == VOCABULARY:
            tables = [name for name in spaces if name.endswith(TABLE)]
            projected = [name for name in spaces if name.endswith(PROJECTED)]
            left, others = tables[0], [*tables[1:], *projected]
        else:
            # of a pair the discriminator, which is what is kept after pre-training
            source = next((s for s in self._sources if "discriminator" in s.name), self._sources[0])
            stages = [source.called(stage) for stage in stage_names(source.model)]
            left, others = source.called(EMBEDDINGS), stages[-1:]
        if self._left not in spaces:
            self._left = left
        if self._right not in [NOTHING, *spaces]:
            self._right = next((name for name in others if name != self._left), NOTHING)
        if self._colour not in self.colours:
            self._colour = self.colours[0]

    def _draw(self) -> None:
        points, colouring = self._now(), self._colourings()[self.colour]()
        left = self._cloud(self.left, None)
        clouds = [left]
        if self.right != NOTHING:
            clouds.append(self._cloud(self.right, left.coordinates))
        count = len(points.labels)
        what = "pieces of the vocabulary" if self._points == VOCABULARY else "words of the texts"
        shown = f"{count:,} of {self._all:,}" if self._hides() else f"{count:,}"
        self.projector.update(
            points.labels,
            clouds,
            categories=colouring.categories,
            order=colouring.order,
            ordered=colouring.ordered,
            kind=colouring.kind,
            details=points.details,
            note=self.message or f"{shown} {what}",
        )

    def _hides(self) -> bool:
        return self._points == VOCABULARY and len(self._pieces.labels) < self._all

    # Controls

    def _make_controls(self) -> dict[str, Any]:
        """``points``, ``colour``, ``method``, ``left``, ``right``, ``texts`` and ``word``."""
        import ipywidgets

        def choice(name: str, width: str) -> Any:
            return ipywidgets.Dropdown(
                description=name,
                layout={"width": width, "max_width": "100%"},
                style={"description_width": "60px"},
            )

        controls = {
            "points": choice("Points", "220px"),
            "colour": choice("Colour", "250px"),
            "method": choice("Method", "180px"),
            "left": choice("Left", "340px"),
            "right": choice("Right", "340px"),
            "texts": ipywidgets.Textarea(
                description="Sentences",
                placeholder="one sentence on each line; their words become points",
                continuous_update=False,
                rows=3,
                layout={"width": "480px", "max_width": "100%"},
                style={"description_width": "70px"},
            ),
            "word": ipywidgets.Text(
                description="Only",
                placeholder="all words",
                continuous_update=False,
                layout={"width": "200px"},
                style={"description_width": "40px"},
            ),
        }
        for name in ("points", "colour", "method", "left", "right"):
            self._listen(controls[name], self._chooser(name))
        for name in ("texts", "word"):
            self._listen(controls[name], self._typed)
        return controls

    def _chooser(self, name: str) -> Callable[[Any], None]:
        def choose(value: Any) -> None:
            if value is None:
                return
            try:
                self.message = ""
                self.show(**{name: value})
            except ValueError as error:
                self._say(str(error))

        return choose

    def _typed(self, _: str) -> None:
        texts = [line.strip() for line in self.controls["texts"].value.splitlines()]
        try:
            self.read([text for text in texts if text], self.controls["word"].value.strip())
        except ValueError as error:
            self._say(str(error))

    def _say(self, message: str) -> None:
        self.message = message
        self._draw()
        self._show_points()

    def _show_points(self) -> None:
        """The choices again, but not the texts: what was typed and did not do stays in sight."""
        self._showing = True
        try:
            self._show_choices(self.controls)
        finally:
            self._showing = False

    def layout(self) -> list[list[str]]:
        return [["points", "colour", "method"], ["left", "right"], ["texts", "word"]]

    def _show(self, controls: dict[str, Any]) -> None:
        self._show_choices(controls)
        controls["texts"].value = "\n".join(self._texts)
        controls["word"].value = self._word

    def _show_choices(self, controls: dict[str, Any]) -> None:
        options = {
            "points": [VOCABULARY, SENTENCES] if self._occurrences else [VOCABULARY],
            "colour": self.colours,
            "method": available_methods(),
            "left": self.spaces,
            "right": [NOTHING, *self.spaces],
        }
        for name, known in options.items():
            if list(controls[name].options) != known:
                controls[name].options = known
            controls[name].value = getattr(self, name)


def _sources(models: Models, tokenizer: Any, name: str = "") -> list[_Source]:
    """Every model of what was given, with its tokenizer.

    Raises:
        ValueError: there is none, or one has no tokenizer.
    """
    if isinstance(models, Mapping):
        found = [s for key, value in models.items() for s in _sources(value, tokenizer, str(key))]
        if not found:
            raise ValueError("There are no models. Give a pair, a model, or names with these.")
        return found
    if isinstance(models, Pair):
        return [
            _Source(f"{name} {half}".strip(), getattr(models, half), models.tokenizer)
            for half in ("generator", "discriminator")
        ]
    if tokenizer is None:
        raise ValueError("A model needs its tokenizer: EmbeddingExplorer(model, tokenizer).")
    return [_Source(name, models, tokenizer)]


def _rows(table: Tensor, source: _Source, pieces: Sequence[str]) -> Callable[[], Vectors]:
    return lambda: table[ids_of(source.tokenizer, pieces)]


def _projected(source: _Source, pieces: Sequence[str]) -> Callable[[], Vectors]:
    return lambda: project_rows(
        source.model, word_table(source.model)[ids_of(source.tokenizer, pieces)]
    )


def _constant(vectors: Vectors) -> Callable[[], Vectors]:
    return lambda: vectors


def _key(at: Occurrence) -> tuple[int, int, int]:
    return at.text, at.start, at.stop


def _marked(text: str, at: Occurrence) -> str:
    """The text around a word, the word between marks."""
    before, after = text[max(0, at.start - 60) : at.start], text[at.stop : at.stop + 60]
    return f"{before}»{text[at.start : at.stop]}«{after}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))


def _empty() -> Cloud:
    return Cloud("", torch.zeros(0, 2), torch.zeros(0, 1, dtype=torch.long), torch.zeros(0, 1))
