"""The phone's page in a real browser: it streams, says what is wrong, and loses nothing."""

import asyncio
import contextlib
import re
from urllib.parse import parse_qs, urlsplit

import msgspec
from playwright.async_api import Browser, BrowserContext, Page, WebSocket, expect
from websockets.asyncio.client import connect

from clients.walker import walk
from stream import service
from stream.config import Config, Server
from stream.live import Live
from stream.service import Service
from tests.clients.lossy import lossy
from tests.conftest import free_port
from tests.pages.motion import Motion

WALK = walk("walker", [("Walking", 60.0)], rate_hz=50.0)
PROBLEM = "#problem"
IPHONE = "DeviceMotionEvent.requestPermission = async () => '{}';"
AGENT = "Object.defineProperty(navigator, 'userAgent', {value: 'Mozilla/5.0 (iPhone; like Mac)'});"


async def opened(page: Page, url: str, name: str = "pixel-7") -> None:
    await page.goto(f"{url}/phone")
    await page.get_by_label("Name of this phone").fill(name)


async def start(page: Page) -> None:
    await page.get_by_role("button", name="Start").click()


def session_of(running: Service, device: str = "pixel-7") -> Live:
    live = running.hub.current("websocket", device)
    assert live is not None
    return live


async def test_a_walk_is_named_on_the_page_and_on_the_dashboard(
    browser: Browser, shipped: Config
) -> None:
    async with service.running(shipped) as running, contextlib.AsyncExitStack() as closing:
        context = await browser.new_context(viewport={"width": 320, "height": 640})
        closing.push_async_callback(context.close)
        page, dashboard = await context.new_page(), await browser.new_page()
        closing.push_async_callback(dashboard.close)
        motion = await Motion.of(page)
        await dashboard.goto(f"{running.http_url}/")
        await page.bring_to_front()
        await opened(page, running.http_url)
        async with motion.playing(WALK):
            await start(page)
            await expect(page.locator("#activity")).to_have_text("Walking", timeout=40_000)
            await expect(page.locator("#quality")).to_contain_text("The server finds it good")
            tile = dashboard.locator("[data-device=pixel-7]")
            await expect(tile.locator(".activity")).to_have_text("Walking")
            await expect(tile.locator(".status")).to_have_text("online")
            await expect(tile.locator(".signal")).to_have_text("Signal good")
            await expect(dashboard.locator("#minutes")).to_contain_text("Walking")
        counters = session_of(running).session.counters
        assert (counters.gaps, counters.late, counters.duplicates) == (0, 0, 0)


async def test_a_lost_connection_is_said_and_what_was_missed_is_sent(
    page: Page, motion: Motion, running: Service
) -> None:
    async with lossy(running.ws_url, [1 << 60, 1 << 60]) as (url, line):
        await opened(page, url.replace("ws:", "http:"))
        async with motion.playing(WALK):
            await start(page)
            await expect(page.locator("#connection")).to_have_text("Connected")
            live = session_of(running)
            assert live.outbox is not None
            for wanted in range(2, 5):
                await taken(live, 4 * wanted)
                live.outbox.close(1012, "the test cuts the line")
                await expect(page.locator("#connection")).to_contain_text("again")
                await expect(page.locator("#connection")).to_have_text("Connected")
            await taken(live, 24)
        assert session_of(running) is live
        assert (live.session.counters.gaps, live.session.counters.late) == (0, 0)
        await page.get_by_role("button", name="Stop").click()
        await expect(page.locator("#connection")).to_have_text("Stopped")
        assert line.connections >= 4


async def test_what_a_server_that_was_away_and_forgot_must_still_have_is_sent_after_stop(
    context: BrowserContext, config: Config
) -> None:
    config = msgspec.structs.replace(config, server=Server(port=free_port()))
    page = await context.new_page()
    motion = await Motion.of(page)
    async with service.running(config) as running:
        await opened(page, running.http_url)
        await start(page)
        await expect(page.locator("#connection")).to_have_text("Connected")
        await taken(session_of(running), 4)
    async with motion.playing(WALK):
        await expect(page.locator("#connection")).to_contain_text("Trying again")
        await expect(page.locator("#kept")).not_to_have_text("0 s")
    await page.get_by_role("button", name="Stop").click()
    await expect(page.locator("#connection")).to_contain_text("when the server is back")
    async with service.running(config) as again:
        await expect(page.locator("#connection")).to_have_text("Stopped")
        metrics = again.hub.metrics.render().decode()
    assert re.search(r'gaitway_frames_total{channel="websocket"} [1-9]', metrics)
    assert "gaitway_frames_skipped_total 0.0" in metrics


async def taken(live: Live, frames: int) -> None:
    """Wait until the server has so many frames of a session."""
    async with asyncio.timeout(20):
        while live.session.next_seq < frames:  # noqa: ASYNC110  the core tells nobody
            await asyncio.sleep(0.02)


async def test_after_being_replaced_it_does_not_come_back(
    page: Page, motion: Motion, running: Service
) -> None:
    await opened(page, running.http_url)
    await start(page)
    await expect(page.locator("#connection")).to_have_text("Connected")
    async with connect(f"{running.ws_url}/v1/stream?device=pixel-7"):
        await expect(page.locator(PROBLEM)).to_contain_text("Another page or app streams")
        await expect(page.get_by_role("button", name="Start")).to_be_enabled()


