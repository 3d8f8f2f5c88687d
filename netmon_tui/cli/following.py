"""Running a job to its end in the foreground: progress while it runs, and a clean stop on Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from netmon_tui.cli.output import Progress
from netmon_tui.errors import InvalidInput

T = TypeVar("T")
REFRESH_SECONDS = 0.5
"""How often the line of progress is looked at."""


@contextmanager
def interruptible() -> Iterator[asyncio.Event]:
    """Turn the first Ctrl-C into an event; a second one ends the command at once."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    pressed = asyncio.Event()

    def press() -> None:
        if pressed.is_set():
            loop.remove_signal_handler(signal.SIGINT)
            task.cancel()
        pressed.set()

    loop.add_signal_handler(signal.SIGINT, press)
    try:
        yield pressed
    except asyncio.CancelledError:
        if pressed.is_set():
            raise KeyboardInterrupt from None
        raise
    finally:
        loop.remove_signal_handler(signal.SIGINT)


async def run_to_end(
    ended: Awaitable[T],
    *,
    stop: Callable[[], Awaitable[None]],
    describe: Callable[[], Awaitable[str]],
    pressed: asyncio.Event,
) -> T:
    """Wait for a job, show how far it is, and stop it when Ctrl-C is pressed.

    Args:
        ended: Resolves to the job's subject once it has ended.
        stop: Asks for the stop; an InvalidInput means that it had ended already.
        describe: Says how far it is, in one line.
        pressed: Set by Ctrl-C.
    """
    waiting = asyncio.ensure_future(ended)
    interrupt = asyncio.create_task(pressed.wait())
    progress = Progress()
    try:
        while not waiting.done() and not interrupt.done():
            if progress.enabled:
                progress.show(await describe())
            await asyncio.wait(
                {waiting, interrupt}, timeout=REFRESH_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        if not waiting.done():
            progress.show("stopping ...")
            await _stop(stop)
        return await waiting
    finally:
        progress.clear()
        interrupt.cancel()
        waiting.cancel()


async def _stop(stop: Callable[[], Awaitable[None]]) -> None:
    try:
        await stop()
    except InvalidInput:
        return  # it ended between the key and the request
