"""How long earlier scans took."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Text, cast, literal, select

from netmon_tui.domain.estimate import EarlierRun
from netmon_tui.domain.job import JobState
from netmon_tui.domain.user import Actor
from netmon_tui.storage import records
from netmon_tui.storage.database import Database
from netmon_tui.storage.selection import visible_to

_NEWEST = 50
"""Runs that are looked at: what is older tells of another network."""
_RESUMED = 1.5, 10.0
"""A run that took so much longer than nmap itself, times and seconds, was resumed: it tells nothing."""
_SUBJECT = literal("scan ") + cast(records.scans.c.id, Text)
_HALTED = select(records.audit_events.c.subject).where(records.audit_events.c.action == "scan.pause")
"""Scans that somebody paused: nmap counts the time that it stands still as its own."""


class DurationQueries:
    """Reads the durations of scans."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def earlier(
        self, actor: Actor, *, arguments: str, command: Sequence[str], targets: Sequence[str], staged: bool
    ) -> list[EarlierRun]:
        """Return completed runs with the same options that the actor may see, the newest first.

        Args:
            actor: Who asks.
            arguments: The options, as :attr:`Scan.arguments` has them.
            command: What would run now: rights and ceilings that have changed since make another scan of it.
            targets: What would be scanned, in canonical form.
            staged: Whether several nmaps may do it.
        """
        scans, runs = records.scans.c, records.scan_runs.c
        query = (
            select(
                scans.command, scans.targets, scans.started, scans.finished, scans.hosts_total, runs.elapsed
            )
            .join(records.scan_runs, runs.scan_id == scans.id)
            .where(
                visible_to(actor, scans.owner_id),
                scans.state == JobState.COMPLETED.value,
                scans.arguments == arguments,
                scans.staged.is_(staged),
                scans.imported.is_(False),
                scans.started.is_not(None),
                scans.finished.is_not(None),
                scans.hosts_total > 0,
                _SUBJECT.not_in(_HALTED),
            )
            .order_by(scans.id.desc())
            .limit(_NEWEST)
        )
        with self._database.read() as connection:
            rows = list(connection.execute(query))
        wanted, asked = _options(command), set(targets)
        return [
            EarlierRun(seconds, row.hosts_total, set(row.targets) == asked)
            for row in rows
            if _options(row.command) == wanted
            and not _was_resumed(seconds := (row.finished - row.started).total_seconds(), row.elapsed)
        ]


def _options(command: Sequence[str]) -> list[str]:
    """Return the words of a command of ours that bear on its speed: not its exclusions, files and targets."""
    words = list(command[1 : command.index("-oX")]) if "-oX" in command else list(command[1:])
    if "--exclude" in words:
        place = words.index("--exclude")
        del words[place : place + 2]
    return words


def _was_resumed(seconds: float, elapsed: float | None) -> bool:
    times, more = _RESUMED
    return elapsed is not None and seconds > elapsed * times + more
