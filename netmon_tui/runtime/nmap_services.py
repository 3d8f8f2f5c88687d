"""How common ports are, by the ``nmap-services`` that is installed beside nmap."""

from __future__ import annotations

import functools
from pathlib import Path

from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.tools.nmap_ports import Frequencies, read_services


def port_frequencies() -> Frequencies:
    """Return how often ports are open (blocking; read once for each state of the file); empty without the file."""
    nmap = find_tool("nmap")
    if nmap is None:
        return {}
    path = Path(nmap).resolve().parent.parent / "share/nmap/nmap-services"
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError:
        return {}


@functools.lru_cache(maxsize=2)
def _read(path: Path, _changed: int) -> Frequencies:
    with path.open(encoding="utf-8", errors="replace") as file:
        return read_services(file)
