"""Options that choose packets of a capture and the form they are written in, shared by ``slice`` and ``export``."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

import click

from netmon_tui.domain.capture_choice import CAPTURE_FORMATS, ExportForm, PacketChoice
from netmon_tui.domain.moment import parse_moment
from netmon_tui.errors import InvalidInput

_RANGE = re.compile(r"(\d{1,18})?(-)?(\d{1,18})?")


def choosing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that choose packets; it gets them as ``choice``."""

    @wraps(command)
    def wrapped(*args: Any, **kept: Any) -> Any:
        names = ("file", "packets", "since", "until", "hosts", "conversation", "display_filter", "marked")
        return command(*args, choice=_choice(*(kept.pop(name) for name in names)), **kept)

    for option in reversed(_CHOOSING):
        wrapped = option(wrapped)
    return wrapped


def writing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of a written file; it gets them as ``form``."""

    @wraps(command)
    def wrapped(*args: Any, format: str, anonymise: bool, keep_payload: bool, **kept: Any) -> Any:
        return command(*args, form=ExportForm(format, anonymise, keep_payload), **kept)

    for option in reversed(_WRITING):
        wrapped = option(wrapped)
    return wrapped


_CHOOSING = (
    click.option("--file", default="", metavar="N|NAME", help="Of several files only this one."),
    click.option("--packets", default="", metavar="N-M", help="By number: 10-500, 10-, -500 or 10."),
    click.option(
        "--from", "since", default="", metavar="TIME", help="From this time on: 2026-11-03T14:00:05.5."
    ),
    click.option("--to", "until", default="", metavar="TIME", help="Up to this time."),
    click.option(
        "--host",
        "hosts",
        multiple=True,
        metavar="ADDRESS",
        help="IP or MAC address; given twice: between the two.",
    ),
    click.option(
        "--conversation",
        type=click.IntRange(min=1),
        metavar="N",
        help="The conversation that packet N is of.",
    ),
    click.option(
        "--filter", "display_filter", default="", metavar="FILTER", help="Wireshark's display filter."
    ),
    click.option("--marked", is_flag=True, help="Packets that you have marked."),
)
_WRITING = (
    click.option("--format", type=click.Choice(CAPTURE_FORMATS), default="pcap", show_default=True),
    click.option("--anonymise", is_flag=True, help="Replace addresses and cut the payload away."),
    click.option(
        "--keep-payload", is_flag=True, help="With --anonymise: replace addresses in headers alone."
    ),
)


def _choice(
    file: str,
    packets: str,
    since: str,
    until: str,
    hosts: tuple[str, ...],
    conversation: int | None,
    display_filter: str,
    marked: bool,
) -> PacketChoice:
    first, last = _range(packets)
    return PacketChoice(
        file=file,
        first=first,
        last=last,
        since=_moment(since),
        until=_moment(until),
        hosts=hosts,
        conversation=conversation or 0,
        filter=display_filter,
        marked=marked,
    )


def _range(text: str) -> tuple[int, int]:
    """Return first and last of ``10-500``, ``10-``, ``-500`` or ``10``; 0 where there is none."""
    found = _RANGE.fullmatch(text.strip())
    if found is None or (text and not (found[1] or found[3])):
        raise InvalidInput(f"{text[:40]!a} names no packets", fix="such as 10-500, 10-, -500 or 10")
    first, last = int(found[1] or 0), int(found[3] or 0)
    if text and ((first == 0 and found[1]) or (last == 0 and found[3]) or (last and last < first)):
        raise InvalidInput(f"{text[:40]!a} names no packets", fix="they count from 1, the first one first")
    return (first, last) if found[2] or not text else (first, first)


def _moment(text: str) -> datetime | None:
    return parse_moment(text, datetime.now(UTC)) if text else None
