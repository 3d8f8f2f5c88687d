"""Accounts: the first administrator, logins, users and session tokens.

Passwords are hashed in threads, two at most at once (64 MiB each). A login with an unknown name computes as
much as one with a wrong password, and both are told the same words. What was typed at the login is in no
audit event and in no error: people type passwords into the field for the name.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from netmon_tui.config.sections import AccountSettings
from netmon_tui.domain.user import Actor, Permission, Role, User, UserState
from netmon_tui.errors import InvalidInput, LoginRefused, NotAllowed, NotFound, NotLoggedIn
from netmon_tui.security.account_names import normalise_email, normalise_name
from netmon_tui.security.lockout import Lock, Lockout
from netmon_tui.security.passwords import DUMMY_HASH, Passwords, check_policy, strength
from netmon_tui.storage.account_repository import AccountRepository, Credentials, NewUser
from netmon_tui.storage.audit_repository import AuditRepository, NewEvent

HASHES_AT_ONCE = 2
WRONG = "Wrong name or password"
_INACTIVE = {
    UserState.PENDING: "Waiting for an administrator's approval",
    UserState.DISABLED: "This account is disabled",
}
"""Told only to whoever knows the password."""
_TOKEN_BYTES = 32


class AccountService:
    """Who may use the program, and as what.

    Args:
        accounts: Where users are kept.
        audit: For events that change nothing else.
        passwords: Hashes.
        settings: Password length, registration, lockout and session length.
        clock: The present, in UTC; locks and sessions go by it.
    """

    def __init__(
        self,
        accounts: AccountRepository,
        audit: AuditRepository,
        passwords: Passwords,
        settings: AccountSettings,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._accounts = accounts
        self._audit = audit
        self._passwords = passwords
        self._settings = settings
        self._clock = clock
        self._lockout = Lockout(after=settings.lockout_after)
        self._hashing = _HashingThreads(passwords)

    # the first user, and those who register

    async def needs_first_user(self) -> bool:
        """Whether there is no user yet."""
        return await asyncio.to_thread(self._accounts.count) == 0

    async def create_first_admin(self, name: str, password: str, email: str = "") -> User:
        """Make the first user, an administrator. Of two that try at once exactly one succeeds.

        Raises:
            InvalidInput: Name, password or e-mail address.
            NotAllowed: There is a user already.
        """
        new = await self._prepare(name, password, email, Role.ADMIN, UserState.ACTIVE)
        event = _event("user.create", None, new.name, "the first administrator")
        return await asyncio.to_thread(self._accounts.create, new, event, first=True)

    async def register(self, name: str, password: str, email: str = "") -> User:
        """Make an account for oneself, as the setting allows; it begins as a viewer.

        Returns:
            The user: active, or waiting for approval.

        Raises:
            NotAllowed: Registration is closed, or there is no administrator yet.
            InvalidInput: Name, password or e-mail address.
        """
        if self._settings.registration == "closed" or await self.needs_first_user():
            raise NotAllowed("registration is closed", fix="an administrator can add you")
        state = UserState.ACTIVE if self._settings.registration == "open" else UserState.PENDING
        new = await self._prepare(name, password, email, Role.VIEWER, state)
        event = _event("user.register", None, new.name, state.value)
        return await asyncio.to_thread(self._accounts.create, new, event)

    def strength(self, password: str, name: str = "") -> int:
        """Return how good a new password would be, 0 (refused) to 4."""
        return strength(password, name=name, minimum=self._settings.minimum_password_length)

    # login

    async def login(self, name: str, password: str) -> Actor:
        """Check name and password.

        Raises:
            LoginRefused: Wrong, locked, disabled or awaiting approval; the reason is for the user to read.
            StorageError: The stored hash is damaged.
        """
        found = await asyncio.to_thread(self._accounts.credentials, _name_or_nothing(name))
        if found is not None:
            await self._refuse_locked(found.user, found.lock)
        stored = found.password_hash if found else DUMMY_HASH
        if not await self._hashing.verify(stored, password) or found is None:
            await self._refuse_wrong(found)
        if reason := _INACTIVE.get(found.user.state):
            await self._audit_failure(found.user, found.user.state.value)
            raise LoginRefused(reason)
        new_hash = await self._hashing.hash(password) if self._passwords.needs_rehash(stored) else None
        actor = _actor(found.user)
        lock = await asyncio.to_thread(
            self._accounts.record_login,
            actor.user_id,
            self._lockout,
            self._clock(),
            _event("login", actor, actor.name),
            verified=stored,
            new_hash=new_hash,
        )
        if lock is not None:
            await self._audit_failure(found.user, "locked meanwhile")
            raise _locked(self._lockout.delay(lock.failures), lock.failures)
        return actor

    async def _refuse_locked(self, user: User, lock: Lock) -> None:
        """Refuse while the wait lasts; a clock that was set back makes it begin again."""
        now = self._clock()
        remaining = self._lockout.remaining(lock, now)
        if not remaining:
            return
        if self._lockout.is_clock_set_back(lock, now):
            lock = self._lockout.begun_again(lock, now)
            event = _event("login.clock", None, user.name, "the clock was set back: the wait begins again")
            await asyncio.to_thread(self._accounts.set_lock, user.id, lock, event)
        await self._audit_failure(user, "locked")
        raise _locked(remaining, lock.failures)

    async def _refuse_wrong(self, found: Credentials | None) -> NoReturn:
        """Count the failure of a known name; the same words for one that is unknown."""
        if found is None:
            await self._audit_failure(None, "unknown name")
            raise LoginRefused(WRONG)
        event = _event("login.failure", None, found.user.name, "wrong password")
        lock = await asyncio.to_thread(
            self._accounts.record_failure, found.user.id, self._lockout, self._clock(), event
        )
        delay = self._lockout.delay(lock.failures)
        raise _locked(delay, lock.failures) if delay else LoginRefused(WRONG)

    async def _audit_failure(self, user: User | None, why: str) -> None:
        subject = f"user {user.name}" if user else ""
        await asyncio.to_thread(self._audit.record, None, "login.failure", subject, why)

    async def today(self, actor: Actor) -> Actor | None:
        """Return somebody who has logged in with today's role; None if the account may not be used any more."""
        user = await asyncio.to_thread(self._accounts.find_by_id, actor.user_id)
        return _actor(user) if user is not None and user.state is UserState.ACTIVE else None

    # session tokens

    async def issue_token(self, actor: Actor) -> str:
        """Return a new secret that stands for a login until it expires; only its hash is stored."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        now = self._clock()
        expires = now + timedelta(hours=self._settings.session_hours)
        event = _event("session.start", actor, actor.name)
        await asyncio.to_thread(
            self._accounts.add_session, actor.user_id, _token_hash(token), now, expires, event
        )
        return token

    async def actor_for_token(self, token: str) -> Actor:
        """Return whom a token stands for, with today's role; raises NotLoggedIn."""
        user = await asyncio.to_thread(self._accounts.session_user, _token_hash(token), self._clock())
        if user is None:
            raise NotLoggedIn("the session has ended", fix="netmon-tui login starts a new one")
        return _actor(user)

    async def revoke_token(self, token: str) -> None:
        """End a session; one that is unknown or over is no error."""
        key = _token_hash(token)
        user = await asyncio.to_thread(self._accounts.session_user, key, self._clock())
        if user is not None:
            event = _event("session.end", _actor(user), user.name)
            await asyncio.to_thread(self._accounts.end_session, key, event)

    async def log_out(self, actor: Actor) -> None:
        """Record that somebody left the program."""
        await asyncio.to_thread(self._audit.record, actor, "logout", f"user {actor.name}")

    # users, by an administrator

    async def list_users(self, actor: Actor) -> list[User]:
        """Return all users by name."""
        await _require_manager(self, actor)
        return await asyncio.to_thread(self._accounts.users)

    async def add_user(
        self, actor: Actor, name: str, password: str, *, role: Role = Role.VIEWER, email: str = ""
    ) -> User:
        """Make a user; raises InvalidInput for name, password or e-mail address."""
        await _require_manager(self, actor)
        new = await self._prepare(name, password, email, role, UserState.ACTIVE)
        event = _event("user.create", actor, new.name, role.value)
        return await asyncio.to_thread(self._accounts.create, new, event)

    async def set_password(self, actor: Actor, name: str, new: str, current: str | None = None) -> None:
        """Set a password and end the user's sessions.

        Args:
            actor: An administrator, or the user.
            name: Whose password.
            new: The new one.
            current: The current one; needed for one's own, so that an open screen is not enough.

        Raises:
            InvalidInput: The new password, or none given where the current one is needed.
            LoginRefused: The current password is wrong (counted like a failed login).
        """
        wanted = normalise_name(name)
        is_own = wanted == actor.name
        if not is_own:
            await _require_manager(self, actor)
        elif current is None:
            raise InvalidInput("the current password is needed to change one's own")
        user = await asyncio.to_thread(self._accounts.get, wanted)
        check_policy(new, name=user.name, minimum=self._settings.minimum_password_length)
        if is_own and current is not None:
            await self.login(wanted, current)
        event = _event("user.password", actor, user.name)
        hashed = await self._hashing.hash(new)
        await asyncio.to_thread(self._accounts.set_password, user.id, hashed, event)

    async def set_role(self, actor: Actor, name: str, role: Role) -> User:
        """Change a role; raises NotAllowed for the last active administrator."""
        user = await self.managed(actor, name)
        event = _event("user.role", actor, user.name, f"{user.role} to {role}")
        await asyncio.to_thread(self._accounts.set_role, user.id, role, event)
        return await asyncio.to_thread(self._accounts.get, user.name)

    async def disable(self, actor: Actor, name: str) -> User:
        """Keep a user out and end the sessions; raises NotAllowed for the last active administrator."""
        return await self._set_state(actor, name, UserState.DISABLED, "user.disable")

    async def enable(self, actor: Actor, name: str) -> User:
        """Let a disabled user in again."""
        return await self._set_state(actor, name, UserState.ACTIVE, "user.enable")

    async def approve(self, actor: Actor, name: str) -> User:
        """Let somebody in who has registered; raises InvalidInput if the user is not waiting."""
        user = await self.managed(actor, name)
        if user.state is not UserState.PENDING:
            raise InvalidInput(f"{user.name} is not waiting for approval")
        return await self._set_state(actor, name, UserState.ACTIVE, "user.approve")

    async def unlock(self, actor: Actor, name: str) -> User:
        """Forget a user's failed logins."""
        user = await self.managed(actor, name)
        event = _event("user.unlock", actor, user.name)
        await asyncio.to_thread(self._accounts.set_lock, user.id, Lock(), event)
        return await asyncio.to_thread(self._accounts.get, user.name)

    async def _set_state(self, actor: Actor, name: str, state: UserState, action: str) -> User:
        user = await self.managed(actor, name)
        event = _event(action, actor, user.name)
        await asyncio.to_thread(self._accounts.set_state, user.id, state, event)
        return await asyncio.to_thread(self._accounts.get, user.name)

    async def managed(self, actor: Actor, name: str) -> User:
        """Return the user that an administrator is about to change; raises NotAllowed and NotFound."""
        await _require_manager(self, actor)
        try:
            wanted = normalise_name(name)
        except InvalidInput as error:
            raise NotFound("no user of this name", why=error.what) from None
        return await asyncio.to_thread(self._accounts.get, wanted)

    # common parts

    async def _prepare(self, name: str, password: str, email: str, role: Role, state: UserState) -> NewUser:
        """Check everything cheap first, then hash."""
        clean = normalise_name(name)
        check_policy(password, name=clean, minimum=self._settings.minimum_password_length)
        address = normalise_email(email)
        return NewUser(clean, await self._hashing.hash(password), role, state, address, self._clock())


