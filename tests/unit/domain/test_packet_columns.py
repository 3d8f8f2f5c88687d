import pytest

from netmon_tui.domain.packet import PacketSummary
from netmon_tui.domain.packet_columns import (
    MOST_FIELDS,
    TIMES,
    Dissected,
    PacketColumns,
    PacketLine,
    check_columns,
    said_line,
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
    columns = PacketColumns(("a.b", "protocol", "number", "c.d", "source", "info"))
    ours = PacketSummary(7, 0.0, "", "", "ours", 60, "our info")
    line, said = (
        PacketLine(ours, ("", "ours", "7", "", "", "our info")),
        Dissected("TLS", "Hello", ("x", "y"), "aa"),
    )
    assert said_line(columns, line, said) == PacketLine(ours, ("x", "ours", "7", "y", "", "our info"))
    wholly = PacketColumns(columns.keys, by_tshark=True)
    assert said_line(wholly, line, said).cells == ("x", "TLS", "7", "y", "aa", "Hello")
    sealed = said_line(columns, line._replace(is_sealed=True), said)
    assert sealed.cells == ("x", "TLS", "7", "y", "aa", "Hello")
    assert (sealed.summary.source, sealed.summary.protocol, sealed.summary.info) == ("aa", "TLS", "Hello")


def test_an_address_that_we_know_stays_in_its_place():
    columns = PacketColumns(("source", "destination"), by_tshark=True)
    ours = PacketSummary(7, 0.0, "192.0.2.1", "192.0.2.2", "ours", 60, "our info")
    said = Dissected("TLS", "Hello", (), "nas.example", "")
    line = said_line(columns, PacketLine(ours, ("192.0.2.1", "192.0.2.2")), said)
    assert line.cells == ("192.0.2.1", "192.0.2.2")
