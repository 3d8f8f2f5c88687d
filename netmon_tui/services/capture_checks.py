"""Whether the files of captures are what they were when they were stored."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from netmon_tui.domain.capture import Capture
from netmon_tui.domain.capture_files import CaptureFile
from netmon_tui.domain.checked_file import CheckedFile, Finding
from netmon_tui.domain.user import Actor
from netmon_tui.errors import InvalidInput
from netmon_tui.services.stopping import Stop, in_thread
from netmon_tui.storage.capture_repository import CaptureRepository

_PIECE = 1 << 20
Tell = Callable[[float], None]
"""Is told from another thread which part is read, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class CaptureChecks:
    """Looks at the files of captures that have ended."""

    captures: CaptureRepository

    async def differing(self, capture: Capture) -> list[CheckedFile]:
        """Return the files that are gone, have another size or cannot be looked at; none is read."""
        checked = await asyncio.to_thread(lambda: [_checked(file) for file in capture.files])
        return [one for one in checked if one.finding is not Finding.SAME]

    async def verify(self, actor: Actor, capture_id: int, tell: Tell) -> list[CheckedFile]:
        """Compare each file with its SHA-256, reading all that have the right size.

        Raises:
            NotFound: No such capture, or not the actor's.
            InvalidInput: It still runs, or has no files.
        """
        capture = await asyncio.to_thread(self.captures.get, actor, capture_id)
        if not capture.state.is_final:
            raise InvalidInput(
                f"capture {capture_id} still runs", why="its files have a SHA-256 when it has ended"
            )
        if not capture.files:
            raise InvalidInput(f"capture {capture_id} has no files")
        return await in_thread(partial(_verify, capture.files, tell))


def _checked(file: CaptureFile, digest_of: Callable[[Path], str] | None = None) -> CheckedFile:
    """Compare a file by its size, and where a function is given that reads it by its SHA-256 as well."""
    path = Path(file.path)
    try:
        size = path.stat().st_size
        if size != file.bytes:
            return CheckedFile(file, Finding.SIZE, size)
        same = digest_of is None or digest_of(path) == file.sha256
        return CheckedFile(file, Finding.SAME if same else Finding.BYTES, size)
    except (FileNotFoundError, NotADirectoryError):
        return CheckedFile(file, Finding.GONE)
    except OSError as error:
        return CheckedFile(file, Finding.UNREADABLE, why=error.strerror or str(error))


def _verify(files: Sequence[CaptureFile], tell: Tell, stop: Stop) -> list[CheckedFile]:
    total, done = sum(file.bytes for file in files), 0

    def digest_of(path: Path) -> str:
        digest, read = hashlib.sha256(), 0
        with path.open("rb") as opened:
            for piece in stop.passing(iter(lambda: opened.read(_PIECE), b"")):
                digest.update(piece)
                read += len(piece)
                tell((done + read) / total)
        return digest.hexdigest()

    found = []
    for file in files:
        found.append(_checked(file, digest_of))
        done += file.bytes
    return found
