"""Accounts through the service: real argon2, real SQLite files, a clock that the test sets."""

import asyncio
import dataclasses
import hashlib
import logging
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher, profiles
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netmon_tui.config.sections import AccountSettings
from netmon_tui.domain.user import Actor, Role, UserState
from netmon_tui.errors import (
    InvalidInput,
    LoginRefused,
    NetmonError,
    NotAllowed,
    NotFound,
    NotLoggedIn,
    StorageError,
)
from netmon_tui.security.passwords import DUMMY_HASH, Passwords
from netmon_tui.services.accounts import WRONG, AccountService
from netmon_tui.storage.account_repository import AccountRepository
from netmon_tui.storage.audit_repository import AuditRepository, NewEvent
from netmon_tui.storage.schema_version import open_database

GOOD, OTHER = "walnut-koala-lantern", "basalt-plover-thimble"


class CountingPasswords(Passwords):
    """Real hashes with the cheapest parameters; remembers which hashes were computed against."""

    def __init__(self, hasher=None):
        super().__init__(hasher or PasswordHasher.from_parameters(profiles.CHEAPEST))
        self.verified = []

    def verify(self, stored, password):
        self.verified.append(stored)
        return super().verify(stored, password)


class Program:
    """One running program: its own connection to the database file, its own service."""

    def __init__(self, folder: Path, clock, **options):
        self.database = open_database(f"sqlite:///{folder / 'netmon.db'}", backups=folder)
        self.repository = AccountRepository(self.database)
        self.audit = AuditRepository(self.database)
        self.passwords = CountingPasswords()
        self.service = AccountService(
            self.repository, self.audit, self.passwords, AccountSettings(**options), lambda: clock.now
        )

    def actions(self):
        return [(event.action, event.actor, event.subject, event.detail) for event in self.audit.find()]


class Clock:
    def __init__(self):
        self.now = datetime(2030, 1, 1, 12, tzinfo=UTC)

    def forward(self, **parts):
        self.now += timedelta(**parts)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def start(tmp_path, clock):
    programs = []

    def start(**options):
        programs.append(Program(tmp_path, clock, **options))
        return programs[-1]

    yield start
    for program in programs:
        program.database.close()


@pytest.fixture
def program(start):
    return start()


@pytest.fixture
def service(program):
    return program.service


@pytest.fixture
async def ada(service):
    user = await service.create_first_admin("Ada", GOOD, "ada@example.org")
    return Actor(user.id, user.name, user.role)


async def refused(awaitable, kind=LoginRefused):
    with pytest.raises(kind) as error:
        await awaitable
    return error.value


# --- the first user ----------------------------------------------------------------------------------------


async def test_the_first_user_is_an_administrator(service, program):
    assert await service.needs_first_user()
    user = await service.create_first_admin(" Ada ", GOOD, "Ada@EXAMPLE.org")
    assert (user.name, user.role, user.state, user.email) == (
        "ada",
        Role.ADMIN,
        UserState.ACTIVE,
        "Ada@example.org",
    )
    assert not await service.needs_first_user()
    assert program.actions() == [("user.create", "", "user ada", "the first administrator")]
    error = await refused(service.create_first_admin("bo", GOOD), NotAllowed)
    assert error.exit_code == 6


async def test_two_first_runs_at_once_make_exactly_one(start):
    programs = [start() for _ in range(4)]
    made = await asyncio.gather(
        *(p.service.create_first_admin(f"admin{n}", GOOD) for n, p in enumerate(programs)),
        return_exceptions=True,
    )
    assert sum(isinstance(result, NotAllowed) for result in made) == 3
    assert len(programs[0].repository.users()) == 1


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a" * 33,
        "a b",
        "ä",
        "-a",
        ".a",
        "a/b",
        "a\nb",
        "a\0",
        "ada\x1b[2J",
        "a" * 10_000_000,
        "ada\u202e",
        "\ud800",
    ],
)
async def test_bad_names_are_refused(service, name):
    error = await refused(service.create_first_admin(name, GOOD), InvalidInput)
    assert "1 to 32" in error.fix
    assert await service.needs_first_user()