class _HashingThreads:
    """Computes hashes off the event loop, few at once."""

    def __init__(self, passwords: Passwords) -> None:
        self._passwords = passwords
        self._places = asyncio.Semaphore(HASHES_AT_ONCE)

    async def hash(self, password: str) -> str:
        """As :meth:`Passwords.hash_password`."""
        async with self._places:
            return await asyncio.to_thread(self._passwords.hash_password, password)

    async def verify(self, stored: str, password: str) -> bool:
        """As :meth:`Passwords.verify`."""
        async with self._places:
            return await asyncio.to_thread(self._passwords.verify, stored, password)


def _event(action: str, actor: Actor | None, name: str, detail: str = "") -> NewEvent:
    return NewEvent(action, actor, f"user {name}" if name else "", detail)


async def _require_manager(accounts: AccountService, actor: Actor) -> None:
    """Refuse who may not manage users, by the role of today and not by that of the login."""
    current = await accounts.today(actor)
    if current is None:
        raise NotLoggedIn("your account is disabled")
    current.require(Permission.MANAGE_USERS)


def _name_or_nothing(name: str) -> str:
    """Return the normalised name, or an empty one, which nobody has."""
    try:
        return normalise_name(name)
    except InvalidInput:
        return ""


def _actor(user: User) -> Actor:
    return Actor(user.id, user.name, user.role)


def _locked(seconds: float, failures: int) -> LoginRefused:
    return LoginRefused(f"Locked for {math.ceil(seconds)} s after {failures} failures", retry_after=seconds)


def _token_hash(token: str) -> str:
    """A token has 256 random bits: a plain hash cannot be guessed back."""
    return hashlib.sha256(token.strip()[:256].encode("utf-8", "surrogatepass")).hexdigest()
