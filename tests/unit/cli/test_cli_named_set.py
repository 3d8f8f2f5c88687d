"""``target-set``, ``port-set`` and ``user limits`` from the command line, with their refusals and exit codes."""

from __future__ import annotations

import pytest

from netmon_tui.runtime.tool_paths import find_tool
from tests.unit.cli.conftest import Program

needs_nmap = pytest.mark.skipif(find_tool("nmap") is None, reason="nmap is not installed")


@pytest.fixture
def bo(admin, password_file) -> Program:
    """The program as bo, an operator."""
    admin("user", "add", "bo", "--role", "operator", "--new-password-file", password_file)
    return lambda *arguments: admin("--user", "bo", "--password-file", password_file, *arguments)


def test_the_life_of_a_set(admin) -> None:
    added = admin("target-set", "add", "servers", "10.0.0.1", "10.0.1.0/24", "--json").document
    assert added == {
        "name": "servers",
        "targets": "10.0.0.1 10.0.1.0/24",
        "description": "",
        "owner": "ada",
        "shared": False,
    }
    assert admin("target-set", "show", "@SERVERS", "--json").document == added
    assert "targets  10.0.0.1 10.0.1.0/24\n" in admin("target-set", "show", "servers").out
    changed = admin("target-set", "edit", "servers", "10.0.0.9", "--name", "room", "--json").document
    assert (changed["name"], changed["targets"]) == ("room", "10.0.0.9")
    assert admin("target-set", "copy", "room", "room-2", "--json").document["targets"] == "10.0.0.9"
    assert admin("target-set", "delete", "room").err == "room: deleted\n"
    assert [one["name"] for one in admin("target-set", "list", "--json").document] == ["room-2"]
    assert admin("port-set", "list", "--json").document == []
    assert admin("port-set", "add", "web", "T:80,443", "U:53", "--json").document["ports"] == "T:80,443,U:53"


@needs_nmap
def test_a_scan_takes_sets_and_says_so(admin) -> None:
    admin("target-set", "add", "servers", "127.0.0.1", "127.0.0.2")
    admin("port-set", "add", "web", "80,443")
    answer = admin("scan", "run", "@servers", "127.0.0.3", "--args", "-sT -p @web", "--dry-run")
    assert "-p80,443" in answer.out
    assert answer.out.endswith(" -- 127.0.0.1 127.0.0.2 127.0.0.3\n")
    ran = admin("scan", "run", "@servers", "--args", "-sL", "--json").document
    assert (ran["targets"], ran["sets"]) == (["127.0.0.1", "127.0.0.2"], ["target set @servers"])
    assert "sets        target set @servers\n" in admin("scan", "show", str(ran["id"])).out


def test_others_use_what_is_shared(admin, bo) -> None:
    bo("port-set", "add", "web", "80", "--share", "--description", "Pages.")
    (line,) = (line for line in admin("port-set", "list").out.splitlines() if "web" in line)
    assert line.split() == ["bo/web", "80", "bo", "yes", "Pages."]
    expected = '[[port-set]]\nname = "web"\nports = "80"\ndescription = "Pages."\n'
    assert admin("port-set", "export", "bo/web").out == bo("port-set", "export").out == expected
    assert bo("port-set", "share", "web", "--off", "--json").document["shared"] is False
    assert admin("port-set", "show", "bo/web").code == 2


def test_import_takes_the_whole_file_or_nothing(admin, home) -> None:
    file = home / "sets.toml"
    good = '[[target-set]]\nname = "a"\ntargets = "10.0.0.1"\n'
    file.write_text(good + good.replace('"a"', '"b"').replace("10.0.0.1", "--script=x"))
    answer = admin("target-set", "import", file)
    assert answer.code == 2
    assert "target set 2, 'b', is refused" in answer.err
    assert admin("target-set", "list", "--json").document == []
    file.write_text(good)
    assert admin("target-set", "import", file).err == "1 target set imported\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["target-set", "add", "servers"], "No targets"),
        (["target-set", "add", "a b", "10.0.0.1"], "no name of a set"),
        (["target-set", "add", "servers", "--", "-oN"], "never begins with '-'"),
        (["target-set", "add", "servers", "10.0.0.1 " * 111_112], "characters are too many for a target set"),
        (["target-set", "add", "servers", "[b]x[/]\x1b[31m"], "is not allowed in one"),
        (["port-set", "add", "web", "@other"], "cannot have another set"),
        (["port-set", "add", "web", "22 -oN x"], "is not a port"),
        (["port-set", "edit", "web"], "nothing to change"),
        (["port-set", "show", "web"], "you have none, and nobody shares one"),
        (["user", "limits", "ada", "--never-scan", "-oN"], "never begins with '-'"),
        (["user", "limits", "ada", "--maximum-rate", "-5"], "is no rate"),
        (["user", "limits", "ada", "--maximum-rate", "fast"], "not a valid integer"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_what_is_refused_is_explained_and_leaves_nothing(admin, arguments, words) -> None:
    answer = admin(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert words in answer.err
    assert "\x1b" not in answer.err
    assert admin("target-set", "list", "--json").document == []


@needs_nmap
def test_limits_are_shown_set_and_held_to(admin, bo) -> None:
    assert "nothing of their own" in bo("user", "limits", "bo").out
    admin("user", "limits", "bo", "--never-scan", "127.0.0.2 srv.example", "--maximum-rate", "50")
    found = bo("user", "limits", "bo", "--json").document
    assert (found["never_scan"], found["maximum_rate"]) == (["127.0.0.2", "srv.example"], 50)
    for arguments in (("ada",), ("bo", "--never-scan", "")):
        assert bo("user", "limits", *arguments).code == 6
    answer = bo("scan", "run", "127.0.0.0/30", "--args", "-sL", "--dry-run")
    assert "--exclude 127.0.0.2,srv.example --max-rate 50" in answer.out
    assert "never scanned: 127.0.0.2 srv.example\n" in answer.err
    plan = bo("scan", "run", "127.0.0.0/30", "--args", "-sL", "--dry-run", "--json").document
    assert plan["never_scanned"] == ["127.0.0.2", "srv.example"]
    assert bo("scan", "run", "127.0.0.2", "--args", "-sL").code == 2
    admin("user", "limits", "bo", "--never-scan", "")
    assert bo("scan", "run", "127.0.0.2", "--args", "-sL").code == 0


def test_help_of_verbs_that_kinds_share_is_true_of_each(admin) -> None:
    for kind in (("profile",), ("target-set",), ("capture", "filter")):
        assert "what was made with it stays" in admin(*kind, "delete", "--help").out
    assert "edit [OPTIONS] NAME [CONTENT]..." in admin("port-set", "edit", "--help").out
    assert "add [OPTIONS] NAME CONTENT..." in admin("port-set", "add", "--help").out


def test_help_names_every_reason_for_exit_status_5(admin) -> None:
    assert "no room" in " ".join(admin("--help").out.split())
