"""``capture packet`` and ``capture stream``: what is in a capture file."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from netmon_tui.cli.capture_files import file_option, tell_file, tell_missed
from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.output import moment, print_json, print_line, print_pairs, say
from netmon_tui.domain.capture_documents import packet_detail_document
from netmon_tui.domain.packet_columns import PacketColumns
from netmon_tui.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from netmon_tui.domain.packet import Field, PacketDetail
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services

_capture_id = click.argument("capture_id", metavar="ID", type=int)
_HEX_WIDTH = 16
_LOOK_SECONDS = 0.25
"""How often a growing file is looked at."""


@click.command()
@_capture_id
@click.argument("number", metavar="NUMBER", type=click.IntRange(min=1))
@click.option("--whole", is_flag=True, help="Let the dissector read the whole file first.")
@file_option
@json_option
@pass_line
def packet(line: CommandLine, capture_id: int, number: int, whole: bool, file: str, as_json: bool) -> None:
    """Show one packet: its field tree and its bytes, then those of what was decrypted or put together.

    The dissector knows some hundred packets around it; with --whole it counts streams, and puts together what came
    in several packets, over the whole file. For a million packets that takes 700 MB, and 20 s to two minutes.
    """

    async def work(services: Services, actor: Actor) -> PacketDetail:
        opened = await services.packets.open(actor, capture_id, file)
        try:
            tell_file(await services.packets.file_set(actor, capture_id), file)
            if whole:
                await opened.load_whole()
            detail = await opened.detail(number)
            (said,) = await opened.worded(await opened.lines([number], ()), PacketColumns(()))
            return replace(detail, summary=said.summary)
        finally:
            await opened.close()

    found = line.run(work)
    if as_json:
        print_json(packet_detail_document(found))
    else:
        _print_packet(found)


def _print_packet(found: PacketDetail) -> None:
    summary = found.summary
    print_pairs(
        [
            ("packet", summary.number),
            ("time", moment(datetime.fromtimestamp(summary.time, UTC), parts=True)),
            ("from", summary.source),
            ("to", summary.destination),
            ("protocol", summary.protocol),
            ("length", summary.length),
            ("info", summary.info),
            ("fields by", found.dissector + _knowing(found.window)),
        ]
    )
    for layer in found.layers:
        print_line()
        print_line(layer.label or layer.name)
        for field in layer.fields:
            _print_field(field, 1)
    print_line()
    _print_bytes(found.data)
    for source in found.sources:
        print_line()
        print_line(source.title)
        _print_bytes(source.data)


def _print_bytes(data: bytes) -> None:
    for start in range(0, len(data), _HEX_WIDTH):
        piece = data[start : start + _HEX_WIDTH]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in piece)
        print_line(f"{start:04x}  {piece.hex(' '):<{3 * _HEX_WIDTH}} {text}")


def _knowing(window: tuple[int, int] | None) -> str:
    """Return what the dissector knew of the file."""
    if window is None:
        return ", which knew the whole file"
    first, last = window
    if first == last:
        return ", which knew this packet alone"
    return f", which knew packets {first} to {last}: stream numbers count within them"


def _print_field(field: Field, depth: int) -> None:
    shown = field.label or f"{field.name}: {field.value}"
    print_line("  " * depth + shown)
    for child in field.fields:
        _print_field(child, depth + 1)


@click.command()
@_capture_id
@pass_line
def stream(line: CommandLine, capture_id: int) -> int:
    """Write the capture to stdout as pcap, while it runs up to its end: pipe it into tshark -r -.

    Several files become one; when a ring deletes files before they are read, or files of a capture that has ended
    were cut, that is said and the exit status is 1.
    Refused when stdout is a terminal. Ctrl-C ends the stream (130), not the capture.
    """
    if sys.stdout.isatty():
        raise UsageError("a capture is binary", fix="pipe it: netmon-tui capture stream ID | tshark -r -")

    async def work(services: Services, actor: Actor) -> bool:
        with await services.transfers.read_capture(actor, capture_id) as files:
            while True:
                over = (await services.capturing.get(actor, capture_id)).state.is_final
                copied = await asyncio.to_thread(_copy_new, files.read)
                if over and not copied:
                    break
                if not copied:
                    await asyncio.sleep(_LOOK_SECONDS)
            if missing := await services.catalogue.missing(actor, capture_id):
                say(missing)
            else:
                tell_missed(files.missed)
            return bool(missing or files.missed)

    return int(line.run(work, follow=True))


def _copy_new(read: Callable[[], bytes]) -> int:
    """Hand on what the files have got since the last time; return how many bytes."""
    copied = 0
    while piece := read():
        sys.stdout.buffer.write(piece)
        copied += len(piece)
    sys.stdout.buffer.flush()
    return copied
