"""What this process, and the tools it starts, may do to the network. Nothing is tried and nothing started."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path

from netmon_tui.runtime.tool_paths import find_tool

CAP_NET_ADMIN, CAP_NET_RAW = 12, 13
"""linux/capability.h"""
EDITING_FIX = (
    "start it with sudo, or: sudo setpriv --reuid=$USER --init-groups --reset-env --inh-caps=+net_admin"
    " --ambient-caps=+net_admin $(command -v netmon-tui)"
)
"""How a user gets what :attr:`Privilege.can_edit_neighbours` asks for, without giving it to all of Python."""


@dataclass(frozen=True, slots=True)
class Privilege:
    """The rights that matter here, as they are now."""

    word: str
    """``root``, ``cap_net_raw`` (raw packets without being root) or ``unprivileged``."""
    can_scan_raw: bool
    """nmap may send raw packets: -sS, -O and ARP discovery."""
    can_capture: bool
    """tcpdump may open an interface."""
    can_count_in_kernel: bool
    """The runner may open the packet sockets that count a capture."""
    nmap_needs_flag: bool
    """nmap must be told ``--privileged``, or it does not even try."""
    can_edit_neighbours: bool = False
    """This program may change the kernel's neighbour table."""
    can_capture_by_dumpcap: bool = False
    """dumpcap is there and may open an interface."""
    no_new_privileges: bool = False
    """Set-uid bits and file capabilities are without effect for what we start."""


@dataclass(frozen=True, slots=True)
class _Own:
    """Capability sets of this process, as bit masks."""

    effective: int
    ambient: int
    bounding: int
    no_new_privileges: bool
    is_root: bool

    def has(self, capability: int) -> bool:
        """Whether we ourselves may use it."""
        return bool(self.effective >> capability & 1)

    def hands_on(self, capability: int) -> bool:
        """Whether an ordinary program that we start may use it: root's may, others' only if it is ambient."""
        mask = self.effective & self.bounding if self.is_root else self.ambient
        return bool(mask >> capability & 1)


def probe() -> Privilege:
    """Look at this process and at the files of nmap, tcpdump and dumpcap."""
    own = _read_own()
    scan, capture = (_may_use_raw(own, file_capabilities(find_tool(name))) for name in ("nmap", "tcpdump"))
    dumpcap = find_tool("dumpcap")
    by_dumpcap = dumpcap is not None and _may_use_raw(own, file_capabilities(dumpcap))
    raw = scan or capture or by_dumpcap
    return Privilege(
        word="root" if own.is_root and own.has(CAP_NET_RAW) else "cap_net_raw" if raw else "unprivileged",
        can_scan_raw=scan,
        can_capture=capture,
        can_capture_by_dumpcap=by_dumpcap,
        can_count_in_kernel=own.hands_on(CAP_NET_RAW),
        nmap_needs_flag=scan and not own.is_root,
        can_edit_neighbours=own.has(CAP_NET_ADMIN),
        no_new_privileges=own.no_new_privileges,
    )


def _may_use_raw(own: _Own, file: int) -> bool:
    from_file = not own.no_new_privileges and file & own.bounding
    return own.hands_on(CAP_NET_RAW) or bool(from_file >> CAP_NET_RAW & 1)


def _read_own() -> _Own:
    lines = Path("/proc/self/status").read_text("ascii", "replace").splitlines()
    fields = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return _Own(
        effective=int(fields["CapEff"], 16),
        ambient=int(fields.get("CapAmb", "0"), 16),
        bounding=int(fields["CapBnd"], 16),
        no_new_privileges=fields.get("NoNewPrivs") == "1",
        is_root=os.geteuid() == 0,
    )


def file_capabilities(path: str | None) -> int:
    """Return the capabilities that a program file gives to whoever starts it, as a bit mask."""
    if path is None:
        return 0
    try:
        value = os.getxattr(path, "security.capability")
    except OSError:
        return 0  # none, or a file system without attributes
    return parse_capability_attribute(value)


def parse_capability_attribute(value: bytes) -> int:
    """Return the permitted set of a ``security.capability`` attribute that is also made effective.

    The format is ``struct vfs_cap_data`` of linux/capability.h, little-endian: flags and revision, then
    (permitted, inheritable) for bits 0 to 31 and, from revision 2 on, for bits 32 to 63.
    """
    if len(value) < 12:
        return 0
    (magic, low) = struct.unpack_from("<II", value)
    high = struct.unpack_from("<I", value, 12)[0] if len(value) >= 20 else 0
    effective = magic & 1
    return (high << 32 | low) if effective else 0
