"""Runs one command inside the lab: ``python -I -S enter.py HOLDER HOST -- COMMAND ARGUMENT...``.

Why not ``nsenter``: it hands no signal on and, killed, leaves its command running. This program forwards the
signals that were sent to it (not those the terminal gave to the whole group), keeps the working directory,
ends as its command ended, and takes the command with it when it is killed. Standard library only.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from contextlib import suppress

CLONE_NEWUSER, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID = 0x10000000, 0x40000000, 0x00020000, 0x20000000
PR_SET_PDEATHSIG = 1
SI_USER, SI_TKILL = 0, -6
FORWARDED = {
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGWINCH,
}

_libc = ctypes.CDLL(None, use_errno=True)


def setns(descriptor: int, kind: int) -> None:
    """Moves this thread into a namespace (``os.setns`` came with Python 3.12).

    Raises:
        OSError: As in setns(2).
    """
    if _libc.setns(descriptor, kind) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"setns: {os.strerror(error)}")


def enter(holder: int, host: str) -> None:
    """Enters the holder's namespaces and the host's network; the next child is in the PID namespace."""
    base = f"/proc/{holder}"
    net = f"{base}/ns/net" if host == "scan" else f"{base}/root/run/netns/{host}"
    here = os.getcwd()
    steps = [(net, CLONE_NEWNET), (f"{base}/ns/pid", CLONE_NEWPID), (f"{base}/ns/mnt", CLONE_NEWNS)]
    user = f"{base}/ns/user"
    if not os.path.samestat(os.stat(user), os.stat("/proc/self/ns/user")):
        steps.insert(0, (user, CLONE_NEWUSER))
    opened = [(os.open(path, os.O_RDONLY | os.O_CLOEXEC), kind) for path, kind in steps]
    for descriptor, kind in opened:
        setns(descriptor, kind)
        os.close(descriptor)
    os.chdir(here)  # the new mount namespace starts us at its root


def become(argv: list[str], mask: set[signal.Signals]) -> None:
    """In the child: dies with its parent, gets its signals back, and becomes the command."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    try:
        os.execvp(argv[0], argv)
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
        os._exit(127)


def watch(child: int) -> int:
    """Forwards signals until the child has ended; its wait status."""
    while True:
        info = signal.sigwaitinfo(FORWARDED | {signal.SIGCHLD})
        if info.si_signo == signal.SIGCHLD:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return status
        elif info.si_code in (SI_USER, SI_TKILL):
            with suppress(ProcessLookupError):
                os.kill(child, info.si_signo)


def end_like(status: int) -> None:
    """Exits, or dies by the same signal, as the child did."""
    if os.WIFSIGNALED(status):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        number = os.WTERMSIG(status)
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def main(arguments: list[str]) -> None:
    """Enters, forks, watches, ends."""
    holder, host, dashes, *argv = arguments
    if dashes != "--" or not argv:
        sys.exit("usage: enter.py HOLDER HOST -- COMMAND ARGUMENT...")
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED | {signal.SIGCHLD})
    try:
        enter(int(holder), host)
    except OSError as error:
        sys.exit(f"cannot enter {host!r} of the lab held by {holder}: {error}")
    child = os.fork()
    if child == 0:
        become(argv, {signal.Signals(number) for number in mask})
    end_like(watch(child))


if __name__ == "__main__":
    main(sys.argv[1:])
