"""Searching a history of a million ports, beside a plain LIKE over the same rows.

``python tests/bench/bench_search.py [PORTS] [ROUNDS] [FOLDER]``; 1,000,000 ports and 5 rounds unless told. A folder
keeps the database for the next run.

The history is made by bulk insert: 15 ports a host; twenty scans with three fifths of the hosts, a thousand small
ones with the rest. Printed: milliseconds until the first page (200 lines) of each search is there, as an operator
who owns half of the scans and as an administrator; how many lines it has; and the ratio to the plain search: a LIKE
of the same text over the text columns of the joined tables, newest first, which has no index to use. Searches of an
indexed operator have a goal. Never fails because of time.
"""

from __future__ import annotations

import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from netmon_tui.domain.address import packed_sort_key
from netmon_tui.domain.user import Actor, Role
from netmon_tui.storage import records
from netmon_tui.storage.database import Database, bulk_insert
from netmon_tui.storage.schema_version import open_database
from netmon_tui.storage.search_queries import SearchQueries, statement
from netmon_tui.tools.scan_query import parse_query

PER_HOST, LARGE, SMALL = 15, 20, 1_000
PAGE, GOAL = 200, 100.0
"""Lines, milliseconds."""
NOW = 1_790_000_000
SERVICES = {
    22: "ssh", 25: "smtp", 53: "domain", 80: "http", 110: "pop3", 111: "rpcbind", 135: "msrpc", 139: "netbios-ssn",
    143: "imap", 389: "ldap", 443: "https", 445: "microsoft-ds", 631: "ipp", 993: "imaps", 995: "pop3s",
    1433: "ms-sql-s", 3306: "mysql", 3389: "ms-wbt-server", 5432: "postgresql", 5900: "vnc", 6379: "redis",
    8080: "http-proxy", 8443: "https-alt", 9100: "jetdirect", 27017: "mongod",
}  # fmt: skip
RARE = 44_818
INDEXED = {
    "open:443": "443",
    f"open:{RARE}": "etherip",
    "open:1": "nothing-has-it",
    "open:22,80,8000-8100": "8080",
    "closed:443": "closed",
    "service:http": "http",
    "service:etherip": "etherip",
    "service:none-such": "none-such",
    "target:10.1.2.3": "10.1.2.3",
    "target:10.1.2.0/24": "10.1.2.",
    "target:10.0.0.0/8": "10.",
    "target:192.0.2.0/24": "192.0.2.",
    "after:-1": "10.",
    "before:-300": "10.",
    "open:22 target:10.1.2.0/24": "10.1.2.",
    f"open:{RARE} after:-30": "etherip",
    "service:ssh after:-30 !open:443": "ssh",
}
LOOKED_THROUGH = {
    "version:9.2p1": "9.2p1",
    "none-such-word": "none-such-word",
    "product:nginx service:http": "nginx",
}


