"""What ships with the package: ``data/`` and ``notebooks/``, in a clone and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent
_CLONE = _PACKAGE.parent
_WHEEL = _PACKAGE / "_shipped"  # where pyproject.toml puts both folders in a wheel


def _shipped(name: str) -> Path:
    for root in (_WHEEL, _CLONE):
        if (root / name).is_dir() and (root == _WHEEL or (root / "pyproject.toml").is_file()):
            return root / name
    raise FileNotFoundError(
        f"The folder {name}/ that ships with electra_lab was found neither in {_WHEEL} nor in "
        f"{_CLONE}. Install the package again."
    )


def data_path(*parts: str) -> Path:
    """A path below ``data/``, whether or not something is there.

    Raises:
        FileNotFoundError: the installation has no ``data/``.
    """
    return _shipped("data").joinpath(*parts)


def notebooks_path() -> Path:
    """The folder of the notebooks.

    Raises:
        FileNotFoundError: the installation has no ``notebooks/``.
    """
    return _shipped("notebooks")


def in_clone() -> bool:
    """Whether the package runs from its repository, where notebooks and data may be changed."""
    return not _WHEEL.is_dir()


def bundled_checkpoints() -> list[str]:
    """Names that ``from_pretrained`` knows with no network, sorted."""
    folder = data_path("checkpoints")
    return sorted(path.parent.name for path in folder.glob("*/config.json"))
