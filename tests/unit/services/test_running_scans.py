"""Scans that wait, pause, go on, lose a host and are done in stages: real nmaps on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import os
import signal
import socket
import struct
import tarfile
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import nmap as python_nmap
import pytest
from libnmap.parser import NmapParser

from netmon_tui.config.paths import find_paths
from netmon_tui.config.settings import load_settings
from netmon_tui.domain.export import HostSelection
from netmon_tui.domain.host import Host
from netmon_tui.domain.job import Job, JobKind, JobState
from netmon_tui.domain.scan import Scan, StartScan
from netmon_tui.domain.user import Actor, Role
from netmon_tui.errors import InvalidInput
from netmon_tui.runtime.job_directory import set_aside
from netmon_tui.runtime.staged.elements import read_whole
from netmon_tui.runtime.staged.joining import address_of
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services.container import Services, open_services

pytestmark = [
    pytest.mark.skipif(find_tool("nmap") is None, reason="nmap is not installed"),
    pytest.mark.timeout(180),
]

NETWORK = "127.0.0.1-20"
SLOW = "-sT -Pn -n -p 1-3 --max-hostgroup 1 --scan-delay 100ms"
"""A third of a second for a host, one after the other."""


@contextlib.asynccontextmanager
async def opened(folder: Path, **flags: str) -> AsyncIterator[tuple[Services, Actor]]:
    settings = load_settings(environ={}, flags={key.replace("__", "."): flags[key] for key in flags})
    services = await asyncio.to_thread(open_services, settings, find_paths(data_dir=folder / "data"))
    try:
        if await services.accounts.needs_first_user():
            await services.accounts.create_first_admin("ada", "walnut-koala-lantern")
        yield services, Actor(1, "ada", Role.ADMIN)
    finally:
        await services.close()


async def until(question: Callable[[], Awaitable[object]], fact: str) -> object:
    """Wait for a fact."""
    for _ in range(600):
        if answer := await question():
            return answer
        await asyncio.sleep(0.1)
    raise AssertionError(f"never: {fact}")


class Listener:
    """A TCP server on one address of loopback.

    Args:
        address: Where.
        says: Sent to everybody who connects; then nothing more.
        port: 0 for any.
    """

    def __init__(self, address: str, says: bytes = b"", port: int = 0) -> None:
        self._socket = socket.create_server((address, port), backlog=64)
        self.port = self._socket.getsockname()[1]
        self._says = says
        self._held: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self._held.append(connection)
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        connection.sendall(self._says)

    def close(self) -> None:
        self._socket.close()
        for connection in self._held:
            connection.close()


@pytest.fixture
def ssh() -> Iterator[Listener]:
    """Says who it is at once."""
    listener = Listener("127.0.0.3", b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")
    yield listener
    listener.close()


@pytest.fixture
def ftp() -> Iterator[Listener]:
    """Another one on another address."""
    listener = Listener("127.0.0.7", b"220 ProFTPD 1.3.8 Server (here) [127.0.0.7]\r\n")
    yield listener
    listener.close()


@pytest.fixture
def silent() -> Iterator[Listener]:
    """Never says a word: version detection tries for minutes."""
    listener = Listener("127.0.0.9")
    yield listener
    listener.close()


class OldSsh(Listener):
    """An SSH server of protocol 1, which shows its host key unencrypted: every one has the same."""

    def __init__(self, address: str, port: int = 0) -> None:
        key = bytes.fromhex("0006 23") + struct.pack(">H", 1024) + b"\xc3" * 128  # exponent 35, modulus
        body = b"\x02" + bytes(8) + (struct.pack(">I", 1024) + key) * 2 + bytes(12) + bytes(4)
        self._packet = struct.pack(">I", len(body)) + bytes(8 - len(body) % 8) + body
        super().__init__(address, b"SSH-1.5-OpenSSH_3.4\r\n", port)

    def _talk(self, connection: socket.socket) -> None:
        super()._talk(connection)
        if connection.recv(256).startswith(b"SSH-1"):
            connection.sendall(self._packet)
        connection.close()


def facts(hosts: list[Host]) -> list[tuple[object, ...]]:
    """What two ways of scanning must agree on."""
    return sorted(
        (
            host.address,
            host.status,
            tuple((p.number, p.protocol, p.state, p.service and p.service[:4]) for p in host.ports),
        )
        for host in hosts
    )


def addresses_in(job: Path, stage: str) -> set[str]:
    """Whom the nmaps of a stage scanned, packed or not yet."""
    there = [path.name for path in job.glob(f"stage-{stage}-*.xml*")]
    plain = {name.removesuffix(".gz") for name in there if name.endswith((".xml", ".xml.gz"))}  # no drafts
    documents = sorted(job / name for name in plain)
    assert documents
    found = set()
    for path in documents:
        try:
            elements = list(read_whole(path, lambda root: None))
        except FileNotFoundError:  # packed just now
            elements = list(read_whole(path.with_name(path.name + ".gz"), lambda root: None))
        found |= {address_of(one.tree) for one in elements if one.name == "host"}
    return found


async def stopped_after_three_hosts(services: Services, ada: Actor) -> Scan:
    await services.supervisor.start()
    scan = await services.scanning.start(ada, StartScan((NETWORK,), SLOW))

    async def some() -> bool:
        return (await services.scans.get(ada, scan.id)).hosts_up >= 3

    await until(some, "three hosts")
    await services.scanning.stop(ada, scan.id)
    stopped = await services.scanning.wait(ada, scan.id)
    assert stopped.state is JobState.CANCELLED
    return stopped


# --- stages ------------------------------------------------------------------------------------------


async def test_stages_find_what_one_nmap_finds(tmp_path: Path, ssh: Listener, ftp: Listener) -> None:
    options = f"-T4 -n -sV -p {ssh.port},{ftp.port},1"
    async with opened(tmp_path) as (services, ada):
        found = []
        for staged in (True, False):
            scan = await services.scanning.start(ada, StartScan((NETWORK,), options, staged=staged))
            ended = await services.scanning.wait(ada, scan.id)
            assert (ended.state, ended.percent, ended.hosts_up) == (JobState.COMPLETED, 100.0, 20), (
                ended.error
            )
            found.append(await services.scans.whole_hosts(ada, scan.id))
            assert [host.partial for host in found[-1]] == [False] * 20
            assert not ended.warnings
        assert facts(found[0]) == facts(found[1])
        ports = [(host.address, port.service) for host in found[0] for port in host.ports]
        named = {(address, service.product) for address, service in ports if service and service.product}
        assert named == {("127.0.0.3", "OpenSSH"), ("127.0.0.7", "ProFTPD")}
        assert list(await services.scanning.stages(ada, 1)) == ["discovery", "ports", "detection"]
        assert not await services.scanning.stages(ada, 2)


@pytest.mark.skipif(os.geteuid() != 0, reason="pings need root")
async def test_the_ports_of_near_hosts_are_left_to_one_nmap(tmp_path: Path) -> None:
    near, unknown = "-T4 -n -p 1", "-T4 -n -p 1 -PS1"  # who says how hosts are asked has none pinged
    async with opened(tmp_path) as (services, ada):
        for options in (near, unknown):
            planned = await services.scanning.plan(ada, StartScan(("127.0.1.0/24",), options))
            assert (planned.stage_names, planned.only_if_far) == (("discovery", "ports"), True)
            scan = await services.scanning.start(ada, StartScan(("127.0.1.0/24",), options))
            ended = await services.scanning.wait(ada, scan.id)
            assert (ended.state, ended.hosts_up) == (JobState.COMPLETED, 256)
        assert not await services.scanning.stages(ada, 1)
        assert list(await services.scanning.stages(ada, 2)) == ["discovery", "ports"]


async def test_the_originals_of_a_staged_scan_are_in_one_archive(tmp_path: Path, ssh: Listener) -> None:
    async with opened(tmp_path) as (services, ada):
        scan = await services.scanning.start(ada, StartScan((NETWORK,), f"-T4 -n -sV -p {ssh.port},1"))
        await services.scanning.wait(ada, scan.id)
        path = await services.transfers.export_scan(ada, scan.id, "tar", tmp_path / "originals.tar")
        written = {}
        with tarfile.open(path) as archive:
            for member in archive:
                content = archive.extractfile(member).read()  # type: ignore[union-attr]
                written[member.name.removesuffix(".gz")] = (
                    gzip.decompress(content) if member.name.endswith(".gz") else content
                )
        assert {name.split("-")[2] for name in written if "stage-" in name} == {
            "discovery",
            "ports",
            "detection",
        }
        for name, content in written.items():
            assert NmapParser.parse_fromstring(content.decode()).hosts, name
        one_host = HostSelection(("127.0.0.3",))
        with pytest.raises(InvalidInput, match="whole"):
            await services.transfers.scan_chunks(ada, scan.id, "tar", one_host)


async def test_what_was_found_of_a_host_that_is_given_up_is_kept(tmp_path: Path, ssh: Listener) -> None:
    options = f"-sT -Pn -n -v -r -p {ssh.port}-{ssh.port + 80} --scan-delay 100ms"
    async with opened(tmp_path) as (services, ada):
        await services.supervisor.start()
        scan = await services.scanning.start(ada, StartScan(("127.0.0.2-3",), options, staged=False))

        async def found() -> bool:
            return (await services.scans.get(ada, scan.id)).ports_open > 0

        await until(found, "an open port")
        before = await services.scans.get(ada, scan.id)
        await services.scanning.skip(ada, scan.id, "127.0.0.3")
        during = await services.scans.get(ada, scan.id)
        assert during.percent >= before.percent
        ended = await services.scanning.wait(ada, scan.id)
        assert (ended.state, ended.skipped) == (JobState.COMPLETED, ("127.0.0.3",))
        hosts = {host.address: host for host in await services.scans.whole_hosts(ada, scan.id)}
        assert hosts["127.0.0.3"].partial
        assert ssh.port in [port.number for port in hosts["127.0.0.3"].ports]
        assert not hosts["127.0.0.2"].partial
        assert ended.ports_open == sum(port.state == "open" for one in hosts.values() for port in one.ports)


async def test_the_document_of_a_staged_scan_is_nmaps(tmp_path: Path, ssh: Listener) -> None:
    async with opened(tmp_path) as (services, ada):
        scan = await services.scanning.start(ada, StartScan((NETWORK,), f"-T4 -n -sV -p {ssh.port},1"))
        await services.scanning.wait(ada, scan.id)
        written = tmp_path / "out.xml"
        await services.transfers.export_scan(ada, scan.id, "xml", written)
        document = ElementTree.parse(written).getroot()
        assert document.get("args", "").startswith("nmap -T4 -n -sV")
        (info,) = document.findall("scaninfo")
        assert info.get("services") == f"1,{ssh.port}"
        hosts = document.findall("runstats/hosts")[0]
        assert (hosts.get("up"), hosts.get("total")) == ("20", "20")
        read = python_nmap.PortScanner().analyse_nmap_xml_scan(written.read_text())
        assert len(read["scan"]) == 20
        assert read["scan"]["127.0.0.3"]["tcp"][ssh.port]["product"] == "OpenSSH"
        report = NmapParser.parse_fromfile(str(written))
        assert (report.hosts_up, report.endtime > 0, report.version) == (20, True, document.get("version"))
        again = await services.transfers.import_scan(ada, written, again=True)
        assert facts(await services.scans.whole_hosts(ada, again.id)) == facts(
            await services.scans.whole_hosts(ada, scan.id)
        )


async def test_scripts_that_compare_all_hosts_say_once_what_they_say_in_one_nmap(tmp_path: Path) -> None:
    first = OldSsh("127.0.0.2")
    second = OldSsh("127.0.0.19", first.port)  # of four nmaps another one would look at it
    try:
        async with opened(tmp_path) as (services, ada):
            said = []
            for staged in (True, False):
                request = StartScan((NETWORK,), f"-T4 -n -sV -sC -p {first.port}", staged=staged)
                scan = await services.scanning.start(ada, request)
                assert bool(await services.scanning.stages(ada, scan.id)) is staged
                ended = await services.scanning.wait(ada, scan.id)
                assert ended.state is JobState.COMPLETED, ended.error
                written = tmp_path / f"{scan.id}.xml"
                await services.transfers.export_scan(ada, scan.id, "xml", written)
                said.append(scripts_around(ElementTree.parse(written).getroot()))
        assert said[0] == said[1]
        assert [(place, name) for place, name, _ in said[0]] == [("postscript", "ssh-hostkey")]
        assert "127.0.0.2" in said[0][0][2]
        assert "127.0.0.19" in said[0][0][2]
    finally:
        first.close()
        second.close()


def scripts_around(document: ElementTree.Element) -> list[tuple[str, str | None, str]]:
    """Where, id and output of the scripts that ran before and after all hosts."""
    return [
        (place, script.get("id"), script.get("output", ""))
        for place in ("prescript", "postscript")
        for script in document.iterfind(f"{place}/script")
    ]


async def test_a_killed_nmap_of_the_detection_gets_another_one(
    tmp_path: Path, ssh: Listener, silent: Listener
) -> None:
    async with opened(tmp_path) as (services, ada):
        options = f"-T4 -n -sV --version-intensity 0 -p {ssh.port},{silent.port}"
        scan = await services.scanning.start(ada, StartScan((NETWORK,), options))
        pid = await until(
            lambda: asyncio.to_thread(_nmap_of, "detection", services.paths.jobs), "a detection"
        )
        os.kill(int(str(pid)), signal.SIGKILL)
        ended = await services.scanning.wait(ada, scan.id)
        assert (ended.state, ended.hosts_up) == (JobState.COMPLETED, 20), ended.error
        products = [
            p.service.product
            for h in await services.scans.whole_hosts(ada, scan.id)
            for p in h.ports
            if p.service and p.number == ssh.port and h.address == "127.0.0.3"
        ]
        assert products == ["OpenSSH"]


async def test_a_killed_staged_scan_goes_on_where_it_was(
    tmp_path: Path, ssh: Listener, silent: Listener
) -> None:
    async with opened(tmp_path) as (services, ada):
        options = f"-T4 -n -sV --version-intensity 0 -p {ssh.port},{silent.port}"
        scan = await services.scanning.start(ada, StartScan((NETWORK,), options))
        await until(lambda: asyncio.to_thread(_nmap_of, "detection", services.paths.jobs), "a detection")
        job = services.paths.jobs / "scan-1"
        os.kill(_leader(job), signal.SIGKILL)
        ended = await services.scanning.wait(ada, scan.id)
        assert ended.state is JobState.FAILED
        assert ended.ports_open == 2  # found by the port scan, kept as partial
        await services.scanning.resume(ada, scan.id)
        ended = await services.scanning.wait(ada, scan.id)
        assert (ended.state, ended.hosts_up, ended.ports_open) == (JobState.COMPLETED, 20, 2), ended.error
        # one document, which may be packed just now: plain, packed and the draft of that
        assert len({path.name.partition(".")[0] for path in job.glob("stage-ports-*.xml*")}) == 1
        assert (job / "earlier").is_dir()


def _nmap_of(stage: str, jobs: Path) -> int:
    """Return the number of a running nmap of a stage; 0 while there is none."""
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
            if any(
                word.startswith(f"{jobs}/".encode()) and f"stage-{stage}".encode() in word for word in words
            ):
                return int(entry.name)
    return 0


def _leader(job: Path) -> int:
    """The tool of a job's runner."""
    return int(json.loads((job / "status.json").read_text())["tool_pid"])