@pytest.mark.parametrize(
    "name", ["a", "A" * 32, "a.b_c-9", "0", "_x", "\u212a"]
)  # the last one is KELVIN SIGN
async def test_good_names_are_stored_in_lower_case(service, name):
    user = await service.create_first_admin(name, GOOD)
    assert user.name == name.lower()
    assert (await service.login(name.upper(), GOOD)).name == user.name


@pytest.mark.parametrize(
    "email", ["ada", "@x", "ada@", "a@b@c", "ada@ex ample.org", "a@" + "x" * 400, "a\n@x.org", "\ud800@x.org"]
)
async def test_bad_addresses_are_refused(service, email):
    error = await refused(service.create_first_admin("ada", GOOD, email), InvalidInput)
    assert "e-mail" in error.what


@pytest.mark.parametrize("email", ["", "  ", "ops@corp.internal", "ä@example.org"])
async def test_addresses_without_a_public_domain_or_none_are_fine(service, email):
    assert (await service.create_first_admin("ada", GOOD, email)).email == email.strip()


async def test_the_password_policy_uses_the_setting_and_the_name(start):
    service = start(minimum_password_length=8).service
    for bad in ("koala", "password1", "lovelace1"):
        await refused(service.create_first_admin("lovelace", bad), InvalidInput)
        assert service.strength(bad, "lovelace") == 0
    await service.create_first_admin("lovelace", "x7!kQp2v")
    assert service.strength("x7!kQp2v") >= 1


# --- login -------------------------------------------------------------------------------------------------


async def test_login(service, program, ada, clock):
    clock.forward(minutes=1)
    assert await service.login("ADA", GOOD) == ada
    assert program.repository.get("ada").last_login == clock.now
    assert program.actions()[0] == ("login", "ada", "user ada", "")
    await service.log_out(ada)
    assert program.actions()[0] == ("logout", "ada", "user ada", "")


async def test_a_wrong_password_and_an_unknown_name_are_told_and_cost_the_same(service, program, ada):
    wrong = await refused(service.login("ada", OTHER))
    program.passwords.verified.clear()
    unknown = await refused(service.login("nobody", OTHER))
    impossible = await refused(service.login("no body\0" + "x" * 100_000, OTHER))
    assert str(wrong) == str(unknown) == str(impossible) == WRONG == "Wrong name or password"
    assert wrong.retry_after == unknown.retry_after == 0
    assert program.passwords.verified == [DUMMY_HASH, DUMMY_HASH]
    await refused(service.login("ada", OTHER))
    assert len(program.passwords.verified) == 3


async def test_the_default_hash_costs_what_the_dummy_costs():
    stored = Passwords().hash_password(GOOD)
    assert stored.split("$")[:4] == DUMMY_HASH.split("$")[:4]


async def test_failures_lock_across_restarts_until_time_or_success(start, clock):
    service = start().service
    await service.create_first_admin("ada", GOOD)
    for _ in range(4):
        assert str(await refused(service.login("ada", OTHER))) == WRONG
    fifth = await refused(service.login("ada", OTHER))
    assert (str(fifth), fifth.retry_after) == ("Locked for 2 s after 5 failures", 2)
    clock.forward(seconds=0.5)
    restarted = start()
    locked = await refused(restarted.service.login("ada", GOOD))
    assert (str(locked), locked.retry_after) == ("Locked for 2 s after 5 failures", 1.5)
    assert restarted.passwords.verified == []
    assert restarted.repository.get("ada").failures == 5
    clock.forward(seconds=1.5)
    assert str(await refused(restarted.service.login("ada", OTHER))) == "Locked for 4 s after 6 failures"
    clock.forward(seconds=4)
    await restarted.service.login("ada", GOOD)
    user = restarted.repository.get("ada")
    assert (user.failures, user.locked_until) == (0, None)
    assert str(await refused(restarted.service.login("ada", OTHER))) == WRONG
    details = [detail for action, _, _, detail in restarted.actions() if action == "login.failure"]
    assert details.count("wrong password") == 7
    assert details.count("locked") == 1


