"""gzip files, whole and damaged."""

from __future__ import annotations

import gzip
import io
import random
import zlib

import pytest

from netmon_tui.tools.gzip_file import unpacked

RANDOM = random.Random(5).randbytes(400_000)
TEXT = b"a line that can be packed well %d\n" * 100_000


def read(packed: bytes) -> tuple[bytes, str]:
    """Return what is in a file, and what was raised in the end."""
    found = bytearray()
    try:
        for piece in unpacked(io.BytesIO(packed)):
            assert 0 < len(piece) <= 1 << 20
            found += piece
    except (EOFError, zlib.error) as error:
        return bytes(found), str(error)
    return bytes(found), ""


@pytest.mark.parametrize(
    "content", [RANDOM, TEXT, b"", bytes(5 << 20)], ids=["random", "text", "empty", "zeros"]
)
def test_members_in_a_row_are_one_file(content: bytes) -> None:
    member = gzip.compress(content)
    assert read(member) == (content, "")
    assert read(member + bytes(70_000) + member + bytes(9)) == (content * 2, "")


@pytest.mark.parametrize("content", [RANDOM, TEXT, TEXT[:900]], ids=["random", "text", "small"])
def test_all_that_was_packed_before_a_cut_is_there(content: bytes) -> None:
    packed = gzip.compress(content)
    cut = len(packed) * 9 // 10
    expected = zlib.decompressobj(31).decompress(packed[:cut])
    assert read(packed[:cut]) == (expected, "it is cut") and len(expected) > len(content) * 0.7


def test_all_that_was_packed_before_damage_is_there() -> None:
    packed = gzip.compress(RANDOM)
    wrong_sum = packed[:-8] + bytes(8)
    found, why = read(wrong_sum)
    assert found == RANDOM and "incorrect data check" in why
    found, why = read(packed + b"something else")
    assert found == RANDOM and why
