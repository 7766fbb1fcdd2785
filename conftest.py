"""What nbval compares: everything but pictures, widget views and HTML.

A view's HTML carries random ids and is checked in a browser; its text, which is stable, stands in
the same output and is compared. Notebooks and tests check solutions and mistakes; none of it is the
progress of whoever runs them, so nothing is recorded. The kernels inherit that.
"""

import os

os.environ["ELECTRA_LAB_PROGRESS"] = "off"

NOT_COMPARED = ("text/html", "application/javascript")


def pytest_collection_modifyitems(items):
    notebooks = {item.parent for item in items if hasattr(item.parent, "skip_compare")}
    for notebook in notebooks:
        notebook.skip_compare += NOT_COMPARED
