"""A real terminal for the installed program: a tmux server of its own, driven by keys and read as text."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.lab.network import Lab

PROGRAM = Path(sys.executable).with_name("netmon-tui")
PATIENCE = 45.0
"""Seconds after which a fact that should be on the screen is missing: the machine may be busy."""


class Terminal:
    """One terminal on the scanner of the lab, in which the program runs as ``make run`` starts it.

    Args:
        lab: The network.
        data: The data directory.
        state: A directory for tmux's socket.
        size: Columns and rows.
    """

    def __init__(self, lab: Lab, data: Path, state: Path, size: tuple[int, int] = (120, 40)) -> None:
        self._lab = lab
        self._data = data
        self._socket = state / f"tmux-{time.monotonic_ns()}"
        self._size = size

    def start(self) -> None:
        """Open the terminal and start the program in it."""
        foreign = ("NETMON_TUI", "TMUX", "SSH_", "COLUMNS", "LINES")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
        environment = self._lab.environment({**kept, "LANG": "C.UTF-8", "TERM": "xterm-256color"})
        command = [*self._lab.enter_prefix(), str(PROGRAM), "--data-dir", str(self._data)]
        columns, rows = map(str, self._size)
        # the option has to be there before the program ends, however quickly it does
        options = ["set-option", "-g", "remain-on-exit", "on", ";"]
        window = ["new-session", "-d", "-x", columns, "-y", rows, *command]
        subprocess.run(self._tmux("start-server", ";", *options, *window), env=environment, check=True)

    def _tmux(self, *words: str) -> list[str]:
        return ["tmux", "-u", "-f", os.devnull, "-S", str(self._socket), *words]

    def _ask(self, *words: str) -> str:
        return subprocess.run(self._tmux(*words), capture_output=True, text=True, check=True).stdout

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names: ``Enter``, ``C-l``, ``n``."""
        self._ask("send-keys", *keys)

    def type(self, text: str, *keys: str) -> None:
        """Type a text, then press keys."""
        self._ask("send-keys", "-l", "--", text)
        if keys:
            self.press(*keys)

    def fill_in(self, text: str) -> None:
        """Type into a field of a form, and once it is there go to the next one."""
        self.type(text)
        shown = (text, "•" * len(text))
        self.until(lambda: any(words in self._cursor_line for words in shown), f"{text!r} under the cursor")
        self.go_on("Enter")

    @property
    def _cursor_line(self) -> str:
        return self.screen.split("\n")[int(self._row)]

    def go_on(self, *keys: str) -> None:
        """Press keys and wait until they have moved the cursor to another line: keys that come sooner get lost."""
        before = self._row
        self.press(*keys)
        self.until(lambda: self._row != before, f"the cursor on another line after {keys}")

    @property
    def _row(self) -> str:
        return self._ask("display-message", "-p", "#{cursor_y}")

    @property
    def screen(self) -> str:
        """What is on the screen."""
        return self._ask("capture-pane", "-p")

    def line(self, *texts: str) -> str:
        """The first line of the screen with all the texts; empty when there is none."""
        return next((line for line in self.screen.splitlines() if all(text in line for text in texts)), "")

    def wait(self, *texts: str, gone: bool = False) -> str:
        """Wait until one line of the screen has all the texts, and return it; ``gone``: until none has."""
        if gone:
            self.until(lambda: not self.line(*texts), f"{texts} still there")
            return ""
        return str(self.until(lambda: self.line(*texts), f"{texts} on one line"))

    def until(self, fact: Callable[[], Any], what: str) -> Any:
        """Wait until ``fact()`` is true and return it."""
        end = time.monotonic() + PATIENCE
        while not (found := fact()):
            assert time.monotonic() < end, f"not in {PATIENCE:g} s: {what}\n{self.screen}"
            time.sleep(0.05)
        return found

    def exit_status(self) -> int:
        """Wait until the program has ended, and return how."""
        self.until(lambda: self._ask("display-message", "-p", "#{pane_dead}").strip() == "1", "its end")
        return int(self.until(self._dead_status, "its exit status"))

    def _dead_status(self) -> str:
        """The status comes a moment after the terminal is closed, or not at all: tmux 3.3a misses some SIGCHLD."""
        server, status = (
            self._ask("display-message", "-p", "#{pid} #{pane_dead_status}").rstrip("\n").split(" ")
        )
        if not status:
            os.kill(int(server), signal.SIGCHLD)
        return status

    def kill(self) -> None:
        """End the terminal as a crash of it does."""
        os.kill(int(self._ask("display-message", "-p", "#{pid}")), signal.SIGKILL)

    def close(self) -> None:
        """Close the terminal in order, if it is still there."""
        with suppress(subprocess.CalledProcessError):
            self._ask("kill-server")
