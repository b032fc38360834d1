"""Phones that are servers themselves are called, and called again; a module for each transport."""

import asyncio
import time
from collections.abc import Sequence
from typing import Protocol

import stamina

from stream import config
from stream.dial.line import CHANNEL, Line
from stream.dial.phones import Phone, listed
from stream.errors import UnreachableError
from stream.hub import Hub
from stream.sensor_apps.dialects import sensor_server

__all__ = ["CHANNEL", "Dialler", "Phone", "listed"]

STEADY_S = 10.0  # a connection that held so long starts the waiting times anew


class Caller(Protocol):
    """How an app is spoken to; lives as long as the service."""

    async def serve(self) -> None:
        """Serve one connection, until cancelled; raises UnreachableError when it breaks."""


class Dialler:
    """Calls to phones, kept up for as long as `run` runs; one that is off disturbs nobody."""

    def __init__(
        self, options: config.Dial, limits: config.Wire, hub: Hub, phones: Sequence[Phone]
    ) -> None:
        self._options = options
        self._lines = [Line(phone, limits, hub) for phone in phones]
        for phone in phones:
            hub.devices.get(phone.device).expected = True  # and offline until it answers

    async def run(self) -> None:
        """Call all phones until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for line in self._lines:
                tasks.create_task(self._keep(line), name=f"dial {line.phone.device}")

    async def _keep(self, line: Line) -> None:
        """Call a phone, and again with growing, jittered pauses."""
        caller = self._caller(line)
        while True:
            attempts = stamina.retry_context(
                on=UnreachableError,
                attempts=None,
                timeout=None,
                wait_initial=min(0.2, self._options.reconnect_max_s),
                wait_max=self._options.reconnect_max_s,
                wait_jitter=1.0,
            )
            async for attempt in attempts:
                with attempt:
                    await self._call(caller, line)

    def _caller(self, line: Line) -> Caller:
        # Imported here, so that who dials nobody loads no client.
        if line.phone.dialect is sensor_server.DIALECT:
            from stream.dial import by_websocket  # noqa: PLC0415

            return by_websocket.Caller(line)
        from stream.dial import by_http  # noqa: PLC0415

        return by_http.Caller(line, self._options.poll_s)

    async def _call(self, caller: Caller, line: Line) -> None:
        """Make one connection; raises UnreachableError unless it was a long one."""
        began = time.monotonic()
        error = None
        try:
            await caller.serve()
        except UnreachableError as broken:
            error = broken
            if time.monotonic() - began < STEADY_S:
                raise
        # Whatever it is: a bug that one phone brings to light must not end the service for
        # everyone. The phone is called again, as after a lost connection.
        except Exception as fault:
            line.failed(fault)
            error = UnreachableError("the server failed on what the phone sent; its log says why")
            raise error from fault
        finally:
            line.broken(error)
