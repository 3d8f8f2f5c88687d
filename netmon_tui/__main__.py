"""Chooses a face: the command line, which starts the full-screen application when no noun is given.

``--version`` answers here, before click is imported, and Ctrl-C or a reader that went away
(``netmon-tui scan list | head``) end the program quietly whatever it was doing.
"""

import os
import sys

from netmon_tui import __version__

INTERRUPTED = 130
"""Exit status after Ctrl-C or a broken pipe: 128 + SIGINT, as shells report it."""


def main() -> int:
    """Run the program and return its exit status; the entry point of ``netmon-tui``."""
    try:
        try:
            return _run(sys.argv[1:])
        finally:
            if sys.stdout is not None:  # None after ``>&-``
                sys.stdout.flush()  # a reader that is gone shows up here, where it can still be answered
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Python flushes once more at exit and would complain: give it a place that accepts everything.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return INTERRUPTED


def _run(arguments: list[str]) -> int:
    if arguments == ["--version"]:
        print(f"netmon-tui {__version__}")  # noqa: T201
        return 0
    from netmon_tui.cli.main import main as command_line

    return command_line(arguments) or 0


if __name__ == "__main__":
    raise SystemExit(main())
