"""Vectors as points of a plane, with labels, categories and neighbours."""

from __future__ import annotations

import base64
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .base import WIDTH, View
from .palette import DISCRIMINATOR, FAINT, GENERATOR, INK, PAPER, THIRD
from .wording import title_and_note, visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .picture import Canvas, Pixels

MOST_POINTS = 65_535  # their numbers are sent as two bytes
MOST_CATEGORIES = 15
OTHER = "other"
_SCALE = 65_535  # steps of a coordinate
_COSINE = 10_000  # steps of a cosine from 0 to 1

# A category is told by colour and shape together, so that neither has to be enough. Seven colours
# and five shapes have no common divisor: the first 35 pairs all differ.
COLOURS = (GENERATOR, DISCRIMINATOR, THIRD, "#a35fc4", "#9a7b00", "#d1478c", "#5a5fd0")
SHAPES = ("circle", "square", "triangle", "diamond", "cross")
GREY = "#7d8590"
_RAMP = (DISCRIMINATOR, "#a3678f", GENERATOR)  # of categories that have an order


@dataclass(frozen=True)
class Cloud:
    """One panel of a projector: where its points lie and which are neighbours.

    Attributes:
        title: what the vectors are.
        coordinates: (points, 2) numbers.
        neighbours: (points, k) numbers of each point's neighbours, nearest first.
        cosines: (points, k), how near they are.
        how: how the coordinates were found, in a few words.
    """

    title: str
    coordinates: Any
    neighbours: Any
    cosines: Any
    how: str = ""


@dataclass(frozen=True)
class Category:
    """An entry of the legend."""

    name: str
    count: int
    colour: str
    shape: str
    size: float  # in CSS pixels, from edge to edge


