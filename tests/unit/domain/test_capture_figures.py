"""What is told of a capture's figures: nothing that contradicts its files, and nothing that nobody knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from netmon_tui.domain.capture import Capture, CaptureOrigin
from netmon_tui.domain.capture_documents import capture_document
from netmon_tui.domain.job import CaptureCounters, JobState, Rotation

DROPS = CaptureCounters(packets=239_437, captured=129_000, received=239_400, dropped=110_400)


def capture(
    counters: CaptureCounters,
    state: JobState = JobState.RUNNING,
    origin: CaptureOrigin = CaptureOrigin.LIVE,
    rotation: Rotation | None = None,
) -> Capture:
    return Capture(
        id=1,
        name="",
        interface="lo",
        filter="",
        snaplen=262_144,
        linktype="EN10MB",
        state=state,
        owner_id=1,
        owner="ada",
        command=(),
        created=datetime.now(UTC),
        counters=counters,
        origin=origin,
        rotation=rotation or Rotation(),
    )


def test_what_the_kernel_drops_is_not_among_the_packets() -> None:
    running = capture(DROPS)
    assert (running.packets, running.packets_captured, running.packets_words) == (129_000, 129_000, "129000")
    assert capture_document(running)["packets"] == 129_000


def test_what_is_captured_has_been_received() -> None:
    begun = capture(CaptureCounters(packets=2))
    assert (begun.packets, begun.received) == (2, 2)
    ended = capture(CaptureCounters(packets=2, captured=2, received=3), JobState.COMPLETED)
    assert (ended.packets, ended.received) == (2, 3)


def test_of_a_file_from_elsewhere_nobody_knows_the_drops() -> None:
    imported = capture(CaptureCounters(packets=5), JobState.COMPLETED, CaptureOrigin.IMPORT)
    assert not imported.knows_drops
    assert (capture_document(imported)["received"], capture_document(imported)["dropped"]) == (None, None)


def test_the_house_stops_a_capture_with_the_setting_that_says_so() -> None:
    for reason, setting in (("floor", "captures.free_space_floor_bytes"), ("quota", "captures.quota_bytes")):
        assert setting in replace(capture(DROPS, JobState.COMPLETED), end_reason=reason).end_words
    assert replace(capture(DROPS, JobState.COMPLETED), end_reason="size_limit").end_words == "size limit"


def test_one_file_is_counted_as_one() -> None:
    assert capture(CaptureCounters()).file_count == "1"
    ring = capture(CaptureCounters(files=2), rotation=Rotation(file_seconds=10, files=3))
    assert (ring.file_count, ring.files_words) == ("2/3", "2/3 of 10 seconds, then the oldest goes")