async def test_a_host_that_keeps_a_staged_scan_waiting_is_given_up(
    tmp_path: Path, ssh: Listener, silent: Listener
) -> None:
    async with opened(tmp_path) as (services, ada):
        options = f"-T4 -n -sV --version-all -p {ssh.port},{silent.port}"
        scan = await services.scanning.start(ada, StartScan((NETWORK,), options))
        await until(lambda: asyncio.to_thread(_nmap_of, "detection", services.paths.jobs), "a detection")
        await services.scanning.skip(ada, scan.id, "127.0.0.9")
        ended = await services.scanning.wait(ada, scan.id)
        assert (ended.state, ended.skipped) == (JobState.COMPLETED, ("127.0.0.9",)), ended.error
        found = {host.address: host for host in await services.scans.whole_hosts(ada, scan.id)}
        assert [p.number for p in found["127.0.0.9"].ports if p.state == "open"] == [silent.port]
        assert [p.service.product for p in found["127.0.0.3"].ports if p.service and p.state == "open"] == [
            "OpenSSH"
        ]


# --- the queue ---------------------------------------------------------------------------------------


async def test_a_scan_waits_while_as_many_run_as_may(tmp_path: Path) -> None:
    async with opened(tmp_path, scans__at_once="1") as (services, ada):
        await services.supervisor.start()
        first = await services.scanning.start(ada, StartScan((NETWORK,), SLOW))
        second = await services.scanning.start(ada, StartScan(("127.0.0.1",), "-sL"))
        third = await services.scanning.start(ada, StartScan(("127.0.0.1",), "-sL"))
        assert [scan.state for scan in (first, second, third)] == [
            JobState.RUNNING,
            JobState.QUEUED,
            JobState.QUEUED,
        ]
        await services.scanning.stop(ada, second.id)
        assert (await services.scans.get(ada, second.id)).state is JobState.CANCELLED
        await services.scanning.stop(ada, first.id)

        async def is_done() -> bool:
            return (await services.scans.get(ada, third.id)).state is JobState.COMPLETED

        await until(is_done, "the third had its turn by itself")


