"""Edits of a real kernel's table: what is kept of them, what others see, and what comes in between."""

import asyncio
import shutil
import subprocess
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from netmon_tui.config.paths import find_paths
from netmon_tui.config.settings import load_settings
from netmon_tui.domain.neighbour import NudState
from netmon_tui.domain.neighbour_edit import (
    DeleteEntry,
    EditKind,
    FlushEntries,
    SetEntry,
    UndoEdit,
    table_entry,
)
from netmon_tui.domain.user import Actor, Role
from netmon_tui.errors import NetmonError, NotAllowed, NotFound, PrivilegeMissing, Superseded
from netmon_tui.runtime.netlink import dump_neighbours
from netmon_tui.runtime.privilege import probe
from netmon_tui.services.container import Services, open_services
from netmon_tui.services.neighbour_editing import NeighbourEditing
from netmon_tui.storage import neighbour_edit_repository
from netmon_tui.storage.neighbour_edit_repository import NeighbourEditRepository
from tests.unit.runtime.network_namespace import (
    entries,
    in_own_network,
    ip,
    make_pair,
    needs_namespace,
)

pytestmark = needs_namespace
MAC, OTHER = "00:16:3e:00:00:01", "00:16:3e:00:00:02"
ADA, BO, EVE = Actor(1, "ada", Role.ADMIN), Actor(2, "bo", Role.OPERATOR), Actor(4, "eve", Role.VIEWER)
Work = Callable[[NeighbourEditing, Services], Coroutine[Any, Any, None]]
Run = Callable[..., None]


def editing_of(
    services: Services, machine: str = "here", environ: dict[str, str] | None = None
) -> NeighbourEditing:
    return NeighbourEditing(NeighbourEditRepository(services.database, machine), probe(), environ or {})


@pytest.fixture
def run(tmp_path: Path, data_of_four: Path) -> Run:
    """``run(work, **environ)``: in a network of its own, with the links ``left`` and ``right``."""

    def run(work: Work, **environ: str) -> None:
        shutil.copytree(data_of_four, tmp_path / "data", dirs_exist_ok=True)

        async def go() -> None:
            services = open_services(
                load_settings(environ={}), find_paths(data_dir=tmp_path / "data"), reading=False
            )
            try:
                await work(editing_of(services, environ=environ), services)
            finally:
                await services.close()

        def inside() -> None:
            make_pair()
            asyncio.run(go())

        in_own_network(inside)

    return run


def table() -> dict[str, tuple[str, NudState]]:
    found = map(table_entry, dump_neighbours())
    return {one.address: (one.lladdr, one.state) for one in found if one.state is not NudState.NOARP}


def test_what_the_kernel_refuses_is_kept_and_audited(run: Run) -> None:
    async def work(editing: NeighbourEditing, services: Services) -> None:
        ip("link set left mtu 1000")  # IPv6 needs 1280
        plan = await editing.plan(ADA, SetEntry("fd00::7", "left", MAC))
        with pytest.raises(NetmonError, match="nothing was changed"):
            await editing.apply(ADA, plan)
        (edit,) = await editing.edits(ADA)
        assert (edit.entries, bool(edit.result)) == (0, True)
        (event,) = [one for one in await services.activity.audit(ADA) if one.action == "neighbour.add"]
        assert event.detail.endswith(edit.result)
        with pytest.raises(NotFound, match="no edit to undo"):
            await editing.last(ADA)

    run(work)


def test_a_program_that_was_killed_amid_an_edit_leaves_what_undoes_it(run: Run) -> None:
    async def work(editing: NeighbourEditing, services: Services) -> None:
        ip(f"neigh add 10.0.0.7 lladdr {MAC} dev left nud permanent")
        plan = await editing.plan(BO, DeleteEntry("10.0.0.7", "left"))
        edits = NeighbourEditRepository(services.database, "here")
        edits.begin(BO, plan, "ip neigh del ...", plan.seen, (), None)
        ip("neigh del 10.0.0.7 dev left")
        last = await editing.last(BO)
        assert last.words == "not known"
        await editing.apply(BO, await editing.plan(BO, UndoEdit(last.id)))
        assert table()["10.0.0.7"] == (MAC, NudState.PERMANENT)

    run(work)


def test_an_entry_that_changed_meanwhile_is_asked_for_again(run: Run) -> None:
    async def work(editing: NeighbourEditing, services: Services) -> None:
        ip(f"neigh add 10.0.0.7 lladdr {MAC} dev left nud stale")
        plan = await editing.plan(ADA, DeleteEntry("10.0.0.7", "left"))
        ip(f"neigh replace 10.0.0.7 lladdr {OTHER} dev left nud stale")
        with pytest.raises(Superseded, match=f"10.0.0.7 is {OTHER}"):
            await editing.apply(ADA, plan, accepted=True)
        assert table()["10.0.0.7"][0] == OTHER
        ip("neigh replace 10.0.0.7 lladdr 00:16:3e:00:00:01 dev left nud reachable")
        await editing.apply(ADA, plan)  # only the state is another one: that is the kernel's daily work
        assert "10.0.0.7" not in table()

    run(work)