class Projector(View):
    """Points with labels in one panel, or in two that are linked.

    Pointing at a point names it. A click, or the Enter key, chooses it: its nearest neighbours are
    listed and marked, in each panel its own. What is typed is searched among the labels. The legend's
    entries hide and show their category. A panel is moved by dragging and enlarged by its buttons,
    by Ctrl and the wheel, or by the keys + and -.

    Args:
        labels: what each point is called.
        clouds: one panel, or two over the same points.
        categories: for each point, the name of its category.
        order: the categories in the legend's order; by default the most frequent first. A category
            keeps its colour and shape as long as the order is the same, whichever of them occur.
            Those beyond ``MOST_CATEGORIES`` are drawn as "other".
        ordered: whether that order means something, as for bands of frequency. The colours are then
            a ramp, and the first category has the largest points.
        kind: what the categories are: ``"part of speech"``.
        details: for each point, a line to show with its label, for example the sentence around it.
        title: a line above the panels.
        note: a line below the title.

    Events of the live widget: ``{"event": "choose", "index": i}`` when a point is chosen.

    Raises:
        ValueError: there is no panel or more than two, lengths differ, a coordinate is not finite, a
            neighbour is no point, or there are more than ``MOST_POINTS`` points.
    """

    module_name = "projector"
    style_name = "projector.css"

    def __init__(
        self,
        labels: Sequence[str],
        clouds: Sequence[Cloud],
        *,
        categories: Sequence[str] | None = None,
        order: Sequence[str] | None = None,
        ordered: bool = False,
        kind: str = "",
        details: Sequence[str] | None = None,
        title: str = "",
        note: str = "",
    ) -> None:
        super().__init__()
        self.labels: list[str] = []
        self.selected: int | None = None
        self.update(
            labels,
            clouds,
            categories=categories,
            order=order,
            ordered=ordered,
            kind=kind,
            details=details,
            title=title,
            note=note,
        )
        self._handlers.append(self._chosen)

    def update(
        self,
        labels: Sequence[str],
        clouds: Sequence[Cloud],
        *,
        categories: Sequence[str] | None = None,
        order: Sequence[str] | None = None,
        ordered: bool = False,
        kind: str = "",
        details: Sequence[str] | None = None,
        title: str = "",
        note: str = "",
    ) -> None:
        """Draw other points; the arguments are those of the constructor, and so are the errors. What
        was chosen stays chosen if its label is still there."""
        checked = [_checked(cloud, len(labels)) for cloud in clouds]
        if len(checked) not in (1, 2):
            raise ValueError(f"There are {len(checked)} clouds; a projector has one panel or two.")
        if len(labels) > MOST_POINTS:
            raise ValueError(
                f"There are {len(labels):,} points; at most {MOST_POINTS:,} can be drawn. Choose some."
            )
        for name, values in (("categories", categories), ("details", details)):
            if values is not None and len(values) != len(labels):
                raise ValueError(
                    f"There are {len(labels)} labels but {len(values)} {name}; give one for each."
                )
        if self.selected is not None and list(labels) != self.labels:
            before = self.labels[self.selected]
            self.selected = list(labels).index(before) if before in labels else None
        self.labels, self.clouds = list(labels), checked
        self.kind, self.title, self.note = kind, title, note
        self.details = None if details is None else list(details)
        names = list(categories) if categories is not None else [""] * len(labels)
        self.legend, self.category_of = _legend(names, order, ordered)
        self._push()

    def select(self, point: int | str | None) -> None:
        """Choose a point by its number or its label, or with None no point.

        Raises:
            ValueError: there is no such point.
        """
        if isinstance(point, str):
            if point not in self.labels:
                raise ValueError(f"No point is called {visible(point)!r}.")
            point = self.labels.index(point)
        if point is not None and not 0 <= point < len(self.labels):
            raise ValueError(
                f"There is no point {point}; the points are 0 to {len(self.labels) - 1}."
            )
        self.selected = point
        self._push()

    def neighbours(self, point: int | str, panel: int = 0) -> list[tuple[str, float]]:
        """The neighbours of a point in one panel, nearest first: label and cosine.

        Raises:
            ValueError: there is no such point.
        """
        if isinstance(point, str):
            if point not in self.labels:
                raise ValueError(f"No point is called {visible(point)!r}.")
            point = self.labels.index(point)
        cloud = self.clouds[panel]
        return [
            (self.labels[other], float(cosine))
            for other, cosine in zip(cloud.neighbours[point], cloud.cosines[point], strict=True)
        ]

    def state(self) -> dict[str, Any]:
        return {
            **title_and_note(self.title, self.note),
            "kind": visible(self.kind),
            "labels": [visible(label) for label in self.labels],
            "details": None if self.details is None else [visible(d, 200) for d in self.details],
            "categories": [
                {
                    "name": visible(entry.name) or "(no name)",
                    "count": entry.count,
                    "colour": entry.colour,
                    "shape": entry.shape,
                    "size": entry.size,
                }
                for entry in self.legend
            ],
            "category": _packed(self.category_of, "<u1"),
            "selected": self.selected,
            "clouds": [
                {
                    "title": visible(cloud.title, 100),
                    "how": visible(cloud.how, 100),
                    "points": _packed(np.round(_in_unit_square(cloud.coordinates) * _SCALE), "<u2"),
                    "neighbours": _packed(cloud.neighbours, "<u2"),
                    "cosines": _packed(np.round(np.asarray(cloud.cosines) * _COSINE), "<i2"),
                    "k": cloud.neighbours.shape[1],
                }
                for cloud in self.clouds
            ],
        }

    def __repr__(self) -> str:
        """How many points of which categories in which panels, and the chosen point's neighbours."""
        lines = [f"Projector: {len(self.labels):,} points"]
        lines += [visible(line, 300) for line in (self.title, self.note) if line]
        if self._names_categories():
            counts = ", ".join(_legend_text(entry) for entry in self.legend)
            lines.append(f"by {visible(self.kind) or 'category'}: {counts}")
        for panel, cloud in enumerate(self.clouds):
            said = visible(cloud.title, 100) or f"panel {panel + 1}"
            if self.selected is not None:
                near = ", ".join(
                    f"{visible(label)} {number(cosine)}"
                    for label, cosine in self.neighbours(self.selected, panel)
                )
                said += f", nearest to {visible(self.labels[self.selected])}: {near or 'none'}"
            lines.append(said)
        return "\n  ".join(lines)

    def height(self) -> int:
        panel = _HIGH if len(self.clouds) == 2 else _HIGH_ALONE
        columns = 2 if len(self.clouds) == 2 else 5
        most = max(cloud.neighbours.shape[1] for cloud in self.clouds)
        listed = 24 + 24 * math.ceil(most / columns)
        head = 22 * (bool(self.title) + bool(self.note))
        return head + 44 + 30 + panel + 28 + 26 * self._legend_lines() + listed + 20

    def figure(self) -> Figure:
        from .picture import Canvas

        head = _EDGE + _LINE * (bool(self.title) + bool(self.note))
        wide, high = self._panel_size()
        legend = self._legend_rows()
        near = 0 if self.selected is None else self._neighbour_lines()
        height = head + 2 * _LINE + high + 10 + _LINE * len(legend) + near * _LINE + _EDGE
        page = Canvas(height)
        page.heading(self.title, self.note, _EDGE, _LINE)
        for panel, cloud in enumerate(self.clouds):
            left = _EDGE + panel * (wide + _GAP)
            top = head + _LINE / 2
            page.text(left, top, visible(cloud.title, 60), 13, INK, weight="bold")
            page.text(left, top + _LINE - 3, visible(cloud.how, 60), 11, FAINT)
            box_top = head + 2 * _LINE
            page.box(left, box_top, wide, high, edge=_FRAME)
            self._draw_points(page, panel, left, box_top, wide, high)
            if self.selected is not None:
                self._write_neighbours(
                    page, panel, left, box_top + high + 10 + _LINE * (len(legend) + 0.5), wide
                )
        for line, entries in enumerate(legend):
            for left, entry in entries:
                middle = head + 2 * _LINE + high + 10 + _LINE * (line + 0.5)
                if entry is None:
                    page.text(left, middle, f"{visible(self.kind)}:", 11, FAINT)
                    continue
                _scatter(page, [left + 4], [middle], entry, 8)
                page.text(left + 14, middle, _legend_text(entry), 11, FAINT)
        return page.figure

    def to_png(self) -> bytes:
        from .picture import png

        # marks are drawn whole in the legend, and weaker among the points
        marks = {
            _mixed(PAPER, entry.colour, strength)
            for entry in self.legend
            for strength in (1.0, _STRENGTH if self.selected is None else _FAINTEST)
        }
        return png(self.figure, colours=[INK, FAINT, _FRAME, *sorted(marks)])

    def _draw_points(
        self, page: Canvas, panel: int, left: Pixels, top: Pixels, wide: Pixels, high: Pixels
    ) -> None:
        """Points, then as many labels as have room, the chosen point's neighbours first."""
        from .picture import text_width

        cloud = self.clouds[panel]
        if not self.labels:
            return
        unit = _in_unit_square(cloud.coordinates)
        across, up = np.maximum(np.ptp(unit, axis=0), 1e-9)
        scale = min((wide - 2 * _MARGIN) / across, (high - 2 * _MARGIN) / up)
        x = left + wide / 2 + (unit[:, 0] - 0.5) * scale
        y = top + high / 2 - (unit[:, 1] - 0.5) * scale
        chosen = self.selected
        near = [] if chosen is None else [int(n) for n in cloud.neighbours[chosen]]
        smaller = _size_factor(len(self.labels))
        for number_, entry in reversed(list(enumerate(self.legend))):
            mine = self.category_of == number_
            strength = _STRENGTH if chosen is None else _FAINTEST
            _scatter(page, x[mine], y[mine], entry, entry.size * smaller, strength)
        marked = [*([] if chosen is None else [chosen]), *near]
        for point in reversed(marked):
            entry = self.legend[self.category_of[point]]
            size = 12 if point == chosen else 8
            _scatter(page, [x[point]], [y[point]], entry, size, ring=True)
        taken: list[tuple[Pixels, ...]] = []
        # the same name beside every point would say nothing
        named = chosen is None and len(set(self.labels)) > 1
        rest = range(min(len(self.labels), _TRIED) if named else 0)
        for point in [*marked, *rest]:
            if len(taken) >= _MOST_LABELS:
                break
            text = visible(self.labels[point], 24)
            strong = point == chosen
            width = text_width(page.figure, text, 12 if strong else 10.5)
            sides = (
                (x[point] + (9 if strong else 6), y[point]),
                (x[point] - (9 if strong else 6) - width, y[point]),
                (x[point] - width / 2, y[point] - 13),
                (x[point] - width / 2, y[point] + 13),
            )
            boxes = [(at, middle - 7, at + width, middle + 7) for at, middle in sides]
            room = (left + 2, top + 2, left + wide - 2, top + high - 2)
            free = next((box for box in boxes if _fits(box, room, taken)), None)
            if free is None and not strong:
                continue
            box = free or boxes[0]
            taken.append(box)
            _halo(page, box[0], box[1] + 7, text, 12 if strong else 10.5, strong)

    def _write_neighbours(
        self, page: Canvas, panel: int, left: Pixels, middle: Pixels, wide: Pixels
    ) -> None:
        assert self.selected is not None
        near = self.neighbours(self.selected, panel)
        page.text(
            left,
            middle,
            f"nearest to {visible(self.labels[self.selected], 24)}, by cosine",
            11,
            FAINT,
        )
        column = wide / 2
        for place, (label, cosine) in enumerate(near):
            across, down = divmod(place, math.ceil(len(near) / 2))
            page.text(
                left + across * column,
                middle + _LINE * (down + 1),
                f"{number(cosine)}  {visible(label, 22)}",
                12,
                INK,
            )

    def _panel_size(self) -> tuple[float, float]:
        if len(self.clouds) == 1:
            return float(WIDTH - 2 * _EDGE), float(_HIGH_ALONE)
        return (WIDTH - 2 * _EDGE - _GAP) / 2, float(_HIGH)

    def _neighbour_lines(self) -> int:
        return 1 + math.ceil(max(cloud.neighbours.shape[1] for cloud in self.clouds) / 2)

    def _names_categories(self) -> bool:
        return any(entry.name for entry in self.legend)

    def _legend_rows(self) -> list[list[tuple[float, Category | None]]]:
        """The legend's entries with their left edges, line by line; None is the legend's name."""
        if not self._names_categories():
            return []
        rows: list[list[tuple[float, Category | None]]] = [[]]
        left = float(_EDGE)
        entries: list[Category | None] = [None] if self.kind else []
        for entry in [*entries, *self.legend]:
            text = f"{visible(self.kind)}:" if entry is None else _legend_text(entry)
            width = 5.7 * len(text) + (8 if entry is None else 28)
            if rows[-1] and left + width > WIDTH - _EDGE:
                rows.append([])
                left = float(_EDGE)
            rows[-1].append((left, entry))
            left += width
        return rows

    def _legend_lines(self) -> int:
        return len(self._legend_rows())

    def _chosen(self, event: dict[str, Any]) -> None:
        """Remember what the reader chose, so that picture and text show it; the live form shows it
        already and need not be sent everything again."""
        index = event.get("index")
        if event["event"] != "choose":
            return
        if index is None or (isinstance(index, int) and 0 <= index < len(self.labels)):
            self.selected = index


