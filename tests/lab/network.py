"""The lab: a real network of namespaces for tests and for the demonstration.

::

    with Lab.start() as lab:
        lab.run(["nmap", "-sn", SUBNET])           # on the scanner, 10.77.0.1
        lab.udp_exchange(100)                      # exactly 100 datagrams to 10.77.0.13 and 100 back

Everything lives in private mount, PID and network namespaces held by one process (see
:mod:`tests.lab.holder`): no name, link, route or mount appears outside, there is no way out, and the end of
the holder is the end of everything inside. Several labs can stand side by side. Without root it is built in a
user namespace.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.lab.hosts import SCAN, SUBNET, Host, host, host_from_json

__all__ = ["SUBNET", "Exchange", "Lab", "LabError", "why_no_lab"]

ROOT = Path(__file__).resolve().parents[2]
ENTER = Path(__file__).with_name("enter.py")
SOCKET_VARIABLE = "NETMON_LAB_SOCKET"
"""Set for what runs inside: where :meth:`Lab.attach` finds the control socket."""
TOOLS = ("unshare", "ip", "mount", "nmap", "tcpdump")
START_LIMIT = 30.0
"""Seconds in which a lab must stand, or it is given up."""

UNSHARE = ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc"]
AS_USER = ["--user", "--map-root-user"]


class LabError(Exception):
    """The lab could not be built, or refused a request: what it said."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A known exchange: what a capture of it must contain."""

    sent: int
    received: int
    payload: int
    """Bytes of payload of each datagram, both ways."""

    @property
    def packets(self) -> int:
        """Frames on the wire, both directions together."""
        return self.sent + self.received


def _unshare() -> list[str]:
    return UNSHARE if os.geteuid() == 0 else [UNSHARE[0], *AS_USER, *UNSHARE[1:]]


@cache
def why_no_lab() -> str | None:
    """Why this machine cannot hold a lab, or None."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        return f"the lab needs {', '.join(missing)}"
    tried = subprocess.run([*_unshare(), "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        return f"the lab needs root or user namespaces: {tried.stderr.strip()}"
    return None


class _Control:
    """The line to the holder: one JSON object a line, one answer each."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(60)
        self._socket.connect(path)
        self._lines = self._socket.makefile("rb")
        self._turn = threading.Lock()

    def ask(self, wanted: str, **arguments: Any) -> Any:
        with self._turn:
            self._socket.sendall(json.dumps({"do": wanted, **arguments}).encode() + b"\n")
            line = self._lines.readline()
        if not line:
            raise LabError(f"the holder of the lab ended before it answered {wanted}")
        answer = json.loads(line)
        if "error" in answer:
            raise LabError(f"{wanted}: {answer['error']}")
        return answer["ok"]

    def close(self) -> None:
        self._lines.close()
        self._socket.close()