def test_a_flush_that_spares_takes_what_was_shown_and_no_more(run: Run) -> None:
    async def work(editing: NeighbourEditing, services: Services) -> None:
        ip(*entries(3, second=5), *(f"neigh add 10.6.0.{n} lladdr {MAC} dev left nud stale" for n in (1, 2)))
        plan = await editing.plan(ADA, FlushEntries("left"))
        assert plan.spared == ("10.6.0.1",)
        assert plan.commands == (("ip", "neigh", "del", "10.6.0.2", "dev", "left"),)
        ip(f"neigh add 10.6.0.9 lladdr {MAC} dev left nud stale")
        edit = await editing.apply(ADA, plan)
        assert edit.command == "ip neigh del 10.6.0.2 dev left"
        assert {address for address in table() if address.startswith("10.6.")} == {"10.6.0.1", "10.6.0.9"}

    run(work, SSH_CONNECTION="10.6.0.1 50000 10.0.0.1 22")


@pytest.mark.parametrize("force", [False, True])
def test_a_gateway_that_begins_to_carry_the_session_is_not_cut(run: Run, force: bool) -> None:
    async def work(editing: NeighbourEditing, services: Services) -> None:
        ip(
            f"neigh add 10.6.0.1 lladdr {MAC} dev left nud stale",
            f"neigh add 10.6.0.2 lladdr {MAC} dev left nud stale",
        )
        deletion = await editing.plan(ADA, DeleteEntry("10.6.0.1", "left"))
        flush = await editing.plan(ADA, FlushEntries("left"))
        ip("route add default via 10.6.0.1 dev left")
        with pytest.raises(NotAllowed, match="an SSH session to here"):
            await editing.apply(ADA, deletion, force=force)
        if not force:
            with pytest.raises(Superseded, match=r"spare 10\.6\.0\.1"):
                await editing.apply(ADA, flush)
        else:
            await editing.apply(ADA, flush, force=True)
            assert "10.6.0.2" not in table()
        assert "10.6.0.1" in table()

    run(work, SSH_CONNECTION="::ffff:192.0.2.9 50000 ::ffff:10.0.0.1 22")


def test_thousands_are_flushed_and_come_back(run: Run) -> None:
    async def work(editing: NeighbourEditing, services: Services) -> None:
        ip(*entries(3_000))
        before = table()
        plan = await editing.plan(ADA, FlushEntries("left", NudState.PERMANENT))
        flushed = await editing.apply(ADA, plan)
        assert flushed.entries == 3_000 and not table()
        undo = await editing.plan(ADA, UndoEdit(flushed.id))
        undone = await editing.apply(ADA, undo)
        assert table() == before
        assert undone.command.endswith("and 2,980 more")

    run(work)


def test_the_edits_of_another_machine_are_not_ours(run: Run) -> None:
    async def work(editing: NeighbourEditing, services: Services) -> None:
        edit = await editing.apply(ADA, await editing.plan(ADA, SetEntry("10.0.0.7", "left", MAC)))
        elsewhere = editing_of(services, "elsewhere")
        assert await elsewhere.edits(ADA) == []
        with pytest.raises(NotFound):
            await elsewhere.plan(ADA, UndoEdit(edit.id))

    run(work)


def test_old_edits_go_and_the_audit_trail_stays(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbour_edit_repository, "KEPT", 2)

    async def work(editing: NeighbourEditing, services: Services) -> None:
        for number in range(4):
            await editing.apply(ADA, await editing.plan(ADA, SetEntry(f"10.0.0.{number + 10}", "left", MAC)))
        assert [edit.subject for edit in await editing.edits(ADA)] == [
            "10.0.0.13 on left",
            "10.0.0.12 on left",
        ]
        found = await services.activity.audit(ADA)
        assert sum(event.action == "neighbour.add" for event in found) == 4

    run(work)


def test_roles_and_rights(run: Run) -> None:
    async def work(editing: NeighbourEditing, services: Services) -> None:
        request = SetEntry("10.0.0.7", "left", MAC)
        with pytest.raises(NotAllowed):
            await editing.plan(EVE, request)
        with pytest.raises(NotAllowed):
            await editing.edits(EVE)
        edit = await editing.apply(ADA, await editing.plan(ADA, request))
        assert edit.kind is EditKind.ADD
        with pytest.raises(NotFound):
            await editing.plan(BO, UndoEdit(edit.id))
        await editing.apply(BO, await editing.plan(BO, SetEntry("10.0.0.9", "left", MAC)))
        assert (await editing.last(ADA)).id == edit.id, "nobody undoes another one's edit without naming it"
        bare = editing_of(services)
        bare._privilege = replace(probe(), can_edit_neighbours=False)
        plan = await bare.plan(ADA, SetEntry("10.0.0.8", "left", MAC))
        with pytest.raises(PrivilegeMissing, match="CAP_NET_ADMIN") as refused:
            await bare.apply(ADA, plan)
        assert "sudo" in refused.value.fix

    run(work)


def test_the_table_and_the_edits_agree_on_what_carries_the_session(run: Run) -> None:
    async def work(editing: NeighbourEditing, services: Services) -> None:
        ip("route add default via 10.6.0.1 dev left", f"neigh add 10.6.0.1 lladdr {MAC} dev left nud stale")
        ip(f"neigh add 10.6.0.2 lladdr {MAC} dev left nud stale")
        records = await services.neighbours.once(ADA)
        assert {record.address for record in records if record.own} == {"10.6.0.1"}

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSH_CONNECTION", "192.0.2.9 50000 10.0.0.1 22")
        run(work)


def test_ip_is_not_needed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(editing: NeighbourEditing, services: Services) -> None:
        monkeypatch.setattr(subprocess, "Popen", None)  # whoever starts a program now fails
        plan = await editing.plan(ADA, SetEntry("10.0.0.7", "left", MAC))
        await editing.apply(ADA, plan)
        assert "10.0.0.7" in table()

    monkeypatch.setattr("netmon_tui.runtime.interfaces.find_tool", lambda name: None)
    run(work)
