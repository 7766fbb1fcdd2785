"""The projector's data: what is sent to the page, categories, neighbours, what was chosen."""

import base64
import json
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import euclidean_distances

from electra_lab.inside.projection import nearest_neighbours
from electra_lab.inside.views.palette import PAPER
from electra_lab.inside.views.projector import COLOURS, GREY, SHAPES, Cloud, Projector, number


def cloud(count=20, k=5, seed=0, title="cloud"):
    vectors = torch.randn(count, 4, generator=torch.Generator().manual_seed(seed))
    return Cloud(title, vectors[:, :2], *nearest_neighbours(vectors, k))


def projector(count=20, **options):
    return Projector([f"word{i}" for i in range(count)], [cloud(count)], **options)


def unpacked(text, kind):
    return np.frombuffer(base64.b64decode(text), dtype=kind)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 60), st.floats(1e-3, 1e3), st.floats(-1e3, 1e3))
def test_coordinates_reach_the_page_moved_and_scaled_but_not_distorted(count, scale, shift):
    points = np.random.default_rng(count).normal(size=(count, 2)) * [3, 1] * scale + shift
    view = Projector(["w"] * count, [Cloud("", points, np.zeros((count, 1)), np.zeros((count, 1)))])
    sent = unpacked(view.state()["clouds"][0]["points"], "<u2").reshape(-1, 2) / 65_535
    assert sent.min() == pytest.approx(0, abs=0.51)
    assert np.ptp(sent, axis=0).max() == pytest.approx(1, abs=1e-3)
    ratio = np.ptp(points, axis=0).max()
    np.testing.assert_allclose(
        euclidean_distances(sent) * ratio, euclidean_distances(points), atol=1e-3 * ratio
    )


def test_neighbours_and_cosines_reach_the_page():
    view = projector(20)
    sent = view.state()["clouds"][0]
    assert sent["k"] == 5
    neighbours = unpacked(sent["neighbours"], "<u2").reshape(20, 5)
    cosines = unpacked(sent["cosines"], "<i2").reshape(20, 5) / 10_000
    for point in (0, 7, 19):
        said = view.neighbours(point)
        assert [label for label, _ in said] == [f"word{n}" for n in neighbours[point]]
        assert [cosine for _, cosine in said] == pytest.approx(list(cosines[point]), abs=1e-4)


def test_a_page_of_six_thousand_points_in_two_panels_stays_below_a_megabyte():
    count, random = 6_000, np.random.default_rng(0)
    panel = Cloud(
        "",
        random.normal(size=(count, 2)),
        random.integers(0, count, (count, 10)),
        random.random((count, 10)),
    )
    page = Projector([f"word{i}" for i in range(count)], [panel, panel]).to_html()
    assert len(page.encode()) < 1_000_000


def test_categories_are_counted_and_the_most_frequent_comes_first():
    view = projector(6, categories=["b", "a", "b", "c", "b", "a"], kind="letter")
    assert [(entry.name, entry.count) for entry in view.legend] == [("b", 3), ("a", 2), ("c", 1)]
    assert unpacked(view.state()["category"], "<u1").tolist() == [0, 1, 0, 2, 0, 1]
    assert "by letter: b (3), a (2), c (1)" in repr(view)


def test_a_category_keeps_its_mark_whichever_others_occur():
    order = ["noun", "verb", "adverb", "mark"]
    whole = projector(4, categories=order, order=order)
    part = projector(4, categories=["verb", "verb", "mark", "verb"], order=order)
    marks = {entry.name: (entry.colour, entry.shape) for entry in whole.legend}
    assert [entry.name for entry in part.legend] == ["verb", "mark"]
    assert all((entry.colour, entry.shape) == marks[entry.name] for entry in part.legend)


def test_no_two_categories_look_alike():
    view = projector(15, categories=[f"c{i:02}" for i in range(15)])
    assert len({(entry.colour, entry.shape) for entry in view.legend}) == 15
    assert len({(COLOURS[i % 7], SHAPES[i % 5]) for i in range(35)}) == 35


def test_too_many_categories_end_in_other():
    names = [f"c{min(i, 40 - i)}" for i in range(40)]
    view = projector(40, categories=names)
    assert len(view.legend) == 15
    assert (view.legend[-1].name, view.legend[-1].colour) == ("other", GREY)
    assert sum(entry.count for entry in view.legend) == 40


