"""``ignore``, ``scan diff`` with rules, and ``scan history``, on imported scans."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from netmon_tui.cli import output
from netmon_tui.services.comparison import ComparisonService
from tests.unit.cli.test_cli_scan import XML

RULE_KEYS = {
    "rule", "address", "subject", "kind", "service", "unanswered", "script", "words", "note", "owner",
    "everybody", "built_in", "on", "created",
}  # fmt: skip


def later(text: str, days: int) -> str:
    """The document of a scan that ran some days later."""
    return re.sub(r'(time|start)="(17\d{8})"', lambda m: f'{m[1]}="{int(m[2]) + days * 86_400}"', text)


@pytest.fixture
def scans(admin, home: Path) -> list[int]:
    """Open, then another port and name, then open again with another version; a day between each."""
    changed = XML.replace('portid="80"', 'portid="22"').replace("web.example", "www.example")
    changed = changed.replace('product="Evil&#x9b;31m[red]"', 'product="OpenSSH"')
    texts = (XML, later(changed, 1), later(XML.replace('version="1"', 'version="2"'), 2))
    ids = []
    for number, text in enumerate(texts):
        file = home / f"{number}.xml"
        file.write_text(text)
        ids.append(admin("scan", "import", file, "--json").document[0]["id"])
    return ids


def test_a_rule_hides_its_line_from_diff_until_it_is_deleted(admin, scans) -> None:
    a, b, _ = map(str, scans)
    assert admin("scan", "diff", a, b, "--json").document["summary"] == {
        "added": 1,
        "removed": 1,
        "changed": 1,
    }
    added = admin("ignore", "add", "--what", "hostname", "--note", "DHCP", "--everybody", "--json")
    assert added.code == 0, added.err
    assert set(added.document) == RULE_KEYS
    number = added.document["rule"]
    sifted = admin("scan", "diff", a, b, "--json").document
    assert sifted["summary"] == {"added": 1, "removed": 1, "changed": 0}
    assert sifted["ignored"] == {"lines": 1, "rules": [number]}
    text = admin("scan", "diff", a, b)
    assert "hostname" not in text.out
    assert "1 ignored by 1 rule (--no-ignore shows them)" in text.err
    assert "hostname" in admin("scan", "diff", a, b, "--no-ignore").out
    assert admin("ignore", "delete", number).code == 0
    assert "hostname" in admin("scan", "diff", a, b).out


def test_when_all_is_ignored_nothing_changed(admin, scans) -> None:
    a, b, _ = map(str, scans)
    for what in ("hostname", "22/tcp", "80/tcp"):
        assert admin("ignore", "add", "--host", "192.0.2.1", "--what", what).code == 0
    answer = admin("scan", "diff", a, b)
    assert (answer.code, answer.out) == (0, "")
    assert "3 ignored by 3 rules" in answer.err
    assert admin("scan", "diff", a, b, "--no-ignore").code == 1


def test_the_list_has_what_is_built_in_and_switches_it(admin) -> None:
    (built_in,) = admin("ignore", "list", "--json").document
    assert (built_in["rule"], built_in["built_in"], built_in["on"]) == ("udp-no-answer", True, True)
    assert admin("ignore", "off", "udp-no-answer", "--json").document["on"] is False
    assert re.search(r"udp-no-answer .* no ", admin("ignore", "list").out)
    assert admin("ignore", "on", "udp-no-answer").code == 0
    assert admin("ignore", "delete", "udp-no-answer").code == 6


def test_what_is_no_rule_is_refused(admin) -> None:
    for arguments in (
        [],
        ["--what", "host"],
        ["--what", "http"],
        ["--host", "nowhere"],
        ["--kind", "opened"],
    ):
        assert admin("ignore", "add", *arguments).code == 2, arguments
    assert admin("ignore", "delete", "99").code == 1
    assert len(admin("ignore", "list", "--json").document) == 1


def test_an_error_that_nobody_expected_is_no_difference(admin, scans, monkeypatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(ComparisonService, "_compare", broken)
    answer = admin("scan", "diff", *map(str, scans[:2]))
    assert (answer.code, answer.out) == (2, "")
    assert "unexpected RuntimeError: a defect" in answer.err


def test_history_gives_an_interval_for_each_time_a_port_was_open(admin, scans) -> None:
    document = admin("scan", "history", "192.0.2.1", "--json").document
    assert (document["address"], document["scans"]) == ("192.0.2.1", 3)
    spans = {
        port["number"]: [
            (one["first"]["scan"], one["ended"] and one["ended"]["scan"]) for one in port["open"]
        ]
        for port in document["ports"]
    }
    first, second, third = scans
    assert spans == {22: [(second, third)], 80: [(first, second), (third, None)]}
    assert [one["scans"] for one in document["up"]] == [3]
    only = admin("scan", "history", "192.0.2.1", "--port", "22", "--json").document
    assert [port["number"] for port in only["ports"]] == [22]
    text = admin("scan", "history", "192.0.2.1")
    assert text.code == 0
    assert [line.split()[0] for line in text.out.splitlines()] == ["WHAT", "up", "22/tcp", "80/tcp", "80/tcp"]
    assert "\x9b" not in text.out


def test_history_at_a_time_says_what_was_known_then(admin, scans) -> None:
    then = admin("scan", "history", "192.0.2.1", "--at", "2023-11-16T12:00+00:00", "--json").document
    assert (then["up"], then["known_from"]["scan"]) == (True, scans[1])
    (port,) = then["ports"]
    assert (port["number"], port["product"], port["known_from"]["scan"]) == (22, "OpenSSH", scans[1])
    text = admin("scan", "history", "192.0.2.1", "--at", "-1d").out
    assert "up, known from scan" in text
    assert re.search(r"^80/tcp +open +http .*2 +scan \d", text, re.MULTILINE)


def test_history_of_nothing_is_said(admin, scans) -> None:
    assert admin("scan", "history", "198.51.100.1").code == 1
    assert admin("scan", "history", "no-address").code == 2
    assert admin("scan", "history", "192.0.2.1", "--at", "soon").code == 2
    before = admin("scan", "history", "192.0.2.1", "--at", "2020-01-01")
    assert before.code == 1
    assert "no completed scan of 192.0.2.1 until" in before.err


def test_many_rows_are_printed_as_they_come_and_stay_aligned(capsys, monkeypatch) -> None:
    monkeypatch.setattr(output, "MEASURED_ROWS", 2)
    seen: list[int] = []

    def rows():
        for number in range(6):
            seen.append(len(capsys.readouterr().out.splitlines()))
            yield number, "wide ☃ 雪" if number == 1 else "x\x1b[2J", f"end{number}"

    output.print_table(("A", "B", "C"), rows())
    printed = capsys.readouterr().out
    assert seen == [0, 0, 0, 4, 1, 1]  # head and three rows, then one by one
    assert "\x1b" not in printed
    output.print_table(("A", "B", "C"), [(n, "雪" if n else "xx", "end") for n in range(4)])
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["A  B   C", "0  xx  end", *(f"{n}  雪  end" for n in (1, 2, 3))]


def test_json_of_rules_is_one_document(admin) -> None:
    admin("ignore", "add", "--what", "443/tcp")
    assert [set(rule) for rule in json.loads(admin("ignore", "list", "--json").out)] == [RULE_KEYS] * 2


def with_script(text: str, said: str) -> str:
    """The document with a script that both runs chose."""
    told = text.replace('args="', 'args="nmap --script banner ', 1)
    return re.sub(
        r"(<service [^>]*?)(/>|>.*?</service>)", rf'\1\2<script id="banner" output="{said}"/>', told, count=1
    )


def test_scan_diff_tells_what_scripts_say_and_how_it_differs(admin, home: Path) -> None:
    hostile = "[red]&#x9b;31m&#x202e;" + "A" * 70_000
    ids = []
    for number, said in enumerate((f"old{hostile}&#xa;same", f"new{hostile}&#xa;same")):
        (file := home / f"{number}.xml").write_text(later(with_script(XML, said), number))
        ids.append(str(admin("scan", "import", file, "--json").document[0]["id"]))
    text = admin("scan", "diff", *ids)
    assert text.code == 1
    assert "80/tcp banner" in text.out
    assert r"old[red]\x9b31m\u202e" in text.out
    assert "same" not in text.out
    assert max(map(len, text.out.splitlines())) < 400
    shown = admin("scan", "diff", *ids, "--outputs")
    assert [line.strip()[:4] for line in shown.out.splitlines() if line.startswith("  ")][:3] == [
        "@@ -",
        "-old",
        "+new",
    ]
    assert "\x9b" not in shown.out
    (host,) = admin("scan", "diff", *ids, "--outputs", "--json").document["hosts"]
    (script,) = host["scripts"]
    assert (script["script"], script["number"], script["protocol"]) == ("banner", 80, "tcp")
    assert (script["change"], script["severity"]) == ("changed", "info")
    assert script["difference"][1].startswith("-old[red]\x9b31m")
    (host,) = admin("scan", "diff", *ids, "--json").document["hosts"]
    assert "difference" not in host["scripts"][0]
    added = admin("ignore", "add", "--script", "banner", "--host", host["address"], "--json").document
    assert (added["kind"], added["script"], added["words"]) == (
        "script",
        "banner",
        f"banner on {host['address']}",
    )
    assert admin("scan", "diff", *ids).code == 0
    assert admin("scan", "diff", *ids, "--no-ignore", "--outputs").code == 1
    assert admin("ignore", "add", "--script", "banner", "--kind", "opened").code != 0
    assert admin("ignore", "delete", added["rule"]).code == 0
    assert admin("ignore", "add", "--kind", "script").code == 0
    assert admin("scan", "diff", *ids).code == 0
