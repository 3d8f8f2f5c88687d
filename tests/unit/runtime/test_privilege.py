from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from netmon_tui.runtime.privilege import (
    CAP_NET_ADMIN,
    CAP_NET_RAW,
    Privilege,
    file_capabilities,
    parse_capability_attribute,
    probe,
)
from netmon_tui.runtime.tool_paths import find_tool

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can try other rights")
BOTH = 1 << CAP_NET_RAW | 1 << CAP_NET_ADMIN


def probe_under(*prefix: str, path: str = "") -> str:
    """What a new interpreter with other rights finds, as the repr of its Privilege."""
    code = "from netmon_tui.runtime.privilege import probe; print(probe())"
    environment = {"PATH": path or os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    command = [*prefix, sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=Path.cwd())
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("length", [12, 20, 24])
def test_the_attribute_is_read_in_each_of_its_revisions(length: int) -> None:
    value = struct.pack("<IIIIII", 0x02000001, BOTH, 0, 0, 0, 0)[:length]
    assert parse_capability_attribute(value) == BOTH


def test_rights_that_are_not_effective_are_none() -> None:
    assert parse_capability_attribute(struct.pack("<IIIII", 0x02000000, BOTH, 0, 0, 0)) == 0


@pytest.mark.parametrize("value", [b"", b"\x01", bytes(11)])
def test_a_damaged_attribute_gives_nothing(value: bytes) -> None:
    assert parse_capability_attribute(value) == 0


def test_no_file_gives_nothing() -> None:
    assert file_capabilities(None) == 0
    assert file_capabilities("/nonexistent") == 0


@needs_root
def test_root_may_everything() -> None:
    found = probe()
    assert found == Privilege(
        "root",
        *[True] * 3,
        nmap_needs_flag=False,
        can_edit_neighbours=True,
        can_capture_by_dumpcap=find_tool("dumpcap") is not None,
        no_new_privileges=found.no_new_privileges,
    )


@needs_root
@pytest.mark.lab
def test_root_without_the_capabilities_may_not() -> None:
    found = probe_under("capsh", "--drop=cap_net_raw,cap_net_admin", "--", "-c", 'exec "$@"', "x")
    assert "word='unprivileged', can_scan_raw=False, can_capture=False" in found


def as_nobody(*more: str, extra: str = "") -> list[str]:
    """How to start something as nobody, who may read files: this interpreter may lie where only root can."""
    rights = f"+dac_read_search{extra}"
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    return [*user, f"--inh-caps={rights}", f"--ambient-caps={rights}", *more]


@needs_root
@pytest.mark.lab
def test_an_ordinary_user_may_not() -> None:
    found = probe_under(*as_nobody())
    assert "word='unprivileged', can_scan_raw=False, can_capture=False" in found
    assert "nmap_needs_flag=False" in found


@needs_root
@pytest.mark.lab
def test_an_ambient_capability_is_handed_on() -> None:
    found = probe_under(*as_nobody(extra=",+net_raw"))
    assert "word='cap_net_raw', can_scan_raw=True, can_capture=True" in found
    assert "can_count_in_kernel=True, nmap_needs_flag=True" in found


@needs_root
@pytest.mark.lab
def test_file_capabilities_of_one_tool_help_that_tool_only(public_directory: Path) -> None:
    directory = public_directory
    tool = directory / "tcpdump"
    shutil.copy("/bin/true", tool)
    try:
        os.setxattr(tool, "security.capability", struct.pack("<IIIII", 0x02000001, BOTH, 0, 0, 0))
    except OSError as error:
        pytest.skip(f"this file system keeps no capabilities: {error}")
    found = probe_under(*as_nobody(), path=f"{directory}:/usr/bin")
    assert "word='cap_net_raw', can_scan_raw=False, can_capture=True" in found
    assert "can_count_in_kernel=False" in found
    hindered = probe_under(*as_nobody("--no-new-privs"), path=f"{directory}:/usr/bin")
    assert "word='unprivileged', can_scan_raw=False, can_capture=False" in hindered
