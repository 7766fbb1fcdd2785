"""JupyterLab on loopback and a browser that looks at it, recording what goes wrong.

with JupyterLab(folder) as lab, browser() as chromium:
    page = watched_page(chromium)
    lab.open(page, "00_start_here.ipynb")
    lab.run_all(page)
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from nbformat import v4, write

TOKEN = "only-for-this-look"
PATIENCE = 180_000  # milliseconds; opening took 28 s on a busy machine
# without a kernel's name JupyterLab would ask for one
KERNEL = {"name": "python3", "display_name": "Python 3"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOW_TO_GET_ONE = (
    "No browser was found. On Debian or Ubuntu: apt-get install chromium. Elsewhere: "
    "python -m playwright install chromium. Or set ELECTRA_LAB_BROWSER to the path of one."
)
_QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_PANEL = ".jp-NotebookPanel:not(.lm-mod-hidden)"
_ERRORS = "[data-mime-type$='jupyter.error'], [data-mime-type$='jupyter.stderr']"


def browser_path() -> str | None:
    """Where a Chromium is: ELECTRA_LAB_BROWSER, the system's, or Playwright's own."""
    wanted = os.environ.get("ELECTRA_LAB_BROWSER")
    found = wanted or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found:
        return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).is_file() else None


@contextmanager
def browser(path: str | None = None) -> Iterator[Any]:
    """A Chromium without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path or browser_path(), args=_QUIET)
        try:
            yield chromium
        finally:
            chromium.close()


def watched_page(chromium: Any, **context: Any) -> Any:
    """A page that reaches loopback and files only.

    ``page.outside`` lists the addresses that were asked for beyond that, ``page.complaints`` what
    was written to the console as an error and what was thrown.
    """
    context.setdefault("viewport", {"width": 1100, "height": 900})
    page = chromium.new_context(**context).new_page()
    page.outside, page.complaints = [], []

    def gate(route: Any) -> None:
        address = urlsplit(route.request.url)
        if address.scheme in ("data", "blob", "file") or address.hostname == "127.0.0.1":
            route.continue_()
        else:
            page.outside.append(route.request.url)
            route.abort()

    def hear(message: Any) -> None:
        if message.type == "error":
            page.complaints.append(f"{message.text} ({message.location.get('url', '')})")

    page.context.route("**/*", gate)
    page.on("console", hear)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.set_default_timeout(60_000)
    return page


def write_notebook(path: Path, cells: Iterable[str]) -> str:
    """Write a notebook that was never run, and return its name."""
    code = [v4.new_code_cell(cell.strip()) for cell in cells]
    write(v4.new_notebook(cells=code, metadata={"kernelspec": KERNEL}), path)
    return path.name


