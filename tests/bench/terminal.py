"""A program in a 120x40 pseudo-terminal of its own: what it writes, what it burns, what it is told.

For the benchmarks that drive the installed program as a person over SSH does.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = str(Path(sys.executable).with_name("netmon-tui"))
USER, PASSWORD = "ada", "walnut-koala-lantern"
WIDTH, HEIGHT = 120, 40
_TOKENS = re.compile(
    r"\x1b\[(?P<line>\d+);(?P<column>\d+)H"
    r"|\x1b\[(?P<top>\d+);(?P<bottom>\d+)r"
    r"|(?P<up>\n)|(?P<down>\x1bM)"
    r"|\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|P[^\x1b]*\x1b\\|[ -/]*[0-Z^-~])"
    r"|(?P<rest>\x1b.*)|[\x00-\x1f]|(?P<text>[^\x00-\x1f]+)",
    re.DOTALL,
)


class Picture:
    """What the netmon-tui of a terminal has drawn so far: it sends only cells that differ."""

    def __init__(self) -> None:
        self._lines = [[" "] * WIDTH for _ in range(HEIGHT)]
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._y = self._x = self._top = 0
        self._bottom = HEIGHT - 1
        self.touched: set[int] = set()
        """Lines drawn on since somebody emptied this."""

    def draw(self, data: bytes) -> None:
        """Take what was written."""
        text, self._rest = self._rest + self._decoder.decode(data), ""
        for token in _TOKENS.finditer(text):
            if token["line"]:
                self._y, self._x = int(token["line"]) - 1, int(token["column"]) - 1
            elif token["bottom"]:
                self._top, self._bottom = int(token["top"]) - 1, int(token["bottom"]) - 1
            elif token["up"]:
                self._step(1, self._top, self._bottom)
            elif token["down"]:
                self._step(-1, self._bottom, self._top)
            elif token["rest"]:
                self._rest = token["rest"]
            elif token["text"] and self._y < HEIGHT:
                end = self._x + len(token["text"])
                self._lines[self._y][self._x : end] = token["text"]
                self._x = end
                self.touched.add(self._y)

    def _step(self, by: int, first: int, last: int) -> None:
        """Go on by a line; from the last one of the region all of it moves, and the first one falls out."""
        if self._y != last:
            self._y = min(max(self._y + by, 0), HEIGHT - 1)
            return
        del self._lines[first]
        self._lines.insert(last, [" "] * WIDTH)
        self.touched.update(range(self._top, self._bottom + 1))

    @property
    def text(self) -> str:
        """The lines that were touched, as they are now."""
        return "\n".join("".join(self._lines[y]) for y in sorted(self.touched))


class Terminal:
    """A program in a pty.

    Args:
        command: What to run.
        env: Added to our environment.
    """

    def __init__(self, command: Sequence[str], env: dict[str, str] | None = None) -> None:
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        # As over SSH: animations off, the repaint rate of a remote terminal.
        ours = {
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "SSH_CONNECTION": "127.0.0.1 9 127.0.0.1 22",
        }
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=os.environ | ours | (env or {}),
            start_new_session=True, cwd=ROOT,
        )  # fmt: skip
        os.close(slave)
        self.master = master
        self.written = bytearray()
        """All that it wrote since it was last forgotten."""
        self._picture = Picture()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def until(self, *wanted: str, limit: float = 60.0) -> str:
        """Read until one of the texts stands in a line that was drawn on since the last call; say which.

        Raises:
            TimeoutError: It was not; with the end of what was.
        """
        end = time.monotonic() + limit
        while True:
            drawn = self._picture.text
            for text in wanted:
                if text in drawn:
                    self.forget()
                    return text
            if time.monotonic() > end or not self._read(1.0):
                raise TimeoutError(f"{wanted} not drawn:\n{drawn[-1500:]}")

    def forget(self) -> None:
        """Begin anew with what it has written and drawn."""
        self.written.clear()
        self._picture.touched.clear()

    def press(self, keys: str) -> None:
        """Send keys."""
        os.write(self.master, keys.encode())

    def record(self, seconds: float) -> bytes:
        """Return what it writes in so many seconds from now."""
        self.forget()
        self.watch(seconds)
        return bytes(self.written)

    def watch(self, seconds: float) -> None:
        """Read what it writes for some time, so that it never waits for us."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and self._read(left, patient=True):
            pass

    def quiet(self, seconds: float, limit: float = 30.0) -> None:
        """Read until it has written nothing for so many seconds, or the limit is over."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            if not select.select([self.master], [], [], seconds)[0] or not self._read(0.0):
                return

    def _read(self, limit: float, *, patient: bool = False) -> bool:
        """Read once; whether the program can still write (and, unless patient, to be asked again)."""
        if not select.select([self.master], [], [], limit)[0]:
            return patient or self.process.poll() is None
        try:
            data = os.read(self.master, 65536)
        except OSError:  # EIO: it has ended
            return False
        self.written += data
        self._picture.draw(data)
        return True

    def close(self) -> None:
        """End the program."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        os.close(self.master)


class Drain:
    """Reads what a program writes while we wait for something else."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self.bytes = 0
        self.seconds = 0.0

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        self._terminal.forget()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self.bytes, self.seconds = len(self._terminal.written), time.monotonic() - self._began

    def _read(self) -> None:
        while not self._over.is_set():
            self._terminal.watch(0.2)


def processor_seconds(pid: int, *, children: bool = False) -> float:
    """User and system time of a process so far, all threads (proc(5)); 0 when it is gone.

    Args:
        pid: Which.
        children: Add the children that live and those that were waited for.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        living = Path(f"/proc/{pid}/task/{pid}/children").read_text().split() if children else []
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    ticks = sum(map(int, fields[11 : 15 if children else 13]))
    return ticks / os.sysconf("SC_CLK_TCK") + sum(processor_seconds(int(p), children=True) for p in living)


def command_line(data: Path, *words: str, prefix: Sequence[str] = (), logged_in: bool = True) -> str:
    """Run the program's command line; its output.

    Raises:
        RuntimeError: It failed, with what it said.
    """
    who = ["--user", USER] if logged_in else []
    done = subprocess.run(
        [*prefix, PROGRAM, "--data-dir", str(data), *who, "--password-file", "-", *words],
        input=PASSWORD + "\n", text=True, capture_output=True, cwd=ROOT,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def make_user(data: Path) -> None:
    """Make a data directory with its administrator."""
    command_line(data, "user", "add", USER, logged_in=False)


def open_app(data: Path, prefix: Sequence[str] = ()) -> Terminal:
    """Start the full-screen program and log in; the first tab is shown."""
    terminal = Terminal([*prefix, PROGRAM, "--data-dir", str(data), "--user", USER])
    try:
        terminal.until("Log in")
        terminal.quiet(0.5)
        terminal.press(PASSWORD + "\r")
        terminal.until("Neighbours")
        terminal.quiet(1.0)
    except BaseException:
        terminal.close()
        raise
    return terminal
