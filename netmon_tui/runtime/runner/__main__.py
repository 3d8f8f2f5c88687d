"""Entry point of the runner program: ``python -I -S .../runner/__main__.py JOBDIR``."""

import os
import sys


def start() -> None:
    """Leave the starter's family, then run the job.

    The fork makes init the parent, so that no application ever has to reap a runner, and keeps the runner
    from being a session leader, so that it can never gain a terminal.
    """
    if os.fork():
        os._exit(0)
    # At the end of the path: nothing in our directory may stand before the standard library.
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120
    program = __import__("runner.program", fromlist=["main"])
    program.main(sys.argv[1])


if __name__ == "__main__":
    start()
