"""The scripts that are installed beside nmap: where nmap itself looks, and never a path from a user."""

from __future__ import annotations

import functools
from pathlib import Path

from netmon_tui.domain.nse import NseScript, ScriptDetail
from netmon_tui.errors import NotFound, ToolFailed
from netmon_tui.runtime.tool_paths import require_tool
from netmon_tui.tools.nmap_scripts import read_arguments, read_database, read_description

_LONGEST_DATABASE = 1_000_000
_LONGEST_SCRIPT = 400_000
"""Characters; the longest that came with nmap 7.93 has 107,000."""


def installed_scripts() -> tuple[NseScript, ...]:
    """Return the scripts beside nmap (blocking; read once for each state of ``script.db``).

    Raises:
        ToolMissing: nmap is not installed.
        ToolFailed: There are no scripts beside it.
    """
    path = _directory() / "script.db"
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise ToolFailed(
            "nmap's scripts are not installed", why=f"no {path}", fix="apt install nmap-common"
        ) from error


def script_detail(name: str) -> ScriptDetail:
    """Return a script with what its file says (blocking); raises as :func:`installed_scripts`, and NotFound."""
    script = next((one for one in installed_scripts() if one.name == name), None)
    if script is None:
        raise NotFound(f"no script {name} is installed", fix="netmon-tui scan scripts lists them")
    path = _directory() / f"{script.name}.nse"
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(_LONGEST_SCRIPT)
    except OSError as error:
        raise ToolFailed(f"{path} cannot be read", why=error.strerror or "") from error
    return ScriptDetail(script, read_description(text), read_arguments(text))


def _directory() -> Path:
    """Return where nmap looks first: ``../share/nmap`` from its own place."""
    return Path(require_tool("nmap")).resolve().parent.parent / "share/nmap/scripts"


@functools.lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> tuple[NseScript, ...]:
    with path.open(encoding="utf-8", errors="replace") as file:
        return read_database(file.read(_LONGEST_DATABASE))
