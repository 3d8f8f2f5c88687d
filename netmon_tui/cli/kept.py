"""Verbs of what users keep under names and may share: profiles, filters, sets, and the lists of searches."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.output import print_json, print_table, say, write_export, yes_no
from netmon_tui.domain.capture_documents import capture_filter_document
from netmon_tui.domain.capture_filter_library import CaptureFilter
from netmon_tui.domain.documents import Document, profile_document, saved_search_document, set_document
from netmon_tui.domain.named_set import NamedSet, SetKind
from netmon_tui.domain.profile import Profile
from netmon_tui.domain.search import SavedSearch

if TYPE_CHECKING:
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services
    from netmon_tui.services.keeping import KeepingService

Kept = Profile | NamedSet | CaptureFilter | SavedSearch
reference = click.argument("name", metavar="NAME")
"""One of the user's own, or ``OWNER/NAME``."""


def noun() -> str:
    """Return the noun that was typed, in words: ``profile``, ``target set``."""
    parent = click.get_current_context().parent
    assert parent is not None
    return str(parent.command.name).replace("-", " ")


def keeping(services: Services) -> KeepingService[Any, Any]:
    """Return the service of the noun that was typed."""
    kinds = {kind.noun: kind for kind in SetKind}
    if noun() in kinds:
        return services.sets.of(kinds[noun()])
    return services.capture_filters if noun() == "filter" else services.profiles


def document_of(found: Kept) -> Document:
    """Return the JSON of one."""
    if isinstance(found, CaptureFilter):
        return capture_filter_document(found)
    if isinstance(found, SavedSearch):
        return saved_search_document(found)
    return profile_document(found) if isinstance(found, Profile) else set_document(found)


def print_usable(
    line: CommandLine,
    usable: Callable[[Services, Actor], Awaitable[Sequence[Any]]],
    columns: Sequence[str],
    content: Callable[[Any], Sequence[str]],
    as_json: bool,
) -> None:
    """Print what the user may use, each under the name that it has for this user.

    Args:
        line: The command line.
        usable: Finds it.
        columns: What the texts of one are called.
        content: Returns them; those after the first stand at the end of its line.
        as_json: As JSON instead.
    """

    async def work(services: Services, actor: Actor) -> tuple[Sequence[Any], Actor]:
        return await usable(services, actor), actor

    found, actor = line.run(work)
    if as_json:
        print_json([document_of(one) for one in found])
        return
    rows = []
    for one in found:
        text, *more = content(one)
        rows.append((one.reference_for(actor), text, one.owner, yes_no(one.shared), *more))
    print_table(("NAME", columns[0], "OWNER", "SHARED", *columns[1:]), rows)


def run_on(
    line: CommandLine, name: str, work: Callable[[Services, Actor, Any], Awaitable[Kept | None]]
) -> Kept:
    """Find one by what it is called and carry out a command on it; return what became of it."""

    async def found(services: Services, actor: Actor) -> Kept:
        one: Kept = await keeping(services).find(actor, name)
        return await work(services, actor, one) or one

    return line.run(found)


def report(found: Kept, what: str, as_json: bool) -> None:
    """Say what was done to one, or print it."""
    if as_json:
        print_json(document_of(found))
    else:
        say(f"{found.name}: {what}")


@click.command()
@reference
@click.argument("new_name", metavar="NEW-NAME")
@json_option
@pass_line
def copy(line: CommandLine, name: str, new_name: str, as_json: bool) -> None:
    """Make one of your own that is like another one, also like one that everybody has."""
    copied = line.run(lambda services, actor: keeping(services).copy(actor, name, new_name))
    report(copied, "added", as_json)


@click.command()
@reference
@pass_line
def delete(line: CommandLine, name: str) -> None:
    """Delete one; what was made with it stays."""
    gone = run_on(line, name, lambda services, actor, one: keeping(services).delete(actor, one))
    report(gone, "deleted", as_json=False)


@click.command()
@reference
@click.option("--off", is_flag=True, help="Only you see it from now on.")
@json_option
@pass_line
def share(line: CommandLine, name: str, off: bool, as_json: bool) -> None:
    """Let everybody see and use one; only you and administrators can change it."""
    changed = run_on(line, name, lambda s, actor, one: keeping(s).share(actor, one, shared=not off))
    report(changed, "no longer shared" if off else "shared", as_json)


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--output", metavar="FILE", type=click.Path(path_type=Path), help="A new file, else stdout.")
@pass_line
def export(line: CommandLine, names: tuple[str, ...], output: Path | None) -> None:
    """Write your own, or those that are named, as TOML."""

    async def work(services: Services, actor: Actor) -> None:
        if output is not None:
            say(f"written to {await keeping(services).export_file(actor, output, names)}")
            return
        document = await keeping(services).export(actor, names)
        await asyncio.to_thread(write_export, [document], sys.stdout)

    line.run(work)


@click.command("import")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Change your own ones of the same names.")
@json_option
@pass_line
def import_kept(line: CommandLine, file: Path, replace: bool, as_json: bool) -> None:
    """Store those of a TOML file as your own: all of them, or none if one is refused."""
    stored = line.run(lambda services, actor: keeping(services).import_file(actor, file, replace=replace))
    if as_json:
        print_json([document_of(one) for one in stored])
    else:
        say(f"{len(stored)} {noun()}{'' if len(stored) == 1 else 's'} imported")


VERBS = (copy, delete, share, export, import_kept)
"""What a noun gets besides list, show, add and the verb that changes one."""
