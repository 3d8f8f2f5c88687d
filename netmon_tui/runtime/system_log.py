"""Lines for the system's log, as datagrams to its socket (RFC 3164, the form of syslog(3))."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from netmon_tui.domain.comparison import Severity
from netmon_tui.security.hostile_text import clean

SOCKET = Path("/dev/log")
_DAEMON = 3
"""Facility of programs that run by themselves."""
_PRIORITIES = {Severity.HIGH: 2, Severity.MEDIUM: 4, Severity.LOW: 5, Severity.INFO: 6}
"""Critical, warning, notice, informational."""
_LONGEST = 900
"""Characters: a line of RFC 3164 has at most 1,024 bytes."""
_PATIENCE = 2.0
"""Seconds that a log that is read by nobody may take."""


def write_to_system_log(text: str, severity: Severity, *, path: Path = SOCKET) -> None:
    """Send a line. Blocks for a moment: call it in a thread.

    Args:
        text: Foreign text: what could end the line, forge another or rule a terminal is escaped.
        severity: How much it matters.
        path: The log's socket.

    Raises:
        OSError: There is no log, or it takes nothing.
    """
    line = clean(text, _LONGEST).encode("ascii", "backslashreplace")[:_LONGEST]
    priority = _DAEMON * 8 + _PRIORITIES[severity]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as log:
        log.settimeout(_PATIENCE)
        log.connect(str(path))
        log.send(b"<%d>netmon-tui[%d]: %s" % (priority, os.getpid(), line))
