"""A large message of an app is fed in slices; nobody waits for it, and nothing comes between."""

import asyncio
from typing import Any

import numpy as np
import pytest

from stream import config
from stream.doors import apps
from stream.doors.apps import SLICE, Advice
from stream.errors import DeviceError
from stream.events import Quality
from stream.hub import Hub
from stream.journal.keeper import SAVE_S
from stream.live import Live
from stream.sensor_apps.dialects import SENSOR_LOGGER, edge_impulse
from stream.sensor_apps.intake import GRAVITY_LOST
from stream.sensor_apps.readings import Kind, Push, Reading
from tests.shell.test_hub import World, frame

LIMITS = config.Wire()
RATE_HZ = 50.0
MANY = 12 * SLICE


def push(begin: int, count: int, number: int = 0) -> Push:
    """Return a message of consecutive readings of one stream."""
    xyz = np.random.default_rng(7).normal([0, 0, 9.8], 1, (begin + count, 3))[begin:].tolist()
    times = [(begin + i) / RATE_HZ for i in range(count)]
    readings = [Reading("total", t, (x, y, z)) for t, (x, y, z) in zip(times, xyz, strict=True)]
    return Push("a", "", number, readings)


async def fed(world: World, what: Push) -> Advice:
    return await apps.feed(world.hub, "http", edge_impulse.DIALECT, LIMITS, what, "a")


def session(world: World) -> Live:
    live = world.hub.current("http", "a")
    assert live is not None
    return live


async def in_the_middle(world: World, what: Push) -> asyncio.Task[Advice]:
    """Begin to feed a message, and come back when it has taken some of it."""
    task = asyncio.create_task(fed(world, what))
    for _ in range(4):
        await asyncio.sleep(0)
    assert session(world).feeding
    return task


def windows(world: World) -> list[tuple[int, bytes]]:
    return [(window.number, window.xyz.tobytes()) for window in session(world).waiting]


async def test_others_have_a_turn_between_the_slices() -> None:
    world, turns = World(), 0
    task = asyncio.create_task(fed(world, push(0, MANY)))
    while not task.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns >= MANY // SLICE


async def test_slices_make_the_windows_of_smaller_messages() -> None:
    whole, cut = World(), World()
    await fed(whole, push(0, MANY))
    for begin in range(0, MANY, 128):
        await fed(cut, push(begin, 128))
    assert len(windows(whole)) == (MANY / RATE_HZ - 10) // 2 + 1
    assert windows(whole) == windows(cut)


async def test_nothing_of_the_same_device_comes_between() -> None:
    """Neither the next message, nor the same one sent again because the answer took long."""
    world, alone = World(), World()
    halves = [push(0, MANY), push(MANY, MANY)]
    for what in (halves[0], halves[1], halves[1]):
        await fed(alone, what)
    async with asyncio.TaskGroup() as tasks:
        for what in (halves[0], halves[1], halves[1]):
            tasks.create_task(fed(world, what))
    assert windows(world) == windows(alone)
    assert session(world).session.counters == session(alone).session.counters


async def test_a_session_is_not_saved_in_the_middle_of_a_message() -> None:
    """A restart would take the message to be fed whole."""
    world = World()
    task = await in_the_middle(world, push(0, MANY))
    live, group = session(world), world.hub.journal._group
    world.hub.keeper.save_all()
    assert group.sessions[live.opened].covers < live.opened  # type: ignore[union-attr]
    assert world.hub.keeper._needed() == live.opened  # and the message stays in the journal
    await task
    world.hub.keeper.save_all()
    assert group.sessions[live.opened].covers == live.opened  # type: ignore[union-attr]


async def test_a_message_that_is_cancelled_is_fed_whole() -> None:
    """It is in the journal whole."""
    world, undisturbed = World(), World()
    await fed(undisturbed, push(0, MANY))
    task = await in_the_middle(world, push(0, MANY))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert windows(world) == windows(undisturbed)
    assert not session(world).feeding


async def test_a_message_that_fails_in_its_middle_leaves_the_session_to_be_saved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, feed, fed_so_far = World(), Hub.feed, 0

    def failing(*args: Any) -> None:
        nonlocal fed_so_far
        fed_so_far += 1
        if fed_so_far == 3:
            raise OverflowError("a fault of ours")
        feed(*args)

    monkeypatch.setattr(Hub, "feed", failing)
    with pytest.raises(OverflowError):
        await fed(world, push(0, MANY))
    live, group = session(world), world.hub.journal._group
    assert fed_so_far == 3
    world.hub.keeper.save_all()
    assert group.sessions[live.opened].covers == live.opened  # type: ignore[union-attr]


