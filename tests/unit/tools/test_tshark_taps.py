"""Questions by what the installed tshark has, and the tables of statistics that are not known."""

from __future__ import annotations

import pytest

from netmon_tui.domain.analysis import QUESTIONS, Asked, Question, find_question
from netmon_tui.errors import InvalidInput, ToolFailed
from netmon_tui.tools.tshark_statistics import build_command, reader_for
from netmon_tui.tools.tshark_taps import questions_of, read_taps, tap_of

HELP = """Running as user "root" and group "root". This could be dangerous.
tshark: The available statistics for the "-z" option are:
     conv,tcp
     conv,warp
     credentials
     dns,tree
     endpoints,warp
     expert
     io,stat
     smb2,srt
     warp,srt
     warp,tree
"""
BETWEEN = b"""
================================================================================
Warp Conversations
Filter:<No Filter>
                               |       <-      | |       ->      | |     Total     |  Relative  |  Duration  |
                               | Frames  Bytes | | Frames  Bytes | | Frames  Bytes |    Start   |            |
ship 1       <-> ship 2          1 36 bytes        70 12 kB         71 12 kB        0.500000000         1.2500
ship 2       <-> NONE            0 0 bytes         2 1,288 bytes    2 1,288 bytes   3.000000000         0.0000
================================================================================
"""
ENDS = b"""
================================================================================
Warp Endpoints
Filter:<No Filter>
                       |  Packets  | |  Bytes  | | Tx Packets | | Tx Bytes | | Rx Packets | | Rx Bytes |
ship 1                         3           106          2              70           1              36
================================================================================
"""
CAMEL = b"""
Camel Service Response Time (SRT) Statistics:
|        Category         | Measure |  Min SRT  |  Max SRT  |  Avg SRT  | Min frame | Max frame |
|-------------------------|---------|-----------|-----------|-----------|-----------|-----------|
|            TCAP_Session |       2 |    1.50 s |    2.50 s |    2.00 s |         1 |         9 |
|      InitialDP/Continue |       3 |   20.00 ms|   40.00 ms|   30.00 ms|         1 |         5 |
|          Slice1_ACR/ACH |       0 |    0.00 ms|    0.00 ms|    0.00 ms|         0 |         0 |
|   Category/Criteria     |   5.00% |  10.00% |  75.00% |  90.00% |  95.00% |  99.00% |  99.90% |
"""


def test_what_tshark_has_can_be_asked_and_nothing_else() -> None:
    found = questions_of(read_taps(HELP))
    assert [one.name for one in found] == [
        "expert",
        "io",
        "flow",
        "conversations:tcp",
        "conversations:warp",
        "endpoints:warp",
        "dns",
        "warp",
        "srt:smb2",
        "srt:warp",
    ]
    assert find_question("SRT:warp ", found).group == "Response times"
    with pytest.raises(InvalidInput, match="capture questions"):
        find_question("conversations:udp", found)


def test_each_known_question_has_a_statistic_of_its_own() -> None:
    assert len({tap_of(one.name) for one in QUESTIONS}) == len(QUESTIONS)
    assert questions_of({tap_of(one.name) for one in QUESTIONS}) == QUESTIONS


def rows(name: str, output: bytes) -> list[tuple[object, ...]]:
    reader = reader_for(Asked(Question(name, "", "")))
    reader.take(output)
    return [row.cells for row in reader.answer().rows]


def test_tables_of_conversations_and_endpoints_are_read_whosever_they_are() -> None:
    assert (
        build_command("/t", Asked(Question("conversations:warp", "", ""), "udp"), 1.0)[-1] == "conv,warp,udp"
    )
    assert rows("conversations:warp", BETWEEN) == [
        ("ship 1", "ship 2", 71, 12_000, 70, 12_000, 1, 36, 0.5, 1.25),
        ("ship 2", "NONE", 2, 1_288, 2, 1_288, 0, 0, 3.0, 0.0),
    ]
    assert rows("endpoints:warp", ENDS) == [("ship 1", 3, 106, 2, 70, 1, 36)]
    with pytest.raises(ToolFailed):
        rows("endpoints:warp", b"nothing")


def test_response_times_of_sessions_are_seconds() -> None:
    assert rows("srt:camel", CAMEL) == [
        ("TCAP_Session", 2, 1.5, 2.5, 2.0),
        ("InitialDP/Continue", 3, 0.02, 0.04, 0.03),
    ]


def test_every_set_of_commands_is_measured() -> None:
    command = build_command("/t", Asked(find_question("srt:scsi"), "tcp"), 1.0, programs=["0", "1"])
    assert command[-4:] == ("-z", "scsi,srt,0,tcp", "-z", "scsi,srt,1,tcp")