async def test_a_clock_set_back_does_not_open_the_lock(start, clock):
    program = start(lockout_after=1)
    await program.service.create_first_admin("ada", GOOD)
    for _ in range(8):
        error = await refused(program.service.login("ada", OTHER))
        clock.forward(seconds=error.retry_after)
    clock.forward(days=-1)
    error = await refused(program.service.login("ada", GOOD))
    assert str(error) == "Locked for 256 s after 8 failures"
    clock.forward(seconds=200)
    assert (await refused(program.service.login("ada", GOOD))).retry_after == 56
    clock.forward(seconds=56)
    await program.service.login("ada", GOOD)
    assert "login.clock" in {action for action, *_ in program.actions()}


async def test_guesses_side_by_side_do_not_get_past_the_lock(start):
    programs = [start() for _ in range(3)]
    await programs[0].service.create_first_admin("ada", GOOD)
    for _ in range(4):
        await refused(programs[0].service.login("ada", OTHER))
    guesses = [p.service.login("ada", f"{OTHER}{n}") for n, p in enumerate(programs * 3)]
    results = await asyncio.gather(*guesses, return_exceptions=True)
    assert all(isinstance(result, LoginRefused) for result in results)
    assert programs[0].repository.get("ada").failures >= 5
    assert "Locked" in str(await refused(programs[1].service.login("ada", GOOD)))


async def test_a_success_while_others_lock_is_refused(program, service, ada):
    for _ in range(4):
        await refused(service.login("ada", OTHER))
    real = program.passwords.verify

    def verify(stored, password):
        program.repository.record_failure(ada.user_id, service._lockout, service._clock(), NewEvent("x"))
        return real(stored, password)

    program.passwords.verify = verify
    assert str(await refused(service.login("ada", GOOD))) == "Locked for 2 s after 5 failures"
    assert program.repository.get("ada").last_login is None


async def test_only_who_knows_the_password_learns_that_it_is_of_no_use(start):
    program = start(registration="approval")
    service = program.service
    admin = await service.create_first_admin("ada", GOOD)
    actor = Actor(admin.id, admin.name, admin.role)
    assert (await service.register("bo", GOOD)).state is UserState.PENDING
    assert str(await refused(service.login("bo", GOOD))) == "Waiting for an administrator's approval"
    assert str(await refused(service.login("bo", OTHER))) == WRONG
    await service.approve(actor, "bo")
    assert (await service.login("bo", GOOD)).role is Role.VIEWER
    await service.disable(actor, "bo")
    assert str(await refused(service.login("bo", GOOD))) == "This account is disabled"
    assert str(await refused(service.login("bo", OTHER))) == WRONG
    await service.enable(actor, "bo")
    await service.login("bo", GOOD)
    await refused(service.approve(actor, "bo"), InvalidInput)


async def test_old_parameters_are_replaced_at_login(start, program, service, ada):
    before = program.repository.credentials("ada").password_hash
    await service.login("ada", GOOD)
    assert program.repository.credentials("ada").password_hash == before
    stronger = CountingPasswords(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    newer = AccountService(program.repository, program.audit, stronger, AccountSettings())
    await refused(newer.login("ada", OTHER))
    assert program.repository.credentials("ada").password_hash == before
    await newer.login("ada", GOOD)
    after = program.repository.credentials("ada").password_hash
    assert "m=16,t=2" in after
    await newer.login("ada", GOOD)
    assert program.repository.credentials("ada").password_hash == after


async def test_an_absurd_hash_in_the_database_is_an_error_and_not_work(program, service, ada):
    absurd = DUMMY_HASH.replace("m=65536", "m=4194304")
    program.repository.set_password(ada.user_id, absurd, NewEvent("tampering"))
    error = await refused(service.login("ada", GOOD), StorageError)
    assert error.exit_code == 5


async def test_hashing_leaves_the_event_loop_alone_and_runs_two_at_once(program, service, ada):
    running, most = 0, 0
    real = program.passwords.verify

    def verify(stored, password):
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            return real(stored, password)
        finally:
            running -= 1

    program.passwords.verify = verify
    beats = 0

    async def heart():
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0.001)

    beating = asyncio.create_task(heart())
    await asyncio.gather(*(service.login(f"nobody{n}", OTHER) for n in range(6)), return_exceptions=True)
    beating.cancel()
    assert most <= 2
    assert beats > 20  # six real argon2 verifications of the dummy, a tenth of a second each at least


