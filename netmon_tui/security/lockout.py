"""How long a user has to wait after failed logins.

The wait doubles from failure to failure up to five minutes and never becomes permanent: a lock that only an
administrator can open is a way to lock the administrator out. State is wall time, because it has to outlive
the program; a clock that was set back makes the wait begin again instead of ending or growing for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

FIRST_SECONDS = 2.0
LONGEST_SECONDS = 300.0
_MOST_DOUBLINGS = 16


@dataclass(frozen=True, slots=True)
class Lock:
    """What is remembered of a user's failed logins."""

    failures: int = 0
    """In a row."""
    failed_at: datetime | None = None
    """The last failure."""
    locked_until: datetime | None = None
    """No login is tried before; None without a wait."""


@dataclass(frozen=True, slots=True)
class Lockout:
    """The policy.

    Args:
        after: The failure that brings the first wait.
        first: Seconds of the first wait.
        longest: Seconds of the longest.
    """

    after: int = 5
    first: float = FIRST_SECONDS
    longest: float = LONGEST_SECONDS

    def delay(self, failures: int) -> float:
        """Return the seconds to wait after so many failures in a row."""
        if failures < self.after:
            return 0.0
        return min(self.first * 2.0 ** min(failures - self.after, _MOST_DOUBLINGS), self.longest)

    def after_failure(self, lock: Lock, now: datetime) -> Lock:
        """Return the state after one more failure."""
        failures = lock.failures + 1
        delay = self.delay(failures)
        return Lock(failures, now, now + timedelta(seconds=delay) if delay else None)

    def remaining(self, lock: Lock, now: datetime) -> float:
        """Return the seconds still to wait, 0 when a login may be tried.

        Before the moment of the last failure the clock has been set back; then it is the whole wait.
        """
        if lock.locked_until is None:
            return 0.0
        if self.is_clock_set_back(lock, now):
            return self.delay(lock.failures)
        return max(0.0, min((lock.locked_until - now).total_seconds(), self.delay(lock.failures)))

    def is_clock_set_back(self, lock: Lock, now: datetime) -> bool:
        """Whether the present is before the last failure: the wait has to be stored anew, from now."""
        return lock.failed_at is not None and now < lock.failed_at

    def begun_again(self, lock: Lock, now: datetime) -> Lock:
        """Return the state with its whole wait beginning now, for a clock that was set back."""
        return Lock(lock.failures, now, now + timedelta(seconds=self.delay(lock.failures)))
