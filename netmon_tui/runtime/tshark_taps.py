"""The statistics that the installed tshark has, asked once for each file of it."""

from __future__ import annotations

import functools
from pathlib import Path

from netmon_tui.errors import ToolFailed
from netmon_tui.runtime.processes import run_checked
from netmon_tui.runtime.tool_paths import require_tool
from netmon_tui.tools.tshark_taps import help_command, read_taps

_PATIENCE = 30.0
"""Seconds; tshark loads all its dissectors before it says anything."""


def installed_taps() -> frozenset[str]:
    """Return the names of tshark's statistics, such as ``conv,tcp``. Blocks.

    Raises:
        ToolMissing: It is not installed.
        ToolFailed: It does not say.
    """
    path = require_tool("tshark")
    return _taps_of(path, Path(path).stat().st_mtime_ns)


@functools.lru_cache(maxsize=4)
def _taps_of(path: str, _changed: int) -> frozenset[str]:
    done = run_checked(help_command(path), timeout=_PATIENCE, cpu_seconds=20)
    # tshark before 4.2 prints it on stderr
    taps = read_taps(done.stdout + "\n" + done.stderr)
    if not taps:
        raise ToolFailed("tshark does not say which statistics it has", why=f"{path} may be something else")
    return taps
