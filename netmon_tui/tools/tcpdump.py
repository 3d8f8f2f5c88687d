"""tcpdump: its command line, and what it says on stderr."""

from __future__ import annotations

import re

from netmon_tui.domain.buffer_size import LEAST_KIB, MOST_KIB
from netmon_tui.domain.capture import Direction, StartCapture
from netmon_tui.errors import InvalidInput

MOST_INTERFACES = 16
"""Of one capture: dumpcap has a thread and a buffer for each."""
_LONGEST_INTERFACE = 15
"""IFNAMSIZ without its terminating zero."""
_INTERFACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:+-]*")
_CHATTER = re.compile(
    r"listening on |verbose output suppressed|data link type |\d+ packets? |Got \d+|Warning: |dropped privs"
)


def check_interface(name: str) -> str:
    """Return an interface name that means to tcpdump what it says.

    tcpdump also takes numbers (``1``), remote interfaces (``TCP@host``) and, in other tools, pipes and files.

    Raises:
        InvalidInput: Anything but the shape of a Linux interface name.
    """
    if not name:
        raise InvalidInput("An interface is needed")
    if len(name) > _LONGEST_INTERFACE:
        raise InvalidInput(
            "This is no interface name", why=f"it has more than {_LONGEST_INTERFACE} characters"
        )
    if name.isdigit():
        raise InvalidInput(f"This is no interface name: {name}", why="interfaces go by name, not by number")
    found = _INTERFACE.match(name)
    if not found or found.end() != len(name):
        position = found.end() if found else 0
        raise InvalidInput(f"This is no interface name: {name!r}", position=position)
    return name


def build_command(tcpdump: str, request: StartCapture, capture_filter: str) -> tuple[str, ...]:
    """Return the command that captures to stdout, in blocks unless asked: ``-U`` costs three times the time.

    Args:
        tcpdump: Absolute path.
        request: What to capture; its own filter is not used.
        capture_filter: The checked filter, the exclusion of the own SSH session included; may be empty.

    Raises:
        InvalidInput: The interface, the snap length, the buffer or the packet limit is out of bounds.
    """
    check_bounds(request)
    command = [tcpdump, "-i", request.interface, "-n", "-B", str(request.buffer_kib)]
    command += ["-s", str(request.snaplen)]
    if request.packets:
        command += ["-c", str(request.packets)]
    if not request.promiscuous:
        command.append("-p")
    if request.direction is not Direction.BOTH:
        command += ["-Q", request.direction.value]
    if request.nanoseconds:
        command.append("--time-stamp-precision=nano")
    if request.immediate:
        command += ["--immediate-mode", "-U"]
    command += ["-w", "-"]
    if capture_filter:
        command += ["--", capture_filter]
    return tuple(command)


def check_bounds(request: StartCapture) -> None:
    """Refuse interfaces that are none or cannot go together, and numbers that no tool takes, with InvalidInput."""
    check_interfaces(request)
    bounds = (
        ("The snap length", request.snaplen, 1, 262_144),
        ("The buffer", request.buffer_kib, LEAST_KIB, MOST_KIB),
        ("The packet limit", request.packets, 0, 2**31 - 1),
    )
    for what, value, least, most in bounds:
        if not least <= value <= most:
            raise InvalidInput(f"{what} must be from {least} to {most}", why=f"it is {value}")


def check_interfaces(request: StartCapture) -> None:
    """Refuse interfaces that are none, or that cannot be captured on together, with InvalidInput."""
    names = request.interfaces
    for name in names:
        check_interface(name)
    if len(names) == 1:
        return
    if not request.is_pcapng:
        raise InvalidInput("classic pcap has the packets of one interface", fix="choose pcapng for several")
    if len(set(names)) < len(names):
        raise InvalidInput(f"an interface is named twice: {request.interface}")
    if "any" in names:
        raise InvalidInput("any has the packets of the other interfaces already", fix="name it alone")
    if len(names) > MOST_INTERFACES:
        raise InvalidInput(
            f"{len(names)} interfaces cannot be captured together", why=f"{MOST_INTERFACES} are possible"
        )


def complaint(text: str) -> str:
    """Return the last line of stderr that is a complaint, without tcpdump's name; empty without any."""
    lines = (line.strip().removeprefix("tcpdump: ") for line in text.splitlines())
    complaints = [line for line in lines if line and not _CHATTER.match(line)]
    return complaints[-1] if complaints else ""
