"""Display filters on a capture that grows, by a real tshark."""

from __future__ import annotations

from pathlib import Path

import pytest

from netmon_tui.runtime.display_filter import FilterRun
from netmon_tui.runtime.key_log import keep_keys
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services.packet_list import PacketList
from netmon_tui.ui.widgets.filter_rounds import FilterRounds
from netmon_tui.ui.widgets.packet_list import PacketSource
from tests.bench.generate_pcap import generate
from tests.unit.tools.encrypted import encrypted
from tests.unit.tools.exchanges import Made

pytestmark = [pytest.mark.lab, pytest.mark.skipif(not find_tool("tshark"), reason="tshark is not installed")]
COUNT = 3_000


@pytest.mark.parametrize("text", ["dns", "tcp.stream == 3 || frame.number > 2500", "sctp"])
async def test_rounds_find_what_one_look_at_the_whole_file_finds(tmp_path: Path, text: str) -> None:
    whole, path = tmp_path / "whole.pcap", tmp_path / "growing.pcap"
    generate(whole, COUNT)
    content = whole.read_bytes()
    path.write_bytes(content[:24])
    packets = PacketList(path, growing=True)
    source = PacketSource(packets)
    source.choose([])
    rounds = FilterRounds(packets, source, text, 0)
    for part in (0.2, 0.2, 0.7, 1):  # most of them end within a packet
        path.write_bytes(content[: int(len(content) * part)])
        while await source.advance():
            pass
        assert not rounds.is_over
        await rounds.look()
        assert rounds.covered == packets.count
    packets.growing = False
    await rounds.look()
    assert rounds.is_over and packets.count == COUNT
    assert source.shown == await FilterRun(whole, text).all()
    await packets.close()


async def test_the_last_round_has_packets_that_no_look_has_seen(tmp_path: Path) -> None:
    whole, path = tmp_path / "whole.pcap", tmp_path / "growing.pcap"
    generate(whole, COUNT)
    content = whole.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    packets = PacketList(path, growing=True)
    source = PacketSource(packets)
    source.choose([])
    rounds = FilterRounds(packets, source, "dns", 0)
    while await source.advance():
        pass
    await rounds.look()
    assert packets.complete
    path.write_bytes(content)
    packets.growing = False
    await rounds.look()
    assert rounds.is_over and source.shown == await FilterRun(whole, "dns").all()
    await packets.close()


async def test_what_keys_decrypt_is_found_far_behind_the_handshake(tmp_path: Path) -> None:
    made, keys = encrypted(tmp_path)
    keep_keys(tmp_path, keys.read_bytes())
    path, frames = tmp_path / "growing.pcap", made.frames
    others = Made()
    others.udp("192.0.2.1", "192.0.2.2", (9, 9), b"x")
    made.frames = [*frames[:-2], *others.frames * 1_000]
    made.write(path)
    packets = PacketList(path, growing=True)
    source = PacketSource(packets)
    source.choose([])
    rounds = FilterRounds(packets, source, "http.response", 0)
    await source.advance()
    await rounds.look()
    assert list(source.shown or ()) == []
    made.frames += frames[-2:]
    made.write(path)
    await source.advance()
    await rounds.look()
    assert list(source.shown or ()) == [packets.count]
    await packets.close()


async def test_the_round_after_the_end_finds_what_was_given_up_before(tmp_path: Path) -> None:
    path = tmp_path / "growing.pcap"
    generate(path, COUNT)
    packets = PacketList(path, growing=True)
    source = PacketSource(packets)
    source.choose([])
    while await source.advance():
        pass
    rounds = FilterRounds(packets, source, "dns", packets.count)  # as if tshark had taken all for others
    await rounds.look()
    assert not source.shown and not rounds.is_over
    packets.growing = False
    await rounds.look()
    assert rounds.is_over and source.shown == await FilterRun(path, "dns").all()
    await packets.close()
