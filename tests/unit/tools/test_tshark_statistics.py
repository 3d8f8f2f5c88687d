"""Commands of tshark's statistics, and its output read: also cut anywhere, hostile, or not there."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon_tui.domain.analysis import QUESTIONS, Asked, check_asked, find_question
from netmon_tui.domain.stream import CLIENT, SERVER, Follow, marked_lines
from netmon_tui.errors import InvalidInput, ToolFailed
from netmon_tui.tools import tshark_lines
from netmon_tui.tools.tshark_conversations import ConversationReader
from netmon_tui.tools.tshark_flow import draw
from netmon_tui.tools.tshark_lines import LONGEST_LINE, TextReader
from netmon_tui.tools.tshark_statistics import (
    build_command,
    follow_command,
    reader_for,
)
from netmon_tui.tools.tshark_stream import StreamReader

HIERARCHY = b"""
===================================================================
Protocol Hierarchy Statistics
Filter:

eth                                      frames:20 bytes:6219
  ip                                     frames:18 bytes:6155
    tcp                                  frames:12 bytes:5220
  arp                                    frames:2 bytes:64
===================================================================
"""
EXPERT = b"""
Errors (1)
=============
   Frequency      Group           Protocol  Summary
           1  Malformed               HTTP  Malformed Packet (Exception occurred)

Chats (18)
=============
   Frequency      Group           Protocol  Summary
           3   Sequence                TCP  Connection establish request (SYN): server port 18080
           1   Sequence               HTTP  GET /a.txt HTTP/1.1\\r\\n
"""
GRAPH = b"""
| Interval   | Frames |  Bytes  | Frames | Bytes |
|-----------------------------------------------|
| 0.0 <> 0.5 |   6321 | 2720112 |    373 |     1 |
| 0.5 <> Dur |   5825 | 2499960 |    372 |     2 |
IO Statistics
"""
TIMES = b"""
===================================================================
SMB2 SRT Statistics:
Filter: smb2.cmd
Index  Commands               Calls    Min SRT    Max SRT    Avg SRT    Sum SRT
    0  Negotiate Protocol         2   0.000551   0.001234   0.000892   0.001785
    5  Create                     7   0.000100   0.000300   0.000200   0.001400
==================================================================
"""
ECHO = b"""
ICMP Service Response Time (SRT) Statistics (all times in ms):
Filter: <none>

Requests  Replies   Lost      % Loss
4         3         1          25.0%

