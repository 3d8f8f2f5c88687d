"""nmap.dtd, element by element and attribute by attribute: what nmap writes is found again in the database."""

from __future__ import annotations

import asyncio
import re
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from netmon_tui.config.paths import find_paths
from netmon_tui.config.settings import load_settings
from netmon_tui.domain.documents import scan_document
from netmon_tui.domain.host_documents import run_document
from netmon_tui.domain.user import Actor
from netmon_tui.services.container import Services, open_services

DOCUMENT = Path(__file__).parents[2] / "data/dtd/every_value.xml"
INSTALLED = Path("/usr/share/nmap/nmap.dtd")

ATTRIBUTES = {
    "nmaprun": "scanner args start startstr version profile_name xmloutputversion",
    "scaninfo": "type scanflags protocol numservices services",
    "verbose": "level",
    "debugging": "level",
    "target": "specification status reason",
    "taskbegin": "task time extrainfo",
    "taskprogress": "task time percent remaining etc",
    "taskend": "task time extrainfo",
    "host": "starttime endtime timedout comment",
    "status": "state reason reason_ttl",
    "address": "addr addrtype vendor",
    "hostname": "name type",
    "smurf": "responses",
    "extraports": "state count",
    "extrareasons": "reason count proto ports",
    "port": "protocol portid",
    "state": "state reason reason_ttl reason_ip",
    "owner": "name",
    "service": "name conf method version product extrainfo tunnel proto rpcnum lowver highver hostname ostype"
    " devicetype servicefp",
    "script": "id output",
    "table": "key",
    "elem": "key",
    "portused": "state proto portid",
    "osclass": "vendor osgen type accuracy osfamily",
    "osmatch": "name accuracy line",
    "osfingerprint": "fingerprint",
    "distance": "value",
    "uptime": "seconds lastboot",
    "tcpsequence": "index difficulty values",
    "ipidsequence": "class values",
    "tcptssequence": "class values",
    "trace": "proto port",
    "hop": "ttl rtt ipaddr host",
    "times": "srtt rttvar to",
    "output": "type",
    "finished": "time timestr elapsed summary exit errormsg",
    "hosts": "up down total",
}
"""Elements of nmap.dtd 1.05 (revision 38396) that have attributes."""
WITHOUT_ATTRIBUTES = frozenset(
    ["hosthint", "hostnames", "ports", "cpe", "os", "runstats", "hostscript", "prescript", "postscript"]
)
WITH_TEXT = frozenset({"cpe", "elem", "output"})
NOT_KEPT = {
    ("nmaprun", "startstr"): "the moment of start once more, as text in a time zone that is not told",
    ("finished", "timestr"): "the moment of time once more",
    ("taskprogress", "task"): "a forecast, worthless when the scan is over; the same of the next four",
    ("taskprogress", "time"): "",
    ("taskprogress", "percent"): "",
    ("taskprogress", "remaining"): "",
    ("taskprogress", "etc"): "",
    ("output", "type"): "there is one kind of output only",
}
AS_STORED = {
    "1700000101": "2023-11-14T22:15:01Z",
    "1700000109": "2023-11-14T22:15:09Z",
    "02:00:00:00:00:0A": "02:00:00:00:00:0a",
    "true": "True",
}
"""What is kept in another form."""


def names_in_dtd(text: str) -> dict[str, list[str]]:
    """Attributes of every element that a DTD declares."""
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    found: dict[str, list[str]] = {name: [] for name in re.findall(r"<!ELEMENT\s+([a-z]+)", text)}
    for element, body in re.findall(r"<!ATTLIST\s+([a-z]+)(.*?)>", text, flags=re.DOTALL):
        kind = r"(?:CDATA|%[a-z_]+;|\([^)]*\))"
        found[element] += re.findall(rf"([a-z_]+)\s+{kind}\s+(?:#REQUIRED|#IMPLIED|\"[^\"]*\")", body)
    return found


@pytest.mark.skipif(not INSTALLED.is_file(), reason="nmap's DTD is not installed")
def test_the_names_are_those_of_the_installed_dtd() -> None:
    found = names_in_dtd(INSTALLED.read_text())
    assert {name: sorted(given) for name, given in found.items()} == {
        name: sorted(ATTRIBUTES.get(name, "").split()) for name in [*ATTRIBUTES, *WITHOUT_ATTRIBUTES]
    }


def test_the_document_has_every_name() -> None:
    there: dict[str, set[str]] = {}
    for element in ET.parse(DOCUMENT).iter():
        there.setdefault(element.tag, set()).update(element.attrib)
    assert there == {
        name: set(ATTRIBUTES.get(name, "").split()) for name in [*ATTRIBUTES, *WITHOUT_ATTRIBUTES]
    }


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    settings, paths = load_settings(environ={}), find_paths(data_dir=tmp_path / "data")
    opened = await asyncio.to_thread(open_services, settings, paths)
    yield opened
    await opened.close()


def leaves(value: Any) -> Iterator[str]:
    """All values of a document, and its keys."""
    if isinstance(value, dict):
        yield from map(str, value)
        value = list(value.values())
    if isinstance(value, list | tuple):
        for one in value:
            yield from leaves(one)
    else:
        yield str(value)


async def test_every_value_is_found_in_the_database(services: Services) -> None:
    user = await services.accounts.create_first_admin("ada", "walnut-koala-lantern")
    ada = Actor(user.id, user.name, user.role)
    scan = await services.transfers.import_scan(ada, DOCUMENT)
    hosts, run = await services.scans.whole_hosts(ada, scan.id), await services.scans.run(ada, scan.id)
    found = set(leaves([scan_document(scan, hosts), run_document(run)]))
    found |= {text.removesuffix(".0") for text in found}
    missing = []
    root = ET.parse(DOCUMENT).getroot()
    hint = root.find("hosthint")
    assert hint is not None
    root.remove(hint)  # only announces a host, which comes whole later
    for element in root.iter():
        given = list(element.attrib.items())
        given += [("", element.text or "")] if element.tag in WITH_TEXT else []
        missing += [
            (element.tag, name, text)
            for name, text in given
            if (element.tag, name) not in NOT_KEPT and AS_STORED.get(text, text) not in found
        ]
    assert missing == []
