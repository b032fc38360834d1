"""Nobody is kept out: axe-core on both pages, both themes, with and without trouble; 320 px."""

from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from stream.service import Service
from tests.pages.motion import Motion
from tests.pages.test_dashboard import begin, live
from tests.pages.test_phone import opened, start

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")


async def faults(page: Page) -> list[str]:
    """Return the serious and critical faults that axe-core finds."""
    found = await Axe().run(page)
    return [
        f"{fault['id']}: {node['html']}"
        for fault in found.response["violations"]
        if fault["impact"] in {"serious", "critical"}
        for node in fault["nodes"]
    ]


@pytest.mark.parametrize("theme", THEMES)
async def test_the_phone_page(page: Page, motion: Motion, running: Service, theme: Theme) -> None:
    await page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    await opened(page, running.http_url)
    assert await faults(page) == []
    await start(page)
    await expect(page.locator("#problem")).to_be_visible()  # the phone lies still
    assert await faults(page) == []


@pytest.mark.parametrize("theme", THEMES)
async def test_the_dashboard(page: Page, running: Service, theme: Theme) -> None:
    for number, activity in enumerate(("Walking", "Sitting", "Jogging", "Unknown")):
        begin(running, f"phone-{number}", activity)
    await page.emulate_media(color_scheme=theme)
    await live(page, running.http_url)
    await expect(page.locator(".tile")).to_have_count(4)
    await page.locator("summary").first.click()
    await page.get_by_role("button", name="It lies face up").first.click()
    await expect(page.locator(".answer").first).to_have_attribute("data-state", "poor")
    assert await faults(page) == []


@pytest.mark.parametrize("theme", THEMES)
async def test_the_dashboard_without_devices(page: Page, running: Service, theme: Theme) -> None:
    await page.emulate_media(color_scheme=theme)
    await live(page, running.http_url)
    await expect(page.locator("#nobody")).to_be_visible()
    assert await faults(page) == []


async def test_the_dashboard_fits_320_px(page: Page, running: Service) -> None:
    await page.set_viewport_size({"width": 320, "height": 568})
    begin(running, "a" * 64, "Walking")
    await live(page, running.http_url)
    await expect(page.locator(".tile")).to_have_count(1)
    assert await page.evaluate("document.documentElement.scrollWidth") == 320


async def test_axe_would_find_a_fault(page: Page, running: Service) -> None:
    await opened(page, running.http_url)
    await page.evaluate("document.querySelector('label').remove()")
    assert any(fault.startswith("label:") for fault in await faults(page))
