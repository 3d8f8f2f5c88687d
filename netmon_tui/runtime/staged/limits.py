"""The runner's limits, which the kernel keeps for each process alone, made those of the scan."""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .process import Nmap

LEAST_MEMORY = 256 << 20
"""Bytes of address space without which no further nmap is started: 16 hosts with ``-A`` take 90 MB."""
_TICK = 1 / os.sysconf("SC_CLK_TCK")


class CpuUsed(Exception):
    """The scan has had its processor time."""


class Limits:
    """What the nmaps of a scan may use together."""

    def __init__(self) -> None:
        self._memory, _ = resource.getrlimit(resource.RLIMIT_AS)
        self._cpu, _ = resource.getrlimit(resource.RLIMIT_CPU)

    def at_once(self, wanted: int) -> int:
        """Return how many nmaps may run at once, of so many that would be useful."""
        if self._memory == resource.RLIM_INFINITY:
            return wanted
        return max(1, min(wanted, self._memory // LEAST_MEMORY))

    def memory_of_each(self, nmaps: int) -> int:
        """Return the address space of each of so many nmaps: bytes, or ``RLIM_INFINITY``."""
        return self._memory if self._memory == resource.RLIM_INFINITY else self._memory // nmaps

    def check(self, running: Sequence[Nmap]) -> None:
        """Look at the processor time of all nmaps so far, those that have ended among them.

        Args:
            running: Those that had not ended when they were last looked at.

        Raises:
            CpuUsed: There is none left.
        """
        if self._cpu == resource.RLIM_INFINITY:
            return
        alive = [nmap.pid for nmap in running if not nmap.has_ended()]
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = ended.ru_utime + ended.ru_stime + sum(map(_cpu_seconds, alive))
        if used >= self._cpu or any(nmap.exit_status == -signal.SIGXCPU for nmap in running):
            raise CpuUsed


def _cpu_seconds(pid: int) -> float:
    """Return what a child of ours has used, from fields 14 and 15 of /proc/PID/stat."""
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK
