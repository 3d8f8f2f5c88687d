"""The services without a face: ``python headless.py DATA_DIR``, one JSON question a line in, one answer out."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from netmon_tui.config.paths import find_paths
from netmon_tui.config.settings import load_settings
from netmon_tui.domain.capture import StartCapture
from netmon_tui.domain.capture_documents import capture_document
from netmon_tui.domain.documents import scan_document
from netmon_tui.domain.scan import StartScan
from netmon_tui.domain.user import Actor
from netmon_tui.errors import NetmonError
from netmon_tui.services.container import Services, open_services


class Answers:
    """What can be asked."""

    def __init__(self, services: Services, actor: Actor) -> None:
        self._services = services
        self._actor = actor

    async def pid(self) -> int:
        return os.getpid()

    async def start_scan(self, **request: Any) -> int:
        request["targets"] = tuple(request["targets"])
        return (await self._services.scanning.start(self._actor, StartScan(**request))).id

    async def start_capture(self, **request: Any) -> int:
        return (await self._services.capturing.start(self._actor, StartCapture(**request))).id

    async def repeat_scan(self, number: int) -> int:
        return (await self._services.scanning.repeat(self._actor, number)).id

    async def scan(self, number: int) -> Any:
        found = await self._services.scans.get(self._actor, number)
        return scan_document(found, await self._services.scans.whole_hosts(self._actor, number))

    async def capture(self, number: int) -> Any:
        found = await self._services.capturing.get(self._actor, number)
        protocols = dict(found.counters.protocols)
        return {**capture_document(found), "protocols": protocols, "end_reason": found.end_reason}

    async def stop_scan(self, number: int) -> None:
        await self._services.scanning.stop(self._actor, number)

    async def stop_capture(self, number: int) -> None:
        await self._services.capturing.stop(self._actor, number)

    async def wait_scan(self, number: int) -> str:
        return (await self._services.scanning.wait(self._actor, number)).state

    async def wait_capture(self, number: int) -> str:
        return (await self._services.capturing.wait(self._actor, number)).state


async def _serve(data: str) -> None:
    paths = find_paths(data_dir=data)
    services = open_services(load_settings(file=paths.config_file), paths)
    try:
        actor = await services.accounts.actor_for_token(paths.token_file.read_text().strip())
        assert actor is not None
        await services.supervisor.start()
        answers = Answers(services, actor)
        while line := await asyncio.to_thread(sys.stdin.readline):
            question = json.loads(line)
            try:
                answer = {"ok": await getattr(answers, question.pop("do"))(**question)}
            except NetmonError as error:
                answer = {"error": str(error)}
            print(json.dumps(answer), flush=True)
    finally:
        await services.close()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
