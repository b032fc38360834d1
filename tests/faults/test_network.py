"""Phones stream through networks that delay, cut, swallow and mix up; nothing is lost either."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from websockets.asyncio.client import connect

from clients import Phone, mqtt_link, reconnect, websocket_link
from stream import serving
from stream.config import Config
from stream.mqtt import broker as brokers
from tests.conftest import Broker
from tests.faults.phones import faults, players, playing, until
from tests.faults.proxy import FAULTS, SWALLOWED, Proxy, proxied
from tests.shell.test_mqtt import joining, with_broker

COUNTS = [(2, 1), pytest.param(3, 10, marks=[pytest.mark.slow, pytest.mark.timeout(600)])]
FRAMES = 200  # for each round of faults, more than are sent
PACE_S = 0.06  # between a phone's frames


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let both ends of a connection ask each other soon whether they are there."""
    for module in (serving, websocket_link):
        monkeypatch.setattr(module, "PING_S", 0.5)
    for module in (brokers, mqtt_link):
        monkeypatch.setattr(module, "KEEPALIVE_S", 1)
        monkeypatch.setattr(module, "ANSWER_S", 1.0)
    monkeypatch.setattr(websocket_link, "OPEN_TIMEOUT_S", 1.0)
    monkeypatch.setattr(websocket_link, "CLOSE_S", 0.2)
    monkeypatch.setattr(reconnect, "LONGEST_WAIT_S", 0.5)
    monkeypatch.setattr(reconnect, "JITTER_S", 0.2)


def has(proxy: Proxy, lines: int) -> bool:
    return len(proxy.whole) >= lines


async def storm(rng: np.random.Generator, proxy: Proxy, rounds: int) -> None:
    """Do each fault to what goes through a proxy, once a round, in any order."""
    for _ in range(rounds):
        for n in rng.permutation(len(FAULTS)):
            await until(partial(has, proxy, 1))
            await asyncio.sleep(rng.uniform(0.1, 0.4))
            proxy.harm(FAULTS[n])


async def storms(rng: np.random.Generator, proxies: list[Proxy], rounds: int) -> None:
    """Have one at each proxy."""
    async with asyncio.TaskGroup() as tasks:
        for chance, proxy in zip(rng.spawn(len(proxies)), proxies, strict=True):
            tasks.create_task(storm(chance, proxy, rounds))


def at(port: int) -> str:
    """Return the URL of a broker at a port of this machine."""
    return f"mqtt://127.0.0.1:{port}"


@pytest.mark.parametrize(("phones", "rounds"), COUNTS)
async def test_a_bad_network(
    config: Config,
    toy_artifact: Path,
    rng: np.random.Generator,
    mortal_broker: Broker,
    phones: int,
    rounds: int,
) -> None:
    async with (
        proxied(rng, mortal_broker.port) as (inside, by_server),
        proxied(rng, mortal_broker.port) as (outside, by_phones),
        joining(with_broker(config, at(inside))) as running,
        proxied(rng, running.port) as (front, by_websocket),
    ):
        urls = [f"ws://127.0.0.1:{front}", at(outside)] * phones
        playing_phones = players(urls, toy_artifact, FRAMES * rounds)
        async with playing(playing_phones, PACE_S):
            await storms(rng, [by_websocket, by_phones, by_server], rounds)
        assert faults(playing_phones) == {}


async def test_phones_notice_that_nobody_is_there(
    config: Config, rng: np.random.Generator, mortal_broker: Broker
) -> None:
    """Though they have nothing to send, and their connections stand."""
    async with (
        joining(with_broker(config, mortal_broker.url)) as running,
        proxied(rng, running.port) as (front, by_websocket),
        proxied(rng, mortal_broker.port) as (outside, by_phones),
        AsyncExitStack() as phones,
    ):
        for url in (f"ws://127.0.0.1:{front}", at(outside)):
            for device in SWALLOWED:
                await phones.enter_async_context(Phone(url, device))
        for proxy in (by_websocket, by_phones):
            for line, fault in zip(proxy.whole, SWALLOWED, strict=True):
                line.harm(fault)
        for proxy in (by_websocket, by_phones):
            await until(partial(has, proxy, len(SWALLOWED)))


async def test_the_server_notices_that_nobody_is_there(
    config: Config, rng: np.random.Generator, mortal_broker: Broker
) -> None:
    """A phone that never comes back, and a broker."""
    async with (
        proxied(rng, mortal_broker.port) as (inside, by_server),
        joining(with_broker(config, at(inside))) as running,
        proxied(rng, running.port) as (front, by_websocket),
    ):
        for device in SWALLOWED:
            url = f"ws://127.0.0.1:{front}/v1/stream?device={device}"
            await connect(url, ping_interval=None)
        assert all(running.hub.devices.get(device).online for device in SWALLOWED)
        lines = by_websocket.whole
        for line, fault in zip(lines, SWALLOWED, strict=True):
            line.harm(fault)
        for fault in SWALLOWED:
            assert by_server.harm(fault)
            await until(partial(has, by_server, 1))
        await until(lambda: all(line.ways["down"].over for line in lines))
        await until(lambda: not any(running.hub.devices.get(d).online for d in SWALLOWED))
