"""Schedules as rows, and the claim that says which running program starts a scan that is due.

Every change is one transaction with its audit event. A claim is taken by an UPDATE that asks for the very run
time that was seen, so of two programs that see one run, one gets it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    case,
    literal,
    or_,
    select,
    update,
)

from netmon_tui.domain.capture_request import request_document, request_from
from netmon_tui.domain.comparison import ChangeCounts
from netmon_tui.domain.job import JobState
from netmon_tui.domain.schedule import SaveSchedule, Schedule, When, capture_words
from netmon_tui.domain.user import Actor
from netmon_tui.storage import records
from netmon_tui.storage.audit_repository import NewEvent, insert_event
from netmon_tui.storage.column_types import Moment
from netmon_tui.storage.database import Database
from netmon_tui.storage.named_tables import NamedTable
from netmon_tui.storage.selection import visible_to

_TABLE = NamedTable(records.schedules, "schedule")
_SCHEDULES = records.schedules.c
_SCANS = records.scans.c
_CAPTURES = records.captures.c
_USERS = records.users.c


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to start the scan or capture of a schedule."""

    schedule: Schedule
    """As it was when it was claimed."""
    holder: str
    lost_since: datetime | None
    """When it was claimed by a program that has not been heard of since; None if nobody was in between."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a claim."""

    last_run: datetime
    next_run: datetime | None
    """Takes the place of the run time that was claimed."""
    error: str = ""
    started: int | None = None
    """Id of the scan or capture; None keeps the one before."""


class ScheduleRepository:
    """The schedules of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, actor: Actor) -> list[Schedule]:
        """Return the schedules that the actor may see: the actor's own by name, then those of others."""
        order = ((_SCHEDULES.owner_id != actor.user_id), _USERS.name, _SCHEDULES.name_key)
        query = _select().where(visible_to(actor, _SCHEDULES.owner_id)).order_by(*order)
        with self._database.read() as connection:
            return [_schedule(row) for row in connection.execute(query)]

    def get(self, actor: Actor, schedule_id: int) -> Schedule:
        """Return a schedule; raises NotFound when there is none, or it is not the actor's to see."""
        with self._database.read() as connection:
            return _get(connection, schedule_id, visible_to(actor, _SCHEDULES.owner_id))

    def create(self, owner: Actor, new: SaveSchedule, next_run: datetime | None) -> Schedule:
        """Insert a schedule, disabled when it has no next run; InvalidInput when the owner has one of that name."""
        values = _values(new) | {"next_run": next_run}

        def work(connection: Connection) -> Schedule:
            return _get(connection, _TABLE.create(connection, owner, new.name, values, told(new)))

        return self._database.write(work)

    def change(
        self, actor: Actor, schedule: Schedule, new: SaveSchedule, next_run: datetime | None
    ) -> Schedule:
        """Make a schedule another one; raises InvalidInput as :meth:`create`, and NotFound when it is gone."""
        values = _values(new) | {"next_run": next_run}

        def work(connection: Connection) -> Schedule:
            _TABLE.change(connection, actor, schedule.id, schedule.owner_id, new.name, values, told(new))
            return _get(connection, schedule.id)

        return self._database.write(work)

    def set_next_run(self, actor: Actor, schedule: Schedule, next_run: datetime | None) -> Schedule:
        """Enable a schedule, or disable it with None; raises NotFound when it is gone."""

        def work(connection: Connection) -> Schedule:
            _TABLE.set(connection, schedule.id, next_run=next_run)
            verb = "disable" if next_run is None else "enable"
            _TABLE.note(connection, verb, actor, schedule.id, schedule.name)
            return _get(connection, schedule.id)

        return self._database.write(work)

    def delete(self, actor: Actor, schedule: Schedule) -> None:
        """Delete a schedule; raises NotFound when it is gone."""
        self._database.write(lambda connection: _TABLE.delete(connection, actor, schedule.id, schedule.name))

    # claims

    def claim_due(self, holder: str, *, now: datetime, before: datetime, seconds: float) -> Claim | None:
        """Claim for so long the schedule that was due first, at ``before`` or earlier; None when there is none.

        To look costs no lock.
        """
        due = select(_SCHEDULES.id).where(_SCHEDULES.next_run <= before, _unclaimed(now))
        due = due.order_by(_SCHEDULES.next_run).limit(1)
        with self._database.read() as connection:
            if connection.execute(due).scalar_one_or_none() is None:
                return None

        def work(connection: Connection) -> Claim | None:
            found = connection.execute(due).scalar_one_or_none()
            return None if found is None else _claim(connection, found, holder, now, seconds)

        return self._database.write(work)

    def claim(self, schedule: Schedule, holder: str, *, now: datetime, seconds: float) -> Claim | None:
        """Claim a schedule whenever it is due; None while somebody else has it; NotFound when it is gone."""
        return self._database.write(lambda connection: _claim(connection, schedule.id, holder, now, seconds))

    def started_since(self, schedule: Schedule, moment: datetime) -> int | None:
        """Return the first scan or capture that was started for a schedule since then."""
        columns: Any = _SCANS if schedule.capture is None else _CAPTURES
        own = _SCANS.imported.is_(False) if schedule.capture is None else _CAPTURES.request.is_not(None)
        mine = (columns.owner_id == schedule.owner_id, columns.name == schedule.name, own)
        query = select(columns.id).where(*mine, columns.created >= moment).order_by(columns.id).limit(1)
        with self._database.read() as connection:
            found: int | None = connection.execute(query).scalar_one_or_none()
        return found

    def settle(self, claim: Claim, outcome: Outcome, event: NewEvent | None) -> None:
        """Write down what came of a claim and give it back; what was changed meanwhile stays changed.

        A claim that somebody else took over is theirs to settle: then only the event is kept.
        """
        seen = claim.schedule.next_run
        following = literal(outcome.next_run, Moment)
        values: dict[str, Any] = {
            "last_run": outcome.last_run,
            "last_error": outcome.error,
            "next_run": case((_SCHEDULES.next_run == seen, following), else_=_SCHEDULES.next_run),
            "claimed_by": "",
            "claim_expires": None,
        }
        if outcome.started is not None:
            values[f"last_{claim.schedule.noun}"] = outcome.started
        mine = and_(_SCHEDULES.id == claim.schedule.id, _SCHEDULES.claimed_by == claim.holder)

        def work(connection: Connection) -> None:
            connection.execute(update(records.schedules).where(mine).values(**values))
            if event is not None:
                insert_event(connection, event)

        self._database.write(work)


