"""One sharkd: started without rights, asked line by line, ended with its whole group."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from netmon_tui.errors import InvalidInput, ToolFailed, ToolMissing
from netmon_tui.runtime.key_log import unnamed
from netmon_tui.runtime.opened import opened
from netmon_tui.runtime.processes import ENVIRONMENT, PRLIMIT, end_process, nobodys_identity
from netmon_tui.tools.sharkd import pack_request, read_reply, type_of

DEADLINE = 5.0
"""Seconds for one answer: start, load and dissection of a window together take a quarter of one."""
SETPRIV = "/usr/bin/setpriv"
"""Of util-linux, as is prlimit. Python's own way is code between fork and exec."""
LARGEST_REPLY = 16 << 20
"""Bytes of a line that are believed. A packet's tree has some ten thousand, but six for each byte of a body that
was put together; the bytes themselves are one and a third more."""
_ADDRESS_SPACE = 4 << 30
"""One gigabyte holds what sharkd keeps of a million packets."""
_NO_NAMES = ("mac_name", "transport_name", "network_name", "dns_pkt_addr_resolution", "vlan_name")
"""Preferences below ``nameres``: what is shown is in the packet, and nothing is asked of the network."""
_A_NUMBER, _ITS_NUMBER = "tcp.reassembled_in", "frame.number"
"""A field whose values are numbers of other packets, and the one with a packet's own."""


class Sharkd:
    """A running sharkd. One question at a time; after an error it is of no more use and has been ended.

    Args:
        process: It, with pipes.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._number = 0
        self.frames = 0
        """Packets of the file that it has loaded."""
        self._types: dict[str, int | None] = {}
        """What it calls the types of fields, as far as it was asked."""

    @classmethod
    async def start(cls, sharkd: str, files: Sequence[int], keys: bytes = b"") -> Self:
        """Start one.

        It ends when we end: its stdin does then, and should it not look, the kernel kills it. That promise is
        bound to the thread that starts it, so call this in the thread of the event loop.

        Args:
            sharkd: Absolute path.
            files: Descriptors that it shall have.
            keys: TLS keys, which it gets as a file without a name.

        Raises:
            ToolMissing: There is no such program, or none that limits it.
            ToolFailed: It does not answer, or refuses a preference.
        """
        for path in (sharkd, PRLIMIT, SETPRIV):
            if not os.access(path, os.X_OK):
                raise ToolMissing(f"{Path(path).name} is not installed", why=f"there is no {path}")
        given = [await opened(lambda: unnamed(keys), os.close)] if keys else []
        try:
            process = await cls._spawn(sharkd, [*files, *given])
        finally:
            for file in given:
                os.close(file)
        started = cls(process)
        try:
            await started._prefer(given)
        except BaseException:
            await started.close()
            raise
        return started

    async def _prefer(self, keys: Sequence[int]) -> None:
        try:
            for name in _NO_NAMES:
                await self.ask("setconf", name=f"nameres.{name}", value="FALSE")
            for file in keys:
                await self.ask("setconf", name="tls.keylog_file", value=f"/proc/self/fd/{file}")
        except InvalidInput as error:  # nobody has entered anything
            raise ToolFailed("sharkd refuses a preference", why=error.why) from error

    @staticmethod
    async def _spawn(sharkd: str, files: Sequence[int]) -> asyncio.subprocess.Process:
        limits = (PRLIMIT, f"--as={_ADDRESS_SPACE}", "--core=0", "--fsize=0", "--")
        zone = {"TZ": os.environ["TZ"]} if "TZ" in os.environ else {}
        return await asyncio.create_subprocess_exec(
            *(*limits, SETPRIV, "--pdeathsig", "KILL", "--", sharkd, "-"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=LARGEST_REPLY,
            pass_fds=tuple(files),
            env={**ENVIRONMENT, **zone},
            cwd="/",
            start_new_session=True,
            **nobodys_identity(),
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def ask(self, method: str, **parameters: object) -> Any:
        """Return the result of a request.

        Raises:
            InvalidInput: It was refused, in sharkd's words.
            ToolFailed: There was no answer in time, or none that can be read; sharkd has been ended.
        """
        number = await self._send(method, **parameters)
        async with self._in_time(DEADLINE):
            answered, result = await self._reply()
            if answered != number:
                raise ToolFailed("sharkd answered another question", why=f"{answered}, not {number}")
        if isinstance(result, InvalidInput):
            raise result
        return result

    async def numbering(self, fields: Sequence[str]) -> Sequence[str]:
        """Return those of some fields whose values are numbers of packets.

        Their type tells: hundreds of fields have it, and among their names are those of flags and of bytes. The
        number of the packet itself is an ordinary number.

        Raises:
            ToolFailed: As :meth:`ask`.
        """
        for name in (_A_NUMBER, *fields):
            if name not in self._types:
                self._types[name] = type_of(await self.ask("complete", field=name), name)
        kind = self._types[_A_NUMBER]
        return [
            name for name in fields if name == _ITS_NUMBER or (kind is not None and self._types[name] == kind)
        ]

    async def load(self, file: int, deadline: float | None = DEADLINE) -> None:
        """Load a file; of one that ends within a packet sharkd loads the rest and does not answer.

        Args:
            file: One of the descriptors that it got.
            deadline: Seconds; None to wait for ever.

        Raises:
            ToolFailed: It cannot be loaded; sharkd has been ended.
        """
        await self._send("load", file=f"/proc/self/fd/{file}")
        last = await self._send("status")
        async with self._in_time(deadline):
            answered = 0
            while answered != last:
                answered, result = await self._reply()
                if isinstance(result, InvalidInput):
                    raise ToolFailed("sharkd cannot load the file", why=result.why)
            try:
                self.frames = int(result["frames"])
            except (TypeError, KeyError, ValueError) as error:
                raise ToolFailed("sharkd's reply cannot be read", why=repr(error)) from error

    async def close(self) -> None:
        """End it and all that it may have started."""
        await end_process(self._process)

    async def _send(self, method: str, **parameters: object) -> int:
        assert self._process.stdin is not None
        line = pack_request(self._number + 1, method, **parameters)
        self._number += 1
        self._process.stdin.write(line)  # shorter than a pipe is deep, so it needs no waiting for
        return self._number

    async def _reply(self) -> tuple[int, Any]:
        assert self._process.stdout is not None
        try:
            line = await self._process.stdout.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            raise ToolFailed("sharkd ended") from error
        except asyncio.LimitOverrunError as error:
            raise ToolFailed("sharkd's reply is too long", why=f"over {LARGEST_REPLY} bytes") from error
        return await asyncio.to_thread(read_reply, line)

    @asynccontextmanager
    async def _in_time(self, seconds: float | None) -> AsyncIterator[None]:
        """End it when an answer is late or wrong, or when nobody waits for it any more."""
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError as error:
            await self.close()
            raise ToolFailed("sharkd does not answer", why=f"not within {seconds:g} s") from error
        except BaseException:
            await self.close()
            raise
