"""What needs a terminal: hidden prompts, the line of progress, and what is refused there."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from tests.conftest import PASSWORD

ROOT = Path(__file__).parents[3]
Terminal = Callable[..., pexpect.spawn]


@pytest.fixture
def terminal(home: Path) -> Terminal:
    """Starts the program in a terminal of 80 columns."""

    def start(*arguments: str, **environment: str) -> pexpect.spawn:
        return pexpect.spawn(
            sys.executable,
            ["-m", "netmon_tui", *arguments],
            cwd=ROOT,
            env=os.environ | {"TERM": "xterm-256color"} | environment,
            encoding="utf-8",
            dimensions=(24, 80),
            timeout=60,
        )

    return start


def finish(child: pexpect.spawn) -> tuple[str, int | None]:
    """The rest of what it prints, and its exit status."""
    child.expect(pexpect.EOF)
    child.close()
    return child.before or "", child.exitstatus


def test_passwords_are_asked_for_and_not_shown(terminal) -> None:
    child = terminal("user", "add", "ada")
    child.expect("New password of ada: ")
    child.sendline(PASSWORD)
    child.expect("Repeat for confirmation: ")
    child.sendline(PASSWORD)
    shown, status = finish(child)
    assert status == 0
    assert "ada (admin): added" in shown
    assert PASSWORD not in shown
    child = terminal("login")
    child.expect("User: ")
    child.sendline("ada")
    child.expect("Password of ada: ")
    child.sendline(PASSWORD)
    shown, status = finish(child)
    assert (status, PASSWORD in shown) == (0, False)
    assert "logged in" in shown


def test_control_c_at_a_prompt_is_130(terminal) -> None:
    child = terminal("user", "add", "ada")
    child.expect("New password of ada: ")
    child.sendintr()
    assert finish(child)[1] == 130


def test_a_stream_onto_a_terminal_is_refused(terminal) -> None:
    shown, status = finish(terminal("capture", "stream", "1"))
    assert status == 2
    assert "binary" in shown


def test_a_dumb_terminal_cannot_show_the_application(terminal, home) -> None:
    shown, status = finish(terminal(TERM="dumb"))
    assert status == 2
    assert "terminal" in shown
    assert list(home.iterdir()) == []


def test_a_table_fits_the_terminal(terminal, home) -> None:
    shown, status = finish(terminal("config", "show"))
    lines = shown.replace("\r", "").splitlines()
    assert status == 0
    assert max(map(len, lines)) <= 80 + len("\x1b[1m\x1b[0m") * 8
    assert any("storage.url" in line for line in lines)
