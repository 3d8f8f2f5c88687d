"""One scan in stages: who is there, which ports are open, and what listens on them.

A port scan wants few nmaps and many probes, the detection many connections to few ports: one nmap does both
with the patience of the slower. Each stage leaves its documents, and what they hold is not scanned again.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from .detection import detect
from .earlier import take_over
from .limits import CpuUsed
from .plan import read_plan
from .scanning import Failed, Stopped, discover, scan_ports
from .state import ScanState


def main() -> int:
    """Run the plan of the working directory; return the exit status."""
    directory = Path.cwd()
    state = ScanState(directory, read_plan(directory / "plan.json"))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: state.stop())
    error = ""
    try:
        take_over(state)
        discover(state)
        scan_ports(state)
        detect(state)
    except Stopped:
        state.result.break_off()
        return 130
    except CpuUsed:
        state.result.break_off()
        return _die_of(signal.SIGXCPU)
    except Failed as failure:
        error = str(failure)
        sys.stderr.write(f"{error}\n")
    state.result.end(error)
    return 1 if error else 0


def _die_of(number: signal.Signals) -> int:
    """End as the kernel ends a tool beyond a limit: the runner says then what one nmap's runner would say."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    return 1
