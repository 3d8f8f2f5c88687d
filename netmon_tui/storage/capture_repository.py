"""Captures and their files as rows. Every read takes the actor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from netmon_tui.domain.capture import Capture, CaptureFormat, CaptureOrigin, StartCapture
from netmon_tui.domain.capture_files import CaptureFile, file_number
from netmon_tui.domain.capture_request import request_document, request_from
from netmon_tui.domain.job import CaptureCounters, JobKind, JobState, Rotation
from netmon_tui.domain.user import Actor
from netmon_tui.domain.window import FIRST, Window
from netmon_tui.errors import NotFound
from netmon_tui.storage import records
from netmon_tui.storage.capture_catalogue import file_values, labels_of, meets
from netmon_tui.storage.database import Database
from netmon_tui.storage.job_repository import delete_job
from netmon_tui.storage.selection import in_window, visible_to

_CAPTURES = records.captures.c
_FINAL = [state.value for state in JobState if state.is_final]
_SORTS: dict[str, Any] = {
    "id": _CAPTURES.id,
    "interface": _CAPTURES.interface,
    "filter": _CAPTURES.filter,
    "state": _CAPTURES.state,
    "packets": _CAPTURES.packets,
    "bytes": _CAPTURES.bytes,
    "dropped": _CAPTURES.dropped,
    "files": _CAPTURES.file_count,
    "owner": records.users.c.name,
    "started": _CAPTURES.started,
    "name": _CAPTURES.name,
}


class Taken(NamedTuple):
    """What the captures of a user take."""

    kept_bytes: int
    """Of those that have ended."""
    running: tuple[Path, ...]
    """The directories of the others: what is in them is nowhere else to be read."""


class CaptureRepository:
    """The catalogue of captures."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, owner: Actor, request: StartCapture, *, filter: str, jobs: Path) -> int:
        """Insert a queued capture and return its id; its directory becomes ``jobs/capture-ID``."""
        values = {
            "owner_id": owner.user_id,
            "name": request.name,
            "interface": request.interface,
            "filter": filter,
            "snaplen": request.snaplen,
            "state": JobState.QUEUED.value,
            "command": [],
            "directory": "",
            "created": datetime.now(UTC),
            "file_bytes": request.rotation.file_bytes,
            "file_seconds": request.rotation.file_seconds,
            "ring_files": request.rotation.files,
            "request": request_document(request),
        }

        def work(connection: Connection) -> int:
            query = insert(records.captures).values(**values).returning(_CAPTURES.id)
            capture_id = int(connection.execute(query).scalar_one())
            self._set(connection, capture_id, directory=str(jobs / f"capture-{capture_id}"))
            return capture_id

        return self._database.write(work)

    def update(self, capture_id: int, **values: Any) -> None:
        """Set columns of a capture by name."""
        self._database.write(lambda connection: self._set(connection, capture_id, **values))

    def update_counters(self, capture_id: int, counters: CaptureCounters) -> None:
        """Record the live figures."""
        self.update(capture_id, **_counter_values(counters))

    def _set(self, connection: Connection, capture_id: int, **values: Any) -> None:
        connection.execute(update(records.captures).where(_CAPTURES.id == capture_id).values(**values))

    def finish(self, capture_id: int, files: Sequence[CaptureFile], **values: Any) -> None:
        """Record the files and the last state in one transaction."""

        def work(connection: Connection) -> None:
            table = records.capture_files
            connection.execute(delete(table).where(table.c.capture_id == capture_id))
            for file in files:
                connection.execute(insert(table).values(capture_id=capture_id, **file_values(file)))
            self._set(connection, capture_id, **values)

        self._database.write(work)

    def get(self, actor: Actor, capture_id: int) -> Capture:
        """Return a capture with its files.

        Raises:
            NotFound: There is none with this id, or it is not the actor's to see.
        """
        with self._database.read() as connection:
            found = self._captures(connection, self._select(actor).where(_CAPTURES.id == capture_id))
        if not found:
            raise NotFound(f"no capture {capture_id}")
        return found[0]

    def request(self, capture: Capture) -> tuple[StartCapture, bool]:
        """Return what was asked for, and whether that was kept; of an older capture it is what its row tells."""
        query = select(_CAPTURES.request).where(_CAPTURES.id == capture.id)
        with self._database.read() as connection:
            kept = connection.execute(query).scalar_one_or_none()
        if kept is not None:
            return request_from(kept), True
        told = StartCapture(
            capture.interface,
            capture.filter,
            capture.snaplen,
            rotation=capture.rotation,
            name=capture.name,
        )
        return told, False

    def directory(self, capture_id: int, actor: Actor | None = None) -> Path:
        """Return where the capture's files are.

        Args:
            capture_id: Which one.
            actor: Whose it must be to see; None where that was asked before.

        Raises:
            NotFound: There is none (any more), or it is not the actor's to see.
        """
        query = select(_CAPTURES.directory).where(_CAPTURES.id == capture_id)
        if actor is not None:
            query = query.where(visible_to(actor, _CAPTURES.owner_id))
        with self._database.read() as connection:
            found = connection.execute(query).scalar_one_or_none()
        if found is None:
            raise NotFound(f"no capture {capture_id}")
        return Path(found)

    def find(self, actor: Actor, window: Window = FIRST) -> list[Capture]:
        """Return captures the actor may see, newest first unless asked otherwise."""
        query = self._select(actor).where(meets(window.text))
        query = in_window(query, window, _SORTS, _CAPTURES.id.desc())
        with self._database.read() as connection:
            return self._captures(connection, query)

    def count(self, actor: Actor, text: str = "") -> int:
        """Return how many captures :meth:`find` would find."""
        query = (
            select(func.count())
            .select_from(records.captures.join(records.users))
            .where(visible_to(actor, _CAPTURES.owner_id), meets(text))
        )
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def taken_by(self, owner_id: int) -> Taken:
        """Return what all captures of a user take."""
        files, has_ended = records.capture_files.c, _CAPTURES.state.in_(_FINAL)
        of_owner = _CAPTURES.owner_id == owner_id
        kept = select(func.coalesce(func.sum(files.bytes), 0)).join(records.captures)
        fileless = select(func.coalesce(func.sum(_CAPTURES.bytes), 0)).where(
            has_ended, of_owner, ~_CAPTURES.id.in_(select(files.capture_id))
        )
        running = select(_CAPTURES.directory).where(~has_ended, of_owner, _CAPTURES.directory != "")
        with self._database.read() as connection:
            stored = sum(
                int(connection.execute(query).scalar_one())
                for query in (kept.where(has_ended, of_owner), fileless)
            )
            return Taken(stored, tuple(map(Path, connection.execute(running).scalars())))

    def delete(self, capture_id: int) -> None:
        """Delete a capture's rows."""

        def work(connection: Connection) -> None:
            delete_job(connection, JobKind.CAPTURE, capture_id)
            connection.execute(delete(records.captures).where(_CAPTURES.id == capture_id))

        self._database.write(work)

    def _select(self, actor: Actor) -> Select[Any]:
        return (
            select(records.captures, records.users.c.name.label("owner_name"))
            .join(records.users, records.users.c.id == _CAPTURES.owner_id)
            .where(visible_to(actor, _CAPTURES.owner_id))
        )

    def _captures(self, connection: Connection, query: Select[Any]) -> list[Capture]:
        rows = connection.execute(query).all()
        table = records.capture_files
        wanted = select(table).where(table.c.capture_id.in_([row.id for row in rows])).order_by(table.c.id)
        files: dict[int, list[Row[Any]]] = {}
        for file in connection.execute(wanted):
            files.setdefault(file.capture_id, []).append(file)
        tags, parents = labels_of(connection, [row.id for row in rows])
        return [
            replace(
                _capture(row, files.get(row.id, [])),
                tags=tuple(tags.get(row.id, ())),
                parents=tuple(parents.get(row.id, ())),
            )
            for row in rows
        ]


