"""When garbage is collected of what the program made while it started: never, for all of that stays."""

from __future__ import annotations

import gc


class StartGarbage:
    """Ends what the command line began to start quickly: the collector rests until the login is painted.

    A test does not begin so; then nothing is done.
    """

    def __init__(self) -> None:
        self._keeps_code = False

    def collect_again(self) -> None:
        """Let the collector run; what start-up made it never looks at."""
        if not gc.isenabled():
            self._keeps_code = True
            gc.freeze()
            gc.enable()

    def keep_code(self) -> None:
        """Set aside what was loaded behind the login, too, once: a look at all of it would take 0.1 s."""
        if self._keeps_code:
            self._keeps_code = False
            gc.freeze()
