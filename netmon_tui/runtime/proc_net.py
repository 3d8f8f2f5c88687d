"""The kernel's tables under /proc/net, line by line: what is not understood is told once and left out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from netmon_tui.security.hostile_text import clean

_log = logging.getLogger(__name__)
_PROC_NET = Path("/proc/thread-self/net")
"""The namespace of the calling thread; /proc/net is that of the process."""
_LONGEST_TOLD = 100
_told: set[str] = set()
"""Files of which it was said that something in them is not understood."""
T = TypeVar("T")


def rows(name: str, read: Callable[[list[str]], T], *, head: int = 0) -> Iterator[T]:
    """Yield what each line of a file under /proc/…/net means; nothing without it (as without IPv6).

    Args:
        name: Of the file.
        read: Reads the words of a line; raises ValueError, LookupError, OverflowError or OSError where it cannot.
        head: Lines above the first.
    """
    try:
        with (_PROC_NET / name).open(encoding="utf-8", errors="backslashreplace") as lines:
            for number, line in enumerate(lines):
                if number >= head:
                    try:
                        row = read(line.split())
                    except (ValueError, LookupError, OverflowError, OSError):
                        _tell(name, f"line {number + 1} is not understood: {clean(line, _LONGEST_TOLD)}")
                    else:
                        yield row
    except FileNotFoundError:
        return
    except OSError as error:
        _tell(name, error.strerror or str(error))


def _tell(name: str, trouble: str) -> None:
    if name not in _told:
        _told.add(name)
        _log.warning("/proc/net/%s: %s; what else can be read is used", name, trouble)
