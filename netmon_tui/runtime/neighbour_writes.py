"""Changing the kernel's neighbour table over rtnetlink: exact errors, one answer each, and no ``ip`` needed."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Sequence

from netmon_tui.domain.neighbour_edit import TableWrite, Verb
from netmon_tui.errors import NetmonError
from netmon_tui.runtime.netlink_requests import KernelLine
from netmon_tui.tools.rtnetlink_edits import read_answer, write_request

_MEANINGS = {
    errno.EPERM: "the kernel allows it only to root and to holders of CAP_NET_ADMIN",
    errno.EEXIST: "there is an entry already",
    errno.ENOENT: "there is no such entry",
    errno.ENODEV: "the interface is gone",
    errno.ENETDOWN: "the interface is down",
    errno.EINVAL: "the interface does not speak this family, or has no such neighbours",
}


def write_entries(writes: Sequence[TableWrite]) -> list[str]:
    """Carry out changes one after the other; none of them stops those that follow.

    An entry that is gone already when it is to be deleted counts as deleted. Blocks: 10,000 changes take some
    tenths of a second.

    Returns:
        For each change an empty text, or why the kernel refused it.

    Raises:
        NetmonError: the kernel cannot be asked, or does not answer.
    """
    try:
        with KernelLine() as line:
            return [_write(line, write) for write in writes]
    except OSError as error:
        raise NetmonError(
            "the kernel's neighbour table cannot be changed", why=str(error.strerror or error)
        ) from error


def _write(line: KernelLine, write: TableWrite) -> str:
    try:
        ifindex = socket.if_nametoindex(write.entry.interface)
    except OSError:
        return _MEANINGS[errno.ENODEV]
    answer = read_answer(line.ask(write_request(write, ifindex, line.next_sequence)))
    if answer is None:
        return "the kernel gave no answer"
    if not answer.errno or (answer.errno == errno.ENOENT and write.verb is Verb.DELETE):
        return ""
    return answer.words or _meaning(answer.errno, write.entry.address)


def _meaning(number: int, address: str) -> str:
    """Return what an errno means for an address."""
    if number == errno.ENOBUFS:
        limit = f"net.{'ipv6' if ':' in address else 'ipv4'}.neigh.default.gc_thresh3"
        return f"the neighbour table is full ({limit}): netmon-tui doctor says how to make room"
    return _MEANINGS.get(number) or os.strerror(number)
