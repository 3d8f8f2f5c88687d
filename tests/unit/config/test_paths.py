"""Paths, private directories, atomic files and the log file."""

import contextlib
import errno
import logging
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from netmon_tui.config.files import atomic_write, create_private
from netmon_tui.config.logging import LOGGER_NAME, configure_logging
from netmon_tui.config.paths import Paths, ensure_private_directory, find_paths
from netmon_tui.errors import DiskFull, StorageError

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to act as another user")


def mode_of(path):
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def paths(tmp_path):
    return find_paths(data_dir=tmp_path / "data", config_file=tmp_path / "config.toml", environ={})


@pytest.fixture(autouse=True)
def strict_umask():
    former = os.umask(0)  # the worst case: nothing is private by itself
    yield
    os.umask(former)


@pytest.fixture
def quiet_logger():
    logger = logging.getLogger(LOGGER_NAME)
    yield logger
    for handler in tuple(logger.handlers):
        logger.removeHandler(handler)
        with contextlib.suppress(OSError):
            handler.close()
    logger.propagate = True
    logger.setLevel(logging.NOTSET)


# --- which paths -------------------------------------------------------------------------------------------


def test_option_beats_environment():
    environ = {"NETMON_TUI_DATA_DIR": "/env/data", "NETMON_TUI_CONFIG": "/env/config.toml"}
    assert find_paths(environ=environ).data == Path("/env/data")
    assert find_paths(environ=environ).config_file == Path("/env/config.toml")
    named = find_paths(data_dir="/option", config_file="/option.toml", environ=environ)
    assert (named.data, named.logs, named.config_file) == (
        Path("/option"),
        Path("/option/log"),
        Path("/option.toml"),
    )


def test_relative_paths_become_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_paths(data_dir="d", environ={}).data == tmp_path / "d"


def test_an_empty_variable_counts_as_unset():
    assert find_paths(environ={"NETMON_TUI_DATA_DIR": ""}) == find_paths(environ={})


@as_root
def test_root_uses_the_system_directories_whatever_xdg_says(monkeypatch):
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, "/home/ada/x")
    paths = find_paths(environ={})
    assert paths.data == Path("/var/lib/netmon-tui")
    assert paths.logs == Path("/var/log/netmon-tui")
    assert paths.config_file == Path("/etc/xdg/netmon-tui/config.toml")


@as_root
def test_a_user_gets_the_xdg_directories():
    script = (
        "import os; from netmon_tui.config.paths import find_paths; find_paths(); os.setuid(65534); "
        "p = find_paths(); print(p.data, p.logs, p.config_file)"
    )
    environ = {"HOME": "/home/ada", "XDG_CONFIG_HOME": "/home/ada/conf"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == [
        "/home/ada/.local/share/netmon-tui",
        "/home/ada/.local/state/netmon-tui/log",
        "/home/ada/conf/netmon-tui/config.toml",
    ]


@as_root
def test_sudo_notice(paths):
    assert str(paths.data) in paths.sudo_notice({"SUDO_UID": "1000", "SUDO_USER": "ada\x1b[2J"})
    assert paths.sudo_notice({"SUDO_UID": "1000", "SUDO_USER": "ada\x1b[2J"}).isprintable()
    assert paths.sudo_notice({}) is None
    assert paths.sudo_notice({"SUDO_UID": "0"}) is None


# --- directories -------------------------------------------------------------------------------------------


def test_ensure_makes_private_directories_and_can_be_repeated(paths):
    paths.ensure()
    paths.ensure()
    assert {mode_of(directory) for directory in paths.directories} == {0o700}
    assert all(directory.is_dir() for directory in paths.directories)


def test_an_empty_directory_or_one_with_our_database_is_closed(paths):
    paths.data.mkdir(mode=0o775)
    paths.ensure()
    assert mode_of(paths.data) == 0o700
    paths.database_file.touch()
    paths.data.chmod(0o755)
    paths.ensure()
    assert mode_of(paths.data) == 0o700


def test_a_directory_full_of_other_things_keeps_its_mode(paths):
    paths.data.mkdir(mode=0o755)
    (paths.data / "somebody.txt").touch()
    paths.ensure()
    assert mode_of(paths.data) == 0o755
    assert mode_of(paths.jobs) == 0o700


@pytest.mark.parametrize(("mode", "why"), [(0o777, "everybody"), (0o1777, "everybody"), (0o770, "group")])
def test_a_directory_that_others_may_write_is_refused(paths, mode, why):
    paths.data.mkdir()
    (paths.data / "somebody.txt").touch()
    paths.data.chmod(mode)
    with pytest.raises(StorageError, match=why) as refused:
        paths.ensure()
    assert refused.value.fix == f"chmod 700 {paths.data}"
    assert mode_of(paths.data) == mode


def test_a_symbolic_link_is_refused_even_to_a_good_directory(paths, tmp_path):
    (tmp_path / "real").mkdir(mode=0o700)
    paths.data.symlink_to(tmp_path / "real")
    with pytest.raises(StorageError, match="symbolic link"):
        paths.ensure()
    assert list((tmp_path / "real").iterdir()) == []


def test_a_dangling_link_and_a_file_are_refused(paths):
    paths.data.symlink_to("nowhere")
    with pytest.raises(StorageError, match="symbolic link"):
        ensure_private_directory(paths.data)
    paths.data.unlink()
    paths.data.touch()
    with pytest.raises(StorageError, match="not a directory"):
        ensure_private_directory(paths.data)


@as_root
def test_a_directory_of_another_user_is_refused(paths):
    paths.data.mkdir(mode=0o700)
    os.chown(paths.data, NOBODY, NOBODY)
    with pytest.raises(StorageError, match="belongs to the user with the id 65534"):
        paths.ensure()


def test_a_directory_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot make the directory"):
        Paths(tmp_path / "file" / "data", tmp_path / "log", tmp_path / "c").ensure()


# --- files -------------------------------------------------------------------------------------------------


def test_atomic_write_replaces_whole_and_private(tmp_path):
    path = tmp_path / "token"
    atomic_write(path, b"one")
    assert mode_of(path) == 0o600
    path.chmod(0o644)
    atomic_write(path, b"two")
    assert path.read_bytes() == b"two"
    assert mode_of(path) == 0o600
    assert os.listdir(tmp_path) == ["token"]


def test_atomic_write_replaces_a_link_and_leaves_its_target(tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / "token").symlink_to(victim)
    atomic_write(tmp_path / "token", b"ours")
    assert victim.read_bytes() == b"precious"
    assert not (tmp_path / "token").is_symlink()


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
@pytest.mark.parametrize(("number", "kind"), [(errno.ENOSPC, DiskFull), (errno.EIO, StorageError)])
def test_a_failing_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, call, number, kind):
    path = tmp_path / "status"
    atomic_write(path, b"old")

    def fail(*_):
        raise OSError(number, os.strerror(number))

    class FailingStream:
        def __init__(self, stream):
            self._stream = stream

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self._stream.close()

        def fileno(self):
            return self._stream.fileno()

        write = staticmethod(fail)

    real_fdopen = os.fdopen
    with monkeypatch.context() as patch:
        if call == "write":
            patch.setattr(os, "fdopen", lambda *a: FailingStream(real_fdopen(*a)))
        else:
            patch.setattr(Path if call == "replace" else os, call, fail)
        with pytest.raises(kind):
            atomic_write(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["status"]


@pytest.mark.lab
@as_root
def test_a_really_full_disk_leaves_the_old_file(tmp_path):
    script = (
        "import os, sys; from pathlib import Path; from netmon_tui.config.files import atomic_write\n"
        "from netmon_tui.errors import DiskFull\n"
        "p = Path(sys.argv[1], 'f'); atomic_write(p, b'old')\n"
        "try: atomic_write(p, bytes(4 << 20))\n"
        "except DiskFull as e: print(p.read_bytes(), os.listdir(p.parent), e.exit_code)\n"
    )
    command = 'mount -t tmpfs -o size=1m none "$1" && exec "$2" -c "$3" "$1"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", command, "sh", str(tmp_path), sys.executable, script],
        capture_output=True,
        text=True,
        timeout=60,
    )
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip(f"no mount namespace here: {done.stderr.strip()}")
    assert done.stdout.strip() == "b'old' ['f'] 5", done.stderr


