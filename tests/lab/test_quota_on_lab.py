"""Detached captures share the quota of their owner while no program is open."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.lab.network import Lab
from tests.lab.test_cli_on_lab import AS_ROOT, Program, data_of_ada, until

__all__ = ["data_of_ada"]
pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

QUOTA = 500_000
CAPTURE = ("capture", "run", "eth0", "--filter", "udp port 7", "--detach")
AN_EXCHANGE = 100 * (1_042 + 16)
"""Bytes of file that one of fifty datagrams of a thousand bytes, and as many answers, takes."""


@pytest.fixture
def program(lab: Lab, data_of_ada: Path, tmp_path: Path) -> Program:
    """The program, with a quota."""
    shutil.copytree(data_of_ada, tmp_path / "data")
    found = Program(lab, tmp_path / "data")
    found.environment["NETMON_TUI_CAPTURES_QUOTA_BYTES"] = str(QUOTA)
    return found


def exchange(lab: Lab, program: Program, *running: int) -> list[dict[str, Any]]:
    """Have the captures that run see an exchange, and return what their runners say once it is in their files."""
    wanted = [size_of(program, number) + AN_EXCHANGE for number in running]
    lab.udp_exchange(50, size=1_000)

    def has_come() -> bool:
        return all(size_of(program, n) >= size for n, size in zip(running, wanted, strict=True))

    until(has_come, "the files have it")
    return [program.status(f"capture-{number}") for number in running]


def size_of(program: Program, number: int) -> int:
    return sum(path.stat().st_size for path in program.data.glob(f"jobs/capture-{number}/capture*.pcap"))


@AS_ROOT
def test_detached_captures_share_the_quota_with_no_program_open(program: Program, lab: Lab) -> None:
    assert program(*CAPTURE) == "1\n"
    exchange(lab, program, 1)
    assert program(*CAPTURE) == "2\n"
    exchange(lab, program, 1, 2)
    assert program(*CAPTURE) == "3\n", "a third of the quota is left"
    exchange(lab, program, 1, 2, 3)

    def ends() -> list[dict[str, Any]]:
        lab.udp_exchange(1)  # a capture that gets no more packets takes no more room, and is left alone
        said = [program.status(f"capture-{number}") for number in (1, 2, 3)]
        return said if all(one["state"] == "ended" for one in said) else []

    assert {one["why"] for one in until(ends, "all have ended")} == {"quota"}
    sizes = [size_of(program, number) for number in (1, 2, 3)]
    assert max(sizes) < QUOTA <= sum(sizes) < QUOTA + 2 * AN_EXCHANGE
    program(*CAPTURE, code=5)
    shown = program.json("capture", "list")
    assert [(one["state"], one["bytes"]) for one in shown] == [("completed", size) for size in sizes[::-1]]


@AS_ROOT
def test_what_is_deleted_comes_back_to_a_capture_that_runs(program: Program, lab: Lab) -> None:
    program(*CAPTURE)
    exchange(lab, program, 1)
    program("capture", "stop", "1")
    (file,) = program.json("capture", "show", "1")["files"]
    program("capture", "import", "--again", file["path"], file["path"])
    assert program(*CAPTURE) == "4\n", "a third of the quota is left"
    exchange(lab, program, 4)
    program("capture", "delete", "2")
    program("capture", "delete", "3")
    (status,) = exchange(lab, program, 4)
    assert status["state"] == "running", "what two captures had came to it"
    program("capture", "import", "--again", file["path"])
    exchange(lab, program, 4)
    said = until(lambda: (s := program.status("capture-4"))["state"] == "ended" and s, "it has ended")
    assert said["why"] == "quota", "a file that came in counts as well"