async def test_what_waits_is_started_by_the_next_program(tmp_path: Path) -> None:
    async with opened(tmp_path, scans__at_once="1") as (services, ada):
        first = await services.scanning.start(ada, StartScan(("127.0.0.1-5",), SLOW))
        second = await services.scanning.start(ada, StartScan(("127.0.0.1",), "-sL"))
        assert second.state is JobState.QUEUED
    async with opened(tmp_path, scans__at_once="1") as (services, ada):
        assert (await services.scanning.wait(ada, second.id)).state is JobState.COMPLETED
        assert (await services.scans.get(ada, first.id)).state is JobState.COMPLETED


async def test_no_program_claims_what_another_has_claimed(tmp_path: Path) -> None:
    async with opened(tmp_path, scans__at_once="1") as (services, ada):
        running = await services.scanning.start(ada, StartScan((NETWORK,), SLOW))
        for _ in range(6):
            await services.scanning.start(ada, StartScan(("127.0.0.1",), "-sL"))
        repository = services.scanning._scans
        claims = await asyncio.gather(*(asyncio.to_thread(repository.claim_next, 4) for _ in range(8)))
        claimed = [scan.id for scan in claims if scan is not None]
        assert len(claimed) == len(set(claimed)) == 3
        await services.scanning.stop(ada, running.id)
        await services.scanning._supervisor.wait(JobKind.SCAN, running.id)


