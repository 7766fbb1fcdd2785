"""The words that stand for a view's picture."""

import numpy as np

from electra_lab.inside.views import AttentionView, ChangeChart, ProposalChart, TokenHeatMap
from electra_lab.inside.views.alt_text import LONGEST, PICTURES, alt_text


def test_it_says_what_kind_of_picture_it_is_and_what_is_in_it():
    view = TokenHeatMap(["the", "kite"], [0.06, 0.4], title="A sentence")
    said = alt_text(repr(view))
    assert said.startswith(PICTURES["TokenHeatMap"])
    assert "A sentence; the .06 | kite .40" in said
    assert "TokenHeatMap" not in said
    assert "\n" not in said


def test_views_below_each_other_are_described_one_after_the_other():
    chart, heads = ProposalChart(["is"], [0.5]), AttentionView(["a"], np.ones((1, 1, 1, 1)))
    said = alt_text(f"SomeExplorer\n{heads!r}\n{chart!r}")
    assert said == f"{alt_text(repr(heads))} {alt_text(repr(chart))}"
    assert said.index(PICTURES["AttentionView"]) < said.index(PICTURES["ProposalChart"])


def test_a_long_text_is_cut_between_words_for_each_view():
    chart = ChangeChart([f"line{number}" for number in range(99)], [0.5] * 99)
    once = alt_text(repr(chart))
    assert LONGEST < len(once) < LONGEST + len(PICTURES["ChangeChart"]) + 10
    assert once.endswith(" …")
    assert once[: -len(" …")].split(" ")[-1].rstrip(";") in repr(chart).split()
    assert alt_text(f"SomeExplorer\n{chart!r}\n{chart!r}") == f"{once} {once}"


def test_a_view_of_another_kind_is_described_by_its_text():
    assert alt_text("Lattice: 2 words\n  a B\n  b O") == "Lattice: 2 words; a B; b O"
    assert alt_text("OnlyItsName") == "OnlyItsName"
