"""Capture filters that users keep, those that everybody has, and those that they captured with last."""

from pathlib import Path

import pytest

from netmon_tui.domain.capture_filter_library import SaveCaptureFilter
from netmon_tui.errors import InvalidInput, NotAllowed
from netmon_tui.storage.recent_filter_repository import KEPT, RecentFilterRepository
from netmon_tui.storage.records import recent_capture_filters
from tests.unit.services.test_captures import opened
from tests.unit.services.test_display_filters import another


async def test_filters_are_ones_own_until_they_are_shared(tmp_path: Path) -> None:
    async with opened(tmp_path) as (services, ada):
        bo, filters = await another(services, ada), services.capture_filters
        built_in = await filters.usable(bo)
        assert len(built_in) >= 25 and all(one.is_built_in for one in built_in)
        await filters.save(ada, SaveCaptureFilter("web", " port 80 ", "Browsing."), shared=False)
        assert await filters.usable(bo) == built_in
        shared = await filters.save(ada, SaveCaptureFilter("Web", "port 80 or 443"), shared=True)
        assert (await filters.find(bo, "ada/web")).text == "port 80 or 443"
        assert len(await filters.usable(ada)) == len(built_in) + 1
        with pytest.raises(NotAllowed):
            await filters.delete(bo, shared)
        with pytest.raises(NotAllowed):
            await filters.save(bo, SaveCaptureFilter("mine", "tcp"), shared=False)
        with pytest.raises(NotAllowed):
            await filters.delete(ada, built_in[0])
        await filters.delete(ada, shared)
        assert await filters.usable(ada) == built_in
        events = [event.action for event in await services.activity.audit(ada)]
        assert {"capture-filter.create", "capture-filter.change", "capture-filter.delete"} <= set(events)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("", "tcp"),
        ("a/b", "tcp"),
        ("Dns", "tcp"),
        ("x", " "),
        ("x", "host example.test"),
        ("x", "tcp) or (udp"),
    ],
)
async def test_what_can_be_no_filter_is_not_kept(tmp_path: Path, name: str, text: str) -> None:
    async with opened(tmp_path) as (services, ada):
        with pytest.raises(InvalidInput):
            await services.capture_filters.save(ada, SaveCaptureFilter(name, text), shared=False)
        assert all(one.is_built_in for one in await services.capture_filters.usable(ada))


async def test_the_recent_ones_are_bounded_and_are_no_display_filters(tmp_path: Path) -> None:
    async with opened(tmp_path) as (services, ada):
        recent = RecentFilterRepository(services.database, recent_capture_filters)
        for number in range(KEPT + 3):
            recent.note(ada, f"port {number}")
        found = await services.capture_filters.recent(ada)
        assert len(found) == KEPT and found[0] == f"port {KEPT + 2}"
        assert await services.filters.recent(ada) == []
