"""The nmaps of a staged scan: started in our own group, so that what is sent to it reaches them all."""

from __future__ import annotations

import os
import resource
import select
import signal
import subprocess
from functools import cache
from typing import TYPE_CHECKING

from .elements import Document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from ctypes import CDLL
    from pathlib import Path

    from .elements import Element

_PR_SET_PDEATHSIG = 1


class Nmap:
    """One running nmap and the document that it writes. It does not outlive us.

    Nobody would watch it, nor read what it finds. The kernel does not keep that promise for a program with file
    capabilities: what is left of such a one is ended with the scan's other leftovers.

    Args:
        words: The command without output and targets.
        xml: Where its document goes.
        targets: What it scans; none when the words say it.
        memory: Address space that it may use: bytes, or ``RLIM_INFINITY``.
    """

    def __init__(
        self, words: Sequence[str], xml: Path, targets: Sequence[str], memory: int = resource.RLIM_INFINITY
    ) -> None:
        self.finished = False
        """Whether it said that it has done everything."""
        self._document = Document(xml)
        literal = str(xml).replace("%", "%%")  # nmap expands %Y and its like in file names
        us = os.getpid()
        _libc()  # loaded once here, and not by every child
        self._process = subprocess.Popen(
            [*words, "-oX", literal, *(["--", *targets] if targets else [])],
            stdin=subprocess.DEVNULL,
            preexec_fn=lambda: _prepare(us, memory),  # we have but one thread
        )
        self.descriptor = os.pidfd_open(self._process.pid)
        """Readable when it has ended."""

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """What it ended with, once :meth:`has_ended` has said so; -N for signal N."""
        return self._process.returncode

    @property
    def ending(self) -> str:
        """How it ended, in words."""
        status = self._process.returncode
        if status >= 0:
            return f"nmap ended with exit status {status}"
        # what std::bad_alloc ends in; the runner knows a tool that had too little memory by that word
        why = ", as it does when it gets no more memory" if status == -signal.SIGABRT else ""
        return f"nmap was ended by {signal.Signals(-status).name}{why}"

    @property
    def root(self) -> dict[str, str]:
        """Attributes of its ``<nmaprun>``."""
        return self._document.root

    def more(self) -> Iterator[Element]:
        """Yield the elements that it has written since the last time."""
        for element in self._document.more():
            if element.name == "runstats":
                finished = element.tree.find("finished")
                self.finished = finished is not None and finished.get("exit") == "success"
            yield element

    def has_ended(self) -> bool:
        """Whether it is gone; its document does not grow any more then."""
        return self._process.poll() is not None

    @property
    def succeeded(self) -> bool:
        """Whether its document is whole and says so; an exit status alone says nothing."""
        return self.finished and self._process.returncode == 0

    def interrupt(self) -> None:
        """Ask it to end."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)

    def close(self) -> None:
        """Let go of what is left of it."""
        os.close(self.descriptor)


def _prepare(parent: int, memory: int) -> None:
    """Bind a process that is about to become nmap to its parent, and to its share of the memory."""
    if memory != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    _end_with(parent)


@cache
def _libc() -> CDLL | None:
    """Return the C library; None with a Python that cannot call it: then without what it is wanted for."""
    try:
        import ctypes
    except ImportError:
        return None
    return ctypes.CDLL(None)


def _end_with(parent: int) -> None:
    """Let the kernel kill this process when its parent is gone."""
    libc = _libc()
    if libc is None:
        return
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it was gone before we could ask for that
        os.kill(os.getpid(), signal.SIGKILL)


def wait_for_news(running: Sequence[Nmap], seconds: float) -> None:
    """Wait until one of them has ended, at most so long."""
    poll = select.poll()
    for nmap in running:
        poll.register(nmap.descriptor, select.POLLIN)
    poll.poll(seconds * 1000)