# --- pause -------------------------------------------------------------------------------------------


async def test_a_paused_scan_stands_still_until_it_is_told_to_go_on(tmp_path: Path) -> None:
    async with opened(tmp_path) as (services, ada):
        await services.supervisor.start()
        scan = await services.scanning.start(ada, StartScan(("127.0.0.1-8",), SLOW))

        async def state(wanted: JobState) -> bool:
            return (await services.scans.get(ada, scan.id)).state is wanted

        await services.scanning.pause(ada, scan.id)
        await until(lambda: state(JobState.PAUSED), "paused")
        tool = _leader(services.paths.jobs / "scan-1")
        stat = Path(f"/proc/{tool}/stat").read_text()
        assert stat.rpartition(")")[2].split()[0] == "T"
        await services.scanning.pause(ada, scan.id, paused=False)
        ended = await services.scanning.wait(ada, scan.id)
        assert (ended.state, ended.hosts_up) == (JobState.COMPLETED, 8)


async def test_a_paused_scan_can_be_stopped(tmp_path: Path) -> None:
    async with opened(tmp_path) as (services, ada):
        await services.supervisor.start()
        scan = await services.scanning.start(ada, StartScan((NETWORK,), SLOW))
        await services.scanning.pause(ada, scan.id)

        async def paused() -> bool:
            return (await services.scans.get(ada, scan.id)).state is JobState.PAUSED

        await until(paused, "paused")
        await services.scanning.stop(ada, scan.id)
        assert (await services.scanning.wait(ada, scan.id)).state is JobState.CANCELLED


