"""Scans as rows: create, list, follow, finish, delete. Every read takes the actor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, or_, select, update

from netmon_tui.domain.comparison import ChangeCounts
from netmon_tui.domain.job import JobKind, JobState
from netmon_tui.domain.scan import Scan
from netmon_tui.domain.user import Actor
from netmon_tui.domain.window import FIRST, Window
from netmon_tui.errors import NotFound
from netmon_tui.storage import records
from netmon_tui.storage.database import Database
from netmon_tui.storage.host_removal import delete_hosts
from netmon_tui.storage.job_repository import delete_job
from netmon_tui.storage.search_conditions import matching
from netmon_tui.storage.selection import in_window, visible_to
from netmon_tui.tools.scan_query import parse_query

DELETION_BROKEN_OFF = "its deletion was broken off, and a part of its hosts is gone: delete it again"
_UNFINISHED = tuple(state.value for state in JobState if not state.is_final)
_SORTS = {
    "id": records.scans.c.id,
    "targets": records.scans.c.targets,
    "profile": records.scans.c.profile,
    "state": records.scans.c.state,
    "progress": records.scans.c.percent,
    "up": records.scans.c.hosts_up,
    "open": records.scans.c.ports_open,
    "owner": records.users.c.name,
    "started": records.scans.c.started,
}
_UNDONE = (JobState.CANCELLED.value, JobState.INTERRUPTED.value, JobState.FAILED.value)
_SELECT = select(records.scans, records.users.c.name.label("owner_name")).join(
    records.users, records.users.c.id == records.scans.c.owner_id
)


class ScanRepository:
    """The catalogue of scans."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        owner: Actor,
        *,
        targets: tuple[str, ...],
        profile: str,
        arguments: str,
        name: str = "",
        command: tuple[str, ...] = (),
        warnings: tuple[str, ...] = (),
        state: JobState = JobState.QUEUED,
        imported: bool = False,
        detached: bool = True,
        staged: bool = True,
        sets: tuple[str, ...] = (),
        jobs: Path,
    ) -> int:
        """Insert a scan and return its id; its directory becomes ``jobs/scan-ID``."""
        values = {
            "owner_id": owner.user_id,
            "name": name,
            "targets": list(targets),
            "profile": profile,
            "arguments": arguments,
            "command": list(command),
            "warnings": list(warnings),
            "state": state.value,
            "imported": imported,
            "detached": detached,
            "staged": staged,
            "sets": list(sets),
            "directory": "",
            "created": datetime.now(UTC),
        }

        def work(connection: Connection) -> int:
            query = insert(records.scans).values(**values).returning(records.scans.c.id)
            scan_id = int(connection.execute(query).scalar_one())
            self._set(connection, scan_id, directory=str(jobs / f"scan-{scan_id}"))
            return scan_id

        return self._database.write(work)

    def claim_next(self, at_once: int) -> Scan | None:
        """Make the scan that has waited longest a running one, and return it; no other program gets it, too.

        Args:
            at_once: None is returned while so many run. A paused scan leaves its place to another.
        """
        scans = records.scans.c
        running = select(func.count()).where(scans.state == JobState.RUNNING.value, scans.imported.is_(False))
        waiting = select(scans.id).where(scans.state == JobState.QUEUED.value).order_by(scans.id).limit(1)
        with self._database.read() as connection:  # mostly there is none, and to look costs no lock
            if connection.execute(waiting).scalar_one_or_none() is None:
                return None

        def work(connection: Connection) -> int | None:
            if connection.execute(running).scalar_one() >= at_once:
                return None
            scan_id = connection.execute(waiting).scalar_one_or_none()
            if scan_id is not None:
                self._set(connection, scan_id, state=JobState.RUNNING.value, claimed=datetime.now(UTC))
            return scan_id

        scan_id = self._database.write(work)
        return None if scan_id is None else self._get(scan_id)

    def give_back(self, scan_id: int) -> None:
        """Let a scan wait again whose start was broken off, unless it has got a job."""
        self._change(scan_id, (JobState.RUNNING,), ~_has_job(scan_id), state=JobState.QUEUED.value)

    def cancel_queued(self, scan_id: int) -> bool:
        """End a scan that waits and has not begun; False when it is no such scan."""
        return self._change(
            scan_id,
            (JobState.QUEUED,),
            ~_has_job(scan_id),
            state=JobState.CANCELLED.value,
            finished=datetime.now(UTC),
            error="stopped before it began",
        )

    def queue_paused(self, scan_id: int) -> bool:
        """Let a scan that is halted wait for a place to go on; False when it waits already, or has ended."""
        halted = (JobState.PAUSED, JobState.RUNNING)  # running: that it is halted is not written down yet
        return self._change(scan_id, halted, state=JobState.QUEUED.value, error="")

    def stay_paused(self, scan_id: int) -> bool:
        """Let a halted scan wait for a place no longer; False when it does not."""
        return self._change(scan_id, (JobState.QUEUED,), _has_job(scan_id), state=JobState.PAUSED.value)

    def note_pause(self, scan_id: int, *, paused: bool, why: str = "") -> bool:
        """Note that the runner has halted a scan, or has let it go on; False where that is known.

        A halted scan that waits for a place goes on waiting.

        Args:
            scan_id: The scan.
            paused: Whether it stands still.
            why: What keeps it halted though somebody let it go on; it is :attr:`Scan.error` while it stands still.
        """
        before = (JobState.RUNNING,) if paused else (JobState.PAUSED, JobState.QUEUED)
        after = JobState.PAUSED if paused else JobState.RUNNING
        return self._change(scan_id, before, state=after.value, remaining=None, error=why)

    def _change(
        self, scan_id: int, before: Sequence[JobState], *conditions: ColumnElement[bool], **values: Any
    ) -> bool:
        """Set columns of a scan if it is in one of these states and more holds; whether that was so."""
        scans = records.scans
        states = [state.value for state in before]
        query = (
            update(scans)
            .where(scans.c.id == scan_id, scans.c.state.in_(states), *conditions)
            .values(**values)
        )
        return self._database.write(lambda connection: connection.execute(query).rowcount) == 1

    def give_up_host(self, scan_id: int, address: str) -> None:
        """Note that a scan is to go on without a host; of several programs that do so at once all are heard."""

        def work(connection: Connection) -> None:
            query = select(records.scans.c.skipped).where(records.scans.c.id == scan_id)
            skipped = list(connection.execute(query).scalar_one())
            if address not in skipped:
                self._set(connection, scan_id, skipped=[*skipped, address])

        self._database.write(work)

    def queue_again(self, scan_id: int) -> bool:
        """Let a scan that ended before it was done wait for its turn again; False when it is no such scan."""

        def work(connection: Connection) -> bool:
            scans = records.scans
            query = (
                update(scans)
                .where(scans.c.id == scan_id, scans.c.state.in_(_UNDONE))
                .values(state=JobState.QUEUED.value, finished=None, error="")
            )
            if connection.execute(query).rowcount != 1:
                return False
            delete_job(connection, JobKind.SCAN, scan_id)
            return True

        return self._database.write(work)

    def update(self, scan_id: int, **values: Any) -> None:
        """Set columns of a scan by name."""
        self._database.write(lambda connection: self._set(connection, scan_id, **values))

    def _set(self, connection: Connection, scan_id: int, **values: Any) -> None:
        table = records.scans
        connection.execute(update(table).where(table.c.id == scan_id).values(**values))

    def get(self, actor: Actor, scan_id: int) -> Scan:
        """Return a scan.

        Raises:
            NotFound: There is none with this id, or it is not the actor's to see.
        """
        return self._get(scan_id, visible_to(actor, records.scans.c.owner_id))

    def _get(self, scan_id: int, *conditions: ColumnElement[bool]) -> Scan:
        with self._database.read() as connection:
            row = connection.execute(_SELECT.where(records.scans.c.id == scan_id, *conditions)).one_or_none()
        if row is None:
            raise NotFound(f"no scan {scan_id}")
        return _scan(row)

    def directory(self, scan_id: int) -> Path:
        """Return where the scan's files are; NotFound when it was deleted meanwhile."""
        query = select(records.scans.c.directory).where(records.scans.c.id == scan_id)
        with self._database.read() as connection:
            found = connection.execute(query).scalar_one_or_none()
        if found is None:
            raise NotFound(f"no scan {scan_id}")
        return Path(found)

    def finished_directories(self) -> list[tuple[int, Path]]:
        """Return the ids of scans that nothing goes on with and where their files are, the newest first.

        One that was stopped or failed is not among them: it may be resumed from its files.
        """
        table = records.scans.c
        imported = and_(table.imported, table.state.not_in(_UNFINISHED))
        over = or_(table.state == JobState.COMPLETED.value, imported)
        query = select(table.id, table.directory).where(over).order_by(table.id.desc())
        with self._database.read() as connection:
            return [(row.id, Path(row.directory)) for row in connection.execute(query) if row.directory]

    def scan_of_document(self, actor: Actor, sha256: str) -> int | None:
        """Return the actor's scan that has this document, unpacked; None when there is none."""
        table = records.scans.c
        query = select(table.id).where(
            table.owner_id == actor.user_id,
            table.document_sha256 == sha256,
            table.state.not_in(_UNFINISHED),
        )
        with self._database.read() as connection:
            return connection.execute(query.order_by(table.id.desc()).limit(1)).scalar_one_or_none()

    def request(self, scan_id: int) -> tuple[str, tuple[str, ...]]:
        """Return the options of a scan as one line, and its targets."""
        with self._database.read() as connection:
            query = select(records.scans.c.arguments, records.scans.c.targets).where(
                records.scans.c.id == scan_id
            )
            row = connection.execute(query).one()
        return row.arguments, tuple(row.targets)

    def percent(self, scan_id: int) -> float:
        """Return how far a scan is said to be."""
        with self._database.read() as connection:
            query = select(records.scans.c.percent).where(records.scans.c.id == scan_id)
            return float(connection.execute(query).scalar_one_or_none() or 0.0)

    def add_warnings(self, scan_id: int, warnings: Sequence[str]) -> None:
        """Append to what a scan warns of."""
        if not warnings:
            return

        def work(connection: Connection) -> None:
            query = select(records.scans.c.warnings).where(records.scans.c.id == scan_id)
            have = list(connection.execute(query).scalar_one())
            self._set(connection, scan_id, warnings=[*have, *(w for w in warnings if w not in have)])

        self._database.write(work)

    def find(self, actor: Actor, window: Window = FIRST) -> list[Scan]:
        """Return scans the actor may see, newest first unless asked otherwise."""
        query = _SELECT.where(visible_to(actor, records.scans.c.owner_id), self._matches(window.text))
        query = in_window(query, window, _SORTS, records.scans.c.id.desc())
        with self._database.read() as connection:
            return [_scan(row) for row in connection.execute(query)]

    def count(self, actor: Actor, text: str = "") -> int:
        """Return how many scans :meth:`find` would find."""
        query = (
            select(func.count())
            .select_from(records.scans.join(records.users))
            .where(visible_to(actor, records.scans.c.owner_id), self._matches(text))
        )
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def delete(self, scan_id: int, delete_files: Callable[[], object] = lambda: None) -> None:
        """Delete a scan with everything it found; one whose deletion is broken off says so.

        Args:
            scan_id: The scan.
            delete_files: Called before its own row goes: without that nobody would know its files any more.
        """

        def work(connection: Connection) -> None:
            delete_job(connection, JobKind.SCAN, scan_id)
            compared = records.scans.c.compared_with
            connection.execute(
                update(records.scans).where(compared == scan_id).values(compared_with=None, changes=None)
            )
            connection.execute(delete(records.scans).where(records.scans.c.id == scan_id))

        self.update(scan_id, state=JobState.INTERRUPTED.value, error=DELETION_BROKEN_OFF)
        delete_hosts(self._database, scan_id)
        delete_files()
        self._database.write(work)

    def _matches(self, text: str) -> Any:
        scans = records.scans.c
        texts = (scans.targets, scans.profile, scans.name, scans.state, scans.arguments, records.users.c.name)
        return matching(parse_query(text), (records.scans,), texts)


def _has_job(scan_id: int) -> ColumnElement[bool]:
    jobs = records.jobs.c
    return select(jobs.id).where(jobs.kind == JobKind.SCAN.value, jobs.subject_id == scan_id).exists()


def _scan(row: Row[Any]) -> Scan:
    return Scan(
        id=row.id,
        name=row.name,
        targets=tuple(row.targets),
        profile=row.profile,
        arguments=row.arguments,
        command=tuple(row.command),
        state=JobState(row.state),
        owner_id=row.owner_id,
        owner=row.owner_name,
        created=row.created,
        started=row.started,
        finished=row.finished,
        percent=row.percent,
        phase=row.phase,
        remaining=row.remaining,
        hosts_up=row.hosts_up,
        hosts_down=row.hosts_down,
        hosts_total=row.hosts_total,
        ports_open=row.ports_open,
        warnings=tuple(row.warnings),
        error=row.error,
        imported=row.imported,
        detached=row.detached,
        staged=row.staged,
        skipped=tuple(row.skipped),
        sets=tuple(row.sets),
        pinned=row.pinned,
        compared_with=row.compared_with,
        changes=None if row.changes is None else ChangeCounts(*row.changes),
    )
