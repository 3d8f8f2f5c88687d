"""Where a path leads, what of a directory may be read, for those who choose files, and reading what they chose."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from netmon_tui.errors import InvalidInput, NotFound

MOST_FILES = 5_000
"""More of a directory is not listed; a path can always be typed."""


@dataclass(frozen=True, slots=True)
class ReadableFile:
    """A file or directory that this program may read."""

    path: Path
    is_directory: bool
    size: int
    """Bytes."""
    changed: float
    """POSIX time of the latest change."""


def working_directory() -> Path:
    """Return where this program was started; the root when that is gone."""
    try:
        return Path.cwd()
    except OSError:
        return Path("/")


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Tell what the system refuses meanwhile as InvalidInput: what has the name cannot be read."""
    try:
        yield
    except OSError as error:
        raise InvalidInput(f"{name} cannot be read", why=error.strerror or str(error)) from error


def require_file(path: Path) -> None:
    """Raise NotFound unless there is a file; of a pipe or a device nobody knows where it ends."""
    if not path.is_file():
        raise NotFound(f"no file {path}")


def read_beginning(path: Path, most: int) -> bytes:
    """Return a file, or so many of its first bytes; raises NotFound and InvalidInput (blocking)."""
    with reading(str(path)):
        require_file(path)
        with path.open("rb") as file:
            return file.read(most)


def whole_path(text: str) -> Path:
    """Return the path from the root that is meant by what is typed; a user that does not exist stays as typed."""
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        path = Path(text)
    return working_directory() / path


def readable_files(directory: Path) -> list[ReadableFile]:
    """Return the directories by name, then the files, the latest first; hidden ones are left out (blocking).

    Raises:
        NotFound: There is no such directory, or it may not be read.
    """
    try:
        with os.scandir(directory) as entries:
            found = list(_readable(entries))
    except OSError as error:
        raise NotFound(f"{directory} cannot be listed", why=error.strerror or str(error)) from error
    directories = sorted((one for one in found if one.is_directory), key=lambda one: one.path.name.casefold())
    files = sorted((one for one in found if not one.is_directory), key=lambda one: -one.changed)
    return [*directories, *files]


def _readable(entries: Iterator[os.DirEntry[str]]) -> Iterator[ReadableFile]:
    count = 0
    for entry in entries:
        if entry.name.startswith("."):
            continue
        try:
            status = entry.stat()
        except OSError:
            continue  # gone meanwhile, or a link to nowhere
        is_directory = stat.S_ISDIR(status.st_mode)
        if not (is_directory or stat.S_ISREG(status.st_mode)):
            continue
        if os.access(entry.path, os.R_OK | (os.X_OK if is_directory else 0)):
            yield ReadableFile(Path(entry.path), is_directory, status.st_size, status.st_mtime)
            count += 1
            if count == MOST_FILES:
                return
