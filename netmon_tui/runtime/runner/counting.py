"""Live packet counts from the kernel: packet sockets with a filter that nobody reads.

A socket without room counts every packet its filter accepts (and throws it away), which
``PACKET_STATISTICS`` reports. That costs no system call per packet and no byte of copying.
"""

from __future__ import annotations

import socket
from array import array
from struct import Struct

Instruction = tuple[int, int, int, int]
"""A classic BPF instruction: code, jump if true, jump if false, k."""

_INSTRUCTION = Struct("HBBI")
_SO_ATTACH_FILTER, _SOL_PACKET, _PACKET_STATISTICS, _ETH_P_ALL = 26, 263, 6, 3
_RET_CONSTANT, _LOAD_WORD, _JUMP_EQUAL = 0x06, 0x20, 0x15
_PACKET_OUTGOING = 4
# linux/filter.h: offsets from here on are not bytes of the packet but facts about it
_FACTS = 0xFFFFF000
_PROTOCOL, _PACKET_TYPE, _INTERFACE_INDEX, _HARDWARE_TYPE = _FACTS, _FACTS + 4, _FACTS + 8, _FACTS + 28
# Where a program for LINUX_SLL2 finds those facts in the header that libpcap makes up for "any"
_SLL2_FACTS = {0: _PROTOCOL, 4: _INTERFACE_INDEX, 8: _HARDWARE_TYPE, 10: _PACKET_TYPE}
_SLL2_HEADER = 20
_PACKET_LOADS = (0x00, 0x01)  # BPF_LD, BPF_LDX
_PACKET_MODES = (0x20, 0x40, 0xA0)  # BPF_ABS, BPF_IND, BPF_MSH


class KernelCounter:
    """How many packets one filter has matched on one interface since it was made.

    Raises:
        OSError: No CAP_NET_RAW, no such interface, or a program the kernel refuses.
    """

    def __init__(self, name: str, program: str, interface: str) -> None:
        self.name = name
        self.count = 0
        any_interface = interface == "any"
        kind = socket.SOCK_DGRAM if any_interface else socket.SOCK_RAW
        # With protocol 0 it sees nothing before its filter is in place and it is bound. A socket for all
        # interfaces cannot be bound (Python wants a name), so that one is emptied after the filter instead.
        protocol = socket.htons(_ETH_P_ALL) if any_interface else 0
        self._socket = socket.socket(socket.AF_PACKET, kind, protocol)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            instructions = parse_program(program)
            if any_interface:
                instructions = [_without_made_up_header(one) for one in instructions]
            if interface in ("any", "lo"):
                instructions = _skip_own_echo() + instructions
            self._attach(instructions)
            self._read()
            if not any_interface:
                self._socket.bind((interface, _ETH_P_ALL))
        except BaseException:
            self._socket.close()
            raise

    def _attach(self, instructions: list[Instruction]) -> None:
        code = array("B", b"".join(_INSTRUCTION.pack(*one) for one in instructions))
        # struct sock_fprog: length, then a pointer to the instructions
        header = Struct("HP").pack(len(instructions), code.buffer_info()[0])
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, header)

    def poll(self) -> int:
        """Read the kernel's figure, which is since the last call, and return the sum."""
        self.count += self._read()
        return self.count

    def _read(self) -> int:
        packets, _dropped = Struct("II").unpack(self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))
        return int(packets)

    def close(self) -> None:
        """Stop counting."""
        self._socket.close()


class SummedCounter:
    """The same on several interfaces together.

    Raises:
        OSError: As of :class:`KernelCounter`.
    """

    def __init__(self, name: str, program: str, interfaces: list[str]) -> None:
        self.name = name
        self.count = 0
        self._counters: list[KernelCounter] = []
        try:
            for interface in interfaces:
                self._counters.append(KernelCounter(name, program, interface))
        except OSError:
            self.close()
            raise

    def poll(self) -> int:
        """Read the kernel's figures and return the sum."""
        self.count = sum(counter.poll() for counter in self._counters)
        return self.count

    def close(self) -> None:
        """Stop counting."""
        for counter in self._counters:
            counter.close()


def parse_program(text: str) -> list[Instruction]:
    """Return the program that ``tcpdump -ddd`` printed, accepting one byte instead of whole packets.

    Raises:
        OSError: The text is no such program.
    """
    try:
        rows = [tuple(int(word) for word in line.split()) for line in text.split("\n")[1:] if line.strip()]
        program = [(code, true, false, k) for code, true, false, k in rows]
    except ValueError:
        raise OSError("not a BPF program") from None
    return [(c, t, f, 1 if c == _RET_CONSTANT and k else k) for c, t, f, k in program]


def _without_made_up_header(instruction: Instruction) -> Instruction:
    """Turn an offset for LINUX_SLL2 into one for a cooked socket, as libpcap's fix_offset() does."""
    code, true, false, k = instruction
    if code & 0x07 not in _PACKET_LOADS or code & 0xE0 not in _PACKET_MODES or k >= _FACTS:
        return instruction
    if k >= _SLL2_HEADER:
        return code, true, false, k - _SLL2_HEADER
    if k not in _SLL2_FACTS:
        raise OSError("a filter on the made-up link header")
    return code, true, false, _SLL2_FACTS[k]


def _skip_own_echo() -> list[Instruction]:
    """Refuse the outgoing copy of what the loopback interface sends to itself, as libpcap does."""
    return [
        (_LOAD_WORD, 0, 0, _PACKET_TYPE),
        (_JUMP_EQUAL, 0, 3, _PACKET_OUTGOING),
        (_LOAD_WORD, 0, 0, _INTERFACE_INDEX),
        (_JUMP_EQUAL, 0, 1, socket.if_nametoindex("lo")),
        (_RET_CONSTANT, 0, 0, 0),
    ]
