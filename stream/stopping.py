"""The service's end, in order: nobody new, all answers out and durable, goodbye."""

import asyncio
import logging
from contextlib import suppress

import uvicorn
from starlette.applications import Starlette

from stream.doors.tcp import Doors
from stream.errors import NotDurableError
from stream.hub import Hub
from stream.mqtt.bridge import Bridge

DRAIN_S = 2.0  # how long a stop waits for the last batches
FLUSH_S = 0.5  # and for the disk
GOODBYE_S = 1.0  # and for the broker to take the last messages
log = logging.getLogger(__name__)


async def stop(
    hub: Hub,
    bridge: Bridge | None,
    application: Starlette,
    server: uvicorn.Server,
    doors: Doors,
) -> None:
    """Let nobody new in, answer and publish what is waiting, and say goodbye with 1001."""
    hub.stopping = True
    doors.shut()
    _write_labelled(hub)
    if server.started:  # else a phone that is told to go would be back before the port is closed
        for accepting in server.servers:
            accepting.close()
    try:
        async with asyncio.timeout(DRAIN_S):
            await hub.models.drained()
    except TimeoutError:
        log.warning("stopped with %d windows unanswered", hub.models.waiting)
    with suppress(TimeoutError, NotDurableError):  # a restart does again what was not written
        async with asyncio.timeout(FLUSH_S):
            hub.keeper.save_all()
            await hub.journal.flush()
    if bridge is not None:
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await bridge.say_goodbye()
    for outbox in list(application.state.outboxes):
        outbox.close(1001, "the server is going away; connect again")
    await doors.hang_up()
    server.should_exit = True


def _write_labelled(hub: Hub) -> None:
    """Write what is ready. Labels go on, with what they hold, where the journal keeps both."""
    for live in hub.lives():
        if not hub.journal.lasts:
            hub.recorder.finish(live)
        elif live.session.labels.ready:
            hub.recorder.write(live)
            hub.keeper.save(live)
