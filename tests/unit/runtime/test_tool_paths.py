from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from netmon_tui.errors import ToolFailed, ToolMissing
from netmon_tui.runtime.tool_paths import find_tool, require_tool, tool_version


def program(directory: Path, name: str, text: str = "#!/bin/sh\necho 9.99\n", mode: int = 0o755) -> Path:
    directory.mkdir(exist_ok=True)
    directory.chmod(0o755)
    path = directory / name
    path.write_text(text)
    path.chmod(mode)
    return path


def test_path_comes_first_and_the_system_directories_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = program(tmp_path / "bin", "sh")
    monkeypatch.setenv("PATH", str(own.parent))
    assert find_tool("sh") == str(own)
    monkeypatch.setenv("PATH", "")
    assert find_tool("sh") in ("/usr/bin/sh", "/bin/sh")


@pytest.mark.parametrize("mode", [0o777, 0o644])
def test_a_program_others_may_change_or_nobody_may_run_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    own = program(tmp_path / "bin", "tool-of-nobody", mode=mode)
    monkeypatch.setenv("PATH", str(own.parent))
    assert find_tool("tool-of-nobody") is None


def test_a_program_in_a_directory_for_everybody_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = program(tmp_path / "bin", "tool-of-nobody")
    own.parent.chmod(0o1777)
    monkeypatch.setenv("PATH", str(own.parent))
    assert find_tool("tool-of-nobody") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_program_of_another_user_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = program(tmp_path / "bin", "tool-of-nobody")
    os.chown(own, 65_534, 65_534)
    monkeypatch.setenv("PATH", str(own.parent))
    assert find_tool("tool-of-nobody") is None


def test_relative_parts_of_path_are_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "bin", "tool-of-nobody")
    monkeypatch.chdir(tmp_path / "bin")
    monkeypatch.setenv("PATH", ".:")
    assert find_tool("tool-of-nobody") is None


def test_a_missing_tool_says_how_to_get_it() -> None:
    with pytest.raises(ToolMissing, match="apt install no-such-tool"):
        require_tool("no-such-tool")


@pytest.mark.lab
@pytest.mark.parametrize("name", ["nmap", "tcpdump", "tshark"])
def test_the_tools_say_their_versions(name: str) -> None:
    if not find_tool(name):
        pytest.skip(f"{name} is not installed")
    assert re.fullmatch(r"\d+\.\d+[\w.]*", tool_version(name))


def test_a_version_is_asked_for_again_when_the_file_changed(
    public_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = program(public_directory, "tcpdump", "#!/bin/sh\necho tcpdump version 4.1.2\n")
    monkeypatch.setenv("PATH", str(own.parent))
    assert tool_version("tcpdump") == "4.1.2"
    own.write_text("#!/bin/sh\necho tcpdump version 5.0\n")
    os.utime(own, ns=(1, 1))
    assert tool_version("tcpdump") == "5.0"


def test_a_tool_without_a_version_is_doubted(public_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = program(public_directory, "tcpdump", "#!/bin/sh\necho hello\n")
    monkeypatch.setenv("PATH", str(own.parent))
    with pytest.raises(ToolFailed, match="version"):
        tool_version("tcpdump")