# --- registration ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("registration", ["closed", "approval", "open"])
async def test_nobody_registers_before_the_administrator(start, registration):
    await refused(start(registration=registration).service.register("bo", GOOD), NotAllowed)


async def test_closed_and_open_registration(start):
    closed, opened = start(), start(registration="open")
    await closed.service.create_first_admin("ada", GOOD)
    await refused(closed.service.register("bo", GOOD), NotAllowed)
    user = await opened.service.register("bo", GOOD, "bo@example.org")
    assert (user.role, user.state) == (Role.VIEWER, UserState.ACTIVE)
    await opened.service.login("bo", GOOD)
    await refused(opened.service.register("BO", GOOD), InvalidInput)
    assert ("user.register", "", "user bo", "active") in opened.actions()


# --- users -------------------------------------------------------------------------------------------------


async def test_an_administrator_manages_users(service, program, ada):
    user = await service.add_user(ada, "Bo", OTHER, role=Role.OPERATOR, email="bo@example.org")
    assert (user.name, user.role) == ("bo", Role.OPERATOR)
    assert [u.name for u in await service.list_users(ada)] == ["ada", "bo"]
    assert (await service.set_role(ada, "BO", Role.ADMIN)).role is Role.ADMIN
    for _ in range(6):
        await refused(service.login("bo", GOOD))
    assert (await service.unlock(ada, "bo")).failures == 0
    await service.login("bo", OTHER)
    await service.set_password(ada, "bo", GOOD + "-new")
    await service.login("bo", GOOD + "-new")
    await refused(service.login("bo", OTHER))
    events = [event[:3] for event in program.actions()]
    for action in ("user.create", "user.role", "user.unlock", "user.password"):
        assert (action, "ada", "user bo") in events
    for name in ("nobody", "no body", ""):
        await refused(service.disable(ada, name), NotFound)


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.VIEWER])
async def test_others_manage_nobody(service, program, ada, role):
    user = await service.add_user(ada, "bo", OTHER, role=role)
    bo = Actor(user.id, user.name, user.role)
    before = program.repository.users()
    for attempt in (
        service.list_users(bo),
        service.add_user(bo, "cy", GOOD),
        service.set_password(bo, "ada", GOOD + "x"),
        service.set_role(bo, "bo", Role.ADMIN),
        service.disable(bo, "ada"),
        service.enable(bo, "bo"),
        service.approve(bo, "bo"),
        service.unlock(bo, "ada"),
    ):
        await refused(attempt, NotAllowed)
    assert program.repository.users() == before


async def test_the_role_of_today_counts_and_not_that_of_the_login(service, ada):
    user = await service.add_user(ada, "bo", OTHER, role=Role.ADMIN)
    bo = Actor(user.id, user.name, user.role)
    await service.set_role(ada, "bo", Role.VIEWER)
    await refused(service.disable(bo, "ada"), NotAllowed)
    await service.disable(ada, "bo")
    await refused(service.list_users(bo), NotLoggedIn)
    await refused(service.list_users(Actor(99, "ghost", Role.ADMIN)), NotLoggedIn)


async def test_the_last_active_administrator_stays(service, ada):
    await service.add_user(ada, "bo", OTHER, role=Role.OPERATOR)
    await refused(service.set_role(ada, "ada", Role.VIEWER), NotAllowed)
    await refused(service.disable(ada, "ada"), NotAllowed)
    assert (await service.login("ada", GOOD)).role is Role.ADMIN


