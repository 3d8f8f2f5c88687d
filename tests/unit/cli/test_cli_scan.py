"""``scan`` without nmap: import, show, export, delete, dry runs and refusals, with the promised keys."""

from __future__ import annotations

import csv
import gzip
import io
import json
import xml.etree.ElementTree as ET

import pytest

SCAN_KEYS = {
    "id", "name", "targets", "profile", "arguments", "command", "state", "owner", "started", "finished",
    "percent", "hosts_up", "hosts_down", "hosts_total", "ports_open", "warnings", "error",
}  # fmt: skip
HOST_KEYS = {
    "address", "addresses", "lladdr", "vendor", "hostnames", "status", "reason", "os", "distance", "uptime",
    "partial", "ports", "extraports", "scripts", "hops", "reason_ttl", "comment", "started", "finished",
    "timed_out", "os_ports", "os_fingerprints", "sequences", "last_boot", "round_trip", "smurf_responses",
    "trace",
}  # fmt: skip
PORT_KEYS = {
    "number", "protocol", "state", "reason", "service", "scripts", "reason_ttl", "reason_ip", "owner",
}  # fmt: skip
SERVICE_KEYS = {
    "name", "product", "version", "extrainfo", "tunnel", "method", "confidence", "cpe", "hostname", "ostype",
    "devicetype", "rpc", "rpc_number", "rpc_lowest", "rpc_highest", "fingerprint",
}  # fmt: skip

XML = """<?xml version="1.0"?>
<nmaprun scanner="nmap" args="nmap -sV -oX - 192.0.2.0/30" start="1700000000" version="7.93"
 xmloutputversion="1.05">
<scaninfo type="syn" protocol="tcp" numservices="2" services="22,80"/>
<host><status state="up" reason="arp-response" reason_ttl="0"/>
<address addr="192.0.2.1" addrtype="ipv4"/><address addr="00:00:5E:00:53:01" addrtype="mac" vendor="IANA"/>
<hostnames><hostname name="web.example" type="PTR"/></hostnames>
<ports><port protocol="tcp" portid="80"><state state="open" reason="syn-ack" reason_ttl="64"/>
<service name="http" product="Evil&#x9b;31m[red]" version="1" method="probed" conf="10"/>
<script id="http-title" output="&#10;  a title"/></port></ports></host>
<runstats><finished time="1700000060" elapsed="60" summary="done" exit="success"/>
<hosts up="1" down="3" total="4"/>
</runstats>
</nmaprun>
"""


@pytest.fixture
def document(home):
    file = home / "found.xml"
    file.write_text(XML)
    return file


@pytest.fixture
def imported(admin, document) -> int:
    answer = admin("scan", "import", document, "--json")
    assert answer.code == 0, answer.err
    return answer.document[0]["id"]


def test_import_answers_with_an_array_without_hosts(admin, document) -> None:
    (one,) = admin("scan", "import", document, "--json").document
    assert set(one) >= SCAN_KEYS
    assert "hosts" not in one
    assert (one["state"], one["hosts_up"], one["ports_open"]) == ("completed", 1, 1)
    assert one["started"] == "2023-11-14T22:13:20Z"


def test_a_refused_file_does_not_keep_the_others_out(admin, document, home) -> None:
    (home / "bad.xml").write_text("<html></html>")
    answer = admin("scan", "import", home / "bad.xml", document, home / "missing.xml", "--json")
    assert answer.code == 1
    assert len(answer.document) == 1
    assert "bad.xml" in answer.err
    assert "missing.xml" in answer.err


def test_show_has_the_promised_keys(admin, imported) -> None:
    shown = admin("scan", "show", str(imported), "--json").document
    assert set(shown) >= SCAN_KEYS | {"hosts"}
    (host,) = shown["hosts"]
    assert set(host) == HOST_KEYS
    assert host["lladdr"] == "00:00:5e:00:53:01"
    (port,) = host["ports"]
    assert set(port) == PORT_KEYS
    assert set(port["service"]) == SERVICE_KEYS
    assert set(port["scripts"][0]) == {"id", "output", "data"}


def test_show_for_people_passes_the_gate(admin, imported) -> None:
    shown = admin("scan", "show", str(imported)).out
    assert "80/tcp  open   http" in shown
    assert "Evil\\x9b31m[red] 1" in shown
    assert "web.example" in shown
    assert "\x9b" not in shown


def test_list_newest_first(admin, imported, document) -> None:
    second = admin("scan", "import", "--again", document, "--json").document[0]["id"]
    listed = admin("scan", "list", "--json").document
    assert [one["id"] for one in listed] == [second, imported]
    assert [one["id"] for one in admin("scan", "list", "--limit", "1", "--json").document] == [second]
    assert "found.xml" in admin("scan", "list").out


