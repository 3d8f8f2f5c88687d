"""``neighbour events`` and what is done about them, with refusals and exit codes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from netmon_tui.domain.neighbour_event import NeighbourEvent, NeighbourEventKind
from netmon_tui.storage.neighbour_repository import NeighbourNews, NeighbourRepository
from netmon_tui.storage.schema_version import open_database
from tests.unit.cli.conftest import Program

Kind = NeighbourEventKind


def happen(home: Path, *events: tuple[Kind, int]) -> None:
    """Store events; the number makes the address, and the age in hours."""
    database = open_database(f"sqlite:///{home}/data/netmon.db", backups=home)
    now = datetime.now(UTC)
    NeighbourRepository(database).store(
        NeighbourNews(
            events=[
                NeighbourEvent(
                    now - timedelta(hours=n), kind, f"192.0.2.{n}", "eth0", f"b8:27:eb:00:00:{n:02x}",
                    "b8:27:eb:00:01:00", "why [bold]not[/]\x1b[2J",
                )
                for kind, n in events
            ]
        )
    )  # fmt: skip
    database.close()


@pytest.fixture
def told(admin: Program, home: Path) -> Program:
    """The program, with three events."""
    happen(home, (Kind.NEW, 1), (Kind.DUPLICATE, 2), (Kind.CHANGED, 30))
    return admin


def ids(program: Program, *options: str) -> list[int]:
    return [entry["id"] for entry in program("neighbour", "events", *options, "--json").document]


def test_events_are_listed_the_latest_first(told: Program) -> None:
    assert ids(told) == [1, 2, 3]
    first = told("neighbour", "events", "--json").document[0]
    assert first["text"].startswith("b8:27:eb:00:00:01 is new, at 192.0.2.1 on eth0: why")
    assert (first["severity"], first["count"], first["acknowledged"], first["muted"]) == (
        "low",
        1,
        None,
        False,
    )
    printed = told("neighbour", "events").out
    assert "duplicate" in printed
    assert "[bold]not[/]" in printed
    assert "\x1b" not in printed


def test_what_is_asked_for(told: Program) -> None:
    assert ids(told, "--severity", "medium") == [2, 3]
    assert ids(told, "--kind", "changed") == [3]
    assert ids(told, "--address", "192.0.2.2") == [2]
    assert ids(told, "--lladdr", "B827EB000001") == [1]
    assert ids(told, "--lladdr", "b8:27:eb:00:01:00") == [1, 2, 3], "also as the former holder"
    assert ids(told, "--since", "-24h") == [1, 2]
    assert ids(told, "--limit", "1") == [1]


def test_acknowledging(told: Program) -> None:
    assert told("neighbour", "acknowledge", "1", "3").err == "newly acknowledged: 2\n"
    assert ids(told) == [2]
    assert ids(told, "--all") == [1, 2, 3]
    assert told("neighbour", "acknowledge", "--all").err == "newly acknowledged: 1\n"
    assert ids(told) == []
    assert "ada" in told("neighbour", "events", "--all").out


def test_muting(told: Program) -> None:
    answer = told("neighbour", "mute", "--kind", "new", "--address", "192.0.2.1", "--for", "2h", "--json")
    assert (answer.document["id"], answer.document["kind"], answer.document["created_by"]) == (
        1,
        "new",
        "ada",
    )
    assert ids(told) == [2, 3]
    assert ids(told, "--muted") == [1, 2, 3]
    assert told("neighbour", "mute", "--interface", "eth0").err == "mute rule 2: every event on eth0\n"
    assert ids(told) == []
    listed = told("neighbour", "mutes").out
    assert "new of 192.0.2.1" in listed
    assert "always" in listed
    assert [rule["id"] for rule in told("neighbour", "mutes", "--json").document] == [1, 2]
    assert told("neighbour", "unmute", "2").err == "mute rule 2 is deleted\n"
    assert [rule["id"] for rule in told("neighbour", "mutes", "--json").document] == [1]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("acknowledge",), 2, "name their ids, or --all"),
        (("acknowledge", "1", "--all"), 2, "which events?"),
        (("acknowledge", "77"), 1, "no neighbour event 77"),
        (("acknowledge", "0"), 2, "0 is not in the range"),
        (("unmute", "9"), 1, "no mute rule 9"),
        (("mute",), 2, "that would mute every event"),
        (("mute", "--kind", "chang"), 2, "chang"),
        (("mute", "--address", "nowhere"), 2, "is no address"),
        (("mute", "--kind", "new", "--for", "x"), 2, "is no interval"),
        (("events", "--since", "soon"), 2, "is no time"),
        (("events", "--lladdr", "zz"), 2, "is no lladdr"),
        (("events", "--severity", "grave"), 2, "grave"),
        (("hooks", "--test", "mail"), 1, "no hook 'mail'"),
    ],
)
def test_refusals(told: Program, arguments: tuple[str, ...], code: int, said: str) -> None:
    answer = told("neighbour", *arguments)
    assert (answer.code, answer.out) == (code, "")
    assert said in answer.err
    assert ids(told) == [1, 2, 3]


def test_a_viewer_may_look_only(told: Program, password_file: Path) -> None:
    told("user", "add", "vera", "--role", "viewer", "--new-password-file", password_file)
    vera = ("--user", "vera", "--password-file", password_file, "neighbour")
    assert told(*vera, "events", "--json").code == 0
    for words in (("acknowledge", "1"), ("mute", "--kind", "new"), ("unmute", "1"), ("hooks", "--test", "x")):
        assert told(*vera, *words).code == 6


# --- hooks -------------------------------------------------------------------------------------------


@pytest.fixture
def hooks_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NETMON_TUI_CONFIG", str(home / "config.toml"))
    (home / "config.toml").write_text("")
    return home / "hooks.toml"


def write(file: Path, text: str) -> None:
    file.write_text(text)
    file.chmod(0o600)


def test_no_hooks(admin: Program, hooks_file: Path) -> None:
    answer = admin("neighbour", "hooks")
    assert (answer.code, answer.out) == (0, "")
    assert str(hooks_file) in answer.err
    assert admin("neighbour", "hooks", "--json").document == []


def test_hooks_with_what_is_wrong_with_each(admin: Program, hooks_file: Path) -> None:
    url = "https://ada:s3cret@chat.example/s3cret"
    write(
        hooks_file,
        '[[hook]]\nname = "gone"\nkind = "command"\ncommand = ["/nowhere/tell", "s3cret"]\n'
        f'[[hook]]\nname = "chat"\nkind = "webhook"\nurl = "{url}"\nevents = ["duplicate"]\n'
        '[[hook]]\nname = "bad"\nkind = "command"\ncommand = ["/bin/false"]\n',
    )
    failed = admin("neighbour", "hooks", "--test", "bad")
    assert (failed.code, failed.out) == (1, "")
    assert "exit status 1" in failed.err
    printed = admin("neighbour", "hooks").out
    assert "there is no program /nowhere/tell" in printed
    assert "https://chat.example" in printed
    assert "s3cret" not in printed
    gone, chat, bad = admin("neighbour", "hooks", "--json").document
    assert (gone["problem"], chat["problem"]) == ("there is no program /nowhere/tell", "")
    assert (chat["to"], chat["events"], chat["failing"]) == ("https://chat.example", ["duplicate"], False)
    assert (bad["failing"], bad["failures"], bad["failure"]) == (True, 1, "exit status 1")


def test_a_hook_is_tried(admin: Program, hooks_file: Path) -> None:
    write(hooks_file, '[[hook]]\nname = "cat"\nkind = "command"\ncommand = ["/bin/cat"]\n')
    answer = admin("neighbour", "hooks", "--test", "cat")
    assert answer.code == 0
    assert answer.out.startswith('hook cat: {"id": null, ')


def test_a_wrong_file_is_named_with_hook_and_key(admin: Program, hooks_file: Path) -> None:
    write(hooks_file, '[[hook]]\nname = "log"\nkind = "syslog"\nleast = "grave"\n')
    answer = admin("neighbour", "hooks")
    assert answer.code == 2
    assert f"{hooks_file}: hook 1 ('log'): least = 'grave' is not allowed" in answer.err
    assert "allowed is high, medium, low, info" in answer.err
    hooks_file.chmod(0o666)
    answer = admin("neighbour", "hooks")
    assert answer.code == 5
    assert f"chmod go-w {hooks_file}" in answer.err