def told(new: SaveSchedule) -> str:
    """Return a schedule as the audit trail tells it."""
    options, targets = new.profile or new.arguments, " ".join(new.targets)
    if new.capture is not None:
        options, targets = capture_words(new.capture), f"capture on {new.capture.interface}"
    when = new.when.cron or f"every {new.when.every} s"
    return f"{new.name}: {targets} [{options}] {when} ({new.when.zone})"


def _unclaimed(now: datetime) -> ColumnElement[bool]:
    return or_(_SCHEDULES.claimed_by == "", _SCHEDULES.claim_expires < now)


def _claim(
    connection: Connection, schedule_id: int, holder: str, now: datetime, seconds: float
) -> Claim | None:
    schedule = _get(connection, schedule_id)
    former = connection.execute(
        select(_SCHEDULES.claimed_by, _SCHEDULES.claim_expires).where(_SCHEDULES.id == schedule_id)
    ).one()
    query = (
        update(records.schedules)
        .where(
            _SCHEDULES.id == schedule_id,
            _SCHEDULES.next_run.is_not_distinct_from(schedule.next_run),
            _unclaimed(now),
        )
        .values(claimed_by=holder, claim_expires=now + timedelta(seconds=seconds))
    )
    if connection.execute(query).rowcount != 1:
        return None
    lost = former.claim_expires - timedelta(seconds=seconds) if former.claimed_by else None
    return Claim(schedule, holder, lost)


def _values(new: SaveSchedule) -> dict[str, Any]:
    return {
        "targets": list(new.targets),
        "profile": new.profile,
        "arguments": new.arguments,
        "every": new.when.every,
        "cron": new.when.cron,
        "zone": new.when.zone,
        "catch_up": new.catch_up,
        "confirmed": new.confirmed,
        "staged": new.staged,
        "capture": None if new.capture is None else request_document(new.capture),
    }


def _select() -> Select[Any]:
    """Return the query for schedules with their owners' names and their last scans and captures."""
    last = (_SCANS.state.label("scan_state"), _SCANS.changes.label("last_changes"))
    query = _TABLE.select().add_columns(*last, _CAPTURES.state.label("capture_state"))
    query = query.outerjoin(records.scans, _SCANS.id == _SCHEDULES.last_scan)
    return query.outerjoin(records.captures, _CAPTURES.id == _SCHEDULES.last_capture)


def _get(connection: Connection, schedule_id: int, *conditions: ColumnElement[bool]) -> Schedule:
    return _schedule(_TABLE.one(connection, _select().where(*conditions), schedule_id))


def _schedule(row: Row[Any]) -> Schedule:
    last_state = row.scan_state if row.capture is None else row.capture_state
    return Schedule(
        id=row.id,
        owner_id=row.owner_id,
        owner=row.owner_name,
        name=row.name,
        targets=tuple(row.targets),
        when=When(row.every, row.cron, row.zone),
        profile=row.profile,
        arguments=row.arguments,
        catch_up=row.catch_up,
        confirmed=row.confirmed,
        staged=row.staged,
        enabled=row.next_run is not None,
        next_run=row.next_run,
        last_run=row.last_run,
        last_scan=row.last_scan,
        last_error=row.last_error,
        last_state=None if last_state is None else JobState(last_state),
        last_changes=None if row.last_changes is None else ChangeCounts(*row.last_changes),
        capture=None if row.capture is None else request_from(row.capture),
        last_capture=row.last_capture,
    )
