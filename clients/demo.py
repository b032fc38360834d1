"""A server, several people and the live view in one process: what `gaitway demo` runs.

The one client that starts the server itself.
"""

import asyncio

from rich.console import Console

from clients.demo_people import Cast, find_cast
from clients.listen import follow
from clients.replay import Replay, replay
from clients.show import show
from clients.tasks import beside, together, ungrouped
from clients.track import Track
from stream import service
from stream.config import Auth, Config, Journal, Server

SPEED = 10.0
FRAME_S = 1.0


async def run_demo(console: Console, *, port: int, seconds: float | None, plain: bool) -> None:
    """Play until stopped, or for `seconds`; raises ConfigError where the port is taken."""
    config = Config(
        server=Server(port=port),
        auth=Auth(required="never"),  # on this machine only
        journal=Journal(path=""),
    )
    with ungrouped():
        await _run(config, console, seconds=seconds, plain=plain)


async def _run(config: Config, console: Console, *, seconds: float | None, plain: bool) -> None:
    async with service.running(config) as running:
        console.print(f"server   {running.ws_url}, stops with this command", highlight=False)
        with console.status("reading recordings"):
            cast = await asyncio.to_thread(find_cast)
        console.print(f"playing  {cast.what}, {SPEED:g} times as fast", highlight=False)
        if cast.note:
            console.print(f"         {cast.note}", highlight=False)
        console.print()
        heard = follow(running.ws_url, types=("activity", "prediction", "status", "quality"))
        async with beside(_play_for_ever(cast, running.ws_url), "demo plays"):
            await show(heard, console, seconds=seconds, plain=plain)


async def _play_for_ever(cast: Cast, url: str) -> None:
    """Play everyone again as soon as they are through: nobody waits for the longest recording."""
    await together({f"demo {track.name}": _again(track, url) for track in cast.tracks})


async def _again(track: Track, url: str) -> None:
    while True:
        await replay([track], Replay(url, speed=SPEED, frame_s=FRAME_S), lambda *_: None)
