"""The program in this process: a fresh home, an administrator, and what a call printed."""

from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from netmon_tui.cli.main import main
from tests.conftest import PASSWORD


@dataclass(frozen=True)
class Answer:
    """What a call printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


Program = Callable[..., Answer]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new user's home: no settings, an empty data directory that does not exist yet."""
    for name in ("NETMON_TUI_USER", "NETMON_TUI_PASSWORD_FILE", "SUDO_UID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETMON_TUI_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("NETMON_TUI_CONFIG", "")
    return tmp_path


@pytest.fixture
def program(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Program:
    """Calls the program; ``stdin`` is what is piped into it."""

    def call(*arguments: str | Path, stdin: str = "") -> Answer:
        piped = io.TextIOWrapper(io.BytesIO(stdin.encode()))
        monkeypatch.setattr(sys, "stdin", piped)
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Answer(code, printed.out, printed.err)

    return call


@pytest.fixture
def password_file(home: Path) -> Path:
    """A file with :data:`PASSWORD`."""
    file = home / "password"
    file.write_text(PASSWORD + "\n")
    return file


@pytest.fixture
def admin(program: Program, data_of_ada: Path, home: Path) -> Program:
    """The program with an administrator, ada, who is logged in."""
    shutil.copytree(data_of_ada, home / "data")
    return program
