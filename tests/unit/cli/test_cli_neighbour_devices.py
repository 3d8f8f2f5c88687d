"""``neighbour devices``, ``device``, ``mark``, ``unmark`` and ``import``."""

from __future__ import annotations

import csv
import io
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from netmon_tui.storage.database import Database
from netmon_tui.storage.neighbour_repository import NeighbourRepository, Sighting
from tests.unit.cli.conftest import Program

PI, HP = "b8:27:eb:00:00:01", "3c:d9:2b:00:00:02"
LIST = f"MAC;Hostname;Approved\r\n{PI};pi;yes\r\nzz;x;\r\n"


@pytest.fixture
def seen(admin: Program, home: Path) -> Program:
    """A program that saw two devices: one is at an address that the other had."""
    database = Database(f"sqlite:///{next((home / 'data').glob('*.db'))}")
    now = datetime.now(UTC)
    memory = NeighbourRepository(database)
    for lladdr, minutes in ((HP, 30), (PI, 5)):
        moment = now - timedelta(minutes=minutes)
        memory.remember([Sighting("eth0", "10.0.0.1", "ipv4", lladdr, False, moment)])
    database.close()
    return admin


def test_a_text_to_look_for_that_is_not_utf_8_is_refused(seen: Program) -> None:
    done = seen("neighbour", "devices", "--filter", "\udcff")
    assert done.code != 0
    assert "is not UTF-8" in done.err
    assert "Traceback" not in done.err


def test_devices_as_table_and_as_json(seen: Program) -> None:
    first, second = seen("neighbour", "devices", "--json").document
    assert list(first) == [
        "lladdr", "name", "note", "known", "must_be_up", "shares_addresses", "vendor", "private",
        "address", "interface", "address_count", "present", "first_seen", "last_seen",
    ]  # fmt: skip
    assert (first["lladdr"], first["present"], first["address_count"]) == (PI, True, 1)
    assert (second["lladdr"], second["present"], second["last_seen"][-1]) == (HP, False, "Z")
    table = seen("neighbour", "devices").out.splitlines()
    assert table[0].split()[:3] == ["NAME", "LLADDR", "VENDOR"]
    assert PI in table[1]
    assert [one["lladdr"] for one in seen("neighbour", "devices", "--present", "--json").document] == [PI]
    assert seen("neighbour", "devices", "--known", "--json").document == []
    assert len(seen("neighbour", "devices", "--unknown", "--filter", "!b8", "--json").document) == 1


def test_a_page_by_lladdr_address_and_name(seen: Program) -> None:
    assert seen("neighbour", "mark", PI, "--name", "hall printer").code == 0
    for reference in ("B827.EB00.0001", "hall printer", "10.0.0.1"):
        assert seen("neighbour", "device", reference, "--json").document["lladdr"] == PI
    page = seen("neighbour", "device", "10.0.0.1", "--json").document
    assert [one["lladdr"] for one in page["held_by"]] == [PI, HP]
    assert [one["ending"] for one in page["held_by"]] == ["", "replaced"]
    assert page["presences"][0]["address"] == page["addresses"][0]["address"] == "10.0.0.1"
    text = seen("neighbour", "device", "10.0.0.1").out
    assert "10.0.0.1 belonged to" in text
    assert text.count("replaced") == 1
    answer = seen("neighbour", "device", "nobody")
    assert (answer.code, answer.out) == (1, "")
    assert "no device 'nobody'" in answer.err


def test_mark_and_unmark(admin: Program) -> None:
    said = admin("neighbour", "mark", PI, "--name", "pi", "--known", "--must-be-up", "--cluster", "--json")
    assert said.document == {
        "lladdr": PI, "name": "pi", "note": "", "known": True, "must_be_up": True, "shares_addresses": True,
    }  # fmt: skip
    assert "pi, must be up" in admin("neighbour", "mark", PI, "--unknown", "--no-cluster").err
    assert "must be up" not in admin("neighbour", "mark", "pi", "--may-be-down", "--note", "x").err
    assert admin("neighbour", "mark", PI).code == 2
    assert admin("neighbour", "mark", "ff:ff:ff:ff:ff:ff", "--known").code == 2
    assert "forgotten" in admin("neighbour", "unmark", "pi").err
    assert admin("neighbour", "unmark", PI).code == 1
    assert admin("neighbour", "devices", "--json").document == []


def test_import_tells_first_and_stores_all_or_nothing(admin: Program, home: Path) -> None:
    file = home / "list.csv"
    file.write_text(LIST)
    dry = admin("neighbour", "import", file, "--dry-run")
    assert dry.code == 0
    assert dry.out.splitlines()[1] == f"{PI}  new: name pi, known"
    assert (
        dry.err
        == "line 3: 'zz' is no lladdr\n1 new, 0 changed, 0 as before, 1 line refused; nothing is stored\n"
    )
    refused = admin("neighbour", "import", file)
    assert (refused.code, refused.out) == (2, "")
    assert "--skip-bad" in refused.err
    assert admin("neighbour", "devices", "--json").document == []
    done = admin("neighbour", "import", "-", "--skip-bad", "--json", stdin=LIST).document
    assert (done["stored"], done["new"], done["refused"]) == (
        True,
        1,
        [{"line": 3, "why": "'zz' is no lladdr"}],
    )
    assert done["changes"][0]["before"] is None
    assert admin("neighbour", "devices", "--known", "--json").document[0]["name"] == "pi"


def test_export_goes_to_a_private_file_or_stdout(admin: Program, home: Path) -> None:
    assert admin("neighbour", "mark", PI, "--name", "@SUM(1)").code == 0
    file = home / "out.csv"
    assert admin("neighbour", "devices", "--format", "csv", "--output", file).code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (row,) = csv.DictReader(io.StringIO(file.read_text()))
    assert (row["lladdr"], row["name"], row["known"]) == (PI, "'@SUM(1)", "no")
    assert admin("neighbour", "devices", "--format", "csv", "--output", file).code == 2, "it exists"
    assert admin("neighbour", "devices", "--output", file).code == 2
    assert "0 new, 0 changed, 1 as before" in admin("neighbour", "import", file).err
