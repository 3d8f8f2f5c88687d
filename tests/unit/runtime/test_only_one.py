"""A claim that one program at a time has."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from netmon_tui.errors import StorageError
from netmon_tui.runtime.only_one import OnlyOne

HOLD = """
import sys, signal
from pathlib import Path
from netmon_tui.runtime.only_one import OnlyOne
claim = OnlyOne(Path(sys.argv[1])); print(claim.take(), flush=True)
signal.pause()
"""


def test_the_second_one_waits_for_the_first_to_give_it_up(tmp_path):
    first, second = OnlyOne(tmp_path / "claim"), OnlyOne(tmp_path / "claim")
    assert first.take()
    assert first.take(), "it has it"
    assert not second.take()
    first.release()
    assert second.take()
    assert not first.take()


def test_a_file_that_cannot_be_locked_is_told(tmp_path):
    (tmp_path / "claim").mkdir()
    with pytest.raises(StorageError, match="cannot lock"):
        OnlyOne(tmp_path / "claim").take()


def test_a_killed_program_has_it_no_longer(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path / "claim"], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout
    assert holder.stdout.readline() == "True\n"
    mine = OnlyOne(tmp_path / "claim")
    assert not mine.take()
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    assert mine.take()
