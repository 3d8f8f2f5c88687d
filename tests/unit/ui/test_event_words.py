"""An event of the neighbour table in the words of its dialog."""

from datetime import UTC, datetime

from netmon_tui.domain.neighbour_event import NeighbourEvent, NeighbourEventKind
from netmon_tui.ui.widgets.event_words import event_text


def test_names_and_lladdrs_stay_as_they_are_written() -> None:
    pi = "b8:27:eb:00:00:10"
    event = NeighbourEvent(datetime.now(UTC), NeighbourEventKind.NEW, "192.0.2.5", "eth0", pi)
    assert event_text(event, str).startswith(f"{pi} is new, at 192.0.2.5 on eth0.\n")