class JupyterLab:
    """A server on a folder of notebooks, with settings and a run-time folder of its own.

    Args:
        folder: where the notebooks are. Cells run in this Python.
        theme: ``"JupyterLab Light"`` or ``"JupyterLab Dark"``.
    """

    def __init__(self, folder: Path, theme: str = "JupyterLab Light") -> None:
        self.folder, self.theme = Path(folder), theme

    def __enter__(self) -> JupyterLab:
        self._scratch = tempfile.TemporaryDirectory()
        scratch = Path(self._scratch.name)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        self._set(scratch, "notebook-extension", "tracker", {"windowingMode": "none"})
        self._set(scratch, "apputils-extension", "themes", {"theme": self.theme})
        self._set(scratch, "apputils-extension", "notification", {"fetchNews": "false"})
        folders = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        }
        self._log = (scratch / "log").open("w+")
        self._server = subprocess.Popen(
            [
                sys.executable,
                *("-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"),
                *(f"--port={port}", "--ServerApp.port_retries=0"),
                f"--IdentityProvider.token={TOKEN}",
                "--LabApp.expose_app_in_browser=True",
                "--LabApp.news_url=None",
                "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
                "--LabApp.extension_manager=readonly",
                f"--ServerApp.root_dir={self.folder}",
            ],
            env={**os.environ, **{name: str(scratch / path) for name, path in folders.items()}},
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self._await_answer()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.terminate()
        try:
            self._server.wait(15)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        self._log.close()
        self._scratch.cleanup()

    def open(self, page: Any, name: str) -> None:
        """Open a notebook of the folder and wait until its kernel is idle."""
        page.goto(f"{self.address}/lab/tree/{quote(name)}?reset&token={TOKEN}", timeout=PATIENCE)
        page.wait_for_selector(f"{_PANEL} .jp-Cell", timeout=PATIENCE)
        page.evaluate("() => window.jupyterapp.restored.then(() => true)")
        page.wait_for_function(
            """() => window.jupyterapp.shell.currentWidget?.context?.sessionContext
                ?.session?.kernel?.status === "idle" """,
            timeout=PATIENCE,
        )

    def run_all(self, page: Any, timeout: float = PATIENCE) -> list[str]:
        """Run every cell and wait for the last; returns the texts of errors and of stderr.

        JupyterLab stops at the first error, so a caller also looks for the last cell's output.
        """
        self.start_all(page)
        return self.finish(page, timeout)

    def start_all(self, page: Any) -> None:
        """Start running every cell."""
        page.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-all-cells')")

    def finish(self, page: Any, timeout: float = PATIENCE) -> list[str]:
        """Wait until no cell is left to run; returns the texts of errors and of stderr."""
        page.wait_for_function(
            """() => {
                const prompts = [...document.querySelectorAll(".jp-CodeCell .jp-InputArea-prompt")]
                    .map((prompt) => prompt.textContent);
                return prompts.some((text) => /\\d/.test(text))
                    && !prompts.some((text) => text.includes("*"));
            }""",
            timeout=timeout,
        )
        return [error.inner_text() for error in page.query_selector_all(_ERRORS)]

    def picture(self, page: Any, path: Path, cells: slice = slice(None)) -> None:
        """Save a picture of the notebook, or of some of its cells."""
        page.evaluate(
            """async () => {
                const { commands } = window.jupyterapp;
                for (const command of ["application:toggle-mode", "application:toggle-left-area"]) {
                    if (command.endsWith("mode") || commands.isToggled(command)) {
                        await commands.execute(command);
                    }
                }
                document.activeElement?.blur();
            }"""
        )
        height = page.evaluate(
            """(cells) => {
                const all = document.querySelectorAll(cells);
                const last = all[all.length - 1].getBoundingClientRect();
                return last.bottom - all[0].getBoundingClientRect().top;
            }""",
            f"{_PANEL} .jp-Cell",
        )
        page.set_viewport_size({"width": 1000, "height": min(16_000, int(height) + 130)})
        page.locator(f"{_PANEL} .jp-Cell").first.scroll_into_view_if_needed()
        page.wait_for_timeout(500)  # the browser lays out anew; there is nothing to wait for
        path.parent.mkdir(parents=True, exist_ok=True)
        if cells == slice(None):
            page.locator(_PANEL).screenshot(path=path)
            return
        boxes = [cell.bounding_box() for cell in page.locator(f"{_PANEL} .jp-Cell").all()[cells]]
        left, top = (min(box[side] for box in boxes) for side in ("x", "y"))
        clip = {
            "x": left,
            "y": top,
            "width": max(box["x"] + box["width"] for box in boxes) - left,
            "height": max(box["y"] + box["height"] for box in boxes) - top,
        }
        page.screenshot(path=path, clip=clip)

    def _set(self, scratch: Path, extension: str, plugin: str, values: dict[str, Any]) -> None:
        file = scratch / "settings" / "@jupyterlab" / extension / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))

    def _await_answer(self) -> None:
        end = time.monotonic() + PATIENCE / 1000
        while time.monotonic() < end and self._server.poll() is None:
            try:
                urllib.request.urlopen(f"{self.address}/api?token={TOKEN}", timeout=5).close()
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        self._log.seek(0)
        said = self._log.read()[-2000:]
        self.__exit__()
        raise RuntimeError(f"JupyterLab did not answer at {self.address}. It said:\n{said}")
