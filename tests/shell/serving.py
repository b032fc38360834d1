"""A server as a process of its own, for what is measured; not in the way of who measures."""

import asyncio
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.conftest import free_port
from tests.faults.world import GAITWAY


@asynccontextmanager
async def serving(
    settings: str, command: tuple[str, ...] = (GAITWAY, "serve")
) -> AsyncIterator[tuple[str, int]]:
    """Run a server with a config.toml of its own; yields its URL and process."""
    with TemporaryDirectory() as folder:
        path, port = Path(folder, "config.toml"), free_port()
        path.write_text(settings)  # noqa: ASYNC240  before anything runs
        server = await asyncio.create_subprocess_exec(
            *(*command, "--config", str(path), "--port", str(port)), stdout=PIPE
        )
        assert server.stdout is not None
        try:
            while b"ws://" not in (line := await server.stdout.readline()):
                assert line, "the server ended before it listened"
            yield f"ws://127.0.0.1:{port}", server.pid
        finally:
            server.terminate()
            await server.communicate()