async def test_a_paused_scan_that_goes_on_waits_for_a_place(tmp_path: Path) -> None:
    async with opened(tmp_path, scans__at_once="1") as (services, ada):
        await services.supervisor.start()

        async def state(scan: Scan, wanted: JobState) -> bool:
            return (await services.scans.get(ada, scan.id)).state is wanted

        first = await services.scanning.start(ada, StartScan(("127.0.0.1-8",), SLOW))
        await services.scanning.pause(ada, first.id)
        await until(lambda: state(first, JobState.PAUSED), "paused")
        second = await services.scanning.start(ada, StartScan((NETWORK,), SLOW))
        assert second.state is JobState.RUNNING
        waiting = await services.scanning.pause(ada, first.id, paused=False)
        assert waiting.state is JobState.QUEUED
        directory = services.paths.jobs / "scan-1"
        assert json.loads((directory / "status.json").read_text())["state"] == "paused"
        assert (await services.scanning.pause(ada, first.id)).state is JobState.PAUSED  # no longer wanted
        await services.scanning.stop(ada, second.id)
        await services.scanning.wait(ada, second.id)
        assert (await services.scans.get(ada, first.id)).state is JobState.PAUSED
        third = await services.scanning.start(ada, StartScan(("127.0.0.1-4",), SLOW))
        assert (await services.scanning.pause(ada, first.id, paused=False)).state is JobState.QUEUED
        assert (await services.scanning.wait(ada, third.id)).state is JobState.COMPLETED
        ended = await services.scanning.wait(ada, first.id)
        assert (ended.state, ended.hosts_up) == (JobState.COMPLETED, 8)
        assert not (directory / "earlier").exists()  # it went on, and was not begun again


