"""What a capture can be asked for, on how many interfaces, and ``capture again``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.following import interruptible, run_to_end
from netmon_tui.cli.output import print_json, say
from netmon_tui.cli.sizes import BUFFER, BYTES
from netmon_tui.domain.capture import Capture, CaptureFormat, Direction, StartCapture
from netmon_tui.domain.capture_documents import capture_document
from netmon_tui.domain.counted import counted

if TYPE_CHECKING:
    from netmon_tui.config.sections import CaptureSettings
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services

F = TypeVar("F", bound=Callable[..., Any])


_COUNT = click.IntRange(min=1)
_ASKED = (
    click.option("--filter", default="", metavar="BPF", help="tcpdump's filter language."),
    click.option("--packets", type=_COUNT, metavar="N", help="Stop after so many packets."),
    click.option(
        "--duration",
        "seconds",
        type=click.FloatRange(min=0.1),
        metavar="S",
        help="Stop after so many seconds.",
    ),
    click.option("--size", type=BYTES, metavar="SIZE", help="Stop when the file has so many bytes: 10M."),
    click.option(
        "--snaplen",
        type=_COUNT,
        metavar="N",
        help="Keep so many bytes of each packet.",
    ),
    click.option("--buffer", "buffer_kib", type=BUFFER, metavar="SIZE", help="Kernel buffer: KiB, or 8M."),
    click.option(
        "--direction",
        type=click.Choice([one.value for one in Direction]),
        default=Direction.BOTH.value,
        show_default=True,
        help="Only packets that come in, or that go out.",
    ),
    click.option(
        "--promiscuous/--no-promiscuous",
        default=True,
        show_default=True,
        help="Also packets for other machines.",
    ),
    click.option("--nanoseconds", is_flag=True, help="Keep times in nanoseconds."),
    click.option(
        "--format",
        type=click.Choice([one.value for one in CaptureFormat]),
        default=CaptureFormat.PCAP.value,
        show_default=True,
        help="pcapng is written by dumpcap and has the packets of several interfaces, each with its name.",
    ),
    click.option(
        "--immediate",
        is_flag=True,
        help="Each packet as it comes, not in blocks; costs three times the processor time.",
    ),
    click.option("--include-own-ssh", is_flag=True, help="Keep the packets of your own SSH session."),
)


def request_options(command: F) -> F:
    """Give a command the options that say what to capture and how long; it gets them as ``**asked``."""
    for option in reversed(_ASKED):
        command = option(command)
    return command


def request_of(settings: CaptureSettings, interface: str, asked: dict[str, Any]) -> StartCapture:
    """Return what :func:`request_options` were set to."""
    given = {name: value for name, value in asked.items() if value is not None}
    chosen = {
        "direction": Direction(asked["direction"]),
        "format": CaptureFormat(asked["format"]),
        "buffer_kib": asked["buffer_kib"] or settings.buffer_kib,
        "include_own_ssh": asked["include_own_ssh"] or settings.include_own_ssh,
    }
    return StartCapture(interface, **given | chosen)


async def run_all(
    services: Services, actor: Actor, request: StartCapture, interfaces: Sequence[str]
) -> list[Capture]:
    """Capture on every interface until all have ended, or Ctrl-C stops them."""

    async def describe() -> str:
        return "; ".join([await _describe(services, actor, one) for one in started])

    async def stop() -> None:
        for one in started:
            if not (await services.capturing.get(actor, one.id)).state.is_final:
                await services.capturing.stop(actor, one.id)

    async def ended() -> list[Capture]:
        return list(await asyncio.gather(*(services.capturing.wait(actor, one.id) for one in started)))

    with interruptible() as pressed:
        started = await services.starts.on_each(actor, request, interfaces)
        for one in started:
            tagged = f", tagged {' '.join(one.tags)}" if one.tags else ""
            say(f"capture {one.id} runs on {one.interface}{tagged}: Ctrl-C stops it")
        return await run_to_end(ended(), stop=stop, describe=describe, pressed=pressed)


async def _describe(services: Services, actor: Actor, started: Capture) -> str:
    now = await services.capturing.get(actor, started.id)
    dropped = f", {now.counters.dropped} dropped" if now.counters.dropped else ""
    return (
        f"capture {started.id}: {counted(now.packets, 'packet')}, {now.counters.bytes} bytes on disk{dropped}"
    )


@click.command()
@click.argument("capture_id", metavar="ID", type=int)
@click.option(
    "--buffer",
    default="",
    metavar="SIZE",
    help="Another kernel buffer, as 2x or 32M: a capture that still runs is stopped first.",
)
@json_option
@pass_line
def again(line: CommandLine, capture_id: int, buffer: str, as_json: bool) -> None:
    """Start a capture again as it was asked for, print its id and return; it goes on by itself."""
    begun = line.run(
        lambda services, actor: services.starts.again(actor, capture_id, buffer=buffer), follow=True
    )
    if as_json:
        print_json(capture_document(begun))
        return
    say(begun.note)
    print(begun.id)
