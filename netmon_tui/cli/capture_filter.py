"""``capture filter``: capture filters in words, checked, and kept under names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.filter_place import placed
from netmon_tui.cli.kept import VERBS, print_usable, reference, report, run_on
from netmon_tui.cli.output import print_json, print_table, say
from netmon_tui.domain.capture_filter_library import CaptureFilter, FilterVerdict, SaveCaptureFilter

if TYPE_CHECKING:
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services

_filter = click.argument("text", metavar="FILTER")
_interface = click.option(
    "--interface", default="", metavar="NAME", help="What it is to be used on, else Ethernet."
)


@click.group("filter")
def capture_filter() -> None:
    """Capture filters: tcpdump's language for choosing packets before they are captured.

    NAME alone is a built-in one or your own; OWNER/NAME is one that another user shares.
    """


@capture_filter.command("list")
@json_option
@pass_line
def list_filters(line: CommandLine, as_json: bool) -> None:
    """List the built-in filters, your own and those that others share."""
    print_usable(
        line,
        lambda services, actor: services.capture_filters.usable(actor),
        ("FILTER", "MEANING"),
        lambda one: (one.text, one.meaning),
        as_json,
    )


@capture_filter.command()
@json_option
@pass_line
def recent(line: CommandLine, as_json: bool) -> None:
    """List the filters that you captured with last."""
    found = line.run(lambda services, actor: services.capture_filters.recent(actor))
    print_json(found) if as_json else print_table(("FILTER",), ((one,) for one in found))


@capture_filter.command()
@reference
@_filter
@click.option("--meaning", default="", metavar="TEXT", help="One line: what packets it lets pass.")
@click.option("--share", is_flag=True, help="Let everybody see and use it.")
@_interface
@json_option
@pass_line
def save(
    line: CommandLine, name: str, text: str, meaning: str, share: bool, interface: str, as_json: bool
) -> None:
    """Keep a filter under a name; one of yours under that name is replaced."""

    async def work(services: Services, actor: Actor) -> CaptureFilter:
        await services.capture_filters.check(text, interface)
        new = SaveCaptureFilter(name, text, meaning)
        return await services.capture_filters.save(actor, new, shared=share)

    with placed(text):
        report(line.run(work), "saved", as_json)


@capture_filter.command()
@reference
@click.argument("new_name", metavar="NEW-NAME")
@json_option
@pass_line
def rename(line: CommandLine, name: str, new_name: str, as_json: bool) -> None:
    """Give one another name."""

    async def work(services: Services, actor: Actor, found: CaptureFilter) -> CaptureFilter:
        new = SaveCaptureFilter(new_name, found.text, found.meaning)
        return await services.capture_filters.change(actor, found, new)

    report(run_on(line, name, work), "renamed", as_json)


@capture_filter.command()
@_filter
@_interface
@json_option
@pass_line
def explain(line: CommandLine, text: str, interface: str, as_json: bool) -> None:
    """Say in words what packets a filter lets pass, and what about it may surprise."""
    verdict = _verdict(line, text, interface)
    if as_json:
        print_json(_document(text, verdict))
        return
    print(verdict.explanation.text or ("all packets" if verdict.accepts_all else "no words for it"))
    for caution in verdict.cautions:
        print(f"note: {caution}")


@capture_filter.command()
@_filter
@_interface
@json_option
@pass_line
def check(line: CommandLine, text: str, interface: str, as_json: bool) -> None:
    """Say whether a filter compiles; exit status 2 with the reason and the place when it does not."""
    verdict = _verdict(line, text, interface)
    if as_json:
        print_json(_document(text, verdict))
        return
    say(f"the filter is right: {verdict.instructions} instructions")
    for caution in verdict.cautions:
        say(f"note: {caution}")


def _verdict(line: CommandLine, text: str, interface: str) -> FilterVerdict:
    with placed(text):
        return line.run(lambda services, actor: services.capture_filters.check(text, interface))


def _document(text: str, verdict: FilterVerdict) -> dict[str, object]:
    return {
        "filter": text,
        "meaning": verdict.explanation.text,
        "notes": list(verdict.cautions),
        "instructions": verdict.instructions,
        "accepts_all": verdict.accepts_all,
    }


for _verb in VERBS:
    capture_filter.add_command(_verb)