class Lab:
    """One lab: started by this process (:meth:`start`), or joined from inside (:meth:`attach`)."""

    def __init__(self, control: str, holder: int) -> None:
        self.socket = control
        """Path of the control socket."""
        self.holder = holder
        """PID of the holder, seen from this process."""
        self.setup_seconds = 0.0
        """How long the start took."""
        self._control = _Control(control)
        self._process: subprocess.Popen[str] | None = None
        self._state: Path | None = None

    @classmethod
    def start(cls) -> Lab:
        """Builds a lab.

        Raises:
            LabError: It did not stand in time; carries what the holder said.
        """
        began = time.perf_counter()
        state = Path(tempfile.mkdtemp(prefix="netmon-lab-"))
        control, log = str(state / "control"), state / "holder.log"
        with log.open("w") as errors:
            process = subprocess.Popen(
                [*_unshare(), sys.executable, "-S", "-m", "tests.lab.holder", control],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        try:
            _await_ready(process, log)
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            lab = cls(control, int(children[0]))
        except BaseException:
            process.kill()
            process.communicate()
            shutil.rmtree(state)
            raise
        lab._process, lab._state = process, state
        lab.setup_seconds = time.perf_counter() - began
        return lab

    @classmethod
    def attach(cls, control: str | None = None) -> Lab:
        """The lab this process runs in, for a test inside it; its :meth:`stop` only hangs up.

        Raises:
            LabError: This process is not inside a lab.
        """
        path = control or os.environ.get(SOCKET_VARIABLE)
        if not path:
            raise LabError(f"{SOCKET_VARIABLE} is not set: this process is not inside a lab")
        return cls(path, 1)

    def stop(self) -> None:
        """Ends the holder, and with it every process, link and mount inside. Harmless if called twice."""
        self._control.close()
        if self._process is None or self._state is None:
            return
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        shutil.rmtree(self._state, ignore_errors=True)  # the holder has done it, unless it was killed
        self._process = self._state = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- running things inside ---

    def enter_prefix(self, host: str = SCAN) -> list[str]:
        """The words to put before a command so that it runs on a host of the lab.

        Signals sent to it reach the command, its exit status (or death by signal) is the command's, killing
        it kills the command (which is a zombie until the machine's own init buries it), and the working
        directory stays. What the command leaves running lives until the lab ends.
        """
        return [sys.executable, "-I", "-S", str(ENTER), str(self.holder), host, "--"]

    def environment(self, env: Mapping[str, str] | None = None) -> dict[str, str]:
        """An environment (default: ours) with the way to this lab added."""
        return {**(os.environ if env is None else env), SOCKET_VARIABLE: self.socket}

    def run(
        self,
        argv: Sequence[str],
        *,
        host: str = SCAN,
        timeout: float | None = 60,
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        check: bool = False,
        stdin: str | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command on a host to its end; its output as text (damaged UTF-8 replaced).

        Raises:
            subprocess.TimeoutExpired: It took too long and was killed.
            subprocess.CalledProcessError: It failed, and check was asked for.
        """
        return subprocess.run(
            [*self.enter_prefix(host), *argv],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            env=self.environment(env),
            cwd=cwd,
            check=check,
        )

    def popen(self, argv: Sequence[str], host: str = SCAN, **popen_kwargs: Any) -> subprocess.Popen[Any]:
        """Starts a command on a host; signals, ``kill`` and ``returncode`` behave as if it were our child."""
        popen_kwargs["env"] = self.environment(popen_kwargs.get("env"))
        return subprocess.Popen([*self.enter_prefix(host), *argv], **popen_kwargs)

    # --- the network ---

    @property
    def hosts(self) -> dict[str, Host]:
        """Name -> host, as the lab is now, the scanner included."""
        return {found.name: found for found in map(host_from_json, self._control.ask("hosts"))}

    def expected(self) -> dict[str, dict[tuple[int, str], str]]:
        """As :data:`tests.lab.hosts.EXPECTED`, for the lab as it is now."""
        return {found.address: found.expected for name, found in self.hosts.items() if name != SCAN}

    def add_host(
        self, address: str, lladdr: str, services: Mapping[tuple[int, str], str] | None = None
    ) -> Host:
        """Plugs in one more host; services are ``{(port, "tcp" or "udp"): behaviour}``.

        Behaviours: see ``STREAMS`` and ``DATAGRAMS`` in :mod:`tests.lab.services`.
        """
        made = host(address, lladdr, [(*key, behaviour) for key, behaviour in (services or {}).items()])
        self._control.ask("add_host", host=made.as_json())
        return made

    def remove_host(self, name: str) -> None:
        """Removes a host (``h20``) with its services."""
        self._control.ask("remove_host", name=name)

    def set_lladdr(self, host: str, lladdr: str) -> None:
        """Gives a host a new hardware address, which it announces (gratuitous ARP, unsolicited NA)."""
        self._control.ask("set_lladdr", name=host, lladdr=lladdr)

    def link(self, host: str, up: bool) -> None:
        """Takes a host's own interface down or up; its addresses stay."""
        self._control.ask("link", name=host, up=up)

    def udp_exchange(
        self, count: int, *, size: int = 64, source: str = SCAN, target: str = "10.77.0.13"
    ) -> Exchange:
        """Sends exactly so many datagrams to UDP port 7 of a host and gets exactly as many back.

        Raises:
            LabError: One was lost.
        """
        received = self._control.ask("udp_exchange", count=count, size=size, source=source, target=target)
        return Exchange(count, received, size)

    def http_get(
        self, address: str = "10.77.0.10", port: int = 80, path: str = "/", *, source: str = SCAN
    ) -> str:
        """Fetches one page; head and body as text."""
        page: str = self._control.ask("http_get", address=address, port=port, path=path, source=source)
        return page

    def chatter(self, on: bool) -> None:
        """Background traffic between the hosts, several packets a second, on or off."""
        self._control.ask("chatter", on=on)


def _await_ready(process: subprocess.Popen[str], log: Path) -> None:
    """Waits for the holder's word."""
    assert process.stdout is not None
    late = threading.Timer(START_LIMIT, process.kill)
    late.start()
    try:
        word = process.stdout.readline()
    finally:
        late.cancel()
    if word != "ready\n":
        raise LabError(f"the lab could not be built:\n{log.read_text()}")
