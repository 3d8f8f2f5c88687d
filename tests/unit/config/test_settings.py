"""Settings: precedence, refusals that help, and the file that `config init` writes."""

import re
import tomllib

import pytest

from netmon_tui.config.settings import SECTIONS, Settings, default_toml, load_settings
from netmon_tui.errors import InvalidInput, StorageError


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "config.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_defaults_without_any_source():
    settings = load_settings(environ={}, file=None)
    assert settings == Settings()
    assert settings.accounts.minimum_password_length == 15
    assert settings.accounts.registration == "closed"
    assert settings.scans.maximum_addresses == 65_536
    assert settings.captures.include_own_ssh is False
    assert settings.source_of("accounts.registration") == "default"


def test_flag_beats_environment_beats_file_beats_default(write):
    file = write("[accounts]\nidle_lock_minutes = 1\nlockout_after = 7\nsession_hours = 3\n")
    settings = load_settings(
        file=file,
        environ={"NETMON_TUI_ACCOUNTS_IDLE_LOCK_MINUTES": "2", "NETMON_TUI_ACCOUNTS_LOCKOUT_AFTER": "8"},
        flags={"accounts.idle_lock_minutes": "3"},
    )
    accounts = settings.accounts
    assert (accounts.idle_lock_minutes, accounts.lockout_after, accounts.session_hours) == (3, 8, 3)
    assert accounts.minimum_password_length == 15
    assert settings.source_of("accounts.idle_lock_minutes") == "flag accounts.idle_lock_minutes"
    assert settings.source_of("accounts.lockout_after") == "environment NETMON_TUI_ACCOUNTS_LOCKOUT_AFTER"
    assert settings.source_of("accounts.session_hours") == f"file {file}"
    assert settings.source_of("accounts.minimum_password_length") == "default"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[acounts]\n", "did you mean accounts?"),
        ("[accounts]\nregistraton = 'open'\n", "did you mean accounts.registration?"),
        ("[scans]\nmax_addresses = 1\n", "did you mean scans.maximum_addresses?"),
        ("[zzzzzz]\n", "known are storage, accounts"),
        ("interface = 1\n", "write [interface]"),
        ("[accounts]\nminimum_password_length = 7\n", "a whole number from 8 to 128"),
        ("[accounts]\nminimum_password_length = '15'\n", "a whole number from 8 to 128"),
        ("[accounts]\nminimum_password_length = true\n", "a whole number from 8 to 128"),
        ("[accounts]\nregistration = 'Open'\n", '"closed", "approval", "open"'),
        ("[captures]\ninclude_own_ssh = 1\n", "true or false"),
        ("[interface]\nrefresh_per_second = nan\n", "a number from 0.1 to 20"),
        ("[interface]\nrefresh_per_second = 1" + "0" * 400 + "\n", "a number from 0.1 to 20"),
        ("[scans]\nmemory_limit_bytes = 99999999999999999999\n", "at least 0"),
        ("[interface]\ntheme = ['a']\n", "text"),
        ("[interface]\ntheme = 'a\\u001b]0;x'\nx = ", "not TOML"),
        ('[interface]\ntheme = "a\\u001b]0;x"\n', "allowed is text"),
        ("[keys]\n'table.down' = 3\n", "write"),
        ("a = [" * 5000, "not TOML"),
        (b"\xff\xfe\x00", "not TOML"),
        (b"#" * (1024**2 + 1), "too large"),
    ],
)
def test_a_bad_file_is_refused_with_place_and_help(write, text, words):
    file = write(text)
    with pytest.raises(InvalidInput) as refused:
        load_settings(file=file, environ={})
    assert str(file) in str(refused.value)
    assert words in str(refused.value)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 600


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("NETMON_TUI_ACCOUNTS_REGISTRATON", "NETMON_TUI_ACCOUNTS_REGISTRATION"),
        ("NETMON_TUI_LOG_LEVEL", "NETMON_TUI_LOGGING_LEVEL"),
    ],
)
def test_a_misspelt_variable_is_refused(name, words):
    with pytest.raises(InvalidInput, match=words):
        load_settings(environ={name: "open"})


def test_variables_that_are_no_settings_are_left_alone():
    environ = {"NETMON_TUI_DATA_DIR": "/x", "NETMON_TUI_USER": "ada", "NETMON_TUI_WRAPPER": "1", "HOME": "/"}
    assert load_settings(environ=environ) == Settings()


@pytest.mark.parametrize(("text", "value"), [("yes", True), ("0", False), ("TRUE", True), ("off", False)])
def test_truth_in_the_environment(text, value):
    assert load_settings(environ={"NETMON_TUI_INTERFACE_MOUSE": text}).interface.mouse is value


@pytest.mark.parametrize("text", ["maybe", "", "2"])
def test_what_is_no_truth_is_refused(text):
    with pytest.raises(InvalidInput, match="NETMON_TUI_INTERFACE_MOUSE"):
        load_settings(environ={"NETMON_TUI_INTERFACE_MOUSE": text})


def test_an_unknown_flag_is_refused():
    with pytest.raises(InvalidInput, match=r"did you mean accounts\.registration"):
        load_settings(environ={}, flags={"account.registration": "open"})


def test_a_missing_file_is_defaults_unless_it_was_named(tmp_path):
    missing = tmp_path / "config.toml"
    assert load_settings(environ={}, file=missing) == Settings()
    with pytest.raises(InvalidInput, match="does not exist"):
        load_settings(environ={}, file=missing, file_required=True)


def test_a_file_that_cannot_be_read_is_a_storage_error(tmp_path):
    with pytest.raises(StorageError, match="Is a directory"):
        load_settings(environ={}, file=tmp_path)


def test_keys_may_be_quoted_or_nested(write):
    settings = load_settings(environ={}, file=write('[keys]\n"table.down" = "j,down"\napp.quit = "f10"\n'))
    assert dict(settings.keys) == {"table.down": "j,down", "app.quit": "f10"}
    assert ("keys.app.quit", "f10", settings.source_of("keys.app.quit")) in list(settings.rows())


def test_low_bandwidth_repaints_once_a_second(write):
    settings = load_settings(environ={}, file=write("[interface]\nlow_bandwidth = true\n"))
    assert settings.interface.repaints_per_second == 1.0
    assert Settings().interface.repaints_per_second == 4.0


def test_the_password_of_a_database_is_never_shown(write):
    file = write('[storage]\nurl = "postgresql://ada:s3cr@t:x@db/netmon"\n')
    settings = load_settings(environ={}, file=file)
    assert settings.storage.url == "postgresql://ada:s3cr@t:x@db/netmon"
    shown = {key: value for key, value, _ in settings.rows()}
    assert shown["storage.url"] == "postgresql://ada:***@db/netmon"
    with pytest.raises(InvalidInput) as refused:
        load_settings(environ={"NETMON_TUI_STORAGE_URL": "postgresql://ada:s3cret@db/\n"})
    assert "s3cret" not in str(refused.value)


def test_the_written_file_is_valid_and_says_every_default(write):
    text = default_toml()
    assert load_settings(environ={}, file=write(text)) == Settings()
    commented_out = re.sub(r"(?m)^# (?=[a-z_]+ = )", "", text)
    values = tomllib.loads(commented_out)
    assert set(values) == {*SECTIONS, "keys"}
    settings = load_settings(environ={}, file=write(commented_out))
    assert {key for key, _, source in settings.rows() if source == "default"} == set()
    assert [row[:2] for row in settings.rows()] == [row[:2] for row in Settings().rows()]
