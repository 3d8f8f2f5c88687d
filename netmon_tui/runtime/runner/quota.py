"""What the owner of a capture may keep, of which every capture that runs takes: each runner adds up for itself.

A document beside the job directories says what the owner's captures that have ended have, and which run. Programs
replace it as a whole whenever one begins, ends, comes in or is deleted. What the running ones have is what lies on
the disk, so that nobody need say it: not a runner that was killed, nor a ring that deletes its oldest file.
"""

# pathlib would cost the runner 8 ms and 1 MB
# ruff: noqa: PTH116, PTH123

from __future__ import annotations

import json
import os
import time

TYPE_CHECKING = False  # typing itself would cost 5 ms
if TYPE_CHECKING:
    from typing import Any

_REST = 50
"""A look is followed by a rest that is so many times as long: captures may have thousands of files."""


class Quota:
    """What the files of one capture may take.

    Args:
        spec: Has the quota, 0 for none, and the path of the document.
        directory: The job directory, beside those of the others.
    """

    def __init__(self, spec: dict[str, Any], directory: str) -> None:
        self._bytes = spec["limits"]["quota_bytes"]
        # A program that is older than this runner tells of none.
        self._document = spec.get("quota_document", "")
        self._jobs, self._name = os.path.split(directory)
        self._read_as = (0, 0)
        self._kept = 0
        self._others: list[str] = []
        self._left: int = self._bytes
        self._own = -1
        self._next = 0.0

    def is_reached(self, own: int) -> bool:
        """Whether so many bytes of this one, by what the others had lately, are all that it may have.

        Costs nothing until that seems so: then the others are looked at.
        """
        return bool(self._bytes) and own >= self._left and self._look(own)

    def is_used_up(self, own: int, now: float) -> bool:
        """Whether they are by what the others have now; never of one that gets no packets: it takes no more."""
        if not self._bytes or own == self._own or now < self._next:
            return False
        found = self._look(own)
        self._next = now + _REST * (time.monotonic() - now)
        return found

    def _look(self, own: int) -> bool:
        self._own = own
        self._read()
        others = sum(bytes_in(f"{self._jobs}/{name}") for name in self._others)
        self._left = self._bytes - self._kept - others
        return own >= self._left

    def _read(self) -> None:
        """Read the document when it is another; without one, or with a damaged one, the last one stands."""
        try:
            found = os.stat(self._document)
            if self._read_as != (found.st_ino, found.st_mtime_ns):
                with open(self._document, "rb") as file:
                    said = json.load(file)
                others = [name for name in said["running"] if name != self._name]
                self._kept, self._others = said["kept_bytes"], others
                self._read_as = (found.st_ino, found.st_mtime_ns)
        except (OSError, ValueError, KeyError, TypeError):
            return


def bytes_in(directory: str) -> int:
    """Return what the files with packets in a job directory have; nothing when it is gone."""
    total = 0
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.name.startswith("capture") and entry.name.endswith((".pcap", ".pcapng")):
                    total += _size(entry)
    except OSError:
        return total
    return total


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except OSError:  # the ring has deleted it since
        return 0
