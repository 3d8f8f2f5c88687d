"""dumpcap, where tcpdump may not open an interface and dumpcap may, and for pcapng: its command line."""

from __future__ import annotations

from netmon_tui.domain.capture import Direction, StartCapture
from netmon_tui.errors import InvalidInput
from netmon_tui.tools import tcpdump

_LARGEST_QUEUE = 1 << 30
"""Bytes. Of several interfaces each has a thread, and between these and the one that writes is a queue, which has
room for 1000 packets and drops the rest unless it is told otherwise: a third of a burst of 3000."""


def build_command(
    dumpcap: str, request: StartCapture, capture_filter: str, *, is_set: bool = False
) -> tuple[str, ...]:
    """Return the command that captures to stdout, and counts on stderr.

    Args:
        dumpcap: Absolute path.
        request: What to capture; its own filter is not used.
        capture_filter: The checked filter, the exclusion of the own SSH session included; may be empty.
        is_set: Whether a setting says that dumpcap captures, whatever tcpdump may.

    Raises:
        InvalidInput: A value is out of bounds, or what is asked for is tcpdump's alone.
    """
    tcpdump.check_bounds(request)
    _check_possible(request, is_set)
    buffer_mib = -(-request.buffer_kib // 1024)
    # what stands before the interfaces holds for all of them
    command = [dumpcap, "-n" if request.is_pcapng else "-P", "-w", "-", "-B", str(buffer_mib)]
    command += ["-s", str(request.snaplen)]
    if len(request.interfaces) > 1:
        command += ["-C", str(min(_LARGEST_QUEUE, buffer_mib * len(request.interfaces) << 20))]
    if request.packets:
        command += ["-c", str(request.packets)]
    if not request.promiscuous:
        command.append("-p")
    if capture_filter:
        command += ["-f", capture_filter]
    for name in request.interfaces:
        command += ["-i", name]
    return tuple(command)


def _check_possible(request: StartCapture, is_set: bool) -> None:
    asked = {
        "one direction": request.direction is not Direction.BOTH,
        "nanoseconds": request.nanoseconds and not request.is_pcapng,  # as pcapng it writes nothing else
        "each packet at once": request.immediate,
    }
    refused = ", ".join(name for name, is_asked in asked.items() if is_asked)
    if not refused:
        return
    why = "tcpdump, which can, may not open interfaces here"
    fix = "sudo setcap cap_net_raw,cap_net_admin+eip $(command -v tcpdump)"
    if is_set:
        why, fix = "captures.engine is dumpcap", "set it to auto in the file of: netmon-tui config path"
    if request.is_pcapng:
        why, fix = "tcpdump, which can, writes no pcapng", "choose pcap"
    raise InvalidInput(f"dumpcap cannot capture with: {refused}", why=why, fix=f"leave that out, or: {fix}")
