"""``capture analyse``, ``questions`` and ``follow``: what tshark says of a whole capture, and its streams."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.output import Progress, print_json, print_line, print_table, say
from netmon_tui.domain.analysis import (
    Analysis,
    AnalysisRow,
    Asked,
    Question,
    Value,
    analysis_document,
    find_question,
)
from netmon_tui.domain.stream import CLIENT, FOLLOWED, SERVER, Follow, FollowProtocol, Stream, marked_lines
from netmon_tui.errors import NotFound, UsageError

if TYPE_CHECKING:
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services

_capture_id = click.argument("capture_id", metavar="ID", type=int)
_keys = click.option(
    "--keys",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="TLS keys, as SSLKEYLOGFILE names them.",
)
_SIDES = {"client": CLIENT, "server": SERVER}


@click.command(
    epilog="QUESTION is hierarchy, expert, io, flow, conversations:tcp, endpoints:ip, dns, http, srt:smb2 or "
    "another of those that netmon-tui capture questions lists."
)
@_capture_id
@click.argument("question")
@click.option("--filter", "text", default="", metavar="FILTER", help="Display filter: what counts.")
@click.option("--interval", type=float, default=0.0, metavar="S", help="io: seconds of one step.")
@click.option(
    "--series", multiple=True, metavar="FILTER", help="io: count these packets beside all; repeatable."
)
@_keys
@json_option
@pass_line
def analyse(
    line: CommandLine,
    capture_id: int,
    question: str,
    text: str,
    interval: float,
    series: tuple[str, ...],
    keys: Path | None,
    as_json: bool,
) -> None:
    """Ask tshark about a whole capture: who talks with whom, how much, what went wrong."""
    progress = Progress()

    async def work(services: Services, actor: Actor) -> tuple[str, Analysis]:
        chosen = find_question(question, await services.analysis.questions())
        asked = Asked(chosen, text, interval, series, keys)
        answer = await services.analysis.ask(
            actor, capture_id, asked, lambda part: progress.show(f"tshark reads: {part:.0%}")
        )
        return chosen.name, answer

    try:
        name, answer = line.run(work)
    finally:
        progress.clear()
    if as_json:
        print_json({"capture": capture_id, "question": name, **analysis_document(answer)})
        return
    streams = any(row.stream is not None for row in answer.rows)  # follow asks for their numbers
    columns = [*(["STREAM"] if streams else []), *(column.key.upper() for column in answer.columns)]
    print_table(columns, (_cells(row, with_stream=streams) for row in answer.rows))
    for note in answer.notes:
        say(note)


@click.command()
@json_option
@pass_line
def questions(line: CommandLine, as_json: bool) -> None:
    """List the questions that the installed tshark answers about a capture."""

    async def work(services: Services, _: Actor) -> tuple[Question, ...]:
        return await services.analysis.questions()

    found = line.run(work)
    if as_json:
        print_json([{"question": one.name, "group": one.group, "label": one.label} for one in found])
        return
    print_table(("QUESTION", "GROUP", "LABEL"), ((one.name, one.group, one.label) for one in found))


def _cells(row: AnalysisRow, *, with_stream: bool) -> tuple[object, ...]:
    first, *others = map(_plain, row.cells)
    stream = ["" if row.stream is None else row.stream] if with_stream else []
    return (*stream, "  " * row.depth + str(first), *others)


def _plain(value: Value) -> object:
    """Return a value as it is printed: also a tiny number without an exponent."""
    if isinstance(value, float) and "e-" in str(value):
        return f"{value:.9f}".rstrip("0").rstrip(".")
    return "" if value is None else value


@click.command()
@_capture_id
@click.argument("protocol", type=click.Choice(FOLLOWED))
@click.argument("stream", type=click.IntRange(min=0))
@click.option(
    "--format", "form", type=click.Choice(["ascii", "hex", "raw"]), default="ascii", show_default=True
)
@click.option("--side", type=click.Choice(list(_SIDES)), help="What one side sent; both without it.")
@_keys
@pass_line
def follow(
    line: CommandLine,
    capture_id: int,
    protocol: str,
    stream: int,
    form: str,
    side: str | None,
    keys: Path | None,
) -> None:
    """Put a stream together and print it: > is what the client sent, < the server.

    STREAM is its number, which conversations:tcp and conversations:udp tell. raw writes the bytes as they are,
    to a pipe or file only.
    """
    if form == "raw" and sys.stdout.isatty():
        raise UsageError("raw bytes are not for a terminal", fix="pipe them, or take --format hex")
    wanted, progress = Follow(cast(FollowProtocol, protocol), stream, keys), Progress()

    async def work(services: Services, actor: Actor) -> Stream:
        return await services.analysis.follow(
            actor, capture_id, wanted, lambda part: progress.show(f"tshark reads: {part:.0%}")
        )

    try:
        found = line.run(work)
    finally:
        progress.clear()
    if not found.peers[0]:
        raise NotFound(f"capture {capture_id} has no {protocol} stream {stream}")
    if protocol == "tls" and not found.parts:
        raise NotFound(
            f"nothing of TLS stream {stream} could be decrypted", fix="name the file of its keys with --keys"
        )
    _print_stream(found, form, _SIDES.get(side or ""))


def _print_stream(stream: Stream, form: str, side: int | None) -> None:
    if form == "raw":
        sys.stdout.flush()
        sys.stdout.buffer.writelines(part.data for part in stream.side(side))
        sys.stdout.buffer.flush()
    else:
        say(f"client {stream.peers[CLIENT]}, server {stream.peers[SERVER]}")
        for part in stream.side(side):
            for text in marked_lines(part, as_bytes=form == "hex"):
                print_line(text)
    if stream.cut:
        say("the stream goes on; this is its beginning")
