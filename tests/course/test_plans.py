"""Each notebook has a plan of one page with all of its parts; the guide says where things are."""

import re

import pytest

from electra_lab.checkpoints.resources import data_path, notebooks_path
from electra_lab.course.plans import PARTS, read_plan
from electra_lab.exercises import registered

NAMES = [path.stem for path in sorted(notebooks_path().glob("[0-9][0-9]_*.ipynb"))]
PLAN = """# 01 Tokens: plan of the lesson

Time: 30 minutes

## Aims

- One.

## Before

Nothing.

## Run of the lesson

- 10 min: first.
- 20 min: then.

## What goes wrong

- All.

## Questions to ask

1. Why? *A good answer*: so.
"""


def _plan(name):
    return read_plan(data_path("course", "plans", f"{name}.md"))


def test_there_is_a_plan_for_each_notebook_and_no_other():
    assert sorted(path.stem for path in data_path("course", "plans").iterdir()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_plan_names_its_notebook_and_every_exercise_with_what_goes_wrong_in_it(name):
    plan = _plan(name)
    assert plan.title.startswith(f"{name[:2]} ")
    of_notebook = [n for n in registered() if n.startswith(name[:2])]
    wrong = plan.parts["What goes wrong"]
    assert re.findall(r"^- \*\*(\d\d\.\d)\*\* ", wrong, flags=re.MULTILINE) == of_notebook
    # and each has its time in the lesson, or is said to be for home
    run = plan.parts["Run of the lesson"]
    assert not [number for number in of_notebook if number not in run]


@pytest.mark.parametrize("name", NAMES)
def test_a_plan_asks_three_questions_or_more_and_says_what_a_good_answer_has(name):
    questions = re.findall(r"^\d\. .+$", _plan(name).parts["Questions to ask"], flags=re.MULTILINE)
    assert len(questions) >= 3
    assert not [
        question
        for question in questions
        if "? *A good answer*" not in question and "*A good answer* " not in question
    ]


@pytest.mark.parametrize("name", NAMES)
def test_lessons_are_of_90_minutes_or_a_half(name):
    assert _plan(name).minutes in (45, 90, 180)


def test_the_guides_lessons_are_those_of_the_plans():
    """The table counts lessons of 90 minutes; notebook 00 takes half of the first."""
    guide = data_path("course", "guide.md").read_text()
    lessons = sum(_plan(name).minutes for name in NAMES[1:]) / 90 + 1
    last = re.findall(r"^\| (?:\d+ (?:to|and) )?(\d+) \|", guide, flags=re.MULTILINE)[-1]
    assert int(last) == lessons


def test_a_plan_is_read_with_its_parts(tmp_path):
    (tmp_path / "plan.md").write_text(PLAN)
    plan = read_plan(tmp_path / "plan.md")
    assert (plan.title, plan.minutes) == ("01 Tokens: plan of the lesson", 30)
    assert tuple(plan.parts) == PARTS
    assert plan.parts["Before"] == "Nothing."


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Time: 30", "Time: 40", "takes 40 minutes, but the steps .* add up to 30"),
        ("Time:", "Duration:", "have a line 'Time: 90 minutes'"),
        ("## Aims", "## Goals", "has the parts Goals, Before"),
        ("Nothing.", "", "none of them empty"),
    ],
)
def test_a_plan_with_a_fault_is_refused(tmp_path, old, new, said):
    (tmp_path / "plan.md").write_text(PLAN.replace(old, new))
    with pytest.raises(ValueError, match=said):
        read_plan(tmp_path / "plan.md")
