"""Views: four forms of the same data, safe with any string, the same every time."""

import io
import itertools
import json
import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.formatters import DisplayFormatter
from PIL import Image

from electra_lab.inside.views import (
    AttentionView,
    Cloud,
    DescribedFigure,
    Projector,
    ProposalChart,
    TokenHeatMap,
    TrainingChart,
    display_mode,
)
from electra_lab.inside.views import display as display_module
from electra_lab.inside.views.alt_text import alt_text

WIDGET = "application/vnd.jupyter.widget-view+json"
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "\u202eevil\u202c",
    "a" * 10_000,
    "$\\frac{1}{0}$",
    "\ud800",
    "&lt;",
    "שלום",
    "\x00\x1b[31m",
]


def heat_map(**options):
    return TokenHeatMap(
        ["[CLS]", "the", "chef", "ate", "##s", "[SEP]"],
        [0.001, 0.02, 0.1, 0.934, 0.5, 0.0],
        originals=[None, None, None, "cooked", None, None],
        **options,
    )


def proposals(**options):
    return ProposalChart(["cooked", "ate"], [0.4123, 0.0002], original="cooked", **options)


def history(count=30):
    return [
        {
            "step": 10 * i,
            "loss": 20.0 - i / 10,
            "mlm_loss": 6.0 - i / 10,
            "rtd_loss": 0.3,
            "learning_rate": 1e-3,
            "tokens_per_second": 20_000.0 + i,
            "seconds": i / 2,
            **({"rtd_auc": 0.5 + i / 100} if i % 10 == 0 else {}),
        }
        for i in range(1, count + 1)
    ]


def attention():
    weights = np.random.default_rng(0).dirichlet([0.3] * 6, size=(2, 3, 6))
    tokens = ["[CLS]", "the", "chef", "[SEP]", "ate", "[SEP]"]
    return AttentionView(tokens, weights, segments=[0, 0, 0, 0, 1, 1], off=[(1, 2)])


def projector():
    coordinates = np.array([[0.0, 0.0], [1.0, 0.5], [0.2, 0.9], [0.4, 0.4]])
    neighbours = [[1, 2], [0, 3], [3, 0], [2, 1]]
    cosines = [[0.9, 0.1], [0.9, -0.3], [0.5, 0.1], [0.5, 0.0]]
    clouds = [
        Cloud("before", coordinates, neighbours, cosines, "as given"),
        Cloud("after", coordinates[:, ::-1], neighbours, cosines),
    ]
    labels = ["chef", "meal", "##s", "the"]
    return Projector(labels, clouds, categories=["noun", "noun", "piece", "word"], kind="kind")


VIEWS = {
    "attention": attention,
    "heat_map": heat_map,
    "projector": projector,
    "proposals": proposals,
    "training": lambda: TrainingChart(history()),
}


@pytest.fixture(params=VIEWS)
def view(request):
    return VIEWS[request.param]()


@pytest.fixture(autouse=True)
def live_unless_told_otherwise(monkeypatch):
    monkeypatch.delenv("ELECTRA_LAB_DISPLAY", raising=False)
    monkeypatch.setattr(display_module, "_chosen", None)


def shown(view):
    """What IPython itself puts into a cell's output."""
    return DisplayFormatter().format(view)


class Fetches(HTMLParser):
    """Everything in a page that makes a browser fetch something."""

    def __init__(self, page):
        super().__init__()
        self.found, self.tags = [], []
        self.feed(page)
        self.found += re.findall(r"url\(|@import|\bimport\b|\bfetch\(|XMLHttpRequest", page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        for name, value in attributes:
            if name in ("src", "href", "srcset", "data", "action", "poster") and value != "data:,":
                self.found.append(value)


def test_live_output_is_widget_picture_and_text(view):
    data, metadata = shown(view)
    assert set(data) == {WIDGET, "image/png", "text/plain"}
    assert data["text/plain"] == repr(view)
    assert data[WIDGET]["model_id"] == view.widget.model_id
    assert metadata["image/png"] == {"alt": alt_text(repr(view)), "width": 720}


def test_static_output_is_picture_and_text_and_makes_no_widget(view):
    display_mode("static")
    data, _ = shown(view)
    assert set(data) == {"image/png", "text/plain"}
    assert view._widget is None


def test_page_output_is_a_sandboxed_frame_beside_picture_and_text(view):
    display_mode("page")
    data, _ = shown(view)
    assert set(data) == {"text/html", "image/png", "text/plain"}
    assert data["text/html"].startswith('<iframe sandbox="allow-scripts" srcdoc="')
    assert Fetches(data["text/html"]).tags == ["iframe"]


def test_pages_follow_the_readers_system_and_framed_ones_are_light(view):
    assert "color-scheme: light dark;" in view.to_html()
    assert "color-scheme: dark;" in view.to_html("dark")
    display_mode("page")
    assert "color-scheme: light;" in shown(view)[0]["text/html"]
    with pytest.raises(ValueError, match="scheme is 'sepia'. Use one of 'light dark', 'light',"):
        view.to_html("sepia")


def test_the_environment_chooses_the_mode_until_code_does(view, monkeypatch):
    monkeypatch.setenv("ELECTRA_LAB_DISPLAY", "static")
    assert display_mode() == "static"
    assert display_mode("page") == "page"
    assert display_mode() == "page"


def test_an_unknown_mode_is_refused_by_name(monkeypatch):
    with pytest.raises(ValueError, match="mode is 'widget'. Use one of 'live', 'static', 'page'"):
        display_mode("widget")
    monkeypatch.setenv("ELECTRA_LAB_DISPLAY", "pdf")
    with pytest.raises(ValueError, match="ELECTRA_LAB_DISPLAY is 'pdf'"):
        display_mode()


def test_without_anywidget_views_are_still_seen(view, monkeypatch):
    monkeypatch.setattr(display_module, "find_spec", lambda name: None)
    assert set(shown(view)[0]) == {"image/png", "text/plain"}


def test_the_picture_is_a_png_twice_as_fine_as_the_page_and_not_blank(view):
    picture = Image.open(io.BytesIO(view.to_png()))
    picture.load()
    assert picture.format == "PNG"
    assert picture.width == 2 * 720
    assert len(picture.convert("RGB").getcolors(1 << 24)) > 20


def test_all_forms_are_the_same_every_time(view):
    again = VIEWS[next(name for name, make in VIEWS.items() if type(make()) is type(view))]()
    assert repr(view) == repr(again)
    assert view.to_html() == again.to_html()
    assert view.to_png() == again.to_png()


def test_a_users_matplotlib_style_changes_nothing(view):
    import matplotlib

    before = view.to_png()
    with matplotlib.rc_context({"text.parse_math": True, "font.family": "serif"}):
        assert view.to_png() == before


def test_a_page_fetches_nothing_and_forbids_fetching(view):
    page = view.to_html()
    assert Fetches(page).found == []
    assert "default-src 'none'" in page
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page)


