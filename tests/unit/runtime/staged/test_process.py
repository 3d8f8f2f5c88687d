"""The nmaps of a staged scan as processes: shells in their place."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.unit.runtime.waiting import is_gone, wait_for

STARTER = """
import sys, time
from pathlib import Path
from netmon_tui.runtime.staged.process import Nmap
print(Nmap(["/bin/sh", "-c", "trap '' INT TERM HUP; exec sleep 61"], Path(sys.argv[1]), ()).pid, flush=True)
time.sleep(60)
"""


def test_no_nmap_outlives_the_program_that_reads_it(tmp_path: Path) -> None:
    words = [sys.executable, "-c", STARTER, str(tmp_path / "stage.xml")]
    starter = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert starter.stdout
    nmap = int(starter.stdout.readline())
    try:
        assert not is_gone(nmap)
        starter.send_signal(signal.SIGKILL)
        wait_for(lambda: is_gone(nmap), "the end of nmap", patience=5.0)
    finally:
        starter.kill()
        starter.wait()
        starter.stdout.close()
