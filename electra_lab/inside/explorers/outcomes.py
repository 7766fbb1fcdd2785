"""What a head says, drawn: for each kind of head its views, and what a reader can choose in them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from electra_lab.inside.trace import Lens, Trace
from electra_lab.inside.views import ChangeChart, TokenHeatMap, View

from .aligning import aligned, originals

MOST = 12  # labels or tokens in one chart; more than a reader follows at once
BEST = 6  # words for a [MASK]
SPECIAL = ("[CLS]", "[SEP]", "[PAD]")


@dataclass(frozen=True)
class Target:
    """What is explained.

    Attributes:
        label: number of a label, a word or a choice; 0 and 1 for start and end.
        position: the token whose outcome is meant, where the head scores tokens.
    """

    label: int
    position: int | None = None


@dataclass(frozen=True)
class LensGrid:
    """What a head says of each layer: arguments of a ``Lattice`` whose rows are the layers."""

    columns: list[str]
    values: list[list[float]]
    texts: list[list[str]] | None = None
    scale: float | None = 1.0


class Outcome(ABC):
    """The views of one kind of head. A trace is always one of a single row.

    A second trace is that of the text to compare with, or None.
    """

    @abstractmethod
    def views(self, compared: bool) -> list[View]:
        """What is shown, from top to bottom."""

    @abstractmethod
    def default(self, row: Trace) -> Target:
        """What is explained before the reader chooses."""

    @abstractmethod
    def draw(self, first: Trace, second: Trace | None, target: Target) -> None:
        """Draw what the head says of one text, or of two."""

    @abstractmethod
    def chosen(self, view: View, event: dict[str, Any]) -> Target | None:
        """What the reader chose in one of the views; None where it is nothing to explain."""

    @abstractmethod
    def lens(self, lens: Lens, row: Trace, target: Target) -> LensGrid:
        """What the head says of each layer."""

    def lens_positions(self, row: Trace, target: Target) -> list[int] | None:
        """The tokens that the lens needs; None for all."""
        return None

    def listen(self, view: View) -> bool:
        """Whether a click in a view chooses something; where only the first text is explained the
        other views say nothing."""
        return True

    def clear(self, message: str) -> None:
        """Show a message in place of an outcome."""
        for view in self.views(False):
            self._clear(view, message)

    def _clear(self, view: View, message: str) -> None:
        view.update([], [], note=message)  # type: ignore[attr-defined]

    def counterpart(self, target: Target, first: Trace, second: Trace) -> Target | None:
        """The same target in the second text; None where nothing there corresponds to it."""
        if target.position is None:
            return target
        places = dict(aligned(first.tokens[0], second.tokens[0]))
        place = places.get(target.position)
        return None if place is None else Target(target.label, place)

    def named(self, row: Trace, target: Target) -> str:
        """The target in words."""
        label = row.labels[target.label]
        if target.position is None:
            return label
        return f"{label} at “{row.tokens[0][target.position]}”"


def probabilities(row: Trace) -> Any:
    """What the head says of the one row."""
    assert row.probabilities is not None
    return row.probabilities[0]


class Labels(Outcome):
    """Classes, one or several; a number; choices."""

    TITLES = {  # noqa: RUF012
        "classes": "Probability of each class",
        "several classes": "Probability of each class, on its own",
        "number": "The number that the model gives",
        "choices": "Probability of each choice",
    }

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.chart = ChangeChart([], [], was="the first text", now="the other text")
        self.choices: tuple[list[str], list[str]] = [], []
        """What the choices of the two texts say; only where the labels are choices."""
        self._kept: list[int] = []

    def views(self, compared: bool) -> list[View]:
        return [self.chart]

    def name(self, row: Trace, label: int) -> str:
        """A label, or what a choice says."""
        if self.kind != "choices":
            return row.labels[label]
        said = [f"{label}. {part[label]}" for part in self.choices if label < len(part)]
        return _both(said[0], said[-1])

    def named(self, row: Trace, target: Target) -> str:
        return self.name(row, target.label)

    def default(self, row: Trace) -> Target:
        if self.kind == "choices":
            return Target(row.choice or 0)
        return Target(int(probabilities(row).argmax()))

    def draw(self, first: Trace, second: Trace | None, target: Target) -> None:
        was = probabilities(first).tolist()
        now = was if second is None else probabilities(second).tolist()
        count = min(len(was), len(now))
        sizes = [max(was[i], now[i]) for i in range(count)]
        largest = sorted(range(count), key=lambda i: -sizes[i])[:MOST]
        self._kept = sorted({*largest, target.label} & {*range(count)})
        title = self.TITLES[self.kind]
        if count > len(self._kept):
            title += f" (the {len(self._kept)} largest of {count})"
        self.chart.update(
            [self.name(first, i) for i in self._kept],
            [now[i] for i in self._kept],
            before=None if second is None else [was[i] for i in self._kept],
            scale=None if self.kind == "number" else 1.0,
            chosen=self._kept.index(target.label) if target.label in self._kept else None,
            title=title,
        )

    def chosen(self, view: View, event: dict[str, Any]) -> Target | None:
        match event:
            case {"event": "choose", "index": int(index)} if index in range(len(self._kept)):
                return Target(self._kept[index])
        return None

    def lens(self, lens: Lens, row: Trace, target: Target) -> LensGrid:
        values = lens.probabilities[:, 0]
        return LensGrid(
            [self.name(row, i) for i in self._kept],
            values[:, self._kept].tolist(),
            scale=None if self.kind == "number" else 1.0,
        )


class Replaced(Outcome):
    """The discriminator: a number for each token."""

    def __init__(self) -> None:
        self.first, self.second = TokenHeatMap([], []), TokenHeatMap([], [])
        self.moved = ChangeChart([], [], was="in the first text", now="in the other text")

    def views(self, compared: bool) -> list[View]:
        return [self.first, self.second, self.moved] if compared else [self.first]

    def default(self, row: Trace) -> Target:
        return Target(0, int(probabilities(row).argmax()))

    def draw(self, first: Trace, second: Trace | None, target: Target) -> None:
        title = "Was the token replaced?"
        p = probabilities(first).tolist()
        if second is None:
            self.first.update(first.tokens[0], p, title=title)
            return
        q = probabilities(second).tolist()
        self.first.update(first.tokens[0], p, title=f"The first text. {title}")
        were = originals(first.tokens[0], second.tokens[0])
        self.second.update(second.tokens[0], q, originals=were, title=f"The other text. {title}")
        lines = [
            (_both(first.tokens[0][i], second.tokens[0][j]), p[i], q[j])
            for i, j in aligned(first.tokens[0], second.tokens[0])
            if first.tokens[0][i] not in SPECIAL
        ]
        kept = _largest(lines, lambda line: abs(line[2] - line[1]))
        self.moved.update(
            [name for name, _, _ in kept],
            [now for _, _, now in kept],
            before=[was for _, was, _ in kept],
            title="What moved most, in the order of the text",
        )

    def chosen(self, view: View, event: dict[str, Any]) -> Target | None:
        match event:
            case {"event": "choose", "index": int(index)} if view is self.first:
                return Target(0, index) if index in range(len(self.first.tokens)) else None
        return None

    def listen(self, view: View) -> bool:
        return view is self.first

    def lens(self, lens: Lens, row: Trace, target: Target) -> LensGrid:
        return LensGrid(row.tokens[0], lens.probabilities[:, 0].tolist())


class Words(Outcome):
    """The generator: words for each [MASK]; where there is none, the tokens themselves. A language
    model that reads from left to right: the next word."""

    def __init__(self, causal: bool = False) -> None:
        self.causal = causal
        self.chart = ChangeChart([], [], was="in the first text", now="in the other text")
        self._lines: list[Target] = []

    def views(self, compared: bool) -> list[View]:
        return [self.chart]

    def places(self, row: Trace) -> list[int]:
        """The tokens for which words are proposed."""
        if self.causal:
            return [len(row.tokens[0]) - 1]
        return [i for i, token in enumerate(row.tokens[0]) if token == "[MASK]"]

    def default(self, row: Trace) -> Target:
        p, places = probabilities(row), self.places(row)
        if places:
            return Target(int(p[places[0]].argmax()), places[0])
        own = self._own(row)
        usual = [i for i, token in enumerate(row.tokens[0]) if token not in SPECIAL]
        place = min(usual, key=lambda i: float(p[i, own[i]]), default=0)
        return Target(own[place], place)

    @staticmethod
    def _own(row: Trace) -> list[int]:
        assert row.input_ids is not None
        return [int(number) for number in row.input_ids[0]]

    def draw(self, first: Trace, second: Trace | None, target: Target) -> None:
        lines = self._proposed(first, second) if self.places(first) else self._given(first, second)
        self._lines = [line[0] for line in lines]
        if self.causal:
            title = "Probability of the next word"
        elif self.places(first):
            title = "Probability of a word at [MASK]"
        else:
            title = "Probability that the model gives to the token itself, without hiding it"
        self.chart.update(
            [line[1] for line in lines],
            [line[3] for line in lines],
            before=None if second is None else [line[2] for line in lines],
            chosen=self._lines.index(target) if target in self._lines else None,
            title=title,
        )

    def _proposed(
        self, first: Trace, second: Trace | None
    ) -> list[tuple[Target, str, float, float]]:
        """The best words of each place, in either text."""
        lines = []
        p = probabilities(first)
        places = self.places(first)
        best = BEST if len(places) < 3 else max(1, MOST // len(places))
        for number, place in enumerate(places):
            partner = None if second is None else self._partner(number, place, first, second)
            q = p[place] if second is None or partner is None else probabilities(second)[partner]
            words = [*p[place].topk(best).indices.tolist(), *q.topk(best).indices.tolist()]
            mark = f"{number + 1}. " if len(places) > 1 else ""
            lines += [
                (Target(w, place), mark + first.labels[w], float(p[place, w]), float(q[w]))
                for w in dict.fromkeys(words)
            ]
        return lines

    def _partner(self, number: int, place: int, first: Trace, second: Trace) -> int | None:
        """The same [MASK] in the other text."""
        places = self.places(second)
        if number < len(places):
            return places[number]
        return dict(aligned(first.tokens[0], second.tokens[0])).get(place)

    def _given(self, first: Trace, second: Trace | None) -> list[tuple[Target, str, float, float]]:
        """The tokens that the model believes least."""
        p, own = probabilities(first), self._own(first)
        pairs = dict(
            aligned(first.tokens[0], first.tokens[0] if second is None else second.tokens[0])
        )
        lines = []
        for i, token in enumerate(first.tokens[0]):
            if token in SPECIAL or i not in pairs:
                continue
            was = float(p[i, own[i]])
            now = was if second is None else float(probabilities(second)[pairs[i], own[i]])
            lines.append((Target(own[i], i), token, was, now))
        return _largest(lines, lambda line: -min(line[2], line[3]))

    def counterpart(self, target: Target, first: Trace, second: Trace) -> Target | None:
        places = self.places(first)
        if target.position in places:
            place = self._partner(places.index(target.position), target.position, first, second)
            return None if place is None else Target(target.label, place)
        return super().counterpart(target, first, second)

    def chosen(self, view: View, event: dict[str, Any]) -> Target | None:
        match event:
            case {"event": "choose", "index": int(index)} if index in range(len(self._lines)):
                return self._lines[index]
        return None

    def lens_positions(self, row: Trace, target: Target) -> list[int] | None:
        return None if target.position is None else [target.position]

    def lens(self, lens: Lens, row: Trace, target: Target) -> LensGrid:
        """The best words at the target's place, best first."""
        best = lens.probabilities[:, 0, 0].topk(min(5, len(lens.labels)))
        texts = [[lens.labels[w] for w in line] for line in best.indices.tolist()]
        columns = ["best", *(f"{n}." for n in range(2, len(texts[0]) + 1))]
        return LensGrid(columns, best.values.tolist(), texts)


def _both(one: str, other: str) -> str:
    return one if one == other else f"{one} / {other}"


def _largest(lines: Sequence[Any], size: Any) -> list[Any]:
    """The lines with the largest ``size``, in their order."""
    order = sorted(range(len(lines)), key=lambda i: -size(lines[i]))
    return [lines[i] for i in sorted(order[:MOST])]
