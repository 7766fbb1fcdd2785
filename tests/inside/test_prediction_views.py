"""Views of predictions: attributions, lattices, starts and ends, bars that can be chosen."""

import io
import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from electra_lab.inside.views import AttributionMap, ChangeChart, Lattice, Span, SpanChart
from electra_lab.inside.views.base import WIDTH
from electra_lab.inside.views.wording import two_decimals, with_sign

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "\u202eevil\u202c",
    "a" * 10_000,
    "\ud800",
    "$\\frac{1}{0}$",
]


def attribution_map(**options):
    return AttributionMap(["[CLS]", "good", "##s", "bad"], [0, 0.5, 0.25, -1], **options)


def lattice(**options):
    values = [[0.9, 0.2, 0.004], [0.1, 0.8, None]]
    return Lattice(["DET", "NOUN"], ["the", "dog", "."], values, **options)


def span_chart(**options):
    answers = [("old dog", 0.5, 1, 2), Span("(no answer)", 0.3), ("dog", 0.1, 2, 2)]
    starts, ends = [0.1, 0.8, 0.05, 0], [0, 0, 0.7, 0.3]
    return SpanChart(["the", "old", "dog", "."], starts, ends, answers, **options)


def change_chart(**options):
    return ChangeChart(["yes", "no"], [0.75, 0.25], **options)


VIEWS = [attribution_map, lattice, span_chart, change_chart]


def hostile(kind, text):
    """A view with such a text wherever one may stand."""
    return {
        attribution_map: lambda: AttributionMap(
            [text], [1], originals=[text], title=text, note=text
        ),
        lattice: lambda: Lattice(
            [text], [text], [[1]], texts=[[text]], title=text, note=text, legend=text
        ),
        span_chart: lambda: SpanChart([text], [1], [1], [(text, 1, 0, 0)], title=text, note=text),
        change_chart: lambda: ChangeChart(
            [text], [1], before=[0], was=text, now=text, title=text, note=text
        ),
    }[kind]()


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("kind", VIEWS)
def test_any_text_stays_text_in_every_form(kind, text):
    view = hostile(kind, text)
    page = view.to_html()
    assert page.count("<script") == 2
    assert "<img" not in page
    assert len(page) < 40_000
    page.encode()
    assert "\u202e" not in repr(view)
    assert len(repr(view)) < 3_000
    Image.open(io.BytesIO(view.to_png())).verify()
    json.dumps(view.widget.state, allow_nan=False)


@pytest.mark.parametrize("kind", VIEWS)
def test_a_picture_depends_on_the_data_alone_and_is_as_wide_as_all(kind):
    assert kind().to_png() == kind().to_png()
    assert Image.open(io.BytesIO(kind().to_png())).width == 2 * WIDTH


@pytest.mark.parametrize("kind", VIEWS)
def test_only_a_view_with_a_listener_is_interactive_and_it_hears_the_widget(kind):
    view, heard = kind(), []
    assert view.widget.state["interactive"] is False
    view.on_event(heard.append)
    assert view.widget.state["interactive"] is True
    view.widget._handle_custom_msg({"event": "choose", "index": 1}, [])
    assert heard == [{"event": "choose", "index": 1}]


@pytest.mark.parametrize(
    ("number", "plain", "signed"),
    [(0.25, ".25", "+.25"), (-0.25, "−.25", "−.25"), (-0.001, ".00", ".00"), (0.0, ".00", ".00")]
    + [(-1.5, "−1.50", "−1.50"), (10.5, "10.50", "+10.50"), (20.0, "20.00", "+20.00")],
)
def test_numbers_are_written_with_two_digits_and_no_sign_of_nothing(number, plain, signed):
    assert two_decimals(number) == plain
    assert with_sign(number) == signed


def test_attributions_have_a_sign_a_strength_and_the_original():
    view = attribution_map(originals=[None, "fine", None, None], title="T")
    assert repr(view) == (
        "AttributionMap: what lowered the logit, and what raised it\n  T\n"
        "  [CLS] .00 | good +.50 (was: fine) | ##s +.25 | bad −1.00"
    )
    tokens = view.state()["tokens"]
    assert [token["probability"] for token in tokens] == [0, 0.5, 0.25, 1]
    assert [token["negative"] for token in tokens] == [False, False, False, True]
    assert [token["replaced"] for token in tokens] == [False, True, False, False]
    assert attribution_map(scale=2.0).state()["tokens"][3]["probability"] == 0.5


def test_raised_is_drawn_in_another_colour_than_lowered():
    up, down = (
        np.asarray(Image.open(io.BytesIO(AttributionMap(["x"], [score]).to_png())).convert("RGB"))
        for score in (1, -1)
    )
    box = (2 * 20, 2 * 36)  # inside the token, beside its letter
    (red, _, blue), (other_red, _, other_blue) = up[box[::-1]], down[box[::-1]]
    assert red > blue
    assert other_red < other_blue


def test_wrong_attributions_are_refused():
    with pytest.raises(ValueError, match="There are 2 tokens but 1 scores; give one for each"):
        AttributionMap(["a", "b"], [1])
    with pytest.raises(ValueError, match="There are 1 tokens but 0 originals"):
        AttributionMap(["a"], [1], originals=[])
    for score in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="The score of 'a' is"):
            AttributionMap(["a"], [score])
    with pytest.raises(ValueError, match=r"The score of 'a' is 2\.0, the scale 1\.0"):
        AttributionMap(["a"], [2.0], scale=1.0)