def _counter_values(counters: CaptureCounters) -> dict[str, Any]:
    return {
        "packets": counters.packets,
        "bytes": counters.bytes,
        "received": counters.received,
        "dropped": counters.dropped,
        "captured": counters.captured,
        "protocols": list(counters.protocols),
        "file_count": counters.files,
        "overwritten": counters.overwritten,
    }


def _file(directory: Path, row: Row[Any]) -> CaptureFile:
    return CaptureFile(
        str(directory / row.name), row.bytes, row.packets, row.sha256, row.first_packet, row.last_packet
    )


def _capture(row: Row[Any], files: Sequence[Row[Any]]) -> Capture:
    return Capture(
        id=row.id,
        name=row.name,
        interface=row.interface,
        filter=row.filter,
        snaplen=row.snaplen,
        linktype=row.linktype,
        state=JobState(row.state),
        owner_id=row.owner_id,
        owner=row.owner_name,
        command=tuple(row.command),
        created=row.created,
        started=row.started,
        finished=row.finished,
        counters=CaptureCounters(
            packets=row.packets,
            bytes=row.bytes,
            received=row.received,
            dropped=row.dropped,
            captured=row.captured,
            protocols=tuple((name, count) for name, count in row.protocols),
            files=row.file_count,
            overwritten=row.overwritten,
        ),
        files=tuple(_file(Path(row.directory), file) for file in files),
        rotation=Rotation(row.file_bytes, row.file_seconds, row.ring_files),
        first_packet=row.first_packet,
        last_packet=row.last_packet,
        end_reason=row.end_reason,
        error=row.error,
        origin=CaptureOrigin(row.origin),
        source=row.source,
        note=row.note,
        kept=row.kept,
        format=_format(row, files),
    )


def _format(row: Row[Any], files: Sequence[Row[Any]]) -> CaptureFormat:
    """Return the format of its files, or while there is none the one that was asked for."""
    names = [file.name for file in files if file_number(file.name) is not None]
    asked = (row.request or {}).get("format", CaptureFormat.PCAP)
    return CaptureFormat(Path(names[0]).suffix.removeprefix(".") if names else asked)
