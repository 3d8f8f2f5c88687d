"""TLS keys kept with a capture reach all that reads its packets, go on with slices, and nowhere else."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from netmon_tui.domain.analysis import Asked, find_question
from netmon_tui.domain.capture_choice import ExportForm, PacketChoice
from netmon_tui.domain.packet_find import FindIn, Wanted
from netmon_tui.domain.stream import SERVER, Follow
from netmon_tui.domain.user import Actor, Role
from netmon_tui.errors import InvalidInput, NotAllowed, NotFound
from netmon_tui.runtime.key_log import KEPT_NAME, read_keys
from netmon_tui.services.packet_list import PacketList
from netmon_tui.storage.capture_repository import CaptureRepository
from tests.unit.services.made_scans import Store
from tests.unit.services.tsharks import keep
from tests.unit.tools.encrypted import encrypted
from tests.unit.tools.exchanges import ANSWER

pytestmark = [pytest.mark.lab, pytest.mark.skipif(not shutil.which("tshark"), reason="no tshark")]
FILTER = "http.response.code == 200"


def given(store: Store, directory: Path) -> tuple[int, Path]:
    """Return a capture of ada's without keys, and the file of these."""
    made, keys = encrypted(directory)
    return keep(store.services, store.ada, made.data()), keys


async def numbers(packets: PacketList) -> list[int]:
    return [n async for some in packets.matching(FILTER).numbers() for n in some]


async def layers(packets: PacketList, number: int) -> list[str]:
    return [layer.name for layer in (await packets.detail(number)).layers]


async def found_in_trees(packets: PacketList) -> list[int]:
    finder = await packets.finder(Wanted("Status Code: 200", place=FindIn.TREE))
    return [match.number async for batch in finder.batches() for match in batch.matches]


async def test_kept_keys_open_what_was_encrypted_everywhere(store: Store, tmp_path: Path) -> None:
    capture, keys = given(store, tmp_path)
    services, ada = store.services, store.ada
    packets = await services.packets.open(ada, capture)
    while await packets.extend():
        pass
    last = packets.count
    assert await numbers(packets) == [] and "http" not in await layers(packets, last)
    assert await found_in_trees(packets) == []
    assert await services.packets.keys.give(ada, capture, keys) == 1
    assert await numbers(packets) == [last]
    assert await found_in_trees(packets) == [last], "find looks through the fields that are shown"
    assert "http" in await layers(packets, last), "what is open takes the new keys"
    await packets.load_whole()
    assert "http" in await layers(packets, last)
    await packets.close()
    http = await services.analysis.ask(ada, capture, Asked(find_question("http")))
    assert [row.filter for row in http.rows if row.cells[0] == "200 OK"] == [FILTER]
    stream = await services.analysis.follow(ada, capture, Follow("tls", 0))
    assert b"".join(part.data for part in stream.side(SERVER)) == ANSWER


async def test_a_slice_gets_the_keys_and_an_export_does_not(store: Store, tmp_path: Path) -> None:
    capture, keys = given(store, tmp_path)
    services, ada = store.services, store.ada
    await services.packets.keys.give(ada, capture, keys)
    chosen = PacketChoice(first=1, last=9)
    part = await services.catalogue.slice(ada, capture, chosen)
    assert part.note == "its TLS keys open only connections whose beginning is in it"
    assert not (await services.catalogue.slice(ada, capture, PacketChoice())).note, "there all of them are"
    kept = CaptureRepository(services.database).directory(part.id) / KEPT_NAME
    assert kept.read_bytes() == keys.read_bytes() and kept.stat().st_mode & 0o777 == 0o600
    await services.catalogue.export(ada, capture, tmp_path / "out.pcapng", chosen, ExportForm("pcapng"))
    secret = keys.read_text().split()[-1]
    written = (tmp_path / "out.pcapng").read_bytes()
    assert secret.encode() not in written and bytes.fromhex(secret) not in written
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".log"] == [keys.name]


async def test_keys_are_removed_and_are_of_those_who_may_see_the_capture(
    store: Store, tmp_path: Path
) -> None:
    capture, file = given(store, tmp_path)
    keys, ada = store.services.packets.keys, store.ada
    await keys.give(ada, capture, file)
    bo = Actor(77, "bo", Role.OPERATOR)
    for work in (keys.count(bo, capture), keys.give(bo, capture, file), keys.remove(bo, capture)):
        with pytest.raises(NotFound):
            await work
    with pytest.raises(NotAllowed):
        await keys.remove(Actor(ada.user_id, "ada", Role.VIEWER), capture)
    assert await keys.count(ada, capture) == 1
    assert await keys.remove(ada, capture) and not await keys.remove(ada, capture)
    assert await keys.count(ada, capture) == 0


def test_keys_must_be_keys(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("# comment\nCLIENT_RANDOM " + "ab" * 32 + " " + "cd" * 48 + "\n")
    assert read_keys(file) == file.read_bytes()
    for content in ("", "root:x:0:0:root:/root:/bin/bash\n"):
        file.write_text(content)
        with pytest.raises(InvalidInput, match="no TLS keys"):
            read_keys(file)
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_keys(tmp_path / "none")
    os.mkfifo(tmp_path / "pipe")  # of which nobody is the writer
    with pytest.raises(InvalidInput, match="is no plain file"):
        read_keys(tmp_path / "pipe")
