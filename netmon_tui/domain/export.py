"""What can be taken out of a scan: in which format, and which of its hosts."""

from __future__ import annotations

from typing import NamedTuple

SCAN_FORMATS = ("xml", "json", "jsonl", "csv", "md", "html", "gnmap", "tar")
"""nmap's XML, JSON, JSON lines, CSV, Markdown, HTML, nmap's greppable output, the documents of all its nmaps.

They are file extensions too.
"""

MAP_FORMATS = ("svg", "dot", "mermaid", "tree")
"""What the map of a scan can be written as: a picture, the languages of Graphviz and Mermaid, indented text."""


class HostSelection(NamedTuple):
    """Which hosts of a scan are meant: all when both parts are empty, else those that meet both."""

    addresses: tuple[str, ...] = ()
    """Each must be one of the scan."""
    text: str = ""
    """What the list of hosts is filtered by; ``!`` in front inverts."""

    def __bool__(self) -> bool:
        """Whether it leaves hosts out."""
        return bool(self.addresses or self.text)
