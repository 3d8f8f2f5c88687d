"""Host names of addresses, from the system's resolver (``getnameinfo``: hosts file, DNS) in threads of their own.

The resolver blocks, for half a minute when no server answers, and cannot be interrupted. So its threads are
daemons, which the end of the program does not wait for; those of an executor it would.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import NamedTuple

from netmon_tui.domain.address import parse_ip
from netmon_tui.security.hostile_text import clean

THREADS = 4
"""Questions under way at once."""
FOUND_SECONDS = 3600.0
"""How long a name is good for: the resolver does not tell the lifetime that its server gave."""
NAMELESS_SECONDS = 600.0
FAILED_SECONDS = 60.0
"""How long nobody is asked again when no server answered."""
_MOST_ANSWERS = 65_536
_LONGEST_NAME = 253
"""Characters of a name in the DNS (RFC 1035, 2.3.4)."""


class _Answer(NamedTuple):
    name: str
    until: float
    """Monotonic seconds."""


class HostNames:
    """Asks for the names of addresses and remembers the answers, negative ones too.

    Link-local addresses are not asked for: no server knows them, and some systems answer by multicast (mDNS).

    Args:
        threads: Questions under way at once; 0 never asks anybody.
        resolve: Returns the name of an address; raises OSError, a ``socket.gaierror`` with EAI_NONAME where
            there is none.
    """

    def __init__(self, *, threads: int = THREADS, resolve: Callable[[str], str] | None = None) -> None:
        self._most_threads = threads
        self._resolve = resolve or _resolve
        self._turn = threading.Condition()
        self._answers: dict[str, _Answer] = {}
        self._waiting: dict[str, Future[str]] = {}
        self._asked: dict[str, Future[str]] = {}
        """Under way."""
        self._threads = 0
        self._closed = False
        self.revision = 0
        """Rises with every answer."""

    @property
    def enabled(self) -> bool:
        """Whether anybody is ever asked."""
        return self._most_threads > 0

    def name(self, address: str) -> str:
        """Return the name as far as it is known, cleaned; empty otherwise. Asks nobody."""
        answer = self._answers.get(address)
        return answer.name if answer else ""

    def want(self, addresses: Iterable[str]) -> list[Future[str]]:
        """Ask for names that are not known or too old, at once; what nobody has begun with before is given up.

        Returns:
            One future for every question that is open; those given up are cancelled.
        """
        with self._turn:
            before, self._waiting = self._waiting, {}
            for address in addresses if self.enabled and not self._closed else ():
                if address not in self._asked and self._is_open(address):
                    self._waiting[address] = before.pop(address) if address in before else Future()
            for _ in range(min(self._most_threads - self._threads, len(self._waiting))):
                self._threads += 1
                threading.Thread(target=self._work, name="host names", daemon=True).start()
            self._turn.notify_all()
            found = [*self._waiting.values(), *self._asked.values()]
        for given_up in before.values():
            given_up.cancel()
        return found

    def close(self) -> None:
        """Ask no more questions. Waits for nobody."""
        self.want(())
        with self._turn:
            self._closed = True
            self._turn.notify_all()

    def _is_open(self, address: str) -> bool:
        answer = self._answers.get(address)
        if answer is not None:
            return answer.until <= time.monotonic()
        parsed = parse_ip(address)
        return parsed is not None and not parsed.is_link_local

    def _work(self) -> None:
        while (question := self._next()) is not None:
            address, future = question
            name, lifetime = self._ask(address)
            with self._turn:
                self._answers.pop(address, None)
                self._answers[address] = _Answer(name, time.monotonic() + lifetime)
                if len(self._answers) > _MOST_ANSWERS:
                    del self._answers[next(iter(self._answers))]
                del self._asked[address]
                self.revision += 1
            future.set_result(name)

    def _next(self) -> tuple[str, Future[str]] | None:
        """Wait for a question; None when there will be none."""
        with self._turn:
            while not self._closed:
                for address, future in self._waiting.items():
                    del self._waiting[address]
                    if future.set_running_or_notify_cancel():
                        self._asked[address] = future
                        return address, future
                    break
                else:
                    self._turn.wait()
            return None

    def _ask(self, address: str) -> tuple[str, float]:
        """Return the name and for how many seconds it is good."""
        try:
            return clean(self._resolve(address), _LONGEST_NAME), FOUND_SECONDS
        except socket.gaierror as error:
            return "", NAMELESS_SECONDS if error.errno == socket.EAI_NONAME else FAILED_SECONDS
        except OSError:
            return "", FAILED_SECONDS


def _resolve(address: str) -> str:
    return socket.getnameinfo((address, 0), socket.NI_NAMEREQD)[0]
