"""What counts as a change of what a script says, and how it is told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon_tui.domain.comparing_scripts import (
    LONGEST_DIFFERENCE,
    Said,
    ScriptText,
    compare_outputs,
    difference,
    script_change,
)
from netmon_tui.domain.comparison import Change, Severity
from netmon_tui.domain.script_noise import NOISE, SEVERITIES, severity_of

CERTIFICATE = {
    "subject": {"commonName": "web.example", "organizationName": "Example"},
    "pubkey": {"type": "rsa", "bits": "2048", "modulus": "AB" * 200},
    "validity": {"notBefore": "2026-01-01T00:00:00", "notAfter": "2027-01-01T00:00:00"},
    "md5": "aa",
    "sha1": "bb",
    "pem": "-----BEGIN",
}


def said(script: str, before: Any, after: Any) -> Said | None:
    """Compare tables."""
    return compare_outputs(script, ScriptText("a", before), ScriptText("b", after))


def said_in_text(script: str, before: str, after: str) -> Said | None:
    return compare_outputs(script, ScriptText(before), ScriptText(after))


def test_a_renewed_certificate_is_told_by_its_end_and_not_by_its_key() -> None:
    renewed = CERTIFICATE | {
        "pubkey": {"type": "rsa", "bits": "2048", "modulus": "CD" * 200},
        "validity": {"notBefore": "2026-12-01T00:00:00", "notAfter": "2027-12-01T00:00:00"},
        "sha1": "cc",
    }
    assert said("ssl-cert", CERTIFICATE, renewed) == (
        "2027-01-01T00:00:00",
        "2027-12-01T00:00:00 (validity.notAfter, 3 more)",
    )


def test_another_host_key_among_those_that_stayed() -> None:
    keys = [{"type": f"ssh-{n}", "fingerprint": f"f{n}", "key": f"AAAA{n}"} for n in range(3)]
    other = [keys[2], keys[0], keys[1] | {"fingerprint": "e1", "key": "BBBB"}]
    assert said("ssh-hostkey", keys, other) == ("f1", "e1 (fingerprint)")
    assert said("ssh-hostkey", keys, keys[::-1]) is None, "nmap lists them as they come"


def test_a_key_that_is_not_offered_any_more_has_nothing_after_it() -> None:
    keys = [{"type": f"ssh-{n}", "fingerprint": f"f{n}"} for n in range(2)]
    assert said("ssh-hostkey", keys, keys[:1]) == ("ssh-1 (type, 1 more)", "")
    assert said("ssh-hostkey", keys[:1], keys) == ("", "ssh-1 (type, 1 more)")


def test_values_that_change_places_are_a_change() -> None:
    before = [{"user": "a", "share": "x"}, {"user": "b", "share": "y"}]
    after = [{"user": "a", "share": "y"}, {"user": "b", "share": "x"}]
    assert said("smb-enum-shares", before, after) is not None


def test_lines_are_compared_where_there_are_no_tables() -> None:
    assert said_in_text("http-robots.txt", "\n  /a\n  /b", "\n  /b\n  /a\n") is None
    assert said_in_text("http-robots.txt", "/a\n/b", "/a\n/c") == ("/b", "/c")
    assert said_in_text("http-robots.txt", "/a", "/a\n/b\n/c") == ("", "/b (1 more)")
    ends = "Subject: commonName=web\nNot valid after:  {}"
    told = said_in_text("ssl-cert", ends.format("2026-04-01"), ends.format("2030-01-01"))
    assert told == ("2026-04-01", "2030-01-01 (Not valid after)")
    one_sided = compare_outputs("x", ScriptText("/a", {"a": "1"}), ScriptText("/b"))
    assert one_sided == ("/a", "/b")


@pytest.mark.parametrize(
    ("script", "before", "after"),
    [
        ("http-headers", "Date: Mon\nServer: nginx", "Date: Tue\n  Server: nginx\n"),
        ("snmp-sysdescr", "Linux a\n  System uptime: 1d", "Linux a\n  System uptime: 2d"),
        ("redis-info", "Version     2.2\nProcess ID  17821", "Version     2.2\nProcess ID  240"),
        ("memcached-info", "Uptime: 1\nAuthentication: no", "Uptime: 2\nAuthentication: no"),
    ],
)
def test_lines_that_differ_by_nature_say_nothing(script: str, before: str, after: str) -> None:
    assert said_in_text(script, before, after) is None
    assert said_in_text("http-title", before, after) is not None


def test_values_that_differ_by_nature_say_nothing() -> None:
    before = {"os": "Windows", "date": "2026-01-01", "domain": "LAB"}
    assert said("smb-os-discovery", before, before | {"date": "2026-01-02"}) is None
    assert said("smb-os-discovery", before, before | {"domain": "X"}) == ("LAB", "X (domain)")
    assert said("mysql-info", {"Salt": "a", "Thread ID": "1"}, {"Salt": "b", "Thread ID": "2"}) is None
    digest = [{"scheme": "Digest", "params": {"nonce": "1", "realm": "Router"}}]
    other = [{"scheme": "Digest", "params": {"nonce": "2", "realm": "Router"}}]
    assert said("http-auth", digest, other) is None


def test_more_words_about_the_same_certificate_are_no_change() -> None:
    short, long = ScriptText("Subject: web", CERTIFICATE), ScriptText("Subject: web\nIssuer: x", CERTIFICATE)
    assert compare_outputs("ssl-cert", short, long) is None


def test_a_statement_is_short_and_has_the_difference_in_it() -> None:
    before, after = "x" * 5_000 + "old", "x" * 5_000 + "new"
    told = said_in_text("banner", before, after)
    assert told is not None
    assert max(map(len, told)) < 130
    assert told.before.endswith("old")
    assert told.after.endswith("new")
    mode = ("Message signing enabled and required", "Message signing enabled but not required")
    assert said("smb2-security-mode", *({"3.1.1": [text]} for text in mode)) == (
        "…and required",
        "…but not required (3.1.1)",
    )


def test_what_differs_beyond_what_is_read_is_said_and_noise_is_not() -> None:
    cut = ScriptText("same", cut=True)
    assert compare_outputs("http-title", cut, cut) == ("", "differs further on")
    assert compare_outputs("http-headers", cut, cut) is None


def test_a_script_that_says_something_for_the_first_time_or_no_more() -> None:
    key = ("tcp", 21, "ftp-anon")
    came = script_change(key, 7, None, ScriptText("\n  Anonymous FTP login allowed\n  pub"))
    assert came is not None
    assert (came.change, came.before, came.after) == (Change.ADDED, "", "Anonymous FTP login allowed")
    assert (came.severity, came.port, came.earlier) == (Severity.MEDIUM, "21/tcp", 7)
    went = script_change(key, 7, ScriptText("Anonymous FTP login allowed"), None)
    assert went is not None
    assert (went.change, went.severity, went.after) == (Change.REMOVED, Severity.LOW, "")
    assert script_change(key, 7, None, None) is None
    noise = ScriptText("\n  Thread ID: 5\n  Salt: x", {"Thread ID": "5"})
    assert script_change(("tcp", 3306, "mysql-info"), 7, None, noise) is None
    assert script_change(key, 7, ScriptText(""), None) is None


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("ssh-hostkey", Severity.HIGH),
        ("ssl-heartbleed", Severity.HIGH),
        ("smb-vuln-ms17-010", Severity.HIGH),
        ("ssl-cert", Severity.MEDIUM),
        ("smb2-security-mode", Severity.MEDIUM),
        ("http-title", Severity.INFO),
        ("no-such-script", Severity.INFO),
    ],
)
def test_how_much_a_script_matters(script: str, expected: Severity) -> None:
    assert severity_of(script, Change.CHANGED) is expected
    assert severity_of(script, Change.REMOVED).rank >= Severity.LOW.rank


def test_every_pattern_is_reached_and_every_field_is_in_small_letters() -> None:
    patterns = list(SEVERITIES)
    assert all(
        severity_of(pattern.replace("*", "x"), Change.CHANGED) is SEVERITIES[pattern] for pattern in patterns
    )
    assert all(field == field.lower() for noise in NOISE.values() for field in noise.fields)
    assert all(noise.reason for noise in NOISE.values())


def test_a_difference_is_a_unified_diff() -> None:
    found = difference(ScriptText("\n  a\n  b\n"), ScriptText("\n  a\n  c\n"))
    assert found == ["@@ -1,2 +1,2 @@", "   a", "-  b", "+  c"]
    assert difference(None, ScriptText("a")) == ["@@ -0,0 +1 @@", "+a"]
    tables = difference(ScriptText("a", {"k": "1"}), ScriptText("a", {"k": "2"}))
    assert [line for line in tables if line[0] in "+-"] == ['- "k": "1"', '+ "k": "2"']


def test_a_difference_of_a_long_line_is_short() -> None:
    line = "A" * 60_000
    found = difference(ScriptText(line + "old" + line), ScriptText(line + "new" + line))
    assert len(found) < 10
    assert max(map(len, found)) <= 161
    many = difference(ScriptText("\n".join(map(str, range(9_000)))), None)
    assert len(many) == LONGEST_DIFFERENCE + 1
    assert difference(ScriptText("a", cut=True), ScriptText("b"))[-1] == "… (only the begin is compared)"


tables = st.recursive(
    st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=8,
)


@given(tables, tables)
def test_something_is_told_exactly_where_tables_differ_in_more_than_their_order(a: Any, b: Any) -> None:
    assert (said("x", a, b) is None) == (unordered(a) == unordered(b))
    assert said("x", a, a) is None


def unordered(data: Any) -> Any:
    """Tables in a form that is the same for the same elements in any order."""
    if isinstance(data, dict):
        return {key: unordered(value) for key, value in data.items()}
    return sorted(map(unordered, data), key=repr) if isinstance(data, list) else data


@given(st.text(), st.text())
def test_a_difference_never_fails_and_is_there_where_lines_differ(a: str, b: str) -> None:
    found = difference(ScriptText(a), ScriptText(b))
    assert bool(found) == (a.strip("\n").splitlines() != b.strip("\n").splitlines())
