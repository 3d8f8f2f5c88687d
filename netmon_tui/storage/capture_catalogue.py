"""What is known of captures besides their packets: what they were made of and what people say of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    not_,
    select,
    update,
)

from netmon_tui.domain.capture import CaptureLabels, MadeCapture
from netmon_tui.domain.capture_files import CaptureFile
from netmon_tui.domain.capture_filter import MOST_TAGS, FilterWord, parse_filter
from netmon_tui.domain.job import JobKind, JobState
from netmon_tui.domain.user import Actor
from netmon_tui.errors import InvalidInput, NotFound
from netmon_tui.storage import records
from netmon_tui.storage.audit_repository import NewEvent, insert_event
from netmon_tui.storage.capture_records import packet_marks
from netmon_tui.storage.database import Database
from netmon_tui.storage.job_repository import delete_job
from netmon_tui.storage.selection import contains_text

_CAPTURES = records.captures.c
_TAGS = records.capture_tags.c
_PARENTS = records.capture_parents.c
_FINAL = [state.value for state in JobState if state.is_final]


class Expired(NamedTuple):
    """A capture that is too old."""

    capture_id: int
    owner_id: int
    directory: Path
    name: str


class CaptureCatalogue:
    """Captures that were made of others or of files, their labels, and those that are too old."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, owner: Actor, made: Sequence[MadeCapture], events: Sequence[NewEvent]) -> list[int]:
        """Store captures, all or none, each with its event, whose subject is filled in; return their ids."""

        def work(connection: Connection) -> list[int]:
            ids = [_insert(connection, owner, one) for one in made]
            for capture_id, event in zip(ids, events, strict=True):
                _note(connection, event, capture_id)
            return ids

        return self._database.write(work)

    def known(self, owner: Actor, digest: str) -> list[int]:
        """Return the owner's captures that are this file: imported from it, or with it as their pcap."""
        files = records.capture_files.c
        same = exists().where(files.capture_id == _CAPTURES.id, files.sha256 == digest)
        query = (
            select(_CAPTURES.id)
            .where(_CAPTURES.owner_id == owner.user_id, (_CAPTURES.source_sha256 == digest) | same)
            .order_by(_CAPTURES.id)
        )
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    def label(self, capture_id: int, labels: CaptureLabels, event: NewEvent) -> None:
        """Change what is said of a capture, with its event.

        Raises:
            NotFound: There is none (any more).
            InvalidInput: That would be too many tags.
        """
        said = {"name": labels.name, "note": labels.note, "kept": labels.kept}
        values = {name: value for name, value in said.items() if value is not None}
        is_it = _CAPTURES.id == capture_id

        def work(connection: Connection) -> None:
            if connection.execute(select(_CAPTURES.id).where(is_it)).first() is None:
                raise NotFound(f"no capture {capture_id}")
            if values:
                connection.execute(update(records.captures).where(is_it).values(**values))
            _change_tags(connection, capture_id, labels)
            _note(connection, event, capture_id)

        self._database.write(work)

    def find_one_older(self, before: datetime) -> Expired | None:
        """Return a capture that ended before an instant and is not marked to be kept."""
        columns = (_CAPTURES.id, _CAPTURES.owner_id, _CAPTURES.directory, _CAPTURES.name)
        query = select(*columns).where(_is_older(before)).order_by(_CAPTURES.id).limit(1)
        with self._database.read() as connection:
            found = connection.execute(query).first()
        return Expired(found.id, found.owner_id, Path(found.directory), found.name) if found else None

    def delete(self, expired: Expired, before: datetime) -> bool:
        """Delete the rows of one that ended before an instant, with an event; False when it is not (any more) one.

        Somebody may have marked it to be kept since it was found, or another program have deleted it.
        """
        rows = delete(records.captures).where(_CAPTURES.id == expired.capture_id, _is_older(before))

        def work(connection: Connection) -> bool:
            if not connection.execute(rows).rowcount:
                return False
            delete_job(connection, JobKind.CAPTURE, expired.capture_id)
            detail = f"ended before {before.isoformat(timespec='seconds')}: {expired.name}".rstrip(": ")
            subject = f"capture {expired.capture_id}"
            insert_event(connection, NewEvent("capture.expire", None, subject, detail))
            return True

        return self._database.write(work)

    def has_directory(self, name: str) -> bool:
        """Whether a capture has its files in a directory of this name, by whatever path that was reached."""
        query = select(_CAPTURES.id).where(_CAPTURES.directory.endswith(f"/{name}", autoescape=True))
        with self._database.read() as connection:
            return connection.execute(query).first() is not None


def _is_older(before: datetime) -> ColumnElement[bool]:
    """Return the condition that a capture ended before an instant and is not marked to be kept."""
    ended = func.coalesce(_CAPTURES.finished, _CAPTURES.created)
    return and_(_CAPTURES.state.in_(_FINAL), not_(_CAPTURES.kept), _CAPTURES.created < before, ended < before)


