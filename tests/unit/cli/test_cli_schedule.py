"""``schedule``: scans that repeat from the command line, with refusals and exit codes."""

from __future__ import annotations

import pytest

from netmon_tui.runtime.tool_paths import find_tool

pytestmark = pytest.mark.skipif(find_tool("nmap") is None, reason="nmap is not installed")

NIGHT = ("127.0.0.1", "--args", "-sL", "--cron", "0  3 * * MON-FRI", "--zone", "Europe/Berlin")


def test_the_life_of_a_schedule(admin) -> None:
    added = admin("schedule", "add", "Night", *NIGHT, "--json").document
    next_run = added.pop("next_run")
    assert next_run.endswith((":00:00Z", ":00Z"))
    assert added == {
        "name": "Night",
        "owner": "ada",
        "targets": ["127.0.0.1"],
        "profile": "",
        "arguments": "-sL",
        "every": None,
        "cron": "0 3 * * mon-fri",
        "zone": "Europe/Berlin",
        "when": "At 03:00 on Monday through Friday (Europe/Berlin)",
        "catch_up": True,
        "confirmed": False,
        "staged": True,
        "enabled": True,
        "last_run": None,
        "last_scan": None,
        "capture": None,
        "last_capture": None,
        "last_state": None,
        "last_changes": None,
        "last_error": "",
    }
    shown = admin("schedule", "show", "night", "--json").document
    assert len(shown["next_runs"]) == 5
    assert shown["next_runs"][0] == next_run
    assert admin("schedule", "show", "night").out.count("T03:00:00+0") == 5
    edited = admin(
        "schedule", "edit", "night", "--every", "1d12h", "--target", "127.0.0.2", "--json"
    ).document
    assert (edited["every"], edited["cron"], edited["targets"]) == (129_600, None, ["127.0.0.2"])
    assert edited["arguments"] == "-sL"
    assert admin("schedule", "show", "night", "--json").document["staged"] is True
    edited = admin("schedule", "edit", "night", "--one-nmap", "--json").document
    assert edited["staged"] is False
    edited = admin("schedule", "edit", "night", "--profile", "ping scan", "--skip-missed", "--json").document
    assert edited["staged"] is False
    assert (edited["profile"], edited["arguments"], edited["catch_up"]) == ("ping scan", "", False)
    assert admin("schedule", "disable", "night", "--json").document["next_run"] is None
    assert "disabled" in admin("schedule", "list").out
    assert admin("schedule", "enable", "night").err.startswith("Night: enabled, next 20")
    assert admin("schedule", "delete", "night").err == "Night: deleted\n"
    assert admin("schedule", "list", "--json").document == []


def test_a_run_that_is_asked_for(admin) -> None:
    admin("schedule", "add", "Night", *NIGHT, "--disabled")
    assert admin("schedule", "run", "night").out == "1\n"
    assert admin("scan", "show", "1", "--json").document["name"] == "Night"
    (listed,) = admin("schedule", "list", "--json").document
    assert (listed["last_scan"], listed["enabled"]) == (1, False)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--every", "1h", "--cron", "@daily"), "either an interval or a cron expression"),
        ((), "either an interval or a cron expression"),
        (("--every", "5 parsecs"), "is no interval"),
        (("--cron", "0 25 * * *"), "the hour '25' of the cron expression is refused"),
        (("--cron", "@daily", "--zone", "Nope"), "unknown time zone 'Nope'"),
        (("--every", "1h", "--profile", "x", "--args", "-F"), "exclude each other"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(admin, options: tuple[str, ...], said: str) -> None:
    answer = admin("schedule", "add", "Night", "127.0.0.1", *options)
    assert (answer.code, said in answer.err, answer.out) == (2, True, "")
    assert admin("schedule", "list", "--json").document == []


def test_what_is_not_there_is_not_found(admin) -> None:
    for verb in ("show", "enable", "disable", "delete", "run"):
        answer = admin("schedule", verb, "Night\x1b[2J")
        assert (answer.code, "no schedule" in answer.err, "\x1b" in answer.err) == (1, True, False)
    assert admin("schedule", "edit", "Night").code == 2


CAPTURED = ("lo", "--filter", "udp port 7", "--cron", "0 8 * * *")


def test_a_capture_that_repeats(admin) -> None:
    refused = admin("schedule", "capture", "Morning", *CAPTURED)
    assert (refused.code, "needs a limit" in refused.err) == (2, True)
    added = admin("schedule", "capture", "Morning", *CAPTURED, "--duration", "600", "--json").document
    asked = added["capture"]
    assert (asked["interface"], asked["filter"], asked["seconds"]) == ("lo", "udp port 7", 600)
    assert (added["targets"], added["when"], added["last_capture"]) == ([], "At 08:00 every day", None)
    heading, row = admin("schedule", "list").out.splitlines()
    assert "lo     udp port 7 for 600 s  At 08:00 every day" in row
    assert (heading.index("WHERE"), heading.index("WHAT")) == (row.index("lo "), row.index("udp port"))
    refused = admin("schedule", "edit", "morning", "--target", "127.0.0.1")
    assert (refused.code, "it has no targets" in refused.err) == (2, True)
    edited = admin("schedule", "edit", "morning", "--every", "2h", "--json").document
    assert (edited["every"], edited["capture"]) == (7200, asked)


def test_a_capture_over_several_files_repeats(admin) -> None:
    files = ("--file-size", "10M", "--file-seconds", "60", "--files", "3")
    limits = ("--duration", "600", "--size", "1.5G")
    added = admin("schedule", "capture", "Ring", *CAPTURED, *limits, *files, "--json").document
    assert added["capture"]["rotation"] == {"file_bytes": 10_000_000, "file_seconds": 60, "files": 3}
    assert added["capture"]["size"] == 1_500_000_000


def test_a_capture_on_several_interfaces_repeats_as_one(admin) -> None:
    several = ("schedule", "capture", "Both", "lo", "any", "lo", "--every", "1h", "--duration", "600")
    refused = admin(*several)
    assert refused.code == 2
    assert "a schedule starts one capture" in refused.err and "make a schedule for each" in refused.err
    refused = admin(*several, "--format", "pcapng")
    assert refused.code == 2 and "any has the packets of the other interfaces already" in refused.err
    twice = ("schedule", "capture", "One", "lo", "lo", "--every", "1h", "--duration", "600")
    assert admin(*twice, "--json").document["capture"]["interface"] == "lo"


@pytest.mark.parametrize("command", [("capture", "run", "--detach"), ("schedule", "capture", "Morning")])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--duration", "200000"), "captures.longest_run_seconds is 86,400"),
        (("--duration", "nan"), "a capture of nan seconds is not possible"),
        (("--duration", "1", "--size", "999999999999999"), "captures.largest_bytes is "),
        (("--duration", "1", "--size", "many"), "'many' is no size"),
        (("--duration", "1", "--filter", "udp port 53 )"), "udp port 53 )\n            ^\n"),
    ],
    ids=["long", "no number", "large", "no size", "filter"],
)
def test_a_capture_that_is_refused_says_why(
    admin, command: tuple[str, ...], options: tuple[str, ...], said: str
) -> None:
    times = ("--every", "1h") if command[0] == "schedule" else ()
    answer = admin(*command, "lo", *times, *options)
    assert (answer.code, said in answer.err, answer.out) == (2, True, ""), answer.err
