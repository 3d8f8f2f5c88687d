"""The garbage collector rests while somebody wants it to."""

from __future__ import annotations

import gc

import pytest

from netmon_tui.services.lasting_objects import collecting, made_to_last


def test_it_goes_on_when_the_last_rest_is_over() -> None:
    assert gc.isenabled()
    with made_to_last():
        collecting.rest()
        assert not gc.isenabled()
        collecting.go_on()
        assert not gc.isenabled(), "one of two"
    assert gc.isenabled()


def test_what_was_off_stays_off() -> None:
    gc.disable()
    try:
        with made_to_last():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_what_was_made_is_not_looked_at_again() -> None:
    gc.unfreeze()
    with made_to_last(), pytest.raises(ZeroDivisionError):
        1 / 0  # noqa: B018 - raises
    assert gc.get_freeze_count() > 0
