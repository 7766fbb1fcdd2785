"""One JupyterLab and one browser for all browser tests; both only where there is a browser."""

import pytest

from .jupyterlab import HOW_TO_GET_ONE, JupyterLab, browser, browser_path, watched_page


@pytest.fixture(scope="session")
def chromium():
    path = browser_path()
    if path is None:
        pytest.skip(HOW_TO_GET_ONE)
    with browser(path) as running:
        yield running


@pytest.fixture
def page(chromium):
    """A page that reaches loopback only and notes what went wrong."""
    made = watched_page(chromium)
    yield made
    made.context.close()


@pytest.fixture(scope="session")
def notebooks(tmp_path_factory):
    """The folder that JupyterLab serves."""
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture(scope="session")
def lab(chromium, notebooks):
    """A running JupyterLab: ``lab.open(page, name)``, then ``lab.run_all(page)``."""
    with JupyterLab(notebooks) as running:
        yield running
