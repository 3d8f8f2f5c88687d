"""What to say of a capture that has no file: nothing was written yet, or somebody took it away."""

from __future__ import annotations

from pathlib import Path

from netmon_tui.domain.capture import Capture
from netmon_tui.errors import InvalidInput, NetmonError, NotFound
from netmon_tui.tools.file_set import packet_files


def require_file(capture: Capture, directory: Path) -> None:
    """Refuse a capture without any file with packets (blocking).

    Raises:
        NotFound: It had one: another program moved or deleted it.
        InvalidInput: It has none yet.
    """
    if not packet_files(directory):
        raise no_file(capture, directory)


def no_file(capture: Capture, directory: Path) -> NetmonError:
    """Return the error that says why a capture has no file."""
    known = [file.path for file in capture.packet_files]
    if not known and not capture.counters.packets:
        return InvalidInput(f"capture {capture.id} has no file", why="nothing was written yet")
    place = f"its file {known[0]}" if len(known) == 1 else f"its files in {directory}"
    verb, them = ("is", "it") if len(known) == 1 else ("are", "them")
    return NotFound(f"{place} {verb} gone", why=f"another program moved or deleted {them}")
