"""What is typed on a real pseudo-terminal comes out of the driver's thread as keys, and the thread can be ended."""

import asyncio
import fcntl
import os
import pty
import termios
import threading
import tty

import pytest
from textual.app import App

from netmon_tui.ui.terminal_driver import TerminalDriver


class _App(App[None]):
    """Takes down whether its terminal is gone."""

    gone = False

    def hang_up(self) -> None:
        self.gone = True


class _Typing:
    """A driver that reads from a pseudo-terminal."""

    def __init__(self) -> None:
        self.app = _App()
        self.driver = TerminalDriver(self.app)
        self.master, self.driver.fileno = pty.openpty()
        tty.setraw(self.driver.fileno)
        self._loop = asyncio.get_running_loop()
        self._keys: asyncio.Queue[str] = asyncio.Queue()
        self.driver.process_message = self._take
        self.thread = threading.Thread(target=self.driver.run_input_thread)
        self.thread.start()

    def _take(self, event) -> None:
        self._loop.call_soon_threadsafe(self._keys.put_nowait, event.key)

    def type(self, data: bytes) -> None:
        os.write(self.master, data)

    async def taken(self) -> None:
        """Wait until all that was typed is read: what the terminal still holds is counted by FIONREAD."""
        left = bytearray(4)
        async with asyncio.timeout(20):
            while True:
                fcntl.ioctl(self.driver.fileno, termios.FIONREAD, left)
                if not any(left):
                    return
                await asyncio.sleep(0.01)

    async def key(self) -> str:
        async with asyncio.timeout(20):
            return await self._keys.get()

    async def ended(self) -> None:
        await asyncio.to_thread(self.thread.join, 20)
        assert not self.thread.is_alive()


@pytest.fixture
async def typing():
    typing = _Typing()
    yield typing
    typing.driver.exit_event.set()
    await typing.ended()
    os.close(typing.driver.fileno)


async def test_keys_come_in_the_order_in_which_they_were_typed(typing):
    typing.type("aä".encode())
    typing.type(b"\x1b[A")
    assert [await typing.key() for _ in range(3)] == ["a", "ä", "up"]


async def test_an_escape_alone_is_a_key_though_nothing_follows(typing):
    typing.type(b"\x1b")
    assert await typing.key() == "escape"


async def test_a_character_may_come_in_two_parts(typing):
    for part in ("é".encode()[:1], "é".encode()[1:], b"x"):
        typing.type(part)
        await typing.taken()
    assert [await typing.key(), await typing.key()] == ["é", "x"]


async def test_what_is_no_utf_8_is_one_strange_key(typing):
    typing.type(b"\xe4b")
    assert [await typing.key(), await typing.key()] == ["replacement_character", "b"]


async def test_the_bell_ends_a_thread_that_nobody_types_for(typing):
    typing.type(b"a")
    await typing.key()
    typing.driver.exit_event.set()
    await typing.ended()


async def test_after_a_pause_it_reads_again(typing):
    typing.driver.exit_event.set()
    await typing.ended()
    typing.driver.exit_event.clear()
    typing.thread = threading.Thread(target=typing.driver.run_input_thread)
    typing.thread.start()
    typing.type(b"z")
    assert await typing.key() == "z"


async def test_a_terminal_that_is_gone_is_told(typing):
    os.close(typing.master)
    await typing.ended()
    await asyncio.sleep(0)
    assert typing.app.gone
