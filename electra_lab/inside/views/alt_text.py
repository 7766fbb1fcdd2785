"""What a view's picture shows, in words, for those who do not see it."""

from __future__ import annotations

import re

LONGEST = 400  # characters for each view; a screen reader reads them to the end

PICTURES = {
    "AttentionView": "All heads as small pictures, a line for each layer, and one of them large.",
    "BertvizView": "All heads as small pictures, a line for each layer, and one of them large.",
    "CalibrationChart": "A curve for each series beside the diagonal, and how many tokens each bin has.",
    "ChangeChart": "A bar with a number for each line; an outline where it was before.",
    "FooledView": "Two lists of tokens with bars: replacements that were missed, originals accused.",
    "LiveTrainingChart": "Line charts over the steps of training: losses, and what was measured.",
    "Projector": "Points in a plane, coloured by category, one panel for each space.",
    "ProposalChart": "A bar for each proposed word, with its probability.",
    "ReplayView": "Tokens in colour at one step of training, under each a curve over all steps.",
    "TokenHeatMap": "The tokens of a text, each with its probability below it and in colour.",
    "TrainingChart": "Line charts over the steps of training: losses, and what was measured.",
}


def alt_text(text: str) -> str:
    """The alternative to a picture: what kind of picture it is, then what the text form says.

    Args:
        text: the ``repr`` of a view, or of an explorer, which has its views below each other.
    """
    views: list[list[str]] = []
    for line in text.splitlines():
        if line.startswith(" ") and views:
            views[-1].append(line.strip())
        elif line.strip():
            views.append([line.strip()])
    said = []
    for first, *others in views:
        found = re.match(r"\w+", first)
        name = found[0] if found else ""
        if first == name and not others and len(views) > 1:
            continue  # the explorer's own name, above its views
        kind = PICTURES.get(name, "")
        if kind:
            first = first.removeprefix(name).lstrip(": ")
        line = "; ".join(part for part in (first, *others) if part)
        if len(line) > LONGEST:
            line = f"{line[:LONGEST].rsplit(' ', 1)[0]} …"
        said.append(f"{kind} {line}".strip())
    return " ".join(said) or text