# CSS pixels
_EDGE, _LINE, _GAP, _MARGIN = 12, 22, 12, 14
_HIGH, _HIGH_ALONE = 342, 430
_MOST_LABELS, _TRIED = 36, 1_500
_FRAME = "#e5e7eb"
_STRENGTH, _FAINTEST = 0.8, 0.3  # of points, and of those that are not chosen


def number(cosine: float) -> str:
    """``.87``, ``-.12`` and ``1.0``, of the cosine as the page has it."""
    text = f"{round(abs(cosine) * _COSINE) / _COSINE:.2f}"
    short = "1.0" if text.startswith("1") else text[1:]
    return f"-{short}" if cosine < 0 and short != ".00" else short


def _checked(cloud: Cloud, points: int) -> Cloud:
    """The cloud as arrays.

    Raises:
        ValueError: it has another number of points, or holds what cannot be drawn.
    """
    coordinates = np.asarray(cloud.coordinates, dtype=np.float64)
    neighbours = np.asarray(cloud.neighbours, dtype=np.int64)
    cosines = np.asarray(cloud.cosines, dtype=np.float64)
    if coordinates.shape != (points, 2):
        raise ValueError(
            f"The coordinates of {cloud.title!r} have the shape {coordinates.shape}; "
            f"{points} points in a plane need {(points, 2)}."
        )
    if neighbours.ndim != 2 or len(neighbours) != points or neighbours.shape != cosines.shape:
        raise ValueError(
            f"neighbours and cosines of {cloud.title!r} have the shapes {neighbours.shape} and "
            f"{cosines.shape}; expected ({points}, k) for both."
        )
    if not (np.isfinite(coordinates).all() and np.isfinite(cosines).all()):
        raise ValueError(f"{cloud.title!r} holds numbers that are infinite or not a number.")
    if neighbours.size and not (neighbours.min() >= 0 and neighbours.max() < points):
        raise ValueError(
            f"A neighbour in {cloud.title!r} is no point; the points are 0 to {points - 1}."
        )
    return Cloud(cloud.title, coordinates, neighbours, np.clip(cosines, -1, 1), cloud.how)


