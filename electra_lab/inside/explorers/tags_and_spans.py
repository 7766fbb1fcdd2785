"""What a tagger and what an extractor of answers say, drawn."""

from __future__ import annotations

from typing import Any, NamedTuple

from electra_lab.inside.trace import Lens, Trace
from electra_lab.inside.views import ChangeChart, Lattice, Span, SpanChart, View
from electra_lab.pipelines.answers import best_spans, end_probabilities

from .aligning import aligned
from .outcomes import LensGrid, Outcome, Target, probabilities

LEAST = 0.01  # a tag that is nowhere as likely has no row
ANSWERS = 5
LONGEST = 15  # tokens of an answer, as in the question-answering pipeline
CANDIDATES = 50  # answers that are looked through for one that the other text has
NO_ANSWER = "(no answer)"


class Tags(Outcome):
    """A tagger: the tags of each word, from its first piece."""

    def __init__(self) -> None:
        self.first, self.second = Lattice([], [], []), Lattice([], [], [])
        self.moved = Lattice([], [], [])
        self._kept: list[int] = []
        self._places: list[int] = []

    def views(self, compared: bool) -> list[View]:
        return [self.first, self.second, self.moved] if compared else [self.first]

    def _clear(self, view: View, message: str) -> None:
        view.update([], [], [], note=message)  # type: ignore[attr-defined]

    def default(self, row: Trace) -> Target:
        """The likeliest tag of the word that the model is least sure of."""
        p = probabilities(row)
        places = [place for place, _ in words_of_row(row)]
        place = min(places, key=lambda i: float(p[i].max()), default=0)
        return Target(int(p[place].argmax()), place)

    def draw(self, first: Trace, second: Trace | None, target: Target) -> None:
        seen = [(row, words_of_row(row)) for row in (first, second) if row is not None]
        highest = [
            max(
                (float(probabilities(row)[i, tag]) for row, words in seen for i, _ in words),
                default=0,
            )
            for tag in range(len(first.labels))
        ]
        self._kept = [tag for tag, p in enumerate(highest) if p >= LEAST or tag == target.label]
        self._places = [place for place, _ in seen[0][1]]
        left = len(first.labels) - len(self._kept)
        note = f"{left} tags are below .01 at every word and left out." if left else ""
        title = "Probability of each tag"
        self._draw_one(
            self.first, first, target, title if second is None else "The first text", note
        )
        if second is None:
            return
        self._draw_one(self.second, second, None, "The other text", "")
        p, q = probabilities(first), probabilities(second)
        pairs = [
            (seen[0][1][i], seen[1][1][j])
            for i, j in aligned([word for _, word in seen[0][1]], [word for _, word in seen[1][1]])
        ]
        self.moved.update(
            [first.labels[tag] for tag in self._kept],
            [one if one == other else f"{one} / {other}" for (_, one), (_, other) in pairs],
            [[float(q[j, tag] - p[i, tag]) for (i, _), (j, _) in pairs] for tag in self._kept],
            signed=True,
            title="The difference: the other text minus the first",
            legend="difference of the probabilities, word by word",
        )

    def _draw_one(
        self, view: Lattice, row: Trace, target: Target | None, title: str, note: str
    ) -> None:
        p, words = probabilities(row), words_of_row(row)
        lines = {tag: number for number, tag in enumerate(self._kept)}
        path = [(lines[int(p[place].argmax())], column) for column, (place, _) in enumerate(words)]
        cell = None
        if target is not None and target.position in [place for place, _ in words]:
            column = [place for place, _ in words].index(target.position)
            cell = (lines[target.label], column)
        view.update(
            [row.labels[tag] for tag in self._kept],
            [word for _, word in words],
            [[float(p[place, tag]) for place, _ in words] for tag in self._kept],
            path=path,
            target=cell,
            title=title,
            note=note,
            legend="probability; framed: the likeliest tag; bold: what is explained",
        )

    def chosen(self, view: View, event: dict[str, Any]) -> Target | None:
        match event:
            case {"event": "choose", "row": int(row), "column": int(column)} if view is self.first:
                if row in range(len(self._kept)) and column in range(len(self._places)):
                    return Target(self._kept[row], self._places[column])
        return None

    def listen(self, view: View) -> bool:
        return view is self.first

    def lens(self, lens: Lens, row: Trace, target: Target) -> LensGrid:
        words = words_of_row(row)
        best = lens.probabilities[:, 0, [place for place, _ in words]].max(-1)
        texts = [[row.labels[tag] for tag in line] for line in best.indices.tolist()]
        return LensGrid([word for _, word in words], best.values.tolist(), texts)


