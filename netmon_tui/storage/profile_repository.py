"""The users' own scan profiles.

Every change is one transaction with its audit events, and that a name is its owner's only one of that kind is
checked inside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, insert, or_, select, true, update

from netmon_tui.domain.profile import Profile, SaveProfile, name_key
from netmon_tui.domain.user import Actor
from netmon_tui.errors import InvalidInput, NotFound
from netmon_tui.storage import records
from netmon_tui.storage.audit_repository import NewEvent, insert_event
from netmon_tui.storage.database import Database

_PROFILES = records.profiles.c
_USERS = records.users.c


class ProfileRepository:
    """The profiles of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def usable(self, actor: Actor) -> list[Profile]:
        """Return the actor's own profiles by name, then those that others share by name and owner."""
        order = ((_PROFILES.owner_id != actor.user_id), _PROFILES.name_key, _USERS.name)
        with self._database.read() as connection:
            return [_profile(row) for row in connection.execute(_select(actor).order_by(*order))]

    def get(self, actor: Actor, profile_id: int) -> Profile:
        """Return a profile; raises NotFound when there is none, or it is not the actor's to use."""
        with self._database.read() as connection:
            return _get(connection, actor, profile_id)

    def create(self, owner: Actor, new: SaveProfile, *, shared: bool) -> Profile:
        """Insert a profile.

        Raises:
            InvalidInput: The owner has one of that name.
        """

        def work(connection: Connection) -> Profile:
            _refuse_taken(connection, owner.user_id, new.name)
            return _insert(connection, owner, new, shared)

        return self._database.write(work)

    def change(self, actor: Actor, profile: Profile, new: SaveProfile) -> Profile:
        """Give a profile another name, arguments and description.

        Raises:
            InvalidInput: Its owner has another one of that name.
            NotFound: It is gone.
        """

        def work(connection: Connection) -> Profile:
            assert profile.id is not None
            assert profile.owner_id is not None
            _refuse_taken(connection, profile.owner_id, new.name, besides=profile.id)
            _set(connection, profile.id, **_texts(new))
            insert_event(connection, _event("profile.change", actor, profile.id, _told(new)))
            return _get(connection, None, profile.id)

        return self._database.write(work)

    def share(self, actor: Actor, profile: Profile, *, shared: bool) -> Profile:
        """Let everybody use a profile, or no longer; raises NotFound when it is gone."""

        def work(connection: Connection) -> Profile:
            assert profile.id is not None
            _set(connection, profile.id, shared=shared)
            told = f"{profile.name}: {'shared' if shared else 'no longer shared'}"
            insert_event(connection, _event("profile.share", actor, profile.id, told))
            return _get(connection, None, profile.id)

        return self._database.write(work)

    def delete(self, actor: Actor, profile: Profile) -> None:
        """Delete a profile; raises NotFound when it is gone."""

        def work(connection: Connection) -> None:
            assert profile.id is not None
            gone = connection.execute(delete(records.profiles).where(_PROFILES.id == profile.id))
            _require_one(gone.rowcount, profile.id)
            insert_event(connection, _event("profile.delete", actor, profile.id, profile.name))

        self._database.write(work)

    def import_all(self, owner: Actor, several: Sequence[SaveProfile], *, replace: bool) -> list[Profile]:
        """Insert all profiles, or none.

        Args:
            owner: Whose they become; they are not shared.
            several: Each of another name.
            replace: Whether one that the owner has under that name is changed. It stays shared, if it was.

        Raises:
            InvalidInput: The owner has one of a name, which the error names, and it is not to be replaced.
        """

        def work(connection: Connection) -> list[Profile]:
            return [_import_one(connection, owner, new, replace, n) for n, new in enumerate(several, 1)]

        return self._database.write(work)


def _import_one(
    connection: Connection, owner: Actor, new: SaveProfile, replace: bool, number: int
) -> Profile:
    found = _named(connection, owner.user_id, new.name)
    if found is None:
        return _insert(connection, owner, new, shared=False)
    if not replace:
        what = f"profile {number}, {new.name!r}, is refused"
        raise InvalidInput(what, why="there is one of that name already", fix="--replace changes it")
    _set(connection, found, **_texts(new))
    insert_event(connection, _event("profile.change", owner, found, _told(new)))
    return _get(connection, None, found)


def _insert(connection: Connection, owner: Actor, new: SaveProfile, shared: bool) -> Profile:
    values = _texts(new) | {"owner_id": owner.user_id, "shared": shared}
    query = insert(records.profiles).values(**values).returning(_PROFILES.id)
    profile_id = int(connection.execute(query).scalar_one())
    insert_event(connection, _event("profile.create", owner, profile_id, _told(new)))
    if shared:
        insert_event(connection, _event("profile.share", owner, profile_id, f"{new.name}: shared"))
    return _get(connection, None, profile_id)


def _texts(new: SaveProfile) -> dict[str, Any]:
    return {
        "name": new.name,
        "name_key": name_key(new.name),
        "arguments": new.arguments,
        "description": new.description,
    }


def _set(connection: Connection, profile_id: int, **values: Any) -> None:
    query = update(records.profiles).where(_PROFILES.id == profile_id)
    _require_one(connection.execute(query.values(**values)).rowcount, profile_id)


def _require_one(count: int, profile_id: int) -> None:
    if not count:
        raise NotFound(f"no profile {profile_id}")


def _named(connection: Connection, owner_id: int, name: str) -> int | None:
    """Return the id of an owner's profile of that name."""
    query = select(_PROFILES.id).where(_PROFILES.owner_id == owner_id, _PROFILES.name_key == name_key(name))
    found: int | None = connection.execute(query).scalar_one_or_none()
    return found


def _refuse_taken(connection: Connection, owner_id: int, name: str, besides: int | None = None) -> None:
    if _named(connection, owner_id, name) not in (None, besides):
        raise InvalidInput(f"there is a profile {name} already", fix="choose another name")


def _event(action: str, actor: Actor, profile_id: int, detail: str) -> NewEvent:
    return NewEvent(action, actor, f"profile {profile_id}", detail)


def _told(profile: SaveProfile) -> str:
    return f"{profile.name}: {profile.arguments}"


def _select(actor: Actor | None) -> Select[Any]:
    """Return the query for the profiles that an actor may use; None for all."""
    usable = true() if actor is None else or_(_PROFILES.owner_id == actor.user_id, _PROFILES.shared.is_(True))
    return (
        select(records.profiles, _USERS.name.label("owner_name"))
        .join(records.users, _USERS.id == _PROFILES.owner_id)
        .where(usable)
    )


def _get(connection: Connection, actor: Actor | None, profile_id: int) -> Profile:
    row = connection.execute(_select(actor).where(_PROFILES.id == profile_id)).one_or_none()
    if row is None:
        raise NotFound(f"no profile {profile_id}")
    return _profile(row)


def _profile(row: Row[Any]) -> Profile:
    return Profile(
        name=row.name,
        arguments=row.arguments,
        description=row.description,
        id=row.id,
        owner_id=row.owner_id,
        owner=row.owner_name,
        shared=row.shared,
    )
