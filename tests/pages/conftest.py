"""A real browser, with the flags that keep it from looking for hosts of its own."""

import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    async_playwright,
    expect,
)

from stream.config import Config, Journal, Server
from stream.service import Service
from tests.pages.motion import Motion

expect.set_options(timeout=20_000)  # ms; a browser beside other work on two cores is slow

FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP phone.test 127.0.0.1",  # a name that is no secure context
]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium; skips where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip("chromium is not installed (scripts/test installs it where it may)")
    return found


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(timezone_id="UTC")
    context.set_default_timeout(20_000)
    yield context
    await context.close()


@pytest.fixture
async def page(context: BrowserContext, running: Service) -> AsyncIterator[Page]:
    """A page that fails the test on any error of its scripts or of its security policy."""
    page = await context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))

    def on_console(said: ConsoleMessage) -> None:
        broken = "WebSocket connection to" in said.text  # by a test, and none of ours
        answer = "409 (Conflict)" in said.text  # a check of signs that can't be made
        if said.type == "error" and not (broken or answer):
            faults.append(said.text)

    page.on("console", on_console)
    yield page
    assert faults == []


@pytest.fixture
async def motion(page: Page) -> Motion:
    """The page's motion sensors, switched on, the phone on its back."""
    return await Motion.of(page)


@pytest.fixture
def shipped() -> Config:
    """Settings with the model that ships."""
    return Config(server=Server(port=0), journal=Journal(path=""))