async def test_a_paused_scan_that_waits_for_a_place_can_be_stopped(tmp_path: Path) -> None:
    async with opened(tmp_path, scans__at_once="1") as (services, ada):
        await services.supervisor.start()
        first = await services.scanning.start(ada, StartScan((NETWORK,), SLOW))
        await services.scanning.pause(ada, first.id)

        async def paused() -> bool:
            return (await services.scans.get(ada, first.id)).state is JobState.PAUSED

        await until(paused, "paused")
        second = await services.scanning.start(ada, StartScan((NETWORK,), SLOW))
        await services.scanning.pause(ada, first.id, paused=False)
        await services.scanning.stop(ada, first.id)
        assert (await services.scanning.wait(ada, first.id)).error == "stopped"
        await services.scanning.stop(ada, second.id)
        await services.scanning.wait(ada, second.id)


# --- resume ------------------------------------------------------------------------------------------


async def test_a_stopped_scan_goes_on_with_what_is_missing(tmp_path: Path) -> None:
    async with opened(tmp_path) as (services, ada):
        scan = await stopped_after_three_hosts(services, ada)
        done = {host.address for host in await services.scans.whole_hosts(ada, scan.id) if not host.partial}
        assert 3 <= len(done) < 20
        await services.scanning.resume(ada, scan.id)
        ended = await services.scanning.wait(ada, scan.id)
        assert (ended.state, ended.hosts_up, ended.started) == (JobState.COMPLETED, 20, scan.started)
        found = [host.address for host in await services.scans.whole_hosts(ada, scan.id)]
        assert len(found) == len(set(found)) == 20
        scanned = addresses_in(services.paths.jobs / "scan-1", "ports")
        assert scanned == set(found) - done


