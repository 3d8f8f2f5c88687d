"""``scan search``, ``scan list --filter`` and ``search``."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Program

FULL = Path(__file__).parents[2] / "data" / "nmap" / "full.xml"


@pytest.fixture
def imported(admin: Program) -> Program:
    """A program whose first scan is an import."""
    assert admin("scan", "import", FULL).code == 0
    return admin


def test_a_search_as_table_and_as_json(imported: Program) -> None:
    found = imported("scan", "search", "open:22 service:ssh", "--json")
    assert (found.code, found.err) == (0, "")
    (line,) = found.document
    assert set(line) == {"scan", "address", "hostname", "number", "protocol", "state", "service", "seen"}
    assert (line["scan"], line["number"], line["service"]["name"]) == (1, 22, "ssh")
    assert line["seen"].endswith("Z")
    table = imported("scan", "search", "open:22").out.splitlines()
    assert table[0].split()[:4] == ["SCAN", "ADDRESS", "NAME", "PORT"]
    assert "22/tcp" in table[1]


def test_a_limit_says_that_there_is_more(imported: Program) -> None:
    answer = imported("scan", "search", "state:open", "--limit", "1")
    assert len(answer.out.splitlines()) == 2
    assert "more than 1:" in answer.err


def test_a_refused_search_says_where(imported: Program) -> None:
    for command in (
        ["scan", "search", "x opn:1"],
        ["scan", "list", "--filter", "x opn:1"],
        ["search", "save", "n", "x opn:1"],
    ):
        answer = imported(*command)
        assert (answer.code, answer.out) == (2, "")
        assert "at character 3" in answer.err
        assert "open: is one" in answer.err
    assert "nothing to look for" in imported("scan", "search").err
    assert imported("scan", "search", "a" * 1_000_000).code == 2


def test_scans_are_listed_by_what_they_found(imported: Program) -> None:
    assert [scan["id"] for scan in imported("scan", "list", "--filter", "open:22", "--json").document] == [1]
    assert imported("scan", "list", "--filter", "open:9", "--json").document == []


def test_searches_are_saved_used_and_deleted(imported: Program) -> None:
    assert imported("search", "save", "web", "state:open", "--share").err == "web: saved\n"
    assert imported("search", "list", "--json").document == [
        {"name": "web", "query": "state:open", "owner": "ada", "shared": True}
    ]
    every = imported("scan", "search", "--saved", "web", "--json").document
    narrowed = imported("scan", "search", "--saved", "web", "open:22", "--save", "ssh", "--json").document
    assert len(every) > len(narrowed) == 1
    assert [one["query"] for one in imported("search", "list", "--json").document] == [
        "state:open open:22",
        "state:open",
    ]
    assert imported("search", "delete", "web").code == 0
    assert imported("scan", "search", "--saved", "web").code == 2


def test_an_export_goes_to_a_new_file_or_to_stdout(imported: Program, tmp_path: Path) -> None:
    file = tmp_path / "found.jsonl"
    answer = imported("scan", "search", "open:22", "--format", "jsonl", "--output", file)
    assert (answer.code, answer.out) == (0, "")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text())["number"] == 22
    assert imported("scan", "search", "open:22", "--format", "jsonl", "--output", file).code == 2
    assert imported("scan", "search", "open:22", "--format", "md").out.startswith("| Scan | Address |")
    assert imported("scan", "search", "open:22", "--output", file).code == 2
