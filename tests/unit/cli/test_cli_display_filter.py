"""``capture display-filter``, ``capture packets --filter`` and ``capture packet --whole``."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from netmon_tui.config.paths import find_paths
from netmon_tui.config.settings import load_settings
from netmon_tui.domain.user import Actor, Role
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services.container import open_services
from tests.bench.generate_pcap import generate
from tests.unit.services.tsharks import keep

pytestmark = [pytest.mark.lab, pytest.mark.skipif(not find_tool("sharkd"), reason="sharkd is not installed")]


@pytest.fixture
def capture(admin: Any, home: Path) -> int:
    """A capture of 500 packets that ada has made."""
    file = home / "made.pcap"
    generate(file, 500)

    async def work() -> int:
        services = open_services(load_settings(environ={}), find_paths(data_dir=home / "data"))
        number = keep(services, Actor(1, "ada", Role.ADMIN), file.read_bytes())
        await services.close()
        return number

    return asyncio.run(work())


def test_packets_that_meet_a_filter(admin: Any, capture: int) -> None:
    everything = admin("capture", "packets", capture, "--json").document
    dns = [one["number"] for one in everything if one["protocol"] == "DNS"]
    found = admin("capture", "packets", capture, "--filter", "dns", "--json").document
    assert [one["number"] for one in found] == dns
    some = admin(
        "capture", "packets", capture, "--filter", "dns", "--offset", 2, "--limit", 3, "--json"
    ).document
    assert [one["number"] for one in some] == dns[2:5]


def test_a_wrong_filter_is_refused(admin: Any, capture: int) -> None:
    for words in (("packets", capture, "--filter", "dns =="), ("display-filter", "check", "dns ==")):
        answer = admin("capture", *words)
        assert answer.code == 2 and "Unexpected end of filter" in answer.err and not answer.out


def test_filters_are_kept_and_used(admin: Any, capture: int) -> None:
    assert admin("capture", "display-filter", "save", "names", "dns", "--share").code == 0
    assert admin("capture", "display-filter", "save", "wrong", "dns ==").code == 2
    (kept,) = admin("capture", "display-filter", "list", "--json").document
    assert kept == {"name": "names", "query": "dns", "owner": "ada", "shared": True}
    found = admin(
        "capture", "packets", capture, "--saved", "names", "--filter", "frame.number < 50", "--json"
    )
    assert {one["protocol"] for one in found.document} == {"DNS"}
    assert max(one["number"] for one in found.document) < 50
    assert admin("capture", "display-filter", "delete", "names").code == 0
    assert admin("capture", "display-filter", "delete", "names").code == 2
    assert admin("capture", "display-filter", "recent", "--json").document == []


def test_names_that_can_stand_in_a_filter(admin: Any, capture: int) -> None:
    found = admin("capture", "display-filter", "fields", capture, "tcp.por", "--json").document
    assert found[0]["name"] == "tcp.port"


def test_a_packet_in_its_window_and_in_the_whole_file(admin: Any, capture: int) -> None:
    part = admin("capture", "packet", capture, 450, "--json").document
    whole = admin("capture", "packet", capture, 450, "--whole", "--json").document
    assert part["dissector"] == whole["dissector"] == "sharkd"
    assert part["window"] == [201, 500] and whole["window"] is None
    assert "knew packets 201 to 500" in admin("capture", "packet", capture, 450).out
