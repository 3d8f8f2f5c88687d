"""Passing on one event: real programs, a real HTTP server, a real datagram socket."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from netmon_tui.domain.hook import Hook, HookKind
from netmon_tui.domain.neighbour_event import NeighbourEvent, NeighbourEventKind
from netmon_tui.domain.neighbour_event_documents import neighbour_event_document
from netmon_tui.errors import ToolFailed
from netmon_tui.runtime import hook_process
from netmon_tui.runtime.hooks import pass_on, problem_of
from tests.unit.runtime.network_namespace import drop_capabilities

EVENT = NeighbourEvent(
    datetime(2026, 3, 1, 12, tzinfo=UTC),
    NeighbourEventKind.DUPLICATE,
    "192.0.2.7",
    "eth0",
    "b8:27:eb:00:00:02",
    "b8:27:eb:00:00:01",
    id=7,
)
DOCUMENT = neighbour_event_document(EVENT)


def command(tmp_path: Path, script: str, timeout: int = 10) -> Hook:
    """A hook that runs a shell script."""
    file = tmp_path / "hook"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o700)
    return Hook("mine", HookKind.COMMAND, command=(str(file), "two words", "$HOME"), timeout=timeout)


def carry(hook: Hook, **options: Any) -> str:
    return pass_on(hook, EVENT, DOCUMENT, **options)


# --- programs ----------------------------------------------------------------------------------------


def test_a_program_reads_the_document_and_has_an_environment_of_two_words(tmp_path: Path) -> None:
    script = f'cat > {tmp_path}/got; env > {tmp_path}/env; pwd > {tmp_path}/cwd; echo "$# $2"; echo sent'
    assert carry(command(tmp_path, script)) == "sent"
    assert json.loads((tmp_path / "got").read_text()) == DOCUMENT
    lines = (tmp_path / "env").read_text().splitlines()
    assert {line.partition("=")[0] for line in lines} <= {"PATH", "LANG", "PWD", "_", "SHLVL", "OLDPWD"}
    assert (tmp_path / "cwd").read_text() == "/\n"


def test_arguments_reach_the_program_as_they_are_written(tmp_path: Path) -> None:
    assert carry(command(tmp_path, 'printf "%s|" "$@"')) == "two words|$HOME|"


def test_a_program_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match=r"exit status 3: no route\\x1b\[31m to mail"):
        carry(command(tmp_path, r"echo first; printf 'no route\033[31m to mail\n' >&2; exit 3"))


def test_a_program_that_is_not_there_or_may_not_run(tmp_path: Path) -> None:
    hook = command(tmp_path, "true")
    Path(hook.command[0]).chmod(0o600)
    with pytest.raises(ToolFailed, match="Permission denied"):
        carry(hook)
    assert "may not be executed" in problem_of(hook)
    Path(hook.command[0]).unlink()
    with pytest.raises(ToolFailed, match="No such file"):
        carry(hook)
    assert "there is no program" in problem_of(hook)


def test_a_program_that_hangs_is_killed_with_all_it_started(tmp_path: Path) -> None:
    script = f"sleep 300 & echo $! > {tmp_path}/child; wait"
    began = time.monotonic()
    with pytest.raises(ToolFailed, match="did not end within 1 s"):
        carry(command(tmp_path, script, timeout=1))
    assert time.monotonic() - began < 30
    child = int((tmp_path / "child").read_text())
    ended = time.monotonic() + 30
    while is_running(child):
        assert time.monotonic() < ended, "the child of the hook runs on"
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    """Whether a process runs; one that waits to be buried by init does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_program_that_leaves_something_behind_has_ended_nevertheless(tmp_path: Path) -> None:
    began = time.monotonic()
    assert carry(command(tmp_path, "sleep 300 & echo started")) == "started"
    assert time.monotonic() - began < 60, "it was not waited for what keeps the pipe open"


