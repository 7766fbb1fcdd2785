"""Tell the kit where its repository is, so that Binder and Colab find it.

    make address URL=https://github.com/OWNER/NAME
    make address URL=none

The address is kept in pyproject.toml, under [project.urls], and nowhere else by hand. From there this
writes the badges of the README and the first code cell of each notebook. All of them mean the branch
main. Then commit and push.
"""

import argparse
import re
import sys
import tomllib
from pathlib import Path
from urllib.parse import quote, urlsplit

import nbformat

ROOT = Path(__file__).resolve().parents[1]
FIRST = "notebooks/00_start_here.ipynb"
CELL_ID = "colab"
NONE = "none"
BRANCH = "main"

WITH_ADDRESS = """\
import sys

if "google.colab" in sys.modules:  # elsewhere this cell does nothing
    %pip install --quiet --no-deps {source}
    from electra_lab.colab import set_up

    set_up()"""
WITHOUT_ADDRESS = """\
import sys

if "google.colab" in sys.modules:  # elsewhere this cell does nothing
    print("To run on Colab, this copy has to know its address: make address URL=https://...")"""

URLS = re.compile(r"\[project\.urls\]\nRepository = .*\n\n")
BADGES = re.compile(r"<!-- made by make address -->\n.*?<!-- end -->\n\n", flags=re.DOTALL)


def known_address(root=ROOT):
    """The address in pyproject.toml, or None."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    return project.get("urls", {}).get("Repository")


def checked(url):
    """The address as it is kept: https, a host and a path, nothing else.

    Raises:
        ValueError: it is something else.
    """
    parts = urlsplit(url.strip().removesuffix("/").removesuffix(".git"))
    plain = re.fullmatch(r"[\w.-]+(:\d+)?", parts.netloc) and re.fullmatch(
        r"(/[\w.~-]+)+", parts.path
    )
    if parts.scheme != "https" or not plain or parts.query or parts.fragment:
        raise ValueError(
            f"The address is {url!r}; expected one such as https://github.com/OWNER/NAME, or none."
        )
    return parts.geturl()


def first_cell(address):
    """The text of each notebook's first code cell."""
    if address is None:
        return WITHOUT_ADDRESS
    return WITH_ADDRESS.format(source=f"git+{address}@{BRANCH}")


def badges(address, notebooks):
    """Links that start a notebook on Binder, and on Colab where it can open them, as Markdown."""
    parts = urlsplit(address)
    owner_and_name = parts.path.strip("/")
    on_github = parts.netloc == "github.com"
    if on_github:
        place = f"gh/{owner_and_name}"
    elif parts.netloc == "gitlab.com":
        place = f"gl/{quote(owner_and_name, safe='')}"
    else:
        place = f"git/{quote(address, safe='')}"
    binder = f"https://mybinder.org/v2/{place}/{BRANCH}?urlpath={quote('lab/tree/' + FIRST)}"
    lines = [f"[![Start on Binder](https://mybinder.org/badge_logo.svg)]({binder})"]
    if on_github:
        colab = f"https://colab.research.google.com/github/{owner_and_name}/blob/{BRANCH}"
        links = [f"[{name[:2]}]({colab}/notebooks/{name})" for name in notebooks]
        lines += ["", f"Open in Colab: {' '.join(links)}"]
    return "\n".join(lines)


def write(root, address):
    """Put an address, or None, everywhere it belongs below ``root``."""
    pyproject = root / "pyproject.toml"
    text = URLS.sub("", pyproject.read_text())
    if address is not None:
        table = f'[project.urls]\nRepository = "{address}"\n\n'
        text = text.replace("[project.scripts]\n", f"{table}[project.scripts]\n", 1)
    pyproject.write_text(text)

    notebooks = sorted((root / "notebooks").glob("*.ipynb"))
    readme = root / "README.md"
    text = BADGES.sub("", readme.read_text())
    if address is not None:
        title, rest = text.split("\n\n", 1)
        made = badges(address, [path.name for path in notebooks])
        text = f"{title}\n\n<!-- made by make address -->\n{made}\n<!-- end -->\n\n{rest}"
    readme.write_text(text)

    for path in notebooks:
        write_first_cell(path, first_cell(address))


def write_first_cell(path, source):
    """Give a notebook its first code cell, or another text for it; nothing else changes."""
    notebook = nbformat.read(path, as_version=4)
    at = next(i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code")
    if notebook.cells[at].id != CELL_ID:
        new = nbformat.v4.new_code_cell(source, execution_count=1, id=CELL_ID)
        notebook.cells.insert(at, new)
        for cell in notebook.cells[at + 1 :]:
            for counted in [cell, *cell.get("outputs", ())]:
                if counted.get("execution_count"):
                    counted["execution_count"] += 1
    notebook.cells[at].source = source
    nbformat.write(notebook, path)


def main(arguments=None, root=ROOT):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url", help="https://..., or none")
    asked = parser.parse_args(arguments)
    try:
        address = None if asked.url == NONE else checked(asked.url)
    except ValueError as error:
        parser.error(str(error))
    write(root, address)
    print(f"The address is {address or 'not known any more'}. Commit and push what changed.")


if __name__ == "__main__":
    sys.exit(main())
