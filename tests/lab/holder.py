"""The holder of the lab: process 1 of its own mount, PID and network namespaces, and all the services.

Started by :meth:`tests.lab.network.Lab.start` as ``unshare ... python -m tests.lab.holder SOCKET``. It makes
the network, says ``ready`` on its standard output, answers requests (one JSON object a line) on a Unix
socket, and ends when its standard input does: then the kernel ends everything that runs inside, and the
network goes.
Its own network namespace is that of the scanner, so that ``/sys`` and ``/proc`` agree there.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from tests.lab.enter import CLONE_NEWNET, setns
from tests.lab.hosts import CAST, DOMAIN, RESOLVER, SCANNER, Host, host_from_json
from tests.lab.services import DATAGRAMS, STREAMS, DatagramService, serve_stream

SWITCH = "switch"
LAST_WORD = 5.0
"""Seconds after which a datagram or a page of a known exchange counts as lost."""

HOST_SYSCTLS = {
    "net/ipv6/conf/default/accept_dad": "0",  # an address is usable at once, not after a second
    "net/ipv6/conf/default/router_solicitations": "0",  # nobody routes here: less noise in captures
    "net/ipv6/conf/default/keep_addr_on_down": "1",  # link down and up again leaves the host as it was
    "net/ipv6/conf/default/ndisc_notify": "1",  # a changed hardware address is announced at once
    "net/ipv4/conf/default/arp_notify": "1",
    "net/ipv4/icmp_ratelimit": "0",  # closed UDP ports answer all probes: a UDP scan of ten ports in 2 s, not 6
}
BELIEVED_AT_ONCE = "ntable change name arp_cache dev eth0 locktime 0"
"""A changed hardware address counts at once, not only a second after the last change; this has no default."""


def command(*argv: str, text: str = "") -> str:
    """Runs one set-up program; its output.

    Raises:
        RuntimeError: It failed, with what it said.
    """
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)} failed ({done.returncode}): {done.stderr.strip()}\n{text}")
    return done.stdout


def batch(lines: list[str]) -> None:
    """Runs ``ip`` commands in the current network namespace, all in one process."""
    command("ip", "-batch", "-", text="\n".join(lines) + "\n")


@contextmanager
def network_of(name: str) -> Iterator[None]:
    """This thread is in a host's network meanwhile; nothing may be awaited inside.

    Raises:
        ValueError: There is no such host.
    """
    path = Path("/run/netns") / name
    if not path.exists():
        raise ValueError(f"there is no host {name!r} in the lab")
    home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        there = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        setns(there, CLONE_NEWNET)
        os.close(there)
        yield
    finally:
        setns(home, CLONE_NEWNET)
        os.close(home)


def private_files() -> None:
    """A /run, a /sys and a resolver of our own; nothing of it is seen outside."""
    resolver = Path("/etc/resolv.conf").resolve()
    command("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    Path("/run/netns").mkdir()
    with suppress(RuntimeError):  # refused in some user namespaces; then /sys/class/net shows the outside
        command("mount", "-t", "sysfs", "sysfs", "/sys")
    ours = Path("/run/lab-resolv.conf")
    ours.write_text(f"nameserver {RESOLVER}\nsearch {DOMAIN}\noptions timeout:1 attempts:1\n")
    if resolver.is_relative_to("/run"):  # a link into what we have just covered
        resolver.parent.mkdir(parents=True, exist_ok=True)
        resolver.touch()
    command("mount", "--bind", str(ours), str(resolver))


def make_switch() -> None:
    """A bridge without addresses that forwards from its first packet."""
    batch([f"netns add {SWITCH}"])
    with network_of(SWITCH):
        Path("/proc/sys/net/ipv6/conf/default/disable_ipv6").write_text("1")
        batch(["link add br0 type bridge stp_state 0 mcast_snooping 0", "link set br0 up"])


def make_hosts(hosts: list[Host]) -> None:
    """Namespaces (the scanner's is the holder's own), cables and addresses."""
    batch(["netns attach scan 1" if host is SCANNER else f"netns add {host.name}" for host in hosts])
    for host in hosts:
        with network_of(host.name):
            for key, value in HOST_SYSCTLS.items():
                (Path("/proc/sys") / key).write_text(value)
    with network_of(SWITCH):
        cable = "link add {0.name} type veth peer name eth0 address {0.lladdr} netns {0.name}"
        batch([cable.format(host) for host in hosts])
    for host in hosts:
        addresses = [f"addr add {host.address}/24 dev eth0", f"addr add {host.address6}/64 dev eth0 nodad"]
        with network_of(host.name):
            batch([BELIEVED_AT_ONCE, "link set lo up", "link set eth0 up", *addresses])
    with network_of(SWITCH):
        batch([f"link set {host.name} master br0 up" for host in hosts])


def forwarding() -> set[str]:
    """The ports of the switch that pass frames on; the kernel needs a moment after the link is up."""
    with network_of(SWITCH):
        ports = json.loads(command("ip", "-json", "-details", "link", "show", "master", "br0"))
    return {port["ifname"] for port in ports if port["linkinfo"]["info_slave_data"]["state"] == "forwarding"}


async def wait_until_forwarding(names: set[str]) -> None:
    """Returns when frames reach these hosts.

    Raises:
        RuntimeError: They do not after :data:`LAST_WORD` seconds.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + LAST_WORD
    while not names <= forwarding():
        if loop.time() > deadline:
            raise RuntimeError(f"the switch does not forward to {sorted(names - forwarding())}")
        await asyncio.sleep(0.005)


