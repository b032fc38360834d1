"""The dashboard's waveforms: drawn as they come, and asked for only where somebody sees them."""

import asyncio
import json

import stamina
from playwright.async_api import Page, expect
from websockets.asyncio.client import connect

from stream.events import Waveform
from stream.service import Service
from tests.pages.test_dashboard import begin, live


def waveform(device: str, t0: float, z: float = 9.8) -> Waveform:
    return Waveform(
        device=device,
        session="s",
        t0=t0,
        rate_hz=20.0,
        xyz=[(0.0, float(k % 2), z) for k in range(20)],
    )


PAINTED = """(canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let k = 3; k < data.length; k += 4) count += data[k] > 0;
  return count;
}"""
GUIDES = 0.12  # of a picture's pixels are painted where there is no signal


async def painted(page: Page, device: str) -> float:
    """Return which share of a tile's waveform is painted."""
    canvas = page.locator(f"[data-device={device}] .waveform")
    area = await canvas.evaluate("(canvas) => canvas.width * canvas.height")
    return float(await canvas.evaluate(PAINTED)) / float(area)


async def until_painted(page: Page, running: Service, device: str, t0: float = 0.0) -> float:
    """Show more and more of a device's signal until the page draws it; return its time."""
    while await painted(page, device) < GUIDES:
        running.hub.publisher.show(waveform(device, t0))
        t0 += 1.0
        await asyncio.sleep(0.02)
    return t0


async def until_watched(running: Service, device: str, *, wanted: bool) -> None:
    """Wait until a page asks for a device's signal, or no longer does."""
    patience = stamina.retry_context(AssertionError, attempts=None, timeout=20, wait_initial=0.02)
    async for attempt in patience:
        with attempt:
            assert running.hub.publisher.watched(device) == wanted


async def test_the_signal_is_drawn_as_it_comes(page: Page, running: Service) -> None:
    begin(running, "pixel-7", "Walking")
    await live(page, running.http_url)
    await expect(page.locator(".tile")).to_have_count(1)
    async with asyncio.timeout(20), connect(f"{running.ws_url}/v1/stream?device=pixel-7") as phone:
        for seq in range(1000):
            if await painted(page, "pixel-7") >= GUIDES:
                break
            xyz = [[0.0, 5.0 * (k % 2), 9.8] for k in range(20)]
            await phone.send(json.dumps({"type": "samples", "seq": seq, "xyz": xyz}))
            await phone.recv()


async def test_only_tiles_on_the_screen_are_asked_for(page: Page, running: Service) -> None:
    names = [f"phone-{number}" for number in range(60)]
    for name in names:
        begin(running, name, "Walking")
    await live(page, running.http_url)
    await expect(page.locator(".tile")).to_have_count(60)
    async with asyncio.timeout(20):
        await until_painted(page, running, "phone-0")
        assert not running.hub.publisher.watched("phone-59")
        await page.locator("[data-device=phone-59]").scroll_into_view_if_needed()
        await until_painted(page, running, "phone-59")
    await until_watched(running, "phone-0", wanted=False)


async def test_who_asked_for_less_motion_gets_few_pictures(page: Page, running: Service) -> None:
    begin(running, "pixel-7", "Walking")
    await page.emulate_media(reduced_motion="reduce")
    await live(page, running.http_url)
    await expect(page.locator(".tile")).to_have_count(1)
    async with asyncio.timeout(20):
        t0 = await until_painted(page, running, "pixel-7")
    await page.evaluate(
        """() => {
          window.pictures = 0;
          const canvas = document.querySelector('.waveform');
          const context = canvas.getContext('2d');
          const clear = context.clearRect.bind(context);
          context.clearRect = (...place) => { window.pictures += 1; clear(...place); };
        }"""
    )
    began = await page.evaluate("performance.now()")
    for number in range(60):
        running.hub.publisher.show(waveform("pixel-7", t0 + number))
        await asyncio.sleep(0.02)
    passed_s = (await page.evaluate("performance.now()") - began) / 1000
    assert await page.evaluate("window.pictures") <= passed_s + 2


async def test_a_page_that_nobody_sees_asks_for_no_signal(page: Page, running: Service) -> None:
    begin(running, "pixel-7", "Walking")
    await live(page, running.http_url)
    await until_watched(running, "pixel-7", wanted=True)
    await page.evaluate(
        """() => {
          Object.defineProperty(document, 'hidden', { value: true });
          document.dispatchEvent(new Event('visibilitychange'));
        }"""
    )
    await until_watched(running, "pixel-7", wanted=False)
