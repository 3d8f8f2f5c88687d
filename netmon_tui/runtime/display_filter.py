"""Which packets of a file a display filter shows, as tshark says."""

from __future__ import annotations

import os
import subprocess
import tempfile
from array import array
from pathlib import Path

from netmon_tui.errors import InvalidInput, ToolFailed
from netmon_tui.runtime.processes import nobodys_identity

LONGEST_FILTER = 4_000
"""Characters."""
_ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "HOME": "/nonexistent",
    "WIRESHARK_CONFIG_DIR": "/nonexistent",
}
_LONGEST_COMPLAINT = 300
_CUT = "cut short"
"""What tshark says of a file whose last packet is not all there, which is how a running capture looks."""


def shown_numbers(tshark: str, path: Path, text: str) -> array[int]:
    """Return the numbers of the packets that a filter shows, ascending, 8 bytes each; blocks for 20 s a million.

    tshark reads the open file as nobody and never touches its name.

    Args:
        tshark: Absolute path.
        path: A pcap file.
        text: A filter in Wireshark's language.

    Raises:
        InvalidInput: The filter is none, in tshark's words.
        ToolFailed: tshark cannot read the file.
    """
    if len(text) > LONGEST_FILTER or not text.isprintable():
        raise InvalidInput(
            "the display filter is not valid", why=f"it is no line of at most {LONGEST_FILTER} characters"
        )
    argv = [tshark, "-n", "-Q", "-r", "-", "-Y", text, "-T", "fields", "-e", "frame.number"]
    with path.open("rb") as source, tempfile.TemporaryFile() as words:
        process = subprocess.Popen(
            argv,
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=words,
            env=_ENVIRONMENT,
            cwd="/",
            start_new_session=True,
            **nobodys_identity(),
        )
        try:
            assert process.stdout is not None
            numbers = array("Q", (int(line) for line in process.stdout if line.strip().isdigit()))
            status = process.wait()
        finally:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        complaint = _first_words(words.fileno())
    if status and _CUT not in complaint:
        raise _refusal(status, complaint)
    return numbers


def _first_words(descriptor: int) -> str:
    return os.pread(descriptor, 4096, 0).decode("utf-8", "replace").strip()


def _refusal(status: int, complaint: str) -> InvalidInput | ToolFailed:
    why = complaint.removeprefix("tshark: ").split("\n")[0][:_LONGEST_COMPLAINT] or f"status {status}"
    if status == 2 and "-" not in complaint[:1] and "file" not in complaint.split("\n")[0].lower():
        return InvalidInput("the display filter is not valid", why=why)
    return ToolFailed("tshark could not apply the display filter", why=why)
