"""The program as a shell starts it: what it answers before any screen, and how it ends."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from netmon_tui import __version__

PROGRAM = [sys.executable, "-m", "netmon_tui"]


def start(*arguments: str, **keywords) -> subprocess.CompletedProcess[str]:
    keywords.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, timeout=60, **keywords)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The surroundings of a new user: an empty home, no settings of ours."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("NETMON_", "XDG_"))}
    return ours | {
        "HOME": str(tmp_path),
        "NETMON_TUI_DATA_DIR": str(tmp_path / "data"),
        "TERM": "xterm-256color",
    }


def test_version_is_printed() -> None:
    answer = start("--version")
    assert (answer.stdout, answer.stderr, answer.returncode) == (f"netmon-tui {__version__}\n", "", 0)


def test_console_script_is_the_same_program() -> None:
    script = Path(sys.executable).with_name("netmon-tui")
    answer = subprocess.run([script, "--version"], capture_output=True, text=True, timeout=60)
    assert answer.stdout == start("--version").stdout


def test_without_a_terminal_there_is_a_hint(environment: dict[str, str]) -> None:
    answer = start(env=environment)
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert "terminal" in answer.stderr
    assert "\x1b" not in answer.stderr, "drew a screen into a file"
    assert "Traceback" not in answer.stderr


def test_without_a_terminal_nothing_is_created(environment: dict[str, str], tmp_path: Path) -> None:
    start(env=environment)
    assert list(tmp_path.rglob("*")) == []


def test_unknown_command_is_a_usage_error(environment: dict[str, str]) -> None:
    answer = start("frobnicate", env=environment)
    assert answer.returncode == 2
    assert "frobnicate" in answer.stderr


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_reader_that_went_away_is_no_traceback(option: str, environment: dict[str, str]) -> None:
    environment.pop("PYTHONUNBUFFERED", None)  # the last flush is what fails
    reader, writer = os.pipe()
    os.close(reader)
    command = [*PROGRAM, option]
    try:
        ended = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=subprocess.PIPE,
            env=environment,
            timeout=60,
        )
    finally:
        os.close(writer)
    assert ended.stderr == b""
    assert ended.returncode in {1, 130}  # click answers a broken pipe itself, with 1


def test_closed_output_is_no_traceback(environment: dict[str, str]) -> None:
    """As ``netmon-tui --version >&-`` does it: Python has no standard output then."""
    script = 'exec "$0" -m netmon_tui --version >&-'
    command = ["/bin/sh", "-c", script, sys.executable]
    ended = subprocess.run(command, stderr=subprocess.PIPE, env=environment, timeout=60)
    assert (ended.stderr, ended.returncode) == (b"", 0)


def test_interrupt_ends_quietly() -> None:
    """Ctrl-C while the command line works: a stand-in for it raises what Python raises then."""
    script = (
        "import sys, types\n"
        "def main(arguments): raise KeyboardInterrupt\n"
        "sys.modules['netmon_tui.cli.main'] = types.SimpleNamespace(main=main)\n"
        "sys.argv = ['netmon-tui', 'job', 'list']\n"
        "from netmon_tui.__main__ import main\n"
        "sys.exit(main())\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (ended.stdout, ended.stderr, ended.returncode) == ("", "", 130)
