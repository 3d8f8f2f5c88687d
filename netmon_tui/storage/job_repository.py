"""Jobs as rows, and the lease that says which running program ingests a job's files."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, and_, func, insert, or_, select, update

from netmon_tui.domain.job import Job, JobKind, JobState, ProcessIdentity
from netmon_tui.domain.user import Actor
from netmon_tui.domain.window import FIRST, Window
from netmon_tui.storage import records
from netmon_tui.storage.database import Database
from netmon_tui.storage.selection import contains_text, in_window, visible_to

_JOBS = records.jobs.c
_UNFINISHED = (JobState.QUEUED.value, JobState.RUNNING.value)
ABANDONED_SECONDS = 900.0
"""After so long a scan or capture that has no job will get none, and an import is over."""


class JobRepository:
    """Everything that runs or ran.

    Args:
        database: Where.
        machine: Names this machine: a job is adopted only where its processes are.
    """

    def __init__(self, database: Database, machine: str) -> None:
        self._database = database
        self._machine = machine

    def create(
        self,
        kind: JobKind,
        subject_id: int,
        owner: Actor,
        command: Sequence[str],
        directory: str,
        *,
        holder: str,
        seconds: float,
    ) -> int:
        """Insert a queued job, leased to ``holder`` for so long, and return its id.

        One transaction: a job that nobody holds would be taken by another program before it has any file, and
        be recorded as lost.
        """
        values = {
            "kind": kind.value,
            "subject_id": subject_id,
            "owner_id": owner.user_id,
            "state": JobState.QUEUED.value,
            "command": list(command),
            "directory": directory,
            "machine": self._machine,
            "created": datetime.now(UTC),
            "lease_holder": holder,
            "lease_expires": datetime.now(UTC) + timedelta(seconds=seconds),
        }
        query = insert(records.jobs).values(**values).returning(_JOBS.id)
        return self._database.write(lambda connection: int(connection.execute(query).scalar_one()))

    def set_running(self, job_id: int, runner: ProcessIdentity) -> None:
        """Record the runner."""
        self._update(
            job_id,
            state=JobState.RUNNING.value,
            started=datetime.now(UTC),
            pid=runner.pid,
            start_ticks=runner.start_ticks,
            boot_id=runner.boot_id,
        )

    def finish(self, job_id: int, state: JobState, error: str = "") -> None:
        """Record the end and drop the lease."""
        self._update(
            job_id,
            state=state.value,
            finished=datetime.now(UTC),
            error=error,
            lease_holder="",
            lease_expires=None,
        )

    def _update(self, job_id: int, **values: Any) -> None:
        query = update(records.jobs).where(_JOBS.id == job_id).values(**values)
        self._database.write(lambda connection: connection.execute(query))

    def take_lease(self, job_id: int, holder: str, seconds: float) -> bool:
        """Take or renew the right to ingest a job; False while another holder's lease is valid."""
        now = time.time()
        query = (
            update(records.jobs)
            .where(
                _JOBS.id == job_id,
                _JOBS.state.in_(_UNFINISHED),
                or_(
                    _JOBS.lease_holder == "",
                    _JOBS.lease_holder == holder,
                    _JOBS.lease_expires < datetime.fromtimestamp(now, UTC),
                ),
            )
            .values(lease_holder=holder, lease_expires=datetime.fromtimestamp(now + seconds, UTC))
        )
        return self._database.write(lambda connection: connection.execute(query).rowcount) == 1

    def release_lease(self, job_id: int, holder: str) -> None:
        """Give the right to ingest back, so that another program need not wait for it to expire."""
        query = (
            update(records.jobs)
            .where(_JOBS.id == job_id, _JOBS.lease_holder == holder)
            .values(lease_holder="", lease_expires=None)
        )
        self._database.write(lambda connection: connection.execute(query))

    def unfinished(self, kind: JobKind) -> list[Job]:
        """Return this machine's queued and running jobs of a kind."""
        query = self._select().where(
            _JOBS.kind == kind.value, _JOBS.state.in_(_UNFINISHED), _JOBS.machine == self._machine
        )
        with self._database.read() as connection:
            return [_job(row) for row in connection.execute(query.order_by(_JOBS.id))]

    def close_abandoned(self, grace: float = ABANDONED_SECONDS) -> int:
        """Mark scans and captures as interrupted whose program died before their job was made; how many.

        Without a job nobody would ever finish them, and what runs can be neither stopped nor deleted. An import
        has no job either, hence the grace.
        """
        now = datetime.now(UTC)
        ended = {
            "state": JobState.INTERRUPTED.value,
            "finished": now,
            "error": "the program ended before it was done",
        }
        # A queued scan is not abandoned: it waits for its turn, and whoever has time starts it.
        subjects = (
            (JobKind.SCAN, records.scans, (JobState.RUNNING.value,)),
            (JobKind.CAPTURE, records.captures, _UNFINISHED),
        )
        closed = 0
        for kind, table, states in subjects:
            jobs = select(_JOBS.subject_id).where(_JOBS.kind == kind.value)
            begun = (
                func.coalesce(table.c.claimed, table.c.created) if kind is JobKind.SCAN else table.c.created
            )
            abandoned = and_(
                table.c.state.in_(states),
                begun < now - timedelta(seconds=grace),
                table.c.id.not_in(jobs),
            )
            closed += self._close(table, abandoned, ended)
        return closed

    def _close(self, table: Table, abandoned: ColumnElement[bool], values: dict[str, Any]) -> int:
        """Update such rows if there are any: to look costs no lock."""
        with self._database.read() as connection:
            if not connection.execute(select(table.c.id).where(abandoned).limit(1)).all():
                return 0
        query = update(table).where(abandoned).values(**values)
        return self._database.write(lambda connection: connection.execute(query).rowcount)

    def of(self, kind: JobKind, subject_id: int) -> Job | None:
        """Return the job of a scan or capture, or None (imported)."""
        query = self._select().where(_JOBS.kind == kind.value, _JOBS.subject_id == subject_id)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _job(row)

    def find(self, actor: Actor, window: Window = FIRST) -> list[Job]:
        """Return jobs the actor may see, newest first."""
        query = self._select().where(*self._filter(actor, window.text))
        query = in_window(query, window, {}, _JOBS.id.desc())
        with self._database.read() as connection:
            return [_job(row) for row in connection.execute(query)]

    def count(self, actor: Actor, text: str = "") -> int:
        """Return how many jobs :meth:`find` would find."""
        joined = records.jobs.join(records.users, records.users.c.id == _JOBS.owner_id)
        query = select(func.count()).select_from(joined).where(*self._filter(actor, text))
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def count_running(self, actor: Actor) -> int:
        """Return how many jobs that the actor may see are not finished."""
        query = (
            select(func.count())
            .select_from(records.jobs)
            .where(visible_to(actor, _JOBS.owner_id), _JOBS.state.in_(_UNFINISHED))
        )
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def _filter(self, actor: Actor, text: str) -> tuple[Any, ...]:
        columns = (_JOBS.kind, _JOBS.state, _JOBS.command, records.users.c.name)
        return (visible_to(actor, _JOBS.owner_id), contains_text(text, columns))

    def _select(self) -> Select[Any]:
        return select(records.jobs, records.users.c.name.label("owner_name")).join(
            records.users, records.users.c.id == _JOBS.owner_id
        )


def _job(row: Row[Any]) -> Job:
    return Job(
        id=row.id,
        kind=JobKind(row.kind),
        subject_id=row.subject_id,
        owner_id=row.owner_id,
        owner=row.owner_name,
        state=JobState(row.state),
        command=tuple(row.command),
        directory=row.directory,
        created=row.created,
        started=row.started,
        finished=row.finished,
        pid=row.pid,
        error=row.error,
    )


def delete_job(connection: Connection, kind: JobKind, subject_id: int) -> None:
    """Delete the job row of a scan or capture inside the transaction that deletes the thing itself."""
    connection.execute(records.jobs.delete().where(_JOBS.kind == kind.value, _JOBS.subject_id == subject_id))
