"""``profile``: own scan profiles from the command line, with their files, refusals and exit codes."""

from __future__ import annotations

import stat

import pytest

from tests.unit.cli.conftest import Program

KEYS = {"name", "arguments", "description", "owner", "shared"}


@pytest.fixture
def bo(admin, password_file) -> Program:
    """The program as bo, an operator."""
    admin("user", "add", "bo", "--role", "operator", "--new-password-file", password_file)
    return lambda *arguments: admin("--user", "bo", "--password-file", password_file, *arguments)


def own(program: Program) -> list[str]:
    """Names of what is not Zenmap's."""
    return [p["name"] for p in program("profile", "list", "--json").document if p["owner"] != "Zenmap"]


def test_the_life_of_a_profile(admin) -> None:
    added = admin(
        "profile", "add", "Night", "--args", "-sn  -T2", "--description", "Slow.", "--json"
    ).document
    assert added == {
        "name": "Night",
        "arguments": "-sn -T2",
        "description": "Slow.",
        "owner": "ada",
        "shared": False,
    }
    assert admin("profile", "show", "night", "--json").document == added
    assert "arguments    -sn -T2\n" in admin("profile", "show", "NIGHT").out
    changed = admin("profile", "change", "night", "--name", "Day", "--json").document
    assert changed == added | {"name": "Day"}
    changed = admin("profile", "change", "day", "--args", "-F", "--description", "", "--json").document
    assert changed == added | {"name": "Day", "arguments": "-F", "description": ""}
    assert admin("profile", "copy", "Ping scan", "Ping of mine", "--json").document["arguments"] == "-sn"
    assert own(admin) == ["Day", "Ping of mine"]
    assert admin("profile", "delete", "day").err == "Day: deleted\n"
    assert own(admin) == ["Ping of mine"]


def test_sharing_and_the_names_of_others(admin, bo) -> None:
    bo("profile", "add", "Night", "--args", "-sn", "--share")
    assert [set(p) == KEYS for p in admin("profile", "list", "--json").document] == [True] * 11
    for noun, verb in (("profile", "list"), ("scan", "profiles")):
        (line,) = (line for line in admin(noun, verb).out.splitlines() if "Night" in line)
        assert line.split() == ["bo/Night", "-sn", "bo", "yes"]
    assert admin("scan", "run", "127.0.0.1", "--profile", "bo/night", "--dry-run").code == 0
    assert bo("profile", "share", "night", "--off", "--json").document["shared"] is False
    answer = admin("scan", "run", "127.0.0.1", "--profile", "bo/night", "--dry-run")
    assert (answer.code, answer.out) == (2, "")
    assert own(admin) == []


def test_an_operator_changes_nothing_of_others(admin, bo) -> None:
    admin("profile", "add", "Night", "--args", "-sn", "--share")
    for arguments in (("change", "--args", "-F"), ("delete",), ("share", "--off")):
        answer = bo("profile", arguments[0], "ada/Night", *arguments[1:])
        assert answer.code == 6
        assert "a profile of ada" in answer.err
    assert admin("profile", "show", "Night", "--json").document["arguments"] == "-sn"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add", "Night", "--args", "-oN /tmp/x"], "-oN writes files"),
        (["add", "quick scan", "--args", "-F"], "Zenmap"),
        (["add", "a\x1b[31m", "--args", "-F"], "do not print"),
        (["add", "Night"], "--args"),
        (["show", "Pingg scan"], "did you mean 'Ping scan'"),
        (["change", "Ping scan"], "nothing to change"),
        (["import", "."], "is a directory"),
        (["export"], "no profiles of your own"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_what_is_refused_is_explained_and_leaves_nothing(admin, arguments, words) -> None:
    answer = admin("profile", *arguments)
    assert answer.code in (1, 2)
    assert words in answer.err
    assert "\x1b" not in answer.err
    assert own(admin) == []


def test_export_to_stdout_and_into_a_file(admin, bo, home) -> None:
    admin("profile", "add", "Büro", "--args", "-sT", "--share")
    expected = '[[profile]]\nname = "Büro"\narguments = "-sT"\ndescription = ""\n'
    assert admin("profile", "export").out == bo("profile", "export", "ada/büro").out == expected
    file = home / "own.toml"
    assert admin("profile", "export", "--output", file).code == 0
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == (expected, 0o600)
    assert admin("profile", "export", "--output", file).code == 2


def test_import_takes_the_whole_file_or_nothing(admin, home) -> None:
    file = home / "own.toml"
    good = '[[profile]]\nname = "Day"\narguments = "-F"\n'
    file.write_text(good + good.replace("Day", "Night").replace("-F", "-oN x"))
    answer = admin("profile", "import", file)
    assert answer.code == 2
    assert "profile 2, 'Night', is refused: -oN writes files" in answer.err
    assert own(admin) == []
    file.write_text(good)
    assert admin("profile", "import", file).err == "1 profile imported\n"
    answer = admin("profile", "import", file)
    assert answer.code == 2
    assert "--replace" in answer.err
    file.write_text(good.replace("-F", "-sL"))
    (stored,) = admin("profile", "import", "--replace", file, "--json").document
    assert stored["arguments"] == "-sL"
    assert own(admin) == ["Day"]