def _insert(connection: Connection, owner: Actor, made: MadeCapture) -> int:
    now, file = datetime.now(UTC), made.files[0]
    first, last = (datetime.fromtimestamp(t, UTC) for t in made.times) if made.times else (None, None)
    values: dict[str, Any] = {
        "owner_id": owner.user_id,
        "name": made.name,
        "interface": made.interface,
        "filter": made.filter,
        "snaplen": made.snaplen,
        "linktype": made.linktype,
        "state": (JobState.INTERRUPTED if made.damage else JobState.COMPLETED).value,
        "command": [],
        "directory": made.directory,
        "created": now,
        "started": first or now,
        "finished": last or now,
        "first_packet": first,
        "last_packet": last,
        "packets": file.packets,
        "bytes": file.bytes,
        "captured": file.packets,
        "error": made.damage,
        "origin": made.origin.value,
        "source": made.source,
        "source_sha256": made.digest,
        "note": made.note,
    }
    query = insert(records.captures).values(**values).returning(_CAPTURES.id)
    capture_id = int(connection.execute(query).scalar_one())
    for one in made.files:
        connection.execute(insert(records.capture_files).values(capture_id=capture_id, **file_values(one)))
    for mark in made.marks:
        row = {"capture_id": capture_id, "owner_id": owner.user_id} | asdict(mark)
        connection.execute(insert(packet_marks).values(**row))
    for position, parent in enumerate(made.parents):
        row = {"capture_id": capture_id, "position": position, "parent_id": parent}
        connection.execute(insert(records.capture_parents).values(**row))
    return capture_id


def file_values(file: CaptureFile) -> dict[str, Any]:
    """Return the columns of a file."""
    return {
        "name": file.name,
        "bytes": file.bytes,
        "packets": file.packets,
        "sha256": file.sha256,
        "first_packet": file.first_packet,
        "last_packet": file.last_packet,
    }


def _note(connection: Connection, event: NewEvent, capture_id: int) -> None:
    insert_event(
        connection, NewEvent(event.action, event.actor, f"capture {capture_id}", event.detail, event.time)
    )


def _change_tags(connection: Connection, capture_id: int, labels: CaptureLabels) -> None:
    table = records.capture_tags
    mine = _TAGS.capture_id == capture_id
    there = set(connection.execute(select(_TAGS.tag).where(mine)).scalars())
    wanted = (there - set(labels.remove_tags)) | set(labels.add_tags)
    if len(wanted) > MOST_TAGS:
        raise InvalidInput(f"{len(wanted)} tags are too many", why=f"a capture has {MOST_TAGS} at most")
    for tag in there - wanted:
        connection.execute(delete(table).where(mine, _TAGS.tag == tag))
    for tag in sorted(wanted - there):
        connection.execute(insert(table).values(capture_id=capture_id, tag=tag))


def labels_of(
    connection: Connection, ids: Sequence[int]
) -> tuple[dict[int, list[str]], dict[int, list[int]]]:
    """Return the tags in alphabetical order and the parents in their own, by capture."""
    tags: dict[int, list[str]] = {}
    parents: dict[int, list[int]] = {}
    tagged = select(_TAGS.capture_id, _TAGS.tag).where(_TAGS.capture_id.in_(ids)).order_by(_TAGS.tag)
    for capture_id, tag in connection.execute(tagged):
        tags.setdefault(capture_id, []).append(tag)
    made_of = select(_PARENTS.capture_id, _PARENTS.parent_id).where(_PARENTS.capture_id.in_(ids))
    for capture_id, parent in connection.execute(made_of.order_by(_PARENTS.position)):
        parents.setdefault(capture_id, []).append(parent)
    return tags, parents


def meets(text: str) -> ColumnElement[bool]:
    """Return the condition that a capture, joined to its owner, meets a filter as people type it."""
    return and_(True, *(_meets(word) for word in parse_filter(text)))


def _meets(word: FilterWord) -> ColumnElement[bool]:
    found = _of_column(word) if word.key else _anywhere(word.text)
    return not_(found) if word.inverted else found


def _of_column(word: FilterWord) -> ColumnElement[bool]:
    owner = records.users.c.name
    exact = {"owner": owner, "state": _CAPTURES.state}
    if word.key == "interface":  # of several, which have commas between, one of them
        names = literal(",").concat(func.replace(func.lower(_CAPTURES.interface), " ", "")).concat(",")
        return names.contains(f",{word.text.lower()},", autoescape=True)
    if word.key == "tag":
        return _CAPTURES.id.in_(select(_TAGS.capture_id).where(_TAGS.tag == word.text.casefold()))
    if word.key in exact:
        return func.lower(exact[word.key]) == word.text.lower()
    return contains_text(word.text, [_CAPTURES[word.key]])


def _anywhere(text: str) -> ColumnElement[bool]:
    columns = [_CAPTURES.interface, _CAPTURES.filter, _CAPTURES.name, _CAPTURES.state, _CAPTURES.note]
    tagged = select(_TAGS.capture_id).where(contains_text(text, [_TAGS.tag]))
    return contains_text(text, [*columns, records.users.c.name]) | _CAPTURES.id.in_(tagged)
