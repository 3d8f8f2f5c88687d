"""TLS keys: read from where a browser wrote them, kept with a capture, and handed to what dissects its packets."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from netmon_tui.errors import InvalidInput

KEPT_NAME = "tls-keys.log"
"""Name of the keys of a capture, in its directory."""
LARGEST_KEYS = 16 << 20
"""Bytes of a file of TLS keys."""
NO_KEYS = (0, 0)
"""The stamp of keys where there are none."""
_KEY = re.compile(rb"^[A-Z_0-9]+ [0-9a-fA-F]+ [0-9a-fA-F]+\s*$", re.MULTILINE)


def read_keys(path: Path) -> bytes:
    """Return a file of TLS keys, as SSLKEYLOGFILE names one (blocking).

    Raises:
        InvalidInput: It cannot be read, is too large, or is none.
    """
    try:
        path = path.expanduser()
        with open(path, "rb", opener=_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InvalidInput(f"{path} is no plain file", fix="write the TLS keys into one")
            data = file.read(LARGEST_KEYS + 1)
    except (OSError, RuntimeError) as error:
        raise InvalidInput(f"the TLS keys cannot be read from {path}", why=str(error)) from error
    if len(data) > LARGEST_KEYS:
        raise InvalidInput(f"{path} is too large for TLS keys", why=f"over {LARGEST_KEYS:,} bytes")
    if not count_keys(data):
        raise InvalidInput(
            f"{path} has no TLS keys", fix="name a file that a program wrote for SSLKEYLOGFILE"
        )
    return data


def _without_waiting(path: str, flags: int) -> int:
    """Open a file, also a pipe that nobody writes into."""
    return os.open(path, flags | os.O_NONBLOCK)


def count_keys(data: bytes) -> int:
    """Return how many keys there are."""
    return sum(1 for _ in _KEY.finditer(data))


def kept_keys(source: Path) -> bytes:
    """Return the keys that are kept with a capture; nothing when there are none.

    Args:
        source: A file of it, or the directory of its files.
    """
    try:
        return _kept(source).read_bytes()
    except OSError:
        return b""


class KeptKeys:
    """The keys that are kept with a capture, which somebody may change meanwhile.

    Args:
        source: A file of it, or the directory of its files.
    """

    def __init__(self, source: Path) -> None:
        self._source = source
        self._taken = keys_stamp(source)

    def take(self) -> bytes:
        """Return them as they are now."""
        self._taken = keys_stamp(self._source)
        return kept_keys(self._source)

    def have_changed(self) -> bool:
        """Return whether they are others than those that were taken last."""
        return keys_stamp(self._source) != self._taken


def keys_stamp(source: Path) -> tuple[int, int]:
    """Return time and bytes of the file of the keys that are kept with a capture; ``NO_KEYS`` without one."""
    try:
        status = _kept(source).stat()
    except OSError:
        return NO_KEYS
    return status.st_mtime_ns, status.st_size


def _kept(source: Path) -> Path:
    return (source if source.is_dir() else source.parent) / KEPT_NAME


def keep_keys(directory: Path, data: bytes) -> None:
    """Keep keys with a capture, for nobody but us, in place of those there were; OSError when that fails."""
    new = directory / f"{KEPT_NAME}.new"
    with suppress(FileNotFoundError):
        new.unlink()
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(data)
    new.replace(directory / KEPT_NAME)


def pass_on_keys(sources: Iterable[Path], directory: Path) -> bool:
    """Keep the keys of some captures with one that was made of them; return whether they had any."""
    lines = dict.fromkeys(line for source in sources for line in kept_keys(source).splitlines(keepends=True))
    if lines:
        keep_keys(directory, b"".join(lines))
    return bool(lines)


def remove_keys(directory: Path) -> bool:
    """Delete the keys that are kept with a capture; return whether there were any."""
    try:
        (directory / KEPT_NAME).unlink()
    except FileNotFoundError:
        return False
    return True


def unnamed(data: bytes) -> int:
    """Return a descriptor of a file without a name that a child, also as nobody, can open again."""
    descriptor = os.memfd_create("keys")
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(data)
    return descriptor
