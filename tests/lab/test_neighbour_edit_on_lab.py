"""Editing the neighbour table of the lab's scanner by the installed program, and waking a host."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

from tests.lab.network import Lab

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
PASSWORD = "correct horse battery staple"
ANYBODY = 65534
"""nobody: an account without any rights."""
HERE = "eth0"
FREE, FREE6, MAC, OTHER = "10.77.0.200", "fd77::200", "00:16:3e:00:00:01", "00:16:3e:00:00:02"


class Program:
    """The installed program on the scanner of a lab, ada being logged in."""

    def __init__(self, lab: Lab, data: Path, environ: dict[str, str] | None = None) -> None:
        self.lab = lab
        self.environment = {name: value for name, value in os.environ.items() if "NETMON_TUI" not in name}
        self.environment |= {"NETMON_TUI_DATA_DIR": str(data)} | (environ or {})
        self.environment.pop("SSH_CONNECTION", None)
        self.environment |= environ or {}
        self.command = [str(Path(sys.executable).with_name("netmon-tui"))]

    def __call__(self, *arguments: str, code: int = 0, stdin: str | None = None) -> str:
        """Run a command, which must end so; what it printed to both streams."""
        done = self.lab.run([*self.command, *arguments], env=self.environment, stdin=stdin, timeout=60)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def json(self, *arguments: str) -> Any:
        done = self.lab.run([*self.command, *arguments, "--json"], env=self.environment, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def entries(self, device: str = HERE) -> dict[str, tuple[str, str]]:
        """Address -> (lladdr, state) of the kernel, as ``ip`` tells it."""
        said = self.lab.run(["ip", "-j", "neigh", "show", "dev", device, "nud", "all"], check=True).stdout
        rows = [row for row in json.loads(said) if "NOARP" not in row["state"]]
        return {row["dst"]: (row.get("lladdr", ""), row["state"][0]) for row in rows}

    def ip(self, *words: str) -> None:
        self.lab.run(["ip", *words], check=True)


@pytest.fixture(scope="module")
def alone() -> Iterator[Lab]:
    """A lab that only these tests change."""
    with Lab.start() as lab:
        yield lab


@pytest.fixture(scope="module")
def data_of_ada(alone: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("template") / "data"
    program = Program(alone, data)
    program("--password-file", "-", "user", "add", "ada", stdin=PASSWORD)
    program("--user", "ada", "--password-file", "-", "login", stdin=PASSWORD)
    return data


@pytest.fixture
def make(alone: Lab, data_of_ada: Path, tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """``make(SSH_CONNECTION=...)``: the program; the table is emptied before and after."""
    shutil.copytree(data_of_ada, tmp_path / "data")
    for state in ("all", "permanent"):
        alone.run(["ip", "neigh", "flush", "dev", HERE, "nud", state])
    yield lambda **environ: Program(alone, tmp_path / "data", environ)
    alone.run(["ip", "neigh", "flush", "dev", HERE, "nud", "permanent"])


@pytest.fixture
def program(make: Callable[..., Program]) -> Program:
    return make()


@pytest.mark.parametrize(("address", "spelling"), [(FREE, "0016.3e00.0001"), (FREE6, "00-16-3E-00-00-01")])
def test_add_replace_delete_and_the_way_back(program: Program, address: str, spelling: str) -> None:
    said = program("neighbour", "add", address, spelling, "--interface", HERE, "--yes")
    assert f"ip neigh add {address} lladdr {MAC} dev {HERE} nud permanent" in said
    assert program.entries()[address] == (MAC, "PERMANENT")
    program("neighbour", "replace", address, OTHER, "--interface", HERE, "--state", "stale", "--yes")
    assert program.entries()[address] == (OTHER, "STALE")
    program("neighbour", "replace", address, "--interface", HERE, "--state", "PERMANENT", "--yes")
    assert program.entries()[address] == (OTHER, "PERMANENT")
    said = program("neighbour", "delete", address, "--interface", HERE, "--yes")
    assert f"ip neigh del {address} dev {HERE}" in said
    assert address not in program.entries()
    for expected in ((OTHER, "PERMANENT"), (OTHER, "STALE"), (MAC, "PERMANENT"), None):
        program("neighbour", "undo", "--yes")
        assert program.entries().get(address) == expected
    assert "no edit to undo" in program("neighbour", "undo", "--yes", code=1)


def test_an_edit_is_kept_and_audited(program: Program) -> None:
    edit = program.json("neighbour", "add", FREE, MAC, "--interface", HERE, "--yes")
    assert (edit["kind"], edit["owner"], edit["entries"], edit["error"]) == ("add", "ada", 1, "")
    assert edit["commands"] == [f"ip neigh add {FREE} lladdr {MAC} dev {HERE} nud permanent"]
    undone = program.json("neighbour", "undo", str(edit["id"]), "--yes")
    listed = program.json("neighbour", "edits")
    assert [(one["kind"], one["undoes"], one["undone_by"]) for one in listed] == [
        ("undo", edit["id"], None),
        ("add", None, undone["id"]),
    ]
    trail = program.json("audit", "list")
    told = {event["action"]: event for event in trail}
    assert told["neighbour.add"]["actor"] == "ada"
    assert told["neighbour.add"]["detail"].endswith("nud permanent -> done")
    assert told["neighbour.undo"]["detail"] == f"ip neigh del {FREE} dev {HERE} -> done"
    assert "undone already" in program("neighbour", "undo", str(edit["id"]), "--yes", code=2)


def test_an_undo_is_undone(program: Program) -> None:
    first = program.json("neighbour", "add", FREE, MAC, "--interface", HERE, "--yes")
    back = program.json("neighbour", "undo", "--yes")
    program("neighbour", "undo", str(back["id"]), "--yes")
    assert program.entries()[FREE] == (MAC, "PERMANENT")
    program("neighbour", "undo", "--yes")
    assert FREE not in program.entries()
    assert program.json("neighbour", "edits")[-1]["id"] == first["id"]


def test_a_dry_run_changes_nothing(program: Program) -> None:
    said = program("neighbour", "add", FREE, MAC, "--interface", HERE, "--dry-run")
    assert said.startswith(f"ip neigh add {FREE} ")
    assert FREE not in program.entries()
    assert program.json("neighbour", "edits") == []


def test_without_a_terminal_nothing_is_done_unasked(program: Program) -> None:
    said = program("neighbour", "add", FREE, MAC, "--interface", HERE, code=2)
    assert "--yes" in said
    assert FREE not in program.entries()


def test_a_terminal_is_asked_and_a_table_that_changed_meanwhile_is_respected(program: Program) -> None:
    program.ip("neigh", "add", FREE, "lladdr", MAC, "dev", HERE, "nud", "stale")
    arguments = ["neighbour", "replace", FREE, OTHER, "--interface", HERE]
    command = [*program.lab.enter_prefix(), *program.command, *arguments]

    def answered(answer: str, before: Callable[[], None]) -> str:
        environment = program.lab.environment(program.environment) | {"TERM": "xterm"}
        child = pexpect.spawn(command[0], command[1:], env=environment, encoding="utf-8", timeout=30)
        child.expect("Write yes")
        before()
        child.sendline(answer)
        child.expect(pexpect.EOF)
        return str(child.before)

    assert "nothing was done" in answered("no", lambda: None)
    assert program.entries()[FREE] == (MAC, "STALE")
    other = "00:16:3e:00:00:77"
    said = answered(
        "yes", lambda: program.ip("neigh", "replace", FREE, "lladdr", other, "dev", HERE, "nud", "stale")
    )
    assert other in said and "has changed" in said
    assert program.entries()[FREE][0] == other
    assert "replace" in answered("yes", lambda: None)
    assert program.entries()[FREE][0] == OTHER


def test_an_undo_that_no_longer_fits_needs_force(program: Program) -> None:
    program("neighbour", "add", FREE, MAC, "--interface", HERE, "--yes")
    program.ip("neigh", "replace", FREE, "lladdr", OTHER, "dev", HERE, "nud", "permanent")
    said = program("neighbour", "undo", "--yes", code=1)
    assert f"has changed since: it is {OTHER} PERMANENT" in said and "--force" in said
    assert program.entries()[FREE] == (OTHER, "PERMANENT")
    program("neighbour", "undo", "--force")
    assert FREE not in program.entries()


def many(program: Program) -> None:
    lines = [
        *(
            f"neigh add 10.77.0.{n} lladdr 00:16:3e:00:01:{n:02x} dev {HERE} nud stale"
            for n in range(210, 216)
        ),
        *(f"neigh add fd77::{n} lladdr 00:16:3e:00:06:{n:02x} dev {HERE} nud stale" for n in (10, 11)),
        f"neigh add 10.77.0.220 lladdr 00:16:3e:00:01:20 dev {HERE} nud permanent",
        f"neigh add fd77::bb lladdr 00:16:3e:00:01:21 dev {HERE} nud stale router",
    ]
    program.lab.run(["ip", "-batch", "-"], stdin="\n".join(lines), check=True)


def test_flush_tells_how_many_and_is_undone(program: Program) -> None:
    many(program)
    before = program.entries()
    assert "9 entries; nothing was done" in program("neighbour", "flush", "--interface", HERE, "--dry-run")
    said = program("neighbour", "flush", "--interface", HERE, "--yes")
    assert f"ip neigh flush dev {HERE}\n" in said
    assert set(program.entries()) == {"10.77.0.220"}
    program("neighbour", "undo", "--yes")
    assert program.entries() == before
    rows = program.lab.run(["ip", "neigh", "show", "to", "fd77::bb"], check=True).stdout
    assert "router" in rows, "an IPv6 router is one again"


def test_flush_by_state_and_family(program: Program) -> None:
    many(program)
    program("neighbour", "flush", "--interface", HERE, "--family", "ipv6", "--yes")
    assert not [address for address in program.entries() if ":" in address]
    assert len(program.entries()) == 7
    program("neighbour", "flush", "--interface", HERE, "--state", "permanent", "--yes")
    assert "10.77.0.220" not in program.entries() and len(program.entries()) == 6


@pytest.mark.parametrize(
    "client", ["10.77.0.213", "::ffff:10.77.0.213", "192.0.2.9", "fd77::10", "fe80::5%eth0"]
)
def test_the_own_ssh_session_is_spared(make: Callable[..., Program], client: str) -> None:
    server = "fd77::1" if client.startswith("f") else "10.77.0.1"
    program = make(SSH_CONNECTION=f"{client} 50000 {server} 22")
    many(program)
    program.ip("neigh", "replace", "fe80::5", "lladdr", MAC, "dev", HERE, "nud", "stale")
    program.ip("route", "replace", "192.0.2.0/24", "via", "10.77.0.213", "dev", HERE)
    carrier = {"fd77::10": "fd77::10", "fe80::5%eth0": "fe80::5"}.get(client, "10.77.0.213")
    kept = program.entries()[carrier]
    for arguments in (["delete", carrier], ["replace", carrier, OTHER], ["add", carrier, OTHER]):
        for option in ("--yes", "--force", "--dry-run"):
            said = program("neighbour", *arguments, "--interface", HERE, option, code=6)
            assert "an SSH session to here" in said
    said = program("neighbour", "flush", "--interface", HERE, "--yes")
    assert f"left out: {carrier} " in said
    assert f"ip neigh del 10.77.0.21{'2' if carrier.endswith('213') else '3'} dev {HERE}" in said
    assert "flush dev" not in said, "what is shown is what is done"
    assert program.entries() == {carrier: kept, "10.77.0.220": ("00:16:3e:00:01:20", "PERMANENT")}


REFUSED = [
    (["224.0.0.1", MAC], "multicast"),
    (["ff02::1", MAC], "multicast"),
    (["0.0.0.0", MAC], "no address at all"),
    (["::", MAC], "no address at all"),
    (["127.0.0.5", MAC], "loopback"),
    (["10.77.0.255", MAC], "broadcast address of 10.77.0.0/24"),
    (["10.77.0.1", MAC], "own address"),
    (["fd77::1", MAC], "own address"),
    (["::ffff:10.77.0.9", MAC], "write 10.77.0.9"),
    (["10.77.0.300", MAC], "no IP address"),
    ([MAC, FREE], "the address comes first"),
    ([FREE, "00:00:00:00:00:00"], "no station's"),
    ([FREE, "ff:ff:ff:ff:ff:ff"], "broadcast"),
    ([FREE, "01:00:5e:00:00:01"], "group"),
    ([FREE, "00:16:3e"], "no lladdr"),
    (["fe80::7%lo", MAC], "does not belong to eth0"),
]


@pytest.mark.parametrize(("arguments", "reason"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_is_no_neighbour_is_refused(program: Program, arguments: list[str], reason: str) -> None:
    before = program.entries()
    assert reason in program("neighbour", "add", *arguments, "--interface", HERE, "--yes", code=2)
    assert program.entries() == before


def test_interfaces_without_neighbours_are_refused(program: Program) -> None:
    program.ip("tuntap", "add", "mode", "tun", "name", "tun9")
    try:
        for name, reason in (
            ("lo", "has no neighbours"),
            ("tun9", "has no neighbours"),
            ("eth9", "no interface eth9"),
        ):
            for verb in (["add", FREE, MAC], ["flush"]):
                assert reason in program("neighbour", *verb, "--interface", name, "--yes", code=2)
    finally:
        program.ip("link", "del", "tun9")


def test_what_is_there_and_what_is_not(program: Program) -> None:
    program("neighbour", "add", "fe80::77", MAC, "--interface", HERE, "--yes")
    assert "has an entry already" in program(
        "neighbour", "add", "fe80::77", OTHER, "--interface", HERE, "--yes", code=2
    )
    assert "has no entry" in program("neighbour", "delete", FREE, "--interface", HERE, "--yes", code=1)
    assert "no lladdr yet" in program("neighbour", "replace", FREE, "--interface", HERE, "--yes", code=2)
    said = program("neighbour", "add", "192.0.2.77", MAC, "--interface", HERE, "--yes")
    assert "in no network of eth0" in said


def test_without_the_capability_it_says_how_to_get_it(program: Program, tmp_path: Path) -> None:
    program.command = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin", *program.command]
    said = program("neighbour", "add", FREE, MAC, "--interface", HERE, "--yes", code=4)
    assert "CAP_NET_ADMIN" in said and "sudo" in said
    assert FREE not in program.entries()
    assert "ip neigh add" in program("neighbour", "add", FREE, MAC, "--interface", HERE, "--dry-run")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives its files to somebody else")
def test_the_capability_alone_is_enough(program: Program, tmp_path: Path) -> None:
    data = tmp_path / "data"
    for path in [data, *data.rglob("*")]:
        os.chown(path, ANYBODY, ANYBODY)
    for folder in [tmp_path, *tmp_path.parents][:-2]:
        folder.chmod(folder.stat().st_mode | 0o011)
    rights = ["--inh-caps=+net_admin", "--ambient-caps=+net_admin"]
    user = [f"--reuid={ANYBODY}", "--init-groups", "--reset-env"]
    program.command = ["setpriv", *user, *rights, *program.command, "--data-dir", str(data)]
    program("neighbour", "add", FREE, MAC, "--interface", HERE, "--yes")
    assert program.entries()[FREE] == (MAC, "PERMANENT")


def test_a_viewer_may_not_and_operators_see_their_own(program: Program) -> None:
    for name, role in (("vera", "viewer"), ("otto", "operator")):
        secret = Path(program.environment["NETMON_TUI_DATA_DIR"]).parent / f"{name}.txt"
        secret.write_text(PASSWORD)
        program("user", "add", name, "--role", role, "--new-password-file", str(secret))
    program("neighbour", "add", FREE6, MAC, "--interface", HERE, "--yes")

    def as_user(name: str) -> list[str]:
        secret = Path(program.environment["NETMON_TUI_DATA_DIR"]).parent / f"{name}.txt"
        return ["--user", name, "--password-file", str(secret)]

    said = program(*as_user("vera"), "neighbour", "add", FREE, MAC, "--interface", HERE, "--yes", code=6)
    assert "may not edit neighbours" in said
    program(*as_user("vera"), "neighbour", "wake", MAC, code=6)
    program(*as_user("otto"), "neighbour", "add", FREE, MAC, "--interface", HERE, "--yes")
    assert [edit["owner"] for edit in program.json(*as_user("otto"), "neighbour", "edits")] == ["otto"]
    assert "no neighbour edit 1" in program(*as_user("otto"), "neighbour", "undo", "1", "--yes", code=1)
    assert {edit["owner"] for edit in program.json("neighbour", "edits")} == {"ada", "otto"}


def test_a_magic_packet_arrives(program: Program) -> None:
    sleeper = program.lab.hosts["h10"]
    program.lab.http_get(sleeper.address)
    program("neighbour", "list")
    program("neighbour", "delete", sleeper.address, "--interface", HERE, "--yes")
    capture = ["tcpdump", "-i", "eth0", "-n", "-l", "-x", "-c", "1", "udp port 9 and ether broadcast"]
    listener = program.lab.popen(capture, host="h11", stdout=-1, stderr=-1, text=True)
    assert listener.stderr is not None and listener.stdout is not None
    while "listening on" not in listener.stderr.readline():
        assert listener.poll() is None
    program.command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *program.command]
    said = program("neighbour", "wake", sleeper.address)
    assert f"magic packet for {sleeper.lladdr} sent by eth0 to 10.77.0.255" in said
    seen, _ = listener.communicate(timeout=30)
    digits = re.sub(r"\s|0x[0-9a-f]{4}:", "", seen)
    assert "ffffffffffff" + sleeper.lladdr.replace(":", "") * 16 in digits
    assert "10.77.0.255.9" in seen
    assert "neither a lladdr nor an address" in program("neighbour", "wake", "h10", code=2)
    assert "no lladdr is known" in program("neighbour", "wake", "10.77.0.99", code=1)
    event = next(one for one in program.json("audit", "list") if one["action"] == "neighbour.wake")
    assert event["subject"] == sleeper.lladdr
