"""Which time zone this machine keeps."""

from __future__ import annotations

import os
from pathlib import Path

_LINK = Path("/etc/localtime")
_TABLES = "zoneinfo/"
_NAME_FILE = Path("/etc/timezone")
"""Debian's, for systems whose /etc/localtime is a copy and no link."""


def local_zone() -> str:
    """Return the IANA name of the local time zone; ``UTC`` when nothing names one."""
    named = os.environ.get("TZ", "").removeprefix(":")
    if "/" in named and not named.startswith("/"):
        return named
    try:
        _, found, name = str(_LINK.resolve()).partition(_TABLES)
        name = name if found else _NAME_FILE.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return "UTC"
    return "UTC" if name in {"", "Etc/UTC", "Etc/UCT", "Universal", "Zulu"} else name
