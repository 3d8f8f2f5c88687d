"""A data directory with an administrator for every test, and the lab it is used in."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from netmon_tui.cli.main import main
from tests.faults.program import Answer, Site
from tests.lab.network import Lab

Program = Callable[..., Answer]


@pytest.fixture
def data(tmp_path: Path, data_of_ada: Path) -> Path:
    """A fresh data directory in which ada is logged in."""
    shutil.copytree(data_of_ada, tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def site(lab: Lab, data: Path) -> Site:
    """The programs on the session's lab."""
    return Site(lab, data)


@pytest.fixture
def own_site(own_lab: Lab, data: Path) -> Site:
    """The programs on a lab of this test's own."""
    return Site(own_lab, data)


@pytest.fixture
def program(data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Program:
    """Calls the program in this process, where a word may also be what no shell could pass."""
    for name in [name for name in os.environ if name.startswith("NETMON_TUI")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NETMON_TUI_DATA_DIR", str(data))
    monkeypatch.setenv("NETMON_TUI_CONFIG", "")
    monkeypatch.chdir(data.parent)

    def call(*arguments: str | Path) -> Answer:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Answer(code, printed.out, printed.err)

    return call
