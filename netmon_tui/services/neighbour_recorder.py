"""Whether the program that is to store what is noticed of neighbours does so."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime

from netmon_tui.domain.check import Check, CheckStatus
from netmon_tui.runtime.only_one import OnlyOne

TELL_SECONDS = 10.0
"""Between two signs of the program that stores."""
STILL_SECONDS = 60.0
"""Without a sign for so long, it stands still."""
_MARGIN_SECONDS = 10.0
"""What one program noticed another one may have noticed so much later."""
_log = logging.getLogger(__name__)


def recorder_checks(claim: OnlyOne) -> list[Check]:
    """Return the doctor's line about a program that keeps others from storing, and does not store; or none."""
    pid, sign = claim.read()
    span = _span(sign)
    if not pid or span is None or (still := time.time() - span[1]) < STILL_SECONDS:
        return []
    if claim.take():
        claim.release()
        return []
    told = f"process {pid} is to store what is seen of neighbours, and has not for {still / 60:.0f} min"
    return [Check("neighbour memory", CheckStatus.WARN, told, f"kill -CONT {pid}, or end it")]


class RecorderWatch:
    """Signs of the program that has the claim: from when to when it has stored all there was.

    Args:
        claim: What it has; the signs are in its file.
    """

    def __init__(self, claim: OnlyOne) -> None:
        self._claim = claim
        self._since = time.time()
        self._told_at = 0.0
        self._sign = ""
        self._sign_at = time.monotonic()
        self.trouble = ""
        """That the program stands still, in words; empty while it does not."""

    def tell(self, until: float) -> None:
        """Say that this program has stored everything from its beginning until a moment.

        Raises:
            StorageError: The file cannot be written.
        """
        if until - self._told_at >= TELL_SECONDS or until < self._told_at:
            self._told_at = until
            self._claim.write(f"{self._since:.3f} {until:.3f}")
        self.trouble = ""

    def look(self) -> tuple[datetime, datetime] | None:
        """Return from when to when everything is certainly stored by another program, if it says so.

        By this machine's monotonic clock: one that slept stands still no longer than it was awake.
        """
        pid, sign = self._claim.read()
        now = time.monotonic()
        if sign != self._sign:
            self._sign, self._sign_at = sign, now
        still = now - self._sign_at
        trouble = f"process {pid} is to store what is seen of neighbours, but stands still" if pid else ""
        if still < STILL_SECONDS:
            trouble = ""
        if trouble and not self.trouble:
            _log.warning(
                "%s; continue it (kill -CONT %d) or end it: another program goes on then", trouble, pid
            )
        self.trouble = trouble
        if (span := _span(sign)) is None:
            return None
        since, until = span
        return datetime.fromtimestamp(since, UTC), datetime.fromtimestamp(until - _MARGIN_SECONDS, UTC)


def _span(sign: str) -> tuple[float, float] | None:
    """Return from when to when everything is stored, POSIX seconds; None for no sign."""
    try:
        since, until = map(float, sign.split())
    except ValueError:
        return None
    return since, until
