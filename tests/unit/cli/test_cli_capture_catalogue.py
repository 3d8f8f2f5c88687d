"""``capture import``, ``slice``, ``merge``, ``export``, ``note``, ``tag``, ``name``, ``keep`` and ``list``."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from netmon_tui.cli.main import main
from netmon_tui.domain.capture_files import NUMBERED_NAME
from tests.bench.generate_pcap import generate
from tests.unit.cli.conftest import Program
from tests.unit.services.test_capture_catalogue import pcap, pcapng, raws
from tests.unit.tools.test_packet_masking import A4


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder of captures: classic, pcapng and packed, one that is cut, and one that is none."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "office.pcap").write_bytes(pcap(raws()))
    (folder / "later.pcapng").write_bytes(pcapng(raws(start=1_800_000_000_000_000_000)))
    (folder / "packed.pcap.gz").write_bytes(gzip.compress(pcap(raws()[:2])))
    (folder / "cut.pcap").write_bytes(pcap(raws()[:4])[:-1])
    (folder / "none.pcap").write_bytes(b"hello")
    return folder


def test_many_files_at_once_and_each_is_answered_for(admin: Program, files: Path) -> None:
    answer = admin("capture", "import", *sorted(files.iterdir()))
    assert answer.code == 1
    assert "none.pcap is no pcap or pcapng file" in answer.err
    assert [line.split()[:2] for line in answer.out.splitlines()] == [
        ["ID", "NAME"],
        ["1", "cut.pcap"],
        ["2", "later.pcapng"],
        ["3", "office.pcap"],
        ["4", "packed.pcap.gz"],
    ]
    assert "packet 4 at byte" in answer.out and "is cut" in answer.out
    again = admin("capture", "import", files / "office.pcap", "--json")
    assert (again.code, [one["id"] for one in again.document]) == (0, [3])
    assert "is capture 3 already" in again.err
    assert admin("capture", "import", files / "office.pcap", "--again", "--json").document[0]["id"] == 5
    refused = admin("capture", "import", files / "none.pcap")
    assert (refused.code, refused.out) == (2, "")
    assert admin("capture", "import", files / "missing.pcap").code == 1


def test_a_pipe_is_imported(admin: Program, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    admin("capture", "list")  # ends with a standard input of text, which is replaced here by one of bytes
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((files / "later.pcapng").read_bytes())))
    assert main(["capture", "import", "-"]) == 0
    (found,) = admin("capture", "list", "--json").document
    assert (found["name"], found["origin"], found["packets"]) == ("stdin", "import", len(raws()))


def test_a_file_that_became_shorter_is_told_of_what_is_made_of_it(
    admin: Program, files: Path, tmp_path: Path
) -> None:
    admin("capture", "import", files / "office.pcap")
    (file,) = admin("capture", "show", 1, "--json").document["files"]
    os.truncate(file["path"], len(pcap(raws()[:4])) + 5)
    told = f"only 4 of the {len(raws())} packets of capture 1 are left: packet 5 at byte "
    answer = admin("capture", "slice", 1, "--packets", "2-9")
    assert answer.code == 0 and told in answer.err and "has 3 packets" in answer.err
    answer = admin("capture", "export", 1, "--output", tmp_path / "out.pcap")
    assert answer.code == 0 and told in answer.err
    assert (tmp_path / "out.pcap").read_bytes() == pcap(raws()[:4])


def test_parts_merges_and_exports(
    admin: Program, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin("capture", "import", files / "office.pcap", files / "later.pcapng")
    made = admin(
        "capture", "slice", 1, "--packets", "2-5", "--host", "10.1.2.3", "--name", "part", "--json"
    ).document
    assert (made["parents"], made["source"]) == ([1], "packets 2 to 5, host 10.1.2.3")
    assert (made["name"], made["packets"], made["owner"]) == ("part", 4, "ada")
    answer = admin("capture", "merge", 1, 2, "--name", "both")
    assert answer.out == "4\n" and "110 packets: merge of captures 1 and 2" in answer.err
    assert "merge of captures 1 and 2" in admin("capture", "show", 4).out
    out = tmp_path / "out.pcap"
    assert admin("capture", "slice", 1, "--packets", "3", "--output", out).code == 0
    assert out.read_bytes() == pcap(raws()[2:3])
    answer = admin(
        "capture", "export", 1, "--output", tmp_path / "a.pcapng.gz", "--format", "pcapng.gz", "--anonymise"
    )
    assert "Not hidden: times, sizes" in answer.err and "written anonymised to /" in answer.err
    assert A4 not in gzip.decompress((tmp_path / "a.pcapng.gz").read_bytes())
    answer = admin("capture", "export", 1, "--output", tmp_path / "b.pcap", "--anonymise", "--keep-payload")
    assert "The payload is kept" in answer.err
    monkeypatch.chdir(tmp_path)
    assert f"written to {tmp_path}/whole.pcap" in admin("capture", "export", 1, "--output", "whole.pcap").err
    assert (tmp_path / "whole.pcap").read_bytes() == pcap(raws())


@pytest.mark.parametrize(
    "options",
    [
        ["--packets", "5-2"],
        ["--packets", "0"],
        ["--packets", "-"],
        ["--packets", "x"],
        ["--from", "yesterday"],
        ["--host", "nobody"],
        ["--packets", "999"],
        ["--format", "pcapng"],
        ["--from", "2030-01-01T00:00"],
    ],
    ids=" ".join,
)
def test_what_makes_no_part_is_refused(admin: Program, files: Path, options: list[str]) -> None:
    admin("capture", "import", files / "office.pcap")
    answer = admin("capture", "slice", 1, *options)
    assert (answer.code, answer.out) == (2, "") and answer.err
    assert len(admin("capture", "list", "--json").document) == 1


def test_labels_and_the_list_by_them(admin: Program, files: Path) -> None:
    admin("capture", "import", files / "office.pcap", files / "packed.pcap.gz")
    tagged = admin("capture", "tag", 1, "+web", "dns", "-slow", "--json").document
    assert tagged["tags"] == ["dns", "web"]
    assert admin("capture", "tag", 1, "-dns", "--json").document["tags"] == ["web"]
    assert admin("capture", "note", 1, "seen on monday", "--json").document["note"] == "seen on monday"
    assert admin("capture", "name", 2, "the office", "--json").document["name"] == "the office"
    assert admin("capture", "keep", 2, "--json").document["kept"] is True
    assert admin("capture", "keep", 2, "--off", "--json").document["kept"] is False

    def listed(*options: str) -> list[int]:
        return [one["id"] for one in admin("capture", "list", *options, "--json").document]

    assert listed() == [2, 1]
    assert listed("--tag", "web") == [1]
    assert listed("--name", "the off") == [2]
    assert listed("--owner", "ada", "--sort", "packets") == [2, 1]
    assert listed("--owner", "bo") == listed("--interface", "eth0") == listed("--filter", "53") == []
    shown = admin("capture", "show", 1).out
    assert "seen on monday" in shown and "scp " in shown
    stream = f"netmon-tui --data-dir {files.parent / 'data'} capture stream 1"
    assert f"{stream} > capture-1.pcap" in shown and f"{stream} | wireshark" in shown
    assert admin("capture", "tag", 1, "two words").code == 2
    assert admin("capture", "note", 9, "x").code == 1


def test_what_a_label_says_is_told_and_not_that_something_changed(admin: Program, home: Path) -> None:
    generate(home / "made.pcap", 3)
    assert admin("capture", "import", home / "made.pcap").code == 0
    for words, told in (
        (("tag", 1, "+web"), "capture 1 is tagged web"),
        (("tag", 1, "-web"), "capture 1 has no tags"),
        (("note", 1, "of the printer"), "capture 1 has a note"),
        (("note", 1, ""), "capture 1 has no note"),
        (("name", 1, "printer"), "capture 1 is called printer"),
        (("keep", 1), "capture 1 is kept, whatever its age"),
        (("keep", 1, "--off"), "capture 1 is deleted when it is too old"),
    ):
        assert admin("capture", *words).err.strip() == told


def test_nobody_claims_to_know_what_an_imported_file_lost(admin: Program, home: Path) -> None:
    generate(home / "made.pcap", 3)
    assert admin("capture", "import", home / "made.pcap").code == 0
    shown = admin("capture", "show", 1).out
    assert "received" not in shown and "dropped" not in shown
    (row,) = admin("capture", "list").out.splitlines()[1:]
    heading = admin("capture", "list").out.splitlines()[0]
    place = heading.index("DROPPED")
    assert not row[place : place + len("DROPPED")].strip()


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("missing/out.pcap", "No such file or directory"),
        ("file/out.pcap", "Not a directory"),
        ("x" * 300, "File name too long"),
        ("/proc/out.pcap", ""),
    ],
)
def test_a_place_where_nothing_can_be_written_is_refused(
    admin: Program, home: Path, place: str, words: str
) -> None:
    generate(home / "made.pcap", 3)
    (home / "file").touch()
    assert admin("capture", "import", home / "made.pcap").code == 0
    for more in ((), ("--format", "pcapng")):
        answer = admin("capture", "export", 1, "--output", home / place, *more)
        assert (answer.code, answer.out) == (2, ""), answer
        first, second = answer.err.splitlines()
        assert f"cannot write {home / place}: {words}" in first and second.startswith("  ")


def test_an_empty_file_is_called_empty(admin: Program, home: Path) -> None:
    (home / "empty.pcap").touch()
    answer = admin("capture", "import", home / "empty.pcap")
    assert answer.code == 2 and "it is empty" in answer.err


def test_a_capture_that_lost_packets_says_how_to_lose_less(admin: Program, files: Path, home: Path) -> None:
    assert admin("capture", "import", files / "office.pcap").code == 0
    with sqlite3.connect(home / "data" / "netmon.db") as connection:
        connection.execute("update captures set origin = 'live'")
    advice = "netmon-tui capture again 1 --buffer 2x starts again with twice the buffer"
    assert advice not in admin("capture", "show", 1).out
    with sqlite3.connect(home / "data" / "netmon.db") as connection:
        connection.execute("update captures set dropped = 7")
    assert advice in admin("capture", "show", 1).out


def test_a_stream_that_misses_files_does_not_end_as_if_it_were_whole(admin: Program, home: Path) -> None:
    generate(home / "made.pcap", 5_000)
    assert admin("capture", "import", home / "made.pcap").code == 0
    made = Path(admin("capture", "show", 1, "--json").document["files"][0]["path"])
    of_a_ring = [made.with_name(NUMBERED_NAME % number) for number in (1, 2, 3)]
    for path in of_a_ring:
        shutil.copy(made, path)
    made.unlink()
    with sqlite3.connect(home / "data" / "netmon.db") as connection:
        connection.execute("delete from capture_files")  # as of a capture that has not ended
    command = [sys.executable, "-m", "netmon_tui", "capture", "stream", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as streaming:
        assert streaming.stdout and streaming.stderr
        begin = streaming.stdout.read(100)  # the rest of the first file is more than a pipe takes
        of_a_ring[1].unlink()
        rest, said = streaming.stdout.read(), streaming.stderr.read()
    assert len(begin + rest) > of_a_ring[0].stat().st_size
    assert said == b"the ring had deleted 1 file before all was read\n"
    assert streaming.returncode == 1


def test_a_stream_of_files_that_were_cut_says_what_is_left(admin: Program, home: Path) -> None:
    generate(home / "made.pcap", 50)
    assert admin("capture", "import", home / "made.pcap").code == 0
    made = Path(admin("capture", "show", 1, "--json").document["files"][0]["path"])
    os.truncate(made, made.stat().st_size - 1)
    command = [sys.executable, "-m", "netmon_tui", "capture", "stream", "1"]
    streamed = subprocess.run(command, capture_output=True, check=False)
    (home / "streamed.pcap").write_bytes(streamed.stdout)
    assert admin("capture", "import", home / "streamed.pcap", "--json").document[0]["packets"] == 49
    assert b"only 49 of the 50 packets of capture 1 are left: packet 50 at byte" in streamed.stderr
    assert streamed.returncode == 1


def test_a_list_names_what_it_can_be_sorted_by(admin: Program) -> None:
    refused = admin("capture", "list", "--sort", "size")
    assert refused.code == 2
    assert "'size' is not one of 'id', 'interface'" in refused.err
    assert admin("capture", "list", "--sort", "bytes").code == 0


@pytest.mark.parametrize("noun", ["capture", "scan", "neighbour"])
def test_what_is_no_file_is_called_what_it_is(admin: Program, files: Path, noun: str) -> None:
    os.mkfifo(files / "fifo")
    answer = admin(noun, "import", files / "fifo")
    assert answer.code == 2
    assert "fifo is a pipe" in answer.err and "import - < PIPE" in answer.err
    answer = admin(noun, "import", files)
    assert answer.code == 2 and "files is a directory" in answer.err
    answer = admin(noun, "import", "/dev/null")
    assert answer.code == 2 and "/dev/null is no file" in answer.err
    answer = admin(noun, "import", files / "missing")
    assert answer.code == 1 and "no file" in answer.err


def test_files_are_compared_with_what_was_stored(admin: Program, files: Path) -> None:
    sources = (files / "office.pcap", files / "later.pcapng", files / "packed.pcap.gz", files / "cut.pcap")
    imported = admin("capture", "import", *sources, "--json").document
    same = admin("capture", "verify", 1, 2, 3, 4, "--json")
    assert (same.code, {one["finding"] for one in same.document}) == (0, {"same"})
    assert [one["path"] for one in same.document] == [f["path"] for one in imported for f in one["files"]]
    assert "as it was stored" in admin("capture", "verify", 1).out

    shorter, other, gone, last = (Path(one["files"][0]["path"]) for one in imported)
    os.truncate(shorter, 100)
    with other.open("r+b") as file:
        file.seek(200)
        file.write(bytes(byte ^ 255 for byte in other.read_bytes()[200:204]))
    gone.unlink()
    last.unlink()
    last.mkdir()  # what opens, but cannot be read
    found = admin("capture", "verify", 1, 2, 3, "--json")
    packets = {one["path"]: (one["finding"], one["bytes_on_disk"]) for one in found.document}
    assert found.code == 1
    assert packets[str(shorter)] == ("size", 100)
    assert packets[str(other)] == ("bytes", other.stat().st_size)
    assert packets[str(gone)] == ("gone", None)
    told = admin("capture", "verify", 1, 2, 3).out
    assert "size differs: 100 bytes on the disk" in told and "bytes differ" in told and "file gone" in told
    answer = admin("capture", "verify", 3, 77)
    assert answer.code == 1 and "77" in answer.err and "file gone" in answer.out
    assert admin("capture", "verify", 4).code == 1


def test_what_is_shown_of_a_capture_tells_what_became_of_its_file(admin: Program, files: Path) -> None:
    (imported,) = admin("capture", "import", files / "office.pcap", "--json").document
    path = Path(imported["files"][0]["path"])
    shown = admin("capture", "show", 1).out
    assert "warning" not in shown and "hand over" in shown
    os.truncate(path, 100)
    shown = admin("capture", "show", 1).out
    assert f"{path.name}: size differs: 100 bytes on the disk" in shown and "hand over" in shown
    path.unlink()
    shown = admin("capture", "show", 1).out
    assert f"{path.name}: file gone" in shown and "hand over" not in shown
