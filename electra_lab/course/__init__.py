"""The course: student notebooks, solved ones, pages of both, plans and a guide, from one source.

The source is ``notebooks/`` (text, code and stubs), ``tests/exercises/solutions_NN.py`` (the answers)
and ``data/course/`` (plans and guide, written by hand). ``electra-lab course`` builds the rest.
"""
