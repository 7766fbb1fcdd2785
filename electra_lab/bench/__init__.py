"""Measurements whose results the notebooks and the README show."""