@pytest.mark.parametrize("form", ["xml", "json", "jsonl", "csv", "md", "html", "gnmap"])
def test_export_writes_a_new_file_and_never_over_another(admin, imported, home, form) -> None:
    target = home / "out"
    assert admin("scan", "export", str(imported), "--format", form, "--output", target).code == 0
    written = target.read_bytes()
    text = written.decode()
    if form == "xml":
        assert ET.fromstring(text).tag == "nmaprun"
    elif form == "json":
        assert json.loads(text)["hosts"][0]["address"] == "192.0.2.1"
    elif form == "jsonl":
        (host,) = map(json.loads, text.splitlines())
        assert set(host) == HOST_KEYS | {"scan"}
        assert host["scan"] == imported
    elif form == "csv":
        assert any("192.0.2.1" in row for row in csv.reader(io.StringIO(text)))
    else:
        assert "192.0.2.1" in text and "Evil\\x9b31m[red]" in text
    answer = admin("scan", "export", str(imported), "--format", form, "--output", target)
    assert (answer.code, target.read_bytes()) == (2, written)


def test_export_goes_to_stdout(admin, imported) -> None:
    assert json.loads(admin("scan", "export", str(imported), "--format", "json").out)["hosts"]


MANY = XML.replace(
    "<runstats>",
    """<host><status state="up" reason="arp-response" reason_ttl="0"/><address addr="192.0.2.2" addrtype="ipv4"/>
<hostnames><hostname name="mail.example" type="PTR"/></hostnames></host>
<host><status state="up" reason="x" reason_ttl="0"/><address addr="2001:db8::1" addrtype="ipv6"/></host>
<runstats>""",
)
FORMATS = ["xml", "json", "jsonl", "csv", "md", "html", "gnmap"]


@pytest.fixture
def many(admin, home) -> int:
    (home / "many.xml").write_text(MANY)
    return admin("scan", "import", home / "many.xml", "--json").document[0]["id"]


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_has_every_host(admin, many, form) -> None:
    answer = admin("scan", "export", str(many), "--format", form)
    assert answer.code == 0, answer.err
    for address in ("192.0.2.1", "192.0.2.2", "2001:db8::1"):
        assert address in answer.out
    assert "\x9b" not in answer.out or form == "xml"


@pytest.mark.parametrize("form", FORMATS)
def test_chosen_hosts_are_exported_alone(admin, many, form) -> None:
    chosen = ("--host", "192.0.2.2", "--host", "2001:0DB8::1")
    answer = admin("scan", "export", str(many), "--format", form, *chosen)
    assert answer.code == 0, answer.err
    assert "192.0.2.2" in answer.out and "2001:db8::1" in answer.out
    assert "192.0.2.1" not in answer.out


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(("text", "left"), [("mail", "192.0.2.2"), ("!example", "2001:db8::1")])
def test_hosts_are_filtered_as_in_their_list(admin, many, form, text, left) -> None:
    found = admin("scan", "export", str(many), "--format", form, "--filter", text).out
    assert [address for address in ("192.0.2.1", "192.0.2.2", "2001:db8::1") if address in found] == [left]


@pytest.mark.parametrize(
    "chosen",
    [
        ("--host", "192.0.2.9"),
        ("--host", "192.0.2.1", "--host", "192.0.2"),
        ("--filter", "nowhere"),
        ("--host", "192.0.2.1", "--filter", "mail"),
    ],
)
def test_hosts_that_are_not_there_are_an_error(admin, many, home, chosen) -> None:
    answer = admin("scan", "export", str(many), "--format", "html", *chosen, "--output", home / "out")
    assert (answer.code, answer.out, (home / "out").exists()) == (1, "", False)
    assert "no host" in answer.err


def test_an_export_says_in_the_audit_what_went_out(admin, many) -> None:
    admin("scan", "export", str(many), "--format", "html", "--host", "192.0.2.1")
    admin("scan", "export", str(many), "--format", "md")
    details = [e["detail"] for e in admin("audit", "list", "--json").document if e["action"] == "scan.export"]
    assert sorted(details) == ["html, 1 host", "md"]


@pytest.mark.parametrize("form", FORMATS)
def test_others_do_not_export_it(admin, many, password_file, form) -> None:
    admin("user", "add", "eve", "--role", "operator", "--new-password-file", password_file)
    as_eve = ("--user", "eve", "--password-file", password_file)
    answer = admin(*as_eve, "scan", "export", str(many), "--format", form)
    assert (answer.code, answer.out) == (1, "")


def test_delete_removes_it(admin, imported) -> None:
    assert admin("scan", "stop", str(imported)).code == 2, "it does not run"
    assert admin("scan", "delete", str(imported)).code == 0
    assert admin("scan", "show", str(imported)).code == 1
    assert admin("scan", "delete", str(imported)).code == 1


