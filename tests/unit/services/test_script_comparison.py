"""What scripts said in two stored scans: what counts, what does not, and in what order it is read."""

from __future__ import annotations

import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from netmon_tui.domain.comparison import ChangeCounts, Kind, Severity
from netmon_tui.domain.host import Host, Port, Script, Service
from netmon_tui.domain.ignoring import IgnorePattern, patterns_for
from netmon_tui.domain.user import Actor, Role
from netmon_tui.errors import InvalidInput, NotFound
from netmon_tui.services import script_comparison as module
from tests.unit.services.made_scans import Store, host

DATA = Path(__file__).parents[2] / "data/nmap"
TITLES = ["nmap", "-sV", "--script", "http-title"]
HTTP = Service("http", "nginx", "1.22", method="probed")


def web(address: str, *titles: str, number: int = 80, service: Service | None = HTTP) -> Host:
    """A host whose web server has a title, or several, or none."""
    scripts = tuple(Script("http-title", title, {"title": title}) for title in titles)
    return host(address, Port(number, "tcp", "open", service=service, scripts=scripts))


async def changes(store: Store, a: int, b: int) -> list[tuple[str, str, str, str]]:
    """(change, what, before, after) of every line."""
    compared = await store.comparison.compare(store.ada, a, b)
    return [(str(one.change), one.what, one.before, one.after) for one in compared.lines()]


async def test_what_scripts_say_otherwise_is_told(store: Store) -> None:
    mode = [Script("smb2-security-mode", text, {"3.1.1": [text]}) for text in ("required", "not required")]
    a, b = (
        store.scan([web("10.0.0.5", title), host("10.0.0.6", 445, scripts=(said,))], command=["nmap", "-sC"])
        for title, said in zip(("Old", "New"), mode, strict=True)
    )
    assert await changes(store, a, b) == [
        ("changed", "80/tcp http-title", "Old", "New (title)"),
        ("changed", "smb2-security-mode", "required", "not required (3.1.1)"),
    ]
    store.comparison.note_changes(b)
    assert (await store.services.scans.get(store.ada, b)).changes == ChangeCounts(changed=2)
    web_host, smb = (await store.comparison.compare(store.ada, a, b)).hosts
    assert (web_host.severity, smb.severity) == (Severity.INFO, Severity.MEDIUM)


async def test_a_script_that_both_ran_comes_and_goes(store: Store) -> None:
    a, b = (
        store.scan([web("10.0.0.5", *titles), web("10.0.0.6")], command=TITLES) for titles in (("Old",), ())
    )
    assert await changes(store, a, b) == [("removed", "80/tcp http-title", "Old", "")]
    assert await changes(store, b, a) == [("added", "80/tcp http-title", "", "Old")]


async def test_a_script_that_only_one_ran_is_no_change_and_that_is_said(store: Store) -> None:
    a = store.scan([web("10.0.0.5", "Old")], command=TITLES)
    b = store.scan([web("10.0.0.5")], command=["nmap", "-sV"])
    assert await changes(store, a, b) == await changes(store, b, a) == []
    notes = (await store.comparison.compare(store.ada, a, b)).notes
    assert notes == ("they chose different scripts: only those of both are compared",)


async def test_a_port_that_one_scan_did_not_cover_or_find_open_has_no_scripts(store: Store) -> None:
    a = store.scan([web("10.0.0.5", "Old")], command=TITLES)
    closed = host("10.0.0.5", Port(80, "tcp", "closed"))
    assert await changes(store, a, store.scan([closed], command=TITLES)) == [
        ("removed", "80/tcp", "open http nginx 1.22", "closed")
    ]
    b = store.scan([web("10.0.0.5", "New")], command=TITLES, scaninfo=[["syn", "tcp", 1, "22"]])
    assert await changes(store, a, b) == []


async def test_a_script_is_not_gone_where_its_service_was_not_looked_for(store: Store) -> None:
    guessed = Service("http-alt", method="table")
    a = store.scan([web("10.0.0.5", "Old", number=8000)], command=TITLES)
    b = store.scan([web("10.0.0.5", number=8000, service=guessed)], command=TITLES)
    assert await changes(store, a, b) == []


