"""What stands where a capture file was is opened only if it is a file: a pipe would be waited for without end."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from netmon_tui.errors import InvalidInput, NotFound
from netmon_tui.runtime.pcap_input import FilePart, PcapInput
from netmon_tui.runtime.whole_file import open_for_child
from netmon_tui.tools.file_set import FileSetReader
from netmon_tui.tools.pcap_index import PacketIndex

OPENED: dict[str, Callable[[Path], object]] = {
    "index": PacketIndex,
    "set": lambda path: FileSetReader(path.parent),
    "whole": lambda path: open_for_child(path, 0),
    "tool": PcapInput,
    "part": lambda path: next(FilePart(path, 24, 100).pieces()),
}


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("way", OPENED)
@pytest.mark.parametrize("make", [a_pipe, a_device, Path.mkdir])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, way: str, make: Callable[[Path], None]) -> None:
    path = tmp_path / "capture.pcap"
    make(path)
    # with both its ends in our hands nobody waits to open the pipe, whatever is tested
    ends = os.open(path, os.O_RDWR | os.O_NONBLOCK) if make is a_pipe else -1
    try:
        with pytest.raises((InvalidInput, NotFound), match="is no capture file"):
            OPENED[way](path)
    finally:
        if ends >= 0:
            os.close(ends)
