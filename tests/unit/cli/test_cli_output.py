"""Printing: tables, pairs, exports and the line of progress, with hostile text in all of them."""

from __future__ import annotations

import io
import json

import pytest

from netmon_tui.cli import output

HOSTILE = "\x1b]52;c;ZXZpbA==\x07[red]a[/]\u202eb\nc"
SAFE = "\\x1b]52;c;ZXZpbA==\\x07[red]a[/]\\u202eb\\nc"


def test_a_table_aligns_and_cleans(capsys) -> None:
    output.print_table(("A", "BB"), [(1, HOSTILE), (100, "x")])
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["A    BB", f"1    {SAFE}", "100  x"]


def test_a_table_in_a_file_is_not_cut(capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    output.print_table(("A",), [("x" * 300,)])
    assert "x" * 300 in capsys.readouterr().out


def test_pairs_leave_out_what_is_not_there(capsys) -> None:
    output.print_pairs([("one", 1), ("none", None), ("empty", ""), ("three", HOSTILE)])
    assert capsys.readouterr().out == f"one    1\nthree  {SAFE}\n"


def test_json_is_ascii_and_keeps_the_value(capsys) -> None:
    output.print_json({"name": HOSTILE})
    printed = capsys.readouterr().out
    assert printed.isascii()
    assert "\x1b" not in printed
    assert json.loads(printed) == {"name": HOSTILE}


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal() -> Terminal:
    return Terminal(io.BytesIO(), write_through=True)


def written(stream: io.TextIOWrapper) -> bytes:
    return stream.buffer.getvalue()


def test_an_export_into_a_file_is_byte_for_byte() -> None:
    stream = io.TextIOWrapper(io.BytesIO())
    output.write_export([b"\x1b[2J", b"\xff\n"], stream)
    assert written(stream) == b"\x1b[2J\xff\n"


def test_an_export_onto_a_terminal_passes_the_gate(terminal) -> None:
    output.write_export([b"a\x1b[2", b"J\xff\nb"], terminal)
    assert written(terminal) == b"a\\x1b[2J\\xff\nb\n"


def test_progress_is_one_line_and_silent_without_a_terminal(terminal, monkeypatch) -> None:
    monkeypatch.setattr("sys.stderr", terminal)
    progress = output.Progress()
    progress.show("10 %")
    progress.show("10 %")
    progress.show("20 \x1b %")
    progress.clear()
    assert written(terminal) == b"\r\x1b[K10 %\r\x1b[K20 \\x1b %\r\x1b[K"
    quiet = io.TextIOWrapper(io.BytesIO(), write_through=True)
    monkeypatch.setattr("sys.stderr", quiet)
    output.Progress().show("10 %")
    assert written(quiet) == b""