@pytest.mark.parametrize("given_up", ["partial", "timed_out"])
async def test_a_host_that_was_given_up_says_nothing_of_scripts_it_lacks(store: Store, given_up: str) -> None:
    a = store.scan([web("10.0.0.5", "Old")], command=TITLES)
    lacking = Host("10.0.0.5", status="up", ports=web("10.0.0.5").ports, **{given_up: True})  # type: ignore[arg-type]
    b = store.scan([lacking], command=TITLES)
    assert await changes(store, a, b) == await changes(store, b, a) == []


async def test_scripts_follow_a_host_to_its_new_address(store: Store) -> None:
    def at(address: str, title: str) -> Host:
        scripts = (Script("http-title", title),)
        return host(address, Port(80, "tcp", "open", scripts=scripts), lladdr="02:00:00:00:00:01")

    a = store.scan([host("10.0.0.4"), at("10.0.0.5", "Old")], command=TITLES)
    b = store.scan([at("10.0.0.9", "New"), host("10.0.0.4")], command=TITLES)
    assert await changes(store, a, b) == [
        ("changed", "address", "10.0.0.5", "10.0.0.9"),
        ("changed", "80/tcp http-title", "Old", "New"),
    ]
    line = list((await store.comparison.compare(store.ada, a, b)).lines())[1]
    assert await store.comparison.difference(store.ada, a, b, line) == ["@@ -1 +1 @@", "-Old", "+New"]


async def test_noise_is_not_even_read(store: Store) -> None:
    a, b = (
        store.scan(
            [host("10.0.0.5", 80, scripts=(Script("clock-skew", f"mean: {n}s"),))], command=["nmap", "-sC"]
        )
        for n in (1, 2)
    )
    assert await changes(store, a, b) == []
    names = (
        store.comparison._scripts.marks(a, [0], ()),
        store.comparison._scripts.marks(a, [0], ("clock-skew",)),
    )
    assert [len(found) for found in names] == [1, 0]


