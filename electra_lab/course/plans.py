"""The one-page plans: written by hand in data/course/plans, checked for their parts here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PARTS = ("Aims", "Before", "Run of the lesson", "What goes wrong", "Questions to ask")
_STEP = re.compile(r"^- (\d+) min: ", flags=re.MULTILINE)


@dataclass(frozen=True)
class Plan:
    """A plan for one notebook: its title, how many minutes it takes, its parts, and all of its text."""

    title: str
    minutes: int
    parts: dict[str, str]
    text: str


def read_plan(path: Path) -> Plan:
    """A plan, in Markdown: a title, ``Time: 90 minutes``, and a section for each of ``PARTS``.

    Raises:
        FileNotFoundError: there is no such plan.
        ValueError: a part is missing or empty, or the steps of the lesson do not add up to its time.
    """
    text = path.read_text(encoding="utf-8")
    title = re.search(r"\A# (.+)$", text, flags=re.MULTILINE)
    time = re.search(r"^Time: (\d+) minutes\b", text, flags=re.MULTILINE)
    if title is None or time is None:
        raise ValueError(f"{path} should begin with '# title' and have a line 'Time: 90 minutes'.")
    pieces = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    parts = {name: body.strip() for name, body in zip(pieces[1::2], pieces[2::2], strict=True)}
    if tuple(parts) != PARTS or not all(parts.values()):
        raise ValueError(
            f"{path} has the parts {', '.join(parts) or 'none'}; a plan has, in this order and none of "
            f"them empty: {', '.join(PARTS)}."
        )
    minutes, steps = int(time[1]), sum(map(int, _STEP.findall(parts["Run of the lesson"])))
    if minutes != steps:
        raise ValueError(
            f"{path} takes {minutes} minutes, but the steps '- 10 min: ...' of its lesson add up to "
            f"{steps}."
        )
    return Plan(title[1], minutes, parts, text)
