"""``capture talkers``: who talks in a capture, also while it runs."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netmon_tui.cli.capture_files import file_option
from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.output import Progress, print_json, print_json_line, print_table, say
from netmon_tui.domain.traffic import Conversation, Talker, Traffic, TrafficKind, traffic_document

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services

_WATCH_SECONDS = 1.0
_COUNTS = ("PACKETS", "BYTES", "SENT_PACKETS", "SENT_BYTES", "RECEIVED_PACKETS", "RECEIVED_BYTES")


@click.command()
@click.argument("capture_id", metavar="ID", type=int)
@click.option("--conversations", "kind", flag_value="conversations", help="Pairs, and what they speak.")
@click.option("--services", "kind", flag_value="services", help="Protocols and ports.")
@click.option("--lengths", "kind", flag_value="lengths", help="Packets by their length.")
@click.option("--top", type=click.IntRange(1, 4_096), default=20, show_default=True, help="Lines of a table.")
@click.option("--watch", is_flag=True, help="Go on until the capture ends: a table a second, or JSON lines.")
@file_option
@json_option
@pass_line
def talkers(
    line: CommandLine,
    capture_id: int,
    kind: TrafficKind | None,
    top: int,
    watch: bool,
    file: str,
    as_json: bool,
) -> None:
    """Show who talks in a capture: addresses by bytes, or with whom and what.

    Of several files all are read, while the capture runs the newest; or one that is named. With --watch
    the figures begin anew with each file, which is said with the time.

    While the capture runs, what is too much to be read by the side is sampled, which is said, and the figures
    are estimates. --json has all tables, each entry with the display filter that leaves its packets.
    """
    progress = Progress()

    def show(traffic: Traffic) -> None:
        progress.clear()
        if as_json:
            document = traffic_document(traffic)
            print_json_line(document) if watch else print_json(document)
        else:
            _print_table(traffic, kind or "talkers")

    async def work(services: Services, actor: Actor) -> None:
        if watch:
            await _wait_for_packets(services, actor, capture_id)
        async for traffic in _follow(services, actor, capture_id, file, top, progress):
            show(traffic)
            if not watch:
                break

    try:
        line.run(work, follow=True)
    finally:
        progress.clear()


async def _wait_for_packets(services: Services, actor: Actor, capture_id: int) -> None:
    """Wait until a running capture has packets."""
    while True:
        one = await services.capturing.get(actor, capture_id)
        if one.state.is_final or one.counters.bytes:
            return
        await asyncio.sleep(_WATCH_SECONDS)


async def _follow(
    services: Services, actor: Actor, capture_id: int, file: str, top: int, progress: Progress
) -> AsyncIterator[Traffic]:
    """Yield what was counted: each second of a capture that runs, and once all of one that has ended.

    Says which files are counted, and that the figures begin anew where a ring has gone on to another one.
    """
    opened, counted = await services.traffic.open(actor, capture_id, file), tuple[Path, ...]()
    advice = "" if file else "; --file N chooses one"
    try:
        while not opened.complete:
            growing = not (await services.capturing.get(actor, capture_id)).state.is_final
            traffic = await opened.look(growing=growing, most=top)
            if opened.which and opened.paths != counted:
                progress.clear()
                since = f"{datetime.now():%H:%M:%S}"
                turned = bool(counted) and len(opened.paths) == 1
                say(f"{opened.which}: counted anew since {since}" if turned else f"{opened.which}{advice}")
            counted = opened.paths
            if opened.grows or opened.complete:
                yield traffic
            if opened.grows:
                await asyncio.sleep(_WATCH_SECONDS)
            else:
                progress.show(f"read: {traffic.read:.0%}")
    finally:
        await opened.close()


def _print_table(traffic: Traffic, kind: TrafficKind) -> None:
    if kind == "services":
        rows = [(one.service.label, one.packets, one.bytes) for one in traffic.services]
        print_table(("SERVICE", "PACKETS", "BYTES"), rows)
    elif kind == "lengths":
        print_table(("LENGTH", "PACKETS"), [(one.label, one.packets) for one in traffic.lengths])
    elif kind == "conversations":
        sides = ((one.client, one.server, one.service.label, *_counts(one)) for one in traffic.conversations)
        print_table(("CLIENT", "SERVER", "SERVICE", *_COUNTS), sides)
    else:
        print_table(("ADDRESS", *_COUNTS), ((one.address, *_counts(one)) for one in traffic.talkers))
    for note in filter(None, (*traffic.notes, traffic.lag)):
        say(note)
    if traffic.unread:
        say("tshark reads them: capture analyse ID, conversations")


def _counts(one: Talker | Conversation) -> tuple[int, ...]:
    sent, received = (one.sent_packets, one.sent_bytes), (one.received_packets, one.received_bytes)
    return one.packets, one.bytes, *sent, *received
