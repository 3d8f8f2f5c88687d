"""The frame of the command line: nouns, usage, exit codes and what is said about errors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from netmon_tui import errors
from netmon_tui.cli import main as frame

VERBS = {
    "user": {"add", "list", "password", "role", "disable", "enable", "unlock", "approve", "limits"},
    "scan": {
        "run",
        "list",
        "show",
        "stop",
        "delete",
        "import",
        "export",
        "profiles",
        "diff",
        "pause",
        "continue",
        "resume",
        "skip",
        "map",
        "history",
        "search",
        "scripts",
        "pin",
    },
    "ignore": {"list", "add", "delete", "on", "off"},
    "profile": {"list", "show", "add", "change", "copy", "delete", "share", "export", "import"},
    "target-set": {"list", "show", "add", "edit", "copy", "delete", "share", "export", "import"},
    "port-set": {"list", "show", "add", "edit", "copy", "delete", "share", "export", "import"},
    "neighbour": {
        "list",
        "show",
        "events",
        "acknowledge",
        "mute",
        "mutes",
        "unmute",
        "hooks",
        "sweep",
        "watch",
        "export",
        "add",
        "replace",
        "delete",
        "flush",
        "undo",
        "edits",
        "wake",
        "devices",
        "device",
        "mark",
        "unmark",
        "import",
    },
    "capture": {
        "again",
        "analyse",
        "questions",
        "find",
        "talkers",
        "follow",
        "keys",
        "import",
        "keep",
        "mark",
        "marks",
        "matches",
        "merge",
        "name",
        "note",
        "slice",
        "tag",
        "usage",
        "filter",
        "display-filter",
        "interfaces",
        "run",
        "list",
        "show",
        "stop",
        "delete",
        "columns",
        "packets",
        "packet",
        "export",
        "stream",
        "verify",
    },
    "job": {"list"},
    "audit": {"list"},
    "database": {"upgrade", "check", "backup"},
    "config": {"path", "show", "init"},
}


@pytest.mark.parametrize("noun", VERBS)
def test_every_promised_verb_is_there(noun) -> None:
    command = frame.cli.get_command(click.Context(frame.cli), noun)
    assert set(command.commands) == VERBS[noun]


def every_command():
    context = click.Context(frame.cli)
    for noun in frame.cli.list_commands(context):
        command = frame.cli.get_command(context, noun)
        yield (noun,)
        for verb in getattr(command, "commands", ()):
            yield (noun, verb)


@pytest.mark.parametrize("command", every_command(), ids=" ".join)
def test_every_command_explains_itself_without_a_data_directory(program, home, command) -> None:
    answer = program(*command, "--help")
    assert answer.code == 0
    assert f"Usage: netmon-tui {' '.join(command)}" in answer.out
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [["frobnicate"], ["scan", "frobnicate"], ["scan", "run"], ["scan", "show", "seven"], ["--nonsense"]],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2_and_says_so(program, home, arguments) -> None:
    answer = program(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert "Error:" in answer.err
    assert list(home.iterdir()) == []


def test_without_a_noun_a_terminal_is_needed(program, home) -> None:
    answer = program()
    assert answer.code == 2
    assert "terminal" in answer.err
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["scan", "list"], 6),
        (["--user", "nobody", "scan", "list"], 6),
        (["--password-file", "/dev/null", "scan", "list"], 6),
        (["--config", "/nonexistent.toml", "scan", "list"], 2),
        (["--data-dir", "/dev/null/x", "scan", "list"], 5),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_missing_has_its_exit_code_and_a_fix(program, arguments, code) -> None:
    answer = program(*arguments)
    assert (answer.code, answer.out) == (code, "")
    first, second = answer.err.splitlines()
    assert first.startswith("netmon-tui: ")
    assert second.startswith("  ")


def raise_in_a_command(monkeypatch, error: BaseException) -> None:
    def raising(*_, **__):
        secret = "the password"
        raise error from None if secret else error

    monkeypatch.setattr("netmon_tui.cli.context.CommandLine.run", raising)


@pytest.mark.parametrize(
    "kind", [errors.ToolMissing, errors.PrivilegeMissing, errors.DatabaseLocked, errors.NotAllowed]
)
def test_an_error_of_ours_ends_with_its_own_code(program, monkeypatch, kind) -> None:
    raise_in_a_command(monkeypatch, kind("it went", why="because", fix="do that"))
    answer = program("scan", "list")
    assert answer.code == kind.exit_code
    assert answer.err == "netmon-tui: it went: because\n  do that\n"


def test_hostile_words_in_an_error_do_not_reach_the_terminal(program, monkeypatch) -> None:
    raise_in_a_command(monkeypatch, errors.ToolFailed("bad \x1b[31m name", why="a\nb"))
    answer = program("scan", "list")
    assert answer.err == "netmon-tui: bad \\x1b[31m name: a\\nb\n"


def test_interrupt_is_130(program, monkeypatch) -> None:
    raise_in_a_command(monkeypatch, KeyboardInterrupt())
    assert program("scan", "list").code == 130


def test_a_defect_is_one_line_and_its_traceback_in_the_log_has_no_values(program, home, monkeypatch) -> None:
    raise_in_a_command(monkeypatch, ZeroDivisionError("odd"))
    answer = program("scan", "list")
    log = home / "data" / "log" / "netmon-tui.log"
    assert answer.code == 1
    assert answer.err == f"netmon-tui: unexpected ZeroDivisionError: odd\n  details in {log}\n"
    written = log.read_text()
    assert "Traceback" in written
    assert "raise_in_a_command" in written or "in raising" in written
    assert "'the password'" not in written


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(program, shell) -> None:
    answer = program("completion", shell)
    assert answer.code == 0
    assert "_NETMON_TUI_COMPLETE" in answer.out
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=answer.out, text=True, check=True)


def test_completion_knows_the_verbs(home) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "netmon_tui"],
        env={"_NETMON_TUI_COMPLETE": "bash_complete", "COMP_WORDS": "netmon-tui scan pro", "COMP_CWORD": "2"},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "plain,profiles" in answer.stdout.splitlines()