async def plug_in(hosts: list[Host]) -> None:
    """Makes hosts, waits until frames reach them, and has each announce itself.

    Its address may have been another's a moment ago, and the neighbours would go on sending to that one.
    """
    make_hosts(hosts)
    await wait_until_forwarding({host.name for host in hosts})
    for host in hosts:
        with network_of(host.name):
            batch([f"link set eth0 address {host.lladdr}"])


def open_socket(kind: socket.SocketKind, port: int) -> socket.socket:
    """A bound socket for both address families in the current network namespace."""
    opened = socket.socket(socket.AF_INET6, kind)
    opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.bind(("::", port))
    opened.setblocking(False)
    return opened


class Counter(asyncio.DatagramProtocol):
    """Counts what comes back in a known exchange, one at a time."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.received.put_nowait(data)


class Holder:
    """The hosts, their services, and the requests of the tests."""

    def __init__(self) -> None:
        self.hosts: dict[str, Host] = {}
        self._open: dict[str, list[asyncio.Server | asyncio.BaseTransport]] = {}
        self._turn = asyncio.Lock()
        self._chatter: asyncio.Task[None] | None = None

    async def add(self, hosts: list[Host]) -> None:
        """Plugs hosts in and opens their services."""
        for host in hosts:
            known = {h.address for h in self.hosts.values()} | set(self.hosts) | {SWITCH}
            if host.name in known or host.address in known:
                raise ValueError(f"{host.name} ({host.address}) is in the lab already")
        await plug_in(hosts)
        for host in hosts:
            self.hosts[host.name] = host
            await self._serve(host)

    async def _serve(self, host: Host) -> None:
        loop = asyncio.get_running_loop()
        opened: list[asyncio.Server | asyncio.BaseTransport] = []
        self._open[host.name] = opened
        for service in host.services:
            kind = socket.SOCK_STREAM if service.protocol == "tcp" else socket.SOCK_DGRAM
            with network_of(host.name):
                bound = open_socket(kind, service.port)
            if kind == socket.SOCK_STREAM:
                handler = partial(serve_stream, STREAMS[service.behaviour])
                opened.append(await asyncio.start_server(handler, sock=bound, backlog=1024))
            else:
                answer = partial(DatagramService, DATAGRAMS[service.behaviour], lambda: self.hosts.values())
                opened.append((await loop.create_datagram_endpoint(answer, sock=bound))[0])

    async def request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one client of the control socket, request by request."""
        while line := await reader.readline():
            wanted = json.loads(line)
            operation = getattr(self, f"do_{wanted.pop('do')}")
            async with self._turn:
                try:
                    answer = {"ok": await operation(**wanted)}
                except (OSError, RuntimeError, ValueError, LookupError, TimeoutError) as error:
                    answer = {"error": f"{type(error).__name__}: {error}"}
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def do_hosts(self) -> list[dict[str, Any]]:
        """Every host there is now."""
        return [host.as_json() for host in self.hosts.values()]

    async def do_add_host(self, host: dict[str, Any]) -> None:
        """One more host."""
        await self.add([host_from_json(host)])

    async def do_remove_host(self, name: str) -> None:
        """Pulls the cable of a host and removes it."""
        if name == SCANNER.name or name not in self.hosts:
            raise ValueError(f"there is no host {name!r} to remove")
        for opened in self._open.pop(name):
            opened.close()
        del self.hosts[name]
        with network_of(SWITCH):
            batch([f"link del {name}"])
        batch([f"netns del {name}"])

    async def do_set_lladdr(self, name: str, lladdr: str) -> None:
        """A new hardware address, which the host announces."""
        with network_of(name):
            batch([f"link set eth0 address {lladdr}"])

    async def do_link(self, name: str, up: bool) -> None:
        """The host's own interface, up or down."""
        with network_of(name):
            batch([f"link set eth0 {'up' if up else 'down'}"])
        if up:
            await wait_until_forwarding({name})

    async def do_udp_exchange(self, count: int, size: int, source: str, target: str) -> int:
        """Sends datagrams to a host's echo, each after the answer to the one before; how many came back."""
        with network_of(source):
            sender = socket.socket(socket.AF_INET6 if ":" in target else socket.AF_INET, socket.SOCK_DGRAM)
        sender.setblocking(False)
        sender.connect((target, 7))
        loop = asyncio.get_running_loop()
        transport, counter = await loop.create_datagram_endpoint(Counter, sock=sender)
        try:
            for number in range(count):
                transport.sendto(number.to_bytes(8, "big").ljust(size, b".")[:size])
                await asyncio.wait_for(counter.received.get(), LAST_WORD)
        finally:
            transport.close()
        return count

    async def do_http_get(self, address: str, port: int, path: str, source: str) -> str:
        """One page, head and body."""
        with network_of(source):
            client = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        client.setblocking(False)
        with client:
            loop = asyncio.get_running_loop()
            await asyncio.wait_for(loop.sock_connect(client, (address, port)), LAST_WORD)
            await loop.sock_sendall(client, f"GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())
            page = b""
            while more := await asyncio.wait_for(loop.sock_recv(client, 65536), LAST_WORD):
                page += more
        return page.decode(errors="replace")

    async def do_chatter(self, on: bool) -> None:
        """Background traffic between the hosts, for a network that looks alive."""
        if self._chatter is not None:
            self._chatter.cancel()
        self._chatter = asyncio.create_task(self._chat()) if on else None

    async def _chat(self) -> None:
        talkers = ["h10", "h11", "h14", "h15", "scan"]
        number = 0
        while True:
            source = talkers[number % len(talkers)]
            family = "fd77::" if number % 3 == 0 else "10.77.0."
            with suppress(OSError, ValueError, TimeoutError):  # a host may have been removed meanwhile
                await self.do_udp_exchange(1 + number % 4, 64 + number % 900, source, f"{family}13")
                if number % 2 == 0:
                    await self.do_http_get(f"{family}13", 8080, "/", source)
            number += 1
            await asyncio.sleep(0.4)


def reap() -> None:
    """Process 1 buries the orphans of its namespace."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


async def hold(control: str) -> None:
    """Makes the network and holds it until standard input ends."""
    holder = Holder()
    private_files()
    make_switch()
    await holder.add(list(CAST))
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGCHLD, reap)
    ended = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ended.set)
    await asyncio.start_unix_server(holder.request, control)
    print("ready", flush=True)
    await ended.wait()
    shutil.rmtree(Path(control).parent, ignore_errors=True)  # whoever started us may have been killed
    # Not a return: tidy closing would wait for every open connection, and the kernel closes all of it at once
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(hold(sys.argv[1]))
