"""Which programs of ONC RPC and interfaces of DCE/RPC a capture has, as tshark measures those that are named.

Of SCSI it wants the set of commands, of which there are few.
"""

from __future__ import annotations

import re

from netmon_tui.tools.tshark_lines import LineReader

NAMED = frozenset(("rpc", "dcerpc"))
"""Protocols of which it wants to know what to measure."""
MOST_PROGRAMS = 50
"""That are measured at once."""
COMMAND_SETS = {"scsi": ["0", "1", "5", "8", "17"]}
"""Peripheral device types of SCSI that tshark measures: disk, tape, CD or DVD, tape changer, object store."""
_RPC = re.compile(rb"(.+)\((\d+)\) +(\d+) +\d+ .*")
_UUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_INTERFACE = ("dcerpc.cn_bind_to_uuid", "dcerpc.cn_bind_if_ver", "dcerpc.cn_bind_if_ver_minor")


def programs_command(tshark: str, protocol: str) -> tuple[str, ...]:
    """Return the command that lists what was called.

    Args:
        tshark: Absolute path.
        protocol: One of :data:`NAMED`.
    """
    if protocol == "rpc":
        return (tshark, "-n", "-r", "-", "-q", "-z", "rpc,programs")
    fields = (word for name in _INTERFACE for word in ("-e", name))
    return (tshark, "-n", "-r", "-", "-Y", _INTERFACE[0], "-T", "fields", *fields)


class ProgramReader(LineReader):
    """Takes what :func:`programs_command` prints.

    Args:
        protocol: One of :data:`NAMED`.
    """

    def __init__(self, protocol: str) -> None:
        super().__init__()
        self._protocol = protocol
        self.found: list[str] = []
        """As tshark wants them named: ``100003,3``, or ``e1af8308-...,3.0``; in the order of the capture."""

    def _line(self, line: bytes) -> None:
        for name in self._rpc(line) if self._protocol == "rpc" else self._dcerpc(line):
            if name not in self.found and len(self.found) < MOST_PROGRAMS:
                self.found.append(name)

    def _rpc(self, line: bytes) -> list[str]:
        found = _RPC.fullmatch(line.rstrip())
        if found is None or found[1].isdigit():  # tshark refuses programs for which it has no name
            return []
        return [f"{int(found[2])},{int(found[3])}"]

    def _dcerpc(self, line: bytes) -> list[str]:
        cells = [cell.split(b",") for cell in line.strip().split(b"\t")]
        return (
            [
                f"{uuid.decode()},{int(major)}.{int(minor)}"
                for uuid, major, minor in zip(*cells, strict=False)
                if _UUID.fullmatch(uuid) and major.isdigit() and minor.isdigit()
            ]
            if len(cells) == len(_INTERFACE)
            else []
        )
