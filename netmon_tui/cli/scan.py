"""``scan``: run nmap, look at results, move them in and out."""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netmon_tui.cli.context import CommandLine, ask, has_terminal, json_option, pass_line
from netmon_tui.cli.following import interruptible, run_to_end
from netmon_tui.cli.nse import scripts
from netmon_tui.cli.output import (
    moment,
    print_block,
    print_json,
    print_line,
    print_pairs,
    print_table,
    say,
    write_export,
)
from netmon_tui.cli.profile import print_profiles
from netmon_tui.cli.scan_diff import diff
from netmon_tui.cli.scan_files import store_files
from netmon_tui.cli.scan_history import history
from netmon_tui.cli.scan_map import print_map
from netmon_tui.cli.scan_preview import preview_document, print_preview
from netmon_tui.cli.scan_running import continue_scan, pause, resume, skip
from netmon_tui.cli.search import scan_search
from netmon_tui.domain.counted import counted
from netmon_tui.domain.documents import scan_document
from netmon_tui.domain.export import MAP_FORMATS, SCAN_FORMATS, HostSelection
from netmon_tui.domain.host_documents import run_document
from netmon_tui.domain.job import JobState
from netmon_tui.domain.scan import Scan, StartScan
from netmon_tui.domain.scan_run import ScanRun
from netmon_tui.domain.window import Window

if TYPE_CHECKING:
    from netmon_tui.domain.host import Host
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services

    FoundScan = tuple[Scan, list[Host], ScanRun]

INTERRUPTED = 130
_COLUMNS = (
    "ID",
    "STATE",
    "PERCENT",
    "TARGETS",
    "PROFILE",
    "UP",
    "OPEN",
    "CHANGES",
    "OWNER",
    "STARTED",
    "NAME",
)
_PORT_COLUMNS = ("PORT", "STATE", "SERVICE", "VERSION")
_scan_id = click.argument("scan_id", metavar="ID", type=int)


@click.group()
def scan() -> None:
    """Scans: run nmap, look at what it found, import and export."""


for _verb in (pause, continue_scan, resume, skip, scripts, scan_search):
    scan.add_command(_verb)


@scan.command()
@click.argument("targets", metavar="TARGET...", nargs=-1, required=True)
@click.option("--profile", default="", metavar="NAME", help="One of: netmon-tui profile list.")
@click.option("--args", "arguments", default="", metavar="OPTIONS", help='nmap options, as "-sT -p 22,80".')
@click.option("--name", default="", metavar="TEXT", help="A label for the scan.")
@click.option("--detach", is_flag=True, help="Print the id and return; the scan goes on by itself.")
@click.option("--one-nmap", is_flag=True, help="Never split it into stages, even where that is faster.")
@click.option("--dry-run", is_flag=True, help="Print the command and its warnings; start nothing.")
@click.option("--confirm-intrusive", "confirmed", is_flag=True, help="Run scripts that may do harm, unasked.")
@json_option
@pass_line
def run(
    line: CommandLine,
    targets: tuple[str, ...],
    profile: str,
    arguments: str,
    name: str,
    detach: bool,
    one_nmap: bool,
    dry_run: bool,
    confirmed: bool,
    as_json: bool,
) -> int:
    """Scan targets: addresses, networks, ranges or host names.

    Runs to the end with progress on a terminal. Ctrl-C stops the scan, prints what was found and exits with
    130. When the command itself is ended otherwise (a lost connection), the scan goes on.
    """
    request = StartScan(targets, arguments, profile, name, staged=not one_nmap, confirmed=confirmed)
    if dry_run:
        return line.run(lambda services, actor: _preview(services, actor, request, as_json))
    if detach:
        started = line.run(lambda services, actor: _start(services, actor, request))
        print_json(scan_document(started)) if as_json else print(started.id)
        return 0
    found, pressed = line.run(lambda services, actor: run_scan(services, actor, request), follow=True)
    _print_scan(found, as_json)
    ended = found[0]
    return INTERRUPTED if pressed else int(ended.state is not JobState.COMPLETED)


async def _preview(services: Services, actor: Actor, request: StartScan, as_json: bool) -> int:
    plan = await services.scanning.plan(actor, request)
    print_json(preview_document(plan)) if as_json else print_preview(plan)
    return 0


async def _start(services: Services, actor: Actor, request: StartScan) -> Scan:
    """Start a scan; on a terminal, ask about scripts that may do harm."""
    if not request.confirmed and has_terminal():
        plan = await services.scanning.plan(actor, request)
        for script in plan.to_confirm:
            say(f"may do harm or tell third parties: {script}")
        if plan.to_confirm:
            request = replace(request, confirmed=ask("Run these scripts? Write yes").lower() == "yes")
    return await services.scanning.start(actor, request)


