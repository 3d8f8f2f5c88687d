"""Parsing and storing nmap XML, against the floor and the peers.

``python tests/bench/bench_ingest.py [HOSTS] [ROUNDS]``; 65,536 hosts and 3 rounds unless told.

The floor is what Python and SQLite can do at best: expat callbacks that make tuples, and one raw sqlite3
transaction that puts them into the very same tables (same keys, same pragmas), without validation, domain values or
progress. Ours is the import of the program: parser, values, batches of 256 hosts through the one writer. The peers
parse with python-nmap and libnmap and store through an ORM, as their examples do; they get a smaller file.
Each runs in a process of its own; peak memory is that process's.
"""

from __future__ import annotations

import json
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from xml.parsers import expat

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.generate_nmap_xml import generate

PEER_HOSTS = 4_096
LIMIT, GOAL, LIMIT_MEMORY = 1.3, 1.15, 80.0
"""Ours beside the floor, and MiB."""
Run = tuple[float, float, int, float]
"""Seconds, peak MiB, ports stored, and seconds of processor time (imports included)."""
TABLES = ("hosts", "addresses", "ports", "extraports", "os_matches", "hops", "scripts")


def open_store(folder: Path):
    """Return the program's database with one user and one scan."""
    from netmon_tui.domain.user import Actor, Role
    from netmon_tui.storage import records
    from netmon_tui.storage.scan_repository import ScanRepository
    from netmon_tui.storage.schema_version import open_database

    database = open_database(f"sqlite:///{folder}/n.sqlite3", backups=folder)
    user = {
        "name": "ada",
        "password_hash": "-",
        "role": "admin",
        "state": "active",
        "created": datetime.now(UTC),
    }
    database.write(lambda connection: connection.execute(records.users.insert(), user))
    scans = ScanRepository(database)
    scans.create(Actor(1, "ada", Role.ADMIN), targets=("x",), profile="", arguments="", jobs=folder)
    return database, scans


def ours(path: Path, folder: Path) -> tuple[float, int]:
    """The program's own way; returns seconds and ports stored."""
    from netmon_tui.services.scan_ingest import ScanIngest, ingest_file
    from netmon_tui.storage.scan_results import ScanResults

    database, scans = open_store(folder)
    begin = time.perf_counter()
    ingest_file(path, ScanIngest(1, scans, ScanResults(database)))
    seconds = time.perf_counter() - begin
    database.close()
    return seconds, count_ports(folder)


