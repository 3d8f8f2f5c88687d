"""``login``, ``logout``, ``user`` and ``audit``: the first administrator, tokens, roles and refusals."""

from __future__ import annotations

import stat

import pytest

from tests.conftest import PASSWORD

OTHER = "another fine passphrase"
USER_KEYS = {"id", "name", "role", "state", "email", "created", "last_login", "failures", "locked_until"} | {
    "never_scan",
    "maximum_rate",
}


@pytest.fixture
def other_file(home):
    file = home / "other-password"
    file.write_text(OTHER + "\n")
    return file


def test_the_first_user_needs_no_login_and_is_the_administrator(program, password_file) -> None:
    answer = program("user", "add", "ada", "--new-password-file", password_file, "--json")
    assert answer.code == 0
    assert set(answer.document) == USER_KEYS
    assert answer.document["role"] == "admin"
    assert program("user", "add", "eve", "--new-password-file", password_file).code == 6


def test_the_first_user_cannot_be_less(program, password_file) -> None:
    answer = program("user", "add", "ada", "--role", "viewer", "--new-password-file", password_file)
    assert answer.code == 2
    assert program("scan", "list").err.startswith("netmon-tui: there is no user yet")


def test_a_weak_password_is_refused(program, home) -> None:
    (home / "weak").write_text("short\n")
    assert program("user", "add", "ada", "--new-password-file", home / "weak").code == 2


def test_without_a_terminal_nobody_is_asked(program) -> None:
    answer = program("user", "add", "ada")
    assert answer.code == 2
    assert "--new-password-file" in answer.err


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe\n"])
def test_a_file_without_a_password_is_refused(program, home, content) -> None:
    (home / "bad").write_bytes(content)
    assert program("user", "add", "ada", "--new-password-file", home / "bad").code == 2


def test_login_by_name_and_password_from_stdin(program) -> None:
    assert program("--password-file", "-", "user", "add", "ada", stdin=f"{PASSWORD}\n").code == 0
    answer = program("--user", "ada", "--password-file", "-", "user", "list", "--json", stdin=f"{PASSWORD}\n")
    assert [user["name"] for user in answer.document] == ["ada"]


def test_a_wrong_password_is_6(admin, other_file) -> None:
    answer = admin("--user", "ada", "--password-file", other_file, "scan", "list")
    assert (answer.code, answer.err) == (6, "netmon-tui: Wrong name or password\n")


def test_the_token_is_private_and_ends_with_logout(admin, home) -> None:
    token = home / "data" / "token"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    kept = token.read_text()
    assert admin("scan", "list").code == 0
    assert admin("logout").code == 0
    assert not token.exists()
    assert admin("scan", "list").code == 6
    token.write_text(kept)
    assert admin("scan", "list").code == 6, "the session itself must be over, not only the file"


def test_the_token_is_not_somebody_elses(admin) -> None:
    assert admin("--user", "eve", "scan", "list").code == 6
    assert admin("--user", "ada", "scan", "list").code == 0


def test_a_token_behind_a_link_is_not_followed(admin, home) -> None:
    token = home / "data" / "token"
    token.rename(home / "elsewhere")
    token.symlink_to(home / "elsewhere")
    assert admin("scan", "list").code == 6


def test_users_live_through_all_verbs(admin, other_file) -> None:
    def state(name: str) -> tuple[str, str]:
        found = {user["name"]: user for user in admin("user", "list", "--json").document}
        return found[name]["role"], found[name]["state"]

    assert (
        admin("user", "add", "eve", "--new-password-file", other_file, "--email", "eve@example.org").code == 0
    )
    assert state("eve") == ("viewer", "active")
    assert admin("user", "role", "eve", "operator").code == 0
    assert state("eve") == ("operator", "active")
    assert admin("user", "disable", "eve").code == 0
    assert state("eve") == ("operator", "disabled")
    assert admin("--user", "eve", "--password-file", other_file, "scan", "list").code == 6
    assert admin("user", "enable", "eve", "--json").document["state"] == "active"
    assert admin("user", "unlock", "eve").code == 0
    assert admin("user", "approve", "eve").code == 2, "nothing to approve"
    assert admin("user", "role", "eve", "emperor").code == 2
    assert admin("user", "disable", "nobody").code == 1


def test_a_viewer_may_not_manage_users_nor_read_the_trail(admin, other_file) -> None:
    admin("user", "add", "eve", "--new-password-file", other_file)
    as_eve = ("--user", "eve", "--password-file", other_file)
    assert admin(*as_eve, "user", "list").code == 6
    assert admin(*as_eve, "audit", "list").code == 6
    assert admin(*as_eve, "scan", "run", "127.0.0.1").code == 6


def test_ones_own_password_needs_the_current_one(admin, password_file, other_file) -> None:
    assert admin("user", "password", "ada", "--new-password-file", other_file).code == 2
    wrong = admin("--user", "ada", "--password-file", other_file, "user", "password", "ada")
    assert wrong.code == 6
    changed = admin(
        "--user", "ada", "--password-file", "-", "user", "password", "ada", "--new-password-file", "-",
        stdin=f"{PASSWORD}\n{OTHER}\n",
    )  # fmt: skip
    assert changed.code == 0, changed.err
    assert admin("scan", "list").code == 6, "the sessions are ended"
    assert admin("--user", "ada", "--password-file", other_file, "scan", "list").code == 0


def test_the_trail_tells_who_did_what(admin) -> None:
    admin("user", "list")
    events = admin("audit", "list", "--json").document
    assert set(events[0]) == {"id", "time", "actor", "action", "subject", "detail"}
    assert {"user.create", "login", "session.start"} <= {event["action"] for event in events}
    assert len(admin("audit", "list", "--limit", "1", "--json").document) == 1
    assert "user.create" in admin("audit", "list").out
