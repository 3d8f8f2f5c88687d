"""``config``, ``doctor`` and ``database``: what works without a login, and what it says about trouble."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from tests.bench.generate_pcap import generate


def test_config_path_names_the_places_and_makes_none(program, home) -> None:
    found = program("config", "path", "--json").document
    assert found["data"] == str(home / "data")
    assert found["database"] == str(home / "data" / "netmon.db")
    assert set(found) == {"config", "data", "database", "log"}
    assert list(home.iterdir()) == []


def test_config_init_writes_what_config_show_reads(program, home) -> None:
    file = home / "new" / "config.toml"
    assert program("--config", file, "config", "init").code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text()
    assert program("--config", file, "config", "init").code == 2
    assert file.read_text() == text
    file.write_text(text.replace("# idle_lock_minutes = 10", "idle_lock_minutes = 3"))
    shown = program("--config", file, "config", "show", "--json").document
    (setting,) = [row for row in shown if row["name"] == "accounts.idle_lock_minutes"]
    assert setting == {"name": "accounts.idle_lock_minutes", "value": 3, "source": f"file {file}"}


def test_a_wrong_setting_stops_what_needs_it(program, home) -> None:
    file = home / "config.toml"
    file.write_text("[accounts]\nidle_lock_minuets = 3\n")
    answer = program("--config", file, "config", "show")
    assert answer.code == 2
    assert "did you mean accounts.idle_lock_minutes?" in answer.err
    assert program("--config", file, "config", "path").code == 0


def test_a_flag_is_stronger_than_the_environment(program, monkeypatch) -> None:
    monkeypatch.setenv("NETMON_TUI_LOGGING_LEVEL", "error")
    rows = program("--set", "logging.level=debug", "config", "show", "--json").document
    level = next(row for row in rows if row["name"] == "logging.level")
    assert (level["value"], level["source"]) == ("debug", "flag logging.level")
    for wrong in ("logging.level", "logging.levl=debug", "logging.level=loud"):
        assert program("--set", wrong, "config", "show").code == 2


def by_name(answer) -> dict[str, dict[str, str]]:
    checks = answer.document["checks"]
    assert all(set(check) == {"name", "status", "detail", "fix"} for check in checks)
    return {check["name"]: check for check in checks}


def test_doctor_needs_no_login(program) -> None:
    answer = program("doctor", "--json")
    found = by_name(answer)
    assert {"nmap", "tcpdump", "tshark", "privileges", "terminal", "data directory", "database"} <= set(found)
    assert "times of presence" in found["neighbour history"]["detail"]
    assert found["database"]["status"] == "ok"
    failed = [check for check in found.values() if check["status"] == "fail"]
    assert bool(failed) == bool(answer.code)


def test_doctor_without_tools_says_which_and_exits_with_3(program, monkeypatch) -> None:
    monkeypatch.setattr("netmon_tui.services.doctor.find_tool", lambda name: None)
    answer = program("doctor", "--json")
    assert answer.code == 3
    assert by_name(answer)["nmap"] == {
        "name": "nmap",
        "status": "fail",
        "detail": "missing: no scans",
        "fix": "sudo apt-get install nmap",
    }
    text = program("doctor").out
    assert "fail  nmap" in text
    assert "-> sudo apt-get install nmap" in text


def test_doctor_tells_why_the_database_cannot_be_opened(program, home) -> None:
    assert program("doctor").code in (0, 3)
    (home / "data" / "netmon.db").write_bytes(b"this is no database, whatever its name says" * 50)
    answer = program("doctor", "--json")
    assert answer.code == 5
    assert by_name(answer)["database"]["status"] == "fail"
    assert "damaged" in by_name(answer)["database"]["detail"]


def test_doctor_reports_wrong_settings(program, home) -> None:
    file = home / "config.toml"
    file.write_text("[nonsense]\n")
    answer = program("--config", file, "doctor", "--json")
    assert by_name(answer)["settings"]["status"] == "fail"
    assert answer.code == 2


def test_upgrade_makes_the_database_and_check_finds_it_whole(program, home) -> None:
    made = program("database", "upgrade", "--json").document
    assert made["database"] == str(home / "data" / "netmon.db")
    assert program("database", "check", "--json").document["ok"] is True
    assert program("database", "check").code == 0


def test_a_newer_database_is_refused_with_5(program, home) -> None:
    program("database", "upgrade")
    with sqlite3.connect(home / "data" / "netmon.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    answer = program("database", "check")
    assert answer.code == 5
    assert "9999" in answer.err


def test_check_finds_a_broken_reference(program, home) -> None:
    program("database", "upgrade")
    with sqlite3.connect(home / "data" / "netmon.db") as connection:
        connection.execute(
            "INSERT INTO login_sessions (user_id, token_hash, created, expires) VALUES (99, 'x', 0, 0)"
        )
    answer = program("database", "check", "--json")
    assert answer.code == 5
    assert answer.document["problems"] == ["foreign key of login_sessions"]


def test_backup_is_for_administrators_and_whole(admin, home, password_file) -> None:
    copy = home / "copy.db"
    admin("user", "add", "eve", "--role", "operator", "--new-password-file", password_file)
    as_eve = ("--user", "eve", "--password-file", password_file)
    assert admin(*as_eve, "database", "backup", copy).code == 6
    assert not copy.exists()
    assert admin("database", "backup", copy).code == 0
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with sqlite3.connect(copy) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (2,)
    assert admin("database", "backup", copy).code == 2, "an existing file is left alone"
    assert admin("audit", "list", "--json").document[0]["action"] == "database.backup"


@pytest.mark.parametrize("place", ["no/such/file", "folder", "file/copy.db", "x" * 300, "link"])
def test_all_that_write_to_a_place_refuse_a_bad_one_alike(admin, home, place) -> None:
    generate(home / "made.pcap", 3)
    assert admin("capture", "import", home / "made.pcap").code == 0
    assert admin("scan", "import", Path(__file__).parents[2] / "snapshots" / "office.xml").code == 0
    (home / "folder").mkdir()
    (home / "file").touch()
    (home / "link").symlink_to(home / "nothing")
    bad = home / place
    for command in (
        ("database", "backup", bad),
        ("capture", "export", 1, "--output", bad),
        ("scan", "export", 1, "--format", "xml", "--output", bad),
        ("neighbour", "export", "--format", "csv", "--output", bad),
        ("scan", "map", 1, "--format", "dot", "--output", bad),
    ):
        answer = admin(*command)
        assert answer.code == 2 and str(bad) in answer.err, (command, answer)
        assert answer.err.count("\n") == 2, "what is wrong, and what helps"
    assert not (home / "nothing").exists()


@pytest.mark.parametrize("command", [["database", "backup", "x"], ["job", "list"], ["neighbour", "list"]])
def test_the_rest_needs_a_login(program, command) -> None:
    assert program(*command).code == 6