def build(path: Path, ports: int) -> Database:
    """Make the history; nothing is made when it is there."""
    fresh = not path.exists()
    database = open_database(f"sqlite:///{path}", backups=path.parent)
    if fresh:
        database.write(lambda connection: connection.execute(records.users.insert(), [user(1), user(2)]))
        sizes = list(scan_sizes(ports // PER_HOST))
        chance, number = random.Random(7), 0
        for scan_id, size in enumerate(sizes, 1):
            began = NOW - (len(sizes) - scan_id) * 86_400 * 365 / len(sizes)
            hosts, found = rows(scan_id, began, number, size, chance)
            number += size

            def work(connection, scan_id=scan_id, began=began, hosts=hosts, found=found):
                connection.execute(records.scans.insert(), scan(scan_id, began))
                bulk_insert(connection, records.hosts, hosts)
                bulk_insert(connection, records.ports, found)

            database.write(work)
    return database


def scan_sizes(hosts: int) -> Iterator[int]:
    """How many hosts each scan has: a large one after every fifty small ones."""
    large, small = hosts * 3 // 5 // LARGE, hosts * 2 // 5 // SMALL
    for number in range(SMALL):
        yield small
        if number % (SMALL // LARGE) == 0:
            yield large


def user(number: int) -> dict[str, object]:
    created = datetime.fromtimestamp(NOW, UTC)
    return {
        "name": f"u{number}",
        "password_hash": "-",
        "role": "operator",
        "state": "active",
        "created": created,
    }


def scan(number: int, began: float) -> dict[str, object]:
    began = datetime.fromtimestamp(began, UTC)
    values = {"name": "", "targets": ["10.0.0.0/8"], "profile": "", "arguments": "-sV", "command": []}
    return {
        "id": number, "owner_id": 1 + number % 2, "state": "completed", "directory": "",
        "created": began, "started": began, **values,
    }  # fmt: skip


def rows(scan_id: int, began: float, number: int, size: int, chance: random.Random) -> tuple[list, list]:
    """The hosts and ports of one scan."""
    hosts, ports = [], []
    for ordinal in range(size):
        n = (number + ordinal) % 65_536 * 7 % 65_536
        address = f"10.{n >> 14}.{n >> 6 & 255}.{n & 63}"
        names = f'[["host-{n}.example.net","PTR"]]'
        hosts.append(
            (
                scan_id, ordinal, address, packed_sort_key(address), "up", "arp-response", 0,
                f"00:1b:21:00:{n >> 8:02x}:{n & 255:02x}", "Intel Corporate", names, "Linux 5.4", PER_HOST,
                1, None, began, began + 60, 0, 0,
            )
        )  # fmt: skip
        numbers = chance.sample(list(SERVICES), PER_HOST - 1)
        numbers.append(RARE if chance.random() < 0.0003 else chance.randrange(30_000, 44_000))
        for port in numbers:
            name = SERVICES.get(port, "etherip" if port == RARE else "unknown")
            product, version = ("OpenSSH", "9.2p1 Debian") if port == 22 else ("nginx", "1.22.1")
            state = "open" if chance.random() < 0.9 else "closed"
            ports.append(
                (
                    scan_id, ordinal, "tcp", port, state, "syn-ack", 64, name, product, version, "", "",
                    "probed", 10, "[]", "", "", "",
                )
            )  # fmt: skip
    return hosts, ports


def milliseconds(work: Callable[[], object], rounds: int) -> float:
    """Median of some rounds, after one that fills the caches."""
    work()
    taken = []
    for _ in range(rounds):
        begin = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - begin))
    return statistics.median(taken)


PLAIN = """
SELECT scans.id, hosts.ordinal, hosts.address, ports.number FROM scans
JOIN hosts ON hosts.scan_id = scans.id
JOIN ports ON ports.scan_id = hosts.scan_id AND ports.ordinal = hosts.ordinal
WHERE hosts.address LIKE :t OR hosts.hostnames LIKE :t OR ports.service LIKE :t OR ports.product LIKE :t
   OR ports.version LIKE :t OR ports.number LIKE :t OR ports.state LIKE :t ORDER BY scans.started DESC LIMIT 200
"""


def main(ports: int = 1_000_000, rounds: int = 5, folder: str = "") -> None:
    with tempfile.TemporaryDirectory() as made:
        path = Path(folder or made, "search.sqlite3")
        database = build(path, ports)
        raw = sqlite3.connect(path)
        tables = ("scans", "hosts", "ports")
        counts = [f"{raw.execute(f'SELECT count(*) FROM {t}').fetchone()[0]:,} {t}" for t in tables]
        print(f"{', '.join(counts)}, {path.stat().st_size / 1e6:.0f} MB; medians of {rounds} rounds")
        print(f"{'first page, ms':34}{'operator':>9}{'admin':>8}{'lines':>7}{'plain':>9}{'ratio':>8}")
        for title, texts in (("indexed", INDEXED), ("looked through", LOOKED_THROUGH)):
            print(title)
            for text, plain in texts.items():
                report(SearchQueries(database), raw, text, plain, rounds)
        print(f"goal: {GOAL:.0f} ms for every search of an indexed operator")
        raw.close()
        database.close()


def report(found: SearchQueries, raw: sqlite3.Connection, text: str, plain: str, rounds: int) -> None:
    query = parse_query(text, datetime.fromtimestamp(NOW))
    people = Actor(1, "u1", Role.OPERATOR), Actor(2, "u2", Role.ADMIN)
    mine, every = (milliseconds(lambda one=one: found.find(one, query, PAGE), rounds) for one in people)
    lines = len(found.find(people[1], query, PAGE))
    like = milliseconds(lambda: raw.execute(PLAIN, {"t": f"%{plain}%"}).fetchall(), 1)
    over = " over the goal" if text in INDEXED and max(mine, every) > GOAL else ""
    print(f"  {text:32}{mine:>9.1f}{every:>8.1f}{lines:>7}{like:>9.0f}{like / every:>7.0f}x{over}")


def plan(text: str, folder: str, role: str = "admin") -> None:
    """Print how SQLite carries out a search of the database that a run has kept: ``--plan TEXT FOLDER``."""
    from sqlalchemy.dialects import sqlite

    database = build(Path(folder, "search.sqlite3"), 0)
    query = statement(Actor(1, "u1", Role(role)), parse_query(text, datetime.fromtimestamp(NOW)))
    sql = query.limit(PAGE).compile(dialect=sqlite.dialect(), compile_kwargs={"render_postcompile": True})
    parameters = tuple(sql.params[name] for name in sql.positiontup or ())
    with database.read() as connection:
        for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters):
            print(row[-1])
    database.close()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--plan"]:
        plan(*sys.argv[2:])
    else:
        main(*(int(argument) for argument in sys.argv[1:3]), *sys.argv[3:4])