def test_create_private_refuses_what_exists(tmp_path):
    create_private(tmp_path / "a", b"1")
    assert mode_of(tmp_path / "a") == 0o600
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("a", "link"):
        with pytest.raises(StorageError, match="File exists"):
            create_private(tmp_path / name, b"2")
    assert (tmp_path / "a").read_bytes() == b"1"


# --- the log -----------------------------------------------------------------------------------------------


def test_log_files_are_private_and_rotate(tmp_path, quiet_logger, monkeypatch):
    monkeypatch.setattr("netmon_tui.config.logging.LOG_FILE_BYTES", 2_000)
    configure_logging(tmp_path / "netmon-tui.log", "info")
    for number in range(60):
        logging.getLogger("netmon_tui.runtime").info("line %d %s", number, "x" * 60)
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["netmon-tui.log", "netmon-tui.log.1", "netmon-tui.log.2", "netmon-tui.log.3"]
    assert {mode_of(path) for path in tmp_path.iterdir()} == {0o600}
    assert "line 59" in (tmp_path / "netmon-tui.log").read_text()


def test_foreign_text_cannot_forge_a_line_or_reach_a_terminal(tmp_path, quiet_logger):
    log = tmp_path / "netmon-tui.log"
    configure_logging(log, "warning")
    quiet_logger.info("not this")
    quiet_logger.warning("host %s", "a\n2030-01-01 00:00:00 WARNING forged\x1b]52;c;x\x07\x9b\u202e")
    lines = log.read_text().splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("    2030")
    assert all(line.isprintable() for line in lines)


def test_configuring_again_replaces_file_and_level(tmp_path, quiet_logger):
    configure_logging(tmp_path / "a", "info")
    configure_logging(tmp_path / "b", "debug")
    quiet_logger.debug("hello")
    assert (tmp_path / "a").read_text() == ""
    assert "hello" in (tmp_path / "b").read_text()
    assert len(quiet_logger.handlers) == 1


def test_a_log_that_is_a_link_is_refused(tmp_path, quiet_logger):
    (tmp_path / "log").symlink_to(tmp_path / "victim")
    with pytest.raises(StorageError, match="cannot write"):
        configure_logging(tmp_path / "log")
    assert not (tmp_path / "victim").exists()


def test_a_full_disk_does_not_disturb(quiet_logger, capfd):
    configure_logging(Path("/dev/full"), "info")
    quiet_logger.info("lost")
    assert capfd.readouterr() == ("", "")
