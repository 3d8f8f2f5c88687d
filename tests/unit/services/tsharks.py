"""Captures made by hand, and programs called tshark that hang, die or flood."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from array import array
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from netmon_tui.domain.capture import StartCapture
from netmon_tui.domain.capture_files import CAPTURE_NAME, NUMBERED_NAME
from netmon_tui.domain.job import JobState, Rotation
from netmon_tui.domain.user import Actor
from netmon_tui.services.container import Services
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.tools.tshark_lines import LineReader

ONE_FILE = Rotation()


class NumberReader(LineReader):
    """Takes a number a line."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = array("Q")

    def _line(self, line: bytes) -> None:
        if (number := line.strip()).isdigit():
            self.numbers.append(int(number))


def begin(services: Services, owner: Actor, rotation: Rotation = ONE_FILE) -> tuple[int, Path]:
    """Store a capture that runs and has no files yet, and return it with their directory."""
    captures, request = CaptureRepository(services.database), StartCapture("lo", rotation=rotation)
    number = captures.create(owner, request, filter="", jobs=services.paths.jobs)
    directory = captures.directory(number)
    directory.mkdir()
    return number, directory


def keep(services: Services, owner: Actor, content: bytes, state: JobState = JobState.COMPLETED) -> int:
    """Store a capture in that state whose file has that content."""
    number, directory = begin(services, owner)
    (directory / CAPTURE_NAME).write_bytes(content)
    CaptureRepository(services.database).update(number, state=state.value)
    return number


def make_ring(directory: Path, *contents: bytes, first: int = 1) -> list[Path]:
    """Write the files that a ring has left, numbered from ``first``, in place of the only file."""
    (directory / CAPTURE_NAME).unlink(missing_ok=True)
    paths = [directory / (NUMBERED_NAME % number) for number, _ in enumerate(contents, first)]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return paths


@pytest.fixture
def public() -> Iterator[Path]:
    """A directory that also nobody may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        path.chmod(0o755)
        yield path


def program(directory: Path, text: str) -> str:
    path = directory / "tshark"
    path.write_text(f"#!/usr/bin/python3 -I\n{text}\n")
    path.chmod(0o755)
    return str(path)


def processes_with(mark: str) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return [pid for pid in found if pid != os.getpid()]


async def gone(mark: str) -> bool:
    end = time.monotonic() + 20
    while processes_with(mark):
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.02)
    return True


async def prints_in_vain(pid: int) -> None:
    """Wait until a process that does nothing but print sleeps for good: nobody takes what it prints."""
    asleep = 0
    while asleep < 20:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
        asleep = asleep + 1 if state == "S" else 0
        await asyncio.sleep(0.01)
