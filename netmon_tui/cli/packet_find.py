"""``capture find``: packets by what is in them; ``mark`` and ``marks``: packets that are marked."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import click

from netmon_tui.cli.capture_files import file_option, tell_file, tell_missed
from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.output import Progress, print_json, print_table, say
from netmon_tui.domain.capture_documents import packet_document
from netmon_tui.domain.capture_files import file_number
from netmon_tui.domain.packet_columns import PacketColumns
from netmon_tui.domain.packet_find import FindIn, FindKind, Wanted
from netmon_tui.errors import NetmonError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from netmon_tui.domain.packet import PacketSummary
    from netmon_tui.domain.packet_find import Match
    from netmon_tui.domain.packet_mark import PacketMark
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services
    from netmon_tui.services.packet_list import PacketList
    from netmon_tui.services.packets import PacketService

_COLUMNS = ("FILE", "NO", "TIME", "OFFSET", "SOURCE", "DESTINATION", "PROTOCOL", "INFO")
_capture_id = click.argument("capture_id", metavar="ID", type=int)


@click.command(context_settings={"ignore_unknown_options": True})
@_capture_id
@click.argument("pattern", type=click.UNPROCESSED)
@click.option("--regex", is_flag=True, help="PATTERN is a regular expression (RE2's language).")
@click.option("--hex", "as_hex", is_flag=True, help="PATTERN is bytes: de ad be ef, or de:?d with any digit.")
@click.option(
    "--in", "place", type=click.Choice([one.value for one in FindIn]), default="bytes", show_default=True,
    help="The line of the list, the field tree as tshark words it (slow), or the bytes as they were captured.",
)  # fmt: skip
@click.option("--ignore-case", is_flag=True, help="Take capital and small letters for the same.")
@click.option("--filter", "text", default="", metavar="DISPLAY", help="Only packets that meet this filter.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=1_000, show_default=True)
@file_option
@click.option("--all-files", is_flag=True, help="In all files, the oldest first.")
@json_option
@pass_line
def find(
    line: CommandLine,
    capture_id: int,
    pattern: str,
    regex: bool,
    as_hex: bool,
    place: str,
    ignore_case: bool,
    text: str,
    limit: int,
    file: str,
    all_files: bool,
    as_json: bool,
) -> None:
    """Find packets by what is in them: their number, time and line, and where in their bytes it begins.

    Text in bytes is found as UTF-8 and as UTF-16; what was decrypted or put together is found with --in tree, as
    far as it is in fields. Lines are looked through in the words in which they are listed: where these are the
    dissector's, as of Wi-Fi, that takes longer. Exit status 0 also when nothing is found.
    """
    if regex and as_hex:
        raise UsageError("a pattern is a regular expression or bytes, not both")
    kind = FindKind.REGEX if regex else FindKind.HEX if as_hex else FindKind.TEXT
    wanted = Wanted(pattern, kind, FindIn(place), ignore_case)

    if all_files and file:
        raise UsageError("one file is looked through, or all of them")

    async def work(services: Services, actor: Actor) -> list[_Found]:
        search = _Search(services.packets, actor, capture_id, wanted, text)
        paths = await services.packets.file_set(actor, capture_id)
        if all_files:
            return await search.in_files(paths, limit)
        tell_file(paths, file)
        return await search.in_file(file, limit)

    found = line.run(work)
    if len(found) == limit:
        say(f"the first {limit}; --limit shows more")
    if as_json:
        print_json([_document(one, all_files) for one in found])
        return
    unwanted = {"FILE": not all_files, "OFFSET": wanted.place is not FindIn.BYTES}
    shown = [at for at, name in enumerate(_COLUMNS) if not unwanted.get(name)]
    rows = (_row(one) for one in found)
    print_table([_COLUMNS[at] for at in shown], ([row[at] for at in shown] for row in rows))


class _Found(NamedTuple):
    """A packet in which something was found."""

    file: str
    """Name of the file."""
    summary: PacketSummary
    match: Match


class _Search(NamedTuple):
    """What is looked for, and in which capture."""

    packets: PacketService
    actor: Actor
    capture_id: int
    wanted: Wanted
    text: str
    """A display filter; empty for none."""

    async def in_files(self, paths: Sequence[Path], limit: int) -> list[_Found]:
        """Return what is found in files, without those that a ring deletes meanwhile."""
        found: list[_Found] = []
        missed = 0
        for path in paths:
            try:
                found += await self.in_file(path.name, limit - len(found))
            except NetmonError:
                if await asyncio.to_thread(path.exists):
                    raise
                missed += 1
            if len(found) == limit:
                break
        tell_missed(missed)
        return found

    async def in_file(self, name: str, limit: int) -> list[_Found]:
        """Return what is found in a file; an empty name is the newest."""
        opened = await self.packets.open(self.actor, self.capture_id, name)
        try:
            return await self._in_packets(opened, limit)
        finally:
            await opened.close()

    async def _in_packets(self, opened: PacketList, limit: int) -> list[_Found]:
        while await opened.extend():
            pass
        shown = await opened.matching(await opened.check_filter(self.text)).all() if self.text else None
        finder = await opened.finder(self.wanted, shown)
        progress, found = Progress(), list[_Found]()
        try:
            async with aclosing(finder.batches()) as batches:
                async for batch in batches:
                    if finder.asks_dissector:
                        progress.show(f"{batch.after - 1} of {finder.count} packets, asking the dissector")
                    found += await self._lines(opened, batch.matches[: limit - len(found)])
                    if len(found) >= limit:
                        break
        finally:
            progress.clear()
        return found

    async def _lines(self, opened: PacketList, matches: Sequence[Match]) -> list[_Found]:
        """Return matches with their lines: at once, so that they are those in which something was found."""
        if not matches:
            return []
        lines = await opened.lines([match.number for match in matches], ())
        summaries = (line.summary for line in await opened.worded(lines, PacketColumns(())))
        return [_Found(opened.path.name, *pair) for pair in zip(summaries, matches, strict=True)]


def _row(found: _Found) -> tuple[object, ...]:
    one, match = found.summary, found.match
    clock = datetime.fromtimestamp(one.time, UTC).astimezone().strftime("%H:%M:%S.%f")
    offset = match.offset if match.offset >= 0 else ""
    return found.file, one.number, clock, offset, one.source, one.destination, one.protocol, one.info


def _document(found: _Found, with_file: bool) -> dict[str, object]:
    file = {"file": found.file} if with_file else {}
    places = {"offset": found.match.offset, "size": found.match.size}
    return packet_document(found.summary) | places | file


@click.command()
@_capture_id
@click.argument("numbers", metavar="NUMBER...", nargs=-1, required=True, type=click.IntRange(min=1))
@click.option("--comment", metavar="TEXT", help="Say something about them; an empty text takes that away.")
@click.option("--off", is_flag=True, help="Take the marks away.")
@file_option
@pass_line
def mark(
    line: CommandLine, capture_id: int, numbers: tuple[int, ...], comment: str | None, off: bool, file: str
) -> None:
    """Mark packets of a capture, for yourself: `capture slice ID --marked` takes them out.

    Of several files NUMBERs are those in one, the newest unless --file names another.
    """
    if off and comment is not None:
        raise UsageError("a comment needs a mark", fix="leave --off out")

    async def work(services: Services, actor: Actor) -> int:
        if off:
            await services.packets.marks.unmark(actor, capture_id, numbers, file=file)
        else:
            await services.packets.marks.mark(actor, capture_id, numbers, comment, file=file)
        return len(await services.packets.marks.marks(actor, capture_id))

    say(f"capture {capture_id}: {line.run(work)} packets are marked")


@click.command()
@_capture_id
@click.option("--clear", is_flag=True, help="Take all of them away.")
@json_option
@pass_line
def marks(line: CommandLine, capture_id: int, clear: bool, as_json: bool) -> None:
    """List the packets that you have marked in a capture; marks in files that a ring has deleted are gone."""

    async def work(services: Services, actor: Actor) -> tuple[list[PacketMark], dict[int | None, str]]:
        if clear:
            await services.packets.marks.unmark(actor, capture_id)
        paths = await services.packets.file_set(actor, capture_id)
        names = {file_number(path.name): path.name for path in paths}
        return await services.packets.marks.marks(actor, capture_id), names

    kept, names = line.run(work)
    if as_json:
        print_json([_mark_document(one, names) for one in kept])
    elif len(names) > 1:
        rows = ((names.get(one.file, ""), one.number, one.comment) for one in kept)
        print_table(("FILE", "NO", "COMMENT"), rows)
    else:
        print_table(("NO", "COMMENT"), ((one.number, one.comment) for one in kept))


def _mark_document(one: PacketMark, names: dict[int | None, str]) -> dict[str, object]:
    """Return a mark for ``--json``: with the name of its file where there are several."""
    file = {"file": names.get(one.file, "")} if len(names) > 1 else {}
    return {"number": one.number, "comment": one.comment} | file


VERBS = (find, mark, marks)
"""What the group ``capture`` gets from here."""
