"""``capture import``, ``slice``, ``merge``, ``export``, ``note``, ``tag``, ``name`` and ``keep``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netmon_tui.cli.capture_choosing import choosing, writing
from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.output import print_json, print_table, say, say_error
from netmon_tui.domain.capture import Capture, CaptureLabels
from netmon_tui.domain.capture_choice import ExportForm, PacketChoice
from netmon_tui.domain.capture_documents import capture_document
from netmon_tui.domain.counted import counted
from netmon_tui.errors import AlreadyCaptured, InvalidInput, NetmonError

if TYPE_CHECKING:
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services

_STDIN = Path("-")
_capture_id = click.argument("capture_id", metavar="ID", type=int)
_name = click.option("--name", default="", metavar="TEXT", help="What the new capture is called.")


@click.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--again", is_flag=True, help="Also files that are captures already.")
@json_option
@pass_line
def import_captures(line: CommandLine, files: Sequence[Path], again: bool, as_json: bool) -> int:
    """Store pcap or pcapng files, packed by gzip or not, as captures; "-" is stdin.

    A file of several link types becomes a capture for each. Of a damaged one the packets before the damage are
    kept. A file that is a capture already is not stored once more.
    """
    stored: list[Capture] = []
    refusals: list[NetmonError] = []

    async def work(services: Services, actor: Actor) -> None:
        for file in files:
            try:
                for one in await _store(services, actor, file, again):
                    stored.append(one)
                    if one.note:
                        say(f"{file.name}: {one.note}")
            except NetmonError as error:
                say_error(error)
                refusals.append(error)

    line.run(work)
    if as_json:
        print_json([capture_document(one) for one in stored])
    elif stored:
        columns = ("ID", "NAME", "LINK TYPE", "PACKETS", "BYTES", "DAMAGE")
        counts = ((one, one.counters) for one in stored)
        rows = [(one.id, one.name, one.linktype, c.packets, c.bytes, one.error) for one, c in counts]
        print_table(columns, rows)
    status = refusals[0].exit_code if refusals else 0
    return status if len(files) == 1 else min(status, 1)


async def _store(services: Services, actor: Actor, file: Path, again: bool) -> list[Capture]:
    """Return the captures of a file: new ones, or those that it is already."""
    try:
        if file == _STDIN:
            stream = sys.stdin.buffer
            return await services.catalogue.import_stream(actor, stream, "stdin", again=again)
        return await services.catalogue.import_file(actor, file, again=again)
    except AlreadyCaptured as known:
        say(known)
        return [await services.capturing.get(actor, capture_id) for capture_id in known.capture_ids]


@click.command("slice")
@_capture_id
@choosing
@_name
@click.option(
    "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write a file, make no capture."
)
@writing
@json_option
@pass_line
def slice_capture(
    line: CommandLine,
    capture_id: int,
    choice: PacketChoice,
    name: str,
    output: Path | None,
    form: ExportForm,
    as_json: bool,
) -> None:
    """Make a capture of some packets of another, or with --output a file.

    Packets must meet all that is said. Times are local unless they name a zone.
    """
    if output is not None:
        _export(line, capture_id, output, choice, form)
        return
    if form != ExportForm():
        raise InvalidInput("a form is for a file", fix="name it with --output FILE")
    made = line.run(lambda services, actor: services.catalogue.slice(actor, capture_id, choice, name=name))
    _tell(made, as_json)


@click.command()
@_capture_id
@click.argument("others", metavar="ID...", nargs=-1, required=True, type=int)
@_name
@json_option
@pass_line
def merge(line: CommandLine, capture_id: int, others: tuple[int, ...], name: str, as_json: bool) -> None:
    """Make one capture of several, in time order. They must have the same link type."""
    made = line.run(lambda services, actor: services.catalogue.merge(actor, [capture_id, *others], name=name))
    _tell(made, as_json)


def _tell(made: Capture, as_json: bool) -> None:
    if as_json:
        print_json(capture_document(made))
        return
    say(f"capture {made.id} has {counted(made.counters.packets, 'packet')}: {made.lineage}")
    if made.note:
        say(made.note)
    print(made.id)


@click.command()
@_capture_id
@click.option("--output", metavar="FILE", required=True, type=click.Path(path_type=Path), help="A new file.")
@choosing
@writing
@pass_line
def export(line: CommandLine, capture_id: int, output: Path, choice: PacketChoice, form: ExportForm) -> None:
    """Write the capture's packets, or some of them, to a new file.

    --anonymise replaces IP and MAC addresses in all headers by others, the same by the same within the file:
    networks stay together, and private addresses private. It cuts the payload away. What is not hidden is said.
    """
    _export(line, capture_id, output, choice, form)


def _export(line: CommandLine, capture_id: int, output: Path, choice: PacketChoice, form: ExportForm) -> None:
    async def work(services: Services, actor: Actor) -> tuple[Path, str]:
        path = await services.catalogue.export(actor, capture_id, output, choice, form)
        return path, await services.catalogue.missing(actor, capture_id, choice.file, form.format)

    written, missing = line.run(work, follow=True)
    if missing:
        say(missing)
    say(f"capture {capture_id} is written{' anonymised' if form.anonymise else ''} to {written}")
    for remark in form.remarks():
        say(remark)


@click.command()
@_capture_id
@click.argument("text", metavar="TEXT")
@json_option
@pass_line
def note(line: CommandLine, capture_id: int, text: str, as_json: bool) -> None:
    """Say something about a capture; an empty text takes the note away, "-" is stdin."""
    text = sys.stdin.read() if text == "-" else text
    _label(line, capture_id, CaptureLabels(note=text), as_json)


@click.command("name")
@_capture_id
@click.argument("text", metavar="TEXT")
@json_option
@pass_line
def rename(line: CommandLine, capture_id: int, text: str, as_json: bool) -> None:
    """Give a capture a name."""
    _label(line, capture_id, CaptureLabels(name=text), as_json)


@click.command(context_settings={"ignore_unknown_options": True})
@_capture_id
@click.argument("changes", metavar="+TAG|-TAG...", nargs=-1, required=True, type=click.UNPROCESSED)
@json_option
@pass_line
def tag(line: CommandLine, capture_id: int, changes: tuple[str, ...], as_json: bool) -> None:
    """Add tags to a capture (+web, or web alone) and take some away (-web)."""
    added = tuple(change.removeprefix("+") for change in changes if not change.startswith("-"))
    taken = tuple(change[1:] for change in changes if change.startswith("-"))
    _label(line, capture_id, CaptureLabels(add_tags=added, remove_tags=taken), as_json)


@click.command()
@_capture_id
@click.option("--off", is_flag=True, help="It may be deleted for its age from now on.")
@json_option
@pass_line
def keep(line: CommandLine, capture_id: int, off: bool, as_json: bool) -> None:
    """Mark a capture so that it is not deleted when it is older than captures.keep_days."""
    _label(line, capture_id, CaptureLabels(kept=not off), as_json)


def _label(line: CommandLine, capture_id: int, labels: CaptureLabels, as_json: bool) -> None:
    changed = line.run(lambda services, actor: services.catalogue.label(actor, capture_id, labels))
    if as_json:
        print_json(capture_document(changed))
    else:
        say(f"capture {capture_id} {_label_words(changed, labels)}")


def _label_words(changed: Capture, labels: CaptureLabels) -> str:
    """Return what a capture is now, of what was changed."""
    if labels.kept is not None:
        return "is kept, whatever its age" if changed.kept else "is deleted when it is too old"
    if labels.name is not None:
        return f"is called {changed.name}" if changed.name else "has no name"
    if labels.note is not None:
        return "has a note" if changed.note else "has no note"
    return f"is tagged {' '.join(changed.tags)}" if changed.tags else "has no tags"


VERBS = (import_captures, slice_capture, merge, export, note, rename, tag, keep)
"""What the group ``capture`` gets from here."""