Minimum   Maximum   Mean      Median    SDeviation     Min Frame Max Frame
0.030     0.090     0.060     0.060     0.030          2         6
"""
TREE = b"""
=============================
HTTP/Requests:
Topic / Item                Count         Average       Min Val       Max Val       Rate (ms)     Percent
----------------------------------------------------------------------------------------------------------------
HTTP Requests by HTTP Host  3                                                       0.0586        100%
 127.0.0.1:18080            3             2.50          1             4             0.0586        100.00%
  /none \x1b[31m               1                                                       0.0195        33.33%
  never                     0                                                       0.0000        0.00%

----------------------------------------------------------------------------------------------------------------
"""
STREAM = b"""peers:
  - peer: 0
    host: 127.0.0.1
    port: 45822
  - peer: 1
    host: ::1
    port: 18080
packets:
  - packet: 4
    peer: 0
    timestamp: 1795391802.025549889
    data: !!binary |
      R0VUIC9hLnR4dCBI
      VFRQLzEuMQ0KDQo=
  - packet: 8
    peer: 1
    timestamp: 1795391802.033011913
    data: !!binary |
      aGVsbG8K
"""


def asked(name, filter="", **limits):
    return Asked(find_question(name), filter, **limits)


def read(name, output, **limits):
    reader = reader_for(asked(name, **limits))
    reader.take(output)
    return reader.answer()


def cells(answer):
    return [row.cells for row in answer.rows]


# --- commands ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "filter", "statistic"),
    [
        ("hierarchy", "", "io,phs"),
        ("hierarchy", "udp", "io,phs,udp"),
        ("expert", "tcp.port in {22, 80}", "expert,(tcp.port in {22, 80})"),
        ("io", "", "io,stat,0.5,frame"),
        ("io", "tcp", "io,stat,0.5,tcp"),
        ("lengths", "", "plen,tree"),
        ("http:requests", "ip", "http_req,tree,ip"),
        ("srt:smb2", "ip", "smb2,srt,ip"),
    ],
)
def test_the_statistic_of_a_question(question, filter, statistic):
    command = build_command("/usr/bin/tshark", asked(question, filter), 0.5)
    assert command == ("/usr/bin/tshark", "-n", "-r", "-", "-q", "-z", statistic)


def test_the_graph_counts_filters_within_the_limit():
    command = build_command("tshark", asked("io", "ip", series=("tcp", "udp")), 1)
    assert command[-1] == "io,stat,1,ip,(ip) && (tcp),(ip) && (udp)"
    assert build_command("tshark", asked("io", series=("tcp",)), 1)[-1] == "io,stat,1,frame,tcp"


def test_conversations_are_counted_from_a_list_with_just_their_columns():
    command = build_command("tshark", asked("conversations:tcp", "ip.ttl > 3"), 1)
    assert command[-1] == "(tcp && !icmp && !icmpv6) && (ip.ttl > 3)"
    assert '"6","%Cus:tcp.stream:0:R"' in command[command.index("-o") + 1]
    assert build_command("tshark", asked("flow"), 1)[-2] != "-Y"


def test_keys_are_named_to_tshark():
    assert "tls.keylog_file:/proc/self/fd/5" in build_command("tshark", asked("http2"), 1, "/proc/self/fd/5")
    assert "follow,tls,yaml,3" in follow_command("tshark", Follow("tls", 3), "/k")


@pytest.mark.parametrize("question", [one.name for one in QUESTIONS])
def test_every_question_has_a_command_and_a_reader(question):
    assert build_command("tshark", asked(question), 1.0)[0] == "tshark"
    assert reader_for(asked(question))


@pytest.mark.parametrize(
    "wrong",
    [
        asked("hierarchy", "x" * 1001),
        asked("hierarchy", "tcp\x1b"),
        asked("hierarchy", "tcp\nudp"),
        asked("io", series=("tcp.port in {1, 2}",)),
        asked("io", "tcp.port in {1, 2}"),
        asked("io", series=("tcp",) * 7),
        asked("io", interval=-1),
        asked("io", interval=float("nan")),
        asked("dns", interval=1),
    ],
)
def test_what_cannot_be_asked_is_refused_before_tshark(wrong):
    with pytest.raises(InvalidInput):
        check_asked(wrong)


def test_what_cannot_be_followed_is_refused():
    for protocol, number in (("tcp", -1), ("tcp", 2**32), ("sip,x", 0)):
        with pytest.raises(InvalidInput):
            follow_command("tshark", Follow(protocol, number))


# --- tables ------------------------------------------------------------------------------------------


def test_the_hierarchy_keeps_its_levels():
    answer = read("hierarchy", HIERARCHY)
    assert cells(answer)[:2] == [("eth", 20, 100.0, 6219), ("ip", 18, 90.0, 6155)]
    assert [(row.depth, row.filter) for row in answer.rows] == [
        (0, "eth"),
        (1, "eth && ip"),
        (2, "eth && ip && tcp"),
        (1, "eth && arp"),
    ]


def test_expert_information_has_severity_and_a_filter():
    answer = read("expert", EXPERT)
    assert cells(answer)[0] == ("error", 1, "Malformed", "HTTP", "Malformed Packet (Exception occurred)")
    assert [row.cells[0] for row in answer.rows] == ["error", "chat", "chat"]
    assert answer.rows[2].filter == (
        '_ws.expert.severity == 2097152 && _ws.expert.message contains "GET /a.txt HTTP/1.1"'
    )
    assert read("expert", b"\n").rows == ()


def test_the_graph_has_a_line_for_each_step():
    answer = read("io", GRAPH, series=("udp",))
    assert cells(answer) == [(0.0, 0.5, 6321, 2720112, 373, 1), (0.5, None, 5825, 2499960, 372, 2)]
    assert answer.rows[0].filter == "frame.time_relative >= 0.0 && frame.time_relative < 0.5"
    assert answer.rows[1].filter == "frame.time_relative >= 0.5"


def test_a_graph_is_read_beside_filters_that_are_wider_than_its_columns() -> None:
    wide = GRAPH.replace(b"373 |     1 |", b"373 |     1 |                   |")
    assert [row[2] for row in cells(read("io", wide, series=("tcp",)))] == [6321, 5825]


def test_response_times_are_seconds():
    assert cells(read("srt:smb2", TIMES))[0] == (
        "Negotiate Protocol",
        2,
        0.000551,
        0.001234,
        0.000892,
        0.001785,
    )
    (row,) = read("srt:icmp", ECHO).rows
    assert row.cells == (4, 3, 1, 25.0, 3e-05, 9e-05, 6e-05, 6e-05, 3e-05)
    assert row.filter == "icmp.type == 0 || icmp.type == 8"


def test_a_tree_keeps_hostile_names_as_text_and_leaves_out_what_never_was():
    answer = read("http:requests", TREE)
    assert [row.depth for row in answer.rows] == [0, 1, 2]
    assert cells(answer)[1] == ("127.0.0.1:18080", 3, 100.0, 2.5, 1, 4, 58.6)
    assert cells(answer)[2][:3] == ("/none \x1b[31m", 1, 33.33)


@pytest.mark.parametrize("question", ["hierarchy", "io", "dns", "srt:ldap", "srt:icmp"])
def test_no_table_is_no_answer(question):
    with pytest.raises(ToolFailed):
        read(question, b"tshark: something else\n")


# --- conversations -----------------------------------------------------------------------------------


def line(*cells):
    return "\t".join(map(str, cells)).encode() + b"\n"


def test_both_directions_of_a_conversation_are_told_apart():
    reader = ConversationReader("udp")
    for cells_ in (
        ("  10.0.0.1", 60, "10.0.0.2 ", 0.5, 99, 53, 0),
        ("10.0.0.2", 100, "10.0.0.1", 1.5, 53, 99, 0),
        ("10.0.0.1", 40, "10.0.0.3", 2.0, 99, 53, 1),
    ):
        reader.take(line(*cells_))
    first, second = reader.answer().rows
    assert first.cells == ("10.0.0.1", 99, "10.0.0.2", 53, 2, 160, 1, 60, 1, 100, 0.5, 1.0)
    assert (first.filter, first.stream, second.stream) == ("udp.stream == 0", 0, 1)


def test_round_trips_and_retransmissions_belong_to_their_conversation():
    reader = ConversationReader("tcp")
    for rtt, again in (("", ""), (0.02, ""), (0.04, "1"), ("", "1")):
        reader.take(line("10.0.0.1", 60, "10.0.0.2", 1, 5, 80, 7, rtt, again, "", "", ""))
    (row,) = reader.answer().rows
    assert row.cells[-6:] == (0.03, 0.04, 2, 0, 0, 0)


def test_endpoints_count_what_they_sent_and_received():
    reader = ConversationReader("ip", endpoints=True)
    reader.take(line("10.0.0.1", 60, "10.0.0.2", 0) + line("10.0.0.3", 10, "10.0.0.1", 0))
    rows = reader.answer().rows
    assert rows[0].cells == ("10.0.0.1", 2, 70, 1, 60, 1, 10)
    assert rows[0].filter == "ip.addr == 10.0.0.1"


def test_lines_that_are_none_are_counted_and_told():
    reader = ConversationReader("ip")
    reader.take(
        line("10.0.0.1", 60, "10.0.0.2", 0) + b"nonsense\n" + line("a", "x", "b", 0) + line("", 1, "", 0)
    )
    answer = reader.answer()
    assert len(answer.rows) == 1 and "3 lines" in answer.notes[0]


def test_addresses_that_are_names_are_quoted_in_filters():
    reader = ConversationReader("usb")
    reader.take(line('ho"st', 60, "1.2.3", 0))
    assert reader.answer().rows[0].filter.startswith('(usb.src == "ho\\"st" && usb.dst == "1.2.3")')


def test_a_flood_of_conversations_is_bounded(monkeypatch):
    monkeypatch.setattr("netmon_tui.tools.tshark_conversations.MOST_PAIRS", 3)
    monkeypatch.setattr("netmon_tui.tools.tshark_conversations.MOST_ROWS", 2)
    reader = ConversationReader("ip")
    for number in range(5):
        reader.take(line(f"10.0.0.{number}", 60, "10.1.0.1", 0))
    answer = reader.answer()
    assert len(answer.rows) == 2
    assert any("2 packets" in note for note in answer.notes) and any(
        "2 largest of 3" in n for n in answer.notes
    )


# --- lines and streams -------------------------------------------------------------------------------


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_where_the_output_is_cut_into_pieces_changes_nothing(cuts):
    reader, places = StreamReader(), sorted({0, *cuts, len(STREAM)})
    for start, stop in itertools.pairwise(places):
        reader.take(STREAM[start:stop])
    stream = reader.stream()
    assert stream.peers == ("127.0.0.1:45822", "[::1]:18080")
    assert [(part.side, part.packet, part.data) for part in stream.parts] == [
        (CLIENT, 4, b"GET /a.txt HTTP/1.1\r\n\r\n"),
        (SERVER, 8, b"hello\n"),
    ]


def test_a_stream_that_is_not_there_has_no_peers():
    assert StreamReader().stream().peers == ("", "")


def test_a_stream_has_an_end(monkeypatch):
    monkeypatch.setattr("netmon_tui.tools.tshark_stream.LARGEST_STREAM", 10)
    reader = StreamReader()
    reader.take(STREAM)
    assert reader.enough and reader.stream().cut


def test_a_line_without_end_and_lines_without_end_are_bounded(monkeypatch):
    monkeypatch.setattr(tshark_lines, "MOST_LINES", 2)
    reader = reader_for(asked("hierarchy"))
    assert isinstance(reader, TextReader)
    for _ in range(50):
        reader.take(b"x" * 10_000)
    reader.take(b"\na\nb\nc\n")
    assert len(reader.lines[0]) == LONGEST_LINE
    assert len(reader.lines) == 2 and reader.enough


def test_the_sides_are_marked_in_text_and_bytes():
    reader = StreamReader()
    reader.take(STREAM)
    client, server = reader.stream().parts
    assert list(marked_lines(client, as_bytes=False)) == ["> GET /a.txt HTTP/1.1", "> "]
    assert list(marked_lines(server, as_bytes=True)) == [
        "< 000000  68 65 6c 6c 6f 0a                                hello."
    ]


def test_the_ladder_points_from_lane_to_lane():
    assert draw(0, 1, 3) == "|----->|      |"
    assert draw(2, 0, 3) == "|<------------|"
    assert draw(1, 1, 2) == "|      o"
    assert draw(0, None, 2) == "|      |"


@pytest.mark.parametrize("hello", [b"192.0.2.1\t5000\t2001:db8::1\t443\n" * 2, b""])
def test_the_client_of_tls_is_who_says_hello_not_who_is_decrypted_first(hello):
    reader = StreamReader()
    peers = (
        b"peers:\n  - peer: 0\n    host: 2001:db8::1\n    port: 443\n  - peer: 1\n    host: \n    port: 0\n"
    )
    packet = b"packets:\n  - packet: 7\n    peer: 1\n    timestamp: 1.5\n    data: !!binary |\n      aGk=\n"
    reader.take(hello + peers + packet)
    stream = reader.stream()
    assert stream.peers == (("192.0.2.1:5000", "[2001:db8::1]:443") if hello else ("[2001:db8::1]:443", ""))
    assert [(part.side, part.data) for part in stream.parts] == [(CLIENT if hello else SERVER, b"hi")]
