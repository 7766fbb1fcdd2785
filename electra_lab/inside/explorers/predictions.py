"""Predictions of any ELECTRA: what it says of a text, which tokens made it say so, and where in the
layers; beside it another text, with the difference."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from electra_lab.inside.trace import (
    Attributions,
    InputXGradient,
    IntegratedGradients,
    Trace,
    logit_lens,
    trace,
)
from electra_lab.inside.trace.live import own_model
from electra_lab.inside.trace.outcome import kind_of
from electra_lab.inside.views import AttributionMap, Lattice, View
from electra_lab.inside.views.wording import two_decimals, with_sign

from .aligning import aligned, originals
from .base import Explorer, sentence_field
from .fields import check_form, field_names, fields_of, row_name, with_fields
from .loading import model_and_tokenizer
from .outcomes import Labels, LensGrid, Outcome, Replaced, Target, Words
from .tags_and_spans import Spans, Tags, answers_of

HINT = "Click a prediction to explain it, or a word below it to hide it in the other text."
LENS_NOTE = "The head was taught on the last layer; what it says of the others is a reading."
METHODS = ("integrated gradients", "input x gradient")
STEPS = 20  # the fewest that Sundararajan et al. 2017 (section 5) found to be enough
LENSES = ("first", "other", "difference")


@dataclass(frozen=True)
class Seen:
    """One of the two texts, as the model saw it.

    Attributes:
        text: in the form in which it was given.
        whole: its trace; a row for each window or choice.
        number: of the row that is shown.
        row: that row alone.
    """

    text: Any
    whole: Trace
    number: int
    row: Trace


class PredictionExplorer(Explorer):
    """What an ELECTRA says of a text, why, and what it says of another text beside it.

    Shown are the head's own outcome (probabilities of classes, tags of each word, starts and ends
    with the best answers, choices, words for a [MASK], replaced tokens); the tokens that raised or
    lowered what the reader chose in it; and what the head would say of each layer. With another text
    beside it, everything is shown for both, and the difference. A click on a word hides it, as
    [MASK], in the other text.

    Args:
        model: any ELECTRA head of this package; a folder, a bundled name or a hub id; or a live model
            of transformers.
        text: a text; a (text, text) pair; ``{"question": ..., "context": ...}``; or ``{"context":
            ..., "choices": [...]}`` for multiple choice. What was given decides which fields there
            are to type in.
        other: the text to compare with, of the same form; None for none.
        tokenizer: the model's, or where it lies; by default the one beside the model.
        method: ``"integrated gradients"`` or ``"input x gradient"``.
        steps: of integrated gradients; the paper finds 20 to 300 enough (Sundararajan et al. 2017,
            section 5).

    Attributes:
        outcome: the views of what the head says, and what a reader can choose in them.
        why, why_other: what raised and lowered the target, in each text.
        layers: what the head would say of each layer.
        target: what is explained.
        message: what the reader is told.

    Raises:
        ValueError: a text is empty, too long or of a form that the head does not read; the model has
            no head; a model without a tokenizer. (Later, when a reader types such a text, that is said
            in place of the picture.)
        FileNotFoundError: there is no such checkpoint.
        TypeError: the model is no ELECTRA, or one that was modified.
    """

    def __init__(
        self,
        model: Any,
        text: Any,
        other: Any = None,
        *,
        tokenizer: Any = None,
        method: str = METHODS[0],
        steps: int = STEPS,
    ) -> None:
        check_form(text)
        self.model, self.tokenizer = model_and_tokenizer(model, tokenizer)
        # the same parameters; whether it says the same is checked at each new text
        self._own = own_model(self.model)
        self.kind = kind_of(self._own)
        self.outcome = _outcome_of(self.kind, self._own)
        self.why, self.why_other = AttributionMap([], []), AttributionMap([], [])
        self.layers = Lattice([], [], [])
        self.message = HINT
        self._method, self._steps, self._lens = _checked(method), steps, LENSES[0]
        IntegratedGradients(steps=_positive(steps))
        self._text, self._other = text, other
        self._first = self._seen(text)
        self._second = self._seen_beside(other)
        self.target = self.outcome.default(self._first.row)
        self._draw()
        for view in self.outcome.views(True):
            if self.outcome.listen(view):
                view.on_event(partial(self._chose, view))
        self.why.on_event(lambda event: self._clicked(event, self._first))
        self.why_other.on_event(lambda event: self._clicked(event, self._second))

    # What is looked at

    @property
    def text(self) -> Any:
        """The first text, in the form in which it was given. Setting it asks the model again."""
        return self._text

    @text.setter
    def text(self, text: Any) -> None:
        check_form(text)
        self._text = text
        self._look()

    @property
    def other(self) -> Any:
        """The text to compare with, or None. Setting it asks the model again."""
        return self._other

    @other.setter
    def other(self, other: Any) -> None:
        if other is not None:
            check_form(other)
        self._other = other
        self._look(keep=True)

    @property
    def row(self) -> int:
        """Which sequence of the first text is shown: of a long passage's windows, or of the choices.

        Raises:
            IndexError: there is no such row.
        """
        return self._first.number

    @row.setter
    def row(self, row: int) -> None:
        if row not in range(len(self._first.whole)):
            raise IndexError(
                f"There is no row {row}; the rows are 0 to {len(self._first.whole) - 1}."
            )
        self._first = self._at(self._first, row)
        if self._second is not None and self.kind == "choices":
            self._second = self._at(self._second, min(row, len(self._second.whole) - 1))
        self.target = self.outcome.default(self._first.row)
        self._draw()
        self._show_controls()

    @property
    def method(self) -> str:
        """How targets are explained. Setting it explains again.

        Raises:
            ValueError: there is no such method.
        """
        return self._method

    @method.setter
    def method(self, method: str) -> None:
        self._method = _checked(method)
        self._draw()
        self._show_controls()

    def explain(self, label: int | str, position: int | None = None) -> None:
        """Explain another outcome of the first text.

        Args:
            label: name or number of a label, a choice or a word; ``"start"`` or ``"end"``;
                ``"replaced"``.
            position: the token, where the head scores tokens.

        Raises:
            ValueError: there is no such label, or the head needs a position, or has none.
            IndexError: there is no such token or number.
        """
        row = self._first.row
        if isinstance(label, str):
            if label not in row.labels:
                known = ", ".join(row.labels[:10]) + " ..." * (len(row.labels) > 10)
                raise ValueError(f"There is no label {label!r}; the labels are {known}.")
            label = row.labels.index(label)
        if label not in range(len(row.labels)):
            raise IndexError(
                f"There is no label {label}; the labels are 0 to {len(row.labels) - 1}."
            )
        per_token = self.target.position is not None
        if per_token != (position is not None):
            raise ValueError(
                "This head scores tokens; say which token is meant: position=..."
                if per_token
                else "This head scores whole sequences; leave position out."
            )
        if position is not None and position not in range(len(row.tokens[0])):
            raise IndexError(
                f"There is no token {position}; the tokens are 0 to {len(row.tokens[0]) - 1}."
            )
        self._explain(Target(label, position))

    def hide(self, position: int, other: bool = False) -> None:
        """Put a [MASK] in the place of a word, in the other text.

        Args:
            position: one of the word's tokens, of the text that is looked at.
            other: count in the other text, which then has more words hidden; otherwise in the first,
                of which the other text becomes a copy.

        Raises:
            IndexError: there is no such token, or no other text.
            ValueError: the token is none of a word; or the tokenizer does not say where it stands.
        """
        seen = self._second if other else self._first
        if seen is None or position not in range(len(seen.row.tokens[0])):
            raise IndexError(f"There is no token {position} in that text.")
        self.other = _hidden(seen, position, self.tokenizer.mask_token)

    def __repr__(self) -> str:
        return "\n".join(["PredictionExplorer", *map(repr, self.views)])

    @property
    def views(self) -> list[View]:
        compared = self._second is not None
        why: list[View] = [self.why, self.why_other] if compared else [self.why]
        return [*self.outcome.views(compared), *why, self.layers]

    # The model is asked

    def _seen(self, text: Any) -> Seen:
        """Raises:
        ValueError: the text is empty, too long or of the wrong form.
        """
        if self.kind == "span" and not fields_of(text)[1].strip():
            raise ValueError("This model answers from a passage; give question and context.")
        whole = trace(self.model, text, tokenizer=self.tokenizer)
        number = 0
        if self.kind == "span":  # the window with the best answer
            number = max(range(len(whole)), key=lambda n: answers_of(whole.select(n))[0].score)
        elif self.kind == "choices":
            assert whole.logits is not None
            number = int(whole.logits[0].argmax())
        return Seen(text, whole, number, whole.select(number))

    def _seen_beside(self, other: Any) -> Seen | None:
        """The text to compare with; of choices the same one."""
        if other is None:
            return None
        seen = self._seen(other)
        if self.kind == "choices":
            return self._at(seen, min(self._first.number, len(seen.whole) - 1))
        return seen

    @staticmethod
    def _at(seen: Seen, number: int) -> Seen:
        return Seen(seen.text, seen.whole, number, seen.whole.select(number))

    def _look(self, keep: bool = False) -> None:
        """Ask the model of both texts; ``keep`` what is explained."""
        try:
            if not keep or self._first.text is not self._text:
                self._first = self._seen(self._text)
                self.target = self.outcome.default(self._first.row)
            self._second = self._seen_beside(self._other)
        except (ValueError, MemoryError) as error:
            self._second = None
            self._say_instead(str(error))
        else:
            self._draw()
        self._show_controls()

    def _say_instead(self, message: str) -> None:
        """A message in place of a picture."""
        self.message = message
        self.outcome.clear(message)
        self.why.update([], [])
        self.layers.update([], [], [])
        self._arrange()

    def _explain(self, target: Target) -> None:
        if self.kind == "choices":
            self.row = target.label  # each choice is explained by the sequence that it makes
            return
        self.target = target
        self._draw()
        self._show_controls()

    def _attributions(self, seen: Seen, target: Target) -> Attributions:
        """Which tokens of the row moved the target."""
        integrated = self._method == METHODS[0]
        if self.kind == "choices":  # each by its own logit
            asked = IntegratedGradients(steps=self._steps) if integrated else InputXGradient()
            found = trace(self._own, seen.text, tokenizer=self.tokenizer, gradients=asked)
            found = found.select(seen.number)
        else:
            label = None if self.kind == "replaced" else target.label
            where = {"label": label, "position": target.position}
            asked = (
                IntegratedGradients(steps=self._steps, **where)
                if integrated
                else InputXGradient(**where)
            )
            row = {"input_ids": seen.row.input_ids, "token_type_ids": seen.row.segments}
            found = trace(self._own, row, tokenizer=self.tokenizer, gradients=asked)
        assert found.attributions is not None
        return found.attributions

    # What is drawn

    def _draw(self) -> None:
        first, second = self._first, self._second
        self.message = HINT
        if self.kind == "choices" and isinstance(self.outcome, Labels):
            beside = first if second is None else second
            self.outcome.choices = first.text["choices"], beside.text["choices"]
        self.outcome.draw(first.row, None if second is None else second.row, self.target)
        partner = None
        if second is not None:
            partner = self.outcome.counterpart(self.target, first.row, second.row)
        found = self._attributions(first, self.target)
        other = None
        if second is not None and partner is not None:
            other = self._attributions(second, partner)
        both = [found] if other is None else [found, other]
        scale = max(float(part.scores.abs().max()) for part in both)
        named = self.outcome.named(first.row, self.target)
        self.why.update(
            first.row.tokens[0],
            found.scores[0],
            scale=scale,
            title=f"What speaks for {named}" + ("" if second is None else " in the first text"),
            note=_sum_said(found),
        )
        if second is not None:
            tokens = second.row.tokens[0]
            self.why_other.update(
                tokens,
                [0.0] * len(tokens) if other is None else other.scores[0],
                scale=scale,
                originals=originals(first.row.tokens[0], tokens),
                title="What speaks for it in the other text",
                note="Nothing in this text corresponds to it."
                if other is None
                else _sum_said(other),
            )
        self._draw_layers(partner)
        self._arrange()

    def _draw_layers(self, partner: Target | None) -> None:
        lens = self._lens if self._lens in self._lenses() else LENSES[0]
        first, second = self._first, self._second
        title = "What the head would say of each layer"
        if second is None or lens == "first":
            self._draw_lens(self._grid(first, self.target), title)
        elif lens == "other":
            target = self.target if partner is None else partner
            self._draw_lens(self._grid(second, target), f"{title}, of the other text")
        else:
            one, two = self._grid(first, self.target), self._grid(second, self.target)
            pairs = aligned(one.columns, two.columns)
            if isinstance(self.outcome, Labels):
                pairs = [(n, n) for n in range(min(len(one.columns), len(two.columns)))]
            grid = LensGrid(
                [
                    one.columns[i]
                    if one.columns[i] == two.columns[j]
                    else f"{one.columns[i]} / {two.columns[j]}"
                    for i, j in pairs
                ],
                [
                    [after[j] - before[i] for i, j in pairs]
                    for before, after in zip(one.values, two.values, strict=True)
                ],
                scale=one.scale,
            )
            self._draw_lens(grid, f"{title}: the other text minus the first", signed=True)

    def _draw_lens(self, grid: LensGrid, title: str, signed: bool = False) -> None:
        number = self.kind == "number"
        self.layers.update(
            ["input", *(f"layer {n}" for n in range(len(grid.values) - 1))],
            grid.columns,
            grid.values,
            texts=grid.texts,
            scale=grid.scale,
            signed=signed,
            title=title,
            note=LENS_NOTE,
            legend="the number" if number else "probability" + (", other minus first" * signed),
        )

    def _grid(self, seen: Seen, target: Target) -> LensGrid:
        row = seen.whole if self.kind == "choices" else seen.row
        positions = self.outcome.lens_positions(seen.row, target)
        lens = logit_lens(row, self._own, tokenizer=self.tokenizer, positions=positions)
        return self.outcome.lens(lens, seen.row, target)

    def _lenses(self) -> tuple[str, ...]:
        """Which layers can be looked at: the differences of single numbers only."""
        if self._second is None:
            return LENSES[:1]
        return LENSES[:2] if self.kind in ("words", "tags", "span") else LENSES

    def _arrange(self) -> None:
        """Let the live form show the views that there are now."""
        if "panel" in self.__dict__:
            lines = len(self.layout())
            shown = [view.widget for view in self.views]
            self.panel.children = (*self.panel.children[:lines], *shown)

    # What the reader does

    def _chose(self, view: View, event: dict[str, Any]) -> None:
        target = self.outcome.chosen(view, event)
        if target is not None:
            self._explain(target)

    def _clicked(self, event: dict[str, Any], seen: Seen | None) -> None:
        match event:
            case {"event": "choose", "index": int(index)} if seen is not None:
                try:
                    self.hide(index, other=seen is self._second)
                except (ValueError, IndexError) as error:
                    self.message = str(error)
                    self._show_controls()

    def _make_controls(self) -> dict[str, Any]:
        """``first`` and ``second`` field of the text; ``other_first`` and ``other_second`` of the text
        beside it, where an empty field is as in the first; ``method``, ``end`` (an answer's start or
        end), ``row`` (which sequence), ``lens`` (of which text), ``alone`` (no other text), ``hint``."""
        import ipywidgets

        names = field_names(self._text)
        controls: dict[str, Any] = {}
        for field, name in zip(("first", "second"), names, strict=True):
            controls[field] = sentence_field(every_key=False)
            controls[field].description = name
            controls[f"other_{field}"] = sentence_field(every_key=False)
            controls[f"other_{field}"].description = f"Other {name.lower()}"
            controls[f"other_{field}"].placeholder = "to compare with; empty: as above"
        for field in controls.values():
            field.style.description_width = "110px"
        wide = {"width": "270px"}
        controls["method"] = ipywidgets.Dropdown(description="Why", options=METHODS, layout=wide)
        controls["end"] = ipywidgets.Dropdown(
            description="Explain", options=[("its start", 0), ("its end", 1)], layout=wide
        )
        controls["row"] = ipywidgets.Dropdown(description="Sequence", layout={"width": "340px"})
        controls["lens"] = ipywidgets.Dropdown(description="Layers of", layout=wide)
        controls["alone"] = ipywidgets.Button(
            description="Without the other text", layout={"width": "190px"}
        )
        controls["hint"] = ipywidgets.Label(layout={"max_width": "100%"})
        self._listen(controls["first"], lambda text: self._typed(first=text))
        self._listen(controls["second"], lambda text: self._typed(second=text))
        for field in ("other_first", "other_second"):
            self._listen(controls[field], lambda _: self._typed_other())
        self._listen(controls["method"], lambda method: setattr(self, "method", method))
        self._listen(controls["end"], self._chosen_end)
        self._listen(controls["row"], self._chosen_row)
        self._listen(controls["lens"], self._chosen_lens)
        controls["alone"].on_click(lambda _: setattr(self, "other", None))
        return controls

    def layout(self) -> list[list[str]]:
        return [
            ["first"],
            ["second"],
            ["other_first"],
            ["other_second"],
            ["method", "end", "row", "lens", "alone"],
            ["hint"],
        ]

    def _show(self, controls: dict[str, Any]) -> None:
        controls["first"].value, controls["second"].value = mine = fields_of(self._text)
        theirs = ("", "") if self._other is None else fields_of(self._other)
        for field, own, other in zip(("other_first", "other_second"), mine, theirs, strict=True):
            controls[field].value = "" if other == own else other
        paired = bool(mine[1] or theirs[1]) or self.kind in ("classes", "several classes", "number")
        _appear(controls["second"], paired)
        _appear(controls["other_second"], paired)
        rows = [(row_name(self._first.whole, n), n) for n in range(len(self._first.whole))]
        if list(controls["row"].options) != rows:
            controls["row"].options = rows
        controls["row"].value = self._first.number
        _appear(controls["row"], len(rows) > 1)
        controls["method"].value = self._method
        controls["end"].value = self.target.label if self.kind == "span" else 0
        _appear(controls["end"], self.kind == "span")
        lenses = self._lenses()
        if controls["lens"].options != lenses:
            controls["lens"].options = lenses
        controls["lens"].value = self._lens if self._lens in lenses else LENSES[0]
        _appear(controls["lens"], len(lenses) > 1)
        _appear(controls["alone"], self._other is not None)
        controls["hint"].value = self.message

    def _typed(self, first: str | None = None, second: str | None = None) -> None:
        old = fields_of(self._text)
        first, second = old[0] if first is None else first, old[1] if second is None else second
        self.text = with_fields(self._text, first, second)

    def _typed_other(self) -> None:
        mine = fields_of(self._text)
        typed = [self.controls[field].value.strip() for field in ("other_first", "other_second")]
        if not any(typed):
            self.other = None
        else:
            first, second = (new or own for new, own in zip(typed, mine, strict=True))
            self.other = with_fields(self._text, first, second)

    def _chosen_end(self, end: int) -> None:
        if isinstance(self.outcome, Spans) and end != self.target.label:
            self._explain(self.outcome.other_end(self.target))

    def _chosen_row(self, row: int | None) -> None:
        if row is not None:
            self.row = row

    def _chosen_lens(self, lens: str) -> None:
        self._lens = lens
        self._draw()


def _outcome_of(kind: str, model: Any) -> Outcome:
    match kind:
        case "replaced":
            return Replaced()
        case "words":
            return Words(causal=type(model).__name__ == "ElectraForCausalLM")
        case "tags":
            return Tags()
        case "span":
            return Spans()
        case "states":
            raise ValueError(
                "The bare model has no head, so there is nothing that it predicts. Give a model with "
                "a head, for example ElectraForPreTraining."
            )
        case _:
            return Labels(kind)


def _hidden(seen: Seen, position: int, mask: str) -> Any:
    """The text with a word hidden, in the form in which it was given."""
    row = seen.row
    if row.offsets is None or row.texts is None:
        raise ValueError("This tokenizer does not say where a token stands in the text.")
    side, word = row.sides[0][position], row.words[0][position]
    if side is None or word is None:
        raise ValueError(f"{row.tokens[0][position]} stands for no word of the text.")
    places = [
        place
        for place, of in enumerate(zip(row.sides[0], row.words[0], strict=True))
        if of == (side, word)
    ]
    start, stop = row.offsets[0][places[0]][0], row.offsets[0][places[-1]][1]
    fields = [row.texts[0][0], row.texts[0][1] or ""]
    fields[side] = f"{fields[side][:start]}{mask}{fields[side][stop:]}"
    if isinstance(seen.text, dict) and "choices" in seen.text:
        choices = list(seen.text["choices"])
        choices[seen.number] = fields[1]
        return {"context": fields[0], "choices": choices}
    return with_fields(seen.text, *fields)


def _sum_said(found: Attributions) -> str:
    """The logit, and for integrated gradients what the shares add up to."""
    logit = float(found.outcome[0])
    if found.baseline_outcome is None:
        return f"The logit is {two_decimals(logit)}."
    start, shares = float(found.baseline_outcome[0]), float(found.scores.sum())
    return (
        f"The logit is {two_decimals(logit)}, with zeros for words {two_decimals(start)}: "
        f"{with_sign(logit - start)}. The shares add up to {with_sign(shares)}."
    )


def _appear(control: Any, wanted: bool) -> None:
    control.layout.display = None if wanted else "none"


def _checked(method: str) -> str:
    if method not in METHODS:
        raise ValueError(f"method is {method!r}; expected {' or '.join(map(repr, METHODS))}.")
    return method


def _positive(steps: int) -> int:
    if steps < 1:
        raise ValueError(f"steps is {steps}; it must be 1 or more.")
    return steps
