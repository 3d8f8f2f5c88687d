"""Since when, until when, and what was known then."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netmon_tui.domain.comparison import PortFacts, PortKey
from netmon_tui.domain.history import HostHistory, Look
from netmon_tui.domain.moment import parse_moment
from netmon_tui.errors import InvalidInput

BEGIN = datetime(2026, 11, 1, 12, tzinfo=UTC)
SSH, WEB, DNS = ("tcp", 22), ("tcp", 80), ("udp", 53)


def look(
    number: int, found: Iterable[PortKey | tuple[PortKey, PortFacts]] = (), covered: Iterable[PortKey] = (SSH, WEB),
    *, up: bool | None = True, whole: bool = True,
) -> Look:  # fmt: skip
    """The scan of a day; ports are open unless told."""
    ports = dict(one if isinstance(one[1], PortFacts) else (one, PortFacts("open")) for one in found)
    asked = frozenset(covered)
    return Look(number, BEGIN + timedelta(days=number), up, asked.__contains__, ports, whole)  # type: ignore[arg-type]


def spans(history: HostHistory, key: PortKey) -> list[tuple[int, int, int, int | None]]:
    return [
        (one.first.scan_id, one.last.scan_id, one.scans, one.ended.scan_id if one.ended else None)
        for one in history.ports.get(key, ())
    ]


def test_open_then_closed_then_open_gives_two_intervals() -> None:
    history = HostHistory("10.0.0.5", [look(1, [SSH]), look(2, [SSH]), look(3), look(4), look(5, [SSH])])
    assert spans(history, SSH) == [(1, 2, 2, 3), (5, 5, 1, None)]


def test_a_scan_that_did_not_ask_for_the_port_says_nothing() -> None:
    history = HostHistory("10.0.0.5", [look(1, [SSH]), look(2, [WEB], [WEB]), look(3, [SSH])])
    assert spans(history, SSH) == [(1, 3, 2, None)]


def test_a_host_that_was_given_up_says_nothing_of_what_it_does_not_list() -> None:
    history = HostHistory("10.0.0.5", [look(1, [SSH, WEB]), look(2, [WEB], whole=False), look(3, [SSH, WEB])])
    assert spans(history, SSH) == [(1, 3, 2, None)]


def test_a_port_of_a_host_that_is_down_is_not_open() -> None:
    history = HostHistory("10.0.0.5", [look(1, [SSH]), look(2, up=False), look(3, [SSH])])
    assert spans(history, SSH) == [(1, 1, 1, 2), (3, 3, 1, None)]
    assert [(one.first.scan_id, one.ended and one.ended.scan_id) for one in history.up] == [(1, 2), (3, None)]


def test_no_answer_says_nothing() -> None:
    unanswered = (DNS, PortFacts("open|filtered"))
    history = HostHistory(
        "10.0.0.5", [look(1, [DNS], [DNS]), look(2, [unanswered], [DNS]), look(3, [DNS], [DNS])]
    )
    assert spans(history, DNS) == [(1, 3, 2, None)]


def test_a_service_that_answered_is_kept_over_a_later_guess() -> None:
    answered = (SSH, PortFacts("open", "ssh", "OpenSSH", "9.2", probed=True))
    guessed = (SSH, PortFacts("open", "ssh"))
    history = HostHistory("10.0.0.5", [look(1, [guessed]), look(2, [answered]), look(3, [guessed])])
    assert [one.service for one in history.ports[SSH]] == ["ssh OpenSSH 9.2"]


def test_each_port_is_known_from_the_last_scan_that_asked_for_it() -> None:
    history = HostHistory("10.0.0.5", [look(1, [SSH, WEB]), look(2, [WEB], [WEB]), look(3, [], up=False)])
    then = history.at(BEGIN + timedelta(days=2, hours=6))
    assert (then.up, then.seen and then.seen.scan_id) == (True, 2)
    assert [(port.number, port.seen.scan_id) for port in then.ports] == [(22, 1), (80, 2)]
    later = history.at(BEGIN + timedelta(days=3))
    assert (later.up, later.ports) == (False, ())
    before = history.at(BEGIN)
    assert (before.up, before.seen, before.ports) == (None, None, ())


def test_open_since_is_the_interval_of_that_scan() -> None:
    history = HostHistory("10.0.0.5", [look(1, [SSH]), look(2), look(3, [SSH, WEB])])
    assert {key: one.first.scan_id for key, one in history.open_since(1).items()} == {SSH: 1}
    assert history.open_since(2) == {}
    assert {key: one.first.scan_id for key, one in history.open_since(99).items()} == {SSH: 3, WEB: 3}


asked = st.sets(st.sampled_from((SSH, WEB, DNS)))
answers = st.lists(st.tuples(asked, asked, st.booleans()), max_size=12)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(answers)
def test_intervals_and_states_tell_the_same_as_the_scans_one_by_one(
    said: list[tuple[set[PortKey], set[PortKey], bool]],
) -> None:
    looks = [
        look(number, found & covered, covered, whole=whole)
        for number, (found, covered, whole) in enumerate(said)
    ]
    history = HostHistory("10.0.0.5", looks)
    state: dict[PortKey, bool] = {}
    for one in looks:
        for key in (SSH, WEB, DNS):
            if (answer := one.is_open(key)) is not None:
                state[key] = answer
        then = {(port.protocol, port.number) for port in history.at(one.time).ports}
        assert then == {key for key, is_open in state.items() if is_open}
    current = {key for key, found in history.ports.items() if found[-1].ended is None}
    assert current == {key for key, is_open in state.items() if is_open}
    counted = {key: sum(one.scans for one in found) for key, found in history.ports.items()}
    assert counted == {
        key: count for key in (SSH, WEB, DNS) if (count := sum(bool(one.is_open(key)) for one in looks))
    }


NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-03T14:00+00:00", datetime(2026, 11, 3, 14, tzinfo=UTC)),
        ("-7d", datetime(2026, 11, 15, 12, tzinfo=UTC)),
        (" -90m ", datetime(2026, 11, 22, 10, 30, tzinfo=UTC)),
        ("-2w", datetime(2026, 11, 8, 12, tzinfo=UTC)),
        ("2026-11-03 14:00", datetime(2026, 11, 3, 14).astimezone()),
        ("2026-11-03", datetime(2026, 11, 3, 23, 59, 59, 999_999).astimezone()),
    ],
)
def test_times_as_people_type_them(text: str, moment: datetime) -> None:
    assert parse_moment(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "7d", "-7y", "-999999d", "2026-13-01", "2026-11-03T25:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="is no time"):
        parse_moment(text, NOW)
