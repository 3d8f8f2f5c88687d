"""Magic packets: six bytes of ones and sixteen times the lladdr, which a sleeping network card waits for.

AMD, Magic Packet Technology (publication 20213). Sent as UDP broadcast, which needs no privileges.
"""

from __future__ import annotations

import socket

from netmon_tui.errors import NetmonError

PORT = 9
"""discard: the customary port; a card looks for the pattern alone."""
_TIMES = 16


def magic_packet(lladdr: str) -> bytes:
    """Return the 102 bytes for a lladdr with colons."""
    return b"\xff" * 6 + bytes.fromhex(lladdr.replace(":", "")) * _TIMES


def send_magic_packet(lladdr: str, interface: str, broadcast: str) -> None:
    """Send one by an interface to its broadcast address.

    Raises:
        NetmonError: it could not be sent.
    """
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            _bind(sender, interface)
            sender.sendto(magic_packet(lladdr), (broadcast, PORT))
    except OSError as error:
        raise NetmonError(
            f"no packet could be sent by {interface}",
            why=str(error.strerror or error),
            fix="is the interface up?",
        ) from error


def _bind(sender: socket.socket, interface: str) -> None:
    """Leave by this interface; before Linux 5.7 only root may ask for that, and the routes decide."""
    try:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    except PermissionError:
        return