def _legend(
    names: Sequence[str], order: Sequence[str] | None, ordered: bool
) -> tuple[list[Category], np.ndarray]:
    """The legend's entries and for each point the number of its entry."""
    counts = Counter(names)
    wanted = [name for name in order or [] if counts[name]]
    wanted += [name for name, _ in counts.most_common() if name not in wanted]
    if len(wanted) > MOST_CATEGORIES:
        wanted = [name for name in wanted if name != OTHER][: MOST_CATEGORIES - 1] + [OTHER]
    elif OTHER in wanted:
        wanted = [name for name in wanted if name != OTHER] + [OTHER]
    place = {name: number_ for number_, name in enumerate(wanted)}
    of_point = np.array([place.get(name, len(wanted) - 1) for name in names], dtype=np.int64)
    found = np.bincount(of_point, minlength=len(wanted))
    # a name has the same mark whichever others are there, if the order says which names there are
    mark = {name: number_ for number_, name in enumerate(dict.fromkeys([*(order or []), *wanted]))}
    entries = []
    for number_, name in enumerate(wanted):
        colour, shape, size = COLOURS[mark[name] % 7], SHAPES[mark[name] % 5], 6.5
        if ordered:
            along = number_ / max(1, len(wanted) - 1)
            colour, shape, size = _on_ramp(along), "circle", round(9 - 4.5 * along, 1)
        if name == OTHER:
            colour, shape, size = GREY, "circle", 4.0
        entries.append(Category(name, int(found[number_]), colour, shape, size))
    return entries, of_point


