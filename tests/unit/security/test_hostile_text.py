"""The gate: nothing that rules a terminal passes, nothing harmless changes, and its cost is bounded."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon_tui.security.hostile_text import clean, clean_block, csv_cell

RULING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
ANYTHING = st.text(alphabet=st.characters(exclude_categories=()), max_size=80)


def ruling(text: str, allowed: str = "") -> list[str]:
    return [c for c in text if unicodedata.category(c) in RULING and c not in allowed]


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain text", "plain text"),
        ("\x1b]52;c;aGk=\x07", r"\x1b]52;c;aGk=\x07"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\x9b6n\x9d0;t\x9c", r"\x9b6n\x9d0;t\x9c"),
        ("a\0b\x7f", r"a\x00b\x7f"),
        ("user\u202etxt.exe", r"user\u202etxt.exe"),
        ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
        ("tag\U000e0041", r"tag\U000e0041"),
        ("name\udcff", r"name\udcff"),
        ("line\u2028sep", r"line\u2028sep"),
        ("SSH-2.0\r\nx\ty", r"SSH-2.0\r\nx y"),
        ("no\u00a0break", "no break"),
        ("invisible\u3164\u2800", r"invisible\u3164\u2800"),
        (b"\xff\xfePNG\x1b", r"\xff\xfePNG\x1b"),
        (bytearray("Zürich".encode()), "Zürich"),
        (memoryview(b"view"), "view"),
        (None, ""),
        (42, "42"),
        ("漢字 ünïcode 🖧", "漢字 ünïcode 🖧"),
        ("a[/]b [@click=app.quit]x[/] [$primary]", "a[/]b [@click=app.quit]x[/] [$primary]"),
    ],
)
def test_each_danger_becomes_visible(raw: object, shown: str) -> None:
    assert clean(raw) == shown


def test_combining_marks_are_limited_to_three_and_need_a_base() -> None:
    assert clean("e" + "\u0301" * 300 + "f") == "e" + "\u0301" * 3 + "f"
    assert clean("\u0301x") == "\u25cc\u0301x"


def test_cut_text_ends_with_an_ellipsis_within_the_limit() -> None:
    assert clean("x" * 513) == "x" * 511 + "…"
    assert clean("x" * 512) == "x" * 512
    assert clean("\x1b" * 100, 10) == r"\x1b\x1b…"


@pytest.mark.parametrize("huge", [b"\x1b" * 100_000_000, "\u202e" * 50_000_000], ids=["bytes", "str"])
def test_a_hundred_megabytes_cost_less_than_a_millisecond(huge: bytes | str) -> None:
    def once() -> float:
        began = time.thread_time()
        clean(huge)
        return time.thread_time() - began

    assert min(once() for _ in range(5)) < 0.001


def test_a_block_keeps_its_lines_and_nothing_else() -> None:
    assert clean_block("a\r\nb\tc\rd\x1b[2J\n") == "a\nb       c\\rd\\x1b[2J\n"
    assert clean_block("x\n" * 10, max_lines=3) == "x\nx\nx…"
    assert clean_block("y" * 70_000) == "y" * 65_535 + "…"
    assert clean_block("plain\nlines\n") == "plain\nlines\n"
    assert clean_block("\t" * 60_000, limit=1000) == " " * 999 + "…"


@given(ANYTHING, st.integers(min_value=1, max_value=60))
def test_no_text_rules_the_terminal_and_cleaning_twice_changes_nothing(raw: str, limit: int) -> None:
    shown = clean(raw, limit)
    assert ruling(shown) == []
    assert len(shown) <= limit
    assert clean(shown, limit) == shown


@given(ANYTHING, st.integers(min_value=1, max_value=60))
def test_no_block_rules_the_terminal(raw: str, limit: int) -> None:
    shown = clean_block(raw, limit, max_lines=3)
    assert ruling(shown, allowed="\n") == []
    assert len(shown) <= limit
    assert shown.count("\n") < 3
    assert clean_block(shown, limit, max_lines=3) == shown


@given(st.text(alphabet=st.characters(categories=("L", "N", "P", "S")), max_size=60))
def test_ordinary_text_in_any_script_is_legible_afterwards(raw: str) -> None:
    ordinary = "".join(c for c in raw if c not in "\u115f\u1160\u3164\uffa0\u2800")
    assert clean(ordinary) == ordinary


@pytest.mark.parametrize("raw", ["=cmd|'/c calc'!A1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "＝1"])
def test_a_spreadsheet_formula_is_disarmed(raw: str) -> None:
    assert csv_cell(raw).startswith("'")


def test_csv_leaves_numbers_and_text_alone_and_keeps_long_values() -> None:
    assert [csv_cell(value) for value in (-1, 2.5, "a-b", "", None)] == ["-1", "2.5", "a-b", "", ""]
    assert csv_cell("x" * 30_000) == "x" * 30_000
    assert csv_cell("a\x1bb") == r"a\x1bb"