async def run_scan(services: Services, actor: Actor, request: StartScan) -> tuple[FoundScan, bool]:
    """Run a scan to its end; the last value says whether Ctrl-C ended it."""

    async def describe() -> str:
        now = await services.scans.get(actor, started.id)
        left = f", {now.remaining:.0f} s left" if now.remaining is not None else ""
        phase = f"{now.phase}{left}, " if now.phase else ""
        return f"scan {now.id}: {now.percent:.0f} %, {phase}{now.hosts_up} up, {now.ports_open} open"

    with interruptible() as pressed:
        started = await _start(services, actor, request)
        for warning in started.warnings:
            say(f"warning: {warning}")
        ended = await run_to_end(
            services.scanning.wait(actor, started.id),
            stop=lambda: services.scanning.stop(actor, started.id),
            describe=describe,
            pressed=pressed,
        )
        return await _whole(services, actor, ended.id), pressed.is_set()


@scan.command("list")
@click.option("--limit", type=click.IntRange(1, 100_000), default=1_000, show_default=True)
@click.option(
    "--filter", "text", default="", metavar="QUERY", help="Only scans that meet it: scan search --help."
)
@json_option
@pass_line
def list_scans(line: CommandLine, limit: int, text: str, as_json: bool) -> None:
    """List scans, newest first."""
    found = line.run(
        lambda services, actor: services.scans.find(actor, Window(limit=limit, text=text)), follow=True
    )
    if as_json:
        print_json([scan_document(one) for one in found])
    else:
        print_table(_COLUMNS, map(_row, found))


def _row(one: Scan) -> tuple[object, ...]:
    return (
        one.id,
        one.state,
        f"{one.percent:.0f} %",
        " ".join(one.targets),
        one.profile,
        one.hosts_up,
        one.ports_open,
        one.changes or "",
        one.owner,
        moment(one.started),
        one.name,
    )


@scan.command()
@_scan_id
@json_option
@pass_line
def show(line: CommandLine, scan_id: int, as_json: bool) -> None:
    """Show a scan with its hosts, ports and services."""
    _print_scan(line.run(lambda services, actor: _whole(services, actor, scan_id), follow=True), as_json)


async def _whole(services: Services, actor: Actor, scan_id: int) -> FoundScan:
    scans = services.scans
    hosts = await scans.whole_hosts(actor, scan_id)
    return await scans.get(actor, scan_id), hosts, await scans.run(actor, scan_id)


def _print_run(run: ScanRun) -> None:
    """What was said of no host."""
    for target in run.skipped:
        print_line(f"not scanned: {target.specification} ({target.reason or target.status})")
    for one in run.scripts:
        print_block(f"{one.script.id}: {one.script.output.strip()}", "  ")


def _print_scan(found: FoundScan, as_json: bool) -> None:
    one, hosts, run = found
    if as_json:
        print_json(scan_document(one, hosts) | {"run": run_document(run)})
        return
    print_pairs(
        [
            ("scan", f"{one.id} {one.name}".strip()),
            ("targets", " ".join(one.targets)),
            ("sets", ", ".join(one.sets)),
            ("command", shlex.join(one.command)),
            ("state", f"{one.state} ({one.percent:.0f} %)"),
            ("error", one.error),
            ("owner", one.owner),
            ("started", moment(one.started)),
            ("finished", moment(one.finished)),
            ("hosts", f"{one.hosts_up} up, {one.hosts_down} down"),
            ("open ports", one.ports_open),
            *(("warning", warning) for warning in one.warnings),
        ]
    )
    for host in hosts:
        _print_host(host)
    _print_run(run)


def _print_host(host: Host) -> None:
    names = " ".join(name for name, _ in host.hostnames)
    hardware = f"{host.lladdr} {host.vendor}".strip()
    print_line()
    print_line("  ".join(part for part in (host.address, names, hardware) if part))
    if host.ports:
        print_table(_PORT_COLUMNS, _port_rows(host))
    for port in host.ports:
        for script in port.scripts:
            print_block(f"{port.number}/{port.protocol} {script.id}: {script.output.strip()}", "  ")
    for script in host.scripts:
        print_block(f"{script.id}: {script.output.strip()}", "  ")
    for extra in host.extraports:
        print_line(f"and {counted(extra.total, 'port')} {extra.state}")
    for match in host.os[:1]:
        print_line(f"system: {match.name} ({match.accuracy} %)")


