"""``capture``: run tcpdump, look into what it wrote, hand it on."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from netmon_tui.cli.analysis import analyse, follow
from netmon_tui.cli.capture_catalogue import VERBS
from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.display_filter import display_filter
from netmon_tui.cli.following import interruptible, run_to_end
from netmon_tui.cli.output import moment, print_json, print_pairs, print_table, say, yes_no
from netmon_tui.cli.packets import packet, packets, stream
from netmon_tui.cli.talkers import talkers
from netmon_tui.domain.capture import DEFAULT_SNAPLEN, Capture, StartCapture
from netmon_tui.domain.capture_filter import filter_text
from netmon_tui.domain.documents import capture_document, interface_document
from netmon_tui.domain.job import JobState
from netmon_tui.domain.window import Window

if TYPE_CHECKING:
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services

_COLUMNS = (
    "ID",
    "STATE",
    "INTERFACE",
    "FILTER",
    "PACKETS",
    "BYTES",
    "DROPPED",
    "OWNER",
    "STARTED",
    "TAGS",
    "NAME",
)
_SORTS = ("id", "interface", "filter", "state", "packets", "bytes", "dropped", "owner", "started", "name")
_capture_id = click.argument("capture_id", metavar="ID", type=int)
_COUNT = click.IntRange(min=1)


@click.group()
def capture() -> None:
    """Captures: run tcpdump, look at packets, export."""


capture.add_command(packets)
capture.add_command(packet)
capture.add_command(stream)
for verb in (*VERBS, analyse, follow, talkers):
    capture.add_command(verb)
capture.add_command(display_filter)


@capture.command()
@json_option
@pass_line
def interfaces(line: CommandLine, as_json: bool) -> None:
    """List what can be captured on."""
    found = line.run(lambda services, actor: services.capturing.interfaces())
    if as_json:
        print_json([interface_document(interface) for interface in found])
        return
    rows = [
        (
            interface.name,
            yes_no(interface.up),
            interface.lladdr,
            " ".join(f"{a.address}/{a.prefix}" for a in interface.addresses),
            " ".join(interface.gateways),
        )
        for interface in found
    ]
    print_table(("NAME", "UP", "LLADDR", "ADDRESSES", "GATEWAYS"), rows)


@capture.command()
@click.argument("interface", metavar="INTERFACE")
@click.option("--filter", "text", default="", metavar="BPF", help="tcpdump's filter language.")
@click.option("--packets", "count", type=_COUNT, metavar="N", help="Stop after so many packets.")
@click.option("--duration", type=click.FloatRange(min=0.1), metavar="S", help="Stop after so many seconds.")
@click.option("--size", type=_COUNT, metavar="BYTES", help="Stop when the file has so many bytes.")
@click.option("--snaplen", type=_COUNT, metavar="N", help="Keep so many bytes of each packet.")
@click.option("--buffer", "buffer_kib", type=_COUNT, metavar="KIB", help="Kernel buffer.")
@click.option("--include-own-ssh", is_flag=True, help="Keep the packets of your own SSH session.")
@click.option("--name", default="", metavar="TEXT", help="A label for the capture.")
@click.option("--detach", is_flag=True, help="Print the id and return; the capture goes on by itself.")
@json_option
@pass_line
def run(
    line: CommandLine,
    interface: str,
    text: str,
    count: int | None,
    duration: float | None,
    size: int | None,
    snaplen: int | None,
    buffer_kib: int | None,
    include_own_ssh: bool,
    name: str,
    detach: bool,
    as_json: bool,
) -> int:
    """Capture on an interface, or on all of them with "any".

    Runs until a limit is reached or Ctrl-C is pressed, which is the usual way to end a capture: it stops
    cleanly, reports and exits with 0. When the command itself is ended otherwise (a lost connection), the
    capture goes on.
    """
    limits = line.settings.captures
    request = StartCapture(
        interface=interface,
        filter=text,
        snaplen=snaplen or DEFAULT_SNAPLEN,
        packets=count or 0,
        seconds=duration or 0.0,
        size=size or 0,
        buffer_kib=buffer_kib or limits.buffer_kib,
        include_own_ssh=include_own_ssh or limits.include_own_ssh,
        name=name,
    )
    if detach:
        started = line.run(lambda services, actor: services.capturing.start(actor, request))
        print_json(capture_document(started)) if as_json else print(started.id)
        return 0
    ended = line.run(lambda services, actor: _run(services, actor, request), follow=True)
    _print_capture(ended, as_json)
    return int(ended.state is not JobState.COMPLETED)


async def _run(services: Services, actor: Actor, request: StartCapture) -> Capture:
    async def describe() -> str:
        now = (await services.capturing.get(actor, started.id)).counters
        dropped = f", {now.dropped} dropped" if now.dropped else ""
        return f"capture {started.id}: {now.packets} packets, {now.bytes} bytes{dropped}"

    with interruptible() as pressed:
        started = await services.capturing.start(actor, request)
        say(f"capture {started.id} runs on {started.interface}: Ctrl-C stops it")
        return await run_to_end(
            services.capturing.wait(actor, started.id),
            stop=lambda: services.capturing.stop(actor, started.id),
            describe=describe,
            pressed=pressed,
        )


@capture.command("list")
@click.option("--limit", type=click.IntRange(1, 100_000), default=1_000, show_default=True)
@click.option("--tag", default="", metavar="TAG", help="Only captures with this tag.")
@click.option("--owner", default="", metavar="USER", help="Only captures of this user.")
@click.option("--interface", default="", metavar="NAME", help="Only captures of this interface.")
@click.option("--filter", default="", metavar="TEXT", help="Only captures whose BPF filter contains this.")
@click.option("--name", default="", metavar="TEXT", help="Only captures whose name contains this.")
@click.option(
    "--sort", type=click.Choice(("", *_SORTS)), default="", metavar="COLUMN", help=", ".join(_SORTS) + "."
)
@json_option
@pass_line
def list_captures(line: CommandLine, /, limit: int, sort: str, as_json: bool, **columns: str) -> None:
    """List captures, newest first."""
    window = Window(limit=limit, sort=sort, text=filter_text(**columns))
    found = line.run(lambda services, actor: services.capturing.find(actor, window), follow=True)
    if as_json:
        print_json([capture_document(one) for one in found])
    else:
        print_table(_COLUMNS, map(_row, found))


def _row(one: Capture) -> tuple[object, ...]:
    counters = one.counters
    return (
        one.id,
        one.state,
        one.interface,
        one.filter,
        counters.packets,
        counters.bytes,
        counters.dropped,
        one.owner,
        moment(one.started),
        " ".join(one.tags),
        one.name,
    )


@capture.command()
@_capture_id
@json_option
@pass_line
def show(line: CommandLine, capture_id: int, as_json: bool) -> None:
    """Show a capture with its figures and files."""

    async def work(services: Services, actor: Actor) -> tuple[Capture, list[str]]:
        found = await services.capturing.get(actor, capture_id)
        return found, services.catalogue.hand_over(found)

    found, hand_over = line.run(work, follow=True)
    _print_capture(found, as_json, hand_over)


def _print_capture(one: Capture, as_json: bool, hand_over: Sequence[str] = ()) -> None:
    if as_json:
        print_json(capture_document(one))
        return
    counters = one.counters
    print_pairs(
        [
            ("capture", f"{one.id} {one.name}".strip()),
            ("interface", one.interface),
            ("filter", one.filter),
            ("command", shlex.join(one.command)),
            ("state", f"{one.state} ({one.end_reason})" if one.end_reason else one.state),
            ("error", one.error),
            ("from", one.lineage),
            ("tags", " ".join(one.tags)),
            ("note", one.note),
            ("kept", "yes, whatever its age" if one.kept else ""),
            ("owner", one.owner),
            ("started", moment(one.started)),
            ("finished", moment(one.finished)),
            ("packets", f"{counters.packets}, {counters.received} received, {counters.dropped} dropped"),
            ("bytes", counters.bytes),
            ("protocols", ", ".join(f"{name} {count}" for name, count in counters.protocols)),
            ("link type", one.linktype),
            ("first packet", moment(one.first_packet)),
            ("last packet", moment(one.last_packet)),
            *(("hand over", command) for command in hand_over),
            *(("file", f"{file.path}  {file.bytes} bytes  sha256 {file.sha256}") for file in one.files),
        ]
    )


@capture.command()
@_capture_id
@pass_line
def stop(line: CommandLine, capture_id: int) -> None:
    """Stop a running capture cleanly."""

    async def work(services: Services, actor: Actor) -> Capture:
        await services.capturing.stop(actor, capture_id)
        return await services.capturing.wait(actor, capture_id)

    ended = line.run(work, follow=True)
    say(f"capture {capture_id} is {ended.state}: {ended.counters.packets} packets")


@capture.command()
@_capture_id
@pass_line
def delete(line: CommandLine, capture_id: int) -> None:
    """Delete a capture that has ended, with its files."""
    line.run(lambda services, actor: services.capturing.delete(actor, capture_id), follow=True)
    say(f"capture {capture_id} is deleted")