async def test_ones_own_password_needs_the_current_one(service, program, ada):
    token = await service.issue_token(ada)
    await refused(service.set_password(ada, "ada", OTHER), InvalidInput)
    error = await refused(service.set_password(ada, "ADA", OTHER, current="wrong-" + GOOD))
    assert str(error) == WRONG
    assert program.repository.get("ada").failures == 1
    await refused(service.set_password(ada, "ada", "too short", current=GOOD), InvalidInput)
    await service.set_password(ada, "ada", OTHER, current=GOOD)
    await refused(service.login("ada", GOOD))
    await service.login("ada", OTHER)
    await refused(service.actor_for_token(token), NotLoggedIn)


# --- session tokens ----------------------------------------------------------------------------------------


async def test_a_token_stands_for_the_user_until_it_expires(start, service, ada, clock):
    token = await service.issue_token(ada)
    assert await start().service.actor_for_token(token + "\n") == ada
    clock.forward(hours=12, seconds=-1)
    assert await service.actor_for_token(token) == ada
    clock.forward(seconds=1)
    error = await refused(service.actor_for_token(token), NotLoggedIn)
    assert error.exit_code == 6


@pytest.mark.parametrize("token", ["", "x", "\0", "\ud800", "x" * 10_000_000])
async def test_foreign_tokens_are_refused(service, ada, token):
    await service.issue_token(ada)
    await refused(service.actor_for_token(token), NotLoggedIn)
    await service.revoke_token(token)


async def test_a_token_ends_by_revocation_and_with_the_account(service, program, ada):
    user = await service.add_user(ada, "bo", OTHER, role=Role.OPERATOR)
    bo = Actor(user.id, user.name, user.role)
    first, second = await service.issue_token(bo), await service.issue_token(bo)
    assert first != second
    await service.revoke_token(first)
    await refused(service.actor_for_token(first), NotLoggedIn)
    assert await service.actor_for_token(second) == bo
    await service.set_role(ada, "bo", Role.VIEWER)
    assert (await service.actor_for_token(second)).role is Role.VIEWER
    await service.disable(ada, "bo")
    await refused(service.actor_for_token(second), NotLoggedIn)
    assert ("session.end", "bo", "user bo", "") in program.actions()


async def test_tokens_are_stored_only_as_hashes(service, ada, tmp_path, program):
    token = await service.issue_token(ada)
    program.database.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert token.encode() not in stored
    assert hashlib.sha256(token.encode()).hexdigest().encode() in stored


# --- secrets -----------------------------------------------------------------------------------------------

SECRET = st.text(st.characters(codec="utf-8"), min_size=9, max_size=40).map(lambda text: f"s3cr3t{text}")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secret=SECRET)
def test_no_secret_reaches_the_trail_the_log_or_an_error(tmp_path_factory, caplog, secret):
    caplog.set_level(logging.DEBUG, "netmon_tui")
    program = Program(tmp_path_factory.mktemp("db"), Clock(), registration="open")
    errors = []

    async def use():
        service = program.service
        user = await service.create_first_admin("ada", GOOD)
        ada = Actor(user.id, user.name, user.role)
        token = await service.issue_token(ada)
        attempts = [
            service.login("ada", secret),
            service.login(secret, GOOD),
            service.login(secret, secret),
            service.create_first_admin("bo", secret),
            service.register("bo", secret),
            service.add_user(ada, "cy", secret),
            service.set_password(ada, "ada", secret, current=secret),
            service.set_password(ada, "ada", OTHER, current=secret),
            service.actor_for_token(secret),
            service.actor_for_token(token[:-1]),
        ]
        for attempt in attempts:
            try:
                await attempt
            except NetmonError as error:
                errors.append(error)
        return token

    token = asyncio.run(use())
    rows = [str(dataclasses.asdict(event)) for event in program.audit.find()]
    program.database.close()
    texts = rows + [text for error in errors for text in (str(error), repr(error), error.why, error.fix)]
    texts += ["".join(traceback.format_exception(error)) for error in errors] + [caplog.text]
    assert len(errors) >= 7
    for hidden in (secret, "s3cr3t", GOOD, OTHER, token, token[:-1]):
        assert not any(hidden in text for text in texts)