async def test_a_session_that_is_being_fed_holds_up_no_others_snapshot() -> None:
    world = World()
    task = await in_the_middle(world, push(0, MANY))
    keeper, others = world.hub.keeper, [world.hub.open("http", name) for name in "bcd"]
    for live in others:
        world.hub.take(live, frame(0), 20.0)
    for _ in range(3):
        world.now += SAVE_S
        keeper.save_some()
    assert set(keeper._unsaved) == {session(world)}
    assert keeper._needed() == session(world).opened
    await task
    world.now += SAVE_S
    keeper.save_some()
    assert keeper._needed() == world.hub.journal.next_input


async def test_who_posted_frames_is_another_sender() -> None:
    """An app's readings don't go into a session of numbered frames."""
    world = World()
    posted = world.hub.open("http", "a")
    world.hub.take(posted, frame(0), 20.0)
    await fed(world, push(0, MANY))
    assert session(world) is not posted
    assert posted.finished


async def test_a_large_message_waits_for_room_at_the_model() -> None:
    world = World()
    world.batcher._room.clear()
    task = await in_the_middle(world, push(0, MANY))
    for _ in range(100):
        await asyncio.sleep(0)
    some = len(windows(world))
    assert not task.done()
    world.batcher._room.set()
    await task
    assert len(windows(world)) > some


async def test_nonsense_in_a_large_message_takes_nothing_of_it() -> None:
    world = World()
    what = push(0, MANY)
    wrong = Reading("total", what.readings[-1].time, (1e9, 0.0, 0.0))
    with pytest.raises(DeviceError):
        await fed(world, what._replace(readings=[*what.readings[:-1], wrong]))
    assert windows(world) == []


def second(number: int, *kinds: Kind) -> Push:
    """Return a second of Sensor Logger's messages that holds these kinds of readings."""
    xyz = np.random.default_rng(number).normal([0, 0, 9.8], 1, (50, 3)).tolist()
    times = [(number + i / 50) * 1e9 for i in range(50)]
    readings = [
        Reading(kind, time, (0.1, 0.2, 9.7) if kind == "gravity" else (x, y, z - 9.8))
        for time, (x, y, z) in zip(times, xyz, strict=True)
        for kind in kinds
    ]
    return Push("a", "s", number, readings, other=50)


async def posted(world: World, seconds: range, *kinds: Kind) -> list[str]:
    """Post a message a second; return what the user was told."""
    told = []
    for number in seconds:
        world.now += 1
        world.hub.sweep()
        what = second(number, *kinds)
        told.append(await apps.feed(world.hub, "http", SENSOR_LOGGER, LIMITS, what, "a"))
    return [advice.text for advice in told if advice.text]


def qualities(world: World) -> list[tuple[str, str]]:
    """Return what was said of the signal since this was asked last."""
    said: list[tuple[str, str]] = [
        (message.state, message.advice)
        for _, message in world.heard
        if isinstance(message, Quality)
    ]
    world.heard.clear()
    return said


async def test_gravity_that_stops_is_quality_too_until_it_comes_back() -> None:
    world = World()
    await posted(world, range(6), "linear", "gravity")
    ((_, good),) = qualities(world)
    assert await posted(world, range(6, 26), "linear") == [GRAVITY_LOST]
    assert qualities(world) == [("poor", GRAVITY_LOST)]
    (device,) = world.hub.devices
    assert (device.state().quality, device.state().status) == ("poor", "online")
    await posted(world, range(26, 27), "linear", "gravity")
    assert qualities(world) == [("good", good)]
    assert device.state().quality == "good"


async def test_a_device_without_acceleration_is_here_and_its_quality_is_poor() -> None:
    world = World()
    assert await posted(world, range(20), "gravity") == [SENSOR_LOGGER.missing]
    assert qualities(world) == [("poor", SENSOR_LOGGER.missing)]
    (device,) = world.hub.devices
    assert (device.state().quality, device.state().status) == ("poor", "online")
    await posted(world, range(20, 26), "linear", "gravity")
    ((state, _),) = qualities(world)
    assert state == "good"


async def test_a_fault_of_two_sessions_is_said_once_of_each() -> None:
    """As of an app that sends the same by HTTP and by MQTT."""
    world = World()
    for number in range(9):
        for channel in ("http", "mqtt"):
            what = second(number)
            await apps.feed(world.hub, channel, SENSOR_LOGGER, LIMITS, what, "a")
    assert qualities(world) == [("poor", SENSOR_LOGGER.missing)] * 2
