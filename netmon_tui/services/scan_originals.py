"""The documents of a scan as its nmaps wrote them: of every stage and of every run, in one tar archive."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

from netmon_tui.errors import NotFound

_ENDINGS = (".xml", ".xml.gz")
"""They are packed some time after their scan has ended."""
_PIECE = 1 << 20


def originals(directory: Path, name: str) -> Iterator[bytes]:
    """Return a tar archive of the documents in a job directory (blocking, like iterating over it).

    Args:
        directory: The job directory, with those of the runs before it.
        name: Directory that they are in inside the archive.

    Raises:
        NotFound: There are none.
    """
    documents = sorted(path for path in directory.rglob("*") if path.name.endswith(_ENDINGS))
    if not documents:
        raise NotFound("the scan has no documents of nmap")
    return _archive(directory, name, documents)


def _archive(directory: Path, name: str, documents: list[Path]) -> Iterator[bytes]:
    for path in documents:
        yield from _member(path, f"{name}/{path.relative_to(directory)}")
    yield bytes(2 * tarfile.BLOCKSIZE)


def _member(path: Path, name: str) -> Iterator[bytes]:
    try:
        file = path.open("rb")
    except FileNotFoundError:  # it has just been packed
        file, name = path.with_name(path.name + ".gz").open("rb"), name + ".gz"
    with file:
        status = os.fstat(file.fileno())
        member = tarfile.TarInfo(name)
        member.size, member.mtime, member.mode = status.st_size, int(status.st_mtime), 0o600
        yield member.tobuf()
        left = status.st_size
        while left and (piece := file.read(min(_PIECE, left))):
            left -= len(piece)
            yield piece
        # a document that still grows is what it was; one that became shorter is filled up
        yield bytes(left + -status.st_size % tarfile.BLOCKSIZE)