def test_others_do_not_see_it(admin, imported, password_file) -> None:
    admin("user", "add", "eve", "--role", "operator", "--new-password-file", password_file)
    as_eve = ("--user", "eve", "--password-file", password_file)
    assert admin(*as_eve, "scan", "list", "--json").document == []
    assert admin(*as_eve, "scan", "show", str(imported)).code == 1
    assert admin(*as_eve, "scan", "delete", str(imported)).code == 1


def test_profiles_are_zenmaps_ten(admin) -> None:
    found = admin("scan", "profiles", "--json").document
    assert len(found) == 10
    assert {"name": "Ping scan", "arguments": "-sn"}.items() <= found[4].items()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["192.0.2.1", "--args", "-oN /tmp/x"], "-oN"),
        (["192.0.2.1", "--args", "-iL /etc/passwd"], "-iL"),
        (["192.0.2.1", "--args", "--resume x"], "--resume"),
        (["192.0.2.1", "--profile", "Ping scam"], "Ping scan"),
        (["--", "-oN"], "-oN"),
        (["192.0.2.1; id"], "192.0.2.1"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
@pytest.mark.parametrize("extra", [(), ("--dry-run",)], ids=["run", "dry-run"])
def test_what_the_grammar_refuses_exits_with_2_and_starts_nothing(admin, arguments, word, extra) -> None:
    answer = admin("scan", "run", *extra, *arguments)
    assert answer.code == 2
    assert word in answer.err
    assert admin("scan", "list", "--json").document == []


def test_without_nmap_it_is_3(admin, monkeypatch) -> None:
    monkeypatch.setattr("netmon_tui.runtime.tool_paths.find_tool", lambda name: None)
    assert admin("scan", "run", "127.0.0.1").code == 3
    assert admin("scan", "run", "--dry-run", "127.0.0.1").code == 3


def test_gzip_is_unpacked(admin, home) -> None:
    (home / "found.xml.gz").write_bytes(gzip.compress(XML.encode()))
    (one,) = admin("scan", "import", home / "found.xml.gz", "--json").document
    assert (one["state"], one["hosts_up"]) == ("completed", 1)


@pytest.mark.parametrize(
    "damage", [b"\x1f\x8b", gzip.compress(XML.encode())[:-30] + b"x" * 30], ids=["cut", "bad"]
)
def test_damaged_gzip_is_refused_and_leaves_nothing(admin, home, damage) -> None:
    (home / "found.xml.gz").write_bytes(damage)
    assert admin("scan", "import", home / "found.xml.gz").code == 2
    assert admin("scan", "list", "--json").document == []
    assert list((home / "data" / "jobs").iterdir()) == []


def test_diff_says_what_changed_and_ends_like_ndiff(admin, document, imported) -> None:
    document.write_text(XML.replace('portid="80"', 'portid="22"').replace("web.example", "www.example"))
    (later,) = admin("scan", "import", document, "--json").document
    compared = admin("scan", "diff", str(imported), str(later["id"]), "--json")
    assert compared.code == 1
    assert set(compared.document) >= {"a", "b", "hosts", "summary"}
    assert (compared.document["a"], compared.document["b"]) == (imported, later["id"])
    assert compared.document["summary"] == {"added": 0, "removed": 0, "changed": 2}
    (host,) = compared.document["hosts"]
    assert (host["address"], host["change"]) == ("192.0.2.1", "changed")
    assert [fact["name"] for fact in host["facts"]] == ["hostname"]
    assert [(port["number"], port["moved_from"]) for port in host["ports"]] == [(22, 80)]

    table = admin("scan", "diff", str(imported), str(later["id"]))
    assert table.code == 1
    assert "web.example" in table.out and "www.example" in table.out

    same = admin("scan", "diff", str(imported), str(imported))
    assert (same.code, same.out) == (2, "")
    assert "cannot differ from itself" in same.err


def test_diff_of_two_equal_scans_is_quiet(admin, document, imported) -> None:
    (again,) = admin("scan", "import", "--again", document, "--json").document
    answer = admin("scan", "diff", str(imported), str(again["id"]))
    assert (answer.code, answer.out) == (0, "")
    assert f"since scan {imported}:\nnothing changed\n" in answer.err


def test_diff_that_cannot_be_had_exits_with_2(admin, imported) -> None:
    alone = admin("scan", "diff", str(imported))
    assert alone.code == 2
    assert "no completed scan of its targets" in alone.err
    assert admin("scan", "diff", str(imported), "99").code == 2
    assert admin("scan", "diff", "1", "2", "3").code == 2
    assert admin("scan", "diff").code == 2


def test_an_import_is_no_baseline(admin, imported) -> None:
    refused = admin("scan", "pin", str(imported))
    assert refused.code == 2
    assert "was imported: no later run has its targets" in refused.err
    assert admin("scan", "show", str(imported), "--json").document["pinned"] is False