class Spans(Outcome):
    """A model that finds an answer in a passage."""

    def __init__(self) -> None:
        self.first, self.second = SpanChart([], [], []), SpanChart([], [], [])
        self.moved = ChangeChart([], [], was="from the first text", now="from the other text")
        self._answers: list[Answer] = []
        self._passage: list[int] = []
        self._side = 0  # what is explained: 0 the start of an answer, 1 its end
        self._picked = 0

    def views(self, compared: bool) -> list[View]:
        return [self.first, self.second, self.moved] if compared else [self.first]

    def _clear(self, view: View, message: str) -> None:
        view.update([], [], [], note=message)  # type: ignore[attr-defined]

    def default(self, row: Trace) -> Target:
        """The start of the best answer."""
        return Target(0, answers_of(row)[0].first)

    def draw(self, first: Trace, second: Trace | None, target: Target) -> None:
        self._answers = answers_of(first)
        self._passage = passage_of(first)
        chosen, self._side = self._number(target), target.label
        _draw_answers(self.first, first, chosen, "Where the answer starts and ends")
        if second is None:
            return
        _draw_answers(self.second, second, 0, "The other text")
        scores = [
            {answer.text: answer.score for answer in reversed(answers_of(row, CANDIDATES))}
            for row in (first, second)
        ]
        best = [answer.text for row in (first, second) for answer in answers_of(row)]
        names = list(dict.fromkeys(best))
        self.moved.update(
            names,
            [scores[1].get(name, 0.0) for name in names],
            before=[scores[0].get(name, 0.0) for name in names],
            title="The best answers of both, by their words",
        )

    def counterpart(self, target: Target, first: Trace, second: Trace) -> Target | None:
        """The start, or the end, of the other text's best answer."""
        best = answers_of(second)[0]
        return Target(target.label, best.last if target.label else best.first)

    def chosen(self, view: View, event: dict[str, Any]) -> Target | None:
        if view is not self.first:
            return None
        match event:
            case {"event": "choose", "index": int(index)} if index in range(len(self._answers)):
                self._picked = index
                return Target(self._side, self._end(self._answers[index], self._side))
            case {"event": "token", "index": int(index)} if index in range(len(self._passage)):
                return Target(self._side, self._passage[index])
        return None

    def listen(self, view: View) -> bool:
        return view is self.first

    def other_end(self, target: Target) -> Target:
        """From the start of an answer to its end, or back; any other token may be both."""
        number = self._number(target)
        if self._end(self._answers[number], target.label) != target.position:
            return Target(1 - target.label, target.position)
        return Target(1 - target.label, self._end(self._answers[number], 1 - target.label))

    @staticmethod
    def _end(answer: Answer, label: int) -> int:
        return answer.last if label else answer.first

    def _number(self, target: Target) -> int:
        """Which answer starts, or ends, at the target: of several the one that was picked."""
        found = [
            number
            for number, answer in enumerate(self._answers)
            if self._end(answer, target.label) == target.position
        ]
        return self._picked if self._picked in found else next(iter(found), 0)

    def lens(self, lens: Lens, row: Trace, target: Target) -> LensGrid:
        """The best answer of each layer, and its ends."""
        values, texts = [], []
        for logits in lens.logits[:, 0]:
            start, end = _ends(row, logits)
            best = _answers(row, start, end, 1)[0]
            tokens = [row.tokens[0][place] for place in (best.first, best.last)]
            values.append([best.score, float(start[best.first]), float(end[best.last])])
            texts.append([best.text, *tokens])
        return LensGrid(["the best answer", "starts at", "ends at"], values, texts)


class Answer(NamedTuple):
    """An answer and its tokens in the row; [CLS] is the answer that there is none."""

    text: str
    score: float
    first: int
    last: int


def answers_of(row: Trace, count: int = ANSWERS) -> list[Answer]:
    """The best answers of a row, best first; the same as the question-answering pipeline's, and the
    answer that there is none."""
    assert row.logits is not None
    start, end = _ends(row, row.logits[0])
    return _answers(row, start, end, count)


def _ends(row: Trace, logits: Any) -> Any:
    """The probabilities of start and end, over the passage and [CLS]."""
    inside = [side == 1 for side in row.sides[0]]
    return end_probabilities({"start_logits": logits[:, 0], "end_logits": logits[:, 1]}, inside)


def _answers(row: Trace, start: Any, end: Any, count: int) -> list[Answer]:
    found = [Answer(NO_ANSWER, float(start[0] * end[0]), 0, 0)]
    seen = set()
    for score, first, last in best_spans(start, end, count, LONGEST):
        place = _whole_words(row, first, last)
        if place not in seen:
            seen.add(place)
            found.append(Answer(_text(row, *place), score, first, last))
    return sorted(found, key=lambda answer: -answer.score)[:count]


def _whole_words(row: Trace, first: int, last: int) -> tuple[int, int]:
    """The tokens of all words that an answer touches."""
    words, sides = row.words[0], row.sides[0]
    of_passage = [i for i, side in enumerate(sides) if side == 1]
    return (
        min(i for i in of_passage if words[i] == words[first]),
        max(i for i in of_passage if words[i] == words[last]),
    )


def _text(row: Trace, first: int, last: int) -> str:
    if row.offsets is None or row.texts is None or row.texts[0][1] is None:
        return " ".join(row.tokens[0][first : last + 1])
    return row.texts[0][1][row.offsets[0][first][0] : row.offsets[0][last][1]]


def passage_of(row: Trace) -> list[int]:
    """The tokens of the passage."""
    return [i for i, side in enumerate(row.sides[0]) if side == 1]


def _draw_answers(view: SpanChart, row: Trace, chosen: int, title: str) -> None:
    assert row.logits is not None
    start, end = _ends(row, row.logits[0])
    passage = passage_of(row)
    place = {token: number for number, token in enumerate(passage)}
    spans = []
    for answer in answers_of(row):
        if answer.first == 0:
            spans.append(Span(answer.text, answer.score))
        else:
            first, last = _whole_words(row, answer.first, answer.last)
            spans.append(Span(answer.text, answer.score, place[first], place[last]))
    view.update(
        [row.tokens[0][i] for i in passage],
        start[passage].tolist(),
        end[passage].tolist(),
        spans,
        chosen=chosen,
        title=title,
    )


def words_of_row(row: Trace) -> list[tuple[int, str]]:
    """For each word its first token and its text."""
    found: dict[tuple[int | None, int], list[int]] = {}
    for place, (side, word) in enumerate(zip(row.sides[0], row.words[0], strict=True)):
        if word is not None:
            found.setdefault((side, word), []).append(place)
    return [(places[0], _joined([row.tokens[0][i] for i in places])) for places in found.values()]


def _joined(pieces: list[str]) -> str:
    return pieces[0] + "".join(piece.removeprefix("##") for piece in pieces[1:])
