"""The phone page's modules: their frames are the protocol's, and a bad line loses nothing."""

import asyncio
from typing import Any

import numpy as np
import pytest
from playwright.async_api import Page

from clients.walker import walk
from stream.config import Wire
from stream.service import Service
from stream.wire import Source, decode
from tests.clients.lossy import lossy

TRACK = walk("walker", [("Walking", 60.0)], rate_hz=60.0)
SAMPLES = [
    {"t": t, "x": x, "y": y, "z": z}
    for t, (x, y, z) in zip(TRACK.t.tolist(), TRACK.xyz.tolist(), strict=True)
]
STREAM = """async ([url, samples]) => {
  const { Link } = await import('/pages/link.js');
  const { frameOf } = await import('/pages/frames.js');
  const link = new Link(url, { first: 0.01, longest: 0.05 });
  const windows = [];
  let breaks = 0;
  link.addEventListener('message', ({ detail }) => {
    if (detail.type === 'prediction') windows.push([detail.window, detail.confidence]);
  });
  const done = new Promise((resolve) => link.addEventListener('state', ({ detail }) => {
    if (detail.name === 'waiting') breaks += 1;
    if (detail.name === 'done') resolve();
  }));
  link.start();
  for (let k = 0; k < samples.length; k += 15) link.send(frameOf(samples.slice(k, k + 15)));
  while (windows.length === 0 || windows.at(-1)[0] < 24) {
    await new Promise((resolve) => link.addEventListener('message', resolve, { once: true }));
  }
  link.stop();
  await done;
  return [windows, breaks];
}"""


async def streamed(page: Page, device: str) -> tuple[list[Any], int]:
    """Stream SAMPLES as fast as the line goes; return the windows answered, and the breaks."""
    url = page.url.replace("http", "ws", 1).replace("/phone", f"/v1/stream?device={device}")
    async with asyncio.timeout(60):
        windows, breaks = await page.evaluate(STREAM, [url, SAMPLES])
    return windows, breaks


async def test_a_line_that_breaks_again_and_again_loses_nothing(
    page: Page, running: Service
) -> None:
    await page.goto(f"{running.http_url}/phone")
    whole, _ = await streamed(page, "whole")
    async with lossy(running.ws_url, []) as (url, line):
        await page.goto(f"{url.replace('ws:', 'http:')}/phone", wait_until="networkidle")
        line.break_after(np.random.default_rng(5).integers(2_000, 30_000, 12).tolist())
        broken, breaks = await streamed(page, "broken")
    assert breaks > 3
    assert [window for window, _ in whole] == list(range(25))
    assert broken == whole


async def test_its_frames_are_the_protocols(page: Page, running: Service) -> None:
    await page.goto(f"{running.http_url}/phone")
    raw = await page.evaluate(
        """async (samples) => {
          const { encode, frameOf } = await import('/pages/frames.js');
          return [...new Uint8Array(encode(frameOf(samples), 4294967295))];
        }""",
        SAMPLES[:40],
    )
    frame = decode(bytes(raw), Source(), Wire(), text=False)
    assert frame.seq == 2**32 - 1
    assert np.array_equal(frame.xyz, TRACK.xyz[:40])
    assert frame.t is not None
    assert np.allclose(frame.t, TRACK.t[:40], rtol=0, atol=1e-6)


OUTBOX = """async () => {
  const { Outbox } = await import('/pages/outbox.js');
  const all = (box) => { const n = []; for (let f; (f = box.take()); ) n.push(f); return n; };
  const box = new Outbox(3);
  ['a', 'b', 'c', 'd'].forEach((frame) => box.add(frame));
  const bounded = [box.lost, all(box)];
  box.ack(1);
  box.resume(2);
  const resumed = all(box);
  const known = box.resume(0);
  return [bounded, resumed, known, all(box)];
}"""


async def test_what_is_kept_is_bounded_counted_and_renumbered(page: Page, running: Service) -> None:
    await page.goto(f"{running.http_url}/phone")
    bounded, resumed, known, anew = await page.evaluate(OUTBOX)
    assert bounded == [1, [["b", 1], ["c", 2], ["d", 3]]]
    assert resumed == [["c", 2], ["d", 3]]
    assert (known, anew) == (False, [["c", 0], ["d", 1]])


@pytest.mark.parametrize("luck", [0, 0.5, 1])
async def test_pauses_grow_with_jitter_and_are_bounded(
    page: Page, running: Service, luck: float
) -> None:
    await page.goto(f"{running.http_url}/phone")
    pauses = await page.evaluate(
        """async (luck) => {
          const { Retry } = await import('/pages/retry.js');
          const retry = new Retry({ random: () => luck });
          return Array.from({ length: 8 }, () => retry.next());
        }""",
        luck,
    )
    assert pauses == [
        step * (0.5 + 0.5 * luck) for step in (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0)
    ]
