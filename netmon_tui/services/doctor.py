"""The doctor: tools, versions, privileges, terminal and storage, each with the fix."""

from __future__ import annotations

import asyncio
import locale
import os
import platform
import shutil
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from netmon_tui.domain.check import Check, CheckStatus
from netmon_tui.errors import DatabaseDamaged, NetmonError
from netmon_tui.runtime.privilege import EDITING_FIX, Privilege
from netmon_tui.runtime.tool_paths import find_tool, tool_version, version_numbers
from netmon_tui.services.capture_engine import CaptureEngine
from netmon_tui.storage.database import Database
from netmon_tui.storage.schema_version import HEAD_REVISION, check_integrity
from netmon_tui.tools.nmap_arguments import needs_private_pty

_TOOLS = {
    "nmap": ("scans", CheckStatus.FAIL),
    "tcpdump": ("captures", CheckStatus.FAIL),
    "tshark": ("field tree of a packet", CheckStatus.WARN),
    "ip": ("default gateways where /proc does not tell", CheckStatus.WARN),
}
_PACKAGES = {"ip": "iproute2"}
_UNVERSIONED = {"ip"}
"""iproute2 answers --version with nothing, and its version matters to nobody here."""
_LOW_SPACE = 1024**3
_NO_SPACE = 1024**2
"""SQLite's journal and its index want a good part of that."""


class DoctorService:
    """Checks what the program depends on.

    Args:
        database: The open database; None when it could not be opened.
        data: The data directory.
        privilege: What this process may do.
        environ: Says what terminal this is.
        problem: Why the database could not be opened.
        engine: What captures, as the setting says.
        more: Checks of other services (blocking).
    """

    def __init__(
        self,
        *,
        database: Database | None,
        data: Path,
        privilege: Privilege,
        environ: Mapping[str, str] = os.environ,
        problem: NetmonError | None = None,
        engine: str = "auto",
        more: Callable[[], list[Check]] = list,
    ) -> None:
        self._more = more
        self._engine = engine
        self._database = database
        self._problem = problem
        self._data = data
        self._privilege = privilege
        self._environ = environ

    async def run(self) -> list[Check]:
        """Return every check's outcome."""
        return await asyncio.to_thread(self._run)

    def _run(self) -> list[Check]:
        return [
            Check("python", CheckStatus.OK, platform.python_version()),
            *(_tool(name, purpose, severity) for name, (purpose, severity) in _TOOLS.items()),
            *self._privileges(),
            *self._more(),
            *self._terminal(),
            *(self._storage() if self._data.is_dir() else ()),
            self._integrity(),
        ]

    def _privileges(self) -> list[Check]:
        privilege = self._privilege
        checks = [Check("privileges", CheckStatus.OK, privilege.word)]
        if not privilege.can_scan_raw:
            checks.append(
                Check(
                    "raw scans",
                    CheckStatus.WARN,
                    "SYN, UDP and OS scans need root: scans fall back to -sT",
                    "run as root, or: sudo setcap cap_net_raw,cap_net_admin,cap_net_bind_service+eip"
                    " $(command -v nmap)",
                    4,
                )
            )
        checks.append(CaptureEngine(self._engine, privilege).check())
        if not privilege.can_edit_neighbours:
            told = "the kernel's neighbour table can be watched, not changed"
            checks.append(Check("neighbour edits", CheckStatus.WARN, told, EDITING_FIX, 4))
        return checks

    def _terminal(self) -> list[Check]:
        term = self._environ.get("TERM", "")
        encoding = locale.getpreferredencoding(False)
        usable = term not in ("", "dumb")
        checks = [
            Check(
                "terminal",
                CheckStatus.OK if usable else CheckStatus.WARN,
                f"TERM={term or 'unset'} COLORTERM={self._environ.get('COLORTERM', 'unset')}",
                "" if usable else "the full screen needs a terminal such as TERM=xterm-256color",
            )
        ]
        utf8 = encoding.lower().replace("-", "") == "utf8"
        fix = "" if utf8 else "set LANG to a UTF-8 locale, or [interface] ascii = true"
        checks.append(Check("locale", CheckStatus.OK if utf8 else CheckStatus.WARN, encoding, fix))
        if "TMUX" in self._environ:
            checks.append(
                Check(
                    "tmux",
                    CheckStatus.OK,
                    "copying needs set-clipboard on; a quick Escape needs escape-time 10",
                    "tmux set -s set-clipboard on; tmux set -s escape-time 10",
                )
            )
        return checks

    def _storage(self) -> list[Check]:
        mode = stat.S_IMODE(self._data.stat().st_mode)
        private = mode & 0o077 == 0
        free = shutil.disk_usage(self._data).free
        return [
            Check(
                "data directory",
                CheckStatus.OK if private else CheckStatus.FAIL,
                f"{self._data} mode {mode:04o}",
                "" if private else f"chmod 700 {self._data}",
                0 if private else 5,
            ),
            _free_space(free),
        ]

    def _integrity(self) -> Check:
        problem = self._problem
        if problem is None and self._database is not None:
            try:
                found = check_integrity(self._database)
            except NetmonError as error:
                problem = error
            else:
                if found:
                    problem = DatabaseDamaged(
                        "; ".join(found[:3]), fix="restore a copy from the backups folder"
                    )
        if problem is not None:
            detail = f"{problem.what}: {problem.why}" if problem.why else problem.what
            return Check("database", CheckStatus.FAIL, detail, problem.fix, problem.exit_code)
        return Check("database", CheckStatus.OK, f"schema {HEAD_REVISION}, whole")


def _free_space(free: int) -> Check:
    told = f"{free >> 20} MiB"
    if free < _NO_SPACE:
        detail = f"{told}: the database cannot be written, also not how jobs have ended"
        return Check("free space", CheckStatus.FAIL, detail, "free some space: then it is stored", 5)
    if free < _LOW_SPACE:
        fix = "captures stop before the disk is full: free some space"
        return Check("free space", CheckStatus.WARN, told, fix)
    return Check("free space", CheckStatus.OK, told)


def _tool(name: str, purpose: str, severity: CheckStatus) -> Check:
    path = find_tool(name)
    if path is None:
        package = _PACKAGES.get(name, name)
        return Check(name, severity, f"missing: no {purpose}", f"sudo apt-get install {package}", 3)
    try:
        detail = path if name in _UNVERSIONED else f"{tool_version(name)} {path}"
    except NetmonError as error:
        return Check(name, CheckStatus.WARN, str(error), error.fix)
    if name == "nmap" and needs_private_pty(version_numbers(name)):
        detail += " (prints progress only on a terminal: it gets one of its own)"
    return Check(name, CheckStatus.OK, detail)
