"""``neighbour devices``, ``device``, ``mark``, ``unmark``, ``import``: who is behind the addresses."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netmon_tui.cli.context import STDIN, CommandLine, json_option, pass_line
from netmon_tui.cli.output import (
    moment,
    print_json,
    print_line,
    print_pairs,
    print_table,
    say,
    write_export,
    yes_no,
)
from netmon_tui.domain.address import parse_ip
from netmon_tui.domain.device import DeviceFilter, MarksChange
from netmon_tui.domain.device_documents import (
    device_document,
    device_import_document,
    device_page_document,
    marks_document,
    presence_document,
)
from netmon_tui.domain.device_list import DEVICE_FORMATS
from netmon_tui.domain.window import Window

if TYPE_CHECKING:
    from netmon_tui.domain.device import DeviceLine, DeviceMarks, DevicePage, Presence
    from netmon_tui.domain.device_list import DeviceImport, MarksBefore
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services

_COLUMNS = (
    "NAME",
    "LLADDR",
    "VENDOR",
    "ADDRESS",
    "MORE",
    "PRESENT",
    "FIRST SEEN",
    "LAST SEEN",
    "MARKS",
    "NOTE",
)
_TIMES = ("ADDRESS", "INTERFACE", "FROM", "LAST SEEN", "ENDED")
_HOLDERS = ("LLADDR", "INTERFACE", "FROM", "LAST SEEN", "ENDED")
_MOST_DEVICES = 1_000_000


@click.command()
@click.option("--known/--unknown", default=None, help="Only devices that are marked as known, or are not.")
@click.option("--present", is_flag=True, help="Only those that were seen within the hour, and are not gone.")
@click.option("--filter", "text", default="", metavar="TEXT", help="Only those with this text; ! inverts.")
@click.option(
    "--format", "form", type=click.Choice(DEVICE_FORMATS), help="Export; both forms can be imported."
)
@click.option("--output", metavar="FILE", type=click.Path(path_type=Path), help="Export to a new file.")
@json_option
@pass_line
def devices(
    line: CommandLine,
    known: bool | None,
    present: bool,
    text: str,
    form: str | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """List all devices that were ever seen or marked, the one seen last first."""
    if output is not None and form is None:
        raise click.UsageError(f"--output needs --format: {', '.join(DEVICE_FORMATS)}")
    wanted = DeviceFilter(known, present)

    async def work(services: Services, actor: Actor) -> None:
        if form is not None:
            await _export(services, actor, form, output, text, wanted)
            return
        found = await services.segment.devices.lines(actor, Window(limit=_MOST_DEVICES, text=text), wanted)
        if as_json:
            print_json([device_document(one) for one in found])
        else:
            print_table(_COLUMNS, map(_row, found))

    line.run(work)


async def _export(
    services: Services, actor: Actor, form: str, output: Path | None, text: str, wanted: DeviceFilter
) -> None:
    if output is not None:
        say(f"written to {await services.segment.device_lists.export(actor, form, output, text, wanted)}")
        return
    chunks = await services.segment.device_lists.chunks(actor, form, text, wanted)
    await asyncio.to_thread(write_export, chunks, sys.stdout)


def _row(one: DeviceLine) -> tuple[object, ...]:
    return (
        one.marks.name,
        one.lladdr,
        "(private)" if one.private else one.vendor,
        one.address,
        f"+{one.addresses - 1}" if one.addresses > 1 else "",
        yes_no(one.present),
        moment(one.first_seen),
        moment(one.last_seen),
        ", ".join(one.marks.words),
        one.marks.note,
    )


@click.command()
@click.argument("reference", metavar="LLADDR|ADDRESS|NAME")
@json_option
@pass_line
def device(line: CommandLine, reference: str, as_json: bool) -> None:
    """Show when a device was at which address; of an ADDRESS also which lladdrs had it when."""
    address = parse_ip(reference.strip())

    async def work(services: Services, actor: Actor) -> tuple[DevicePage, list[Presence]]:
        page = await services.segment.devices.page(
            actor, await services.segment.devices.find(actor, reference)
        )
        if address is None:
            return page, []
        return page, await services.segment.devices.holders(actor, str(address))

    page, holders = line.run(work)
    if as_json:
        more = {"held_by": [presence_document(one) for one in holders]} if address else {}
        print_json(device_page_document(page) | more)
        return
    _print_page(page)
    if address is not None:
        print_line()
        print_line(f"{address} belonged to")
        print_table(_HOLDERS, ((one.lladdr, one.interface, *_time(one)) for one in holders))


def _print_page(page: DevicePage) -> None:
    found = page.device
    print_pairs(
        [
            ("lladdr", found.lladdr),
            ("name", found.marks.name),
            ("vendor", "(private)" if found.private else found.vendor),
            ("marks", ", ".join(found.marks.words)),
            ("note", found.marks.note),
            ("said by", found.marks.changed_by),
            ("present", yes_no(page.present)),
            ("first seen", moment(found.first_seen)),
            ("last seen", moment(found.last_seen)),
        ]
    )
    print_line()
    print_table(_TIMES, ((one.address, one.interface, *_time(one)) for one in page.presences))


def _time(one: Presence) -> tuple[str, str, str]:
    return moment(one.started), moment(one.ended), one.ending


@click.command()
@click.argument("lladdr", metavar="LLADDR|ADDRESS|NAME")
@click.option("--name", metavar="TEXT", help="What people call it; an empty text takes the name away.")
@click.option("--note", metavar="TEXT", help="More about it.")
@click.option("--known/--unknown", default=None, help="Its appearing is nothing to report, or is.")
@click.option("--must-be-up/--may-be-down", default=None, help="Report when it does not answer, or do not.")
@click.option(
    "--cluster/--no-cluster", default=None, help="Addresses may pass between all devices with this."
)
@json_option
@pass_line
def mark(
    line: CommandLine,
    lladdr: str,
    name: str | None,
    note: str | None,
    known: bool | None,
    must_be_up: bool | None,
    cluster: bool | None,
    as_json: bool,
) -> None:
    """Say something about a device, seen or not; what is not given stays as it is."""
    change = MarksChange(name, note, known, must_be_up, cluster)
    if change == MarksChange():
        raise click.UsageError("nothing to say: give --name, --note, --known, --must-be-up or --cluster")

    async def work(services: Services, actor: Actor) -> DeviceMarks:
        marked = await services.segment.devices.mark(
            actor, await services.segment.devices.find(actor, lladdr), change
        )
        if change.must_be_up and (told := await services.segment.devices.not_missed(actor, marked)):
            say(told)
        return marked

    said = line.run(work)
    if as_json:
        print_json({"lladdr": said.lladdr, **marks_document(said)})
    else:
        say(f"{said.lladdr}: {', '.join(filter(None, (said.name, *said.words))) or 'no name, no marks'}")


@click.command()
@click.argument("lladdr", metavar="LLADDR|ADDRESS|NAME")
@pass_line
def unmark(line: CommandLine, lladdr: str) -> None:
    """Forget name, note and marks of a device; when it was seen is kept."""

    async def work(services: Services, actor: Actor) -> DeviceMarks:
        return await services.segment.devices.unmark(
            actor, await services.segment.devices.find(actor, lladdr)
        )

    gone = line.run(work)
    say(f"{gone.lladdr}: forgotten what was said about it")


@click.command("import")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--dry-run", is_flag=True, help="Only tell what would change.")
@click.option(
    "--skip-bad", is_flag=True, help="Leave out lines that cannot be taken; else nothing is stored."
)
@json_option
@pass_line
def import_devices(line: CommandLine, file: Path, dry_run: bool, skip_bad: bool, as_json: bool) -> None:
    """Take names, notes and marks of devices from a FILE; - reads stdin.

    CSV with a header (lladdr or mac, name or hostname, note, known, must_be_up, shares_addresses), JSON, ethers(5)
    or arpwatch's arp.dat. What the file does not say, or leaves empty, stays as it is.
    """

    async def work(services: Services, actor: Actor) -> DeviceImport:
        lists = services.segment.device_lists
        if str(file) == STDIN:
            return await lists.import_stream(actor, sys.stdin.buffer, dry_run=dry_run, skip_bad=skip_bad)
        return await lists.import_file(actor, file, dry_run=dry_run, skip_bad=skip_bad)

    done = line.run(work)
    if as_json:
        print_json(device_import_document(done))
        return
    for entry in done.bad:
        say(f"{done.unit} {entry.number}: {entry.why}")
    if not done.stored:
        print_table(("LLADDR", "CHANGE"), map(_change, done.changes))
    say(f"{done.words}{'' if done.stored else '; nothing is stored'}")


def _change(change: MarksBefore) -> tuple[str, str]:
    return change.after.lladdr, change.words


VERBS = (devices, device, mark, unmark, import_devices)
"""What the noun ``neighbour`` gets besides the table's own verbs."""
