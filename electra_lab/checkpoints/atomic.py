"""Writing so that nothing is lost: the old file or folder stays whole until the new one is."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_folder(folder: str | Path) -> Iterator[Path]:
    """Write a folder whole or not at all.

    Yields an empty temporary folder beside ``folder``. When the block ends well, its files take
    their places: as one rename where ``folder`` is new, file by file where it exists (files that the
    block did not write stay). When the block fails, the temporary folder goes and ``folder`` is as
    it was. After a kill a folder named ``.NAME.xxxx.partial`` may be left; it is never read.

    Raises:
        OSError: the disk is full or the place cannot be written; says that nothing was lost.
    """
    target = Path(folder)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(
            tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent)
        )
    except OSError as error:
        raise _nothing_lost(target, error) from error
    try:
        yield partial
        files = sorted(path for path in partial.rglob("*") if path.is_file())
        for path in files:
            _flush(path)
        if target.exists():
            for path in files:
                place = target / path.relative_to(partial)
                place.parent.mkdir(parents=True, exist_ok=True)
                os.replace(path, place)
        else:
            partial.chmod(0o755)  # mkdtemp keeps others out, a checkpoint is to be read
            os.rename(partial, target)
        _flush(target.parent)
    except OSError as error:
        raise _nothing_lost(target, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def atomic_file(file: str | Path) -> Iterator[Path]:
    """Write a file whole or not at all: yields a temporary path that then takes the file's place.

    Raises:
        OSError: the disk is full or the place cannot be written; says that nothing was lost.
    """
    target = Path(file)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        _flush(partial)
        os.replace(partial, target)
        _flush(target.parent)
    except OSError as error:
        raise _nothing_lost(target, error) from error
    finally:
        partial.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Ask for the content to be on the disk; folders cannot be opened for that on Windows."""
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _nothing_lost(target: Path, error: OSError) -> OSError:
    kept = "What was there before is whole." if target.exists() else "Nothing was left behind."
    return OSError(
        error.errno,
        f"Could not write {target}: {error.strerror or error}. {kept} "
        "Free some space or choose another place, then save again",
    )
