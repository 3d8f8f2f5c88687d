import pytest

from netmon_tui.domain.packet_columns import (
    MOST_FIELDS,
    TIMES,
    Dissected,
    PacketColumns,
    check_columns,
    said_cells,
)
from netmon_tui.errors import InvalidInput


def test_columns_are_ours_or_fields():
    columns = check_columns(["number", " dns.qry.name ", "info", "_ws.expert"])
    assert columns.keys == ("number", "dns.qry.name", "info", "_ws.expert")
    assert columns.fields == ("dns.qry.name", "_ws.expert")


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ([], "no column"), (["number", "number"], "already"), ([""], "no column"), (["a b"], "no column"),
        (["ip.addr == 1"], "no column"), (["a:0"], "no column"), (["x" * 101], "no column"),
        ([f"f.{n}" for n in range(MOST_FIELDS + 1)], "are fields"),
    ],
    ids=["none", "twice", "empty", "words", "filter", "occurrence", "long", "many"],
)  # fmt: skip
def test_what_is_no_choice_is_refused(keys, why):
    with pytest.raises(InvalidInput, match=why):
        check_columns(keys)


def test_the_time_goes_through_its_forms_in_its_place():
    columns, seen = PacketColumns(by_tshark=True), []
    for _ in TIMES:
        seen.append(columns.keys[1])
        columns = columns.next_time()
    assert tuple(seen) == TIMES and columns == PacketColumns(by_tshark=True)
    assert PacketColumns(("number", "utc", "time")).next_time().keys == ("number", "datetime", "time")
    assert PacketColumns(("number", "info")).next_time().keys == ("number", "time", "info")
    assert PacketColumns(TIMES).next_time().keys == TIMES


def test_a_field_comes_before_the_info_or_last():
    assert PacketColumns().with_field("ip.ttl").keys[-2:] == ("ip.ttl", "info")
    assert PacketColumns(("number",)).with_field("ip.ttl").keys == ("number", "ip.ttl")
    with pytest.raises(InvalidInput, match="already"):
        PacketColumns().with_field("info")


def test_what_the_dissector_says_takes_its_places():
    columns = PacketColumns(("a.b", "protocol", "number", "c.d", "info"))
    cells, said = ("", "ours", "7", "", "our info"), Dissected("TLSv1.2", "Hello", ("x", "y"))
    assert said_cells(columns, cells, said) == ("x", "ours", "7", "y", "our info")
    wholly = PacketColumns(columns.keys, by_tshark=True)
    assert said_cells(wholly, cells, said) == ("x", "TLSv1.2", "7", "y", "Hello")