class Floor:
    """Rows straight from expat's callbacks."""

    def __init__(self) -> None:
        self.rows: dict[str, list[tuple]] = {name: [] for name in TABLES}
        self.ordinal = -1
        self.host: dict = {}
        self.port: dict = {}
        self.script: list | None = None
        self.data: list = []
        self.key = (1, -1)

    def start(self, name: str, a: dict[str, str]) -> None:
        if name == "host":
            self.ordinal += 1
            self.key = (1, self.ordinal)
            self.host = {"address": "", "names": [], "mac": ("", ""), "open": 0, "os": "", "n": 0, **a}
        elif name == "port":
            self.port = {
                "protocol": a["protocol"],
                "number": int(a["portid"]),
                "cpe": [],
                "service": None,
                "n": 0,
            }
        elif name == "state":
            self.port.update(a)
        elif name == "service":
            self.port["service"] = a
        elif name == "cpe" or name == "elem":
            self.data.append("")
        elif name == "address":
            self.address(a)
        elif name == "status":
            self.host["status"] = a
        elif name == "hostname":
            self.host["names"].append([a["name"], a.get("type", "")])
        elif name == "script":
            self.script = [a["id"], a["output"], {}]
        elif name == "extraports":
            self.rows["extraports"].append((*self.key, 0, a["state"], int(a["count"]), "[]"))
        elif name == "distance":
            self.host["distance"] = int(a["value"])
        elif name == "uptime":
            self.host["uptime"] = int(a["seconds"])

    def address(self, a: dict[str, str]) -> None:
        self.rows["addresses"].append((*self.key, a["addr"], a["addrtype"], a.get("vendor", "")))
        if a["addrtype"] == "mac":
            self.host["mac"] = (a["addr"].lower(), a.get("vendor", ""))
        else:
            self.host["address"] = a["addr"]

    def text(self, data: str) -> None:
        if self.data:
            self.data[-1] += data

    def end(self, name: str) -> None:
        if name == "cpe":
            self.port.setdefault("cpe", []).append(self.data.pop())
        elif name == "elem":
            value = self.data.pop()
            if self.script is not None:
                self.script[2][len(self.script[2])] = value
        elif name == "script" and self.script is not None:
            row = (
                *self.key,
                self.port.get("protocol", ""),
                self.port.get("number", -1),
                self.port.get("n", 0),
            )
            data = json.dumps(self.script[2], separators=(",", ":")) if self.script[2] else None
            self.rows["scripts"].append((*row, self.script[0], self.script[1], data))
            self.port["n"] = self.port.get("n", 0) + 1
            self.script = None
        elif name == "port":
            self.end_port()
        elif name == "host":
            self.end_host()

    def end_port(self) -> None:
        p, s = self.port, self.port["service"] or {}
        self.host["open"] += p["state"] == "open"
        self.rows["ports"].append(
            (
                *self.key,
                p["protocol"],
                p["number"],
                p["state"],
                p["reason"],
                int(p["reason_ttl"]),
                s.get("name"),
                s.get("product", ""),
                s.get("version", ""),
                s.get("extrainfo", ""),
                s.get("tunnel", ""),
                s.get("method", ""),
                int(s.get("conf", 0)),
                json.dumps(p["cpe"], separators=(",", ":")),
                s.get("hostname", ""),
                s.get("ostype", ""),
                s.get("devicetype", ""),
            )
        )
        self.port = {}

    def end_host(self) -> None:
        h = self.host
        import ipaddress

        packed = b"\x04" + int(ipaddress.ip_address(h["address"])).to_bytes(16, "big")
        status = h["status"]
        self.rows["hosts"].append(
            (
                *self.key,
                h["address"],
                packed,
                status["state"],
                status["reason"],
                int(status["reason_ttl"]),
                *h["mac"],
                json.dumps(h["names"], separators=(",", ":")),
                "",
                h["open"],
                h.get("distance"),
                h.get("uptime"),
                float(h["starttime"]) if "starttime" in h else None,
                float(h["endtime"]) if "endtime" in h else None,
                0,
                0,
            )
        )


