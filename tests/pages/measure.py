"""How smooth the dashboard is: `python -m tests.pages.measure --devices 200 --seconds 20`.

Prints figures and judges nothing: what they are is this machine's affair, and its load's. The
main thread's shares are CPU time, which a busy machine changes less than the pictures' pace.
"""

import argparse
import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import stamina
from playwright.async_api import Page, async_playwright, expect
from websockets.asyncio.client import connect

from clients.load import Load, load
from clients.server_process import ServerProcess
from tests.conftest import free_port
from tests.pages.conftest import FLAGS

SETTLE_S = 8.0  # phones connect, and the pictures fill
SERVE = "import sys; from stream.cli import main; sys.exit(main())"
MUTE = """() => {
  const Socket = window.WebSocket;
  window.WebSocket = function (url) {
    return String(url).includes('type=waveform') ? { close() {} } : new Socket(url);
  };
  window.WebSocket.OPEN = Socket.OPEN;
}"""
COUNT = """() => {
  window.heard = 0;
  const Socket = window.WebSocket;
  window.WebSocket = function (url) {
    const socket = new Socket(url);
    socket.addEventListener('message', () => { window.heard += 1; });
    return socket;
  };
  window.WebSocket.OPEN = Socket.OPEN;
}"""
FRAMES = """() => {
  window.steps = [];
  window.heard = 0;
  let before = performance.now();
  const step = (now) => {
    window.steps.push(now - before);
    before = now;
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}"""
SHARES = ("TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration")


class Figures(NamedTuple):
    """What the page did in `seconds`."""

    tiles: int
    on_screen: int
    messages: int
    steps_ms: list[float]  # between two pictures, sorted
    shares: dict[str, float]  # of a core, by the main thread
    server_percent: float

    def lines(self, title: str, seconds: float) -> list[str]:
        """Word them."""
        steps = self.steps_ms
        p50, p95, p99 = (steps[int(share * (len(steps) - 1))] for share in (0.5, 0.95, 0.99))
        shares = ", ".join(
            f"{name.removesuffix('Duration')} {self.shares[name]:.1%}" for name in SHARES
        )
        return [
            f"{title}: {self.tiles} tiles, {self.on_screen} of them on the screen",
            f"  messages      {self.messages / seconds:.0f}/s",
            f"  pictures      every {p50:.1f} ms (p50), {p95:.1f} (p95), {p99:.1f} (p99), "
            f"{steps[-1]:.1f} at most",
            f"  main thread   {shares}",
            f"  server        {self.server_percent:.1f} % of a core",
        ]


async def main() -> None:
    """Run with waveforms and without them, and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.pages.measure")
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--frame-s", type=float, default=1.0)
    options = parser.parse_args()
    for title, muted in (("with waveforms", False), ("without", True)):
        figures = await measured(options.devices, options.seconds, options.frame_s, muted=muted)
        print("\n".join(figures.lines(title, options.seconds)))  # noqa: T201


async def measured(devices: int, seconds: float, frame_s: float, *, muted: bool) -> Figures:
    """Play `devices` phones against a server of our own and watch its dashboard."""
    async with serving() as (port, process), dashboard(f"http://127.0.0.1:{port}/", muted) as page:
        url = f"ws://127.0.0.1:{port}"
        plan = Load(url, phones=devices, seconds=seconds + 2 * SETTLE_S, frame_s=frame_s)
        playing = asyncio.create_task(load(plan, process, lambda _progress: None), name="phones")
        await expect(page.locator(".tile")).to_have_count(devices, timeout=60_000)
        await asyncio.sleep(SETTLE_S)
        figures = await watched(page, seconds, process)
        playing.cancel()
        await asyncio.wait([playing])
        return figures


async def watched(page: Page, seconds: float, process: ServerProcess) -> Figures:
    """Look at the page for so long."""
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("Performance.enable", {"timeDomain": "threadTicks"})  # CPU time
    clock = asyncio.get_running_loop().time

    async def times() -> dict[str, float]:
        answer = await devtools.send("Performance.getMetrics")
        return {metric["name"]: metric["value"] for metric in answer["metrics"]}

    process.begin()
    await page.evaluate(FRAMES)
    before, began = await times(), clock()
    await asyncio.sleep(seconds)
    after, passed = await times(), clock() - began
    found: Any = await page.evaluate(
        """() => ({
          steps: window.steps.slice(1), heard: window.heard,
          tiles: document.querySelectorAll('.tile').length,
          seen: [...document.querySelectorAll('.tile')].filter((tile) => {
            const { top, bottom } = tile.getBoundingClientRect();
            return bottom > 0 && top < innerHeight;
          }).length,
        })"""
    )
    shares = {name: (after[name] - before[name]) / passed for name in SHARES}
    return Figures(
        found["tiles"],
        found["seen"],
        found["heard"],
        sorted(found["steps"]),
        shares,
        process.use().cpu_percent,
    )


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[int, ServerProcess]]:
    """Run a server in a process of its own."""
    port = free_port()
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVE, "serve", "--port", str(port), "--journal", ""),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async for attempt in stamina.retry_context(on=OSError, attempts=None, timeout=30):
            with attempt:
                await (await connect(f"ws://127.0.0.1:{port}/v1/events")).close()
        yield port, ServerProcess(server.pid)
    finally:
        server.terminate()
        await server.wait()


@asynccontextmanager
async def dashboard(url: str, muted: bool) -> AsyncIterator[Page]:
    """Open the page in Chromium; `muted`: its socket for waveforms never opens."""
    async with async_playwright() as playwright:
        path = shutil.which("chromium")
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = await browser.new_page(viewport={"width": 1280, "height": 900})
        await page.add_init_script(f"({COUNT})()")
        if muted:
            await page.add_init_script(f"({MUTE})()")
        await page.goto(url)
        yield page
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
