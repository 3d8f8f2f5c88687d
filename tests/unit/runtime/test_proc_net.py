"""What stands under /proc/net, also where it is not understood."""

import logging
from pathlib import Path

import pytest

from netmon_tui.runtime import proc_net
from netmon_tui.runtime.interfaces import Counters, SshSession, gateways_in_routes, interface_counters
from netmon_tui.runtime.session_route import ssh_connections

FILES = {
    "route": "Iface\tDestination ...\n"
    "eth0\t00000000\t0102\n"
    "eth0\t00000000\t1FFFFFFFFF\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
    "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n",
    "ipv6_route": f"{'0' * 32} 00 {'0' * 32} 00 fe80 {'0' * 8} 1 1 00000003 eth0\n\x1b[2J\n",
    "dev": "Inter-|\n face |\neth0: many\neth1: 7 8 0 0 0 0 0 0 5 6 0 0 0 0 0 0\n",
    "tcp": "  sl\n"
    "   0: nonsense\n"
    "   1: 0100007F:0016 0200007F:C350 01 0:0 0:0 0 0 0 1\n"
    "   2: 0100007F:0016 02XX007F:C350 01 0:0 0:0 0 0 0 1\n",
}


@pytest.fixture
def odd_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, written in FILES.items():
        (tmp_path / name).write_text(written)
    (tmp_path / "tcp6").mkdir()
    monkeypatch.setattr(proc_net, "_PROC_NET", tmp_path)
    monkeypatch.setattr(proc_net, "_told", set())
    monkeypatch.setattr(logging.getLogger("netmon_tui"), "propagate", True)
    return tmp_path


def test_lines_that_are_not_understood_are_told_once_and_left_out(
    odd_files: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert gateways_in_routes() == {("eth0", "192.0.2.1")}
            assert interface_counters() == {"eth1": Counters(8, 7, 6, 5)}
            assert list(ssh_connections({22})) == [SshSession("127.0.0.2", 50_000, "127.0.0.1", 22)]
    told = [record.getMessage() for record in caplog.records]
    assert [line.split(":")[0] for line in told] == [
        f"/proc/net/{name}" for name in ("route", "ipv6_route", "dev", "tcp", "tcp6")
    ]
    assert "line 2 is not understood: eth0" in told[0]
    assert "\x1b" not in "".join(told)


def test_a_kernel_without_ipv6_is_nothing_to_tell(odd_files: Path, caplog: pytest.LogCaptureFixture) -> None:
    (odd_files / "ipv6_route").unlink()
    (odd_files / "route").write_text(FILES["route"].splitlines()[0])
    assert gateways_in_routes() == set()
    assert not caplog.records
