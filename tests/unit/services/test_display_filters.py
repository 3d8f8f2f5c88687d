"""Display filters that users keep, and those that they used last."""

import asyncio
from pathlib import Path

import pytest

from netmon_tui.domain.user import Actor, Role
from netmon_tui.errors import InvalidInput, NotAllowed
from netmon_tui.storage.recent_filter_repository import KEPT
from tests.unit.services.test_captures import opened


async def another(services, ada: Actor, role: Role = Role.VIEWER) -> Actor:
    user = await services.accounts.add_user(ada, "bo", "another-walnut-lantern", role=role)
    return Actor(user.id, user.name, user.role)


async def test_saved_filters_are_ones_own_until_they_are_shared(tmp_path: Path) -> None:
    async with opened(tmp_path) as (services, ada):
        bo, filters = await another(services, ada), services.filters
        await filters.save(ada, "web", " tcp.port == 80 ")
        assert await filters.usable(bo) == []
        shared = await filters.save(ada, "Web", "tcp.port == 443", shared=True)
        assert [one.text for one in await filters.usable(bo)] == ["tcp.port == 443"]
        assert (await filters.find(bo, "ada/web")).text == "tcp.port == 443"
        with pytest.raises(NotAllowed):
            await filters.delete(bo, shared)
        await filters.delete(ada, shared)
        with pytest.raises(InvalidInput, match="no display filter"):
            await filters.find(ada, "web")
        events = [event.action for event in await services.activity.audit(ada)]
        assert events.count("display-filter.save") == 2 and "display-filter.delete" in events


@pytest.mark.parametrize(("name", "text"), [("", "tcp"), ("a/b", "tcp"), ("x", " "), ("x", "t\x1bp")])
async def test_what_can_be_no_filter_is_not_kept(tmp_path: Path, name: str, text: str) -> None:
    async with opened(tmp_path) as (services, ada):
        with pytest.raises(InvalidInput):
            await services.filters.save(ada, name, text)
        assert await services.filters.usable(ada) == []


async def test_the_last_ones_are_remembered_each_once_and_for_each_user(tmp_path: Path) -> None:
    async with opened(tmp_path) as (services, ada):
        bo, filters = await another(services, ada), services.filters
        for text in ("tcp", "udp", "tcp"):
            await filters.note(ada, text)
        assert await filters.recent(ada) == ["tcp", "udp"] and await filters.recent(bo) == []
        for number in range(KEPT + 5):
            await filters.note(bo, f"frame.number == {number}")
        recent = await filters.recent(bo)
        assert len(recent) == KEPT and recent[0].endswith(f"== {KEPT + 4}")


async def test_two_programs_may_note_the_same_filter(tmp_path: Path) -> None:
    async with opened(tmp_path) as (services, ada):
        await asyncio.gather(*(services.filters.note(ada, "tcp") for _ in range(8)))
        assert await services.filters.recent(ada) == ["tcp"]
