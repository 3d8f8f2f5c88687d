"""Host names: asked for in threads that nobody waits for, few at once, remembered, cleaned."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from netmon_tui.runtime import host_names
from netmon_tui.runtime.host_names import HostNames

SECONDS = 20.0


class Server:
    """Answers when it is allowed to, and counts."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.most = 0
        self.open = threading.Event()
        self._now = 0
        self._lock = threading.Lock()

    def __call__(self, address: str) -> str:
        with self._lock:
            self.asked.append(address)
            self._now += 1
            self.most = max(self.most, self._now)
        assert self.open.wait(SECONDS)
        with self._lock:
            self._now -= 1
        if address.endswith(".9"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if address.endswith(".8"):
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return f"host-{address}"


def until(fact: Callable[[], object]) -> None:
    end = time.monotonic() + SECONDS
    while not fact():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_names_are_asked_for_once_and_few_at_a_time() -> None:
    server = Server()
    names = HostNames(threads=3, resolve=server)
    addresses = [f"192.0.2.{number}" for number in range(10, 40)]
    asked = names.want(addresses)
    until(lambda: len(server.asked) == 3)
    assert names.name("192.0.2.10") == ""
    assert len(names.want(addresses)) == 30, "the same questions, three of them under way"
    server.open.set()
    assert [future.result(SECONDS) for future in asked] == [f"host-{address}" for address in addresses]
    assert names.want(addresses) == []
    assert sorted(server.asked) == sorted(addresses)
    assert server.most == 3
    assert names.revision == 30
    assert names.name("192.0.2.10") == "host-192.0.2.10"
    names.close()


def test_what_nobody_looks_at_any_more_is_not_asked_for() -> None:
    server = Server()
    names = HostNames(threads=1, resolve=server)
    first = names.want(["192.0.2.1", "192.0.2.2", "192.0.2.3"])
    until(lambda: server.asked)
    second = names.want(["192.0.2.3", "192.0.2.4"])
    server.open.set()
    assert [future.result(SECONDS) for future in second] == [
        "host-192.0.2.3",
        "host-192.0.2.4",
        "host-192.0.2.1",
    ]
    assert first[1].cancelled()
    assert "192.0.2.2" not in server.asked
    names.close()


def test_no_answer_is_remembered_too_but_a_failure_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    server.open.set()
    names = HostNames(resolve=server)
    both = ["192.0.2.8", "192.0.2.9"]
    assert [future.result(SECONDS) for future in names.want(both)] == ["", ""]
    assert names.want(both) == []
    monkeypatch.setattr(host_names, "FAILED_SECONDS", 0.0)
    names = HostNames(resolve=server)
    assert [future.result(SECONDS) for future in names.want(both)] == ["", ""]
    assert len(names.want(both)) == 1
    names.close()


def test_a_name_is_foreign_text() -> None:
    names = HostNames(resolve=lambda address: "evil\x1b[2J\u202e" + "x" * 400)
    assert names.want(["192.0.2.1"])[0].result(SECONDS) is not None
    assert names.name("192.0.2.1").startswith("evil\\x1b[2J\\u202e")
    assert len(names.name("192.0.2.1")) == 253
    names.close()


@pytest.mark.parametrize("address", ["fe80::1", "169.254.3.4", "nonsense"])
def test_link_local_addresses_are_nobodys_business(address: str) -> None:
    assert HostNames(resolve=Server()).want([address]) == []


def test_switched_off_and_closed_it_asks_nobody() -> None:
    server = Server()
    assert HostNames(threads=0, resolve=server).want(["192.0.2.1"]) == []
    closed = HostNames(resolve=server)
    closed.close()
    assert closed.want(["192.0.2.1"]) == []
    assert server.asked == []


PROGRAM = """
import asyncio, sys, time
from netmon_tui.domain.user import Actor, Role
from netmon_tui.runtime.host_names import HostNames
from netmon_tui.services.host_names import HostNameService

begun = []
def hang(address):
    begun.append(address)
    time.sleep(600)
async def main():
    service = HostNameService(HostNames(resolve=hang))
    late = await service.resolve(Actor(1, "ada", Role.ADMIN), [f"192.0.2.{n}" for n in range(9)], 0.2)
    print(late, len(begun))
    service.close()
asyncio.run(main())
"""


def test_a_resolver_that_hangs_holds_up_nobody() -> None:
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=SECONDS, cwd=root
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "9 4\n", "")
