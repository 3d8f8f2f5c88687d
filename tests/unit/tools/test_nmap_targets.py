"""The grammar of targets."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon_tui.domain.address import Family
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.nmap_targets import parse_target, parse_targets


@pytest.mark.parametrize(
    ("text", "canonical", "count", "family"),
    [
        ("192.0.2.1", "192.0.2.1", 1, Family.IPV4),
        ("192.0.2.77/24", "192.0.2.0/24", 256, Family.IPV4),
        ("192.0.2.1/32", "192.0.2.1/32", 1, Family.IPV4),
        ("10.0.0-3.1-254", "10.0.0-3.1-254", 1016, Family.IPV4),
        ("10.0.0.5-5", "10.0.0.5", 1, Family.IPV4),
        ("2001:DB8::1", "2001:db8::1", 1, Family.IPV6),
        ("2001:db8::1/120", "2001:db8::/120", 256, Family.IPV6),
        ("fe80::1%eth0", "fe80::1%eth0", 1, Family.IPV6),
        ("fe80::1%eth0/126", "fe80::%eth0/126", 4, Family.IPV6),
        ("::", "::", 1, Family.IPV6),
        ("Example.ORG", "example.org", 1, None),
        ("example.org.", "example.org.", 1, None),
        ("localhost", "localhost", 1, None),
        ("a_b-c.d1", "a_b-c.d1", 1, None),
        ("1and1.example", "1and1.example", 1, None),
        ("bücher.example", "xn--bcher-kva.example", 1, None),
    ],
)
def test_good_targets(text: str, canonical: str, count: int, family: Family | None) -> None:
    target = parse_target(text)
    assert (target.text, target.count, target.family) == (canonical, count, family)
    assert parse_target(target.text) == target


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("-oN/tmp/x", "begins with '-'"),
        ("-", "begins with '-'"),
        ("--", "begins with '-'"),
        ("", "empty"),
        ("0177.0.0.1", "leading zero"),
        ("192.0.2.01", "leading zero"),
        ("127.1", "four parts"),
        ("2130706433", "four parts"),
        ("0x7f000001", "hexadecimal"),
        ("1.2.3.0x4", "hexadecimal"),
        ("1.2.3.4.5", "more than four"),
        ("192.0.2.256", "over 255"),
        ("192.0.2.1-", "both ends"),
        ("192.0.2.-5", "both ends"),
        ("192.0.2.9-1", "backwards"),
        ("192.0.2.0-9/24", "prefix"),
        ("1.2.3.4/33", "0 to 32"),
        ("1.2.3.4/", "0 to 32"),
        ("1.2.3.4/024", "0 to 32"),
        ("1.2.3.4/-1", "0 to 32"),
        ("2001:db8::1/129", "0 to 128"),
        ("2001:db8::g", "IPv6"),
        ("::1%e:th", "interface"),
        ("::ffff:127.0.0.1", "write 127.0.0.1"),
        ("::ffff:7f00:0/104", "write 127.0.0.0"),
        ("fe80::1%-oN", "interface"),
        ("fe80::1%", "interface"),
        ("example.org/24", "prefix"),
        ("host%eth0", "zone"),
        ("-host.example", "begins with '-'"),
        ("a.-b", "host name"),
        ("a..b", "host name"),
        ("a" * 64, "host name"),
        (".".join(["a" * 60] * 5), "too long"),
        (".".join(["a" * 60] * 4 + ["a" * 20]), "host name"),
        ("1.2.3.*", "'*' is not allowed"),
        ("a b", "' ' is not allowed"),
        ("a;id", "';' is not allowed"),
        ("$(id)", "'$' is not allowed"),
        ("`id`", "'`' is not allowed"),
        ("a|b", "'|' is not allowed"),
        ("a\nb", "'\\n' is not allowed"),
        ("a\0", "'\\x00' is not allowed"),
        ("a\x1b[31m", "'\\x1b' is not allowed"),
        ("a,b", "',' is not allowed"),
        ("user@host", "'@' is not allowed"),
        ("straße.example", "IDNA"),
        ("a\u202eb", "host name"),
        ("\u0661.2.3.4", ""),
        ("a\u3002-oN", "host name"),
    ],
)
def test_bad_targets_are_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_target(text)
    assert reason in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_set_counts_and_drops_repetitions() -> None:
    targets = parse_targets(["192.0.2.0/30", "192.0.2.9", "192.0.2.9", "a.example"])
    assert targets.texts == ("192.0.2.0/30", "192.0.2.9", "a.example")
    assert (targets.count, targets.ipv6) == (6, False)
    assert parse_targets(["::1", "a.example"]).ipv6


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        ([], "No targets"),
        (["10.0.0.0/8"], "16,777,216 addresses"),
        (["0.0.0.0/0"], "4,294,967,296 addresses"),
        (["::/0"], "addresses are too many"),
        (["10.0.0.0/16", "10.1.0.1"], "65,537 addresses"),
        (["192.0.2.1", "::1"], "mixed"),
        ([f"h{number}.example" for number in range(2_001)], "More than 2,000"),
    ],
)
def test_bad_sets_are_refused(items: list[str], reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_targets(items)
    assert reason in str(caught.value)


def test_the_limit_is_a_parameter() -> None:
    assert parse_targets(["10.0.0.0/16"]).count == 65_536
    with pytest.raises(InvalidInput):
        parse_targets(["10.0.0.0/24"], limit=255)


@pytest.mark.parametrize("text", ["a" * 10_000_000, "192.0.2.1\n" * 1_000_000, "a " * 2_001])
def test_floods_of_text_are_refused_at_once(text: str) -> None:
    began = time.thread_time()
    with pytest.raises(InvalidInput) as caught:
        parse_targets([text])
    assert time.thread_time() - began < 0.5
    assert len(str(caught.value)) < 300


@given(st.text() | st.text(alphabet="0123456789.-/:%abxf"))
def test_whatever_passes_is_one_harmless_word(text: str) -> None:
    try:
        target = parse_target(text)
    except InvalidInput:
        return
    assert re.fullmatch(r"[A-Za-z0-9._:][A-Za-z0-9._:/%-]*", target.text)
    assert parse_target(target.text) == target
