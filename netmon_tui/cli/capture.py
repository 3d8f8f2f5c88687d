"""``capture``: run tcpdump, look into what it wrote, hand it on."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from netmon_tui.cli.analysis import analyse, follow, questions
from netmon_tui.cli.capture_catalogue import VERBS
from netmon_tui.cli.capture_files import file_pairs, rotating, usage
from netmon_tui.cli.capture_filter import capture_filter
from netmon_tui.cli.capture_interfaces import interfaces
from netmon_tui.cli.capture_keys import keys
from netmon_tui.cli.capture_starting import again, request_of, request_options, run_all
from netmon_tui.cli.capture_verify import verify
from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.display_filter import display_filter
from netmon_tui.cli.filter_place import placed
from netmon_tui.cli.output import moment, print_json, print_pairs, print_table, say
from netmon_tui.cli.packet_find import VERBS as FIND_VERBS
from netmon_tui.cli.packet_list import columns, packets
from netmon_tui.cli.packets import packet, stream
from netmon_tui.cli.set_filter import matches
from netmon_tui.cli.talkers import talkers
from netmon_tui.domain.capture import Capture, CaptureOrigin
from netmon_tui.domain.capture_documents import capture_document
from netmon_tui.domain.capture_filter import filter_text
from netmon_tui.domain.checked_file import CheckedFile
from netmon_tui.domain.counted import counted
from netmon_tui.domain.job import JobState, Rotation
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
    "SIZE",
    "FILES",
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
capture.add_command(matches)
capture.add_command(columns)
capture.add_command(packet)
capture.add_command(stream)
for verb in (
    *VERBS,
    *FIND_VERBS,
    analyse,
    questions,
    follow,
    talkers,
    usage,
    interfaces,
    capture_filter,
    again,
    verify,
):
    capture.add_command(verb)
capture.add_command(display_filter)
capture.add_command(keys)


@capture.command()
@click.argument("interfaces", metavar="INTERFACE...", nargs=-1, required=True)
@request_options
@rotating
@click.option("--name", default="", metavar="TEXT", help="A label for the capture.")
@click.option("--detach", is_flag=True, help="Print the id and return; the capture goes on by itself.")
@json_option
@pass_line
def run(
    line: CommandLine,
    /,
    interfaces: tuple[str, ...],
    rotation: Rotation,
    name: str,
    detach: bool,
    as_json: bool,
    **asked: Any,
) -> int:
    """Capture on an interface, or on all of them with "any".

    Several interfaces give as many captures, with one name and one tag; with --format pcapng they give one.

    Runs until a limit is reached or Ctrl-C is pressed, which is the usual way to end a capture: it stops
    cleanly, reports and exits with 0. When the command itself is ended otherwise (a lost connection), the
    capture goes on.
    """
    request = replace(request_of(line.settings.captures, interfaces[0], asked), rotation=rotation, name=name)
    with placed(request.filter):
        if detach:
            started = line.run(lambda services, actor: services.starts.on_each(actor, request, interfaces))
            _print_all(started, as_json, short=True)
            return 0
        ended = line.run(lambda services, actor: run_all(services, actor, request, interfaces), follow=True)
    _print_all(ended, as_json)
    return int(any(one.state is not JobState.COMPLETED for one in ended))


def _print_all(captures: Sequence[Capture], as_json: bool, *, short: bool = False) -> None:
    """Print captures; of several one array in JSON, and only their ids when they have just begun."""
    if as_json:
        documents = [capture_document(one) for one in captures]
        print_json(documents if len(documents) > 1 else documents[0])
        return
    for one in captures:
        print(one.id) if short else _print_capture(one, as_json)


@capture.command("list")
@click.option("--limit", type=click.IntRange(1, 100_000), default=1_000, show_default=True)
@click.option("--tag", default="", metavar="TAG", help="Only captures with this tag.")
@click.option("--owner", default="", metavar="USER", help="Only captures of this user.")
@click.option("--interface", default="", metavar="NAME", help="Only captures of this interface.")
@click.option("--filter", default="", metavar="TEXT", help="Only captures whose BPF filter contains this.")
@click.option("--name", default="", metavar="TEXT", help="Only captures whose name contains this.")
@click.option("--sort", type=click.Choice(_SORTS), metavar="COLUMN", help=", ".join(_SORTS) + ".")
@json_option
@pass_line
def list_captures(line: CommandLine, /, limit: int, sort: str | None, as_json: bool, **columns: str) -> None:
    """List captures, newest first."""
    window = Window(limit=limit, sort=sort or "", text=filter_text(**columns))
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
        f"{one.packets_on_disk} of {one.packets_captured}" if counters.overwritten else one.packets,
        counters.bytes,
        one.file_count,
        counters.dropped if one.knows_drops else "",
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

    async def work(services: Services, actor: Actor) -> tuple[Capture, list[str], list[CheckedFile]]:
        found = await services.capturing.get(actor, capture_id)
        differing = await services.checks.differing(found)
        return found, services.catalogue.hand_over(found, differing), differing

    found, hand_over, differing = line.run(work, follow=True)
    _print_capture(found, as_json, hand_over, differing)


def _print_capture(
    one: Capture, as_json: bool, hand_over: Sequence[str] = (), differing: Sequence[CheckedFile] = ()
) -> None:
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
            ("state", _state_words(one)),
            ("error", one.error),
            ("from", one.lineage),
            ("tags", " ".join(one.tags)),
            ("note", one.note),
            ("kept", "yes, whatever its age" if one.kept else ""),
            ("owner", one.owner),
            ("started", moment(one.started)),
            ("finished", moment(one.finished)),
            ("packets", one.packets_words + _kernel_words(one)),
            ("advice", _advice(one)),
            ("size", f"{counters.bytes} bytes"),
            ("protocols", ", ".join(f"{name} {count}" for name, count in counters.protocols)),
            ("link type", one.linktype),
            ("format", one.format),
            ("first packet", moment(one.first_packet)),
            ("last packet", moment(one.last_packet)),
            *(("hand over", command) for command in hand_over),
            *file_pairs(one),
            *(("warning", f"{one.file.name}: {one.words}") for one in differing),
        ]
    )


def _kernel_words(one: Capture) -> str:
    return f", {one.received} received, {one.counters.dropped} dropped" if one.knows_drops else ""


def _advice(one: Capture) -> str:
    """Return how to lose less, where what captured it lost packets."""
    if one.origin is not CaptureOrigin.LIVE or not one.counters.dropped:
        return ""
    return f"netmon-tui capture again {one.id} --buffer 2x starts again with twice the buffer"


def _state_words(one: Capture) -> str:
    return one.state if one.end_reason in ("", one.state) else f"{one.state} ({one.end_words})"


@capture.command()
@_capture_id
@pass_line
def stop(line: CommandLine, capture_id: int) -> None:
    """Stop a running capture cleanly."""

    async def work(services: Services, actor: Actor) -> Capture:
        await services.capturing.stop(actor, capture_id)
        return await services.capturing.wait(actor, capture_id)

    ended = line.run(work, follow=True)
    say(
        f"capture {capture_id} is {ended.state}: {counted(ended.counters.packets, 'packet', ended.packets_words)}"
    )


@capture.command()
@_capture_id
@pass_line
def delete(line: CommandLine, capture_id: int) -> None:
    """Delete a capture that has ended, with its files."""
    line.run(lambda services, actor: services.capturing.delete(actor, capture_id), follow=True)
    say(f"capture {capture_id} is deleted")
