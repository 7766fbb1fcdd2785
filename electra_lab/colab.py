"""On Google Colab: what the kit still needs, beside the libraries that are there.

Colab brings its own torch, numpy and transformers, and exchanging one of them means a restart of the
kernel. So a notebook's first cell installs the kit without its requirements, and ``set_up`` adds the
few libraries that Colab does not have, with every one that it has held at its version.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib import import_module, invalidate_caches
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from tempfile import TemporaryDirectory

NOT_ON_COLAB = ("jupyterlab",)
"""Colab has a page of its own."""

Pip = Callable[[Sequence[str]], object]


def set_up() -> None:
    """Install what is missing on this Colab machine, and let it show the kit's views.

    Raises:
        ModuleNotFoundError: this is not Colab.
        subprocess.CalledProcessError: pip failed, for one because it would have had to exchange a
            library that is there; what it said stands above.
    """
    output = import_module("google.colab.output")  # a module of Colab's machines only
    present, missing = requirements()
    if missing:
        install(present, missing)
    output.enable_custom_widget_manager()


def requirements(
    texts: Sequence[str] | None = None, installed: Callable[[str], str] | None = None
) -> tuple[dict[str, str], list[str]]:
    """What of the kit's requirements is installed, with its version, and what is to be installed.

    A version that is there stays, even where it is outside the range that was tested.

    Args:
        texts: requirements as a wheel states them; default: the installed kit's. Those of the kit
            itself and of its extra ``notebooks`` count.
        installed: from a name to its version; raises PackageNotFoundError where there is none; default:
            importlib.metadata's.
    """
    version_of = installed or version
    present: dict[str, str] = {}
    missing: list[str] = []
    for text in requires("electra-lab") or () if texts is None else texts:
        asked, _, condition = text.partition(";")
        found = re.match(r"[\w.-]+", asked)
        if not found or found[0] in NOT_ON_COLAB:
            continue
        if "extra" in condition and not re.search(r"extra == ['\"]notebooks['\"]", condition):
            continue
        try:
            present[found[0]] = version_of(found[0])
        except PackageNotFoundError:
            missing.append(asked.strip())
    return present, missing


def install(present: dict[str, str], missing: Sequence[str], pip: Pip | None = None) -> None:
    """Install ``missing``; pip fails rather than change one of ``present``."""
    run = pip or _pip
    with TemporaryDirectory() as folder:
        held = Path(folder) / "installed.txt"
        held.write_text("".join(f"{name}=={present[name]}\n" for name in present))
        run(["install", "--quiet", "--constraint", str(held), *missing])
    invalidate_caches()  # Python looks again for what has just come


def _pip(arguments: Sequence[str]) -> None:
    subprocess.run([sys.executable, "-m", "pip", *arguments], check=True)
