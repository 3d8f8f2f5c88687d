"""sharkd's lines: what it is asked, what it answers, and what an answer may never do."""

import json
from base64 import b64encode

import pytest

from netmon_tui.domain.packet import ByteSource
from netmon_tui.errors import InvalidInput, ToolFailed
from netmon_tui.tools.sharkd import (
    LONGEST_REQUEST,
    LONGEST_SOURCE,
    fields_of,
    layers_of,
    offers_of,
    pack_request,
    read_reply,
    shifted_info,
    sources_of,
    type_of,
)


def tree(*nodes: object) -> object:
    return {"tree": list(nodes)}


def layers(*nodes: object, skipped: int = 0, captured: int = 100, alone: bool = False) -> tuple:
    return layers_of(tree(*nodes), skipped=skipped, captured=captured, alone=alone)


def test_a_request_is_one_line_that_sharkd_reads_whole() -> None:
    line = pack_request(7, "check", filter='http.host == "ä\n"')
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    assert json.loads(line)["params"] == {"filter": 'http.host == "ä\n"'}
    with pytest.raises(InvalidInput, match="too long"):
        pack_request(8, "check", filter="x" * LONGEST_REQUEST)


@pytest.mark.parametrize(
    "line",
    [b"nonsense\n", b"[]\n", b"{}\n", b'{"id":1}\n', b'{"id":"x","result":1}\n', b"[" * 100_000 + b"\n"],
)
def test_nonsense_is_no_reply(line: bytes) -> None:
    with pytest.raises(ToolFailed):
        read_reply(line)


def test_a_refused_request_says_why() -> None:
    number, result = read_reply(b'{"id":3,"error":{"code":-5001,"message":"Filter invalid - no such field"}}')
    assert number == 3 and isinstance(result, InvalidInput) and result.why == "no such field"


@pytest.mark.parametrize("reply", [None, [], {}, {"tree": 3}, {"tree": [3]}, {"tree": [{"h": "x"}]}])
def test_a_tree_of_another_shape_is_a_failure(reply: object) -> None:
    with pytest.raises(ToolFailed):
        layers_of(reply, skipped=0, captured=10, alone=True)


def test_fields_have_names_values_places_and_their_filter() -> None:
    node = {
        "l": "IP", "f": "ip", "t": "proto", "h": [14, 20],
        "n": [
            {"l": "TTL: 64", "f": "ip.ttl == 64", "h": [22, 1]},
            {"l": 'Host: a"b', "f": 'http.host == "a\\"b"', "h": [30, 3]},
            {"l": "Only a text"},
            {"l": "bytes", "f": "frame[3:2] == 00:01", "h": [3, 2]},
        ],
    }  # fmt: skip
    (layer,) = layers(node)
    ttl, host, text, raw = layer.fields
    assert (layer.name, layer.label) == ("ip", "IP")
    assert (ttl.name, ttl.value, ttl.offset, ttl.size, ttl.filter) == ("ip.ttl", "64", 22, 1, "ip.ttl == 64")
    assert (host.value, host.filter) == ('a"b', 'http.host == "a\\"b"')
    assert (text.name, text.filter, text.offset) == ("", "", -1)
    assert (raw.name, raw.filter, raw.offset) == ("", "", 3)


def test_what_is_hidden_or_outside_the_packet_is_not_marked() -> None:
    (layer,) = layers(
        {
            "f": "x",
            "n": [
                {"f": "x.a == 1", "h": [99, 2]},
                {"f": "x.b == 1", "h": [1, 2], "ds": 1},
                {"f": "x.c == 1", "v": True},
                {"f": "x.d == 1", "h": [-5, 2]},
            ],
        }
    )
    assert [(field.name, field.offset) for field in layer.fields] == [("x.a", -1), ("x.b", -1), ("x.d", -1)]


def test_a_field_is_in_one_of_the_sources_that_are_known_or_nowhere() -> None:
    sources = (ByteSource("Decrypted TLS (4 bytes)", b"abcd"), ByteSource("long", b"ab", left_out=8))
    nodes = [
        {"f": f"x.{name} == 1", "h": place, "ds": source}
        for name, place, source in (
            ("a", [2, 2], 1), ("b", [3, 2], 1), ("c", [8, 2], 2), ("d", [0, 1], 3),
            ("e", [0, 1], -1), ("f", [3, 2], 0),
        )
    ]  # fmt: skip
    (layer,) = layers_of(tree({"f": "x", "n": nodes}), skipped=0, captured=9, alone=True, sources=sources)
    found = [(field.source, field.offset) for field in layer.fields]
    assert found == [(1, 2), (0, -1), (2, 8), (0, -1), (0, -1), (0, 3)]


