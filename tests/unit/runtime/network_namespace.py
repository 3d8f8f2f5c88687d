"""A network namespace of one thread: no lab, just links and entries that the kernel itself keeps."""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

T = TypeVar("T")
_CLONE_NEWNET = 0x40000000
_CAPABILITY_VERSION_3 = 0x20080522


def _why_not() -> str:
    if os.geteuid() != 0:
        return "a thread can only make a network namespace as root"
    return "" if shutil.which("ip") else "iproute2 is not installed"


needs_namespace = [pytest.mark.lab, pytest.mark.skipif(bool(_why_not()), reason=_why_not())]


def in_own_network(work: Callable[[], T]) -> T:
    """Return what ``work`` returns in a thread (and its child processes) with a network of its own."""

    def enter() -> T:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        return work()

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(enter).result(600)


def drop_capabilities() -> None:
    """Take all capabilities from the calling thread, for good."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    if libc.capset(header, (ctypes.c_uint32 * 6)()) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def ip(*lines: str) -> None:
    """Run lines of the ip command."""
    done = subprocess.run(["ip", "-batch", "-"], input="\n".join(lines), text=True, capture_output=True)
    assert done.returncode == 0, done.stderr


def make_pair() -> None:
    """Make the links ``left`` and ``right``, both up; IPv4 and IPv6 on the left one."""
    ip(
        "link set lo up",
        "link add left address 02:00:00:00:00:01 type veth peer name right",
        "link set right up",
        "link set left up",
        "addr add 10.0.0.1/8 dev left",
        "addr add fd00::1/64 dev left nodad",
    )


def entries(count: int, verb: str = "add", second: int = 1) -> list[str]:
    """Lines that add so many permanent entries 10.``second``.x.y."""
    return [
        f"neigh {verb} 10.{second}.{i // 250}.{i % 250 + 1} lladdr 00:16:3e:00:{i >> 8:02x}:{i & 255:02x}"
        " dev left nud permanent"
        for i in range(count)
    ]
