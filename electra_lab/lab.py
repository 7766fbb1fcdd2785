"""Notebooks in a folder of one's own, and JupyterLab on one of them."""

from __future__ import annotations

import filecmp
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from electra_lab.checkpoints.atomic import atomic_file
from electra_lab.checkpoints.resources import in_clone, notebooks_path

FIRST = "00_start_here.ipynb"
GLOSSARY = "glossary.md"  # the notebooks link to it

# JupyterLab asks its home for news and for newer versions, and its extension manager asks PyPI.
# The kit works with no network, so nothing asks.
OFFLINE = (
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
)


@dataclass(frozen=True)
class Copied:
    """What ``copy_notebooks`` did: names of files that are new, were there already, or were kept
    because they differ from the shipped ones."""

    folder: Path
    new: tuple[str, ...]
    same: tuple[str, ...]
    kept: tuple[str, ...]

    def __str__(self) -> str:
        said = [f"{len(self.new)} notebooks copied to {self.folder}."]
        if self.same:
            said.append(f"{len(self.same)} were there already.")
        if self.kept:
            said.append(
                f"Kept as they are, since they differ from the shipped ones: {', '.join(self.kept)}. "
                "To get a shipped one again, rename or delete yours."
            )
        return "\n".join(said)


def copy_notebooks(folder: str | Path) -> Copied:
    """Copy the shipped notebooks, and the glossary that they link to, to ``folder``; a file that is
    there is never overwritten.

    Raises:
        NotADirectoryError: ``folder`` is a file.
        OSError: it cannot be written.
    """
    target = Path(folder).expanduser().resolve()
    if target.exists() and not target.is_dir():
        raise NotADirectoryError(f"{target} is a file; name a folder for the notebooks.")
    done: dict[str, list[str]] = {"new": [], "same": [], "kept": []}
    for source in sorted(notebooks_path().glob("*.ipynb")):
        place = target / source.name
        if not place.exists():
            with atomic_file(place) as partial:
                shutil.copyfile(source, partial)
            done["new"].append(source.name)
        elif filecmp.cmp(source, place, shallow=False):
            done["same"].append(source.name)
        else:
            done["kept"].append(source.name)
    if not (target / GLOSSARY).exists():
        with atomic_file(target / GLOSSARY) as partial:
            shutil.copyfile(notebooks_path() / GLOSSARY, partial)
    return Copied(target, **{kind: tuple(names) for kind, names in done.items()})


def notebooks_of_the_clone() -> Path:
    """Where the notebooks lie in a clone, to be opened and changed there.

    Raises:
        ValueError: the package was installed without a clone; its own copy is not to be edited.
    """
    if not in_clone():
        raise ValueError(
            "electra_lab was installed without its repository, so the notebooks need a place where "
            "you can change them. Name a folder: electra-lab lab my-electra-notebooks"
        )
    return notebooks_path()


def need_jupyterlab() -> None:
    """Raises:
    ModuleNotFoundError: JupyterLab is not installed.
    """
    if find_spec("jupyterlab") is None:
        raise ModuleNotFoundError(
            "JupyterLab is not installed. Install it with what the notebooks need: "
            'pip install "electra-lab[notebooks]"'
        )


def open_lab(folder: Path, options: Sequence[str] = (), notebook: str = FIRST) -> None:
    """Start JupyterLab on a notebook; returns when the server has been stopped.

    Args:
        folder: the folder with the notebooks, and the root of what JupyterLab shows.
        options: options of ``jupyter lab``, such as ``--no-browser``; they win over ours.
        notebook: which of the folder is opened.

    Raises:
        ModuleNotFoundError: JupyterLab is not installed.
        FileNotFoundError: the folder has no such notebook.
    """
    need_jupyterlab()
    if not (folder / notebook).is_file():
        raise FileNotFoundError(f"There is no {notebook} in {folder}.")
    from jupyterlab.labapp import LabApp

    # The address, rather than the file, is given: so it is printed too, for use without a browser.
    start = (f"--ServerApp.root_dir={folder}", f"--LabApp.default_url=/lab/tree/{quote(notebook)}")
    LabApp.launch_instance(argv=[*start, *OFFLINE, *options])
