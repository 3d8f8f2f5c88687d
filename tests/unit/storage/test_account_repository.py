"""Accounts and the audit trail on real SQLite files: what must hold whoever writes at the same moment."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from netmon_tui.domain.user import Actor, Role, UserState
from netmon_tui.domain.window import Window
from netmon_tui.errors import InvalidInput, LoginRefused, NotAllowed, NotFound
from netmon_tui.security.lockout import Lock, Lockout
from netmon_tui.storage.account_repository import AccountRepository, NewUser
from netmon_tui.storage.audit_repository import AuditRepository, NewEvent
from netmon_tui.storage.schema_version import open_database

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
EVENT = NewEvent("test")


def new(name, role=Role.ADMIN, state=UserState.ACTIVE):
    return NewUser(name, "hash", role, state, "", NOON)


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'netmon.db'}"


@pytest.fixture
def opened(url, tmp_path):
    databases = []

    def opened():
        databases.append(open_database(url, backups=tmp_path))
        return databases[-1]

    yield opened
    for database in databases:
        database.close()


@pytest.fixture
def accounts(opened):
    return AccountRepository(opened())


@pytest.fixture
def audit(opened, accounts):
    return AuditRepository(opened())


def test_what_is_stored_comes_back_as_plain_values(accounts, opened):
    made = accounts.create(new("ada"), EVENT)
    assert (made.name, made.role, made.state, made.created) == ("ada", Role.ADMIN, UserState.ACTIVE, NOON)
    again = AccountRepository(opened())
    assert again.get("ada") == made == again.find_by_id(made.id)
    assert again.users() == [made]
    assert again.credentials("ada").password_hash == "hash"
    assert again.count() == 1


def test_unknown_users(accounts):
    assert accounts.credentials("ada") is None
    assert accounts.find_by_id(1) is None
    with pytest.raises(NotFound, match="no user ada"):
        accounts.get("ada")
    with pytest.raises(NotFound):
        accounts.set_role(1, Role.VIEWER, EVENT)
    with pytest.raises(NotFound):
        accounts.record_failure(1, Lockout(), NOON, EVENT)


def test_a_name_is_taken_once(accounts):
    accounts.create(new("ada"), EVENT)
    with pytest.raises(InvalidInput, match="taken"):
        accounts.create(new("ada"), EVENT)


def test_of_many_first_runs_at_once_one_makes_the_administrator(opened):
    programs = [AccountRepository(opened()) for _ in range(6)]
    start, results = threading.Barrier(len(programs)), []

    def run(number, accounts):
        start.wait()
        try:
            results.append(accounts.create(new(f"admin{number}"), EVENT, first=True).name)
        except NotAllowed:
            results.append(None)

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(programs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [name for name in results if name]
    assert len(results) == 6
    assert [user.name for user in programs[0].users()] == winners
    assert len(winners) == 1


def test_failures_of_many_programs_are_all_counted(opened):
    programs = [AccountRepository(opened()) for _ in range(4)]
    user = programs[0].create(new("ada"), EVENT)

    def run(accounts):
        for _ in range(5):
            accounts.record_failure(user.id, Lockout(), NOON, EVENT)

    threads = [threading.Thread(target=run, args=(accounts,)) for accounts in programs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = programs[0].credentials("ada")
    assert found.lock.failures == found.user.failures == 20
    assert found.user.locked_until == NOON + timedelta(seconds=300)


def test_a_right_guess_beside_wrong_ones_does_not_get_past_the_lock(accounts):
    user = accounts.create(new("ada"), EVENT)
    for _ in range(5):
        accounts.record_failure(user.id, Lockout(), NOON, EVENT)
    lock = accounts.record_login(user.id, Lockout(), NOON, EVENT, verified="hash", new_hash="other")
    assert lock.failures == 5
    assert accounts.credentials("ada").password_hash == "hash"
    assert accounts.get("ada").last_login is None
    later = NOON + timedelta(seconds=3)
    assert accounts.record_login(user.id, Lockout(), later, EVENT, verified="hash", new_hash="other") is None
    found = accounts.credentials("ada")
    assert (found.password_hash, found.lock, found.user.last_login) == ("other", Lock(), later)


def test_a_login_does_not_outrun_a_change_of_the_account(accounts):
    user = accounts.create(new("ada"), EVENT)
    accounts.create(new("bo"), EVENT)
    accounts.set_password(user.id, "newer", EVENT)
    with pytest.raises(LoginRefused):
        accounts.record_login(user.id, Lockout(), NOON, EVENT, verified="hash", new_hash="hash again")
    assert accounts.credentials("ada").password_hash == "newer"
    accounts.set_state(user.id, UserState.DISABLED, EVENT)
    with pytest.raises(LoginRefused):
        accounts.record_login(user.id, Lockout(), NOON, EVENT, verified="newer")
    assert accounts.get("ada").last_login is None


@pytest.mark.parametrize("change", ["demote", "disable", "pend"])
def test_the_last_active_administrator_stays(accounts, change):
    ada = accounts.create(new("ada"), EVENT)
    accounts.create(new("bo", Role.OPERATOR), EVENT)
    accounts.create(new("cy", Role.ADMIN, UserState.DISABLED), EVENT)

    def lose(user):
        if change == "demote":
            accounts.set_role(user.id, Role.OPERATOR, EVENT)
        else:
            state = UserState.DISABLED if change == "disable" else UserState.PENDING
            accounts.set_state(user.id, state, EVENT)

    with pytest.raises(NotAllowed, match="last active administrator"):
        lose(ada)
    assert accounts.get("ada") == ada
    dee = accounts.create(new("dee"), EVENT)
    lose(ada)
    with pytest.raises(NotAllowed):
        lose(dee)


def test_two_administrators_who_demote_each_other_at_once_leave_one(opened):
    one, two = AccountRepository(opened()), AccountRepository(opened())
    ada, bo = one.create(new("ada"), EVENT), one.create(new("bo"), EVENT)
    start = threading.Barrier(2)
    refused = []

    def run(accounts, victim):
        start.wait()
        try:
            accounts.set_role(victim.id, Role.VIEWER, EVENT)
        except NotAllowed as error:
            refused.append(error)

    threads = [threading.Thread(target=run, args=pair) for pair in ((one, bo), (two, ada))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert sorted(user.role for user in one.users()) == [Role.ADMIN, Role.VIEWER]


def test_sessions_expire_end_and_follow_the_user(accounts):
    user = accounts.create(new("ada"), EVENT)
    accounts.create(new("bo"), EVENT)
    hour = timedelta(hours=1)
    accounts.add_session(user.id, "a", NOON, NOON + hour, EVENT)
    assert accounts.session_user("a", NOON).name == "ada"
    assert accounts.session_user("b", NOON) is None
    assert accounts.session_user("a", NOON + hour) is None
    assert accounts.session_user("a", NOON - hour) is None  # the clock was set back
    assert accounts.session_user("a", NOON - timedelta(seconds=30)) is not None
    accounts.end_session("a", EVENT)
    assert accounts.session_user("a", NOON) is None
    for end in (
        lambda: accounts.set_password(user.id, "new", EVENT),
        lambda: accounts.set_state(user.id, UserState.DISABLED, EVENT),
    ):
        accounts.add_session(user.id, "c", NOON, NOON + hour, EVENT)
        assert accounts.session_user("c", NOON) is not None
        end()
        assert accounts.session_user("c", NOON) is None
    accounts.set_state(user.id, UserState.ACTIVE, EVENT)
    assert accounts.session_user("c", NOON) is None


def test_a_change_that_is_refused_leaves_no_event(accounts, audit):
    ada = accounts.create(new("ada"), NewEvent("user.create"))
    with pytest.raises(NotAllowed):
        accounts.set_role(ada.id, Role.VIEWER, NewEvent("user.role"))
    with pytest.raises(InvalidInput):
        accounts.create(new("ada"), NewEvent("user.create", subject="again"))
    assert [event.action for event in audit.find()] == ["user.create"]


def test_the_trail_is_found_newest_first_by_text_and_in_pages(audit):
    ada = Actor(1, "ada", Role.ADMIN)
    for number in range(5):
        audit.record(ada, "scan.start", f"scan {number}", "nmap 100%_\x1b[31m")
    audit.record(None, "login.failure", "user bo")
    events = audit.find()
    assert [event.subject for event in events] == ["user bo", *(f"scan {n}" for n in (4, 3, 2, 1, 0))]
    assert (events[0].actor, events[1].actor, events[1].detail) == ("", "ada", "nmap 100%_\x1b[31m")
    assert [event.id for event in audit.find(Window(1, 2, "id"))] == [2, 3]
    assert [event.subject for event in audit.find(Window(text="SCAN 3"))] == ["scan 3"]
    assert audit.count() == 6
    assert audit.count("0%_") == 5
    assert audit.count("!scan") == 1
    assert audit.count("x%") == 0
    assert abs(datetime.now(UTC) - events[0].time) < timedelta(minutes=1)