async def test_pages_and_portions_give_the_same_as_one(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def hosts(word: str) -> list[Host]:
        return [web(f"10.0.0.{n}", f"{word} {n}") for n in range(1, 60)]

    a, b = store.scan(hosts("old"), command=TITLES), store.scan(hosts("new")[::-1], command=TITLES)
    whole = await changes(store, a, b)
    assert len(whole) == 59
    assert whole[0] == ("changed", "80/tcp http-title", "old 1", "new 1 (title)")
    monkeypatch.setattr(module, "_HOSTS", 4)
    monkeypatch.setattr("netmon_tui.services.comparison._PAGE", 7)
    assert await changes(store, a, b) == whole


async def test_a_script_that_stands_twice_on_a_port_is_compared_as_one(store: Store) -> None:
    a, b = (store.scan([web("10.0.0.5", one, "Same")], command=TITLES) for one in ("One", "Two"))
    assert await changes(store, a, b) == [("changed", "80/tcp http-title", "One", "Two")]


async def test_long_outputs_are_cut_and_still_seen_to_differ(store: Store) -> None:
    same = "A" * module.LONGEST_COMPARED
    a, b = (
        store.scan(
            [host("10.0.0.5", scripts=(Script("x", same + tail, [same]),))], command=["nmap", "--script", "x"]
        )
        for tail in ("old", "new")
    )
    assert await changes(store, a, b) == [("changed", "x", "", "differs further on")]
    (line,) = (await store.comparison.compare(store.ada, a, b)).lines()
    found = await store.comparison.difference(store.ada, a, b, line)
    assert len("".join(found)) < 2_000
    assert any("old" in text for text in found if text.startswith("-"))


async def test_a_difference_is_not_for_strangers(store: Store) -> None:
    bo = await store.services.accounts.add_user(store.ada, "bo", "walnut-koala-lantern", role=Role.OPERATOR)
    a, b = (store.scan([web("10.0.0.5", title)], command=TITLES) for title in ("Old", "New"))
    (line,) = (await store.comparison.compare(store.ada, a, b)).lines()
    with pytest.raises(NotFound):
        await store.comparison.difference(Actor(bo.id, bo.name, bo.role), a, b, line)
    store.services.transfers._scans.delete(a)
    with pytest.raises(NotFound):
        await store.comparison.difference(store.ada, a, b, line)


async def test_the_three_widths_of_a_rule(store: Store) -> None:
    def everywhere(title: str) -> list[Host]:
        scripts = (Script("http-title", title),)
        ports = [Port(number, "tcp", "open", scripts=scripts) for number in (80, 8080)]
        other = (Script("http-server-header", title),)
        return [host("10.0.0.5", *ports, scripts=other), host("10.0.0.6", *ports)]

    a, b = (store.scan(everywhere(title), command=["nmap", "-A"]) for title in ("Old", "New"))
    lines = (await store.comparison.compare(store.ada, a, b)).lines()
    line = next(one for one in lines if one.subject == "80/tcp")
    assert [str(pattern) for pattern in patterns_for(line)] == [
        "http-title on 80/tcp on 10.0.0.5",
        "http-title on 10.0.0.5",
        "http-title on every host",
    ]
    left = []
    for pattern in patterns_for(line):
        rule = await store.services.ignoring.create(store.ada, pattern)
        sifted = await store.comparison.sifted(store.ada, a, b)
        left.append([f"{one.address} {one.subject}".strip() for one in sifted.kept.lines()])
        await store.services.ignoring.delete(store.ada, rule.reference)
    assert left == [
        ["10.0.0.5", "10.0.0.5 8080/tcp", "10.0.0.6 80/tcp", "10.0.0.6 8080/tcp"],
        ["10.0.0.5", "10.0.0.6 80/tcp", "10.0.0.6 8080/tcp"],
        ["10.0.0.5"],
    ]


async def test_a_rule_for_a_script_says_nothing_else(store: Store) -> None:
    service = store.services.ignoring
    rule = await service.create(store.ada, IgnorePattern(script="http-title"))
    assert rule.pattern.kind is Kind.SCRIPT
    with pytest.raises(InvalidInput, match="says so already"):
        await service.create(store.ada, IgnorePattern(kind=Kind.SCRIPT, script="http-title"))
    bad: list[tuple[IgnorePattern, str]] = [
        (IgnorePattern(script="http-title", kind=Kind.OPENED), "no such rule"),
        (IgnorePattern(script="http-title", service="http"), "no such rule"),
        (IgnorePattern(subject="os", script="http-title"), "no such rule"),
        (IgnorePattern(script="[red]\x1b"), "no name of a script"),
    ]
    for pattern, words in bad:
        with pytest.raises(InvalidInput, match=words):
            await service.create(store.ada, pattern)
    assert [one.pattern.script for one in await service.rules(store.ada)] == ["", "http-title"]


async def imported(store: Store, *texts: str, folder: Path) -> list[int]:
    """Import documents."""
    found = []
    for number, text in enumerate(texts):
        (path := folder / f"{number}.xml").write_text(text)
        found.append((await store.services.transfers.import_scan(store.ada, path)).id)
    return found


async def test_two_real_runs_against_a_server_that_got_another_certificate(store: Store) -> None:
    """The second with -vv: then ssl-cert says more, and http-methods and http-favicon say something."""
    a, b = [
        (await store.services.transfers.import_scan(store.ada, DATA / f"scripts_{name}.xml")).id
        for name in ("before", "after")
    ]
    certificate = "web-{}.lab.test"
    assert await changes(store, a, b) == [
        ("changed", "8442/tcp http-title", "Page a", "Page b (title)"),
        ("changed", "8443/tcp http-title", "Page a", "Page b (title)"),
        (
            "changed",
            "8443/tcp ssl-cert",
            certificate.format("a"),
            certificate.format("b") + " (subject.commonName, 4 more)",
        ),
    ]
    notes = (await store.comparison.compare(store.ada, a, b)).notes
    assert any("run with more -v" in note for note in notes)


ONE_SCRIPT = """<?xml version="1.0"?><!DOCTYPE nmaprun>
<nmaprun scanner="nmap" args="nmap --script {script} 10.0.0.1-3" start="{start}" version="7.93" \
xmloutputversion="1.05"><scaninfo type="connect" protocol="tcp" numservices="2" services="22,443"/>
{hosts}<runstats><finished time="{start}" exit="success"/><hosts up="3" down="0" total="3"/></runstats>
</nmaprun>"""
ONE_HOST = """<host><status state="up" reason="syn-ack"/><address addr="{address}" addrtype="ipv4"/><ports>
<port protocol="tcp" portid="{port}"><state state="open" reason="syn-ack" reason_ttl="64"/>
<service name="{name}" method="table" conf="3"/>{script}</port></ports></host>\n"""


def document(script: str, port: int, name: str, start: int, outputs: dict[str, str]) -> str:
    """A document of nmap with one script on one port of some hosts."""
    hosts = "".join(
        ONE_HOST.format(
            address=address, port=port, name=name, script=xml and f'<script id="{script}" {xml}</script>'
        )
        for address, xml in outputs.items()
    )
    return ONE_SCRIPT.format(script=script, start=start, hosts=hosts)


def key(fingerprint: str) -> str:
    rows = f'<elem key="type">ssh-rsa</elem><elem key="fingerprint">{fingerprint}</elem>'
    return f'output="2048 {fingerprint} (RSA)"><table>{rows}</table>'


@pytest.mark.skipif(shutil.which("ndiff") is None, reason="ndiff is not installed")
async def test_ndiff_finds_the_same_scripts_changed(store: Store, tmp_path: Path) -> None:
    """One script on a port at most: with more of them this ndiff ends with a TypeError."""
    same = key("f00")
    old = {"10.0.0.1": same, "10.0.0.2": key("aaa"), "10.0.0.3": key("bbb")}
    new = {"10.0.0.1": same, "10.0.0.2": key("ccc"), "10.0.0.3": ""}
    texts = [document("ssh-hostkey", 22, "ssh", 1_700_000_000 + n, said) for n, said in enumerate((old, new))]
    a, b = await imported(store, *texts, folder=tmp_path)
    lines = list((await store.comparison.compare(store.ada, a, b)).lines())
    assert [(one.address, one.what, one.severity) for one in lines] == [
        ("10.0.0.2", "22/tcp ssh-hostkey", Severity.HIGH),
        ("10.0.0.3", "22/tcp ssh-hostkey", Severity.LOW),
    ]
    assert (lines[0].before, lines[0].after) == ("aaa", "ccc (fingerprint)")
    done = subprocess.run(
        ["ndiff", "--xml", tmp_path / "0.xml", tmp_path / "1.xml"],
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1, done.stderr
    found: list[Any] = [
        (differing.find(".//address").get("addr"), script.get("id"))  # type: ignore[union-attr]
        for differing in ET.fromstring(done.stdout).iter("hostdiff")
        if (script := differing.find(".//script")) is not None
    ]
    assert found == [(one.address, one.script.script) for one in lines if one.script]


async def test_what_a_host_made_a_script_say_is_kept_raw_and_short(store: Store, tmp_path: Path) -> None:
    hostile = "&#x9b;31m[red]&#x202e;[@click=app.quit]x[/]" + "A" * 1_000_000
    texts = [
        document(
            "banner", 22, "ssh", 1_700_000_000 + n, {"10.0.0.1": f'output="{hostile[: -n or None]}{n}">'}
        )
        for n in (0, 1)
    ]
    a, b = await imported(store, *texts, folder=tmp_path)
    assert await changes(store, a, b) == [], "nothing behind the first 65,536 characters is kept"
    texts = [
        document("banner", 22, "ssh", 1_700_000_002 + n, {"10.0.0.1": f'output="{n}{hostile}">'})
        for n in (0, 1)
    ]
    a, b = await imported(store, *texts, folder=tmp_path)
    ((change, what, before, after),) = await changes(store, a, b)
    assert (change, what) == ("changed", "22/tcp banner")
    assert before.startswith("0\x9b31m[red]\u202e")
    assert max(len(before), len(after)) < 130
    (line,) = (await store.comparison.compare(store.ada, a, b)).lines()
    found = await store.comparison.difference(store.ada, a, b, line)
    assert len(found) < 600
    assert max(map(len, found)) < 170