def test_a_lattice_says_what_is_not_faint_and_marks_the_path():
    assert repr(lattice(path=[(0, 0), (1, 1), (0, 2)], title="Tags")) == (
        "Lattice: probability\n  Tags\n  DET: the .90* | dog .20 | . .00*\n  NOUN: the .10 | dog .80*"
    )
    signed = Lattice(["r"], ["a", "b"], [[-0.5, 0.25]], signed=True)
    assert repr(signed).endswith("r: a −.50 | b +.25")
    texts = Lattice(["layer 0"], ["a"], [[0.5]], texts=[["dog"]])
    assert repr(texts).endswith("layer 0: a dog .50")


def test_a_lattices_cells_hold_strength_text_and_number():
    state = lattice(path=[(1, 1)], target=(0, 1)).state()
    assert state["cells"] == [
        [[0.9, ".90", ".900"], [0.2, ".20", ".200"], [0.004, "", ".004"]],
        [[0.1, ".10", ".100"], [0.8, ".80", ".800"], None],
    ]
    assert state["path"] == [[1, 1]]
    assert state["target"] == [0, 1]
    numbers = Lattice(["r"], ["a", "b"], [[-3, 1.5]], scale=None)
    assert numbers.state()["cells"] == [[[-1, "−3.00", "−3.00"], [0.5, "1.50", "1.50"]]]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=80), max_size=40), st.text())
def test_the_lines_of_a_lattice_hold_every_column_once_and_fit_the_page(columns, name):
    state = Lattice([name], columns, [[0.5] * len(columns)]).state()
    shown = [column for start, stop in state["bands"] for column in range(start, stop)]
    assert shown == list(range(len(columns)))
    for start, stop in state["bands"]:
        assert state["head"] + sum(state["widths"][start:stop]) <= WIDTH


def test_a_picture_of_a_long_lattice_says_how_many_columns_it_leaves_out():
    words = [f"word{i}" for i in range(400)]
    tags = [f"tag{i}" for i in range(17)]
    long = Lattice(tags, words, np.full((17, 400), 1 / 17))
    figure = long.figure()
    assert figure.get_figheight() * 100 < 1300
    texts = [text.get_text() for text in figure.axes[0].texts]
    (said,) = [text for text in texts if "more columns are in the page" in text]
    assert 0 < int(re.search(r"; (\d+) more", said).group(1)) < 400
    assert "tag16" in texts


def test_pages_of_64_tokens_are_under_a_megabyte():
    tokens = [f"token{i}" for i in range(64)]
    numbers = np.full(64, 1 / 64)
    tags = [f"tag{i}" for i in range(17)]
    for view in (
        AttributionMap(tokens, numbers),
        Lattice(tags, tokens, np.full((17, 64), 1 / 17)),
        SpanChart(tokens, numbers, numbers, [("x", 0.5, 0, 63)]),
    ):
        assert len(view.to_html().encode()) < 300_000


def test_wrong_lattices_are_refused():
    with pytest.raises(
        ValueError, match="There are 1 rows and 2 columns, but the values have 1 lines"
    ):
        Lattice(["r"], ["a", "b"], [[0.5]])
    with pytest.raises(ValueError, match="but the texts have 2 lines of"):
        Lattice(["r"], ["a"], [[0.5]], texts=[["a"], ["b"]])
    for cells in ({"path": [(0, 1)]}, {"target": (1, 0)}):
        with pytest.raises(ValueError, match="There is no cell"):
            Lattice(["r"], ["a"], [[0.5]], **cells)
    for number in (1.5, float("nan")):
        with pytest.raises(ValueError, match="Give probabilities, or scale=None"):
            Lattice(["r"], ["a"], [[number]])


def test_a_span_chart_says_the_answers_and_where_they_likely_start_and_end():
    assert repr(span_chart(title="Who?")) == (
        "SpanChart: where the answer starts and ends\n  Who?\n  .500 old dog (chosen)\n"
        "  .300 (no answer)\n  .100 dog\n  starts at: the (0) .10 | old (1) .80\n"
        "  ends at: dog (2) .70 | . (3) .30"
    )
    state = span_chart(chosen=2).state()
    assert state["chosen"] == 2
    assert [(a["first"], a["last"]) for a in state["answers"]] == [(1, 2), (None, None), (2, 2)]
    assert state["tokens"][1]["numbers"] == [".80", ".00"]


def test_the_chosen_answer_is_framed_in_the_picture():
    plain, other = (Image.open(io.BytesIO(span_chart(chosen=n).to_png())) for n in (0, 1))
    assert plain.tobytes() != other.tobytes()


def test_wrong_spans_are_refused():
    with pytest.raises(ValueError, match="There are 1 tokens but 2 starts"):
        SpanChart(["a"], [0.5, 0.5], [0.5])
    with pytest.raises(ValueError, match=r"1\.5 is no probability"):
        SpanChart(["a"], [1.5], [0.5])
    for place in ((0, 1), (None, 0), (1, 0), (-1, 0)):
        with pytest.raises(ValueError, match="there are tokens 0 to 0"):
            SpanChart(["a"], [1], [1], [("x", 0.5, *place)])


def test_a_bar_can_be_chosen_and_the_two_texts_are_named():
    view = change_chart(before=[0.5, 0.5], chosen=1, was="one", now="two")
    assert (view.state()["chosen"], view.state()["was"], view.state()["now"]) == (1, "one", "two")
    texts = {text.get_text(): text.get_weight() for text in view.figure().axes[0].texts}
    assert (texts["yes"], texts["no"]) == ("normal", "bold")
    assert {"one", "two"} <= texts.keys()
