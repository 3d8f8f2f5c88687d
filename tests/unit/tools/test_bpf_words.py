"""Words that no capture filter may have, and what they may have been."""

from __future__ import annotations

import pytest

from netmon_tui.errors import InvalidInput
from netmon_tui.tools.bpf_words import check_words


@pytest.mark.parametrize(
    ("text", "position", "meant"),
    [
        ("tcp prt 80", 4, "port"),
        ("portt 80", 0, "port"),
        ("host 192.0.2.1 an port 80", 15, "and"),
        ("upd", 0, "udp"),
    ],
)
def test_a_mistyped_word_is_told(text: str, position: int, meant: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_words(text)
    assert (caught.value.position, caught.value.fix) == (
        position,
        f"write {meant}, if that was meant, or give the address",
    )


def test_of_a_name_only_the_address_is_asked_for() -> None:
    with pytest.raises(InvalidInput) as caught:
        check_words("host www.example.org")
    assert caught.value.fix == "give the address"


@pytest.mark.parametrize(
    ("text", "position", "fix"),
    [
        ("tcp.port == 80", 0, "here it is written: tcp port 80"),
        ("(tcp.dstport==80)", 1, "here it is written: tcp dst port 80"),
        ("udp and ip.src == 192.0.2.1", 8, "here it is written: src host 192.0.2.1"),
        ("eth.addr == 02:00:00:00:00:01", 0, "here it is written: ether host 02:00:00:00:00:01"),
        ("tcp.port != 80", 0, "show only these with d, once they are captured"),
        ("tcp.port == http", 0, "show only these with d, once they are captured"),
        ('http.host contains "a"', 0, "show only these with d, once they are captured"),
        ("www.example.org", 0, "give the address"),
    ],
)
def test_a_display_filter_is_told_as_one(text: str, position: int, fix: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_words(text)
    assert (caught.value.position, caught.value.fix) == (position, fix)
