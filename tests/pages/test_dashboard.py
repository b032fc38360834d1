"""The dashboard in a real browser: all devices, the day so far, and 200 devices at once."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.async_api import Page, expect
from websockets.asyncio.client import connect

from stream.config import Config
from stream.events import Ended, Prediction, Quality, Started
from stream.service import Service
from stream.session import Session

PAGE = 1000  # events that the page asks for at once
KINDS = ("Walking", "Jogging", "Upstairs", "Downstairs", "Sitting", "Standing")


def ended(device: str, activity: str, window: int, time: datetime, seconds: float = 60.0) -> Ended:
    return Ended(
        id=f"{device}/s/{window}/ended",
        device=device,
        session="s",
        activity=activity,
        t=seconds,
        started_t=0.0,
        duration_s=seconds,
        time=time,
    )


def prediction(device: str, activity: str, window: int, confidence: float = 0.9) -> Prediction:
    return Prediction(
        id=f"{device}/s/{window}",
        device=device,
        session="s",
        window=window,
        start=40 * window,
        end=40 * window + 200,
        t=(2.0 * window, 2.0 * window + 10),
        time=datetime.now(UTC),
        activity=activity,
        confidence=confidence,
        probabilities={activity: confidence},
        model="toy@1",
        latency_ms=1.0,
    )


def begin(running: Service, name: str, activity: str, window: int = 0) -> None:
    """Let a device be there and start an activity."""
    device = running.hub.devices.get(name)
    session = Session(name, "s", running.hub.models.shared.options)
    running.hub.devices.seen(device, session)
    started = Started(
        id=f"{name}/s/{window}/started",
        device=name,
        session="s",
        activity=activity,
        previous="Unknown",
        t=0.0,
        time=datetime.now(UTC),
        confidence=0.91,
    )
    running.hub.publisher.publish(name, started)
    device.started(started)


def leave(running: Service, name: str) -> None:
    """Let a device's last frame be long ago."""
    begin(running, name, "Walking")
    device = running.hub.devices.find(name)
    assert device is not None
    device.seen -= 60
    running.hub.devices.update_status(device)


async def live(page: Page, url: str) -> None:
    await page.goto(f"{url}/")
    await expect(page.locator("#connection")).to_have_text("Live")


async def test_the_day_so_far_comes_in_pages_and_then_goes_on(page: Page, running: Service) -> None:
    now = datetime.now(UTC).replace(hour=12)  # far from midnight
    first = now - timedelta(seconds=2 * PAGE + 10)
    for number in range(2 * PAGE + 5):  # a second of walking each, on three pages
        time = first + timedelta(seconds=number)
        running.hub.publisher.publish("a", ended("a", "Walking", number, time, 1.0))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.clock.set_fixed_time(now)
    await live(page, running.http_url)
    await expect(page.locator("#minutes")).to_contain_text("33.4 min")  # all of them
    assert sum("/v1/events?" in url and "limit" in url for url in asked) == 3
    rows = page.locator("#segments tr")
    await expect(rows).to_have_count(40)
    running.hub.publisher.publish("b", ended("b", "Sitting", 1, now, 120.0))
    await expect(rows.first).to_contain_text("Sitting")
    await expect(rows.first).to_contain_text("2 min")
    await expect(page.locator("#minutes tr[data-activity=Sitting]")).to_contain_text("2.0 min")


async def test_what_happens_is_shown_as_it_happens(page: Page, running: Service) -> None:
    begin(running, "pixel-7", "Standing")
    await live(page, running.http_url)
    tile = page.locator("[data-device=pixel-7]")
    await expect(tile.locator(".activity")).to_have_text("Standing")
    begin(running, "pixel-7", "Walking", window=1)
    await expect(tile.locator(".activity")).to_have_text("Walking")
    running.hub.publisher.publish("pixel-7", prediction("pixel-7", "Walking", 2, 0.77))
    await expect(tile.locator(".meta")).to_contain_text("77 %")
    poor = Quality(
        device="pixel-7",
        session="s",
        state="poor",
        rate_hz=5.0,
        gaps=0,
        late=0,
        advice="Your rate is 5 Hz, at least 20 Hz is needed.",
    )
    running.hub.publisher.publish("pixel-7", poor)
    await expect(tile.locator(".signal")).to_have_text(poor.advice)


async def test_names_are_text_and_never_markup(page: Page, running: Service) -> None:
    begin(running, "a", "<img src=x>")
    await live(page, running.http_url)
    await expect(page.locator("[data-device=a] .activity")).to_have_text("<img src=x>")


async def test_the_filter_finds_devices_and_activities(page: Page, running: Service) -> None:
    for name, activity in (("pixel-7", "Walking"), ("pixel-8", "Sitting"), ("iphone", "Walking")):
        running.hub.publisher.publish(name, ended(name, activity, 0, datetime.now(UTC)))
        begin(running, name, activity, window=1)
    await live(page, running.http_url)
    shown = page.locator("#devices .tile:visible")
    await expect(shown).to_have_count(3)
    await page.get_by_label("Filter").fill("pixel")
    await expect(shown).to_have_count(2)
    await expect(page.locator("#count")).to_have_text("3 devices, 2 shown")
    await expect(page.locator("#segments tr")).to_have_count(2)
    await page.get_by_label("Filter").fill("walking")
    await expect(shown).to_have_count(2)
    await expect(page.locator("#minutes tr")).to_have_count(1)


