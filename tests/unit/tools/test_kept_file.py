"""What is kept under names as TOML: what is written is read back, what is read is checked."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon_tui.errors import InvalidInput
from netmon_tui.services.profiles import PROFILE_FILE
from netmon_tui.tools.kept_file import LARGEST_FILE, MOST_ENTRIES, read_entries, write_entries

HOSTILE = (
    '"""\n[[profile]]',
    "\\u0041\\",
    "\x1b]0;owned\x07",
    "a\r\nb\x00\x7f\x85\u2028",
    "'''#",
    "\U000e0041",
)
TEXTS = st.one_of(st.text(), st.sampled_from(HOSTILE))


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=5))
def test_what_is_written_is_read_back(profiles) -> None:
    document = write_entries(PROFILE_FILE, profiles)
    assert read_entries(PROFILE_FILE, document.encode()) == profiles
    entries = tomllib.loads(document)["profile"]
    assert [(e["name"], e["arguments"], e["description"]) for e in entries] == profiles


@given(st.text())
def test_nothing_that_rules_a_terminal_is_written(text) -> None:
    assert write_entries(PROFILE_FILE, [(text, "", "")]).replace("\n", "").isprintable()


def test_a_file_written_by_hand_is_read() -> None:
    data = b"# mine\r\n\r\n [[profile]] # one\r\n\tname='a # b'\r\narguments = \"-F\" # fast\r\n"
    assert read_entries(PROFILE_FILE, data) == [("a # b", "-F", "")]


def test_a_description_may_be_left_out() -> None:
    data = b'[[profile]]\nname = "a"\narguments = "-F"\n'
    assert read_entries(PROFILE_FILE, data) == [("a", "-F", "")]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a list of profiles"),
        (b"profile = []", "line 1 of the file is not of a profile"),
        (b"[profile]", "not a list of profiles"),
        (b'profile = "x"', "not a list of profiles"),
        (b'[[profile]]\nname="a"\narguments=""\n[other]', "not a list of profiles"),
        (b'[[profile]]\nname="a"\narguments=""\n[[profile]]\nname="b"', "profile 2 has no arguments"),
        (b'[[profile]]\narguments=""', "profile 1 has no name"),
        (b'[[profile]]\nname="a"\narguments=""\nshared=true', "profile 1 has a key 'shared'"),
        (b'[[profile]]\nname="a"\narguments=5', "profile 1: arguments is not a text"),
        (b'[[profile]\nname="a"', "not TOML"),
        (b'[[profile]]\nname="\xff"', "not UTF-8"),
        (b"[[profile]]\nname = [" + b"[" * 100_000, "line 2"),
        (b"[[profile]]\nname = " + b"9" * 10_000, "line 2"),
        (b"[[profile]]\n" + b"a." * 100_000 + b"b = 1", "line 2"),
        (b"[[profile]]\nname = {" + b"a." * 100_000 + b"b = 1}", "line 2"),
        (b"[[" + b"a." * 100_000 + b"b]]", "line 1"),
        (b'[[profile]]\nname = """\n"""', "line 3"),
        (b'[[profile]]\nname = "a".b = 1', "not TOML"),
        (b"[[profile]]\nname = 2020-99-99", "not TOML"),
        (b"#" * (LARGEST_FILE + 1), "more than 1 MiB"),
        (b"[[profile]]\n" * (MOST_ENTRIES + 1), "1,001 profiles are too many"),
    ],
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else "",
)
def test_what_is_wrong_is_named(data, words) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_entries(PROFILE_FILE, data)
    assert words in str(caught.value)


def test_as_many_as_allowed_are_read() -> None:
    profiles = [(f"p{number}", "-F", "") for number in range(MOST_ENTRIES)]
    assert read_entries(PROFILE_FILE, write_entries(PROFILE_FILE, profiles).encode()) == profiles
