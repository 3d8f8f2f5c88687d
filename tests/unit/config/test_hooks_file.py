"""The file of hooks: what it may say, and who may have written it."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netmon_tui.config.hooks_file import MOST_HOOKS, read_hooks, stamp
from netmon_tui.domain.check import Check, CheckStatus
from netmon_tui.domain.comparison import Severity
from netmon_tui.domain.hook import Hook, HookKind
from netmon_tui.domain.neighbour_event import NeighbourEvent, NeighbourEventKind
from netmon_tui.errors import InvalidInput, NetmonError, StorageError
from netmon_tui.services.neighbour_hooks import hook_checks

COMMAND = '[[hook]]\nname = "mail"\nkind = "command"\ncommand = ["/bin/mail", "root"]\n'
WEBHOOK = '[[hook]]\nname = "chat"\nkind = "webhook"\nurl = "https://u:secret@chat.example/x?token=secret"\n'
SYSLOG = '[[hook]]\nname = "log"\nkind = "syslog"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "hooks.toml"


def read(file: Path, text: str) -> tuple[Hook, ...]:
    file.write_text(text)
    file.chmod(0o600)
    return read_hooks(file)


def test_a_file_that_is_not_there_has_no_hooks(file: Path) -> None:
    assert read_hooks(file) == ()
    assert stamp(file) == ()


def test_the_three_kinds_with_their_defaults(file: Path) -> None:
    mail, chat, log = read(file, COMMAND + WEBHOOK + SYSLOG)
    assert mail == Hook("mail", HookKind.COMMAND, command=("/bin/mail", "root"))
    assert (mail.least, mail.timeout, mail.per_minute, mail.events) == (Severity.LOW, 10, 6, ())
    assert (mail.target, chat.target, log.target) == (
        "/bin/mail", "https://chat.example", "the system's log"
    )  # fmt: skip


def test_everything_can_be_said(file: Path) -> None:
    more = 'events = ["changed", "duplicate"]\nleast = "medium"\ntimeout = 60\nper_minute = 600\n'
    (hook,) = read(file, SYSLOG + more)
    assert hook.events == (NeighbourEventKind.CHANGED, NeighbourEventKind.DUPLICATE)
    assert (hook.least, hook.timeout, hook.per_minute) == (Severity.MEDIUM, 60, 600)


def test_who_names_kinds_gets_them_however_light_they_are(file: Path) -> None:
    (hook,) = read(file, WEBHOOK + 'events = ["gone", "back"]\n')
    gone = NeighbourEvent(
        datetime.now(UTC), NeighbourEventKind.GONE, "192.0.2.1", "eth0", "b8:27:eb:00:00:01"
    )
    assert (hook.least, hook.wants(gone)) == (Severity.INFO, True)
    assert hook_checks(file) == [Check("hooks", CheckStatus.OK, "1 hook")]
    file.write_text(SYSLOG + 'events = ["gone"]\nleast = "low"\n')
    (check,) = hook_checks(file)
    assert "no hook is called" in check.detail
    assert "keeps out gone, which is info" in check.detail


def test_a_hook_of_which_some_kinds_are_kept_out_is_called_and_warned_of(file: Path) -> None:
    (hook,) = read(file, WEBHOOK + 'events = ["new", "gone"]\nleast = "low"\n')
    assert hook.events == (NeighbourEventKind.NEW, NeighbourEventKind.GONE)
    (check,) = hook_checks(file)
    assert (check.status, check.detail.partition(": ")[2]) == (
        CheckStatus.WARN,
        "least = 'low' keeps out gone",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[hook]]\nname = \n", "line 2"),
        (SYSLOG + 'events = ["gone", "moved"]\nleast = "low"\n', "contradict each other: least .* keeps out gone"),
        (COMMAND + "comand = 1\n", r"hook 1 \('mail'\): unknown key 'comand' \(did you mean command"),
        (SYSLOG + COMMAND.replace("mail", "a b"), r"hook 2 \('a b'\): name = 'a b' is not allowed"),
        ('[[hook]]\nkind = "syslog"\n', "hook 1: name is missing"),
        ('[[hook]]\nname = "x"\n', "kind is missing .it is command, webhook, syslog"),
        (SYSLOG.replace("syslog", "sislog"), "kind = 'sislog' is not allowed"),
        (SYSLOG + 'least = "grave"\n', "least = 'grave'"),
        (SYSLOG + 'least = ["low"]\n', "least = "),
        (SYSLOG + 'events = ["chnged"]\n', "events"),
        (SYSLOG + 'events = "changed"\n', "events"),
        (SYSLOG + "timeout = 0\n", "timeout = 0 is not allowed .allowed is a whole number from 1 to 60"),
        (SYSLOG + "timeout = 61\n", "timeout"),
        (SYSLOG + "timeout = true\n", "timeout"),
        (SYSLOG + "timeout = 1.5\n", "timeout"),
        (SYSLOG + "per_minute = 601\n", "per_minute"),
        (SYSLOG + SYSLOG, "two hooks are called 'log'"),
        (SYSLOG + 'url = "http://x/"\n', "a syslog has no url"),
        (COMMAND.replace('["/bin/mail", "root"]', '"/bin/mail root"'), "no shell"),
        (COMMAND.replace('["/bin/mail", "root"]', "[]"), "command is not allowed"),
        (COMMAND.replace("/bin/mail", "mail"), "whole path"),
        (COMMAND.replace('"root"', "1"), "command is not allowed"),
        (COMMAND.replace('"root"', '"\\u0000"'), "command is not allowed"),
        (WEBHOOK.replace("https:", "file:"), "url is not allowed"),
        (WEBHOOK.replace("https:", "ftp:"), "url is not allowed"),
        (WEBHOOK.replace("chat.example", ""), "url is not allowed"),
        (WEBHOOK.replace("chat.example", "chat.example:x"), "url is not allowed"),
        (WEBHOOK.replace("chat.example", "[chat.example"), "url is not allowed"),
        (WEBHOOK.replace("token=", "token= "), "url is not allowed"),
        ("[hook]\nname = 'x'\n", r"write \[\[hook\]\]"),
        ("hook = 1\n", r"write \[\[hook\]\]"),
        ("[hooks]\n", "unknown section 'hooks'"),
        ("".join(SYSLOG.replace("log", f"log{n}", 1) for n in range(MOST_HOOKS + 1)), "21 hooks"),
        ("# " + "x" * 70_000, "too large"),
        ("[" * 50_000, "not TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_without_secrets(file: Path, text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as raised:
        read(file, text)
    assert str(file) in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_file_that_others_may_write_is_refused(file: Path) -> None:
    read(file, SYSLOG)
    for mode in (0o620, 0o602, 0o666):
        file.chmod(mode)
        with pytest.raises(StorageError, match=r"others may write to it .*chmod go-w"):
            read_hooks(file)
    file.chmod(0o644)
    assert read_hooks(file), "to read it is no harm"


def test_a_file_in_a_directory_that_others_may_write_is_refused(file: Path) -> None:
    read(file, SYSLOG)
    file.parent.chmod(0o777)
    with pytest.raises(StorageError, match="others may write to its directory"):
        read_hooks(file)
    file.parent.chmod(0o1777)
    assert read_hooks(file), "as in /tmp, where nobody can replace another's file"
    file.parent.chmod(0o700)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_somebody_else_is_refused(file: Path) -> None:
    read(file, SYSLOG)
    os.chown(file, 65_534, 65_534)
    with pytest.raises(StorageError, match="belongs to the user with the id 65534"):
        read_hooks(file)


def test_what_is_no_file_is_refused_and_holds_up_nobody(file: Path) -> None:
    os.mkfifo(file, 0o600)
    with pytest.raises(StorageError, match="no ordinary file"):
        read_hooks(file)
    file.unlink()
    file.mkdir()
    with pytest.raises(StorageError, match="no ordinary file"):
        read_hooks(file)


def test_a_link_is_followed_to_a_file_that_is_held_to_the_same(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    other.write_text(SYSLOG)
    other.chmod(0o666)
    file.symlink_to(other)
    with pytest.raises(StorageError, match="others may write to it"):
        read_hooks(file)


@given(st.text(max_size=400) | st.binary(max_size=400))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_makes_it_fail_otherwise(file: Path, text: str | bytes) -> None:
    file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    file.chmod(0o600)
    try:
        assert isinstance(read_hooks(file), tuple)
    except NetmonError as error:
        assert str(file) in str(error)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_KEYS = ("name", "kind", "events", "least", "command", "url", "timeout", "per_minute")


@given(st.dictionaries(st.sampled_from(_KEYS), _VALUES | st.sampled_from(("syslog", "webhook", "command"))))
def test_no_values_make_it_fail_otherwise(values: dict[str, object]) -> None:
    from netmon_tui.config.hooks_file import _hooks

    try:
        assert len(_hooks({"hook": [values]})) == 1
    except InvalidInput:
        pass
