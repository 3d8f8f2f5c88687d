"""Captures of an ordinary user to whom only dumpcap was given the right to open interfaces."""

from __future__ import annotations

import json
import os
import shutil
import struct
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from netmon_tui.runtime.privilege import CAP_NET_ADMIN, CAP_NET_RAW
from tests.lab.network import Lab

NOBODY = 65534
PASSWORD = "correct horse battery staple"
RIGHTS = struct.pack("<IIIII", 0x02000001, 1 << CAP_NET_RAW | 1 << CAP_NET_ADMIN, 0, 0, 0)
"""linux/capability.h, struct vfs_cap_data: permitted and effective."""
READING = "+dac_read_search"
"""This interpreter may lie where only root can read."""

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can give rights to a file"),
]


class Nobody:
    """The program as an ordinary user of the scanner, ada."""

    def __init__(self, lab: Lab, directory: Path) -> None:
        self._lab = lab
        user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        self._command = [*user, f"--inh-caps={READING}", f"--ambient-caps={READING}"]
        self._command += [str(Path(sys.executable).with_name("netmon-tui")), "--user", "ada"]
        self._command += ["--password-file", "-", "--data-dir", str(directory / "data")]
        self._environment = {"PATH": f"{directory}:/usr/bin:/usr/sbin", "HOME": str(directory / "data")}

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """Run a command, which must end with the exit status; return its stdout."""
        command = [*self._command, *arguments]
        done = self._lab.run(command, env=self._environment, stdin=PASSWORD, timeout=90)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self(*arguments, "--json", code=code))


@pytest.fixture
def nobody(lab: Lab) -> Iterator[Nobody]:
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        directory = Path(name)
        directory.chmod(0o755)
        shutil.copy("/usr/bin/dumpcap", directory)
        try:
            os.setxattr(directory / "dumpcap", "security.capability", RIGHTS)
        except OSError as error:
            pytest.skip(f"this file system keeps no capabilities: {error}")
        (directory / "data").mkdir(mode=0o700)
        os.chown(directory / "data", NOBODY, NOBODY)
        found = Nobody(lab, directory)
        found("user", "add", "ada")
        yield found


def test_an_ordinary_user_captures_by_dumpcap_and_is_told_so(nobody: Nobody, lab: Lab) -> None:
    checks = {check["name"]: check for check in nobody.json("doctor")["checks"]}
    told = checks["captures"]
    assert (told["status"], told["detail"]) == ("ok", "by dumpcap: tcpdump may not open interfaces")
    number = nobody("capture", "run", "eth0", "--filter", "udp port 7", "--detach").strip()
    exchange = lab.udp_exchange(20)
    nobody("capture", "stop", number)
    capture = nobody.json("capture", "show", number)
    assert Path(capture["command"][0]).name == "dumpcap"
    assert (capture["state"], capture["packets"], capture["dropped"]) == ("completed", exchange.packets, 0)
    told = nobody.json("capture", "run", "eth0", "lo", "--format", "pcapng", "--duration", "0.5")
    assert (told["state"], told["interface"], told["format"]) == ("completed", "eth0,lo", "pcapng")
