"""One tap says what the phone's owner does, and what the server records is what the sensor read."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import pytest
from playwright.async_api import Page, expect

from clients.walker import walk
from stream import service
from stream.config import Config, Record
from stream.errors import NotRecordedError
from stream.events import Error
from stream.service import Service
from tests.pages.motion import Motion
from tests.pages.test_access import THEMES, faults
from tests.pages.test_phone import opened, session_of, start
from trainer.recordings import own

WALK = walk("walker", [("Walking", 60.0)], rate_hz=50.0)
SAID, COUNT = "#teach-said", "#teach-count"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "recordings"


@pytest.fixture
async def running(config: Config, folder: Path) -> AsyncIterator[Service]:
    """A service that records."""
    record = Record(folder=str(folder))
    async with service.running(msgspec.structs.replace(config, record=record)) as running:
        yield running


async def press(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name).click()


async def recorded(page: Page, seconds: int) -> None:
    """Wait until the page says that so many seconds are recorded."""
    await expect(page.locator(SAID)).to_contain_text("is being recorded")
    await expect(page.locator(COUNT)).to_have_text(re.compile(rf"^([{seconds}-9]|\d\d) s"))


async def test_a_tap_becomes_a_recording_though_the_network_drops(
    page: Page, motion: Motion, running: Service, folder: Path
) -> None:
    await opened(page, running.http_url)
    await expect(page.locator("#teach")).to_be_hidden()
    async with motion.playing(WALK):
        await start(page)
        await press(page, "I am walking now")
        await expect(page.locator(SAID)).to_contain_text("put the phone away")
        await recorded(page, 2)
        live = session_of(running)
        assert live.outbox is not None
        live.outbox.close(1012, "the test cuts the line")
        await expect(page.locator("#connection")).to_contain_text("again")
        await expect(page.locator("#connection")).to_have_text("Connected")
        await recorded(page, 9)
        await press(page, "Stop recording")
        await expect(page.locator(SAID)).to_contain_text("s of Walking are recorded")
        button = page.get_by_role("button", name="I am walking now")
        await expect(button).to_contain_text("1 take")
        await expect(button).to_have_attribute("aria-pressed", "false")
        await page.get_by_role("button", name="Stop", exact=True).click()
        await expect(page.locator("#connection")).to_have_text("Stopped")
    recordings, report = own.load(folder)
    assert not report.oddities
    assert {recording.subject for recording in recordings} == {"pixel-7"}
    assert {label for one in recordings for label in one.labels.tolist()} == {"Walking"}
    # The last 5 s, with the phone in a hand again, are left out, and nothing else is.
    length = sum(float(one.t[-1] - one.t[0]) for one in recordings if one.t is not None)
    assert 2 < length < 8
    sensed = {tuple(row) for row in np.round(WALK.xyz, 1).tolist()}
    found = {tuple(row) for one in recordings for row in np.round(one.xyz, 1).tolist()}
    assert len(found & sensed) > 0.9 * len(found)


async def test_a_server_that_records_nothing_shows_no_buttons(
    page: Page, motion: Motion, config: Config
) -> None:
    async with service.running(config) as other:
        await opened(page, other.http_url)
        await start(page)
        await expect(page.locator("#connection")).to_have_text("Connected")
        await expect(page.locator("#teach")).to_be_hidden()


async def test_it_works_by_keyboard_at_320_px(page: Page, motion: Motion, running: Service) -> None:
    await page.set_viewport_size({"width": 320, "height": 568})
    await opened(page, running.http_url)
    async with motion.playing(WALK):
        await start(page)
        await expect(page.locator("#teach")).to_be_visible()
        await page.get_by_role("button", name="Stop", exact=True).focus()
        await page.keyboard.press("Tab")
        walking = page.get_by_role("button", name="I am walking now")
        await expect(walking).to_be_focused()
        await page.keyboard.press("Space")
        await expect(walking).to_have_attribute("aria-pressed", "true")
        await page.keyboard.press("Tab")
        jogging = page.get_by_role("button", name="I am jogging now")
        await page.keyboard.press("Enter")
        await expect(jogging).to_have_attribute("aria-pressed", "true")
        await expect(walking).to_have_attribute("aria-pressed", "false")
        await page.keyboard.press("Enter")
        await expect(jogging).to_have_attribute("aria-pressed", "false")
        await expect(page.locator(SAID)).to_contain_text("too little")
        for summary in await page.locator("summary").all():
            await summary.click()
        assert await page.evaluate("document.documentElement.scrollWidth") == 320


async def test_a_server_that_cant_write_is_heard(
    page: Page, motion: Motion, running: Service
) -> None:
    await opened(page, running.http_url)
    async with motion.playing(WALK):
        await start(page)
        await press(page, "I am sitting now")
        await expect(page.get_by_role("button", name="I am sitting now")).to_have_attribute(
            "aria-pressed", "true"
        )
        error = Error(code=NotRecordedError.code, message="the disk is full")
        session_of(running).tell(error, running.hub.publisher)
        await expect(page.locator(SAID)).to_have_text("The server says: the disk is full.")
        await expect(page.get_by_role("button", name="Stop recording")).to_be_disabled()
        async with asyncio.timeout(10):
            while not session_of(running).session.labels.idle:  # noqa: ASYNC110  told by a label
                await asyncio.sleep(0.02)


@pytest.mark.parametrize("theme", THEMES)
async def test_nobody_is_kept_out(
    page: Page, motion: Motion, running: Service, theme: Literal["light", "dark"]
) -> None:
    await page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    await opened(page, running.http_url)
    await start(page)
    await press(page, "I am going upstairs now")
    for summary in await page.locator("summary").all():
        await summary.click()
    assert await faults(page) == []


OUTBOX = """async () => {
  const { Outbox } = await import('/pages/outbox.js');
  const { encode } = await import('/pages/frames.js');
  const all = (box) => { const n = []; for (let f; (f = box.take()); ) n.push(f); return n; };
  const walking = { t: 3, label: 'Walking' };
  const full = new Outbox(3);
  ['a', walking, 'b', 'c', 'd'].forEach((frame) => full.add(frame));
  const box = new Outbox(9);
  ['a', walking, 'b', 'c'].forEach((frame) => box.add(frame));
  all(box);
  box.ack(2);
  box.resume(0);
  const told = all(box);
  box.add({ t: 9, label: null });
  all(box);
  box.ack(2);
  box.resume(0);
  return [full.lost, all(full), told, all(box), encode(walking, 7)];
}"""


async def test_labels_are_never_given_up_and_told_anew(page: Page, running: Service) -> None:
    await page.goto(f"{running.http_url}/phone")
    lost, left, told, nothing, text = await page.evaluate(OUTBOX)
    walking = {"t": 3, "label": "Walking"}
    assert (lost, left) == (2, [[walking, 2], ["c", 3], ["d", 4]])
    assert told == [[walking, 0], ["c", 1]]
    assert nothing == []
    assert text == '{"type":"label","seq":7,"t":3,"label":"Walking"}'