def floor(path: Path, folder: Path) -> tuple[float, int]:
    """Expat callbacks plus one raw transaction into the same tables."""
    database, _ = open_store(folder)
    database.close()
    begin = time.perf_counter()
    floor_rows = Floor()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = floor_rows.start
    parser.EndElementHandler = floor_rows.end
    parser.CharacterDataHandler = floor_rows.text
    connection = sqlite3.connect(folder / "n.sqlite3", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN IMMEDIATE")
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            parser.Parse(piece)
            flush(connection, floor_rows)
    flush(connection, floor_rows)
    connection.execute("COMMIT")
    seconds = time.perf_counter() - begin
    connection.close()
    return seconds, count_ports(folder)


def flush(connection: sqlite3.Connection, floor_rows: Floor) -> None:
    """Insert what is complete: children whose host is not finished wait."""
    done = len(floor_rows.rows["hosts"]) and floor_rows.rows["hosts"][-1][1]
    for table in TABLES:
        rows = floor_rows.rows[table]
        ready = [row for row in rows if row[1] <= done]
        if ready:
            marks = ",".join("?" * len(ready[0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", ready)
            floor_rows.rows[table] = rows[len(ready) :]


def python_nmap(path: Path, folder: Path) -> tuple[float, int]:
    """python-nmap + ORM."""
    import nmap

    from tests.bench.peer_orm import store

    begin = time.perf_counter()
    result = nmap.PortScanner.__new__(nmap.PortScanner)
    found = result.analyse_nmap_xml_scan(path.read_text())["scan"]
    hosts = (
        (
            address,
            [
                (number, protocol, p["state"], p["name"], p["product"], p["version"])
                for protocol in ("tcp", "udp")
                for number, p in host.get(protocol, {}).items()
            ],
        )
        for address, host in found.items()
    )
    total = store(folder, hosts)
    return time.perf_counter() - begin, total


def libnmap(path: Path, folder: Path) -> tuple[float, int]:
    """libnmap + ORM."""
    from libnmap.parser import NmapParser

    from tests.bench.peer_orm import store

    begin = time.perf_counter()
    report = NmapParser.parse_fromfile(str(path))
    hosts = (
        (
            host.address,
            [
                (s.port, s.protocol, s.state, s.service, s.service_dict.get("product", ""), s.banner[:20])
                for s in host.services
            ],
        )
        for host in report.hosts
    )
    total = store(folder, hosts)
    return time.perf_counter() - begin, total


WAYS = {"floor": floor, "netmon-tui": ours, "python-nmap + ORM": python_nmap, "libnmap + ORM": libnmap}


def count_ports(folder: Path) -> int:
    with sqlite3.connect(folder / "n.sqlite3") as connection:
        return connection.execute("SELECT count(*) FROM ports").fetchone()[0]


def measure(way: str, path: Path) -> Run:
    """Run one way in a process of its own; return what it took."""
    with tempfile.TemporaryDirectory() as folder:
        child = [sys.executable, __file__, "--one", way, str(path), folder]
        output = subprocess.run(child, check=True, capture_output=True, text=True).stdout
    seconds, peak, ports, spent = json.loads(output.splitlines()[-1])
    return seconds, peak, ports, spent


def one(way: str, path: str, folder: str) -> None:
    seconds, ports = WAYS[way](Path(path), Path(folder))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps([seconds, usage.ru_maxrss / 1024, ports, usage.ru_utime + usage.ru_stime]))


def main(hosts: int = 65_536, rounds: int = 3) -> None:
    with tempfile.TemporaryDirectory() as folder:
        large, small = Path(folder, "large.xml"), Path(folder, "small.xml")
        generate(large, hosts)
        generate(small, PEER_HOSTS)
        print(f"nmap XML of {hosts:,} hosts, {large.stat().st_size / 1e6:.0f} MB; medians of {rounds} rounds")
        results: dict[tuple[str, int], list[Run]] = {}
        for _ in range(rounds):
            for way in ("floor", "netmon-tui"):
                results.setdefault((way, hosts), []).append(measure(way, large))
        for way in WAYS:
            results.setdefault((way, PEER_HOSTS), []).append(measure(way, small))
        report(results)


def report(results: dict[tuple[str, int], list[Run]]) -> None:
    print(
        f"{'':22}{'hosts':>8}{'seconds':>10}{'hosts/s':>10}{'x floor':>9}"
        f"{'cpu s':>10}{'x floor':>9}{'peak MiB':>10}{'ports':>9}"
    )
    for (way, hosts), runs in results.items():
        seconds = statistics.median(run[0] for run in runs)
        base = statistics.median(run[0] for run in results["floor", hosts])
        spent = statistics.median(run[3] for run in runs)
        burnt = statistics.median(run[3] for run in results["floor", hosts])
        peak, ports = max(run[1] for run in runs), runs[0][2]
        print(
            f"{way:22}{hosts:>8}{seconds:>10.2f}{hosts / seconds:>10.0f}"
            f"{seconds / base:>9.2f}{spent:>10.2f}{spent / burnt:>9.2f}{peak:>10.0f}{ports:>9}"
        )
    print(
        f"netmon-tui: x floor at most {LIMIT} (goal {GOAL}), peak under {LIMIT_MEMORY:.0f} MiB at any size;"
    )
    print("on a machine that others use, the ratio of processor time is the steadier one")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(*sys.argv[2:5])
    else:
        main(*(int(argument) for argument in sys.argv[1:3]))
