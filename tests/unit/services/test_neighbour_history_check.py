"""What the doctor says about how much is remembered of neighbours."""

from datetime import UTC, datetime, timedelta

from netmon_tui.domain.check import CheckStatus
from netmon_tui.domain.neighbour_event import EventFilter, NeighbourEvent, NeighbourEventKind
from netmon_tui.domain.user import Actor, Role
from netmon_tui.services.neighbour_history_check import history_check
from netmon_tui.storage.neighbour_event_repository import NeighbourEventRepository
from netmon_tui.storage.neighbour_repository import NeighbourNews, NeighbourRepository, Sighting
from netmon_tui.storage.neighbour_retention import NeighbourRetention
from netmon_tui.storage.schema_version import open_database

ONE, TWO = "02:00:00:00:00:01", "02:00:00:00:00:02"


def test_the_doctor_says_how_much_is_remembered_and_what_is_deleted(tmp_path):
    database = open_database(f"sqlite:///{tmp_path}/n.db", backups=tmp_path)
    neighbours, retention = NeighbourRepository(database), NeighbourRetention(database)
    assert history_check(retention, 400).detail == (
        "times of presence: 0, events: 0;"
        " what ended, or was acknowledged, is deleted after 400 days (neighbours.history_days)"
    )
    long_ago = datetime.now(UTC) - timedelta(days=10)
    seen = [Sighting("eth0", "192.0.2.1", "ipv4", lladdr, False, long_ago) for lladdr in (ONE, TWO)]
    event = NeighbourEvent(long_ago, NeighbourEventKind.CHANGED, "192.0.2.1", "eth0", TWO, ONE)
    neighbours.store(NeighbourNews(sightings=seen, events=[event]))
    (kept,) = NeighbourEventRepository(database).events(EventFilter())
    NeighbourEventRepository(database).acknowledge(Actor(1, "ada", Role.ADMIN), [kept.id])
    before = f"times of presence: 2, events: 1, since {long_ago:%Y-%m-%d}; "
    check = history_check(retention, 9)
    assert check.status is CheckStatus.OK
    assert check.detail == (
        before
        + "what ended, or was acknowledged, is deleted after 9 days (neighbours.history_days), 1 of it soon"
    ), "the present time of presence stays, and what was acknowledged just now"
    assert history_check(retention, 11).detail.endswith("(neighbours.history_days)")
    assert history_check(retention, 0).detail == before + "kept for ever (neighbours.history_days = 0)"
    retention.shorten(datetime.now(UTC) - timedelta(days=9))
    assert history_check(retention, 9).detail.startswith("times of presence: 1, events: 1, since")
    database.close()
