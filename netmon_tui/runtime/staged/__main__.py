"""Entry point of the staged scan: run in the job directory, which holds ``plan.json``."""

import os
import sys


def start() -> None:
    """Find the package beside us, then run the plan."""
    # At the end of the path: nothing in our directory may stand before the standard library.
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120
    program = __import__("staged.program", fromlist=["main"])
    sys.exit(program.main())


if __name__ == "__main__":
    start()