def _on_ramp(along: float) -> str:
    """A colour of the ramp, from its beginning at 0 to its end at 1."""
    part = min(int(along * (len(_RAMP) - 1)), len(_RAMP) - 2)
    amount = along * (len(_RAMP) - 1) - part
    return _mixed(_RAMP[part], _RAMP[part + 1], amount)


def _mixed(first: str, second: str, amount: float) -> str:
    """The colour between two, the first at 0 and the second at 1."""
    mixed = (
        round((1 - amount) * int(first[i : i + 2], 16) + amount * int(second[i : i + 2], 16))
        for i in (1, 3, 5)
    )
    return "#" + "".join(f"{value:02x}" for value in mixed)


def _legend_text(entry: Category) -> str:
    return f"{visible(entry.name, 30) or '(no name)'} ({entry.count:,})"


def _packed(values: Any, kind: str) -> str:
    """Whole numbers as bytes in base64, which JSON holds in a fifth of the room of digits."""
    return base64.b64encode(np.ascontiguousarray(values).astype(kind).tobytes()).decode()


def _in_unit_square(coordinates: np.ndarray) -> np.ndarray:
    """Moved and scaled, by the same factor along both axes, so that they fill the unit square."""
    if not len(coordinates):
        return coordinates
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    extent = float((high - low).max()) or 1.0
    return (coordinates - (low + high) / 2) / extent + 0.5


def _size_factor(points: int) -> float:
    """Many points are drawn smaller."""
    return 1.0 if points <= 800 else 0.75 if points <= 3000 else 0.55


def _scatter(
    page: Canvas,
    x: Iterable[Pixels],
    y: Iterable[Pixels],
    entry: Category,
    size: Pixels,
    strength: float = 1.0,
    ring: bool = False,
) -> None:
    """Marks of a category. Weaker ones are paler, not transparent: a picture of few colours is small,
    and it is stored in notebooks."""
    from .picture import MARKERS, points

    page.axes.scatter(
        list(x),
        list(y),
        s=points(size) ** 2,
        marker=MARKERS[entry.shape],
        color=_mixed(PAPER, entry.colour, strength),
        edgecolors=INK if ring else PAPER,
        linewidths=1 if ring else 0.4,
        zorder=3 if ring else 2,
    )


def _halo(page: Canvas, x: Pixels, y: Pixels, text: str, size: Pixels, strong: bool) -> None:
    """Text on a faint ground, so that it can be read on points."""
    from matplotlib import patheffects

    page.text(x, y, text, size, INK, weight="bold" if strong else "normal")
    written = page.axes.texts[-1]
    written.set_zorder(4)
    written.set_path_effects([patheffects.withStroke(linewidth=2, foreground="white")])


def _fits(
    box: tuple[Pixels, ...], room: tuple[Pixels, ...], taken: Sequence[tuple[Pixels, ...]]
) -> bool:
    """Whether a box (left, top, right, bottom) lies in the room and on no other."""
    left, top, right, bottom = map(float, box)
    inside = room[0] <= left and room[1] <= top and right <= room[2] and bottom <= room[3]
    return bool(inside) and not any(
        left < other[2] and other[0] < right and top < other[3] and other[1] < bottom
        for other in taken
    )
