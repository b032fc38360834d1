"""A server, a process of its own, that is killed and started again."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

import httpx
import stamina

from stream.model.artifact import SHIPPED
from tests.conftest import free_port
from tests.faults.phones import Player

GAITWAY = str(Path(sys.executable).parent / "gaitway")


class Server:
    """`gaitway serve` as a process of its own, on one port and one journal for good."""

    def __init__(
        self, folder: Path, *options: str, artifact: Path = SHIPPED, settings: str = ""
    ) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "config.toml").write_text(settings)
        self.port = free_port()
        self.url = f"ws://127.0.0.1:{self.port}"
        self.http = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self.artifact = artifact
        self._options = options
        self._process: Process | None = None

    async def __aenter__(self) -> "Server":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process is not None and self._process.returncode is None:
            await self.kill()

    async def start(self) -> None:
        """Start it; return once it listens."""
        self._process = await asyncio.create_subprocess_exec(
            *(GAITWAY, "serve", "--port", str(self.port), "--artifact", str(self.artifact)),
            *self._options,
            stdout=PIPE,
            cwd=self.folder,
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(60):
            while b"ws://" not in (line := await self._process.stdout.readline()):
                assert line, "the server ended before it listened"

    async def joined(self) -> None:
        """Wait until it has joined its broker, if it has one: before, no frame is kept for it."""
        # aiomqtt lets go late of sockets that a killed broker closed, and by their numbers: where
        # ours has got such a number, asyncio never says that it is connected, and we ask again.
        again = (AssertionError, httpx.ConnectTimeout)
        async for attempt in stamina.retry_context(on=again, attempts=None, timeout=30):
            with attempt:
                async with httpx.AsyncClient(base_url=self.http, timeout=2) as client:
                    assert (await client.get("/readyz")).json()["mqtt"] != "reconnecting"

    async def judge_history(self, phones: list[Player]) -> None:
        """Assert that its history of each phone is that of an unbroken run, in order."""
        for phone in phones:
            kept = [event["id"] for event in await self.history(phone.device)]
            expected = [message["id"] for message in phone.expected]
            assert kept[: len(expected)] == expected
            assert len(kept) <= len(expected) + 1  # the session's end

    async def kill(self) -> None:
        """End it at once, as a power cut would."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> int | None:
        """End it in order; return its exit code."""
        assert self._process is not None
        self._process.terminate()
        async with asyncio.timeout(5):
            return await self._process.wait()

    async def history(self, device: str) -> list[dict[str, Any]]:
        """Page through all that it keeps of a device."""
        found: list[dict[str, Any]] = []
        async with httpx.AsyncClient(base_url=self.http, timeout=30) as client:
            after: str | None = ""
            while after is not None:
                query = {"device": device, "limit": "50", "after": after}
                page = (await client.get("/v1/events", params=query)).raise_for_status().json()
                found += page["events"]
                after = page["next"]
        return found