def test_a_flood_is_read_and_thrown_away(tmp_path: Path) -> None:
    began = time.process_time()
    with pytest.raises(ToolFailed, match="did not end within 2 s") as raised:
        carry(command(tmp_path, "exec yes 'a line of some length that comes again and again'", timeout=2))
    assert len(str(raised.value)) < 1000
    assert time.process_time() - began < 0.25, "and costs this program little"


def test_output_that_is_binary_or_endless_without_lines_is_cut(tmp_path: Path) -> None:
    words = carry(command(tmp_path, "head -c 5000000 /dev/urandom; true"))
    assert len(words) <= 200


def test_a_hook_is_given_up_at_once_when_the_program_ends(tmp_path: Path) -> None:
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    began = time.monotonic()
    with pytest.raises(ToolFailed):
        carry(command(tmp_path, "sleep 60", timeout=50), stopped=stop.is_set)
    assert time.monotonic() - began < 30


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start what it may not kill")
def test_a_program_that_became_another_users_is_left_and_told_of(tmp_path: Path) -> None:
    hook = command(
        tmp_path, f"echo $$ > {tmp_path}/pid; exec setpriv --reuid=65534 --clear-groups sleep 90", timeout=1
    )

    def without_rights() -> None:
        drop_capabilities()
        began = time.monotonic()
        with pytest.raises(ToolFailed, match=r"cannot be killed: process [0-9]+ belongs to another user"):
            carry(hook)
        assert time.monotonic() - began < 30

    with ThreadPoolExecutor(1) as threads:
        threads.submit(without_rights).result(60)
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_no_descriptor_of_ours_reaches_the_program(tmp_path: Path) -> None:
    with (tmp_path / "secret").open("w") as kept:
        os.set_inheritable(kept.fileno(), True)
        assert carry(command(tmp_path, "ls -l /proc/self/fd | grep -c secret; true")) == "0"


# --- URLs --------------------------------------------------------------------------------------------