async def test_a_scan_goes_on_only_when_its_job_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the two the scan has ended, but its job has not: the new run would be taken for the old one."""
    async with opened(tmp_path) as (services, ada):
        supervisor, jobs, let_finish = services.supervisor, services.supervisor._jobs, threading.Event()
        finish, look = supervisor.finish, jobs.of
        looks = 0

        def finish_later(job: Job, state: JobState, error: str) -> None:
            assert let_finish.wait(60)
            finish(job, state, error)

        def count_looks(kind: JobKind, subject_id: int) -> Job | None:
            nonlocal looks
            looks += 1
            return look(kind, subject_id)

        monkeypatch.setattr(supervisor, "finish", finish_later)
        await supervisor.start()
        scan = await services.scanning.start(ada, StartScan((NETWORK,), SLOW))
        await services.scanning.stop(ada, scan.id)

        async def state(wanted: JobState) -> bool:
            return (await services.scans.get(ada, scan.id)).state is wanted

        await until(lambda: state(JobState.CANCELLED), "stopped")
        first = look(JobKind.SCAN, scan.id)
        assert first is not None
        assert not first.state.is_final
        monkeypatch.setattr(jobs, "of", count_looks)
        going_on = asyncio.create_task(services.scanning.resume(ada, scan.id))
        try:

            async def waits() -> bool:
                return looks >= 5 or going_on.done()

            await until(waits, "whoever resumes looks at the job again and again")
            assert not going_on.done()
            assert await state(JobState.CANCELLED)
            assert look(JobKind.SCAN, scan.id) == first
        finally:
            let_finish.set()
        await going_on
        ended = await services.scanning.wait(ada, scan.id)
        assert (ended.state, ended.hosts_up) == (JobState.COMPLETED, 20), ended.error


async def test_a_scan_that_goes_on_has_only_the_time_that_is_left(tmp_path: Path) -> None:
    async with opened(tmp_path) as (services, ada):
        scan = await stopped_after_three_hosts(services, ada)
    async with opened(tmp_path, scans__longest_run_seconds="1") as (services, ada):
        with pytest.raises(InvalidInput, match="as long as one may, 1 s"):
            await services.scanning.resume(ada, scan.id)
        assert (await services.scans.get(ada, scan.id)).state is JobState.CANCELLED
    async with opened(tmp_path, scans__longest_run_seconds="600") as (services, ada):
        await services.scanning.resume(ada, scan.id)
        spec = json.loads((services.paths.jobs / "scan-1" / "spec.json").read_text())
        assert 300 < spec["limits"]["seconds"] < 599
        await services.scanning.stop(ada, scan.id)
        await services.scanning.wait(ada, scan.id)


async def test_a_host_of_a_scan_of_one_nmap_is_given_up_by_going_on_without_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as (services, ada):
        await services.supervisor.start()
        scan = await services.scanning.start(ada, StartScan(("127.0.0.1-10",), SLOW))
        await services.scanning.skip(ada, scan.id, "127.0.0.10")
        with pytest.raises(InvalidInput, match="given up already"):
            await services.scanning.skip(ada, scan.id, "127.0.0.10")
        ended = await services.scanning.wait(ada, scan.id)
        assert (ended.state, ended.hosts_up) == (JobState.COMPLETED, 9)
        assert "127.0.0.10" not in {host.address for host in await services.scans.whole_hosts(ada, scan.id)}


async def test_giving_up_a_host_lets_no_paused_scan_go_on(tmp_path: Path) -> None:
    async with opened(tmp_path) as (services, ada):
        await services.supervisor.start()
        scan = await services.scanning.start(ada, StartScan(("127.0.0.1-10",), SLOW))
        await services.scanning.pause(ada, scan.id)

        async def paused() -> bool:
            return (await services.scans.get(ada, scan.id)).state is JobState.PAUSED

        await until(paused, "paused")
        assert (await services.scanning.skip(ada, scan.id, "127.0.0.10")).state is JobState.PAUSED
        await services.scanning.pause(ada, scan.id, paused=False)
        ended = await services.scanning.wait(ada, scan.id)
        assert (ended.state, ended.hosts_up) == (JobState.COMPLETED, 9)
        assert "127.0.0.10" not in {host.address for host in await services.scans.whole_hosts(ada, scan.id)}


async def test_only_a_host_of_the_scan_can_be_given_up(tmp_path: Path) -> None:
    async with opened(tmp_path) as (services, ada):
        scan = await services.scanning.start(ada, StartScan(("127.0.0.1-10",), SLOW))
        with pytest.raises(InvalidInput, match="not among the targets"):
            await services.scanning.skip(ada, scan.id, "192.0.2.99")
        assert (await services.scans.get(ada, scan.id)).skipped == ()
        await services.scanning.stop(ada, scan.id)


async def test_what_may_never_be_scanned_is_left_out_when_a_scan_goes_on(
    tmp_path: Path, ssh: Listener, silent: Listener
) -> None:
    options = f"-T4 -n -sV --version-intensity 0 -p {ssh.port},{silent.port}"
    async with opened(tmp_path) as (services, ada):
        scan = await services.scanning.start(ada, StartScan((NETWORK,), options))
        await until(lambda: asyncio.to_thread(_nmap_of, "detection", services.paths.jobs), "a detection")
        await services.scanning.stop(ada, scan.id)
        assert (await services.scanning.wait(ada, scan.id)).state is JobState.CANCELLED
    async with opened(tmp_path, scans__never_scan="127.0.0.9") as (services, ada):
        await services.scanning.resume(ada, scan.id)
        ended = await services.scanning.wait(ada, scan.id)
        assert (ended.state, ended.hosts_up) == (JobState.COMPLETED, 20), ended.error
        found = {host.address: host for host in await services.scans.whole_hosts(ada, scan.id)}
        named = [p.service.product for p in found["127.0.0.3"].ports if p.service and p.state == "open"]
        assert named == ["OpenSSH"]
        assert addresses_in(services.paths.jobs / "scan-1", "detection") == {"127.0.0.3"}


async def test_a_run_that_ends_before_it_has_begun_loses_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as (services, ada):
        scan = await stopped_after_three_hosts(services, ada)
        done = {host.address for host in await services.scans.whole_hosts(ada, scan.id) if not host.partial}
        job = services.paths.jobs / "scan-1"
        set_aside(job)  # a run that was killed before it had read a word
        (job / "status.json").write_text((job / "earlier" / "status.json").read_text())
        await services.scanning.resume(ada, scan.id)
        ended = await services.scanning.wait(ada, scan.id)
        assert (ended.state, ended.hosts_up) == (JobState.COMPLETED, 20), ended.error
        assert not addresses_in(job, "ports") & done


async def test_a_scan_that_is_stopped_at_once_is_stopped(tmp_path: Path) -> None:
    async with opened(tmp_path) as (services, ada):
        starting = asyncio.create_task(services.scanning.start(ada, StartScan((NETWORK,), SLOW)))

        async def claimed() -> bool:
            return any(scan.state is JobState.RUNNING for scan in await services.scans.find(ada))

        await until(claimed, "claimed")
        await services.scanning.stop(ada, 1)
        await starting
        assert (await services.scanning.wait(ada, 1)).state is JobState.CANCELLED


async def test_a_claim_is_no_abandoned_scan_however_long_it_waited(tmp_path: Path) -> None:
    async with opened(tmp_path, scans__at_once="1") as (services, ada):
        running = await services.scanning.start(ada, StartScan((NETWORK,), SLOW))
        waiting = await services.scanning.start(ada, StartScan(("127.0.0.1",), "-sL"))
        long_ago = datetime.now(UTC) - timedelta(days=1)
        repository = services.scanning._scans
        repository.update(waiting.id, created=long_ago)
        assert (await asyncio.to_thread(repository.claim_next, 4)).id == waiting.id
        jobs = services.supervisor._jobs
        assert jobs.close_abandoned() == 0
        repository.update(waiting.id, claimed=long_ago)
        assert jobs.close_abandoned() == 1
        await services.scanning.stop(ada, running.id)
        await services.scanning.wait(ada, running.id)


@pytest.mark.parametrize("staged", [True, False])
async def test_hosts_that_two_programs_give_up_at_once_are_all_given_up(
    tmp_path: Path, ssh: Listener, silent: Listener, staged: bool
) -> None:
    options = f"-T4 -n -sV --version-all -p {ssh.port},{silent.port}" if staged else SLOW
    hosts = [f"127.0.0.{number}" for number in range(9, 19)]
    async with opened(tmp_path) as (services, ada), opened(tmp_path) as (other, _):
        await services.supervisor.start()
        scan = await services.scanning.start(ada, StartScan((NETWORK,), options, staged=staged))
        if staged:
            await until(lambda: asyncio.to_thread(_nmap_of, "detection", services.paths.jobs), "a detection")
        programs = [services, other] * 5
        orders = zip(programs, hosts, strict=True)
        await asyncio.gather(*(one.scanning.skip(ada, scan.id, address) for one, address in orders))
        ended = await services.scanning.wait(ada, scan.id)
        assert (ended.state, sorted(ended.skipped)) == (JobState.COMPLETED, sorted(hosts)), ended.error
        if staged:
            assert set((services.paths.jobs / "scan-1" / "skip").read_text().split()) == set(hosts)
        else:
            found = {host.address for host in await services.scans.whole_hosts(ada, scan.id)}
            assert not found.intersection(hosts)


async def test_a_host_that_was_given_up_is_not_gone(tmp_path: Path) -> None:
    async with opened(tmp_path) as (services, ada):
        await services.supervisor.start()
        first = await services.scanning.start(ada, StartScan(("127.0.0.1-4",), SLOW))
        await services.scanning.wait(ada, first.id)
        second = await services.scanning.start(ada, StartScan(("127.0.0.1-4",), SLOW))
        await services.scanning.skip(ada, second.id, "127.0.0.4")
        await services.scanning.wait(ada, second.id)
        comparison = await services.comparison.compare(ada, first.id, second.id)
        assert not comparison.hosts


async def test_what_is_done_cannot_go_on(tmp_path: Path) -> None:
    async with opened(tmp_path) as (services, ada):
        scan = await services.scanning.start(ada, StartScan(("127.0.0.1",), "-sL"))
        await services.scanning.wait(ada, scan.id)
        for refused in (
            services.scanning.resume(ada, scan.id),
            services.scanning.pause(ada, scan.id),
            services.scanning.skip(ada, scan.id, "127.0.0.1"),
        ):
            with pytest.raises(InvalidInput):
                await refused
