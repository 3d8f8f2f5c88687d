"""Hashes by the real library, and the policy for new passwords."""

import tracemalloc

import pytest
from argon2 import PasswordHasher, profiles
from argon2.low_level import Type
from hypothesis import given
from hypothesis import strategies as st

from netmon_tui.errors import InvalidInput, StorageError
from netmon_tui.security.passwords import DUMMY_HASH, LONGEST, Passwords, check_policy, strength

GOOD = "walnut-koala-lantern"


@pytest.fixture(scope="module")
def cheap():
    return Passwords(PasswordHasher.from_parameters(profiles.CHEAPEST))


# --- hashes ------------------------------------------------------------------------------------------------


def test_defaults_are_the_librarys_and_the_dummy_has_them():
    passwords = Passwords()
    stored = passwords.hash_password(GOOD)
    assert stored.split("$")[1:4] == DUMMY_HASH.split("$")[1:4] == ["argon2id", "v=19", "m=65536,t=3,p=4"]
    assert len(stored) <= 255
    assert passwords.verify(stored, GOOD)
    assert not passwords.verify(stored, GOOD + " ")
    assert not passwords.needs_rehash(stored)
    assert not passwords.needs_rehash(DUMMY_HASH)
    assert not passwords.verify(DUMMY_HASH, GOOD)


def test_old_parameters_need_a_rehash_and_still_verify(cheap):
    stored = cheap.hash_password(GOOD)
    assert Passwords().needs_rehash(stored)
    assert Passwords().verify(stored, GOOD)
    assert not cheap.needs_rehash(stored)


def test_the_same_text_in_another_unicode_form_is_the_same_password(cheap):
    composed, decomposed = "caf\u00e9-walnut-koala", "cafe\u0301-walnut-koala"
    assert composed != decomposed
    assert cheap.verify(cheap.hash_password(composed), decomposed)
    assert cheap.verify(cheap.hash_password(decomposed), composed)


@pytest.mark.parametrize("password", ["", "\0", "\ud800", "a\udfffb", "x" * 10_000_000, GOOD + "\0"])
def test_what_cannot_be_a_password_is_just_wrong(cheap, password):
    assert cheap.verify(cheap.hash_password(GOOD), password) is False


@given(password=st.text(st.characters(codec="utf-8"), min_size=1, max_size=60))
def test_any_text_verifies_against_its_own_hash_and_not_another(cheap, password):
    stored = cheap.hash_password(password)
    assert cheap.verify(stored, password)
    assert not cheap.verify(stored, password + "x")


@pytest.mark.parametrize(
    "stored",
    [
        "$argon2id$v=19$m=2097152,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=65536,t=4000000000,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=65536,t=3,p=100000$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=-1,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=x,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "$2b$12$abcdefghijklmnopqrstuv",
        "",
        "plain",
        DUMMY_HASH[:60],
        "$argon2id$v=19$m=8,t=1,p=1$!!!!$!!!!",
    ],
)
def test_damaged_and_absurd_hashes_are_refused_without_work(cheap, stored):
    tracemalloc.start()
    try:
        with pytest.raises(StorageError, match="stored password cannot be checked") as refused:
            cheap.verify(stored, GOOD)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
    assert GOOD not in str(refused.value)


def test_another_kind_of_argon2_is_refused(cheap):
    other = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1, type=Type.I).hash(GOOD)
    with pytest.raises(StorageError):
        cheap.verify(other, GOOD)


# --- policy ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "password",
    [
        GOOD,
        "x7!kQp2vbn#Lm0R",  # 15
        "ein Satz mit Umlauten: äöü",
        "パスワードはとても長くて覚えやすい",
        "walnut koala",  # only long enough for the lower minimum, see below
    ],
)
def test_good_passwords_pass(password):
    check_policy(password, name="ada", minimum=min(15, len(password)))
    assert strength(password, name="ada", minimum=min(15, len(password))) >= 1


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("x7!kQp2vbn#Lm0", "14 characters, 15 are needed"),
        ("", "0 characters"),
        ("cafe\u0301e\u0301e\u0301-walnu", "12 characters"),
        (GOOD * 13, "longer than 256"),
        ("x" * 10_000_000, "longer than 256"),
        (GOOD + "\0", "cannot be stored"),
        (GOOD + "\ud800", "cannot be stored"),
        (" " * 15, "repeats"),
        ("abcabcabcabcabca", "repeats"),
        ("AbcaBCabcabcabca", "repeats"),
        ("Password1234567!", "common"),
        ("P@ssw0rdP@ssw0rd1", "common"),
        ("qwertyuiopasdfgh", "common"),
        ("administrator2024", "common"),
        ("abcdefghijklmnop", "common"),
        ("9876543210987654", "common"),
        ("netmon-tui-password", "common"),
        ("lovelace-lovelace-1", "common"),
    ],
)
def test_bad_passwords_are_refused_with_the_reason(password, reason):
    with pytest.raises(InvalidInput, match=reason) as refused:
        check_policy(password, name="lovelace", minimum=15)
    assert strength(password, name="lovelace") == 0
    assert len(password) < 3 or password not in str(refused.value)


def test_the_longest_password_works_whole(cheap):
    longest = (GOOD * 13)[:LONGEST]
    check_policy(longest, name="ada", minimum=15)
    stored = cheap.hash_password(longest)
    assert cheap.verify(stored, longest)
    assert not cheap.verify(stored, longest[:-1])


def test_short_common_passwords_are_refused_under_a_lower_minimum_too():
    for password in ("password1", "iloveyou", "sunshine1", "qwerty123", "Trustno1!", "12345678"):
        with pytest.raises(InvalidInput):
            check_policy(password, name="ada", minimum=8)


def test_strength_grows_with_length():
    levels = [
        strength(text) for text in ("short", "x7!kQp2vbn#Lm0R", "walnut koala lantern", GOOD + " " + GOOD)
    ]
    assert levels[0] == 0
    assert levels == sorted(set(levels))
    assert levels[-1] == 4


@given(password=st.text(max_size=300), name=st.text(max_size=40), minimum=st.integers(8, 128))
def test_strength_and_policy_agree_and_never_fail(password, name, minimum):
    level = strength(password, name=name, minimum=minimum)
    assert 0 <= level <= 4
    try:
        check_policy(password, name=name, minimum=minimum)
    except InvalidInput:
        assert level == 0
    else:
        assert level > 0
