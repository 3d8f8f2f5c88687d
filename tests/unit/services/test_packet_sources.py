"""Fields of what was decrypted, unpacked or put together have their bytes, and no field has others."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from netmon_tui.domain.capture_documents import packet_detail_document
from netmon_tui.domain.packet import Field, PacketDetail
from netmon_tui.runtime import packet_dissector
from netmon_tui.runtime.key_log import KEPT_NAME
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services.packet_list import PacketList
from netmon_tui.tools.sharkd import LONGEST_SOURCE
from tests.unit.tools.encrypted import encrypted
from tests.unit.tools.exchanges import ANSWER, PUSH, Made
from tests.unit.tools.reassembled import BODY, HEAD, MESSAGE, reassembled

pytestmark = [pytest.mark.lab, pytest.mark.skipif(not find_tool("sharkd"), reason="sharkd is not installed")]
TEXT = b"a text that is packed\n" * 3


def flat(fields: Sequence[Field]) -> Iterator[Field]:
    for field in fields:
        yield field
        yield from flat(field.fields)


def fields_of(detail: PacketDetail) -> list[Field]:
    return [field for layer in detail.layers for field in flat(layer.fields)]


def bytes_of(detail: PacketDetail, name: str) -> tuple[str, bytes]:
    """Return the name of the source of a field, and its bytes there."""
    field = next(field for field in fields_of(detail) if field.name == name)
    assert field.offset >= 0, name
    source = detail.sources[field.source - 1] if field.source else None
    data = source.data if source else detail.data
    return source.name if source else "", data[field.offset : field.offset + field.size]


async def last(path: Path, *, whole: bool = False) -> PacketDetail:
    """Return the last packet of a file."""
    packets = PacketList(path)
    try:
        while await packets.extend():
            pass
        if whole:
            await packets.load_whole()
        assert (await packets.sketch(packets.count)).sources == ()
        return await packets.detail(packets.count)
    finally:
        await packets.close()


def packed() -> Made:
    """An answer in one packet whose body is packed."""
    made, body = Made(), gzip.compress(TEXT)
    head = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    )
    made.tcp((40001, 80), PUSH, (5000, 1000), head % len(body) + body, back=True)
    return made


@pytest.mark.parametrize("whole", [False, True])
async def test_a_field_of_what_was_decrypted_has_its_bytes_there(tmp_path: Path, whole: bool) -> None:
    made, keys = encrypted(tmp_path)
    path = made.write(tmp_path / "made.pcap")
    shutil.copy(keys, tmp_path / KEPT_NAME)
    detail = await last(path, whole=whole)
    assert [source.name for source in detail.sources] == [f"Decrypted TLS ({len(ANSWER)} bytes)"]
    assert detail.sources[0].data == ANSWER and ANSWER not in detail.data
    assert bytes_of(detail, "http.response.code") == (detail.sources[0].name, b"200")
    assert bytes_of(detail, "ip.ttl") == ("", b"\x40")


@pytest.mark.parametrize("whole", [False, True])
async def test_a_field_of_what_was_put_together_has_its_bytes_there(tmp_path: Path, whole: bool) -> None:
    detail = await last(reassembled().write(tmp_path / "made.pcap"), whole=whole)
    assert [source.name for source in detail.sources] == [f"Reassembled TCP ({len(MESSAGE)} bytes)"]
    assert detail.sources[0].data == MESSAGE and not detail.sources[0].left_out
    assert bytes_of(detail, "http.file_data") == (detail.sources[0].name, BODY)
    document = packet_detail_document(detail)
    assert [bytes.fromhex(source["bytes"]) for source in document["sources"]] == [MESSAGE]
    (http,) = (layer for layer in document["layers"] if layer["name"] == "http")
    assert {field["source"] for field in http["fields"] if field["offset"] >= 0} == {1}


async def test_of_a_large_body_the_beginning_is_kept_and_the_rest_told(tmp_path: Path) -> None:
    body = b"walnut\0\n" * 160_000
    message = HEAD.replace(b"json", b"octet-stream") % len(body) + body
    detail = await last(reassembled(message, segment=60_000).write(tmp_path / "made.pcap"))
    (source,) = detail.sources
    assert detail.dissector == "sharkd" and source.data == message[:LONGEST_SOURCE]
    assert source.left_out == len(message) - LONGEST_SOURCE
    assert source.title == f"first 1 048 576 of Reassembled TCP ({len(message)} bytes)"
    assert bytes_of(detail, "http.response.code") == (source.name, b"200")


async def test_what_was_unpacked_has_bytes_by_sharkd_and_none_by_tshark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = packed().write(tmp_path / "made.pcap")
    detail = await last(path)
    assert [source.data for source in detail.sources] == [TEXT]
    lines = [field for layer in detail.layers if layer.name == "data-text-lines" for field in layer.fields]
    assert [(field.source, field.offset) for field in lines] == [(1, 0), (1, 22), (1, 44)]

    def without(name: str) -> str | None:
        return None if name == "sharkd" else find_tool(name)

    monkeypatch.setattr(packet_dissector, "find_tool", without)
    detail = await last(path)
    assert detail.dissector == "tshark" and not detail.sources
    lines = [field for layer in detail.layers if layer.name == "data-text-lines" for field in layer.fields]
    assert lines and {(field.source, field.offset) for field in lines} == {(0, -1)}
    assert bytes_of(detail, "http.response.code") == ("", b"200")
    assert bytes_of(detail, "tcp.flags") == ("", b"\x50\x18"), "also a value of some bits"
