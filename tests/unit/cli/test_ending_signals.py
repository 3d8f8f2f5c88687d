"""SIGTERM ends a command in order, however often it comes."""

from __future__ import annotations

import asyncio
import os
import signal

import click
import pytest

from netmon_tui.cli.context import _ended_by_signals


async def _terminate() -> None:
    """Send SIGTERM to ourselves, and give the event loop the rounds in which it is heard."""
    os.kill(os.getpid(), signal.SIGTERM)
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.parametrize("before", [0, 1])
async def test_a_signal_does_not_break_off_the_closing(before: int) -> None:
    closed = []

    async def close() -> None:
        await _terminate()
        closed.append(True)

    with pytest.raises(click.exceptions.Exit) as ended:
        async with _ended_by_signals(close):
            if before:
                await _terminate()
    assert closed
    assert ended.value.exit_code == 143


async def test_what_failed_is_told_after_the_closing() -> None:
    closed = []

    async def close() -> None:
        closed.append(True)

    with pytest.raises(ValueError, match="it failed"):
        async with _ended_by_signals(close):
            raise ValueError("it failed")
    assert closed
