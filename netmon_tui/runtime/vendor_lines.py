"""The vendor prefixes that are inside tshark: Wireshark has no file of them since 4.2."""

from __future__ import annotations

from collections.abc import Iterator

from netmon_tui.runtime.processes import run_checked
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.tools.oui import WIRESHARK_FILES

_LARGEST_OUTPUT = 16 * 1024 * 1024
"""Bytes; Wireshark 4.4 prints 3 million."""
_MEMORY_BYTES = 4 << 30
"""Address space: tshark maps all its dissectors before it prints anything."""


def vendor_lines() -> Iterator[str]:
    """Yield what ``tshark -G manuf`` prints, asked when the first line is wanted (blocking, 0.3 s).

    Nothing where Wireshark's file is there, which is quicker to read, or where there is no tshark.
    """
    tshark = find_tool("tshark")
    if tshark is None or any(path.is_file() for path in WIRESHARK_FILES):
        return
    done = run_checked(
        (tshark, "-G", "manuf"),
        timeout=20,
        cpu_seconds=10,
        max_output=_LARGEST_OUTPUT,
        memory_bytes=_MEMORY_BYTES,
    )
    yield from done.stdout.splitlines()