class Server:
    """A server that remembers what was posted, and answers as it is told."""

    def __init__(
        self, answer: Callable[[BaseHTTPRequestHandler], None], context: ssl.SSLContext | None = None
    ):
        self.posts: list[tuple[str, dict[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.posts.append((self.path, dict(self.headers), body))
                answer(self)

            do_GET = do_POST

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.host = f"127.0.0.1:{self.server.server_port}"


def status(code: int, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code, "\x1b[31mhostile")
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(
        answer: Callable[[BaseHTTPRequestHandler], None], context: ssl.SSLContext | None = None
    ) -> Server:
        servers.append(Server(answer, context))
        return servers[-1]

    yield start
    for server in servers:
        server.server.shutdown()
        server.server.server_close()


def webhook(url: str, timeout: int = 10) -> Hook:
    return Hook("web", HookKind.WEBHOOK, url=url, timeout=timeout)


def test_a_url_is_posted_to(serve: Callable[..., Server]) -> None:
    server = serve(status(204))
    assert carry(webhook(f"http://ada:s%20cret@{server.host}/hook?token=t")) == "the server answered 204"
    ((path, headers, body),) = server.posts
    assert path == "/hook?token=t"
    assert json.loads(body) == DOCUMENT
    assert headers["Content-Type"] == "application/json"
    assert headers["Authorization"] == "Basic YWRhOnMgY3JldA=="
    assert headers["Host"] == server.host


@pytest.mark.parametrize("location", ["file:///etc/passwd", "http://127.0.0.1:9/", "ftp://127.0.0.1/"])
def test_a_redirect_is_not_followed(serve: Callable[..., Server], location: str) -> None:
    server = serve(status(302, Location=location))
    with pytest.raises(ToolFailed, match="answered 302"):
        carry(webhook(f"http://{server.host}/secret"))
    assert len(server.posts) == 1


@pytest.mark.parametrize("code", [400, 404, 500])
def test_a_refusal_is_a_failure_that_tells_no_secret(serve: Callable[..., Server], code: int) -> None:
    server = serve(status(code))
    with pytest.raises(ToolFailed) as raised:
        carry(webhook(f"http://u:sEcret@{server.host}/sEcret?t=sEcret"))
    assert f"answered {code}" in str(raised.value)
    assert "sEcret" not in str(raised.value)
    assert "\x1b" not in str(raised.value)


def test_a_server_that_is_not_there(closed_port: int) -> None:
    with pytest.raises(ToolFailed, match="Connection refused"):
        carry(webhook(f"http://127.0.0.1:{closed_port}/"))


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Ours, so that nobody else comes to listen there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_a_server_that_never_ends_its_answer_is_left(serve: Callable[..., Server]) -> None:
    done = threading.Event()

    def dribble(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not done.wait(0.1):  # each byte begins the patience of a socket anew
            try:
                handler.wfile.write(b"X")
            except OSError:
                return

    server = serve(dribble)
    with pytest.raises(ToolFailed, match="did not end within 2 s"):
        carry(webhook(f"http://{server.host}/", timeout=2))
    done.set()


def test_a_certificate_that_nobody_vouches_for_is_refused(
    serve: Callable[..., Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    words = (
        "req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    )
    made = ["openssl", *words.split(), "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(made, check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = serve(status(200), context)
    url = f"https://localhost:{server.server.server_port}/"
    with pytest.raises(ToolFailed, match="certificate is not to be trusted"):
        carry(webhook(url))
    assert not server.posts
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert carry(webhook(url)) == "the server answered 200"


def test_the_url_is_not_among_the_arguments_that_every_user_sees(serve: Callable[..., Server]) -> None:
    seen: list[str] = []

    def look(handler: BaseHTTPRequestHandler) -> None:
        for process in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                seen.append(process.read_text(errors="replace"))
            except OSError:
                continue
        status(200)(handler)

    secret = f"sEcret{os.getpid()}"  # this looks at the whole machine, not only at this run
    carry(webhook(f"http://{serve(look).host}/{secret}"))
    assert any("hook_post.py" in line for line in seen)
    assert not any(secret in line for line in seen)


# --- the system's log --------------------------------------------------------------------------------


def test_the_system_log_has_one_line_with_the_severity(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(str(tmp_path / "log"))
        log.settimeout(10)
        hook = Hook("log", HookKind.SYSLOG)
        hostile = NeighbourEvent(
            EVENT.time, EVENT.kind, "192.0.2.7\n<0>forged", "eth\x1b0", "a\u202eb", "c", "\u00fc" * 2000
        )
        carry(hook, system_log=tmp_path / "log", left_out=3)
        line = log.recv(65_536).decode("ascii")
        assert line.startswith(f"<26>netmon-tui[{os.getpid()}]: high duplicate: 192.0.2.7 on eth0")
        assert line.endswith(" (3 more were left out)")
        pass_on(hook, hostile, DOCUMENT, system_log=tmp_path / "log")
        line = log.recv(65_536).decode("ascii")
        assert line.isprintable()
        assert len(line) < 1024


def test_a_system_log_that_is_not_there_or_full_is_a_failure(tmp_path: Path) -> None:
    hook = Hook("log", HookKind.SYSLOG)
    with pytest.raises(ToolFailed, match="No such file"):
        carry(hook, system_log=tmp_path / "log")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(str(tmp_path / "log"))
        began = time.monotonic()
        with pytest.raises(ToolFailed):
            for _ in range(10_000):
                carry(hook, system_log=tmp_path / "log")
        assert time.monotonic() - began < 30


def test_the_program_that_posts_needs_no_package() -> None:
    file = Path(hook_process.__file__).with_name("hook_post.py")
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(file)],
        input='{"url": "http://127.0.0.1:1/", "document": {}, "timeout": 5}',
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "Connection refused\n")
