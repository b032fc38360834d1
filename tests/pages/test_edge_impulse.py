"""A page of another origin uploads a recording in a real browser, as the mobile client does."""

from typing import Any

from playwright.async_api import BrowserContext

from stream.service import Service
from tests.sensor_apps import edge_impulse
from tests.sensor_logger import walk

# What edgeimpulse/mobile-client does in uploader.ts, in our words: a form with one part, and two
# headers that make the browser ask first.
UPLOAD = """([url, message]) => new Promise((resolve, reject) => {
  const form = new FormData();
  form.append("message", new Blob([message], {type: "application/json"}), "message.json");
  const request = new XMLHttpRequest();
  request.onload = () => resolve([request.status, request.responseText]);
  request.onerror = () => reject(new Error("refused by the browser"));
  request.open("post", url);
  request.setRequestHeader("x-api-key", "ei_1");
  request.setRequestHeader("x-file-name", "walking");
  request.send(form);
})"""


async def upload(page: Any, url: str, recording: bytes) -> list[Any]:
    answer: list[Any] = await page.evaluate(UPLOAD, [url, recording.decode()])
    return answer


async def test_a_page_of_another_origin_may_upload(
    context: BrowserContext, running: Service
) -> None:
    page = await context.new_page()
    await page.goto(f"http://phone.test:{running.port}/healthz")
    url = f"{running.http_url}/api/training/data"
    assert await upload(page, url, edge_impulse(walk(13, 62.5))) == [200, "ok\n"]
    assert await upload(page, url, edge_impulse(walk(6, 10), 10, "slow")) == [
        499,
        "Your rate is 10 Hz, at least 20 Hz is needed.",
    ]
    assert {device.name for device in running.hub.devices} == {"phone_lx3k2j7a", "slow"}
