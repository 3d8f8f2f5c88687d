"""How the columns of packets share the width of a screen."""

from __future__ import annotations

import pytest

from netmon_tui.domain.packet_columns import PacketColumns
from netmon_tui.ui.widgets.packet_columns import Needs, table_columns
from netmon_tui.ui.widgets.table_columns import ColumnChoice

USUAL_AT_80 = ("number", "time", "source", "destination", "protocol", "info")


def widths(columns: PacketColumns, needs: Needs, width: int = 80) -> dict[str, int]:
    """Cells of the columns that fit."""
    slots = ColumnChoice(table_columns(columns, needs=needs)).fit(width)
    return {slot.column.key: slot.width for slot in slots}


def test_what_addresses_and_numbers_do_not_need_is_the_infos() -> None:
    long, short = widths(PacketColumns(), Needs()), widths(PacketColumns(), Needs.of(2_000, len("10.0.0.1")))
    assert tuple(long) == tuple(short) == USUAL_AT_80
    assert (short["source"], short["destination"], short["number"]) == (11, 11, 6)
    assert short["info"] == long["info"] + 11


@pytest.mark.parametrize("end", (8, 15, 39))
@pytest.mark.parametrize("field", ("ip.ttl", "udp.srcport", "dns.qry.name"))
def test_addresses_give_way_before_the_time_does(field: str, end: int) -> None:
    found = widths(PacketColumns().with_field(field), Needs.of(2_000, end))
    assert tuple(found) == (*USUAL_AT_80[:-1], field, "info")
    assert found["info"] >= 10


def test_long_addresses_have_their_share_of_a_wide_screen() -> None:
    short, long = (widths(PacketColumns(), Needs.of(2_000, end), 160) for end in (9, 39))
    assert long["source"] > short["source"] == 11
