"""The command line, with its peak memory in kilobytes as the last line of stdout: ``peak_memory.py ARGUMENTS``.

A process that starts another passes its own peak on in ``ru_maxrss``; ``VmHWM`` is of this program alone.
"""

import sys
from pathlib import Path

from netmon_tui.cli.main import main

status = main(sys.argv[1:])
lines = Path("/proc/self/status").read_text().splitlines()
print(next(line for line in lines if line.startswith("VmHWM")).split()[1])
sys.exit(status)
