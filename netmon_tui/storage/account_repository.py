"""Users, their failed logins and their session tokens.

Every change is one transaction with its audit event. What must hold whoever else writes at the same moment
(one first administrator, at least one active administrator, every failure counted) is checked inside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from netmon_tui.domain.user import Role, ScanLimits, User, UserState
from netmon_tui.errors import InvalidInput, LoginRefused, NotAllowed, NotFound
from netmon_tui.security.lockout import Lock, Lockout
from netmon_tui.storage import records
from netmon_tui.storage.audit_repository import NewEvent, insert_event
from netmon_tui.storage.database import Database

_USERS = records.users.c
_SESSIONS = records.login_sessions.c
_CLOCK_TOLERANCE = timedelta(minutes=5)
"""A token from further in the future was made before the clock was set back, and is not believed."""


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user to be."""

    name: str
    """Normalised."""
    password_hash: str
    role: Role
    state: UserState
    email: str
    created: datetime


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a login is decided on."""

    user: User
    password_hash: str
    lock: Lock


class AccountRepository:
    """The accounts of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # reading

    def count(self) -> int:
        """Return how many users there are."""
        with self._database.read() as connection:
            return _count(connection)

    def users(self) -> list[User]:
        """Return all users by name."""
        with self._database.read() as connection:
            return [_user(row) for row in connection.execute(select(records.users).order_by(_USERS.name))]

    def get(self, name: str) -> User:
        """Return the user of a (normalised) name; raises NotFound."""
        found = self.credentials(name)
        if found is None:
            raise NotFound(f"no user {name}")
        return found.user

    def find_by_id(self, user_id: int) -> User | None:
        """Return a user or None."""
        with self._database.read() as connection:
            row = connection.execute(select(records.users).where(_USERS.id == user_id)).one_or_none()
        return None if row is None else _user(row)

    def credentials(self, name: str) -> Credentials | None:
        """Return what a login of a (normalised) name is decided on, or None for an unknown name."""
        with self._database.read() as connection:
            row = connection.execute(select(records.users).where(_USERS.name == name)).one_or_none()
        return None if row is None else Credentials(_user(row), row.password_hash, _lock(row))

    # users

    def create(self, new: NewUser, event: NewEvent, *, first: bool = False) -> User:
        """Insert a user.

        Args:
            new: The user.
            event: For the audit trail.
            first: Only into a database without users.

        Raises:
            InvalidInput: The name is taken.
            NotAllowed: ``first``, and there is a user.
        """

        def work(connection: Connection) -> User:
            if first and _count(connection):
                raise NotAllowed("there is an administrator already", fix="log in, or ask the administrator")
            taken = select(func.count()).select_from(records.users).where(_USERS.name == new.name)
            if connection.execute(taken).scalar_one():
                raise InvalidInput(f"the name {new.name} is taken", fix="choose another name")
            row = connection.execute(_insertion(new)).one()
            insert_event(connection, event)
            return _user(row)

        return self._database.write(work)

    def set_password(self, user_id: int, password_hash: str, event: NewEvent) -> None:
        """Store another hash, forget failed logins and end the user's sessions."""

        def work(connection: Connection) -> None:
            _set(connection, user_id, password_hash=password_hash, **_lock_columns(Lock()))
            _end_sessions(connection, user_id)
            insert_event(connection, event)

        self._database.write(work)

    def set_role(self, user_id: int, role: Role, event: NewEvent) -> None:
        """Change a role; raises NotAllowed for the last active administrator."""

        def work(connection: Connection) -> None:
            if role is not Role.ADMIN:
                _require_another_admin(connection, user_id)
            _set(connection, user_id, role=role.value)
            insert_event(connection, event)

        self._database.write(work)

    def set_state(self, user_id: int, state: UserState, event: NewEvent) -> None:
        """Change a state and, unless it is active, end the sessions.

        Raises:
            NotAllowed: The last active administrator would be gone.
        """

        def work(connection: Connection) -> None:
            if state is not UserState.ACTIVE:
                _require_another_admin(connection, user_id)
                _end_sessions(connection, user_id)
            _set(connection, user_id, state=state.value)
            insert_event(connection, event)

        self._database.write(work)

    def limits(self, user_id: int) -> ScanLimits:
        """Return what a user's scans are held to; raises NotFound."""
        with self._database.read() as connection:
            return _user(_read(connection, user_id)).limits

    def set_limits(self, user_id: int, changes: Mapping[str, str | int], event: NewEvent) -> None:
        """Change some fields of :class:`ScanLimits` of a user."""

        def work(connection: Connection) -> None:
            _set(connection, user_id, **changes)
            insert_event(connection, event)

        self._database.write(work)

    # failed logins

    def record_failure(self, user_id: int, policy: Lockout, now: datetime, event: NewEvent) -> Lock:
        """Count a failed login and return the state after it."""

        def work(connection: Connection) -> Lock:
            lock = policy.after_failure(_lock(_read(connection, user_id)), now)
            _set(connection, user_id, **_lock_columns(lock))
            insert_event(connection, event)
            return lock

        return self._database.write(work)

    def set_lock(self, user_id: int, lock: Lock, event: NewEvent) -> None:
        """Store another state of failed logins, such as none."""

        def work(connection: Connection) -> None:
            _set(connection, user_id, **_lock_columns(lock))
            insert_event(connection, event)

        self._database.write(work)

    def record_login(
        self,
        user_id: int,
        policy: Lockout,
        now: datetime,
        event: NewEvent,
        *,
        verified: str,
        new_hash: str | None = None,
    ) -> Lock | None:
        """Record a login with the right password.

        Args:
            user_id: Whose.
            policy: For the second look at the lock: guesses made side by side must not get past it.
            now: The present.
            event: For the audit trail.
            verified: The stored hash that the password was checked against.
            new_hash: The password hashed with today's parameters, when the stored hash has others.

        Returns:
            None when the login stands, or the lock that other failures have brought meanwhile.

        Raises:
            LoginRefused: Meanwhile the account was disabled or got another password.
        """

        def work(connection: Connection) -> Lock | None:
            row = _read(connection, user_id)
            if row.password_hash != verified or row.state != UserState.ACTIVE.value:
                raise LoginRefused("The account was changed meanwhile")
            lock = _lock(row)
            if policy.remaining(lock, now):
                return lock
            hashes = {} if new_hash is None else {"password_hash": new_hash}
            _set(connection, user_id, last_login=now, **hashes, **_lock_columns(Lock()))
            insert_event(connection, event)
            return None

        return self._database.write(work)

    # session tokens

    def add_session(
        self, user_id: int, token_hash: str, now: datetime, expires: datetime, event: NewEvent
    ) -> None:
        """Store a token's hash, and drop every session that has expired."""
        session = {"user_id": user_id, "token_hash": token_hash, "created": now, "expires": expires}

        def work(connection: Connection) -> None:
            connection.execute(delete(records.login_sessions).where(_SESSIONS.expires <= now))
            connection.execute(insert(records.login_sessions).values(**session))
            insert_event(connection, event)

        self._database.write(work)

    def session_user(self, token_hash: str, now: datetime) -> User | None:
        """Return the active user of a session that is valid now, or None."""
        query = (
            select(records.users)
            .join(records.login_sessions)
            .where(
                _SESSIONS.token_hash == token_hash,
                _SESSIONS.expires > now,
                _SESSIONS.created <= now + _CLOCK_TOLERANCE,
                _USERS.state == UserState.ACTIVE.value,
            )
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _user(row)

    def end_session(self, token_hash: str, event: NewEvent) -> None:
        """Forget a session."""

        def work(connection: Connection) -> None:
            connection.execute(delete(records.login_sessions).where(_SESSIONS.token_hash == token_hash))
            insert_event(connection, event)

        self._database.write(work)


def _count(connection: Connection) -> int:
    return int(connection.execute(select(func.count()).select_from(records.users)).scalar_one())


def _insertion(new: NewUser) -> Any:
    values = {
        "name": new.name,
        "password_hash": new.password_hash,
        "role": new.role.value,
        "state": new.state.value,
        "email": new.email,
        "created": new.created,
    }
    return insert(records.users).values(**values).returning(*records.users.c)


def _set(connection: Connection, user_id: int, **values: Any) -> None:
    changed = connection.execute(update(records.users).where(_USERS.id == user_id).values(**values))
    if not changed.rowcount:
        raise NotFound(f"no user with the id {user_id}")


def _require_another_admin(connection: Connection, user_id: int) -> None:
    """Refuse to lose the last active administrator."""
    active = (_USERS.role == Role.ADMIN.value) & (_USERS.state == UserState.ACTIVE.value)
    admins = set(connection.execute(select(_USERS.id).where(active)).scalars())
    if admins == {user_id}:
        raise NotAllowed(
            "the last active administrator stays one", fix="make another user an administrator first"
        )


def _end_sessions(connection: Connection, user_id: int) -> None:
    connection.execute(delete(records.login_sessions).where(_SESSIONS.user_id == user_id))


def _read(connection: Connection, user_id: int) -> Row[Any]:
    row = connection.execute(select(records.users).where(_USERS.id == user_id)).one_or_none()
    if row is None:
        raise NotFound(f"no user with the id {user_id}")
    return row


def _lock_columns(lock: Lock) -> dict[str, Any]:
    return {"failures": lock.failures, "failed_at": lock.failed_at, "locked_until": lock.locked_until}


def _lock(row: Row[Any]) -> Lock:
    return Lock(row.failures, row.failed_at, row.locked_until)


def _user(row: Row[Any]) -> User:
    return User(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        state=UserState(row.state),
        email=row.email,
        created=row.created,
        last_login=row.last_login,
        failures=row.failures,
        locked_until=row.locked_until,
        limits=ScanLimits(row.never_scan, row.maximum_rate),
    )
