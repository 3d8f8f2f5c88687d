"""Options and words for captures over several files, and ``capture usage``: what captures take of the disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import click

from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.output import moment, print_json, print_pairs, say
from netmon_tui.cli.sizes import BYTES
from netmon_tui.domain.capture import Capture
from netmon_tui.domain.counted import counted
from netmon_tui.domain.job import Rotation

file_option = click.option(
    "--file", default="", metavar="N|NAME", help="Of several files this one: 1 is the oldest."
)
"""The newest file by default."""


def rotating(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of a capture over several files; it gets them as ``rotation``."""

    @wraps(command)
    def wrapped(*args: Any, files: int, file_size: int, file_seconds: float, **kept: Any) -> Any:
        return command(*args, rotation=Rotation(file_size, file_seconds, files), **kept)

    for option in reversed(_ROTATING):
        wrapped = option(wrapped)
    return wrapped


_ROTATING = (
    click.option(
        "--file-size", type=BYTES, default=0, metavar="SIZE", help="Begin another file at so much: 100M."
    ),
    click.option(
        "--file-seconds",
        type=click.FloatRange(min=0),
        default=0.0,
        metavar="S",
        help="Begin another file so many seconds after the first packet of one, when the next packet comes.",
    ),
    click.option(
        "--files", type=click.IntRange(min=0), default=0, metavar="N", help="Keep the newest N files: a ring."
    ),
)


def tell_file(paths: Sequence[object], file: str) -> None:
    """Say which of several files is shown."""
    if len(paths) > 1:
        say(f"file {file or len(paths)} of {len(paths)}; --file N shows another one")


def tell_others(paths: Sequence[object], capture_id: int) -> None:
    """Say where a display filter that nothing meets in one of several files may find something."""
    if len(paths) > 1:
        say(f"no match here; capture matches {capture_id} with the same filter looks in all files")


def tell_missed(missed: int) -> None:
    """Say how many files of a ring are not in an answer, if there are any."""
    if missed:
        say(f"the ring had deleted {counted(missed, 'file')} before all was read")


def file_pairs(one: Capture) -> list[tuple[str, object]]:
    """Return what is told of a capture's files: how they follow each other, and each."""
    pairs: list[tuple[str, object]] = [("files", one.files_words)]
    if one.counters.overwritten:
        pairs.append(
            ("overwritten", f"{one.counters.overwritten} packets, with the files that the ring deleted")
        )
    for file in one.files:
        span = f"  {moment(file.first_packet)} to {moment(file.last_packet)}" if file.first_packet else ""
        text = f"{file.path}  {file.bytes} bytes  {file.packets} packets{span}  sha256 {file.sha256}"
        pairs.append(("file", text))
    return pairs


@click.command()
@json_option
@pass_line
def usage(line: CommandLine, as_json: bool) -> None:
    """Show how much of the disk your captures take, and how much they may."""
    found = line.run(lambda services, actor: services.capturing.quota.usage(actor))
    if as_json:
        print_json(found._asdict())
        return
    print_pairs(
        [
            ("used", f"{found.used:,} bytes by your captures"),
            ("quota", f"{found.quota:,} bytes" if found.quota else "none"),
            ("free", f"{found.free:,} bytes on the disk"),
            ("floor", f"captures stop when less than {found.floor:,} bytes are free"),
        ]
    )