def test_page_and_widget_run_the_same_module(view):
    body = view.widget._esm.removesuffix("export default { render };\n")
    assert view.to_html().count(body) == 1


def test_save_writes_page_and_picture_and_refuses_other_endings(view, tmp_path):
    view.save(tmp_path / "view.html")
    view.save(str(tmp_path / "view.png"))
    assert (tmp_path / "view.html").read_text(encoding="utf-8") == view.to_html()
    assert (tmp_path / "view.png").read_bytes() == view.to_png()
    with pytest.raises(ValueError, match=r"ends in '.svg'; a view is saved as a page \(.html\) or"):
        view.save(tmp_path / "view.svg")


def state_in(page):
    """The data of a page as a browser's HTML parser hands it to the script."""
    document = re.search(r'<script type="application/json" id="state-0">(.*?)</script>', page, re.S)
    return json.loads(document.group(1))


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_stays_text_in_every_form(text):
    views = [
        TokenHeatMap([text], [0.9], originals=[text], title=text, note=text),
        ProposalChart([text], [0.9], original=text, chosen=text, title=text, note=text),
        TrainingChart([{"step": 1, "mlm_loss": 1.0, f"{text} accuracy": 0.5}], title=text),
        Projector(
            [text],
            [Cloud(text, [[0, 0]], [[0]], [[1]], how=text)],
            categories=[text],
            kind=text,
            details=[text],
            title=text,
        ),
    ]
    for view in views:
        page = view.to_html()
        assert Fetches(page).tags.count("script") == 2
        assert "img" not in Fetches(page).tags
        assert state_in(page)["title"] == view.state()["title"]
        page.encode("utf-8")
        repr(view).encode("utf-8")
        assert len(repr(view)) < 1_500
        assert Image.open(io.BytesIO(view.to_png())).width == 1440
        display_mode("page")
        assert Fetches(shown(view)[0]["text/html"]).tags == ["iframe"]


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(), max_size=100))
def test_any_string_reaches_the_page_as_the_same_text(text):
    view = TokenHeatMap([text], [0.5])
    page = view.to_html()
    assert state_in(page)["tokens"][0]["text"] == view.state()["tokens"][0]["text"]
    assert Fetches(page).tags.count("script") == 2


def test_characters_without_a_picture_are_shown_by_their_code_points():
    view = TokenHeatMap(["\u202eevil", "a\u200bb", "x" * 10_000, "na\u00efve"], [0.1] * 4)
    texts = [token["text"] for token in view.state()["tokens"]]
    assert texts[:2] == ["⟨U+202E⟩evil", "a⟨U+200B⟩b"]
    assert texts[2] == "x" * 60 + "… (10,000 characters)"
    assert texts[3] == "na\u00efve"


def test_the_text_of_a_heat_map_has_every_token_its_number_and_the_original():
    assert repr(heat_map(title="A title")) == (
        "TokenHeatMap: probability that the token was replaced\n  A title\n"
        "  [CLS] .00 | the .02 | chef .10 | ate .93 (was: cooked) | ##s .50 | [SEP] .00"
    )


def test_the_text_of_proposals_has_every_bar_and_the_original():
    assert repr(proposals(chosen="ate")) == (
        "ProposalChart: the generator's proposals\n  0.412 cooked (original)\n  0.000 ate (put back)"
    )


