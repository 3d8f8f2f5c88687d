"""``capture matches`` and ``capture find --all-files``: captures over several files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services.packets import PacketService
from tests.unit.services.test_set_filter import CONTENTS
from tests.unit.services.tsharks import make_ring

pytestmark = [pytest.mark.lab, pytest.mark.skipif(not find_tool("tshark"), reason="tshark is not installed")]
NAMES = [f"capture-00000{number}.pcap" for number in (5, 6, 7)]


@pytest.fixture
def capture(admin: Any, home: Path) -> int:
    """A capture over three files."""
    (path,) = make_ring(home, CONTENTS[0])
    (stored,) = admin("capture", "import", path, "--json").document
    (directory,) = (home / "data" / "jobs").iterdir()
    make_ring(directory, *CONTENTS, first=5)
    return int(stored["id"])


def test_matches_and_what_is_found_are_told_with_their_files(admin: Any, capture: int) -> None:
    dns = [(NAMES[0], 2), (NAMES[2], 1), (NAMES[2], 3)]
    for words in (("matches", capture, "dns"), ("find", capture, "example", "--all-files")):
        found = admin("capture", *words, "--json").document
        assert [(one["file"], one["number"]) for one in found] == dns, words
    answer = admin("capture", "matches", capture, "dns", "--limit", 2)
    assert "the first 2" in answer.err and "Standard query" in answer.out and NAMES[2] in answer.out
    assert [one["number"] for one in admin("capture", "find", capture, "example", "--json").document] == [
        1,
        3,
    ]


@pytest.mark.parametrize("words", [("matches", "dns"), ("find", "example", "--all-files")])
def test_what_a_ring_deletes_meanwhile_loses_nothing_of_its_other_files(
    admin: Any, capture: int, home: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    (directory,) = (home / "data" / "jobs").iterdir()
    before = PacketService.open

    async def late(*arguments: Any) -> Any:
        (directory / NAMES[0]).unlink(missing_ok=True)
        return await before(*arguments)

    monkeypatch.setattr(PacketService, "open", late)
    verb, *rest = words
    answer = admin("capture", verb, capture, *rest, "--json")
    assert [(one["file"], one["number"]) for one in answer.document] == [(NAMES[2], 1), (NAMES[2], 3)]
    assert answer.code == 0 and "the ring had deleted 1 file before all was read" in answer.err


def test_a_file_that_is_there_and_cannot_be_read_is_an_error(admin: Any, capture: int, home: Path) -> None:
    (directory,) = (home / "data" / "jobs").iterdir()
    (directory / NAMES[1]).write_bytes(b"no capture at all")
    assert admin("capture", "find", capture, "example", "--all-files").code != 0


def test_find_says_where_it_stops(admin: Any, capture: int) -> None:
    answer = admin("capture", "find", capture, "example", "--all-files", "--limit", 2, "--json")
    assert "the first 2; --limit shows more" in answer.err and len(answer.document) == 2


def test_what_cannot_be_looked_for_is_refused(admin: Any, capture: int) -> None:
    for words, said in (
        (("matches", capture), "no display filter"),
        (("matches", capture, "dns =="), "Unexpected end of filter"),
        (("find", capture, "a", "--all-files", "--file", "1"), "or all of them"),
    ):
        answer = admin("capture", *words)
        assert answer.code == 2 and said in answer.err and not answer.out, words


def test_a_list_of_one_file_that_has_no_match_points_at_all_files(admin: Any, capture: int) -> None:
    words = f"no match here; capture matches {capture} with the same filter looks in all files"
    for file, is_told in (("2", True), ("3", False)):
        answer = admin("capture", "packets", capture, "--file", file, "--filter", "dns")
        assert (words in answer.err) is is_told, answer.err
    assert "no match" not in admin("capture", "packets", capture, "--filter", "dns", "--offset", 99).err
    assert "no match" not in admin("capture", "packets", capture, "--from", "2030-01-01").err
