"""What a capture has on the disk just now."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from netmon_tui.runtime.key_log import keys_stamp
from netmon_tui.tools.file_set import packet_files


class OnDisk(NamedTuple):
    """What a capture has on the disk."""

    files: tuple[Path, ...]
    """Those with packets, the oldest first."""
    keys: tuple[int, int]
    """What is another once its TLS keys are."""


def on_disk(directory: Path) -> OnDisk:
    """Look into the directory of a capture (blocking)."""
    return OnDisk(tuple(packet_files(directory)), keys_stamp(directory))
