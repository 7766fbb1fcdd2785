"""Labelled data without end: for every bundled task a twin whose labels follow from the world."""

from electra_lab.text.microworld.tasks.twins import TWIN_LABELS, TWINS, twin

__all__ = ["TWINS", "TWIN_LABELS", "twin"]
