"""``worker``: starts what is due and follows what runs, with nobody logged in."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from netmon_tui.cli.context import CommandLine, pass_line
from netmon_tui.domain.schedule import Runner
from netmon_tui.errors import NotLoggedIn

if TYPE_CHECKING:
    from netmon_tui.services.container import Services

TRY_AGAIN_SECONDS = 60.0
"""Between two attempts to follow the neighbour table."""
_log = logging.getLogger(__name__)


@click.command()
@click.option("--once", is_flag=True, help="Start what is due now, read what running scans found, and end.")
@pass_line
def worker(line: CommandLine, once: bool) -> None:
    """Start scans that are due or wait for their turn and store what scans and captures find, until stopped.

    It follows the neighbour table, too, and passes its events on (neighbours.follow=false keeps it from that).

    Needs no login: it runs as the owner of the data directory, and each scan as the owner of its schedule.
    One line per event goes to stderr. SIGTERM and Ctrl-C end it; scans go on.
    """

    async def work(services: Services) -> None:
        if await services.accounts.needs_first_user():
            raise NotLoggedIn(
                "there is no user yet, so nothing could be due",
                fix="netmon-tui user add NAME makes the administrator",
            )
        line.log_to_stderr()
        await services.supervisor.start()
        if once:
            await services.rounds.go_once(Runner.WORKER)
            await services.supervisor.catch_up()
            return
        with _asked_to_end() as ended:
            services.rounds.start(Runner.WORKER)
            following = asyncio.create_task(_follow_neighbours(services), name="following neighbours")
            _log.info("the worker runs on %s", line.paths.data)
            await ended.wait()
            following.cancel()
            _log.info("the worker ends; what runs goes on")

    line.run_without_login(work, follow=True)


async def _follow_neighbours(services: Services) -> None:
    """Follow the neighbour table, if that is wanted; one that cannot be followed is tried again."""
    while services.settings.neighbours.follow:
        await services.neighbours.start()
        await asyncio.sleep(TRY_AGAIN_SECONDS)
        if services.neighbours.error:
            services.neighbours.refresh()


@contextmanager
def _asked_to_end() -> Iterator[asyncio.Event]:
    """Turn signals into an event: to be stopped is the ordinary end of a worker, and no failure."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    watched = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    for number in watched:
        loop.add_signal_handler(number, ended.set)
    try:
        yield ended
    finally:
        for number in watched:
            loop.remove_signal_handler(number)
