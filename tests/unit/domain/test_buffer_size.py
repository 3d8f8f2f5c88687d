"""How large a buffer is asked for, and the request that is kept to be made again."""

import json

import pytest

from netmon_tui.domain.buffer_size import buffer_text, next_buffer, parse_buffer
from netmon_tui.domain.capture import Direction, StartCapture
from netmon_tui.domain.capture_request import request_document, request_from
from netmon_tui.errors import InvalidInput


@pytest.mark.parametrize(("text", "kib"), [("64", 64), ("512k", 512), ("8M", 8192), ("1GiB", 1_048_576)])
def test_sizes(text, kib):
    assert parse_buffer(text) == kib
    assert parse_buffer(buffer_text(kib).replace(" ", "")) == kib


@pytest.mark.parametrize("text", ["", "63", "2G", "8 apples", "-8M", "1.5M", "\u0668\u0668M", "9999999999M"])
def test_what_is_no_size(text):
    with pytest.raises(InvalidInput, match="no buffer"):
        parse_buffer(text)


def test_the_next_buffer_is_bounded_by_the_machine():
    assert next_buffer("2x", 16_384, 1_000_000) == 32_768
    assert next_buffer("2x", 16_384, 20_000) == 20_000
    assert next_buffer("64M", 16_384, 20_000) == 20_000
    with pytest.raises(InvalidInput, match="this machine can give 16 MiB"):
        next_buffer("2x", 16_384, 16_384)


def test_a_request_is_kept_whole():
    request = StartCapture(
        "eth0", "udp", 96, packets=3, direction=Direction.IN, nanoseconds=True, promiscuous=False
    )
    kept = json.loads(json.dumps(request_document(request)))
    assert request_from(kept) == request
    assert request_from({"interface": "lo", "of_a_later_version": 1}) == StartCapture("lo")
