"""Where nmap, tcpdump and the others are, and which version they have."""

from __future__ import annotations

import functools
import os
import re
import stat
from pathlib import Path

from netmon_tui.errors import NetmonError, ToolFailed, ToolMissing
from netmon_tui.runtime.processes import run_checked

SYSTEM_DIRECTORIES = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin")
"""Looked at after PATH: an ordinary user's PATH often lacks the sbin directories."""
PACKAGES = {"capinfos": "wireshark-common", "dumpcap": "wireshark-common", "ip": "iproute2"}
"""Debian packages that are not named like their tool."""
_VERSION = re.compile(r"\b(\d+\.\d+[\w.]*)")
_VERSION_PATIENCE = 10.0


def find_tool(name: str) -> str | None:
    """Return the absolute path of a tool, or None.

    A program that somebody else than root or we ourselves could have put or changed there is passed over.
    """
    directories = [part for part in os.environ.get("PATH", "").split(":") if part.startswith("/")]
    for directory in (*directories, *SYSTEM_DIRECTORIES):
        path = Path(directory, name)
        if _is_ours_to_run(path):
            return str(path)
    return None


def _is_ours_to_run(path: Path) -> bool:
    try:
        file, parent = path.stat(), path.parent.stat()
    except OSError:
        return False
    owners = (0, os.geteuid())
    if not stat.S_ISREG(file.st_mode) or not os.access(path, os.X_OK):
        return False
    return file.st_uid in owners and parent.st_uid in owners and not (file.st_mode | parent.st_mode) & 0o002


def require_tool(name: str) -> str:
    """Return the absolute path of a tool.

    Raises:
        ToolMissing: It is not installed; says how to get it.
    """
    path = find_tool(name)
    if path is None:
        raise ToolMissing(f"{name} is not installed", fix=f"apt install {PACKAGES.get(name, name)}")
    return path


def tool_version(name: str) -> str:
    """Return a tool's version, such as ``7.93``; asked once for each file.

    Raises:
        ToolMissing: It is not installed.
        ToolFailed: It does not say.
    """
    path = require_tool(name)
    return _version_of(name, path, Path(path).stat().st_mtime_ns)


def version_numbers(name: str) -> tuple[int, int] | None:
    """Return the first two numbers of a tool's version, such as (7, 93); None when it does not say."""
    try:
        parts = tool_version(name).split(".")
        return int(parts[0]), int(parts[1])
    except (NetmonError, ValueError, IndexError):
        return None


@functools.lru_cache(maxsize=32)
def _version_of(name: str, path: str, _changed: int) -> str:
    version = _nmap_version(path) if name == "nmap" else _printed_version(path)
    if not version:
        raise ToolFailed(f"{name} does not say its version", why=f"{path} may be something else")
    return version


def _nmap_version(path: str) -> str:
    import nmap

    try:
        major, minor = nmap.PortScanner(nmap_search_path=(path,)).nmap_version()
    except (nmap.PortScannerError, OSError):
        return ""
    return f"{major}.{minor}" if major or minor else ""


def _printed_version(path: str) -> str:
    done = run_checked((path, "--version"), timeout=_VERSION_PATIENCE, cpu_seconds=5)
    # tcpdump before 4.99 and some others print it on stderr
    text = done.stdout or done.stderr
    match = _VERSION.search(text.partition("\n")[0])
    return match[1].rstrip(".") if match else ""
