"""``capture filter`` and ``capture interfaces``."""

from __future__ import annotations

from typing import Any

import pytest

from netmon_tui.runtime.tool_paths import find_tool

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(not find_tool("tcpdump"), reason="tcpdump is not installed"),
]


def own(admin: Any) -> list[dict[str, Any]]:
    return [
        one for one in admin("capture", "filter", "list", "--json").document if one["owner"] != "Built-in"
    ]


def test_the_life_of_a_filter(admin: Any, home: Any) -> None:
    saved = admin("capture", "filter", "save", "Web", "port 80", "--meaning", "Browsing.", "--json").document
    assert saved == {
        "name": "Web",
        "filter": "port 80",
        "meaning": "Browsing.",
        "owner": "ada",
        "shared": False,
    }
    assert admin("capture", "filter", "rename", "web", "Pages", "--json").document == saved | {
        "name": "Pages"
    }
    assert admin("capture", "filter", "save", "pages", "port 80 or 443").err == "pages: saved\n"
    assert [one["filter"] for one in own(admin)] == ["port 80 or 443"]
    file = home / "own.toml"
    assert admin("capture", "filter", "export", "--output", file).code == 0
    assert admin("capture", "filter", "delete", "pages").err == "pages: deleted\n"
    assert own(admin) == []
    assert admin("capture", "filter", "import", file).err == "1 filter imported\n"
    assert own(admin) == [saved | {"name": "pages", "filter": "port 80 or 443", "meaning": ""}]
    assert admin("capture", "filter", "recent", "--json").document == []


def test_a_filter_is_explained(admin: Any) -> None:
    answer = admin("capture", "filter", "explain", "tcp or udp and port 53")
    assert answer.out.splitlines()[0] == "(TCP or UDP) packets to or from port 53"
    assert answer.out.splitlines()[1].startswith("note: `and` and `or` weigh the same")
    document = admin("capture", "filter", "explain", "tcp or not tcp", "--json").document
    assert document["accepts_all"] is True and document["notes"] == ["every packet meets it"]
    assert admin("capture", "filter", "check", "arp").err == "the filter is right: 4 instructions\n"


@pytest.mark.parametrize("verb", ["check", "explain", "save x"])
def test_what_is_wrong_is_shown_under_its_place(admin: Any, verb: str) -> None:
    answer = admin("capture", "filter", *verb.split(), "tcp and (udp 53)")
    assert answer.code == 2
    assert answer.err.splitlines()[:2] == ["tcp and (udp 53)", " " * 13 + "^"]
    assert "a word such as `port` or `host` is missing" in answer.err


def test_nothing_can_meet_it_and_no_such_interface(admin: Any) -> None:
    assert "No packet meets the filter" in admin("capture", "filter", "check", "tcp and udp").err
    answer = admin("capture", "filter", "check", "tcp", "--interface", "nonesuch")
    assert answer.code == 2 and "no interface 'nonesuch'" in answer.err


def test_interfaces_are_listed_with_the_traffic_of_a_second(admin: Any) -> None:
    found = admin("capture", "interfaces", "--json").document
    assert (found[0]["name"], found[-1]["name"]) == ("lo", "any")
    assert set(found[0]["packets_per_second"]) == set(found[0]["bytes_per_second"]) == {"in", "out"}
    assert "PACKETS/S IN" in admin("capture", "interfaces").out
