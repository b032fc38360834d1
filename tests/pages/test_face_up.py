"""The check which way is up: the phone lies still, the server says what it found, in words."""

import re
from urllib.parse import parse_qs, urlsplit

import msgspec
from playwright.async_api import BrowserContext, Page, WebSocket, expect

from clients.walker import walk
from stream import service
from stream.config import Config, Device
from stream.service import Service
from tests.pages.motion import Motion
from tests.pages.test_phone import AGENT, opened, start

SAID = "#up-said"
WALK = walk("walker", [("Walking", 60.0)], rate_hz=50.0)


async def check(page: Page, url: str) -> None:
    """Stream as pixel-7, and press the button."""
    await opened(page, url)
    await start(page)
    await expect(page.locator("#connection")).to_have_text("Connected")
    await page.locator("#up summary").click()
    await page.get_by_role("button", name="Check which way is up").click()
    await expect(page.get_by_role("button", name="Checking in")).to_be_visible()


async def test_a_right_guess_is_confirmed(page: Page, motion: Motion, running: Service) -> None:
    await check(page, running.http_url)
    await expect(page.locator(SAID)).to_contain_text("right already")
    await expect(page.locator(SAID)).to_contain_text("z = 9.8")
    await expect(page.locator("#signs")).to_have_text(re.compile("^Android.s, checked$"))
    device = running.hub.devices.find("pixel-7")
    assert device is not None
    assert device.checked_axes == "android"


async def test_a_wrong_guess_is_overridden_from_then_on(
    page: Page, motion: Motion, running: Service
) -> None:
    """A browser that calls itself an iPhone's has Android's signs."""
    await page.add_init_script(AGENT)
    await page.goto(f"{running.http_url}/phone")
    await expect(page.locator("#signs")).to_have_text(
        re.compile("^iPhone.s, turned round, a guess$")
    )
    await check(page, running.http_url)
    await expect(page.locator(SAID)).to_contain_text("the wrong way round")
    await expect(page.locator("#signs")).to_have_text(re.compile("^Android.s, checked$"))
    await opened(page, running.http_url)
    async with page.expect_websocket() as opening:
        await start(page)
    socket: WebSocket = await opening.value
    assert parse_qs(urlsplit(socket.url).query)["axes"] == ["android"]


async def test_what_the_server_cant_tell_is_said(context: BrowserContext, config: Config) -> None:
    page = await context.new_page()  # that may log the server's 409
    await Motion.of(page)
    settings = msgspec.structs.replace(config, devices={"pixel-7": Device(axes="ios")})
    async with service.running(settings) as running:
        await check(page, running.http_url)
        await expect(page.locator(SAID)).to_contain_text("config.toml says axes = 'ios'")


async def test_it_waits_until_the_phone_lies_still(
    page: Page, motion: Motion, running: Service
) -> None:
    async with motion.playing(WALK):
        await check(page, running.http_url)
        await expect(page.get_by_role("button", name="Waiting until")).to_be_visible()
    await motion.read(0.1, 0.2, 9.7)
    await expect(page.locator(SAID)).to_contain_text("right already")


async def test_without_a_stream_nothing_is_checked(page: Page, running: Service) -> None:
    await opened(page, running.http_url)
    await page.locator("#up summary").click()
    await page.get_by_role("button", name="Check which way is up").click()
    await expect(page.locator(SAID)).to_contain_text("Press Start first")
