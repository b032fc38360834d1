"""Over https, by a name that is not this machine's, a browser gives motion to the phone page."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from playwright.async_api import Browser, Page, expect

from stream import service
from stream.config import Config, Server
from stream.service import Service
from tests.pages.motion import Motion
from tests.pages.test_access import THEMES, Theme, faults
from tests.pages.test_phone import opened, start


@pytest.fixture
async def secure(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Service]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    server = Server(host="127.0.0.1", port=0, https=True)
    async with service.running(msgspec.structs.replace(config, server=server)) as running:
        yield running


async def test_the_phone_page_streams(browser: Browser, secure: Service) -> None:
    context = await browser.new_context(ignore_https_errors=True)  # as with our authority installed
    page = await context.new_page()
    await Motion.of(page)
    await opened(page, f"https://phone.test:{secure.port}")
    assert await page.evaluate("isSecureContext")
    async with page.expect_websocket() as opening:
        await start(page)
    socket = await opening.value
    assert socket.url.startswith(f"wss://phone.test:{secure.port}/v1/stream?")
    await socket.wait_for_event("framereceived", lambda payload: '"ack"' in payload)
    assert secure.hub.current("websocket", "pixel-7") is not None
    await context.close()


@pytest.mark.parametrize("theme", THEMES)
async def test_a_phone_that_trusts_nobody_yet_reads_what_to_do(
    page: Page, secure: Service, theme: Theme
) -> None:
    await page.set_viewport_size({"width": 320, "height": 568})
    await page.emulate_media(color_scheme=theme)
    await page.goto(f"http://phone.test:{secure.trust_port}/")
    await expect(page.locator("h1")).to_have_text("Let this phone trust the server")
    await expect(page.get_by_role("link", name="/phone")).to_have_attribute(
        "href", f"https://phone.test:{secure.port}/phone"
    )
    assert await page.evaluate("document.documentElement.scrollWidth") == 320
    assert await faults(page) == []
    async with page.expect_download() as downloading:
        await page.get_by_role("link", name="Get the certificate").click()
    assert (await downloading.value).suggested_filename == "ca.crt"
