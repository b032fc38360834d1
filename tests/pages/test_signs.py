"""The check of a phone's signs, by a button in its tile."""

import httpx
from playwright.async_api import Page, expect
from websockets.asyncio.client import connect

from stream.service import Service
from tests import sensor_logger
from tests.pages.test_dashboard import live


async def push(running: Service, style: sensor_logger.Style) -> None:
    """Let the app Sensor Logger send six seconds of a phone on its back."""
    entries = sensor_logger.entries(sensor_logger.face_up(6), style)
    async with httpx.AsyncClient(base_url=running.http_url) as client:
        for message in sensor_logger.messages(entries):
            await client.post("/v1/sensor-logger", content=message)


async def test_signs_that_cannot_be_told_are_checked_in_the_tile(
    page: Page, running: Service
) -> None:
    await push(running, "standardised")
    await live(page, running.http_url)
    tile = page.locator("[data-device=b1]")
    await expect(tile.locator(".signal")).to_contain_text("undetermined")  # said before we came
    await tile.get_by_role("button", name="It lies face up: b1").click()
    await expect(tile.locator(".answer")).to_contain_text("face up: the signs were right.")


async def test_any_signs_can_be_checked_and_a_refusal_is_said(page: Page, running: Service) -> None:
    async with connect(f"{running.ws_url}/v1/stream?device=pixel-7"):  # online, but silent
        await live(page, running.http_url)
        tile = page.locator("[data-device=pixel-7]")
        button = tile.get_by_role("button", name="It lies face up")
        await expect(button).to_be_hidden()
        await tile.get_by_text("Check the signs").click()
        await button.click()
        await expect(tile.locator(".answer")).to_contain_text("pixel-7 sends nothing")
        await expect(tile.locator(".answer")).to_have_attribute("data-state", "poor")
