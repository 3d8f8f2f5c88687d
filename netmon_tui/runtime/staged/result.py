"""``scan.xml``: the one document of a staged scan, written host by host."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from .joining import address_of, foot, head, joined, progress, serialised, state_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .elements import Element

_EVERY = 1.0
"""Seconds between two progress elements."""


class Result:
    """Writes the document; after a flush, whoever tails it sees what nmap would have written.

    Args:
        path: Where.
        arguments: The scan as one command.
    """

    def __init__(self, path: Path, arguments: str) -> None:
        self._file = path.open("wb")
        self._arguments = arguments
        self._begun = time.time()
        self._has_head = False
        self._copied: set[bytes] = set()
        self._progress_at = 0.0
        self.done: set[str] = set()
        """Addresses whose host is written, up or down."""
        self._up = self._down = 0

    def begin(self, root: Mapping[str, str]) -> None:
        """Write the head, once, from the first document there is."""
        if not self._has_head and root:
            self._has_head = True
            self._begun = float(root.get("start") or self._begun)
            self._write(head(root, self._arguments))

    def copy(self, element: Element) -> None:
        """Write an element as it came; what a script says of the whole scan stands once, also after another try."""
        if element.name in ("prescript", "postscript"):
            self.copy_once(element)
        else:
            self._write(element.content + b"\n")

    def copy_once(self, element: Element) -> None:
        """Write an element that every stage repeats."""
        if element.content not in self._copied:
            self._copied.add(element.content)
            self._write(element.content + b"\n")

    def hint(self, host: ElementTree.Element) -> None:
        """Tell of a host that is up before its ports are known."""
        words = [host.find(name) for name in ("status", "address", "hostnames")]
        hint = ElementTree.Element("hosthint")
        hint.extend(word for word in words if word is not None)
        self._write(serialised(hint))

    def add(
        self,
        host: ElementTree.Element,
        discovered: ElementTree.Element | None = None,
        detected: ElementTree.Element | None = None,
    ) -> None:
        """Write a host out of what the stages say of it, unless it is written already."""
        address = address_of(host)
        if address in self.done:
            return
        self.done.add(address)
        is_up = state_of(discovered if discovered is not None else host) == "up"
        self._up += is_up
        self._down += not is_up
        self._write(joined(host, discovered, detected))

    def tell_progress(self, task: str, percent: float, elapsed: float) -> None:
        """Say how far a stage is, now and then; its first percent says nothing of the rest."""
        now = time.monotonic()
        if now - self._progress_at >= _EVERY and percent >= 1.0:
            self._progress_at = now
            self._write(progress(task, percent, elapsed))

    def end(self, error: str) -> None:
        """Write the end of a scan that was not stopped: with an error, or without."""
        self.begin({"scanner": "nmap", "start": str(int(self._begun))})  # where no nmap came so far
        self._write(foot(self._begun, (self._up, self._down), error))
        self._file.close()

    def break_off(self) -> None:
        """Leave the document as nmap leaves one when it is stopped."""
        self._file.close()

    def flush(self) -> None:
        """Let whoever tails the document see what was written."""
        self._file.flush()

    def _write(self, data: bytes) -> None:
        self._file.write(data)
