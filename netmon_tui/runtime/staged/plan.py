"""``plan.json``: what a staged scan runs, written by the program that starts it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class Plan(NamedTuple):
    """The fields of ``plan.json``; commands are without output, exclusions and targets.

    No dataclass: what that imports would take 5 ms of every scan.
    """

    arguments: str
    """The whole scan as one command, for ``args`` of the document."""
    targets: tuple[str, ...]
    addresses: int
    """How many addresses the targets are."""
    discovery: tuple[str, ...]
    """Command that finds the hosts; empty when every target is scanned whether or not it answers."""
    ports: tuple[str, ...]
    """Command that scans the ports; in a scan of one stage the whole command."""
    detection: tuple[str, ...]
    """Command that asks the open ports what they are; empty in a scan of one stage."""
    names: tuple[str, ...]
    """Options with which the last stage looks up the names of hosts that have one; ``-n`` when it need not."""
    every_host: bool
    """Whether hosts without an open port are looked at by the last stage, too."""
    closed_port: bool
    """Whether the last stage needs a closed port (detection of operating systems)."""
    exclude: tuple[str, ...]
    """Targets that are left out."""
    skip: tuple[str, ...]
    """Addresses that were given up: they are not scanned again."""
    slow_micros: int
    """Microseconds of median round trip from which on ``fast`` is given to the port scan."""
    fast: tuple[str, ...]
    parallel: int
    """How many nmaps the last stage runs at once."""
    batch: int
    """Hosts that one of them gets."""

    @property
    def stages(self) -> dict[str, tuple[str, ...]]:
        """The commands of the stages by name, in order; none for a scan of one stage."""
        if not (self.discovery or self.detection):
            return {}
        stages = {"discovery": self.discovery, "ports": self.ports, "detection": self.detection}
        return {name: words for name, words in stages.items() if words}


def read_plan(path: Path) -> Plan:
    """Return the plan; raises ValueError, TypeError or OSError where it cannot be read."""
    values = json.loads(path.read_bytes())
    read: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
    return Plan(**read)