def test_sources_are_read_up_to_a_length() -> None:
    data = bytes(LONGEST_SOURCE + 3)
    reply = {"ds": [{"name": "Reassembled", "bytes": b64encode(data).decode()}, {"name": "", "bytes": ""}]}
    assert sources_of(reply) == (ByteSource("Reassembled", data[:-3], 3), ByteSource("", b""))
    assert sources_of({}) == ()


@pytest.mark.parametrize(
    "reply", [None, [], {"ds": 3}, {"ds": [3]}, {"ds": [{}]}, {"ds": [{"name": "", "bytes": "x"}]}]
)
def test_sources_of_another_shape_are_a_failure(reply: object) -> None:
    with pytest.raises(ToolFailed):
        sources_of(reply)


def test_numbers_of_packets_are_those_of_the_file() -> None:
    frame = {
        "l": "Frame 3: 60 bytes",
        "f": "frame",
        "n": [{"l": "Frame Number: 3", "f": "frame.number == 3"}],
    }
    dns = {"f": "dns", "n": [{"l": "Request In: 2", "f": "dns.response_to == 2", "fnum": 2}]}
    first, second = layers(frame, dns, skipped=400, alone=True)
    assert first.label == "Frame 403: 60 bytes"
    assert (first.fields[0].label, first.fields[0].filter) == ("Frame Number: 403", "frame.number == 403")
    assert (second.fields[0].label, second.fields[0].value) == ("Request In: 402", "402")


def test_numbers_of_packets_in_columns_are_those_of_the_file() -> None:
    reply = [{"c": ["7", "7", "2,9", "64"], "num": 7}, {"c": ["8", "to 5", "9" * 5_000, "1" * 600], "num": 8}]
    fields = ("frame.number", "icmp.resp_to", "tcp.reassembled_in", "ip.ttl")
    assert fields_of(reply, fields, skipped=400, numbering=fields[:3]) == {
        407: ("407", "407", "402,409", "64"),
        408: ("408", "to 5", "9" * 500, "1" * 500),
    }
    assert fields_of(reply, fields, skipped=0, numbering=fields[:3])[7] == ("7", "7", "2,9", "64")


def test_the_type_of_a_field_is_told_by_its_completion() -> None:
    reply = {
        "field": [{"f": "ip.fragment.count", "t": 7, "n": "Fragment count"}, {"f": "ip.fragment", "t": 35}]
    }
    assert type_of(reply, "ip.fragment") == 35
    for strange in (
        {"field": []},
        {},
        [],
        {"field": [{"f": "ip.fragment"}]},
        {"field": [{"f": "ip.fragment", "t": "x"}]},
    ):
        assert type_of(strange, "ip.fragment") is None


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        (
            "Echo (ping) reply id=0x7, ttl=64 (request in 7)",
            "Echo (ping) reply id=0x7, ttl=64 (request in 407)",
        ),
        ("V3 GETATTR Call (Reply In 9), FH: 0x5", "V3 GETATTR Call (Reply In 409), FH: 0x5"),
        ("Fragmented IP protocol [Reassembled in #8]", "Fragmented IP protocol [Reassembled in #408]"),
        ("[TCP Dup ACK 12#3] 80 -> 40001 [ACK] Seq=1", "[TCP Dup ACK 412#3] 80 -> 40001 [ACK] Seq=1"),
        ("GET /reply in 7 HTTP/1.1", "GET /reply in 7 HTTP/1.1"),
    ],
)
def test_numbers_of_packets_in_words_are_those_of_the_file(info: str, expected: str) -> None:
    assert shifted_info(info, 400) == expected
    assert shifted_info(info, 0) == info


def test_a_part_of_the_file_says_nothing_of_the_time_since_the_first_packet() -> None:
    frame = {"f": "frame", "n": [{"f": "frame.time_relative == 1.5"}, {"f": "frame.len == 60"}]}
    assert [field.name for field in layers(frame, alone=True)[0].fields] == ["frame.len"]
    assert len(layers(frame)[0].fields) == 2


def test_a_tree_without_end_is_cut() -> None:
    node: dict[str, object] = {"f": "x.y == 1"}
    for _ in range(300):
        node = {"f": "x.y == 1", "n": [node]}
    depth, field = 0, layers(node)[0].fields[0]
    while field.fields:
        depth, field = depth + 1, field.fields[0]
    assert depth < 70


def test_the_shortest_names_are_offered_first_and_not_without_end() -> None:
    found = offers_of(
        {"field": [{"f": "tcp.port.x", "n": "X"}, {"f": "tcp.port", "n": "Port"}, {"f": "tcp"}]}
    )
    assert [one.name for one in found] == ["tcp", "tcp.port", "tcp.port.x"]
    assert found[1].meaning == "Port"
    assert len(offers_of({"field": [{"f": f"x.{n}"} for n in range(5_000)]})) == 200
    with pytest.raises(ToolFailed):
        offers_of({"field": 3})
