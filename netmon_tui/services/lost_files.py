"""What to say of a capture that has no file: nothing was written yet, or somebody took it away."""

from __future__ import annotations

from pathlib import Path

from netmon_tui.domain.capture import Capture
from netmon_tui.errors import InvalidInput, NetmonError, NotFound
from netmon_tui.tools.file_set import packet_files


def require_files(capture: Capture, directory: Path) -> list[Path]:
    """Return the files of a capture in order, of which there must be one (blocking).

    Raises:
        NotFound: It had one: another program moved or deleted it.
        InvalidInput: It has none yet.
    """
    files = packet_files(directory)
    if not files:
        raise no_file(capture, directory)
    return files


def no_file(capture: Capture, directory: Path) -> NetmonError:
    """Return the error that says why a capture has no file, or none with packets."""
    known = [file.path for file in capture.packet_files]
    if known and packet_files(directory):
        emptied = f"another program emptied {known[0] if len(known) == 1 else f'its files in {directory}'}"
        return InvalidInput(f"capture {capture.id} has no packets any more", why=emptied)
    if packet_files(directory):  # packets are counted before their first block is written
        return InvalidInput(f"capture {capture.id} has no packets", why="nothing was written yet")
    if not known and not capture.counters.packets:
        return InvalidInput(f"capture {capture.id} has no file", why="nothing was written yet")
    place = f"its file {known[0]}" if len(known) == 1 else f"its files in {directory}"
    verb, them = ("is", "it") if len(known) == 1 else ("are", "them")
    return NotFound(f"{place} {verb} gone", why=f"another program moved or deleted {them}")
