"""Sizes of files and disks in words."""

from __future__ import annotations

_KIB, _MIB = 1 << 10, 1 << 20


def byte_count(count: int) -> str:
    """Return so many bytes as ``812 bytes``, ``35.2 KiB`` or ``1,024.0 MiB``."""
    if count < _KIB:
        return f"{count} bytes"
    return f"{count / _MIB:,.1f} MiB" if count >= _MIB else f"{count / _KIB:.1f} KiB"
