"""The waits after failed logins, with clocks that jump."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon_tui.security.lockout import Lock, Lockout

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def after(count, policy, now=NOON):
    lock = Lock()
    for _ in range(count):
        lock = policy.after_failure(lock, now)
    return lock


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (4, 0), (5, 2), (6, 4), (11, 128), (12, 256), (13, 300), (10**9, 300)]
)
def test_the_delay_doubles_from_the_fifth_failure_to_five_minutes(failures, seconds):
    assert Lockout().delay(failures) == seconds
    assert seconds in (0, min(2 ** min(failures - 4, 99), 300))


def test_the_wait_ends_by_itself():
    policy = Lockout()
    lock = after(7, policy)
    assert policy.remaining(lock, NOON) == 8
    assert policy.remaining(lock, NOON + timedelta(seconds=7.5)) == 0.5
    assert policy.remaining(lock, NOON + timedelta(seconds=8)) == 0
    assert lock.failures == 7


def test_a_clock_set_back_makes_the_whole_wait_begin_again():
    policy = Lockout()
    lock = after(7, policy)
    back = NOON - timedelta(hours=1)
    assert policy.is_clock_set_back(lock, back)
    assert policy.remaining(lock, back) == 8
    again = policy.begun_again(lock, back)
    assert policy.remaining(again, back + timedelta(seconds=3)) == 5
    assert policy.remaining(again, back + timedelta(seconds=8)) == 0


def test_other_beginnings():
    assert Lockout(after=1).delay(1) == 2
    assert Lockout(after=3, first=30).delay(3) == 30
    assert Lockout(after=100).delay(99) == 0


@given(
    failures=st.integers(1, 200),
    shift=st.floats(-1e8, 1e8, allow_nan=False),
    policy=st.builds(Lockout, after=st.integers(1, 100)),
)
def test_no_clock_makes_a_negative_or_endless_wait(failures, shift, policy):
    lock = after(failures, policy)
    now = NOON + timedelta(seconds=shift)
    remaining = policy.remaining(lock, now)
    assert 0 <= remaining <= 300
    if failures < policy.after:
        assert remaining == 0
    elif now < NOON:
        assert remaining == policy.delay(failures)