async def test_a_lost_server_is_said(page: Page, running: Service) -> None:
    await live(page, running.http_url)
    for outbox in list(page_outboxes(running)):
        outbox.close(1012, "the test")
    await expect(page.locator("#connection")).to_contain_text("Trying again")
    await expect(page.locator("#connection")).to_have_text("Live")


def page_outboxes(running: Service) -> list[Any]:
    return [listener.outbox for listener in running.hub.publisher._listeners.of("")]


MEASURE = """() => {
  window.made = 0;
  window.frames = [];
  const count = (all) => all.reduce((sum, { addedNodes }) => sum + addedNodes.length, 0);
  new MutationObserver((all) => { window.made += count(all); })
    .observe(document.getElementById('devices'), { childList: true });
  const step = (now) => { window.frames.push(now); requestAnimationFrame(step); };
  requestAnimationFrame(step);
}"""
MEDIAN = """() => {
  const steps = window.frames.slice(1).map((t, k) => t - window.frames[k]).sort((a, b) => a - b);
  return steps[Math.floor(steps.length / 2)];
}"""


async def test_200_devices_stay_smooth(page: Page, running: Service, config: Config) -> None:
    names = [f"phone-{number}" for number in range(200)]
    for number, name in enumerate(names):
        begin(running, name, KINDS[number % 6])
    await live(page, running.http_url)
    await expect(page.locator(".tile")).to_have_count(200)
    order = await page.locator(".tile .name").all_text_contents()
    assert order == names
    await page.evaluate(MEASURE)
    for window in range(1, 21):  # 200 predictions in a fifth of a second, ten times life
        for number, name in enumerate(names):
            activity = KINDS[(number + window) % 6]
            running.hub.publisher.publish(name, prediction(name, activity, window))
            if number % 20 == window % 20:
                begin(running, name, activity, window)
            if number % 10 == 9:
                await asyncio.sleep(0.01)  # real time: predictions come spread over it
    last = page.locator("[data-device=phone-199] .meta")
    await expect(last).to_contain_text("%")
    assert await page.evaluate("window.made") == 0  # no tile was built again
    assert await page.evaluate(MEDIAN) < 50  # ms between pictures


async def test_who_is_here_comes_before_who_is_not(page: Page, running: Service) -> None:
    begin(running, "b-here", "Walking")
    leave(running, "a-long-gone")
    await live(page, running.http_url)
    boxes = [
        await page.locator(f'.tile[data-device="{name}"]').bounding_box()
        for name in ("b-here", "a-long-gone")
    ]
    here, gone = ((box["y"], box["x"]) for box in boxes if box is not None)
    assert here < gone
    names = page.locator(".tile .name")
    await expect(names).to_have_text(["b-here", "a-long-gone"])  # so is it read, and tabbed through
    begin(running, "a-long-gone", "Sitting")
    await expect(names).to_have_text(["a-long-gone", "b-here"])
    leave(running, "a-long-gone")
    await expect(names).to_have_text(["b-here", "a-long-gone"])


async def test_the_newest_prediction_is_shown_whatever_it_says(
    page: Page, running: Service
) -> None:
    begin(running, "pixel-7", "Standing")
    running.hub.publisher.publish("pixel-7", prediction("pixel-7", "Standing", 1, 0.66))
    device = running.hub.devices.get("pixel-7")
    device.confirmed(prediction("pixel-7", "Standing", 1, 0.66))
    await live(page, running.http_url)
    meta = page.locator("[data-device=pixel-7] .meta")
    await expect(page.locator("#no-minutes")).to_be_hidden()  # the history has been read
    await expect(meta).to_contain_text("66 %")  # and not the 91 % of its beginning
    running.hub.publisher.publish("pixel-7", prediction("pixel-7", "Walking", 2, 0.81))
    await expect(meta).to_have_text("perhaps Walking, 81 %")
    running.hub.publisher.publish("pixel-7", prediction("pixel-7", "Unknown", 3, 0.4))
    await expect(meta).to_have_text("unsure, 40 %")
    running.hub.publisher.publish("pixel-7", prediction("pixel-7", "Standing", 4, 0.55))
    await expect(meta).to_contain_text("55 %, for")


async def test_nobody_is_said(page: Page, running: Service) -> None:
    await live(page, running.http_url)
    await expect(page.locator("#nobody")).to_be_visible()
    begin(running, "a", "Walking")
    await expect(page.locator("#nobody")).to_be_hidden()


async def test_who_only_ever_sent_nonsense_goes_again(page: Page, running: Service) -> None:
    begin(running, "good", "Walking")
    await live(page, running.http_url)
    async with connect(f"{running.ws_url}/v1/stream?device=bad") as phone:
        await phone.send('{"type": "samples", "seq": 0, "xyz": [[1, 2, 1e9]]}')
        await expect(page.locator(".tile .name")).to_have_text(["bad", "good"])
    await expect(page.locator(".tile .name")).to_have_text(["good"])