def _port_rows(host: Host) -> Iterator[tuple[str, ...]]:
    for port in host.ports:
        service = port.service
        name = (f"{service.tunnel}/" if service.tunnel else "") + service.name if service else ""
        version = (service.product, service.version, service.extrainfo) if service else ()
        yield f"{port.number}/{port.protocol}", port.state, name, " ".join(filter(None, version))


@scan.command()
@_scan_id
@pass_line
def stop(line: CommandLine, scan_id: int) -> None:
    """Stop a running scan; what it has found is kept."""

    async def work(services: Services, actor: Actor) -> Scan:
        await services.scanning.stop(actor, scan_id)
        return await services.scanning.wait(actor, scan_id)

    ended = line.run(work, follow=True)
    say(f"scan {scan_id} is {ended.state}: {ended.hosts_up} up, {counted(ended.ports_open, 'open port')}")


@scan.command()
@_scan_id
@pass_line
def delete(line: CommandLine, scan_id: int) -> None:
    """Delete a scan that has ended, with its results and files."""
    line.run(lambda services, actor: services.scans.delete(actor, scan_id), follow=True)
    say(f"scan {scan_id} is deleted")


scan.add_command(diff)
scan.add_command(history)


@scan.command()
@_scan_id
@click.option("--off", is_flag=True, help="Compare with it no longer.")
@pass_line
def pin(line: CommandLine, scan_id: int, off: bool) -> None:
    """Make a completed scan the baseline that later runs of its targets are compared with."""
    line.run(lambda services, actor: services.comparison.pin(actor, scan_id, pinned=not off))
    say(f"scan {scan_id} is {'no longer ' if off else ''}a baseline")


@scan.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--again", is_flag=True, help="Store a document once more that is a scan already.")
@json_option
@pass_line
def import_scans(line: CommandLine, files: tuple[Path, ...], again: bool, as_json: bool) -> int:
    """Store XML files of nmap or masscan (-oX, packed by gzip or not) as scans; - is stdin.

    Each file is a scan of its own. One that is refused does not keep the others out; the exit status is then 1,
    of a single file that of its refusal. A document that is a scan already is not stored again.
    """
    imported, status = store_files(line, files, again=again)
    if as_json:
        print_json([scan_document(one) for one in imported])
    elif imported:
        print_table(_COLUMNS, map(_row, imported))
    return status


@scan.command()
@_scan_id
@click.option("--format", "form", type=click.Choice(SCAN_FORMATS), default="xml", show_default=True)
@click.option("--host", "hosts", multiple=True, metavar="ADDRESS", help="Only this host; may be repeated.")
@click.option(
    "--filter", "text", default="", metavar="QUERY", help="Only hosts that meet it: scan search --help."
)
@click.option("--output", metavar="FILE", type=click.Path(path_type=Path), help="A new file, else stdout.")
@pass_line
def export(
    line: CommandLine, scan_id: int, form: str, hosts: tuple[str, ...], text: str, output: Path | None
) -> None:
    """Write a scan, or some of its hosts.

    xml is nmap's own document and gnmap its greppable output; json is one document, jsonl one host a line, csv
    one port a line; md (Markdown) and html are reports for people, html one file to print or to hand on; tar has
    the documents of every nmap that worked on it, as they were written.
    Words of --filter are looked for in what the list of hosts shows: address, name, vendor, system, status.
    """
    selection = HostSelection(hosts, text)

    async def work(services: Services, actor: Actor) -> None:
        if output is not None:
            written = await services.transfers.export_scan(actor, scan_id, form, output, selection)
            say(f"scan {scan_id} is written to {written}")
            return
        chunks = await services.transfers.scan_chunks(actor, scan_id, form, selection)
        await asyncio.to_thread(write_export, chunks, sys.stdout)

    line.run(work, follow=True)


@scan.command("map")
@_scan_id
@click.option("--format", "form", type=click.Choice(MAP_FORMATS), default="tree", show_default=True)
@click.option("--output", metavar="FILE", type=click.Path(path_type=Path), help="A new file, else stdout.")
@json_option
@pass_line
def show_map(line: CommandLine, scan_id: int, form: str, output: Path | None, as_json: bool) -> None:
    """Show the way to the hosts of a scan: us, hops, subnets, hosts, as far as they were traced.

    svg is a picture, dot and mermaid are for Graphviz and Mermaid; maps too large for a picture count the hosts
    of each subnet. --json prints one nested document.
    """
    print_map(line, scan_id, form, output, as_json)


@scan.command()
@json_option
@pass_line
def profiles(line: CommandLine, as_json: bool) -> None:
    """List the profiles for scan run --profile: Zenmap's, your own, and those that others share."""
    print_profiles(line, as_json)
