"""A page of another origin uploads a recording in a real browser, as the mobile client does."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from playwright.async_api import BrowserContext

from stream.config import Config
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


@pytest.fixture
async def another() -> AsyncIterator[str]:
    """The origin of another server, which has an empty page."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://phone.test:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
def config(config: Config, another: str) -> Config:
    auth = msgspec.structs.replace(config.auth, origins=(another,))
    return msgspec.structs.replace(config, auth=auth)


async def upload(page: Any, url: str, recording: bytes) -> list[Any]:
    answer: list[Any] = await page.evaluate(UPLOAD, [url, recording.decode()])
    return answer


async def test_a_page_of_another_origin_that_is_listed_may_upload(
    context: BrowserContext, another: str, running: Service
) -> None:
    page = await context.new_page()
    await page.goto(another)
    url = f"{running.http_url}/api/training/data"
    assert await upload(page, url, edge_impulse(walk(13, 62.5))) == [200, "ok\n"]
    assert await upload(page, url, edge_impulse(walk(13, 10), 10, "slow")) == [
        499,
        "Your rate is 10 Hz, at least 20 Hz is needed.",
    ]
    assert {device.name for device in running.hub.devices} == {"phone_lx3k2j7a", "slow"}