def test_probabilities_may_be_a_tensor_or_an_array():
    for numbers in (torch.tensor([0.25, 1.0]), np.array([0.25, 1.0])):
        assert TokenHeatMap(["a", "b"], numbers).probabilities == [0.25, 1.0]
        assert ProposalChart(["a", "b"], numbers).probabilities == [0.25, 1.0]


@pytest.mark.parametrize("kind", [TokenHeatMap, ProposalChart])
@pytest.mark.parametrize("number", [-0.1, 1.1, float("nan"), float("inf")])
def test_numbers_that_are_no_probabilities_are_refused(kind, number):
    with pytest.raises(ValueError, match=r"The probability of 'b' is .*; it must lie in \[0, 1\]"):
        kind(["a", "b"], [0.5, number])


def test_lists_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="There are 2 tokens but 1 probabilities"):
        TokenHeatMap(["a", "b"], [0.5])
    with pytest.raises(ValueError, match="There are 1 tokens but 2 originals"):
        TokenHeatMap(["a"], [0.5], originals=[None, "b"])
    with pytest.raises(ValueError, match="There are 2 proposals but 1 probabilities"):
        ProposalChart(["a", "b"], [0.5])


def test_a_refused_update_leaves_the_view_as_it_was():
    view = heat_map()
    before = repr(view)
    with pytest.raises(ValueError, match="lie in"):
        view.update(["new"], [7])
    assert repr(view) == before


def test_new_data_reaches_the_live_widget():
    view = heat_map()
    assert len(view.widget.state["tokens"]) == 6
    view.update(["new"], [0.75])
    assert [token["number"] for token in view.widget.state["tokens"]] == [".75"]


def test_events_of_the_widget_reach_the_handler_and_make_it_interactive():
    view, heard = heat_map(), []
    assert view.widget.state["interactive"] is False
    view.on_event(heard.append)
    assert view.widget.state["interactive"] is True
    view.widget._handle_custom_msg({"event": "choose", "index": 3}, [])
    view.widget._handle_custom_msg("nonsense", [])
    assert heard == [{"event": "choose", "index": 3}]
    assert state_in(view.to_html())["interactive"] is False


def test_a_history_has_a_panel_for_each_kind_of_number():
    titles = [panel.title for panel in TrainingChart(history()).panels()]
    assert titles == [
        "Generator loss (MLM)",
        "Discriminator loss (RTD)",
        "ROC AUC",
        "Speed (tokens per second)",
    ]
    assert [panel.title for panel in TrainingChart([{"step": 1, "loss": 2.0}]).panels()] == ["Loss"]


def test_the_validation_loss_of_fine_tuning_is_beside_the_training_loss():
    rows = [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.5, "validation_loss": 1.8}]
    (panel,) = TrainingChart(rows).panels()
    assert panel.title == "Loss"
    assert [curve.key for curve in panel.curves] == ["loss", "validation_loss"]


def test_a_row_may_lack_numbers_or_hold_ones_that_are_not_finite():
    rows = [{"step": 1, "mlm_loss": math.nan}, {"step": 2, "mlm_loss": 1.5}, {"step": 3}]
    chart = TrainingChart(rows)
    (panel,) = state_in(chart.to_html())["panels"]
    assert panel["curves"][0]["values"] == [None, 1.5, None]
    assert chart.to_png()


def test_a_long_history_is_thinned_and_keeps_its_last_row():
    chart = TrainingChart(history(5_001))
    steps = chart.state()["steps"]
    assert len(steps) <= 400
    assert steps[-1] == 50_010
    assert len({b - a for a, b in itertools.pairwise(steps)}) == 1
    assert repr(chart).startswith("TrainingChart: 5001 rows, steps 10 to 50010;")


def test_an_empty_history_says_that_it_waits():
    chart = TrainingChart()
    assert repr(chart) == "TrainingChart: no rows yet"
    assert state_in(chart.to_html())["note"] == "Waiting for the first numbers."
    chart.append({"step": 1, "mlm_loss": 2.0})
    assert repr(chart) == "TrainingChart: 1 rows, steps 1 to 1; mlm_loss"


def test_a_row_without_a_step_is_refused():
    with pytest.raises(ValueError, match="Row 1 of the history has no 'step'; it has 'loss'"):
        TrainingChart([{"step": 1}, {"loss": 1.0}])


def test_a_described_figure_has_its_words_beside_the_picture_and_as_its_alt():
    from matplotlib import pyplot

    figure, _ = pyplot.subplots(figsize=(3, 2))
    shown = DescribedFigure(figure, "Nothing but two axes.")
    assert pyplot.get_fignums() == []  # a cell would show it twice
    data, metadata = DisplayFormatter().format(shown)
    assert data["text/plain"] == "Nothing but two axes."
    assert metadata["image/png"] == {"alt": "Nothing but two axes.", "width": 300}
    assert Image.open(io.BytesIO(data["image/png"])).size == (450, 300)


def test_a_figure_without_a_description_is_refused():
    from matplotlib.figure import Figure

    with pytest.raises(ValueError, match="description is empty"):
        DescribedFigure(Figure(), " ")