def test_categories_with_an_order_become_smaller_along_it():
    names = ["often", "seldom", "never"]
    view = projector(3, categories=names, order=names, ordered=True)
    sizes = [entry.size for entry in view.legend]
    assert sizes == sorted(sizes, reverse=True)
    assert len({entry.colour for entry in view.legend}) == 3


def _light(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05


def test_every_colour_stands_out_from_white_and_from_near_black():
    ramp = projector(5, categories=list("abcde"), ordered=True)
    for colour in [*COLOURS, GREY, *(entry.colour for entry in ramp.legend)]:
        assert _light(PAPER) / _light(colour) >= 3
        assert _light(colour) / _light("#111111") >= 3


def test_a_chosen_point_is_in_text_state_and_picture():
    view = projector(20)
    before = view.to_png()
    view.select("word3")
    assert view.selected == view.state()["selected"] == 3
    assert f"nearest to word3: {view.neighbours(3)[0][0]} " in repr(view)
    assert view.to_png() != before
    view.select(None)
    assert view.to_png() == before


def test_what_the_reader_chose_is_remembered_and_not_sent_back():
    view, heard = projector(20), []
    view.on_event(heard.append)
    sent = view.widget.state
    view.widget._handle_custom_msg({"event": "choose", "index": 4}, [])
    assert view.selected == 4
    assert heard == [{"event": "choose", "index": 4}]
    assert view.widget.state is sent
    for nonsense in (20, -1, "4", [1]):
        view.widget._handle_custom_msg({"event": "choose", "index": nonsense}, [])
        assert view.selected == 4
    view.widget._handle_custom_msg({"event": "choose", "index": None}, [])
    assert view.selected is None


def test_the_choice_follows_its_label_to_new_points():
    view = projector(4)
    view.select("word2")
    view.update(["word2", "word9"], [cloud(2)])
    assert view.selected == 0
    view.update(["a", "a"], [cloud(2)])
    assert view.selected is None
    view.select(1)
    view.update(["a", "a"], [cloud(2, seed=1)])  # the same points, elsewhere
    assert view.selected == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(clouds=[]), "There are 0 clouds; a projector has one panel or two"),
        (dict(clouds=[cloud(3)] * 3), "There are 3 clouds"),
        (dict(clouds=[cloud(4)]), r"The coordinates of 'cloud' have the shape \(4, 2\); 3 points"),
        (dict(categories=["a"]), "There are 3 labels but 1 categories"),
        (dict(details=["a"]), "There are 3 labels but 1 details"),
        (
            dict(clouds=[Cloud("x", [[0, 0], [1, 1], [0, np.nan]], [[0]] * 3, [[0]] * 3)]),
            "'x' holds numbers that are infinite or not a number",
        ),
        (
            dict(clouds=[Cloud("x", np.zeros((3, 2)), [[3]] * 3, [[0]] * 3)]),
            "A neighbour in 'x' is no point; the points are 0 to 2",
        ),
        (
            dict(clouds=[Cloud("x", np.zeros((3, 2)), [[1]] * 3, [[0, 1]] * 3)]),
            "neighbours and cosines of 'x' have the shapes",
        ),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(change, message):
    view = projector(3)
    before = repr(view)
    with pytest.raises(ValueError, match=message):
        view.update(**{"labels": ["a", "b", "c"], "clouds": [cloud(3)], **change})
    assert repr(view) == before


def test_unknown_points_are_refused():
    view = projector(3)
    with pytest.raises(ValueError, match="No point is called 'x'"):
        view.select("x")
    with pytest.raises(ValueError, match="No point is called 'x'"):
        view.neighbours("x")
    with pytest.raises(ValueError, match="There is no point 3; the points are 0 to 2"):
        view.select(3)


def test_no_points_and_one_point_are_drawn():
    for count in (0, 1):
        view = projector(count)
        assert view.to_png()
        assert json.loads(re.search(r'id="state-0">(.*?)</script>', view.to_html(), re.S)[1])


@pytest.mark.parametrize(
    ("cosine", "text"),
    [
        (0.8749, ".87"),
        (1.0, "1.0"),
        (-0.1234, "-.12"),
        (-0.001, ".00"),
        (0.999, "1.0"),
        (0.0, ".00"),
    ],
)
def test_cosines_are_written_short(cosine, text):
    assert number(cosine) == text