async def test_a_refusal_by_the_browsers_settings_is_named(
    page: Page, motion: Motion, running: Service
) -> None:
    devtools = await page.context.new_cdp_session(page)
    target = (await devtools.send("Target.getTargetInfo"))["targetInfo"]
    refusal = {
        "permission": {"name": "accelerometer"},
        "setting": "denied",
        "browserContextId": target["browserContextId"],
    }
    await devtools.send("Browser.setPermission", refusal)
    await opened(page, running.http_url)
    await start(page)
    await expect(page.locator(PROBLEM)).to_contain_text("Motion access was refused")
    await expect(page.get_by_role("button", name="Start")).to_be_enabled()


async def test_an_iphone_that_refuses_is_told_what_to_do(page: Page, running: Service) -> None:
    await page.add_init_script(IPHONE.format("denied"))
    await opened(page, running.http_url)
    await start(page)
    await expect(page.locator(PROBLEM)).to_contain_text("close the tab and open it again")


async def test_an_iphone_streams_with_its_own_signs(
    page: Page, motion: Motion, running: Service
) -> None:
    await page.add_init_script(IPHONE.format("granted") + AGENT)
    assert await query_of(page, running) == {"device": ["pixel-7"], "axes": ["ios"]}
    await expect(page.locator("#signs")).to_contain_text("iPhone")


async def test_a_browser_that_can_be_asked_is_not_yet_an_iphone(
    page: Page, motion: Motion, running: Service
) -> None:
    await page.add_init_script(IPHONE.format("granted"))
    assert await query_of(page, running) == {"device": ["pixel-7"], "axes": ["android"]}
    await expect(page.locator("#signs")).to_contain_text("Android")


async def query_of(page: Page, running: Service) -> dict[str, list[str]]:
    """Start, and return what the page asks the server for."""
    await opened(page, running.http_url)
    async with page.expect_websocket() as opening:
        await start(page)
    socket: WebSocket = await opening.value
    return parse_qs(urlsplit(socket.url).query)


async def test_without_https_it_says_so_before_anything_else(page: Page, running: Service) -> None:
    await page.goto(f"http://phone.test:{running.port}/phone")
    await expect(page.locator(PROBLEM)).to_contain_text("https pages only")
    await start(page)
    await expect(page.get_by_role("button", name="Start")).to_be_enabled()
    assert running.hub.devices.find("pixel-7") is None


async def test_a_still_phone_is_named_by_page_and_server(
    page: Page, motion: Motion, running: Service
) -> None:
    await opened(page, running.http_url)
    await start(page)
    await expect(page.locator(PROBLEM)).to_contain_text("do not change")
    await expect(page.locator("#quality")).to_contain_text("repeats the same reading")
    async with motion.playing(WALK):
        await expect(page.locator(PROBLEM)).to_be_hidden()
    counters = session_of(running).session.counters
    assert counters.gaps == 0


async def test_sensors_that_are_switched_off_are_named(
    page: Page, motion: Motion, running: Service
) -> None:
    await opened(page, running.http_url)
    await motion.read(0, 0, 0)
    await start(page)
    await expect(page.locator(PROBLEM)).to_contain_text("All readings are zero")


async def test_empty_readings_are_named_and_never_sent(page: Page, running: Service) -> None:
    await opened(page, running.http_url)
    await start(page)
    await expect(page.locator("#connection")).to_have_text("Connected")
    await page.evaluate("dispatchEvent(new DeviceMotionEvent('devicemotion'))")
    await expect(page.locator(PROBLEM)).to_contain_text("The readings are empty")
    assert session_of(running).session.next_seq == 0


async def test_a_device_without_a_sensor_is_told(page: Page, running: Service) -> None:
    await page.add_init_script(
        "addEventListener('devicemotion', (event) => event.stopImmediatePropagation(), true)"
    )
    await opened(page, running.http_url)
    await start(page)
    await expect(page.locator(PROBLEM)).to_contain_text("No reading comes")


async def test_a_page_that_was_hidden_says_what_it_cost(
    page: Page, motion: Motion, running: Service
) -> None:
    await opened(page, running.http_url)
    await start(page)
    await expect(page.locator("#connection")).to_have_text("Connected")
    for hidden in ("true", "false"):
        await page.evaluate(
            f"Object.defineProperty(document, 'hidden', {{value: {hidden}, configurable: true}});"
            "document.dispatchEvent(new Event('visibilitychange'))"
        )
    await expect(page.locator(PROBLEM)).to_contain_text("This page was hidden")


async def test_the_name_is_checked_and_remembered(page: Page, running: Service) -> None:
    await page.goto(f"{running.http_url}/phone")
    name = page.get_by_label("Name of this phone")
    made = await name.input_value()
    assert made.startswith("phone-")
    await name.fill("my phone")
    await expect(page.locator("#name-help")).to_contain_text("not allowed")
    await expect(page.get_by_role("button", name="Start")).to_be_disabled()
    await name.fill("my-phone")
    await expect(page.get_by_role("button", name="Start")).to_be_enabled()
    await page.reload()
    await expect(name).to_have_value("my-phone")


async def test_it_works_by_keyboard_at_320_px(page: Page, motion: Motion, running: Service) -> None:
    await page.set_viewport_size({"width": 320, "height": 568})
    await page.goto(f"{running.http_url}/phone")
    for _ in range(3):  # the way to the dashboard, the name, the button
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("#connection")).to_have_text("Connected")
    await page.keyboard.press("Enter")
    await expect(page.locator("#connection")).to_have_text("Stopped")
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width == 320
